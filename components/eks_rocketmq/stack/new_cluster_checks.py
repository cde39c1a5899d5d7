"""Parts of a new cluster that can never come up together. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from eks_rocketmq.args.aws_identifiers import is_arn, parse_arn
from eks_rocketmq.args.errors import ErrorCollector
from eks_rocketmq.eks.addons.addon_plan import plan_addons
from eks_rocketmq.eks.cluster.cluster_plan import ADMIN_POLICY, is_admin
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.ebs.csi_configuration import render_configuration
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.network.network_plan import check_nodes_can_start, plan_network
from eks_rocketmq.eks.nodes.node_plan import plan_nodes
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack import cross_checks
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.pod_placement import Group, check_placement
from eks_rocketmq.stack.spelling import as_spelled


def check_new_cluster(new: NewCluster, ebs_csi: EbsCsiAddonArgs, rocketmq: RocketMqArgs, region: str | None) -> str:
    """Reject what the parts of a new cluster accept by themselves and that cannot come up together.

    Returns why pods wait until the cluster has an autoscaler, or an empty text.

    Args:
        new: the parts.
        ebs_csi: the driver.
        rocketmq: what runs on the nodes.
        region: the stack's region, where it is known.

    Raises:
        ValueError: naming the settings and what is accepted.
    """
    before, network = plan_addons(new.before_nodes), plan_network(new.network)
    groups = [Group(args, plan_nodes(name, args)) for name, args in new.node_groups.items()]
    places = {f"nodeGroups[{name.removeprefix('nodes-')!r}]": args for name, args in new.node_groups.items()}
    cni, identity, problems = new.before_nodes["vpc_cni"], ebs_csi.get("identity", "irsa"), ErrorCollector()
    problems.attempt(cross_checks.check_service_block, new.cluster, network.vpc)
    problems.attempt(cross_checks.check_let_in, new.cluster)
    problems.attempt(cross_checks.check_versions, new.cluster["version"], places, before)
    problems.attempt(cross_checks.check_pod_network, cni, places)
    check_pods = _pods_check(new, ebs_csi, rocketmq, region)
    with problems.collect():
        # Where nodes are missing, the check of the pods would repeat it for each of them.
        cross_checks.check_nodes(len(network.private), [group.plan for group in groups], rocketmq)
        check_pods(groups)
    with problems.collect(), as_spelled("network"):
        identities = [cni.get("identity", "irsa"), identity]
        check_nodes_can_start(new.network, [*identities, *["pod_identity"] * cross_checks.has_agent(before)])
    problems.attempt(cross_checks.check_agent, identity, before)
    problems.attempt(cross_checks.check_role_names, ebs_csi["role_name"], cni)
    problems.raise_errors()
    if any("autoscaler" in addon["name"] for addon in new.after_nodes.get("addons", [])):
        return ""
    try:
        check_pods([replace(group, autoscaler=False) for group in groups])
    except ValueError as error:
        return str(error)
    return ""


def locked_out(caller: str, cluster: EksClusterArgs) -> str:
    """Return why the creator of the cluster could not use it afterwards, or an empty text.

    Args:
        caller: ARN of the identity that runs the stack, as STS says it. It creates the cluster.
        cluster: the new cluster.
    """
    role = cluster.get("role_arn")
    admins = [str(entry["principal_arn"]) for entry in cluster.get("access_entries", []) if is_admin(entry)]
    if cluster.get("creator_is_admin", True):
        admins.append(caller)
    identity = caller if role is None else role
    if any(_is(identity, admin) or _is(admin, identity) for admin in admins):
        return ""
    who = f"clusterRoleArn, {role!r}," if role else f"{caller!r}, which runs this stack,"
    return (
        f"newCluster gives {ADMIN_POLICY} to {' and '.join(map(repr, admins))}, and {who} puts this stack's objects "
        "into it: it would be refused once the cluster is made. Accepted is an identity with that policy. Add an entry "
        "to newCluster.accessEntries, or change clusterRoleArn or creatorIsAdmin"
    )


def _is(caller: str, principal: str) -> bool:
    """Whether an identity is the principal or a session of it. The session's ARN has the role's name, not its path."""
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


def _pods_check(
    new: NewCluster, ebs_csi: EbsCsiAddonArgs, rocketmq: RocketMqArgs, region: str | None
) -> Callable[[Iterable[Group]], None]:
    zones = new.network.get("zones") or [None] * len(plan_network(new.network).private)
    made, addons = plan(rocketmq), plan_addons(new.after_nodes)
    driver = render_configuration(ebs_csi.get("configuration", {}))

    def check(groups: Iterable[Group]) -> None:
        check_placement([nodes for group in groups for nodes in group.nodes(zones, region)], made, addons, driver)

    return check
