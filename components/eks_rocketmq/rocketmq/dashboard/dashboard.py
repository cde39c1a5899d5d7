"""Component with the web console, apache/rocketmq-dashboard."""

from typing import Any

from pulumi import ComponentResource, Input, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import type_token
from eks_rocketmq.rocketmq.config import tls
from eks_rocketmq.rocketmq.dashboard.dashboard_plan import DashboardPlan
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import probes, workload_resources
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_spec import CONTAINER_SECURITY, build_restricted_spec, build_variables

_PORTS = {"http": ports.DASHBOARD}
_JAR_PATH = "/rocketmq-dashboard.jar"  # path in the official image
_DATA_DIRECTORY = "/data"
_USERS_FILE = "users.properties"


class Dashboard(ComponentResource):
    """Deployment with one pod, ClusterIP Service and network policy."""

    def __init__(
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: DashboardPlan,
        namespace: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Dashboard"), name, {}, opts)
        scope = workload_resources.WorkloadScope(self, name, deployment, namespace, labels.DASHBOARD)
        workload_resources.create_service(scope, _PORTS)
        workload_resources.create_network_policy(scope)
        # A login session exists in one process only.
        workload_resources.create_single_pod(scope, _build_pod_spec(deployment, plan))
        self.register_outputs({})


def _build_pod_spec(deployment: DeploymentPlan, plan: DashboardPlan) -> dict[str, Any]:
    main = _build_container(deployment, plan)
    volumes = [
        {"name": "data", "emptyDir": {"sizeLimit": "256Mi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        {"name": "login", "secret": {"secretName": plan.login_secret}},
    ]
    if deployment.tls is not None and deployment.tls.authority_file is not None:
        volumes.append(tls.build_authority_volume(deployment.tls))
        main["volumeMounts"].append({"name": tls.VOLUME, "mountPath": tls.DIRECTORY, "readOnly": True})
    return build_restricted_spec(main, volumes, deployment.other_pods, {})


def _build_container(deployment: DeploymentPlan, plan: DashboardPlan) -> dict[str, Any]:
    return {
        "name": labels.DASHBOARD,
        "image": plan.image,
        "imagePullPolicy": deployment.other_pods.pull_policy,
        "command": _build_java_command(deployment, plan),
        "env": [*_build_credential_variables(plan), *build_variables(deployment.other_pods.environment)],
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in _PORTS.items()],
        "resources": {
            "requests": {"cpu": plan.cpu, "memory": f"{plan.memory}Mi"},
            "limits": {"memory": f"{plan.memory}Mi"},
        },
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": "data", "mountPath": _DATA_DIRECTORY},
            # Without this file the console uses the users in its jar, whose passwords are public.
            {
                "name": "login",
                "mountPath": f"{_DATA_DIRECTORY}/{_USERS_FILE}",
                "subPath": _USERS_FILE,
                "readOnly": True,
            },
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the mount point of the pod's own volume
        ],
        **probes.build_server_probes(probes.Checks(*[probes.build_tcp_check(ports.DASHBOARD)] * 3)),
    }


def _build_java_command(deployment: DeploymentPlan, plan: DashboardPlan) -> list[str]:
    """Return the command of the JVM, without `java_options`, which are for the JDK of RocketMQ's image."""
    proxy = f"{labels.format_app_label(labels.PROXY)}.{deployment.namespace}.svc:{ports.PROXY_REMOTING}"
    settings = {
        "server.port": ports.DASHBOARD,
        "rocketmq.config.namesrvAddrs[0]": ";".join(deployment.name_server_addresses),
        "rocketmq.config.proxyAddrs[0]": proxy,
        "rocketmq.config.proxyAddr": proxy,
        "rocketmq.config.isVIPChannel": "false",  # the policies open the brokers' main port only
        "rocketmq.config.dataPath": _DATA_DIRECTORY,
        "rocketmq.config.loginRequired": "true",
        "rocketmq.config.authMode": "file",
    }
    tls_flags: list[str] = []
    if deployment.tls is not None:
        # The setting applies to pooled clients. Clients for a logged-in user follow the JVM flags.
        settings["rocketmq.config.useTLS"] = "true"
        tls_flags = tls.build_client_flags(deployment.tls)
    return [
        "java",
        f"-Xmx{plan.memory // 2}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Duser.home=/tmp",  # the console writes its log below this directory
        *tls_flags,
        *(f"-D{key}={value}" for key, value in settings.items()),
        "-jar",
        _JAR_PATH,
    ]


def _build_credential_variables(plan: DashboardPlan) -> list[dict[str, Any]]:
    """Return the variables with the credentials for brokers. Spring reads settings from environment variables."""
    if plan.credentials_secret is None:
        return []
    return [
        {
            "name": f"ROCKETMQ_CONFIG_{key.upper()}",
            "valueFrom": {"secretKeyRef": {"name": plan.credentials_secret, "key": key}},
        }
        for key in ("accessKey", "secretKey")
    ]
