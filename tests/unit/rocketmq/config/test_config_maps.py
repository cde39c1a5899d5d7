"""ConfigMaps of the servers: their files, and what a change replaces."""

import json
import re

import pytest

from tests.unit.harness import Recording
from tests.unit.rocketmq_case import (
    ARGS,
    WORKLOADS,
    config,
    config_maps,
    container,
    deploy,
    files,
    group,
    keys,
    pod,
)


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
    config_map = deployed.one("ConfigMap", f"{name}-config")
    assert config_map.inputs["immutable"] is True
    suffix = "-set" if name != "rocketmq-proxy" else "-deployment"
    assert config_map.inputs["metadata"]["name"] in config_maps(pod(deployed, name + suffix))


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


def test_config_change_replaces_the_config_map_and_rolls_only_that_group() -> None:
    before, after = deploy(), deploy(broker_groups=group(config={"fileReservedTime": 48}))
    changed = {
        urn.rsplit("::", 1)[-1] for urn, old in before.resources.items() if after.resources[urn].inputs != old.inputs
    }
    assert changed == {"rocketmq-broker-a-config", "rocketmq-broker-a-set"}
    assert config(before) != config(after)
    assert pod(before)["volumes"][0] != pod(after)["volumes"][0]
