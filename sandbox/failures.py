"""Every error of the sandbox that has a message for a person; anything else is a defect and keeps its traceback."""

from sandbox.cache.commands import CacheError
from sandbox.cluster.command import CommandError
from sandbox.ebs_csi import AddonError
from sandbox.engine.pulumi import PulumiError
from sandbox.incident.driver import DriverError
from sandbox.lifecycle import NotRunningError, RunningError
from sandbox.lock import BusyError
from sandbox.messages.deliver import DeliveryError
from sandbox.place import PlaceError
from sandbox.processes import ProcessError

FAILURES = (
    AddonError,
    BusyError,
    CacheError,
    CommandError,
    DeliveryError,
    DriverError,
    NotRunningError,
    PlaceError,
    ProcessError,
    PulumiError,
    RunningError,
    OSError,
    TimeoutError,
)
