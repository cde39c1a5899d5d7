"""No error shows anything of an encrypted value, whatever is wrong with it and wherever it stands."""

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from eks_rocketmq.args.redaction import redact, reveals
from eks_rocketmq.stack import settings
from eks_rocketmq.stack.settings import declaration
from tests.unit.harness import PROJECT, REPOSITORY, run, stack_config
from tests.unit.rocketmq_case import args, deploy

DECLARED = declaration(REPOSITORY)
# Quotes, escapes and letters that Python, JSON and YAML each write in their own way; none of its parts is a word.
CANARY = "Kz7'qVw\"8\\Xj\tßé☃Pf3"
NUMBER = -864209753113
WRONG: dict[str, Any] = {
    "text": CANARY,
    "number": NUMBER,
    "fraction": 864209.753113,
    "list": [CANARY, NUMBER],
    "object": {CANARY: CANARY},
    "nested": {"users": {CANARY: {CANARY: [NUMBER]}}},
    "text in a list in a list": [[CANARY]],
}
NO_PASSWORD = r"access.users\['a'\].password is not accepted; accepted is a string"
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


def leaks(text: str) -> bool:
    """Whether a text has six characters of the canary in a row, in any spelling."""
    spellings = {CANARY, repr(CANARY), json.dumps(CANARY), CANARY.lower(), CANARY.upper(), ascii(CANARY)}
    spellings |= {yaml.safe_dump(CANARY), yaml.safe_dump(CANARY, allow_unicode=True), str(NUMBER), "864209.753113"}
    return any(each[at : at + 6] in text for each in spellings for at in range(len(each) - 5))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value inside of another one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from places(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    """A copy with something else at a place."""
    if not path:
        return wrong
    made = copy.deepcopy(value)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = wrong
    return made


def without(value: dict[str, Any], path: tuple[Any, ...]) -> Any:
    """A copy with an unknown field named like the canary beside what stands at a place."""
    made = copy.deepcopy(value)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    if isinstance(inner, dict):
        inner[CANARY] = CANARY
    else:
        inner.append(CANARY)
    return made


def refusal(key: str, value: Any) -> str:
    config = stack_config("prod", {key: value})
    with pytest.raises(pulumi.RunError) as error:
        run(settings.load, config=config, encrypted=[f"{PROJECT}:{key}"], stack="prod")
    return str(error.value)


def test_the_test_finds_a_leak() -> None:
    assert all(map(leaks, [CANARY, f"is {CANARY!r}", json.dumps([CANARY]), str(NUMBER), "… 7'qVw\"8\\ …", "is 642097"]))
    assert not leaks("access.users[0].password is not accepted; accepted is a string")


def test_an_encrypted_access_that_is_right_is_taken(folder: Path) -> None:
    config = stack_config("prod", {"access": ACCESS})
    run(settings.load, config=config, encrypted=[f"{PROJECT}:access"], stack="prod")
    for path in places(ACCESS):
        encrypt(folder, ACCESS, path)
        run(settings.load, config=config, encrypted=[f"{PROJECT}:access"], stack="prod")


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("key", sorted(DECLARED))
def test_nothing_of_an_encrypted_key_is_shown(key: str, wrong: str) -> None:
    told = refusal(key, WRONG[wrong])
    assert not leaks(told), told
    assert told.startswith(f"Pulumi.prod.yaml: {key}") or "errors" in told


@pytest.mark.parametrize("path", [(), *places(ACCESS)], ids=str)
def test_nothing_inside_of_an_encrypted_access_is_shown(path: tuple[Any, ...]) -> None:
    for wrong in WRONG.values():
        told = refusal("access", put(ACCESS, path, wrong))
        assert not leaks(told), told
        assert told.startswith("Pulumi.prod.yaml: ")
        assert "access" in told
    if path:
        told = refusal("access", without(ACCESS, path))
        assert not leaks(told), told


@pytest.mark.parametrize(
    ("path", "wrong", "message"),
    [
        (
            ("users", 0, "password"),
            CANARY,
            "access.users[[secret]].password is not accepted; accepted is a string of ",
        ),
        (("users", 0, "password"), NUMBER, "access.users[0].password is not accepted; accepted is a string"),
        (("users", 0, "type"), CANARY, "access.users[[secret]].type is [secret]; accepted are 'Normal', 'Super'"),
        (
            ("users", 0, "typ"),
            CANARY,
            "access.users[0].[secret] is not known; accepted are name, password, password",
        ),
        (("internalGeneration",), NUMBER, "access.internalGeneration is [secret]; accepted is 1 or more"),
        ((), CANARY, "access is encrypted and not accepted; accepted is an object"),
    ],
)
def test_an_error_says_where_the_encrypted_value_is_and_what_is_accepted(
    path: tuple[Any, ...], wrong: Any, message: str
) -> None:
    assert refusal("access", put(ACCESS, path, wrong)).startswith(f"Pulumi.prod.yaml: {message}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        shutil.copy(REPOSITORY / file, tmp_path)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    return tmp_path


def encrypt(folder: Path, value: Any, path: tuple[Any, ...]) -> None:
    """Writes the value into the stack file as `pulumi config set --secret --path` would."""
    file = folder / "Pulumi.prod.yaml"
    stack = yaml.safe_load(file.read_text())
    stack["config"][f"{PROJECT}:access"] = put(value, path, {"secure": "v1:abc:def"})
    file.write_text(yaml.safe_dump(stack))


def test_what_stands_in_plain_text_beside_an_encrypted_password_is_shown(folder: Path) -> None:
    path = ("users", 0, "password")
    wrong = put(put(ACCESS, path, CANARY), ("users", 1, "type"), "Supr")
    encrypt(folder, wrong, path)
    told = refusal("access", wrong)
    assert not leaks(told), told
    assert "access.users['orders'].password is not accepted; accepted is a string of 8 to 64 printable" in told
    wrong = put(ACCESS, ("users", 1, "type"), "Supr")
    encrypt(folder, wrong, path)
    assert refusal("access", wrong).startswith("Pulumi.prod.yaml: access.users['admin'].type is 'Supr'; accepted are")


@pytest.mark.parametrize("path", list(places(ACCESS)), ids=str)
def test_nothing_of_a_single_encrypted_value_is_shown(folder: Path, path: tuple[Any, ...]) -> None:
    for wrong in WRONG.values():
        given = put(ACCESS, path, wrong)
        encrypt(folder, given, path)
        told = refusal("access", given)
        assert not leaks(told), told


@pytest.mark.parametrize("key", ["aws:region", "aws:profile", "aws:secretKey", "aws:allowedAccountIds"])
def test_nothing_of_an_encrypted_key_of_the_provider_is_shown(key: str) -> None:
    pods = {"zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]}
    config = {**stack_config("prod", {"pods": pods, "minInSyncReplicas": 9}), key: CANARY}
    with pytest.raises(pulumi.RunError) as error:
        run(settings.load, config=config, encrypted=[key], stack="prod")
    assert not leaks(str(error.value)), error.value


@pytest.mark.parametrize("wrong", [CANARY, NUMBER, [CANARY], {CANARY: CANARY}, None, True, 0.5])
def test_nothing_of_a_password_is_shown_that_is_no_secret_yet(wrong: Any) -> None:
    with pytest.raises(ValueError, match=NO_PASSWORD) as error:
        deploy(access={"users": [{"name": "a", "password": wrong}]})
    assert not leaks(str(error.value)), error.value


@pytest.mark.parametrize("wrong", [CANARY, NUMBER, [CANARY], {"a": CANARY}, True, 0.5])
def test_a_secret_that_is_no_password_is_an_error_that_names_its_user(wrong: Any) -> None:
    def program() -> None:
        from eks_rocketmq.rocketmq.rocket_mq import RocketMq  # noqa: PLC0415

        RocketMq("it", args(access={"users": [{"name": "a", "password": pulumi.Output.secret(wrong)}]}))

    with pytest.raises(ValueError, match=NO_PASSWORD) as error:
        run(program)
    assert not leaks(str(error.value)), error.value


@pytest.mark.parametrize("users", [{"orders": CANARY}, [f"orders:{CANARY}"], CANARY, [[CANARY]]])
def test_users_of_another_shape_may_have_passwords_in_them(users: Any) -> None:
    with pytest.raises(ValueError, match=r"access.users(\[0\])? is not accepted; accepted is ") as error:
        deploy(access={"users": users})
    assert not leaks(str(error.value)), error.value


def test_a_redacted_value_is_what_it_was_and_shows_nothing() -> None:
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
        ("abc is taken", "abc", False),
        ("is 123456789", 123456789, True),
        ("is 'a\\\\b\\\\c\\\\d'", "a\\b\\c\\d", True),
        ("nothing", {"a": [None, True, {"b": "c"}]}, False),
    ],
)
def test_a_part_of_a_value_in_a_text_is_found(text: str, value: Any, shown: bool) -> None:
    assert reveals(text, value) is shown
