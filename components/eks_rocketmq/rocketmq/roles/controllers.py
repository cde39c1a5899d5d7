"""The controllers: a raft quorum that elects the master of every broker group."""

from pulumi import ComponentResource, Input, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import type_token
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import probes, workload_objects
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_spec import DATA_MOUNT, RENDERED_MOUNT, RUN_DIRECTORY, Container, apart, pod
from eks_rocketmq.rocketmq.roles.role_plans import RolePlan

CONFIG_FILE = "controller.conf"
_PORTS = {"remoting": ports.CONTROLLER, "metrics": ports.METRICS}
_GRACE_SECONDS = 30
_MIN_READY_SECONDS = 10  # the log of the one that came back is level again


class Controllers(ComponentResource):
    """A StatefulSet with a claim each, host names, a disruption budget and a policy."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans that concern the role
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: RolePlan,
        namespace: Input[str],
        storage_class: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Controllers"), name, {}, opts)
        scope = workload_objects.WorkloadScope(self, name, deployment, namespace, labels.CONTROLLER)
        config = workload_objects.config_map(
            scope,
            {
                CONFIG_FILE: plan.config,
                **workload_objects.LOGGING,
                **probes.scripts("ask.sh", "alive.sh", "controller-ready.sh", "render-config.sh"),
            },
        )
        headless = workload_objects.peers_service(scope, _PORTS)
        workload_objects.disruption_budget(scope)
        workload_objects.network_policy(scope)
        workload_objects.stateful_set(
            scope,
            plan.replicas,
            pod(
                _container(deployment, plan),
                [config],
                grace_period=_GRACE_SECONDS,
                placement=apart(scope.selector, zones=min(deployment.zones, plan.replicas)),
                rendered_file=CONFIG_FILE,
            ),
            pods=plan.pods,
            headless=headless,
            claim=workload_objects.claim(storage_class, plan.storage),
            min_ready_seconds=_MIN_READY_SECONDS,
            protect=deployment.protect_data,
        )
        self.register_outputs({})


def _container(deployment: DeploymentPlan, plan: RolePlan) -> Container:
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
        probes=probes.server_probes(
            ports.CONTROLLER,
            probes.CONTROLLER.running(),
            probes.run("controller-ready.sh", f"127.0.0.1:{ports.CONTROLLER}"),
        ),
        mounts=[RENDERED_MOUNT, DATA_MOUNT],
    )
