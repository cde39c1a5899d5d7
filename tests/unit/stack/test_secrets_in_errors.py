"""Encrypted values in errors: no error shows any part of one."""

import asyncio
import copy
import json
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from eks_rocketmq.args.argument_path import CAMEL_CASE, PYTHON, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError, split_error
from eks_rocketmq.args.redaction import redact, reveals
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from eks_rocketmq.stack import secret_checks, settings
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.new_cluster_checks import find_lockout
from eks_rocketmq.stack.stack_keys import KEYS
from eks_rocketmq.stack.stack_paths import STACK_FILE
from tests.unit.harness import PROJECT, REPOSITORY, Fakes, run, stack_config
from tests.unit.harness.rejections import list_rejections, walk_causes
from tests.unit.rocketmq_case import args, deploy

# Quotes, escapes and letters that Python, JSON and YAML write differently. No part of the text is a word.
CANARY = "Kz7'qVw\"8\\Xj\tßé☃Pf3"
NUMBER = -864209753113
# Accepted as the name of a user, of a topic, of a Secret, and as a password.
NAME = "kz7qvw8xjpf3"
WRONG: dict[str, Any] = {
    "text": CANARY,
    "number": NUMBER,
    "fraction": 864209.753113,
    "list": [CANARY, NUMBER],
    "object": {CANARY: CANARY},
    "nested": {"users": {CANARY: {CANARY: [NUMBER]}}},
    "text in a list in a list": [[CANARY]],
}
ACCESS: dict[str, Any] = {
    "internalGeneration": 1,
    "users": [
        {
            "name": "orders",
            "password": "correct-horse",
            "enabled": True,
            "permissions": [
                {
                    "resources": ["Topic:orders-*"],
                    "actions": ["Pub"],
                    "decision": "Allow",
                    "sourceIps": ["10.0.0.0/8"],
                }
            ],
        },
        {"name": "admin", "type": "Super", "passwordVersion": 1},
    ],
}
PASSWORD = ("users", 0, "password")
SECURE = {"secure": "v1:abc:def"}
ROLE = "arn:aws:iam::140023393377:role/deployer"
SECRET_ROLE = f"arn:aws:iam::140023393377:role/{NAME}"


SPELLINGS = {
    *(CANARY, repr(CANARY), ascii(CANARY), json.dumps(CANARY), CANARY.lower(), CANARY.upper(), NAME),
    *(yaml.safe_dump(CANARY), yaml.safe_dump(CANARY, allow_unicode=True), str(NUMBER), "864209.753113"),
}
FRAGMENTS = frozenset(spelling[at : at + 6] for spelling in SPELLINGS for at in range(len(spelling) - 5))


def leaks(text: str) -> bool:
    """Return whether a text has six successive characters of a secret, in any spelling."""
    return any(fragment in text for fragment in FRAGMENTS)


def find_leaks(error: ValueError) -> list[str]:
    """Return the texts of an error, and the values that another surface may render later, that show a secret."""
    texts = [str(error)]
    for each in split_error(error):
        assert isinstance(each, ArgumentError)
        texts += [each.message.render(surface) for surface in (PYTHON, CAMEL_CASE, STACK_FILE)]
        texts += [surface.spell_path(each.path) for surface in (PYTHON, CAMEL_CASE, STACK_FILE)]
        texts += [
            text
            for value in each.message.values.values()
            for text in (f"{value}", f"{value!r}", repr([value]), repr({"value": value}))
        ]
    return list(filter(leaks, texts))


def list_paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value inside of another one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from list_paths(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """Return a copy with another value at a path."""
    if not path:
        return other
    result = copy.deepcopy(value)
    get(result, path[:-1])[path[-1]] = other
    return result


def get(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def put_beside(value: dict[str, Any], path: tuple[Any, ...]) -> Any:
    """Return a copy with the secret as an unknown field or an additional item beside the value at a path."""
    result = copy.deepcopy(value)
    parent = get(result, path[:-1])
    if isinstance(parent, dict):
        parent[CANARY] = CANARY
    else:
        parent.append(CANARY)
    return result


def load(overrides: dict[str, Any], *encrypted: str, stack: str = "prod") -> None:
    keys = [key if ":" in key else f"{PROJECT}:{key}" for key in encrypted]
    run(settings.load, config=stack_config(stack, overrides), encrypted=keys, stack=stack)


def reject(overrides: dict[str, Any], *encrypted: str, stack: str = "prod") -> str:
    """Return the error of a stack file, which must contain no leak."""
    with pytest.raises(pulumi.RunError) as error:
        load(overrides, *encrypted, stack=stack)
    text = str(error.value)
    assert not leaks(text), text
    assert [each for each in map(str, walk_causes(error.value)) if leaks(each)] == []
    return text


def reject_access(value: Any, written: Any = None) -> ValueError:
    """Return the error of an encrypted `access` as data, which must contain no leak."""
    node = yaml.compose(yaml.safe_dump(written), Loader=yaml.SafeLoader) if written is not None else None
    with pytest.raises(ValueError) as error:  # noqa: PT011 - path and code are compared by the caller
        secret_checks.check_encrypted({"access": json.dumps(value)}, {"access"}, {"access": node})
    assert find_leaks(error.value) == []
    return error.value


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy of the project's files, with a stack file that a test can change."""
    for file in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        shutil.copy(REPOSITORY / file, tmp_path)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    return tmp_path


def write(folder: Path, key: str, value: Any, *secrets: tuple[Any, ...]) -> None:
    """Write a value into the stack file, with parts of it encrypted as by `pulumi config set --secret --path`."""
    file = folder / "Pulumi.prod.yaml"
    stack = yaml.safe_load(file.read_text())
    for path in secrets:
        value = put(value, path, SECURE)
    stack["config"][f"{PROJECT}:{key}"] = value
    file.write_text(yaml.dump(stack, Dumper=yaml.CSafeDumper, sort_keys=False))


def test_a_leak_is_detected() -> None:
    texts = [CANARY, f"is {CANARY!r}", json.dumps([CANARY]), str(NUMBER), "… 7'qVw\"8\\ …", "is 642097"]
    assert all(map(leaks, texts))
    assert not leaks("access.users[0].password: the password is not accepted")
    assert find_leaks(ArgumentError(ArgumentPath().unknown(CANARY), "code", "wrong")) != []
    assert find_leaks(ArgumentError(ArgumentPath(), "code", "wrong", given=CANARY)) != []
    assert find_leaks(ArgumentError(ArgumentPath(), "code", "{given!r}", given=redact(CANARY))) == []


# Values of `access` that are accepted.


def test_encrypted_access_settings_are_accepted(folder: Path) -> None:
    load({"access": ACCESS}, "access")
    for path in list_paths(ACCESS):
        write(folder, "access", ACCESS, PASSWORD, *([path] if path[: len(PASSWORD)] != PASSWORD else []))
        load({"access": ACCESS}, "access")


def test_a_password_in_plain_text_beside_an_encrypted_value_is_rejected(folder: Path) -> None:
    access = put(ACCESS, ("users", 1), {"name": "reports", "password": "battery-staple"})
    for path in (("users", 1, "password"), ("users", 1, "name"), ("internalGeneration",)):
        write(folder, "access", access, path)
        text = reject({"access": access}, "access")
        assert "access.users['orders'].password: the password is in plain text." in text
        assert "--path 'access.users[0].password' --secret" in text
    write(folder, "access", access, PASSWORD, ("users", 1, "name"))
    assert reject({"access": access}, "access").startswith(
        "Pulumi.prod.yaml: access.users[1].password: the password is"
    )
    write(folder, "access", access, PASSWORD, ("users", 1, "password"))
    load({"access": access}, "access")


# Values of `access` that are not accepted.


@pytest.mark.parametrize("path", [(), *list_paths(ACCESS)], ids=str)
def test_an_error_in_encrypted_access_settings_shows_no_part_of_them(path: tuple[Any, ...]) -> None:
    for wrong in WRONG.values():
        for rejection in list_rejections(reject_access(put(ACCESS, path, wrong))):
            assert rejection.path.startswith("rocketmq.access")
        assert reject({"access": put(ACCESS, path, wrong)}, "access").startswith("Pulumi.prod.yaml: ")
    if path:
        reject_access(put_beside(ACCESS, path))
        reject({"access": put_beside(ACCESS, path)}, "access")


@pytest.mark.parametrize("path", list(list_paths(ACCESS)), ids=str)
def test_an_error_in_partly_encrypted_access_settings_shows_no_encrypted_part(
    folder: Path, path: tuple[Any, ...]
) -> None:
    for wrong in WRONG.values():
        given = put(ACCESS, path, wrong)
        reject_access(given, put(given, path, SECURE))
        write(folder, "access", given, path)
        reject({"access": given}, "access")


@pytest.mark.parametrize(
    ("path", "wrong", "rejection"),
    [
        (PASSWORD, CANARY, ("rocketmq.access.users[0].password", "user-password")),
        (PASSWORD, NUMBER, ("rocketmq.access.users[0].password", "wrong-type")),
        (("users", 0, "name"), CANARY, ("rocketmq.access.users[0].name", "user-name")),
        (("users", 0, "name"), f"rocketmq-internal-{NAME}", ("rocketmq.access", "encrypted-value")),
        (("users", 1, "name"), "orders", ("rocketmq.access.users", "duplicate")),
        (("users", 0, "type"), CANARY, ("rocketmq.access.users[0].type", "choice")),
        (("users", 0, "typ"), CANARY, ("rocketmq.access.users[0].[secret]", "unknown-field")),
        (("internalGeneration",), NUMBER, ("rocketmq.access.internal_generation", "range")),
        (("internal_generation",), 1, ("rocketmq.access.[secret]", "python-spelling")),
        (
            ("users", 0, "permissions", 0, "resources", 0),
            f"Topics:{NAME}",
            ("rocketmq.access.users[0].permissions[0].resources[0]", "permission-resource"),
        ),
        (
            ("users", 0, "permissions", 0, "sourceIps", 0),
            NAME,
            ("rocketmq.access.users[0].permissions[0].source_ips[0]", "permission-source"),
        ),
        ((), CANARY, ("rocketmq.access", "encrypted-type")),
        ((), [CANARY], ("rocketmq.access", "encrypted-type")),
    ],
)
def test_an_error_names_the_path_of_the_encrypted_value(
    path: tuple[Any, ...], wrong: Any, rejection: tuple[str, str]
) -> None:
    assert list_rejections(reject_access(put(ACCESS, path, wrong))) == [rejection]


def test_an_error_uses_stack_file_spelling_and_lists_accepted_values() -> None:
    text = reject({"access": put(ACCESS, ("users", 0, "type"), CANARY)}, "access")
    assert text == "Pulumi.prod.yaml: access.users[0].type: [secret] is not accepted. Accepted: 'Normal', 'Super'."
    text = reject({"access": put(ACCESS, ("internalGeneration",), NUMBER)}, "access")
    assert text == "Pulumi.prod.yaml: access.internalGeneration: [secret] is out of range. Accepted: 1 or more."


def test_plain_text_beside_an_encrypted_password_is_shown(folder: Path) -> None:
    wrong = put(put(ACCESS, PASSWORD, CANARY), ("users", 1, "type"), "Supr")
    write(folder, "access", wrong, PASSWORD)
    text = reject({"access": wrong}, "access")
    assert "access.users['orders'].password: the password is not accepted. Accepted: a string of 8 to 64" in text
    wrong = put(ACCESS, ("users", 1, "type"), "Supr")
    write(folder, "access", wrong, PASSWORD)
    text = reject({"access": wrong}, "access")
    assert text.startswith("Pulumi.prod.yaml: access.users['admin'].type: 'Supr' is not accepted. Accepted: 'Normal'")


@pytest.mark.parametrize("path", list(list_paths(ACCESS)), ids=str)
def test_a_value_that_differs_from_the_file_is_treated_as_secret(path: tuple[Any, ...]) -> None:
    """With `--config-file`, the engine reads another file. With an environment, it adds values."""
    for wrong in WRONG.values():
        given = put(ACCESS, path, wrong)
        reject_access(given, ACCESS)
        reject_access(put_beside(given, path), ACCESS)


@pytest.mark.parametrize(
    "text", ["users: *a", "? [a, b]\n: c", "users: [", "users: !!binary x", "<<: {users: []}", "[]"]
)
def test_a_value_in_unusual_yaml_is_treated_as_secret(folder: Path, text: str) -> None:
    file = folder / "Pulumi.prod.yaml"
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    file.write_text(f"{file.read_text()}\n  {PROJECT}:access:\n{indented}")
    reject({"access": put(ACCESS, PASSWORD, CANARY)}, "access")


@pytest.mark.parametrize("levels", [65, 600, 5000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"users": ', "}"), ('{"users": [', "]}")])
def test_encrypted_access_settings_that_are_too_deep_are_rejected(opening: str, closing: str, levels: int) -> None:
    text = reject({"access": opening * levels + json.dumps(CANARY) + closing * levels}, "access")
    problem = "the value has too many levels of objects and lists. Accepted: up to 64 levels."
    assert text == f"Pulumi.prod.yaml: access: {problem}"


# Errors of other settings beside a valid encrypted `access`.

VALID = put(put(ACCESS, PASSWORD, NAME), ("users", 0, "name"), NAME)
VALID = put(VALID, ("users", 0, "permissions", 0, "resources"), [f"Topic:{NAME}"])
OTHER_ERRORS: dict[str, dict[str, Any]] = {
    "dashboard without credentials": {"rocketmq": {"dashboard": {"loginSecret": "login"}}},
    "all arguments of RocketMQ": {"rocketmq": {"namespace": "A", "brokerGroups": [], "profile": "strickt"}},
    "broker keys": {"rocketmq": {"config": {"aclEnable": True}, "topics": [{"name": "a b"}]}},
    "no storage": {"storage": None},
    "load balancer": {"networkLoadBalancer": {"tlsPorts": [1]}},
    "zones": {"rocketmq": {"pods": {"zones": ["eu-west-1a"]}}},
    "new cluster": {"cluster": {"version": "1.35", "creatorIsAdmin": False}},
    "unknown key": {"acces": {}},
}


@pytest.mark.parametrize("overrides", OTHER_ERRORS.values(), ids=OTHER_ERRORS)
def test_other_errors_show_no_part_of_valid_encrypted_access_settings(overrides: dict[str, Any]) -> None:
    load({"access": VALID}, "access")
    reject({**overrides, "access": VALID}, "access")


def test_errors_and_warnings_of_the_components_show_no_encrypted_password() -> None:
    access = put(ACCESS, PASSWORD, NAME)
    # An encrypted profile requires one of the cluster in plain text.
    overrides: dict[str, Any] = {"access": access, "cluster": {"profile": "deployer"}}
    overrides["rocketmq"] = {"dashboard": {"loginSecret": "a", "credentialsSecret": "b"}}
    config = {**stack_config("prod", overrides), "aws:profile": CANARY}
    recording = run(
        lambda: runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__"),
        config=config,
        encrypted=[f"{PROJECT}:access", "aws:profile"],
        stack="prod",
    )
    assert [text for _, text in recording.log if leaks(text)] == []


# Other keys of the stack file.


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("key", [*KEYS, "clusterName", "durability", "acess", "unknown"])
def test_an_error_about_an_encrypted_key_shows_no_part_of_its_value(key: str, wrong: str) -> None:
    text = reject({key: WRONG[wrong]}, key)
    assert text.startswith(f"Pulumi.prod.yaml: {key}: ") or key == "access"


@pytest.mark.parametrize("key", [key for key in KEYS if key != "access"])
def test_an_encrypted_key_is_rejected_even_if_its_value_is_valid(key: str) -> None:
    text = reject({}, key, stack="staging") if key != "networkLoadBalancer" else reject({key: {}}, key, stack="staging")
    assert text == (
        f"Pulumi.staging.yaml: {key}: the value is encrypted. Accepted: plain text. Only access can be a secret. "
        "Set it again without --secret."
    )


@pytest.mark.parametrize("path", [("tls", "secretName"), ("brokerGroups", 0, "cpu"), ("pods", "nodeSelector", "a/b")])
def test_an_encrypted_field_is_rejected_by_its_path(folder: Path, path: tuple[Any, ...]) -> None:
    stack = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())
    rocketmq = {**stack["config"][f"{PROJECT}:rocketmq"], "tls": {"mode": "enforcing"}, "pods": {"nodeSelector": {}}}
    for value in (NAME, CANARY, NUMBER, [CANARY], {CANARY: CANARY}):
        given = put(rocketmq, path, value)
        write(folder, "rocketmq", given, path)
        spelled = {"tls": "tls.secretName", "brokerGroups": "brokerGroups[0].cpu", "pods": "pods.nodeSelector['a/b']"}
        assert reject({"rocketmq": None, f"{PROJECT}:rocketmq": given}, "rocketmq") == (
            f"Pulumi.prod.yaml: rocketmq.{spelled[path[0]]}: the value is encrypted. Accepted: plain text. Only access "
            "can be a secret. Set it again without --secret."
        )


def test_all_encrypted_fields_are_reported(folder: Path) -> None:
    write(folder, "cluster", {"clusterName": NAME, "roleArn": SECRET_ROLE}, ("clusterName",), ("roleArn",))
    text = reject({"cluster": {"clusterName": NAME, "roleArn": SECRET_ROLE}, "rocketmq": {"namespace": "A"}}, "cluster")
    lines = [line.strip().partition(" the ")[0] for line in text.splitlines()]
    assert lines == ["Pulumi.prod.yaml: 2 errors", "cluster.clusterName:", "cluster.roleArn:"]


def test_the_error_for_an_encrypted_password_in_another_key_names_access(folder: Path) -> None:
    stack = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())
    rocketmq = {**stack["config"][f"{PROJECT}:rocketmq"], "access": VALID}
    write(folder, "rocketmq", rocketmq, ("access", *PASSWORD))
    text = reject({"rocketmq": rocketmq}, "rocketmq")
    assert text.startswith("Pulumi.prod.yaml: rocketmq.access.users[0].password: the value is encrypted.")
    assert text.endswith("Move it to access.")


# Settings of the AWS provider.


@pytest.mark.parametrize("key", ["aws:region", "aws:profile", "aws:secretKey", "aws:allowedAccountIds"])
def test_an_error_shows_no_part_of_an_encrypted_provider_setting(key: str) -> None:
    pods = {"zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]}
    image = "123456789012.dkr.ecr.cn-north-1.amazonaws.com/rocketmq"
    overrides = {"rocketmq": {"pods": pods, "minInSyncReplicas": 9, "image": image}}
    reject({**overrides, key: CANARY}, key)


ASSUME_ROLES: dict[str, Any] = {"aws:assumeRoles": [{"roleArn": ROLE, "externalId": CANARY}, {"roleArn": SECRET_ROLE}]}


@pytest.mark.parametrize("stack", ["prod", "staging"])
@pytest.mark.parametrize(
    "cluster", [{}, {"roleArn": ""}, {"roleArn": None}, {"role_arn": ROLE}, {"clusterName": "A B"}, {"version": "1.99"}]
)
def test_encrypted_assumed_roles_require_a_cluster_role_in_plain_text(stack: str, cluster: dict[str, Any]) -> None:
    text = reject({**ASSUME_ROLES, "cluster": cluster}, "aws:assumeRoles", stack=stack)
    assert text.startswith(
        f"Pulumi.{stack}.yaml: cluster.roleArn: a value is required, because aws:assumeRoles is encr"
    )
    assert "\n" not in text


@pytest.mark.parametrize("cluster", [None, f'"{NAME}"', f"[{NUMBER}]", "no JSON", "{}"])
def test_encrypted_roles_are_not_shown_if_the_cluster_has_another_error(cluster: str | None) -> None:
    text = reject({**ASSUME_ROLES, "cluster": None, f"{PROJECT}:cluster": cluster or ""}, "aws:assumeRoles")
    assert "cluster.roleArn: a value is required" in text


@pytest.mark.parametrize("stack", ["prod", "staging"])
@pytest.mark.parametrize(("role", "expected"), [("none", None), (ROLE, ROLE)])
def test_encrypted_roles_are_not_read_if_the_cluster_has_a_role(stack: str, role: str, expected: str | None) -> None:
    loaded: list[settings.Settings] = []
    config = stack_config(stack, {**ASSUME_ROLES, "cluster": {"roleArn": role}})
    run(lambda: loaded.append(settings.load()), config=config, encrypted=["aws:assumeRoles"], stack=stack)
    (result,) = loaded
    assert not leaks(repr(result))
    cluster = result.cluster.cluster if isinstance(result.cluster, NewCluster) else result.cluster
    assert cluster.get("role_arn") == expected


def test_an_encrypted_profile_requires_one_of_the_cluster_in_plain_text() -> None:
    text = reject({"aws:profile": CANARY}, "aws:profile")
    assert text.startswith("Pulumi.prod.yaml: cluster.profile: a value is required, because aws:profile is encrypted")


def test_an_encrypted_profile_is_not_read_if_the_cluster_has_one() -> None:
    loaded: list[settings.Settings] = []
    config = stack_config("prod", {"aws:profile": CANARY, "cluster": {"profile": "deployer"}})
    run(lambda: loaded.append(settings.load()), config=config, encrypted=["aws:profile"], stack="prod")
    (result,) = loaded
    assert not leaks(repr(result))
    assert not isinstance(result.cluster, NewCluster)
    assert result.cluster.get("profile") == "deployer"


@pytest.mark.parametrize("role", [1, [ROLE], "deployer", ROLE.replace(":aws:", ":aws-cn:")])
@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_an_error_about_the_role_shows_no_part_of_encrypted_roles(stack: str, role: Any) -> None:
    text = reject({**ASSUME_ROLES, "cluster": {"roleArn": role}}, "aws:assumeRoles", stack=stack)
    assert text.startswith(f"Pulumi.{stack}.yaml: cluster.roleArn: ")


def test_the_lockout_check_hides_a_caller_with_an_encrypted_role() -> None:
    caller = f"arn:aws:sts::140023393377:assumed-role/{NAME}/{NAME}"
    cases: list[dict[str, Any]] = [
        {"role_arn": ROLE},
        {"creator_is_admin": False},
        {"role_arn": ROLE, "creator_is_admin": False},
    ]
    for case in cases:
        cluster: Any = {"cluster_name": "new", "version": "1.35", **case}
        message = find_lockout(caller, cluster, hide_caller=True)
        assert message is not None
        assert find_leaks(ArgumentError.of(message)) == []
        shown = find_lockout(caller, cluster)
        assert shown is not None
        assert leaks(shown.render(STACK_FILE)) == (case != cases[2])


@pytest.mark.parametrize("encrypted", [True, False])
def test_the_program_hides_a_caller_with_an_encrypted_role(*, encrypted: bool) -> None:
    caller = {"accountId": "140023393377", "arn": f"arn:aws:sts::140023393377:assumed-role/{NAME}/ci", "userId": "A"}
    fakes = Fakes().answering("aws:index/getCallerIdentity:getCallerIdentity", lambda _: {**caller, "id": "1"})
    cluster = {"roleArn": ROLE, "accessEntries": None}
    recording = run(
        lambda: runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__"),
        preview=True,
        config=stack_config("staging", {**ASSUME_ROLES, "cluster": cluster}),
        encrypted=["aws:assumeRoles"] if encrypted else [],
        stack="staging",
        fakes=fakes,
    )
    (created,) = recording.by_type("aws:eks/cluster:Cluster")
    hook_args = pulumi.ResourceHookArgs(created.urn, "", created.name, created.type, new_inputs=created.inputs)
    with pytest.raises(RuntimeError, match=r"cluster\.accessEntries: .* creates the objects of this stack") as error:
        asyncio.run(recording.hooks["cluster-locked-preflight"](hook_args))
    assert leaks(str(error.value)) is not encrypted


# Passwords that are not encrypted.


@pytest.mark.parametrize("access", [CANARY, [f"orders:{CANARY}"], {"users": CANARY}, {"users": [f"orders:{CANARY}"]}])
def test_plain_text_access_settings_of_the_wrong_type_are_not_shown(access: Any) -> None:
    assert reject({"access": access}).startswith("Pulumi.prod.yaml: access")


@pytest.mark.parametrize("password", [CANARY, NUMBER, [CANARY], {CANARY: CANARY}])
def test_a_password_in_plain_text_is_not_shown(password: Any) -> None:
    assert "access.users['orders'].password" in reject({"access": put(ACCESS, PASSWORD, password)})


@pytest.mark.parametrize("wrong", [CANARY, NUMBER, [CANARY], {CANARY: CANARY}, None, True, 0.5])
def test_an_invalid_password_of_a_program_is_not_shown(wrong: Any) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - path and code are compared below
        deploy(access={"users": [{"name": "a", "password": wrong}]})
    code = "user-password" if isinstance(wrong, str) else "wrong-type"
    assert list_rejections(error.value) == [("access.users['a'].password", code)]
    assert find_leaks(error.value) == []


@pytest.mark.parametrize("wrong", [CANARY, NUMBER, [CANARY], {"a": CANARY}, True, 0.5])
def test_an_invalid_secret_password_of_a_program_is_not_shown(wrong: Any) -> None:
    def program() -> None:
        RocketMq("it", args(access={"users": [{"name": "a", "password": pulumi.Output.secret(wrong)}]}))

    with pytest.raises(pulumi.RunError) as error:
        run(program)
    assert list_rejections(error.value) == [("access.users['a'].password", "user-password")]
    assert [text for text in map(str, walk_causes(error.value)) if leaks(text)] == []


@pytest.mark.parametrize(
    ("users", "path"),
    [
        ({"orders": CANARY}, "access.users"),
        ([f"orders:{CANARY}"], "access.users[0]"),
        (CANARY, "access.users"),
        ([[CANARY]], "access.users[0]"),
    ],
)
def test_users_of_the_wrong_type_are_not_shown(users: Any, path: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - path and code are compared below
        deploy(access={"users": users})
    assert list_rejections(error.value) == [(path, "wrong-type")]
    assert find_leaks(error.value) == []


# Redaction.


def test_a_redacted_value_equals_the_original_and_shows_no_part_of_it() -> None:
    value = {"text": CANARY, "number": NUMBER, "share": 0.864209, "whole": 3.0, "list": [CANARY], "on": True}
    hidden = redact(value)
    assert hidden == value
    for text in (repr(hidden), f"{hidden}", f"{hidden['text']}{hidden['number']:>20}", f"{hidden['text']!r}"):
        assert not leaks(text)
        assert "[secret]" in text
    assert isinstance(hidden["whole"], int)


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("is 'abcdef'", "xxabcdefxx", True),
        ("is 'abcde'", "xxabcdexx", False),
        ("is 'abc'", "abc", True),
        ("abc is accepted", "abc", False),
        ("is 123456789", 123456789, True),
        ("is 'a\\\\b\\\\c\\\\d'", "a\\b\\c\\d", True),
        ("nothing", {"a": [None, True, {"b": "c"}]}, False),
    ],
)
def test_a_part_of_a_value_in_a_text_is_detected(text: str, value: Any, shown: bool) -> None:
    assert reveals(text, value) is shown
