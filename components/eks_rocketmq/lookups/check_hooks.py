"""Hooks that check a planned operation, also at preview."""

import functools
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pulumi
from pulumi import ResourceHookArgs

from eks_rocketmq.args.errors import ArgumentError, CollectedError
from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE
from eks_rocketmq.pulumi_sdk.component import create_resource_hooks, spell_error


class RefusedError(RuntimeError):
    """Rejection by a check. It stops the engine; any other error in a check does not."""


def create_check_hooks(name: str, question: str, check: Callable[[ResourceHookArgs], Awaitable[None]]) -> list[Any]:
    """Return a list with a hook that runs a check. The list is empty if hooks cannot be registered.

    `question` is what the check finds out, for the warning if it fails: `whether pods of … meet …`. `check` raises
    errors of arguments or a RefusedError to reject the operation.
    """

    async def run_check(args: ResourceHookArgs) -> None:
        if os.environ.get(SKIP_VARIABLE):
            return
        try:
            await check(args)
        except RefusedError:
            raise
        except (ArgumentError, CollectedError) as error:
            raise RefusedError(spell_error(error)) from error
        except Exception as error:  # noqa: BLE001 - a failed check must not block a valid deployment
            warn_once(f"cannot tell {question} ({error}); going on without that check")

    return create_resource_hooks(name, run_check)


@functools.cache
def warn_once(text: str) -> None:
    """Warn about something that several resources share."""
    pulumi.log.warn(text)
