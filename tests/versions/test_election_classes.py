"""Elections and changes of role: classes of the agent beside those of RocketMQ that they replace."""

from tests.versions.class_programs import Run


def test_a_member_that_has_died_with_the_master_is_not_elected(run: Run) -> None:
    elected = run("DyingMember")
    # RocketMQ elects a member whose heartbeats are not over yet, and then no other one.
    assert elected["rocketmq"] == "1"
    assert elected["agent"] == elected["agent-preferred"] == elected["agent-stops"] == "3"
    assert elected["agent-without-heartbeats"] == "3"
    assert elected["agent-preferred-stops"] == "null"
    assert elected["agent-master-alive"] == "2"
    # The same as RocketMQ.
    assert elected["agent-none-answers"] == elected["agent-unclean"] == "1"
    assert elected["agent-none-alive"] == "null"
    # A controller that has just started did not hear of a healthy master yet.
    assert (elected["rocketmq-awaited"], elected["agent-awaited"]) == ("3", "4")
    assert elected["agent-dead"] == elected["agent-awaited-preferred"] == "3"


def test_a_master_that_has_restarted_gets_a_new_epoch(run: Run) -> None:
    answers = run("StartedAgain")
    # RocketMQ makes it master of the same epoch. It then records another begin of this epoch than the slaves have.
    assert answers["rocketmq"] == answers["rocketmq-slave"] == answers["agent-slave"] == "1/1/1"
    assert answers["rocketmq-later"] == "1/1[1,2,3]"
    assert (answers["agent"], answers["agent-later"], answers["agent-members"]) == ("null/1/2", "1/2[1]", "3")


def test_a_broker_that_has_restarted_is_known_by_its_new_address(run: Run) -> None:
    results = run("LateHeartbeat")
    # RocketMQ keeps the address of the former pod, and does not notice the end of the next process.
    assert (results["rocketmq-stopped"], results["agent-stopped"]) == ("alive", "gone")
    assert (results["rocketmq-address"], results["agent-address"]) == ("10.0.0.1:10911", "10.0.0.2:10911")
    assert (results["rocketmq-killed"], results["agent-killed"]) == ("alive", "gone")


def test_a_broker_knows_the_controllers_that_were_added(run: Run) -> None:
    controllers = {"enableControllerMode": "true", "controllerAddr": "a-0.example:9878"}
    known = run("AddedControllers", controllers)
    assert known["configured"] == known["removed"] == "a-0.example:9878"
    assert known["added"] == "a-0.example:9878,a-1.example:9878,a-2.example:9878"


def test_another_controller_leads_before_the_leader_stops(run: Run) -> None:
    leaders = run("StoppedLeader")
    # The controllers of RocketMQ wait for heartbeats, and elect a leader seconds later.
    assert (leaders["rocketmq"], leaders["agent"]) == ("0", "1")


def test_a_controller_ends_its_connection_to_one_that_is_silent(run: Run) -> None:
    results = run("SilentPeer")
    # RocketMQ then leaves a controller without a leader until TCP gives up.
    assert (results["rocketmq"], results["agent"]) == ("open", "ended")


def test_a_slave_that_connects_during_an_election_does_not_fail_it(run: Run) -> None:
    results = run("ChangingConnections", {"enableControllerMode": "false"})
    # RocketMQ then leaves the group without a master.
    assert (results["rocketmq"], results["agent"]) == ("failed", "0")
    assert (results["rocketmq-connections"], results["agent-connections"]) == ("failed", "ended")


def test_a_change_of_role_does_not_wait_for_a_lost_master(run: Run) -> None:
    results = run("LostMaster")
    # An attempt of RocketMQ takes 5 s. Half a second has passed.
    assert int(results["agent"]) < 4000 < int(results["rocketmq"])


def test_a_change_of_role_does_not_wait_longer_if_data_of_the_former_master_arrives(run: Run) -> None:
    results = run("LateData")
    # The connection of RocketMQ then ends after a pause of 5 s.
    assert int(results["agent"]) < 4000 < int(results["rocketmq"])


def test_a_change_of_role_does_not_truncate_queues_that_are_being_filled(run: Run) -> None:
    results = run("LateQueues")
    # RocketMQ then gave the first message of a new master the place of the last one.
    assert (results["rocketmq"], results["agent"]) == ("truncated", "untouched")
    assert results["agent-incomplete-message"] == "truncated"


def test_an_incomplete_message_does_not_hold_up_an_election(run: Run) -> None:
    results = run("IncompleteMessage", {"enableControllerMode": "true"})
    # RocketMQ waits for the queues to get it.
    assert int(results["agent"]) < 1000
    assert int(results["rocketmq"]) >= 5000
    assert results["agent-rest"] == results["rocketmq-rest"] == "0"
    # A slave that keeps it may be unable to follow the next master.
    assert int(results["rocketmq-slave"]) > 0
    assert results["agent-slave"] == "0"


def test_a_check_of_transactions_ends_when_its_broker_becomes_a_slave(run: Run) -> None:
    results = run("PendingTransaction")
    # RocketMQ repeats its attempt for 60 s without a pause. A change of role waits for it.
    assert (results["rocketmq"], results["agent"]) == ("running", "ended")
    assert results["agent-master"] == "1"


def test_a_client_keeps_its_route_while_there_is_none_that_it_can_use(run: Run) -> None:
    routes = run("RouteWithoutMaster")
    # A client of RocketMQ then uses a route in which no broker takes its messages, for 30 s.
    assert (routes["rocketmq-slave"], routes["rocketmq-slave-queues"]) == ("OK", "0")
    assert routes["agent-slave"] == "HA_NOT_AVAILABLE"
    assert routes["agent-master"] == routes["rocketmq-master"] == "OK"
    assert routes["agent-master-queues"] == routes["rocketmq-master-queues"] == "1"
    assert routes["agent-master-types"] == routes["rocketmq-master-types"] == "NORMAL"
    # A producer of RocketMQ then rejects each message for 30 s. The proxy asks for the type at the next query.
    assert (routes["rocketmq-untyped"], routes["rocketmq-untyped-types"]) == ("OK", "MESSAGE_TYPE_UNSPECIFIED")
    assert routes["rocketmq-untyped-questions"] == "0"
    assert routes["agent-untyped"] == "HA_NOT_AVAILABLE"
    assert routes["agent-untyped-questions"] == "1"
