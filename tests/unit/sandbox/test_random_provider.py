"""The stand-in for the `random` provider: what it draws, what changes replace, and what it refuses."""

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.provider.base import Change, State, Target
from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.failures import UnsupportedTypeError
from sandbox.engine.provider.values import UNKNOWN
from sandbox.engine.random.stand_in import PASSWORD, RandomStandIn, generate_password

TARGET = Target("urn:pulumi:prod::project::random::one", PASSWORD, "one")
INPUTS: dict[str, Any] = {"length": 32, "special": False, "keepers": {"version": "1"}}


@pytest.fixture
def stand_in() -> RandomStandIn:
    return RandomStandIn(EngineLog(""), threading.Event())


def test_a_password_is_drawn_once_and_kept(stand_in: RandomStandIn) -> None:
    first, second = (stand_in.create(TARGET, INPUTS, 0, preview=False) for _ in range(2))
    passwords = [str(state.outputs["result"]) for state in (first, second)]
    assert [len(password) for password in passwords] == [32, 32]
    assert passwords[0] != passwords[1]
    assert passwords[0].isalnum()
    kept = State("none", first.outputs, INPUTS)
    assert stand_in.read(TARGET, kept) == kept
    assert stand_in.diff(TARGET, "none", kept, INPUTS, []).changes == {}
    stand_in.delete(TARGET, kept, 0)


def test_a_preview_draws_nothing(stand_in: RandomStandIn) -> None:
    planned = stand_in.create(TARGET, INPUTS, 0, preview=True)
    assert (planned.resource_id, planned.outputs["result"]) == ("", UNKNOWN)


@pytest.mark.parametrize("changed", [{"length": 16}, {"keepers": {"version": "2"}}, {"special": True}])
def test_every_change_draws_another_one(stand_in: RandomStandIn, changed: dict[str, Any]) -> None:
    olds = State("none", {**INPUTS, "result": "x"}, INPUTS)
    (change,) = stand_in.diff(TARGET, "none", olds, {**INPUTS, **changed}, []).changes.values()
    assert change is Change.UPDATE_REPLACE
    assert stand_in.diff(TARGET, "none", olds, {**INPUTS, **changed}, list(changed)).changes == {}


def test_an_import_takes_the_password_for_the_id(stand_in: RandomStandIn) -> None:
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
def test_what_cannot_be_drawn_is_refused(stand_in: RandomStandIn, inputs: dict[str, Any], reason: str) -> None:
    ((_, said),) = stand_in.check(TARGET, {}, inputs, b"").failures
    assert reason in said


def test_others_are_refused_by_name(stand_in: RandomStandIn) -> None:
    other = Target("urn", "random:index/randomPet:RandomPet", "one")
    for ask in (
        lambda: stand_in.check(other, {}, {}, b""),
        lambda: stand_in.create(other, {}, 0, preview=False),
        lambda: stand_in.invoke("random:index/x:x", {}),
    ):
        with pytest.raises(UnsupportedTypeError, match="package 'random'"):
            ask()


@given(st.integers(4, 40), st.booleans(), st.integers(0, 2))
def test_a_password_has_the_kinds_that_were_asked_for(length: int, upper: bool, digits: int) -> None:
    drawn = generate_password(
        {"length": length, "upper": upper, "special": True, "overrideSpecial": "_", "minNumeric": digits}
    )
    assert len(drawn) == length
    assert sum(letter.isdigit() for letter in drawn) >= digits
    assert upper or not any(letter.isupper() for letter in drawn)
    assert all(letter.isalnum() or letter == "_" for letter in drawn)
