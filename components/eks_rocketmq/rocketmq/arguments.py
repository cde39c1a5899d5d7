"""What a caller says of a RocketMQ. Sizes are Kubernetes quantities."""

from typing import Any, NotRequired, TypedDict

from pulumi import Input


class BrokerGroupArgs(TypedDict):
    """One broker group: a master and its slaves, which take over from each other."""

    name: str
    """RocketMQ's `brokerName`, a DNS label of at most 40 letters. It stands in the data: another name is another group
    with empty volumes."""
    replicas: int
    """Members, one of which is master. The profile says how many are needed."""
    memory: str
    """Memory limit of a member, such as `4Gi`, at least `1536Mi`; heap, direct memory and page cache are derived from
    it."""
    cpu: str
    """CPU request of a member, such as `500m`. There is no CPU limit."""
    storage: str
    """Size of a member's volume, such as `100Gi`. Changing this replaces the set, which is refused while `protect_data`
    is on; the claims keep their size."""
    config: NotRequired[dict[str, Any]]
    """Broker keys over the profile's: strings, numbers and booleans, checked against the keys that the version knows.
    Default: none. Changing this restarts the members one by one."""


class NameServersArgs(TypedDict):
    """The name servers, which tell clients where the brokers are."""

    replicas: int
    """How many; brokers and clients name every one of them, so changing this restarts the brokers one by one."""
    memory: str
    """Memory limit of each, such as `512Mi`, at least `320Mi`."""
    cpu: str
    """CPU request of each, such as `100m`."""


class ControllersArgs(TypedDict):
    """The controllers, which elect the master of every group."""

    replicas: int
    """An odd number: 3 outlive the loss of one. Brokers name every one of them, so changing this restarts them."""
    memory: str
    """Memory limit of each, such as `768Mi`, at least `512Mi`."""
    cpu: str
    """CPU request of each, such as `100m`."""
    storage: str
    """Size of the volume of each, such as `10Gi`. Changing this replaces the set, which is refused while `protect_data`
    is on."""


class ProxiesArgs(TypedDict):
    """The proxies, which serve gRPC clients."""

    replicas: int
    """How many; each serves every client."""
    memory: str
    """Memory limit of each, such as `1Gi`, at least `768Mi`."""
    cpu: str
    """CPU request of each, such as `250m`."""
    config: NotRequired[dict[str, Any]]
    """Proxy keys over the profile's, checked as those of the brokers. Default: none."""


class RocketMqArgs(TypedDict):
    """An Apache RocketMQ in controller mode, with its data on claims of one StorageClass."""

    namespace: str
    """Namespace of all objects. Changing this replaces everything."""
    create_namespace: NotRequired[bool]
    """Whether the namespace is made here, with Pod Security `restricted` enforced. Default: true."""
    version: NotRequired[str]
    """RocketMQ version, which decides the image's tag, its home directory and the known keys. Default: `5.5.0`."""
    image: NotRequired[str]
    """Image without tag, in the official layout. Default: `apache/rocketmq`."""
    image_digest: NotRequired[str]
    """Digest of the image, `sha256:…`, which then decides instead of the tag. Default: none."""
    storage_class: Input[str]
    """StorageClass of the claims. Changing this replaces the sets, which is refused while `protect_data` is on."""
    profile: NotRequired[str]
    """What an acknowledged message is worth: `strict`, `balanced` or `dev`. Default: `strict`."""
    min_in_sync_replicas: NotRequired[int]
    """Members in sync that a write needs. With 2 no write ever has one copy, and 3 to 10 s pass without writes when a
    master dies; with 1 it is 1 to 2 s, and one copy until a survivor has attached again. Times as measured in 3 runs
    each. Default: the profile's."""
    broker_groups: list[BrokerGroupArgs]
    """The broker groups, at least one."""
    name_servers: NameServersArgs
    """The name servers."""
    controllers: ControllersArgs
    """The controllers."""
    proxies: ProxiesArgs
    """The proxies."""
    protect_data: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the sets of brokers and controllers. Default: true."""
