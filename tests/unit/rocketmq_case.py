"""The RocketMQ that the unit tests of its half make, and short ways to its parts."""

import functools
import json
from copy import deepcopy
from typing import Any

from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run

ARGS: dict[str, Any] = {
    "namespace": "rocketmq",
    "storage_class": "gp2",
    "broker_groups": [{"name": "broker-a", "replicas": 3, "memory": "4Gi", "cpu": "500m", "storage": "100Gi"}],
    "name_servers": {"replicas": 2, "memory": "512Mi", "cpu": "100m"},
    "controllers": {"replicas": 3, "memory": "768Mi", "cpu": "100m", "storage": "10Gi"},
    "proxies": {"replicas": 2, "memory": "1Gi", "cpu": "250m"},
}
SETS = ("rocketmq-nameserver-set", "rocketmq-controller-set", "rocketmq-broker-a-set")


def args(**changes: Any) -> Any:
    """The arguments with some of them changed; a mapping changes fields of the one that is there."""
    result = deepcopy(ARGS)
    for key, value in changes.items():
        result[key] = {**result[key], **value} if isinstance(result.get(key), dict) else value
    return result


def group(**changes: Any) -> list[dict[str, Any]]:
    """The one broker group with fields changed."""
    return [{**ARGS["broker_groups"][0], **changes}]


def deploy(*, preview: bool = False, **changes: Any) -> Recording:
    """Registers it."""
    return _deployed(json.dumps(args(**changes)), preview)


@functools.cache
def _deployed(given: str, preview: bool) -> Recording:
    """One run for all tests that deploy the same: they only look at it."""
    return run(lambda: RocketMq("rocketmq", json.loads(given)), preview=preview)


def workload(recording: Recording, name: str) -> dict[str, Any]:
    """Spec of a set, or of the proxies' Deployment, by the name in the state."""
    (found,) = (r for r in recording.resources.values() if r.name == name)
    return found.inputs["spec"]


def pod(recording: Recording, name: str = "rocketmq-broker-a-set") -> dict[str, Any]:
    """Spec of the pods of a set."""
    return workload(recording, name)["template"]["spec"]


def container(recording: Recording, name: str = "rocketmq-broker-a-set") -> dict[str, Any]:
    """The RocketMQ container of a set."""
    (main,) = pod(recording, name)["containers"]
    return main


def config_maps(spec: dict[str, Any]) -> list[str]:
    """Names of the ConfigMaps whose files a pod finds in its configuration folder."""
    (volume,) = (volume for volume in spec["volumes"] if volume["name"] == "files")
    return [source["configMap"]["name"] for source in volume["projected"]["sources"]]


def files(recording: Recording, name: str = "rocketmq-broker-a-set") -> dict[str, str]:
    """The files of that folder, each from one ConfigMap only."""
    made = {one.inputs["metadata"]["name"]: one.inputs["data"] for one in recording.by_type("ConfigMap")}
    found = [item for name in config_maps(pod(recording, name)) for item in made[name].items()]
    assert len(dict(found)) == len(found)
    return dict(found)


def config(recording: Recording, name: str = "rocketmq-broker-a-config") -> dict[str, str]:
    """Files of a ConfigMap by the name in the state."""
    return recording.one("ConfigMap", name).inputs["data"]


def keys(recording: Recording, name: str = "rocketmq-broker-a-config", file: str = "broker.conf") -> dict[str, str]:
    """A `.conf` file as key to text."""
    return dict(line.split("=", 1) for line in config(recording, name)[file].splitlines())
