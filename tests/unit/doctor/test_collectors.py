"""Collectors: facts of fake APIs, read-only calls, required permissions, and secrets that stay out."""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eks_rocketmq.doctor.collectors.aws_reader import AwsReader
from eks_rocketmq.doctor.collectors.cluster_reader import ClusterReader
from eks_rocketmq.doctor.collectors.collect import CollectionScope, collect_facts
from eks_rocketmq.doctor.collectors.kubernetes_parsers import (
    parse_claim,
    parse_events,
    parse_node,
    parse_workload,
    redact,
    select_log_lines,
)
from eks_rocketmq.doctor.diagnosis import DiagnosisTarget, ExitCode, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import (
    EncryptionFacts,
    Facts,
    KeyFacts,
    ModificationFacts,
    RoleFacts,
    TrialFacts,
    Unreadable,
)
from eks_rocketmq.doctor.facts.fact_files import write_facts
from eks_rocketmq.doctor.facts.fact_queries import list_missing_permissions
from eks_rocketmq.doctor.facts.network_facts import (
    InterfaceFacts,
    NetworkFacts,
    NodeNetworkFacts,
    RouteTableFacts,
    SecurityGroupFacts,
)
from eks_rocketmq.doctor.required_access import AWS_ACTIONS, build_cluster_role
from tests.unit.doctor.healthy_cases import AUDIENCE, KEY_ARN, ROLE, SUBJECT, pod_identity_facts
from tests.unit.doctor.live_case import (
    KERNEL,
    TOKEN,
    WEBHOOK,
    Answer,
    FakeAws,
    build_aws,
    build_pod,
    fill_cluster,
    fill_default_key,
    fill_growth,
    fill_unreachable,
    manifest,
)
from tests.unit.doctor.reach_faults import STS_ENDPOINT, STS_TIMEOUT
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION
from tests.unit.kubernetes_api import Api, serving

READ_ONLY = re.compile(r"(Describe|Get|List|Simulate)[A-Z]\w+|AssumeRoleWithWebIdentity")


@pytest.fixture
def api(api: Api) -> Api:
    fill_cluster(api)
    return api


def collect(api: Api, aws: FakeAws | None = None, *, offline: bool = False) -> Facts:
    scope = CollectionScope("prod", offline=offline)
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
    fill_growth(api)
    collect(api, aws)
    fill_default_key(api)
    collect(api, aws)
    fill_unreachable(api)
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


def test_modifications_are_read_for_a_volume_that_ec2_does_not_modify(api: Api) -> None:
    aws = build_aws()
    assert collect(api, aws).modifications == ()
    fill_growth(api)
    assert collect(api, aws).modifications == (ModificationFacts("vol-0", "optimizing", "2026-11-28T08:00:00Z", 40),)
    assert [operation for _, operation in aws.calls].count("DescribeVolumesModifications") == 1
    aws.answers["DescribeVolumesModifications"] = lambda _: {"VolumesModifications": []}
    assert collect(api, aws).modifications == ()


def test_without_aws_the_message_about_a_modification_decides_nothing(api: Api) -> None:
    fill_growth(api)
    facts = collect_facts(None, ClusterReader({"kubeconfig": api.kubeconfig}), CollectionScope(""))
    diagnosis = diagnose(facts)
    assert "modification-rate" not in {each.id_ for each in diagnosis.findings}
    reasons = [link.reason for chain in diagnosis.chains for link in chain.undecided if link.title == "resize"]
    assert reasons == ["AWS failed: no cluster name is known; give it with --cluster"]


def test_the_default_key_is_read_for_a_claim_with_a_message_about_a_key(api: Api) -> None:
    aws = build_aws()
    assert collect(api, aws).encryption is None
    fill_default_key(api)
    key = KeyFacts("alias/aws/ebs", True, KEY_ARN, "Enabled", "{}")
    assert collect(api, aws).encryption == EncryptionFacts(True, key)
    aws.answers["GetEbsEncryptionByDefault"] = lambda _: {"EbsEncryptionByDefault": False}
    aws.deny("DescribeKey", "NotFoundException")
    assert collect(api, aws).encryption == EncryptionFacts(False, KeyFacts("alias/aws/ebs", exists=False))
    # A class that names a key does not use the default one.
    api.objects["/apis/storage.k8s.io/v1/storageclasses"]["items"][0]["parameters"] = {"kmsKeyId": "k"}
    assert collect(api, aws).encryption is None


def test_the_simulation_has_the_condition_keys_of_the_driver(api: Api) -> None:
    aws = build_aws()
    given: dict[str, Any] = {}
    aws.answers["SimulatePrincipalPolicy"] = record(given, "simulate", aws.answers["SimulatePrincipalPolicy"])
    collect(api, aws)
    entries = {each["ContextKeyName"]: each["ContextKeyValues"] for each in given["simulate"]["ContextEntries"]}
    assert entries["aws:RequestedRegion"] == [REGION]
    assert entries["aws:RequestTag/ebs.csi.aws.com/cluster"] == ["true"]
    # The fixture's driver has no --k8s-tag-cluster-id.
    assert "aws:RequestTag/kubernetes.io/cluster/prod" not in entries


@pytest.mark.parametrize(
    ("arguments", "cluster_id", "extra_tags"),
    [
        (["controller", "--k8s-tag-cluster-id=prod", "--extra-tags=a=1,b=x y=z"], "prod", (("a", "1"), ("b", "x y=z"))),
        (["--k8s-tag-cluster-id", "prod"], "prod", ()),
        (["--k8s-tag-cluster-id=$(CLUSTER)"], None, ()),
        (["controller"], "", ()),
        (None, "", ()),
    ],
)
def test_the_arguments_that_set_tags_are_read(
    arguments: list[str] | None, cluster_id: str | None, extra_tags: tuple[tuple[str, str], ...]
) -> None:
    container = {"image": "aws-ebs-csi-driver:v1.58.0", **({"args": arguments} if arguments else {})}
    deployment = manifest(
        "ebs-csi-controller", "kube-system", spec={"template": {"spec": {"containers": [{"image": "x"}, container]}}}
    )
    workload = parse_workload("Deployment", deployment)
    assert workload is not None
    assert (workload.cluster_id, workload.extra_tags) == (cluster_id, extra_tags)


SERVER = "https://0A1B.gr7.ap-southeast-1.eks.amazonaws.com"


@pytest.mark.parametrize(
    ("endpoint", "account", "described", "reason"),
    [
        ("", "", SERVER, ""),
        ("", ACCOUNT, SERVER, ""),
        ("", "1" * 12, SERVER, f"of account {'1' * 12}, and the AWS credentials are of {ACCOUNT}"),
        # The endpoint is that of one cluster only. A role of another account may have access to it.
        (SERVER, "1" * 12, f"{SERVER}/", ""),
        (SERVER, "", SERVER.replace("0A1B", "0C1D"), f"account {ACCOUNT} returns {SERVER.replace('0A1B', '0C1D')}"),
        (SERVER, ACCOUNT, "", ""),
        (SERVER, "1" * 12, "", f"the AWS credentials are of {ACCOUNT}"),
    ],
)
def test_the_facts_of_another_cluster_do_not_count(
    api: Api, endpoint: str, account: str, described: str, reason: str
) -> None:
    aws = build_aws()
    answer = aws.answers["DescribeCluster"]
    aws.answers["DescribeCluster"] = lambda given: {"cluster": {**answer(given)["cluster"], "endpoint": described}}
    scope = CollectionScope("prod", account=account, endpoint=endpoint)
    facts = collect_facts(AwsReader(aws, REGION), ClusterReader({"kubeconfig": api.kubeconfig}), scope)
    assert isinstance(facts.cluster, Unreadable) is bool(reason)
    diagnosis = diagnose(facts)
    assert diagnosis.exit_code is (ExitCode.NOT_JUDGED if reason else ExitCode.HEALTHY)
    assert not reason or any(reason in link.reason for chain in diagnosis.chains for link in chain.links)


@pytest.mark.parametrize(
    ("labels", "windows", "hybrid"),
    [
        ({"kubernetes.io/os": "windows"}, True, False),
        ({"kubernetes.io/os": "linux", "eks.amazonaws.com/compute-type": "hybrid"}, False, True),
        ({}, False, False),
    ],
)
def test_nodes_that_the_driver_does_not_run_on_are_recognized(
    labels: dict[str, str], windows: bool, hybrid: bool
) -> None:
    node = parse_node(manifest("n", metadata={"labels": labels}))
    assert (node.windows, node.hybrid) == (windows, hybrid)


def test_a_role_at_another_path_does_not_exist(api: Api) -> None:
    aws = build_aws()
    answer = aws.answers["GetRole"]
    for found, known in ((ROLE.replace(":role/", ":role/team/"), True), (ROLE.replace(ACCOUNT, "1" * 12), False)):
        aws.answers["GetRole"] = lambda given, found=found: {"Role": {**answer(given)["Role"], "Arn": found}}
        assert collect(api, aws).roles == (RoleFacts(ROLE, exists=False, found_arn=found if known else ""),)


def test_kernel_and_file_system_are_read(api: Api) -> None:
    facts = collect(api)
    assert [each.kernel for each in facts.nodes] == [KERNEL]  # ty: ignore[not-iterable]
    assert [each.file_system for each in facts.volumes] == ["xfs"]  # ty: ignore[not-iterable]


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


def test_a_pod_that_a_restart_replaces_is_no_fault(api: Api) -> None:
    def list_causes() -> list[str]:
        return [each.id_ for each in diagnose(collect(api, build_aws())).findings]

    fill_cluster(api)
    items = api.objects["/api/v1/namespaces/kube-system/pods"]["items"]
    stale = copy.deepcopy(next(each for each in items if "ebs-csi-controller" in each["metadata"]["name"]))
    stale["metadata"]["name"] = "ebs-csi-controller-old"
    for container in stale["spec"]["containers"]:
        container["env"] = []
    items.append(stale)
    assert list_causes() == ["pods-without-role"]
    stale["metadata"]["deletionTimestamp"] = "2026-11-01T10:00:00Z"
    assert list_causes() == []


NETWORK_CALLS = {"DescribeInstances", "DescribeRouteTables", "DescribeVpcEndpoints", "DescribeSecurityGroups"}


def list_network_calls(aws: FakeAws) -> set[str]:
    return NETWORK_CALLS & {operation for _, operation in aws.calls}


@pytest.mark.parametrize("fill", [fill_cluster, fill_growth, fill_default_key])
def test_the_network_is_not_read_without_a_message_about_a_timeout(api: Api, fill: Callable[[Api], None]) -> None:
    aws = build_aws()
    fill(api)
    assert collect(api, aws).network is None
    assert list_network_calls(aws) == set()


def test_the_network_of_a_driver_that_does_not_reach_sts_is_read_and_judged(api: Api) -> None:
    aws = build_aws()
    given: dict[str, Any] = {}
    for name in NETWORK_CALLS:
        aws.answers[name] = record(given, name, aws.answers[name])
    fill_unreachable(api)
    facts = collect(api, aws)
    interface = InterfaceFacts(("10.0.0.5",), ("sg-node",))
    assert facts.network == NetworkFacts(
        (NodeNetworkFacts("node-a", "i-a", "vpc-1", "subnet-a", f"{REGION}a", "", (interface,)),),
        (RouteTableFacts("rtb-1", "vpc-1", main=True),),
        (replace(STS_ENDPOINT, subnets=("subnet-a",)),),
        (SecurityGroupFacts("sg-e"),),
    )
    assert given["DescribeInstances"] == {"InstanceIds": ["i-a"]}
    assert {"Name": "vpc-id", "Values": ["vpc-1"]} in given["DescribeRouteTables"]["Filters"]
    assert f"com.amazonaws.{REGION}.sts" in given["DescribeVpcEndpoints"]["Filters"][1]["Values"]
    assert given["DescribeSecurityGroups"] == {"GroupIds": ["sg-e"]}
    (finding,) = diagnose(facts).findings
    assert finding.is_ == "security group sg-e of VPC endpoint vpce-sts does not allow TCP 443 from node node-a"


def record(given: dict[str, Any], name: str, answer: Answer) -> Answer:
    def answer_and_record(request: Mapping[str, Any]) -> Mapping[str, Any]:
        given[name] = request
        return answer(request)

    return answer_and_record


def test_an_event_of_the_claim_about_a_timeout_is_enough_to_read_the_network(api: Api) -> None:
    fill_cluster(api, phase="Pending")
    api.objects["/api/v1/namespaces/rocketmq/events"]["items"][0]["message"] = STS_TIMEOUT
    network = collect(api).network
    assert isinstance(network, NetworkFacts)
    assert [each.node for each in network.nodes] == ["node-a"]


@pytest.mark.parametrize(("log", "instances"), [(STS_TIMEOUT, ["i-a"]), ("started", ["i-a", "i-b"])])
def test_the_nodes_of_the_failing_pods_are_read(api: Api, log: str, instances: list[str]) -> None:
    aws = build_aws()
    given: dict[str, Any] = {}
    aws.answers["DescribeInstances"] = record(given, "DescribeInstances", aws.answers["DescribeInstances"])
    fill_unreachable(api)
    path = "/api/v1/namespaces/kube-system/pods"
    first = api.objects[path]["items"][0]
    second = {**first, "metadata": {**first["metadata"], "name": "other"}, "spec": {**first["spec"], "nodeName": "b"}}
    api.objects[path]["items"].append(second)
    api.objects[f"{path}/ebs-csi-controller-5d8-x/log"] = {"text": log}
    api.objects["/api/v1/nodes"]["items"].append(manifest("b", spec={"providerID": f"aws:///{REGION}a/i-b"}))
    api.objects["/api/v1/namespaces/rocketmq/events"]["items"][0]["message"] = STS_TIMEOUT
    collect(api, aws)
    assert given["DescribeInstances"] == {"InstanceIds": instances}


@pytest.mark.parametrize("code", ["InvalidInstanceID.NotFound", "InvalidAction", "UnauthorizedOperation"])
@pytest.mark.parametrize("operation", sorted(NETWORK_CALLS))
def test_a_failed_call_about_the_network_leaves_the_message_as_proof(api: Api, operation: str, code: str) -> None:
    aws = build_aws()
    fill_unreachable(api)
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-node"}]}
    aws.answers["DescribeSecurityGroups"] = lambda _: {"SecurityGroups": [{"GroupId": "sg-e", "IpPermissions": [rule]}]}
    aws.deny(operation, code)
    facts = collect(api, aws)
    (finding,) = diagnose(facts).findings
    assert (finding.id_, finding.is_) == ("sts-unreachable", "the pods do not reach STS")
    assert f"not judged: ec2:{operation} failed: {code}: denied" in finding.evidence
    denied = code == "UnauthorizedOperation"
    assert (f"missing permission: ec2:{operation}" in finding.evidence) is denied
    assert list_missing_permissions(facts) == ((f"ec2:{operation}",) if denied else ())


def test_a_node_that_is_no_instance_of_ec2_has_no_network(api: Api) -> None:
    aws = build_aws()
    fill_unreachable(api)
    aws.answers["DescribeInstances"] = lambda _: {"Reservations": []}
    assert collect(api, aws).network == NetworkFacts()
    api.objects["/api/v1/nodes"]["items"][0]["spec"]["providerID"] = f"aws:///{REGION}a/fargate-ip-10-0-0-5"
    aws.calls.clear()
    assert collect(api, aws).network == NetworkFacts()
    assert list_network_calls(aws) == set()
