"""Component with all resources of a RocketMQ deployment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceHookBinding, ResourceOptions, get_stack

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.planned_args import get_plan
from eks_rocketmq.args.validation import validate_dns_subdomain
from eks_rocketmq.lookups.create_checks import describe_conflict, get_ownership_tags, reject_existing_object
from eks_rocketmq.lookups.kubernetes_provider import POD_TYPE, resolve_provider
from eks_rocketmq.pulumi_sdk.component import (
    child_options,
    collect_outputs,
    defer,
    spell_argument,
    type_token,
    validate_input,
    warn,
)
from eks_rocketmq.pulumi_sdk.documentation import documented
from eks_rocketmq.pulumi_sdk.sdk_internals import get_monitor, get_root_resource, runs_under_mocks
from eks_rocketmq.rocketmq.access.credentials import Credentials
from eks_rocketmq.rocketmq.dashboard.dashboard import Dashboard
from eks_rocketmq.rocketmq.declarations.declarations import Declarations
from eks_rocketmq.rocketmq.external.external_access import ExternalAccess
from eks_rocketmq.rocketmq.monitoring.monitoring import Monitoring
from eks_rocketmq.rocketmq.namespace.namespace_preflight import ENFORCE, build_pod_security_hooks
from eks_rocketmq.rocketmq.plan import RocketMqPlan, plan
from eks_rocketmq.rocketmq.pods import workload_resources
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.rocketmq.roles.broker_group import BrokerMembers, create_shared_config
from eks_rocketmq.rocketmq.roles.controllers import Controllers
from eks_rocketmq.rocketmq.roles.name_servers import NameServers
from eks_rocketmq.rocketmq.roles.proxies import Proxies

_NAMESPACES = "_rocketmq_namespaces"


@documented
class RocketMq(ComponentResource):
    """Apache RocketMQ in controller mode: name servers and controllers, then the broker groups, then the proxies.

    Invalid arguments raise a ValueError before the first resource is created, also at preview. An invalid value of an
    output raises a RunError as soon as the value is known.
    """

    namespace: Output[str]
    """Namespace of all objects."""
    name_server_addresses: Output[str]
    """Addresses of all name servers, as `host:port;host:port`, for admin tools. The network policies allow only
    RocketMQ's own pods; clients connect to the proxies."""
    proxy_endpoint: Output[str]
    """`host:port` for gRPC clients in the cluster."""
    passwords: Output[dict[str, str]]
    """Password of every user in `access`, as a secret. Empty without access control."""
    external_endpoint: Output[str | None]
    """`host:port` for gRPC clients outside the cluster, with `external`."""
    load_balancer_address: Output[str | None]
    """Host name or IP address of the load balancer of `external`, to which a DNS record of `hostname` points."""

    def __init__(self, name: str, args: RocketMqArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("RocketMq"), name, {}, opts)
        planned = _plan_and_warn(self, name, args)
        deployment, namespace = planned.deployment, _create_namespace(self, name, planned)

        name_servers = NameServers(
            f"{name}-nameserver", deployment, planned.name_servers, planned.groups, namespace, child_options(self)
        )
        classes = _resolve_storage_classes(
            args, validate_input(args["storage_class"], validate_dns_subdomain, ARGS / "storage_class")
        )
        controllers = Controllers(
            f"{name}-controller", deployment, planned.controllers, namespace, classes.controllers, child_options(self)
        )
        credentials = _create_credentials(self, name, planned, namespace)
        secrets = None if credentials is None else credentials.secrets
        internal = None if secrets is None else secrets.internal
        # A broker gets its role from the controllers, and serves no client before that.
        servers = name_servers, controllers
        groups = _create_broker_groups(self, name, planned, namespace, classes.groups, internal, servers)
        # A proxy exits if it finds no master at startup.
        proxies = Proxies(
            f"{name}-proxy",
            deployment,
            planned.proxies,
            planned.groups,
            namespace,
            internal,
            name_servers.host_aliases,
            child_options(self, depends_on=groups),
        )
        # Clients need the proxies and the declared topics, consumer groups and users.
        ready = list(proxies.ready)
        if planned.declared_files:
            # It deletes users that are no longer declared, including the internal user of an earlier generation.
            # Brokers and proxies must use the next internal user before that.
            options = child_options(self, depends_on=[*groups, proxies])
            ready += Declarations(
                f"{name}-declarations", deployment, planned.declared_files, namespace, secrets, options
            ).ready
        external = _create_optional_parts(self, name, planned, namespace, proxies)

        self.namespace = Output.from_input(namespace)
        self.name_server_addresses = defer(";".join(deployment.name_server_addresses), name_servers.ready)
        self.proxy_endpoint = defer(deployment.proxy_endpoint, ready)
        self.passwords = defer(Output.secret({}) if credentials is None else credentials.passwords, ready)
        self.external_endpoint = Output.from_input(None) if external is None else defer(external.endpoint, ready)
        self.load_balancer_address = Output.from_input(None) if external is None else external.load_balancer_address
        self.register_outputs(collect_outputs(self, RocketMq))


def _plan_and_warn(component: RocketMq, name: str, args: RocketMqArgs) -> RocketMqPlan:
    planned = get_plan(args, plan)
    _reject_second(component, name, planned.deployment.namespace)
    for warning in planned.warnings:
        warn(warning, component)
    return planned


def _reject_second(component: RocketMq, name: str, namespace: str) -> None:
    """Reject a second RocketMq in a namespace, because both would use the same object names.

    Raise ValueError if another RocketMq of this program has the namespace.
    """
    # The provider identifies the cluster. Without one, the root resource identifies the default provider.
    cluster = component.get_provider("kubernetes:core/v1:Namespace") or get_root_resource()
    if cluster is None:
        return
    # Tests with mocks create the same component several times: under new mocks, or under the same ones.
    key = get_monitor(), namespace
    first, existing = vars(cluster).setdefault(_NAMESPACES, {}).setdefault(key, (name, component))
    if existing is not component and not (first == name and runs_under_mocks()):
        raise ArgumentError(
            ARGS / "namespace",
            "namespace-of-another-rocketmq",
            "this program has RocketMq {first!r} in namespace {given!r} already, and their objects have the same names",
            accepted="one RocketMq in a namespace",
            remedy="Give {second!r} another namespace, or a provider of another cluster",
            given=namespace,
            first=first,
            second=name,
        )


@dataclass(frozen=True)
class _StorageClasses:
    """StorageClasses of the claims, by role."""

    controllers: Input[str]
    groups: Sequence[Input[str]]
    """In the order of the broker groups."""


def _resolve_storage_classes(args: RocketMqArgs, default: Input[str]) -> _StorageClasses:
    def resolve(given: Mapping[str, Any], path: ArgumentPath) -> Input[str]:
        class_name = given.get("storage_class")
        if class_name is None:
            return default
        return validate_input(class_name, validate_dns_subdomain, path / "storage_class")

    groups = ARGS / "broker_groups"
    return _StorageClasses(
        controllers=resolve(args.get("controllers", {}), ARGS / "controllers"),
        groups=[resolve(group, groups.index(i, group)) for i, group in enumerate(args["broker_groups"])],
    )


def _create_broker_groups(  # noqa: PLR0913, PLR0917 - outputs of the other parts
    parent: RocketMq,
    name: str,
    planned: RocketMqPlan,
    namespace: Input[str],
    storage_classes: Sequence[Input[str]],
    credentials: Input[str] | None,
    servers: tuple[NameServers, Controllers],
) -> list[BrokerMembers]:
    files = create_shared_config(parent, name, planned.deployment, namespace)
    groups: list[BrokerMembers] = []
    for group, storage_class in zip(planned.groups, storage_classes, strict=True):
        # A change of what all groups share rolls one group after the other, in the order of the arguments. If the
        # brokers of a group do not become ready, the later groups are not changed.
        options = child_options(parent, depends_on=[*servers, *groups[-1:]])
        groups.append(
            BrokerMembers(
                f"{name}-{group.name}",
                planned.deployment,
                group,
                namespace,
                storage_class,
                files,
                credentials,
                [alias for each in servers for alias in each.host_aliases],
                options,
            )
        )
    return groups


def _create_optional_parts(
    parent: RocketMq, name: str, planned: RocketMqPlan, namespace: Input[str], proxies: Proxies
) -> ExternalAccess | None:
    """Create the optional parts. Return the one for external clients, or None without external access."""
    deployment = planned.deployment
    if planned.monitoring is not None:
        Monitoring(
            f"{name}-monitoring",
            deployment,
            planned.monitoring,
            planned.alert_targets,
            namespace,
            child_options(parent),
        )
    if planned.dashboard is not None:
        Dashboard(f"{name}-dashboard", deployment, planned.dashboard, namespace, child_options(parent))
    if planned.external is None:
        return None
    # Pulumi waits until the Service has endpoints, and the load balancer waits for healthy targets. Both need ready
    # proxies.
    options = child_options(parent, depends_on=[proxies])
    return ExternalAccess(f"{name}-external", deployment, planned.external, namespace, options)


def _create_namespace(parent: RocketMq, name: str, planned: RocketMqPlan) -> Input[str]:
    if not planned.create_namespace:
        return planned.deployment.namespace
    existing = _reject_existing_namespace(parent, name)
    created = k8s.core.v1.Namespace(
        f"{name}-namespace",
        metadata=workload_resources.pass_manifest(
            {
                "name": planned.deployment.namespace,
                "labels": {**planned.deployment.labels, ENFORCE: planned.pod_security},
                "annotations": {**planned.deployment.annotations, **get_ownership_tags()},
            }
        ),
        opts=child_options(
            parent,
            # Deleting the namespace deletes every StatefulSet and claim in it. Setting `create_namespace` to false
            # deletes the namespace too.
            protect=planned.deployment.protect_data or None,
            hooks=ResourceHookBinding(
                before_create=existing.before_create if existing else None,
                before_update=build_pod_security_hooks(f"{name}-namespace", parent).before_update,
            ),
        ),
    )
    return created.metadata.apply(lambda metadata: str(metadata.name))


def _reject_existing_namespace(parent: RocketMq, name: str) -> ResourceHookBinding | None:
    """Return a hook that rejects an existing namespace, found in the cluster of the component's explicit provider."""
    provider = parent.get_provider(POD_TYPE)
    if provider is None:
        return None
    stack = get_stack()
    alternative = f"set {spell_argument(ARGS / 'create_namespace')} to false"
    return reject_existing_object(
        f"{name}-namespace",
        lambda: resolve_provider(provider),
        lambda type_, found: describe_conflict(type_, found, stack, alternative),
    )


def _create_credentials(
    parent: RocketMq, name: str, planned: RocketMqPlan, namespace: Input[str]
) -> Credentials | None:
    if planned.access is None:
        return None
    return Credentials(f"{name}-credentials", planned.deployment, planned.access, namespace, child_options(parent))
