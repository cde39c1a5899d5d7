"""Adoption: what the engine would create, what of it exists, and the file that imports exactly that."""

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


def test_what_exists_is_imported_below_its_components_and_the_rest_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_an_existing_object_brings_the_provider_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    result = adopted(Account(monkeypatch, aws={}, objects=("rocketmq", "gp2")))
    components, below = result.import_files
    assert [spec["name"] for spec in components["resources"]] == ["cluster", "rocketmq"]
    assert [spec["name"] for spec in below["resources"]] == ["cluster-kubernetes", "rocketmqNamespace"]
    assert result.existing == [("kubernetes:core/v1:Namespace", "rocketmqNamespace", "rocketmq")]


def test_account_and_cluster_are_asked_with_the_settings_of_the_stacks_own_providers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = Account(monkeypatch, aws={})
    assert adopted(account).existing == []
    aws = {"region": "ap-southeast-1", "profile": "prod"}
    assert account.asked == [aws, aws, aws, "the kubeconfig"]


def test_nothing_exists_nothing_is_imported_not_even_components(monkeypatch: pytest.MonkeyPatch) -> None:
    assert adopted(Account(monkeypatch, aws={})).import_files == []


def test_what_another_stack_manages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(monkeypatch, aws={ROLE: "driver"}, objects=("rocketmq",), owner="eks-rocketmq/staging")
    role, namespace = adopted(account).blocked
    assert role.startswith("Role 'driver' belongs to stack 'eks-rocketmq/staging'. If stack")
    assert namespace.startswith("Namespace 'rocketmq' belongs to stack 'eks-rocketmq/staging'.")


@pytest.mark.parametrize(
    ("owner", "refused"),
    [("eks-rocketmq/staging", ["Service 'rocketmq/proxy' belongs to stack 'eks-rocketmq/staging'"]), ("", [])],
)
def test_what_is_in_the_namespace_of_another_stack_is_refused(owner: str, refused: list[str]) -> None:
    """The stack uses a namespace that it does not make, so the namespace itself is not in its plan."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "proxy", "namespace": "rocketmq"}}
    urn = f"{STACK}::kubernetes:core/v1:Service::proxy"
    spec = {"type": "kubernetes:core/v1:Service", "name": "proxy", "id": PLACEHOLDER, "provider": "cluster-kubernetes"}
    steps = {"steps": [step(KUBERNETES_URN, {"kubeconfig": "the kubeconfig"}), step(urn, service, KUBERNETES_URN)]}
    plan = read_plan(steps, {"resources": [spec]}, "prod", "eks-rocketmq")

    def cluster(kubeconfig: str, wanted: Any) -> ExistingResource:
        assert kubeconfig == "the kubeconfig"
        if wanted["kind"] == "Namespace":
            return ExistingResource("rocketmq", {"eks-rocketmq/stack": owner} if owner else {})
        return ExistingResource("rocketmq/proxy")

    result = plan_adoption(plan, lambda _: pytest.fail("AWS was asked"), cluster)
    assert [reason.split(".", maxsplit=1)[0] for reason in result.blocked] == refused
    assert [name for _, name, _ in result.existing] == ["proxy"]


def test_what_a_lost_state_of_this_stack_had_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    result = adopted(Account(monkeypatch, aws={ROLE: "driver"}, owner="eks-rocketmq/prod"))
    assert (result.blocked, result.existing) == ([], [(ROLE, "ebs-csi-driver-role", "driver")])


def test_a_provider_below_a_component_is_imported_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # The engine makes the providers of an import file before its components, and a state in which a resource stands
    # before its parent is refused from then on.
    components, below = adopted(Account(monkeypatch, aws={}, objects=("rocketmq",))).import_files
    assert "cluster-kubernetes" not in [spec["name"] for spec in components["resources"]]
    assert below["nameTable"] == {
        "cluster": f"{STACK}::eks-rocketmq:index:ExistingEksCluster::cluster",
        "rocketmq": f"{STACK}::eks-rocketmq:index:RocketMq::rocketmq",
    }


def test_a_plan_without_creates_has_nothing_to_adopt(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = read_plan({"steps": []}, {"nameTable": {}}, "prod", "eks-rocketmq")
    assert adopted(Account(monkeypatch, aws={ROLE: "x"}), plan).existing == []


def test_a_parent_that_the_stack_has_already_gives_its_part_of_the_urn() -> None:
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
def test_the_id_of_an_object_is_its_place(metadata: Any, expected: str | None) -> None:
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


def test_the_closing_diff_shows_what_changes_and_counts_the_rest() -> None:
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


def created(
    type_: str, inputs: Any, *, account: Any = None, found: ExistingResource | None = None
) -> list[ExistingResource] | None:
    return adopt.find_interrupted_create(type_, inputs, {"kubeconfig": "c"}, (), account, lambda *_: found)


def test_what_is_nowhere_but_in_the_state_is_not_looked_for() -> None:
    assert created("random:index/randomPassword:RandomPassword", {}) == []
    assert created("pulumi:providers:aws", {}) == []
    assert created("kubernetes:storage.k8s.io/v1:StorageClassPatch", {}, found=ExistingResource("gp2")) == []


def test_an_object_that_was_made_is_found_unless_it_is_somebody_else_s() -> None:
    type_, mark = "kubernetes:core/v1:Namespace", {"eks-rocketmq/stack": "eks-rocketmq/prod"}
    assert created(type_, NAMESPACE, found=ExistingResource("rocketmq")) == [ExistingResource("rocketmq")]
    assert created(type_, {"metadata": {}}) is None
    marked = {"metadata": {"name": "rocketmq", "annotations": mark}}
    assert created(type_, marked, found=ExistingResource("rocketmq", mark)) == [ExistingResource("rocketmq", mark)]
    assert created(type_, marked, found=ExistingResource("rocketmq")) == []
    assert created(type_, marked) == []


def test_a_cluster_that_is_not_made_yet_is_not_asked() -> None:
    def ask(kubeconfig: str, inputs: Mapping[str, Any]) -> ExistingResource | None:
        pytest.fail(f"asked {kubeconfig} for {inputs}")

    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rocketmq"}}
    provider = {"kubeconfig": UNKNOWN}
    assert (
        find_existing("kubernetes:core/v1:Namespace", namespace, provider, lambda _: pytest.fail("AWS was asked"), ask)
        is None
    )
