"""Unmanaged policies of an adopted role: the warning at preview, and their removal."""

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
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
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
    def register() -> None:
        args: Any = {**ARGS, **more}
        IrsaRole("orders", args)

    return register


class Iam:
    """A fake AWS session with a role that has the given policies."""

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


def collect_warnings(
    monkeypatch: pytest.MonkeyPatch, attached: list[str], inline: list[str], tags: dict[str, str] | None = None
) -> list[str]:
    """Call the update hook of the role as the engine does, and return the warnings."""
    warnings: list[str] = []

    async def session() -> Iam:
        return Iam(attached, inline)

    monkeypatch.setattr(role_preflight, "create_session_factory", lambda _: session)
    monkeypatch.setattr(pulumi.log, "warn", lambda text, _: warnings.append(text))
    recording = run(program(), preview=True)
    assert recording.one("Role").before_update == ("orders-role-policies",)
    args = pulumi.ResourceHookArgs(
        urn="urn", id="orders", name="orders-role", type="", old_outputs={"name": "orders", "tagsAll": tags or {}}
    )
    asyncio.run(recording.hooks["orders-role-policies"](args))
    return warnings


def test_unmanaged_policies_of_an_adopted_role_log_a_warning_at_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = collect_warnings(monkeypatch, [LEGACY, ADMINISTRATOR], ["orders", "old"])
    assert text == role_preflight.build_warning("orders", [ADMINISTRATOR, "old (inline)"]).render()


def test_managed_policies_and_roles_of_the_stack_log_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert collect_warnings(monkeypatch, [LEGACY.replace("arn:aws:", "arn:aws-cn:")], ["orders"]) == []
    # The stack may itself have attached the policy that it detaches in this update.
    assert collect_warnings(monkeypatch, [ADMINISTRATOR], [], {"eks-rocketmq/stack": "eks-rocketmq/test"}) == []


def read_exclusive_policies(recording: Recording) -> dict[str, Any]:
    return {
        key: value
        for kind in ("RolePolicyAttachmentsExclusive", "RolePoliciesExclusive")
        for key, value in recording.one(kind).inputs.items()
    }


def test_exclusive_policies_detach_all_other_policies() -> None:
    recording = run(program(exclusive_policies=True))
    assert read_exclusive_policies(recording) == {
        "roleName": "orders",
        "policyArns": [LEGACY],
        "policyNames": ["orders"],
    }
    attached, inline = recording.one("RolePolicyAttachment"), recording.one("RolePolicy")
    # Without this order, the exclusive resources would attach these policies first or not find them.
    assert attached.urn in recording.one("RolePolicyAttachmentsExclusive").dependencies
    assert inline.urn in recording.one("RolePoliciesExclusive").dependencies
    assert recording.one("Role").before_update == ()


def test_a_stack_can_enable_exclusive_policies_for_the_driver_role(prod_update: Recording) -> None:
    assert prod_update.by_type("RolePoliciesExclusive") == []
    recording = run_stack("prod", overrides={"ebsCsi": {"exclusivePolicies": True}})
    assert read_exclusive_policies(recording) == {
        "roleName": "eks-ebs-csi-driver",
        "policyArns": [LEGACY],
        "policyNames": [],
    }
