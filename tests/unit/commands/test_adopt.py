"""Adoption plan: planned resources, existing ones among them, and the import file."""

from collections.abc import Mapping
from typing import Any

import pytest

from eks_rocketmq.commands import adopt
from eks_rocketmq.commands.adopt import PLACEHOLDER, PreviewedPlan, build_urn, find_existing, plan_adoption, read_plan
from eks_rocketmq.lookups.aws_resources import ADDON, ROLE
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.kubernetes_objects import get_import_id
from eks_rocketmq.pulumi_sdk.engine_values import UNKNOWN
from tests.unit.adopt_case import (
    COMPONENT,
    KUBERNETES_URN,
    NAMESPACE,
    ROLE_COMPONENT,
    ROLE_URN,
    STACK,
    Account,
    adopted,
    step,
)


def test_only_existing_resources_are_imported_below_their_components(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver", ADDON: "prod:aws-ebs-csi-driver"})
    result = adopted(account)
    assert result.existing == [
        (ROLE, "ebs-csi-driver-role", "eks-ebs-csi-driver"),
        (ADDON, "ebs-csi-addon", "prod:aws-ebs-csi-driver"),
    ]
    (document,) = result.import_files
    assert document["resources"] == [
        {"type": COMPONENT, "name": "ebs-csi", "component": True},
        {"type": ROLE_COMPONENT, "name": "ebs-csi-driver", "component": True, "parent": "ebs-csi"},
        {"type": ROLE, "name": "ebs-csi-driver-role", "id": "eks-ebs-csi-driver", "parent": "ebs-csi-driver"},
        {"type": ADDON, "name": "ebs-csi-addon", "id": "prod:aws-ebs-csi-driver", "parent": "ebs-csi"},
    ]


def test_an_existing_object_is_imported_with_its_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    result = adopted(Account(monkeypatch, aws={}, objects=("rocketmq", "gp2")))
    components, below = result.import_files
    assert [spec["name"] for spec in components["resources"]] == ["cluster", "rocketmq"]
    assert [spec["name"] for spec in below["resources"]] == ["cluster-kubernetes", "rocketmqNamespace"]
    assert result.existing == [("kubernetes:core/v1:Namespace", "rocketmqNamespace", "rocketmq")]


def test_lookups_use_the_settings_of_the_stack_providers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = Account(monkeypatch, aws={})
    assert adopted(account).existing == []
    aws = {"region": "ap-southeast-1", "profile": "prod"}
    assert account.asked == [aws, aws, aws, {"kubeconfig": "the kubeconfig"}]


def test_an_object_is_looked_up_in_the_cluster_of_the_provider_context() -> None:
    urn = f"{STACK}::kubernetes:core/v1:Service::proxy"
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "proxy", "namespace": "rocketmq"}}
    spec = {"type": "kubernetes:core/v1:Service", "name": "proxy", "id": PLACEHOLDER}
    steps = {"steps": [step(KUBERNETES_URN, {"context": "prod"}), step(urn, service, KUBERNETES_URN)]}
    asked: list[Any] = []

    def cluster(provider: Any, wanted: Any) -> ExistingResource:
        asked.append((provider, wanted["kind"]))
        return ExistingResource("rocketmq/proxy")

    plan_adoption(
        read_plan(steps, {"resources": [spec]}, "prod", "eks-rocketmq"),
        lambda _: pytest.fail("AWS was called"),
        cluster,
    )
    assert asked == [({"context": "prod"}, "Service"), ({"context": "prod"}, "Namespace")]
    asked.clear()
    adopt.find_interrupted_create(
        "kubernetes:core/v1:Service", service, {"context": "prod"}, (), lambda _: pytest.fail("AWS was called"), cluster
    )
    assert asked == [({"context": "prod"}, "Service")]


def test_nothing_is_imported_when_no_resource_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    assert adopted(Account(monkeypatch, aws={})).import_files == []


def test_resources_of_another_stack_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(monkeypatch, aws={ROLE: "driver"}, objects=("rocketmq",), owner="eks-rocketmq/staging")
    role, namespace = adopted(account).blocked
    assert role.startswith("Role 'driver' belongs to stack 'eks-rocketmq/staging'. If stack")
    assert namespace.startswith("Namespace 'rocketmq' belongs to stack 'eks-rocketmq/staging'.")


@pytest.mark.parametrize(
    ("owner", "rejections"),
    [("eks-rocketmq/staging", ["Service 'rocketmq/proxy' belongs to stack 'eks-rocketmq/staging'"]), ("", [])],
)
def test_objects_in_the_namespace_of_another_stack_are_rejected(owner: str, rejections: list[str]) -> None:
    """The stack does not create the namespace, so its plan does not contain it."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "proxy", "namespace": "rocketmq"}}
    urn = f"{STACK}::kubernetes:core/v1:Service::proxy"
    spec = {"type": "kubernetes:core/v1:Service", "name": "proxy", "id": PLACEHOLDER, "provider": "cluster-kubernetes"}
    steps = {"steps": [step(KUBERNETES_URN, {"kubeconfig": "the kubeconfig"}), step(urn, service, KUBERNETES_URN)]}
    plan = read_plan(steps, {"resources": [spec]}, "prod", "eks-rocketmq")

    def cluster(provider: Any, wanted: Any) -> ExistingResource:
        assert provider == {"kubeconfig": "the kubeconfig"}
        if wanted["kind"] == "Namespace":
            return ExistingResource("rocketmq", {"eks-rocketmq/stack": owner} if owner else {})
        return ExistingResource("rocketmq/proxy")

    result = plan_adoption(plan, lambda _: pytest.fail("AWS was called"), cluster)
    assert [reason.split(".", maxsplit=1)[0] for reason in result.blocked] == rejections
    assert [name for _, name, _ in result.existing] == ["proxy"]


def test_resources_of_this_stack_are_adopted_after_its_state_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    result = adopted(Account(monkeypatch, aws={ROLE: "driver"}, owner="eks-rocketmq/prod"))
    assert (result.blocked, result.existing) == ([], [(ROLE, "ebs-csi-driver-role", "driver")])


def test_a_provider_below_a_component_is_imported_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # The engine creates the providers of an import file before its components. It rejects a state in which a resource
    # precedes its parent.
    components, below = adopted(Account(monkeypatch, aws={}, objects=("rocketmq",))).import_files
    assert "cluster-kubernetes" not in [spec["name"] for spec in components["resources"]]
    assert below["nameTable"] == {
        "cluster": f"{STACK}::eks-rocketmq:index:ExistingEksCluster::cluster",
        "rocketmq": f"{STACK}::eks-rocketmq:index:RocketMq::rocketmq",
    }


def test_a_plan_without_creates_has_nothing_to_adopt(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = read_plan({"steps": []}, {"nameTable": {}}, "prod", "eks-rocketmq")
    assert adopted(Account(monkeypatch, aws={ROLE: "x"}), plan).existing == []


def test_a_urn_is_built_from_the_urn_of_an_existing_parent() -> None:
    spec = {"type": ROLE, "name": "ebs-csi-driver-role", "parent": "ebs-csi-driver"}
    parent = f"{STACK}::{COMPONENT}${ROLE_COMPONENT}::ebs-csi-driver"
    plan = PreviewedPlan({}, {}, [spec], {"ebs-csi-driver": parent}, "prod", "eks-rocketmq")
    assert build_urn(spec, plan) == ROLE_URN


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"name": "gp2"}, "gp2"),
        ({"name": "broker", "namespace": "rocketmq"}, "rocketmq/broker"),
        ({}, None),
        (UNKNOWN, None),
        ({"name": UNKNOWN}, None),
        ({"name": "broker", "namespace": UNKNOWN}, None),
    ],
)
def test_the_import_id_of_an_object_is_its_namespace_and_name(metadata: Any, expected: str | None) -> None:
    assert get_import_id({"metadata": metadata}) == expected


DIFF = """\
Previewing update (prod):
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:prod::eks-rocketmq::pulumi:pulumi:Stack::eks-rocketmq-prod]
    + eks-rocketmq:index:ClusterOidcProvider: (create)
        [urn=urn:pulumi:prod::eks-rocketmq::eks-rocketmq:index:ClusterOidcProvider::oidc]
            ~ aws:iam/role:Role: (update) 🔓
                [id=eks-ebs-csi-driver]
              ~ assumeRolePolicy: (json) {
                  + host:aud: "sts.amazonaws.com"
                }
    > kubernetes:storage.k8s.io/v1:StorageClass: (read)
        [id=gp2]
    +-kubernetes:apps/v1:StatefulSet: (replace)
        [id=rocketmq/brokers]
    --outputs:--
    clusterName: "prod"
Resources:
    + 29 to create
"""


def test_the_final_diff_shows_changes_and_the_number_of_creates() -> None:
    assert adopt.extract_corrections(DIFF).splitlines() == [
        "Previewing update (prod):",
        "            ~ aws:iam/role:Role: (update) 🔓",
        "                [id=eks-ebs-csi-driver]",
        "              ~ assumeRolePolicy: (json) {",
        '                  + host:aud: "sts.amazonaws.com"',
        "                }",
        "    +-kubernetes:apps/v1:StatefulSet: (replace)",
        "        [id=rocketmq/brokers]",
        "Resources:",
        "    + 29 to create",
    ]


def look_up_create(type_: str, inputs: Any, found: ExistingResource | None = None) -> list[ExistingResource] | None:
    def open_session(provider: Mapping[str, Any]) -> Any:
        pytest.fail(f"opened a session of {provider}")

    return adopt.find_interrupted_create(type_, inputs, {"kubeconfig": "c"}, (), open_session, lambda *_: found)


def test_resources_that_exist_only_in_the_state_are_not_looked_up() -> None:
    assert look_up_create("random:index/randomPassword:RandomPassword", {}) == []
    assert look_up_create("pulumi:providers:aws", {}) == []
    assert look_up_create("kubernetes:storage.k8s.io/v1:StorageClassPatch", {}, found=ExistingResource("gp2")) == []


def test_a_created_object_is_found_unless_another_owner_has_it() -> None:
    type_, owner_annotation = "kubernetes:core/v1:Namespace", {"eks-rocketmq/stack": "eks-rocketmq/prod"}
    assert look_up_create(type_, NAMESPACE, found=ExistingResource("rocketmq")) == [ExistingResource("rocketmq")]
    assert look_up_create(type_, {"metadata": {}}) is None
    annotated = {"metadata": {"name": "rocketmq", "annotations": owner_annotation}}
    assert look_up_create(type_, annotated, found=ExistingResource("rocketmq", owner_annotation)) == [
        ExistingResource("rocketmq", owner_annotation)
    ]
    assert look_up_create(type_, annotated, found=ExistingResource("rocketmq")) == []
    assert look_up_create(type_, annotated) == []


def test_a_cluster_that_does_not_exist_yet_is_not_queried() -> None:
    def look_up(provider: Mapping[str, Any], inputs: Mapping[str, Any]) -> ExistingResource | None:
        pytest.fail(f"looked up {inputs} in {provider}")

    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rocketmq"}}
    provider = {"kubeconfig": UNKNOWN}
    assert (
        find_existing(
            "kubernetes:core/v1:Namespace", namespace, provider, lambda _: pytest.fail("AWS was called"), look_up
        )
        is None
    )
