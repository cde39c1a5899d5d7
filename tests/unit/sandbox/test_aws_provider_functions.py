"""Functions of the aws stand-in: calls, results and errors."""

from typing import Any

import pytest

from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.values import plain
from tests.unit.aws_script import (
    ATTACHED,
    GET_PROVIDER,
    GET_ROLE,
    NOW,
    PROVIDER_ARN,
    ScriptedAccount,
    describe,
    provider,
    refusal,
)

CLUSTER = {
    "cluster": {
        "arn": "arn:aws:eks:ap-southeast-1:140023393377:cluster/prod",
        "certificateAuthority": {"data": "Q0E="},
        "createdAt": NOW,
        "endpoint": "https://e",
        "identity": {"oidc": {"issuer": "https://i"}},
        "logging": {"clusterLogging": [{"enabled": True, "types": ["audit"]}, {"enabled": False, "types": ["api"]}]},
        "name": "prod",
        "resourcesVpcConfig": {"securityGroupIds": ["sg-1"], "vpcId": "vpc-1"},
        "status": "ACTIVE",
        "version": "1.35",
    }
}


def test_get_cluster_result_has_the_shape_of_the_sdk() -> None:
    answer = provider(ScriptedAccount({"DescribeCluster": CLUSTER})).invoke(
        "aws:eks/getCluster:getCluster", {"name": "prod"}
    )
    assert answer["identities"] == [{"oidcs": [{"issuer": "https://i"}]}]
    assert answer["certificateAuthorities"] == [{"data": "Q0E="}]
    assert answer["enabledClusterLogTypes"] == ["audit"]
    assert answer["outpostConfigs"] == []
    assert plain(answer["vpcConfig"])["securityGroupIds"] == ["sg-1"]


def test_get_cluster_error_names_the_missing_cluster() -> None:
    aws = ScriptedAccount({"DescribeCluster": refusal("ResourceNotFoundException", status=404)})
    with pytest.raises(ProviderError) as failure:
        provider(aws).invoke("aws:eks/getCluster:getCluster", {"name": "nope"})
    assert str(failure.value) == (
        "invoking aws:eks/getCluster:getCluster: 1 error occurred:\n\t* "
        "reading EKS Cluster (nope): couldn't find resource\n\n"
    )


VERSIONS = {
    "addons": [
        {
            "addonVersions": [
                {"addonVersion": "v2", "compatibilities": [{"clusterVersion": "1.35", "defaultVersion": False}]},
                {"addonVersion": "v1", "compatibilities": [{"clusterVersion": "1.35", "defaultVersion": True}]},
            ]
        }
    ]
}
LISTED = {"OpenIDConnectProviderList": [{"Arn": PROVIDER_ARN}]}
FUNCTIONS = [
    (
        "aws:eks/getAddonVersion:getAddonVersion",
        {"addonName": "x", "kubernetesVersion": "1.35"},
        {"DescribeAddonVersions": VERSIONS},
        "version",
        "v1",
    ),
    (
        "aws:eks/getAddonVersion:getAddonVersion",
        {"addonName": "x", "kubernetesVersion": "1.35", "mostRecent": True},
        {"DescribeAddonVersions": VERSIONS},
        "version",
        "v2",
    ),
    (
        "aws:eks/getAddon:getAddon",
        {"clusterName": "prod", "addonName": "x"},
        {"DescribeAddon": describe()},
        "addonVersion",
        "v1",
    ),
    (
        "aws:iam/getRole:getRole",
        {"name": "r"},
        {"GetRole": GET_ROLE, "ListAttachedRolePolicies": ATTACHED},
        "uniqueId",
        "AROA1",
    ),
    (
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
        {"url": "https://oidc.example/id/A"},
        {"ListOpenIDConnectProviders": LISTED, "GetOpenIDConnectProvider": GET_PROVIDER},
        "arn",
        PROVIDER_ARN,
    ),
    (
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
        {"arn": PROVIDER_ARN},
        {"GetOpenIDConnectProvider": GET_PROVIDER},
        "url",
        "oidc.example/id/A",
    ),
    (
        "aws:index/getCallerIdentity:getCallerIdentity",
        {},
        {"GetCallerIdentity": {"Account": "1", "Arn": "a", "UserId": "u"}},
        "accountId",
        "1",
    ),
    ("aws:index/getPartition:getPartition", {}, {}, "reverseDnsPrefix", "com.amazonaws"),
]


@pytest.mark.parametrize(("token", "arguments", "answers", "key", "value"), FUNCTIONS)
def test_function_returns_the_value_from_aws(
    token: str, arguments: dict[str, Any], answers: dict[str, Any], key: str, value: str
) -> None:
    assert provider(ScriptedAccount(answers)).invoke(token, arguments)[key] == value


WRONG_CALLS = [
    ("aws:ec2/getVpc:getVpc", {}, {}, "unsupported function aws:ec2/getVpc:getVpc"),
    ("aws:iam/getRole:getRole", {"nam": "r"}, {}, "no argument 'nam'; did you mean 'name'?"),
    ("aws:iam/getRole:getRole", {}, {}, 'The argument "name" is required'),
    (
        "aws:iam/getRole:getRole",
        {"name": "r"},
        {"GetRole": refusal("NoSuchEntity")},
        r"reading IAM Role \(r\): couldn't find",
    ),
    ("aws:eks/getCluster:getCluster", {"name": "prod", "region": "eu-west-1"}, {}, "serves the provider's own region"),
    ("aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", {}, {}, 'one of "arn" or "url" must be specified'),
    (
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
        {"url": "https://other"},
        {"ListOpenIDConnectProviders": LISTED},
        "no IAM OIDC Provider found for url https://other",
    ),
]


@pytest.mark.parametrize(("token", "arguments", "answers", "text"), WRONG_CALLS)
def test_invalid_or_failed_function_call_raises_an_error(
    token: str, arguments: dict[str, Any], answers: dict[str, Any], text: str
) -> None:
    with pytest.raises(ProviderError, match=text):
        provider(ScriptedAccount(answers)).invoke(token, arguments)
