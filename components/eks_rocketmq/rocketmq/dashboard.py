"""The web console, apache/rocketmq-dashboard."""

from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, ResourceOptions

from eks_rocketmq.component import child_options, type_token
from eks_rocketmq.rocketmq import labels, objects, ports, probes, tls
from eks_rocketmq.rocketmq.plan import Plan
from eks_rocketmq.rocketmq.pods import CONTAINER_SECURITY, restricted, variables
from eks_rocketmq.rocketmq.surroundings import Dashboard as Choices
from eks_rocketmq.rocketmq.unready import explained

_PORTS = {"http": ports.DASHBOARD}
_JAR = "/rocketmq-dashboard.jar"  # where the official image has it
_DATA = "/data"
_USERS = "users.properties"


class Dashboard(ComponentResource):
    """A Deployment of one, a Service inside the cluster and a policy."""

    def __init__(
        self, name: str, plan: Plan, choices: Choices, namespace: Input[str], opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(type_token("Dashboard"), name, {}, opts)
        scope = objects.Scope(self, name, plan, namespace, labels.DASHBOARD)
        objects.service(scope, _PORTS)
        objects.network_policy(scope)
        k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=scope.metadata(scope.workload),
            spec=objects.raw(
                {
                    "replicas": 1,
                    "selector": {"matchLabels": scope.selector},
                    "strategy": {"type": "Recreate"},  # a login is known to one process only
                    "template": scope.template(_pod(plan, choices), plan.other_pods),
                }
            ),
            opts=child_options(
                self,
                custom_timeouts=CustomTimeouts(create="10m", update="10m", delete="5m"),
                hooks=explained(f"{name}-deployment", self),
            ),
        )
        self.register_outputs({})


def _pod(plan: Plan, choices: Choices) -> dict[str, Any]:
    main = _container(plan, choices)
    volumes = [
        {"name": "data", "emptyDir": {"sizeLimit": "256Mi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        {"name": "login", "secret": {"secretName": choices.login_secret}},
    ]
    if plan.tls is not None and plan.tls.authority is not None:
        volumes.append(tls.authority_volume(plan.tls))
        main["volumeMounts"].append({"name": "tls", "mountPath": tls.DIRECTORY, "readOnly": True})
    return restricted(main, volumes, plan.other_pods, {})


def _container(plan: Plan, choices: Choices) -> dict[str, Any]:
    return {
        "name": labels.DASHBOARD,
        "image": choices.image,
        "imagePullPolicy": plan.other_pods.pull_policy,
        "command": _java(plan, choices),
        "env": [*_credentials(choices), *variables(plan.other_pods.environment)],
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in _PORTS.items()],
        "resources": {
            "requests": {"cpu": choices.cpu, "memory": f"{choices.memory}Mi"},
            "limits": {"memory": f"{choices.memory}Mi"},
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


def _java(plan: Plan, choices: Choices) -> list[str]:
    """Without the caller's `java_options`, which are for the JDK of RocketMQ's image."""
    proxy = f"{labels.app(labels.PROXY)}.{plan.namespace}.svc:{ports.PROXY_REMOTING}"
    settings = {
        "server.port": ports.DASHBOARD,
        "rocketmq.config.namesrvAddrs[0]": ";".join(plan.name_server_addresses),
        "rocketmq.config.proxyAddrs[0]": proxy,
        "rocketmq.config.proxyAddr": proxy,
        "rocketmq.config.isVIPChannel": "false",  # the policies open the brokers' main port only
        "rocketmq.config.dataPath": _DATA,
        "rocketmq.config.loginRequired": "true",
        "rocketmq.config.authMode": "file",
    }
    encrypted: list[str] = []
    if plan.tls is not None:
        # The setting is for the clients of its pool; those that it makes for a user who logs in go by the flags.
        settings["rocketmq.config.useTLS"] = "true"
        encrypted = tls.client_flags(plan.tls)
    return [
        "java",
        f"-Xmx{choices.memory // 2}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Duser.home=/tmp",  # its log goes below it
        *encrypted,
        *(f"-D{key}={value}" for key, value in settings.items()),
        "-jar",
        _JAR,
    ]


def _credentials(choices: Choices) -> list[dict[str, Any]]:
    """As whom it speaks to brokers; an environment variable is how Spring takes a setting from a Secret."""
    if choices.credentials_secret is None:
        return []
    return [
        {
            "name": f"ROCKETMQ_CONFIG_{key.upper()}",
            "valueFrom": {"secretKeyRef": {"name": choices.credentials_secret, "key": key}},
        }
        for key in ("accessKey", "secretKey")
    ]
