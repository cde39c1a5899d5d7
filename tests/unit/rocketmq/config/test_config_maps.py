"""ConfigMaps of the servers: their files, and what a change replaces."""

import json
import re
from typing import Any

import pytest

from eks_rocketmq.rocketmq.naming import labels
from tests.unit.everything_case import OPTIONS
from tests.unit.harness import Recording
from tests.unit.harness.recording import HASH
from tests.unit.rocketmq_case import (
    ARGS,
    WORKLOADS,
    config,
    config_map,
    config_maps,
    container,
    deploy,
    files,
    group,
    keys,
    pod,
)

KEYS = {
    "name_servers": {"scanNotActiveBrokerInterval": 3000},
    "controllers": {"electMasterMaxRetryCount": 5},
    "proxies": {"longPollingReserveTimeInMillis": 200},
}


def test_rendered_configuration_is_mounted_read_only(deployed: Recording) -> None:
    mounts = {mount["name"]: mount for mount in container(deployed)["volumeMounts"]}
    assert mounts["run"]["readOnly"] is True


@pytest.mark.parametrize(
    ("name", "file", "key"),
    [
        ("rocketmq-broker-a", "broker.conf", "storePathRootDir"),
        ("rocketmq-controller", "controller.conf", "controllerStorePath"),
    ],
)
def test_store_paths_are_on_the_data_volume(deployed: Recording, name: str, file: str, key: str) -> None:
    store = keys(deployed, f"{name}-config", file)[key]
    (mount,) = (m for m in container(deployed, f"{name}-set")["volumeMounts"] if m["name"] == "data")
    assert store.startswith(mount["mountPath"] + "/")


@pytest.mark.parametrize("name", ["rocketmq-nameserver", "rocketmq-controller", "rocketmq-broker-a", "rocketmq-proxy"])
def test_config_map_is_immutable_and_mounted_by_its_full_name(deployed: Recording, name: str) -> None:
    created = config_map(deployed, f"{name}-config")
    assert created.inputs["immutable"] is True
    suffix = "-set" if name != "rocketmq-proxy" else "-deployment"
    assert created.inputs["metadata"]["name"] in config_maps(pod(deployed, name + suffix))


@pytest.mark.parametrize("name", WORKLOADS)
def test_config_maps_contain_every_file_that_commands_reference(deployed: Recording, name: str) -> None:
    available = files(deployed, name)
    referenced = set(re.findall(r"/etc/rocketmq/([a-z][\w.-]+)", json.dumps(pod(deployed, name))))
    # Scripts call and source other scripts in their directory.
    for text in available.values():
        referenced |= set(re.findall(r"""(?:\$here|\$\(dirname [^)]+\))"?/([a-z][\w.-]+\.sh)""", text))
    if "CREDENTIALS" not in json.dumps(pod(deployed, name)):
        referenced.discard("sign.sh")  # only scripts that sign requests source it
    assert referenced >= {"logback.xml"}
    assert referenced - set(available) == set()


def test_broker_groups_share_one_config_map_and_have_one_each() -> None:
    two = deploy(broker_groups=[*ARGS["broker_groups"], *group(name="broker-b")])
    first, second = (config_maps(pod(two, f"rocketmq-broker-{letter}-set")) for letter in "ab")
    assert (first[1], len(first)) == (second[1], 2)
    assert set(config(two)) == set(config(two, "rocketmq-broker-b-config")) == {"broker.conf"}
    assert "broker-drain.sh" in config(two, "rocketmq-broker-shared-config")


def test_config_change_creates_another_config_map_and_rolls_only_that_group() -> None:
    before, after = deploy(), deploy(broker_groups=group(config={"fileReservedTime": 48}))
    both = before.resources.keys() & after.resources.keys()
    changed = [urn for urn in both if after.resources[urn].inputs != before.resources[urn].inputs]
    assert [urn.rsplit("::", 1)[-1] for urn in changed] == ["rocketmq-broker-a-set"]
    assert [HASH.sub("", urn.rsplit("::", 1)[-1]) for urn in after.resources.keys() - both] == [
        "rocketmq-broker-a-config"
    ]
    assert config(before) != config(after)
    assert pod(before)["volumes"][0] != pod(after)["volumes"][0]


def test_an_object_with_another_name_is_another_resource_or_is_deleted_first() -> None:
    # A replaced one keeps its name after a failed update, and the reverted update would create that name again.
    before = deploy(**OPTIONS)
    changed: dict[str, Any] = {
        "broker_groups": group(config={"fileReservedTime": 48}),
        "topics": [],
        "access": {"internal_generation": 2, "users": OPTIONS["access"]["users"][:1]},
    } | {role: ARGS[role] | {"config": KEYS[role]} for role in KEYS}
    after = deploy(**(OPTIONS | changed))
    for kind in ("ConfigMap", "Secret"):
        first, second = ({each.urn: each for each in one.by_type(kind)} for one in (before, after))
        renamed = [
            second[urn]
            for urn in first.keys() & second.keys()
            if first[urn].inputs["metadata"]["name"] != second[urn].inputs["metadata"]["name"]
        ]
        assert [each.name for each in renamed if not each.delete_before_replace] == []
        assert {each.parent.rsplit("::", 1)[-1] for each in renamed} == {
            "rocketmq-declarations" if kind == "ConfigMap" else "rocketmq-credentials"
        }


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_has_its_configuration_as_an_annotation(deployed: Recording, name: str) -> None:
    (found,) = (each for each in deployed.resources.values() if each.name == name)
    text = found.inputs["metadata"]["annotations"][labels.CONFIG_ANNOTATION]
    assert text in files(deployed, name).values()
    assert labels.CONFIG_ANNOTATION not in found.inputs["spec"]["template"]["metadata"].get("annotations", {})
