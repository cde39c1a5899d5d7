"""Functions for all components: type tokens, options of children, input validation, hooks, warnings."""

import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar, cast

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
    RunError,
    log,
)

from eks_rocketmq.args.arg_schema import validate_type
from eks_rocketmq.args.argument_path import ARGS, PYTHON, ArgumentPath, Surface, to_camel_case
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage, errors_within, render_error
from eks_rocketmq.pulumi_sdk.sdk_internals import has_callback_server

PACKAGE = "eks-rocketmq"
_Value = TypeVar("_Value")
_Result = TypeVar("_Result")
_Arguments = TypeVar("_Arguments")
_surface: ContextVar[Surface] = ContextVar("surface", default=PYTHON)
_prefix: ContextVar[ArgumentPath] = ContextVar("prefix", default=ARGS)


@contextmanager
def use_surface(surface: Surface) -> Generator[None]:
    """Spell arguments for a surface in the warnings of the `with` block, and in what its outputs and hooks raise later.

    The block itself raises errors as data. Its caller renders them.
    """
    token = _surface.set(surface)
    try:
        yield
    finally:
        _surface.reset(token)


@contextmanager
def use_prefix(prefix: ArgumentPath) -> Generator[None]:
    """Put the paths of the errors of the `with` block, and of what its outputs raise later, below another path.

    For a component that is created from the field of another component's arguments.
    """
    token = _prefix.set(prefix.within(_prefix.get()))
    try:
        with errors_within(prefix):
            yield
    finally:
        _prefix.reset(token)


def apply_redacted(  # noqa: PLR0913 - two ways to hide a secret value
    output: Output[_Value],
    function: Callable[[_Value], _Result],
    path: ArgumentPath,
    type_: Any,  # noqa: ANN401 - any type
    *,
    errors_show_value: bool = True,
    secret_error: ArgumentError | None = None,
) -> Output[_Result]:
    """Apply a function to an output. Its ValueError becomes a RunError that reveals nothing of a secret value.

    Args:
        type_: type of the argument, without `Input`. A value of another type is an error, and the function is not
            called. `Any`: the value is no argument, or the function accepts every type.
        errors_show_value: whether errors of the function may contain the value. If not, they are not replaced.
        secret_error: replaces an error of the function if the value is secret. Default: an error that only says that
            the value is not accepted.
    """
    surface, prefix = _surface.get(), _prefix.get()

    def call(known: Sequence[Any]) -> _Result:
        value, secret = known
        try:
            with use_surface(surface), errors_within(prefix):
                validate_type(value, type_, path, sensitive=secret)
                if secret and errors_show_value:
                    return _call_with_secret(function, value, secret_error or _build_secret_error(path))
                return function(value)
        except ValueError as error:
            # Nothing renders an error of an output afterwards. The SDK shows the text of a RunError as it is.
            raise RunError(render_error(error, surface)) from error

    result: Output[_Result] = Output.all(output, output.is_secret()).apply(call)
    return result


def _call_with_secret(function: Callable[[_Value], _Result], value: _Value, secret_error: ArgumentError) -> _Result:
    with suppress(ValueError):
        return function(value)
    # Raised outside of the block, so that its `__context__` does not have the error of the function.
    raise secret_error


def _build_secret_error(path: ArgumentPath) -> ArgumentError:
    return ArgumentError(
        path,
        "secret-value",
        "the value is not accepted, and it is secret, so the error does not show it",
        remedy="Compare the value with the description of the argument in components/README.md",
    )


def validate_input(
    value: Input[str], validate: Callable[[str, ArgumentPath], object], path: ArgumentPath
) -> Input[str]:
    """Return an input that is validated now, or as soon as its value is known.

    For a plain value, raise the ValueError of `validate` at once.
    """
    if isinstance(value, str):
        validate(value, path)
        return value

    def validate_known(known: str) -> str:
        validate(known, path)
        return known

    known_value: Output[Any] = Output.from_input(value)
    return apply_redacted(known_value, validate_known, path, str)


def validate_optional_input(
    args: Mapping[str, object], name: str, validate: Callable[[str, ArgumentPath], object]
) -> Input[str] | None:
    """Return an argument that is validated as `validate_input` does it, or None if it is not given."""
    return validate_input(cast("Input[str]", args[name]), validate, ARGS / name) if name in args else None


def type_token(component: str) -> str:
    """Return the Pulumi type of a component class, such as `eks-rocketmq:index:IrsaRole`."""
    return f"{PACKAGE}:index:{component}"


def child_options(parent: ComponentResource, **extra: Any) -> ResourceOptions:  # noqa: ANN401 - options of different types
    """Return the options of a child: its parent and `extra`, without the options of the component itself.

    Pulumi passes providers, `protect` and transforms from parent to child. Merging the component's options would give
    the child the component's parent and aliases.
    """
    return ResourceOptions(parent=parent, **extra)


def collect_outputs(component: ComponentResource, declared_by: type[ComponentResource]) -> dict[str, Any]:
    """Return the outputs that a class declares, by their names in other languages.

    All outputs of `component` must be set.
    """
    return {to_camel_case(name): getattr(component, name) for name in inspect.get_annotations(declared_by)}


def combine_outputs(values: Mapping[str, Input[_Value]]) -> Output[dict[str, _Value]]:
    """Return an output of an object. For no keys, `Output.all` would return an empty list."""
    combined: Output[dict[str, _Value]] = Output.all(**values) if values else Output.from_input({})
    return combined


def defer(value: Input[_Value], resources: Iterable[Resource]) -> Output[_Value]:
    """Return a value as an output that depends on resources.

    A resource that takes it as an input is created after them. Preview knows the URNs of the resources, so a known
    value stays known.
    """
    deferred: Output[_Value] = Output.all(value, [resource.urn for resource in resources]).apply(lambda known: known[0])
    return deferred


def create_resource_hooks(name: str, callback: Callable[[ResourceHookArgs], Awaitable[None]]) -> list[Any]:
    """Return a list with a hook that also runs at preview. The list is empty if hooks cannot be registered.

    The hook spells arguments as the caller of this function does.
    """
    if not has_callback_server():
        return []
    return [ResourceHook(name, _keep_surface(callback), ResourceHookOptions(on_dry_run=True))]


def create_error_hooks(name: str, callback: Callable[[ErrorHookArgs], Awaitable[bool]]) -> list[Any]:
    """Return a list with a hook for failed operations. The list is empty if hooks cannot be registered.

    The hook spells arguments as the caller of this function does.
    """
    return [ErrorHook(name, _keep_surface(callback))] if has_callback_server() else []


def _keep_surface(callback: Callable[[_Arguments], Awaitable[_Result]]) -> Callable[[_Arguments], Awaitable[_Result]]:
    """Return a callback with the current spelling of arguments. The engine calls hooks outside of `use_surface`."""
    surface = _surface.get()

    async def call(args: _Arguments) -> _Result:
        with use_surface(surface):
            return await callback(args)

    return call


def spell_argument(path: ArgumentPath) -> str:
    """Return an argument in the caller's spelling, for a text that is no error about an argument.

    `path` begins at the arguments of the component that is constructed, or whose hook runs.
    """
    return _surface.get().spell_path(path)


def spell_error(error: ValueError) -> str:
    """Return the text of an error in the caller's spelling of arguments."""
    return render_error(error, _surface.get())


def warn(message: ArgumentMessage, component: ComponentResource) -> None:
    """Warn about an argument, using the caller's spelling of its name."""
    log.warn(message.render(_surface.get()), component)
