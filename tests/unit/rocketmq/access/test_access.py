"""Users, passwords and permissions: registered resources."""

import json

import kubernetes_validate
import pulumi
import pytest

from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.rocketmq.secured_case import DECLARATIONS, EVERYTHING, PROXIES, environment, secret
from tests.unit.rocketmq_case import args, config, container, deploy, files, keys, pod

KUBERNETES = "1.35"


def test_options_add_only_their_own_resources(deployed: Recording, secured: Recording) -> None:
    before, after = deployed.inventory(), secured.inventory()
    assert deploy(preview=True, **EVERYTHING).inventory() == after
    added = {type_: count - before.get(type_, 0) for type_, count in after.items() if count != before.get(type_)}
    assert added == {
        "eks-rocketmq:index:Credentials": 1,
        "eks-rocketmq:index:Declarations": 1,
        "kubernetes:apps/v1:Deployment": 1,
        "kubernetes:core/v1:ConfigMap": 1,
        "kubernetes:core/v1:Secret": 2,
        "kubernetes:networking.k8s.io/v1:NetworkPolicy": 1,
        # two internal users, and the users without a given password
        "random:index/randomPassword:RandomPassword": 4,
    }


def test_manifests_conform_to_the_kubernetes_schemas(secured: Recording) -> None:
    for manifest in secured.manifests():
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_manifests_have_no_empty_lists_that_the_api_server_drops(secured: Recording) -> None:
    def empty(value: object, path: str) -> list[str]:
        if isinstance(value, dict):
            return [found for key, inner in value.items() for found in empty(inner, f"{path}.{key}")]
        if isinstance(value, list):
            return [found for inner in value for found in empty(inner, f"{path}[]")] if value else [path]
        return []

    assert [found for manifest in secured.manifests() for found in empty(manifest, manifest["kind"])] == []


def test_passwords_are_readable_neither_in_state_nor_in_config_maps(secured: Recording) -> None:
    secrets = secured.by_type("Secret")
    assert [resource.name for resource in secrets] == [
        "rocketmq-credentials-declared",
        "rocketmq-credentials-rocketmq-internal-1",
    ]
    assert all("stringData" in resource.secret_inputs and resource.inputs["immutable"] is True for resource in secrets)
    passwords = [line.split()[3] for line in secret(secured, "declared")["users"].splitlines()]
    assert len(passwords) == 5
    elsewhere = json.dumps([r.inputs for r in secured.resources.values() if r.type != secrets[0].type])
    assert [password for password in passwords if password in elsewhere] == []


def test_generated_passwords_have_32_letters_and_digits(secured: Recording) -> None:
    for resource in secured.by_type("RandomPassword"):
        assert (resource.inputs["length"], resource.inputs["special"]) == (32, False)


def test_brokers_and_proxies_enforce_access_control_and_use_an_internal_user(secured: Recording) -> None:
    broker, proxy = keys(secured), json.loads(config(secured, "rocketmq-proxy-config")["rmq-proxy.json"])
    inner = {"accessKey": "${INTERNAL_USERNAME}", "secretKey": "${INTERNAL_PASSWORD}"}
    assert json.loads(broker["innerClientAuthenticationCredentials"]) == inner
    assert json.loads(proxy["innerClientAuthenticationCredentials"]) == inner
    assert (broker["authenticationEnabled"], broker["authorizationEnabled"]) == ("true", "true")
    assert (proxy["authenticationEnabled"], proxy["authorizationEnabled"]) == (True, True)
    assert proxy["enableAclRpcHookForClusterMode"] is True
    # With a whitelist, clients could send unsigned requests that fence a broker or replace a master.
    assert not [key for key in [*broker, *proxy] if "hitelist" in key]
    for provider in ("authenticationMetadataProvider", "authorizationMetadataProvider"):
        assert ".auth.auth" in broker[provider]
        assert proxy[provider].startswith("org.apache.rocketmq.proxy.auth.Proxy")


@pytest.mark.parametrize(("name", "file"), [("rocketmq-broker-a-set", "broker.conf"), (PROXIES, "rmq-proxy.json")])
def test_password_is_rendered_into_a_memory_volume(secured: Recording, name: str, file: str) -> None:
    spec = pod(secured, name)
    resource = secured.one("Secret", "rocketmq-credentials-rocketmq-internal-1")
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["internal"]["secret"]["secretName"] == resource.inputs["metadata"]["name"]
    assert volumes["run"]["emptyDir"]["medium"] == "Memory"
    (init,) = spec["initContainers"]
    for one in (init, container(secured, name)):
        assert {"name": "internal", "mountPath": "/etc/rocketmq-internal", "readOnly": True} in one["volumeMounts"]
        assert {"name": "CREDENTIALS", "value": "/etc/rocketmq-internal"} in one["env"]
    assert init["command"][-1] == container(secured, name)["command"][-1] == f"/run/rocketmq/{file}"
    assert init["command"][1].rsplit("/", 1)[-1] in files(secured, name)


@pytest.mark.parametrize("name", ["rocketmq-nameserver-set", "rocketmq-controller-set"])
def test_roles_without_access_control_get_no_password(secured: Recording, name: str) -> None:
    assert "CREDENTIALS" not in environment(secured, name)
    assert "internal" not in {volume["name"] for volume in pod(secured, name)["volumes"]}


def test_passwords_are_a_secret_output(secured: Recording) -> None:
    passwords = secured.component_outputs[secured.one("RocketMq").urn]["passwords"]
    declared = dict(line.split()[::3] for line in secret(secured, "declared")["users"].splitlines())
    assert passwords == {name: password for name, password in declared.items() if "internal" not in name}

    def program() -> None:
        resource = RocketMq("rocketmq", args(access={}))
        pulumi.export("secret", pulumi.Output.from_input(resource.passwords.is_secret()))

    without_users = run(program)
    assert without_users.outputs["secret"] is True
    assert without_users.component_outputs[without_users.one("RocketMq").urn]["passwords"] == {}


def test_new_generation_switches_to_the_user_that_every_member_has() -> None:
    before, after = deploy(access={}), deploy(access={"internal_generation": 2})
    passwords = [
        dict(line.split()[::3] for line in secret(each, "declared")["users"].splitlines()) for each in (before, after)
    ]
    assert [sorted(each) for each in passwords] == [
        ["rocketmq-internal-1", "rocketmq-internal-2"],
        ["rocketmq-internal-2", "rocketmq-internal-3"],
    ]
    assert secret(after, "internal") == {
        "username": "rocketmq-internal-2",
        "password": passwords[0]["rocketmq-internal-2"],
    }
    changed = {
        urn.rsplit("::", 1)[-1]
        for urn, old in before.resources.items()
        if urn in after.resources and after.resources[urn].inputs != old.inputs
    }
    assert {"rocketmq-broker-a-set", PROXIES, DECLARATIONS} <= changed


def test_new_user_password_restarts_no_broker() -> None:
    before = deploy(access={"users": [{"name": "orders"}]})
    after = deploy(access={"users": [{"name": "orders", "password_version": 2}]})
    changed = {
        urn.rsplit("::", 1)[-1] for urn, old in before.resources.items() if after.resources[urn].inputs != old.inputs
    }
    assert changed == {"rocketmq-credentials-user-orders", "rocketmq-credentials-declared", DECLARATIONS}
