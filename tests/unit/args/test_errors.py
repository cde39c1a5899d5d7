"""Errors as data: rendering for each surface, prefixing of paths, and collection."""

import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.argument_path import ARGS, CAMEL_CASE, PYTHON, Names
from eks_rocketmq.args.errors import (
    ArgumentError,
    ArgumentMessage,
    CollectedError,
    ErrorCollector,
    errors_within,
    raise_all,
    render_error,
    split_error,
)
from eks_rocketmq.args.redaction import redact
from tests.unit.harness.rejections import list_rejections, rejects

GROUP = (ARGS / "broker_groups").index(0, {"name": "broker_a"})
FIELDS = st.from_regex(r"\A[a-z]+(_[a-z]+)*\Z")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.text(alphabet="{}!r:0.[]", max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def fail(name: str, code: str = "code") -> ArgumentError:
    return ArgumentError(ARGS / name, code, "{given!r} is wrong", given=name)


@pytest.mark.parametrize(
    ("accepted", "remedy", "text"),
    [
        ("", "", "a: it is wrong."),
        ("a number", "", "a: it is wrong. Accepted: a number."),
        ("", "Leave it out", "a: it is wrong. Leave it out."),
        ("a number", "Did you mean 3?", "a: it is wrong. Accepted: a number. Did you mean 3?"),
        ("1, 2, …", "First do this. Then do that", "a: it is wrong. Accepted: 1, 2, … First do this. Then do that."),
    ],
)
def test_a_message_omits_empty_sentences(accepted: str, remedy: str, text: str) -> None:
    error = ArgumentError(ARGS / "a", "code", "it is wrong", accepted=accepted, remedy=remedy)
    assert str(error) == text
    assert (error.path, error.code) == (ARGS / "a", "code")


def test_an_error_of_all_arguments_has_no_path() -> None:
    assert str(ArgumentError(ARGS, "code", "nothing is given")) == "nothing is given."


def test_each_surface_spells_paths_and_names_in_the_text() -> None:
    error = ArgumentError(
        GROUP / "max_size",
        "code",
        "{given!r} contradicts {other} and {others}, {nothing}",
        accepted="{fields}",
        remedy="Leave out {field}",
        given={"max_size": 1},
        other=ARGS / "node_group",
        others=[GROUP / "min_size", (ARGS / "node_labels").key("a_b")],
        nothing=[],
        fields=Names(("max_size", "min_size")),
        field=Names(("min_size",)),
    )
    assert render_error(error, PYTHON) == str(error) == (
        "broker_groups['broker_a'].max_size: {'max_size': 1} contradicts node_group and "
        "broker_groups['broker_a'].min_size, node_labels['a_b'], []. Accepted: max_size, min_size. Leave out min_size."
    )  # fmt: skip
    assert render_error(error, CAMEL_CASE) == (
        "brokerGroups['broker_a'].maxSize: {'max_size': 1} contradicts nodeGroup and "
        "brokerGroups['broker_a'].minSize, nodeLabels['a_b'], []. Accepted: maxSize, minSize. Leave out minSize."
    )


@given(ANYTHING)
def test_values_are_shown_unchanged_on_every_surface(value: Any) -> None:
    error = ArgumentError(ARGS / "max_size", "code", "{given!r} is wrong", given=value)
    assert render_error(error, PYTHON) == f"max_size: {value!r} is wrong."
    assert render_error(error, CAMEL_CASE) == f"maxSize: {value!r} is wrong."


@given(st.text(min_size=1, max_size=9) | st.integers(1000), st.sampled_from(["{given}", "{given!r}", "{given:>9}"]))
def test_a_redacted_value_is_never_shown(value: Any, template: str) -> None:
    for hidden in (redact(value), redact([value]), redact({"key": value})):
        shown = template.replace(":>9", "") if isinstance(hidden, list | dict) else template
        error = ArgumentError(ARGS / "access", "code", f"{shown} is wrong", given=hidden)
        text = render_error(error.__class__.of(error.message.within(GROUP)), CAMEL_CASE)
        for each in (str(error), text):
            assert "[secret]" in each
            rest = re.sub(r"\[secret\]|brokerGroups|broker_a|access|is wrong", "", each)
            assert str.__str__(f"{value}") not in rest or len(f"{value}") < 3


def test_within_changes_only_the_paths() -> None:
    message = ArgumentMessage(
        ARGS / "max_size",
        "code",
        "{given} {field} {other} {others}",
        "{other}",
        "See {other}",
        {"given": ["max_size"], "field": Names(("a_b",)), "other": ARGS / "a_b", "others": [ARGS / "c", ARGS / "d"]},
    )
    moved = message.within(GROUP)
    assert moved.render() == (
        "broker_groups['broker_a'].max_size: ['max_size'] a_b broker_groups['broker_a'].a_b "
        "broker_groups['broker_a'].c, broker_groups['broker_a'].d. Accepted: broker_groups['broker_a'].a_b. See "
        "broker_groups['broker_a'].a_b."
    )
    assert message.within(ARGS) == message
    kept = (moved.code, moved.problem, moved.accepted, moved.remedy)
    assert kept == (message.code, message.problem, message.accepted, message.remedy)


def test_an_error_created_from_a_message_has_the_same_text() -> None:
    error = fail("a")
    assert ArgumentError.of(error.message).message == error.message
    assert str(ArgumentError.of(error.message)) == str(error)


@given(st.lists(FIELDS, max_size=6))
def test_a_collector_keeps_each_error_once_and_in_order(names: list[str]) -> None:
    errors = ErrorCollector()
    for name in names:
        errors.add(fail(name))
    distinct = list(dict.fromkeys(names))
    assert [str(error) for error in errors] == [str(fail(name)) for name in distinct]
    assert bool(errors) == bool(names)
    if not distinct:
        errors.raise_errors()
        return
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the type depends on the number of errors
        errors.raise_errors()
    assert isinstance(raised.value, CollectedError if len(distinct) > 1 else ArgumentError)
    assert list_rejections(raised.value) == [(name, "code") for name in distinct]
    assert str(raised.value) == "\n".join(str(fail(name)) for name in distinct)


def test_errors_with_the_same_text_at_another_path_are_different() -> None:
    errors = ErrorCollector()
    errors.add(ArgumentError(ARGS / "a", "code", "it is wrong"))
    errors.add(ArgumentError(ARGS / "b", "code", "it is wrong"))
    assert len(list(errors)) == 2


def test_a_collected_error_is_split_into_its_errors() -> None:
    first, second = fail("a"), fail("b")
    errors = ErrorCollector()
    errors.add(CollectedError([first, second]))
    errors.add(fail("b"))
    assert list(errors) == [first, second]
    assert split_error(first) == (first,)
    assert split_error(CollectedError(errors)) == (first, second)
    assert render_error(CollectedError([fail("a_b"), ValueError("c_d: plain")]), CAMEL_CASE) == (
        "aB: 'a_b' is wrong.\nc_d: plain"
    )


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b"]])
def test_a_check_raises_all_errors_that_its_generator_yields(names: list[str]) -> None:
    @raise_all
    def check(prefix: str) -> Iterator[ArgumentError]:
        for name in names:
            yield ArgumentError(ARGS / f"{prefix}_{name}", name, "wrong")

    with rejects(*((f"field_{name}", name) for name in names)) if names else nullcontext():
        check("field")


def test_an_attempt_returns_the_result_or_collects_the_error() -> None:
    errors = ErrorCollector()

    def divide(dividend: int, *, divisor: int) -> int:
        if divisor == 0:
            raise fail("divisor")
        return dividend // divisor

    assert errors.attempt(divide, 6, divisor=3) == 2
    assert errors.attempt(divide, 6, divisor=0) is None
    with pytest.raises(TypeError):
        errors.attempt(divide, "6", divisor=1)  # ty: ignore[invalid-argument-type]
    with errors.collect():
        raise fail("a")
    with errors.collect(GROUP):
        raise CollectedError([fail("b"), fail("c")])
    assert [str(each.path) for each in errors if isinstance(each, ArgumentError)] == [
        "divisor",
        "a",
        "broker_groups['broker_a'].b",
        "broker_groups['broker_a'].c",
    ]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (lambda: fail("a"), [("broker_groups['broker_a'].a", "code")]),
        (
            lambda: CollectedError([fail("a"), fail("b", "other")]),
            [("broker_groups['broker_a'].a", "code"), ("broker_groups['broker_a'].b", "other")],
        ),
    ],
)
def test_errors_of_a_nested_component_are_prefixed_with_its_path(
    error: Callable[[], ValueError], expected: list[tuple[str, str]]
) -> None:
    with rejects(*expected), errors_within(GROUP):
        raise error()
    unmoved = [(path.removeprefix("broker_groups['broker_a']."), code) for path, code in expected]
    with rejects(*unmoved), errors_within(None):
        raise error()


def test_other_errors_are_raised_unchanged() -> None:
    plain = ValueError("plain")
    with pytest.raises(ValueError, match="plain") as raised, errors_within(GROUP):
        raise plain
    assert raised.value is plain
    with pytest.raises(KeyError), errors_within(GROUP):
        raise KeyError
    with errors_within(GROUP):
        pass
