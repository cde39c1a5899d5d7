"""Validation of parts of a pod spec in the configuration of an addon."""

from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.pod_values import validate_pod_values
from tests.unit.harness.rejections import rejects

VALUES = ARGS / "values"


def resources(request: object, limit: object, name: str = "cpu") -> dict[str, Any]:
    return {"resources": {"requests": {name: request}, "limits": {name: limit}}}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"replicaCount": -1, "env": {"A": "B"}},
        resources("100m", "0.1"),
        resources("1e3", "1k"),
        resources("1E", "2E"),
        resources("1024Mi", "1Gi", "memory"),
        resources("128974848000m", "128974848", "memory"),
        resources(0, 0.5),
        resources("1", "1", "example.com/device"),
        resources("2Mi", "2Mi", "hugepages-2Mi"),
        {"resources": {"claims": [{"name": "a"}]}},
        {"resources": {"requests": None}},
        {"tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b"}, {"key": "a", "operator": "Equal"}]},
        {"tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}]},
        {"nodeSelector": {"example.com/role": "mq", "team": ""}},
    ],
)
def test_values_that_kubernetes_accepts(values: dict[str, Any]) -> None:
    validate_pod_values(values, VALUES)


@pytest.mark.parametrize(
    ("values", "path", "code"),
    [
        (resources("2", "1"), "resources['requests']['cpu']", "request-above-limit"),
        (resources("1Gi", "1000Mi", "memory"), "resources['requests']['memory']", "request-above-limit"),
        (resources("1M", "1000k", "cores"), "resources['requests']", "choice"),
        (resources("1GB", "1", "memory"), "resources['requests']['memory']", "resource-amount"),
        (resources("", "1"), "resources['requests']['cpu']", "resource-amount"),
        (resources("1", "-1"), "resources['limits']['cpu']", "resource-amount"),
        (resources("1", True), "resources['limits']['cpu']", "resource-amount"),
        (resources("1", None), "resources['limits']['cpu']", "resource-amount"),
        (resources("1e999999999", "1"), "resources['requests']['cpu']", "resource-amount"),
        ({"resources": []}, "resources", "wrong-type"),
        ({"resources": {"limits": ["cpu"]}}, "resources['limits']", "wrong-type"),
        ({"resources": {"request": {"cpu": "1"}}}, "resources", "choice"),
        ({"tolerations": {"key": "a"}}, "tolerations", "wrong-type"),
        ({"tolerations": ["a"]}, "tolerations[0]", "wrong-type"),
        ({"tolerations": [{"key": "a", "operator": "In"}]}, "tolerations[0]['operator']", "choice"),
        ({"tolerations": [{"key": "a", "operator": "Gt", "value": "1"}]}, "tolerations[0]['operator']", "choice"),
        ({"tolerations": [{"key": "a", "effect": "NoStart"}]}, "tolerations[0]['effect']", "choice"),
        ({"tolerations": [{"key": "a b"}]}, "tolerations[0]['key']", "qualified-name"),
        ({"tolerations": [{"key": "a", "value": "b c"}]}, "tolerations[0]['value']", "label-value"),
        ({"tolerations": [{"key": "a", "value": 1}]}, "tolerations[0]['value']", "wrong-type"),
        ({"tolerations": [{}]}, "tolerations[0]", "pod-toleration"),
        ({"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}, "tolerations[0]", "pod-toleration"),
        ({"tolerations": [{"key": "a", "tolerationSeconds": 5}]}, "tolerations[0]", "pod-toleration"),
        ({"nodeSelector": ["a"]}, "nodeSelector", "wrong-type"),
        ({"nodeSelector": {"a": True}}, "nodeSelector['a']", "wrong-type"),
        ({"nodeSelector": {"a": "b c"}}, "nodeSelector['a']", "label-value"),
    ],
)
def test_values_that_kubernetes_rejects(values: dict[str, Any], path: str, code: str) -> None:
    first, bracket, rest = path.partition("[")
    with rejects((f"values['{first}']{bracket}{rest}", code)):
        validate_pod_values(values, VALUES)
