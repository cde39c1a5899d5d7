"""Comparison of ARNs in a stack file with the partition, region and account of the stack."""

from collections.abc import Callable
from typing import Any

import botocore.session
import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.arg_schema import collect_field_names
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.eks.addons.cluster_addons_args import ClusterAddonsArgs
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.eks.network.load_balancer import NetworkLoadBalancerArgs, network_load_balancer
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack import settings
from eks_rocketmq.stack.arn_checks import RULES, check_arns, get_partition
from eks_rocketmq.stack.stack_file import find_single_account
from eks_rocketmq.stack.stack_paths import STACK_FILE
from tests.unit.harness import run, stack_config
from tests.unit.harness.rejections import rejects
from tests.unit.stack_case import node_group, parse_stack

ACCOUNT, OTHER_ACCOUNT = "140023393377", "111122223333"
REGION = "ap-southeast-1"
SET_BY_STACK = {"provider_arn", "cluster_arn"}
CERTIFICATE_ANNOTATION = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"


def arn(service: str, resource: str, **changed: str) -> str:
    parts = {"partition": "aws", "region": "" if service == "iam" else REGION, "account": ACCOUNT, **changed}
    return f"arn:{parts['partition']}:{service}:{parts['region']}:{parts['account']}:{resource}"


def key(**changed: str) -> str:
    return arn("kms", "key/11111111-2222-3333-4444-555555555555", **changed)


def certificate(**changed: str) -> str:
    return arn("acm", "certificate/11111111-2222-3333-4444-555555555555", **changed)


def role(**changed: str) -> str:
    return arn("iam", "role/team", **changed)


def policy(**changed: str) -> str:
    return arn("iam", "policy/team", **changed)


def entries(principal: str) -> dict[str, Any]:
    entry = {"name": "team", "principalArn": principal, "policies": [{"policy": "AmazonEKSViewPolicy"}]}
    return {"cluster": {"accessEntries": [entry]}}


def annotations(value: str) -> dict[str, Any]:
    external = {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"], "annotations": {CERTIFICATE_ANNOTATION: value}}
    return {"rocketmq": {"external": external}}


PATHS: dict[str, tuple[Callable[..., str], Callable[[str], dict[str, Any]]]] = {
    "cluster.role_arn": (role, lambda text: {"cluster": {"roleArn": text}}),
    "cluster.access_entries['team'].principal_arn": (role, entries),
    "cluster.log_kms_key_arn": (key, lambda text: {"cluster": {"logKmsKeyArn": text}}),
    "cluster.secrets_kms_key_arn": (key, lambda text: {"cluster": {"secretsKmsKeyArn": text}}),
    "network.permissions_boundary": (policy, lambda text: {"network": {"permissionsBoundary": text}}),
    "node_groups['general'].role_arn": (role, lambda text: node_group(roleArn=text)),
    "node_groups['general'].disk_kms_key_arn": (key, lambda text: node_group(diskKmsKeyArn=text)),
    "node_groups['general'].managed_policies[0]": (policy, lambda text: node_group(managedPolicies=[text])),
    "ebs_csi.permissions_boundary": (policy, lambda text: {"ebsCsi": {"permissionsBoundary": text}}),
    "ebs_csi.kms_key_arns[0]": (key, lambda text: {"ebsCsi": {"kmsKeyArns": [text]}}),
    "storage.kms_key_id": (key, lambda text: {"storage": {"kmsKeyId": text}}),
    "network_load_balancer.certificate_arn": (
        certificate,
        lambda text: {"networkLoadBalancer": {"certificateArn": text}},
    ),
    f"rocketmq.external.annotations['{CERTIFICATE_ANNOTATION}']": (certificate, annotations),
}
"""For each path of an argument with an ARN: a function that builds an ARN, and one that builds the keys with it."""
REGIONAL = [path for path, (build, _) in PATHS.items() if build in (key, certificate)]
IN_ACCOUNT = [path for path, (build, _) in PATHS.items() if build in (policy, certificate)]
IN_ACCOUNT += ["node_groups['general'].role_arn"]


@pytest.mark.parametrize("path", PATHS)
def test_an_arn_of_the_stacks_account_and_region_is_accepted(path: str) -> None:
    build, put = PATHS[path]
    parse_stack("staging", put(build()))


@pytest.mark.parametrize("path", PATHS)
def test_an_arn_of_another_partition_is_rejected(path: str) -> None:
    build, put = PATHS[path]
    with rejects((path, "arn-partition")):
        parse_stack("staging", put(build(partition="aws-cn")))


@pytest.mark.parametrize("path", REGIONAL)
def test_a_regional_resource_of_another_region_is_rejected(path: str) -> None:
    build, put = PATHS[path]
    with rejects((path, "arn-region")):
        parse_stack("staging", put(build(region="eu-west-1")))


@pytest.mark.parametrize("path", IN_ACCOUNT)
def test_a_resource_of_another_account_is_rejected_if_aws_requires_the_same(path: str) -> None:
    build, put = PATHS[path]
    with rejects((path, "arn-account")):
        parse_stack("staging", put(build(account=OTHER_ACCOUNT)))


@pytest.mark.parametrize("path", [path for path in PATHS if path not in IN_ACCOUNT])
def test_keys_and_principals_of_another_account_are_accepted(path: str) -> None:
    build, put = PATHS[path]
    parse_stack("staging", put(build(account=OTHER_ACCOUNT)))


@pytest.mark.parametrize("path", PATHS)
def test_without_region_and_account_any_arn_is_accepted(path: str) -> None:
    build, put = PATHS[path]
    overrides = put(build(account=OTHER_ACCOUNT, partition="aws-cn"))
    parse_stack("staging", {**overrides, "aws:region": None, "aws:allowedAccountIds": None})


def test_the_error_spells_the_argument_as_in_the_stack_file() -> None:
    given = certificate(region="eu-west-1")
    overrides = {"networkLoadBalancer": {"certificateArn": given}}
    with pytest.raises(pulumi.RunError) as error:
        run(settings.load, config=stack_config("staging", overrides), stack="staging")
    assert str(error.value).startswith(
        f"Pulumi.staging.yaml: networkLoadBalancer.certificateArn: {given!r} belongs to region 'eu-west-1'. "
        f"Accepted: an ARN of aws:region, {REGION!r}, because "
    )


def test_a_managed_policy_of_aws_is_accepted_as_permissions_boundary() -> None:
    parse_stack("staging", {"ebsCsi": {"permissionsBoundary": policy(account="aws")}})


def test_accounts_are_not_compared_if_the_stack_may_use_several() -> None:
    overrides = {
        "aws:allowedAccountIds": [ACCOUNT, OTHER_ACCOUNT],
        "ebsCsi": {"permissionsBoundary": policy(account=OTHER_ACCOUNT)},
    }
    run(settings.load, config=stack_config("staging", overrides), stack="staging")


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_a_committed_stack_file_is_accepted(stack: str) -> None:
    run(settings.load, config=stack_config(stack), stack=stack)


@pytest.mark.parametrize("value", [{"labels": {"owner": role(partition="aws-cn")}}, {"tags": {"key": key(region="x")}}])
def test_an_arn_in_free_text_is_ignored(value: dict[str, Any]) -> None:
    secret = {"users": [{"password": role(partition="aws-cn")}]}
    check_arns({"storage": value, "rocketmq": {"access": secret}}, REGION, ACCOUNT)


def test_arns_of_an_addon_installed_after_the_nodes_are_checked() -> None:
    configuration = {"environment_names": {"ROLE_ARN": role(partition="aws-cn")}}
    overrides = {"addons": {"addons": [{"name": "aws-efs-csi-driver", "configuration": configuration}]}}
    with pytest.raises(ArgumentError) as error:
        parse_stack("staging", overrides)
    assert error.value.code == "arn-partition"
    path = "addons.addons['aws-efs-csi-driver'].configuration.environment_names.ROLE_ARN"
    assert STACK_FILE.spell_path(error.value.path) == path


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "certificate-arn"),
        ("arn", "certificate-arn"),
        (role(), "iam-certificate-arn"),
        (key(region=""), "certificate-arn"),
        ("certificate", "certificate-arn"),
    ],
)
def test_an_invalid_certificate_arn_is_rejected(value: str, code: str) -> None:
    with rejects(("certificate_arn", code)):
        network_load_balancer({"certificate_arn": value})


def test_an_iam_server_certificate_is_accepted() -> None:
    assert network_load_balancer({"certificate_arn": arn("iam", "server-certificate/mq")})


def list_arn_fields() -> set[str]:
    """Return the arguments of the stack whose values are ARNs."""
    cluster = (NetworkArgs, EksClusterArgs, NodeGroupArgs, ClusterAddonsArgs)
    components = (*cluster, EbsCsiAddonArgs, EbsStorageClassArgs, NetworkLoadBalancerArgs, RocketMqArgs)
    names = set().union(*map(collect_field_names, components))
    endings = ("_arn", "_arns", "_boundary", "kms_key_id", "managed_policies")
    return {name for name in names if name.endswith(endings)} - SET_BY_STACK


def test_each_argument_that_takes_an_arn_has_a_rule_and_a_case() -> None:
    assert list_arn_fields() <= RULES.keys()
    assert list_arn_fields() <= {path.removesuffix("[0]").rpartition(".")[2] for path in PATHS}


def test_partitions_are_those_of_botocore() -> None:
    session = botocore.session.get_session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("ec2", partition, allow_non_regional=False):
            assert get_partition(region) == partition


@pytest.mark.parametrize(
    ("allowed", "account"),
    [
        (None, None),
        ("", None),
        ("[]", None),
        ("x", None),
        (f'["{ACCOUNT}"]', ACCOUNT),
        (f"[{ACCOUNT}]", ACCOUNT),
        ('"a"', None),
    ],
)
def test_the_account_is_known_if_the_stack_allows_only_one(allowed: str | None, account: str | None) -> None:
    assert find_single_account(allowed) == account


@given(
    st.recursive(
        st.sampled_from([role(), key(), policy(), certificate(), "text", role(account=OTHER_ACCOUNT)]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_arns_of_the_stacks_account_and_region_are_accepted_anywhere(value: Any) -> None:
    check_arns({"cluster": value}, REGION, ACCOUNT)
