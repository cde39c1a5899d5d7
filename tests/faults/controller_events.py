"""Events in the log of the controllers, appended by requests. No broker is needed."""

from collections.abc import Sequence

from eks_rocketmq.rocketmq.naming import labels
from sandbox.messages import remoting
from sandbox.polling import until
from tests.faults import group_status
from tests.faults.cluster import Cluster

GROUP = "events"
"""Group without brokers. Each attempt of the controllers to elect its master appends an event and raises its epoch."""
ELECT_MASTER = 1002
APPLY_BROKER_ID = 1013
MASTER_NOT_AVAILABLE = 2004
NO_BROKER = "-1"
LEADER_SECONDS = 60.0


def add_group(cluster: Cluster) -> None:
    """Register one broker ID of the group, which makes the controllers know it."""
    fields = {
        "clusterName": labels.CLUSTER,
        "brokerName": GROUP,
        "appliedBrokerId": "1",
        "registerCheckCode": "10.0.0.1:10911;0",
    }
    _invoke_leader(cluster, APPLY_BROKER_ID, fields)


def add_events(cluster: Cluster, count: int) -> None:
    """Append `count` events, each of which raises the epoch of the group by one."""
    fields = {"brokerName": GROUP, "brokerId": NO_BROKER, "designateElect": "false", "invokeTime": "0"}
    for _ in range(count):
        try:
            _invoke_leader(cluster, ELECT_MASTER, fields)
        except remoting.RemotingError as error:
            if error.code != MASTER_NOT_AVAILABLE:
                raise


def read_epoch(cluster: Cluster, seconds: float = LEADER_SECONDS) -> int:
    """Return the epoch of the group as the leader of the controllers knows it. It is 0 if it does not know the group.

    Raises TimeoutError.
    """
    found: list[int] = []

    def answers() -> bool:
        try:
            with cluster.observe():
                state = group_status.read_group(_addresses(cluster), GROUP)
                leader = group_status.find_controller_leader(_addresses(cluster))
        except remoting.RemotingError:
            return False
        if leader is None:
            return False
        found.append(state.epoch if state else 0)
        return True

    if not until(answers, seconds, every=0.5):
        raise TimeoutError(f"no leader of the controllers answers within {seconds:.0f} s")
    return found[-1]


def find_leader(cluster: Cluster) -> str | None:
    """Return the name of the controller that says that it leads."""
    with cluster.observe():
        leader = group_status.find_controller_leader(_addresses(cluster))
    return next((name for name in cluster.controllers if cluster.address(name) == leader), None)


def _addresses(cluster: Cluster) -> Sequence[str]:
    return [cluster.address(name) for name in cluster.controllers]


def _invoke_leader(cluster: Cluster, code: int, fields: dict[str, str]) -> None:
    with cluster.observe():
        leader = group_status.find_controller_leader(_addresses(cluster))
        if leader is None:
            raise LookupError("no controller leads")
        remoting.invoke(leader, code, fields)
