"""Configuration of the EBS CSI addon: rendered values and rejected arguments."""

import json
from typing import Any

import pytest

from eks_rocketmq.eks.ebs.csi_configuration import render_configuration
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiConfigurationArgs
from sandbox.aws.addon_catalogue import CATALOGUE, EBS_CSI, check_configuration
from tests.unit.harness.rejections import rejects

QUANTITIES = {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
TOLERATIONS = [{"key": "dedicated", "operator": "Exists"}]
ALL_ARGUMENTS: dict[str, Any] = {
    "controller_replicas": 3.0,
    "controller_resources": QUANTITIES,
    "controller_tolerations": TOLERATIONS,
    "controller_node_selector": {"pool": "system"},
    "extra_volume_tags": {"team": "messaging"},
    "volume_modification": True,
    "node_resources": QUANTITIES,
    "node_tolerations": TOLERATIONS,
    "tolerate_all_taints": False,
    "volume_attach_limit": 20,
    "default_storage_class": True,
    "sidecar_resources": {"provisioner": QUANTITIES},
    "values": {"controller": {"loggingFormat": "json"}, "somethingNew": 1},
}


def test_every_argument_is_rendered_into_the_addon_configuration() -> None:
    assert set(ALL_ARGUMENTS) == set(EbsCsiConfigurationArgs.__annotations__)
    assert json.loads(render_configuration(ALL_ARGUMENTS) or "") == {
        "controller": {
            "replicaCount": 3,
            "resources": QUANTITIES,
            "tolerations": TOLERATIONS,
            "nodeSelector": {"pool": "system"},
            "extraVolumeTags": {"team": "messaging"},
            "volumeModificationFeature": {"enabled": True},
            "loggingFormat": "json",
        },
        "node": {
            "resources": QUANTITIES,
            "tolerations": TOLERATIONS,
            "tolerateAllTaints": False,
            "volumeAttachLimit": 20,
        },
        "defaultStorageClass": {"enabled": True},
        "sidecars": {"provisioner": {"resources": QUANTITIES}},
        "somethingNew": 1,
    }


def test_an_empty_configuration_renders_none() -> None:
    assert render_configuration({}) is None
    assert render_configuration({"values": {}}) is None


def test_the_rendered_keys_are_sorted_and_the_input_is_not_modified() -> None:
    values = {"node": {"b": 1, "a": 2}}
    first = render_configuration({"volume_attach_limit": 9, "values": values})
    assert first == '{"node":{"a":2,"b":1,"volumeAttachLimit":9}}'
    assert values == {"node": {"b": 1, "a": 2}}


def test_the_rendered_configuration_matches_the_addon_schema() -> None:
    given = {key: value for key, value in ALL_ARGUMENTS.items() if key != "values"}
    check_configuration(CATALOGUE[EBS_CSI], render_configuration(given) or "")


@pytest.mark.parametrize(
    ("given", "path", "code"),
    [
        ({"controller_replicas": 0}, "controller_replicas", "range"),
        ({"volume_attach_limit": 1.5}, "volume_attach_limit", "whole-number"),
        ({"sidecar_resources": {"provisoner": {}}}, "sidecar_resources", "choice"),
        ({"values": {"controler": {}}}, "values", "choice"),
        ({"values": {"controller": []}}, "values['controller']", "addon-section-no-object"),
        (
            {"sidecar_resources": {"attacher": {}}, "values": {"sidecars": {"attacher": 3}}},
            "values['sidecars']['attacher']",
            "addon-section-no-object",
        ),
        ({"values": {"node": {1, 2}}}, "values", "values-no-json"),
        (
            {"controller_replicas": 2, "values": {"controller": {"replicaCount": 1}}},
            "values",
            "addon-value-given-twice",
        ),
        (
            {"sidecar_resources": {"attacher": {}}, "values": {"sidecars": {"attacher": {"resources": {}}}}},
            "values",
            "addon-value-given-twice",
        ),
        (
            {"extra_volume_tags": {"ebs.csi.aws.com/cluster": "x"}},
            "extra_volume_tags['ebs.csi.aws.com/cluster']",
            "tag-key",
        ),
        ({"extra_volume_tags": {"aws:x": "x"}}, "extra_volume_tags['aws:x']", "tag-key"),
        ({"extra_volume_tags": {"a=b": "x"}}, "extra_volume_tags['a=b']", "tag-key"),
        ({"extra_volume_tags": {"": "x"}}, "extra_volume_tags['']", "tag-key"),
        ({"extra_volume_tags": {"k" * 129: "x"}}, f"extra_volume_tags['{'k' * 129}']", "tag-key"),
        ({"extra_volume_tags": {"a": "x" * 257}}, "extra_volume_tags['a']", "tag-value"),
        ({"extra_volume_tags": {"a": "x,y"}}, "extra_volume_tags['a']", "tag-value"),
        ({"extra_volume_tags": {str(i): "x" for i in range(51)}}, "extra_volume_tags", "tag-count"),
        (
            {"values": {"controller": {"extraVolumeTags": {"aws:x": "x"}}}},
            "values['controller']['extraVolumeTags']['aws:x']",
            "tag-key",
        ),
        (
            {"controller_resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}},
            "controller_resources['requests']['cpu']",
            "request-above-limit",
        ),
        ({"node_resources": {"limits": {"memory": "1GB"}}}, "node_resources['limits']['memory']", "resource-amount"),
        (
            {"sidecar_resources": {"attacher": {"limits": {"cpu": "-1"}}}},
            "sidecar_resources['attacher']['limits']['cpu']",
            "resource-amount",
        ),
        ({"controller_tolerations": [{"operator": "exists"}]}, "controller_tolerations[0]['operator']", "choice"),
        ({"node_tolerations": [{"value": "x"}]}, "node_tolerations[0]", "pod-toleration"),
        ({"controller_node_selector": {"a b": "x"}}, "controller_node_selector", "qualified-name"),
        (
            {"values": {"node": {"tolerations": [{"key": "a", "effect": "NoRun"}]}}},
            "values['node']['tolerations'][0]['effect']",
            "choice",
        ),
        (
            {"values": {"sidecars": {"attacher": {"resources": {"request": {}}}}}},
            "values['sidecars']['attacher']['resources']",
            "choice",
        ),
    ],
)
def test_invalid_configuration_is_rejected(given: dict[str, Any], path: str, code: str) -> None:
    with rejects((f"configuration.{path}", code)):
        render_configuration(given)
