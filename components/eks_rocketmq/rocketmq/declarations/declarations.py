"""Component that keeps the declared topics, consumer groups, users and permissions on every member."""

from collections.abc import Mapping
from typing import Any

from pulumi import ComponentResource, Input, Resource, ResourceHookArgs, ResourceOptions

from eks_rocketmq.lookups.check_hooks import create_check_hooks
from eks_rocketmq.lookups.manifests import get_annotation
from eks_rocketmq.pulumi_sdk.component import type_token
from eks_rocketmq.rocketmq.access.credentials import Secrets
from eks_rocketmq.rocketmq.config.memory import Memory
from eks_rocketmq.rocketmq.declarations import topics
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.pods import probes, workload_resources
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_spec import CONFIG_DIRECTORY, Container, build_pod_spec, build_variables
from eks_rocketmq.rocketmq.pods.tls_volumes import add_tls_and_credentials

ACCESS_DIRECTORY = "/etc/rocketmq-declared"
_STATUS_DIRECTORY = "/tmp/declared"  # noqa: S108 - on the pod's own volume
_SCRIPTS = ("ask.sh", "sign.sh", "declare.sh", "declared.sh", "declared.awk")
_PAUSE_SECONDS = 10  # interval of the checks, and so the time that a topic can be missing after a failover lost it
_STALE_SECONDS = 120  # each request times out after 5 s
_MEMORY = Memory(limit=64, heap=0, direct=0, fixed=64)  # for bash and one child process at a time

_MAX_ANNOTATION = 128 * 1024  # characters; Kubernetes accepts 256 KiB for all annotations of an object


class Declarations(ComponentResource):
    """Deployment with one pod without a JVM, ConfigMap and network policy.

    The pod is ready when every member has all declarations. `pulumi up` waits for it.
    """

    ready: list[Resource]
    """Resources to wait for before every broker has all declarations."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans of the role
        self,
        name: str,
        deployment: DeploymentPlan,
        files: Mapping[str, str],
        namespace: Input[str],
        secrets: Secrets | None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Declarations"), name, {}, opts)
        scope = workload_resources.WorkloadScope(self, name, deployment, namespace, labels.DECLARATIONS)
        config = workload_resources.create_single_pod_config_map(scope, {**files, **probes.read_scripts(*_SCRIPTS)})
        workload_resources.create_network_policy(scope)
        spec = build_pod_spec(_build_container(deployment, secrets), [config], grace_period=5, placement={})
        spec = add_tls_and_credentials(spec, deployment.tls, None if secrets is None else secrets.internal)
        # Two pods would revert each other's users.
        queues = topics.render_queues(files)
        annotations = {labels.QUEUES_ANNOTATION: queues} if len(queues) <= _MAX_ANNOTATION else {}
        hooks = _build_queue_hooks(f"{name}-deployment")
        self.ready = [workload_resources.create_single_pod(scope, spec, annotations, before_update=hooks)]
        self.register_outputs({})


def _build_queue_hooks(name: str) -> list[Any]:
    """Return a hook before the update of the Deployment that rejects fewer queues of a topic than may have messages."""

    async def check(args: ResourceHookArgs) -> None:
        before, after = (
            get_annotation(inputs, labels.QUEUES_ANNOTATION) or "" for inputs in (args.old_inputs, args.new_inputs)
        )
        topics.validate_queues(before, after)

    return create_check_hooks(f"{name}-queues", "whether queues that lose their consumers have messages", check)


def _build_container(deployment: DeploymentPlan, secrets: Secrets | None) -> Container:
    environment = {
        "DECLARED": CONFIG_DIRECTORY,
        "STATUS": _STATUS_DIRECTORY,
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
        probes=_build_probes(),
        environment=build_variables(environment),
        mounts=mounts,
        volumes=volumes,
    )


def _build_probes() -> dict[str, Any]:
    def build_probe(seconds: int, *arguments: str) -> dict[str, Any]:
        return probes.build_exec("declared.sh", _STATUS_DIRECTORY, str(_STALE_SECONDS), *arguments) | {
            "timeoutSeconds": seconds
        }

    return {
        "startupProbe": build_probe(probes.EXEC_SECONDS, "alive") | {"periodSeconds": 2, "failureThreshold": 300},
        "livenessProbe": build_probe(probes.EXEC_SECONDS, "alive") | {"periodSeconds": 30, "failureThreshold": 3},
        "readinessProbe": build_probe(probes.CONNECT_SECONDS) | {"periodSeconds": 5, "failureThreshold": 1},
    }
