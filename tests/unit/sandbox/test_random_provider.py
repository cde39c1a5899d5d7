"""Stand-in for the `random` provider: generated passwords, replacements and rejected inputs."""

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.failures import UnsupportedTypeError
from sandbox.engine.provider.servicer import Change, State, Target
from sandbox.engine.provider.values import UNKNOWN
from sandbox.engine.random.stand_in import PASSWORD, RandomStandIn, generate_password

TARGET = Target("urn:pulumi:prod::project::random::one", PASSWORD, "one")
INPUTS: dict[str, Any] = {"length": 32, "special": False, "keepers": {"version": "1"}}


@pytest.fixture
def stand_in() -> RandomStandIn:
    return RandomStandIn(EngineLog(""), threading.Event())


def test_password_is_generated_once_and_kept(stand_in: RandomStandIn) -> None:
    first, second = (stand_in.create(TARGET, INPUTS, 0, preview=False) for _ in range(2))
    passwords = [str(state.outputs["result"]) for state in (first, second)]
    assert [len(password) for password in passwords] == [32, 32]
    assert passwords[0] != passwords[1]
    assert passwords[0].isalnum()
    kept = State("none", first.outputs, INPUTS)
    assert stand_in.read(TARGET, kept) == kept
    assert stand_in.diff(TARGET, "none", kept, INPUTS, []).changes == {}
    stand_in.delete(TARGET, kept, 0)


def test_preview_generates_no_password(stand_in: RandomStandIn) -> None:
    planned = stand_in.create(TARGET, INPUTS, 0, preview=True)
    assert (planned.resource_id, planned.outputs["result"]) == ("", UNKNOWN)


@pytest.mark.parametrize("changed", [{"length": 16}, {"keepers": {"version": "2"}}, {"special": True}])
def test_every_change_replaces_the_password(stand_in: RandomStandIn, changed: dict[str, Any]) -> None:
    olds = State("none", {**INPUTS, "result": "x"}, INPUTS)
    (change,) = stand_in.diff(TARGET, "none", olds, {**INPUTS, **changed}, []).changes.values()
    assert change is Change.UPDATE_REPLACE
    assert stand_in.diff(TARGET, "none", olds, {**INPUTS, **changed}, list(changed)).changes == {}


def test_import_uses_the_id_as_the_password(stand_in: RandomStandIn) -> None:
    state = stand_in.read(TARGET, State("secret-word"))
    assert (state.resource_id, state.outputs["result"], state.inputs) == ("none", "secret-word", {"length": 11})


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({}, "`length` is required"),
        ({"length": 8, "specials": False}, "unknown key 'specials'"),
        ({"length": 0}, "must be at least 1, got: 0"),
        ({"length": 3, "minLower": 2, "minUpper": 2}, "must be at least 4, got: 3"),
        ({"length": 8, "lower": False, "upper": False, "numeric": False, "special": False}, "At least one of"),
    ],
)
def test_invalid_inputs_are_rejected(stand_in: RandomStandIn, inputs: dict[str, Any], reason: str) -> None:
    ((_, message),) = stand_in.check(TARGET, {}, inputs, b"").failures
    assert reason in message


def test_unsupported_types_are_rejected_by_name(stand_in: RandomStandIn) -> None:
    other = Target("urn", "random:index/randomPet:RandomPet", "one")
    for operation in (
        lambda: stand_in.check(other, {}, {}, b""),
        lambda: stand_in.create(other, {}, 0, preview=False),
        lambda: stand_in.invoke("random:index/x:x", {}),
    ):
        with pytest.raises(UnsupportedTypeError, match="package 'random'"):
            operation()


@given(st.integers(4, 40), st.booleans(), st.integers(0, 2))
def test_password_contains_the_requested_character_types(length: int, upper: bool, digits: int) -> None:
    password = generate_password(
        {"length": length, "upper": upper, "special": True, "overrideSpecial": "_", "minNumeric": digits}
    )
    assert len(password) == length
    assert sum(letter.isdigit() for letter in password) >= digits
    assert upper or not any(letter.isupper() for letter in password)
    assert all(letter.isalnum() or letter == "_" for letter in password)
