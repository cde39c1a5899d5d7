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
