"""Classes of the agent beside those of RocketMQ that they replace, in the moment in which RocketMQ's fail."""

import functools
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from eks_rocketmq.rocketmq.config.broker_config import list_versions
from sandbox.cache import entry, recipes
from sandbox.layout import CACHE
from sandbox.progress import Report
from scripts.agent_jar import JAR
from tests.contract.server import free_port
from tests.unit.rocketmq_case import container, deploy, group

SOURCES = Path(__file__).with_name("java") / "eks_rocketmq"
SUCCESS, SYSTEM_ERROR, FLUSH_SLAVE_TIMEOUT, SERVICE_NOT_AVAILABLE = "0", "1", "12", "14"
IN_CONTROLLER_MODE = {"enableControllerMode": "true", "controllerAddr": "127.0.0.1:1"}


class Run(Protocol):
    """Function that runs a program of `java/` with a broker that has these settings, and returns results by name."""

    def __call__(self, program: str, settings: Mapping[str, str] = {}) -> dict[str, str]: ...


@dataclass
class Programs:
    """Programs of `java/`. Most of their time is waiting, so each one runs with all versions at once."""

    folder: Path
    pool: Executor
    _results: dict[str, dict[str, Future[dict[str, str]]]] = field(default_factory=dict)
    """Results by version, by program and settings."""

    def run(self, version: str, program: str, settings: Mapping[str, str] = {}) -> dict[str, str]:
        """Return the results of a program with a version. The first call starts it with all versions."""
        key = f"{program} {settings}"
        if key not in self._results:
            folder = self.folder / str(len(self._results))
            self._results[key] = {
                each: self.pool.submit(
                    run_program, program, each, compile_programs(each, self.folder), folder / each, settings
                )
                for each in list_versions()
            }
        return self._results[key][version].result()


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    with ThreadPoolExecutor() as pool:
        yield Programs(tmp_path_factory.mktemp("programs"), pool)


@pytest.fixture(params=list_versions())
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def run(programs: Programs, version: str) -> Run:
    return functools.partial(programs.run, version)


@functools.cache
def compile_programs(version: str, folder: Path) -> Path:
    """Compile all programs of `java/` with the agent and a version of RocketMQ. Return the folder of the classes."""
    classes = folder / f"classes-{version}"
    argv = ["javac", "-cp", f"{JAR}:{find_jars(version)}/*", "-d", classes, *sorted(SOURCES.glob("*.java"))]
    subprocess.run(argv, check=True)
    return classes


def find_jars(version: str) -> Path:
    """Return the folder with the jars of a version."""
    return entry.ensure(CACHE, recipes.rocketmq_jars(version), Report())


def run_program(
    program: str,
    version: str,
    classes: Path,
    folder: Path,
    settings: Mapping[str, str],
    jvm_options: Sequence[str] = (),
) -> dict[str, str]:
    """Run a compiled program with its files in `folder`, and return its results by name."""
    folder.mkdir(parents=True)
    file = folder / "broker.conf"
    paths = {"storePathRootDir": f"{folder}/store", "storePathCommitLog": f"{folder}/store/commitlog"}
    small = {"mappedFileSizeCommitLog": "1048576", "timerWheelEnable": "false"}
    ports = {key: str(free_port()) for key in ("listenPort", "haListenPort")}
    file.write_text("".join(f"{key}={value}\n" for key, value in {**paths, **small, **ports, **settings}.items()))
    # A program ends before an optimizing compiler is of use. Without TLS, no key is generated.
    options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dtls.server.mode=disabled"]
    options += [f"-Duser.home={folder}", f"-Drocketmq.home.dir={folder}", *jvm_options]
    argv = ["java", *options, "-cp", f"{classes}:{JAR}:{find_jars(version)}/*", f"eks_rocketmq.{program}", file]
    output = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout
    return {key: value for key, value, *_ in (line.split(" ", 2) for line in output.splitlines() if " " in line)}


def test_a_send_is_acknowledged_only_by_a_broker_that_stays_master(run: Run) -> None:
    codes = run("DemotedSend", {"brokerRole": "SYNC_MASTER"})
    # RocketMQ acknowledges a message that the next master does not have.
    assert codes["rocketmq"] == SUCCESS
    assert codes["agent"] == codes["agent-master-again"] == SERVICE_NOT_AVAILABLE
    assert codes["agent-master"] == SUCCESS


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


def test_a_slave_that_connects_during_an_election_does_not_fail_it(run: Run) -> None:
    results = run("ChangingConnections", {"enableControllerMode": "false"})
    # RocketMQ then leaves the group without a master.
    assert (results["rocketmq"], results["agent"]) == ("failed", "0")
    assert (results["rocketmq-connections"], results["agent-connections"]) == ("failed", "ended")


def test_the_drain_fence_refuses_writes_alone_until_its_time_is_over(run: Run) -> None:
    codes = run("FencedDrain")
    refused = {"fenced-election", *(f"fenced-{code}" for code in (10, 36, 310, 320, 370))}
    assert set(codes) == {"no-file", *refused, "fenced-34", "fenced-status", "over"}
    assert {name for name, code in codes.items() if code == SERVICE_NOT_AVAILABLE} == refused
    assert {codes[name] for name in codes.keys() - refused} == {SUCCESS}


def test_a_stop_does_not_wait_for_threads_that_only_wait(run: Run) -> None:
    results = run("StoppedBroker")
    # RocketMQ sleeps for 2 s and 3 s, whatever the machine does.
    assert int(results["agent"]) < 5000 <= int(results["rocketmq"])
    assert results["rocketmq-store"] == results["agent-store"] == "closed"


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


def test_a_slave_is_ready_only_with_the_metadata_of_its_master(run: Run) -> None:
    results = run("FailedCopy")
    assert results["none"] == results["offsets-once"] == "42"
    # RocketMQ only logs what it could not copy.
    assert {results[name] for name in ("topics", "groups", "offsets")} == {"failed"}


def test_a_message_that_a_consumer_has_not_acknowledged_is_stored_when_the_group_accepts_it(run: Run) -> None:
    results = run("RefusedRevive")
    # RocketMQ drops the message, and the consumers never get it.
    assert (results["rocketmq"], results["agent"]) == ("0", "1")
    assert int(results["agent-stops"]) < 2000
    # RocketMQ repeats a refused checkpoint every 5 ms, and logs each refusal.
    assert int(results["agent-client"]) < 500 <= int(results["agent-repeater"])


@pytest.mark.parametrize("key_value_service", ["false", "true"])
def test_a_new_master_commits_no_message_of_a_fifo_group_that_was_not_acknowledged(
    run: Run, key_value_service: str
) -> None:
    service = dict.fromkeys(("popConsumerKVServiceInit", "popConsumerKVServiceEnable"), key_value_service)
    committed = run("LostOrder", {"timerWheelEnable": "true", **service})
    # RocketMQ commits the messages 5 to 7 with the acknowledgement of 8.
    assert committed["rocketmq-last"] == committed["rocketmq-queue"] == "9"
    assert committed["agent-last"] == committed["agent-queue"] == "5"
    assert (committed["rocketmq-batch"], committed["agent-batch"]) == ("9", "7")
    # In order, and on the master that delivered the messages, the same as RocketMQ.
    for name in ("rocketmq", "agent"):
        assert committed[f"{name}-first"] == committed[f"{name}-uncommitted"] == "6"
        assert (committed[f"{name}-known"], committed[f"{name}-known-all"]) == ("5", "9")


def test_another_controller_leads_before_the_leader_stops(run: Run) -> None:
    leaders = run("StoppedLeader")
    # The controllers of RocketMQ wait for heartbeats, and elect a leader seconds later.
    assert (leaders["rocketmq"], leaders["agent"]) == ("0", "1")


def test_a_controller_ends_its_connection_to_one_that_is_silent(run: Run) -> None:
    results = run("SilentPeer")
    # RocketMQ then leaves a controller without a leader until TCP gives up.
    assert (results["rocketmq"], results["agent"]) == ("open", "ended")


def test_a_change_of_role_does_not_wait_for_a_lost_master(run: Run) -> None:
    results = run("LostMaster")
    # An attempt of RocketMQ takes 5 s. Half a second has passed.
    assert int(results["agent"]) < 4000 < int(results["rocketmq"])


def test_a_change_of_role_does_not_truncate_queues_that_are_being_filled(run: Run) -> None:
    results = run("LateQueues")
    # RocketMQ then gave the first message of a new master the place of the last one.
    assert (results["rocketmq"], results["agent"]) == ("truncated", "untouched")
    assert results["agent-incomplete-message"] == "truncated"


def test_a_slave_reports_only_what_is_on_its_disk(run: Run) -> None:
    flushed = run("UnflushedLog", {"flushDiskType": "SYNC_FLUSH"})
    # The master of RocketMQ then acknowledges messages that are lost when all members lose their power.
    assert (flushed["rocketmq"], flushed["agent"]) == ("4", "10")
    assert flushed["agent-stuck-disk"] == "not-sent"
    assert flushed["agent-client"] == "ConfirmedHAClient"


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


def test_a_broker_forgets_epochs_without_a_message_in_its_log(run: Run, version: str) -> None:
    found = run("EmptyEpochs", IN_CONTROLLER_MODE)
    # RocketMQ does not record epoch 6, so it would not find what another master of epoch 5 has written there.
    assert (found["rocketmq-elected"], found["agent-elected"]) == ("4,5", "4,6")
    # RocketMQ reports the end of the master's log as its own after a loss of power.
    assert (found["rocketmq-behind"], found["agent-behind"]) == ("2000", "0")
    assert found["rocketmq-truncated"] == ("4" if version == "5.3.3" else "4,5")
    assert found["agent-truncated"] == "4"


def test_a_change_of_role_does_not_wait_longer_if_data_of_the_former_master_arrives(run: Run) -> None:
    results = run("LateData")
    # The connection of RocketMQ then ends after a pause of 5 s.
    assert int(results["agent"]) < 4000 < int(results["rocketmq"])


def test_a_check_of_transactions_ends_when_its_broker_becomes_a_slave(run: Run) -> None:
    results = run("PendingTransaction")
    # RocketMQ repeats its attempt for 60 s without a pause. A change of role waits for it.
    assert (results["rocketmq"], results["agent"]) == ("running", "ended")
    assert results["agent-master"] == "1"


def test_threads_of_transactions_sleep_while_no_transaction_ends(run: Run, version: str) -> None:
    settings = {"transactionOpBatchInterval": "300", "transactionMetricFlushInterval": "30000"}
    threads = run("IdleTransactions", settings)
    assert (threads["rocketmq-metrics"], threads["agent-metrics"]) == ("busy", "idle")
    # RocketMQ's other versions wait for the next transaction.
    assert threads["rocketmq-batches"] == ("busy" if version == "5.5.0" else "idle")
    assert threads["agent-batches"] == "idle"
    assert (threads["agent-ends"], threads["agent-metrics-file"]) == ("stored", "written")


def test_a_slave_that_was_stopped_has_every_message_in_its_queues(run: Run) -> None:
    found = run("SkippedMessage", IN_CONTROLLER_MODE)
    # RocketMQ skips the first of the messages that were in no queue yet, if the store was closed in order.
    assert (found["closed"], found["crashed"]) == ("1", "3")


def test_delayed_messages_are_read_once_after_a_loss_of_the_timer_log(run: Run) -> None:
    records = run("LostTimerLog")
    assert (records["rocketmq-first"], records["agent-first"]) == ("2", "2")
    # A master of RocketMQ reads the same record until it has no memory left, and again after its restart.
    assert (records["rocketmq-second"], records["agent-second"]) == ("endless", "1")


def test_a_timer_of_a_master_that_was_a_slave_skips_nothing(run: Run) -> None:
    timer = {"timerWheelEnable": "true", "timerEnableRetryUntilSuccess": "true", "timerFlushIntervalMs": "3600000"}
    delivered = run("DemotedTimer", timer)
    # RocketMQ skips a second that no master has delivered.
    assert (delivered["rocketmq-second"], delivered["agent-second"]) == ("0", "1")
    # What the slave refused is delivered too, if the other master has not done so.
    assert delivered["agent-undelivered-first"] == delivered["agent-undelivered-second"] == "1"
    assert delivered["agent-overdue"] != "0"


def test_a_slave_that_has_stopped_leaves_the_in_sync_set(run: Run) -> None:
    members = run("StoppedSlave", {"enableControllerMode": "false"})
    # RocketMQ then waits for it for 15 s.
    assert (members["rocketmq"], members["agent"]) == ("[1,2,3]", "[1,3]")


def test_a_slave_that_the_controllers_refused_is_not_waited_for(run: Run) -> None:
    members = run("RefusedSlave", IN_CONTROLLER_MODE)
    # If this slave stops, writes wait until it is back.
    assert members["rocketmq-refused"] == "[1,2,3]"
    assert members["agent-refused"] == "[1,3]"
    # The controllers may still add it.
    assert (members["agent-unanswered"], members["agent-set-named"]) == ("[1,2,3]", "[1,2,3]")
    assert (members["agent-set-named-late"], members["agent-set-changed"]) == ("[1,3]", "[1,3,4]")


def test_a_slave_is_proposed_when_it_has_all_that_was_acknowledged_without_it(run: Run) -> None:
    results = run("RefusedSlave", IN_CONTROLLER_MODE)
    # Writes wait for the slave, and the controllers get the proposal when it has caught up.
    assert (results["agent-lagging"], results["agent-caught-up"]) == ("[1,2,3]/0", "[1,3]/1")
    # One that does not catch up is waited for no longer.
    assert (results["agent-left-behind"], results["agent-disconnected"]) == ("[1,3]/1", "[1,3]/1")


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


def test_an_incomplete_message_does_not_hold_up_an_election(run: Run) -> None:
    results = run("IncompleteMessage", {"enableControllerMode": "true"})
    # RocketMQ waits for the queues to get it.
    assert int(results["agent"]) < 1000
    assert int(results["rocketmq"]) >= 5000
    assert results["agent-rest"] == results["rocketmq-rest"] == "0"
    # A slave that keeps it may be unable to follow the next master.
    assert int(results["rocketmq-slave"]) > 0
    assert results["agent-slave"] == "0"


def test_a_master_without_its_slaves_shows_no_message_that_only_it_has(run: Run, version: str) -> None:
    controller = {**IN_CONTROLLER_MODE, "allAckInSyncStateSet": "true"}
    messages = run("LostSlaves", controller)
    # Newer versions of RocketMQ take the slave out of the set before the controllers agree.
    assert messages["rocketmq"] == ("0" if version == "5.3.3" else "1")
    assert (messages["agent"], messages["agent-again"]) == ("0", "1")


def test_a_log_is_recovered_up_to_a_message_that_lacks_a_page(run: Run) -> None:
    messages = run("TornMessage", IN_CONTROLLER_MODE)
    assert messages["agent-whole"] == "3"
    # RocketMQ keeps a message without a part of its properties, which the other members have.
    assert messages["rocketmq-middle"] == messages["rocketmq-end"] == "3"
    assert messages["agent-middle"] == messages["agent-end"] == "1"


def test_a_write_is_acknowledged_with_as_many_copies_as_are_needed(run: Run) -> None:
    settings = {"brokerRole": "SYNC_MASTER", "minInSyncReplicas": "2"}
    results = run("SingleCopy", settings)
    assert results["rocketmq-two-copies"] == results["agent-two-copies"] == "PUT_OK"
    # RocketMQ acknowledges what only the master has, when its last slave has left the set.
    assert (results["rocketmq-one-copy"], results["agent-one-copy"]) == ("PUT_OK", "FLUSH_SLAVE_TIMEOUT")
    # RocketMQ counts a slave with two connections twice, and does not wait for another one.
    assert (results["rocketmq-connected-again"], results["agent-connected-again"]) == ("true", "false")


def test_with_one_copy_needed_the_master_is_enough(run: Run) -> None:
    settings = {"brokerRole": "SYNC_MASTER", "minInSyncReplicas": "1"}
    assert run("SingleCopy", settings)["agent-one-copy"] == "PUT_OK"


def test_a_slave_follows_a_master_that_has_restarted_with_another_address(run: Run) -> None:
    addresses = run("RestartedMaster")
    # RocketMQ connects to the former address until a name server has the new one.
    assert (addresses["rocketmq"], addresses["agent"]) == ("127.0.0.1", "127.0.0.2")


def test_checks_that_fail_by_themselves_halt_nothing_and_are_repeated(run: Run) -> None:
    results = run("FailingChecks")
    assert int(results["watchdog"]) > 1
    assert results["volume"] == "watched"


def test_each_thread_of_a_broker_gets_a_buffer_for_its_messages(
    programs: Programs, version: str, tmp_path: Path
) -> None:
    pod = container(deploy(broker_groups=group(memory="1536Mi")))
    (exports,) = (one["value"] for one in pod["env"] if one["name"] == "JDK_JAVA_OPTIONS")
    options = [option for option in exports.split() if option.startswith("--add")]
    options += [option for option in pod["command"] if option.startswith(("-XX:MaxDirectMemorySize", "-Xm"))]
    netty = [option for option in pod["command"] if option.startswith("-Dio.netty.")]
    classes = compile_programs(version, programs.folder)
    settings = {"mappedFileSizeCommitLog": str(16 * 1024**2)}
    # RocketMQ fills a buffer of 4 MiB for each thread with zeros, until no memory is left for the next thread.
    rocketmq = run_program("ManyWriters", version, classes, tmp_path / "rocketmq", settings, options)
    assert int(rocketmq["threads"]) < 64
    stored = run_program("ManyWriters", version, classes, tmp_path / "stored", settings, [*options, *netty])
    assert (stored["threads"], stored["large"]) == ("100", "4")


def test_a_role_that_cannot_start_ends(version: str, tmp_path: Path) -> None:
    conf = tmp_path / "broker.conf"
    conf.write_text(f"storePathRootDir={tmp_path}/store\nstorePathCommitLog={tmp_path}/store/commitlog\n")
    argv = ["java", "-Dtls.server.mode=disabled", f"-Duser.home={tmp_path}", f"-Drocketmq.home.dir={tmp_path}"]
    argv += ["-cp", f"{JAR}:{find_jars(version)}/*", "eks_rocketmq.Launcher"]
    argv += ["broker", str(free_port()), "watchdog.sh", "-c", str(conf)]
    # Without its variables the agent fails. Its probe server runs by then, and would keep the process.
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "eks_rocketmq.Launcher.main" in done.stderr
