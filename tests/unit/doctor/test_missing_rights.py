"""Rights of the doctor, taken away one by one: it names the missing one, and never another cause."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from eks_rocketmq.doctor.collectors import aws_reader
from eks_rocketmq.doctor.collectors.aws_reader import AwsReader
from eks_rocketmq.doctor.collectors.cluster_reader import ClusterReader
from eks_rocketmq.doctor.collectors.collect import CollectionScope, collect_facts
from eks_rocketmq.doctor.diagnosis import Diagnosis, ExitCode, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import Facts
from eks_rocketmq.doctor.facts.fact_queries import list_missing_permissions
from eks_rocketmq.doctor.required_access import AWS_ACTIONS, build_cluster_role
from tests.unit.doctor.denied_facts import DENIALS
from tests.unit.doctor.fault_cases import FAULTS
from tests.unit.doctor.healthy_cases import (
    auto_mode_facts,
    irsa_facts,
    node_role_facts,
    pod_identity_facts,
    self_managed_facts,
)
from tests.unit.doctor.live_case import (
    FakeAws,
    build_aws,
    fill_cluster,
    fill_default_key,
    fill_growth,
    fill_unreachable,
)
from tests.unit.harness.fakes import REGION
from tests.unit.kubernetes_api import Api

RULES = build_cluster_role()["rules"]
RIGHTS = [
    *AWS_ACTIONS,
    *(
        f"{verb} {resource}" + (f".{group}" if group else "")
        for rule in RULES
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ),
]
HEALTHY = (irsa_facts, pod_identity_facts, self_managed_facts, auto_mode_facts, node_role_facts)
# The hop limit only tells why the role of the node does not work. The service account has no role either way.
GENERAL_CAUSES = {"imds-hop-limit": "no-identity"}
# Only the trial shows this fault. Without its optional right the rest is judged.
TRIAL_FAULTS = ("trial",)
NETWORK_RIGHTS = ("ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcEndpoints")
_OPERATION = re.compile(r'_(?:call|list)[(,]\s*"([\w-]+)",\s*"(\w+)"')


def list_causes(diagnosis: Diagnosis) -> set[str]:
    return {each.id_ for each in diagnosis.findings}


def test_each_right_of_the_documentation_is_taken_away() -> None:
    assert set(DENIALS) == set(RIGHTS)


def test_the_policy_allows_each_operation_in_the_source_of_the_reader() -> None:
    source = Path(aws_reader.__file__).read_text(encoding="utf-8")
    operations = {f"{service.replace('-', '')}:{operation}" for service, operation in _OPERATION.findall(source)}
    assert operations - {"sts:GetCallerIdentity"} == set(AWS_ACTIONS)


@pytest.mark.parametrize("right", RIGHTS)
def test_without_a_right_no_fault_has_another_cause(right: str) -> None:
    judged = 0
    for cause, variant, build in FAULTS:
        facts = build()
        denied = DENIALS[right](facts)
        if denied == facts:
            continue
        judged += 1
        diagnosis = diagnose(denied)
        assert list_causes(diagnosis) <= {cause, GENERAL_CAUSES.get(cause)}, (cause, variant)
        assert any(each.startswith(right) for each in list_missing_permissions(denied)), (cause, variant)
        if not diagnosis.findings and variant not in TRIAL_FAULTS:
            assert diagnosis.exit_code is ExitCode.NOT_JUDGED, (cause, variant)
            named = {link.permission for chain in diagnosis.chains for link in chain.links}
            assert any(each.startswith(right) for each in named), (cause, variant)
    assert judged


@pytest.mark.parametrize("build", HEALTHY)
def test_without_a_right_a_healthy_cluster_has_no_fault(build: Callable[[], Facts]) -> None:
    for right, deny in DENIALS.items():
        facts = deny(build())
        assert list_causes(diagnose(facts)) == set(), right


@pytest.fixture
def api(api: Api) -> Api:
    fill_cluster(api)
    return api


def fill_pending(api: Api, aws: FakeAws) -> None:
    """Let a claim with a KMS key wait, because of a quota. The role has an inline policy."""
    fill_cluster(api, phase="Pending")
    api.objects["/api/v1/namespaces/rocketmq/events"]["items"][0]["message"] = "VolumeLimitExceeded"
    api.objects["/apis/storage.k8s.io/v1/storageclasses"]["items"][0]["parameters"] = {"kmsKeyId": "k"}
    aws.answers["ListRolePolicies"] = lambda _: {"PolicyNames": ["inline"]}


def fill_association(api: Api, aws: FakeAws) -> None:
    """Take the role of the driver away, and give one to another service account with Pod Identity."""
    association = {"namespace": "apps", "serviceAccount": "a", "associationId": "a-1", "associationArn": "arn:a"}
    aws.answers["ListPodIdentityAssociations"] = lambda _: {"associations": [association]}
    api.objects["/api/v1/serviceaccounts"]["items"][0]["metadata"]["annotations"] = {}


def take_away(right: str, api: Api, aws: FakeAws) -> None:
    """Let each request that needs a right be denied."""
    if ":" in right:
        aws.deny(right.partition(":")[2], "UnauthorizedOperation" if right.startswith("ec2") else "AccessDenied")
        return
    verb, _, name = right.partition(" ")
    resource = name.partition(".")[0]
    plural, _, subresource = resource.partition("/")
    paths = [*api.objects, *(path for _, path in api.refusals)]
    for path in paths:
        parts = path.split("/")
        if plural in parts and (parts[-1] == subresource if subresource else verb == "get" or parts[-1] == plural):
            api.refuse("POST" if verb == "create" else "GET", path, 403, "Forbidden", "forbidden")


def collect(api: Api, aws: FakeAws) -> Facts:
    return collect_facts(AwsReader(aws, REGION), ClusterReader({"kubeconfig": api.kubeconfig}), CollectionScope("prod"))


@pytest.mark.parametrize("right", RIGHTS)
def test_a_denied_request_names_its_right(api: Api, right: str) -> None:
    aws = build_aws()
    without_role = right in {"ec2:DescribeInstances", "eks:DescribePodIdentityAssociation"}
    if right == "ec2:DescribeVolumesModifications":
        fill_growth(api)
    elif right in NETWORK_RIGHTS:
        fill_unreachable(api)
    elif right.startswith("ec2:GetEbs"):
        fill_default_key(api)
    else:
        (fill_association if without_role else fill_pending)(api, aws)
    # The class has both faults, and the message proves the second one also where the first one cannot be judged.
    by_message = not without_role and not right.startswith("ec2:")
    expected = {"kms-permission", "volume-quota"} if by_message else list_causes(diagnose(collect(api, aws)))
    take_away(right, api, aws)
    facts = collect(api, aws)
    assert list_causes(diagnose(facts)) <= expected
    assert {each.partition(" on ")[0] for each in list_missing_permissions(facts)} == {right}


def test_without_any_right_nothing_is_judged_and_each_list_is_named(api: Api) -> None:
    aws = build_aws()
    for right in RIGHTS:
        take_away(right, api, aws)
    facts = collect(api, aws)
    diagnosis = diagnose(facts)
    assert (list_causes(diagnosis), diagnosis.exit_code) == (set(), ExitCode.NOT_JUDGED)
    missing = set(list_missing_permissions(facts))
    assert {"list serviceaccounts", "list persistentvolumeclaims", "iam:ListOpenIDConnectProviders"} <= missing
