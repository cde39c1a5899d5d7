"""Access control, TLS, topics and consumer groups: registered resources and rejected arguments."""

import json
import re
from typing import Any

import kubernetes_validate
import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.argument_path import ARGS as PATH
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.redaction import redact
from eks_rocketmq.rocketmq.access import access
from eks_rocketmq.rocketmq.declarations import topics
from eks_rocketmq.rocketmq.naming import resource_names
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq_case import ARGS, SETS, args, config, container, deploy, files, group, keys, pod, workload

KUBERNETES = "1.35"
DECLARATIONS = "rocketmq-declarations-deployment"
PROXIES = "rocketmq-proxy-deployment"
USERS: list[dict[str, Any]] = [
    {
        "name": "orders",
        "permissions": [
            {"resources": ["Topic:orders-*", "Group:orders"], "actions": ["Sub", "Pub"], "source_ips": ["10.0.0.0/8"]},
            {"resources": ["Topic:orders-secret"], "actions": ["All"], "decision": "Deny"},
        ],
    },
    {"name": "admin", "type": "Super", "password": "Chosen-by-a-person"},
    {"name": "former", "enabled": False},
]
EVERYTHING: dict[str, Any] = {
    "access": {"users": USERS},
    "tls": {"secret_name": "rocketmq-tls", "mode": "enforcing", "authority": "ca.crt"},
    "topics": [{"name": "orders-new", "type": "FIFO", "queues": 16, "write_queues": 8, "permission": "R"}],
    "consumer_groups": [{"name": "orders", "ordered": True, "max_retries": 3}],
}


@pytest.fixture(scope="module")
def plain() -> Recording:
    return deploy()


@pytest.fixture(scope="module")
def deployed() -> Recording:
    return deploy(**EVERYTHING)


def secret(recording: Recording, name: str) -> dict[str, str]:
    return recording.one("Secret", f"rocketmq-credentials-{name}").inputs["stringData"]


def environment(recording: Recording, name: str) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container(recording, name)["env"]}


def test_options_add_only_their_own_resources(plain: Recording, deployed: Recording) -> None:
    before, after = plain.inventory(), deployed.inventory()
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


def test_tls_adds_no_resources_and_topics_add_no_passwords(plain: Recording) -> None:
    assert deploy(tls=EVERYTHING["tls"]).inventory() == plain.inventory()
    topics = deploy(topics=EVERYTHING["topics"])
    assert (topics.by_type("Secret"), topics.by_type("RandomPassword")) == ([], [])
    assert not {"ACCESS", "CREDENTIALS", "TLS"} & set(environment(topics, DECLARATIONS))


def test_manifests_conform_to_the_kubernetes_schemas(deployed: Recording) -> None:
    for manifest in deployed.manifests():
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_manifests_have_no_empty_lists_that_the_api_server_drops(deployed: Recording) -> None:
    def empty(value: object, path: str) -> list[str]:
        if isinstance(value, dict):
            return [found for key, inner in value.items() for found in empty(inner, f"{path}.{key}")]
        if isinstance(value, list):
            return [found for inner in value for found in empty(inner, f"{path}[]")] if value else [path]
        return []

    assert [found for manifest in deployed.manifests() for found in empty(manifest, manifest["kind"])] == []


def test_passwords_are_readable_neither_in_state_nor_in_config_maps(deployed: Recording) -> None:
    secrets = deployed.by_type("Secret")
    assert [resource.name for resource in secrets] == ["rocketmq-credentials-declared", "rocketmq-credentials-internal"]
    assert all("stringData" in resource.secret_inputs and resource.inputs["immutable"] is True for resource in secrets)
    passwords = [line.split()[3] for line in secret(deployed, "declared")["users"].splitlines()]
    assert len(passwords) == 5
    elsewhere = json.dumps([r.inputs for r in deployed.resources.values() if r.type != secrets[0].type])
    assert [password for password in passwords if password in elsewhere] == []


def test_generated_passwords_have_32_letters_and_digits(deployed: Recording) -> None:
    for resource in deployed.by_type("RandomPassword"):
        assert (resource.inputs["length"], resource.inputs["special"]) == (32, False)


def test_brokers_and_proxies_enforce_access_control_and_use_an_internal_user(deployed: Recording) -> None:
    broker, proxy = keys(deployed), json.loads(config(deployed, "rocketmq-proxy-config")["rmq-proxy.json"])
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
def test_password_is_rendered_into_a_memory_volume(deployed: Recording, name: str, file: str) -> None:
    spec = pod(deployed, name)
    resource = deployed.one("Secret", "rocketmq-credentials-internal")
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["internal"]["secret"]["secretName"] == resource.inputs["metadata"]["name"]
    assert volumes["run"]["emptyDir"]["medium"] == "Memory"
    (init,) = spec["initContainers"]
    for one in (init, container(deployed, name)):
        assert {"name": "internal", "mountPath": "/etc/rocketmq-internal", "readOnly": True} in one["volumeMounts"]
        assert {"name": "CREDENTIALS", "value": "/etc/rocketmq-internal"} in one["env"]
    assert init["command"][-1] == container(deployed, name)["command"][-1] == f"/run/rocketmq/{file}"
    assert init["command"][1].rsplit("/", 1)[-1] in files(deployed, name)


@pytest.mark.parametrize("name", ["rocketmq-nameserver-set", "rocketmq-controller-set"])
def test_roles_without_access_control_get_no_password(deployed: Recording, name: str) -> None:
    assert "CREDENTIALS" not in environment(deployed, name)
    assert "internal" not in {volume["name"] for volume in pod(deployed, name)["volumes"]}


def test_declarations_have_the_format_that_the_scripts_read(deployed: Recording) -> None:
    lines = secret(deployed, "declared")["users"].splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["admin", "Super", "enable"],
        ["former", "Normal", "disable"],
        ["orders", "Normal", "enable"],
        ["rocketmq-internal-1", "Super", "enable"],
        ["rocketmq-internal-2", "Super", "enable"],
    ]
    assert lines[0].split()[3] == "Chosen-by-a-person"
    assert lines[3].split()[3] == secret(deployed, "internal")["password"]
    assert secret(deployed, "internal")["username"] == "rocketmq-internal-1"
    assert secret(deployed, "declared")["permissions"].splitlines() == [
        "User:orders Group:orders Pub,Sub 10.0.0.0/8 Allow",
        "User:orders Topic:orders-* Pub,Sub 10.0.0.0/8 Allow",
        "User:orders Topic:orders-secret All - Deny",
    ]
    files = config(deployed, "rocketmq-declarations-config")
    assert files["topics.broker-a"] == "orders-new FIFO 16 8 4\n"
    assert files["groups"] == "orders true true true 3\n"
    assert files["members"].splitlines() == [
        f"broker-a rocketmq-broker-a-{i}.rocketmq-broker-a-peers.rocketmq.svc:10911" for i in range(3)
    ]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "g true true false 16"),
        ({"consume": False}, "g false true false 16"),
        ({"broadcast": False}, "g true false false 16"),
        ({"ordered": True}, "g true true true 16"),
        ({"max_retries": 0}, "g true true false 0"),
    ],
)
def test_consumer_group_line_has_the_fields_that_the_script_reads(given: dict[str, Any], line: str) -> None:
    (group,) = topics.plan_consumer_groups([{"name": "g", **given}])
    assert group.line == line


def test_passwords_are_a_secret_output(deployed: Recording) -> None:
    passwords = deployed.component_outputs[deployed.one("RocketMq").urn]["passwords"]
    declared = dict(line.split()[::3] for line in secret(deployed, "declared")["users"].splitlines())
    assert passwords == {name: password for name, password in declared.items() if "internal" not in name}

    def program() -> None:
        resource = RocketMq("rocketmq", args(access={}))
        pulumi.export("secret", pulumi.Output.from_input(resource.passwords.is_secret()))

    assert run(program).outputs["secret"] is True


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


def test_declarations_deployment_is_created_last_with_one_replica(deployed: Recording) -> None:
    declarations = next(r for r in deployed.by_type("Deployment") if r.name == DECLARATIONS)
    # The declarations delete the users of an earlier generation, so no pod may still use them.
    for earlier in ("rocketmq-broker-a-set", PROXIES):
        (one,) = (r for r in deployed.resources.values() if r.name == earlier)
        assert deployed.reaches(declarations, one)
    spec = workload(deployed, DECLARATIONS)
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_declarations_pod_is_restricted_small_and_without_a_jvm(deployed: Recording) -> None:
    main, spec = container(deployed, DECLARATIONS), pod(deployed, DECLARATIONS)
    assert main["command"] == ["bash", "/etc/rocketmq/declare.sh"]
    assert main["resources"] == {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    assert main["securityContext"]["readOnlyRootFilesystem"] is True
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    files = config(deployed, "rocketmq-declarations-config")
    for script in ("declare.sh", "declared.sh", "declared.awk", "ask.sh", "sign.sh"):
        assert script in files
    status = environment(deployed, DECLARATIONS)["STATUS"]
    assert main["readinessProbe"]["exec"]["command"] == ["bash", "/etc/rocketmq/declared.sh", status, "120"]
    assert main["livenessProbe"]["exec"]["command"][-1] == "alive"
    assert environment(deployed, DECLARATIONS)["DECLARED"] == "/etc/rocketmq"
    mount_paths = {mount["mountPath"] for mount in main["volumeMounts"] if mount["name"] == "declared"}
    assert mount_paths == {environment(deployed, DECLARATIONS)["ACCESS"]}


def test_declarations_pod_reaches_brokers_and_accepts_no_connections(deployed: Recording) -> None:
    spec = deployed.one("NetworkPolicy", "rocketmq-declarations-network-policy").inputs["spec"]
    assert (spec["policyTypes"], "ingress" in spec) == (["Ingress", "Egress"], False)
    ports = {port["port"]: bool(rule.get("to")) for rule in spec["egress"] for port in rule["ports"]}
    assert ports == {10911: True, 53: False}
    broker = deployed.one("NetworkPolicy", "rocketmq-broker-a-network-policy").inputs["spec"]
    roles = [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for rule in broker["ingress"]
        for peer in rule["from"]
        if rule["ports"][0]["port"] == 10911
    ]
    assert roles == ["broker", "controller", "proxy", "declarations"]
    assert workload(deployed, DECLARATIONS)["selector"]["matchLabels"]["app.kubernetes.io/component"] == "declarations"


@pytest.mark.parametrize("name", [*SETS, PROXIES])
def test_every_jvm_uses_tls_as_server_and_client(deployed: Recording, name: str) -> None:
    command = container(deployed, name)["command"]
    assert {
        "-Dtls.server.mode=enforcing",
        "-Dtls.enable=true",
        "-Dtls.test.mode.enable=false",
        "-Dtls.server.certPath=/etc/rocketmq-tls/tls.crt",
        "-Dtls.server.keyPath=/etc/rocketmq-tls/tls.key",
        "-Dtls.client.authServer=true",
        "-Dtls.client.trustCertPath=/etc/rocketmq-tls/ca.crt",
    } <= set(command[command.index("java") + 1 : command.index("-cp")])
    volumes = {volume["name"]: volume for volume in pod(deployed, name)["volumes"]}
    assert volumes["tls"]["secret"]["secretName"] == "rocketmq-tls"
    mount = {"name": "tls", "mountPath": "/etc/rocketmq-tls", "readOnly": True}
    assert mount in container(deployed, name)["volumeMounts"]


@pytest.mark.parametrize("name", [*SETS, PROXIES, DECLARATIONS])
def test_scripts_use_tls_in_enforcing_mode(deployed: Recording, name: str) -> None:
    found = environment(deployed, name)
    assert (found["TLS"], found["TLS_CA"]) == ("on", "/etc/rocketmq-tls/ca.crt")


def test_proxies_use_the_given_certificate_instead_of_a_test_certificate(deployed: Recording) -> None:
    proxy = json.loads(config(deployed, "rocketmq-proxy-config")["rmq-proxy.json"])
    assert (proxy["tlsTestModeEnable"], proxy["tlsCertPath"], proxy["tlsKeyPath"]) == (
        False,
        "/etc/rocketmq-tls/tls.crt",
        "/etc/rocketmq-tls/tls.key",
    )


def test_tls_is_permissive_and_accepts_any_certificate_by_default() -> None:
    def program() -> None:
        RocketMq("rocketmq", args(tls={"secret_name": pulumi.Output.from_input("made-elsewhere")}))

    recording = run(program)
    command = container(recording)["command"]
    assert "-Dtls.server.mode=permissive" in command
    assert not [flag for flag in command if "authServer" in flag]
    assert "TLS_CA" not in environment(recording, "rocketmq-broker-a-set")
    (volume,) = (each for each in pod(recording)["volumes"] if each["name"] == "tls")
    assert volume["secret"]["secretName"] == "made-elsewhere"


def test_topic_is_declared_in_its_broker_groups() -> None:
    two = [*ARGS["broker_groups"], *group(name="broker-b")]
    topics = [{"name": "everywhere"}, {"name": "one", "broker_groups": ["broker-b"]}]
    files = plan(args(broker_groups=two, topics=topics)).declared_files
    assert files["topics.broker-a"] == "everywhere NORMAL 8 8 6\n"
    assert files["topics.broker-b"] == "everywhere NORMAL 8 8 6\none NORMAL 8 8 6\n"
    assert len(files["members"].splitlines()) == 6


def test_mixed_topics_are_accepted_with_the_broker_setting() -> None:
    mixed = group(config={"enableMixedMessageType": True})
    files = plan(args(broker_groups=mixed, topics=[{"name": "a", "type": "MIXED"}])).declared_files
    assert files["topics.broker-a"].startswith("a MIXED ")


def user_args(**user: Any) -> dict[str, Any]:
    return {"access": {"users": [{"name": "orders", **user}]}}


def permission_args(**changes: Any) -> dict[str, Any]:
    return user_args(permissions=[{"resources": ["Topic:a"], "actions": ["Pub"], **changes}])


ORDERS = "access.users['orders']"
PERMISSION = f"{ORDERS}.permissions[0]"


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"topics": [{"name": ""}]}, "topics[''].name", "resource-name"),
        ({"topics": [{"name": "a b"}]}, "topics['a b'].name", "resource-name"),
        ({"topics": [{"name": "a.b"}]}, "topics['a.b'].name", "resource-name"),
        ({"topics": [{"name": "t" * 128}]}, f"topics['{'t' * 128}'].name", "resource-name"),
        *(
            ({"topics": [{"name": name}]}, f"topics[{name!r}].name", "reserved-resource-name")
            for name in ("TBW102", "rmq_sys_x", "%RETRY%orders", "rocketmq", "broker-a", "rocketmq_REPLY_TOPIC")
        ),
        ({"topics": [{"name": "a"}, {"name": "a"}]}, "topics", "duplicate"),
        ({"topics": [{"name": "a", "type": "FIF0"}]}, "topics['a'].type", "choice"),
        ({"topics": [{"name": "a", "type": "MIXED"}]}, "topics['a'].type", "topic-mixed-type"),
        (
            {
                "version": "5.3.3",
                "profile": "dev",
                "broker_groups": group(replicas=1),
                "topics": [{"name": "a", "type": "PRIORITY"}],
            },
            "topics['a'].type",
            "topic-type-version",
        ),
        ({"topics": [{"name": "a", "queues": 0}]}, "topics['a'].queues", "range"),
        (
            {"topics": [{"name": "a", "queues": 4, "write_queues": 5}]},
            "topics['a'].write_queues",
            "topic-write-queues",
        ),
        ({"topics": [{"name": "a", "permission": "RWX"}]}, "topics['a'].permission", "choice"),
        (
            {"topics": [{"name": "a", "broker_groups": ["broker-a", "broker-b"]}]},
            "topics['a'].broker_groups[1]",
            "choice",
        ),
        ({"topics": [{"name": "a", "broker_groups": []}]}, "topics['a'].broker_groups", "topic-broker-groups"),
        ({"consumer_groups": [{"name": "g" * 121}]}, f"consumer_groups['{'g' * 121}'].name", "resource-name"),
        ({"consumer_groups": [{"name": "käse"}]}, "consumer_groups['käse'].name", "resource-name"),
        (
            {"consumer_groups": [{"name": "CID_RMQ_SYS_x"}]},
            "consumer_groups['CID_RMQ_SYS_x'].name",
            "reserved-resource-name",
        ),
        ({"consumer_groups": [{"name": "g"}, {"name": "g"}]}, "consumer_groups", "duplicate"),
        ({"consumer_groups": [{"name": "g", "max_retries": -1}]}, "consumer_groups['g'].max_retries", "range"),
        ({"consumer_groups": [{"name": "g", "max_retries": 2**31}]}, "consumer_groups['g'].max_retries", "range"),
        ({"access": {"internal_generation": 0}}, "access.internal_generation", "range"),
        (user_args(name="a b"), "access.users['a b'].name", "user-name"),
        (user_args(name="rocketmq-internal-7"), "access.users['rocketmq-internal-7'].name", "internal-user-name"),
        ({"access": {"users": [{"name": "a"}, {"name": "a"}]}}, "access.users", "duplicate"),
        (user_args(type="super"), f"{ORDERS}.type", "choice"),
        (user_args(password_version=0), f"{ORDERS}.password_version", "range"),
        (user_args(password_version=-3), f"{ORDERS}.password_version", "range"),
        (
            user_args(password="Chosen-by-a-person", password_version=2),
            f"{ORDERS}.password_version",
            "ignored-argument",
        ),
        (
            user_args(password=pulumi.Output.from_input("Chosen-by-a-person"), password_version=1),
            f"{ORDERS}.password_version",
            "ignored-argument",
        ),
        (user_args(password="short"), f"{ORDERS}.password", "user-password"),
        (user_args(password='with"quotes'), f"{ORDERS}.password", "user-password"),
        (permission_args(resources=["Topics:a"]), f"{PERMISSION}.resources[0]", "permission-resource"),
        (permission_args(resources=["Topic:"]), f"{PERMISSION}.resources[0]", "permission-resource"),
        (permission_args(resources=["Topic:a*b"]), f"{PERMISSION}.resources[0]", "permission-resource"),
        (permission_args(resources=[]), f"{PERMISSION}.resources", "permission-empty-list"),
        (permission_args(resources=["Topic:a", "Topic:a"]), f"{PERMISSION}.resources[1]", "permission-duplicate"),
        (permission_args(actions=[]), f"{PERMISSION}.actions", "permission-empty-list"),
        (permission_args(actions=["Publish"]), f"{PERMISSION}.actions[0]", "choice"),
        (permission_args(decision="Denied"), f"{PERMISSION}.decision", "choice"),
        (permission_args(source_ips=[]), f"{PERMISSION}.source_ips", "empty-list"),
        (permission_args(source_ips=["10.0.0"]), f"{PERMISSION}.source_ips[0]", "permission-source"),
        (
            user_args(type="Super", permissions=[{"resources": ["*"], "actions": ["All"]}]),
            f"{ORDERS}.permissions",
            "ignored-argument",
        ),
        ({"tls": {"secret_name": "x", "mode": "enforce"}}, "tls.mode", "choice"),
        ({"tls": {"secret_name": "Bad Name"}}, "tls.secret_name", "dns-subdomain"),
        ({"tls": {"secret_name": ""}}, "tls.secret_name", "dns-subdomain"),
        *(
            ({"tls": {"secret_name": "x", "authority": entry}}, "tls.authority", "tls-authority")
            for entry in ("", "../../etc", "a/b", "a b", ".", "..", "..data", "a" * 254, "ca.crt\n")
        ),
        (
            {"broker_groups": group(name="declarations")},
            "broker_groups['declarations'].name",
            "broker-group-name-reserved",
        ),
        (
            {"broker_groups": group(config={"authenticationWhitelist": "25"})},
            "broker_groups['broker-a'].config['authenticationWhitelist']",
            "config-key-reserved",
        ),
        (
            {"proxies": {"config": {"tlsTestModeEnable": True}}},
            "proxies.config['tlsTestModeEnable']",
            "config-key-reserved",
        ),
        (
            {"proxies": {"config": {"authenticationEnabled": True}}},
            "proxies.config['authenticationEnabled']",
            "config-key-reserved",
        ),
    ],
)
def test_invalid_arguments_are_rejected_before_any_resource_is_registered(
    changes: dict[str, Any], path: str, code: str
) -> None:
    with rejects((path, code)):
        plan(args(**changes))


@pytest.mark.parametrize("password", ["with a blank", "short"])
def test_error_does_not_contain_the_rejected_password(password: str) -> None:
    with pytest.raises(ArgumentError) as error:
        plan(args(**user_args(password=password)))
    assert error.value.code == "user-password"
    assert password not in str(error.value)
    assert error.value.message.values == {}


def test_errors_do_not_contain_redacted_values() -> None:
    """Redact encrypted values of a stack file before validation, because an invalid value may be a password."""
    hidden = "Hidden-by-a-person"
    invalid: list[dict[str, Any]] = [
        {"users": [{"name": f"{hidden} "}]},
        {"users": [{"name": f"{access.INTERNAL_PREFIX}{hidden}"}]},
        {"users": [{"name": hidden}, {"name": hidden}]},
        {"users": [{"name": hidden, "type": hidden}]},
        {"users": [{"name": hidden, "password": f"{hidden} "}]},
        {"users": [{"name": hidden, "password": hidden, "password_version": 2}]},
        *(
            {"users": [{"name": hidden, "permissions": [{"resources": ["*"], "actions": ["All"], **changes}]}]}
            for changes in (
                {"resources": [hidden]},
                {"resources": [f"Topic:{hidden}"] * 2},
                {"actions": [hidden]},
                {"decision": hidden},
                {"source_ips": [hidden]},
            )
        ),
    ]
    for each in invalid:
        with pytest.raises(ArgumentError) as error:
            access.plan_access(redact_values(each))
        assert "Hidden" not in str(error.value)
        assert "person" not in str(error.value)


def redact_values(value: Any) -> Any:
    """Redact all values as the check of a stack file does. Field names are public."""
    if isinstance(value, dict):
        return {key: redact_values(item) for key, item in value.items()}
    return [redact_values(item) for item in value] if isinstance(value, list) else redact(value)


def test_output_password_is_validated_when_it_is_known() -> None:
    # The error describes an accepted password, although the given one is secret.
    with pytest.raises(pulumi.RunError, match=rf"^{re.escape(ORDERS)}\.password: the password is not accepted\. Acc"):
        run(lambda: RocketMq("rocketmq", args(**user_args(password=pulumi.Output.secret("abc")))))


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=70))
def test_accepted_password_is_one_word_without_json_escapes(password: str) -> None:
    try:
        access.validate_password(password, PATH / "password")
    except ValueError:
        return
    assert json.dumps(password) == f'"{password}"'
    assert password.split() == [password]


@given(st.text(max_size=130))
def test_accepted_name_is_one_word_without_json_escapes(name: str) -> None:
    for check in (
        lambda: resource_names.validate_topic_name(name, frozenset(), PATH / "name"),
        lambda: resource_names.validate_group_name(name, PATH / "name"),
        lambda: resource_names.validate_user_name(name, "own-", PATH / "name"),
    ):
        try:
            accepted = check()
        except ValueError:
            continue
        assert json.dumps(accepted) == f'"{name}"'
        assert name.split() == [name]
