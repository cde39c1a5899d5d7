"""Arguments of pods: placement, labels, environment, JVM options."""

from typing import Annotated, Literal, NotRequired, TypedDict

from eks_rocketmq.args.field_metadata import Enumeration
from eks_rocketmq.args.kubernetes_names import TaintEffect

ImagePullPolicy = Annotated[Literal["IfNotPresent", "Always", "Never"], Enumeration("ImagePullPolicy")]
PodSecurityLevel = Annotated[Literal["restricted", "baseline", "privileged"], Enumeration("PodSecurityLevel")]
NodeOperator = Annotated[Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], Enumeration("NodeOperator")]


class TolerationArgs(TypedDict):
    """Toleration: a taint that the pods tolerate."""

    key: NotRequired[str]
    """Key of the taint. Default: any key."""
    value: NotRequired[str]
    """Value of the taint. Requires `key`. Default: any value."""
    effect: NotRequired[TaintEffect]
    """`NoSchedule`, `PreferNoSchedule` or `NoExecute`. Default: all three."""
    seconds: NotRequired[int]
    """Seconds that a pod stays on a node after the taint is added. Requires `effect: NoExecute`. Default: no limit."""


class NodeMatchArgs(TypedDict):
    """Expression that the labels of a node must match."""

    key: str
    """Key of the label, such as `kubernetes.io/arch`."""
    operator: NodeOperator
    """`In` or `NotIn`: the label has one, or none, of `values`; `NotIn` also matches a node without the label. `Exists`
    or `DoesNotExist`: the label exists, or not. `Gt` or `Lt`: the label is a whole number greater or less than the
    value."""
    values: NotRequired[list[str]]
    """One or more values with `In` and `NotIn`; one number as a string with `Gt` and `Lt`; otherwise none. Default:
    none."""


class NodePreferenceArgs(TypedDict):
    """Preferred nodes."""

    weight: int
    """Weight of a matching node, 1 to 100. The scheduler prefers the node with the highest sum."""
    match: list[NodeMatchArgs]
    """Expressions, at least one. A node must match all of them to get the weight."""


class NodeAffinityArgs(TypedDict):
    """Required and preferred nodes of the pods. A running pod stays if the labels of its node change."""

    required: NotRequired[list[NodeMatchArgs]]
    """Expressions. A node must match all of them, in addition to `zones` and `node_selector`. Default: none."""
    preferred: NotRequired[list[NodePreferenceArgs]]
    """Nodes that the scheduler prefers if they have enough capacity. Default: none."""


class PodsArgs(TypedDict):
    """Settings of pods. A field of a role overrides the same field for all roles. The maps `node_selector`, `labels`,
    `annotations` and `environment` are merged, and the role's entries take precedence. Changing any field restarts the
    pods one by one."""

    zones: NotRequired[list[str]]
    """Zones in which the pods may run, such as `ap-southeast-1a`. Give at least as many as the profile requires for
    broker groups and controllers. A volume stays in its zone: if you remove that zone from the list, the pod never
    starts again. Default: all zones."""
    node_selector: NotRequired[dict[str, str]]
    """Labels that a node must have. Default: none."""
    node_affinity: NotRequired[NodeAffinityArgs]
    """Required and preferred nodes, by expressions on labels. Default: none."""
    tolerations: NotRequired[list[TolerationArgs]]
    """Taints that the pods tolerate. Default: none."""
    priority_class: NotRequired[str]
    """Name of an existing PriorityClass. Default: the cluster's default."""
    labels: NotRequired[dict[str, str]]
    """Labels of the pods in addition to those that the deployment sets. Default: none."""
    annotations: NotRequired[dict[str, str]]
    """Annotations of the pods. Default: none."""
    environment: NotRequired[dict[str, str]]
    """Environment variables of the RocketMQ process. Every user with permission to read pods can read them. Default:
    none."""
    java_options: NotRequired[list[str]]
    """JVM options, valid for the JDK 8 of the official image, such as `-XX:MaxGCPauseMillis=100`. Options that `memory`
    determines are rejected. The web console has another JDK and ignores them. Default: none."""
