"""Construct calls of the plugin: camelCase names, floats, outputs and invalid inputs."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError

from eks_rocketmq.plugin import component_provider
from tests.unit.harness import Recording, run
from tests.unit.rocketmq_case import config

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
    """Return the recording of a Construct call and the state that the consumer receives.

    Functions among the inputs create outputs, which need a running engine.
    """
    state: dict[str, Any] = {}

    def call() -> None:
        given = {key: value() if callable(value) else value for key, value in inputs.items()}
        state.update(component_provider.get_provider().construct("orders", type_, given, options).state)

    return run(call, preview=preview), state


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_whole_numbers_sent_as_floats_become_integers_in_objects(*, preview: bool) -> None:
    recording, state = construct(ROCKETMQ, ROCKETMQ_INPUTS, preview=preview)

    assert recording.one("StatefulSet", "orders-broker-a-set").inputs["spec"]["replicas"] == 3
    file = config(recording, "orders-broker-a-config")["broker.conf"]
    assert "fileReservedTime=48\n" in file
    assert "minInSyncReplicas=1\n" in file
    assert state.keys() >= {"namespace", "nameServerAddresses", "proxyEndpoint"}


def test_components_receive_whole_numbers_as_integers() -> None:
    provider = component_provider.get_provider()
    mapped: Any = provider.map_inputs(ROCKETMQ_INPUTS, provider._component_defs["RocketMq"])
    assert isinstance(mapped["min_in_sync_replicas"], int)
    assert [type(group["replicas"]) for group in mapped["broker_groups"]] == [int]
    assert isinstance(mapped["name_servers"]["replicas"], int)


def test_an_output_is_accepted_where_the_type_allows_it() -> None:
    recording, _ = construct(ROLE, {**ROLE_INPUTS, "issuer": lambda: pulumi.Output.secret(ISSUER)})
    role = recording.one("Role")
    assert ISSUER.removeprefix("https://") in role.inputs["assumeRolePolicy"]
    assert "assumeRolePolicy" in role.secret_inputs


def test_a_policy_created_by_the_consumer_is_attached() -> None:
    arn = "arn:aws:iam::140023393377:policy/orders"
    recording, _ = construct(ROLE, {**ROLE_INPUTS, "policyArns": lambda: {"orders": pulumi.Output.from_input(arn)}})
    assert recording.one("RolePolicyAttachment", "orders-orders").inputs["policyArn"] == arn


def test_the_state_for_other_languages_contains_only_values() -> None:
    _, state = construct(ROLE, ROLE_INPUTS)
    assert state.keys() == {"arn", "name"}
    _, state = construct("eks-rocketmq:index:ExistingEksCluster", {"clusterName": "prod"})
    assert "provider" not in state
    assert "kubeconfig" in state


def test_resource_options_of_the_consumer_apply_to_the_children() -> None:
    recording, _ = construct(ROCKETMQ, ROCKETMQ_INPUTS, options=pulumi.ResourceOptions(protect=True))
    for type_ in ("ConfigMap", "StatefulSet"):
        assert {resource.protect for resource in recording.by_type(type_)} == {True}


def list_error_lines(type_: str, inputs: dict[str, Any]) -> list[str]:
    """Return the lines of the error that a Construct call raises."""
    with pytest.raises(InputPropertiesError) as raised:
        construct(type_, inputs)
    # The engine would print the values of properties that are listed here, even secret ones.
    assert raised.value.errors == []
    return raised.value.message.splitlines()


def _set(path: list[str | int], value: object) -> Callable[[dict[str, Any]], object]:
    def change(inputs: dict[str, Any]) -> None:
        parent: Any = inputs
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "start"),
    [
        pytest.param(_set(["nameServer"], {}), "nameServer: unknown field. Accepted: ", id="unknown"),
        pytest.param(
            _set(["brokerGroups", 0, "replica"], 3.0),
            "brokerGroups['broker-a'].replica: unknown field. Accepted: ",
            id="unknown-nested",
        ),
        pytest.param(
            lambda inputs: inputs["brokerGroups"][0].pop("name"),
            "brokerGroups[0].name: a value is required. Accepted: a string.",
            id="missing",
        ),
        pytest.param(
            _set(["min_in_sync_replicas"], 1.0),
            "min_in_sync_replicas: unknown field. Write minInSyncReplicas.",
            id="python-spelling",
        ),
        pytest.param(
            _set(["nameServers"], "two"), "nameServers: 'two' has the wrong type. Accepted: an object", id="wrong-type"
        ),
        pytest.param(
            _set(["profile"], "strickt"),
            "profile: 'strickt' is not accepted. Accepted: 'strict', 'balanced', 'dev'. Did you mean 'strict'?",
            id="rejected",
        ),
    ],
)
def test_an_invalid_input_is_reported_in_camel_case(change: Callable[[dict[str, Any]], object], start: str) -> None:
    inputs = copy.deepcopy(ROCKETMQ_INPUTS)
    change(inputs)
    (line,) = list_error_lines(ROCKETMQ, inputs)
    assert line.startswith(start)


def test_all_invalid_inputs_are_reported_in_one_run() -> None:
    inputs = copy.deepcopy(ROCKETMQ_INPUTS)
    _set(["nameServer"], {})(inputs)
    _set(["brokerGroups", 0, "replica"], 3.0)(inputs)
    del inputs["storageClass"]
    assert [line.split(": ")[0] for line in list_error_lines(ROCKETMQ, inputs)] == [
        "nameServer",
        "storageClass",
        "brokerGroups['broker-a'].replica",
    ]


@pytest.mark.parametrize("component", [each.__name__ for each in component_provider.list_components()])
def test_every_component_rejects_unknown_inputs(component: str) -> None:
    lines = list_error_lines(f"eks-rocketmq:index:{component}", {"nonsense": "x"})
    assert any(line.startswith("nonsense: unknown field. ") for line in lines)
    assert not any(re.search(r"^\S*_", line) for line in lines)


def test_null_inputs_count_as_omitted() -> None:
    inputs = copy.deepcopy(ROCKETMQ_INPUTS)
    _set(["profile"], None)(inputs)
    _set(["brokerGroups", 0, "config", "fileReservedTime"], None)(inputs)
    recording, _ = construct(ROCKETMQ, inputs)
    assert "fileReservedTime" not in config(recording, "orders-broker-a-config")["broker.conf"]
    _set(["namespace"], None)(inputs)
    assert list_error_lines(ROCKETMQ, inputs) == ["namespace: a value is required. Accepted: a string."]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (["namespace"], "namespace"),
        (["nameServers"], "nameServers"),
        (["brokerGroups", 0, "replicas"], "brokerGroups['broker-a'].replicas"),
        (["brokerGroups", 0], "brokerGroups[0]"),
    ],
    ids=str,
)
@pytest.mark.parametrize("create", [pulumi.Output.from_input, pulumi.Output.secret])
def test_an_output_in_a_plain_input_is_rejected(
    path: list[str | int], shown: str, create: Callable[[str], pulumi.Output[str]]
) -> None:
    inputs = copy.deepcopy(ROCKETMQ_INPUTS)

    def call() -> None:
        _set(path, create("hunter2"))(inputs)
        component_provider.get_provider().construct("orders", ROCKETMQ, inputs)

    with pytest.raises(InputPropertiesError, match=r"Accepted: a plain value that preview knows") as raised:
        run(call)
    assert raised.value.message.startswith(f"{shown}: the value is an output")
    assert "hunter2" not in str(raised.value)


def test_the_secret_value_of_an_unknown_input_is_not_shown() -> None:
    inputs = {**ROLE_INPUTS, "isuer": lambda: pulumi.Output.secret("hunter2")}
    (line,) = list_error_lines(ROLE, inputs)
    assert line.startswith("isuer: unknown field. ")
    assert "hunter2" not in line


def test_an_error_of_an_output_spells_the_input_in_camel_case() -> None:
    inputs = {**ROLE_INPUTS, "providerArn": lambda: pulumi.Output.from_input("oidc")}
    with pytest.raises(pulumi.RunError, match=r"^providerArn: 'oidc' is not accepted\.") as raised:
        construct(ROLE, inputs)
    assert "provider_arn" not in str(raised.value)


def test_a_warning_spells_the_input_in_camel_case() -> None:
    inputs = copy.deepcopy(ROCKETMQ_INPUTS)
    _set(["brokerGroups", 0, "config"], {"brokerHeartbeatInterval": 2000.0})(inputs)
    recording, _ = construct(ROCKETMQ, inputs)
    (warning,) = [text for severity, text in recording.log if severity == "WARNING"]
    assert warning.startswith("brokerGroups['broker-a'].config")
