"""Components: bucket and key of the state, roles of the pipelines, resources for a new cluster."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import ci_new_cluster as more
import ci_policies as policies
import pulumi_aws as aws
from pulumi import ComponentResource, Input, InvokeOptions, Output, ResourceOptions, RunError

from eks_rocketmq.eks.iam.policy_documents import build_web_identity_trust_policy
from eks_rocketmq.pulumi_sdk.component import child_options


class StateStore(ComponentResource):
    """A private bucket with versions for the state, and the key that encrypts it and the stack's secrets. Protected."""

    bucket: Output[str]
    """Name of the bucket."""
    bucket_arn: Output[str]
    """ARN of the bucket."""
    key_arn: Output[str]
    """ARN of the key."""
    key_alias: Output[str]
    """Alias of the key, with `alias/`."""

    def __init__(self, name: str, bucket_name: str, alias: str, opts: ResourceOptions | None = None) -> None:
        super().__init__("eks-rocketmq-ci:index:StateStore", name, {}, opts)
        key = aws.kms.Key(
            f"{name}-key",
            description="State of the stacks and their secrets",
            enable_key_rotation=True,
            opts=child_options(self, protect=True),
        )
        named = aws.kms.Alias(
            f"{name}-alias", name=f"alias/{alias}", target_key_id=key.key_id, opts=child_options(self)
        )
        bucket = aws.s3.Bucket(f"{name}-bucket", bucket=bucket_name, opts=child_options(self, protect=True))
        aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.id,
            versioning_configuration={"status": "Enabled"},
            opts=child_options(self),
        )
        aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child_options(self),
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.id,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": key.arn,
                    },
                    "bucket_key_enabled": True,
                }
            ],
            opts=child_options(self),
        )
        self.bucket, self.bucket_arn = bucket.bucket, bucket.arn
        self.key_arn, self.key_alias = key.arn, named.name
        self.register_outputs({"bucket": self.bucket, "keyArn": self.key_arn})


class PipelineRoleArgs(TypedDict):
    """Arguments of `PipelineRole`."""

    role_name: str
    """Name of the role."""
    provider_arn: Input[str]
    """ARN of GitHub's OIDC provider in the account."""
    subjects: list[str]
    """Subjects of the tokens that can assume the role, each matched exactly."""
    policy: Input[str]
    """Permissions in AWS (JSON)."""
    cluster_access: policies.ClusterAccess | None
    """Access of the role in the cluster; None: no access entry."""
    boundary_arn: NotRequired[Input[str]]
    """ARN of the permissions boundary of the role. Default: none."""
    more_policies: NotRequired[Mapping[str, Input[str]]]
    """ARNs of further policies by name. Default: none."""


class PipelineRole(ComponentResource):
    """Role for jobs of a GitHub repository, and its access entry in the cluster."""

    arn: Output[str]
    """ARN of the role."""

    def __init__(self, name: str, args: PipelineRoleArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("eks-rocketmq-ci:index:PipelineRole", name, {}, opts)
        trust: Output[str] = Output.from_input(args["provider_arn"]).apply(
            lambda arn: build_web_identity_trust_policy(arn, policies.ISSUER, args["subjects"])
        )
        role = aws.iam.Role(
            f"{name}-role",
            name=args["role_name"],
            assume_role_policy=trust,
            max_session_duration=7200,  # up.yml requests it: an update may take two hours
            permissions_boundary=args.get("boundary_arn"),
            opts=child_options(self),
        )
        aws.iam.RolePolicy(
            f"{name}-policy", role=role.name, name="pipeline", policy=args["policy"], opts=child_options(self)
        )
        for policy, arn in args.get("more_policies", {}).items():
            aws.iam.RolePolicyAttachment(f"{name}-{policy}", role=role.name, policy_arn=arn, opts=child_options(self))
        if args["cluster_access"] is not None:
            self._let_in(name, role.arn, args["cluster_access"])
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})

    def _let_in(self, name: str, role_arn: Output[str], access: policies.ClusterAccess) -> None:
        _require_access_entries(access.cluster, self)
        entry = aws.eks.AccessEntry(
            f"{name}-entry",
            cluster_name=access.cluster,
            principal_arn=role_arn,
            kubernetes_groups=list(access.groups),
            opts=child_options(self),
        )
        for policy, namespaces in access.policies.items():
            scope = "namespace" if namespaces else "cluster"
            aws.eks.AccessPolicyAssociation(
                f"{name}-{'namespace-access' if namespaces else 'access'}",
                cluster_name=access.cluster,
                principal_arn=entry.principal_arn,
                policy_arn=policy,
                access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(
                    type=scope, namespaces=list(namespaces) or None
                ),
                # As in the library. Deleting the old scope later would delete the new one.
                opts=child_options(self, delete_before_replace=True),
            )


def _require_access_entries(cluster: str, component: ComponentResource) -> None:
    """Raise RunError if the cluster only reads the ConfigMap `aws-auth`. EKS rejects access entries then."""
    found = aws.eks.get_cluster(name=cluster, opts=InvokeOptions(parent=component))
    if any(each.authentication_mode == "CONFIG_MAP" for each in found.access_configs or []):
        msg = (
            f"clusterName: cluster {cluster!r} has the authentication mode CONFIG_MAP, in which EKS rejects access "
            "entries. Accepted are API_AND_CONFIG_MAP and API. Change it with `aws eks update-cluster-config --name "
            f"{cluster} --access-config authenticationMode=API_AND_CONFIG_MAP`: the entries of aws-auth stay in force, "
            "and there is no way back to CONFIG_MAP"
        )
        raise RunError(msg)


class NewCluster(ComponentResource):
    """Resources for a stack that creates its own cluster.

    They are a protected key for the cluster's Secrets, the permissions boundary of the role of the flow logs, and
    further policies of the deploy role. A role that creates keys must be able to tag them, and could then tag other
    keys too. This program therefore creates the key.
    """

    settings: Mapping[str, Output[str]]
    """Values for the stack file: the ARNs of the boundary (`flowLogBoundary`) and of the key (`secretsKey`)."""
    policies: Mapping[str, Output[str]]
    """ARNs of the policies of the deploy role by name."""

    def __init__(self, name: str, account: policies.Account, stack: str, opts: ResourceOptions | None = None) -> None:
        super().__init__("eks-rocketmq-ci:index:NewCluster", name, {}, opts)
        key = aws.kms.Key(
            f"{name}-secrets",
            description=f"Secrets of the EKS cluster {account.cluster}",
            enable_key_rotation=True,
            opts=child_options(self, protect=True),
        )
        documents = {
            more.FLOW_LOG_BOUNDARY: more.flow_log_boundary(account),
            more.NEW_NETWORK: more.new_network_policy(account, stack),
            more.NEW_CLUSTER: key.arn.apply(lambda arn: more.new_cluster_policy(account, stack, arn)),
        }
        made = {
            part: aws.iam.Policy(part, name=part, policy=document, opts=child_options(self)).arn
            for part, document in documents.items()
        }
        self.settings = {"flowLogBoundary": made[more.FLOW_LOG_BOUNDARY], "secretsKey": key.arn}
        self.policies = {part: made[part] for part in (more.NEW_NETWORK, more.NEW_CLUSTER)}
        self.register_outputs(dict(self.settings))
