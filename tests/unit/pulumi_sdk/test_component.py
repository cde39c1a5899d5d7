"""Functions shared by all components: warnings and errors in the caller's spelling, and validated inputs."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pulumi
import pytest
from pulumi import ComponentResource, Output, RunError

from eks_rocketmq.args.argument_path import ARGS, CAMEL_CASE, PYTHON, ArgumentPath, Surface
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage, CollectedError
from eks_rocketmq.args.validation import validate_dns_label
from eks_rocketmq.pulumi_sdk.component import (
    apply_redacted,
    create_error_hooks,
    create_resource_hooks,
    spell_argument,
    spell_error,
    use_prefix,
    use_surface,
    validate_input,
    warn,
)
from tests.unit.harness import Recording, run
from tests.unit.harness.rejections import list_rejections, rejects, walk_causes

PATH = ARGS / "class_name"


def resolve(create: Callable[[], Output[Any]], surface: Surface = PYTHON, *, preview: bool = False) -> list[Any]:
    """Create an output for a surface, and await it afterwards. Its error fails the program."""
    found: list[Any] = []

    async def wait(output: Output[Any]) -> None:
        found.append(await output.future())

    def program() -> None:
        with use_surface(surface):
            output = create()
        Output.from_input(wait(output))

    run(program, preview=preview)
    return found


def reject(value: object) -> None:
    raise CollectedError([ArgumentError(PATH, "code", "{given!r} is wrong", given=value), ValueError(f"{value} too")])


def reject_one(_: object) -> None:
    raise ArgumentError(PATH, "code", "it is wrong")


@pytest.mark.parametrize(
    ("surface", "text"),
    [(PYTHON, "class_name: 'a_b' is wrong.\na_b too"), (CAMEL_CASE, "className: 'a_b' is wrong.\na_b too")],
    ids=["python", "camel-case"],
)
def test_an_error_of_an_output_uses_the_surface_that_created_the_output(surface: Surface, text: str) -> None:
    with pytest.raises(RunError) as error:
        resolve(lambda: apply_redacted(Output.from_input("a_b"), reject, PATH, Any), surface)
    assert str(error.value) == text


@pytest.mark.parametrize(("surface", "path"), [(PYTHON, "class_name"), (CAMEL_CASE, "className")])
def test_an_error_of_a_secret_output_does_not_show_the_value(surface: Surface, path: str) -> None:
    with pytest.raises(RunError, match=f"^{path}: the value is not accepted, and it is secret") as error:
        resolve(lambda: apply_redacted(Output.secret("hunter2"), reject, PATH, Any), surface)
    assert list_rejections(error.value) == [("class_name", "secret-value")]
    for each in walk_causes(error.value):
        assert "hunter2" not in f"{each} {each!r} {vars(each)}"


def test_an_error_of_a_secret_output_is_shown_if_it_cannot_contain_the_value() -> None:
    def reject_silently(_: object) -> None:
        raise ArgumentError(PATH, "code", "the value is wrong")

    with pytest.raises(RunError, match=r"^class_name: the value is wrong\.$"):
        resolve(lambda: apply_redacted(Output.secret("hunter2"), reject_silently, PATH, Any, errors_show_value=False))


def test_an_unknown_output_is_not_validated() -> None:
    assert resolve(
        lambda: apply_redacted(Output.from_input(pulumi.output.UNKNOWN), reject, PATH, Any), preview=True
    ) == [None]


@pytest.mark.parametrize("value", ["fast", Output.from_input, Output.secret], ids=["plain", "output", "secret"])
def test_an_input_is_validated_and_returned(value: Any) -> None:
    def create() -> Output[str]:
        return Output.from_input(validate_input(value("fast") if callable(value) else value, validate_dns_label, PATH))

    assert resolve(create) == ["fast"]


def test_an_invalid_plain_input_is_rejected_immediately() -> None:
    with rejects(("class_name", "dns-label")):
        validate_input("FAST", validate_dns_label, PATH)


@pytest.mark.parametrize(
    ("value", "code"), [("FAST", "dns-label"), (3, "wrong-type"), (["fast"], "wrong-type"), (None, "wrong-type")]
)
def test_an_invalid_output_is_rejected_once_it_is_known(value: Any, code: str) -> None:
    with rejects(("class_name", code)):
        resolve(lambda: Output.from_input(validate_input(Output.from_input(value), validate_dns_label, PATH)))


@pytest.mark.parametrize(
    ("value", "type_", "text"),
    [
        (lambda: 3, str, "class_name: 3 has the wrong type. Accepted: a string."),
        (lambda: "a", Sequence[str], "class_name: 'a' has the wrong type. Accepted: a list."),
        (lambda: ["a", 3], Sequence[str], "class_name[1]: 3 has the wrong type. Accepted: a string."),
        (lambda: Output.secret(31415), str, "class_name: the value has the wrong type. Accepted: a string."),
        (
            lambda: ["a", Output.secret(31415)],
            Sequence[str],
            "class_name[1]: the value has the wrong type. Accepted: a string.",
        ),
    ],
    ids=["number", "string", "item", "secret", "secret-item"],
)
def test_an_output_of_another_type_reports_the_type_and_not_a_secret(
    value: Callable[[], Any], type_: Any, text: str
) -> None:
    def fail(_: object) -> None:
        pytest.fail("the function gets a value of another type")

    with pytest.raises(RunError) as error:
        resolve(lambda: apply_redacted(Output.from_input(value()), fail, PATH, type_))
    assert str(error.value) == text
    for each in walk_causes(error.value):
        assert "31415" not in f"{each} {each!r} {vars(each)}"


@pytest.mark.parametrize(("convert", "code"), [(Output.from_input, "code"), (Output.secret, "secret-value")])
def test_an_error_of_an_output_has_the_prefix_that_was_used_at_its_creation(convert: Any, code: str) -> None:
    def create() -> Output[Any]:
        with use_prefix(ARGS / "outer"), use_prefix(ARGS / "inner"):
            return apply_redacted(convert("a_b"), reject_one, PATH, str)

    with rejects(("outer.inner.class_name", code)):
        resolve(create)
    with rejects(("outer.inner.class_name", "code")), use_prefix(ARGS / "outer"), use_prefix(ARGS / "inner"):
        reject_one("a_b")
    with rejects(("class_name", "code")):
        resolve(lambda: apply_redacted(Output.from_input("a_b"), reject_one, PATH, str))


def test_a_warning_is_spelled_for_the_surface_of_its_block() -> None:
    def message(path: ArgumentPath) -> ArgumentMessage:
        return ArgumentMessage(path, "code", "it ignores {other}", values={"other": ARGS / "role_arn"})

    def program() -> None:
        component = ComponentResource("test:index:Component", "component")
        with use_surface(CAMEL_CASE):
            warn(message(ARGS / "first_field"), component)
            with use_surface(PYTHON):
                warn(message(ARGS / "second_field"), component)
        warn(message(ARGS / "third_field"), component)

    recording: Recording = run(program)
    assert recording.log == [
        ("WARNING", "firstField: it ignores roleArn."),
        ("WARNING", "second_field: it ignores role_arn."),
        ("WARNING", "third_field: it ignores role_arn."),
    ]


@pytest.mark.parametrize(("surface", "name"), [(PYTHON, "class_name"), (CAMEL_CASE, "className")])
def test_an_argument_name_in_a_text_is_spelled_for_the_surface(surface: Surface, name: str) -> None:
    with use_surface(surface):
        assert spell_argument(PATH) == name
        assert spell_error(ArgumentError(PATH, "code", "it ignores {path}", path=PATH)) == f"{name}: it ignores {name}."


def test_the_function_of_an_output_uses_the_surface_that_created_the_output() -> None:
    assert resolve(lambda: apply_redacted(Output.from_input(PATH), spell_argument, PATH, Any), CAMEL_CASE) == [
        "className"
    ]


@pytest.mark.parametrize("surface", [PYTHON, CAMEL_CASE], ids=["python", "camel-case"])
def test_hooks_use_the_surface_that_created_them(surface: Surface) -> None:
    spelled: list[str] = []

    async def spell(_: object) -> bool:
        await asyncio.sleep(0)
        spelled.append(await asyncio.to_thread(spell_argument, PATH))
        return True

    async def check(args: pulumi.ResourceHookArgs) -> None:
        await spell(args)

    def program() -> None:
        with use_surface(surface):
            binding = pulumi.ResourceHookBinding(
                before_create=create_resource_hooks("check", check), on_error=create_error_hooks("explain", spell)
            )
        ComponentResource("test:index:Component", "component", None, pulumi.ResourceOptions(hooks=binding))

    hooks = run(program).hooks

    async def call() -> bool:
        # The engine may call hooks of several components at the same time.
        with use_surface(PYTHON):
            results = await asyncio.gather(*(hook(None) for hook in (hooks["check"], hooks["explain"])))
            assert spell_argument(PATH) == "class_name"
        return results[1]

    assert asyncio.run(call()), "the result of the callback is passed on"
    assert spelled == [surface.spell_path(PATH)] * 2
