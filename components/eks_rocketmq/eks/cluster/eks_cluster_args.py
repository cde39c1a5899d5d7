"""Arguments of a new cluster."""

from collections.abc import Sequence
from typing import Annotated, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing

AccessEntryType = Annotated[
    Literal["STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX"],
    Enumeration("AccessEntryType"),
]
ControlPlaneLog = Annotated[
    Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], Enumeration("ControlPlaneLog")
]
SupportType = Annotated[Literal["STANDARD", "EXTENDED"], Enumeration("SupportType")]


class AccessPolicyArgs(TypedDict):
    """An EKS access policy and its scope."""

    policy: Replacing[str]
    """Name of the policy, such as `AmazonEKSClusterAdminPolicy`, `AmazonEKSAdminPolicy`, `AmazonEKSEditPolicy` or
    `AmazonEKSViewPolicy`. Changing it replaces the association."""
    namespaces: NotRequired[list[str]]
    """Namespaces to which the policy applies, such as `rocketmq` or `team-*`. Default: the whole cluster."""


class AccessEntryArgs(TypedDict):
    """An access entry of an IAM principal."""

    name: str
    """Name of the access entry in this stack, such as `platform-team`. You can change it, unless `principal_arn` is an
    output: EKS then rejects the entry with the new name, because the old one still exists."""
    principal_arn: Replacing[Input[str]]
    """ARN of an IAM role or user. Give the ARN of a role, not of its session. Changing it replaces the entry."""
    policies: NotRequired[list[AccessPolicyArgs]]
    """Access policies of the principal. Default: none."""
    kubernetes_groups: NotRequired[list[str]]
    """Kubernetes groups of the principal, for role bindings of the cluster. Default: none."""
    username: NotRequired[str]
    """User name in the cluster's audit log. Default: the principal's ARN, for a role including its session."""
    type: NotRequired[Replacing[AccessEntryType]]
    """`STANDARD` (default) for users and programs; `EC2_LINUX`, `EC2_WINDOWS`, `FARGATE_LINUX`, `EC2` or
    `HYBRID_LINUX` for nodes. Managed node groups need no entry. Changing it replaces the entry, and the principal has
    no access meanwhile."""


class ClusterTimeoutsArgs(TypedDict):
    """Timeouts of the cluster's operations, as durations such as `45m`."""

    create: NotRequired[str]
    """Timeout of the creation. Default: `30m`. AWS takes about ten minutes."""
    update: NotRequired[str]
    """Timeout of each step of an update. Default: `60m`. An upgrade takes up to 45 minutes."""
    delete: NotRequired[str]
    """Timeout of the delete. Default: `15m`."""


class EksClusterArgs(TypedDict):
    """Arguments of an `EksCluster`."""

    cluster_name: Replacing[str]
    """Name of the cluster, 1 to 100 letters, digits, '-' and '_'. Changing it replaces the cluster."""
    version: str
    """Kubernetes version, such as `1.35`. Raise it by one minor version at a time; it cannot be lowered."""
    vpc_id: Replacing[Input[str]]
    """ID of the VPC. Changing it replaces the cluster."""
    subnet_ids: Input[Sequence[Input[str]]]
    """Subnets of the control plane's network interfaces, in at least two zones: the private subnets of `Network` or
    your own. Later you can change them only to subnets in the same zones. Before you add a zone to `Network`, add
    `vpcConfig.subnetIds` to `ignore_changes`. Nodes can run in zones without such an interface."""
    public_access_cidrs: NotRequired[list[str]]
    """CIDR blocks that can reach the API server over the internet, such as `203.0.113.0/24`; `0.0.0.0/0` is the whole
    internet. Default: none, the endpoint is private, and the machine that runs this stack must reach the VPC."""
    creator_is_admin: NotRequired[bool]
    """Make the principal that creates the cluster its administrator, without an access entry. Default: True, because
    this stack creates objects in the cluster. False needs an access entry for an administrator. A later change has no
    effect."""
    access_entries: NotRequired[list[AccessEntryArgs]]
    """Access entries of other principals. EKS creates that of the creator itself, see `creator_is_admin`. Default:
    none."""
    log_types: NotRequired[list[ControlPlaneLog]]
    """Logs of the control plane: `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`. Default: all."""
    log_retention_days: NotRequired[int]
    """Retention of the logs in days, a value that CloudWatch accepts. Default: 90."""
    log_kms_key_arn: NotRequired[Input[str]]
    """KMS key of the log group. Its key policy must allow CloudWatch Logs. Default: the encryption of CloudWatch."""
    secrets_kms_key_arn: NotRequired[Replacing[Input[str]]]
    """KMS key that encrypts the cluster's secrets. Default: a new key with yearly rotation. Changing it replaces the
    cluster."""
    service_cidr: NotRequired[Replacing[str]]
    """CIDR block of Service addresses, /12 to /24 in a private range. Default: AWS chooses one outside the VPC.
    Changing it replaces the cluster."""
    support_type: NotRequired[SupportType]
    """`STANDARD` (default): AWS upgrades the cluster when standard support of its version ends. `EXTENDED`: the old
    version stays for 12 more months at six times the price."""
    zonal_shift: NotRequired[bool]
    """Let AWS shift the cluster's traffic away from a zone that fails. Default: not set; it is off in a new cluster."""
    deletion_protection: NotRequired[bool]
    """Protect the cluster: EKS refuses to delete it, and Pulumi refuses to delete or replace it or its key. Default:
    True. To destroy the cluster, set False, run `pulumi up`, then destroy."""
    timeouts: NotRequired[ClusterTimeoutsArgs]
    """Timeouts of the cluster's operations. Default: those of the AWS provider."""
    ignore_changes: NotRequired[list[str]]
    """Properties of the EKS cluster that this stack does not update after the creation, such as `version` or
    `vpcConfig.publicAccessCidrs`, because others change them. Default: none."""
    profile: NotRequired[str]
    """AWS profile of `aws eks get-token`. Default: the credentials of the user who runs pulumi or kubectl."""
    role_arn: NotRequired[str]
    """Role that `aws eks get-token` assumes. Default: none. The role needs an access entry of the cluster. If your
    `aws.Provider` assumes roles, give the last one here: the command starts with your own credentials."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of all AWS resources. Default: only the stack's ownership tag."""
