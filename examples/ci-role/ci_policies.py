"""Trust and permission policies of the pipelines' roles, as data. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import Output

from eks_rocketmq.eks.iam.policy_documents import Statement, build_policy

ISSUER = "https://token.actions.githubusercontent.com"
"""Issuer of the tokens of GitHub's jobs."""

PREFIX = "eks-rocketmq-ci"
PREVIEW_ROLE, DEPLOY_ROLE = f"{PREFIX}-preview", f"{PREFIX}-deploy"
PREVIEW_GROUP = PREVIEW_ROLE
"""Kubernetes group of the preview role. `preview-cluster-role.yaml` has its permissions."""
BOUNDARY, DRIVER_BOUNDARY = f"{PREFIX}-deploy-boundary", f"{PREFIX}-driver-boundary"

DRIVER_POLICIES = (
    "service-role/AmazonEBSCSIDriverPolicy",
    "AmazonEBSCSIDriverPolicyV2",
    "AmazonEBSCSIDriverEKSClusterScopedPolicy",
)
"""Policies that the deploy role can attach. It could give itself more permissions with others."""

# The numbers in `owner@id/name@id` exclude a repository that was created later with the same name:
# https://docs.github.com/en/actions/concepts/security/openid-connect
_REPOSITORY = re.compile(r"[A-Za-z0-9-]+(@\d+)?/[\w.-]+(@\d+)?")
_ENVIRONMENT = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class ClusterAccess:
    """Access of a role in an EKS cluster."""

    cluster: str
    policies: Mapping[str, Sequence[str]]
    """Namespaces by the ARN of an access policy. Without namespaces, it applies to the whole cluster."""
    groups: Sequence[str] = ()
    """Kubernetes groups."""


@dataclass(frozen=True)
class Account:
    """Account, region and cluster of the stack. `roles` are the names of the IAM roles that it creates."""

    caller_arn: str
    region: str
    cluster: str
    roles: Sequence[str]
    namespace: str
    """Namespace of RocketMQ in the cluster."""

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.caller_arn.split(":")[1]

    def iam(self, path: str) -> str:
        """Return an ARN in IAM."""
        return f"arn:{self.partition}:iam::{self.caller_arn.split(':')[4]}:{path}"

    def arn(self, service: str, path: str) -> str:
        """Return an ARN in a service of the region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.caller_arn.split(':')[4]}:{path}"

    @property
    def access(self) -> tuple[ClusterAccess, ClusterAccess]:
        """Access of previews and of updates in the cluster.

        Previews read everything except Secrets. They read Secrets in the namespace of the stack, because a refresh
        compares them.
        """
        view, view_with_secrets = (
            self._access_policy("AmazonEKSViewPolicy"),
            self._access_policy("AmazonEKSAdminViewPolicy"),
        )
        look = ClusterAccess(self.cluster, {view: (), view_with_secrets: (self.namespace,)}, [PREVIEW_GROUP])
        return look, ClusterAccess(self.cluster, {self._access_policy("AmazonEKSClusterAdminPolicy"): ()})

    def _access_policy(self, name: str) -> str:
        return f"arn:{self.partition}:eks::aws:cluster-access-policy/{name}"

    @property
    def images(self) -> str:
        """ARN of the parameters in which AWS publishes images of nodes."""
        return f"arn:{self.partition}:ssm:{self.region}::parameter/aws/service/*"

    @property
    def images_of_instances(self) -> str:
        """ARN of the images."""
        return f"arn:{self.partition}:ec2:{self.region}::image/*"


def preview_subjects(repository: str) -> list[str]:
    """Return the subjects of jobs of pull requests, and of `main` before the approval. Jobs of forks get no token."""
    return [f"repo:{_checked(repository)}:pull_request", f"repo:{repository}:ref:refs/heads/main"]


def deploy_subjects(repository: str, environment: str) -> list[str]:
    """Return the subject of jobs that the reviewers of the environment have approved."""
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
    """Return the policies (JSON) by name, given the ARNs of the bucket and the key of the state."""
    return {
        "preview": preview_policy(account, bucket, key),
        "deploy": deploy_policy(account, bucket, key),
        "boundary": deploy_boundary(account, bucket, key),
        "driver boundary": driver_boundary(account),
    }


def variables(
    region: str, preview_role: Output[str], deploy_role: Output[str], bucket: Output[str], key_alias: Output[str]
) -> dict[str, str | Output[str]]:
    """Return the repository variables of the workflows. `secretsProvider` is for `pulumi stack init`."""
    return {
        "AWS_REGION": region,
        "AWS_PREVIEW_ROLE": preview_role,
        "AWS_DEPLOY_ROLE": deploy_role,
        "PULUMI_BACKEND_URL": Output.concat("s3://", bucket, f"?region={region}"),
        "secretsProvider": Output.concat("awskms:///", key_alias, f"?region={region}"),
    }


def by_name(arns: Sequence[str]) -> dict[str, str]:
    """Return the policies by the last part of their ARNs."""
    return {arn.rpartition("/")[2]: arn for arn in arns}


def preview_policy(account: Account, bucket: str, key: str) -> str:
    """Return the policy of previews: read the state and the resources of the stack, change nothing."""
    return build_policy(_read(account, bucket, key))


def deploy_policy(account: Account, bucket: str, key: str) -> str:
    """Return the policy of updates: read like a preview, write the state, manage provider, roles and addon."""
    roles = [account.iam(f"role/{name}") for name in account.roles]
    return build_policy(
        [
            *_read(account, bucket, key),
            allow("WriteState", ["s3:PutObject", "s3:DeleteObject"], f"{bucket}/*"),
            allow("EncryptState", ["kms:Encrypt", "kms:GenerateDataKey"], key),
            allow(
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
            allow(
                "Roles",
                [
                    "iam:CreateRole",
                    "iam:DeleteRole",
                    "iam:UpdateRole",
                    "iam:UpdateRoleDescription",
                    "iam:UpdateAssumeRolePolicy",
                    "iam:TagRole",
                    "iam:UntagRole",
                    "iam:ListInstanceProfilesForRole",
                ],
                *roles,
            ),
            allow(
                "DriverPolicies",
                ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
                *roles,
                ArnEquals={
                    "iam:PolicyARN": [f"arn:{account.partition}:iam::aws:policy/{each}" for each in DRIVER_POLICIES]
                },
            ),
            write_within("InlinePoliciesWithinTheBoundary", account.iam(f"policy/{DRIVER_BOUNDARY}"), *roles),
            allow(
                "GiveRolesToEks",
                ["iam:PassRole"],
                *roles,
                StringEquals={"iam:PassedToService": ["eks.amazonaws.com", "pods.eks.amazonaws.com"]},
            ),
            allow(
                "Addon",
                ["eks:CreateAddon", "eks:UpdateAddon", "eks:DeleteAddon", "eks:TagResource", "eks:UntagResource"],
                account.arn("eks", f"cluster/{account.cluster}"),
                account.arn("eks", f"addon/{account.cluster}/aws-ebs-csi-driver/*"),
            ),
            # With the identity `pod_identity`, EKS creates the association with the permissions of the addon's creator.
            allow(
                "PodIdentity",
                [
                    "eks:CreatePodIdentityAssociation",
                    "eks:UpdatePodIdentityAssociation",
                    "eks:DeletePodIdentityAssociation",
                ],
                account.arn("eks", f"cluster/{account.cluster}"),
                account.arn("eks", f"podidentityassociation/{account.cluster}/*"),
            ),
        ]
    )


def deploy_boundary(account: Account, bucket: str, key: str) -> str:
    """Return the permissions boundary of the deploy role."""
    return build_policy(
        [
            allow("ServicesOfAStack", [f"{service}:*" for service in ("ec2", "eks", "iam", "kms", "logs")], "*"),
            allow(
                "State",
                ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                bucket,
                f"{bucket}/*",
            ),
            allow("ImagesOfNodes", ["ssm:GetParameter"], account.images),
            # These actions create users, groups and long-lived credentials.
            deny(
                "NoPeople",
                ["iam:*User*", "iam:*Group*", "iam:*AccessKey*", "iam:*LoginProfile*", "iam:*Account*", "iam:*SAML*"],
                "*",
            ),
            deny(
                "NotItself",
                ["iam:*"],
                *(account.iam(f"{kind}/{PREFIX}-*") for kind in ("role", "policy")),
                account.iam(f"oidc-provider/{ISSUER.removeprefix('https://')}"),
            ),
            deny("BoundariesStay", ["iam:DeleteRolePermissionsBoundary"], "*"),
            deny("NotTheKeyOfTheState", ["kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy"], key),
        ]
    )


def driver_boundary(account: Account) -> str:
    """Return the permissions boundary of the roles whose policies the deploy role writes."""
    volumes, snapshots, instances = (
        f"arn:{account.partition}:ec2:{account.region}:*:{kind}/*" for kind in ("volume", "snapshot", "instance")
    )
    through_ec2 = [f"ec2.{account.region}.amazonaws.com{end}" for end in ("", ".cn")]
    return build_policy(
        [
            allow("Look", ["ec2:Describe*"], "*"),
            allow(
                "Volumes",
                [
                    "ec2:CreateVolume",
                    "ec2:CopyVolumes",
                    "ec2:ModifyVolume",
                    "ec2:DeleteVolume",
                    "ec2:CreateSnapshot",
                    "ec2:DeleteSnapshot",
                    "ec2:LockSnapshot",
                    "ec2:EnableFastSnapshotRestores",
                    "ec2:CreateTags",
                    "ec2:DeleteTags",
                ],
                volumes,
                snapshots,
            ),
            allow("Attach", ["ec2:AttachVolume", "ec2:DetachVolume"], volumes, instances),
            allow(
                "KeysThroughEc2",
                ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateData*", "kms:ReEncrypt*"],
                "*",
                StringEquals={"kms:ViaService": through_ec2},
            ),
            allow("GrantKeysToEc2", ["kms:CreateGrant"], "*", Bool={"kms:GrantIsForAWSResource": "true"}),
        ]
    )


def _read(account: Account, bucket: str, key: str) -> list[Statement]:
    return [
        allow("ReadState", ["s3:ListBucket", "s3:GetObject"], bucket, f"{bucket}/*"),
        allow("DecryptState", ["kms:Decrypt"], key),
        allow(
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
        allow("ReadClusters", ["eks:Describe*", "eks:List*"], "*"),
        # These actions cannot be limited to a resource. Stacks that create network, keys and log groups need them.
        allow("ReadNetwork", ["ec2:Describe*"], "*"),
        allow(
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
        allow("ReadImagesOfNodes", ["ssm:GetParameter"], account.images),
    ]


def allow(sid: str, actions: list[str], *resources: str, **condition: Mapping[str, str | list[str]]) -> Statement:
    """Return a statement that allows actions on resources. Conditions are given by operator."""
    return _statement("Allow", sid, actions, resources) | ({"Condition": condition} if condition else {})


def write_within(sid: str, boundary: str, *roles: str) -> Statement:
    """Return a statement that allows writing permissions into roles that have a permissions boundary.

    An identity that can write both the trust policy and the permissions of a role could do anything. It can therefore
    write permissions only into roles with the boundary, and cannot remove the boundary.
    """
    actions = ["iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary"]
    return allow(sid, actions, *roles, StringEquals={"iam:PermissionsBoundary": boundary})


def deny(sid: str, actions: list[str], *resources: str) -> Statement:
    """Return a statement that denies actions on resources."""
    return _statement("Deny", sid, actions, resources)


def _statement(effect: str, sid: str, actions: list[str], resources: Sequence[str]) -> Statement:
    return {"Sid": sid, "Effect": effect, "Action": actions, "Resource": _some(resources)}


def _some(resources: Sequence[str]) -> str | list[str]:
    return resources[0] if len(resources) == 1 else list(resources)
