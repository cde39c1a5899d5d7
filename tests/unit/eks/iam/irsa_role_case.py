"""An IAM role for service accounts for tests."""

from collections.abc import Callable
from typing import Any

import pulumi

from eks_rocketmq import IrsaRole, IrsaRoleArgs
from tests.unit.harness.fakes import ACCOUNT, ISSUER

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
CUSTOMER_POLICY = f"arn:aws:iam::{ACCOUNT}:policy/team/theirs"
CLUSTER = f"arn:aws:eks:ap-southeast-1:{ACCOUNT}:cluster/prod"
ARGS: IrsaRoleArgs = {
    "role_name": "reader",
    "provider_arn": PROVIDER,
    "issuer": ISSUER,
    "service_accounts": [{"namespace": "apps", "name": "reader"}],
    "managed_policies": ["service-role/AmazonEBSCSIDriverPolicy", "ReadOnlyAccess"],
}
STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
DOCUMENT = {"Version": "2012-10-17", "Statement": [STATEMENT]}


def program(args: Any = ARGS) -> Callable[[], None]:
    def register() -> None:
        role = IrsaRole("reader", args)
        pulumi.export("arn", role.arn)
        pulumi.export("name", role.name)

    return register


def unknown_at_preview(value: str, name: str = "other") -> pulumi.Output[str]:
    """Return the value as an output of another resource, which is unknown at preview."""
    import pulumi_aws as aws  # noqa: PLC0415

    other = aws.iam.Role(name, name=name, assume_role_policy="{}")
    return other.arn.apply(lambda _: value)
