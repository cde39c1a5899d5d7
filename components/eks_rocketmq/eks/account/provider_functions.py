"""Questions to AWS: errors name the lookup, its arguments and what its answer lacks."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pulumi import ComponentResource, Output, RunError

from eks_rocketmq.lookups.aws_resources import ROLE
from eks_rocketmq.pulumi_sdk.sdk_internals import UNKNOWN_VALUE, is_dry_run, name_mock_errors

Result = TypeVar("Result")


def format_call(token: str, **arguments: object) -> str:
    """Return a lookup as errors name it, such as `aws:eks/getCluster:getCluster(name='prod')`."""
    return f"{token}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def invoke_function(
    question: Callable[[], Result], lookup: str, failed: str, *fields: str, hint: str = "", also: str = ""
) -> Result:
    """The answer to a plain call, whose failure is said with what to check: account guard, region, credentials.

    Args:
        question: the call.
        lookup: the call as errors name it, by `call`.
        failed: what cannot be done without the answer.
        fields: what the answer must have, as for `complete`.
        hint: what is accepted, as whole sentences.
        also: settings to check beside those of the provider.

    Raises:
        RunError: with the provider's own words; for an answer that lacks a field, with the name of the field.
    """
    name_mock_errors(_describe_mock_error)
    try:
        answer = question()
    except RunError:
        raise
    except Exception as error:
        keys = f"{also}, aws:region" if also else "aws:region"
        checks = f"Check {keys}, aws:profile and aws:allowedAccountIds;"
        msg = (
            f"{failed}: {error}\n{' '.join(filter(None, [hint, checks]))} "
            "`aws sts get-caller-identity` says who is asking."
        )
        raise RunError(msg) from error
    return require_fields(answer, lookup, *fields)


def require_output_fields(
    answer: Output[Result], lookup: str, *fields: str, component: ComponentResource | None = None
) -> Output[Result]:
    """Return the answer to a call in its output form, which fails as that of `ask` when it lacks a field.

    Args:
        answer: the answer.
        lookup: the call as errors name it, by `call`.
        fields: what the answer must have, as for `complete`.
        component: whose AWS provider is asked. At preview, the engine answers `{}` for a provider of the program's own
            that has settings which only an update knows; the answer is unknown then.
    """
    name_mock_errors(_describe_mock_error)
    own = component is not None and component.get_provider(ROLE) is not None

    async def deferred() -> bool:
        known = await answer.future()
        return own and is_dry_run() and not any(_get_field(known, field) for field in fields)

    def checked(unknown: bool) -> Any:  # noqa: ANN401 - the SDK flattens an Output in an Output
        if unknown:
            return Output.from_input(UNKNOWN_VALUE)
        return answer.apply(lambda known: require_fields(known, lookup, *fields))

    result: Output[Result] = Output.from_input(deferred()).apply(checked)
    return result


def require_fields(answer: Result, lookup: str, *fields: str) -> Result:
    """Return an answer that has all that is needed of it.

    Args:
        answer: the answer.
        lookup: the call as errors name it, by `call`.
        fields: what must be there and neither None nor empty; `identities.0.oidcs` leads into lists and objects.

    Raises:
        RunError: with the first field that is missing.
    """
    for field in fields:
        if _get_field(answer, field) in (None, "", {}):
            raise RunError(_format_invalid_result(lookup, f"`{field}` is missing"))
    return answer


def _get_field(value: Any, path: str) -> Any:  # noqa: ANN401 - any part of an answer
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


def _format_invalid_result(lookup: str, what: str) -> str:
    return (
        f"{lookup}: the answer cannot be used: {what}. Accepted is a whole answer of the provider. In a unit test, "
        "let your mocks give one, as eks_rocketmq.testing.Mocks does. At preview, a provider whose settings only an "
        "update knows gives none: give it settings that are known."
    )
