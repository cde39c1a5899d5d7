"""The proxies: gRPC for clients, in front of all broker groups."""

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Resource, ResourceOptions

from eks_rocketmq.component import child_options, type_token
from eks_rocketmq.rocketmq import labels, objects, ports, probes
from eks_rocketmq.rocketmq.plan import CLUSTER, Plan
from eks_rocketmq.rocketmq.pods import (
    CONFIG_DIRECTORY,
    RENDERED_MOUNT,
    RUN_DIRECTORY,
    Container,
    pod,
    preferably_apart,
    variables,
)
from eks_rocketmq.rocketmq.securing import secured

CONFIG_FILE = "rmq-proxy.json"
_PORTS = {"grpc": ports.PROXY_GRPC, "remoting": ports.PROXY_REMOTING, "metrics": ports.METRICS}
_LEAVE_SECONDS = 5  # until every node has taken the pod out of the Service
_STOP_SECONDS = 30


class Proxies(ComponentResource):
    """A Deployment in cluster mode, one address for clients, a disruption budget and a policy."""

    ready: list[Resource]
    """Resources that exist, and are ready, when clients can connect."""

    def __init__(
        self,
        name: str,
        plan: Plan,
        namespace: Input[str],
        credentials: Input[str] | None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Proxies"), name, {}, opts)
        scope = objects.Scope(self, name, plan, namespace, labels.PROXY)
        rendered = plan.access is not None
        scripts = ("ask.sh", "sign.sh", "alive.sh", "proxy-start.sh", *(["render-config.sh"] if rendered else []))
        config = objects.config_map(
            scope, {CONFIG_FILE: plan.proxies.config, **objects.LOGGING, **probes.scripts(*scripts)}
        )
        service = objects.service(scope, _PORTS)
        objects.disruption_budget(scope)
        objects.network_policy(scope)
        spec = pod(
            _container(plan),
            [config],
            grace_period=_LEAVE_SECONDS + _STOP_SECONDS,
            placement=preferably_apart(scope.selector),
            rendered_file=CONFIG_FILE if rendered else None,
        )
        deployment = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=scope.metadata(scope.workload),
            spec=objects.raw(
                {
                    "replicas": plan.proxies.replicas,
                    "selector": {"matchLabels": scope.selector},
                    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                    "template": scope.template(secured(spec, plan.tls, credentials), plan.proxies.pods),
                }
            ),
            opts=child_options(
                self,
                custom_timeouts=CustomTimeouts(create="15m", update="15m", delete="10m"),
                hooks=objects.hooks(f"{name}-deployment", scope, "Deployment", plan.proxies.pods),
            ),
        )
        self.ready = [service, deployment]
        self.register_outputs({})


def _container(plan: Plan) -> Container:
    return Container(
        role=labels.PROXY,
        main_class="org.apache.rocketmq.proxy.ProxyStartup",
        arguments=["-pc", f"{CONFIG_DIRECTORY if plan.access is None else RUN_DIRECTORY}/{CONFIG_FILE}"],
        image=plan.image,
        version=plan.version,
        memory=plan.proxies.memory,
        cpu=plan.proxies.cpu,
        pods=plan.proxies.pods,
        ports=_PORTS,
        probes=probes.server_probes(
            ports.PROXY_GRPC,
            probes.PROXY.running(),
            probes.connects(ports.PROXY_GRPC),
            # It waits for a master, which may have to recover its store first.
            waits=max(probes.recovery_seconds(group.role.storage) for group in plan.groups),
        ),
        environment=variables({"NAME_SERVERS": " ".join(plan.name_server_addresses), "CLUSTER": CLUSTER}),
        launcher=["bash", f"{CONFIG_DIRECTORY}/proxy-start.sh"],
        mounts=[] if plan.access is None else [RENDERED_MOUNT],
        lifecycle={"preStop": {"sleep": {"seconds": _LEAVE_SECONDS}}},
    )
