"""Faults of the permissions of the driver: IAM policies and KMS keys."""

import json
from dataclasses import replace
from typing import Any

from eks_rocketmq.doctor.facts.cluster_facts import (
    EncryptionFacts,
    Facts,
    KeyFacts,
    PolicyFacts,
    SimulatedAction,
    StorageClassFacts,
    Unreadable,
)
from tests.unit.doctor.fault_facts import (
    Fault,
    with_class,
    with_role,
)
from tests.unit.doctor.healthy_cases import (
    KEY_ARN,
    driver_role,
    managed_policy,
)
from tests.unit.harness.fakes import ACCOUNT, REGION

UNAUTHORIZED = (
    "operation error EC2: CreateVolume, https response error StatusCode: 403, UnauthorizedOperation: You are not "
    f"authorized to perform this operation. User: arn:aws:sts::{ACCOUNT}:assumed-role/eks-ebs-csi-driver/1 is not "
    "authorized to perform: ec2:CreateVolume on resource: arn:aws:ec2:ap-southeast-1:140023393377:volume/* "
)
NO_POLICY = f"{UNAUTHORIZED}because no identity-based policy allows the ec2:CreateVolume action"


def with_key(
    key: KeyFacts, *policies: PolicyFacts, message: str = "InvalidVolume.NotFound: The volume does not exist"
) -> Facts:
    classes = (StorageClassFacts("gp2", "ebs.csi.aws.com", parameters=(("encrypted", "true"), ("kmsKeyId", KEY_ARN))),)
    role = driver_role(policies=(managed_policy("AmazonEBSCSIDriverPolicyV2"), *policies))
    return with_class("gp2", message, storage_classes=classes, keys=(key,), roles=(role,))


def with_default_key(
    key: KeyFacts | Unreadable,
    *policies: PolicyFacts,
    encrypted: str = "",
    by_default: bool | Unreadable = True,
    message: str = "InvalidVolume.NotFound: The volume does not exist",
) -> Facts:
    """Return facts of a class without a key, and of the default key of the account."""
    parameters = (("encrypted", encrypted),) if encrypted else ()
    role = driver_role(policies=(managed_policy("AmazonEBSCSIDriverPolicyV2"), *policies))
    return with_class(
        "gp2",
        message,
        storage_classes=(StorageClassFacts("gp2", "ebs.csi.aws.com", parameters=parameters),),
        encryption=EncryptionFacts(by_default, key),
        roles=(role,),
    )


def key_policy(principal: str, *more: dict[str, Any]) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement, *more]})


def deny_key(principal: Any = "*", action: str = "kms:*", **fields: Any) -> dict[str, Any]:
    """Return a Deny statement of a key policy."""
    return {"Effect": "Deny", "Principal": principal, "Action": action, "Resource": "*", **fields}


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROOT_KEY_POLICY = key_policy(ROOT)
USE_KEY = PolicyFacts(
    "use-key",
    json.dumps(
        {
            "Statement": [
                {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": KEY_ARN},
                {
                    "Effect": "Allow",
                    "Action": "kms:CreateGrant",
                    "Resource": KEY_ARN,
                    "Condition": {"Bool": {"kms:GrantIsForAWSResource": True}},
                },
            ]
        }
    ),
)


def with_snapshot() -> Facts:
    document = json.loads(managed_policy("AmazonEBSCSIDriverPolicyV2").document)
    for statement in document["Statement"]:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if "ec2:CreateVolume" in statement["Action"]:
            statement["Resource"] = [each for each in resources if "snapshot" not in each] or "arn:aws:ec2:*:*:volume/*"
    return _with_source(UNAUTHORIZED, PolicyFacts("custom", json.dumps(document)))


def with_untagged_snapshot(message: str = "") -> Facts:
    """Return facts of a claim from a snapshot that another tool has taken."""
    resource = f"arn:aws:ec2:{REGION}::snapshot/snap-0123456789abcdef0"
    denied = UNAUTHORIZED.replace(f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/*", resource)
    return _with_source(message or denied, managed_policy("AmazonEBSCSIDriverPolicyV2"))


def _with_source(message: str, policy: PolicyFacts) -> Facts:
    facts = with_class("gp2", message, roles=(driver_role(policies=(policy,)),))
    return replace(facts, claims=(replace(facts.claims[0], data_source="VolumeSnapshot/daily"),))  # ty: ignore


def boundary(*actions: str) -> PolicyFacts:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return PolicyFacts(f"arn:aws:iam::{ACCOUNT}:policy/boundary", json.dumps({"Statement": [statement]}))


SMALL_POLICY = PolicyFacts(
    "small", json.dumps({"Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]})
)
PERMISSION_FAULTS: tuple[Fault, ...] = (
    ("permissions-missing", "no policy", lambda: with_role(NO_POLICY, policies=())),
    ("permissions-missing", "too small", lambda: with_role(NO_POLICY, policies=(SMALL_POLICY,))),
    (
        "permissions-missing",
        "simulated",
        lambda: with_role(
            UNAUTHORIZED,
            simulated=(SimulatedAction("ec2:CreateVolume", "implicitDeny"),),
            policies=Unreadable("iam:ListAttachedRolePolicies", "iam:ListAttachedRolePolicies", "AccessDenied"),
        ),
    ),
    (
        "permissions-boundary",
        "boundary",
        lambda: with_role(
            UNAUTHORIZED + "with an explicit deny in a permissions boundary", boundary=boundary("s3:*", "ec2:Describe*")
        ),
    ),
    (
        "permissions-boundary",
        "simulated",
        lambda: with_role(
            UNAUTHORIZED, simulated=(SimulatedAction("ec2:CreateVolume", "implicitDeny", allowed_by_boundary=False),)
        ),
    ),
    (
        "permissions-organization",
        "event",
        lambda: with_role(UNAUTHORIZED + "with an explicit deny in a service control policy"),
    ),
    (
        "permissions-organization",
        "simulated",
        lambda: with_role(
            UNAUTHORIZED,
            simulated=(SimulatedAction("ec2:CreateVolume", "explicitDeny", allowed_by_organization=False),),
        ),
    ),
    ("permissions-snapshot", "snapshot", with_snapshot),
    ("permissions-snapshot", "tags of the snapshot", with_untagged_snapshot),
    ("kms-key-missing", "deleted", lambda: with_key(KeyFacts(KEY_ARN, exists=False))),
    (
        "kms-key-disabled",
        "disabled",
        lambda: with_key(KeyFacts(KEY_ARN, arn=KEY_ARN, state="Disabled", policy=ROOT_KEY_POLICY), USE_KEY),
    ),
    (
        "kms-key-disabled",
        "deletion",
        lambda: with_key(
            KeyFacts(KEY_ARN, arn=KEY_ARN, state="PendingDeletion", policy=ROOT_KEY_POLICY),
            USE_KEY,
            message="IdempotentParameterMismatch",
        ),
    ),
    ("kms-permission", "no policy", lambda: with_key(KeyFacts(KEY_ARN, arn=KEY_ARN, policy=ROOT_KEY_POLICY))),
    (
        "kms-permission",
        "key policy",
        lambda: with_key(
            KeyFacts(KEY_ARN, arn=KEY_ARN, policy=key_policy(f"arn:aws:iam::{ACCOUNT}:role/admin")), USE_KEY
        ),
    ),
    (
        "kms-permission",
        "Deny in the key policy",
        lambda: with_key(KeyFacts(KEY_ARN, arn=KEY_ARN, policy=key_policy(ROOT, deny_key())), USE_KEY),
    ),
    ("kms-key-missing", "default key", lambda: with_default_key(KeyFacts(KEY_ARN, exists=False))),
    (
        "kms-key-disabled",
        "default key",
        lambda: with_default_key(KeyFacts(KEY_ARN, arn=KEY_ARN, state="Disabled", policy=ROOT_KEY_POLICY), USE_KEY),
    ),
    (
        "kms-permission",
        "default key of an encrypted class",
        lambda: with_default_key(
            KeyFacts(KEY_ARN, arn=KEY_ARN, policy=ROOT_KEY_POLICY), encrypted="true", by_default=False
        ),
    ),
)
