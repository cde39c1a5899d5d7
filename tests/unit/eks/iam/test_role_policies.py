"""Policies that an adopted role keeps: named at preview, and taken off on request."""

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from eks_rocketmq import IrsaRole, IrsaRoleArgs
from eks_rocketmq.eks.iam import role_preflight
from tests.unit.harness import Recording, run, run_stack
from tests.unit.harness.fakes import ACCOUNT, ISSUER

LEGACY = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
WIDE = "arn:aws:iam::aws:policy/AdministratorAccess"
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
ARGS: IrsaRoleArgs = {
    "role_name": "orders",
    "issuer": ISSUER,
    "provider_arn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}",
    "service_accounts": [{"namespace": "shop", "name": "orders"}],
    "managed_policies": ["service-role/AmazonEBSCSIDriverPolicy"],
    "inline_policies": {"orders": DOCUMENT},
}


def program(**more: Any) -> Callable[[], None]:
    def make() -> None:
        args: Any = {**ARGS, **more}
        IrsaRole("orders", args)

    return make


class Iam:
    """A session whose role has these policies."""

    def __init__(self, attached: list[str], inline: list[str]) -> None:
        self._pages = {
            "list_attached_role_policies": [{"AttachedPolicies": [{"PolicyArn": arn} for arn in attached]}],
            "list_role_policies": [{"PolicyNames": inline}],
        }

    def client(self, service: str) -> "Iam":
        assert service == "iam"
        return self

    def get_paginator(self, operation: str) -> Any:
        class Paginator:
            def paginate(_, RoleName: str) -> list[dict[str, Any]]:  # noqa: N803, N805 - boto3's name
                assert RoleName == "orders"
                return self._pages[operation]

        return Paginator()


def warned(
    monkeypatch: pytest.MonkeyPatch, attached: list[str], inline: list[str], tags: dict[str, str] | None = None
) -> list[str]:
    """Calls the hook of the role's update as the engine does; returns what was said."""
    said: list[str] = []

    async def session() -> Iam:
        return Iam(attached, inline)

    monkeypatch.setattr(role_preflight, "create_session_factory", lambda _: session)
    monkeypatch.setattr(pulumi.log, "warn", lambda text, _: said.append(text))
    recording = run(program(), preview=True)
    assert recording.one("Role").before_update == ("orders-role-policies",)
    args = pulumi.ResourceHookArgs(
        urn="urn", id="orders", name="orders-role", type="", old_outputs={"name": "orders", "tagsAll": tags or {}}
    )
    asyncio.run(recording.hooks["orders-role-policies"](args))
    return said


def test_wider_policies_of_an_adopted_role_are_named_at_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = warned(monkeypatch, [LEGACY, WIDE], ["orders", "old"])
    assert text == role_preflight.build_warning("orders", [WIDE, "old (inline)"]).render()


def test_a_role_with_the_stacks_own_policies_is_not_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert warned(monkeypatch, [LEGACY.replace("arn:aws:", "arn:aws-cn:")], ["orders"]) == []
    # Of its own role the stack itself may have attached what it takes off in this update.
    assert warned(monkeypatch, [WIDE], [], {"eks-rocketmq/stack": "eks-rocketmq/test"}) == []


def exclusive(recording: Recording) -> dict[str, Any]:
    return {
        key: value
        for kind in ("RolePolicyAttachmentsExclusive", "RolePoliciesExclusive")
        for key, value in recording.one(kind).inputs.items()
    }


def test_other_policies_are_taken_off_on_request() -> None:
    recording = run(program(exclusive_policies=True))
    assert exclusive(recording) == {"roleName": "orders", "policyArns": [LEGACY], "policyNames": ["orders"]}
    attached, inline = recording.one("RolePolicyAttachment"), recording.one("RolePolicy")
    # They come after the stack's own policies, which they would otherwise attach or miss.
    assert attached.urn in recording.one("RolePolicyAttachmentsExclusive").dependencies
    assert inline.urn in recording.one("RolePoliciesExclusive").dependencies
    assert recording.one("Role").before_update == ()


def test_the_stack_offers_it_for_the_driver() -> None:
    assert run_stack("prod").by_type("RolePoliciesExclusive") == []
    recording = run_stack("prod", overrides={"ebsCsi": {"exclusivePolicies": True}})
    assert exclusive(recording) == {"roleName": "eks-ebs-csi-driver", "policyArns": [LEGACY], "policyNames": []}
