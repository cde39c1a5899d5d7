"""The stack's configuration as typed settings, read once and checked before anything is planned.

What exists stands in `Pulumi.yaml`: this module reads its `config:` block and holds the values to it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pulumi
import yaml

from eks_rocketmq import stack_checks, stack_file, stack_yaml
from eks_rocketmq.component import speak
from eks_rocketmq.eks import role_checks
from eks_rocketmq.eks.addon_plan import AFTER, BEFORE, DEFAULTS, NODES_NEED, VPC_CNI, plan_addons
from eks_rocketmq.eks.cluster_addons import ClusterAddonsArgs, VpcCniArgs
from eks_rocketmq.eks.cluster_plan import plan_cluster
from eks_rocketmq.eks.csi_configuration import configuration_values
from eks_rocketmq.eks.csi_identity import PERMISSIONS, choices
from eks_rocketmq.eks.ebs_csi_addon import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs_csi_policy import key_policy
from eks_rocketmq.eks.eks_cluster import EksClusterArgs
from eks_rocketmq.eks.identifiers import cluster_name, role_arn
from eks_rocketmq.eks.network import NetworkArgs
from eks_rocketmq.eks.network_plan import plan_network
from eks_rocketmq.eks.node_group import NodeGroupArgs
from eks_rocketmq.eks.node_plan import plan_nodes
from eks_rocketmq.eks.self_managed import driver_names
from eks_rocketmq.eks.session import assumed_role
from eks_rocketmq.eks.storage_class import EbsStorageClassArgs
from eks_rocketmq.eks.volume_class import check_new_name, parameters, reclaim_policy
from eks_rocketmq.errors import Problems
from eks_rocketmq.external import external
from eks_rocketmq.rocketmq.arguments import RocketMqArgs
from eks_rocketmq.rocketmq.broker_config import versions
from eks_rocketmq.rocketmq.durability import PROFILES
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.sdk_internals import config_values, is_config_secret, project_directory
from eks_rocketmq.shape import camel, from_camel, hold, spoken
from eks_rocketmq.spelling import RENAMED, as_spelled, spelled_for_rocketmq
from eks_rocketmq.stack_absent import not_yet
from eks_rocketmq.stack_arns import check_arns
from eks_rocketmq.stack_images import check_images
from eks_rocketmq.stack_new_cluster import check_new_cluster
from eks_rocketmq.validation import did_you_mean, dns_subdomain, each_once, one_of

if TYPE_CHECKING:
    from eks_rocketmq.eks.existing_cluster import ExistingEksClusterArgs
    from eks_rocketmq.rocketmq.options import ExternalArgs

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "oidcProvider": ("create", "existing"),
    "ebsCsiDriver": ("create", "existing", "self-managed", "auto-mode"),
    "ebsCsiPermissions": tuple(PERMISSIONS),
    "durability": tuple(PROFILES),
    "rocketmqVersion": tuple(versions()),
}
ROCKETMQ_KEYS: Mapping[str, str] = {
    argument: RENAMED.get(argument, camel(argument)) for argument in RocketMqArgs.__annotations__
}
"""What the stack file calls each argument of `RocketMq`."""

_TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
UNSET: tuple[Any, ...] = ("", 0, [], {})
"""Declared defaults that stand for the component's own default: the engine wants a default of every optional key."""


@dataclass(frozen=True)
class NewCluster:
    """What a stack makes that adopts no cluster. The program puts in what it alone knows: ids, issuer, provider."""

    network: NetworkArgs
    cluster: EksClusterArgs
    before_nodes: ClusterAddonsArgs
    after_nodes: ClusterAddonsArgs
    node_groups: Mapping[str, NodeGroupArgs]
    """By name of the component."""
    not_yet: str = ""
    """The error for what the stack file names and the cluster cannot have before it is made; empty for none."""


@dataclass(frozen=True)
class Settings:
    """What one stack is configured to be, in the shapes that the components take."""

    cluster: "ExistingEksClusterArgs"
    """The cluster that is adopted, unless there is a new one."""
    new_cluster: NewCluster | None
    oidc_provider_exists: bool
    oidc_client_ids: list[str]
    """Audiences of the provider beside STS's own."""
    ebs_csi: EbsCsiAddonArgs
    """The program puts in the cluster's issuer, provider and version."""
    storage: EbsStorageClassArgs
    rocketmq: RocketMqArgs
    """The program puts in the StorageClass."""


def load() -> Settings:
    """The settings of the running stack, in whose words components warn from now on.

    Raises:
        RunError: for the first key that is unknown, missing, ill-typed, out of range or encrypted; it names key and
            stack file.
    """
    project, stack = pulumi.get_project(), pulumi.get_stack()
    # RocketMq alone warns of its arguments.
    speak(spelled_for_rocketmq)
    directory = project_directory()
    declared = declaration(directory)
    prefix = f"{project}:"
    given = {key.removeprefix(prefix): text for key, text in config_values().items() if key.startswith(prefix)}
    try:
        written = stack_yaml.read(directory / f"Pulumi.{stack}.yaml")
        problems = Problems()
        problems.attempt(stack_file.check_keys, config_values(), project)
        problems.attempt(stack_file.check_places, written, project, declared)
        problems.attempt(stack_file.check_guard, config_values(), written)
        problems.attempt(stack_file.check_switches, written, project)
        problems.refuse()
        encrypted = {key for key in given if is_config_secret(f"{prefix}{key}")}
        aws = pulumi.Config("aws")
        if not given.get("clusterRoleArn"):
            # The cluster's creator is the role in which the provider works, and so must be whoever asks for its token.
            given["clusterRoleArn"] = assumed_role({"assumeRoles": aws.get("assumeRoles")}) or ""
        account = stack_file.only_account(aws.get("allowedAccountIds"))
        settings = parse(declared, given, aws.get("profile"), aws.get("region"), account)
        stack_file.hold_secrets(settings.rocketmq.get("access", {}), encrypted)
    except ValueError as error:
        msg = f"Pulumi.{stack}.yaml: {error}"
        raise pulumi.RunError(msg) from error
    if "kms_key_id" in settings.storage and (settings.ebs_csi.get("existing") or settings.ebs_csi.get("auto_mode")):
        pulumi.log.warn(stack_checks.KEY_UNSEEN)
    return settings


@cache
def declaration(directory: Path) -> dict[str, dict[str, Any]]:
    """The `config:` block of the project file in `directory`, by key."""
    return yaml.safe_load((directory / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]


def parse(
    declared: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, str],
    profile: str | None = None,
    region: str | None = None,
    account: str | None = None,
) -> Settings:
    """Typed settings from the configuration's texts. Pure.

    Args:
        declared: the `config:` block of Pulumi.yaml.
        given: key without namespace to text, objects and lists as JSON, as Pulumi hands them over.
        profile: AWS profile of the stack's aws settings.
        region: region of the stack's aws settings.
        account: the account that they allow, where it is one.

    Raises:
        ValueError: naming the key, what was given, what is accepted, and the nearest name.
    """
    return assemble(declared, checked_values(declared, given), profile, region, account)


def checked_values(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, Any]:
    """A typed value for every declared key. Arguments and errors as for `parse`."""
    for key in given:
        if key not in declared:
            msg = f"unknown key {key!r}{did_you_mean(key, declared)}; accepted are {', '.join(declared)}"
            raise ValueError(msg)
    values = {key: _value(key, declaration_, given) for key, declaration_ in declared.items()}
    for key, accepted in _CHOICES.items():
        one_of(values[key], accepted, key)
    return values


def assemble(
    declared: Mapping[str, Mapping[str, Any]],
    values: Mapping[str, Any],
    profile: str | None,
    region: str | None = None,
    account: str | None = None,
) -> Settings:
    """The settings that checked values make. Arguments and errors as for `parse`."""
    cluster = _cluster(values, profile)
    storage = _storage(values)
    if values["newCluster"]:
        stack_checks.check_existing(values, storage)
    ebs_csi = _ebs_csi(declared, values, storage)
    rocketmq = _rocketmq(declared, values)
    new = _new_cluster(values, cluster)
    if storage.get("create", False):
        stack_checks.check_class(storage, rocketmq)
    check_arns(values, region, account)
    network = new.network if new else None
    stack_checks.check_zones(rocketmq, region, network)
    stack_checks.check_namespace(rocketmq)
    if new is not None:
        stack_checks.check_balancer(values)
        new = replace(new, not_yet=not_yet(values, check_new_cluster(new, ebs_csi, rocketmq, region)))
    check_images(network, rocketmq, region)
    return Settings(
        cluster=cluster,
        new_cluster=new,
        oidc_provider_exists=values["oidcProvider"] == "existing",
        oidc_client_ids=stack_checks.client_ids(values["oidcClientIds"]),
        ebs_csi=ebs_csi,
        storage=storage,
        rocketmq=rocketmq,
    )


def _rocketmq(declared: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> RocketMqArgs:
    types = RocketMqArgs.__annotations__
    given = {
        argument: from_camel(values[key], types[argument])
        for argument, key in ROCKETMQ_KEYS.items()
        if values[key] != declared[key].get("default") or values[key] not in UNSET
    }
    args = cast("RocketMqArgs", given)
    with as_spelled(words=spelled_for_rocketmq):
        if "external" in given:
            args["external"] = cast("ExternalArgs", external(values["external"]))
        plan(args)
    return args


def _new_cluster(values: Mapping[str, Any], known: "ExistingEksClusterArgs") -> NewCluster | None:
    parts = {key: values[key] for key in ("network", "clusterAddons", "nodeGroups")}
    if not values["newCluster"]:
        for key, given in parts.items():
            if given:
                msg = (
                    f"{key} is given, but the stack adopts cluster {values['clusterName']!r}: give newCluster too, or "
                    f"leave {key} out"
                )
                raise ValueError(msg)
        return None
    name = known["cluster_name"]
    network: NetworkArgs = _part("network", parts["network"], NetworkArgs, {"cluster_name": name})
    with as_spelled("network"):
        zones = len(plan_network(network).private)
    cluster: EksClusterArgs = _part("newCluster", values["newCluster"], EksClusterArgs, {**known, **_NETWORK_IDS})
    with as_spelled("newCluster"):
        plan_cluster(cluster)
    wired = {"cluster_name": name, "zone_count": zones, "subnet_ids": [f"subnet-{i}" for i in range(zones)]}
    groups: dict[str, NodeGroupArgs] = {}
    for group, given in parts["nodeGroups"].items():
        component, place = f"nodes-{group}", f"nodeGroups[{group!r}]"
        groups[component] = _part(place, given, NodeGroupArgs, wired)
        with as_spelled(place):
            plan_nodes(component, groups[component])
    before, after = _addons(parts["clusterAddons"], name)
    return NewCluster(network, cluster, before, after, groups)


def _addons(given: Mapping[str, Any], cluster: str) -> tuple[ClusterAddonsArgs, ClusterAddonsArgs]:
    """Arguments of the addons before and after the nodes, from one list: each addon belongs to one of the two."""
    wired = {"cluster_name": cluster, "stage": BEFORE, "kubernetes_version": _FACTS["kubernetes_version"]}
    args: ClusterAddonsArgs = _part("clusterAddons", given, ClusterAddonsArgs, wired)
    cni: VpcCniArgs = _part("clusterAddons.vpcCni", given.get("vpcCni", {}), VpcCniArgs, _CNI_FACTS)
    each_once([addon["name"] for addon in args.get("addons", [])], "clusterAddons.addons")
    listed = {addon["name"]: addon for addon in args.get("addons", [])}
    stages: list[ClusterAddonsArgs] = []
    for stage in (BEFORE, AFTER):
        own = [listed.pop(name, {"name": name}) for name in DEFAULTS[stage]]
        extra = [listed.pop(name) for name in list(listed) if (name in NODES_NEED) == (stage == BEFORE)]
        stages.append({**args, "stage": stage, "addons": [*own, *extra]})
    before, after = stages
    own_role: VpcCniArgs = {"role_name": role_checks.cluster_role_name(cluster, VPC_CNI)}
    before["vpc_cni"] = cni if cni.get("identity") == "node" else {**own_role, **cni}
    after.pop("vpc_cni", None)
    after.pop("pod_identity_agent", None)
    with as_spelled("clusterAddons"):
        plan_addons(before)
        plan_addons(after)
    if "role_name" in before["vpc_cni"]:
        with as_spelled("clusterAddons.vpcCni"):
            role_checks.role_name(before["vpc_cni"]["role_name"])
    return before, after


def _ebs_csi(
    declared: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any], storage: EbsStorageClassArgs
) -> EbsCsiAddonArgs:
    driver = values["ebsCsiDriver"]
    wired = {
        "cluster_name": values["clusterName"],
        "role_name": values["ebsCsiRoleName"] or role_checks.cluster_role_name(values["clusterName"], "ebs-csi-driver"),
        "permissions": values["ebsCsiPermissions"],
        "existing": driver == "existing",
        "auto_mode": driver == "auto-mode",
        **_FACTS,
    }
    role_checks.role_name(wired["role_name"], "ebsCsiRoleName")
    own = [key for key in ("ebsCsiRoleName", "ebsCsiPermissions") if values[key] != declared[key]["default"]]
    stack_checks.check_driver(driver, values, own)
    args: EbsCsiAddonArgs = _part("ebsCsi", values["ebsCsi"], EbsCsiAddonArgs, wired)
    if driver == "self-managed":
        args.setdefault("self_managed", {})
    with as_spelled("ebsCsi"):
        choices(args)
        configuration_values(args.get("configuration", {}))
        driver_names({**args.get("self_managed", {})})
        role_checks.path(args.get("path", "/"))
        key_policy(cast("list[str]", args.get("kms_key_arns", [])))
    if "kms_key_id" in storage and driver not in stack_checks.NO_ROLE:
        # The driver could not use the key of the class otherwise, and every claim would stay Pending.
        args["kms_key_arns"] = list(dict.fromkeys([*args.get("kms_key_arns", []), storage["kms_key_id"]]))
    return args


def _storage(values: Mapping[str, Any]) -> EbsStorageClassArgs:
    wired = {
        "class_name": values["storageClass"],
        "create": bool(values["newStorageClass"]),
        "allow_volume_expansion": values["allowVolumeExpansion"],
        "auto_mode": values["ebsCsiDriver"] == "auto-mode",
    }
    args: EbsStorageClassArgs = _part("newStorageClass", values["newStorageClass"], EbsStorageClassArgs, wired)
    dns_subdomain(args["class_name"], "storageClass")
    if wired["create"]:
        with as_spelled("newStorageClass"):
            check_new_name(args["class_name"])
            parameters(args)
            reclaim_policy(args)
    return args


# What the program alone knows stands in for itself while the rest is checked.
_NETWORK_IDS: Mapping[str, Any] = {"vpc_id": "vpc-0", "subnet_ids": ["subnet-0", "subnet-1"]}
_FACTS: Mapping[str, Any] = {
    "issuer": "https://known.later",
    "provider_arn": "known later",
    "kubernetes_version": "known later",
}
_CNI_FACTS: Mapping[str, Any] = {
    "issuer": _FACTS["issuer"],
    "provider_arn": _FACTS["provider_arn"],
    "cluster_arn": "known later",
}


def _part(key: str, given: Any, wanted: Any, wired: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what `wanted` says
    """Arguments of one component from an object of the stack file.

    Args:
        key: where it stands.
        given: what stands there.
        wanted: TypedDict of the component.
        wired: arguments that the stack gives itself.
    """
    args = from_camel(given, wanted)
    taken = [camel(name) for name in wired if isinstance(args, dict) and name in args]
    if taken:
        msg = f"{key} has {', '.join(taken)}, which the stack sets itself; leave it out"
        raise ValueError(msg)
    complete = {**args, **wired} if isinstance(args, dict) else args
    with as_spelled():
        hold(complete, wanted, key)
    return complete


def _cluster(values: Mapping[str, Any], profile: str | None) -> "ExistingEksClusterArgs":
    """Which cluster, and who talks to it, whether it exists or not."""
    args: ExistingEksClusterArgs = {"cluster_name": values["clusterName"]}
    with as_spelled():
        cluster_name(args["cluster_name"])
    if profile:
        args["profile"] = profile
    if (role := values["clusterRoleArn"]) not in {"", "none"}:
        role_arn(role, "clusterRoleArn")
        args["role_arn"] = role
    return args


def _value(key: str, declared: Mapping[str, Any], given: Mapping[str, str]) -> Any:  # noqa: ANN401 - any declared type
    wanted = _TYPES[declared["type"]]
    if key not in given:
        if "default" not in declared:
            msg = f"{key} is missing; it is {spoken(wanted)}: {declared['description']}"
            raise ValueError(msg)
        return declared["default"]
    text = given[key]
    if wanted is str:
        return text
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        msg = f"{key} is {value!r}; accepted is {spoken(wanted)}"
        raise ValueError(msg)
    return value
