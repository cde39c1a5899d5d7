"""Collectors: facts of fake APIs, read-only calls, required permissions, and secrets that stay out."""

import re
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eks_rocketmq.doctor.collectors.aws_reader import AwsReader
from eks_rocketmq.doctor.collectors.cluster_reader import ClusterReader
from eks_rocketmq.doctor.collectors.collect import CollectionScope, collect_facts
from eks_rocketmq.doctor.collectors.kubernetes_parsers import parse_claim, parse_events, redact, select_log_lines
from eks_rocketmq.doctor.diagnosis import DiagnosisTarget, ExitCode, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import Facts, RoleFacts, TrialFacts, Unreadable
from eks_rocketmq.doctor.facts.fact_files import write_facts
from eks_rocketmq.doctor.required_access import AWS_ACTIONS, build_cluster_role
from tests.unit.doctor.healthy_cases import AUDIENCE, ROLE, SUBJECT, pod_identity_facts
from tests.unit.doctor.live_case import TOKEN, WEBHOOK, FakeAws, build_aws, build_pod, fill_cluster, manifest
from tests.unit.harness.fakes import ISSUER, REGION
from tests.unit.kubernetes_api import Api, serving

READ_ONLY = re.compile(r"(Describe|Get|List|Simulate)[A-Z]\w+|AssumeRoleWithWebIdentity")


@pytest.fixture
def api() -> Generator[Api]:
    with serving() as found:
        fill_cluster(found)
        yield found


def collect(api: Api, aws: FakeAws | None = None, *, offline: bool = False, service_account: str = "") -> Facts:
    scope = CollectionScope("prod", service_account=service_account, offline=offline)
    reader = AwsReader(aws or build_aws(), REGION)
    return collect_facts(reader, ClusterReader({"kubeconfig": api.kubeconfig}), scope)


def test_a_healthy_cluster_is_read_and_judged(api: Api) -> None:
    aws = build_aws()
    facts = collect(api, aws)
    trial = TrialFacts("kube-system/ebs-csi-controller-sa", ROLE, True, ISSUER, SUBJECT, (AUDIENCE,))
    assert facts.trials == (trial,)
    diagnosis = diagnose(facts)
    assert diagnosis.findings == ()
    assert diagnosis.exit_code is ExitCode.HEALTHY
    # STS identifies the caller of the trial by the token alone.
    assert aws.signed["AssumeRoleWithWebIdentity"] is False
    assert aws.signed["GetRole"] is True


def test_events_of_an_earlier_claim_with_the_same_name_do_not_count(api: Api) -> None:
    (claim,) = api.objects["/api/v1/persistentvolumeclaims"]["items"]
    (event,) = api.objects["/api/v1/namespaces/rocketmq/events"]["items"]
    claim["metadata"]["uid"] = "new"
    for uid, count in (("new", 1), ("old", 0)):
        event["involvedObject"]["uid"] = uid
        events = collect(api).events
        assert not isinstance(events, Unreadable)
        assert len(events) == count


def exercise(api: Api, aws: FakeAws) -> None:
    """Run the collectors so that each of them sends its requests."""
    collect(api, aws)
    # Pending claim, a quota, a key, a Pod Identity association, inline policies.
    fill_cluster(api, phase="Pending")
    items = api.objects["/api/v1/namespaces/rocketmq/events"]["items"]
    items[0]["message"] = "VolumeLimitExceeded"
    api.objects["/apis/storage.k8s.io/v1/storageclasses"]["items"][0]["parameters"] = {"kmsKeyId": "k"}
    aws.answers["ListRolePolicies"] = lambda _: {"PolicyNames": ["inline"]}
    collect(api, aws)
    association = {"namespace": "apps", "serviceAccount": "a", "associationId": "a-1", "associationArn": "arn:a"}
    aws.answers["ListPodIdentityAssociations"] = lambda _: {"associations": [association]}
    api.objects["/api/v1/serviceaccounts"]["items"][0]["metadata"]["annotations"] = {}
    collect(api, aws)


def test_only_reading_requests_are_sent(api: Api) -> None:
    aws = build_aws()
    exercise(api, aws)
    assert [call for call in aws.calls if not READ_ONLY.fullmatch(call[1])] == []
    assert {(each.method, each.path) for each in api.writes()} == {("POST", TOKEN)}
    assert all(each.body["kind"] == "TokenRequest" for each in api.writes())


def test_the_required_permissions_are_those_of_the_requests(api: Api) -> None:
    aws = build_aws()
    exercise(api, aws)
    without = {"sts:GetCallerIdentity", "sts:AssumeRoleWithWebIdentity"}
    assert {f"{service}:{operation}" for service, operation in aws.calls} - without == set(AWS_ACTIONS)
    role = build_cluster_role()
    granted = {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert {parse_request(each.method, each.path) for each in api.requests} == granted
    assert build_cluster_role(trial=False)["rules"] == role["rules"][:-1]


def parse_request(method: str, path: str) -> tuple[str, str, str]:
    """Return API group, resource and verb of a request, as RBAC names them."""
    parts = path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    rest = rest[2:] if rest[0] == "namespaces" and len(rest) > 2 else rest
    resource = f"{rest[0]}/{rest[2]}" if len(rest) > 2 else rest[0]
    verb = "create" if method == "POST" else "list" if len(rest) == 1 else "get"
    return group, resource, verb


def test_no_trial_is_made_offline(api: Api) -> None:
    aws = build_aws()
    facts = collect(api, aws, offline=True)
    assert facts.trials == ()
    assert api.writes() == []
    assert "AssumeRoleWithWebIdentity" not in {operation for _, operation in aws.calls}
    assert diagnose(facts).exit_code is ExitCode.HEALTHY


def test_a_dump_contains_no_secret(api: Api, tmp_path: Path) -> None:
    write_facts(collect(api), tmp_path)
    texts = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {name for name, text in texts.items() if "HIDDEN" in text or "eyJ" in text} == set()
    assert "ProvisioningFailed" in texts["events.json"]
    assert texts["trials.json"].count(SUBJECT) == 1


def test_a_missing_resource_is_no_error(api: Api) -> None:
    aws = build_aws()
    aws.deny("GetRole", "NoSuchEntity")
    del api.objects[WEBHOOK]
    facts = collect(api, aws, offline=True)
    assert facts.roles == (RoleFacts(ROLE, exists=False),)
    assert facts.webhook is False
    assert [each.id_ for each in diagnose(facts).findings] == ["role-missing"]


@pytest.mark.parametrize("operation", ["DescribeCluster", "ListOpenIDConnectProviders", "GetRole", "GetCallerIdentity"])
def test_a_denied_call_names_the_permission(api: Api, operation: str) -> None:
    aws = build_aws()
    aws.deny(operation)
    diagnosis = diagnose(collect(api, aws, offline=True))
    assert diagnosis.findings == ()
    assert diagnosis.exit_code is ExitCode.NOT_JUDGED
    permissions = {link.permission for chain in diagnosis.chains for link in chain.links}
    assert any(f":{operation}" in each for each in permissions)


@pytest.mark.parametrize("operation", ["SimulatePrincipalPolicy", "ListAddons", "ListRolePolicies", "GetPolicy"])
def test_a_denied_detail_is_a_fact(api: Api, operation: str) -> None:
    aws = build_aws()
    aws.deny(operation)
    facts = collect(api, aws)
    (role,) = facts.roles
    assert isinstance(role, RoleFacts)
    found = [each for each in (role.simulated, role.policies, facts.addons) if isinstance(each, Unreadable)]
    assert [each.permission.partition(" ")[0].partition(":")[2] for each in found] == [operation]


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("/api/v1/serviceaccounts", "list serviceaccounts"),
        ("/apis/storage.k8s.io/v1/csinodes", "list csinodes.storage.k8s.io"),
        ("/api/v1/namespaces/kube-system/pods", "list pods"),
    ],
)
def test_a_forbidden_list_names_the_permission(api: Api, path: str, permission: str) -> None:
    api.refuse("GET", path, 403, "Forbidden", "forbidden")
    diagnosis = diagnose(collect(api, offline=True))
    assert diagnosis.exit_code is ExitCode.NOT_JUDGED
    assert permission in {link.permission for chain in diagnosis.chains for link in chain.links}


def test_a_container_that_has_not_started_has_no_log(api: Api) -> None:
    fill_cluster(api, phase="Pending")
    path = "/api/v1/namespaces/kube-system/pods/ebs-csi-controller-5d8-x/log"
    api.refuse("GET", path, 400, "BadRequest", "container ebs-plugin is waiting to start: ContainerCreating")
    facts = collect(api, offline=True)
    assert not isinstance(facts.pods, Unreadable)
    assert [each.log for each in facts.pods if "controller" in each.name] == [()]


def test_a_forbidden_token_request_skips_the_trial(api: Api) -> None:
    api.refuse("POST", TOKEN, 403, "Forbidden", "forbidden")
    diagnosis = diagnose(collect(api))
    assert diagnosis.exit_code is ExitCode.HEALTHY
    assert [link.permission for chain in diagnosis.chains for link in chain.links if link.state == "skipped"] == [
        "create serviceaccounts/token"
    ]


def test_the_error_of_the_trial_is_kept(api: Api) -> None:
    aws = build_aws()
    aws.deny("AssumeRoleWithWebIdentity")
    (trial,) = collect(api, aws).trials
    assert isinstance(trial, TrialFacts)
    assert (trial.succeeded, trial.error) == (False, "AccessDenied: denied")


def test_an_unreachable_cluster_is_not_judged() -> None:
    with serving() as api:
        kubeconfig = api.kubeconfig
    reader = AwsReader(build_aws(), REGION)
    facts = collect_facts(reader, ClusterReader({"kubeconfig": kubeconfig}), CollectionScope("prod"))
    assert isinstance(facts.workloads, Unreadable)
    assert diagnose(facts).exit_code is ExitCode.NOT_JUDGED


def test_the_log_lines_with_errors_are_kept_without_secrets() -> None:
    text = "\n".join(["start", "InvalidIdentityToken: No OpenIDConnect provider found in your account for x", "end"])
    assert select_log_lines(text) == (text.splitlines()[1], "end")
    texts = ["AKIAABCDEFGHIJKLMNOP", "accessToken=abc", "eyJh.eyJi.c", '"password": "abc"']
    assert [redact(f"a {each} b") for each in texts] == ["a [redacted] b"] * 4


def build_claim(requested: str, capacity: str, **status: Any) -> dict[str, Any]:
    return manifest(
        "data-0",
        "rocketmq",
        spec={"volumeName": "pvc-0", "resources": {"requests": {"storage": requested}}},
        status={"phase": "Bound", "capacity": {"storage": capacity}, **status},
    )


@pytest.mark.parametrize(
    ("requested", "capacity", "resizing"),
    [
        ("2Gi", "1Gi", True),
        ("1Gi", "1Gi", False),
        ("1500Mi", "2Gi", False),
        ("1024Mi", "1Gi", False),
        ("2Gi", "", False),
    ],
)
def test_a_claim_is_to_grow_if_it_requests_more_than_it_has(requested: str, capacity: str, resizing: bool) -> None:
    assert parse_claim(build_claim(requested, capacity)).resizing is resizing


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (
            {"conditions": [{"type": "ControllerResizeError", "status": "True", "message": "vol-0 is gone"}]},
            "ControllerResizeError: vol-0 is gone",
        ),
        ({"conditions": [{"type": "NodeResizeError", "status": "False", "message": "x"}]}, ""),
        ({"conditions": [{"type": "Resizing", "status": "True"}]}, ""),
        ({"allocatedResourceStatuses": {"storage": "ControllerResizeInfeasible"}}, "ControllerResizeInfeasible"),
    ],
)
def test_the_condition_of_a_claim_that_does_not_grow_is_kept(status: dict[str, Any], error: str) -> None:
    assert parse_claim(build_claim("2Gi", "1Gi", **status)).resize_error == error


def test_events_of_one_reason_are_kept_for_each_volume() -> None:
    summary = "Unable to attach or mount volumes: unmounted volumes=[data]: timed out"
    messages = [
        'MountVolume.MountDevice failed for volume "pvc-0" : EOF',
        'MountVolume.MountDevice failed for volume "pvc-0" : wrong fs type',
        'MountVolume.SetUp failed for volume "config" : configmap "a" not found',
        summary,
    ]
    about = {"kind": "Pod", "namespace": "rocketmq", "name": "broker-0"}
    events = [
        manifest(
            "e", reason="FailedMount", message=each, involvedObject=about, lastTimestamp=f"2026-11-28T10:00:0{index}Z"
        )
        for index, each in enumerate(messages)
    ]
    assert [each.message for each in parse_events(events)] == messages[1:]


def test_an_addon_is_read_with_its_associations(api: Api) -> None:
    aws = build_aws()
    answer = aws.answers["DescribeAddon"]
    arn = "arn:aws:eks:ap-southeast-1:140023393377:podidentityassociation/prod/a-9"
    aws.answers["DescribeAddon"] = lambda given: {
        "addon": {**answer(given)["addon"], "addonName": "vpc-cni", "podIdentityAssociations": [arn]}
    }
    association = {"namespace": "networking", "serviceAccount": "cni", "associationId": "a-9", "associationArn": arn}
    aws.answers["ListPodIdentityAssociations"] = lambda _: {"associations": [association]}
    pod = build_pod("cni-0", "cni", "networking", containers=[{"name": "cni"}])
    api.objects["/api/v1/namespaces/networking/pods"] = {"items": [pod]}
    api.objects["/api/v1/serviceaccounts"]["items"].append(manifest("cni", "networking"))
    facts = collect(api, aws)
    assert not isinstance(facts.addons, Unreadable)
    assert not isinstance(facts.pods, Unreadable)
    assert "networking/cni-0" in [each.id_ for each in facts.pods]
    assert [each.association_ids for each in facts.addons] == [("a-9",)]
    diagnosis = diagnose(facts, DiagnosisTarget(addon="vpc-cni"))
    assert "service account networking/cni" in [each.subject for each in diagnosis.chains]
    # The agent gives a pod its role when the pod is created.
    stale = replace(facts, workloads=pod_identity_facts().workloads, roles=pod_identity_facts().roles)
    assert [each.id_ for each in diagnose(stale, DiagnosisTarget(service_account="networking/cni")).findings] == [
        "pods-without-role"
    ]
