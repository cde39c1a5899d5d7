"""What a caller says of a RocketMQ. Sizes are Kubernetes quantities."""

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
    """An Apache RocketMQ in controller mode, with its data on claims of one StorageClass."""

    namespace: Replacing[str]
    """Namespace of all objects. Changing this replaces everything, which is refused while `protect_data` is on."""
    create_namespace: NotRequired[bool]
    """Whether the namespace is made here, with a Pod Security level enforced. Changing this to false deletes the
    namespace with every set and claim in it, which is refused while `protect_data` is on. Default: true."""
    pod_security: NotRequired[PodSecurityLevel]
    """Pod Security level that the namespace enforces: `restricted`, `baseline` or `privileged`. All pods made here meet
    `restricted`; a lower one is for a namespace with pods of others that do not. Needs `create_namespace`. Default:
    `restricted`."""
    version: NotRequired[str]
    """RocketMQ version, which decides the image's tag, its home directory and the known keys: `5.3.3`, `5.4.0` or
    `5.5.0`. Changing this restarts all pods one by one. Default: `5.5.0`."""
    image: NotRequired[str]
    """Image without tag, in the official layout. Default: `apache/rocketmq`."""
    image_digest: NotRequired[str]
    """Digest of the image, `sha256:…`, which then decides instead of the tag. Default: none."""
    image_pull_policy: NotRequired[ImagePullPolicy]
    """`IfNotPresent`, `Always` or `Never`. Changing this restarts all pods one by one. Default: `IfNotPresent`."""
    image_pull_secrets: NotRequired[list[str]]
    """Names of Secrets of the namespace with which nodes fetch the images. Changing this restarts all pods one by one.
    Default: none."""
    storage_class: Replacing[Input[str]]
    """StorageClass of the claims. Changing this replaces the sets, which is refused while `protect_data` is on."""
    profile: NotRequired[DurabilityProfile]
    """What an acknowledged message is worth. `strict`: three members or more in three zones; acknowledged once every
    member in sync has it, two at least, so it outlives the loss of any one; 3 to 10 s without writes when a master is
    killed. `balanced`: two members or more in two zones; acknowledged once every member in sync has it, and writes go
    on with a single one, whose loss then loses what it alone has; 1 to 2 s, measured with three members. `dev`: one
    member or more; acknowledged by the master alone, whose death lost up to 29 messages; with one member no writes
    until it is back. `strict` and `balanced` need three controllers and refuse keys that would break this. Default:
    `strict`."""
    min_in_sync_replicas: NotRequired[int]
    """Members in sync that a new write needs. With 2, 3 to 10 s pass without writes when a master process dies; with 1
    it is 1 to 2 s, and writes have one copy until a survivor has attached again. Times as measured in 3 runs each.
    Default: the profile's."""
    labels: NotRequired[dict[str, str]]
    """Labels of every object that is made here, beside those that the deployment sets; `pods.labels` are those of the
    pods. Changing this restarts nothing. Default: none."""
    annotations: NotRequired[dict[str, str]]
    """Annotations of every object that is made here. Changing this restarts nothing. Default: none."""
    pods: NotRequired[PodsArgs]
    """Where the pods of all roles, and that of the web console, run and what they carry. Default: any node, one member
    of a role on each."""
    broker_groups: list[BrokerGroupArgs]
    """The broker groups, at least one."""
    name_servers: NotRequired[NameServersArgs]
    """The name servers. Default: as many and as large as the profile has them."""
    controllers: NotRequired[ControllersArgs]
    """The controllers. Default: as many and as large as the profile has them."""
    proxies: NotRequired[ProxiesArgs]
    """The proxies. Default: as many and as large as the profile has them."""
    access: NotRequired[AccessArgs]
    """Access control (ACL 2.0) on brokers and proxies. Clients without a user are refused from the moment the first
    broker has restarted with it. Default: none, whoever the network lets in may everything."""
    tls: NotRequired[TlsArgs]
    """TLS for clients and between RocketMQ's own pods. Default: none; RocketMQ then takes TLS connections with a
    certificate that it makes itself."""
    topics: NotRequired[list[TopicArgs]]
    """Topics, kept on every member of their broker groups and made again after a failover that lost one. Default:
    none."""
    consumer_groups: NotRequired[list[ConsumerGroupArgs]]
    """Consumer groups, kept on every member. Default: none; RocketMQ makes a group when it is first used."""
    protect_data: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the sets of brokers and controllers and the namespace that is made
    here. Default: true."""
    network_policies: NotRequired[NetworkPoliciesArgs]
    """Who may talk to whom. Default: the roles to each other, everyone to the proxies, pods of the cluster to the
    metrics."""
    monitoring: NotRequired[MonitoringArgs]
    """Who reads the metrics, and what is made of them. Default: every pod of the cluster may, and nothing is made."""
    external: NotRequired[ExternalArgs]
    """A second Service of the proxies, for clients outside of the cluster. Default: none."""
    dashboard: NotRequired[DashboardArgs]
    """The web console. Default: none."""
