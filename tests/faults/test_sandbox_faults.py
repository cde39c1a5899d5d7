"""Faults of pods, nodes and networks under load, with the prod stack deployed on a sandbox.

With KEEP_SANDBOX=1 the sandbox of the previous run is reused and left running. `test_sandbox_seconds.py` has the faults
with limits of time.
"""

import pytest

from tests.faults.conftest import AuditDeployed
from tests.faults.kubernetes_faults import KUBERNETES_FAULTS
from tests.faults.test_sandbox_seconds import FAULTS_WITH_LIMITS

pytestmark = pytest.mark.long


@pytest.mark.parametrize("fault", sorted(set(KUBERNETES_FAULTS) - FAULTS_WITH_LIMITS))
def test_no_acknowledged_message_is_lost(audit_deployed: AuditDeployed, fault: str) -> None:
    audit_deployed(fault)


def test_the_guide_changes_the_number_of_controllers_and_loses_no_acknowledged_message(
    audit_deployed: AuditDeployed,
) -> None:
    audit_deployed("controllers-changed")
