"""Calls of Pulumi provider functions. Errors name the function, its arguments and the missing field."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pulumi import ComponentResource, Output, RunError

from eks_rocketmq.lookups.aws_resources import ROLE
from eks_rocketmq.pulumi_sdk.sdk_internals import UNKNOWN_VALUE, is_dry_run, name_mock_errors

Result = TypeVar("Result")
# The texts of the Terraform provider, and the code of IAM, which older versions of the provider show.
_MISSING = ("couldn't find resource", "NoSuchEntity")


def format_call(token: str, **arguments: object) -> str:
    """Return a function call as errors show it, such as `aws:eks/getCluster:getCluster(name='prod')`."""
    return f"{token}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def invoke_function(
    function: Callable[[], Result], call: str, failure: str, *fields: str, hint: str = "", also: str = ""
) -> Result:
    """Invoke a function in its direct form and return its result.

    An error says what to check: allowed accounts, region and credentials.

    Raise RunError with the provider's own message, or with the name of a missing field.

    Args:
        call: the call as errors show it, from `format_call`.
        failure: first part of the error, which says what cannot be done.
        fields: required fields of the result, as for `require_fields`.
        hint: accepted values, as whole sentences.
        also: settings to check in addition to those of the provider.
    """
    result = try_function(function, call, *fields)
    if isinstance(result, Exception):
        keys = f"{also}, aws:region" if also else "aws:region"
        checks = f"Check {keys}, aws:profile and aws:allowedAccountIds;"
        msg = (
            f"{failure}: {result}\n{' '.join(filter(None, [hint, checks]))} "
            "`aws sts get-caller-identity` says who is asking."
        )
        raise RunError(msg) from result
    return result


def try_function(function: Callable[[], Result], call: str, *fields: str) -> Result | Exception:
    """Invoke a function in its direct form and return its result, or the provider's error.

    `call` is the call as errors show it, from `format_call`. `fields` are the required fields of the result, as for
    `require_fields`. Raise RunError with the name of a missing field.
    """
    name_mock_errors(_describe_mock_error)
    try:
        result = function()
    except RunError:
        raise
    except Exception as error:  # noqa: BLE001 - the SDK raises a plain Exception
        return error
    return require_fields(result, call, *fields)


def is_missing(error: Exception) -> bool:
    """Return whether the provider's error says that the resource does not exist."""
    return any(text in str(error) for text in _MISSING)


def require_output_fields(
    result: Output[Result], call: str, *fields: str, component: ComponentResource | None = None
) -> Output[Result]:
    """Return the result of a function in its output form, after checking its fields.

    Args:
        call: the call as errors show it, from `format_call`.
        fields: required fields of the result, as for `require_fields`.
        component: owner of the AWS provider. An explicit provider may have settings that are unknown at
            preview. The engine then returns `{}`, and this result is unknown.
    """
    name_mock_errors(_describe_mock_error)
    explicit = component is not None and component.get_provider(ROLE) is not None

    async def is_unknown() -> bool:
        known = await result.future()
        return explicit and is_dry_run() and not any(_get_field(known, field) for field in fields)

    def checked(unknown: bool) -> Any:  # noqa: ANN401 - the SDK flattens an Output in an Output
        if unknown:
            return Output.from_input(UNKNOWN_VALUE)
        return result.apply(lambda known: require_fields(known, call, *fields))

    complete: Output[Result] = Output.from_input(is_unknown()).apply(checked)
    return complete


def require_fields(result: Result, call: str, *fields: str) -> Result:
    """Return the result of a function if it has all required fields.

    `call` is the call as errors show it, from `format_call`. `fields` are paths of fields that must be present, and
    neither None nor an empty text or object. A list may be empty. `identities.0.oidcs` is a path through lists and
    objects. Raise RunError with the first field that is missing.
    """
    if result is None and not fields:
        raise RunError(_format_invalid_result(call, "there is none"))
    for field in fields:
        if _get_field(result, field) in (None, "", {}):
            raise RunError(_format_invalid_result(call, f"`{field}` is missing"))
    return result


def _get_field(value: Any, path: str) -> Any:  # noqa: ANN401 - any part of a result
    for step in path.split("."):
        if step.isdigit():
            value = value[int(step)] if isinstance(value, list) and len(value) > int(step) else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            value = getattr(value, step, None)
    return value


def _describe_mock_error(token: str, arguments: Mapping[str, Any], error: Exception) -> RunError:
    return RunError(_format_invalid_result(format_call(token, **arguments), str(error)))


def _format_invalid_result(call: str, problem: str) -> str:
    return (
        f"{call}: the answer cannot be used: {problem}. Accepted is a whole answer of the provider. In a unit test, "
        "let your mocks give one, as eks_rocketmq.testing.Mocks does. At preview, a provider whose settings only an "
        "update knows gives none: give it settings that are known."
    )
