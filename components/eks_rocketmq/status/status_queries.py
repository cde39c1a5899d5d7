"""Facts put together: members of the broker groups, leader of the controllers, missing permissions. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from eks_rocketmq.doctor.facts.cluster_facts import Unreadable
from eks_rocketmq.doctor.facts.fact_queries import list_readable
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.status.status_facts import (
    BrokerAnswer,
    ClaimStatus,
    DiskUsage,
    GroupStatus,
    PodAnswers,
    PodStatus,
    ReplicaStatus,
    StatusFacts,
    WorkloadStatus,
)

MemberRole = Literal["master", "slave", "unknown"]


def list_pods(facts: StatusFacts, role: str, group: str = "") -> list[PodStatus]:
    """Return the pods of a role, or of one broker group."""
    return [each for each in list_readable(facts.pods) if each.role == role and (not group or each.group == group)]


def list_workloads(facts: StatusFacts, role: str) -> list[WorkloadStatus]:
    """Return the workloads of a role."""
    return [each for each in list_readable(facts.workloads) if each.role == role]


def get_answers(facts: StatusFacts, pod: str) -> PodAnswers:
    """Return the answers of a pod; empty ones if it was not asked or could not be."""
    found = facts.answers.get(pod)
    return found if isinstance(found, PodAnswers) else PodAnswers()


def list_groups(facts: StatusFacts) -> tuple[GroupStatus, ...] | None:
    """Return the broker groups as the leader of the controllers knows them; None without its answer."""
    found = (get_answers(facts, each.name).groups for each in list_pods(facts, labels.CONTROLLER))
    return next((each for each in found if each is not None), None)


def list_leaders(facts: StatusFacts) -> list[str]:
    """Return the addresses that the controllers name as their leader, each once."""
    answers = (get_answers(facts, each.name).controller for each in list_pods(facts, labels.CONTROLLER))
    return list(dict.fromkeys(each.leader for each in answers if each and each.leader))


def find_claim(facts: StatusFacts, pod: PodStatus) -> ClaimStatus | None:
    """Return the claim of a pod."""
    return next((each for each in list_readable(facts.claims) if pod.claim and each.name == pod.claim), None)


def explain_pod(facts: StatusFacts, pod: PodStatus) -> str:
    """Return why a pod is not ready, in the words of its process if it answers; empty if it is ready."""
    return get_answers(facts, pod.name).readiness or pod.reason


def get_disk(facts: StatusFacts, pod: PodStatus) -> DiskUsage | None:
    """Return the disk usage of a pod."""
    return get_answers(facts, pod.name).disk


def list_unreadable(facts: StatusFacts) -> list[Unreadable]:
    """Return what could not be read. Pods that do not run are not among it."""
    found = [facts.workloads, facts.pods, facts.claims, facts.zones, *facts.answers.values()]
    return list(dict.fromkeys(each for each in found if isinstance(each, Unreadable)))


@dataclass(frozen=True)
class MemberStatus:
    """Member of a broker group."""

    pod: PodStatus
    role: MemberRole
    """Role by the broker itself."""
    in_sync: bool | None
    """Whether the controllers count it in the in-sync set; None if their leader did not answer."""
    alive: bool | None
    """Whether its heartbeats reach the leader of the controllers."""
    elected: bool
    """Whether the controllers name it as the master."""
    lag: int | None
    """Bytes of the commit log that it lacks; None if it is unknown. A master lacks none."""
    connected: bool
    """Whether it is the master, or a slave with a connection to it."""
    answer: BrokerAnswer | None


@dataclass(frozen=True)
class GroupMembers:
    """Broker group with its members."""

    workload: WorkloadStatus
    state: GroupStatus | None
    """State by the leader of the controllers; None if it is unknown."""
    members: tuple[MemberStatus, ...]

    @property
    def master(self) -> MemberStatus | None:
        """Return the master that the controllers have elected."""
        return next((each for each in self.members if each.elected), None)

    @property
    def in_sync(self) -> int | None:
        """Return the number of living members of the in-sync set; None if it is unknown."""
        return None if self.state is None else sum(each.in_sync and each.alive for each in self.state.replicas)


def list_members(facts: StatusFacts) -> Iterator[GroupMembers]:
    """Yield each broker group with its members."""
    known = list_groups(facts)
    for workload in list_workloads(facts, labels.BROKER):
        state = next((each for each in known or () if each.name == workload.group), None)
        pods = list_pods(facts, labels.BROKER, workload.group)
        yield GroupMembers(workload, state, tuple(_build_member(facts, state, each, pods) for each in pods))


def get_host(address: str) -> str:
    """Return the host of `host:port`."""
    return address.rpartition(":")[0]


def _build_member(
    facts: StatusFacts, state: GroupStatus | None, pod: PodStatus, pods: Sequence[PodStatus]
) -> MemberStatus:
    answer = get_answers(facts, pod.name).broker
    responds = answer is not None and answer.responds
    replica = _find_replica(state, pod)
    master = _find_master(facts, state, pods)
    is_master = master is not None and master[0] == pod
    connection = (
        next((each for each in master[1].replicas if pod.address and each.address == pod.address), None)
        if master
        else None
    )
    lag = 0 if is_master else connection.lag if connection else _compare_offsets(master[1] if master else None, answer)
    return MemberStatus(
        pod=pod,
        role="unknown" if answer is None or not responds else "master" if answer.master else "slave",
        in_sync=None if state is None else replica is not None and replica.in_sync,
        alive=None if state is None else replica is not None and replica.alive,
        elected=bool(state and pod.address and get_host(state.master_address) == pod.address),
        lag=lag,
        connected=is_master or connection is not None,
        answer=answer,
    )


def _find_replica(state: GroupStatus | None, pod: PodStatus) -> ReplicaStatus | None:
    replicas = state.replicas if state else ()
    return next((each for each in replicas if pod.address and get_host(each.address) == pod.address), None)


def _find_master(
    facts: StatusFacts, state: GroupStatus | None, pods: Sequence[PodStatus]
) -> tuple[PodStatus, BrokerAnswer] | None:
    """Return the master with its answer: the elected one, or the only broker that says that it is the master."""
    answers = [(each, answer) for each in pods if (answer := get_answers(facts, each.name).broker)]
    masters = [(pod, answer) for pod, answer in answers if answer.responds and answer.master]
    if state is None:
        return masters[0] if len(masters) == 1 else None
    host = get_host(state.master_address)
    return next(((pod, answer) for pod, answer in masters if pod.address == host), None)


def _compare_offsets(master: BrokerAnswer | None, own: BrokerAnswer | None) -> int | None:
    """Return what a slave without a connection lacks. The two ends were not read at the same moment."""
    if master is None or own is None or master.max_offset is None or own.max_offset is None:
        return None
    return max(master.max_offset - own.max_offset, 0)
