"""The controllers: a raft quorum that elects the master of every broker group."""

from pulumi import ComponentResource, Input, ResourceOptions

from eks_rocketmq.component import type_token
from eks_rocketmq.rocketmq import labels, objects, ports, probes
from eks_rocketmq.rocketmq.plan import Plan
from eks_rocketmq.rocketmq.pods import DATA_MOUNT, RENDERED_MOUNT, RUN_DIRECTORY, Container, apart, pod

CONFIG_FILE = "controller.conf"
_PORTS = {"remoting": ports.CONTROLLER, "metrics": ports.METRICS}
_GRACE_SECONDS = 30
_MIN_READY_SECONDS = 10  # the log of the one that came back is level again


class Controllers(ComponentResource):
    """A StatefulSet with a claim each, host names, a disruption budget and a policy."""

    def __init__(
        self,
        name: str,
        plan: Plan,
        namespace: Input[str],
        storage_class: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Controllers"), name, {}, opts)
        scope = objects.Scope(self, name, plan, namespace, labels.CONTROLLER)
        config = objects.config_map(
            scope,
            {
                CONFIG_FILE: plan.controllers.config,
                **objects.LOGGING,
                **probes.scripts("ask.sh", "alive.sh", "controller-ready.sh", "render-config.sh"),
            },
        )
        headless = objects.peers_service(scope, _PORTS)
        objects.disruption_budget(scope)
        objects.network_policy(scope)
        objects.stateful_set(
            scope,
            plan.controllers.replicas,
            pod(
                _container(plan),
                [config],
                grace_period=_GRACE_SECONDS,
                placement=apart(scope.selector, zones=min(plan.zones, plan.controllers.replicas)),
                rendered_file=CONFIG_FILE,
            ),
            pods=plan.controllers.pods,
            headless=headless,
            claim=objects.claim(storage_class, plan.controllers.storage),
            min_ready_seconds=_MIN_READY_SECONDS,
            protect=plan.protect_data,
        )
        self.register_outputs({})


def _container(plan: Plan) -> Container:
    return Container(
        role=labels.CONTROLLER,
        main_class="org.apache.rocketmq.controller.ControllerStartup",
        arguments=["-c", f"{RUN_DIRECTORY}/{CONFIG_FILE}"],
        image=plan.image,
        version=plan.version,
        memory=plan.controllers.memory,
        cpu=plan.controllers.cpu,
        pods=plan.controllers.pods,
        ports=_PORTS,
        probes=probes.server_probes(
            ports.CONTROLLER,
            probes.CONTROLLER.running(),
            probes.run("controller-ready.sh", f"127.0.0.1:{ports.CONTROLLER}"),
        ),
        mounts=[RENDERED_MOUNT, DATA_MOUNT],
    )
