"""The stack's configuration as typed settings, read once and checked before anything is planned.

What exists stands in `Pulumi.yaml`: this module reads its `config:` block and holds the values to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pulumi

from eks_rocketmq.args.arg_schema import convert_from_camel_case, to_camel_case
from eks_rocketmq.args.aws_identifiers import parse_role_arn, validate_cluster_name
from eks_rocketmq.args.errors import ErrorCollector
from eks_rocketmq.args.validation import reject_duplicates, validate_dns_subdomain
from eks_rocketmq.eks.addons.addon_plan import (
    AFTER_NODES,
    BEFORE_NODES,
    DEFAULT_ADDONS,
    NODE_ADDONS,
    VPC_CNI,
    plan_addons,
)
from eks_rocketmq.eks.addons.cluster_addons_args import AddonStage, ClusterAddonsArgs, VpcCniArgs
from eks_rocketmq.eks.cluster.cluster_plan import plan_cluster
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.cluster.existing_cluster_args import ExistingEksClusterArgs
from eks_rocketmq.eks.ebs.csi_configuration import render_configuration
from eks_rocketmq.eks.ebs.driver_plan import plan_driver
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs.ebs_csi_policy import build_key_policy
from eks_rocketmq.eks.ebs.self_managed_driver import parse_driver_names
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.eks.ebs.storage_class_plan import RESERVED_NAMES, build_parameters, get_reclaim_policy
from eks_rocketmq.eks.iam import role_checks
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.network.network_plan import plan_network
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.eks.nodes.node_plan import plan_nodes
from eks_rocketmq.lookups.aws_session import get_assumed_role
from eks_rocketmq.pulumi_sdk.component import set_warning_translation
from eks_rocketmq.pulumi_sdk.sdk_internals import get_config_values, get_project_directory, is_config_secret
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack import cross_checks, error_text, secret_checks, stack_file, stack_yaml
from eks_rocketmq.stack.arn_checks import check_arns
from eks_rocketmq.stack.component_args import part
from eks_rocketmq.stack.config_values import UNSET, checked_values, declaration
from eks_rocketmq.stack.external_settings import external
from eks_rocketmq.stack.image_checks import check_images
from eks_rocketmq.stack.missing_objects import not_yet
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.new_cluster_checks import check_new_cluster
from eks_rocketmq.stack.rocketmq_checks import check_rocketmq
from eks_rocketmq.stack.spelling import RENAMED, as_spelled, spelled_for_rocketmq

ROCKETMQ_KEYS: Mapping[str, str] = {
    argument: RENAMED.get(argument, to_camel_case(argument)) for argument in RocketMqArgs.__annotations__
}
"""What the stack file calls each argument of `RocketMq`."""


_Groups = Mapping[str, NodeGroupArgs]
_Stages = tuple[ClusterAddonsArgs, ClusterAddonsArgs]


@dataclass(frozen=True)
class Settings:
    """What one stack is configured to be, in the shapes that the components take."""

    cluster: ExistingEksClusterArgs
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
        RunError: for each key that is unknown, missing, ill-typed, out of range or encrypted; it names key and stack
            file, in whose order they are, and shows nothing that is encrypted.
    """
    project, root = pulumi.get_project(), get_project_directory()
    # RocketMq alone warns of its arguments.
    set_warning_translation(spelled_for_rocketmq)
    declared = declaration(root)
    prefix = f"{project}:"
    given = {key.removeprefix(prefix): text for key, text in get_config_values().items() if key.startswith(prefix)}
    encrypted = {key for key in given if is_config_secret(f"{prefix}{key}")}
    file, written = f"Pulumi.{pulumi.get_stack()}.yaml", stack_yaml.StackFile()
    try:
        written = stack_yaml.read(root / file)
        stack_file.check_places(written, project, declared)
        problems = ErrorCollector()
        problems.attempt(stack_file.check_keys, get_config_values(), project)
        problems.attempt(stack_file.check_guard, get_config_values(), written)
        problems.attempt(stack_file.check_switches, written, project)
        problems.attempt(secret_checks.check_encrypted, given, encrypted, written.find(f"{prefix}access"))
        problems.attempt(secret_checks.check_assumed_roles, given, encrypted=is_config_secret("aws:assumeRoles"))
        problems.raise_errors()
        aws = pulumi.Config("aws")
        if not given.get("clusterRoleArn"):
            # The role that the AWS provider assumes creates the cluster, so the token is requested as the same role.
            given["clusterRoleArn"] = get_assumed_role({"assumeRoles": aws.get("assumeRoles")}) or ""
        # What is encrypted would stand in errors.
        account = None if is_config_secret(guard := "aws:allowedAccountIds") else get_config_values().get(guard)
        region = None if is_config_secret("aws:region") else aws.get("region")
        settings = parse(declared, given, aws.get("profile"), region, stack_file.only_account(account))
        secret_checks.hold_passwords(settings.rocketmq.get("access", {}), encrypted)
    except ValueError as error:
        raise pulumi.RunError(error_text.told(error, file, written, project)) from None
    if "kms_key_id" in settings.storage and (settings.ebs_csi.get("existing") or settings.ebs_csi.get("auto_mode")):
        pulumi.log.warn(cross_checks.KEY_UNSEEN)
    return settings


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
        ValueError: for each key, naming it, what was given, what is accepted, and the nearest name.
    """
    return assemble(declared, checked_values(declared, given), profile, region, account)


def assemble(
    declared: Mapping[str, Mapping[str, Any]],
    values: Mapping[str, Any],
    profile: str | None,
    region: str | None = None,
    account: str | None = None,
) -> Settings:
    """The settings that checked values make. Arguments and errors as for `parse`."""
    problems = ErrorCollector()
    cluster = problems.attempt(_cluster, values, profile)
    storage = problems.attempt(_storage, values)
    if values["newCluster"]:
        known: EbsStorageClassArgs = storage or {"class_name": values["storageClass"], "create": True}
        problems.attempt(cross_checks.check_existing, values, known)
    ebs_csi = problems.attempt(_ebs_csi, declared, values, storage or {"class_name": ""})
    rocketmq = problems.attempt(_rocketmq, declared, values)
    new = problems.attempt(_new_cluster, values, cluster or {"cluster_name": "cluster"})
    problems.raise_errors()
    assert cluster and storage and ebs_csi and rocketmq, "what has no problem was made"  # noqa: PT018, S101
    if storage.get("create", False):
        problems.attempt(cross_checks.check_class, storage, rocketmq)
    problems.attempt(check_arns, values, region, account)
    network = new.network if new else None
    problems.attempt(cross_checks.check_zones, rocketmq, region, network)
    problems.attempt(cross_checks.check_namespace, rocketmq)
    if new is not None:
        problems.attempt(cross_checks.check_balancer, values)
        absent = problems.attempt(check_new_cluster, new, ebs_csi, rocketmq, region)
        new = replace(new, not_yet=not_yet(values, absent or ""))
    problems.attempt(check_images, network, rocketmq, region)
    problems.raise_errors()
    return Settings(
        cluster=cluster,
        new_cluster=new,
        oidc_provider_exists=values["oidcProvider"] == "existing",
        oidc_client_ids=cross_checks.client_ids(values["oidcClientIds"]),
        ebs_csi=ebs_csi,
        storage=storage,
        rocketmq=rocketmq,
    )


def _rocketmq(declared: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> RocketMqArgs:
    types, problems = RocketMqArgs.__annotations__, ErrorCollector()
    given = {
        argument: values[key]
        if key == "external"
        else convert_from_camel_case(values[key], types[argument], key, (key,), problems)
        for argument, key in ROCKETMQ_KEYS.items()
        if values[key] != declared[key].get("default") or values[key] not in UNSET
    }
    args = cast("RocketMqArgs", given)
    if args.pop("external", None):
        # Whatever is wrong in it, the other keys are checked as well.
        outside = problems.attempt(_external, values["external"])
        args |= {} if outside is None else {"external": outside}
    with problems.collect(), as_spelled(words=spelled_for_rocketmq):
        check_rocketmq(args)
    problems.raise_errors()
    return args


def _external(given: Mapping[str, Any]) -> ExternalArgs:
    with as_spelled():
        made = external(given)
    return cast(ExternalArgs, made)


def _new_cluster(values: Mapping[str, Any], known: ExistingEksClusterArgs) -> NewCluster | None:
    parts, problems = {key: values[key] for key in ("network", "clusterAddons", "nodeGroups")}, ErrorCollector()
    if not values["newCluster"]:
        for key, given in parts.items():
            if given:
                msg = (
                    f"{key} is given, but the stack adopts cluster {values['clusterName']!r}: give newCluster too, or "
                    f"leave {key} out"
                )
                problems.add(ValueError(msg))
        problems.raise_errors()
        return None
    name = known["cluster_name"]
    no_network: NetworkArgs = {}
    network, zones = problems.attempt(_network, parts["network"], name) or (no_network, 3)
    cluster = problems.attempt(_cluster_args, values["newCluster"], known)
    groups = {
        f"nodes-{group}": problems.attempt(_node_group, group, given, name, zones)
        for group, given in parts["nodeGroups"].items()
    }
    addons = problems.attempt(_addons, parts["clusterAddons"], name)
    problems.raise_errors()
    return NewCluster(network, cast("EksClusterArgs", cluster), *cast("_Stages", addons), cast("_Groups", groups))


def _network(given: object, cluster: str) -> tuple[NetworkArgs, int]:
    """Arguments of the network, and how many zones it has."""
    args: NetworkArgs = part("network", given, NetworkArgs, {"cluster_name": cluster})
    with as_spelled("network"):
        zones = len(plan_network(args).private)
    return args, zones


def _cluster_args(given: object, known: ExistingEksClusterArgs) -> EksClusterArgs:
    args: EksClusterArgs = part("newCluster", given, EksClusterArgs, {**known, **_NETWORK_IDS})
    with as_spelled("newCluster"):
        plan_cluster(args)
    return args


def _node_group(name: str, given: object, cluster: str, zones: int) -> NodeGroupArgs:
    place = f"nodeGroups[{name!r}]"
    wired = {"cluster_name": cluster, "zone_count": zones, "subnet_ids": [f"subnet-{i}" for i in range(zones)]}
    args: NodeGroupArgs = part(place, given, NodeGroupArgs, wired, ("nodeGroups", name))
    with as_spelled(place):
        plan_nodes(f"nodes-{name}", args)
    return args


def _addons(given: Mapping[str, Any], cluster: str) -> tuple[ClusterAddonsArgs, ClusterAddonsArgs]:
    """Arguments of the addons before and after the nodes, from one list: each addon belongs to one of the two."""
    wired = {"cluster_name": cluster, "stage": BEFORE_NODES, "kubernetes_version": _FACTS["kubernetes_version"]}
    problems, inner = ErrorCollector(), given.get("vpcCni", {})
    pod_network = problems.attempt(part, "clusterAddons.vpcCni", inner, VpcCniArgs, _CNI_FACTS, _CNI_PLACE)
    others = {key: value for key, value in given.items() if not (problems and key == "vpcCni")}
    made = problems.attempt(part, "clusterAddons", others, ClusterAddonsArgs, wired)
    problems.raise_errors()
    args, cni = cast("ClusterAddonsArgs", made), cast("VpcCniArgs", pod_network)
    reject_duplicates([addon["name"] for addon in args.get("addons", [])], "clusterAddons.addons")
    listed = {addon["name"]: addon for addon in args.get("addons", [])}
    stages: list[ClusterAddonsArgs] = []
    chosen: tuple[AddonStage, ...] = (BEFORE_NODES, AFTER_NODES)
    for stage in chosen:
        own = [listed.pop(name, {"name": name}) for name in DEFAULT_ADDONS[stage]]
        extra = [listed.pop(name) for name in list(listed) if (name in NODE_ADDONS) == (stage == BEFORE_NODES)]
        stages.append({**args, "stage": stage, "addons": [*own, *extra]})
    before, after = stages
    own_role: VpcCniArgs = {"role_name": role_checks.build_cluster_role_name(cluster, VPC_CNI)}
    before["vpc_cni"] = cni if cni.get("identity") == "node" else {**own_role, **cni}
    after.pop("vpc_cni", None)
    after.pop("pod_identity_agent", None)
    with as_spelled("clusterAddons"):
        plan_addons(before)
        plan_addons(after)
    if "role_name" in before["vpc_cni"]:
        with as_spelled("clusterAddons.vpcCni"):
            role_checks.validate_role_name(before["vpc_cni"]["role_name"])
    return before, after


def _ebs_csi(
    declared: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any], storage: EbsStorageClassArgs
) -> EbsCsiAddonArgs:
    driver = values["ebsCsiDriver"]
    wired = {
        "cluster_name": values["clusterName"],
        "role_name": values["ebsCsiRoleName"]
        or role_checks.build_cluster_role_name(values["clusterName"], "ebs-csi-driver"),
        "permissions": values["ebsCsiPermissions"],
        "existing": driver == "existing",
        "auto_mode": driver == "auto-mode",
        **_FACTS,
    }
    role_checks.validate_role_name(wired["role_name"], "ebsCsiRoleName")
    own = [key for key in ("ebsCsiRoleName", "ebsCsiPermissions") if values[key] != declared[key]["default"]]
    cross_checks.check_driver(driver, values, own)
    args: EbsCsiAddonArgs = part("ebsCsi", values["ebsCsi"], EbsCsiAddonArgs, wired)
    if driver == "self-managed":
        args.setdefault("self_managed", {})
    with as_spelled("ebsCsi"):
        plan_driver(args)
        render_configuration(args.get("configuration", {}))
        parse_driver_names({**args.get("self_managed", {})})
        role_checks.validate_path(args.get("path", "/"))
        build_key_policy(cast("list[str]", args.get("kms_key_arns", [])))
    if "kms_key_id" in storage and driver not in cross_checks.NO_ROLE:
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
    args: EbsStorageClassArgs = part(
        "newStorageClass", values["newStorageClass"], EbsStorageClassArgs, wired, program=("kubeconfig",)
    )
    name = validate_dns_subdomain(args["class_name"], "storageClass")
    if wired["create"]:
        if name in RESERVED_NAMES:
            msg = (
                f"storageClass is {name!r}, {RESERVED_NAMES[name]}, and newStorageClass makes a class; accepted is "
                f"another name, such as 'rocketmq-{name}': give one, or leave newStorageClass out to use what is there"
            )
            raise ValueError(msg)
        with as_spelled("newStorageClass"):
            build_parameters(args)
            get_reclaim_policy(args)
    return args


# What the program alone knows stands in for itself while the rest is checked.
_NETWORK_IDS: Mapping[str, Any] = {"vpc_id": "vpc-0", "subnet_ids": ["subnet-0", "subnet-1"]}
_FACTS: Mapping[str, Any] = {
    "issuer": "https://known.later",
    "provider_arn": "known later",
    "kubernetes_version": "known later",
}
_CNI_PLACE = ("clusterAddons", "vpcCni")
_CNI_FACTS: Mapping[str, Any] = {
    "issuer": _FACTS["issuer"],
    "provider_arn": _FACTS["provider_arn"],
    "cluster_arn": "known later",
}


def _cluster(values: Mapping[str, Any], profile: str | None) -> ExistingEksClusterArgs:
    """Which cluster, and who talks to it, whether it exists or not."""
    args: ExistingEksClusterArgs = {"cluster_name": values["clusterName"]}
    with as_spelled():
        validate_cluster_name(args["cluster_name"])
    if profile:
        args["profile"] = profile
    if (role := values["clusterRoleArn"]) not in {"", "none"}:
        parse_role_arn(role, "clusterRoleArn")
        args["role_arn"] = role
    return args
