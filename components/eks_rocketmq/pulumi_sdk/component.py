"""Functions for all components: type tokens, options of children, input validation, hooks, warnings."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

from pulumi import (
    ComponentResource,
    ErrorHook,
    ErrorHookArgs,
    Input,
    Output,
    Resource,
    ResourceHook,
    ResourceHookArgs,
    ResourceHookOptions,
    ResourceOptions,
    log,
)

from eks_rocketmq.pulumi_sdk.sdk_internals import has_callback_server

PACKAGE = "eks-rocketmq"
_Value = TypeVar("_Value")
_Result = TypeVar("_Result")
_warning_translation: ContextVar[Callable[[str], str]] = ContextVar("warning_translation", default=str)


def apply_redacted(output: Output[_Value], function: Callable[[_Value], _Result], label: str) -> Output[_Result]:
    """Apply a function to an output. Its ValueError reveals nothing of a secret value.

    Args:
        output: the output.
        function: validates or converts the known value.
        label: name of the value in errors.
    """

    def call(known: Sequence[Any]) -> _Result:
        value, secret = known
        try:
            return function(value)
        except ValueError:
            if not secret:
                raise
            msg = f"{label} is not accepted; it is secret, so nothing of it is shown: compare it with the reference"
            raise ValueError(msg) from None

    result: Output[_Result] = Output.all(output, output.is_secret()).apply(call)
    return result


def validate_input(value: Input[str], validate: Callable[[str, str], object], label: str) -> Input[str]:
    """Return an input that is validated now, or as soon as its value is known.

    Args:
        value: the input.
        validate: takes value and label, and raises ValueError.
        label: name of the value in errors.

    Raises:
        ValueError: a plain value is not accepted.
    """
    if isinstance(value, str):
        validate(value, label)
        return value

    def validate_known(known: object) -> str:
        if not isinstance(known, str):
            msg = f"{label} is {known!r}; accepted is a string"
            raise ValueError(msg)
        validate(known, label)
        return known

    return apply_redacted(Output.from_input(value), validate_known, label)


def type_token(component: str) -> str:
    """Return the Pulumi type of a component class, such as `eks-rocketmq:index:IrsaRole`."""
    return f"{PACKAGE}:index:{component}"


def child_options(parent: ComponentResource, **extra: Any) -> ResourceOptions:  # noqa: ANN401 - options of different types
    """Return the options of a child: its parent and `extra`, without the options of the component itself.

    Pulumi passes providers, `protect` and transforms from parent to child. Merging the component's options would give
    the child the component's parent and aliases.
    """
    return ResourceOptions(parent=parent, **extra)


def defer(value: Input[_Value], resources: Iterable[Resource]) -> Output[_Value]:
    """Return a value as an output that depends on resources.

    A resource that takes it as an input is created after them. Preview knows the URNs of the resources, so a known
    value stays known.
    """
    deferred: Output[_Value] = Output.all(value, [resource.urn for resource in resources]).apply(lambda known: known[0])
    return deferred


def create_resource_hooks(name: str, callback: Callable[[ResourceHookArgs], Awaitable[None]]) -> list[Any]:
    """Return a list with a hook that also runs at preview. The list is empty if hooks cannot be registered."""
    return [ResourceHook(name, callback, ResourceHookOptions(on_dry_run=True))] if has_callback_server() else []


def create_error_hooks(name: str, callback: Callable[[ErrorHookArgs], Awaitable[bool]]) -> list[Any]:
    """Return a list with a hook for failed operations. The list is empty if hooks cannot be registered."""
    return [ErrorHook(name, callback)] if has_callback_server() else []


def warn(text: str, component: ComponentResource) -> None:
    """Warn about an argument, using the caller's spelling of its name."""
    log.warn(_warning_translation.get()(text), component)


def set_warning_translation(translate: Callable[[str], str]) -> None:
    """Set the translation of warnings into the spelling that the program uses.

    Args:
        translate: takes a text with Python's spelling of the arguments, and returns it with another spelling.
    """
    _warning_translation.set(translate)
