"""Upgrade of a stack of the last release: no resource with messages or an identity is deleted or replaced."""

import functools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from eks_rocketmq.pulumi_sdk.component import type_token
from tests.unit.harness import REPOSITORY, Recording, golden
from tests.unit.harness.recording import HASH
from tests.unit.harness.upgrade import STACKS, Step, harmful, released, state, steps

Inputs = dict[str, Any]


@pytest.fixture(scope="module", params=STACKS)
def stack(request: pytest.FixtureRequest) -> str:
    """Return the name of a recorded stack."""
    return request.param


@functools.cache
def update(stack: str) -> Recording:
    """Return the recording of an update with the current program."""
    return golden.STACKS[stack]()


def test_the_recorded_release_has_protected_volumes(stack: str) -> None:
    recorded = released(stack)
    assert len(recorded) > 35
    protected = [each for each in recorded.values() if each["protect"] and each["type"].endswith(":StatefulSet")]
    assert [each["inputs"]["spec"]["volumeClaimTemplates"] for each in protected] != []


def test_the_recorded_stacks_have_every_component() -> None:
    recorded = {each["type"] for stack in STACKS for each in released(stack).values()}
    sources = (path.read_text() for path in (REPOSITORY / "components" / "eks_rocketmq").rglob("*.py"))
    parts = {type_token(name) for source in sources for name in re.findall(r"type_token\(\"(\w+)\"\)", source)}
    assert len(parts) > 15
    assert parts - recorded == set()
    assert "random:index/randomPassword:RandomPassword" in recorded


def test_an_upgrade_deletes_no_resource_and_replaces_only_configuration(stack: str) -> None:
    assert harmful(steps(released(stack), update(stack))) == []


def test_the_type_of_each_volume_is_unchanged(stack: str) -> None:
    # A dry run of the update keeps the old fields. The API server rejects a volume of two types, so the preview fails.
    current = state(update(stack))
    volume_types = {urn: _get_volume_types(each["inputs"]) for urn, each in released(stack).items() if urn in current}
    changed = [
        (urn, name)
        for urn, before in volume_types.items()
        for name, volume_type in _get_volume_types(current[urn]["inputs"]).items()
        if before.get(name, volume_type) != volume_type
    ]
    assert changed == []
    assert any(volume_types.values())


def _get_volume_types(inputs: Inputs) -> dict[str, set[str]]:
    """Return the type of each volume of the pods, by name."""
    pods = inputs.get("spec", {}).get("template", {}).get("spec", {})
    return {volume["name"]: set(volume) - {"name"} for volume in pods.get("volumes", [])}


def test_protected_resources_of_the_release_stay_protected(stack: str) -> None:
    current = state(update(stack))
    assert [urn for urn, each in released(stack).items() if each["protect"] and not current[urn]["protect"]] == []


def test_the_state_of_this_program_needs_no_update(stack: str) -> None:
    assert {step.operation for step in steps(state(update(stack)), update(stack))} == {"same"}


def test_urns_of_the_stack_with_every_component_match_the_committed_urns() -> None:
    found = golden.urns(update("everything"))
    assert found == golden.committed("everything"), (
        "a changed URN replaces its resource: add an alias, then regenerate the file"
    )


def test_a_replaced_or_deleted_password_is_harmful() -> None:
    everything = update("everything")
    (urn,) = (urn for urn in everything.resources if urn.endswith("::rocketmq-credentials-user-orders"))
    for inputs in ({"length": 40}, {"keepers": {"version": "2"}}):
        before = {urn: {**each, "inputs": {**each["inputs"]}} for urn, each in state(everything).items()}
        before[urn]["inputs"] |= inputs
        (step,) = harmful(steps(before, everything))
        assert (step.operation, step.urn, step.fields) == ("replace", urn, tuple(inputs))
    renamed = urn.replace("-user-orders", "-orders")
    before = {renamed if each == urn else each: value for each, value in state(everything).items()}
    assert harmful(steps(before, everything)) == [Step("delete", renamed)]


def test_a_changed_file_is_harmful_unless_its_object_has_a_new_name() -> None:
    everything = update("everything")
    for name, key in (("rocketmq-broker-a-config", "data"), ("rocketmq-credentials-declared", "stringData")):
        renamed = changed(everything, name, lambda i: {**i, "metadata": {**i["metadata"], "name": "before"}})
        assert [step.operation for step in renamed] == ["replace"]
        assert harmful(renamed) == []
        (kept,) = changed(everything, name, lambda i, key=key: {**i, key: {**i[key], "more": "0"}})
        assert harmful([kept]) == [kept]


def changed(recording: Recording, name: str, change: Callable[[Inputs], Inputs]) -> list[Step]:
    """Return the steps of an upgrade from a release in which one resource had other inputs."""
    before = {urn: dict(each) for urn, each in state(recording).items()}
    (urn,) = [urn for urn in before if HASH.sub("", urn).endswith(f"::{name}")]
    before[urn]["inputs"] = change(before[urn]["inputs"])
    return [step for step in steps(before, recording) if step.operation != "same"]


@pytest.mark.parametrize(
    ("name", "change", "operation", "fields"),
    [
        ("ebs-csi-driver-role", lambda i: {**i, "name": "other"}, "replace", ("name",)),
        ("ebs-csi-driver-role", lambda i: {**i, "path": "/ci/"}, "replace", ("path",)),
        ("ebs-csi-driver-role", lambda i: {**i, "description": "other"}, "update", ()),
        ("ebs-csi-addon", lambda i: {**i, "clusterName": "other"}, "replace", ("clusterName",)),
        ("oidc-provider", lambda i: {**i, "url": "https://other.example"}, "replace", ("url",)),
        ("cluster-kubernetes", lambda i: {**i, "clusterIdentifier": "other"}, "replace", ("clusterIdentifier",)),
        ("cluster-kubernetes", lambda i: {**i, "kubeconfig": "{}"}, "update", ()),
        (
            "rocketmq-broker-a-set",
            lambda i: {**i, "spec": {**i["spec"], "serviceName": "other"}},
            "replace",
            ("spec.serviceName",),
        ),
        ("rocketmq-broker-a-set", lambda i: {**i, "spec": {**i["spec"], "replicas": 1}}, "update", ()),
        (
            "rocketmq-namespace",
            lambda i: {**i, "metadata": {**i["metadata"], "name": "other"}},
            "replace",
            ("metadata.name",),
        ),
    ],
)
def test_an_update_is_distinguished_from_a_replacement(
    name: str, change: Callable[[Inputs], Inputs], operation: str, fields: tuple[str, ...], prod_update: Recording
) -> None:
    (step,) = changed(prod_update, name, change)
    assert (step.operation, step.fields) == (operation, fields)


def test_a_smaller_claim_in_the_release_is_a_replacement(prod_update: Recording) -> None:
    def smaller(inputs: Inputs) -> Inputs:
        (template,) = inputs["spec"]["volumeClaimTemplates"]
        spec = {**template["spec"], "resources": {"requests": {"storage": "50Gi"}}}
        return {**inputs, "spec": {**inputs["spec"], "volumeClaimTemplates": [{**template, "spec": spec}]}}

    (step,) = changed(prod_update, "rocketmq-broker-a-set", smaller)
    assert step.operation == "replace"
    assert step.fields[0].startswith("spec.volumeClaimTemplates")


def test_a_renamed_resource_is_a_delete_unless_it_has_an_alias(prod_update: Recording) -> None:
    role = prod_update.one("Role")
    renamed = replace(role, urn=role.urn.replace("::ebs-csi-driver-role", "::driver"), name="driver")
    others = {urn: each for urn, each in prod_update.resources.items() if urn != role.urn}

    def upgrade(**options: Any) -> list[Step]:
        current = Recording(preview=False, resources={**others, renamed.urn: replace(renamed, **options)})
        return [step for step in steps(state(prod_update), current) if step.operation != "same"]

    assert upgrade() == [Step("delete", role.urn)]
    assert upgrade(aliases=(role.urn,)) == upgrade(aliases=("ebs-csi-driver-role",)) == []
    retyped = upgrade(aliases=("aws:iam/other:Other",))
    assert retyped == [Step("delete", role.urn)]


def test_a_changed_provider_is_a_replacement(prod_update: Recording) -> None:
    before = {urn: dict(each) for urn, each in state(prod_update).items()}
    namespace = prod_update.one("Namespace").urn
    before[namespace]["provider"] = "urn:pulumi:prod::eks-rocketmq::pulumi:providers:kubernetes::default"
    assert [s for s in steps(before, prod_update) if s.operation != "same"] == [
        Step("replace", namespace, ("provider",))
    ]
