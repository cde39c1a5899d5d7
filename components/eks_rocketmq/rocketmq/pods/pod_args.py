"""Arguments that decide where pods run and what they carry."""

from typing import Annotated, Literal, NotRequired, TypedDict

from eks_rocketmq.args.field_metadata import Enumeration

TaintEffect = Annotated[Literal["NoSchedule", "NoExecute", "PreferNoSchedule"], Enumeration("TaintEffect")]
ImagePullPolicy = Annotated[Literal["IfNotPresent", "Always", "Never"], Enumeration("ImagePullPolicy")]
PodSecurityLevel = Annotated[Literal["restricted", "baseline", "privileged"], Enumeration("PodSecurityLevel")]
NodeOperator = Annotated[Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], Enumeration("NodeOperator")]


class TolerationArgs(TypedDict):
    """A taint of nodes that the pods put up with."""

    key: NotRequired[str]
    """Key of the taint. Default: every taint."""
    value: NotRequired[str]
    """Value of the taint; needs a `key`. Default: any value."""
    effect: NotRequired[TaintEffect]
    """`NoSchedule`, `PreferNoSchedule` or `NoExecute`. Default: all three."""
    seconds: NotRequired[int]
    """How long a pod stays once a node gets the taint; needs `effect: NoExecute`. Default: for ever."""


class NodeMatchArgs(TypedDict):
    """What a label of a node must be."""

    key: str
    """Key of the label, such as `kubernetes.io/arch`."""
    operator: NodeOperator
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
