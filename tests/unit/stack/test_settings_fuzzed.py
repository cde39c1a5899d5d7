"""Whatever a stack file says, the settings are either typed or refused with a ValueError that names the key."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.stack.settings import Settings, declaration, parse
from tests.unit.harness import PROJECT, REPOSITORY, stack_config

DECLARED = declaration(REPOSITORY)


def texts(stack: str) -> dict[str, str]:
    """The configuration of a committed stack file, by key of the project."""
    prefix = f"{PROJECT}:"
    return {key.removeprefix(prefix): text for key, text in stack_config(stack).items() if key.startswith(prefix)}


PROD, STAGING = texts("prod"), texts("staging")
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
NESTED = sorted(key for key, each in DECLARED.items() if each["type"] in ("object", "array"))


def parsed(given: dict[str, str]) -> Settings | str:
    """The settings, or the refusal. Anything else that is raised fails the test."""
    try:
        return parse(DECLARED, given)
    except ValueError as error:
        return str(error)


@given(st.dictionaries(st.sampled_from(sorted(DECLARED)), TEXTS, min_size=1, max_size=3))
def test_any_value_of_a_key_is_taken_or_refused_by_name(changed: dict[str, str]) -> None:
    result = parsed({**PROD, **changed})
    assert isinstance(result, Settings) or any(key in result for key in DECLARED), result


@given(st.data())
def test_any_field_within_a_key_is_taken_or_refused_by_name(data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(NESTED))
    value: Any = json.loads(STAGING[key])
    item = value[0] if isinstance(value, list) and value else value
    if isinstance(item, dict):
        item[data.draw(st.sampled_from(sorted(item) or [""]) | st.text(max_size=10))] = data.draw(VALUES)
    else:
        item.append(data.draw(VALUES))
    result = parsed({**STAGING, key: json.dumps(value)})
    assert isinstance(result, Settings) or key in result, result


@given(st.text(min_size=1, max_size=20).filter(lambda key: key not in DECLARED), TEXTS)
def test_a_key_that_is_not_declared_is_refused_by_name(key: str, text: str) -> None:
    result = parsed({**PROD, key: text})
    assert isinstance(result, str)
    assert result.startswith(f"unknown key {key!r}")


@given(st.sampled_from(sorted(DECLARED)), st.data())
def test_a_misspelt_key_is_told_the_nearest(key: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(key) - 1))
    misspelt = key[:place] + key[place + 1 :]
    if misspelt in DECLARED:
        return
    result = parsed({**PROD, misspelt: "1"})
    assert isinstance(result, str)
    nearest = result.partition("did you mean ")[2].partition("'?")[0].removeprefix("'")
    assert nearest in DECLARED
    assert abs(len(nearest) - len(misspelt)) <= 2


@pytest.mark.parametrize("key", sorted(DECLARED))
def test_no_key_takes_every_text(key: str) -> None:
    """What is checked nowhere would reach AWS or Kubernetes as it is."""
    if DECLARED[key]["type"] != "string":
        assert isinstance(parsed({**PROD, key: "no such value !"}), str)
