"""Where pods run and what they carry: what a caller says, checked, as parts of a manifest. Pure."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eks_rocketmq.args.field_metadata import accepted_values
from eks_rocketmq.args.validation import (
    dns_subdomain,
    label_pairs,
    label_value,
    one_of,
    qualified_name,
    refuse_beside,
    refuse_empty,
    whole_number,
)
from eks_rocketmq.rocketmq.naming.labels import labels
from eks_rocketmq.rocketmq.pods.pod_args import (
    ImagePullPolicy,
    NodeAffinityArgs,
    NodeMatchArgs,
    NodeOperator,
    NodePreferenceArgs,
    PodsArgs,
    PodSecurityLevel,
    TaintEffect,
    TolerationArgs,
)

PULL_POLICIES = accepted_values(ImagePullPolicy)
OPERATORS = accepted_values(NodeOperator)
SECURITY_LEVELS = accepted_values(PodSecurityLevel)
EFFECTS = accepted_values(TaintEffect)
ZONE = "topology.kubernetes.io/zone"
_NUMBER_END = 2**63
_MOST_WEIGHT = 100
_MERGED = ("node_selector", "labels", "annotations", "environment")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

OWN_LABELS = frozenset(labels("any", "any", "any"))
# These tell Pulumi how to treat an object; a set that it does not wait for lets the proxies start before the brokers.
_ENGINE = "pulumi.com/"

OWN_VARIABLES = frozenset(
    {
        "BROKER", "CLUSTER", "CONTROLLERS", "GROUP", "JDK_JAVA_OPTIONS", "MIN_IN_SYNC", "NAME_SERVERS", "POD_IP",
        "POD_NAME", "ANSWER_SECONDS", "PATIENCE", "PROCESS", "UNANSWERED",
        "ROCKETMQ_HOME", "SELF", "DRAIN_ELECT_SECONDS", "DRAIN_LOG", "DRAIN_REJOIN_SECONDS", "DRAIN_REPLICATE_SECONDS",
        "ACCESS", "CREDENTIALS", "DECLARED", "PAUSE", "STATUS", "TERMINATION_LOG", "TLS", "TLS_CA",
        "ROCKETMQ_CONFIG_ACCESSKEY", "ROCKETMQ_CONFIG_SECRETKEY",
        # A JVM reads these before its command line or RocketMQ before its file.
        "CLASSPATH", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "NAMESRV_ADDR",
    }
)  # fmt: skip

# Sizes come from `memory`, collector and paths from the role; a second word on them ends the JVM or outgrows the limit.
# What a JVM takes beside its heap was measured with its own sizes: classes, code and tables of names have them too.
_DERIVED_OPTION = re.compile(
    r"-Xm[nsx]\S*|-XX:\w*(HeapSize|NewSize|OldSize|RAM\w*|DirectMemorySize|MetaspaceSize|ClassSpaceSize)=.*"
    r"|-XX:\w*(CodeCacheSize|ThreadStackSize|TableSize|HeapFreeRatio|HeapSizeLimit)=.*"
    r"|-XX:[+-](Use\w+GC|ExitOnOutOfMemoryError|UseContainerSupport|AggressiveHeap)"
    r"|-XX:(ErrorFile|Flags|VMOptionsFile)=.*"
    r"|-(cp|classpath|jar|version|help|[?hX])|-Duser\.home=.*|-Drmq\.logback\.configurationFile=.*"
)
_OPTION = re.compile(r"-[A-Za-z].*")
# A broker has some hundred threads; the JVM does not start with less than 228k and gives each 1m on its own.
_STACK = re.compile(r"-Xss(\d{1,9})([kKmM]?)")
_STACK_UNITS = {"": 1, "k": 1024, "m": 1024**2}
_STACK_BYTES = (256 * 1024, 1024**2)
_NEWER_OPTION = re.compile(r"--.*|-Xlog:.*|@.*")


@dataclass(frozen=True)
class PodSettings:
    """What the pods of one role are told beside what their role decides."""

    zones: list[str] = field(default_factory=list)
    node_selector: dict[str, str] = field(default_factory=dict)
    node_affinity: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """`required` expressions and `preferred` terms, as Kubernetes spells them."""
    tolerations: list[dict[str, Any]] = field(default_factory=list)
    """As Kubernetes spells them."""
    priority_class: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    java_options: list[str] = field(default_factory=list)
    pull_policy: str = PULL_POLICIES[0]
    pull_secrets: list[str] = field(default_factory=list)

    def placed(self, placement: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of a pod's spec: the role's placement, narrowed to what is asked for."""
        spec = dict(placement)
        if nodes := self._nodes():
            spec["affinity"] = {**placement.get("affinity", {}), "nodeAffinity": nodes}
        asked: dict[str, Any] = {
            "nodeSelector": self.node_selector,
            "tolerations": self.tolerations,
            "priorityClassName": self.priority_class,
            "imagePullSecrets": [{"name": name} for name in self.pull_secrets],
        }
        # An empty field would differ from what the API server keeps.
        return spec | {name: value for name, value in asked.items() if value}

    def _nodes(self) -> dict[str, Any]:
        zones = [{"key": ZONE, "operator": "In", "values": self.zones}] if self.zones else []
        nodes: dict[str, Any] = {}
        if required := [*zones, *self.node_affinity.get("required", [])]:
            # Expressions of one term must all hold; of several terms one would be enough.
            terms = [{"matchExpressions": required}]
            nodes["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
        if preferred := self.node_affinity.get("preferred"):
            nodes["preferredDuringSchedulingIgnoredDuringExecution"] = preferred
        return nodes

    @property
    def held_to(self) -> set[str] | None:
        """Zones that are left for the pods; None when nothing is said of zones."""
        of_zones = [one for one in self.node_affinity.get("required", []) if one["key"] == ZONE]
        held = [set(one["values"]) for one in of_zones if one["operator"] == "In"]
        held += [set(self.zones)] if self.zones else []
        held += [{self.node_selector[ZONE]}] if ZONE in self.node_selector else []
        out = {zone for one in of_zones if one["operator"] == "NotIn" for zone in one["values"]}
        return set.intersection(*held) - out if held else None


def common(args: Mapping[str, Any]) -> PodSettings:
    """What all roles share because they share an image.

    Raises:
        ValueError: naming the argument, what was given and what is accepted.
    """
    policy = one_of(args.get("image_pull_policy", PULL_POLICIES[0]), PULL_POLICIES, "image_pull_policy")
    secrets = [dns_subdomain(name, "image_pull_secrets") for name in args.get("image_pull_secrets", [])]
    return PodSettings(pull_policy=policy, pull_secrets=secrets)


def of_role(everyone: PodSettings, given: Sequence[tuple[str, PodsArgs]]) -> PodSettings:
    """The settings of a role's pods.

    Args:
        everyone: what `common` gave.
        given: how an error names an input and the input, from the general to the special.

    Raises:
        ValueError: naming the input, what was given and what is accepted.
    """
    fields: dict[str, Any] = {}
    for what, args in given:
        for name, value in _checked(args, what).items():
            fields[name] = {**fields.get(name, {}), **value} if name in _MERGED else value
    return PodSettings(**fields, pull_policy=everyone.pull_policy, pull_secrets=everyone.pull_secrets)


def zone_inputs(given: Sequence[tuple[str, PodsArgs]]) -> list[str]:
    """How an error names what `held_to` comes from, of inputs as `of_role` takes them."""
    found: dict[str, str] = {}
    for what, args in given:
        affinity = args.get("node_affinity", {}).get("required", [])
        says = {
            "zones": "zones" in args,
            "node_selector": ZONE in args.get("node_selector", {}),
            "node_affinity": any(one["key"] == ZONE for one in affinity),
        }
        # The special one counts instead of the general one, but for what is merged.
        found = {name: place for name, place in found.items() if name in _MERGED or name not in args}
        found |= {name: f"{what}.{name}" for name, said in says.items() if said}
    return list(found.values())


def object_labels(given: Mapping[str, str], what: str) -> dict[str, str]:
    """Labels that a caller gives to objects or pods.

    Raises:
        ValueError: for one that Kubernetes refuses or that the deployment sets itself.
    """
    _refuse_own(given, OWN_LABELS, what)
    return label_pairs(given, what)


def object_annotations(given: Mapping[str, str], what: str) -> dict[str, str]:
    """Annotations that a caller gives to objects or pods. Errors as of `object_labels`."""
    _refuse_own(given, [key for key in given if key.startswith(_ENGINE)], what)
    return {qualified_name(key, what): value for key, value in given.items()}


def _checked(args: PodsArgs, what: str) -> dict[str, Any]:
    """The fields that are given, each as `PodSettings` has it."""
    checks: dict[str, Callable[[Any, str], Any]] = {
        "zones": _zones,
        "node_selector": label_pairs,
        "node_affinity": _node_affinity,
        "tolerations": lambda given, where: [_toleration(one, f"{where}[{i}]") for i, one in enumerate(given)],
        "priority_class": dns_subdomain,
        "labels": object_labels,
        "annotations": object_annotations,
        "environment": _environment,
        "java_options": lambda given, where: [_java_option(one, where) for one in given],
    }
    return {name: checks[name](value, f"{what}.{name}") for name, value in args.items()}


def _zones(given: list[str], what: str) -> list[str]:
    zones = [label_value(zone, what) for zone in given]
    if not zones or "" in zones or len(set(zones)) < len(zones):
        msg = f"{what} is {zones}; accepted are one zone or more, each once, such as 'ap-southeast-1a'"
        raise ValueError(msg)
    return zones


def _node_affinity(given: NodeAffinityArgs, what: str) -> dict[str, list[dict[str, Any]]]:
    required, preferred = given.get("required", []), given.get("preferred", [])
    if "required" in given:
        refuse_empty(required, f"{what}.required", "every node")
    return {
        "required": [_expression(one, f"{what}.required[{i}]") for i, one in enumerate(required)],
        "preferred": [_preference(one, f"{what}.preferred[{i}]") for i, one in enumerate(preferred)],
    }


def _preference(given: NodePreferenceArgs, what: str) -> dict[str, Any]:
    weight = whole_number(given["weight"], f"{what}.weight")
    if not 1 <= weight <= _MOST_WEIGHT:
        msg = f"{what}.weight is {weight}; accepted is 1 to {_MOST_WEIGHT}"
        raise ValueError(msg)
    if not given["match"]:
        msg = f"{what}.match is []; accepted is one expression or more, as nothing matches every node alike"
        raise ValueError(msg)
    match = [_expression(one, f"{what}.match[{i}]") for i, one in enumerate(given["match"])]
    return {"weight": weight, "preference": {"matchExpressions": match}}


def _expression(given: NodeMatchArgs, what: str) -> dict[str, Any]:
    key = qualified_name(given["key"], f"{what}.key")
    operator = one_of(given["operator"], OPERATORS, f"{what}.operator")
    values = [label_value(value, f"{what}.values") for value in given.get("values", [])]
    if operator in {"In", "NotIn"}:
        fits, accepted = bool(values), "one value or more"
    elif operator in {"Exists", "DoesNotExist"}:
        fits, accepted = not values, "no values"
    else:
        # The scheduler compares in 64 bits.
        fits = len(values) == 1 and values[0].isdigit() and int(values[0]) < _NUMBER_END
        accepted = "one whole number as a string, such as '8'"
    if not fits:
        msg = f"{what}.values is {values}; accepted with operator {operator!r} is {accepted}"
        raise ValueError(msg)
    return {"key": key, "operator": operator} | ({"values": values} if values else {})


def _toleration(given: TolerationArgs, what: str) -> dict[str, Any]:
    result: dict[str, Any] = {"operator": "Equal" if "value" in given else "Exists"}
    if "key" in given:
        result["key"] = qualified_name(given["key"], f"{what}.key")
    elif "value" in given:
        msg = f"{what} has the value {given['value']!r} and no key; give the key of the taint, or leave the value out"
        raise ValueError(msg)
    if "value" in given:
        result["value"] = label_value(given["value"], f"{what}.value")
    effect = given.get("effect")
    if effect is not None:
        result["effect"] = one_of(effect, EFFECTS, f"{what}.effect")
    if "seconds" in given:
        seconds = whole_number(given["seconds"], f"{what}.seconds")
        if seconds < 1 or effect != "NoExecute":
            msg = f"{what}.seconds is {seconds}; accepted is 1 or more, with effect 'NoExecute'"
            raise ValueError(msg)
        result["tolerationSeconds"] = seconds
    return result


def _environment(given: Mapping[str, str], what: str) -> dict[str, str]:
    _refuse_own(given, OWN_VARIABLES, what)
    for name in given:
        if not _VARIABLE.fullmatch(name):
            msg = f"{what}: {name!r} is no name of a variable; accepted are letters, digits and '_', such as 'TZ'"
            raise ValueError(msg)
    return dict(given)


def _java_option(option: str, what: str) -> str:
    if _NEWER_OPTION.fullmatch(option):
        msg = f"{what} has {option!r}, which the JDK 8 of the official image refuses; accepted are options of that JDK"
        raise ValueError(msg)
    if _DERIVED_OPTION.fullmatch(option):
        msg = f"{what} has {option!r}, which the deployment decides, sizes by `memory`; leave it out"
        raise ValueError(msg)
    if option.startswith("-Xss") and not _is_stack(option):
        msg = f"{what} has {option!r}; accepted are stacks of '-Xss256k' to '-Xss1m', each thread has one"
        raise ValueError(msg)
    if not _OPTION.fullmatch(option):
        msg = f"{what} has {option!r}; accepted are options of the JVM, such as '-XX:MaxGCPauseMillis=100'"
        raise ValueError(msg)
    return option


def _is_stack(option: str) -> bool:
    least, most = _STACK_BYTES
    found = _STACK.fullmatch(option)
    return found is not None and least <= int(found[1]) * _STACK_UNITS[found[2].lower()] <= most


def _refuse_own(given: Mapping[str, str], own: Collection[str], what: str) -> None:
    taken = [name for name in given if name in own]
    if taken:
        msg = f"{what}: {', '.join(taken)} is set by the deployment and cannot be overridden; leave it out"
        raise ValueError(msg)


def security_level(args: Mapping[str, Any]) -> str:
    """Return the Pod Security level of the namespace.

    Raises:
        ValueError: for another level, or for one that a namespace of others would not get.
    """
    if not args.get("create_namespace", True):
        refuse_beside(args, ["pod_security"], "create_namespace false, which leaves the namespace as it is")
    return one_of(args.get("pod_security", SECURITY_LEVELS[0]), SECURITY_LEVELS, "pod_security")
