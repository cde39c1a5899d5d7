"""Diagnosis of the EBS CSI driver in one line. Pure."""

from dataclasses import replace

from eks_rocketmq.args.kubernetes_names import EBS_CSI
from eks_rocketmq.doctor.diagnosis import Diagnosis, ExitCode
from eks_rocketmq.doctor.facts.cluster_facts import ClusterFacts, Facts
from eks_rocketmq.doctor.facts.fact_queries import find_addon, find_driver_version
from eks_rocketmq.status.status_facts import IdentityStatus


def summarize_identity(diagnosis: Diagnosis) -> IdentityStatus:
    """Return the first cause, the first link that could not be judged, or the number of links that are ok."""
    if diagnosis.findings:
        cause = diagnosis.findings[0]
        return IdentityStatus("broken", f"{cause.id_}: {cause.cause}")
    undecided = [each for chain in diagnosis.chains for each in chain.undecided]
    if diagnosis.exit_code == ExitCode.NOT_JUDGED:
        reason = f"{undecided[0].title}: {undecided[0].reason}" if undecided else "the cluster has no chain to judge"
        permissions = dict.fromkeys(each.permission for each in undecided if each.permission)
        return IdentityStatus("not-judged", reason, tuple(permissions))
    links = [each for chain in diagnosis.chains for each in chain.links]
    good = sum(each.state == "ok" for each in links)
    subject = diagnosis.chains[0].subject
    return IdentityStatus("ok", f"{subject}, {good} of {len(links)} links ok")


def add_versions(identity: IdentityStatus, facts: Facts) -> IdentityStatus:
    """Return the result with the versions of Kubernetes and of the driver, as far as they were read."""
    version, addon = find_driver_version(facts), find_addon(facts, EBS_CSI)
    return replace(
        identity,
        kubernetes=facts.cluster.version if isinstance(facts.cluster, ClusterFacts) else "",
        driver=addon.version if addon else ".".join(map(str, version or ())),
    )
