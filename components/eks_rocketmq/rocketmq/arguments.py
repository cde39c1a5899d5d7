"""What a caller says of a RocketMQ. Sizes are Kubernetes quantities."""

from typing import Any, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.rocketmq.access import AccessArgs
from eks_rocketmq.rocketmq.declared import ConsumerGroupArgs, TopicArgs
from eks_rocketmq.rocketmq.options import DashboardArgs, ExternalArgs, MonitoringArgs, NetworkPoliciesArgs
from eks_rocketmq.rocketmq.tls import TlsArgs


class TolerationArgs(TypedDict):
    """A taint of nodes that the pods put up with."""

    key: NotRequired[str]
    """Key of the taint. Default: every taint."""
    value: NotRequired[str]
    """Value of the taint; needs a `key`. Default: any value."""
    effect: NotRequired[str]
    """`NoSchedule`, `PreferNoSchedule` or `NoExecute`. Default: all three."""
    seconds: NotRequired[int]
    """How long a pod stays once a node gets the taint; needs `effect: NoExecute`. Default: for ever."""


class NodeMatchArgs(TypedDict):
    """What a label of a node must be."""

    key: str
    """Key of the label, such as `kubernetes.io/arch`."""
    operator: str
    """`In` or `NotIn` (one of `values`; a node without the label has none of them), `Exists` or `DoesNotExist` (the
    label), `Gt` or `Lt` (greater or less than the one value, a whole number)."""
    values: NotRequired[list[str]]
    """One or more with `In` and `NotIn`, one number as a string with `Gt` and `Lt`, none else. Default: none."""


class NodePreferenceArgs(TypedDict):
    """Nodes that are taken before others."""

    weight: int
    """1 to 100: what a node gains that matches. The node with the highest sum is taken."""
    match: list[NodeMatchArgs]
    """What a node must match, all of it, to gain the weight; at least one."""


class NodeAffinityArgs(TypedDict):
    """Which nodes the pods may run on, and which they prefer. A pod that runs stays when labels of its node change."""

    required: NotRequired[list[NodeMatchArgs]]
    """What a node must match, all of it, beside `zones` and `node_selector`. Default: nothing."""
    preferred: NotRequired[list[NodePreferenceArgs]]
    """Nodes that are taken first if they have room. Default: none."""


class PodsArgs(TypedDict):
    """Where pods run and what they carry. What a role says of a field stands instead of what is said for all roles; of
    `node_selector`, `labels`, `annotations` and `environment` both count, and the role wins where they meet. Changing
    any of it restarts the pods one by one."""

    zones: NotRequired[list[str]]
    """Zones that the pods are held to, such as `ap-southeast-1a`: at least as many as the profile spreads a broker
    group and the controllers over. A volume stays in its zone: a pod whose zone is taken off the list never starts
    again. Default: all zones."""
    node_selector: NotRequired[dict[str, str]]
    """Labels that a node must have. Default: none."""
    node_affinity: NotRequired[NodeAffinityArgs]
    """Nodes by more than equal labels: required and preferred ones. Default: every node alike."""
    tolerations: NotRequired[list[TolerationArgs]]
    """Taints that the pods put up with. Default: none."""
    priority_class: NotRequired[str]
    """Name of a PriorityClass that the cluster has. Default: the cluster's own default."""
    labels: NotRequired[dict[str, str]]
    """Labels of the pods beside those that the deployment sets. Default: none."""
    annotations: NotRequired[dict[str, str]]
    """Annotations of the pods. Default: none."""
    environment: NotRequired[dict[str, str]]
    """Environment variables of the RocketMQ process, readable for everyone who may read pods. Default: none."""
    java_options: NotRequired[list[str]]
    """Options of the JVM, valid for the JDK 8 of the official image, such as `-XX:MaxGCPauseMillis=100`. Those that
    `memory` decides are refused; the web console, on a JDK of its own, takes none. Default: none."""


class BrokerGroupArgs(TypedDict):
    """One broker group: a master and its slaves, which take over from each other."""

    name: str
    """RocketMQ's `brokerName`, a DNS label of at most 40 letters. It stands in the data: another name is another group
    with empty volumes."""
    replicas: NotRequired[int]
    """Members, one of which is master. Default: as many as the profile needs, `strict` 3, `balanced` 2, `dev` 1."""
    memory: NotRequired[str]
    """Memory limit of a member, at least `1536Mi`; heap, direct memory and page cache are derived from it. Changing
    this restarts the members one by one. Default: `4Gi`, with `dev` `2Gi`."""
    cpu: NotRequired[str]
    """CPU request of a member; there is no CPU limit. Changing this restarts the members one by one. Default:
    `500m`."""
    storage: NotRequired[str]
    """Size of a member's volume. Changing this replaces the set, which is refused while `protect_data` is on; the
    claims keep their size. Default: `100Gi`, with `dev` `20Gi`."""
    storage_class: NotRequired[Input[str]]
    """StorageClass of the claims of this group. Changing this replaces the set, which is refused while `protect_data`
    is on. Default: that of the whole RocketMQ."""
    min_in_sync_replicas: NotRequired[int]
    """Members of this group in sync that a write needs. Default: that of the whole RocketMQ."""
    config: NotRequired[dict[str, Any]]
    """Broker keys over the profile's: strings, numbers and booleans, checked against the keys that the version knows
    and against the profile's promise. Default: none. Changing this restarts the members one by one."""
    pods: NotRequired[PodsArgs]
    """Where the members run and what their pods carry, over what is said for all roles. Default: none."""


class NameServersArgs(TypedDict):
    """The name servers, which tell clients where the brokers are."""

    replicas: NotRequired[int]
    """How many; brokers and clients name every one of them, so changing this restarts the brokers one by one. Default:
    2, with `dev` 1."""
    memory: NotRequired[str]
    """Memory limit of each, at least `320Mi`. Changing this restarts them one by one. Default: `512Mi`."""
    cpu: NotRequired[str]
    """CPU request of each. Changing this restarts them one by one. Default: `100m`."""
    config: NotRequired[dict[str, Any]]
    """Name server keys over the deployment's, checked as those of the brokers. Default: none. Changing this restarts
    them one by one."""
    pods: NotRequired[PodsArgs]
    """Where they run and what their pods carry, over what is said for all roles. Default: none."""


class ControllersArgs(TypedDict):
    """The controllers, which elect the master of every group."""

    replicas: NotRequired[int]
    """An odd number: 3 elect a master while one of them is away, so `strict` and `balanced` need 3 or more. Brokers
    name every one of them, so changing this restarts them. Default: 3, with `dev` 1."""
    memory: NotRequired[str]
    """Memory limit of each, at least `512Mi`. Changing this restarts them one by one. Default: `768Mi`."""
    cpu: NotRequired[str]
    """CPU request of each. Changing this restarts them one by one. Default: `100m`."""
    storage: NotRequired[str]
    """Size of the volume of each. Changing this replaces the set, which is refused while `protect_data` is on. Default:
    `10Gi`."""
    storage_class: NotRequired[Input[str]]
    """StorageClass of their claims. Changing this replaces the set, which is refused while `protect_data` is on.
    Default: that of the whole RocketMQ."""
    config: NotRequired[dict[str, Any]]
    """Controller keys over the profile's, checked as those of the brokers. Default: none. Changing this restarts them
    one by one."""
    pods: NotRequired[PodsArgs]
    """Where they run and what their pods carry, over what is said for all roles. Default: none."""


class ProxiesArgs(TypedDict):
    """The proxies, which serve gRPC clients."""

    replicas: NotRequired[int]
    """How many; each serves every client. Default: 2, with `dev` 1."""
    memory: NotRequired[str]
    """Memory limit of each, at least `768Mi`. Changing this restarts them one by one. Default: `1Gi`."""
    cpu: NotRequired[str]
    """CPU request of each. Changing this restarts them one by one. Default: `250m`."""
    config: NotRequired[dict[str, Any]]
    """Proxy keys over the profile's, checked as those of the brokers. Default: none. Changing this restarts them one by
    one."""
    pods: NotRequired[PodsArgs]
    """Where they run and what their pods carry, over what is said for all roles. Default: none."""


class RocketMqArgs(TypedDict):
    """An Apache RocketMQ in controller mode, with its data on claims of one StorageClass."""

    namespace: str
    """Namespace of all objects. Changing this replaces everything, which is refused while `protect_data` is on."""
    create_namespace: NotRequired[bool]
    """Whether the namespace is made here, with a Pod Security level enforced. Changing this to false deletes the
    namespace with every set and claim in it, which is refused while `protect_data` is on. Default: true."""
    pod_security: NotRequired[str]
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
    image_pull_policy: NotRequired[str]
    """`IfNotPresent`, `Always` or `Never`. Changing this restarts all pods one by one. Default: `IfNotPresent`."""
    image_pull_secrets: NotRequired[list[str]]
    """Names of Secrets of the namespace with which nodes fetch the images. Changing this restarts all pods one by one.
    Default: none."""
    storage_class: Input[str]
    """StorageClass of the claims. Changing this replaces the sets, which is refused while `protect_data` is on."""
    profile: NotRequired[str]
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
