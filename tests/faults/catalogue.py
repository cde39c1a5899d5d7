"""All faults by name."""

import math
from collections.abc import Callable, Mapping

from tests.faults.bare_cluster import BareCluster
from tests.faults.controller_faults import CONTROLLER_FAULTS, empty_controllers_after_many_events
from tests.faults.disk_faults import DISK_FAULTS, DiskFault
from tests.faults.faults import ELECTIONS, FAULTS, Fault, FaultTimes
from tests.faults.kubernetes_faults import DELETIONS, KILLS, KUBERNETES_FAULTS
from tests.faults.sandbox_cluster import SandboxCluster
from tests.faults.stack_changes import STACK_CHANGES

_FAULTS_OF_VOLUMES: dict[str, DiskFault] = {**DISK_FAULTS, "controllers-emptied": empty_controllers_after_many_events}
PROCESS_FAULTS = frozenset({*FAULTS, *CONTROLLER_FAULTS, *_FAULTS_OF_VOLUMES})
"""Names of the faults of bare processes."""
SANDBOX_FAULTS: Mapping[str, Callable[[SandboxCluster], FaultTimes]] = {
    **FAULTS,
    **CONTROLLER_FAULTS,
    **KUBERNETES_FAULTS,
    **STACK_CHANGES,
}
"""Faults of the deployed stack."""
ALL_FAULTS: Mapping[str, Callable[..., FaultTimes]] = {**_FAULTS_OF_VOLUMES, **SANDBOX_FAULTS}

MASTER_STAYS = frozenset(
    {
        *("slave-killed", "slave-hung", "slave-isolated", "master-and-slave-disconnected"),
        *("power-lost-by-slave", "volume-hung-under-slave", "pod-without-role-deleted"),
        *("proxies-killed", "proxy-hung", "name-servers-killed", "name-server-hung"),
    }
)
MASTER_MAY_CHANGE = frozenset(
    {
        *("controller-leader-killed", "controller-leader-hung", "controller-quorum-lost", "controllers-emptied"),
        *("links-slow", "packets-lost", "volumes-full", "group-added", "controllers-changed"),
        *("everything-killed", "brokers-killed"),
    }
)
HALTED = frozenset(
    {
        *("master-hung", "slave-hung", "controller-leader-hung"),
        *("volume-hung-under-master", "volume-hung-under-slave", "name-server-hung", "proxy-hung"),
    }
)
"""Faults in which the agent ends a process."""
SEVERAL_ELECTIONS = {
    "masters-elected": ELECTIONS,
    "master-killed-10-times": KILLS,
    "master-pod-deleted-20-times": DELETIONS,
    "settings-changed": 2,
    "returning-master-elected": 2,
    "agent-off-and-on": 2,
}
_OTHER_SECONDS = 60.0
LONGEST_SECONDS: Mapping[str, float] = {
    **dict.fromkeys(MASTER_STAYS, 6.0),
    **dict.fromkeys(("controller-leader-killed", "controller-leader-hung", "controller-quorum-lost"), 6.0),
    "controllers-emptied": 6.0,
    # Bare processes have no readiness probe: clients may ask a name server up to 10 s before the master registers.
    "name-servers-killed": 12.0,
    **dict.fromkeys(("master-killed", "master-hung", "returning-master-elected", "power-lost-by-master"), 20.0),
    **dict.fromkeys(("volume-hung-under-master", "controllers-isolated-from-master"), 20.0),
    # Beside the sandbox, the JVMs of a whole cluster take a minute to start.
    **dict.fromkeys(("everything-killed", "power-lost-by-all"), 120.0),
}
"""Longest times for which faults may stop the writes of remoting clients, in the worst run on a busy machine."""


def find_longest(fault: str) -> float:
    """Return the longest time for which a fault may stop the writes of remoting clients, in seconds."""
    return LONGEST_SECONDS.get(fault, _OTHER_SECONDS)


def find_elections(fault: str) -> tuple[int, float]:
    """Return how many elections a fault causes, at least and at most. Another number means that it had no effect."""
    if fault in MASTER_STAYS:
        return 0, 0
    if fault in MASTER_MAY_CHANGE:
        return 0, math.inf
    return SEVERAL_ELECTIONS.get(fault, 1), math.inf


def find_fault(name: str, cluster: BareCluster) -> Fault:
    """Return a fault of bare processes by its name."""
    if name in _FAULTS_OF_VOLUMES:
        return lambda _: _FAULTS_OF_VOLUMES[name](cluster)
    return (FAULTS | CONTROLLER_FAULTS)[name]
