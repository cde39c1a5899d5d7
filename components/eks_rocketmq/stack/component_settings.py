"""Arguments of each component from its key of the stack file, each with its plan. Pure, without encrypted passwords."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, NotRequired, cast

from eks_rocketmq.args.arg_schema import convert_from_camel_case, validate_args
from eks_rocketmq.args.argument_path import ARGS, to_camel_case
from eks_rocketmq.args.aws_identifiers import parse_role_arn, validate_cluster_name
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector, errors_within
from eks_rocketmq.args.planned_args import add_plan, complete_args
from eks_rocketmq.args.validation import reject_duplicates, reject_ignored_args
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
from eks_rocketmq.eks.ebs.driver_plan import plan_driver
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs.ebs_csi_policy import build_key_policy
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.eks.ebs.storage_class_plan import plan_storage_class
from eks_rocketmq.eks.iam import role_checks
from eks_rocketmq.eks.iam.oidc_provider_args import ClusterOidcProviderArgs
from eks_rocketmq.eks.network.load_balancer import NetworkLoadBalancerArgs, network_load_balancer
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.network.network_plan import plan_network
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.eks.nodes.node_plan import plan_nodes
from eks_rocketmq.rocketmq.access.access import AccessArgs
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack.component_args import read_component_args, reject_stack_args
from eks_rocketmq.stack.load_balancer_args import merge_load_balancer
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.rocketmq_checks import plan_with_all_errors
from eks_rocketmq.stack.secret_checks import protect_passwords
from eks_rocketmq.stack.stack_keys import CNI_SET_BY_STACK, KEYS
from eks_rocketmq.stack.stack_paths import (
    ACCESS,
    ADDONS,
    CLUSTER,
    EBS_CSI,
    LOAD_BALANCER,
    NETWORK,
    NODE_GROUPS,
    OIDC,
    ROCKETMQ,
    STORAGE,
)

_Values = Mapping[str, dict[str, Any]]
_Groups = Mapping[str, NodeGroupArgs]
_Stages = tuple[ClusterAddonsArgs, ClusterAddonsArgs]
NO_ROLE = "none"
"""Value of `cluster.roleArn` for a token without a role, although the AWS provider assumes one."""
_NO_ROLE_OF_STACK = {"existing": "uses the role that the addon has", "auto_mode": "needs no role"}
"""Arguments of `ebsCsi` with which the stack creates no role, with the reason."""
# Placeholders for values that only the program knows.
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


class AwsSettings(NamedTuple):
    """Settings of the stack's AWS provider, as far as they are known and not encrypted."""

    profile: str | None = None
    region: str | None = None
    account: str | None = None
    """The only account that the stack may use."""
    assumed_role: str | None = None
    """Last role that the provider assumes. It creates the cluster."""


class _ExistingClusterArgs(ExistingEksClusterArgs):
    """Arguments of an existing cluster. Errors suggest `version` for a similar name."""

    version: NotRequired[str]


def read_cluster(given: dict[str, Any], aws: AwsSettings) -> dict[str, Any]:
    """Return the arguments of the existing cluster, or with `version` of the new one."""
    is_new, errors = "version" in given, ErrorCollector()
    if not is_new:
        given = _remove_args_of_new_cluster(given, errors)
    defaults = {name: value for name, value in (("profile", aws.profile), ("role_arn", aws.assumed_role)) if value}
    args: Any = errors.attempt(
        read_component_args,
        CLUSTER,
        given,
        EksClusterArgs if is_new else _ExistingClusterArgs,
        KEYS["cluster"].set_by_stack if is_new else (),
        {**defaults, **(_NETWORK_IDS if is_new else {})},
    )
    errors.raise_errors()
    if args.get("role_arn") == NO_ROLE:
        del args["role_arn"]
    with errors_within(CLUSTER):
        validate_cluster_name(args["cluster_name"])
        if is_new:
            args = add_plan(args, plan_cluster(args))
        elif "role_arn" in args:
            parse_role_arn(args["role_arn"], ARGS / "role_arn")
    return args


def _remove_args_of_new_cluster(given: dict[str, Any], errors: ErrorCollector) -> dict[str, Any]:
    """Return the arguments without those that an existing cluster does not have. Each one is an error."""
    own = {*_ExistingClusterArgs.__annotations__, *KEYS["cluster"].set_by_stack}
    foreign = {to_camel_case(name): name for name in EksClusterArgs.__annotations__ if name not in own}
    for name in filter(foreign.__contains__, given):
        errors.add(
            ArgumentError(
                CLUSTER / foreign[name],
                "argument-of-new-cluster",
                "an existing cluster does not have this argument",
                remedy="Leave it out, or set {version} to create a cluster",
                version=CLUSTER / "version",
            )
        )
    return {name: value for name, value in given.items() if name not in foreign}


def read_new_cluster(values: _Values, cluster: EksClusterArgs) -> NewCluster:
    name, errors = cluster["cluster_name"], ErrorCollector()
    no_network: NetworkArgs = {}
    network, zones = errors.attempt(_read_network, values.get("network", {}), name) or (no_network, 3)
    groups = {
        f"nodes-{group}": errors.attempt(_read_node_group, group, given, name, zones)
        for group, given in values.get("nodeGroups", {}).items()
    }
    addons = errors.attempt(_read_addons, values.get("addons", {}), name)
    errors.raise_errors()
    return NewCluster(network, cluster, *cast("_Stages", addons), cast("_Groups", groups))


def _read_network(given: object, cluster: str) -> tuple[NetworkArgs, int]:
    """Return the arguments of the network and its number of zones."""
    own = KEYS["network"].set_by_stack
    args: NetworkArgs = read_component_args(NETWORK, given, NetworkArgs, own, {"cluster_name": cluster})
    with errors_within(NETWORK):
        plan = plan_network(args)
    return add_plan(args, plan), len(plan.private)


def _read_node_group(name: str, given: object, cluster: str, zones: int) -> NodeGroupArgs:
    path, own = NODE_GROUPS.key(name), KEYS["nodeGroups"].set_by_stack
    facts = {"cluster_name": cluster, "zone_count": zones, "subnet_ids": [f"subnet-{i}" for i in range(zones)]}
    args: NodeGroupArgs = read_component_args(path, given, NodeGroupArgs, own, facts)
    with errors_within(path):
        return add_plan(args, plan_nodes(f"nodes-{name}", args))


def _read_addons(given: Mapping[str, Any], cluster: str) -> tuple[ClusterAddonsArgs, ClusterAddonsArgs]:
    """Return the arguments of the add-ons before and after the nodes. Each add-on belongs to one of them."""
    facts = {"cluster_name": cluster, "stage": BEFORE_NODES, "kubernetes_version": _FACTS["kubernetes_version"]}
    errors, path, inner = ErrorCollector(), ADDONS / "vpc_cni", given.get("vpcCni", {})
    pod_network = errors.attempt(read_component_args, path, inner, VpcCniArgs, CNI_SET_BY_STACK, _CNI_FACTS)
    others = {key: value for key, value in given.items() if not (errors and key == "vpcCni")}
    own = KEYS["addons"].set_by_stack
    read = errors.attempt(read_component_args, ADDONS, others, ClusterAddonsArgs, own, facts)
    errors.raise_errors()
    args, cni = cast("ClusterAddonsArgs", read), cast("VpcCniArgs", pod_network)
    reject_duplicates([addon["name"] for addon in args.get("addons", [])], ADDONS / "addons")
    listed = {addon["name"]: addon for addon in args.get("addons", [])}
    stages: list[ClusterAddonsArgs] = []
    chosen: tuple[AddonStage, ...] = (BEFORE_NODES, AFTER_NODES)
    for stage in chosen:
        defaults = [listed.pop(name, {"name": name}) for name in DEFAULT_ADDONS[stage]]
        extra = [listed.pop(name) for name in list(listed) if (name in NODE_ADDONS) == (stage == BEFORE_NODES)]
        stages.append({**args, "stage": stage, "addons": [*defaults, *extra]})
    before, after = stages
    own_role: VpcCniArgs = {"role_name": role_checks.build_cluster_role_name(cluster, VPC_CNI)}
    before["vpc_cni"] = cni if cni.get("identity") == "node" else {**own_role, **cni}
    after.pop("vpc_cni", None)
    after.pop("pod_identity_agent", None)
    if "role_name" in before["vpc_cni"]:
        role_checks.validate_role_name(before["vpc_cni"]["role_name"], path / "role_name")
    with errors_within(ADDONS):
        return add_plan(before, plan_addons(before)), add_plan(after, plan_addons(after))


def read_oidc(given: object) -> ClusterOidcProviderArgs:
    own = KEYS["oidc"].set_by_stack
    args: ClusterOidcProviderArgs = read_component_args(
        OIDC, given, ClusterOidcProviderArgs, own, {"issuer": _FACTS["issuer"]}
    )
    with errors_within(OIDC):
        role_checks.validate_provider_audiences(args.get("client_ids", []))
        role_checks.validate_thumbprints(args.get("thumbprints", []))
    return args


def read_ebs_csi(given: Mapping[str, Any], cluster: str) -> EbsCsiAddonArgs:
    role = role_checks.build_cluster_role_name(cluster, "ebs-csi-driver")
    facts = {"cluster_name": cluster, "role_name": role, **_FACTS}
    args: EbsCsiAddonArgs = read_component_args(EBS_CSI, given, EbsCsiAddonArgs, KEYS["ebsCsi"].set_by_stack, facts)
    errors, plan = ErrorCollector(), None
    for kind, effect in _NO_ROLE_OF_STACK.items():
        # The component requires a name, so its own check cannot reject this argument.
        if args.get(kind) and "roleName" in given:
            errors.attempt(reject_ignored_args, args, ["role_name"], EBS_CSI, EBS_CSI / kind, effect)
    with errors.collect(within=EBS_CSI):
        role_checks.validate_role_name(args["role_name"], ARGS / "role_name")
        role_checks.validate_path(args.get("path", "/"))
        build_key_policy(cast("list[str]", args.get("kms_key_arns", [])))
        plan = plan_driver(args)
    errors.raise_errors()
    return add_plan(args, plan)


def grant_key(ebs_csi: EbsCsiAddonArgs, storage: EbsStorageClassArgs) -> EbsCsiAddonArgs:
    """Return the arguments of the driver with the key of the class. Without the key, every claim would stay Pending."""
    if "kms_key_id" not in storage or ebs_csi.get("existing") or ebs_csi.get("auto_mode"):
        return ebs_csi
    keys = dict.fromkeys([*ebs_csi.get("kms_key_arns", []), storage["kms_key_id"]])
    return complete_args(ebs_csi, kms_key_arns=list(keys))


def read_storage(given: object, driver: Mapping[str, Any]) -> EbsStorageClassArgs:
    defaults = {"auto_mode": bool(driver.get("autoMode", False))}
    own = KEYS["storage"].set_by_stack
    args: EbsStorageClassArgs = read_component_args(STORAGE, given, EbsStorageClassArgs, own, defaults)
    with errors_within(STORAGE):
        return add_plan(args, plan_storage_class(args))


def read_rocketmq(given: dict[str, Any], values: _Values, encrypted: Collection[str]) -> RocketMqArgs:
    errors = ErrorCollector()
    args = convert_from_camel_case(given, RocketMqArgs, ROCKETMQ, errors)
    errors.attempt(reject_stack_args, ROCKETMQ, given, ("storage_class",))
    for holder, path, name, own in (
        (args, ROCKETMQ, "access", ACCESS),
        (args.get("external"), ROCKETMQ / "external", "networkLoadBalancer", LOAD_BALANCER),
    ):
        if isinstance(holder, dict) and name in holder:
            del holder[name]
            errors.add(
                ArgumentError(path.unknown(name), "own-key", "this has its own key", remedy="Write {own}", own=own)
            )
            if holder is not args:
                # Without its load balancer, `external` has other errors.
                del args["external"]
    args["storage_class"] = "later"
    if "access" in values:
        args["access"] = convert_from_camel_case(values["access"], AccessArgs, ACCESS, errors)
        with errors.collect():
            validate_args(args["access"], AccessArgs, ACCESS)
            protect_passwords(args["access"], encrypted)
    if "networkLoadBalancer" in values:
        balancer = errors.attempt(
            read_component_args, LOAD_BALANCER, values["networkLoadBalancer"], NetworkLoadBalancerArgs
        )
        external = args.pop("external", {})
        errors.attempt(validate_args, external, ExternalArgs, ROCKETMQ / "external")
        with errors.collect(within=LOAD_BALANCER):
            network_load_balancer(cast("NetworkLoadBalancerArgs", balancer or {}))
        if balancer is not None and not errors and (merged := errors.attempt(merge_load_balancer, balancer, external)):
            args["external"] = merged
    # The plan would suggest arguments that have their own key.
    errors.attempt(validate_args, args, RocketMqArgs, ROCKETMQ, KEYS["rocketmq"].set_by_stack)
    args, plan = {name: value for name, value in args.items() if name in RocketMqArgs.__annotations__}, None
    with errors.collect(within=ROCKETMQ):
        plan = plan_with_all_errors(cast("RocketMqArgs", args))
    errors.raise_errors()
    return add_plan(cast("RocketMqArgs", args), plan)
