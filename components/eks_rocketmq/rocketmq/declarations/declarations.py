"""What keeps the declared topics, consumer groups, users and permissions on every member of every broker group."""

from collections.abc import Mapping
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Resource, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import child_options, type_token
from eks_rocketmq.rocketmq.access.credentials import Secrets
from eks_rocketmq.rocketmq.config.memory import Memory
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.pods import probes, workload_objects
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pending_pods import pending_pod_hooks
from eks_rocketmq.rocketmq.pods.pod_spec import CONFIG_DIRECTORY, Container, pod, variables
from eks_rocketmq.rocketmq.pods.tls_volumes import secured

ACCESS_DIRECTORY = "/etc/rocketmq-declared"
_STATUS = "/tmp/declared"  # noqa: S108 - the pod's own volume
_SCRIPTS = ("ask.sh", "sign.sh", "declare.sh", "declared.sh", "declared.awk")
_PAUSE_SECONDS = 10  # between two looks; so long a topic may be missing after a failover that lost it
_STALE_SECONDS = 120  # each request times out after 5 s
_MEMORY = Memory(limit=64, heap=0, direct=0, fixed=64)  # bash and what it starts, one at a time


class Declarations(ComponentResource):
    """A Deployment of one small pod without a JVM, ready when everything is on every member; its configuration and
    policy. `pulumi up` waits for it, so it ends when clients find what was declared."""

    ready: list[Resource]
    """Resources that are ready when every broker has what was declared."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans that concern it
        self,
        name: str,
        deployment: DeploymentPlan,
        files: Mapping[str, str],
        namespace: Input[str],
        secrets: Secrets | None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Declarations"), name, {}, opts)
        scope = workload_objects.WorkloadScope(self, name, deployment, namespace, labels.DECLARATIONS)
        config = workload_objects.config_map(scope, {**files, **probes.scripts(*_SCRIPTS)})
        workload_objects.network_policy(scope)
        spec = pod(_container(deployment, secrets), [config], grace_period=5, placement={})
        spec = secured(spec, deployment.tls, None if secrets is None else secrets.internal)
        checked = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=scope.metadata(scope.workload),
            spec=workload_objects.raw(
                {
                    "replicas": 1,
                    "selector": {"matchLabels": scope.selector},
                    # Two would undo each other's users.
                    "strategy": {"type": "Recreate"},
                    "template": scope.template(spec, deployment.other_pods),
                }
            ),
            opts=child_options(
                self,
                custom_timeouts=CustomTimeouts(create="10m", update="10m", delete="5m"),
                hooks=pending_pod_hooks(f"{name}-deployment", self),
            ),
        )
        self.ready = [checked]
        self.register_outputs({})


def _container(deployment: DeploymentPlan, secrets: Secrets | None) -> Container:
    environment = {
        "DECLARED": CONFIG_DIRECTORY,
        "STATUS": _STATUS,
        "PAUSE": str(_PAUSE_SECONDS),
        "TERMINATION_LOG": "/dev/termination-log",
    }
    mounts, volumes = [], []
    if secrets is not None:
        environment["ACCESS"] = ACCESS_DIRECTORY
        mounts = [{"name": "declared", "mountPath": ACCESS_DIRECTORY, "readOnly": True}]
        volumes = [{"name": "declared", "secret": {"secretName": secrets.declared, "defaultMode": 0o440}}]
    return Container(
        role=labels.DECLARATIONS,
        main_class="",
        arguments=[],
        command=["bash", f"{CONFIG_DIRECTORY}/declare.sh"],
        image=deployment.image,
        version=deployment.version,
        memory=_MEMORY,
        cpu="50m",
        pods=deployment.other_pods,
        ports={},
        probes=_probes(),
        environment=variables(environment),
        mounts=mounts,
        volumes=volumes,
    )


def _probes() -> dict[str, Any]:
    def asks(seconds: int, *words: str) -> dict[str, Any]:
        return probes.run("declared.sh", _STATUS, str(_STALE_SECONDS), *words) | {"timeoutSeconds": seconds}

    return {
        "startupProbe": asks(probes.EXEC_SECONDS, "alive") | {"periodSeconds": 2, "failureThreshold": 300},
        "livenessProbe": asks(probes.EXEC_SECONDS, "alive") | {"periodSeconds": 30, "failureThreshold": 3},
        "readinessProbe": asks(probes.CONNECT_SECONDS) | {"periodSeconds": 5, "failureThreshold": 1},
    }
