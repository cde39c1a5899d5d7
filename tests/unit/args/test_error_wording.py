"""Wording of each error that `args` and `pulumi_sdk` raise."""

from collections.abc import Callable
from typing import Any, NotRequired, TypedDict

import pytest
from pulumi import Output, RunError

from eks_rocketmq.args.arg_schema import convert_from_camel_case, validate_args
from eks_rocketmq.args.argument_path import ARGS, CAMEL_CASE
from eks_rocketmq.args.aws_identifiers import (
    parse_arn,
    parse_certificate_arn,
    parse_cluster_arn,
    parse_issuer_host,
    parse_kms_key_arn,
    parse_oidc_provider_arn,
    parse_policy_arn,
    parse_role_arn,
    validate_addon_version,
    validate_cluster_name,
    validate_kubernetes_version,
    validate_managed_policy,
)
from eks_rocketmq.args.aws_tags import EC2_ONLY, TagFormat, validate_tags
from eks_rocketmq.args.cidr import (
    parse_block,
    parse_vpc_block,
    plan_subnets,
    validate_public_sources,
    validate_service_block,
)
from eks_rocketmq.args.errors import ErrorCollector, render_error
from eks_rocketmq.args.log_retention import RETENTION_DAYS, validate_retention
from eks_rocketmq.args.pod_values import validate_resources, validate_tolerations
from eks_rocketmq.args.validation import (
    parse_bytes,
    parse_whole_number,
    reject_duplicates,
    reject_empty,
    reject_ignored_args,
    validate_choice,
    validate_cpu,
    validate_digest,
    validate_dns_label,
    validate_dns_subdomain,
    validate_image,
    validate_image_tag,
    validate_label_value,
    validate_labels,
    validate_range,
)
from eks_rocketmq.pulumi_sdk.component import apply_redacted
from tests.unit.harness import run
from tests.unit.harness.rejections import Wording, check_wording


class Group(TypedDict):
    """An item of a list."""

    name: str
    queue_count: NotRequired[int]


class Args(TypedDict):
    """Arguments of a component."""

    groups: NotRequired[list[Group]]
    labels: NotRequired[dict[str, str]]


def convert(args: dict[str, Any]) -> None:
    errors = ErrorCollector()
    convert_from_camel_case(args, Args, ARGS, errors)
    errors.raise_errors()


def resolve(create: Callable[[], Output[Any]]) -> None:
    """Await an output. Its error fails the program."""
    run(lambda: Output.from_input(create().future()))


def reject(_: object) -> None:
    msg = "hunter2 is too short"
    raise ValueError(msg)


FOR_ISSUER = "the URL that DescribeCluster returns, such as 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD'"
WORDING = [
    Wording("dns-label", lambda: validate_dns_label("A", ARGS / "namespace"), (
        "namespace: 'A' is no label of DNS. Accepted: 1 to 63 lower-case letters, digits and '-', beginning and ending "
        "with a letter or a digit."
    )),
    Wording("dns-subdomain", lambda: validate_dns_subdomain("a_b", ARGS / "storage_class"), (
        "storage_class: 'a_b' is no name that Kubernetes accepts. Accepted: 1 to 253 lower-case letters, digits, '-' "
        "and '.', each part beginning and ending with a letter or a digit."
    )),
    Wording("whole-number", lambda: parse_whole_number(1.5, ARGS / "replicas"), (
        "replicas: 1.5 is not whole. Accepted: a whole number, such as 3."
    )),
    Wording("range", lambda: validate_range(17, 1, 16, ARGS / "queues"), (
        "queues: 17 is out of range. Accepted: 1 to 16."
    )),
    Wording("choice", lambda: validate_choice("strickt", ["dev", "strict"], ARGS / "profile"), (
        "profile: 'strickt' is not accepted. Accepted: 'dev', 'strict'. Did you mean 'strict'?"
    )),
    Wording("duplicate", lambda: reject_duplicates(["a", "b", "a"], ARGS / "topics"), (
        "topics: 'a' is given more than once. Accepted: each name once."
    )),
    Wording("empty-list", lambda: reject_empty([], ARGS / "source_ranges", "every address"), (
        "source_ranges: the list is empty, which would mean every address. Accepted: one item or more. Leave the "
        "argument out for every address."
    )),
    Wording(
        "ignored-argument",
        lambda: reject_ignored_args(
            {"role_name": "a"}, ["role_name"], ARGS / "driver", ARGS / "driver" / "role_arn", "names a role of your own"
        ),
        "driver.role_name: the argument has no effect, because driver.role_arn names a role of your own. Leave one of "
        "the two out.",
    ),
    Wording("size-without-unit", lambda: parse_bytes("4", ARGS / "memory"), (
        "memory: '4' has no unit. Accepted: a size above 0 with a unit. Write '4Gi', for example."
    )),
    Wording("size", lambda: parse_bytes("ten", ARGS / "memory"), (
        "memory: 'ten' is no size. Accepted: a size above 0 with a unit, such as '512Mi', '4Gi' or '100Gi'."
    )),
    Wording("qualified-name", lambda: validate_labels({"a b": "c"}, ARGS / "labels"), (
        "labels: 'a b' is no key that Kubernetes accepts. Accepted: up to 63 letters, digits, '-', '_' and '.', "
        "optionally after a domain and '/', such as 'example.com/team'."
    )),
    Wording("label-value", lambda: validate_label_value("a b", (ARGS / "labels").key("team")), (
        "labels['team']: 'a b' is no value that Kubernetes accepts for a label. Accepted: up to 63 letters, digits, "
        "'-', '_' and '.', beginning and ending with a letter or a digit."
    )),
    Wording("cpu", lambda: validate_cpu("2 cores", ARGS / "cpu"), (
        "cpu: '2 cores' is no amount of CPU. Accepted: a number of CPUs, such as '500m' or '2'."
    )),
    Wording("image-digest", lambda: validate_digest("latest", ARGS / "digest"), (
        "digest: 'latest' is not accepted. Accepted: 'sha256:' and 64 hexadecimal digits."
    )),
    Wording("image", lambda: validate_image("rocketmq:5.5.0", ARGS / "image"), (
        "image: 'rocketmq:5.5.0' is no name of an image. Accepted: an image without tag and digest, such as "
        "'apache/rocketmq' or 'registry.example.com:5000/apache/rocketmq'."
    )),
    Wording("image-tag", lambda: validate_image_tag("5.5.0@1", ARGS / "version"), (
        "version: '5.5.0@1' is no tag of an image. Accepted: up to 128 letters, digits, '-', '_' and '.', such as "
        "'2.1.0'."
    )),
    Wording("python-spelling", lambda: convert({"groups": [{"name": "a", "queue_count": 1}]}), (
        "groups['a'].queue_count: unknown field. Write queue_count."  # as Python spells it; see below for camelCase
    )),
    Wording("missing", lambda: validate_args({"groups": [{}]}, Args), (
        "groups[0].name: a value is required. Accepted: a string."
    )),
    Wording("unknown-field", lambda: validate_args({"groups": [{"name": "a", "queues_count": 1}]}, Args), (
        "groups['a'].queues_count: unknown field. Accepted: name, queue_count. Did you mean queue_count?"
    )),
    Wording("wrong-type", lambda: validate_args({"groups": ["a"]}, Args), (
        "groups[0]: 'a' has the wrong type. Accepted: an object with the fields name, queue_count."
    )),
    Wording("wrong-key-type", lambda: validate_args({"labels": {1: "a"}}, Args), (
        "labels: key 1 has the wrong type. Accepted: a string."
    )),
    Wording(
        "not-known-at-preview",
        lambda: run(lambda: validate_args({"groups": [{"name": Output.from_input("a")}]}, Args)),
        "groups[0].name: the value is an output, and the resources of the component depend on it. Accepted: a plain "
        "value that preview knows, no output of another resource and no secret.",
    ),
    Wording("cluster-name", lambda: validate_cluster_name("-prod"), (
        "cluster_name: EKS does not accept '-prod' as the name of a cluster. Accepted: 1 to 100 letters, digits, '-' "
        "and '_', beginning with a letter or a digit."
    )),
    Wording("kubernetes-version", lambda: validate_kubernetes_version("1.35.1", ARGS / "version"), (
        "version: '1.35.1' is not accepted. Accepted: a minor version of Kubernetes, such as '1.35'."
    )),
    Wording("addon-version", lambda: validate_addon_version("1.21", ARGS / "addon_version"), (
        "addon_version: '1.21' is not accepted. Accepted: a version such as 'v1.21.1-eksbuild.1'."
    )),
    Wording("role-arn", lambda: parse_role_arn("nodes", ARGS / "role_arn"), (
        "role_arn: 'nodes' is not accepted. Accepted: the ARN of an IAM role, such as "
        "'arn:aws:iam::123456789012:role/team/nodes'."
    )),
    Wording("policy-arn", lambda: parse_policy_arn("read", ARGS / "policy_arn"), (
        "policy_arn: 'read' is not accepted. Accepted: the ARN of an IAM policy, such as "
        "'arn:aws:iam::123456789012:policy/team/read'."
    )),
    Wording("oidc-provider-arn", lambda: parse_oidc_provider_arn("oidc", ARGS / "provider_arn"), (
        "provider_arn: 'oidc' is not accepted. Accepted: the ARN of an IAM OIDC provider, such as "
        "'arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD'."
    )),
    Wording("cluster-arn", lambda: parse_cluster_arn("prod", ARGS / "cluster_arn"), (
        "cluster_arn: 'prod' is not accepted. Accepted: the ARN of an EKS cluster, such as "
        "'arn:aws:eks:eu-west-1:123456789012:cluster/prod'."
    )),
    Wording("kms-key-arn", lambda: parse_kms_key_arn("alias/team", ARGS / "kms_key_arn"), (
        "kms_key_arn: 'alias/team' is not accepted. Accepted: the ARN of a KMS key, such as "
        "'arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab'. An alias grants nothing. `aws "
        "kms describe-key --key-id <alias>` shows its key."
    )),
    Wording("managed-policy", lambda: validate_managed_policy("a b", ARGS / "managed_policies"), (
        "managed_policies: 'a b' is no managed policy. Accepted: policies of AWS by path and name, such as "
        "'service-role/AmazonEBSCSIDriverPolicy', and policies of an account by ARN."
    )),
    Wording(
        "iam-certificate-arn",
        lambda: parse_certificate_arn("arn:aws:iam::123456789012:role/a", ARGS / "certificate_arn"),
        "certificate_arn: 'arn:aws:iam::123456789012:role/a' is not accepted. Accepted: the ARN of a certificate of "
        "ACM or IAM.",
    ),
    Wording("certificate-arn", lambda: parse_certificate_arn("web", ARGS / "certificate_arn"), (
        "certificate_arn: 'web' is not accepted. Accepted: the ARN of a certificate of ACM, such as "
        "'arn:aws:acm:eu-west-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab'."
    )),
    Wording("arn", lambda: parse_arn("nodes", ARGS / "role_arn"), (
        "role_arn: 'nodes' is no ARN. Accepted: an ARN, such as 'arn:aws:iam::123456789012:role/nodes'."
    )),
    Wording("oidc-issuer", lambda: parse_issuer_host("oidc.eks.eu-west-1.amazonaws.com"), (
        f"issuer: 'oidc.eks.eu-west-1.amazonaws.com' is no issuer. Accepted: {FOR_ISSUER}."
    )),
    Wording("ipv4-block", lambda: parse_block("10.0.0.0", ARGS / "cidr_block"), (
        "cidr_block: '10.0.0.0' is no IPv4 block. Accepted: an IPv4 block, such as '10.0.0.0/16'."
    )),
    Wording("address-inside-block", lambda: parse_block("10.0.0.1/16", ARGS / "cidr_block"), (
        "cidr_block: '10.0.0.1/16' is an address inside a block. Accepted: '10.0.0.0/16', the block itself."
    )),
    Wording("vpc-block-size", lambda: parse_vpc_block("10.0.0.0/8"), (
        "cidr_block: AWS does not accept the size of '10.0.0.0/8' for a VPC. Accepted: blocks of /16 to /28, such as "
        "'10.0.0.0/16'."
    )),
    Wording("vpc-block-reserved", lambda: parse_vpc_block("127.0.0.0/16"), (
        "cidr_block: '127.0.0.0/16' is a part of 127.0.0.0/8, which is reserved for loopback addresses. Accepted: a "
        "private block, such as '10.0.0.0/16'."
    )),
    Wording("tag-count", lambda: validate_tags({str(i): "x" for i in range(50)}, ARGS / "tags", added=1), (
        "tags: 50 tags are given. Accepted: up to 49 tags. AWS accepts 50 tags for each resource, and the component "
        "adds 1."
    )),
    Wording("tag-key", lambda: validate_tags({"AWS:team": "x"}, ARGS / "tags"), (
        "tags['AWS:team']: 'AWS:team' is not accepted as the key of a tag. Accepted: 1 to 128 letters, digits, spaces "
        "and '_.:/=+-@', not beginning with 'aws:'."
    )),
    Wording("tag-key-case", lambda: validate_tags({"Team": "x", "team": "y"}, ARGS / "tags"), (
        "tags['team']: the key differs from 'Team' only in case, and IAM treats both as the same key. Leave one of "
        "them out, or rename it."
    )),
    Wording("tag-value", lambda: validate_tags({"team": "a,b"}, ARGS / "tags", TagFormat(not_in_values=",@")), (
        "tags['team']: 'a,b' is not accepted as the value of a tag. Accepted: up to 256 letters, digits, spaces and "
        "'_.:/=+-'."
    )),
    Wording("resource-amount", lambda: validate_resources({"limits": {"cpu": "1 core"}}, ARGS / "resources"), (
        "resources['limits']['cpu']: '1 core' is no amount that Kubernetes accepts. Accepted: a number of 0 or more "
        "with a unit, such as '500m', '2' or '256Mi'."
    )),
    Wording(
        "request-above-limit",
        lambda: validate_resources({"requests": {"cpu": "2"}, "limits": {"cpu": "500m"}}, ARGS / "resources"),
        "resources['requests']['cpu']: '2' is more than '500m', the limit. Accepted: an amount up to the limit. Lower "
        "the request, or raise the limit.",
    ),
    Wording("pod-toleration", lambda: validate_tolerations([{"value": "x"}], ARGS / "tolerations"), (
        "tolerations[0]: Kubernetes rejects the toleration: without 'key' it needs the operator 'Exists'."
    )),
    Wording("subnet-prefix-length", lambda: plan_subnets(parse_vpc_block("10.0.0.0/20"), 2, private_prefix=18), (
        "private_prefix_length: a subnet of /18 is larger than the VPC 10.0.0.0/20, or AWS does not accept it. "
        "Accepted: 20 to 28."
    )),
    Wording("subnets-do-not-fit", lambda: plan_subnets(parse_vpc_block("10.0.0.0/20"), 3, 21, 24), (
        "cidr_block: 3 private subnets of /21 and 3 public ones of /24 do not fit into 10.0.0.0/20. Take smaller "
        "subnets (a larger prefix length), fewer zones or a larger block."
    )),
    Wording("private-source", lambda: validate_public_sources(["10.0.0.0/24"], ARGS / "public_access_cidrs"), (
        "public_access_cidrs: '10.0.0.0/24' is a part of 10.0.0.0/8, which is not routed on the internet. Accepted: "
        "public addresses, such as '203.0.113.0/24'. Use the private endpoint for private addresses."
    )),
    Wording(
        "public-sources",
        lambda: validate_public_sources(["203.0.113.0/24", "203.0.113.0/24"], ARGS / "public_access_cidrs"),
        "public_access_cidrs: a block is given more than once. Accepted: up to 40 blocks, each of them once.",
    ),
    Wording("service-block", lambda: validate_service_block("10.0.0.0/8"), (
        "service_cidr: EKS does not accept '10.0.0.0/8' for services. Accepted: blocks of /12 to /24 in 10.0.0.0/8, "
        "172.16.0.0/12 or 192.168.0.0/16, outside the VPC's own."
    )),
    Wording("log-retention", lambda: validate_retention(31, ARGS / "log_retention_days"), (
        "log_retention_days: CloudWatch does not accept 31 days. Accepted: "
        f"{', '.join(map(str, RETENTION_DAYS))} days. The nearest is 30."
    )),
    Wording(
        "secret-value",
        lambda: resolve(lambda: apply_redacted(Output.secret("hunter2"), reject, ARGS / "password", str)),
        "password: the value is not accepted, and it is secret, so the error does not show it. Compare the value with "
        "the description of the argument in components/README.md.",
    ),
]  # fmt: skip


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)


def test_a_snake_case_field_is_reported_as_written_with_its_camel_case_name() -> None:
    with pytest.raises(ValueError, match="queue_count") as error:
        convert({"groups": [{"name": "a", "queue_count": 1}]})
    assert render_error(error.value, CAMEL_CASE) == "groups['a'].queue_count: unknown field. Write queueCount."


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: validate_range(0, 1, None, ARGS / "queues"), "queues: 0 is out of range. Accepted: 1 or more."),
        (
            lambda: parse_issuer_host("https://0123ABCD.gr7.eu-west-1.eks.amazonaws.com"),
            "issuer: 'https://0123ABCD.gr7.eu-west-1.eks.amazonaws.com' is the endpoint of the API server, which "
            f"issues no tokens. Accepted: {FOR_ISSUER}.",
        ),
        (
            lambda: parse_issuer_host("https://oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD/.well-known/jwks"),
            "issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD/.well-known/jwks' is the discovery document "
            f"of an issuer. Accepted: {FOR_ISSUER}. Leave out what begins with '/.well-known'.",
        ),
        (
            lambda: validate_public_sources([f"203.0.113.{number}/32" for number in range(41)], ARGS / "sources"),
            "sources: the list has 41 blocks. Accepted: up to 40 blocks, each of them once.",
        ),
        (
            lambda: validate_tags({"": "x"}, ARGS / "tags", EC2_ONLY),
            "tags['']: '' is not accepted as the key of a tag. Accepted: 1 to 128 characters, not beginning with "
            "'aws:'.",
        ),
        (
            lambda: validate_tags({"a=b": "x"}, ARGS / "tags", TagFormat(any_character=True, not_in_keys="=,")),
            "tags['a=b']: 'a=b' is not accepted as the key of a tag. Accepted: 1 to 128 characters without '=' and "
            "',', not beginning with 'aws:'.",
        ),
        (
            lambda: resolve(lambda: apply_redacted(Output.from_input("a"), reject, ARGS / "password", str)),
            "hunter2 is too short",
        ),
    ],
)
def test_wording_of_error_variants(call: Callable[[], object], text: str) -> None:
    with pytest.raises((ValueError, RunError)) as error:
        call()
    assert str(error.value) == text
