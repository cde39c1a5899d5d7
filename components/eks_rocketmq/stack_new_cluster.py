"""Parts of a new cluster that can never come up together. Pure."""

from typing import TYPE_CHECKING

from eks_rocketmq import stack_checks
from eks_rocketmq.eks.addon_plan import plan_addons
from eks_rocketmq.eks.csi_configuration import configuration_values
from eks_rocketmq.eks.ebs_csi_addon import EbsCsiAddonArgs
from eks_rocketmq.eks.network_plan import check_nodes_can_start, plan_network
from eks_rocketmq.eks.node_plan import plan_nodes
from eks_rocketmq.rocketmq.arguments import RocketMqArgs
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.spelling import as_spelled
from eks_rocketmq.stack_placement import Group, check_placement

if TYPE_CHECKING:
    from eks_rocketmq.settings import NewCluster


def check_new_cluster(new: "NewCluster", ebs_csi: EbsCsiAddonArgs, rocketmq: RocketMqArgs, region: str | None) -> None:
    """Reject what the parts of a new cluster accept by themselves and that cannot come up together.

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
    zones = new.network.get("zones") or [None] * len(network.private)
    stack_checks.check_service_block(new.cluster, network.vpc)
    stack_checks.check_let_in(new.cluster)
    places = {f"nodeGroups[{name.removeprefix('nodes-')!r}]": args for name, args in new.node_groups.items()}
    stack_checks.check_versions(new.cluster["version"], places, before)
    stack_checks.check_pod_network(new.before_nodes["vpc_cni"], places)
    stack_checks.check_nodes(len(network.private), [group.plan for group in groups], rocketmq)
    check_placement(
        [nodes for group in groups for nodes in group.nodes(zones, region)],
        plan(rocketmq),
        plan_addons(new.after_nodes),
        configuration_values(ebs_csi.get("configuration", {})),
    )
    with as_spelled("network"):
        identities = [new.before_nodes["vpc_cni"].get("identity", "irsa"), ebs_csi.get("identity", "irsa")]
        check_nodes_can_start(new.network, [*identities, *["pod_identity"] * stack_checks.has_agent(before)])
    stack_checks.check_agent(ebs_csi.get("identity", "irsa"), before)
    stack_checks.check_role_names(ebs_csi["role_name"], new.before_nodes["vpc_cni"])
