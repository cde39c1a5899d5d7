"""Questions to AWS whose answers decide what is made, asked while the program runs."""

from collections.abc import Callable
from typing import TypeVar

from pulumi import RunError

Answer = TypeVar("Answer")


def ask(question: Callable[[], Answer], failed: str, hint: str = "", also: str = "") -> Answer:
    """The answer to a plain call, whose failure is said with what to check: account guard, region, credentials.

    Args:
        question: the call.
        failed: what cannot be done without the answer.
        hint: what is accepted, as whole sentences.
        also: settings to check beside those of the provider.

    Raises:
        RunError: with the provider's own words.
    """
    try:
        return question()
    except Exception as error:
        keys = f"{also}, aws:region" if also else "aws:region"
        checks = f"Check {keys}, aws:profile and aws:allowedAccountIds;"
        msg = (
            f"{failed}: {error}\n{' '.join(filter(None, [hint, checks]))} "
            "`aws sts get-caller-identity` says who is asking."
        )
        raise RunError(msg) from error
