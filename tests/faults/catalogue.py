"""All faults by name."""

from collections.abc import Callable, Mapping

from tests.faults.bare_cluster import BareCluster
from tests.faults.controller_faults import CONTROLLER_FAULTS, empty_controllers_after_many_events
from tests.faults.disk_faults import DISK_FAULTS, DiskFault
from tests.faults.faults import FAULTS, Fault, FaultTimes
from tests.faults.kubernetes_faults import KUBERNETES_FAULTS
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


def find_fault(name: str, cluster: BareCluster) -> Fault:
    """Return a fault of bare processes by its name."""
    if name in _FAULTS_OF_VOLUMES:
        return lambda _: _FAULTS_OF_VOLUMES[name](cluster)
    return (FAULTS | CONTROLLER_FAULTS)[name]
