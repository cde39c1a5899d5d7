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
    """One of EKS's access policies, and where it holds."""

    policy: Replacing[str]
    """Name of the policy, such as `AmazonEKSClusterAdminPolicy`, `AmazonEKSAdminPolicy`, `AmazonEKSEditPolicy` or
    `AmazonEKSViewPolicy`. Changing it replaces the association."""
    namespaces: NotRequired[list[str]]
    """Namespaces in which it holds, such as `rocketmq` or `team-*`; default: the whole cluster."""


class AccessEntryArgs(TypedDict):
    """An IAM principal that may access the cluster."""

    name: Replacing[str]
    """Name of the entry in this stack, such as `platform-team`. Changing it replaces the entry."""
    principal_arn: Replacing[Input[str]]
    """ARN of an IAM role or user; of a role itself and not of its session. Changing it replaces the entry."""
    policies: NotRequired[list[AccessPolicyArgs]]
    """What it may do, by EKS's access policies; default: nothing."""
    kubernetes_groups: NotRequired[list[str]]
    """Groups to which the cluster's own role bindings refer; default: none."""
    username: NotRequired[str]
    """Name in the cluster's audit log; default: the principal's ARN, for a role with its session."""
    type: NotRequired[Replacing[AccessEntryType]]
    """`STANDARD` (default) for people and programs; `EC2_LINUX`, `EC2_WINDOWS`, `FARGATE_LINUX`, `EC2` or
    `HYBRID_LINUX` for nodes. Managed node groups need no entry. Changing it replaces the entry."""


class ClusterTimeoutsArgs(TypedDict):
    """How long AWS may take, as durations such as `45m`."""

    create: NotRequired[str]
    """Default: `30m`; AWS takes about ten minutes."""
    update: NotRequired[str]
    """Default: `60m`, for each step of a change; an upgrade takes up to 45 minutes."""
    delete: NotRequired[str]
    """Default: `15m`."""


class EksClusterArgs(TypedDict):
    """What the cluster is, who reaches it and who may enter."""

    cluster_name: Replacing[str]
    """Name of the cluster, 1 to 100 letters, digits, '-' and '_'. Changing it replaces the cluster."""
    version: str
    """Kubernetes version, such as `1.35`. Raise it by one minor version at a time; it cannot be lowered."""
    vpc_id: Replacing[Input[str]]
    """Id of the VPC. Changing it replaces the cluster."""
    subnet_ids: Input[Sequence[Input[str]]]
    """Subnets of the control plane's network interfaces, in two zones at least; private ones of `Network` or your own.
    AWS takes other subnets later, but only in the same zones: before `Network` gets one more zone, name
    `vpcConfig.subnetIds` in `ignore_changes`. Nodes may live in zones without an interface."""
    public_access_cidrs: NotRequired[list[str]]
    """Blocks from which the API server is reached over the internet, such as `203.0.113.0/24`; the whole internet is
    `0.0.0.0/0`. Default: none, the endpoint is private and whoever runs this stack must reach the VPC."""
    creator_is_admin: NotRequired[bool]
    """Whether whoever creates the cluster administers it, without an access entry; default: True, as this stack puts
    its objects into the cluster. False needs an entry for an admin. Decided once: a change has no effect."""
    access_entries: NotRequired[list[AccessEntryArgs]]
    """Who else is let in; default: nobody."""
    log_types: NotRequired[list[ControlPlaneLog]]
    """Logs of the control plane: `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`; default: all."""
    log_retention_days: NotRequired[int]
    """Days for which CloudWatch keeps them, one of the numbers that it accepts; default: 90."""
    log_kms_key_arn: NotRequired[Input[str]]
    """KMS key of the log group, whose policy must let CloudWatch in; default: CloudWatch's own encryption."""
    secrets_kms_key_arn: NotRequired[Replacing[Input[str]]]
    """KMS key that encrypts the cluster's secrets; default: one is made, rotated each year. Changing it replaces the
    cluster."""
    service_cidr: NotRequired[Replacing[str]]
    """Block of the services' addresses, /12 to /24 in a private range; default: AWS chooses one outside of the VPC.
    Changing it replaces the cluster."""
    support_type: NotRequired[SupportType]
    """`STANDARD` (default; AWS upgrades a cluster whose version is out of standard support) or `EXTENDED` (12 months
    more on the old version, at six times the price)."""
    zonal_shift: NotRequired[bool]
    """Whether AWS may lead the cluster's traffic away from a zone that fails; default: not touched, a new cluster does
    not."""
    deletion_protection: NotRequired[bool]
    """EKS refuses to delete the cluster, and Pulumi to delete or replace it or its key; default: True. To destroy it,
    set False, run `pulumi up`, then destroy."""
    timeouts: NotRequired[ClusterTimeoutsArgs]
    """How long AWS may take; default: as the provider's."""
    ignore_changes: NotRequired[list[str]]
    """Properties of the EKS cluster (`version`, `vpcConfig.publicAccessCidrs`, …) that others change and this stack
    then leaves alone; default: none."""
    profile: NotRequired[str]
    """AWS profile that `aws eks get-token` uses; default: the credentials of whoever runs pulumi or kubectl."""
    role_arn: NotRequired[str]
    """Role that `aws eks get-token` assumes; default: none. It needs an access entry of the cluster. With an
    `aws.Provider` that assumes a role, give the last of its roles here: the command works with your own credentials."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of everything; default: only the stack's own mark."""
