"""Cluster of the stack: a new or an existing one, and the account's trust in its tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi_aws as aws
from pulumi import Output, Resource, ResourceOptions, ResourceTransform

from eks_rocketmq import ClusterAddons, ClusterOidcProvider, EksCluster, ExistingEksCluster, Network, NodeGroup
from eks_rocketmq.args.errors import ArgumentMessage
from eks_rocketmq.args.planned_args import complete_args
from eks_rocketmq.eks.addons.cluster_addons_args import VpcCniArgs
from eks_rocketmq.eks.cluster.eks_cluster import require_aws_command
from eks_rocketmq.lookups.aws_resources import CLUSTER as CLUSTER_TYPE
from eks_rocketmq.lookups.create_checks import reject_create
from eks_rocketmq.pulumi_sdk.sdk_internals import is_config_secret
from eks_rocketmq.stack.error_report import in_stack_file, render_messages
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.new_cluster_checks import find_creator_entry, find_lockout
from eks_rocketmq.stack.settings import Settings
from eks_rocketmq.stack.stack_paths import ADDONS, CLUSTER, NETWORK, NODE_GROUPS, OIDC


@dataclass(frozen=True)
class StackCluster:
    """A cluster whose service accounts can assume IAM roles."""

    cluster: ExistingEksCluster | EksCluster
    oidc: ClusterOidcProvider
    nodes: Sequence[Resource] = ()
    """Resources that pods need, if the stack creates them."""


def create_cluster(config: Settings) -> StackCluster:
    """Return the cluster that the stack file configures."""
    if isinstance(config.cluster, NewCluster):
        return _create_new_cluster(config.cluster, config)
    with in_stack_file(CLUSTER):
        cluster = ExistingEksCluster("cluster", config.cluster)
    return StackCluster(cluster, _create_oidc_provider(cluster, config))


def _create_new_cluster(new: NewCluster, config: Settings) -> StackCluster:
    # The cluster checks it too, but only after the network has been created.
    require_aws_command()
    with in_stack_file(NETWORK):
        # The zones come from a lookup, so their errors occur here.
        network = Network("network", new.network)
    with in_stack_file(CLUSTER):
        cluster = EksCluster(
            "cluster",
            complete_args(new.cluster, vpc_id=network.vpc_id, subnet_ids=network.private_subnet_ids),
            ResourceOptions(transforms=_build_create_checks(new)),
        )
    oidc = _create_oidc_provider(cluster, config)
    name = cluster.name
    with in_stack_file(ADDONS):
        identity: VpcCniArgs = {"issuer": oidc.issuer, "provider_arn": oidc.arn, "cluster_arn": cluster.arn}
        pod_network = {**new.before_nodes.get("vpc_cni", {}), **identity}
        addons_before_nodes = ClusterAddons(
            "addons-before-nodes",
            complete_args(new.before_nodes, cluster_name=name, kubernetes_version=cluster.version, vpc_cni=pod_network),
        )
    groups = []
    for component, args in new.node_groups.items():
        with in_stack_file(NODE_GROUPS.key(component.removeprefix("nodes-"))):
            # A node is not ready without a pod network.
            options = ResourceOptions(depends_on=[addons_before_nodes])
            group_args = complete_args(args, cluster_name=name, subnet_ids=network.private_subnet_ids)
            groups.append(NodeGroup(component, group_args, options))
    with in_stack_file(ADDONS):
        addons_after_nodes = ClusterAddons(
            "addons-after-nodes",
            complete_args(new.after_nodes, cluster_name=name, kubernetes_version=cluster.version),
            # EKS waits for the pods of the addons, which need nodes.
            ResourceOptions(depends_on=groups),
        )
    return StackCluster(cluster, oidc, [*groups, addons_after_nodes])


def _build_create_checks(new: NewCluster) -> list[ResourceTransform]:
    """Return transforms that reject the create of the cluster. They do not apply to an existing cluster."""
    checks: list[ResourceTransform] = []
    if new.missing_objects:
        checks.append(reject_create(CLUSTER_TYPE, "cluster-not-yet", render_messages(new.missing_objects)))
    if "role_arn" in new.cluster or not new.cluster.get("creator_is_admin", True):
        checks.append(_reject_by_caller("cluster-locked", find_lockout, new))
    if new.cluster.get("access_entries"):
        checks.append(_reject_by_caller("cluster-creator-entry", find_creator_entry, new))
    return checks


def _reject_by_caller(
    name: str, find_error: Callable[..., ArgumentMessage | None], new: NewCluster
) -> ResourceTransform:
    """Return a transform that rejects the create of the cluster by the identity that runs the stack."""
    caller: Output[str] = aws.get_caller_identity_output().arn
    hidden = is_config_secret("aws:assumeRoles")
    found = caller.apply(lambda known: find_error(known, new.cluster, hide_caller=hidden))
    return reject_create(CLUSTER_TYPE, name, found.apply(lambda error: render_messages([error] if error else [])))


def _create_oidc_provider(cluster: ExistingEksCluster | EksCluster, config: Settings) -> ClusterOidcProvider:
    with in_stack_file(OIDC):
        return ClusterOidcProvider("oidc", {**config.oidc, "issuer": cluster.oidc_issuer})
