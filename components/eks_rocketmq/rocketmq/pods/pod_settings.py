"""Validated pod settings in the format of a manifest: placement, labels, environment, JVM options. Pure."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.kubernetes_names import ZONE, TaintEffect
from eks_rocketmq.args.validation import (
    reject_duplicates,
    reject_empty,
    reject_ignored_args,
    validate_choice,
    validate_dns_subdomain,
    validate_label_value,
    validate_labels,
    validate_pattern,
    validate_qualified_name,
    validate_range,
)
from eks_rocketmq.rocketmq.naming.labels import build_labels
from eks_rocketmq.rocketmq.pods.pod_args import (
    ImagePullPolicy,
    NodeAffinityArgs,
    NodeMatchArgs,
    NodeOperator,
    NodePreferenceArgs,
    PodsArgs,
    PodSecurityLevel,
    TolerationArgs,
)

PULL_POLICIES = get_accepted_values(ImagePullPolicy)
OPERATORS = get_accepted_values(NodeOperator)
SECURITY_LEVELS = get_accepted_values(PodSecurityLevel)
EFFECTS = get_accepted_values(TaintEffect)
_NUMBER_LIMIT = 2**63
_MAX_SECONDS = 2**63 - 1
_MAX_WEIGHT = 100
_MERGED = ("node_selector", "labels", "annotations", "environment")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

RESERVED_LABELS = frozenset(build_labels("any", "any", "any"))
# Annotations with this prefix control Pulumi. If Pulumi does not wait for the brokers, the proxies start before them.
_PULUMI_PREFIX = "pulumi.com/"

RESERVED_VARIABLES = frozenset(
    {
        "BROKER", "CLUSTER", "CONTROLLERS", "GROUP", "JDK_JAVA_OPTIONS", "MIN_IN_SYNC", "NAME_SERVERS", "POD_IP",
        "POD_NAME", "ANSWER_SECONDS", "PATIENCE", "PROCESS", "SILENCE", "UNANSWERED",
        "ROCKETMQ_HOME", "SELF", "DRAIN_ELECT_SECONDS", "DRAIN_LEADER_SECONDS", "DRAIN_LOG", "DRAIN_REJOIN_SECONDS",
        "DRAIN_REPLICATE_SECONDS", "DRAIN_FENCE",
        "ACCESS", "CREDENTIALS", "DECLARED", "PAUSE", "STATUS", "TERMINATION_LOG", "TLS", "TLS_CA",
        "ROCKETMQ_CONFIG_ACCESSKEY", "ROCKETMQ_CONFIG_SECRETKEY",
        # The JVM reads these before its command line, or RocketMQ reads them before its configuration file.
        "CLASSPATH", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "NAMESRV_ADDR",
    }
)  # fmt: skip

# `memory` decides the sizes; the role decides the garbage collector, the paths and TLS. A conflicting option stops the
# JVM, exceeds the memory limit or disables TLS. The memory outside the heap was measured with the JVM's default sizes
# for metaspace, code cache and tables, so these are fixed too.
_DERIVED_OPTION = re.compile(
    r"-Xm[nsx]\S*|-XX:\w*(HeapSize|NewSize|OldSize|RAM\w*|DirectMemorySize|MetaspaceSize|ClassSpaceSize)=.*"
    r"|-XX:\w*(CodeCacheSize|ThreadStackSize|TableSize|HeapFreeRatio|HeapSizeLimit)=.*"
    r"|-XX:[+-](Use\w+GC|ExitOnOutOfMemoryError|UseContainerSupport|AggressiveHeap)"
    r"|-XX:(ErrorFile|Flags|VMOptionsFile)=.*"
    r"|-(cp|classpath|jar|version|help|[?hX])|-Duser\.home=.*|-Drmq\.logback\.configurationFile=.*"
    r"|-D(tls\.|io\.netty\.maxDirectMemory).*"
)
_OPTION = re.compile(r"-[A-Za-z].*")
# A broker has several hundred threads. The JVM does not start with less than 228k per thread; its default is 1m.
_STACK = re.compile(r"-Xss(\d{1,9})([kKmM]?)", re.ASCII)
_STACK_UNITS = {"": 1, "k": 1024, "m": 1024**2}
_STACK_BYTES = (256 * 1024, 1024**2)
_NEWER_OPTION = re.compile(r"--.*|-Xlog:.*|@.*")


@dataclass(frozen=True)
class PodSettings:
    """Settings of the pods of one role that the user chooses."""

    zones: list[str] = field(default_factory=list)
    node_selector: dict[str, str] = field(default_factory=dict)
    node_affinity: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """`required` expressions and `preferred` terms, in the format of a manifest."""
    tolerations: list[dict[str, Any]] = field(default_factory=list)
    """Tolerations in the format of a manifest."""
    priority_class: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    java_options: list[str] = field(default_factory=list)
    pull_policy: str = PULL_POLICIES[0]
    pull_secrets: list[str] = field(default_factory=list)

    def build_placement(self, placement: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a pod spec that combine the role's placement with these settings."""
        spec = dict(placement)
        if nodes := self._build_node_affinity():
            spec["affinity"] = {**placement.get("affinity", {}), "nodeAffinity": nodes}
        optional: dict[str, Any] = {
            "nodeSelector": self.node_selector,
            "tolerations": self.tolerations,
            "priorityClassName": self.priority_class,
            "imagePullSecrets": [{"name": name} for name in self.pull_secrets],
        }
        # The API server drops empty fields, so they would differ in every preview.
        return spec | {name: value for name, value in optional.items() if value}

    def _build_node_affinity(self) -> dict[str, Any]:
        zones = [{"key": ZONE, "operator": "In", "values": self.zones}] if self.zones else []
        nodes: dict[str, Any] = {}
        if required := [*zones, *self.node_affinity.get("required", [])]:
            # All expressions of one term must match. Of several terms, one match is enough.
            terms = [{"matchExpressions": required}]
            nodes["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
        if preferred := self.node_affinity.get("preferred"):
            nodes["preferredDuringSchedulingIgnoredDuringExecution"] = preferred
        return nodes

    @property
    def allowed_zones(self) -> set[str] | None:
        """Zones that the settings allow; None if they do not restrict zones."""
        of_zones = [one for one in self.node_affinity.get("required", []) if one["key"] == ZONE]
        allowed = [set(one["values"]) for one in of_zones if one["operator"] == "In"]
        allowed += [set(self.zones)] if self.zones else []
        allowed += [{self.node_selector[ZONE]}] if ZONE in self.node_selector else []
        excluded = {zone for one in of_zones if one["operator"] == "NotIn" for zone in one["values"]}
        return set.intersection(*allowed) - excluded if allowed else None


def plan_image_pull(args: Mapping[str, Any]) -> PodSettings:
    """Return pod settings with the image pull policy and pull secrets only.

    Raise ValueError for an argument that is not accepted.
    """
    policy = validate_choice(args.get("image_pull_policy", PULL_POLICIES[0]), PULL_POLICIES, ARGS / "image_pull_policy")
    path = ARGS / "image_pull_secrets"
    secrets = [validate_dns_subdomain(name, path.index(i)) for i, name in enumerate(args.get("image_pull_secrets", []))]
    # Server-side apply rejects a list with a name twice.
    reject_duplicates(secrets, path)
    return PodSettings(pull_policy=policy, pull_secrets=secrets)


def plan_role_pods(base: PodSettings, given: Sequence[tuple[ArgumentPath, PodsArgs]]) -> PodSettings:
    """Return the settings of a role's pods.

    `base` is the result of `plan_image_pull`. `given` are pairs of path and arguments, from the most general to the
    most specific. Raise ValueError for an argument that is not accepted.
    """
    fields: dict[str, Any] = {}
    for path, args in given:
        for name, value in _validate_fields(args, path).items():
            fields[name] = {**fields.get(name, {}), **value} if name in _MERGED else value
    return PodSettings(**fields, pull_policy=base.pull_policy, pull_secrets=base.pull_secrets)


def list_zone_inputs(given: Sequence[tuple[ArgumentPath, PodsArgs]]) -> list[ArgumentPath]:
    """Return the paths of the inputs that determine `allowed_zones`, from pairs as in `plan_role_pods`."""
    found: dict[str, ArgumentPath] = {}
    for path, args in given:
        affinity = args.get("node_affinity", {}).get("required", [])
        inputs = {
            "zones": "zones" in args,
            "node_selector": ZONE in args.get("node_selector", {}),
            "node_affinity": any(one["key"] == ZONE for one in affinity),
        }
        # A specific field replaces the general one, except for merged fields.
        found = {name: input_path for name, input_path in found.items() if name in _MERGED or name not in args}
        found |= {name: path / name for name, is_given in inputs.items() if is_given}
    return list(found.values())


def validate_custom_labels(given: Mapping[str, str], path: ArgumentPath) -> dict[str, str]:
    """Validate labels for objects or pods and return them.

    Raise ValueError for a label that Kubernetes rejects or that the deployment sets.
    """
    _reject_reserved(given, RESERVED_LABELS, path)
    return validate_labels(given, path)


def validate_annotations(given: Mapping[str, str], path: ArgumentPath) -> dict[str, str]:
    """Validate annotations for objects or pods and return them.

    Raise ValueError for an annotation that Kubernetes rejects or that controls Pulumi.
    """
    _reject_reserved(given, [key for key in given if key.startswith(_PULUMI_PREFIX)], path)
    return {validate_qualified_name(key, path): value for key, value in given.items()}


def _validate_fields(args: PodsArgs, path: ArgumentPath) -> dict[str, Any]:
    """Return the fields that are set, each as `PodSettings` expects it."""
    checks: dict[str, Callable[[Any, ArgumentPath], Any]] = {
        "zones": _validate_zones,
        "node_selector": validate_labels,
        "node_affinity": _build_affinity,
        "tolerations": lambda given, path: [_build_toleration(one, path.index(i)) for i, one in enumerate(given)],
        "priority_class": validate_dns_subdomain,
        "labels": validate_custom_labels,
        "annotations": validate_annotations,
        "environment": _validate_environment,
        "java_options": lambda given, path: [_validate_java_option(one, path.index(i)) for i, one in enumerate(given)],
    }
    return {name: checks[name](value, path / name) for name, value in args.items()}


def _validate_zones(given: list[str], path: ArgumentPath) -> list[str]:
    reject_empty(given, path, "every zone")
    reject_duplicates(given, path)
    return [_validate_zone(zone, path.index(i)) for i, zone in enumerate(given)]


def _validate_zone(given: str, path: ArgumentPath) -> str:
    if not given:
        raise ArgumentError(
            path, "empty-zone", "the name is empty", accepted="the name of a zone, such as 'ap-southeast-1a'"
        )
    return validate_label_value(given, path)


def _build_affinity(given: NodeAffinityArgs, path: ArgumentPath) -> dict[str, list[dict[str, Any]]]:
    required, preferred = given.get("required", []), given.get("preferred", [])
    if "required" in given:
        reject_empty(required, path / "required", "every node")
    return {
        "required": [_build_expression(one, (path / "required").index(i)) for i, one in enumerate(required)],
        "preferred": [_build_preference(one, (path / "preferred").index(i)) for i, one in enumerate(preferred)],
    }


def _build_preference(given: NodePreferenceArgs, path: ArgumentPath) -> dict[str, Any]:
    weight = validate_range(given["weight"], 1, _MAX_WEIGHT, path / "weight")
    if not given["match"]:
        raise ArgumentError(
            path / "match",
            "empty-node-preference",
            "the list is empty, so the preference would match every node",
            accepted="one expression or more",
        )
    match = [_build_expression(one, (path / "match").index(i)) for i, one in enumerate(given["match"])]
    return {"weight": weight, "preference": {"matchExpressions": match}}


def _build_expression(given: NodeMatchArgs, path: ArgumentPath) -> dict[str, Any]:
    key = validate_qualified_name(given["key"], path / "key")
    operator = validate_choice(given["operator"], OPERATORS, path / "operator")
    values_path = path / "values"
    values = [validate_label_value(value, values_path.index(i)) for i, value in enumerate(given.get("values", []))]
    if operator in {"In", "NotIn"}:
        fits, accepted = bool(values), "one value or more"
    elif operator in {"Exists", "DoesNotExist"}:
        fits, accepted = not values, "no values"
    else:
        # The scheduler compares 64-bit integers.
        fits = len(values) == 1 and values[0].isdigit() and int(values[0]) < _NUMBER_LIMIT
        accepted = "one whole number as a string, such as '8'"
    if not fits:
        raise ArgumentError(
            values_path,
            "node-expression-values",
            "{given} does not fit operator {operator!r}",
            accepted=accepted,
            given=values,
            operator=operator,
        )
    return {"key": key, "operator": operator} | ({"values": values} if values else {})


def _build_toleration(given: TolerationArgs, path: ArgumentPath) -> dict[str, Any]:
    result: dict[str, Any] = {"operator": "Equal" if "value" in given else "Exists"}
    if "key" in given:
        result["key"] = validate_qualified_name(given["key"], path / "key")
    elif "value" in given:
        raise ArgumentError(
            path / "key",
            "toleration-without-key",
            "the toleration has the value {given!r} and no key",
            remedy="Give the key of the taint, or leave the value out",
            given=given["value"],
        )
    if "value" in given:
        result["value"] = validate_label_value(given["value"], path / "value")
    effect = given.get("effect")
    if effect is not None:
        result["effect"] = validate_choice(effect, EFFECTS, path / "effect")
    if "seconds" in given:
        result["tolerationSeconds"] = validate_range(given["seconds"], 1, _MAX_SECONDS, path / "seconds")
        if effect != "NoExecute":
            raise ArgumentError(
                path / "seconds",
                "toleration-seconds",
                "Kubernetes accepts seconds only with {effect} 'NoExecute'",
                remedy="Set {effect} to 'NoExecute', or leave the seconds out",
                effect=path / "effect",
            )
    return result


def _validate_environment(given: Mapping[str, str], path: ArgumentPath) -> dict[str, str]:
    _reject_reserved(given, RESERVED_VARIABLES, path)
    for name in given:
        validate_pattern(
            _VARIABLE,
            name,
            path,
            "variable-name",
            "names of letters, digits and '_' that do not begin with a digit, such as 'TZ'",
        )
    return dict(given)


def _validate_java_option(option: str, path: ArgumentPath) -> str:
    if _NEWER_OPTION.fullmatch(option):
        raise ArgumentError(
            path,
            "java-option-of-newer-jdk",
            "the JDK 8 of the official image does not start with {given!r}",
            accepted="options of JDK 8",
            given=option,
        )
    if _DERIVED_OPTION.fullmatch(option):
        raise ArgumentError(
            path,
            "java-option-set-by-deployment",
            "{given!r} would override a setting of the deployment",
            remedy="Leave the option out. {memory} determines the sizes",
            given=option,
            memory=Names(("memory",)),
        )
    if option.startswith("-Xss") and not _is_stack_size(option):
        raise ArgumentError(
            path,
            "java-stack-size",
            "{given!r} is no accepted stack size",
            accepted="'-Xss256k' to '-Xss1m' for each thread",
            given=option,
        )
    return validate_pattern(
        _OPTION, option, path, "java-option", "options of the JVM, such as '-XX:MaxGCPauseMillis=100'"
    )


def _is_stack_size(option: str) -> bool:
    minimum, maximum = _STACK_BYTES
    found = _STACK.fullmatch(option)
    return found is not None and minimum <= int(found[1]) * _STACK_UNITS[found[2].lower()] <= maximum


def _reject_reserved(given: Mapping[str, str], reserved: Collection[str], path: ArgumentPath) -> None:
    taken = [name for name in given if name in reserved]
    if taken:
        raise ArgumentError(
            path,
            "set-by-deployment",
            "the deployment sets {given} itself",
            remedy="Leave {given} out",
            given=", ".join(map(repr, taken)),
        )


def plan_pod_security(args: Mapping[str, Any]) -> str:
    """Return the Pod Security level of the namespace.

    Raise ValueError for an unknown level, or for a level without `create_namespace`.
    """
    if not args.get("create_namespace", True):
        reject_ignored_args(
            args, ["pod_security"], ARGS, ARGS / "create_namespace", "is false, so the namespace stays as it is"
        )
    return validate_choice(args.get("pod_security", SECURITY_LEVELS[0]), SECURITY_LEVELS, ARGS / "pod_security")
