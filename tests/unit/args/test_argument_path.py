"""Paths of arguments and their spelling on each surface."""

import ast
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.argument_path import ARGS, CAMEL_CASE, PYTHON, ArgumentPath, to_camel_case
from eks_rocketmq.args.redaction import redact

FIELDS = st.from_regex(r"\A[a-z]+(_[a-z]+)*\Z")
NAMES = st.text(max_size=8)
STEPS = st.one_of(
    st.tuples(st.just("field"), FIELDS),
    st.tuples(st.just("unknown"), st.from_regex(r"\A[A-Za-z_-]+\Z")),
    st.tuples(st.just("key"), NAMES),
    st.tuples(st.just("index"), st.integers(0, 99)),
    st.tuples(st.just("item"), NAMES),
)
PATHS = st.lists(STEPS, max_size=5)
BRACKET = re.compile(r"""\[(\d+|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]""")


def build(steps: list[tuple[str, Any]], start: ArgumentPath = ARGS) -> ArgumentPath:
    path = start
    for kind, value in steps:
        if kind == "field":
            path /= value
        elif kind == "unknown":
            path = path.unknown(value)
        elif kind == "key":
            path = path.key(value)
        else:
            path = path.index(value) if kind == "index" else path.index(7, {"name": value})
    return path


@pytest.mark.parametrize(
    ("path", "python", "camel_case"),
    [
        (ARGS, "", ""),
        (ARGS / "broker_groups", "broker_groups", "brokerGroups"),
        ((ARGS / "broker_groups").index(0) / "max_size", "broker_groups[0].max_size", "brokerGroups[0].maxSize"),
        ((ARGS / "topics").index(0, {"name": "a_b"}) / "x_y", "topics['a_b'].x_y", "topics['a_b'].xY"),
        ((ARGS / "zones").index(1, "zone_a"), "zones['zone_a']", "zones['zone_a']"),
        ((ARGS / "node_labels").key("team_name"), "node_labels['team_name']", "nodeLabels['team_name']"),
        ((ARGS / "node_labels").key(1), "node_labels[1]", "nodeLabels[1]"),
        (ARGS.unknown("brokr_groups"), "brokr_groups", "brokr_groups"),
        ((ARGS / "name_servers").unknown("max_sise"), "name_servers.max_sise", "nameServers.max_sise"),
        (ARGS.unknown(1), "1", "1"),
    ],
)
def test_each_surface_spells_field_names_and_keeps_user_text(path: ArgumentPath, python: str, camel_case: str) -> None:
    assert (str(path), PYTHON.spell_path(path), CAMEL_CASE.spell_path(path)) == (python, python, camel_case)


@given(PATHS)
def test_a_path_shows_every_step(steps: list[tuple[str, Any]]) -> None:
    path = build(steps)
    for surface in (PYTHON, CAMEL_CASE):
        text = surface.spell_path(path)
        shown = [surface.spell_name(value) if kind == "field" else value for kind, value in steps]
        for (kind, _), each in zip(steps, shown, strict=True):
            if kind in {"field", "unknown"}:
                text = text.removeprefix(".")
                assert text.startswith(each)
                text = text.removeprefix(each)
            else:
                found = BRACKET.match(text)
                assert found
                assert ast.literal_eval(found[1]) == each
                text = text[found.end() :]
        assert text == ""


@given(PATHS, PATHS)
def test_within_prepends_the_outer_path(outer: list[tuple[str, Any]], inner: list[tuple[str, Any]]) -> None:
    assert build(inner).within(build(outer)) == build(inner, build(outer)) == build(outer + inner)
    assert build(inner).within(ARGS) == build(inner)


@given(PATHS, PATHS)
def test_paths_are_compared_by_their_steps(first: list[tuple[str, Any]], second: list[tuple[str, Any]]) -> None:
    assert build(first) == build(list(first))
    assert len({build(first), build(list(first))}) == 1
    assert (build(first) == build(second)) == (first == second)


@given(FIELDS)
def test_camel_case_has_no_underscore_and_is_reversible(name: str) -> None:
    camel_case = to_camel_case(name)
    assert "_" not in camel_case
    assert camel_case[0].islower()
    assert re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", camel_case) == name


@pytest.mark.parametrize("surface", [PYTHON, CAMEL_CASE])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((ARGS / "users").index(0, {"name": redact("hunter2")}), "users[0]"),
        ((ARGS / "users").index(0, redact("hunter2")), "users[0]"),
        ((ARGS / "users").index(0, {"name": 2}), "users[0]"),
        ((ARGS / "users").index(0, {}), "users[0]"),
        ((ARGS / "users").index(0, ["hunter2"]), "users[0]"),
        ((ARGS / "config").key(redact("hunter2")), "config[[secret]]"),
        (ARGS.unknown(redact("hunter2")), "[secret]"),
    ],
)
def test_paths_do_not_show_secrets(surface: Any, path: ArgumentPath, text: str) -> None:
    assert surface.spell_path(path) == text
    assert "hunter2" not in repr(path)
