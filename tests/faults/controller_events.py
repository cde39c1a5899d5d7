"""Events in the log of the controllers, appended by requests. No broker is needed."""

import json

from eks_rocketmq.rocketmq.naming import labels
from sandbox.messages import remoting
from sandbox.polling import wait_until
from tests.faults import group_status
from tests.faults.cluster import Cluster, require

GROUP = f"events-{'x' * 1000}"
"""Group without brokers. Each attempt of the controllers to elect its master appends an event and raises its epoch.

With the long name an event has more than 1 kB, so that few events fill a file of the log.
"""
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
    leader = cluster.address(require_leader(cluster))
    with cluster.observe():
        remoting.invoke(leader, APPLY_BROKER_ID, fields)


def add_events(cluster: Cluster, count: int) -> None:
    """Append `count` events, each of which raises the epoch of the group by one."""
    fields = {"brokerName": GROUP, "brokerId": NO_BROKER, "designateElect": "false", "invokeTime": "0"}
    leader = cluster.address(require_leader(cluster))
    with cluster.observe():
        for _ in range(count):
            try:
                remoting.invoke(leader, group_status.ELECT_MASTER, fields)
            except remoting.RemotingError as error:
                if error.code != MASTER_NOT_AVAILABLE:
                    raise


def read_epoch(cluster: Cluster) -> int:
    """Return the epoch of the group as the leader of the controllers knows it, 0 if it does not know the group.

    Raises TimeoutError if no leader serves requests.
    """
    epoch = 0

    def serves() -> bool:
        nonlocal epoch
        leader = find_leader(cluster)
        if leader is None:
            return False
        body = json.dumps([GROUP]).encode()
        try:
            with cluster.observe():
                answer = remoting.invoke(cluster.address(leader), group_status.REPLICAS, body=body)
        except (OSError, remoting.RemotingError):
            return False
        state = answer.json().get("replicasInfoTable", {}).get(GROUP)
        epoch = 0 if state is None else int(state["masterEpoch"])
        return True

    require(serves, LEADER_SECONDS, "a leader of the controllers serves requests")
    return epoch


def find_leader(cluster: Cluster) -> str | None:
    """Return the name of the controller that says that it leads."""
    with cluster.observe():
        leader = group_status.find_controller_leader([cluster.address(name) for name in cluster.controllers])
    return next((name for name in cluster.controllers if cluster.address(name) == leader), None)


def require_leader(cluster: Cluster) -> str:
    """Return the name of the controller that leads, once there is one.

    Raises TimeoutError.
    """
    leader = wait_until(lambda: find_leader(cluster), LEADER_SECONDS, every=0.5)
    if leader is None:
        raise TimeoutError(f"no controller leads within {LEADER_SECONDS:.0f} s")
    return leader
