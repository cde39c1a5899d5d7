"""Passwords in plain text and redacted values in errors: no error shows any part of one."""

import json
from typing import Any

import pulumi
import pytest

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.redaction import redact, reveals
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import run
from tests.unit.harness.rejections import list_rejections, walk_causes
from tests.unit.rocketmq_case import args, deploy
from tests.unit.stack.secret_case import ACCESS, CANARY, NUMBER, PASSWORD, find_leaks, leaks, put, reject


def test_a_leak_is_detected() -> None:
    texts = [CANARY, f"is {CANARY!r}", json.dumps([CANARY]), str(NUMBER), "… 7'qVw\"8\\ …", "is 642097"]
    assert all(map(leaks, texts))
    assert not leaks("access.users[0].password: the password is not accepted")
    assert find_leaks(ArgumentError(ArgumentPath().unknown(CANARY), "code", "wrong")) != []
    assert find_leaks(ArgumentError(ArgumentPath(), "code", "wrong", given=CANARY)) != []
    assert find_leaks(ArgumentError(ArgumentPath(), "code", "{given!r}", given=redact(CANARY))) == []


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
