"""All faults by name."""

from tests.faults.bare_cluster import BareCluster
from tests.faults.controller_faults import CONTROLLER_FAULTS
from tests.faults.disk_faults import DISK_FAULTS
from tests.faults.faults import FAULTS, Fault

PROCESS_FAULTS = frozenset({*FAULTS, *CONTROLLER_FAULTS, *DISK_FAULTS})
"""Names of the faults of bare processes."""


def find_fault(name: str, cluster: BareCluster) -> Fault:
    """Return a fault of bare processes by its name."""
    if name in DISK_FAULTS:
        return lambda _: DISK_FAULTS[name](cluster)
    return (FAULTS | CONTROLLER_FAULTS)[name]
