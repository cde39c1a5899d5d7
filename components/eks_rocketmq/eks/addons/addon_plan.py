"""Plan of the addons of a cluster. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names
from eks_rocketmq.args.aws_identifiers import validate_addon_version
from eks_rocketmq.args.aws_tags import validate_tags
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.kubernetes_names import EBS_CSI, POD_IDENTITY_AGENT
from eks_rocketmq.args.pod_values import validate_pod_values
from eks_rocketmq.args.validation import (
    copy_json,
    reject_duplicates,
    reject_ignored_args,
    validate_choice,
    validate_pattern,
)
from eks_rocketmq.eks.addons.cluster_addons_args import AddonArgs, AddonStage, AddonVersions, ClusterAddonsArgs

VPC_CNI = "vpc-cni"
KUBE_PROXY = "kube-proxy"
COREDNS = "coredns"

BEFORE_NODES: AddonStage = "before_nodes"
AFTER_NODES: AddonStage = "after_nodes"
DEFAULT_ADDONS: Mapping[str, tuple[str, ...]] = {
    # The pod network needs kube-proxy to reach the API server at its Service address. Nodes need both.
    BEFORE_NODES: (VPC_CNI, KUBE_PROXY),
    AFTER_NODES: (COREDNS,),
}
"""Default addons of each stage."""
NODE_ADDONS = frozenset({VPC_CNI, KUBE_PROXY, POD_IDENTITY_AGENT})
"""DaemonSet addons: they become ACTIVE without nodes, and nodes do not become ready without them."""
VERSION_CHOICES = get_accepted_values(AddonVersions)
IDENTITY_FIELDS: Mapping[str, tuple[str, ...]] = {
    "irsa": ("role_name", "issuer", "provider_arn"),
    "pod_identity": ("role_name", "cluster_arn"),
    "node": (),
}
"""Accepted identities of the pod network, and the arguments that each requires."""

_NAME = re.compile(r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True)
class AddonPlan:
    """An addon with valid arguments."""

    name: str
    version: str | None
    """The given version; None: not pinned."""
    configuration: str | None
    """Configuration values as JSON."""


def plan_addons(args: ClusterAddonsArgs) -> list[AddonPlan]:
    """Validate the arguments of the addons and return their plans.

    Raise ValueError for an addon in the wrong stage, where it or the nodes cannot become ready, and for other arguments
    that EKS would reject.
    """
    stage = args["stage"]
    validate_choice(stage, (BEFORE_NODES, AFTER_NODES), ARGS / "stage")
    versions = validate_choice(args.get("versions", "installed"), VERSION_CHOICES, ARGS / "versions")
    if versions != "installed" and "kubernetes_version" not in args:
        raise ArgumentError(
            ARGS / "versions",
            "addon-versions-lookup",
            "{given!r} needs the Kubernetes version of the cluster",
            remedy="Set {other}, for example to '1.35'",
            given=versions,
            other=ARGS / "kubernetes_version",
        )
    _validate_vpc_cni(args)
    validate_tags(args.get("tags", {}), ARGS / "tags", added=1)
    wanted: list[AddonArgs] = list(args.get("addons", [{"name": name} for name in DEFAULT_ADDONS[stage]]))
    names = [addon["name"] for addon in wanted]
    reject_duplicates(names, ARGS / "addons")
    for index, addon in enumerate(wanted):
        _validate_addon(addon, stage, (ARGS / "addons").index(index, addon))
    if args.get("pod_identity_agent", False) and POD_IDENTITY_AGENT not in names:
        _validate_stage(POD_IDENTITY_AGENT, stage, ARGS / "pod_identity_agent")
        wanted.append({"name": POD_IDENTITY_AGENT})
    return [
        AddonPlan(addon["name"], addon.get("version"), _dump_json(_build_configuration(addon, args)))
        for addon in sorted(wanted, key=lambda addon: addon["name"])
    ]


def _validate_addon(addon: AddonArgs, stage: str, path: ArgumentPath) -> None:
    name = validate_pattern(
        _NAME,
        addon["name"],
        path / "name",
        "addon-name",
        "a name that `aws eks describe-addon-versions` shows, such as 'coredns'",
    )
    if name == EBS_CSI:
        raise ArgumentError(
            path,
            "addon-with-component",
            "EbsCsiAddon installs the addon {given!r} with the role that it needs",
            remedy="Leave it out here",
            given=name,
        )
    _validate_stage(name, stage, path)
    if "version" in addon:
        validate_addon_version(addon["version"], path / "version")
    validate_pod_values(copy_json(addon.get("configuration", {}), path / "configuration"), path / "configuration")


def _validate_stage(addon: str, stage: str, path: ArgumentPath) -> None:
    if stage == AFTER_NODES and addon in NODE_ADDONS:
        raise ArgumentError(
            path,
            "addon-before-nodes",
            "nodes become ready only with the addon {given!r}, so it cannot come after them",
            remedy="Install it before the nodes",
            given=addon,
        )
    if stage == BEFORE_NODES and addon not in NODE_ADDONS:
        raise ArgumentError(
            path,
            "addon-after-nodes",
            "the pods of the addon {given!r} need nodes, and EKS would wait 20 minutes for these pods",
            remedy="Install it after the nodes",
            given=addon,
        )


def _validate_vpc_cni(args: ClusterAddonsArgs) -> None:
    cni, path = args.get("vpc_cni"), ARGS / "vpc_cni"
    names = [addon["name"] for addon in args.get("addons", [{"name": VPC_CNI}])]
    if args["stage"] == AFTER_NODES or VPC_CNI not in names:
        if cni is not None:
            raise ArgumentError(
                path,
                "vpc-cni-not-installed",
                "the argument has no effect, because this component does not install the addon {addon!r}",
                remedy="Leave it out, or install the addon before the nodes",
                addon=VPC_CNI,
            )
        return
    if cni is None:
        raise ArgumentError(
            path,
            "vpc-cni-missing",
            "the addon {addon!r} needs an identity",
            accepted="an object, for example with the fields {fields}",
            addon=VPC_CNI,
            fields=Names(IDENTITY_FIELDS["irsa"]),
        )
    identity = cni.get("identity", "irsa")
    validate_choice(identity, IDENTITY_FIELDS, path / "identity")
    if identity == "node":
        # Programs may always give issuer, provider and cluster ARN, so only the role name is an error.
        reject_ignored_args(cni, ["role_name"], path, path / "identity", "is 'node', which creates no role")
    errors = ErrorCollector()
    for field in IDENTITY_FIELDS[identity]:
        if field not in cni:
            errors.add(
                ArgumentError(
                    path / field,
                    "vpc-cni-field-missing",
                    "a value is required, because {identity} is {value!r}",
                    identity=path / "identity",
                    value=identity,
                )
            )
    errors.raise_errors()
    if identity == "pod_identity" and not args.get("pod_identity_agent", False):
        raise ArgumentError(
            path / "identity",
            "vpc-cni-agent",
            "{given!r} needs the addon {addon!r}",
            remedy="Set {agent} to true",
            given=identity,
            addon=POD_IDENTITY_AGENT,
            agent=ARGS / "pod_identity_agent",
        )


def _build_configuration(addon: AddonArgs, args: ClusterAddonsArgs) -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    cni = args.get("vpc_cni")
    if addon["name"] == VPC_CNI and cni is not None:
        # The addon's schema accepts these booleans only as strings.
        defaults["enableNetworkPolicy"] = "true" if cni.get("network_policy", True) else "false"
        if cni.get("prefix_delegation", False):
            defaults["env"] = {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
    return _merge(defaults, addon.get("configuration", {}))


def _merge(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in override.items():
        current = merged.get(key)
        merged[key] = _merge(current, value) if isinstance(current, Mapping) and isinstance(value, Mapping) else value
    return merged


def _dump_json(configuration: Mapping[str, Any]) -> str | None:
    """Return sorted JSON, so that another order of keys does not change the addon."""
    return json.dumps(configuration, sort_keys=True, separators=(",", ":")) if configuration else None
