"""The proxies: gRPC for clients, in front of all broker groups."""

from collections.abc import Sequence

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Resource, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import child_options, type_token
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.naming.labels import CLUSTER
from eks_rocketmq.rocketmq.pods import probes, workload_objects
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_spec import (
    CONFIG_DIRECTORY,
    RENDERED_MOUNT,
    RUN_DIRECTORY,
    Container,
    pod,
    preferably_apart,
    variables,
)
from eks_rocketmq.rocketmq.pods.tls_volumes import secured
from eks_rocketmq.rocketmq.roles.role_plans import BrokerGroupPlan, RolePlan

CONFIG_FILE = "rmq-proxy.json"
_PORTS = {"grpc": ports.PROXY_GRPC, "remoting": ports.PROXY_REMOTING, "metrics": ports.METRICS}
_LEAVE_SECONDS = 5  # until every node has taken the pod out of the Service
_STOP_SECONDS = 30


class Proxies(ComponentResource):
    """A Deployment in cluster mode, one address for clients, a disruption budget and a policy."""

    ready: list[Resource]
    """Resources that exist, and are ready, when clients can connect."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans that concern the role
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: RolePlan,
        groups: Sequence[BrokerGroupPlan],
        namespace: Input[str],
        credentials: Input[str] | None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Proxies"), name, {}, opts)
        scope = workload_objects.WorkloadScope(self, name, deployment, namespace, labels.PROXY)
        rendered = credentials is not None
        scripts = ("ask.sh", "sign.sh", "alive.sh", "proxy-start.sh", *(["render-config.sh"] if rendered else []))
        config = workload_objects.config_map(
            scope, {CONFIG_FILE: plan.config, **workload_objects.LOGGING, **probes.scripts(*scripts)}
        )
        service = workload_objects.service(scope, _PORTS)
        workload_objects.disruption_budget(scope)
        workload_objects.network_policy(scope)
        spec = pod(
            _container(deployment, plan, groups, rendered=rendered),
            [config],
            grace_period=_LEAVE_SECONDS + _STOP_SECONDS,
            placement=preferably_apart(scope.selector),
            rendered_file=CONFIG_FILE if rendered else None,
        )
        proxies = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=scope.metadata(scope.workload),
            spec=workload_objects.raw(
                {
                    "replicas": plan.replicas,
                    "selector": {"matchLabels": scope.selector},
                    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                    "template": scope.template(secured(spec, deployment.tls, credentials), plan.pods),
                }
            ),
            opts=child_options(
                self,
                custom_timeouts=CustomTimeouts(create="15m", update="15m", delete="10m"),
                hooks=workload_objects.hooks(f"{name}-deployment", scope, "Deployment", plan.pods),
            ),
        )
        self.ready = [service, proxies]
        self.register_outputs({})


def _container(
    deployment: DeploymentPlan, plan: RolePlan, groups: Sequence[BrokerGroupPlan], *, rendered: bool
) -> Container:
    return Container(
        role=labels.PROXY,
        main_class="org.apache.rocketmq.proxy.ProxyStartup",
        arguments=["-pc", f"{RUN_DIRECTORY if rendered else CONFIG_DIRECTORY}/{CONFIG_FILE}"],
        image=deployment.image,
        version=deployment.version,
        memory=plan.memory,
        cpu=plan.cpu,
        pods=plan.pods,
        ports=_PORTS,
        probes=probes.server_probes(
            ports.PROXY_GRPC,
            probes.PROXY.running(),
            probes.connects(ports.PROXY_GRPC),
            # It waits for a master, which may have to recover its store first.
            waits=max(probes.recovery_seconds(group.role.storage) for group in groups),
        ),
        environment=variables({"NAME_SERVERS": " ".join(deployment.name_server_addresses), "CLUSTER": CLUSTER}),
        launcher=["bash", f"{CONFIG_DIRECTORY}/proxy-start.sh"],
        mounts=[RENDERED_MOUNT] if rendered else [],
        lifecycle={"preStop": {"sleep": {"seconds": _LEAVE_SECONDS}}},
    )
