"""Faults of power and of volumes under load, with the configuration of `strict`."""

from collections.abc import Mapping

import pytest

from tests.faults.conftest import AuditFault, assert_nothing_lost

SYNC: Mapping[str, str | int | bool] = {"flushDiskType": "SYNC_FLUSH"}
SMALL_LOG_FILES: Mapping[str, str | int | bool] = {"mappedFileSizeCommitLog": 1024**2, "maxMessageSize": 65536}
# By default RocketMQ flushes every 500 ms. Once, all messages were on the disk when the power was lost.
LATE_FLUSH: Mapping[str, str | int | bool] = {"flushIntervalCommitLog": 2000}
# Below 16 KiB it waits for up to 10 s, but the load writes more.
FLUSH_SECONDS = 3.0


def test_power_loss_of_the_master_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("power-lost-by-master", "steady")
    assert_nothing_lost(audit)


@pytest.mark.long
@pytest.mark.parametrize("fault", ["power-lost-by-slave", "power-lost-by-two-members"])
def test_power_loss_of_some_members_loses_no_acknowledged_message(audit_fault: AuditFault, fault: str) -> None:
    audit = audit_fault(fault, "normal")
    assert_nothing_lost(audit)


@pytest.mark.long
@pytest.mark.parametrize("fault", ["volume-hung-under-master", "volume-hung-under-slave"])
def test_a_member_whose_volume_hangs_loses_no_acknowledged_message(audit_fault: AuditFault, fault: str) -> None:
    audit = audit_fault(fault, "normal")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_a_master_that_loses_its_volume_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("master-volume-replaced", "normal")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_a_member_with_a_new_volume_is_not_elected_before_it_has_messages_topics_and_offsets(
    audit_fault: AuditFault,
) -> None:
    audit = audit_fault("member-elected-with-new-volume", "normal")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_power_loss_of_everything_loses_the_messages_that_are_not_flushed_yet(audit_fault: AuditFault) -> None:
    """Hold the limit of asynchronous flush: only messages of the last flush interval are lost."""
    audit = audit_fault("power-lost-by-all", "normal", broker_config=LATE_FLUSH)
    lost = audit.lost()
    assert lost, audit.row
    assert min(one["acknowledged"] for one in lost) > -FLUSH_SECONDS, lost
    assert (audit.findings.unexpected, audit.findings.out_of_order) == ([], [])


@pytest.mark.long
@pytest.mark.parametrize("load", ["normal", "saturated"])
def test_with_synchronous_flush_power_loss_of_everything_loses_no_acknowledged_message(
    audit_fault: AuditFault, load: str
) -> None:
    audit = audit_fault("power-lost-by-all", load, broker_config=SYNC)
    assert_nothing_lost(audit)


@pytest.mark.long
def test_full_volumes_refuse_writes_until_they_grow_and_lose_no_message_that_was_not_consumed(
    audit_fault: AuditFault,
) -> None:
    # Several files of the log, because RocketMQ never deletes the last one.
    audit = audit_fault("volumes-full", "steady", broker_config=SMALL_LOG_FILES)
    assert_nothing_lost(audit)
    assert audit.findings.codes.get("BROKER_14", 0) > 0, audit.row
