"""Checks whether the parts of a new cluster fit each other. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from eks_rocketmq.args.aws_identifiers import is_arn, parse_arn
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage, ErrorCollector
from eks_rocketmq.args.planned_args import get_plan
from eks_rocketmq.eks.addons.addon_plan import plan_addons
from eks_rocketmq.eks.cluster.cluster_plan import ADMIN_POLICY, is_admin
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.ebs.driver_plan import plan_driver
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.network.network_plan import check_nodes_can_start, plan_network
from eks_rocketmq.eks.nodes.node_plan import plan_nodes
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack import cross_checks, node_checks
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.pod_placement import Group, check_placement
from eks_rocketmq.stack.stack_paths import CLUSTER, NETWORK, NODE_GROUPS


def check_new_cluster(
    new: NewCluster, ebs_csi: EbsCsiAddonArgs, rocketmq: RocketMqArgs, region: str | None
) -> ArgumentMessage | None:
    """Reject settings that are valid alone and contradict each other in a new cluster.

    Return why pods stay Pending until the cluster has an autoscaler, or None. Raise ValueError for each contradiction.
    `region` is None if it is unknown.
    """
    before, network = get_plan(new.before_nodes, plan_addons), get_plan(new.network, plan_network)
    groups = [Group(name, args, get_plan(args, partial(plan_nodes, name))) for name, args in new.node_groups.items()]
    paths = {NODE_GROUPS.key(name.removeprefix("nodes-")): args for name, args in new.node_groups.items()}
    cni, identity, errors = new.before_nodes["vpc_cni"], ebs_csi.get("identity", "irsa"), ErrorCollector()
    errors.attempt(cross_checks.check_service_block, new.cluster, network.vpc)
    errors.attempt(cross_checks.check_token_role, new.cluster)
    errors.attempt(node_checks.check_versions, new.cluster["version"], paths, before)
    errors.attempt(node_checks.check_pod_network, cni, paths)
    check_pods = _build_pods_check(new, ebs_csi, rocketmq, region)
    with errors.collect():
        # If nodes are missing, the check of the pods would repeat that for each workload.
        node_checks.check_nodes(len(network.private), [group.plan for group in groups], rocketmq)
        check_pods(groups)
    with errors.collect(within=NETWORK):
        identities = [cni.get("identity", "irsa"), identity]
        check_nodes_can_start(new.network, [*identities, *["pod_identity"] * cross_checks.has_agent(before)])
    errors.attempt(cross_checks.check_agent, identity, before)
    errors.attempt(cross_checks.check_role_names, ebs_csi["role_name"], cni)
    errors.raise_errors()
    if any("autoscaler" in addon["name"] for addon in new.after_nodes.get("addons", [])):
        return None
    try:
        check_pods([replace(group, autoscaler=False) for group in groups])
    except ArgumentError as error:
        return error.message
    return None


def find_lockout(caller: str, cluster: EksClusterArgs, *, hide_caller: bool = False) -> ArgumentMessage | None:
    """Return why the creator of the cluster could not use it afterwards, or None.

    `caller` is the ARN from STS of the identity that runs the stack and creates the cluster. With `hide_caller`, the
    message does not show it, because its role is encrypted in the stack file.
    """
    role = cluster.get("role_arn")
    admins = [str(entry["principal_arn"]) for entry in cluster.get("access_entries", []) if is_admin(entry)]
    if cluster.get("creator_is_admin", True):
        admins.append(caller)
    identity = caller if role is None else role
    if any(_is_principal(identity, admin) or _is_principal(admin, identity) for admin in admins):
        return None

    def show(principal: str) -> str:
        return "the identity of `pulumi up`" if hide_caller and principal == caller else repr(principal)

    return ArgumentMessage(
        CLUSTER / "access_entries",
        "creator-locked-out",
        "{identity} creates the objects of this stack in the cluster, and only {admins} get {policy}",
        accepted="an identity with that policy",
        remedy="Add an entry for it, or change {role} or {creator}",
        values={
            "identity": show(identity),
            "admins": " and ".join(map(show, admins)),
            "policy": ADMIN_POLICY,
            "role": CLUSTER / "role_arn",
            "creator": CLUSTER / "creator_is_admin",
        },
    )


def find_creator_entry(caller: str, cluster: EksClusterArgs, *, hide_caller: bool = False) -> ArgumentMessage | None:
    """Return why EKS would reject an access entry of the creator of the cluster, or None.

    `caller` is the ARN from STS of the identity that creates the cluster. With `hide_caller`, the message does not show
    the principal, as for `find_lockout`.
    """
    if not cluster.get("creator_is_admin", True):
        return None
    for index, entry in enumerate(cluster.get("access_entries", [])):
        principal = entry["principal_arn"]
        if isinstance(principal, str) and _is_principal(caller, principal):
            return ArgumentMessage(
                (CLUSTER / "access_entries").index(index, entry) / "principal_arn",
                "creator-entry",
                "{given} creates the cluster, so EKS makes an access entry for it and rejects this one",
                remedy="Leave the entry out, or set {creator} to false and give it {policy}",
                values={
                    "given": "the identity of `pulumi up`" if hide_caller else repr(principal),
                    "creator": CLUSTER / "creator_is_admin",
                    "policy": ADMIN_POLICY,
                },
            )
    return None


def _is_principal(caller: str, principal: str) -> bool:
    """Return whether an identity is the principal or a session of it. The ARN of a session has no path."""
    if caller == principal:
        return True
    if not (is_arn(caller) and is_arn(principal)):
        return False
    session, role = parse_arn(caller), parse_arn(principal)
    kind, _, name = session.resource.partition("/")
    return (
        (session.service, kind) == ("sts", "assumed-role")
        and session.account == role.account
        and role.resource.startswith("role/")
        and role.resource.rsplit("/", 1)[-1] == name.partition("/")[0]
    )


def _build_pods_check(
    new: NewCluster, ebs_csi: EbsCsiAddonArgs, rocketmq: RocketMqArgs, region: str | None
) -> Callable[[Iterable[Group]], None]:
    zones = new.network.get("zones") or [None] * len(get_plan(new.network, plan_network).private)
    rocketmq_plan, addons = get_plan(rocketmq, plan), get_plan(new.after_nodes, plan_addons)
    driver = get_plan(ebs_csi, plan_driver).configuration

    def check(groups: Iterable[Group]) -> None:
        check_placement(
            [nodes for group in groups for nodes in group.list_nodes(zones, region)], rocketmq_plan, addons, driver
        )

    return check
