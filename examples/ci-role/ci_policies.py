"""Who may take the roles of the pipelines, and what they may do. Pure: documents as data."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pulumi import Output

ISSUER = "https://token.actions.githubusercontent.com"
"""Whose tokens GitHub's jobs carry."""

PREFIX = "eks-rocketmq-ci"
PREVIEW_ROLE, DEPLOY_ROLE, BOUNDARY = f"{PREFIX}-preview", f"{PREFIX}-deploy", f"{PREFIX}-deploy-boundary"

DRIVER_POLICIES = (
    "service-role/AmazonEBSCSIDriverPolicy",
    "AmazonEBSCSIDriverPolicyV2",
    "AmazonEBSCSIDriverEKSClusterScopedPolicy",
)
"""What the stack attaches to the driver's role. Any other policy is refused, so the deploy role cannot raise itself."""

# With `owner@id/name@id` a repository that is renamed, or made again under an old name, is another one:
# https://docs.github.com/en/actions/concepts/security/openid-connect
_REPOSITORY = re.compile(r"[A-Za-z0-9-]+(@\d+)?/[\w.-]+(@\d+)?")
_ENVIRONMENT = re.compile(r"[\w.-]+")

Statement = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """What the roles are about; `roles` are the names of those that the stack makes."""

    caller_arn: str
    region: str
    cluster: str
    roles: Sequence[str]

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.caller_arn.split(":")[1]

    def iam(self, path: str) -> str:
        """ARN in IAM."""
        return f"arn:{self.partition}:iam::{self.caller_arn.split(':')[4]}:{path}"

    def eks(self, path: str) -> str:
        """ARN in EKS."""
        return f"arn:{self.partition}:eks:{self.region}:{self.caller_arn.split(':')[4]}:{path}"

    def cluster_policy(self, name: str) -> str:
        """ARN of a policy of EKS for access entries."""
        return f"arn:{self.partition}:eks::aws:cluster-access-policy/{name}"

    @property
    def images(self) -> str:
        """ARN of the parameters in which AWS publishes images of nodes."""
        return f"arn:{self.partition}:ssm:{self.region}::parameter/aws/service/*"


def preview_subjects(repository: str) -> list[str]:
    """Jobs of pull requests, and of main before the approval. A fork's job gets no token at all."""
    return [f"repo:{_checked(repository)}:pull_request", f"repo:{repository}:ref:refs/heads/main"]


def deploy_subjects(repository: str, environment: str) -> list[str]:
    """Jobs that the environment's reviewers have approved, and no others."""
    if not _ENVIRONMENT.fullmatch(environment):
        msg = f"environment is {environment!r}; accepted are letters, digits, '.', '_' and '-'"
        raise ValueError(msg)
    return [f"repo:{_checked(repository)}:environment:{environment}"]


def _checked(repository: str) -> str:
    if not _REPOSITORY.fullmatch(repository):
        msg = f"repository is {repository!r}; accepted is owner/name, or owner@1/name@2 with GitHub's numbers"
        raise ValueError(msg)
    return repository


def documents(account: Account, bucket: str, key: str) -> dict[str, str]:
    """Every policy (JSON) by what it is for, given the ARNs of the state's bucket and key."""
    return {
        "preview": preview_policy(account, bucket, key),
        "deploy": deploy_policy(account, bucket, key),
        "boundary": deploy_boundary(account, bucket, key),
    }


def variables(
    region: str, preview_role: Output[str], deploy_role: Output[str], bucket: Output[str], key_alias: Output[str]
) -> dict[str, str | Output[str]]:
    """What the workflows read as repository variables; `secretsProvider` is for `pulumi stack init`."""
    return {
        "AWS_REGION": region,
        "AWS_PREVIEW_ROLE": preview_role,
        "AWS_DEPLOY_ROLE": deploy_role,
        "PULUMI_BACKEND_URL": Output.concat("s3://", bucket, f"?region={region}"),
        "secretsProvider": Output.concat("awskms:///", key_alias, f"?region={region}"),
    }


def preview_policy(account: Account, bucket: str, key: str) -> str:
    """Reads the state and what the stack manages; changes nothing."""
    return _document(_read(account, bucket, key))


def deploy_policy(account: Account, bucket: str, key: str) -> str:
    """Reads what a preview reads, writes the state, and makes the driver's provider, roles and addon."""
    roles = [account.iam(f"role/{name}") for name in account.roles]
    return _document(
        [
            *_read(account, bucket, key),
            _allow("WriteState", ["s3:PutObject", "s3:DeleteObject"], f"{bucket}/*"),
            _allow("EncryptState", ["kms:Encrypt", "kms:GenerateDataKey"], key),
            _allow(
                "ClusterOidcProvider",
                [
                    "iam:CreateOpenIDConnectProvider",
                    "iam:DeleteOpenIDConnectProvider",
                    "iam:AddClientIDToOpenIDConnectProvider",
                    "iam:RemoveClientIDFromOpenIDConnectProvider",
                    "iam:UpdateOpenIDConnectProviderThumbprint",
                    "iam:TagOpenIDConnectProvider",
                    "iam:UntagOpenIDConnectProvider",
                ],
                account.iam(f"oidc-provider/oidc.eks.{account.region}.*"),
            ),
            _allow(
                "Roles",
                [
                    "iam:CreateRole",
                    "iam:DeleteRole",
                    "iam:UpdateRole",
                    "iam:UpdateAssumeRolePolicy",
                    "iam:TagRole",
                    "iam:UntagRole",
                    "iam:ListInstanceProfilesForRole",
                ],
                *roles,
            ),
            {
                **_allow("DriverPolicies", ["iam:AttachRolePolicy", "iam:DetachRolePolicy"], *roles),
                "Condition": {
                    "ArnEquals": {
                        "iam:PolicyARN": [f"arn:{account.partition}:iam::aws:policy/{each}" for each in DRIVER_POLICIES]
                    }
                },
            },
            {
                **_allow("GiveRolesToEks", ["iam:PassRole"], *roles),
                "Condition": {"StringEquals": {"iam:PassedToService": ["eks.amazonaws.com", "pods.eks.amazonaws.com"]}},
            },
            _allow(
                "Addon",
                ["eks:CreateAddon", "eks:UpdateAddon", "eks:DeleteAddon", "eks:TagResource", "eks:UntagResource"],
                account.eks(f"cluster/{account.cluster}"),
                account.eks(f"addon/{account.cluster}/aws-ebs-csi-driver/*"),
            ),
        ]
    )


def deploy_boundary(account: Account, bucket: str, key: str) -> str:
    """The most that the deploy role can ever do, whatever is attached to it."""
    return _document(
        [
            _allow("ServicesOfAStack", [f"{service}:*" for service in ("ec2", "eks", "iam", "kms", "logs")], "*"),
            _allow(
                "State",
                ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                bucket,
                f"{bucket}/*",
            ),
            _allow("ImagesOfNodes", ["ssm:GetParameter"], account.images),
            # The rest of IAM only makes people and long-lived keys.
            _deny(
                "NoPeople",
                ["iam:*User*", "iam:*Group*", "iam:*AccessKey*", "iam:*LoginProfile*", "iam:*Account*", "iam:*SAML*"],
                "*",
            ),
            _deny(
                "NotItself",
                ["iam:*"],
                *(account.iam(f"role/{name}") for name in (PREVIEW_ROLE, DEPLOY_ROLE)),
                account.iam(f"policy/{BOUNDARY}"),
                account.iam(f"oidc-provider/{ISSUER.removeprefix('https://')}"),
            ),
            _deny("NotTheKeyOfTheState", ["kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy"], key),
        ]
    )


def _read(account: Account, bucket: str, key: str) -> list[Statement]:
    return [
        _allow("ReadState", ["s3:ListBucket", "s3:GetObject"], bucket, f"{bucket}/*"),
        _allow("DecryptState", ["kms:Decrypt"], key),
        _allow(
            "ReadRoles",
            [
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListRolePolicies",
                "iam:ListAttachedRolePolicies",
                "iam:GetPolicy",
                "iam:GetPolicyVersion",
                "iam:GetOpenIDConnectProvider",
                "iam:ListOpenIDConnectProviders",
            ],
            "*",
        ),
        _allow("ReadClusters", ["eks:Describe*", "eks:List*"], "*"),
        # None of these can be limited to a resource; they serve stacks that make network, keys and log groups.
        _allow("ReadNetwork", ["ec2:Describe*"], "*"),
        _allow(
            "ReadKeysAndLogs",
            [
                "kms:DescribeKey",
                "kms:GetKeyPolicy",
                "kms:GetKeyRotationStatus",
                "kms:ListAliases",
                "kms:ListResourceTags",
                "logs:DescribeLogGroups",
                "logs:ListTagsForResource",
            ],
            "*",
        ),
        _allow("ReadImagesOfNodes", ["ssm:GetParameter"], account.images),
    ]


def _allow(sid: str, actions: list[str], *resources: str) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": _some(resources)}


def _deny(sid: str, actions: list[str], *resources: str) -> Statement:
    return {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": _some(resources)}


def _some(resources: Sequence[str]) -> str | list[str]:
    return resources[0] if len(resources) == 1 else list(resources)


def _document(statements: list[Statement]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
