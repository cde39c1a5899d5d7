"""Every ARN of a stack file against the partition, region and account of the stack."""

from typing import Any

import botocore.session
import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.arg_schema import collect_field_names, to_camel_case
from eks_rocketmq.eks.addons.cluster_addons_args import ClusterAddonsArgs
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.eks.network.load_balancer import network_load_balancer
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.stack import settings
from eks_rocketmq.stack.arn_checks import RULES, check_arns, partition_of
from eks_rocketmq.stack.external_settings import StackExternalArgs
from eks_rocketmq.stack.stack_file import only_account
from tests.unit.harness import run, stack_config

HOME, OTHER = "140023393377", "111122223333"
REGION = "ap-southeast-1"
WIRED = {"providerArn", "clusterArn", "policyArns"}
"""What the program puts in itself, or that no stack file has."""


def arn(service: str, resource: str, **changed: str) -> str:
    parts = {"partition": "aws", "region": "" if service == "iam" else REGION, "account": HOME, **changed}
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
    given_ = {"name": "team", "principalArn": principal, "policies": [{"policy": "AmazonEKSViewPolicy"}]}
    return {"newCluster": {"version": "1.35", "accessEntries": [given_]}}


def nodes(**changed: Any) -> dict[str, Any]:
    return {"nodeGroups": {"general": {"instanceTypes": ["m7i.large"], **changed}}}


def balancer(**changed: Any) -> dict[str, Any]:
    return {"external": {"networkLoadBalancer": changed}}


def annotated(value: str) -> dict[str, Any]:
    named = {"service.beta.kubernetes.io/aws-load-balancer-ssl-cert": value}
    return {"external": {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"], "annotations": named}}


PLACES: dict[str, tuple[Any, Any]] = {
    "clusterRoleArn": (role, lambda text: {"clusterRoleArn": text}),
    "newCluster.accessEntries['team'].principalArn": (role, entries),
    "newCluster.logKmsKeyArn": (key, lambda text: {"newCluster": {"version": "1.35", "logKmsKeyArn": text}}),
    "newCluster.secretsKmsKeyArn": (key, lambda text: {"newCluster": {"version": "1.35", "secretsKmsKeyArn": text}}),
    "network.permissionsBoundary": (policy, lambda text: {"network": {"permissionsBoundary": text}}),
    "nodeGroups['general'].roleArn": (role, lambda text: nodes(roleArn=text)),
    "nodeGroups['general'].diskKmsKeyArn": (key, lambda text: nodes(diskKmsKeyArn=text)),
    "nodeGroups['general'].managedPolicies": (policy, lambda text: nodes(managedPolicies=[text])),
    "ebsCsi.permissionsBoundary": (policy, lambda text: {"ebsCsi": {"permissionsBoundary": text}}),
    "ebsCsi.kmsKeyArns": (key, lambda text: {"ebsCsi": {"kmsKeyArns": [text]}}),
    "newStorageClass.kmsKeyId": (key, lambda text: {"newStorageClass": {"kmsKeyId": text}}),
    "external.networkLoadBalancer.certificateArn": (certificate, lambda text: balancer(certificateArn=text)),
    "external.annotations['service.beta.kubernetes.io/aws-load-balancer-ssl-cert']": (certificate, annotated),
}
"""Where an ARN stands in a stack file: what makes one, and what puts it there."""
REGIONAL = [path for path, (make, _) in PLACES.items() if make in (key, certificate)]
IN_ACCOUNT = [path for path, (make, _) in PLACES.items() if make in (policy, certificate)]
IN_ACCOUNT += ["nodeGroups['general'].roleArn"]


def loaded(overrides: dict[str, Any]) -> None:
    run(settings.load, config=stack_config("staging", overrides), stack="staging")


def refused(overrides: dict[str, Any]) -> str:
    with pytest.raises(pulumi.RunError) as error:
        loaded(overrides)
    return str(error.value)


@pytest.mark.parametrize("path", PLACES)
def test_an_arn_of_the_stack_s_own_is_taken(path: str) -> None:
    make, put = PLACES[path]
    loaded(put(make()))


@pytest.mark.parametrize("path", PLACES)
def test_an_arn_of_another_partition_is_refused(path: str) -> None:
    make, put = PLACES[path]
    other = make(partition="aws-cn")
    assert refused(put(other)) == (
        f"Pulumi.staging.yaml: {path} is {other!r}, of partition 'aws-cn'. Accepted is one of 'aws', "
        f"the partition of aws:region, {REGION!r}. Name one that begins with 'arn:aws:'"
    )


@pytest.mark.parametrize("path", REGIONAL)
def test_a_regional_resource_of_another_region_is_refused(path: str) -> None:
    make, put = PLACES[path]
    told = refused(put(make(region="eu-west-1")))
    assert f"{path} is {make(region='eu-west-1')!r}, of region 'eu-west-1'. Accepted is one of aws:region" in told


@pytest.mark.parametrize("path", IN_ACCOUNT)
def test_what_must_be_in_the_account_is_refused_from_another(path: str) -> None:
    make, put = PLACES[path]
    told = refused(put(make(account=OTHER)))
    assert f"{path} is {make(account=OTHER)!r}, of account {OTHER}. Accepted is one of {HOME}, the account of" in told


@pytest.mark.parametrize("path", [path for path in PLACES if path not in IN_ACCOUNT])
def test_keys_and_people_may_be_of_another_account(path: str) -> None:
    make, put = PLACES[path]
    loaded(put(make(account=OTHER)))


def test_a_policy_of_aws_bounds_a_role_as_well() -> None:
    loaded({"ebsCsi": {"permissionsBoundary": policy(account="aws")}})


def test_nothing_is_known_of_an_account_where_the_guard_leaves_two() -> None:
    wide = {"aws:allowedAccountIds": [HOME, OTHER]}
    loaded({**wide, "ebsCsi": {"permissionsBoundary": policy(account=OTHER)}})


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_a_committed_stack_file_has_arns_of_its_own_place(stack: str) -> None:
    run(settings.load, config=stack_config(stack), stack=stack)


@pytest.mark.parametrize("free", [{"labels": {"owner": "x"}}, {"tags": {"key": key(region="eu-west-1")}}])
def test_an_arn_in_the_user_s_own_text_is_nobody_s(free: dict[str, Any]) -> None:
    check_arns({"newStorageClass": free, "access": {"users": [{"password": role(partition="aws-cn")}]}}, REGION, HOME)


@pytest.mark.parametrize("value", ["", "arn", role(), key(region=""), "certificate"])
def test_a_certificate_is_one(value: str) -> None:
    with pytest.raises(ValueError, match=r"certificate_arn is .*; accepted is the ARN of a certificate"):
        network_load_balancer({"certificate_arn": value})


def test_a_certificate_of_iam_is_taken() -> None:
    assert network_load_balancer({"certificate_arn": arn("iam", "server-certificate/mq")})


def arn_fields() -> set[str]:
    """Fields of the stack's arguments that take an ARN, as the stack file spells them."""
    cluster = (NetworkArgs, EksClusterArgs, NodeGroupArgs, ClusterAddonsArgs)
    parts = (*cluster, EbsCsiAddonArgs, EbsStorageClassArgs, StackExternalArgs)
    names = set().union(*map(collect_field_names, parts))
    telling = ("_arn", "_arns", "_boundary", "kms_key_id", "managed_policies")
    return {to_camel_case(name) for name in names if name.endswith(telling)}


def test_each_argument_that_takes_an_arn_has_a_rule_and_a_row() -> None:
    assert arn_fields() - WIRED <= RULES.keys()
    rows = {path.rpartition(".")[2] for path in PLACES}
    assert arn_fields() - WIRED <= rows


def test_partitions_are_those_of_aws() -> None:
    session = botocore.session.get_session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("ec2", partition, allow_non_regional=False):
            assert partition_of(region) == partition


@pytest.mark.parametrize(
    ("allowed", "account"),
    [(None, None), ("", None), ("[]", None), ("x", None), (f'["{HOME}"]', HOME), (f"[{HOME}]", HOME), ('"a"', None)],
)
def test_the_account_is_known_where_the_guard_leaves_one(allowed: str | None, account: str | None) -> None:
    assert only_account(allowed) == account


@given(
    st.recursive(
        st.sampled_from([role(), key(), policy(), certificate(), "text", role(account=OTHER)]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_no_alarm_for_what_is_at_home(value: Any) -> None:
    check_arns({"newCluster": value}, REGION, HOME)
