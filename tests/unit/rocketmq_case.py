"""RocketMQ component for unit tests, and access to its parts."""

import functools
import json
from copy import deepcopy
from typing import Any

from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.harness.recording import HASH, Registration

ARGS: dict[str, Any] = {
    "namespace": "rocketmq",
    "storage_class": "gp2",
    "broker_groups": [{"name": "broker-a", "replicas": 3, "memory": "4Gi", "cpu": "500m", "storage": "100Gi"}],
    "name_servers": {"replicas": 2, "memory": "512Mi", "cpu": "100m"},
    "controllers": {"replicas": 3, "memory": "768Mi", "cpu": "100m", "storage": "10Gi"},
    "proxies": {"replicas": 2, "memory": "1Gi", "cpu": "250m"},
}
SETS = ("rocketmq-nameserver-set", "rocketmq-controller-set", "rocketmq-broker-a-set")
WORKLOADS = (*SETS, "rocketmq-proxy-deployment")


def args(**changes: Any) -> Any:
    """Return the arguments with changes. A mapping is merged into the default mapping."""
    result = deepcopy(ARGS)
    for key, value in changes.items():
        result[key] = {**result[key], **value} if isinstance(result.get(key), dict) else value
    return result


def group(**changes: Any) -> list[dict[str, Any]]:
    """Return the default broker group with changed fields."""
    return [{**ARGS["broker_groups"][0], **changes}]


def deploy(*, preview: bool = False, **changes: Any) -> Recording:
    """Register the component and return the recording."""
    return _deployed(json.dumps(args(**changes)), preview)


@functools.cache
def _deployed(given: str, preview: bool) -> Recording:
    """Return a cached run, which tests must not modify."""
    return run(lambda: RocketMq("rocketmq", json.loads(given)), preview=preview)


def workload(recording: Recording, name: str) -> dict[str, Any]:
    """Return the spec of a StatefulSet, or of the Deployment of the proxies, by its Pulumi name."""
    (found,) = (r for r in recording.resources.values() if r.name == name)
    return found.inputs["spec"]


def pod(recording: Recording, name: str = "rocketmq-broker-a-set") -> dict[str, Any]:
    """Return the pod spec of a StatefulSet."""
    return workload(recording, name)["template"]["spec"]


def container(recording: Recording, name: str = "rocketmq-broker-a-set") -> dict[str, Any]:
    """Return the RocketMQ container of a StatefulSet."""
    (main,) = pod(recording, name)["containers"]
    return main


def config_maps(spec: dict[str, Any]) -> list[str]:
    """Return the names of the ConfigMaps that are mounted in the configuration folder of a pod."""
    (volume,) = (volume for volume in spec["volumes"] if volume["name"] == "files")
    return [source["configMap"]["name"] for source in volume["projected"]["sources"]]


def files(recording: Recording, name: str = "rocketmq-broker-a-set") -> dict[str, str]:
    """Return the files of the configuration folder, each from exactly one ConfigMap."""
    made = {
        one.inputs["metadata"]["name"]: one.inputs["data"] | one.inputs.get("binaryData", {})
        for one in recording.by_type("ConfigMap")
    }
    found = [item for name in config_maps(pod(recording, name)) for item in made[name].items()]
    assert len(dict(found)) == len(found)
    return dict(found)


def config_map(recording: Recording, name: str = "rocketmq-broker-a-config") -> Registration:
    """Return a ConfigMap by its Pulumi name without the hash."""
    (found,) = (each for each in recording.by_type("ConfigMap") if HASH.sub("", each.name) == name)
    return found


def config(recording: Recording, name: str = "rocketmq-broker-a-config") -> dict[str, str]:
    """Return the files of a ConfigMap by its Pulumi name without the hash."""
    return config_map(recording, name).inputs["data"]


def keys(recording: Recording, name: str = "rocketmq-broker-a-config", file: str = "broker.conf") -> dict[str, str]:
    """Return the keys and values of a `.conf` file."""
    return dict(line.split("=", 1) for line in config(recording, name)[file].splitlines())
