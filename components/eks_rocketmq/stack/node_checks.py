"""Checks whether the node groups of a new cluster fit the other components. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.aws_identifiers import is_arn, parse_arn
from eks_rocketmq.args.errors import ArgumentError, raise_all
from eks_rocketmq.eks.addons.addon_plan import KUBE_PROXY, AddonPlan
from eks_rocketmq.eks.addons.cluster_addons import CNI_POLICY
from eks_rocketmq.eks.addons.cluster_addons_args import VpcCniArgs
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.eks.nodes.node_plan import NodePlan, get_kubernetes_release
from eks_rocketmq.rocketmq.config import durability
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack.stack_paths import (
    ADDONS,
    CLUSTER,
    NETWORK,
    NODE_GROUPS,
    ROCKETMQ,
)

SKEW = 3
"""Minor versions by which nodes may be older than the control plane.
https://kubernetes.io/releases/version-skew-policy/"""


@raise_all
def check_versions(
    cluster: str, groups: Mapping[ArgumentPath, NodeGroupArgs], addons: Iterable[AddonPlan]
) -> Iterator[ArgumentError]:
    """Reject versions of nodes and kube-proxy that EKS does not run with the control plane.

    `cluster` is the version of the control plane.
    """
    versions = {path / "version": args["version"] for path, args in groups.items() if "version" in args}
    versions |= {
        path / "release_version": release
        for path, args in groups.items()
        # Bottlerocket numbers its releases differently.
        if "version" not in args and (release := get_kubernetes_release(args)) is not None
    }
    pinned = [addon.version for addon in addons if addon.name == KUBE_PROXY and addon.version is not None]
    if pinned:
        versions[(ADDONS / "addons").key(KUBE_PROXY) / "version"] = pinned[0]
    newest = int(cluster.split(".")[1])
    for path, version in versions.items():
        if not newest - SKEW <= int(str(version).split(".")[1]) <= newest:
            yield ArgumentError(
                path,
                "version-skew",
                "{given!r} does not work with {version} {control_plane!r}",
                accepted="1.{oldest} to {control_plane}, the version of the control plane and the {skew} before it",
                given=version,
                version=CLUSTER / "version",
                control_plane=cluster,
                oldest=newest - SKEW,
                skew=SKEW,
            )


def check_pod_network(cni: VpcCniArgs, groups: Mapping[ArgumentPath, NodeGroupArgs]) -> None:
    """Reject nodes that may not request addresses for their pods. They would never become ready.

    Raise ValueError for the first such group.
    """
    if cni.get("identity", "irsa") != "node":
        return
    for path, args in groups.items():
        # A custom role or policy may allow it.
        allowing = [policy for policy in args.get("managed_policies", []) if _may_allow_addresses(policy)]
        if "role_arn" not in args and not allowing:
            raise ArgumentError(
                path / "managed_policies",
                "nodes-without-cni-policy",
                "{policy!r} is missing, and {identity} is 'node': pods get no address, and nodes do not become ready",
                remedy="Add {policy!r}, or set {identity} to 'irsa'",
                policy=CNI_POLICY,
                identity=ADDONS / "vpc_cni" / "identity",
            )


def _may_allow_addresses(policy: str) -> bool:
    return policy.rsplit("/", 1)[-1] == CNI_POLICY or (is_arn(policy) and parse_arn(policy).account != "aws")


def check_nodes(zones: int, groups: Sequence[NodePlan], rocketmq: RocketMqArgs) -> None:
    """Reject a cluster without nodes, or with too few zones for the durability profile."""
    if not groups:
        raise ArgumentError(
            NODE_GROUPS,
            "no-node-groups",
            "the cluster has no nodes for RocketMQ and the addons",
            accepted="one group or more",
        )
    if not any(plan.desired_size for plan in groups):
        raise ArgumentError(
            NODE_GROUPS,
            "no-nodes",
            "{size} is 0 in every group, and EKS waits for the pods of coredns and of the EBS CSI driver",
            accepted="1 or more in one of the groups",
            size=NODE_GROUPS / "desired_size",
        )
    name = rocketmq.get("profile", "strict")
    needed = durability.find_profile(name).zones
    if zones < needed:
        raise ArgumentError(
            NETWORK / "zone_count",
            "too-few-zones",
            "the network has {zones} zones, and {profile} {name!r} spreads the members of a group over {needed}",
            accepted="{needed} or more, or as many names in {names}",
            remedy="Add zones, or choose another value of {profile}",
            zones=zones,
            profile=ROCKETMQ / "profile",
            name=name,
            needed=needed,
            names=NETWORK / "zones",
        )
