"""Arguments of the roles. Sizes are Kubernetes quantities."""

from typing import Any, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Replacing
from eks_rocketmq.rocketmq.pods.pod_args import PodsArgs


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
    storage: NotRequired[Replacing[str]]
    """Size of a member's volume. Changing this replaces the set, which is refused while `protect_data` is on; the
    claims keep their size. Default: `100Gi`, with `dev` `20Gi`."""
    storage_class: NotRequired[Replacing[Input[str]]]
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
    storage: NotRequired[Replacing[str]]
    """Size of the volume of each. Changing this replaces the set, which is refused while `protect_data` is on. Default:
    `10Gi`."""
    storage_class: NotRequired[Replacing[Input[str]]]
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
