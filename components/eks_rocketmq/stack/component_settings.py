"""Arguments of each component from its key of the stack file, each with its plan. Pure, without encrypted passwords."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, NotRequired, cast

from eks_rocketmq.args.arg_schema import convert_from_camel_case, validate_args
from eks_rocketmq.args.argument_path import ARGS, Index, to_camel_case
from eks_rocketmq.args.aws_identifiers import parse_role_arn, validate_cluster_name
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector
from eks_rocketmq.args.planned_args import add_plan, complete_args, get_plan
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
from eks_rocketmq.eks.ebs.driver_plan import DriverPlan, plan_driver
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
from eks_rocketmq.rocketmq.plan import RocketMqPlan
from eks_rocketmq.rocketmq.plan import plan as plan_rocketmq
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack.all_errors import StandIn, plan_with_all_errors
from eks_rocketmq.stack.component_args import read_component, reject_stack_args
from eks_rocketmq.stack.load_balancer_args import merge_load_balancer
from eks_rocketmq.stack.new_cluster import NewCluster
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
    get_setting_path,
)

_Values = Mapping[str, dict[str, Any]]
_Groups = Mapping[str, NodeGroupArgs]
_Stages = tuple[ClusterAddonsArgs, ClusterAddonsArgs]
NO_ROLE = "none"
"""Value of `cluster.roleArn` for a token without a role, although the AWS provider assumes one."""
_NO_ROLE_OF_STACK = {"existing": "uses the role that the addon has", "auto_mode": "needs no role"}
"""Arguments of `ebsCsi` that make a role of the stack needless, each with the reason."""
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
    own_identity: str = ""
    """Setting that gives the provider an identity of its own, which `aws eks get-token` does not get from it."""


class _ExistingClusterArgs(ExistingEksClusterArgs):
    """Arguments of an existing cluster. Errors suggest `version` for a similar name."""

    version: NotRequired[str]


def read_cluster(given: dict[str, Any], aws: AwsSettings) -> dict[str, Any]:
    """Return the arguments of the existing cluster, or with `version` of the new one."""
    is_new, errors = "version" in given, ErrorCollector()
    if not is_new:
        given = _remove_args_of_new_cluster(given, errors)
    defaults = {name: value for name, value in (("profile", aws.profile), ("role_arn", aws.assumed_role)) if value}
    if given.get("roleArn") == NO_ROLE:
        given = {name: value for name, value in given.items() if name != "roleArn"}
        defaults.pop("role_arn", None)
    elif is_new and aws.own_identity and "role_arn" not in defaults and "roleArn" not in given:
        errors.add(_build_identity_error(aws.own_identity))
    args: Any = None
    with errors.collect():
        args = read_component(
            CLUSTER,
            given,
            EksClusterArgs if is_new else _ExistingClusterArgs,
            plan_cluster if is_new else _check_existing_cluster,
            set_by_stack=KEYS["cluster"].set_by_stack if is_new else (),
            defaults={**defaults, **(_NETWORK_IDS if is_new else {})},
            stand_ins={"cluster_name": lambda *_: "cluster", "version": lambda *_: "1.35"},
        )
    errors.raise_errors()
    return args


def _build_identity_error(setting: str) -> ArgumentError:
    """Return the error for a new cluster that only the AWS provider could use, and the Kubernetes provider not."""
    return ArgumentError(
        CLUSTER / "role_arn",
        "token-of-another-identity",
        "a value is required, because {setting} applies to the AWS provider, which creates the cluster, but not to "
        "`aws eks get-token`, which gets the token for it",
        accepted="the ARN of a role with access to the cluster, or 'none' if the environment has the identity of "
        "{setting}",
        remedy="Set it, or put the identity into the environment or a profile, and leave {setting} out",
        setting=get_setting_path(setting),
    )


def _check_existing_cluster(args: ExistingEksClusterArgs) -> None:
    validate_cluster_name(args["cluster_name"])
    if "role_arn" in args:
        parse_role_arn(args["role_arn"], ARGS / "role_arn")


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
    network = errors.attempt(_read_network, values.get("network", {}), cluster)
    zones = 3 if network is None else len(get_plan(network, plan_network).private)
    groups = {
        f"nodes-{group}": errors.attempt(_read_node_group, group, given, name, zones)
        for group, given in values.get("nodeGroups", {}).items()
    }
    addons = errors.attempt(_read_addons, values.get("addons", {}), name)
    errors.raise_errors()
    return NewCluster(cast("NetworkArgs", network), cluster, *cast("_Stages", addons), cast("_Groups", groups))


def _read_network(given: object, cluster: EksClusterArgs) -> NetworkArgs:
    own = KEYS["network"].set_by_stack
    defaults = {
        "cluster_name": cluster["cluster_name"],
        "deletion_protection": cluster.get("deletion_protection", True),
    }
    return read_component(NETWORK, given, NetworkArgs, plan_network, set_by_stack=own, defaults=defaults)


def _read_node_group(name: str, given: object, cluster: str, zones: int) -> NodeGroupArgs:
    facts = {"cluster_name": cluster, "zone_count": zones, "subnet_ids": [f"subnet-{i}" for i in range(zones)]}
    return read_component(
        NODE_GROUPS.key(name),
        given,
        NodeGroupArgs,
        partial(plan_nodes, f"nodes-{name}"),
        set_by_stack=KEYS["nodeGroups"].set_by_stack,
        defaults=facts,
        stand_ins={"instance_types": lambda *_: ["m7i.large"]},
    )


def _read_addons(given: Mapping[str, Any], cluster: str) -> tuple[ClusterAddonsArgs, ClusterAddonsArgs]:
    """Return the arguments of the addons before and after the nodes. Each addon belongs to one of them."""
    facts = {"cluster_name": cluster, "stage": BEFORE_NODES, "kubernetes_version": _FACTS["kubernetes_version"]}
    errors, path = ErrorCollector(), ADDONS / "vpc_cni"
    with errors.collect():
        inner = given.get("vpcCni", {})
        errors.attempt(reject_stack_args, path, inner, CNI_SET_BY_STACK)
        validate_args(convert_from_camel_case(inner, VpcCniArgs, path, errors), VpcCniArgs, path, CNI_SET_BY_STACK)
    others = {key: value for key, value in given.items() if not (errors and key == "vpcCni")}
    plan, own = partial(_plan_addon_stages, cluster), KEYS["addons"].set_by_stack
    args: Any = None
    with errors.collect():
        args = read_component(ADDONS, others, ClusterAddonsArgs, plan, set_by_stack=own, defaults=facts)
    errors.raise_errors()
    return get_plan(args, plan)


def _plan_addon_stages(cluster: str, args: ClusterAddonsArgs) -> tuple[ClusterAddonsArgs, ClusterAddonsArgs]:
    reject_duplicates([addon["name"] for addon in args.get("addons", [])], ARGS / "addons")
    listed = {addon["name"]: addon for addon in args.get("addons", [])}
    stages: list[ClusterAddonsArgs] = []
    chosen: tuple[AddonStage, ...] = (BEFORE_NODES, AFTER_NODES)
    for stage in chosen:
        defaults = [listed.pop(name, {"name": name}) for name in DEFAULT_ADDONS[stage]]
        extra = [listed.pop(name) for name in list(listed) if (name in NODE_ADDONS) == (stage == BEFORE_NODES)]
        stages.append({**args, "stage": stage, "addons": [*defaults, *extra]})
    before, after = stages
    role: VpcCniArgs = {"role_name": role_checks.build_cluster_role_name(cluster, VPC_CNI)}
    cni: VpcCniArgs = {**_CNI_FACTS, **args.get("vpc_cni", {})}
    before["vpc_cni"] = cni if cni.get("identity") == "node" else {**role, **cni}
    after.pop("vpc_cni", None)
    after.pop("pod_identity_agent", None)
    if "role_name" in before["vpc_cni"]:
        role_checks.validate_role_name(before["vpc_cni"]["role_name"], ARGS / "vpc_cni" / "role_name")
    return add_plan(before, plan_addons(before)), add_plan(after, plan_addons(after))


def read_oidc(given: object) -> ClusterOidcProviderArgs:
    """Return the arguments of the OIDC provider."""
    own, facts = KEYS["oidc"].set_by_stack, {"issuer": _FACTS["issuer"]}
    return read_component(
        OIDC, given, ClusterOidcProviderArgs, role_checks.validate_provider, set_by_stack=own, defaults=facts
    )


def read_ebs_csi(given: Mapping[str, Any], cluster: str) -> EbsCsiAddonArgs:
    """Return the arguments of the EBS CSI driver."""
    role = role_checks.build_cluster_role_name(cluster, "ebs-csi-driver")
    facts = {"cluster_name": cluster, "role_name": role, **_FACTS}
    own = KEYS["ebsCsi"].set_by_stack

    def plan(args: EbsCsiAddonArgs) -> DriverPlan:
        for kind, effect in _NO_ROLE_OF_STACK.items():
            # The component requires a name, so its own check cannot reject this argument.
            if args.get(kind) and args["role_name"] != role:
                reject_ignored_args(args, ["role_name"], ARGS, ARGS / kind, effect)
        role_checks.validate_role_name(args["role_name"], ARGS / "role_name")
        role_checks.validate_path(args.get("path", "/"))
        build_key_policy(cast("list[str]", args.get("kms_key_arns", [])))
        return plan_driver(args)

    return read_component(EBS_CSI, given, EbsCsiAddonArgs, plan, set_by_stack=own, defaults=facts)


def grant_key(ebs_csi: EbsCsiAddonArgs, storage: EbsStorageClassArgs) -> EbsCsiAddonArgs:
    """Return the arguments of the driver with the key of the class. Without the key, every claim would stay Pending."""
    if "kms_key_id" not in storage or ebs_csi.get("existing") or ebs_csi.get("auto_mode"):
        return ebs_csi
    keys = dict.fromkeys([*ebs_csi.get("kms_key_arns", []), storage["kms_key_id"]])
    return complete_args(ebs_csi, kms_key_arns=list(keys))


def read_storage(given: object, driver: Mapping[str, Any]) -> EbsStorageClassArgs:
    """Return the arguments of the StorageClass."""
    own, defaults = KEYS["storage"].set_by_stack, {"auto_mode": bool(driver.get("autoMode", False))}
    return read_component(STORAGE, given, EbsStorageClassArgs, plan_storage_class, set_by_stack=own, defaults=defaults)


def read_rocketmq(given: dict[str, Any], values: _Values, encrypted: Collection[str]) -> RocketMqArgs:
    """Return the arguments of RocketMQ, with those that have a key of their own."""
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
        balancer: NetworkLoadBalancerArgs | None = None
        with errors.collect():
            balancer = read_component(
                LOAD_BALANCER, values["networkLoadBalancer"], NetworkLoadBalancerArgs, network_load_balancer
            )
        external = args.pop("external", {})
        errors.attempt(validate_args, external, ExternalArgs, ROCKETMQ / "external")
        if balancer is not None and not errors and (merged := errors.attempt(merge_load_balancer, balancer, external)):
            args["external"] = merged
    rocketmq_plan: RocketMqPlan | None = None
    with errors.collect(within=ROCKETMQ):
        own = KEYS["rocketmq"].set_by_stack
        rocketmq_plan = plan_with_all_errors(args, RocketMqArgs, plan_rocketmq, own, _ROCKETMQ_STAND_INS)
    errors.raise_errors()
    return add_plan(cast("RocketMqArgs", args), rocketmq_plan)


def _build_valid_groups(groups: object, steps: Sequence[object]) -> list[Any]:
    """Return the broker groups without the settings of the group that the path names, or of all groups."""
    if not isinstance(groups, list) or not groups:
        return [{"name": "broker-a"}]
    faulty = steps[0].index if steps and isinstance(steps[0], Index) else None
    return [{"name": _get_name(group, i)} if faulty in (None, i) else group for i, group in enumerate(groups)]


def _get_name(group: object, index: int) -> str:
    name = group.get("name") if isinstance(group, dict) else None
    return name if isinstance(name, str) else f"broker-{index}"


_ROCKETMQ_STAND_INS: Mapping[str, StandIn] = {
    "namespace": lambda *_: "rocketmq",
    "broker_groups": _build_valid_groups,
}
