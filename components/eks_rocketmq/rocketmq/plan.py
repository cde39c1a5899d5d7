"""Plan of a RocketMQ deployment, validated before the first resource is created. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage
from eks_rocketmq.args.validation import (
    format_image_reference,
    parse_whole_number,
    reject_duplicates,
    validate_digest,
    validate_dns_label,
    validate_image,
    validate_known_name,
)
from eks_rocketmq.rocketmq import sizes, version_limits
from eks_rocketmq.rocketmq.access import access
from eks_rocketmq.rocketmq.config import broker_config, durability, tls
from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.dashboard.dashboard_plan import DashboardPlan
from eks_rocketmq.rocketmq.declarations import topics
from eks_rocketmq.rocketmq.external.external_plan import ExternalPlan
from eks_rocketmq.rocketmq.monitoring.alerts import AlertTargets
from eks_rocketmq.rocketmq.monitoring.monitoring_plan import MonitoringPlan
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.optional_parts import OptionalParts, plan_optional_parts
from eks_rocketmq.rocketmq.pods import pod_settings
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.rocketmq.roles.role_plans import (
    BrokerGroupPlan,
    RolePlan,
    SharedSettings,
    plan_broker_group,
    plan_controllers,
    plan_name_servers,
    plan_proxies,
    validate_replicas,
)

DEFAULT_VERSION = "5.5.0"
DEFAULT_IMAGE = "apache/rocketmq"


@dataclass(frozen=True)
class RocketMqPlan:
    """Validated plan of a RocketMQ deployment."""

    deployment: DeploymentPlan
    create_namespace: bool
    pod_security: str
    warnings: list[ArgumentMessage]
    """Arguments that are accepted and should be changed."""
    name_servers: RolePlan
    controllers: RolePlan
    groups: list[BrokerGroupPlan]
    proxies: RolePlan
    access: access.AccessPlan | None
    declared_files: dict[str, str]
    """Files that `scripts/declare.sh` reads, text by file name. Empty without declarations."""
    monitoring: MonitoringPlan | None
    external: ExternalPlan | None
    dashboard: DashboardPlan | None

    @property
    def alert_targets(self) -> AlertTargets:
        """Resources that the alert rules watch."""
        return AlertTargets(self.deployment.namespace, self.groups, self.controllers.replicas)


def plan(args: RocketMqArgs) -> RocketMqPlan:
    """Return the plan of the arguments.

    Raise ValueError for an argument that is not accepted.
    """
    validate_args(args, RocketMqArgs)
    namespace = validate_dns_label(args["namespace"], ARGS / "namespace")
    validate_known_name(args["storage_class"], ARGS / "storage_class")
    version = args.get("version", DEFAULT_VERSION)
    profile_name = args.get("profile", "strict")
    profile = durability.find_profile(profile_name)
    args = sizes.apply_default_sizes(args, profile_name)
    min_in_sync = parse_whole_number(
        args.get("min_in_sync_replicas", profile.min_in_sync), ARGS / "min_in_sync_replicas"
    )
    optional = plan_optional_parts(args)
    access_plan = access.plan_access(args["access"]) if "access" in args else None
    shared = SharedSettings(
        version=version,
        profile=profile_name,
        min_in_sync=min_in_sync,
        common_pods=pod_settings.plan_image_pull(args),
        pods=args.get("pods", {}),
        fixed_keys=optional.fixed_keys,
        agent=args.get("agent", True),
    )
    deployment = _plan_deployment(args, namespace, shared, access_plan, optional)
    name_servers = plan_name_servers(args["name_servers"], shared)
    controllers = plan_controllers(args["controllers"], shared, deployment.controller_addresses)
    groups = _plan_broker_groups(args, shared, deployment, access_plan)
    proxies = plan_proxies(
        args["proxies"],
        shared,
        deployment,
        access_keys=access.build_proxy_keys(access_plan),
        external_keys=optional.proxy_keys,
    )
    return RocketMqPlan(
        deployment=deployment,
        create_namespace=args.get("create_namespace", True),
        pod_security=pod_settings.plan_pod_security(args),
        # By now every key and the type of its value are validated.
        warnings=[*_list_config_warnings(args, version), *version_limits.list_version_warnings(version, args)],
        name_servers=name_servers,
        controllers=controllers,
        groups=groups,
        proxies=proxies,
        access=access_plan,
        declared_files=_render_declarations(args, groups, deployment),
        monitoring=optional.monitoring,
        external=optional.external,
        dashboard=optional.dashboard,
    )


def _plan_deployment(
    args: RocketMqArgs,
    namespace: str,
    shared: SharedSettings,
    access_plan: access.AccessPlan | None,
    optional: OptionalParts,
) -> DeploymentPlan:
    quorum = validate_replicas(args["controllers"], ARGS / "controllers")
    durability.check_quorum(shared.profile, quorum)
    name_servers = validate_replicas(args["name_servers"], ARGS / "name_servers")
    return DeploymentPlan(
        namespace=namespace,
        version=shared.version,
        image=_build_image_reference(args, shared.version),
        zones=durability.find_profile(shared.profile).zones,
        labels=pod_settings.validate_custom_labels(args.get("labels", {}), ARGS / "labels"),
        annotations=pod_settings.validate_annotations(args.get("annotations", {}), ARGS / "annotations"),
        protect_data=args.get("protect_data", True),
        name_server_addresses=_list_addresses(labels.NAME_SERVER, name_servers, namespace, ports.NAME_SERVER),
        controller_addresses=_list_addresses(labels.CONTROLLER, quorum, namespace, ports.CONTROLLER),
        tls=tls.plan_tls(args["tls"]) if "tls" in args else None,
        access_annotations=access_plan.annotations if access_plan else {},
        network=optional.network,
        other_pods=pod_settings.plan_role_pods(shared.common_pods, [(ARGS / "pods", shared.pods)]),
        optional_roles=_list_optional_roles(args, optional),
        agent=shared.agent,
    )


def _list_optional_roles(args: RocketMqArgs, optional: OptionalParts) -> frozenset[str]:
    declared = any(args.get(key) for key in ("topics", "consumer_groups")) or "access" in args
    wanted = {labels.DECLARATIONS: declared, labels.DASHBOARD: optional.dashboard is not None}
    return frozenset(role for role, exists in wanted.items() if exists)


def _plan_broker_groups(
    args: RocketMqArgs, shared: SharedSettings, deployment: DeploymentPlan, access_plan: access.AccessPlan | None
) -> list[BrokerGroupPlan]:
    keys: dict[str, Value] = {
        "namesrvAddr": ";".join(deployment.name_server_addresses),
        "controllerAddr": ";".join(deployment.controller_addresses),
        **access.build_broker_keys(access_plan),
    }
    path = ARGS / "broker_groups"
    groups = [
        plan_broker_group(group, shared, keys, path.index(i, group)) for i, group in enumerate(args["broker_groups"])
    ]
    if not groups:
        raise ArgumentError(path, "no-broker-group", "the list is empty", accepted="one group or more")
    reject_duplicates([group.name for group in groups], path)
    return groups


def _list_config_warnings(args: RocketMqArgs, version: str) -> list[ArgumentMessage]:
    groups = ARGS / "broker_groups"
    roles: list[tuple[str, ArgumentPath, Mapping[str, Any]]] = [
        *(("broker", groups.index(i, group), group) for i, group in enumerate(args["broker_groups"])),
        ("name_server", ARGS / "name_servers", args["name_servers"]),
        ("controller", ARGS / "controllers", args["controllers"]),
        ("proxy", ARGS / "proxies", args["proxies"]),
    ]
    agent = bool(args.get("agent", True))
    return [
        warning
        for role, path, given in roles
        for warning in [
            *broker_config.list_key_warnings(version, role, given.get("config", {}), path / "config"),
            *durability.list_timer_warnings(role, given.get("config", {}), path / "config"),
            *durability.list_flush_warnings(given.get("config", {}), path / "config", agent=agent),
        ]
    ]


def _list_addresses(role: str, replicas: int, namespace: str, port: int) -> list[str]:
    return [f"{host}:{port}" for host in labels.list_pod_hosts(labels.format_app_label(role), replicas, namespace)]


def _build_image_reference(args: RocketMqArgs, version: str) -> str:
    pinned = validate_digest(args["image_digest"], ARGS / "image_digest") if "image_digest" in args else None
    return format_image_reference(validate_image(args.get("image", DEFAULT_IMAGE), ARGS / "image"), version, pinned)


def _render_declarations(
    args: RocketMqArgs, groups: list[BrokerGroupPlan], deployment: DeploymentPlan
) -> dict[str, str]:
    if labels.DECLARATIONS not in deployment.optional_roles:
        return {}
    members = {
        group.name: [
            f"{host}:{ports.BROKER}"
            for host in labels.list_pod_hosts(
                labels.format_set_name(group.name), group.role.replicas, deployment.namespace
            )
        ]
        for group in groups
    }
    mixed = all(group.keys.get("enableMixedMessageType") is True for group in groups)
    declared = topics.plan_topics(
        args.get("topics", []), list(members), deployment.version, labels.CLUSTER, mixed=mixed
    )
    consumer_groups = topics.plan_consumer_groups(args.get("consumer_groups", []))
    return topics.render_declarations(members, declared, consumer_groups)
