"""Component with the proxies, which serve gRPC clients for all broker groups."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Resource, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import child_options, type_token
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.naming.labels import CLUSTER
from eks_rocketmq.rocketmq.pods import probes, workload_resources
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_spec import (
    CONFIG_DIRECTORY,
    RUN_DIRECTORY,
    RUN_MOUNT,
    Container,
    build_pod_spec,
    build_preferred_spread,
    build_variables,
)
from eks_rocketmq.rocketmq.pods.tls_volumes import add_tls_and_credentials
from eks_rocketmq.rocketmq.roles.role_plans import BrokerGroupPlan, RolePlan

CONFIG_FILE = "rmq-proxy.json"
_PORTS = {"grpc": ports.PROXY_GRPC, "remoting": ports.PROXY_REMOTING, "metrics": ports.METRICS}
_LEAVE_SECONDS = 5  # until every node has removed the pod from the Service
_STOP_SECONDS = 30
_CLOSE_SECONDS = 5  # after the wait for gRPC clients


class Proxies(ComponentResource):
    """Deployment in cluster mode, Service, disruption budget and network policy."""

    ready: list[Resource]
    """Resources to wait for before clients can connect."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans of the role
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: RolePlan,
        groups: Sequence[BrokerGroupPlan],
        namespace: Input[str],
        credentials: Input[str] | None,
        host_aliases: Sequence[Mapping[str, Any]],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Proxies"), name, {}, opts)
        scope = workload_resources.WorkloadScope(self, name, deployment, namespace, labels.PROXY)
        rendered = credentials is not None
        scripts = ("sign.sh", "proxy-start.sh", *["render-config.sh"] * rendered)
        config = workload_resources.create_process_files(scope, {CONFIG_FILE: plan.config}, *scripts)
        service = workload_resources.create_service(scope, _PORTS)
        workload_resources.create_disruption_budget(scope)
        workload_resources.create_network_policy(scope)
        spec = build_pod_spec(
            _build_container(deployment, plan, groups, rendered=rendered),
            [config],
            grace_period=_compute_grace_period(plan.config),
            placement=build_preferred_spread(scope.selector),
            rendered_file=CONFIG_FILE if rendered else None,
            host_aliases=host_aliases,
        )
        proxies = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=scope.build_metadata(scope.workload, workload_resources.build_workload_annotations(plan.config)),
            spec=workload_resources.pass_manifest(
                {
                    "replicas": plan.replicas,
                    "selector": {"matchLabels": scope.selector},
                    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                    "template": scope.build_template(
                        add_tls_and_credentials(spec, deployment.tls, credentials), plan.pods
                    ),
                }
            ),
            opts=child_options(
                self,
                custom_timeouts=CustomTimeouts(create="15m", update="15m", delete="10m"),
                hooks=workload_resources.build_workload_hooks(f"{name}-deployment", scope, "Deployment", plan.pods),
            ),
        )
        self.ready = [service, proxies]
        self.register_outputs({})


def _compute_grace_period(config: str) -> int:
    """Return the seconds from the deletion of a pod to SIGKILL, which include the wait that `config` sets."""
    wait = int(json.loads(config).get("grpcShutdownTimeSeconds", 0))
    return _LEAVE_SECONDS + max(_STOP_SECONDS, wait + _CLOSE_SECONDS)


def _build_container(
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
        agent=deployment.agent,
        probes=probes.build_server_probes(
            probes.Checks(
                probes.AGENT_CHECKS.started if deployment.agent else probes.build_tcp_check(ports.PROXY_GRPC),
                probes.AGENT_CHECKS.alive if deployment.agent else probes.PROXY.build_liveness_check(),
                # The agent asks over remoting, but clients connect over gRPC.
                probes.build_tcp_check(ports.PROXY_GRPC),
            ),
            # A proxy waits for a master, and the master may first recover its store.
            waits=max(probes.compute_recovery_seconds(group.role.storage) for group in groups),
        ),
        environment=build_variables({"NAME_SERVERS": " ".join(deployment.name_server_addresses), "CLUSTER": CLUSTER}),
        launcher=["bash", f"{CONFIG_DIRECTORY}/proxy-start.sh"],
        mounts=[RUN_MOUNT] if rendered else [],
        lifecycle={"preStop": {"sleep": {"seconds": _LEAVE_SECONDS}}},
    )
