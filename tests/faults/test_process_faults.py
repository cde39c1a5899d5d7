"""Faults of single processes under load, with the configuration of `strict`."""

from tests.faults.conftest import AuditFault


def test_a_killed_master_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("master-killed", "steady")
    assert audit.findings.lost == [], audit.lost()
    assert audit.findings.correct, audit.row
    assert audit.final_master
