"""Changes of the deployed stack with `pulumi up`, under load. See `faults`."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sandbox.engine import pulumi
from sandbox.layout import REPOSITORY
from sandbox.polling import wait_until
from sandbox.progress import Report
from tests.faults import cluster as clusters
from tests.faults import group_status
from tests.faults.cluster import find_master, read_state
from tests.faults.faults import FaultTimes
from tests.faults.sandbox_cluster import SandboxCluster

NEW_GROUP = "broker-b"
NEW_GROUP_SECONDS = 180.0
"""Time until clients send to a new group. They read the routes every 30 s."""
NEW_GROUP_MESSAGES = 200
CONTROLLERS = 3
GUIDE = REPOSITORY / "docs" / "how-to" / "change-the-number-of-controllers.md"
GUIDE_NUMBERS = 'old=1 new="1 2"'
TAKE_FIELDS = {"PULUMI_K8S_ENABLE_PATCH_FORCE": "true"}
"""As in the guide."""
CONFLICT = "the object has been modified"
"""As in the guide, which repeats the update."""


def change_settings(cluster: SandboxCluster) -> FaultTimes:
    """Change a key and the memory of the brokers with `pulumi up`, and change both back. Each rolls the brokers."""

    def change(config: dict[str, Any]) -> None:
        (group,) = config["eks-rocketmq:rocketmq"]["brokerGroups"]
        group |= {"memory": "3Gi", "config": {"maxMessageSize": 2 * 1024**2}}

    return _change_and_revert(cluster, change)


def turn_agent_off_and_on(cluster: SandboxCluster) -> FaultTimes:
    """Leave the agent out with `pulumi up`, and add it again. Each rolls all roles."""

    def change(config: dict[str, Any]) -> None:
        config["eks-rocketmq:rocketmq"]["agent"] = False

    return _change_and_revert(cluster, change)


def _change_and_revert(cluster: SandboxCluster, change: Callable[[dict[str, Any]], None]) -> FaultTimes:
    master = find_master(cluster)
    file = pulumi.change_stack_file(cluster.instance, change)
    events = []
    for arguments in (["--config-file", str(file)], []):
        events.append(time.monotonic_ns())
        cluster.update(*arguments)
        cluster.wait_until_whole()
    return FaultTimes(events[0], time.monotonic_ns(), master, tuple(events))


def add_group(cluster: SandboxCluster) -> FaultTimes:
    """Add a broker group with `pulumi up`, with the topics of the load declared, until clients send to it.

    `SandboxCluster.remove_group` removes it.
    """
    master = find_master(cluster)

    def change(config: dict[str, Any]) -> None:
        rocketmq = config["eks-rocketmq:rocketmq"]
        rocketmq["brokerGroups"].append(
            {
                "name": NEW_GROUP,
                "replicas": 3,
                "memory": "1536Mi",
                "cpu": "50m",
                "storage": "2Gi",
                "config": {"mappedFileSizeCommitLog": 67108864},
            }
        )
        rocketmq["topics"] = [{"name": topic, "queues": group_status.QUEUES} for topic in cluster.topics]
        rocketmq["protectData"] = False

    begin = time.monotonic_ns()
    cluster.update("--config-file", str(pulumi.change_stack_file(cluster.instance, change)))
    added = replace(cluster, group=NEW_GROUP)
    clusters.wait_until_whole(added, cluster.topics)
    address = added.address(find_master(added))

    def used() -> bool:
        with cluster.observe():
            return all(group_status.count_messages(address, topic) > NEW_GROUP_MESSAGES for topic in cluster.topics)

    assert wait_until(used, NEW_GROUP_SECONDS), f"no client sends to {NEW_GROUP}"
    return FaultTimes(begin, time.monotonic_ns(), master, (begin,), other_brokers=(address,))


def change_number_of_controllers(cluster: SandboxCluster) -> FaultTimes:
    """Change the number of controllers to one, with the profile `dev`, and back, with the commands of the guide.

    Raises AssertionError if a command fails, or the controllers lose IDs or the epoch of the group.
    """
    master, before = find_master(cluster), read_state(cluster)
    assert before is not None

    def leave_one(config: dict[str, Any]) -> None:
        rocketmq = config["eks-rocketmq:rocketmq"]
        del rocketmq["minInSyncReplicas"]
        rocketmq |= {"profile": "dev", "controllers": {**rocketmq["controllers"], "replicas": 1}}
        (group,) = rocketmq["brokerGroups"]
        group["config"] = {**group.get("config", {}), "cleanFileForciblyEnable": False}  # needed to leave `strict`

    file = pulumi.change_stack_file(cluster.instance, leave_one)
    events = []
    for replicas, arguments in ((1, ["--config-file", str(file)]), (CONTROLLERS, [])):
        events.append(time.monotonic_ns())
        cluster.run(["bash", "-euo", "pipefail", "-c", _read_guide(cluster.controller_count, replicas)])
        cluster.controller_count = replicas
        _update_and_take_fields(cluster, *arguments)
        cluster.wait_until_whole()
        after = read_state(cluster)
        assert after is not None
        assert sorted(after.ids.values()) == sorted(before.ids.values()), after
        assert after.epoch >= before.epoch, (before, after)
    return FaultTimes(events[0], time.monotonic_ns(), master, tuple(events))


def _read_guide(old: int, new: int) -> str:
    """Return the commands before `pulumi up`: those that stop the controllers, and those that copy the log to more."""
    stop, *copy = re.findall(r"^```\n(.*?)^```$", GUIDE.read_text(), flags=re.DOTALL | re.MULTILINE)[:3]
    assert GUIDE_NUMBERS in stop
    added = " ".join(map(str, range(old, new)))
    return "\n".join([stop.replace(GUIDE_NUMBERS, f'old={old} new="{added}"'), *(copy if added else [])])


def _update_again_after_a_conflict(cluster: SandboxCluster, *arguments: str) -> None:
    try:
        cluster.update(*arguments, extra=TAKE_FIELDS)
    except AssertionError as error:
        if CONFLICT not in str(error):
            raise
        cluster.update(*arguments, extra=TAKE_FIELDS)


def _update_and_take_fields(cluster: SandboxCluster, *arguments: str) -> None:
    def restart_providers(extra: Mapping[str, str]) -> None:
        pulumi.stop(cluster.instance)
        pulumi.start_providers(cluster.instance, cluster.tools, Report(), extra)

    restart_providers(TAKE_FIELDS)
    try:
        _update_again_after_a_conflict(cluster, *arguments)
    finally:
        restart_providers({})


STACK_CHANGES: dict[str, Callable[[SandboxCluster], FaultTimes]] = {
    "settings-changed": change_settings,
    "group-added": add_group,
    "agent-off-and-on": turn_agent_off_and_on,
    "controllers-changed": change_number_of_controllers,
}
