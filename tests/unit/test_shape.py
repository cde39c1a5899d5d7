"""Arguments against their TypedDict: what is unknown, missing or of another type."""

import asyncio
from typing import Any, NotRequired, TypedDict

import pulumi
import pytest
from pulumi import Input

from eks_rocketmq.shape import hold


class Inner(TypedDict):
    """An argument of its own."""

    name: str
    size: NotRequired[int]


class Outer(TypedDict):
    """Every kind of field."""

    text: str
    count: NotRequired[int]
    share: NotRequired[float]
    on: NotRequired[bool]
    later: NotRequired[Input[str]]
    later_list: NotRequired[list[Input[str]]]
    maybe: NotRequired[str | None]
    names: NotRequired[list[str]]
    pairs: NotRequired[dict[str, str]]
    free: NotRequired[dict[str, Any]]
    inner: NotRequired[Inner]
    inners: NotRequired[list[Inner]]


@pytest.mark.parametrize(
    "given",
    [
        {"count": 3},
        {"count": 3.0},  # as another language hands it over
        {"share": 1},
        {"share": 0.5},
        {"on": False},
        {"later": "known"},
        {"later": pulumi.Output.from_input("x")},
        {"later_list": ["a", pulumi.Output.from_input("x")]},
        {"maybe": None},
        {"maybe": "x"},
        {"names": []},
        {"pairs": {"a": "b"}},
        {"free": {"a": object()}},
        {"inner": {"name": "a"}},
        {"inners": [{"name": "a", "size": 1}]},
    ],
)
def test_what_the_type_says_is_taken(given: dict[str, Any]) -> None:
    hold({"text": "x", **given}, Outer)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"text": 1}, "text is 1; accepted is a string"),
        ({"counts": 1}, "counts is not known; did you mean 'count'?; accepted are text, count, "),
        ({"count": "3"}, "count is '3'; accepted is a whole number, such as 3"),
        ({"count": 2.5}, "count is 2.5; accepted is a whole number"),
        ({"count": True}, "count is True; accepted is a whole number"),
        ({"share": "a"}, "share is 'a'; accepted is a number"),
        ({"share": True}, "share is True; accepted is a number"),
        ({"on": "yes"}, "on is 'yes'; accepted is true or false"),
        ({"on": 1}, "on is 1; accepted is true or false"),
        ({"later": 1}, "later is 1; accepted is a string"),
        ({"later_list": [1]}, "later_list[0] is 1; accepted is a string"),
        ({"maybe": 1}, "maybe is 1; accepted is a string"),
        ({"names": "a"}, "names is 'a'; accepted is a list"),
        ({"names": ["a", None]}, "names[1] is None; accepted is a string"),
        ({"pairs": ["a"]}, "pairs is ['a']; accepted is an object"),
        ({"pairs": {"a": 1}}, "pairs['a'] is 1; accepted is a string"),
        ({"pairs": {1: "a"}}, "a key of pairs is 1; accepted is a string"),
        ({"inner": "a"}, "inner is 'a'; accepted is an object with the fields name, size"),
        ({"inner": {}}, "inner.name is missing; it is a string"),
        ({"inners": [{"name": "a"}, {"name": "b", "sise": 1}]}, "inners['b'].sise is not known; did you mean 'size'?"),
        ({"inners": [{"name": 1}]}, "inners[0].name is 1; accepted is a string"),
        ({"inners": [{}]}, "inners[0].name is missing; it is a string"),
    ],
)
def test_anything_else_is_refused_with_its_place(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is compared below
        hold({"text": "x", **given}, Outer)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("given", "message"),
    [({}, "text is missing; it is a string"), ([], "args is []; accepted is an object with the fields text, count")],
)
def test_nothing_required_is_left_out(given: object, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is compared below
        hold(given, Outer)
    assert str(error.value).startswith(message)


def test_what_is_awaited_is_left_to_the_engine() -> None:
    async def later() -> str:
        await asyncio.sleep(0)
        return "x"

    awaited = later()
    hold({"text": "x", "later": awaited}, Outer)
    awaited.close()
