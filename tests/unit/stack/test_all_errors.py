"""Report of all mistakes in the arguments of one component in one run, wrong types and wrong values included."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.harness.rejections import list_rejections
from tests.unit.stack_case import parse_stack

MISTAKES: Mapping[str, tuple[dict[str, Any], set[str]]] = {
    "cluster": (
        {"clusterName": "-x", "serviceCidr": "10.0.0.1/16", "deletionProtection": "no", "logRetentionDays": 2},
        {"cluster.cluster_name", "cluster.service_cidr", "cluster.deletion_protection", "cluster.log_retention_days"},
    ),
    "network": (
        {"nat": "double", "zoneCount": 0, "cidrBlock": "10.20.0.1/16", "tags": []},
        {"network.nat", "network.zone_count", "network.cidr_block", "network.tags"},
    ),
    "nodeGroups": (
        {"general": {"instanceTypes": ["large"], "diskSize": "big", "amiType": "AL1", "capacityType": "FREE"}},
        {
            "node_groups['general'].instance_types[0]",
            "node_groups['general'].disk_size",
            "node_groups['general'].ami_type",
            "node_groups['general'].capacity_type",
        },
    ),
    "addons": (
        {"versions": "newest", "vpcCni": {"identity": "own", "roleName": "a b"}, "preserve": "yes"},
        {"addons.versions", "addons.vpc_cni.role_name", "addons.vpc_cni.identity", "addons.preserve"},
    ),
    "oidc": (
        {"clientIds": ["a b"], "thumbprints": ["x"], "existing": 1},
        {"oidc.client_ids[0]", "oidc.thumbprints[0]", "oidc.existing"},
    ),
    "ebsCsi": (
        {"permissions": "all", "path": "team", "identity": "own", "addonVersion": "1", "roleName": "a b"},
        {"ebs_csi.permissions", "ebs_csi.path", "ebs_csi.identity", "ebs_csi.addon_version", "ebs_csi.role_name"},
    ),
    "storage": (
        {"volumeType": "hdd", "reclaimPolicy": "Never", "fileSystem": "zfs", "encrypted": 1},
        {"storage.volume_type", "storage.reclaim_policy", "storage.file_system", "storage.encrypted"},
    ),
    "rocketmq": (
        {
            "namespace": "A",
            "profile": "strickt",
            "brokerGroups": [{"name": "a", "memory": "4", "cpu": 1}],
            "proxies": {"replicas": 0},
        },
        {
            "rocketmq.namespace",
            "rocketmq.profile",
            "rocketmq.broker_groups['a'].memory",
            "rocketmq.broker_groups['a'].cpu",
            "rocketmq.proxies.replicas",
        },
    ),
}


@pytest.mark.parametrize("key", MISTAKES)
def test_all_mistakes_in_a_component_are_reported(key: str) -> None:
    given, expected = MISTAKES[key]
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the paths are compared below
        parse_stack("staging", {key: given})
    assert {rejection.path for rejection in list_rejections(raised.value)} == expected
