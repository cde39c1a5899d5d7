"""The web console, apache/rocketmq-dashboard."""

from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import child_options, type_token
from eks_rocketmq.rocketmq.config import tls
from eks_rocketmq.rocketmq.dashboard.dashboard_plan import DashboardPlan
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import probes, workload_objects
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pending_pods import pending_pod_hooks
from eks_rocketmq.rocketmq.pods.pod_spec import CONTAINER_SECURITY, restricted, variables

_PORTS = {"http": ports.DASHBOARD}
_JAR = "/rocketmq-dashboard.jar"  # where the official image has it
_DATA = "/data"
_USERS = "users.properties"


class Dashboard(ComponentResource):
    """A Deployment of one, a Service inside the cluster and a policy."""

    def __init__(
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: DashboardPlan,
        namespace: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Dashboard"), name, {}, opts)
        scope = workload_objects.WorkloadScope(self, name, deployment, namespace, labels.DASHBOARD)
        workload_objects.service(scope, _PORTS)
        workload_objects.network_policy(scope)
        k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=scope.metadata(scope.workload),
            spec=workload_objects.raw(
                {
                    "replicas": 1,
                    "selector": {"matchLabels": scope.selector},
                    "strategy": {"type": "Recreate"},  # a login is known to one process only
                    "template": scope.template(_pod(deployment, plan), deployment.other_pods),
                }
            ),
            opts=child_options(
                self,
                custom_timeouts=CustomTimeouts(create="10m", update="10m", delete="5m"),
                hooks=pending_pod_hooks(f"{name}-deployment", self),
            ),
        )
        self.register_outputs({})


def _pod(deployment: DeploymentPlan, plan: DashboardPlan) -> dict[str, Any]:
    main = _container(deployment, plan)
    volumes = [
        {"name": "data", "emptyDir": {"sizeLimit": "256Mi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        {"name": "login", "secret": {"secretName": plan.login_secret}},
    ]
    if deployment.tls is not None and deployment.tls.authority is not None:
        volumes.append(tls.authority_volume(deployment.tls))
        main["volumeMounts"].append({"name": "tls", "mountPath": tls.DIRECTORY, "readOnly": True})
    return restricted(main, volumes, deployment.other_pods, {})


def _container(deployment: DeploymentPlan, plan: DashboardPlan) -> dict[str, Any]:
    return {
        "name": labels.DASHBOARD,
        "image": plan.image,
        "imagePullPolicy": deployment.other_pods.pull_policy,
        "command": _java(deployment, plan),
        "env": [*_credentials(plan), *variables(deployment.other_pods.environment)],
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in _PORTS.items()],
        "resources": {
            "requests": {"cpu": plan.cpu, "memory": f"{plan.memory}Mi"},
            "limits": {"memory": f"{plan.memory}Mi"},
        },
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": "data", "mountPath": _DATA},
            # Without this file the console falls back to the users in its jar, whose passwords everyone knows.
            {"name": "login", "mountPath": f"{_DATA}/{_USERS}", "subPath": _USERS, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the mount point of the pod's own volume
        ],
        **probes.server_probes(ports.DASHBOARD, probes.connects(ports.DASHBOARD), probes.connects(ports.DASHBOARD)),
    }


def _java(deployment: DeploymentPlan, plan: DashboardPlan) -> list[str]:
    """Without the caller's `java_options`, which are for the JDK of RocketMQ's image."""
    proxy = f"{labels.app(labels.PROXY)}.{deployment.namespace}.svc:{ports.PROXY_REMOTING}"
    settings = {
        "server.port": ports.DASHBOARD,
        "rocketmq.config.namesrvAddrs[0]": ";".join(deployment.name_server_addresses),
        "rocketmq.config.proxyAddrs[0]": proxy,
        "rocketmq.config.proxyAddr": proxy,
        "rocketmq.config.isVIPChannel": "false",  # the policies open the brokers' main port only
        "rocketmq.config.dataPath": _DATA,
        "rocketmq.config.loginRequired": "true",
        "rocketmq.config.authMode": "file",
    }
    encrypted: list[str] = []
    if deployment.tls is not None:
        # The setting is for the clients of its pool; those that it makes for a user who logs in go by the flags.
        settings["rocketmq.config.useTLS"] = "true"
        encrypted = tls.client_flags(deployment.tls)
    return [
        "java",
        f"-Xmx{plan.memory // 2}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Duser.home=/tmp",  # its log goes below it
        *encrypted,
        *(f"-D{key}={value}" for key, value in settings.items()),
        "-jar",
        _JAR,
    ]


def _credentials(plan: DashboardPlan) -> list[dict[str, Any]]:
    """As whom it speaks to brokers; an environment variable is how Spring takes a setting from a Secret."""
    if plan.credentials_secret is None:
        return []
    return [
        {
            "name": f"ROCKETMQ_CONFIG_{key.upper()}",
            "valueFrom": {"secretKeyRef": {"name": plan.credentials_secret, "key": key}},
        }
        for key in ("accessKey", "secretKey")
    ]
