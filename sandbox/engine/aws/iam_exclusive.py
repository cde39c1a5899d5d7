"""The exclusive policies of a role: whatever else the role has is taken off, at each create and update."""

# ruff: noqa: ARG002 - every resource type has the same operations

from dataclasses import dataclass
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.properties import Property, Schema
from sandbox.engine.aws.resource import Properties, Resource, Waiting


def _same_set(one: list[str], other: list[str]) -> bool:
    return set(one) == set(other)


@dataclass(frozen=True)
class _Kind:
    """One of the two: policies attached to a role, and those within it."""

    token: str
    members: str
    """The input that lists them."""
    what: str
    listing: str
    listed: str
    """The key of the listing's answer."""
    removal: str
    argument: str
    addition: str = ""


class Exclusive(Resource):
    """Import id: the role's name."""

    def __init__(self, kind: _Kind) -> None:
        self._kind = kind
        self.schema = Schema(
            kind.token,
            properties={kind.members: Property(same=_same_set), "roleName": Property(replaces=True)},
        )

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        self._sync(aws, inputs)
        return inputs["roleName"]

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        try:
            found = unless_missing(lambda: self._list(aws, resource_id))
        except AwsError as error:
            raise failed(f"reading {self._kind.what} ({resource_id})", error) from error
        return None if found is None else {"roleName": resource_id, self._kind.members: found}

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        self._sync(aws, news)

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        """Do nothing: the role keeps its policies."""

    def _list(self, aws: Account, role: str) -> list[str]:
        found: list[str] = []
        marker = None
        while True:
            answer = call(aws.iam, self._kind.listing, RoleName=role, Marker=marker)
            found += [each["PolicyArn"] if isinstance(each, dict) else each for each in answer[self._kind.listed]]
            marker = answer.get("Marker")
            if not marker:
                return sorted(found)

    def _sync(self, aws: Account, inputs: Properties) -> None:
        role, wanted, kind = inputs["roleName"], inputs[self._kind.members], self._kind
        try:
            found = self._list(aws, role)
            for each in found:
                if each not in wanted:
                    call(aws.iam, kind.removal, RoleName=role, **{kind.argument: each})
            for each in wanted:
                if each not in found and kind.addition:
                    call(aws.iam, kind.addition, RoleName=role, **{kind.argument: each})
        except AwsError as error:
            raise failed(f"synchronizing {kind.what} ({role})", error) from error


TYPES = (
    Exclusive(
        _Kind(
            token="aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",  # noqa: S106 - a type
            members="policyArns",
            what="IAM Role Policy Attachments Exclusive",
            listing="ListAttachedRolePolicies",
            listed="AttachedPolicies",
            removal="DetachRolePolicy",
            argument="PolicyArn",
            addition="AttachRolePolicy",
        )
    ),
    Exclusive(
        _Kind(
            token="aws:iam/rolePoliciesExclusive:RolePoliciesExclusive",  # noqa: S106 - a type
            members="policyNames",
            what="IAM Role Policies Exclusive",
            listing="ListRolePolicies",
            listed="PolicyNames",
            removal="DeleteRolePolicy",
            argument="PolicyName",
        )
    ),
)
