"""Arguments of RocketMq. Sizes are Kubernetes quantities."""

from typing import NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Replacing
from eks_rocketmq.rocketmq.access.access import AccessArgs
from eks_rocketmq.rocketmq.config.durability import DurabilityProfile
from eks_rocketmq.rocketmq.config.tls import TlsArgs
from eks_rocketmq.rocketmq.dashboard.dashboard_args import DashboardArgs
from eks_rocketmq.rocketmq.declarations.topics import ConsumerGroupArgs, TopicArgs
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.monitoring.monitoring_args import MonitoringArgs
from eks_rocketmq.rocketmq.network.network_policy_args import NetworkPoliciesArgs
from eks_rocketmq.rocketmq.pods.pod_args import ImagePullPolicy, PodsArgs, PodSecurityLevel
from eks_rocketmq.rocketmq.roles.role_args import BrokerGroupArgs, ControllersArgs, NameServersArgs, ProxiesArgs


class RocketMqArgs(TypedDict):
    """Apache RocketMQ in controller mode, with its data on persistent volumes."""

    namespace: Replacing[str]
    """Namespace of all objects. Changing this replaces all resources, which is refused while `protect_data` is on."""
    create_namespace: NotRequired[bool]
    """Whether the component creates the namespace, with an enforced Pod Security level. **Warning:** changing this from
    true to false deletes the namespace with every StatefulSet and claim in it, which is refused while `protect_data` is
    on. Default: true."""
    pod_security: NotRequired[PodSecurityLevel]
    """Pod Security level that the namespace enforces: `restricted`, `baseline` or `privileged`. All pods of the
    component meet `restricted`. Use a lower level if the namespace contains other pods that do not. Requires
    `create_namespace`. Default: `restricted`."""
    version: NotRequired[str]
    """RocketMQ version: `5.3.3`, `5.4.0` or `5.5.0`. It determines the tag of the image, its home directory and the
    known keys. Changing this restarts all pods one by one. A preview rejects an older version than the deployed one.
    Default: `5.5.0`."""
    image: NotRequired[str]
    """Image without tag, in the layout of the official image. Default: `apache/rocketmq`."""
    image_digest: NotRequired[str]
    """Digest of the image, `sha256:…`. It overrides the tag. Default: none."""
    image_pull_policy: NotRequired[ImagePullPolicy]
    """Image pull policy: `IfNotPresent`, `Always` or `Never`. Changing this restarts all pods one by one. Default:
    `IfNotPresent`."""
    image_pull_secrets: NotRequired[list[str]]
    """Names of Secrets in the namespace. Nodes pull the images with them. Changing this restarts all pods one by one.
    Default: none."""
    storage_class: Replacing[Input[str]]
    """StorageClass of the claims. Changing this replaces the StatefulSets, which is refused while `protect_data` is
    on."""
    profile: NotRequired[DurabilityProfile]
    """Durability profile, which decides when a message is acknowledged. `strict`: all in-sync members have it, at least
    two, so it survives the loss of any one member. It needs three members in three zones. `balanced`: all in-sync
    members have it, possibly one. It needs two members in two zones. `dev`: the master has it. `strict` and `balanced`
    need three controllers and reject keys that would weaken them. docs/concepts/durability-and-failover.md has the
    losses and the seconds without writes. Default: `strict`."""
    min_in_sync_replicas: NotRequired[int]
    """Number of in-sync members that a write needs. With 2, writes stop for 0.5 to 3 s when a master process fails, and
    without the agent for 3 to 8 s. With 1, they stop for 0.4 to 2.3 s, and messages have one copy until another member
    is in sync again. Default: the profile's value."""
    labels: NotRequired[dict[str, str]]
    """Labels of every object of the component, in addition to those that the deployment sets. For labels of pods use
    `pods.labels`. Changing this restarts no pods. Default: none."""
    annotations: NotRequired[dict[str, str]]
    """Annotations of every object of the component. Changing this restarts no pods. Default: none."""
    pods: NotRequired[PodsArgs]
    """Settings of the pods of all roles and of the web console. Default: any node, and one member of a role on each
    node."""
    broker_groups: list[BrokerGroupArgs]
    """Broker groups, at least one."""
    name_servers: NotRequired[NameServersArgs]
    """Name servers. Default: replicas and sizes of the profile."""
    controllers: NotRequired[ControllersArgs]
    """Controllers. Default: replicas and sizes of the profile."""
    proxies: NotRequired[ProxiesArgs]
    """Proxies. Default: replicas and sizes of the profile."""
    access: NotRequired[AccessArgs]
    """Access control (ACL 2.0) on brokers and proxies. As soon as the first broker has restarted with it, requests of
    clients without a user are denied. Default: none, every client with network access has all rights."""
    tls: NotRequired[TlsArgs]
    """TLS for clients and between RocketMQ's own pods. Default: none; RocketMQ then accepts TLS connections with a
    self-signed certificate."""
    topics: NotRequired[list[TopicArgs]]
    """Topics, kept on every member of their broker groups, and created again if a failover lost them. Default: none."""
    consumer_groups: NotRequired[list[ConsumerGroupArgs]]
    """Consumer groups, kept on every member. Default: none; RocketMQ creates a group on first use."""
    agent: NotRequired[bool]
    """Whether the agent of this library runs in every JVM. It answers the probes over HTTP, and its replication keeps
    acknowledged messages when a master is isolated; RocketMQ 5.4.0 and 5.5.0 lose them. Without it, probes run scripts,
    and brokers wait longer between restarts. Changing this restarts all pods one by one. Default: true."""
    protect_data: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the StatefulSets of brokers and controllers, and the namespace that
    the component creates. Default: true."""
    network_policies: NotRequired[NetworkPoliciesArgs]
    """Network policies. Default: connections between the roles, from all clients to the proxies, and from pods of the
    cluster to the metrics."""
    monitoring: NotRequired[MonitoringArgs]
    """Access to the metrics, monitors, alert rules and Grafana dashboard. Default: every pod of the cluster may read
    the metrics; no monitoring resources are created."""
    external: NotRequired[ExternalArgs]
    """Second Service of the proxies, for clients outside the cluster. Default: none."""
    dashboard: NotRequired[DashboardArgs]
    """Web console. Default: none."""
