"""Arguments against their TypedDict: what is unknown, missing or of another type."""

import asyncio
from typing import Any, NotRequired, TypedDict

import pulumi
import pytest
from pulumi import Input

import eks_rocketmq
from eks_rocketmq import ClusterOidcProvider, EbsStorageClass, EksCluster, IrsaRole
from eks_rocketmq.args.arg_schema import describe_unknown_value, validate_args
from tests.unit.harness import Recording, run


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
    validate_args({"text": "x", **given}, Outer)


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
        validate_args({"text": "x", **given}, Outer)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("given", "message"),
    [({}, "text is missing; it is a string"), ([], "args is []; accepted is an object with the fields text, count")],
)
def test_nothing_required_is_left_out(given: object, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is compared below
        validate_args(given, Outer)
    assert str(error.value).startswith(message)


def later(value: object = "x") -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)


@pytest.mark.parametrize(
    "given",
    [
        {"later": later()},
        {"later": later(None)},
        {"later_list": ["a", later()]},
        {"free": {"a": later()}},
    ],
)
def test_what_is_awaited_is_left_to_the_engine_where_the_type_says_so(given: dict[str, Any]) -> None:
    validate_args({"text": "x", **given}, Outer)


def test_a_coroutine_is_awaited_as_well() -> None:
    async def coming() -> str:
        await asyncio.sleep(0)
        return "x"

    awaited = coming()
    validate_args({"text": "x", "later": awaited}, Outer)
    with pytest.raises(ValueError, match="text shapes what is made"):
        validate_args({"text": awaited}, Outer)
    awaited.close()


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"text": later()}, "text"),
        ({"count": later(1)}, "count"),
        ({"share": later(1)}, "share"),
        ({"on": later(False)}, "on"),
        ({"later_list": later(["a"])}, "later_list"),
        ({"maybe": later()}, "maybe"),
        ({"names": ["a", later()]}, "names[1]"),
        ({"pairs": {"a": later()}}, "pairs['a']"),
        ({"free": later({})}, "free"),
        ({"inner": later({"name": "a"})}, "inner"),
        ({"inners": [{"name": "a", "size": later(1)}]}, "inners['a'].size"),
    ],
)
def test_what_is_awaited_is_refused_everywhere_else(given: dict[str, Any], place: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is compared below
        validate_args({"text": "x", **given}, Outer)
    assert str(error.value) == describe_unknown_value(place)
    assert str(error.value).startswith(f"{place} shapes what is made, so it must be a plain value that preview knows")


@pytest.mark.parametrize(
    ("component", "given", "place"),
    [
        (EbsStorageClass, {"class_name": "mine", "create": False}, "create"),
        (ClusterOidcProvider, {"issuer": "https://oidc.example/id/A", "existing": False}, "existing"),
        (IrsaRole, {"role_name": "reader", "service_accounts": []}, "role_name"),
        (EksCluster, {"cluster_name": "c", "version": "1.35", "vpc_id": "vpc-1", "subnet_ids": []}, "version"),
    ],
)
def test_an_output_of_false_is_not_taken_for_true(component: Any, given: dict[str, Any], place: str) -> None:
    made = Recording(preview=True)
    with pytest.raises(ValueError, match=f"^{place} shapes what is made"):
        run(lambda: component("it", {**given, place: later(given[place])}), preview=True, recording=made)
    assert [each.type for each in made.resources.values() if each.custom] == []


TAGS = {"team": later()}
TAGGED = {
    name: hint
    for name in eks_rocketmq.__all__
    if name.endswith("Args") and (hint := getattr(eks_rocketmq, name).__annotations__.get("tags"))
}


@pytest.mark.parametrize("name", sorted(TAGGED.keys() - {"EbsStorageClassArgs"}))
def test_a_tag_in_aws_may_be_the_output_of_another_resource(name: str) -> None:
    class Tagged(TypedDict):
        pass

    Tagged.__annotations__["tags"] = TAGGED[name]
    validate_args({"tags": TAGS}, Tagged)
