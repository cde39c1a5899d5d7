"""What every component shares: its type token, the options of its children and the words of its warnings."""

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
_warning_translation: ContextVar[Callable[[str], str]] = ContextVar("words", default=str)


_Input = TypeVar("_Input")
_Result = TypeVar("_Result")


def apply_redacted(output: Output[_Input], make: Callable[[_Input], _Result], what: str) -> Output[_Result]:
    """`apply` whose ValueError shows nothing of a value that is secret.

    Args:
        output: what `make` takes once it is known.
        make: checks it, or makes something of it.
        what: how an error names it.
    """

    def made(known: Sequence[Any]) -> _Result:
        value, secret = known
        try:
            return make(value)
        except ValueError:
            if not secret:
                raise
            msg = f"{what} is not accepted; it is secret, so nothing of it is shown: compare it with the reference"
            raise ValueError(msg) from None

    result: Output[_Result] = Output.all(output, output.is_secret()).apply(made)
    return result


def validate_input(value: Input[str], check: Callable[[str, str], object], what: str) -> Input[str]:
    """Return an input that is checked now, or as soon as it is known.

    Args:
        value: the input.
        check: takes value and name, and raises ValueError.
        what: how an error names it.

    Raises:
        ValueError: for a plain value that is not accepted.
    """
    if isinstance(value, str):
        check(value, what)
        return value

    def checked_later(known: object) -> str:
        if not isinstance(known, str):
            msg = f"{what} is {known!r}; accepted is a string"
            raise ValueError(msg)
        check(known, what)
        return known

    return apply_redacted(Output.from_input(value), checked_later, what)


def type_token(component: str) -> str:
    """The Pulumi type of a component class, such as `eks-rocketmq:index:IrsaRole`."""
    return f"{PACKAGE}:index:{component}"


def child_options(parent: ComponentResource, **extra: Any) -> ResourceOptions:  # noqa: ANN401 - the options' own types
    """Options of a child: its parent and what is named here, nothing of what the caller gave to the component.

    Providers, `protect` and transforms flow from parent to child by themselves. Merging the caller's options as well
    would give the child the caller's parent and aliases.
    """
    return ResourceOptions(parent=parent, **extra)


def defer(value: Input[_Value], resources: Iterable[Resource]) -> Output[_Value]:
    """Return a value as an output of resources: what takes it as an input is created after them.

    Their URNs are known at preview, so a known value stays known.
    """
    found: Output[_Value] = Output.all(value, [resource.urn for resource in resources]).apply(lambda known: known[0])
    return found


def create_resource_hooks(name: str, callback: Callable[[ResourceHookArgs], Awaitable[None]]) -> list[Any]:
    """Return a hook that runs at preview too, in a list; the list is empty where no hook can be registered."""
    return [ResourceHook(name, callback, ResourceHookOptions(on_dry_run=True))] if has_callback_server() else []


def create_error_hooks(name: str, callback: Callable[[ErrorHookArgs], Awaitable[bool]]) -> list[Any]:
    """Return a hook for failed operations, in a list; the list is empty where no hook can be registered."""
    return [ErrorHook(name, callback)] if has_callback_server() else []


def warn(text: str, component: ComponentResource) -> None:
    """Says of a component's arguments what had better be changed, in the words that the program speaks."""
    log.warn(_warning_translation.get()(text), component)


def set_warning_translation(words: Callable[[str], str]) -> None:
    """From now on warnings of this run are said in other words than Python's.

    Args:
        words: gives the words for a text that calls arguments as Python does.
    """
    _warning_translation.set(words)
