"""Encrypted settings of access control in errors: no error shows any part of one."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.unit.harness import PROJECT, REPOSITORY, run, stack_config
from tests.unit.harness.rejections import list_rejections
from tests.unit.stack.secret_case import (
    ACCESS,
    CANARY,
    NAME,
    NUMBER,
    PASSWORD,
    SECURE,
    VALID,
    WRONG,
    leaks,
    list_paths,
    load,
    put,
    put_beside,
    reject,
    reject_access,
    write,
)

# Values of `access` that are accepted.


def test_encrypted_access_settings_are_accepted(prod_folder: Path) -> None:
    load({"access": ACCESS}, "access")
    for path in list_paths(ACCESS):
        write(prod_folder, "access", ACCESS, PASSWORD, *([path] if path[: len(PASSWORD)] != PASSWORD else []))
        load({"access": ACCESS}, "access")


def test_a_password_in_plain_text_beside_an_encrypted_value_is_rejected(prod_folder: Path) -> None:
    access = put(ACCESS, ("users", 1), {"name": "reports", "password": "battery-staple"})
    for path in (("users", 1, "password"), ("users", 1, "name"), ("internalGeneration",)):
        write(prod_folder, "access", access, path)
        text = reject({"access": access}, "access")
        assert "access.users['orders'].password: the password is in plain text." in text
        assert "--path 'access.users[0].password' --secret" in text
    write(prod_folder, "access", access, PASSWORD, ("users", 1, "name"))
    assert reject({"access": access}, "access").startswith(
        "Pulumi.prod.yaml: access.users[1].password: the password is"
    )
    write(prod_folder, "access", access, PASSWORD, ("users", 1, "password"))
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
    prod_folder: Path, path: tuple[Any, ...]
) -> None:
    for wrong in WRONG.values():
        given = put(ACCESS, path, wrong)
        reject_access(given, put(given, path, SECURE))
        write(prod_folder, "access", given, path)
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


def test_plain_text_beside_an_encrypted_password_is_shown(prod_folder: Path) -> None:
    wrong = put(put(ACCESS, PASSWORD, CANARY), ("users", 1, "type"), "Supr")
    write(prod_folder, "access", wrong, PASSWORD)
    text = reject({"access": wrong}, "access")
    assert "access.users['orders'].password: the password is not accepted. Accepted: a string of 8 to 64" in text
    wrong = put(ACCESS, ("users", 1, "type"), "Supr")
    write(prod_folder, "access", wrong, PASSWORD)
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
def test_a_value_in_unusual_yaml_is_treated_as_secret(prod_folder: Path, text: str) -> None:
    file = prod_folder / "Pulumi.prod.yaml"
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
