"""What an interrupted update left is read from the state and taken over by id."""

from typing import Any

import pytest

from eks_rocketmq.commands.recovery import recover_state
from eks_rocketmq.lookups.existing_resource import ExistingResource

PROVIDER = "urn:pulumi:prod::eks-rocketmq::pulumi:providers:kubernetes::cluster"
SET = "urn:pulumi:prod::eks-rocketmq::kubernetes:apps/v1:StatefulSet::brokers"
BUDGET = "urn:pulumi:prod::eks-rocketmq::kubernetes:policy/v1:PodDisruptionBudget::budget"


def operation(kind: str, urn: str, name: str) -> dict[str, Any]:
    type_ = urn.split("::")[2]
    return {
        "type": kind,
        "resource": {"urn": urn, "type": type_, "inputs": {"name": name}, "provider": f"{PROVIDER}::some-id"},
    }


def export(*operations: dict[str, Any]) -> dict[str, Any]:
    provider = {"urn": PROVIDER, "type": "pulumi:providers:kubernetes", "inputs": {"kubeconfig": "the cluster's"}}
    return {"deployment": {"resources": [provider], "pending_operations": list(operations)}}


def no_lookup(*_: object) -> list[ExistingResource]:
    raise AssertionError("nothing is to be looked up")


def test_a_state_without_interruption_asks_nobody() -> None:
    assert recover_state(export(), no_lookup).operation_count == 0
    assert recover_state({"version": 3}, no_lookup).operation_count == 0


def test_an_interrupted_update_needs_only_a_refresh() -> None:
    left = recover_state(export(operation("updating", SET, "brokers")), no_lookup)
    assert (left.operation_count, left.created, left.absent, left.undetermined) == (1, [], [], [])
    assert left.state == export() | {"deployment": {"resources": export()["deployment"]["resources"]}}


def test_creates_that_happened_are_taken_over_and_the_others_named() -> None:
    asked = []

    def lookup(type_: str, inputs: Any, provider: Any, known: Any) -> list[ExistingResource]:
        asked.append((type_, provider["kubeconfig"], known))
        return [ExistingResource(f"rocketmq/{inputs['name']}")] if inputs["name"] == "brokers" else []

    left = recover_state(export(operation("creating", SET, "brokers"), operation("creating", BUDGET, "budget")), lookup)

    assert (left.operation_count, left.created, left.absent) == (2, [(SET, "rocketmq/brokers")], [BUDGET])
    assert asked == [
        ("kubernetes:apps/v1:StatefulSet", "the cluster's", set()),
        ("kubernetes:policy/v1:PodDisruptionBudget", "the cluster's", set()),
    ]
    assert "pending_operations" not in left.state["deployment"]
    provider, taken = left.state["deployment"]["resources"]
    assert provider["urn"] == PROVIDER
    assert taken["id"] == "rocketmq/brokers"
    # Read against these, the defaults of the server are no inputs, and the next update replaces nothing.
    assert taken["inputs"] == taken["outputs"]["__inputs"] == {"name": "brokers"}


@pytest.mark.parametrize(
    ("found", "ids"), [(None, []), ([ExistingResource("one"), ExistingResource("two")], ["one", "two"])]
)
def test_a_create_of_which_nobody_can_tell_is_named_until_somebody_has_looked(
    found: list[ExistingResource] | None, ids: list[str]
) -> None:
    state = export(operation("creating", SET, "brokers"))
    left = recover_state(state, lambda *_: found)
    assert (left.undetermined, left.created, left.absent) == ([(SET, ids)], [], [])
    for name in (SET, "brokers"):
        left = recover_state(state, no_lookup, [name])
        assert (left.undetermined, left.created, left.absent) == ([], [], [SET])


def test_a_replacement_that_was_made_puts_its_predecessor_up_for_deletion() -> None:
    """The engine refuses two resources of one URN: `duplicate resource urn … (not marked for deletion)`."""
    state = export(operation("creating", SET, "brokers-2"))
    former = {"urn": SET, "type": SET.split("::")[2], "id": "rocketmq/brokers-1", "inputs": {}}
    state["deployment"]["resources"].append(former)
    asked = []
    left = recover_state(state, lambda *given: asked.append(given[3]) or [ExistingResource("rocketmq/brokers-2")])
    _, old, new = left.state["deployment"]["resources"]
    assert asked == [{"rocketmq/brokers-1"}]
    assert (old["id"], old["delete"]) == ("rocketmq/brokers-1", True)
    assert (new["id"], "delete" in new) == ("rocketmq/brokers-2", False)


def test_an_interrupted_component_leaves_nothing_behind() -> None:
    component = operation("creating", "urn:pulumi:prod::eks-rocketmq::eks-rocketmq:index:ClusterOidcProvider::oidc", "")
    component["resource"]["custom"] = False
    left = recover_state(export(component), no_lookup)
    assert (left.absent, left.undetermined) == ([component["resource"]["urn"]], [])
    assert [each["urn"] for each in left.state["deployment"]["resources"]] == [PROVIDER]
