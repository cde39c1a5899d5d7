"""Facts about a running deployment: what the API server and the processes answered. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from eks_rocketmq.doctor.facts.cluster_facts import Unreadable

IdentityState = Literal["ok", "broken", "not-judged", "skipped"]


@dataclass(frozen=True)
class IdentityStatus:
    """Result of the doctor for the EBS CSI driver, in one line."""

    state: IdentityState
    summary: str
    permissions: tuple[str, ...] = ()
    """Permissions that are missing."""
    kubernetes: str = ""
    """Version of Kubernetes as EKS names it; empty if it is unknown."""
    driver: str = ""
    """Version of the EBS CSI driver: of its addon, or else of its image. Empty if it is unknown."""


@dataclass(frozen=True)
class WorkloadStatus:
    """StatefulSet or Deployment of the deployment."""

    kind: str
    name: str
    role: str
    group: str
    """Name of the broker group; empty for other roles."""
    version: str
    """RocketMQ version by its label."""
    desired: int
    updated: int
    """Number of pods of the newest revision."""
    min_in_sync: int = 0
    """Number of in-sync members that a write of this broker group needs."""
    min_zones: int = 0
    """Number of zones over which the pods must be spread."""


@dataclass(frozen=True)
class PodStatus:
    """Pod of the deployment."""

    name: str
    role: str
    group: str
    address: str
    """IP address; empty before the pod starts."""
    node: str
    zone: str
    """Zone of the node; empty if it is unknown."""
    ready: bool
    running: bool
    """Whether the process runs, so that it can be asked."""
    reason: str
    """Why the pod is not ready, in the words of Kubernetes; empty if there is none."""
    restarts: int
    image: str
    claim: str
    """Name of its claim; empty without one."""
    has_tls: bool = False
    readiness_port: int = 0
    """Port of the readiness probe over HTTP; 0 without one."""


@dataclass(frozen=True)
class ClaimStatus:
    """Claim of a pod."""

    name: str
    phase: str
    storage_class: str
    requested: int
    """Requested size in bytes."""
    capacity: int
    """Size of the volume in bytes; 0 before it exists."""
    resizing: str = ""
    """Step of the growth that is under way, such as `Resizing`; empty if none is."""
    resize_error: str = ""


@dataclass(frozen=True)
class DiskUsage:
    """Usage of the file system of a claim, in bytes."""

    used: int
    size: int

    @property
    def percent(self) -> int:
        """Return the used part in percent, rounded up as `df` does."""
        return -(-100 * self.used // self.size) if self.size else 0


@dataclass(frozen=True)
class ReplicaConnection:
    """Connection of a slave, as its master reports it."""

    address: str
    lag: int
    """Bytes of the commit log that the slave lacks."""
    in_sync: bool


@dataclass(frozen=True)
class BrokerAnswer:
    """Answers of a broker."""

    responds: bool
    master: bool = False
    replicas: tuple[ReplicaConnection, ...] = ()
    """Connected slaves of a master."""
    master_address: str = ""
    """Replication address of the master that a slave copies from; empty if it is not connected."""
    max_offset: int | None = None
    """End of its commit log."""
    version: str = ""
    permission: int | None = None
    """Value of `brokerPermission` of a master: 6 to read and write, 4 to read only."""


@dataclass(frozen=True)
class ControllerAnswer:
    """Answers of a controller."""

    responds: bool
    leader: str = ""
    """Address of the leader that it knows, `host:port`."""
    is_leader: bool = False


@dataclass(frozen=True)
class ReplicaStatus:
    """Member of a broker group, as the leader of the controllers knows it."""

    id_: int
    address: str
    """`host:port`."""
    alive: bool
    in_sync: bool


@dataclass(frozen=True)
class GroupStatus:
    """Broker group, as the leader of the controllers knows it."""

    name: str
    master_address: str
    """`host:port`; empty without a master."""
    epoch: int
    """Number of elections of a master."""
    set_epoch: int
    """Number of changes of the in-sync set."""
    replicas: tuple[ReplicaStatus, ...]


@dataclass(frozen=True)
class NameServerAnswer:
    """Answer of a name server."""

    responds: bool
    masters: tuple[tuple[str, str], ...] = ()
    """Broker group and address of its master."""


@dataclass(frozen=True)
class DeclarationsAnswer:
    """State of the declarations, as the pod that reconciles them knows it."""

    state: str
    """`ok`, or what is missing; empty before the first round ends."""
    age: int
    """Seconds since the last round."""
    topics: int
    groups: int
    users: int | None
    """Declared users without the internal ones; None without access control."""


@dataclass(frozen=True)
class PodAnswers:
    """Everything that one pod answered. A part that does not apply to its role is None."""

    broker: BrokerAnswer | None = None
    controller: ControllerAnswer | None = None
    groups: tuple[GroupStatus, ...] | None = None
    """Broker groups, if the pod leads the controllers."""
    name_server: NameServerAnswer | None = None
    declarations: DeclarationsAnswer | None = None
    disk: DiskUsage | None = None
    certificate_end: float | None = None
    """End of the certificate that the process presents, in seconds since 1970."""
    readiness: str = ""
    """Why the process is not ready, as it answers the probe; empty if it was not asked or is ready."""


@dataclass(frozen=True)
class StatusFacts:
    """All facts of one moment. A list that could not be read is `Unreadable`."""

    namespace: str
    cluster: str
    """Name of the EKS cluster; empty if it is unknown."""
    read_at: float
    """Seconds since 1970."""
    identity: IdentityStatus
    workloads: tuple[WorkloadStatus, ...] | Unreadable = ()
    pods: tuple[PodStatus, ...] | Unreadable = ()
    claims: tuple[ClaimStatus, ...] | Unreadable = ()
    zones: Unreadable | None = None
    """Why the zones of the nodes are unknown; None if they are known."""
    answers: Mapping[str, PodAnswers | Unreadable] = field(default_factory=dict)
    """Answers by name of the pod. Pods that do not run are not asked."""
