"""Pod specs of all roles: JVM command line, security contexts, volumes, spread over nodes and zones. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi import Input

from eks_rocketmq.args.kubernetes_names import ZONE
from eks_rocketmq.rocketmq.agent import JAR, build_main
from eks_rocketmq.rocketmq.config.memory import Memory
from eks_rocketmq.rocketmq.pods.pod_settings import PodSettings

_HOSTNAME = "kubernetes.io/hostname"
UID = 3000  # user and group `rocketmq` of the official image

CONFIG_DIRECTORY = "/etc/rocketmq"
RUN_DIRECTORY = "/run/rocketmq"
DATA_DIRECTORY = "/data"
HOME = "/home/rocketmq"
LOG_DIRECTORY = f"{HOME}/logs"

# For roles that execute little code: the optimizing compiler would take more time than it saves.
NO_OPTIMIZING_COMPILER = "-XX:TieredStopAtLevel=1"
# RocketMQ uses internal packages of the JDK. The JDK 8 of the official image rejects these options on the command line.
# JDK 8 ignores this variable; JDK 9 and later read it.
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
    # Without it, the kubelet changes the ownership of all files of the volume at every start.
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}


# A volume of another type needs another name. The dry run of an update merges the fields of volumes with equal names,
# and the API server rejects two types in one volume.
_FILES_MOUNT: dict[str, Any] = {"name": "files", "mountPath": CONFIG_DIRECTORY, "readOnly": True}


@dataclass(frozen=True)
class Container:
    """Container with one RocketMQ process."""

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
    agent: bool = False
    """Whether the agent starts the main class."""
    collector: str = "UseSerialGC"
    java_options: list[str] = field(default_factory=list)
    """Options of the JVM in addition to those of every role."""
    environment: list[dict[str, Any]] = field(default_factory=list)
    lifecycle: dict[str, Any] | None = None
    mounts: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    """Volumes of the pod in addition to those of every role."""
    command: list[str] | None = None
    """Command that replaces the JVM."""
    launcher: list[str] = field(default_factory=list)
    """Command that gets the JVM's command line as arguments and executes it when the JVM can start."""


def build_variables(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return environment variables with fixed values."""
    return [{"name": name, "value": value} for name, value in values.items()]


def build_field_variable(name: str, path: str) -> dict[str, Any]:
    """Return an environment variable with the value of a field of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def build_java_command(container: Container) -> list[str]:
    """Return the command of a JVM without a shell, so that the JVM itself receives SIGTERM.

    The official scripts start the JVM below two shells, which do not forward the signal. The broker would then be
    killed with an open store. Every flag is valid on JDK 8 and 17. AlwaysPreTouch is omitted, because it makes the
    whole heap resident at startup.
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
        # Counters for jstat in a file below /tmp. A timer updates them 20 times a second. jcmd with a process ID works.
        "-XX:-UsePerfData",
        f"-XX:ErrorFile={LOG_DIRECTORY}/hs_err_%p.log",
        # Restarted pods have new addresses.
        "-Dsun.net.inetaddr.ttl=5",
        "-Dsun.net.inetaddr.negative.ttl=1",
        f"-Duser.home={HOME}",  # RocksDB writes its log below it
        f"-Drmq.logback.configurationFile={CONFIG_DIRECTORY}/logback.xml",
        *container.java_options,
        *container.pods.java_options,
        "-cp",
        f"{CONFIG_DIRECTORY}/{JAR}:" * container.agent + "$(ROCKETMQ_HOME)/conf:$(ROCKETMQ_HOME)/lib/*",
        *(build_main(container.role, CONFIG_DIRECTORY) if container.agent else [container.main_class]),
        *container.arguments,
    ]


def _build_container(container: Container) -> dict[str, Any]:
    home = {"ROCKETMQ_HOME": f"{HOME}/rocketmq-{container.version}", "JDK_JAVA_OPTIONS": JDK_JAVA_OPTIONS}
    ports = [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in container.ports.items()]
    spec = {
        "name": container.role,
        "image": container.image,
        "imagePullPolicy": container.pods.pull_policy,
        "command": container.command or [*container.launcher, *build_java_command(container)],
        "env": [*build_variables(home), *container.environment, *build_variables(container.pods.environment)],
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


def build_render_container(container: Container, file: str) -> dict[str, Any]:
    """Return the init container that renders the pod's address and ordinal into a configuration file.

    The RocketMQ process must not write to that file. RocketMQ saves settings that change at run time to its file, so
    the read-only mode of the drain would survive a restart.
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
        "env": [build_field_variable("POD_IP", "status.podIP"), build_field_variable("POD_NAME", "metadata.name")],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            _FILES_MOUNT,
            {"name": "run", "mountPath": RUN_DIRECTORY},
        ],
    }


RUN_MOUNT: dict[str, Any] = {"name": "run", "mountPath": RUN_DIRECTORY, "readOnly": True}
DATA_MOUNT: dict[str, Any] = {"name": "data", "mountPath": DATA_DIRECTORY}


def build_pod_spec(  # noqa: PLR0913 - the parts of a pod
    container: Container,
    config_maps: Sequence[Input[str]],
    *,
    grace_period: int,
    placement: Mapping[str, Any],
    rendered_file: str | None = None,
    host_aliases: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the spec of a pod with one RocketMQ process.

    Args:
        config_maps: names of the ConfigMaps. One directory contains the files of all.
        grace_period: seconds between SIGTERM and SIGKILL.
        placement: affinity and spread, to which the settings in `container` are added.
        rendered_file: configuration file that an init container renders.
        host_aliases: addresses of host names that the process resolves without DNS.
    """
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
        spec["initContainers"] = [build_render_container(container, rendered_file)]
    if host_aliases:
        spec["hostAliases"] = list(host_aliases)
    spec["terminationGracePeriodSeconds"] = grace_period
    return spec | build_restricted_spec(_build_container(container), volumes, container.pods, placement)


def build_restricted_spec(
    main: dict[str, Any], volumes: list[dict[str, Any]], settings: PodSettings, placement: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a pod spec that meets the `restricted` Pod Security level, with the placement of the settings."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # A JVM as process 1 does not reap the zombie processes of the probes, which run openssl every few seconds.
        "shareProcessNamespace": True,
        "securityContext": POD_SECURITY,
        "containers": [main],
        "volumes": volumes,
        **settings.build_placement(placement),
    }


def build_strict_spread(selector: Mapping[str, str], zones: int | None) -> dict[str, Any]:
    """Return a placement with each pod on a separate node, evenly spread over zones.

    `selector` has the labels of the pods. `zones` is the minimum number of zones, or None for no minimum.
    """
    match = {"matchLabels": dict(selector)}
    spread: dict[str, Any] = {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": match,
    }
    if zones is not None:
        spread["minDomains"] = zones
    hosts = {"labelSelector": match, "topologyKey": _HOSTNAME}
    return {
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [hosts]}},
        "topologySpreadConstraints": [spread],
    }


def build_preferred_spread(selector: Mapping[str, str]) -> dict[str, Any]:
    """Return a placement that prefers a spread over nodes and zones, for stateless roles that must not stay pending."""
    return {
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": dict(selector)},
            }
            for key in (_HOSTNAME, ZONE)
        ]
    }
