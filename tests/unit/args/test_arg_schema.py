"""Validation of arguments against their TypedDict: unknown, missing and wrongly typed fields."""

import asyncio
import json
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
    """Nested argument type."""

    name: str
    size: NotRequired[int]


class Outer(TypedDict):
    """Type with every kind of field."""

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
        {"count": 3.0},  # how other languages pass a whole number
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
def test_values_of_the_declared_types_are_accepted(given: dict[str, Any]) -> None:
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
def test_other_values_are_rejected_with_the_path_of_the_field(
    given: dict[str, Any], path: str, code: str, accepted: str
) -> None:
    with pytest.raises(ArgumentError) as error:
        validate_args({"text": "x", **given}, Outer)
    assert list_rejections(error.value) == [(path, code)]
    assert f" Accepted: {accepted}" in str(error.value)


@pytest.mark.parametrize(("given", "rejection"), [({}, ("text", "missing")), ([], ("", "wrong-type"))])
def test_missing_or_wrongly_typed_arguments_are_rejected(given: object, rejection: tuple[str, str]) -> None:
    with rejects(rejection):
        validate_args(given, Outer)


def test_all_errors_are_reported_in_one_run() -> None:
    with rejects(
        ("text", "missing"), ("count", "wrong-type"), ("inners['a'].sise", "unknown-field"), ("x", "unknown-field")
    ):
        validate_args({"count": "3", "inners": [{"name": "a", "sise": 1}], "x": 1}, Outer)


class Wide(TypedDict, total=False):
    """Type with more fields than an error lists."""


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
def test_a_long_list_of_accepted_fields_is_shortened(name: str, text: str) -> None:
    with pytest.raises(ArgumentError) as error:
        validate_args({name: "x"}, Wide)
    assert str(error.value).startswith(text)
    assert len(str(error.value)) < 120


def test_hidden_fields_are_not_suggested() -> None:
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
def test_errors_below_access_do_not_show_values(given: dict[str, Any]) -> None:
    class Guarded(TypedDict):
        access: Outer

    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is checked below
        validate_args(given, Guarded)
    assert "wrong-type" in {each.code for each in list_rejections(error.value)}
    assert "hunter2" not in str(error.value)


CAMEL: dict[str, Any] = {
    "text": "x",
    "laterList": ["a"],
    "count": 3.0,
    "share": 3.0,
    "pairs": {"laterList": "a"},
    "free": {"laterList": 3.0, "nested": [{"share": 0.5, "count": 2.0}]},
    "inners": [{"name": "a", "size": 2.0}],
    "mayBe": 1,
}


def test_camel_case_names_are_converted_to_field_names() -> None:
    errors = ErrorCollector()
    converted = convert_from_camel_case(CAMEL, Outer, ARGS, errors)
    errors.raise_errors()
    assert converted == {
        "text": "x",
        "later_list": ["a"],
        "count": 3,
        "share": 3.0,
        "pairs": {"laterList": "a"},
        "free": {"laterList": 3, "nested": [{"share": 0.5, "count": 2}]},
        "inners": [{"name": "a", "size": 2}],
        "mayBe": 1,
    }
    assert [type(converted[name]) for name in ("count", "share")] == [int, float]
    assert type(converted["inners"][0]["size"]) is int
    assert json.dumps(converted["free"]) == '{"laterList": 3, "nested": [{"share": 0.5, "count": 2}]}'


@pytest.mark.parametrize("order", [1, -1])
def test_snake_case_names_are_rejected_and_their_values_ignored(order: int) -> None:
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


def output_of(value: object = "x") -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)


@pytest.mark.parametrize(
    "given",
    [
        {"later": output_of()},
        {"later": output_of(None)},
        {"later_list": ["a", output_of()]},
        {"free": {"a": output_of()}},
    ],
)
def test_outputs_are_accepted_in_fields_of_type_input(given: dict[str, Any]) -> None:
    validate_args({"text": "x", **given}, Outer)


def test_coroutines_are_treated_as_outputs() -> None:
    async def resolve() -> str:
        await asyncio.sleep(0)
        return "x"

    coroutine = resolve()
    validate_args({"text": "x", "later": coroutine}, Outer)
    with rejects(("text", "not-known-at-preview")):
        validate_args({"text": coroutine}, Outer)
    coroutine.close()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"text": output_of()}, "text"),
        ({"count": output_of(1)}, "count"),
        ({"share": output_of(1)}, "share"),
        ({"on": output_of(False)}, "on"),
        ({"later_list": output_of(["a"])}, "later_list"),
        ({"maybe": output_of()}, "maybe"),
        ({"names": ["a", output_of()]}, "names[1]"),
        ({"pairs": {"a": output_of()}}, "pairs['a']"),
        ({"free": output_of({})}, "free"),
        ({"inner": output_of({"name": "a"})}, "inner"),
        ({"inners": [{"name": "a", "size": output_of(1)}]}, "inners['a'].size"),
    ],
)
def test_outputs_are_rejected_in_plain_fields(given: dict[str, Any], path: str) -> None:
    with rejects((path, "not-known-at-preview")):
        validate_args({"text": "x", **given}, Outer)


@pytest.mark.parametrize(
    ("component", "given", "path"),
    [
        (EbsStorageClass, {"class_name": "mine", "create": False}, "create"),
        (ClusterOidcProvider, {"issuer": "https://oidc.example/id/A", "existing": False}, "existing"),
        (IrsaRole, {"role_name": "reader", "service_accounts": []}, "role_name"),
        (EksCluster, {"cluster_name": "c", "version": "1.35", "vpc_id": "vpc-1", "subnet_ids": []}, "version"),
    ],
)
def test_components_reject_outputs_in_plain_arguments_before_registering_resources(
    component: Any, given: dict[str, Any], path: str
) -> None:
    recording = Recording(preview=True)
    with rejects((path, "not-known-at-preview")):
        run(lambda: component("it", {**given, path: output_of(given[path])}), preview=True, recording=recording)
    assert [each.type for each in recording.resources.values() if each.custom] == []


TAGS = {"team": output_of()}
TAGGED = {
    name: hint
    for name in eks_rocketmq.__all__
    if name.endswith("Args") and (hint := getattr(eks_rocketmq, name).__annotations__.get("tags"))
}


@pytest.mark.parametrize("name", sorted(TAGGED.keys() - {"EbsStorageClassArgs"}))
def test_aws_tags_may_be_outputs_of_other_resources(name: str) -> None:
    class Tagged(TypedDict):
        pass

    Tagged.__annotations__["tags"] = TAGGED[name]
    validate_args({"tags": TAGS}, Tagged)


def test_a_wrong_type_in_an_enumeration_shows_the_accepted_values() -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the text is compared below
        validate_args({"namespace": "mq", "storage_class": "gp2", "broker_groups": [], "profile": 3}, RocketMqArgs)
    assert str(raised.value) == "profile: 3 has the wrong type. Accepted: 'strict', 'balanced', 'dev'."
