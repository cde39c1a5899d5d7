"""Removal of foreign policies from a role by the two exclusive resources of IAM."""

import json

import pytest

from sandbox.aws.seed import EBS_CSI_POLICY
from sandbox.engine.provider.failures import ProviderError
from tests.contract.server import Server
from tests.contract.stack import Stack

WIDE = "arn:aws:iam::aws:policy/AdministratorAccess"
SERVICE = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [SERVICE]})
DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
ATTACHMENTS = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"
INLINE = "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive"


def test_exclusive_resources_remove_foreign_policies_from_a_role(aws: Server, stack: Stack) -> None:
    iam = aws.client("iam")

    def policies() -> tuple[list[str], list[str]]:
        attached = iam.list_attached_role_policies(RoleName="shared")["AttachedPolicies"]
        return [each["PolicyArn"] for each in attached], iam.list_role_policies(RoleName="shared")["PolicyNames"]

    stack.make("aws:iam/role:Role", "role", name="shared", assumeRolePolicy=TRUST)
    stack.make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "own", role="shared", policyArn=EBS_CSI_POLICY)
    stack.make("aws:iam/rolePolicy:RolePolicy", "inline", role="shared", name="own", policy=DOCUMENT)
    iam.attach_role_policy(RoleName="shared", PolicyArn=WIDE)
    iam.put_role_policy(RoleName="shared", PolicyName="old", PolicyDocument=DOCUMENT)
    stack.make(ATTACHMENTS, "only", roleName="shared", policyArns=[EBS_CSI_POLICY])
    stack.make(INLINE, "only-inline", roleName="shared", policyNames=["own"])
    assert policies() == ([EBS_CSI_POLICY], ["own"])
    iam.attach_role_policy(RoleName="shared", PolicyArn=WIDE)
    assert stack.difference("only", roleName="shared", policyArns=[EBS_CSI_POLICY]).changes
    stack.change("only", roleName="shared", policyArns=[EBS_CSI_POLICY])
    assert policies()[0] == [EBS_CSI_POLICY]
    for name in ("only", "only-inline"):
        target, state = stack.made.pop(name)
        stack.stand_in.delete(target, state, 0)
    assert policies() == ([EBS_CSI_POLICY], ["own"]), "deleting the exclusive resources changes no policy"


def test_exclusive_attachments_of_a_missing_role_fail(stack: Stack) -> None:
    with pytest.raises(ProviderError, match="synchronizing IAM Role Policy Attachments Exclusive"):
        stack.make(ATTACHMENTS, "only", roleName="gone", policyArns=[])
