"""Plan of the addons of a cluster. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.aws_identifiers import validate_addon_version
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.validation import reject_duplicates, reject_ignored_args, validate_choice
from eks_rocketmq.eks.addons.cluster_addons_args import AddonArgs, AddonStage, AddonVersions, ClusterAddonsArgs

VPC_CNI = "vpc-cni"
KUBE_PROXY = "kube-proxy"
POD_IDENTITY_AGENT = "eks-pod-identity-agent"
COREDNS = "coredns"
EBS_CSI = "aws-ebs-csi-driver"

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

    Raises:
        ValueError: for an addon in the wrong stage, where it or the nodes cannot become ready, and for other arguments
            that EKS would reject.
    """
    stage = args["stage"]
    validate_choice(stage, (BEFORE_NODES, AFTER_NODES), "stage")
    versions = validate_choice(args.get("versions", "installed"), VERSION_CHOICES, "versions")
    if versions != "installed" and "kubernetes_version" not in args:
        msg = f"versions is {versions!r}; it needs kubernetes_version, such as '1.35'"
        raise ValueError(msg)
    _validate_vpc_cni(args)
    wanted: list[AddonArgs] = list(args.get("addons", [{"name": name} for name in DEFAULT_ADDONS[stage]]))
    names = [addon["name"] for addon in wanted]
    if args.get("pod_identity_agent", False) and POD_IDENTITY_AGENT not in names:
        wanted.append({"name": POD_IDENTITY_AGENT})
    reject_duplicates(names, "addons")
    for addon in wanted:
        _validate_addon(addon, stage)
    return [
        AddonPlan(addon["name"], addon.get("version"), _dump_json(_build_configuration(addon, args)))
        for addon in sorted(wanted, key=lambda addon: addon["name"])
    ]


def _validate_addon(addon: AddonArgs, stage: str) -> None:
    name = addon["name"]
    if not _NAME.fullmatch(name):
        msg = (
            f"addons has the name {name!r}; accepted are names of `aws eks describe-addon-versions`, such as 'coredns'"
        )
        raise ValueError(msg)
    if name == EBS_CSI:
        msg = f"addons has {name!r}; EbsCsiAddon installs it, with the role that it needs"
        raise ValueError(msg)
    if stage == AFTER_NODES and name in NODE_ADDONS:
        msg = (
            f"addons has {name!r} in stage {AFTER_NODES!r}; nodes become ready only with it: put it into "
            f"{BEFORE_NODES!r}"
        )
        raise ValueError(msg)
    if stage == BEFORE_NODES and name not in NODE_ADDONS:
        msg = (
            f"addons has {name!r} in stage {BEFORE_NODES!r}; its pods wait for nodes, and EKS waits 20 minutes for its "
            f"pods: put it into {AFTER_NODES!r}"
        )
        raise ValueError(msg)
    if "version" in addon:
        validate_addon_version(addon["version"], f"version of {name}")


def _validate_vpc_cni(args: ClusterAddonsArgs) -> None:
    cni = args.get("vpc_cni")
    names = [addon["name"] for addon in args.get("addons", [{"name": VPC_CNI}])]
    if args["stage"] == AFTER_NODES or VPC_CNI not in names:
        if cni is not None:
            msg = f"vpc_cni is given, but stage {args['stage']!r} does not install it with these addons: leave it out"
            raise ValueError(msg)
        return
    if cni is None:
        msg = (
            "vpc_cni is missing: say as whom the pod network works, as in {'identity': 'irsa', 'role_name': …, "
            "'issuer': …, 'provider_arn': …}"
        )
        raise ValueError(msg)
    identity = cni.get("identity", "irsa")
    validate_choice(identity, IDENTITY_FIELDS, "vpc_cni.identity")
    if identity == "node":
        # Programs may always give issuer, provider and cluster ARN, so only the role name is an error.
        role = {"vpc_cni.role_name": cni.get("role_name")}
        reject_ignored_args(role, role, "vpc_cni.identity 'node', which makes no role")
    required = IDENTITY_FIELDS[identity]
    if missing := [key for key in required if key not in cni]:
        msg = f"vpc_cni.identity is {identity!r} and {', '.join(missing)} missing; it needs {', '.join(required)}"
        raise ValueError(msg)
    if identity == "pod_identity" and not args.get("pod_identity_agent", False):
        msg = "vpc_cni.identity is 'pod_identity'; it needs the agent: set pod_identity_agent to True"
        raise ValueError(msg)


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
