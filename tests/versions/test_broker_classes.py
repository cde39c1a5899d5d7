"""Stored messages, threads and stops: classes of the agent beside those of RocketMQ that they replace."""

import os
import subprocess
from pathlib import Path

import pytest

from scripts.agent_jar import JAR
from tests.contract.server import free_port
from tests.unit.rocketmq_case import container, deploy, group
from tests.versions.class_programs import (
    IN_CONTROLLER_MODE,
    SERVICE_NOT_AVAILABLE,
    SUCCESS,
    Programs,
    Run,
    compile_programs,
    find_jars,
    run_program,
)


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


def test_a_timer_of_a_master_that_was_a_slave_skips_nothing(run: Run) -> None:
    timer = {"timerWheelEnable": "true", "timerEnableRetryUntilSuccess": "true", "timerFlushIntervalMs": "3600000"}
    delivered = run("DemotedTimer", timer)
    # RocketMQ skips a second that no master has delivered.
    assert (delivered["rocketmq-second"], delivered["agent-second"]) == ("0", "1")
    # What the slave refused is delivered too, if the other master has not done so.
    assert delivered["agent-undelivered-first"] == delivered["agent-undelivered-second"] == "1"
    assert delivered["agent-overdue"] != "0"


def test_delayed_messages_are_read_once_after_a_loss_of_the_timer_log(run: Run) -> None:
    records = run("LostTimerLog")
    assert (records["rocketmq-first"], records["agent-first"]) == ("2", "2")
    # A master of RocketMQ reads the same record until it has no memory left, and again after its restart.
    assert (records["rocketmq-second"], records["agent-second"]) == ("endless", "1")


def test_a_log_is_recovered_up_to_a_message_that_lacks_a_page(run: Run) -> None:
    messages = run("TornMessage", IN_CONTROLLER_MODE)
    assert messages["agent-whole"] == "3"
    # RocketMQ keeps a message without a part of its properties, which the other members have.
    assert messages["rocketmq-middle"] == messages["rocketmq-end"] == "3"
    assert messages["agent-middle"] == messages["agent-end"] == "1"


def test_messages_behind_the_end_of_a_log_are_gone(run: Run) -> None:
    messages = run("TruncatedTail", IN_CONTROLLER_MODE)
    # RocketMQ finds a message again that it has truncated, and that the other members do not have.
    assert messages["rocketmq-truncated"] == messages["rocketmq-recovered"] == "3"
    assert messages["agent-truncated"] == messages["agent-recovered"] == "2"
    assert messages["agent-compaction"] == "same"


def test_a_slave_that_was_stopped_has_every_message_in_its_queues(run: Run) -> None:
    found = run("SkippedMessage", IN_CONTROLLER_MODE)
    # RocketMQ skips the first of the messages that were in no queue yet, if the store was closed in order.
    assert (found["closed"], found["crashed"]) == ("1", "3")


def test_threads_of_transactions_sleep_while_no_transaction_ends(run: Run, version: str) -> None:
    settings = {"transactionOpBatchInterval": "300", "transactionMetricFlushInterval": "30000"}
    threads = run("IdleTransactions", settings)
    assert (threads["rocketmq-metrics"], threads["agent-metrics"]) == ("busy", "idle")
    # RocketMQ's other versions wait for the next transaction.
    assert threads["rocketmq-batches"] == ("busy" if version == "5.5.0" else "idle")
    assert threads["agent-batches"] == "idle"
    assert (threads["agent-ends"], threads["agent-metrics-file"]) == ("stored", "written")


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


def test_checks_that_fail_by_themselves_halt_nothing_and_are_repeated(run: Run) -> None:
    results = run("FailingChecks")
    assert int(results["watchdog"]) > 1
    assert results["volume"] == "watched"


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
