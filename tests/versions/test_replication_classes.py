"""Acknowledged writes and the in-sync set: classes of the agent beside those of RocketMQ that they replace."""

from tests.versions.class_programs import (
    FLUSH_SLAVE_TIMEOUT,
    IN_CONTROLLER_MODE,
    SERVICE_NOT_AVAILABLE,
    SUCCESS,
    SYSTEM_ERROR,
    Run,
)

MASTER_WITH_TIMER = {"brokerRole": "SYNC_MASTER", "timerWheelEnable": "true"}


def test_a_send_is_acknowledged_only_by_a_broker_that_stays_master(run: Run) -> None:
    codes = run("DemotedSend", MASTER_WITH_TIMER)
    # RocketMQ acknowledges a message that the next master does not have.
    assert codes["rocketmq"] == SUCCESS
    assert codes["agent"] == codes["agent-master-again"] == SERVICE_NOT_AVAILABLE
    assert codes["agent-master"] == SUCCESS
    # A producer sends the message again after this error, and not after a timeout.
    assert (codes["rocketmq-timeout"], codes["agent-timeout"]) == (FLUSH_SLAVE_TIMEOUT, SERVICE_NOT_AVAILABLE)


def test_a_recall_succeeds_only_with_all_copies_on_a_broker_that_stays_master(run: Run) -> None:
    codes = run("DemotedSend", MASTER_WITH_TIMER)
    # The next master of RocketMQ delivers a message whose recall has succeeded.
    assert codes["rocketmq-recall"] == codes["rocketmq-recall-timeout"] == SUCCESS
    assert codes["agent-recall"] == codes["agent-recall-timeout"] == SERVICE_NOT_AVAILABLE
    assert codes["agent-master-recall"] == SUCCESS


def test_a_message_that_a_consumer_returns_is_acknowledged_with_all_copies(run: Run) -> None:
    controller = {**IN_CONTROLLER_MODE, "brokerRole": "SYNC_MASTER"}
    copies = {"minInSyncReplicas": "2", "allAckInSyncStateSet": "true", "slaveTimeout": "500"}
    codes = run("ReturnedMessage", {**controller, **copies})
    # The consumer of RocketMQ then forgets a message that only the master has, also after a timeout.
    for state in ("", "-alone"):
        assert codes[f"rocketmq{state}-retry"] == codes[f"rocketmq{state}-dead-letter"] == SUCCESS
        assert codes[f"agent{state}-retry"] == codes[f"agent{state}-dead-letter"] == SYSTEM_ERROR
        assert codes[f"rocketmq{state}-sent-again"] == SUCCESS
    assert codes["rocketmq-sent"] == FLUSH_SLAVE_TIMEOUT
    assert codes["agent-sent"] == codes["agent-sent-again"] == SERVICE_NOT_AVAILABLE
    assert codes["agent-alone-sent"] == codes["agent-alone-sent-again"] == SYSTEM_ERROR
    replicated = {code for name, code in codes.items() if name.startswith("agent-replicated")}
    assert replicated == {SUCCESS}
    # A producer knows the timeout.
    assert codes["rocketmq-other"] == codes["agent-other"] == FLUSH_SLAVE_TIMEOUT
    # These threads wait, and sends do not.
    assert codes["agent-thread"] == "AckMessageThread"


def test_a_write_is_acknowledged_with_as_many_copies_as_are_needed(run: Run) -> None:
    settings = {"brokerRole": "SYNC_MASTER", "minInSyncReplicas": "2"}
    results = run("SingleCopy", settings)
    assert results["rocketmq-two-copies"] == results["agent-two-copies"] == "PUT_OK"
    # RocketMQ acknowledges what only the master has, when its last slave has left the set.
    assert (results["rocketmq-one-copy"], results["agent-one-copy"]) == ("PUT_OK", "FLUSH_SLAVE_TIMEOUT")
    # RocketMQ counts a slave with two connections twice, and does not wait for another one.
    assert (results["rocketmq-connected-again"], results["agent-connected-again"]) == ("true", "false")


def test_writes_of_a_master_end_when_another_one_is_elected(run: Run) -> None:
    results = run("SingleCopy", {"brokerRole": "SYNC_MASTER", "minInSyncReplicas": "2"})
    # RocketMQ lets each sending thread of a producer wait for 3 s.
    assert (results["rocketmq-demoted"], results["agent-demoted"]) == ("null", "FLUSH_SLAVE_TIMEOUT")


def test_with_one_copy_needed_the_master_is_enough(run: Run) -> None:
    settings = {"brokerRole": "SYNC_MASTER", "minInSyncReplicas": "1"}
    assert run("SingleCopy", settings)["agent-one-copy"] == "PUT_OK"


def test_a_slave_reports_only_what_is_on_its_disk(run: Run) -> None:
    flushed = run("UnflushedLog", {"flushDiskType": "SYNC_FLUSH"})
    # The master of RocketMQ then acknowledges messages that are lost when all members lose their power.
    assert (flushed["rocketmq"], flushed["agent"]) == ("4", "10")
    assert flushed["agent-stuck-disk"] == "not-sent"
    assert flushed["agent-client"] == "ConfirmedHAClient"


def test_a_master_without_its_slaves_shows_no_message_that_only_it_has(run: Run, version: str) -> None:
    controller = {**IN_CONTROLLER_MODE, "allAckInSyncStateSet": "true"}
    messages = run("LostSlaves", controller)
    # Newer versions of RocketMQ take the slave out of the set before the controllers agree.
    assert messages["rocketmq"] == ("0" if version == "5.3.3" else "1")
    # All versions leave out a slave that has connected and reported nothing.
    assert messages["rocketmq-connected"] == messages["rocketmq-empty"] == "1"
    assert messages["agent"] == messages["agent-connected"] == messages["agent-empty"] == "0"
    assert messages["agent-again"] == "1"


def test_a_master_shows_no_message_that_a_proposed_slave_lacks(run: Run) -> None:
    messages = run("ProposedSlave", {**IN_CONTROLLER_MODE, "allAckInSyncStateSet": "true"})
    # The controllers may have accepted the slave, and may elect it.
    assert (messages["rocketmq"], messages["agent"], messages["agent-replicated"]) == ("1", "0", "1")
    assert (messages["rocketmq-lost"], messages["agent-lost"], messages["agent-accepted"]) == ("1", "0", "0")


def test_with_dev_a_master_shows_what_only_it_has(run: Run) -> None:
    messages = run("ProposedSlave", {**IN_CONTROLLER_MODE, "allAckInSyncStateSet": "false"})
    assert messages["rocketmq"] == messages["agent"] == "1"


def test_a_slave_that_the_controllers_refused_is_not_waited_for(run: Run) -> None:
    members = run("RefusedSlave", IN_CONTROLLER_MODE)
    # If this slave stops, writes wait until it is back.
    assert members["rocketmq-refused"] == "[1,2,3]"
    assert members["agent-refused"] == "[1,3]"
    # The controllers may still add it.
    assert (members["agent-unanswered"], members["agent-set-named"]) == ("[1,2,3]", "[1,2,3]")
    assert (members["agent-set-named-late"], members["agent-set-changed"]) == ("[1,3]", "[1,3,4]")
    # They may have added it, and only a probe has read the answer.
    assert members["agent-set-read"] == "[1,2,3]"


def test_a_slave_is_proposed_when_it_has_all_that_was_acknowledged_without_it(run: Run) -> None:
    results = run("RefusedSlave", IN_CONTROLLER_MODE)
    # Writes wait for the slave, and the controllers get the proposal when it has caught up.
    assert (results["agent-lagging"], results["agent-caught-up"]) == ("[1,2,3]/0", "[1,3]/1")
    # One that does not catch up is waited for no longer.
    assert (results["agent-left-behind"], results["agent-disconnected"]) == ("[1,3]/1", "[1,3]/1")


def test_slaves_that_join_at_once_are_proposed_together(run: Run) -> None:
    proposed = run("JoiningSlaves", IN_CONTROLLER_MODE)
    # RocketMQ queues a set for each report, with one of the slaves, and then proposes one after the other.
    assert int(proposed["rocketmq"]) == 200
    assert int(proposed["agent"]) <= 2
    assert (proposed["rocketmq-last"], proposed["agent-last"]) == ("[1,3]", "[1,2,3]")
    # The slave has connected again before the end of its former connection.
    assert (proposed["rocketmq-ended"], proposed["agent-ended"]) == ("1", "0")


def test_a_slave_that_has_stopped_leaves_the_in_sync_set(run: Run) -> None:
    members = run("StoppedSlave", {"enableControllerMode": "false"})
    # RocketMQ then waits for it for 15 s.
    assert (members["rocketmq"], members["agent"]) == ("[1,2,3]", "[1,3]")


def test_a_slave_reports_its_offset_as_soon_as_it_is_connected(run: Run) -> None:
    reported = run("UnreportedOffset", {"haSendHeartbeatInterval": "3600000"})
    # A slave of RocketMQ that lacks nothing waits for this interval. It is not in sync meanwhile.
    assert (reported["rocketmq"], reported["agent"]) == ("silent", "0")


def test_a_slave_has_the_metadata_of_its_master_before_it_can_be_elected(run: Run) -> None:
    position = run("StaleTimer", {**IN_CONTROLLER_MODE, "timerWheelEnable": "true", "haSendHeartbeatInterval": "500"})
    # RocketMQ copies them 3 to 13 s later. A slave that is elected before repeats delayed messages, and if it was a
    # master that was cut off, it skips those of delay levels.
    assert (position["rocketmq"], position["agent"]) == ("0", "42000")
    assert (position["rocketmq-topic"], position["agent-topic"]) == ("false", "true")
    assert (position["rocketmq-level"], position["agent-level"]) == ("0", "42000")
    assert (position["rocketmq-master"], position["agent-master"]) == ("former", "named")


def test_a_slave_copies_the_position_of_a_delayed_message_only_when_its_delivery_is_replicated(run: Run) -> None:
    controller = {**IN_CONTROLLER_MODE, "allAckInSyncStateSet": "true"}
    positions = run("LaggingSlave", {**controller, "brokerRole": "SYNC_MASTER"})
    # A slave of RocketMQ that is elected now delivers nothing, and does not have what the master delivered.
    assert positions["rocketmq"] == "1"
    assert (positions["agent-before"], positions["agent"], positions["agent-replicated"]) == ("0", "refused", "1")
    assert positions["agent-demoted"] == positions["agent-elected"] == "refused"


def test_a_slave_is_ready_only_with_the_metadata_of_its_master(run: Run) -> None:
    results = run("FailedCopy")
    assert results["none"] == results["offsets-once"] == "42"
    # RocketMQ only logs what it could not copy.
    assert {results[name] for name in ("topics", "groups", "offsets")} == {"failed"}
    assert (results["ended"], results["running"]) == ("1", "2")


def test_a_slave_follows_a_master_that_has_restarted_with_another_address(run: Run) -> None:
    addresses = run("RestartedMaster")
    # RocketMQ connects to the former address until a name server has the new one.
    assert (addresses["rocketmq"], addresses["agent"]) == ("127.0.0.1", "127.0.0.2")


def test_a_broker_forgets_epochs_without_a_message_in_its_log(run: Run, version: str) -> None:
    found = run("EmptyEpochs", IN_CONTROLLER_MODE)
    # RocketMQ does not record epoch 6, so it would not find what another master of epoch 5 has written there.
    assert (found["rocketmq-elected"], found["agent-elected"]) == ("4,5", "4,6")
    # RocketMQ reports the end of the master's log as its own after a loss of power.
    assert (found["rocketmq-behind"], found["agent-behind"]) == ("2000", "0")
    assert found["rocketmq-truncated"] == ("4" if version == "5.3.3" else "4,5")
    assert found["agent-truncated"] == "4"


def test_a_slave_that_misreads_its_connection_connects_again(run: Run) -> None:
    connection = run("MisreadFrame", {"haSendHeartbeatInterval": "500"})
    # RocketMQ logs the error and keeps the connection, as long as data arrives.
    assert (connection["rocketmq"], connection["agent"]) == ("open", "ended")
    assert connection["agent-receiving"] == connection["agent-in-sync"] == "open"
