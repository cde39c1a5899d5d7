"""Recovery from an interrupted update: pending operations are read from the state and imported by ID."""

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
    raise AssertionError("unexpected lookup")


def test_a_state_without_pending_operations_needs_no_lookup() -> None:
    assert recover_state(export(), no_lookup).operation_count == 0
    assert recover_state({"version": 3}, no_lookup).operation_count == 0


def test_an_interrupted_update_needs_only_a_refresh() -> None:
    recovery = recover_state(export(operation("updating", SET, "brokers")), no_lookup)
    assert (recovery.operation_count, recovery.created, recovery.absent, recovery.undetermined) == (1, [], [], [])
    assert recovery.state == export() | {"deployment": {"resources": export()["deployment"]["resources"]}}


def test_completed_creates_are_imported_and_the_others_reported() -> None:
    lookups = []

    def lookup(type_: str, inputs: Any, provider: Any, known: Any) -> list[ExistingResource]:
        lookups.append((type_, provider["kubeconfig"], known))
        return [ExistingResource(f"rocketmq/{inputs['name']}")] if inputs["name"] == "brokers" else []

    recovery = recover_state(
        export(operation("creating", SET, "brokers"), operation("creating", BUDGET, "budget")), lookup
    )

    assert (recovery.operation_count, recovery.created, recovery.absent) == (2, [(SET, "rocketmq/brokers")], [BUDGET])
    assert lookups == [
        ("kubernetes:apps/v1:StatefulSet", "the cluster's", set()),
        ("kubernetes:policy/v1:PodDisruptionBudget", "the cluster's", set()),
    ]
    assert "pending_operations" not in recovery.state["deployment"]
    provider, imported = recovery.state["deployment"]["resources"]
    assert provider["urn"] == PROVIDER
    assert imported["id"] == "rocketmq/brokers"
    # With these inputs, a refresh does not read the server's defaults as inputs, and no update replaces the object.
    assert imported["inputs"] == imported["outputs"]["__inputs"] == {"name": "brokers"}


@pytest.mark.parametrize(
    ("found", "ids"), [(None, []), ([ExistingResource("one"), ExistingResource("two")], ["one", "two"])]
)
def test_an_undetermined_create_is_reported_until_the_user_declares_it_absent(
    found: list[ExistingResource] | None, ids: list[str]
) -> None:
    state = export(operation("creating", SET, "brokers"))
    recovery = recover_state(state, lambda *_: found)
    assert (recovery.undetermined, recovery.created, recovery.absent) == ([(SET, ids)], [], [])
    for name in (SET, "brokers"):
        recovery = recover_state(state, no_lookup, [name])
        assert (recovery.undetermined, recovery.created, recovery.absent) == ([], [], [SET])


def test_a_completed_replacement_marks_the_old_resource_for_deletion() -> None:
    """The engine rejects two resources with the same URN: `duplicate resource urn … (not marked for deletion)`."""
    state = export(operation("creating", SET, "brokers-2"))
    former = {"urn": SET, "type": SET.split("::")[2], "id": "rocketmq/brokers-1", "inputs": {}}
    state["deployment"]["resources"].append(former)
    lookups = []
    recovery = recover_state(state, lambda *given: lookups.append(given[3]) or [ExistingResource("rocketmq/brokers-2")])
    _, old, new = recovery.state["deployment"]["resources"]
    assert lookups == [{"rocketmq/brokers-1"}]
    assert (old["id"], old["delete"]) == ("rocketmq/brokers-1", True)
    assert (new["id"], "delete" in new) == ("rocketmq/brokers-2", False)


def export_deleted_before_replacement() -> dict[str, Any]:
    """Return a state in which the engine has deleted a resource, and was killed while it created it again."""
    state = export(operation("creating", SET, "brokers"))
    former = {
        "urn": SET,
        "type": SET.split("::")[2],
        "id": "rocketmq/brokers",
        "inputs": {},
        "pendingReplacement": True,
    }
    state["deployment"]["resources"].append(former)
    return state


def test_a_resource_that_was_deleted_before_its_replacement_is_dropped() -> None:
    """Marked for deletion, the next update would delete the replacement: it has the same ID."""
    state = export_deleted_before_replacement()
    lookups = []
    recovery = recover_state(state, lambda *given: lookups.append(given[3]) or [ExistingResource("rocketmq/brokers")])
    _, new = recovery.state["deployment"]["resources"]
    assert lookups == [set()]
    assert (new["id"], "delete" in new, "pendingReplacement" in new) == ("rocketmq/brokers", False, False)


def test_a_deleted_resource_whose_replacement_is_absent_stays_to_be_replaced() -> None:
    state = export_deleted_before_replacement()
    recovery = recover_state(state, lambda *_: [])
    assert recovery.absent == [SET]
    assert recovery.state["deployment"]["resources"][1] == state["deployment"]["resources"][1]


def test_an_interrupted_component_adds_nothing_to_the_state() -> None:
    component = operation("creating", "urn:pulumi:prod::eks-rocketmq::eks-rocketmq:index:ClusterOidcProvider::oidc", "")
    component["resource"]["custom"] = False
    recovery = recover_state(export(component), no_lookup)
    assert (recovery.absent, recovery.undetermined) == ([component["resource"]["urn"]], [])
    assert [each["urn"] for each in recovery.state["deployment"]["resources"]] == [PROVIDER]
