"""What the pods of all roles share: the JVM without a shell around it, restricted security, volumes, spread. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi import Input

from eks_rocketmq.rocketmq.config.memory import Memory
from eks_rocketmq.rocketmq.pods.pod_settings import PodSettings

UID = 3000  # user and group `rocketmq` of the official image

CONFIG_DIRECTORY = "/etc/rocketmq"
RUN_DIRECTORY = "/run/rocketmq"
DATA_DIRECTORY = "/data"
HOME = "/home/rocketmq"
LOG_DIRECTORY = f"{HOME}/logs"

# Packages that RocketMQ reaches into. The official image's JDK 8 refuses these options on the command line; its
# launcher does not read this variable, that of JDK 9 and later does.
JDK_JAVA_OPTIONS = " ".join(
    [
        "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        f"-Xlog:gc:file={LOG_DIRECTORY}/gc.log:time,uptime:filecount=3,filesize=8m",
    ]
)

CONTAINER_SECURITY: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}

POD_SECURITY: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": UID,
    "runAsGroup": UID,
    "fsGroup": UID,
    # Without it every start walks through the whole volume.
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}


# A volume of another kind needs another name: the dry run of an update merges the fields of both, and is refused.
_FILES_MOUNT: dict[str, Any] = {"name": "files", "mountPath": CONFIG_DIRECTORY, "readOnly": True}


@dataclass(frozen=True)
class Container:
    """One RocketMQ process."""

    role: str
    main_class: str
    arguments: list[str]
    image: str
    version: str
    memory: Memory
    cpu: str
    pods: PodSettings
    ports: Mapping[str, int]
    probes: Mapping[str, Any]
    collector: str = "UseSerialGC"
    environment: list[dict[str, Any]] = field(default_factory=list)
    lifecycle: dict[str, Any] | None = None
    mounts: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    """Volumes of the pod beside those that every role has."""
    command: list[str] | None = None
    """What runs instead of a JVM."""
    launcher: list[str] = field(default_factory=list)
    """Command that takes the JVM's command line as arguments and executes it when the JVM can start."""


def variables(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Environment variables with fixed values."""
    return [{"name": name, "value": value} for name, value in values.items()]


def field_variable(name: str, path: str) -> dict[str, Any]:
    """An environment variable from the pod's own fields."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def java(container: Container) -> list[str]:
    """The exec form of a JVM: it is the container's own process and gets SIGTERM itself.

    The official scripts start it below two shells, which drop the signal: the broker is killed with its store open.
    Every flag is valid on JDK 8 and 17. AlwaysPreTouch is left out: it makes the whole heap resident at start.
    """
    memory = container.memory
    return [
        "java",
        "-server",
        f"-Xms{memory.heap}m",
        f"-Xmx{memory.heap}m",
        f"-XX:MaxDirectMemorySize={memory.direct}m",
        "-XX:MaxMetaspaceSize=128m",
        f"-XX:+{container.collector}",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-OmitStackTraceInFastThrow",
        f"-XX:ErrorFile={LOG_DIRECTORY}/hs_err_%p.log",
        # Peers come back with other addresses.
        "-Dsun.net.inetaddr.ttl=5",
        "-Dsun.net.inetaddr.negative.ttl=1",
        f"-Duser.home={HOME}",  # RocksDB writes its log below it
        f"-Drmq.logback.configurationFile={CONFIG_DIRECTORY}/logback.xml",
        *container.pods.java_options,
        "-cp",
        "$(ROCKETMQ_HOME)/conf:$(ROCKETMQ_HOME)/lib/*",
        container.main_class,
        *container.arguments,
    ]


def _main(container: Container) -> dict[str, Any]:
    home = {"ROCKETMQ_HOME": f"{HOME}/rocketmq-{container.version}", "JDK_JAVA_OPTIONS": JDK_JAVA_OPTIONS}
    ports = [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in container.ports.items()]
    spec = {
        "name": container.role,
        "image": container.image,
        "imagePullPolicy": container.pods.pull_policy,
        "command": container.command or [*container.launcher, *java(container)],
        "env": [*variables(home), *container.environment, *variables(container.pods.environment)],
        "resources": {
            "requests": {"cpu": container.cpu, "memory": f"{container.memory.limit}Mi"},
            "limits": {"memory": f"{container.memory.limit}Mi"},
        },
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            _FILES_MOUNT,
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the mount point of the pod's own volume
            {"name": "logs", "mountPath": LOG_DIRECTORY},
            *container.mounts,
        ],
        **container.probes,
        # The API server drops an empty list, and every preview would then add it again.
        **({"ports": ports} if ports else {}),
    }
    return spec if container.lifecycle is None else spec | {"lifecycle": container.lifecycle}


def rendered(container: Container, file: str) -> dict[str, Any]:
    """Init container that fills the pod's address and ordinal into a configuration file.

    Only it may write there: RocketMQ writes settings that are changed at run time back into its file, and the drain's
    read-only mode would outlive a restart.
    """
    return {
        "name": "config",
        "image": container.image,
        "imagePullPolicy": container.pods.pull_policy,
        "command": [
            "bash",
            f"{CONFIG_DIRECTORY}/render-config.sh",
            f"{CONFIG_DIRECTORY}/{file}",
            f"{RUN_DIRECTORY}/{file}",
        ],
        "env": [field_variable("POD_IP", "status.podIP"), field_variable("POD_NAME", "metadata.name")],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            _FILES_MOUNT,
            {"name": "run", "mountPath": RUN_DIRECTORY},
        ],
    }


RENDERED_MOUNT: dict[str, Any] = {"name": "run", "mountPath": RUN_DIRECTORY, "readOnly": True}
DATA_MOUNT: dict[str, Any] = {"name": "data", "mountPath": DATA_DIRECTORY}


def pod(
    container: Container,
    config_maps: Sequence[Input[str]],
    *,
    grace_period: int,
    placement: Mapping[str, Any],
    rendered_file: str | None = None,
) -> dict[str, Any]:
    """The spec of a pod with one RocketMQ process; the files of all `config_maps` stand in one folder."""
    volumes: list[dict[str, Any]] = [
        {
            "name": _FILES_MOUNT["name"],
            "projected": {"sources": [{"configMap": {"name": name}} for name in config_maps]},
        },
        {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        {"name": "logs", "emptyDir": {"sizeLimit": "512Mi"}},
        *container.volumes,
    ]
    spec: dict[str, Any] = {}
    if rendered_file is not None:
        volumes.append({"name": "run", "emptyDir": {"sizeLimit": "1Mi"}})
        spec["initContainers"] = [rendered(container, rendered_file)]
    spec["terminationGracePeriodSeconds"] = grace_period
    return spec | restricted(_main(container), volumes, container.pods, placement)


def restricted(
    main: dict[str, Any], volumes: list[dict[str, Any]], settings: PodSettings, placement: Mapping[str, Any]
) -> dict[str, Any]:
    """What the spec of every pod has: the `restricted` Pod Security level admits it, and it runs where it is told."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # As process 1 a JVM would have to bury what probes leave behind, and it does not: openssl every few seconds.
        "shareProcessNamespace": True,
        "securityContext": POD_SECURITY,
        "containers": [main],
        "volumes": volumes,
        **settings.placed(placement),
    }


def apart(selector: Mapping[str, str], zones: int | None) -> dict[str, Any]:
    """Never two of them on one node, evenly over zones.

    Args:
        selector: labels that pick them.
        zones: how many zones there must be at least; None takes what there is.
    """
    match = {"matchLabels": dict(selector)}
    spread: dict[str, Any] = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": match,
    }
    if zones is not None:
        spread["minDomains"] = zones
    hosts = {"labelSelector": match, "topologyKey": "kubernetes.io/hostname"}
    return {
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [hosts]}},
        "topologySpreadConstraints": [spread],
    }


def preferably_apart(selector: Mapping[str, str]) -> dict[str, Any]:
    """Spread over nodes and zones where there is room; for roles without state, which rather run than wait."""
    return {
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": dict(selector)},
            }
            for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ]
    }
