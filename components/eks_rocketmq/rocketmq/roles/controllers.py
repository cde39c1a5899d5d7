"""Component with the controllers: a Raft quorum that elects the master of every broker group."""

from typing import Any

from pulumi import ComponentResource, Input, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import type_token
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import probes, workload_resources
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_spec import (
    CONFIG_DIRECTORY,
    DATA_MOUNT,
    NO_OPTIMIZING_COMPILER,
    RUN_DIRECTORY,
    RUN_MOUNT,
    Container,
    build_pod_spec,
    build_strict_spread,
)
from eks_rocketmq.rocketmq.roles.role_plans import CONTROLLER_DIRECTORY, RolePlan

CONFIG_FILE = "controller.conf"
_PORTS = {"remoting": ports.CONTROLLER, "metrics": ports.METRICS}
_GRACE_SECONDS = 30
# A restarted controller catches up with the Raft log. With the agent it is ready when it has.
_MIN_READY_SECONDS = 10


class Controllers(ComponentResource):
    """StatefulSet with a claim per pod, Services for each pod, disruption budget and network policy."""

    host_aliases: list[dict[str, Any]]
    """Entries of the hosts files of the brokers."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans of the role
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: RolePlan,
        namespace: Input[str],
        storage_class: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Controllers"), name, {}, opts)
        scope = workload_resources.WorkloadScope(self, name, deployment, namespace, labels.CONTROLLER)
        scripts = ("controller-start.sh", "render-config.sh")
        config = workload_resources.create_process_files(
            scope, {CONFIG_FILE: plan.config}, *scripts, ready="controller-ready.sh"
        )
        headless = workload_resources.create_peers_service(scope, _PORTS)
        self.host_aliases = workload_resources.create_member_services(scope, plan.replicas, ports.CONTROLLER)
        workload_resources.create_disruption_budget(scope)
        workload_resources.create_network_policy(scope)
        workload_resources.create_stateful_set(
            scope,
            plan.replicas,
            build_pod_spec(
                _build_container(deployment, plan),
                [config],
                grace_period=_GRACE_SECONDS,
                placement=build_strict_spread(scope.selector, zones=min(deployment.zones, plan.replicas)),
                rendered_file=CONFIG_FILE,
                host_aliases=self.host_aliases,
            ),
            config=plan.config,
            pods=plan.pods,
            headless=headless,
            claim=workload_resources.build_claim(storage_class, plan.storage),
            min_ready_seconds=0 if deployment.agent else _MIN_READY_SECONDS,
            protect=deployment.protect_data,
        )
        self.register_outputs({})


def _build_container(deployment: DeploymentPlan, plan: RolePlan) -> Container:
    return Container(
        role=labels.CONTROLLER,
        main_class="org.apache.rocketmq.controller.ControllerStartup",
        arguments=["-c", f"{RUN_DIRECTORY}/{CONFIG_FILE}"],
        image=deployment.image,
        version=deployment.version,
        memory=plan.memory,
        cpu=plan.cpu,
        pods=plan.pods,
        ports=_PORTS,
        agent=deployment.agent,
        probes=probes.build_server_probes(
            probes.CONTROLLER.build_checks("controller-ready.sh", CONTROLLER_DIRECTORY, agent=deployment.agent)
        ),
        java_options=[NO_OPTIMIZING_COMPILER],
        launcher=["bash", f"{CONFIG_DIRECTORY}/controller-start.sh"],
        mounts=[RUN_MOUNT, DATA_MOUNT],
    )
