"""Command line of a bare process: another class path and another main class."""

from pathlib import Path

from tests.unit.rocketmq_case import container, deploy
from tests.versions.pods import Pod


def build_pod(extra_classpath: str = "", main_class: str = "") -> Pod:
    root = Path("/pods/broker-a-0")
    pod = Pod("broker-a-0", "10.77.0.12", "netns", root, container(deploy()), {}, Path("/opt/rocketmq"))
    pod.extra_classpath, pod.main_class = extra_classpath, main_class
    return pod


def test_the_command_is_that_of_the_manifest() -> None:
    command = build_pod().java_command()
    place = command.index("-cp")
    assert command[place + 1 : place + 3] == [
        "/opt/rocketmq/conf:/opt/rocketmq/lib/*",
        "org.apache.rocketmq.broker.BrokerStartup",
    ]


def test_another_class_path_comes_first_and_another_class_is_started() -> None:
    stock = build_pod().java_command()
    changed = build_pod(extra_classpath="/opt/fence.jar", main_class="dev.example.Launcher").java_command()
    place = stock.index("-cp")
    assert changed[place + 1 : place + 3] == [
        "/opt/fence.jar:/opt/rocketmq/conf:/opt/rocketmq/lib/*",
        "dev.example.Launcher",
    ]
    assert (changed[:place], changed[place + 3 :]) == (stock[:place], stock[place + 3 :])
