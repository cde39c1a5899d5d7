"""Service control policies of AWS Organizations: a limit of all users and roles, at the root and at the account.

The account is its own organization in the emulator. In AWS no control policy applies to the management account; here it
counts as a member.
"""

from collections.abc import Callable
from typing import Any

from sandbox.aws import patching
from sandbox.aws.emulator import iam_evaluator, organizations, responses

_TYPE = "SERVICE_CONTROL_POLICY"
Layer = list[Any]
"""Parsed documents of one target. One of them must allow a request, and none may deny it."""


def install() -> None:
    """Limit users and roles by the policies. The emulator stores them only."""
    patching.require(organizations, "_policies", "_attachments", "_roots")
    patching.require(iam_evaluator, "parse_policy_document")

    def limited(_: patching.Arguments, stock: Callable[[], Any]) -> Any:  # noqa: ANN401 (the emulator's classes)
        principal = stock()
        # Root, and an authentication failure, have no policies. In AWS root of a member is limited too.
        if getattr(principal, "policies", None) is not None:
            principal.limits.extend(layers())
        return principal

    patching.wrap(iam_evaluator, "resolve_principal", "access_key_id account_id credential", limited)


def layers() -> list[Layer]:
    """Return the limits of the account: those of the organization's root, and its own. None without an organization."""
    targets = [*organizations._roots, responses.get_account_id()]
    attached = [
        [
            iam_evaluator.parse_policy_document(policy["_Content"])
            for id_, policy in organizations._policies.items()
            if policy["Type"] == _TYPE and target in (organizations._attachments.get(id_) or ())
        ]
        for target in targets
    ]
    return [each for each in attached if each]
