"""Faults of controllers and name servers under load, with the configuration of `strict`."""

import pytest

from tests.faults.conftest import AuditFault, assert_nothing_lost


@pytest.mark.long
@pytest.mark.parametrize(
    "fault",
    [
        "controller-leader-killed",
        "controller-leader-and-master-killed",
        "controller-leader-hung",
        "controller-quorum-lost",
        "controllers-emptied",
        "name-servers-killed",
    ],
)
def test_a_fault_of_controllers_or_name_servers_loses_no_acknowledged_message(
    audit_fault: AuditFault, fault: str
) -> None:
    audit = audit_fault(fault, "normal")
    assert_nothing_lost(audit)
