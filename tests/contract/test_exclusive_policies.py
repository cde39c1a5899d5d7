"""Policies that others gave a role, taken off by the two exclusive resources."""

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


def test_what_others_gave_a_role_is_taken_off(aws: Server, stack: Stack) -> None:
    iam = aws.client("iam")

    def has() -> tuple[list[str], list[str]]:
        attached = iam.list_attached_role_policies(RoleName="shared")["AttachedPolicies"]
        return [each["PolicyArn"] for each in attached], iam.list_role_policies(RoleName="shared")["PolicyNames"]

    stack.make("aws:iam/role:Role", "role", name="shared", assumeRolePolicy=TRUST)
    stack.make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "own", role="shared", policyArn=EBS_CSI_POLICY)
    stack.make("aws:iam/rolePolicy:RolePolicy", "inline", role="shared", name="own", policy=DOCUMENT)
    iam.attach_role_policy(RoleName="shared", PolicyArn=WIDE)
    iam.put_role_policy(RoleName="shared", PolicyName="old", PolicyDocument=DOCUMENT)
    stack.make(ATTACHMENTS, "only", roleName="shared", policyArns=[EBS_CSI_POLICY])
    stack.make(INLINE, "only-inline", roleName="shared", policyNames=["own"])
    assert has() == ([EBS_CSI_POLICY], ["own"])
    iam.attach_role_policy(RoleName="shared", PolicyArn=WIDE)
    assert stack.difference("only", roleName="shared", policyArns=[EBS_CSI_POLICY]).changes
    stack.change("only", roleName="shared", policyArns=[EBS_CSI_POLICY])
    assert has()[0] == [EBS_CSI_POLICY]
    for name in ("only", "only-inline"):
        target, state = stack.made.pop(name)
        stack.stand_in.delete(target, state, 0)
    assert has() == ([EBS_CSI_POLICY], ["own"]), "the role keeps what it has"


def test_a_role_that_is_gone_is_an_error(stack: Stack) -> None:
    with pytest.raises(ProviderError, match="synchronizing IAM Role Policy Attachments Exclusive"):
        stack.make(ATTACHMENTS, "only", roleName="gone", policyArns=[])
