"""Facts with one fault each, by cause and by the way in which the fault appears."""

from tests.unit.doctor.driver_faults import DRIVER_FAULTS
from tests.unit.doctor.fault_facts import Fault
from tests.unit.doctor.identity_faults import IDENTITY_FAULTS
from tests.unit.doctor.permission_faults import PERMISSION_FAULTS
from tests.unit.doctor.reach_faults import REACH_FAULTS
from tests.unit.doctor.trouble_faults import TROUBLE_FAULTS
from tests.unit.doctor.volume_faults import VOLUME_FAULTS

FAULTS: tuple[Fault, ...] = (
    *IDENTITY_FAULTS,
    *DRIVER_FAULTS,
    *REACH_FAULTS,
    *PERMISSION_FAULTS,
    *VOLUME_FAULTS,
    *TROUBLE_FAULTS,
)
