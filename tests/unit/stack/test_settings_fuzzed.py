"""Parsing of arbitrary stack files: typed settings, or errors that name the key."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError, split_error
from eks_rocketmq.stack.settings import Settings, parse
from eks_rocketmq.stack.stack_keys import KEYS, find_new_key
from eks_rocketmq.stack.stack_paths import STACK_FILE, convert_to_file
from tests.unit.harness import PROJECT, stack_config
from tests.unit.harness.rejections import Rejection, list_rejections


def texts(stack: str) -> dict[str, str]:
    """Return the configuration of a committed stack file by key of the project."""
    prefix = f"{PROJECT}:"
    return {key.removeprefix(prefix): text for key, text in stack_config(stack).items() if key.startswith(prefix)}


PROD, STAGING = texts("prod"), texts("staging")
STACKS = {"prod": PROD, "staging": STAGING}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["strict", "1", "4Gi", "0.5Gi", "100m", "-1", "5.5.0", "gp2", "broker-a", "existing"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.text(max_size=20) | VALUES.map(json.dumps)


def get_key(path: ArgumentPath) -> str:
    """Return the key of the stack file in which an argument is."""
    return STACK_FILE.spell_path(ArgumentPath(convert_to_file(path)[:1]))


def list_named_keys(given: dict[str, str]) -> set[str]:
    """Return the keys that the errors name; none if the settings are valid. Any other exception fails the test."""
    try:
        assert isinstance(parse(given), Settings)
    except ValueError as error:
        errors = split_error(error)
        assert all(isinstance(each, ArgumentError) for each in errors), errors
        return {
            get_key(path) for each in errors if isinstance(each, ArgumentError) for path in each.message.list_paths()
        }
    return set()


def list_containers(value: Any) -> list[Any]:
    """Return all objects and lists in a value, with the value itself."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict | list) else []
    return own + [container for each in inner for container in list_containers(each)]


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), TEXTS, min_size=1, max_size=3), st.sampled_from(sorted(STACKS)))
def test_any_value_of_a_key_is_accepted_or_rejected_by_name(changed: dict[str, str], stack: str) -> None:
    named = list_named_keys({**STACKS[stack], **changed})
    assert not named or named & changed.keys()


@given(st.data())
def test_any_field_in_a_key_is_accepted_or_rejected_by_name(data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(STAGING)))
    value: Any = json.loads(STAGING[key])
    container = data.draw(st.sampled_from(list_containers(value)))
    if isinstance(container, dict):
        container[data.draw(st.sampled_from([*sorted(container), ""]) | st.text(max_size=10))] = data.draw(VALUES)
    else:
        container.append(data.draw(VALUES))
    named = list_named_keys({**STAGING, key: json.dumps(value)})
    assert not named or key in named


@given(st.text(min_size=1, max_size=20).filter(lambda key: key not in KEYS), TEXTS)
def test_an_unknown_key_is_rejected_by_name(key: str, text: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - path and code are compared below
        parse({**PROD, key: text})
    assert list_rejections(raised.value) == [Rejection(key, "unknown-key")]


@given(st.sampled_from(sorted(KEYS)), st.data())
def test_the_error_of_a_misspelt_key_suggests_the_nearest(key: str, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(key) - 1))
    misspelt = key[:index] + key[index + 1 :]
    if misspelt in KEYS or find_new_key(misspelt):
        return
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the suggestion is compared below
        parse({**PROD, misspelt: "1"})
    nearest = str(raised.value).partition("Did you mean ")[2].removesuffix("?")
    assert nearest in KEYS
    assert abs(len(nearest) - len(misspelt)) <= 2


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("text", ["no such value !", '"text"', "1", "null", "[]", "{"])
@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_key_accepts_objects_only(stack: str, key: str, text: str) -> None:
    assert key in list_named_keys({**STACKS[stack], key: text})
