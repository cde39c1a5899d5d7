"""A running stack of the last release, under today's program: nothing that holds messages or identity is made anew."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.harness import Recording
from tests.unit.harness.upgrade import CONFIG_MAP, Step, released, state, steps

Inputs = dict[str, Any]


def test_the_release_is_one_that_holds_messages() -> None:
    recorded = released()
    assert len(recorded) > 35
    assert [each["inputs"]["spec"]["volumeClaimTemplates"] for each in recorded.values() if each["protect"]] != []


def test_an_upgrade_deletes_nothing_and_replaces_only_configuration(prod_update: Recording) -> None:
    harmful = [
        step
        for step in steps(released(), prod_update)
        # A changed file is a ConfigMap of another name, made before the old one goes (docs/adr/0003).
        if step.operation == "delete" or (step.operation == "replace" and step.type != CONFIG_MAP)
    ]
    assert harmful == []


def test_a_configuration_that_is_replaced_gets_another_name_first(prod_update: Recording) -> None:
    for step in steps(released(), prod_update):
        if step.operation == "replace" and step.type == CONFIG_MAP:
            assert "metadata.name" in step.fields, step


def test_what_the_release_protects_stays_protected(prod_update: Recording) -> None:
    today = state(prod_update)
    assert [urn for urn, each in released().items() if each["protect"] and not today[urn]["protect"]] == []


def test_a_state_that_is_todays_has_nothing_to_do(prod_update: Recording) -> None:
    assert {step.operation for step in steps(state(prod_update), prod_update)} == {"same"}


def changed(recording: Recording, name: str, change: Callable[[Inputs], Inputs]) -> list[Step]:
    """What an upgrade would do from a release in which one resource was another."""
    before = {urn: dict(each) for urn, each in state(recording).items()}
    (urn,) = [urn for urn in before if urn.endswith(f"::{name}")]
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
def test_a_change_is_told_from_a_replacement(
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
        today = Recording(preview=False, resources={**others, renamed.urn: replace(renamed, **options)})
        return [step for step in steps(state(prod_update), today) if step.operation != "same"]

    assert upgrade() == [Step("delete", role.urn)]
    assert upgrade(aliases=(role.urn,)) == upgrade(aliases=("ebs-csi-driver-role",)) == []
    retyped = upgrade(aliases=("aws:iam/other:Other",))
    assert retyped == [Step("delete", role.urn)]


def test_another_provider_is_a_replacement(prod_update: Recording) -> None:
    before = {urn: dict(each) for urn, each in state(prod_update).items()}
    namespace = prod_update.one("Namespace").urn
    before[namespace]["provider"] = "urn:pulumi:prod::eks-rocketmq::pulumi:providers:kubernetes::default"
    assert [s for s in steps(before, prod_update) if s.operation != "same"] == [
        Step("replace", namespace, ("provider",))
    ]
