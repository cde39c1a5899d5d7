"""Arguments against their TypedDict: what is unknown, missing or of another type."""

import asyncio
from typing import Any, NotRequired, TypedDict

import pulumi
import pytest
from pulumi import Input

import eks_rocketmq
from eks_rocketmq import ClusterOidcProvider, EbsStorageClass, EksCluster, IrsaRole, RocketMqArgs
from eks_rocketmq.args.arg_schema import collect_field_names, convert_from_camel_case, validate_args
from eks_rocketmq.args.argument_path import ARGS, CAMEL_CASE
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector, render_error
from eks_rocketmq.args.redaction import redact
from tests.unit.harness import Recording, run
from tests.unit.harness.rejections import list_rejections, rejects


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
    ("given", "path", "code", "accepted"),
    [
        ({"text": 1}, "text", "wrong-type", "a string"),
        ({"counts": 1}, "counts", "unknown-field", "text, count, "),
        ({"count": "3"}, "count", "wrong-type", "a whole number, such as 3"),
        ({"count": 2.5}, "count", "wrong-type", "a whole number, such as 3"),
        ({"count": True}, "count", "wrong-type", "a whole number, such as 3"),
        ({"share": "a"}, "share", "wrong-type", "a number"),
        ({"share": True}, "share", "wrong-type", "a number"),
        ({"on": "yes"}, "on", "wrong-type", "true or false"),
        ({"on": 1}, "on", "wrong-type", "true or false"),
        ({"later": 1}, "later", "wrong-type", "a string"),
        ({"later_list": [1]}, "later_list[0]", "wrong-type", "a string"),
        ({"maybe": 1}, "maybe", "wrong-type", "a string"),
        ({"names": "a"}, "names", "wrong-type", "a list"),
        ({"names": ["a", None]}, "names[1]", "wrong-type", "a string"),
        ({"pairs": ["a"]}, "pairs", "wrong-type", "an object"),
        ({"pairs": {"a": 1}}, "pairs['a']", "wrong-type", "a string"),
        ({"pairs": {1: "a"}}, "pairs", "wrong-key-type", "a string"),
        ({"inner": "a"}, "inner", "wrong-type", "an object with the fields name, size"),
        ({"inner": {}}, "inner.name", "missing", "a string"),
        ({"inners": [{"name": "a"}, {"name": "b", "sise": 1}]}, "inners['b'].sise", "unknown-field", "name, size"),
        ({"inners": [{"name": 1}]}, "inners[0].name", "wrong-type", "a string"),
        ({"inners": [{}]}, "inners[0].name", "missing", "a string"),
        ({"inners": ["a"]}, "inners[0]", "wrong-type", "an object with the fields name, size"),
    ],
)
def test_anything_else_is_refused_with_its_place(given: dict[str, Any], path: str, code: str, accepted: str) -> None:
    with pytest.raises(ArgumentError) as error:
        validate_args({"text": "x", **given}, Outer)
    assert list_rejections(error.value) == [(path, code)]
    assert f" Accepted: {accepted}" in str(error.value)


@pytest.mark.parametrize(("given", "rejection"), [({}, ("text", "missing")), ([], ("", "wrong-type"))])
def test_nothing_required_is_left_out(given: object, rejection: tuple[str, str]) -> None:
    with rejects(rejection):
        validate_args(given, Outer)


def test_all_mistakes_are_found_at_once() -> None:
    with rejects(
        ("text", "missing"), ("count", "wrong-type"), ("inners['a'].sise", "unknown-field"), ("x", "unknown-field")
    ):
        validate_args({"count": "3", "inners": [{"name": "a", "sise": 1}], "x": 1}, Outer)


class Wide(TypedDict, total=False):
    """More fields than an error lists."""


Wide.__annotations__.update({f"{kind}_{number}": str for kind in ("first", "second") for number in range(8)})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "first_9",
            "first_9: unknown field. Accepted: the fields of Wide in components/README.md. Did you mean first_",
        ),
        ("zzz", "zzz: unknown field. Accepted: "),
        (redact("first_9"), "[secret]: unknown field. Accepted: the fields of Wide in components/README.md."),
    ],
)
def test_a_long_list_of_fields_is_shortened(name: str, text: str) -> None:
    with pytest.raises(ArgumentError) as error:
        validate_args({name: "x"}, Wide)
    assert str(error.value).startswith(text)
    assert len(str(error.value)) < 120


def test_fields_that_a_program_sets_itself_are_not_suggested() -> None:
    with pytest.raises(ArgumentError) as error:
        validate_args({"text": "x", "counts": 1}, Outer, hidden={"count"})
    assert "count," not in str(error.value)
    assert "Did you mean" not in str(error.value)


@pytest.mark.parametrize(
    "given",
    [
        {"access": ["hunter2hunter2"]},
        {"access": {"inner": "hunter2hunter2"}},
        {"access": {"text": ["hunter2hunter2"]}},
        {"access": {"inners": ["hunter2hunter2"]}},
        {"access": {"text": {"password": "hunter2hunter2"}}},
    ],
)
def test_an_error_in_access_shows_no_value_that_may_be_a_password(given: dict[str, Any]) -> None:
    class Guarded(TypedDict):
        access: Outer

    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is looked at below
        validate_args(given, Guarded)
    assert "wrong-type" in {each.code for each in list_rejections(error.value)}
    assert "hunter2" not in str(error.value)


CAMEL: dict[str, Any] = {
    "text": "x",
    "laterList": ["a"],
    "count": 3.0,
    "share": 3.0,
    "pairs": {"laterList": "a"},
    "free": {"laterList": 3.0},
    "inners": [{"name": "a", "size": 2.0}],
    "mayBe": 1,
}


def test_camel_case_becomes_the_names_of_the_fields() -> None:
    errors = ErrorCollector()
    converted = convert_from_camel_case(CAMEL, Outer, ARGS, errors)
    errors.raise_errors()
    assert converted == {
        "text": "x",
        "later_list": ["a"],
        "count": 3,
        "share": 3.0,
        "pairs": {"laterList": "a"},
        "free": {"laterList": 3.0},
        "inners": [{"name": "a", "size": 2}],
        "mayBe": 1,
    }
    assert [type(converted[name]) for name in ("count", "share")] == [int, float]
    assert type(converted["inners"][0]["size"]) is int


@pytest.mark.parametrize("order", [1, -1])
def test_pythons_spelling_is_refused_and_contradicts_nothing(order: int) -> None:
    errors = ErrorCollector()
    given = dict([("laterList", ["a"]), ("later_list", ["b"])][::order])
    converted = convert_from_camel_case({"inner": {"name": "a"}, **given}, Outer, ARGS, errors)
    assert converted == {"inner": {"name": "a"}, "later_list": ["a"]}
    (error,) = errors
    assert list_rejections(error) == [("later_list", "python-spelling")]
    assert render_error(error, CAMEL_CASE) == "later_list: unknown field. Write laterList."


def test_the_names_of_all_fields_are_collected() -> None:
    assert collect_field_names(Outer) == {*Outer.__annotations__, *Inner.__annotations__}
    assert collect_field_names(str) == set()


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
    with rejects(("text", "not-known-at-preview")):
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
    with rejects((place, "not-known-at-preview")):
        validate_args({"text": "x", **given}, Outer)


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
    with rejects((place, "not-known-at-preview")):
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


def test_a_wrong_type_of_an_enumeration_shows_the_accepted_values() -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the text is compared below
        validate_args({"namespace": "mq", "storage_class": "gp2", "broker_groups": [], "profile": 3}, RocketMqArgs)
    assert str(raised.value) == "profile: 3 has the wrong type. Accepted: 'strict', 'balanced', 'dev'."
