"""Faults of single processes under load, with the configuration of `strict`."""

import pytest

from tests.faults.conftest import AuditFault


def test_a_killed_master_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("master-killed", "steady")
    assert audit.findings.lost == [], audit.lost()
    assert audit.findings.correct, audit.row
    assert audit.final_master


@pytest.mark.long
def test_a_hung_master_is_replaced_and_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("master-hung", "normal")
    assert audit.findings.lost == [], audit.lost()
    assert audit.findings.correct, audit.row


@pytest.mark.long
def test_elections_under_load_lose_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("masters-elected", "saturated")
    assert audit.findings.lost == [], audit.lost()
    assert audit.findings.correct, audit.row


@pytest.mark.long
def test_a_killed_slave_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("slave-killed", "normal")
    assert audit.findings.lost == [], audit.lost()
    assert audit.findings.correct, audit.row


@pytest.mark.long
def test_a_hung_slave_leaves_the_in_sync_set_and_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("slave-hung", "normal")
    assert audit.findings.lost == [], audit.lost()
    assert audit.findings.correct, audit.row


@pytest.mark.long
@pytest.mark.parametrize("fault", ["two-members-killed", "everything-killed"])
def test_several_killed_processes_lose_no_acknowledged_message(audit_fault: AuditFault, fault: str) -> None:
    audit = audit_fault(fault, "normal")
    assert audit.findings.lost == [], audit.lost()
    assert audit.findings.correct, audit.row
