"""The whole RocketMQ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, Resource, ResourceHookBinding, ResourceOptions, get_stack

from eks_rocketmq.args.validation import dns_subdomain
from eks_rocketmq.lookups.create_checks import ownership_tags, refuse_existing_object, three_ways
from eks_rocketmq.pulumi_sdk.component import after, checked, child_options, type_token, warn
from eks_rocketmq.pulumi_sdk.documentation import documented
from eks_rocketmq.pulumi_sdk.sdk_internals import get_root_resource
from eks_rocketmq.rocketmq.access.credentials import Credentials
from eks_rocketmq.rocketmq.dashboard.dashboard import Dashboard
from eks_rocketmq.rocketmq.declarations.declarations import Declarations
from eks_rocketmq.rocketmq.external.external_access import ExternalAccess
from eks_rocketmq.rocketmq.monitoring.monitoring import Monitoring
from eks_rocketmq.rocketmq.namespace.namespace_preflight import ENFORCE, refuse_unfit_pods
from eks_rocketmq.rocketmq.plan import RocketMqPlan, plan
from eks_rocketmq.rocketmq.pods import workload_objects
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.rocketmq.roles.broker_group import BrokerMembers, shared_files
from eks_rocketmq.rocketmq.roles.controllers import Controllers
from eks_rocketmq.rocketmq.roles.name_servers import NameServers
from eks_rocketmq.rocketmq.roles.proxies import Proxies

_NAMESPACES = "_rocketmq_namespaces"


@documented
class RocketMq(ComponentResource):
    """Apache RocketMQ in controller mode: name servers and controllers, then the broker groups, then the proxies.

    Arguments that cannot be are refused with a ValueError before the first resource, so at preview already.
    """

    namespace: Output[str]
    """Namespace of all objects."""
    name_server_addresses: Output[str]
    """Every name server, as `host:port;host:port`: what admin tools take. The network policies let in RocketMQ's own
    pods only; clients go through the proxies."""
    proxy_endpoint: Output[str]
    """`host:port` for gRPC clients in the cluster."""
    passwords: Output[dict[str, str]]
    """Password of every user of `access`, a secret; empty without access control."""
    external_endpoint: Output[str | None]
    """`host:port` for gRPC clients outside of the cluster, with `external`."""

    def __init__(self, name: str, args: RocketMqArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("RocketMq"), name, {}, opts)
        planned = _planned(self, name, args)
        common, namespace = planned.deployment, _namespace(self, name, planned)

        name_servers = NameServers(
            f"{name}-nameserver", common, planned.name_servers, planned.groups, namespace, child_options(self)
        )
        classes = _storage_classes(args, checked(args["storage_class"], dns_subdomain, "storage_class"))
        controllers = Controllers(
            f"{name}-controller", common, planned.controllers, namespace, classes.controllers, child_options(self)
        )
        credentials = _credentials(self, name, planned, namespace)
        secrets = None if credentials is None else credentials.secrets
        internal = None if secrets is None else secrets.internal
        # A broker gets its role from the controllers. It serves no client before that.
        servers = [name_servers, controllers]
        groups = _broker_groups(self, name, planned, namespace, classes.groups, internal, servers)
        # A proxy that finds no master at its start exits.
        proxies = Proxies(
            f"{name}-proxy",
            common,
            planned.proxies,
            planned.groups,
            namespace,
            internal,
            child_options(self, depends_on=groups),
        )
        # Clients need the proxies, and find what was declared: topics, consumer groups, users.
        ready = list(proxies.ready)
        if planned.declared_files:
            # It takes away users that are no longer declared, RocketMQ's own of an earlier generation among them:
            # brokers and proxies must have gone over to the next one.
            options = child_options(self, depends_on=[*groups, proxies])
            ready += Declarations(
                f"{name}-declarations", common, planned.declared_files, namespace, secrets, options
            ).ready
        external = _optional_parts(self, name, planned, namespace, proxies)

        self.namespace = Output.from_input(namespace)
        self.name_server_addresses = after(";".join(common.name_server_addresses), name_servers.ready)
        self.proxy_endpoint = after(common.proxy_endpoint, ready)
        self.passwords = after(Output.secret({}) if credentials is None else credentials.passwords, ready)
        self.external_endpoint = Output.from_input(None) if external is None else after(external, ready)
        self.register_outputs(
            {
                "namespace": self.namespace,
                "nameServerAddresses": self.name_server_addresses,
                "proxyEndpoint": self.proxy_endpoint,
                "passwords": self.passwords,
                "externalEndpoint": self.external_endpoint,
            }
        )


def _planned(component: RocketMq, name: str, args: RocketMqArgs) -> RocketMqPlan:
    planned = plan(args)
    _refuse_second(component, name, planned.deployment.namespace)
    for warning in planned.warnings:
        warn(warning, component)
    return planned


def _refuse_second(component: RocketMq, name: str, namespace: str) -> None:
    """Refuse a second RocketMq in a namespace: both would have objects of the same names.

    Raises:
        ValueError: naming both.
    """
    # The cluster is the provider's; without one, that of the default provider, which the program has once.
    cluster = component.get_provider("kubernetes:core/v1:Namespace") or get_root_resource()
    if cluster is None:
        return
    first, made = vars(cluster).setdefault(_NAMESPACES, {}).setdefault(namespace, (name, component))
    if made is not component:
        msg = (
            f"namespace is {namespace!r}, in which this program has RocketMq {first!r} already, and their objects have "
            f"the same names; accepted is one in a namespace: give {name!r} another one, or a provider of another "
            "cluster"
        )
        raise ValueError(msg)


@dataclass(frozen=True)
class _StorageClasses:
    """StorageClass of the claims of each role."""

    controllers: Input[str]
    groups: Sequence[Input[str]]
    """In the order of the broker groups."""


def _storage_classes(args: RocketMqArgs, default: Input[str]) -> _StorageClasses:
    def class_of(given: Mapping[str, Any], what: str) -> Input[str]:
        own = given.get("storage_class")
        return default if own is None else checked(own, dns_subdomain, f"{what}.storage_class")

    return _StorageClasses(
        controllers=class_of(args.get("controllers", {}), "controllers"),
        groups=[class_of(group, f"broker_groups[{group['name']!r}]") for group in args["broker_groups"]],
    )


def _broker_groups(  # noqa: PLR0913, PLR0917 - what the groups need of the other parts
    parent: RocketMq,
    name: str,
    planned: RocketMqPlan,
    namespace: Input[str],
    storage_classes: Sequence[Input[str]],
    credentials: Input[str] | None,
    servers: Sequence[Resource],
) -> list[BrokerMembers]:
    files = shared_files(parent, name, planned.deployment, namespace)
    return [
        BrokerMembers(
            f"{name}-{group.name}",
            planned.deployment,
            group,
            namespace,
            storage_class,
            files,
            credentials,
            child_options(parent, depends_on=servers),
        )
        for group, storage_class in zip(planned.groups, storage_classes, strict=True)
    ]


def _optional_parts(
    parent: RocketMq, name: str, planned: RocketMqPlan, namespace: Input[str], proxies: Proxies
) -> Output[str] | None:
    """Makes what is optional; the result is the endpoint for clients from outside."""
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
    # Pulumi waits until the Service has endpoints, and the load balancer until its targets are healthy: ready proxies.
    options = child_options(parent, depends_on=[proxies])
    return ExternalAccess(f"{name}-external", deployment, planned.external, namespace, options).endpoint


def _namespace(parent: RocketMq, name: str, planned: RocketMqPlan) -> Input[str]:
    if not planned.create_namespace:
        return planned.deployment.namespace
    existing = _refuse_existing_namespace(parent, name)
    made = k8s.core.v1.Namespace(
        f"{name}-namespace",
        metadata=workload_objects.raw(
            {
                "name": planned.deployment.namespace,
                "labels": {**planned.deployment.labels, ENFORCE: planned.pod_security},
                "annotations": {**planned.deployment.annotations, **ownership_tags()},
            }
        ),
        opts=child_options(
            parent,
            # It takes every set and claim along when it goes, so also when `create_namespace` is turned off.
            protect=planned.deployment.protect_data or None,
            hooks=ResourceHookBinding(
                before_create=existing.before_create if existing else None,
                before_update=refuse_unfit_pods(f"{name}-namespace", parent).before_update,
            ),
        ),
    )
    return made.metadata.apply(lambda metadata: str(metadata.name))


def _refuse_existing_namespace(parent: RocketMq, name: str) -> ResourceHookBinding | None:
    """Asks the cluster of the provider that the component was given; without one nobody knows where to ask."""
    stack = get_stack()
    way = "RocketMq with create_namespace=False (the program's setting `createNamespace: false`)"
    kubeconfig = getattr(parent.get_provider("kubernetes:core/v1:Namespace"), "kubeconfig", None)
    return refuse_existing_object(
        f"{name}-namespace", kubeconfig, lambda type_, found: three_ways(type_, found, stack, way)
    )


def _credentials(parent: RocketMq, name: str, planned: RocketMqPlan, namespace: Input[str]) -> Credentials | None:
    if planned.access is None:
        return None
    return Credentials(f"{name}-credentials", planned.deployment, planned.access, namespace, child_options(parent))
