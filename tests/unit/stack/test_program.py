"""The whole program with Pulumi.prod.yaml, in preview and update mode."""

import gc
from collections.abc import Mapping
from typing import Any
from unittest import mock

import kubernetes_validate
import pulumi
import pytest

from eks_rocketmq.pulumi_sdk import performance
from tests.unit.harness import UNKNOWN, Fakes, ProviderError, Recording, run_stack
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION, cluster
from tests.unit.harness.golden import committed, urns
from tests.unit.harness.rejections import rejects
from tests.unit.harness.trust import Token, admits
from tests.unit.harness.upgrade import Step, state, steps
from tests.unit.rocketmq_case import config, deploy
from tests.unit.stack_case import parse_stack

KUBERNETES = "1.35"
DRIVER = "system:serviceaccount:kube-system:ebs-csi-controller-sa"
PROVIDER_ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
GET_CLUSTER = "aws:eks/getCluster:getCluster"
EXISTING_ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
EXISTING_DRIVER = {"existing": True, "roleName": None, "permissions": None}


def test_aws_resources_are_the_oidc_provider_the_driver_role_and_the_addon(prod: Recording) -> None:
    aws = {type_: count for type_, count in prod.inventory().items() if type_.startswith("aws:")}
    assert aws == {
        "aws:eks/addon:Addon": 1,
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": 1,
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
    }


def test_the_trust_policy_of_the_driver_is_known_in_the_preview(prod: Recording) -> None:
    assert admits(prod.one("Role").inputs["assumeRolePolicy"], Token(ISSUER, DRIVER))


def test_urns_match_the_committed_urns(prod: Recording) -> None:
    assert urns(prod) == committed("prod"), (
        "a changed URN replaces its resource: add an alias, then regenerate the file"
    )


def test_preview_and_update_register_the_same_resources(prod_preview: Recording, prod_update: Recording) -> None:
    assert prod_preview.inventory() == prod_update.inventory()


def test_brokers_depend_on_the_driver_and_the_storage_class(prod: Recording) -> None:
    dependencies = [
        prod.one(type_)
        for type_ in ("OpenIdConnectProvider", "Role", "RolePolicyAttachment", "Addon", "StorageClassPatch")
    ]
    sets = prod.by_type("StatefulSet")
    assert sets
    for stateful_set in sets:
        for dependency in dependencies:
            assert prod.reaches(stateful_set, dependency), f"{stateful_set.name} can start before {dependency.name}"


def test_volume_claims_use_the_checked_storage_class(prod: Recording) -> None:
    templates = [t for s in prod.by_type("StatefulSet") for t in s.inputs["spec"].get("volumeClaimTemplates", [])]
    assert templates
    assert {template["spec"]["storageClassName"] for template in templates} == {"gp2"}


def test_kubernetes_objects_use_the_provider_of_the_existing_cluster(prod: Recording) -> None:
    provider = prod.one("pulumi:providers:kubernetes")
    objects = [r for r in prod.resources.values() if r.type.startswith("kubernetes:")]
    assert objects
    assert {r.provider.rsplit("::", 1)[0] for r in objects} == {provider.urn}


def test_every_resource_has_a_component_as_parent(prod: Recording) -> None:
    for resource in prod.resources.values():
        if resource.custom:
            assert prod.parent(resource).type.startswith("eks-rocketmq:index:"), resource.urn


def test_stateful_sets_with_volumes_are_protected(prod: Recording) -> None:
    brokers = [s for s in prod.by_type("StatefulSet") if s.inputs["spec"].get("volumeClaimTemplates")]
    assert brokers
    assert [s.name for s in brokers if not s.protect] == []


def test_a_protected_namespace_cannot_be_deleted_by_a_setting(prod_update: Recording) -> None:
    changed = run_stack("prod", overrides={"rocketmq": {"createNamespace": False, "podSecurity": None}})
    assert [step for step in steps(state(prod_update), changed) if step.operation != "same"] == [
        Step("delete", prod_update.one("Namespace").urn)
    ]
    # The engine rejects the deletion of a resource that its state marks as protected.
    assert prod_update.one("Namespace").protect


def test_no_resource_is_protected_if_protect_data_is_false() -> None:
    recording = run_stack("prod", overrides={"rocketmq": {"protectData": False}})
    assert [r.name for r in recording.resources.values() if r.protect] == []


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_aws_resources_with_fixed_names_are_looked_up_before_their_create(
    stack: str, request: pytest.FixtureRequest
) -> None:
    # AWS generates all other names. Access entries and inline policies are deleted with their cluster or role.
    named = ("name", "url", "addonName")
    recording: Recording = request.getfixturevalue(f"{stack}_preview")
    fixed = [r for r in recording.resources.values() if r.type.startswith("aws:") and set(named) & set(r.inputs)]
    assert {r.type for r in fixed} >= {"aws:iam/role:Role", "aws:eks/addon:Addon"}
    unchecked = [r.name for r in fixed if not r.before_create]
    assert [r for r in unchecked if not r.endswith(("-volumes", "-keys"))] == []


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_the_cluster_and_the_namespace_are_looked_up_before_their_create(
    stack: str, request: pytest.FixtureRequest
) -> None:
    recording: Recording = request.getfixturevalue(f"{stack}_preview")
    assert recording.one("Namespace").before_create == ("rocketmq-namespace-preflight",)
    clusters = recording.by_type("aws:eks/cluster:Cluster")
    assert ["cluster-eks-preflight" in r.before_create for r in clusters] == [True] * (stack == "staging")


def test_no_manifest_has_unknown_values_in_the_update(prod_update: Recording) -> None:
    assert UNKNOWN not in repr(prod_update.manifests())


def test_manifests_pass_strict_validation(prod_update: Recording) -> None:
    manifests = prod_update.manifests()
    assert len(manifests) > 10
    for manifest in manifests:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_outputs_contain_identifiers_addresses_and_verification_commands(prod_update: Recording) -> None:
    outputs = dict(prod_update.outputs)
    verify = outputs.pop("verify")
    assert outputs == {
        "clusterName": "prod",
        "oidcIssuer": ISSUER,
        "oidcProviderArn": PROVIDER_ARN,
        "ebsCsiRoleArn": f"arn:aws:iam::{ACCOUNT}:role/eks-ebs-csi-driver",
        "storageClass": "gp2",
        "namespace": "rocketmq",
        "nameServerAddresses": outputs["nameServerAddresses"],
        "proxyEndpoint": outputs["proxyEndpoint"],
    }
    assert outputs["nameServerAddresses"].count(":9876") == 2
    assert outputs["proxyEndpoint"].endswith(":8081")
    assert verify["kubeconfig"] == f"aws eks update-kubeconfig --region {REGION} --name prod"
    assert verify["oidcProvider"].endswith(PROVIDER_ARN)
    assert "--role-name eks-ebs-csi-driver" in verify["trustPolicy"]
    assert verify["claims"] == "kubectl -n rocketmq get pvc -l app=rocketmq-broker"
    assert verify["brokers"].startswith("kubectl -n rocketmq exec rocketmq-nameserver-0 -- bash /etc/rocketmq/ask.sh")


def test_the_address_of_the_load_balancer_is_exported() -> None:
    class Cloud(Fakes):
        """Fake provider that gives the external Service of the proxies an address."""

        def create(self, type_: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
            id_, outputs = super().create(type_, name, inputs)
            if inputs.get("spec", {}).get("type") == "LoadBalancer":
                outputs["status"] = {"loadBalancer": {"ingress": [{"hostname": "nlb.example"}]}}
            return id_, outputs

    recording = run_stack("prod", overrides={"networkLoadBalancer": {}}, fakes=Cloud())
    assert recording.outputs["externalEndpoint"] == "nlb.example:8081"
    assert recording.outputs["loadBalancerAddress"] == "nlb.example"


def test_the_broker_verification_command_matches_the_name_server_pod(prod_update: Recording) -> None:
    _, command = prod_update.outputs["verify"]["brokers"].split(" -- ")
    shell, script, address, code = command.split()
    (container,) = prod_update.one("StatefulSet", "rocketmq-nameserver-set").inputs["spec"]["template"]["spec"][
        "containers"
    ]
    folder, _, name = script.rpartition("/")
    assert folder in {mount["mountPath"] for mount in container["volumeMounts"]}
    assert (shell, code) == ("bash", "106")
    assert name in config(prod_update, "rocketmq-nameserver-config")
    assert address == f"127.0.0.1:{container['ports'][0]['containerPort']}"


def test_the_program_disables_garbage_collection() -> None:
    with mock.patch("gc.disable") as disable, mock.patch("atexit.register") as register:
        run_stack("prod", preview=True)
    disable.assert_called_once_with()
    assert mock.call(gc.freeze) in register.mock_calls


@pytest.mark.parametrize("enabled", [False, True])
def test_debug_messages_of_the_sdk_are_sent_only_if_enabled(enabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(pulumi.log, "debug", sent.append)
    if enabled:
        monkeypatch.setenv(performance.DEBUG_VARIABLE, "1")
    with mock.patch("gc.disable"), mock.patch("atexit.register"):
        performance.speed_up_large_programs()
    pulumi.log.debug("resource registration prepared")
    assert bool(sent) == enabled


def test_no_resource_of_the_eks_package_is_registered(prod_update: Recording) -> None:
    assert not any(type_.startswith("eks:") for type_ in prod_update.inventory())


def test_existing_resources_are_only_read() -> None:
    fakes = (
        Fakes()
        .answering(
            "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
            lambda _: {"arn": PROVIDER_ARN, "clientIdLists": ["sts.amazonaws.com"]},
        )
        .answering(
            "aws:eks/getAddon:getAddon",
            lambda _: {"addonVersion": "v1.62.0-eksbuild.1", "serviceAccountRoleArn": EXISTING_ROLE},
        )
    )
    overrides = {"oidc": {"existing": True}, "ebsCsi": EXISTING_DRIVER}
    recording = run_stack("prod", overrides=overrides, fakes=fakes)
    assert not any(type_.startswith("aws:") for type_ in recording.inventory())
    assert recording.outputs["ebsCsiRoleArn"] == EXISTING_ROLE


def test_a_kms_key_without_grant_for_an_existing_driver_causes_a_warning() -> None:
    answer = {"addonVersion": "v1.62.0-eksbuild.1", "serviceAccountRoleArn": EXISTING_ROLE}
    fakes = Fakes().answering("aws:eks/getAddon:getAddon", lambda _: answer)
    own = {"storage": {"className": "own", "create": True, "kmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"}}
    existing = {"ebsCsi": EXISTING_DRIVER}

    def list_warnings(overrides: dict[str, Any]) -> list[str]:
        return [text for _, text in run_stack("prod", preview=True, overrides=overrides, fakes=fakes).log]

    (text,) = list_warnings({**own, **existing})
    assert text.startswith(
        "storage.kmsKeyId: the stack does not change the role of an existing driver or of Auto Mode."
    )
    assert list_warnings(own) == list_warnings(existing) == []


def test_warnings_use_the_spelling_of_the_stack_file() -> None:
    group = {"name": "a", "replicas": 3, "config": {"highSpeedMode": True}}
    overrides = {"rocketmq": {"version": "5.3.3", "brokerGroups": [group]}}
    warnings = [text for _, text in run_stack("prod", preview=True, overrides=overrides).log]
    config = "config['highSpeedMode']:"
    assert [text.partition(" ")[0] for text in warnings] == [
        f"rocketmq.brokerGroups['a'].{config}",
        "rocketmq.version:",
    ]
    # A program without a stack file uses the spelling of Python.
    alone = deploy(version="5.3.3", broker_groups=[{**group, "memory": "4Gi", "cpu": "1", "storage": "10Gi"}]).log
    assert [text.partition(" ")[0] for _, text in alone] == [f"broker_groups['a'].{config}", "version:"]


def raise_error(message: str) -> Any:
    def answer(_: object) -> dict[str, Any]:
        raise ProviderError(message)

    return answer


def preview_with_error(match: str, fakes: Fakes | None = None, **overrides: Any) -> None:
    """Expect that a preview fails with an error and registers nothing."""
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError, match=match):
        run_stack("prod", preview=True, overrides=overrides, fakes=fakes, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(raise_error("No cluster found for name: prod."), "No cluster found for name: prod", id="missing"),
        pytest.param(
            lambda a: {**cluster(a), "status": "UPDATING"}, "'prod' is UPDATING; accepted is ACTIVE", id="not active"
        ),
        pytest.param(
            raise_error("AWS account ID not allowed: 111122223333"), "account ID not allowed", id="account not allowed"
        ),
        pytest.param(lambda a: {**cluster(a), "identities": []}, "'prod' has no OIDC issuer", id="no issuer"),
    ],
)
def test_no_resource_is_registered_for_an_unusable_cluster(answer: Any, message: str) -> None:
    preview_with_error(message, Fakes().answering(GET_CLUSTER, answer))


@pytest.mark.parametrize(
    ("overrides", "rejections"),
    [
        pytest.param({"brokerGroup": []}, [("brokerGroup", "unknown-key")], id="unknown key"),
        pytest.param({"clusterName": "prod"}, [("clusterName", "unknown-key")], id="former key"),
        pytest.param(
            {"cluster": {"clusterName": ""}}, [("cluster.cluster_name", "cluster-name")], id="no cluster name"
        ),
        pytest.param(
            {"rocketmq": {"controllers": {"pods": {"zones": ["us-east-1a", "us-east-1b", "us-east-1c"]}}}},
            [("rocketmq.controllers.pods.zones", "zone-of-other-region")] * 3,
            id="zones of another region",
        ),
        pytest.param(
            {"rocketmq": {"minInSyncReplicas": 4}},
            [("rocketmq.min_in_sync_replicas", "group-in-sync-members")],
            id="too many in-sync replicas",
        ),
        pytest.param(
            {"rocketmq": {"proxies": {"memory": "64Mi"}}},
            [("rocketmq.proxies.memory", "role-memory")],
            id="too little memory",
        ),
        pytest.param(
            {"rocketmq": {"controllers": {"replicas": 2}}},
            [("rocketmq.controllers.replicas", "profile-controllers")],
            id="no quorum",
        ),
    ],
)
def test_no_resource_is_registered_for_invalid_settings(
    overrides: dict[str, Any], rejections: list[tuple[str, str]]
) -> None:
    with rejects(*rejections):
        parse_stack("prod", overrides)
    preview_with_error(r"^Pulumi\.prod\.yaml: ", **overrides)
