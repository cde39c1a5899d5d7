"""Inputs that the aws stand-in rejects in a preview without a call to AWS, as the released provider does."""

from typing import Any

import pytest

from sandbox.engine.aws.properties import CheckContext, check
from sandbox.engine.aws.stand_in import RESOURCES

CLUSTER = "aws:eks/cluster:Cluster"
GROUP = "aws:eks/nodeGroup:NodeGroup"
ROLE = "aws:iam/role:Role"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
ARN = "arn:aws:iam::140023393377:role/r"
GIVEN: dict[str, dict[str, Any]] = {
    CLUSTER: {
        "enabledClusterLogTypes": ["api", "audit"],
        "kubernetesNetworkConfig": {"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16"},
        "name": "prod-1_a",
        "roleArn": ARN,
        "upgradePolicy": {"supportType": "EXTENDED"},
        "vpcConfig": {"publicAccessCidrs": ["203.0.113.0/24", "2001:db8::/32"], "subnetIds": ["subnet-a"]},
    },
    GROUP: {
        "capacityType": "SPOT",
        "clusterName": "prod",
        "nodeGroupName": "n" * 63,
        "nodeRoleArn": ARN,
        "scalingConfig": {"desiredSize": 0, "maxSize": 1, "minSize": 0},
        "subnetIds": ["subnet-a"],
        "taints": [{"key": "k", "value": "", "effect": "NO_SCHEDULE"}],
        "updateConfig": {"maxUnavailable": 1},
    },
    ROLE: {"assumeRolePolicy": "{}", "description": "d" * 1000, "name": "a+=,.@-_" + "r" * 56, "path": "/p/"},
    LOGS: {"name": "/aws/eks/prod/cluster", "retentionInDays": 90},
}


def failures(token: str, **changes: Any) -> dict[str, str]:
    checked = check(RESOURCES[token], {**GIVEN[token], **changes}, CheckContext("x", {}, b"seed", {}))
    return dict(checked.failures)


@pytest.mark.parametrize("token", GIVEN)
def test_valid_inputs_are_accepted(token: str) -> None:
    assert failures(token) == {}


@pytest.mark.parametrize(
    ("token", "key", "value", "words"),
    [
        (CLUSTER, "name", "-prod", "doesn't comply with restrictions"),
        (CLUSTER, "name", "p" * 101, "in the range (1 - 100)"),
        (CLUSTER, "enabledClusterLogTypes", ["api", "kubelet"], 'one of ["api" "audit"'),
        (CLUSTER, "upgradePolicy", {"supportType": "LONG"}, 'one of ["STANDARD" "EXTENDED"]'),
        (CLUSTER, "vpcConfig", {"subnetIds": []}, "requires 1 item minimum"),
        (CLUSTER, "vpcConfig", {"subnetIds": ["s"], "publicAccessCidrs": ["203.0.113.7/24"]}, "not a valid CIDR block"),
        (CLUSTER, "vpcConfig", {"subnetIds": ["s"], "publicAccessCidrs": ["home"]}, "not a valid CIDR block"),
        (CLUSTER, "kubernetesNetworkConfig", {"serviceIpv4Cidr": "10.100.0.0/25"}, "between 12 and 24"),
        (CLUSTER, "kubernetesNetworkConfig", {"ipFamily": "v4"}, 'one of ["ipv4" "ipv6"]'),
        (GROUP, "clusterName", "", "in the range (1 - 100)"),
        (GROUP, "nodeGroupName", "n" * 64, "in the range (0 - 63)"),
        (GROUP, "capacityType", "CHEAP", 'one of ["ON_DEMAND" "SPOT"'),
        (GROUP, "scalingConfig", {"desiredSize": 0, "maxSize": 0, "minSize": 0}, "max_size to be in the range (1"),
        (GROUP, "scalingConfig", {"desiredSize": -1, "maxSize": 1, "minSize": 0}, "desired_size to be in the range"),
        (GROUP, "subnetIds", [], "requires 1 item minimum"),
        (GROUP, "taints", [{"key": "k", "effect": "NoSchedule"}], 'one of ["NO_SCHEDULE"'),
        (GROUP, "updateConfig", {"maxUnavailable": 1, "maxUnavailablePercentage": 10}, "and only one"),
        (GROUP, "updateConfig", {"maxUnavailablePercentage": 101}, "in the range (1 - 100)"),
        (ROLE, "name", "r" * 65, "in the range (0 - 64)"),
        (ROLE, "name", "a role", "doesn't comply with restrictions"),
        (ROLE, "description", "d" * 1001, "in the range (0 - 1000)"),
        (LOGS, "retentionInDays", 31, "one of ["),
    ],
)
def test_invalid_value_is_rejected(token: str, key: str, value: object, words: str) -> None:
    found = failures(token, **{key: value})
    assert set(found) == {key}
    assert words in found[key]


@pytest.mark.parametrize(
    ("token", "given", "key", "value"),
    [
        (LOGS, {}, "deletionProtectionEnabled", True),
        ("aws:ec2/subnet:Subnet", {"vpcId": "vpc-1"}, "enableDns64", True),
        ("aws:kms/key:Key", {}, "isEnabled", False),
        ("aws:kms/key:Key", {}, "rotationPeriodInDays", 90),
    ],
)
def test_a_value_that_no_call_sends_is_rejected(token: str, given: dict[str, Any], key: str, value: object) -> None:
    checked = check(RESOURCES[token], {**given, key: value}, CheckContext("x", {}, b"seed", {}))
    (reason,) = [text for name, text in checked.failures if name == key]
    assert f"does not serve the value {value!r} of {key!r}" in reason
    default = RESOURCES[token].properties[key].default
    assert (
        default is None or not check(RESOURCES[token], {**given, key: default}, CheckContext("x", {}, b"", {})).failures
    )
