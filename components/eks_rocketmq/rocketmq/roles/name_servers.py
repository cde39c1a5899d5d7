"""Component with the name servers, where brokers register and clients look up routes."""

from collections.abc import Sequence
from typing import Any

from pulumi import ComponentResource, Input, Resource, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import type_token
from eks_rocketmq.rocketmq.config.durability import get_registration_seconds
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import probes, workload_resources
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_spec import (
    CONFIG_DIRECTORY,
    NO_OPTIMIZING_COMPILER,
    Container,
    build_pod_spec,
    build_strict_spread,
)
from eks_rocketmq.rocketmq.roles.role_plans import BrokerGroupPlan, RolePlan

CONFIG_FILE = "namesrv.conf"
_PORTS = {"remoting": ports.NAME_SERVER}
_GRACE_SECONDS = 30

# Clients refresh routes every 30 s. The next name server stops only after all clients have found this one.
_MIN_READY_SECONDS = 35


class NameServers(ComponentResource):
    """StatefulSet, Services for each pod and for the ready ones, disruption budget and network policy."""

    host_aliases: list[dict[str, Any]]
    """Entries of the hosts files of brokers and proxies."""

    ready: list[Resource]
    """Resources to wait for before every name server is reachable under its host name."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans of the role
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: RolePlan,
        groups: Sequence[BrokerGroupPlan],
        namespace: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("NameServers"), name, {}, opts)
        scope = workload_resources.WorkloadScope(self, name, deployment, namespace, labels.NAME_SERVER)
        config = workload_resources.create_process_files(
            scope, {CONFIG_FILE: plan.config}, ready="name-server-ready.sh"
        )
        service = workload_resources.create_service(scope, _PORTS)
        self.host_aliases = [
            workload_resources.build_host_alias(service, deployment.ready_name_server.rpartition(":")[0]),
            *workload_resources.create_member_services(scope, plan.replicas, ports.NAME_SERVER),
        ]
        headless = workload_resources.create_peers_service(scope, _PORTS)
        workload_resources.create_disruption_budget(scope)
        workload_resources.create_network_policy(scope)
        servers = workload_resources.create_stateful_set(
            scope,
            plan.replicas,
            build_pod_spec(
                _build_container(deployment, plan, groups),
                [config],
                grace_period=_GRACE_SECONDS,
                placement=build_strict_spread(scope.selector, zones=None),
            ),
            config=plan.config,
            pods=plan.pods,
            headless=headless,
            min_ready_seconds=_MIN_READY_SECONDS,
        )
        self.ready = [headless, servers]
        self.register_outputs({})


def _build_container(deployment: DeploymentPlan, plan: RolePlan, groups: Sequence[BrokerGroupPlan]) -> Container:
    # A name server starts without routes. When it restarts, it becomes ready, and so appears in the Service, after the
    # brokers have registered. They know a new one only when they have restarted too.
    registration = max(get_registration_seconds(group.keys) for group in groups)
    return Container(
        role=labels.NAME_SERVER,
        main_class="org.apache.rocketmq.namesrv.NamesrvStartup",
        arguments=["-c", f"{CONFIG_DIRECTORY}/{CONFIG_FILE}"],
        image=deployment.image,
        version=deployment.version,
        memory=plan.memory,
        cpu=plan.cpu,
        pods=plan.pods,
        ports=_PORTS,
        agent=deployment.agent,
        probes=probes.build_server_probes(
            probes.NAME_SERVER.build_checks("name-server-ready.sh", agent=deployment.agent),
            ready_after=registration + 2,
        ),
        java_options=[NO_OPTIMIZING_COMPILER],
    )
