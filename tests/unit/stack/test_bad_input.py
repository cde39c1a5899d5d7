"""Errors about invalid input of a stack file or a program: path, given value and accepted values."""

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
import yaml

from eks_rocketmq import ClusterOidcProvider, EbsStorageClass, IrsaRole, Network, NodeGroup, RocketMq
from eks_rocketmq.args.argument_path import ARGS, to_camel_case
from eks_rocketmq.args.aws_identifiers import parse_issuer_host
from eks_rocketmq.args.errors import ArgumentError, render_error, split_error
from eks_rocketmq.args.validation import parse_bytes
from eks_rocketmq.eks.addons.cluster_addons_args import VpcCniArgs
from eks_rocketmq.eks.cluster.cluster_plan import plan_cluster
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.rocketmq.access.access import UserArgs
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.roles.role_args import BrokerGroupArgs, ControllersArgs
from eks_rocketmq.stack import settings
from eks_rocketmq.stack.stack_keys import KEYS
from eks_rocketmq.stack.stack_paths import STACK_FILE
from tests.unit.harness import PROJECT, REPOSITORY, Recording, run, run_stack, stack_config
from tests.unit.harness.rejections import list_rejections, rejects, walk_causes
from tests.unit.rocketmq_case import args
from tests.unit.stack.test_empty_lists import ADMIN, cluster
from tests.unit.stack_case import parse_stack

ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder with the project file, for a stack file that a test writes."""
    shutil.copy(REPOSITORY / "Pulumi.yaml", tmp_path)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    return tmp_path


def reject(folder: Path, stack: str, **changes: str) -> str:
    """Return the error for the committed stack file with changed keys.

    Args:
        folder: where to write the file.
        stack: name of the stack.
        changes: YAML by key. Its fields replace those of the committed object.
    """
    committed = yaml.safe_load((REPOSITORY / f"Pulumi.{stack}.yaml").read_text())["config"]
    texts = {key: yaml.safe_dump(value, sort_keys=False) for key, value in committed.items()}
    for key, text in changes.items():
        given, name = yaml.safe_load(text), f"{PROJECT}:{key}"
        rest = {field: value for field, value in committed.get(name, {}).items() if field not in given}
        texts[name] = f"{text}\n{yaml.safe_dump(rest, sort_keys=False) if rest else ''}"
    indented = ((key, "".join(f"    {line}\n" for line in text.splitlines())) for key, text in texts.items())
    file = folder / f"Pulumi.{stack}.yaml"
    file.write_text("config:\n" + "".join(f"  {key}:\n{text}" for key, text in indented))
    values = yaml.safe_load(file.read_text())["config"]
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    with pytest.raises(pulumi.RunError) as error:
        run(settings.load, config={**stack_config(stack), **config}, stack=stack)
    return str(error.value).removeprefix(f"Pulumi.{stack}.yaml: ")


STRING = "Accepted: a string."


@pytest.mark.parametrize(
    ("stack", "changes", "message"),
    [
        (
            "staging",
            {"cluster": "version: 1.30"},
            f'cluster.version: 1.30 has the wrong type. {STRING} Write it in quotes, "1.30".',
        ),
        (
            "staging",
            {"cluster": "version: '1.35'\ndeletionProtection: yes please"},
            "cluster.deletionProtection: 'yes please' has the wrong type. Accepted: true or false.",
        ),
        (
            "prod",
            {"rocketmq": "pods:\n  nodeSelector:\n    pool: true"},
            f"rocketmq.pods.nodeSelector['pool']: true has the wrong type. {STRING} Write it in quotes, \"true\".",
        ),
        (
            "prod",
            {"rocketmq": "labels:\n  cost: 0x1F"},
            f"rocketmq.labels['cost']: 0x1F has the wrong type. {STRING} Write it in quotes, \"0x1F\".",
        ),
        ("prod", {"rocketmq": "labels:\n  cost:"}, f"rocketmq.labels['cost']: the value is empty. {STRING}"),
        (
            "prod",
            {"rocketmq": "minInSyncReplicas: true"},
            "rocketmq.minInSyncReplicas: true has the wrong type. Accepted: a whole number, such as 3.",
        ),
        (
            "prod",
            {"rocketmq": "proxies:\n  cpu: 1"},
            f'rocketmq.proxies.cpu: 1 has the wrong type. {STRING} Write it in quotes, "1".',
        ),
        (
            "prod",
            {"rocketmq": "proxies:\n  memory: 1"},
            f"rocketmq.proxies.memory: 1 has the wrong type. {STRING} Give it a unit, such as 1Gi.",
        ),
        (
            "prod",
            {"rocketmq": "proxies:\n  memory: 1024"},
            f"rocketmq.proxies.memory: 1024 has the wrong type. {STRING} Give it a unit, such as 1024Mi.",
        ),
        (
            "prod",
            {"rocketmq": "controllers:\n  storage: 10"},
            f"rocketmq.controllers.storage: 10 has the wrong type. {STRING} Give it a unit, such as 10Gi.",
        ),
        (
            "prod",
            {"rocketmq": "controllers:\n  storage: '10'"},
            "rocketmq.controllers.storage: '10' has no unit. Accepted: a size above 0 with a unit. Write '10Gi', for "
            "example.",
        ),
        (
            "prod",
            {"rocketmq": "monitoring:\n  interval: 30"},
            f"rocketmq.monitoring.interval: 30 has the wrong type. {STRING} Give it a unit, such as 30s.",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_reported_as_written(
    folder: Path, stack: str, changes: dict[str, str], message: str
) -> None:
    assert reject(folder, stack, **changes) == message


def test_all_errors_of_a_file_are_reported_in_key_order(folder: Path) -> None:
    rocketmq = """proxies:
  memory: 1
  replica: 2
topics:
- name: a b
namespace: RocketMQ
controllers:
  storage: '3'
networkPolicies:
  egress: maybe
brokerGroups:
- name: broker-a
  memory: 1Gi
- name: broker-b
  storage: 1Gi"""
    head, *lines = reject(
        folder, "prod", ebsCsi="permissions: all", storage="className: A", rocketmq=rocketmq, durabilty="a: 1"
    ).splitlines()
    paths = [line.strip().partition(": ")[0] for line in lines]
    assert [path for path in paths if not path.startswith("rocketmq.")] == [
        "ebsCsi.permissions",
        "storage.className",
        "durabilty",
    ]
    inside = paths[2:-1]
    assert sorted(inside) == [
        "rocketmq.brokerGroups['broker-a'].memory",
        "rocketmq.brokerGroups['broker-b'].storage",
        "rocketmq.controllers.storage",
        "rocketmq.namespace",
        "rocketmq.networkPolicies.egress",
        "rocketmq.proxies.memory",
        "rocketmq.proxies.replica",
        "rocketmq.topics['a b'].name",
    ]
    assert head == "11 errors"


def test_errors_of_all_components_of_a_new_cluster_are_reported() -> None:
    overrides = {
        "network": {"nat": "perzone"},
        "nodeGroups": {"a": {"instanceTypes": ["large"]}, "b": {"instanceType": "m7i.large"}},
        "addons": {"versions": "newest"},
        "oidc": {"clientIds": [""]},
        "ebsCsi": {"identity": "none"},
        "storage": {"reclaimPolicy": "Keep"},
        "networkLoadBalancer": {"tlsPorts": []},
        "rocketmq": {"profile": "strickt"},
        "access": {"internalGeneration": 0},
    }
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the paths are compared below
        parse_stack("staging", overrides)
    assert {path for path, _ in list_rejections(error.value)} >= {
        "network.nat",
        "node_groups['a'].instance_types[0]",
        "node_groups['b'].instanceType",
        "node_groups['b'].instance_types",
        "addons.versions",
        "oidc.client_ids[0]",
        "ebs_csi.identity",
        "storage.reclaim_policy",
        "network_load_balancer.tls_ports",
        "rocketmq.profile",
        "rocketmq.access.internal_generation",
    }


def put(*path: str | int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a function that puts an object at a path of a stack file."""

    def wrap(inner: Any) -> Any:
        for step in reversed(path):
            inner = [inner] if isinstance(step, int) else {step: inner}
        return inner

    return wrap


OBJECTS: dict[str, tuple[str, Any, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "cluster": ("staging", KEYS["cluster"].type_, put("cluster")),
    "network": ("staging", KEYS["network"].type_, put("network")),
    "node_groups['general']": ("staging", NodeGroupArgs, put("nodeGroups", "general")),
    "addons": ("staging", KEYS["addons"].type_, put("addons")),
    "addons.vpc_cni": ("staging", VpcCniArgs, put("addons", "vpcCni")),
    "oidc": ("staging", KEYS["oidc"].type_, put("oidc")),
    "ebs_csi": ("prod", KEYS["ebsCsi"].type_, put("ebsCsi")),
    "storage": ("staging", KEYS["storage"].type_, put("storage")),
    "network_load_balancer": ("prod", KEYS["networkLoadBalancer"].type_, put("networkLoadBalancer")),
    "rocketmq": ("prod", KEYS["rocketmq"].type_, put("rocketmq")),
    "rocketmq.broker_groups['a']": (
        "prod",
        BrokerGroupArgs,
        lambda inner: put("rocketmq", "brokerGroups", 0)({"name": "a", **inner}),
    ),
    "rocketmq.controllers": ("prod", ControllersArgs, put("rocketmq", "controllers")),
    "rocketmq.external": ("prod", ExternalArgs, put("rocketmq", "external")),
    "rocketmq.access": ("prod", KEYS["access"].type_, put("access")),
    "rocketmq.access.users['a']": (
        "prod",
        UserArgs,
        lambda inner: put("access", "users", 0)({"name": "a", **inner}),
    ),
}
"""Objects of a stack file by path: a stack that has them, their type, and a function that puts fields into one."""


def reject_stack(stack: str, overrides: Mapping[str, Any]) -> tuple[list[tuple[str, str]], str]:
    """Return path and code of each error, and the text in the spelling of the stack file."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - path and code are compared by the caller
        parse_stack(stack, overrides)
    rejections = [(path, code) for path, code in list_rejections(error.value)]
    return rejections, render_error(error.value, STACK_FILE)


def get_name_in_file(path: str) -> str:
    """Return a path in the spelling of the stack file."""
    return re.sub("_([a-z])", lambda match: match[1].upper(), path).replace("rocketmq.access", "access")


@pytest.mark.parametrize("path", OBJECTS)
def test_a_snake_case_field_is_rejected_and_its_camel_case_name_suggested(path: str) -> None:
    stack, type_, wrap = OBJECTS[path]
    names = [name for name in type_.__annotations__ if "_" in name and (path, name) != ("rocketmq", "storage_class")]
    assert names
    for name in names:
        for fields in ({name: "x"}, {to_camel_case(name): "x", name: "x"}, {name: "x", to_camel_case(name): "x"}):
            rejections, text = reject_stack(stack, wrap(fields))
            assert (f"{path}.{name}", "python-spelling") in rejections
            assert f"{get_name_in_file(path)}.{name}: unknown field. Write {to_camel_case(name)}." in text


SET_BY_STACK = {
    "cluster": ["vpcId", "subnetIds"],
    "network": ["clusterName", "deletionProtection"],
    "node_groups['general']": ["clusterName", "subnetIds", "zoneCount"],
    "addons": ["clusterName", "stage", "kubernetesVersion"],
    "addons.vpc_cni": ["issuer", "providerArn", "clusterArn"],
    "oidc": ["issuer"],
    "ebs_csi": ["clusterName", "issuer", "providerArn", "kubernetesVersion", "kubeconfig"],
    "storage": ["kubeconfig"],
    "rocketmq": ["storageClass"],
}


@pytest.mark.parametrize("path", SET_BY_STACK)
def test_an_argument_that_the_stack_sets_is_rejected_and_not_suggested(path: str) -> None:
    stack, type_, wrap = OBJECTS[path]
    names = {to_camel_case(name): name for name in type_.__annotations__}
    for name in SET_BY_STACK[path]:
        rejections, _ = reject_stack(stack, wrap({name: "x"}))
        assert (f"{path}.{names[name]}", "set-by-the-stack") in rejections
        rejections, text = reject_stack(stack, wrap({f"{name}x": "x"}))
        assert (f"{path}.{name}x", "unknown-field") in rejections
        assert not re.search(rf"\b{name}\b", text), text


def test_every_argument_that_the_stack_sets_has_a_case() -> None:
    given = {name for names in SET_BY_STACK.values() for name in names}
    declared = {to_camel_case(name) for key in KEYS.values() for name in key.set_by_stack}
    assert declared - {"access"} <= given


@pytest.mark.parametrize(
    ("stack", "overrides"),
    [
        ("staging", {"nodeGroups": {"a": {"zzz": 1}}}),
        ("staging", {"cluster": {"zzz": 1}}),
        ("staging", {"network": {"zzz": 1}}),
        ("prod", {"cluster": {"zzz": 1}}),
        ("prod", {"zzz": 1}),
        ("prod", {"nodeGroup": {}}),
        ("prod", {"rocketmq": {"zzz": 1}}),
        ("prod", {"rocketmq": {"brokerGroups": [{"name": "a", "config": {"zzz": 1}}]}}),
        ("prod", {"rocketmq": {"dashboard": []}}),
    ],
)
def test_the_list_of_accepted_names_in_an_error_is_short(stack: str, overrides: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the texts are compared below
        parse_stack(stack, overrides)
    for each in split_error(error.value):
        assert isinstance(each, ArgumentError)
        text = each.message.render(STACK_FILE)
        assert text.count(", ") <= 12, text
        if each.code in ("unknown-field", "unknown-key") and stack == "staging":
            assert re.search(r"components/README.md|docs/reference/settings.md", text), text


def test_a_new_storage_class_named_like_the_eks_default_is_rejected() -> None:
    with rejects(("storage.class_name", "class-exists")):
        parse_stack("staging", {"storage": {"className": "gp2"}})


@pytest.mark.parametrize(("text", "example"), [("100", "100Gi"), ("1", "1Gi"), ("4096", "4096Mi")])
def test_a_size_without_a_unit_is_rejected_with_an_example(text: str, example: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_bytes(text, ARGS / "storage")
    assert list_rejections(error.value) == [("storage", "size-without-unit")]
    assert f" Write '{example}', for example." in str(error.value)
    assert parse_bytes("4294967296", ARGS / "storage") == 4 * 1024**3


def test_a_duplicate_policy_or_principal_is_rejected() -> None:
    twice = cluster(policies=[{"policy": ADMIN}, {"policy": ADMIN, "namespaces": ["rocketmq"]}])
    with rejects(("access_entries['team'].policies", "duplicate")):
        plan_cluster(twice)
    entries = cluster(policies=[{"policy": ADMIN}])
    entries["access_entries"].append({**entries["access_entries"][0], "name": "others"})
    with rejects(("access_entries", "duplicate")):
        plan_cluster(entries)


@pytest.mark.parametrize("namespace", ["", "a b", "Team", "-a", "a" * 64])
def test_an_invalid_namespace_of_an_access_policy_is_rejected(namespace: str) -> None:
    with rejects(("access_entries['team'].policies[0].namespaces[0]", "access-policy-namespace")):
        plan_cluster(cluster(policies=[{"policy": ADMIN, "namespaces": [namespace]}]))


def test_a_zone_outside_the_region_is_rejected_before_any_resource_is_registered() -> None:
    zones = ["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1z"]
    network, recording = {"zones": zones, "zoneCount": None}, Recording(preview=True)
    with pytest.raises(pulumi.RunError) as error:
        run_stack("staging", preview=True, overrides={"network": network}, recording=recording)
    assert str(error.value).startswith(
        "Pulumi.staging.yaml: network.zones[2]: the region has no zone 'ap-southeast-1z'. Accepted: 'ap-southeast-1a', "
    )
    assert [each.type for each in recording.resources.values() if each.custom] == []


@pytest.mark.parametrize(
    ("issuer", "problem"),
    [
        ("https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com", "the endpoint of the API server"),
        ("https://0123456789ABCDEF.sk1.cn-north-1.eks.amazonaws.com.cn", "the endpoint of the API server"),
        ("https://0123456789ABCDEF.eks-cluster.eu-west-1.api.aws", "the endpoint of the API server"),
        (f"{ISSUER}/.well-known/openid-configuration", "the discovery document"),
        (f"{ISSUER}/.well-known/", "the discovery document"),
        (f"{ISSUER}?x=1", "is no issuer"),
        (f"{ISSUER}#a", "is no issuer"),
        (ISSUER.replace("https://", "https://user@"), "is no issuer"),
        (f"{ISSUER}/", "is no issuer"),
    ],
)
def test_an_invalid_oidc_issuer_is_rejected(issuer: str, problem: str) -> None:
    with rejects(("issuer", "oidc-issuer")):
        run(lambda: ClusterOidcProvider("it", {"issuer": issuer}), preview=True)
    with pytest.raises(pulumi.RunError, match=problem) as error:
        run(lambda: ClusterOidcProvider("it", {"issuer": pulumi.Output.from_input(issuer)}), preview=True)
    assert list_rejections(error.value) == [("issuer", "oidc-issuer")]


@pytest.mark.parametrize("issuer", [ISSUER, "https://oidc-eks.eu-west-1.api.aws/id/0123", "https://oidc.example/id/A"])
def test_a_valid_oidc_issuer_is_accepted(issuer: str) -> None:
    assert parse_issuer_host(issuer) == issuer.removeprefix("https://")


CANARY = "Kz7qVw8XjPf3"
NUMBER = 8642097531
ROLE_ARGS: dict[str, Any] = {"role_name": "reader", "service_accounts": [{"namespace": "apps", "name": "reader"}]}
POD_IDENTITY = {"pod_identity_clusters": {"prod": "arn:aws:eks:eu-west-1:123456789012:cluster/prod"}}
PROVIDER_ARN = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER.removeprefix('https://')}"
NODE_ARGS: dict[str, Any] = {"cluster_name": "prod", "subnet_ids": ["subnet-a"], "instance_types": ["m7i.large"]}
OUTPUTS: dict[str, tuple[Any, str, Callable[[Any], dict[str, Any]]]] = {
    "issuer": (ClusterOidcProvider, "issuer", lambda value: {"issuer": value}),
    "boundary of a role": (
        IrsaRole,
        "permissions_boundary",
        lambda value: {**ROLE_ARGS, **POD_IDENTITY, "permissions_boundary": value},
    ),
    "policy": (
        IrsaRole,
        "policy_arns['orders']",
        lambda value: {**ROLE_ARGS, **POD_IDENTITY, "policy_arns": {"orders": value}},
    ),
    "inline policy": (
        IrsaRole,
        "inline_policies['own']",
        lambda value: {**ROLE_ARGS, **POD_IDENTITY, "inline_policies": {"own": value}},
    ),
    "issuer of a role": (
        IrsaRole,
        "issuer",
        lambda value: {**ROLE_ARGS, "issuer": value, "provider_arn": PROVIDER_ARN},
    ),
    "key of a class": (
        EbsStorageClass,
        "kms_key_id",
        lambda value: {"class_name": "own", "create": True, "kms_key_id": value},
    ),
    "boundary of a network": (Network, "permissions_boundary", lambda value: {"permissions_boundary": value}),
    "role of nodes": (NodeGroup, "role_arn", lambda value: {**NODE_ARGS, "role_arn": value}),
    "key of nodes": (NodeGroup, "disk_kms_key_arn", lambda value: {**NODE_ARGS, "disk_kms_key_arn": value}),
    "version of nodes": (NodeGroup, "version", lambda value: {**NODE_ARGS, "version": value}),
    "class": (RocketMq, "storage_class", lambda value: args(storage_class=value)),
    "class of controllers": (
        RocketMq,
        "controllers.storage_class",
        lambda value: args(controllers={"storage_class": value}),
    ),
}
"""Arguments that take an output: the component, the path, and a function that returns the arguments."""


@pytest.mark.parametrize("value", [f"a {CANARY}!", NUMBER])
@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_is_validated_and_a_secret_output_is_not_shown(name: str, value: Any) -> None:
    component, path, build = OUTPUTS[name]
    with pytest.raises(pulumi.RunError, match="Accepted: ") as plain:
        run(lambda: component("it", build(pulumi.Output.from_input(value))), preview=True)
    ((shown_path, code),) = list_rejections(plain.value)
    assert shown_path == path
    assert code != "secret-value"
    with pytest.raises(pulumi.RunError) as secret:
        run(lambda: component("it", build(pulumi.Output.secret(value))), preview=True)
    ((shown_path, code),) = list_rejections(secret.value)
    assert shown_path == path
    assert code == "secret-value" or (code == "wrong-type" and value == NUMBER)
    for text in map(str, walk_causes(secret.value)):
        assert not any(CANARY[at : at + 6] in text for at in range(len(CANARY) - 5)), text
        assert "864209" not in text


def create_two(first: Any, second: Any) -> None:
    RocketMq("first", args(), first)
    RocketMq("second", args(), second)


def test_a_second_rocketmq_needs_another_namespace_or_cluster() -> None:
    def create_with_providers(*, same: bool) -> None:
        providers = [kubernetes.Provider(name, kubeconfig=name) for name in ("a", "b")]
        create_two(*(pulumi.ResourceOptions(provider=each) for each in (providers[0], providers[0 if same else 1])))

    rejection = ("namespace", "namespace-of-another-rocketmq")
    with rejects(rejection):
        run(lambda: create_two(None, None))
    with rejects(rejection):
        run(lambda: create_with_providers(same=True))
    run(lambda: create_with_providers(same=False))
