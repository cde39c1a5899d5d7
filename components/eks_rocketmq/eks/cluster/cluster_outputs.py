"""Outputs that new and existing clusters share."""

from dataclasses import dataclass
from typing import Protocol

import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, Input, Output

from eks_rocketmq.eks.cluster.kubeconfig import render_kubeconfig
from eks_rocketmq.pulumi_sdk.component import child_options


class ClusterOutputs(Protocol):
    """Outputs of a cluster, new or existing."""

    name: Output[str]
    arn: Output[str]
    version: Output[str]
    endpoint: Output[str]
    certificate_authority: Output[str]
    oidc_issuer: Output[str]
    cluster_security_group_id: Output[str]
    security_group_ids: Output[list[str]]
    kubeconfig: Output[str]
    provider: kubernetes.Provider


@dataclass(frozen=True)
class ClusterDescription:
    """Properties of a cluster as DescribeCluster returns them. Those of a planned cluster are unknown."""

    name: Input[str]
    arn: Input[str]
    version: Input[str]
    endpoint: Input[str]
    certificate_authority: Input[str]
    oidc_issuer: Input[str]
    cluster_security_group_id: Input[str]
    security_group_ids: Input[list[str]]


def create_kubernetes_provider(
    component: ComponentResource,
    name: str,
    arn: Output[str],
    kubeconfig: Output[str],
) -> kubernetes.Provider:
    """Create the Kubernetes provider of a cluster."""
    return kubernetes.Provider(
        f"{name}-kubernetes",
        kubeconfig=kubeconfig,
        # The provider compares the ARN instead of server and CA. A rotated CA or another endpoint must not replace all
        # objects of the cluster.
        cluster_identifier=arn,
        opts=child_options(component),
    )


def set_cluster_outputs(
    cluster: ClusterOutputs, description: ClusterDescription, profile: str | None, role_arn: str | None
) -> None:
    """Set all outputs of a cluster except its provider.

    `aws eks get-token` uses the AWS profile `profile` and assumes the role `role_arn`.
    """
    for key, value in vars(description).items():
        setattr(cluster, key, Output.from_input(value))
    kubeconfig: Output[str] = Output.all(
        arn=cluster.arn, endpoint=cluster.endpoint, certificate_authority=cluster.certificate_authority
    ).apply(lambda known: render_kubeconfig(**known, profile=profile, role_arn=role_arn))
    cluster.kubeconfig = kubeconfig
