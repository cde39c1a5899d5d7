"""Arguments of the roles. Sizes are Kubernetes quantities."""

from typing import Any, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Replacing
from eks_rocketmq.rocketmq.pods.pod_args import PodsArgs


class BrokerGroupArgs(TypedDict):
    """Broker group: a master and its slaves. A slave takes over if the master fails."""

    name: str
    """RocketMQ's `brokerName`, a DNS label of at most 40 characters. The name is part of the stored data. Changing this
    creates another group with empty volumes."""
    replicas: NotRequired[int]
    """Number of members, one of them master. Changing this restarts the members one by one. A lower number also stops
    the removed members, all at the same time as the first restart. A preview rejects it while a member that stays is
    not ready, or if too few members would run for a write. Default: the profile's minimum, `strict` 3, `balanced` 2,
    `dev` 1."""
    memory: NotRequired[str]
    """Memory limit of a member, at least `1536Mi`. The sizes of heap, direct memory and page cache are derived from it.
    Changing this restarts the members one by one. Default: `4Gi`, with `dev` `2Gi`."""
    cpu: NotRequired[str]
    """CPU request of a member; there is no CPU limit. Changing this restarts the members one by one. Default:
    `500m`."""
    storage: NotRequired[Replacing[str]]
    """Size of a member's volume. Changing this replaces the StatefulSet, which is refused while `protect_data` is on;
    the claims keep their size. Default: `100Gi`, with `dev` `20Gi`."""
    storage_class: NotRequired[Replacing[Input[str]]]
    """StorageClass of the claims of this group. Changing this replaces the StatefulSet, which is refused while
    `protect_data` is on. Default: `storage_class` of RocketMq."""
    min_in_sync_replicas: NotRequired[int]
    """Number of in-sync members of this group that a write needs. Default: `min_in_sync_replicas` of RocketMq."""
    config: NotRequired[dict[str, Any]]
    """Broker keys that override the profile's: strings, numbers and booleans. They are validated against the keys of
    the version, and rejected if they break the durability of the profile. Changing this restarts the members one by
    one. Default: none."""
    pods: NotRequired[PodsArgs]
    """Settings of the members' pods, which override those for all roles. Default: none."""


class NameServersArgs(TypedDict):
    """Name servers, which give clients the addresses of the brokers."""

    replicas: NotRequired[int]
    """Number of name servers. Brokers and clients are configured with the address of each one. Changing this restarts
    the brokers one by one. Default: 2, with `dev` 1."""
    memory: NotRequired[str]
    """Memory limit of each name server, at least `320Mi`. Changing this restarts them one by one. Default: `512Mi`."""
    cpu: NotRequired[str]
    """CPU request of each name server. Changing this restarts them one by one. Default: `100m`."""
    config: NotRequired[dict[str, Any]]
    """Name server keys that override the deployment's, validated like those of brokers. Changing this restarts the name
    servers one by one. Default: none."""
    pods: NotRequired[PodsArgs]
    """Settings of the name servers' pods, which override those for all roles. Default: none."""


class ControllersArgs(TypedDict):
    """Controllers, which elect the master of every group."""

    replicas: NotRequired[int]
    """Number of controllers, an odd number. 3 controllers elect a master while one is unavailable, so `strict` and
    `balanced` need 3 or more. A preview rejects a change while controllers run, because the members of the Raft quorum
    are fixed: see docs/how-to/change-the-number-of-controllers.md. Default: 3, with `dev` 1."""
    memory: NotRequired[str]
    """Memory limit of each controller, at least `512Mi`. Changing this restarts them one by one. Default: `768Mi`."""
    cpu: NotRequired[str]
    """CPU request of each controller. Changing this restarts them one by one. Default: `100m`."""
    storage: NotRequired[Replacing[str]]
    """Size of each controller's volume. Changing this replaces the StatefulSet, which is refused while `protect_data`
    is on. Default: `10Gi`."""
    storage_class: NotRequired[Replacing[Input[str]]]
    """StorageClass of the controllers' claims. Changing this replaces the StatefulSet, which is refused while
    `protect_data` is on. Default: `storage_class` of RocketMq."""
    config: NotRequired[dict[str, Any]]
    """Controller keys that override the profile's, validated like those of brokers. Changing this restarts the
    controllers one by one. Default: none."""
    pods: NotRequired[PodsArgs]
    """Settings of the controllers' pods, which override those for all roles. Default: none."""


class ProxiesArgs(TypedDict):
    """Proxies, which serve gRPC clients."""

    replicas: NotRequired[int]
    """Number of proxies. Each one serves all clients. Default: 2, with `dev` 1."""
    memory: NotRequired[str]
    """Memory limit of each proxy, at least `768Mi`. Changing this restarts them one by one. Default: `1Gi`."""
    cpu: NotRequired[str]
    """CPU request of each proxy. Changing this restarts them one by one. Default: `250m`."""
    config: NotRequired[dict[str, Any]]
    """Proxy keys that override the profile's, validated like those of brokers. Changing this restarts the proxies one
    by one. Default: none."""
    pods: NotRequired[PodsArgs]
    """Settings of the proxies' pods, which override those for all roles. Default: none."""
