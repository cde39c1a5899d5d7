"""What an interrupted update left is read from the state and taken over by id."""

from typing import Any

from eks_rocketmq.eks.lookup import Found
from eks_rocketmq.pending import recovery

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


def nobody(*_: object) -> Found | None:
    raise AssertionError("nothing is to be looked up")


def test_a_state_without_interruption_asks_nobody() -> None:
    assert recovery(export(), nobody).operations == 0
    assert recovery({"version": 3}, nobody).operations == 0


def test_an_interrupted_update_needs_only_a_refresh() -> None:
    left = recovery(export(operation("updating", SET, "brokers")), nobody)
    assert (left.operations, left.created) == (1, [])
    assert left.state == export() | {"deployment": {"resources": export()["deployment"]["resources"]}}


def test_creates_that_happened_are_taken_over_and_the_others_dropped() -> None:
    asked = []

    def lookup(type_: str, inputs: Any, provider: Any) -> Found | None:
        asked.append((type_, provider["kubeconfig"]))
        return Found(f"rocketmq/{inputs['name']}") if inputs["name"] == "brokers" else None

    left = recovery(export(operation("creating", SET, "brokers"), operation("creating", BUDGET, "budget")), lookup)

    assert (left.operations, left.created) == (2, [(SET, "rocketmq/brokers")])
    assert asked == [
        ("kubernetes:apps/v1:StatefulSet", "the cluster's"),
        ("kubernetes:policy/v1:PodDisruptionBudget", "the cluster's"),
    ]
    assert "pending_operations" not in left.state["deployment"]
    provider, taken = left.state["deployment"]["resources"]
    assert provider["urn"] == PROVIDER
    assert taken["id"] == "rocketmq/brokers"
    # Read against these, the defaults of the server are no inputs, and the next update replaces nothing.
    assert taken["inputs"] == taken["outputs"]["__inputs"] == {"name": "brokers"}
