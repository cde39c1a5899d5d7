"""The name servers: where brokers register and clients ask."""

from collections.abc import Sequence

from pulumi import ComponentResource, Input, Resource, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import type_token
from eks_rocketmq.rocketmq.config.durability import registration_seconds
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import probes, workload_objects
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_spec import CONFIG_DIRECTORY, Container, apart, pod
from eks_rocketmq.rocketmq.roles.role_plans import BrokerGroupPlan, RolePlan

CONFIG_FILE = "namesrv.conf"
_PORTS = {"remoting": ports.NAME_SERVER}
_GRACE_SECONDS = 30

# Clients ask again after 30 s: the next name server goes only when all of them have found this one.
_MIN_READY_SECONDS = 35


class NameServers(ComponentResource):
    """A StatefulSet, host names for each, one address for those that answer, a disruption budget and a policy."""

    ready: list[Resource]
    """Resources that exist, and are ready, when every name server can be reached under its host name."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans that concern the role
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: RolePlan,
        groups: Sequence[BrokerGroupPlan],
        namespace: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("NameServers"), name, {}, opts)
        scope = workload_objects.WorkloadScope(self, name, deployment, namespace, labels.NAME_SERVER)
        config = workload_objects.config_map(
            scope,
            {
                CONFIG_FILE: plan.config,
                **workload_objects.LOGGING,
                **probes.scripts("ask.sh", "alive.sh", "name-server-ready.sh"),
            },
        )
        workload_objects.service(scope, _PORTS)
        headless = workload_objects.peers_service(scope, _PORTS)
        workload_objects.disruption_budget(scope)
        workload_objects.network_policy(scope)
        servers = workload_objects.stateful_set(
            scope,
            plan.replicas,
            pod(
                _container(deployment, plan, groups),
                [config],
                grace_period=_GRACE_SECONDS,
                placement=apart(scope.selector, zones=None),
            ),
            pods=plan.pods,
            headless=headless,
            min_ready_seconds=_MIN_READY_SECONDS,
        )
        self.ready = [headless, servers]
        self.register_outputs({})


def _container(deployment: DeploymentPlan, plan: RolePlan, groups: Sequence[BrokerGroupPlan]) -> Container:
    # A name server starts empty. Behind the Service for those that answer it appears when the brokers have registered.
    registration = max(registration_seconds(group.keys) for group in groups)
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
        probes=probes.server_probes(
            ports.NAME_SERVER,
            probes.NAME_SERVER.running(),
            probes.run("name-server-ready.sh", f"127.0.0.1:{ports.NAME_SERVER}"),
            ready_after=registration + 2,
        ),
    )
