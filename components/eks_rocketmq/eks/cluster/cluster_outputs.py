"""What several components of this half have in common: the contract of a cluster, roles of services."""

from dataclasses import dataclass
from typing import Any, Protocol

import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, Input, Output

from eks_rocketmq.eks.cluster.kubeconfig import render_kubeconfig
from eks_rocketmq.pulumi_sdk.component import child_options


class ClusterOutputs(Protocol):
    """What every cluster gives, whoever made it; everything after it takes these values and not the object."""

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
    """What DescribeCluster says, or will say of a cluster that is only planned."""

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
    config: Output[str],
) -> kubernetes.Provider:
    """The Kubernetes provider of a cluster.

    Args:
        component: the cluster's component.
        name: its name.
        arn: ARN of the cluster.
        config: kubeconfig (JSON).
    """
    return kubernetes.Provider(
        f"{name}-kubernetes",
        kubeconfig=config,
        # The provider compares this instead of server and CA: a rotated CA or another endpoint must not replace
        # every object of the cluster.
        cluster_identifier=arn,
        opts=child_options(component),
    )


def set_cluster_outputs(
    cluster: ClusterOutputs, found: ClusterDescription, profile: str | None, role_arn: str | None
) -> None:
    """Sets every output of a cluster but its provider.

    Args:
        cluster: the component.
        found: what AWS says of it.
        profile: AWS profile of `aws eks get-token`.
        role_arn: role that `aws eks get-token` assumes.
    """
    for key, value in vars(found).items():
        setattr(cluster, key, Output.from_input(value))
    config: Output[str] = Output.all(
        arn=cluster.arn, endpoint=cluster.endpoint, certificate_authority=cluster.certificate_authority
    ).apply(lambda known: render_kubeconfig(**known, profile=profile, role_arn=role_arn))
    cluster.kubeconfig = config


def collect_outputs(cluster: ClusterOutputs) -> dict[str, Any]:
    """The outputs of a cluster under the names that other languages see."""
    return {
        "name": cluster.name,
        "arn": cluster.arn,
        "version": cluster.version,
        "endpoint": cluster.endpoint,
        "certificateAuthority": cluster.certificate_authority,
        "oidcIssuer": cluster.oidc_issuer,
        "clusterSecurityGroupId": cluster.cluster_security_group_id,
        "securityGroupIds": cluster.security_group_ids,
        "kubeconfig": cluster.kubeconfig,
        "provider": cluster.provider,
    }
