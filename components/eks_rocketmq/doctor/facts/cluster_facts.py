"""Facts that the checks judge: what was read of the AWS account and the cluster. Pure.

The classes have no field for a secret: no token, no Secret, and of environment variables only the listed ones. A dump
contains these fields and nothing else.
"""

from dataclasses import dataclass, field

from eks_rocketmq.doctor.facts.network_facts import NetworkFacts
from eks_rocketmq.doctor.facts.unreadable_fact import Unreadable

ENVIRONMENT = (
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)
"""Environment variables of containers that are read. None of them is a secret."""


@dataclass(frozen=True)
class AccountFacts:
    """Account and region of the cluster."""

    partition: str
    account: str
    region: str


@dataclass(frozen=True)
class ClusterFacts:
    """Cluster as EKS describes it."""

    name: str
    arn: str
    status: str
    version: str
    issuer: str
    """URL of the token issuer, with `https://`."""
    authentication_mode: str = ""
    auto_mode_storage: bool = False
    """Whether EKS Auto Mode runs the driver `ebs.csi.eks.amazonaws.com`."""
    endpoint: str = ""
    """URL of the API server."""


@dataclass(frozen=True)
class OidcProviderFacts:
    """IAM OIDC provider of the account."""

    arn: str
    client_ids: tuple[str, ...] | Unreadable = ()


@dataclass(frozen=True)
class PolicyFacts:
    """Policy of a role."""

    name: str
    """Name of an inline policy, ARN of a managed one."""
    document: str
    """Policy document as JSON."""


@dataclass(frozen=True)
class SimulatedAction:
    """Result of SimulatePrincipalPolicy for one action."""

    action: str
    decision: str
    """`allowed`, `implicitDeny` or `explicitDeny`."""
    allowed_by_boundary: bool = True
    allowed_by_organization: bool = True
    resource: str = "*"


@dataclass(frozen=True)
class RoleFacts:
    """IAM role."""

    arn: str
    exists: bool = True
    trust_policy: str = ""
    """Trust policy as JSON."""
    policies: tuple[PolicyFacts, ...] | Unreadable = ()
    """Attached and inline policies."""
    boundary: PolicyFacts | Unreadable | None = None
    simulated: tuple[SimulatedAction, ...] | Unreadable = ()
    found_arn: str = ""
    """ARN of the role of the account that has the same name and another path, if the role does not exist."""


@dataclass(frozen=True)
class PodIdentityFacts:
    """Pod Identity association."""

    namespace: str
    service_account: str
    role_arn: str
    association_id: str = ""


@dataclass(frozen=True)
class AddonFacts:
    """EKS addon."""

    name: str
    version: str
    status: str
    role_arn: str = ""
    issues: tuple[str, ...] = ()
    """Health issues, as `code: message`."""
    configuration: str = ""
    """Names of the configuration values. The values stay out, because they may contain secrets."""
    association_ids: tuple[str, ...] = ()
    """Ids of the Pod Identity associations that the addon owns."""


@dataclass(frozen=True)
class ServiceAccountFacts:
    """Service account with its annotations for IRSA."""

    namespace: str
    name: str
    role_arn: str = ""
    audience: str = ""

    @property
    def id_(self) -> str:
        """Return `namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def subject(self) -> str:
        """Return the claim `sub` of its tokens."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


@dataclass(frozen=True)
class WorkloadFacts:
    """Deployment or DaemonSet."""

    kind: str
    namespace: str
    name: str
    service_account: str
    desired: int
    ready: int
    images: tuple[str, ...] = ()
    managed_by_eks: bool = False
    cluster_id: str | None = None
    """Argument `--k8s-tag-cluster-id` of the driver; empty if the driver does not have it, None if that is unknown."""
    extra_tags: tuple[tuple[str, str], ...] = ()
    """Tags of the argument `--extra-tags` of the driver."""

    @property
    def id_(self) -> str:
        """Return `namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class PodFacts:
    """Pod, with what identity it received."""

    namespace: str
    name: str
    service_account: str = "default"
    node: str = ""
    created: str = ""
    phase: str = "Running"
    ready: bool = True
    restarts: int = 0
    environment: tuple[tuple[str, str], ...] = ()
    """Variables of `ENVIRONMENT` with their values, of all containers together."""
    token_audiences: tuple[str, ...] = ()
    """Audiences of the projected service account tokens."""
    claims: tuple[str, ...] = ()
    """Names of the claims that it uses."""
    owner: str = ""
    """Kind and name of its controller."""
    containers: tuple[str, ...] = ()
    log: tuple[str, ...] | Unreadable = ()
    """Lines of the log that name an error, and the last one. Read for pods of the driver."""
    terminating: bool = False
    """Whether it is being deleted."""

    @property
    def id_(self) -> str:
        """Return `namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class CsiNodeFacts:
    """CSI drivers that are registered on a node."""

    node: str
    drivers: tuple[str, ...]
    attach_limit: int | None = None
    """Volumes that the EBS CSI driver can attach; None if it did not say."""


@dataclass(frozen=True)
class NodeFacts:
    """Node of the cluster."""

    name: str
    zone: str
    instance_type: str = ""
    instance_id: str = ""
    ready: bool = True
    schedulable: bool = True
    taints: tuple[str, ...] = ()
    """Taints as `key=value:effect`."""
    fargate: bool = False
    auto_mode: bool = False
    """Whether EKS Auto Mode runs the node."""
    imds_hop_limit: int | Unreadable | None = None
    """Hop limit of the instance metadata service; None if it does not matter."""
    kernel: str = ""
    """Version of its kernel, such as `6.1.141-155.222.amzn2023.x86_64`."""
    windows: bool = False
    hybrid: bool = False
    """Whether it is a node of EKS Hybrid Nodes, which runs outside AWS and has no volumes of EBS."""


@dataclass(frozen=True)
class StorageClassFacts:
    """StorageClass."""

    name: str
    provisioner: str
    default: bool = False
    binding_mode: str = "WaitForFirstConsumer"
    parameters: tuple[tuple[str, str], ...] = ()
    """Parameters, without references to Secrets."""


@dataclass(frozen=True)
class EventFacts:
    """Latest event of one reason for one object, and for one volume if its message begins with one."""

    kind: str
    namespace: str
    name: str
    reason: str
    message: str
    last_seen: str = ""
    source: str = ""


@dataclass(frozen=True)
class ClaimFacts:
    """PersistentVolumeClaim."""

    namespace: str
    name: str
    phase: str
    storage_class: str | None = None
    """None if the claim names no class; an empty text asks for a volume without a class."""
    volume: str = ""
    data_source: str = ""
    """Kind and name of its source, such as `VolumeSnapshot/daily`."""
    resizing: bool = False
    """Whether the requested size is larger than the size of the volume."""
    resize_error: str = ""
    """Condition of the claim that says why it does not grow."""

    @property
    def id_(self) -> str:
        """Return `namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class VolumeFacts:
    """PersistentVolume."""

    name: str
    driver: str
    volume_id: str = ""
    zones: tuple[str, ...] = ()
    """Zones that its node affinity accepts; empty for any."""
    attached_to: tuple[str, ...] | Unreadable = ()
    """Nodes of its VolumeAttachments."""
    file_system: str = ""
    """Type of its file system, such as `xfs`; empty if the volume names none."""


@dataclass(frozen=True)
class ModificationFacts:
    """Latest modification of a volume. EC2 tells of no earlier one."""

    volume_id: str
    state: str
    """`modifying`, `optimizing`, `completed` or `failed`."""
    started: str = ""
    """Time as in `2026-11-28T10:00:00Z`."""
    progress: int = 0
    """Progress in percent."""


@dataclass(frozen=True)
class KeyFacts:
    """KMS key that a StorageClass names, or the default key of the account."""

    id_: str
    """Value of the parameter `kmsKeyId`, or of GetEbsDefaultKmsKeyId."""
    exists: bool = True
    arn: str = ""
    state: str = "Enabled"
    policy: str | Unreadable = ""
    """Key policy as JSON."""


@dataclass(frozen=True)
class EncryptionFacts:
    """Encryption of volumes whose class names no KMS key."""

    by_default: bool | Unreadable
    """Whether the account encrypts all new volumes in the region."""
    key: KeyFacts | Unreadable
    """Default key of the account for EBS."""


@dataclass(frozen=True)
class TrialFacts:
    """Result of AssumeRoleWithWebIdentity with a token of a service account. Token and credentials are not kept."""

    service_account: str
    """`namespace/name`."""
    role_arn: str
    succeeded: bool
    issuer: str = ""
    subject: str = ""
    audiences: tuple[str, ...] = ()
    error: str = ""
    """Code and message of STS."""


@dataclass(frozen=True)
class Facts:
    """All facts. A list that could not be read is `Unreadable`."""

    account: AccountFacts | Unreadable
    cluster: ClusterFacts | Unreadable
    providers: tuple[OidcProviderFacts, ...] | Unreadable = ()
    roles: tuple[RoleFacts | Unreadable, ...] = ()
    """Roles of the judged service accounts. The permission of an unreadable one names its ARN."""
    pod_identities: tuple[PodIdentityFacts, ...] | Unreadable = ()
    addons: tuple[AddonFacts, ...] | Unreadable = ()
    service_accounts: tuple[ServiceAccountFacts, ...] | Unreadable = ()
    webhook: bool | Unreadable = True
    """Whether the webhook that injects role and token into pods exists."""
    workloads: tuple[WorkloadFacts, ...] | Unreadable = ()
    """Deployments and DaemonSets of the driver and of the Pod Identity agent."""
    pods: tuple[PodFacts, ...] | Unreadable = ()
    csi_drivers: tuple[str, ...] | Unreadable = ()
    csi_nodes: tuple[CsiNodeFacts, ...] | Unreadable = ()
    nodes: tuple[NodeFacts, ...] | Unreadable = ()
    storage_classes: tuple[StorageClassFacts, ...] | Unreadable = ()
    claims: tuple[ClaimFacts, ...] | Unreadable = ()
    volumes: tuple[VolumeFacts, ...] | Unreadable = ()
    events: tuple[EventFacts, ...] | Unreadable = ()
    keys: tuple[KeyFacts | Unreadable, ...] = ()
    trials: tuple[TrialFacts | Unreadable, ...] = ()
    quotas: tuple[str, ...] | Unreadable = field(default=())
    """Quotas of EBS in the region, as text."""
    modifications: tuple[ModificationFacts, ...] | Unreadable = ()
    """Modifications of volumes that EC2 does not modify again. Read for claims with such a message."""
    encryption: EncryptionFacts | None = None
    """Read for claims with a message about a key whose class names none; None for others."""
    network: NetworkFacts | Unreadable | None = None
    """Read if a message shows that pods do not reach STS or EC2; None otherwise."""
