"""Check of the EBS CSI driver itself: whether the cluster has it. Pure."""

from dataclasses import dataclass

from eks_rocketmq.args.kubernetes_names import AUTO_MODE_DRIVER, EBS_CSI
from eks_rocketmq.doctor.checks.chain import Finding, Outcome, explain_unreadable
from eks_rocketmq.doctor.facts.cluster_facts import ClaimFacts, ClusterFacts, Facts, Unreadable
from eks_rocketmq.doctor.facts.fact_queries import (
    find_addon,
    find_controller,
    list_readable,
)


@dataclass(frozen=True)
class DriverCase:
    """Cluster in which the driver is looked for."""

    facts: Facts
    claims: tuple[ClaimFacts, ...] = ()
    """Claims with volumes of the driver that wait for it."""


def judge_driver(case: DriverCase) -> Outcome:
    """Judge whether the cluster has the driver, or runs block storage with EKS Auto Mode."""
    facts = case.facts
    if isinstance(facts.workloads, Unreadable):
        return explain_unreadable(facts.workloads)
    if find_controller(facts) is not None or (has_auto_mode(facts) and not case.claims):
        return None
    if isinstance(facts.cluster, Unreadable) and not case.claims:
        return explain_unreadable(facts.cluster)
    return build_missing_driver_finding(facts, "no Deployment of the EBS CSI driver")


def has_auto_mode(facts: Facts) -> bool:
    """Return whether EKS Auto Mode runs block storage."""
    cluster = facts.cluster
    return AUTO_MODE_DRIVER in list_readable(facts.csi_drivers) or (
        isinstance(cluster, ClusterFacts) and cluster.auto_mode_storage
    )


def build_missing_driver_finding(facts: Facts, state: str) -> Finding:
    """Return the finding for a cluster without the driver. `state` says what is missing."""
    name = facts.cluster.name if isinstance(facts.cluster, ClusterFacts) else "<cluster>"
    addon = find_addon(facts, EBS_CSI)
    drivers = ", ".join(list_readable(facts.csi_drivers)) or "none"
    return Finding(
        "driver-missing",
        state,
        "the EBS CSI driver",
        (
            f"CSIDrivers of the cluster: {drivers}",
            *((f"addon {EBS_CSI} has status {addon.status}", *addon.issues) if addon else ()),
        ),
        (f"aws eks describe-addon --cluster-name {name} --addon-name {EBS_CSI} --query addon.health",)
        if addon
        else (
            f"aws eks create-addon --cluster-name {name} --addon-name {EBS_CSI} --service-account-role-arn <role-arn>",
        ),
    )
