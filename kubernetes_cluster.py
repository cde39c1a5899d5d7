"""Foundation of RocketMQ: a new or an existing cluster, and the account's trust in its tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi_aws as aws
from pulumi import Output, Resource, ResourceOptions, ResourceTransform

from eks_rocketmq import ClusterAddons, ClusterOidcProvider, EksCluster, ExistingEksCluster, Network, NodeGroup
from eks_rocketmq.eks.cluster.eks_cluster import require_aws_command
from eks_rocketmq.eks.iam.oidc_provider_args import ClusterOidcProviderArgs
from eks_rocketmq.lookups.aws_resources import CLUSTER
from eks_rocketmq.lookups.create_checks import reject_create
from eks_rocketmq.stack.error_text import in_stack_file
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.new_cluster_checks import locked_out
from eks_rocketmq.stack.settings import Settings


@dataclass(frozen=True)
class StackCluster:
    """A cluster whose service accounts can assume IAM roles."""

    cluster: ExistingEksCluster | EksCluster
    oidc: ClusterOidcProvider
    nodes: Sequence[Resource] = ()
    """Resources that pods need, if the stack creates them."""


def create_cluster(config: Settings) -> StackCluster:
    """Return the cluster that the stack file configures."""
    if config.new_cluster is not None:
        return _create_new_cluster(config.new_cluster, config)
    cluster = ExistingEksCluster("cluster", config.cluster)
    return StackCluster(cluster, _create_oidc_provider(cluster, config))


def _create_new_cluster(new: NewCluster, config: Settings) -> StackCluster:
    # The cluster checks it too, but only after the network has been created.
    require_aws_command()
    with in_stack_file("network"):
        # The zones come from a lookup, so their errors occur here.
        network = Network("network", new.network)
    cluster = EksCluster(
        "cluster",
        {**new.cluster, "vpc_id": network.vpc_id, "subnet_ids": network.private_subnet_ids},
        ResourceOptions(transforms=_build_create_checks(new)),
    )
    oidc = _create_oidc_provider(cluster, config)
    name = cluster.name
    addons_before_nodes = ClusterAddons(
        "addons-before-nodes",
        {
            **new.before_nodes,
            "cluster_name": name,
            "kubernetes_version": cluster.version,
            "vpc_cni": {
                **new.before_nodes.get("vpc_cni", {}),
                "issuer": oidc.issuer,
                "provider_arn": oidc.arn,
                "cluster_arn": cluster.arn,
            },
        },
    )
    groups = [
        NodeGroup(
            component,
            {**args, "cluster_name": name, "subnet_ids": network.private_subnet_ids},
            # A node is not ready without a pod network.
            ResourceOptions(depends_on=[addons_before_nodes]),
        )
        for component, args in new.node_groups.items()
    ]
    addons_after_nodes = ClusterAddons(
        "addons-after-nodes",
        {**new.after_nodes, "cluster_name": name, "kubernetes_version": cluster.version},
        # EKS waits for the pods of the add-ons, which need nodes.
        ResourceOptions(depends_on=groups),
    )
    return StackCluster(cluster, oidc, [*groups, addons_after_nodes])


def _build_create_checks(new: NewCluster) -> list[ResourceTransform]:
    """Return transforms that reject the create of the cluster. They do not apply to an existing cluster."""
    checks: list[ResourceTransform] = []
    if new.not_yet:
        checks.append(reject_create(CLUSTER, "cluster-not-yet", new.not_yet))
    if "role_arn" in new.cluster or not new.cluster.get("creator_is_admin", True):
        caller: Output[str] = aws.get_caller_identity_output().arn
        checks.append(
            reject_create(CLUSTER, "cluster-locked", caller.apply(lambda known: locked_out(known, new.cluster)))
        )
    return checks


def _create_oidc_provider(cluster: ExistingEksCluster | EksCluster, config: Settings) -> ClusterOidcProvider:
    args: ClusterOidcProviderArgs = {"issuer": cluster.oidc_issuer, "existing": config.oidc_provider_exists}
    if config.oidc_client_ids:
        args["client_ids"] = config.oidc_client_ids
    return ClusterOidcProvider("oidc", args)
