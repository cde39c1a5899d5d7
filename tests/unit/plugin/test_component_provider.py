"""The plugin's provider makes components from what arrives over the wire: camelCase, floats, outputs and mistakes."""

import copy
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError, InputPropertyError

from eks_rocketmq.plugin import component_provider
from tests.unit.harness import Recording, run

ROLE = "eks-rocketmq:index:IrsaRole"
ROCKETMQ = "eks-rocketmq:index:RocketMq"
ISSUER = "https://oidc.eks.ap-southeast-1.amazonaws.com/id/8DE440F2238C6B959FB7C65EA52AF80B"
ROLE_INPUTS = {
    "roleName": "orders",
    "issuer": ISSUER,
    "providerArn": f"arn:aws:iam::140023393377:oidc-provider/{ISSUER.removeprefix('https://')}",
    "serviceAccounts": [{"namespace": "orders", "name": "orders"}],
    "managedPolicies": ["AmazonS3ReadOnlyAccess"],
}
ROCKETMQ_INPUTS = {
    "namespace": "orders",
    "storageClass": "gp2",
    "minInSyncReplicas": 1.0,
    "brokerGroups": [
        {
            "name": "broker-a",
            "replicas": 3.0,
            "memory": "4Gi",
            "cpu": "500m",
            "storage": "100Gi",
            "config": {"fileReservedTime": 48.0},
        }
    ],
    "nameServers": {"replicas": 2.0, "memory": "512Mi", "cpu": "100m"},
    "controllers": {"replicas": 3.0, "memory": "768Mi", "cpu": "100m", "storage": "10Gi"},
    "proxies": {"replicas": 2.0, "memory": "1Gi", "cpu": "250m"},
}


def construct(
    type_: str, inputs: dict[str, Any], *, preview: bool = False, options: pulumi.ResourceOptions | None = None
) -> tuple[Recording, dict[str, Any]]:
    """What the engine sees when it asks the plugin for a component, and the state that goes back to the consumer.

    Outputs among the inputs are functions here, which make them once there is an engine.
    """
    state: dict[str, Any] = {}

    def ask() -> None:
        given = {key: value() if callable(value) else value for key, value in inputs.items()}
        state.update(component_provider.get_provider().construct("orders", type_, given, options).state)

    return run(ask, preview=preview), state


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_whole_numbers_of_the_wire_reach_the_objects_as_such(*, preview: bool) -> None:
    recording, state = construct(ROCKETMQ, ROCKETMQ_INPUTS, preview=preview)

    assert recording.one("StatefulSet", "orders-broker-a-set").inputs["spec"]["replicas"] == 3
    config = recording.one("ConfigMap", "orders-broker-a-config").inputs["data"]["broker.conf"]
    assert "fileReservedTime=48\n" in config
    assert "minInSyncReplicas=1\n" in config
    assert state.keys() >= {"namespace", "nameServerAddresses", "proxyEndpoint"}


def test_every_whole_number_is_one_for_the_component() -> None:
    provider = component_provider.get_provider()
    mapped: Any = provider.map_inputs(ROCKETMQ_INPUTS, provider._component_defs["RocketMq"])
    assert isinstance(mapped["min_in_sync_replicas"], int)
    assert [type(group["replicas"]) for group in mapped["broker_groups"]] == [int]
    assert isinstance(mapped["name_servers"]["replicas"], int)


def test_an_output_is_taken_where_the_type_allows_one() -> None:
    recording, _ = construct(ROLE, {**ROLE_INPUTS, "issuer": lambda: pulumi.Output.secret(ISSUER)})
    role = recording.one("Role")
    assert ISSUER.removeprefix("https://") in role.inputs["assumeRolePolicy"]
    assert "assumeRolePolicy" in role.secret_inputs


def test_a_policy_that_the_consumer_makes_is_attached() -> None:
    arn = "arn:aws:iam::140023393377:policy/orders"
    recording, _ = construct(ROLE, {**ROLE_INPUTS, "policyArns": lambda: {"orders": pulumi.Output.from_input(arn)}})
    assert recording.one("RolePolicyAttachment", "orders-orders").inputs["policyArn"] == arn


def test_an_output_deep_in_a_plain_input_is_refused_too() -> None:
    accounts = {"serviceAccounts": lambda: [{"namespace": pulumi.Output.from_input("orders"), "name": "orders"}]}
    with pytest.raises((InputPropertyError, InputPropertiesError), match=r"namespace.* must be a plain value"):
        construct(ROLE, {**ROLE_INPUTS, **accounts})


def test_what_crosses_to_another_language_are_values_only() -> None:
    _, state = construct(ROLE, ROLE_INPUTS)
    assert state.keys() == {"arn", "name"}
    _, state = construct("eks-rocketmq:index:ExistingEksCluster", {"clusterName": "prod"})
    assert "provider" not in state
    assert "kubeconfig" in state


def test_the_consumers_options_reach_the_children() -> None:
    recording, _ = construct(ROCKETMQ, ROCKETMQ_INPUTS, options=pulumi.ResourceOptions(protect=True))
    for type_ in ("ConfigMap", "StatefulSet"):
        assert {resource.protect for resource in recording.by_type(type_)} == {True}


def _set(path: list[str | int], value: object) -> Callable[[dict[str, Any]], object]:
    def change(inputs: dict[str, Any]) -> None:
        place: Any = inputs
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        pytest.param(
            _set(["nameServer"], {}), "nameServer", "RocketMq has no input 'nameServer'; did you mean 'nameServers'?"
        ),
        pytest.param(
            _set(["brokerGroups", 0, "replica"], 3.0),
            "brokerGroups[0].replica",
            "RocketMq has no input 'replica'; did you mean 'replicas'?",
        ),
        pytest.param(
            lambda inputs: inputs["brokerGroups"][0].pop("name"),
            "brokerGroups[0].name",
            "Missing required input 'brokerGroups[0].name' on 'RocketMq'",
        ),
    ],
    ids=["unknown", "unknown-nested", "missing"],
)
def test_a_wrong_input_is_named(change: Callable[[dict[str, Any]], object], path: str, reason: str) -> None:
    inputs = copy.deepcopy(ROCKETMQ_INPUTS)
    change(inputs)
    with pytest.raises(InputPropertyError) as refused:
        construct(ROCKETMQ, inputs)
    assert (refused.value.property_path, refused.value.reason) == (path, reason)


@pytest.mark.parametrize("path", [["namespace"], ["nameServers"], ["brokerGroups", 0, "replicas"]], ids=str)
def test_an_output_in_a_plain_input_is_refused(path: list[str | int]) -> None:
    inputs = copy.deepcopy(ROCKETMQ_INPUTS)

    def ask() -> None:
        _set(path, pulumi.Output.from_input("later"))(inputs)
        component_provider.get_provider().construct("orders", ROCKETMQ, inputs)

    with pytest.raises(InputPropertyError, match="must be a plain value that preview knows"):
        run(ask)


def test_what_a_component_refuses_reaches_the_consumer_in_its_own_words() -> None:
    inputs = copy.deepcopy(ROCKETMQ_INPUTS)
    _set(["profile"], "strickt")(inputs)
    with pytest.raises(InputPropertiesError) as refused:
        construct(ROCKETMQ, inputs)
    assert refused.value.message.startswith("profile is 'strickt'; accepted are")
