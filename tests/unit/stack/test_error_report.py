"""Report of all errors of a stack file: order, spelling, values as written, and former keys."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage, CollectedError
from eks_rocketmq.pulumi_sdk.component import apply_redacted, warn
from eks_rocketmq.stack import settings, stack_yaml
from eks_rocketmq.stack.error_report import in_stack_file, render_messages, report_errors
from eks_rocketmq.stack.settings import parse
from eks_rocketmq.stack.stack_paths import ACCESS, CLUSTER, NETWORK, NODE_GROUPS, ROCKETMQ, STORAGE, get_setting_path
from tests.unit.harness import PROJECT, REPOSITORY, Recording, run, stack_config
from tests.unit.harness.rejections import Rejection, list_rejections

FORMER_KEYS: dict[str, tuple[Any, str]] = {
    "clusterName": ("prod", "cluster.clusterName"),
    "clusterRoleArn": ("arn:aws:iam::140023393377:role/team", "cluster.roleArn"),
    "newCluster": ({"version": "1.35"}, "cluster"),
    "clusterAddons": ({"versions": "latest"}, "addons"),
    "oidcProvider": ("existing", "oidc.existing"),
    "oidcClientIds": (["vault"], "oidc.clientIds"),
    "ebsCsiDriver": ("self-managed", "ebsCsi.existing, ebsCsi.selfManaged or ebsCsi.autoMode"),
    "ebsCsiRoleName": ("driver", "ebsCsi.roleName"),
    "ebsCsiPermissions": ("v2", "ebsCsi.permissions"),
    "storageClass": ("gp2", "storage.className"),
    "newStorageClass": ({"volumeType": "gp3"}, "storage with create: true"),
    "allowVolumeExpansion": (True, "storage.allowVolumeExpansion"),
    "durability": ("strict", "rocketmq.profile"),
    "rocketmqVersion": ("5.5.0", "rocketmq.version"),
    **{
        key: (value, f"rocketmq.{key}")
        for key, value in {
            "namespace": "rocketmq",
            "createNamespace": False,
            "podSecurity": "baseline",
            "image": "apache/rocketmq",
            "imageDigest": "",
            "imagePullPolicy": "Always",
            "imagePullSecrets": ["registry"],
            "labels": {"team": "mq"},
            "annotations": {"team": "mq"},
            "pods": {"zones": []},
            "minInSyncReplicas": 0,
            "brokerGroups": [{"name": "broker-a"}],
            "nameServers": {"replicas": 2},
            "controllers": {"replicas": 3},
            "proxies": {"replicas": 2},
            "tls": {},
            "topics": [],
            "consumerGroups": [],
            "networkPolicies": {},
            "monitoring": {},
            "external": {"networkLoadBalancer": {}},
            "dashboard": {},
            "protectData": True,
        }.items()
    },
}
"""Each key of version 0.1 that has a new name, with a value and the new name."""
KEPT_KEYS = {"network", "nodeGroups", "ebsCsi", "access"}


def write(folder: Path, text: str) -> stack_yaml.StackFile:
    (folder / "Pulumi.prod.yaml").write_text(text)
    return stack_yaml.read(folder / "Pulumi.prod.yaml")


def report(folder: Path, text: str, *errors: ValueError) -> list[str]:
    """Return the lines of the report on a stack file."""
    given = errors[0] if len(errors) == 1 else CollectedError(errors)
    return report_errors(given, "Pulumi.prod.yaml", write(folder, text), PROJECT).splitlines()


def load_text(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> list[str]:
    """Return the lines of the error that a stack file causes. The configuration is what the CLI reads from the file."""
    write(folder, text)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(folder))
    values = yaml.safe_load(text)["config"].items()
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values}
    with pytest.raises(pulumi.RunError) as raised:
        run(settings.load, config=config, stack="prod")
    return str(raised.value).splitlines()


@pytest.mark.parametrize(("former", "value", "new"), [(key, *each) for key, each in FORMER_KEYS.items()])
def test_the_error_for_a_former_key_names_the_new_key(former: str, value: Any, new: str) -> None:
    prefix = f"{PROJECT}:"
    config = stack_config("prod", {former: value})
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - path and text are compared below
        parse({key.removeprefix(prefix): text for key, text in config.items() if key.startswith(prefix)})
    assert list_rejections(raised.value) == [Rejection(former, "unknown-key")]
    assert str(raised.value) == f"{former}: the key has a new name. Write {new}."


def test_former_keys_are_reported_with_their_new_names_in_file_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = list(FORMER_KEYS)[::-1]
    text = yaml.safe_dump({"config": {f"{PROJECT}:{key}": FORMER_KEYS[key][0] for key in keys}}, sort_keys=False)
    first, *lines = load_text(tmp_path, monkeypatch, text)
    assert first == f"Pulumi.prod.yaml: {len(keys)} errors"
    assert lines == [f"  {key}: the key has a new name. Write {FORMER_KEYS[key][1]}." for key in keys]


def test_unchanged_keys_of_version_0_1_are_accepted() -> None:
    prefix = f"{PROJECT}:"
    config = stack_config("staging", {"access": {"users": [{"name": "orders"}]}})
    given = {key.removeprefix(prefix): text for key, text in config.items() if key.startswith(prefix)}
    assert given.keys() >= KEPT_KEYS
    parse(given)


MISTAKES = f"""\
config:
  aws:regoin: eu-west-1
  {PROJECT}:rocketmq:
    brokerGroups:
      - name: broker-a
        cpu: fast
        memory: 4
      - name: broker-b
        replica: 3
    profil: strict
    namespace: "-mq"
    topics:
      - name: orders
        queues: -1
  {PROJECT}:access:
    users:
      - name: a
        permission: []
  {PROJECT}:storag: {{}}
  {PROJECT}:storage:
    create: yes please
  {PROJECT}:network:
    nat: perzone
  {PROJECT}:cluster:
    version: 1.35
    clusterName: prod
    zonalShfit: true
  {PROJECT}:nodeGroups:
    general:
      desiredSize: two
  {PROJECT}:addons:
    vpcCni:
      issuer: https://issuer
  {PROJECT}:ebsCsi:
    permissions: v3
  {PROJECT}:oidc:
    clientIds: ["*"]
  aws:allowedAccountIds: []
"""


def test_all_mistakes_in_a_file_are_reported_in_file_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *lines = load_text(tmp_path, monkeypatch, MISTAKES)
    assert first == f"Pulumi.prod.yaml: {len(lines)} errors"
    paths = [line.partition(": ")[0].removeprefix("  ") for line in lines]
    assert paths == [
        "aws:regoin",
        "rocketmq.brokerGroups['broker-a'].cpu",
        "rocketmq.brokerGroups['broker-a'].memory",
        "rocketmq.brokerGroups['broker-b'].replica",
        "rocketmq.profil",
        "rocketmq.namespace",
        "rocketmq.topics['orders'].queues",
        "access.users['a'].permission",
        "storag",
        "storage.className",
        "storage.create",
        "network.nat",
        "cluster.version",
        "cluster.zonalShfit",
        "nodeGroups['general'].instanceTypes",
        "nodeGroups['general'].desiredSize",
        "addons.vpcCni.issuer",
        "ebsCsi.permissions",
        "oidc.clientIds[0]",
        "aws:allowedAccountIds",
    ]


def test_a_single_error_is_reported_on_the_line_of_the_file_name(tmp_path: Path) -> None:
    error = ArgumentError(NETWORK / "zone_count", "a-code", "{given} is too high", given=9)
    assert report(tmp_path, "config: {}\n", error) == ["Pulumi.prod.yaml: network.zoneCount: 9 is too high."]


def test_errors_are_sorted_by_their_position_in_the_file(tmp_path: Path) -> None:
    groups = ROCKETMQ / "broker_groups"
    given = {
        path: ArgumentError(path, "a-code", "wrong")
        for path in (
            STORAGE,
            get_setting_path("aws:region"),
            ROCKETMQ / "namespace",
            groups.index(1, "a") / "memory",
            groups.index(0) / "name",
            groups.index(0) / "storage_class",
            (ROCKETMQ / "labels").key("max_size"),
            ROCKETMQ.unknown("broker_group"),
            ACCESS / "users",
            get_setting_path("unknown"),
        )
    }
    errors = [*given.values(), ValueError("an error without a path")]
    text = f"""\
config:
  {PROJECT}:access: {{secure: x}}
  {PROJECT}:rocketmq:
    labels: {{a: b, max_size: c}}
    broker_group: []
    brokerGroups:
      - storageClass: gp3
      - {{name: a, memory: 1}}
  aws:region: x
"""
    assert report(tmp_path, text, *errors) == [
        "Pulumi.prod.yaml: 11 errors",
        "  access.users: wrong.",
        # A missing field has the position of its object.
        "  rocketmq.namespace: wrong.",
        "  rocketmq.labels['max_size']: wrong.",
        "  rocketmq.broker_group: wrong.",
        "  rocketmq.brokerGroups[0].name: wrong.",
        "  rocketmq.brokerGroups[0].storageClass: wrong.",
        "  rocketmq.brokerGroups['a'].memory: wrong.",
        "  aws:region: wrong.",
        "  storage: wrong.",
        "  unknown: wrong.",
        "  an error without a path",
    ]


def test_errors_keep_their_order_if_the_stack_file_is_not_found() -> None:
    errors = [ArgumentError(path, "a-code", "wrong") for path in (STORAGE, CLUSTER, NETWORK)]
    file = stack_yaml.StackFile()
    lines = report_errors(CollectedError(errors), "Pulumi.prod.yaml", file, PROJECT).splitlines()
    assert lines[1:] == ["  storage: wrong.", "  cluster: wrong.", "  network: wrong."]


@pytest.mark.parametrize(
    ("line", "accepted", "text"),
    [
        ("version: 1.30", "a string", '1.30 has the wrong type. Accepted: a string. Write it in quotes, "1.30".'),
        ("version: yes", "a string", 'yes has the wrong type. Accepted: a string. Write it in quotes, "yes".'),
        ("version: 0x10", "a string", '0x10 has the wrong type. Accepted: a string. Write it in quotes, "0x10".'),
        (
            "version: 2024-01-01",
            "a string",
            '2024-01-01 has the wrong type. Accepted: a string. Write it in quotes, "2024-01-01".',
        ),
        ("version:", "a string", "the value is empty. Accepted: a string."),
        ("version: 'text'", "true or false", "'text' has the wrong type. Accepted: true or false."),
        ("version: {a: b}", "a string", "{'a': 'b'} has the wrong type. Accepted: a string."),
        ("version: 12", "a list", "12 has the wrong type. Accepted: a list."),
        ("version: {secure: x}", "a string", "{'secure': 'x'} has the wrong type. Accepted: a string."),
    ],
)
def test_a_value_of_the_wrong_type_is_shown_as_written(tmp_path: Path, line: str, accepted: str, text: str) -> None:
    given = yaml.safe_load(line)["version"]
    error = ArgumentError(
        CLUSTER / "version", "wrong-type", "{given!r} has the wrong type", accepted=accepted, given=given
    )
    file = f"config:\n  {PROJECT}:cluster:\n    {line}\n"
    assert report(tmp_path, file, error) == [f"Pulumi.prod.yaml: cluster.version: {text}"]


def test_a_value_that_differs_from_the_file_is_shown_as_given(tmp_path: Path) -> None:
    error = ArgumentError(
        CLUSTER / "version", "wrong-type", "{given!r} has the wrong type", accepted="a string", given=1.31
    )
    file = f"config:\n  {PROJECT}:cluster:\n    version: 1.30\n"
    assert report(tmp_path, file, error) == [
        "Pulumi.prod.yaml: cluster.version: 1.31 has the wrong type. Accepted: a string."
    ]


@pytest.mark.parametrize(
    ("field", "value", "example"),
    [("memory", "4", "4Gi"), ("memory", "512", "512Mi"), ("storage", "100", "100Gi"), ("interval", "30", "30s")],
)
def test_a_number_without_a_unit_gets_an_example_with_one(tmp_path: Path, field: str, value: str, example: str) -> None:
    path = (ROCKETMQ / "broker_groups").index(0, "a") / field
    error = ArgumentError(path, "wrong-type", "{given!r} has the wrong type", accepted="a string", given=int(value))
    file = f"config:\n  {PROJECT}:rocketmq:\n    brokerGroups:\n    - {{name: a, {field}: {value}}}\n"
    assert report(tmp_path, file, error) == [
        f"Pulumi.prod.yaml: rocketmq.brokerGroups['a'].{field}: {value} has the wrong type. Accepted: a string. "
        f"Give it a unit, such as {example}."
    ]


def test_a_hidden_value_is_not_read_from_the_file(tmp_path: Path) -> None:
    path = (ACCESS / "users").index(0, "a") / "password"
    error = ArgumentError(path, "wrong-type", "the value has the wrong type", accepted="a string")
    file = f"config:\n  {PROJECT}:access:\n    users:\n    - {{name: a, password: 12345678}}\n"
    assert report(tmp_path, file, error) == [
        "Pulumi.prod.yaml: access.users['a'].password: the value has the wrong type. Accepted: a string."
    ]


def test_braces_in_a_value_are_shown_unchanged(tmp_path: Path) -> None:
    error = ArgumentError(
        CLUSTER / "version", "wrong-type", "{given!r} has the wrong type", accepted="a string", given="{x}"
    )
    file = f"config:\n  {PROJECT}:cluster:\n    version: !!int '{{x}}'\n"
    assert report(tmp_path, file, error) == [
        'Pulumi.prod.yaml: cluster.version: {x} has the wrong type. Accepted: a string. Write it in quotes, "{x}".'
    ]


def run_in_stack_file(program: Any) -> Recording:
    return run(program, config=stack_config("prod"), stack="prod")


def test_an_error_of_a_component_is_reported_with_its_stack_file_path() -> None:
    def program() -> None:
        with in_stack_file(NODE_GROUPS.key("general")):
            raise ArgumentError(
                ARGS / "max_size", "a-code", "{given} is less than {least}", given=1, least=ARGS / "min_size"
            )

    with pytest.raises(pulumi.RunError) as raised:
        run_in_stack_file(program)
    assert str(raised.value) == (
        "Pulumi.prod.yaml: nodeGroups['general'].maxSize: 1 is less than nodeGroups['general'].minSize."
    )


def test_several_errors_of_a_component_are_reported_on_one_line_each() -> None:
    def program() -> None:
        with in_stack_file(ROCKETMQ):
            raise CollectedError(
                [
                    ArgumentError(ARGS / "access" / "users", "a-code", "wrong"),
                    ValueError("an error without a path"),
                ]
            )

    with pytest.raises(pulumi.RunError) as raised:
        run_in_stack_file(program)
    assert str(raised.value).splitlines() == [
        "Pulumi.prod.yaml: 2 errors",
        "  access.users: wrong.",
        "  an error without a path",
    ]


def test_warnings_and_errors_of_outputs_use_the_stack_file_spelling() -> None:
    def reject(value: str) -> str:
        raise ArgumentError(ARGS / "zone_count", "a-code", "{given!r} is not accepted", given=value)

    def program() -> None:
        with in_stack_file(NETWORK):
            component = pulumi.ComponentResource("test:index:Component", "network")
            warn(ArgumentMessage(ARGS / "zone_count", "a-code", "the value is low"), component)
            pulumi.export("later", apply_redacted(pulumi.Output.from_input("x"), reject, ARGS / "zone_count", str))

    recording = Recording(preview=False)
    with pytest.raises(Exception, match=r"^network\.zoneCount: 'x' is not accepted\.$"):
        run(program, config=stack_config("prod"), stack="prod", recording=recording)
    assert recording.log == [("WARNING", "network.zoneCount: the value is low.")]


def test_messages_are_rendered_one_per_line_in_stack_file_spelling() -> None:
    messages = [
        ArgumentMessage(ROCKETMQ / "image_pull_policy", "a-code", "wrong"),
        ArgumentMessage(ACCESS / "users", "a-code", "{other} is wrong", values={"other": NETWORK / "zone_count"}),
    ]
    assert render_messages(messages) == (
        "rocketmq.imagePullPolicy: wrong.\n  access.users: network.zoneCount is wrong."
    )


def test_the_committed_project_file_declares_no_former_key() -> None:
    declared = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())["config"]
    assert not declared.keys() & FORMER_KEYS.keys()
