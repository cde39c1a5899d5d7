"""Component with the brokers of one group: a master and its slaves."""

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi import ComponentResource, Input, Output, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import type_token
from eks_rocketmq.rocketmq.config.memory import MIB
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import probes, workload_resources
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_spec import (
    CONFIG_DIRECTORY,
    DATA_MOUNT,
    RUN_DIRECTORY,
    RUN_MOUNT,
    Container,
    build_field_variable,
    build_pod_spec,
    build_strict_spread,
    build_variables,
)
from eks_rocketmq.rocketmq.roles.role_plans import STORE_DIRECTORY, BrokerGroupPlan

CONFIG_FILE = "broker.conf"
# A slave copies topics, consumer groups and offsets up to 13 s after it has its role. The agent waits for that.
_MIN_READY_SECONDS = 15
_MAX_MESSAGE = 4 * MIB  # RocketMQ's default
_MESSAGE_RESERVE = 64 * 1024  # RocketMQ adds it for the properties
_MAX_WRITERS = 1024  # threads; about 100 with 2 processors, 500 with 64
_PORTS = {"remoting": ports.BROKER, "fast": ports.BROKER_FAST, "ha": ports.BROKER_HA, "metrics": ports.METRICS}


class BrokerMembers(ComponentResource):
    """StatefulSet with a claim per pod, headless Service, disruption budget and network policy of one group."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans and resources that a group needs
        self,
        name: str,
        deployment: DeploymentPlan,
        group: BrokerGroupPlan,
        namespace: Input[str],
        storage_class: Input[str],
        shared_files: Input[str],
        credentials: Input[str] | None,
        host_aliases: Sequence[Mapping[str, Any]],
        opts: ResourceOptions,
    ) -> None:
        super().__init__(type_token("BrokerMembers"), name, {}, opts)
        scope = workload_resources.WorkloadScope(self, name, deployment, namespace, labels.BROKER, group.name)
        drain = probes.plan_drain(group.keys)
        config = workload_resources.create_config_map(scope, {CONFIG_FILE: group.role.config})
        headless = workload_resources.create_peers_service(scope, _PORTS)
        workload_resources.create_disruption_budget(scope)
        workload_resources.create_network_policy(scope)
        workload_resources.create_stateful_set(
            scope,
            group.role.replicas,
            build_pod_spec(
                _build_container(deployment, group, drain),
                [config, shared_files],
                grace_period=drain.grace_period,
                placement=build_strict_spread(scope.selector, zones=min(deployment.zones, group.role.replicas)),
                rendered_file=CONFIG_FILE,
                host_aliases=host_aliases,
            ),
            config=group.role.config,
            pods=group.role.pods,
            headless=headless,
            credentials=credentials,
            claim=workload_resources.build_claim(storage_class, group.role.storage),
            min_ready_seconds=0 if deployment.agent else _MIN_READY_SECONDS,
            protect=deployment.protect_data,
        )
        self.register_outputs({})


def create_shared_config(
    parent: ComponentResource, name: str, deployment: DeploymentPlan, namespace: Input[str]
) -> Output[str]:
    """Create the ConfigMap with the files that the brokers of all groups share, and return its name.

    Copied into every group, these files made up 90 % of the state, of the data that a preview compares, and of the
    preview time.
    """
    scope = workload_resources.WorkloadScope(parent, f"{name}-broker-shared", deployment, namespace, labels.BROKER)
    return workload_resources.create_process_files(scope, {}, *probes.BROKER_SCRIPTS, ready="broker-ready.sh")


def _build_container(deployment: DeploymentPlan, group: BrokerGroupPlan, drain: probes.Drain) -> Container:
    return Container(
        role=labels.BROKER,
        main_class="org.apache.rocketmq.broker.BrokerStartup",
        arguments=["-c", f"{RUN_DIRECTORY}/{CONFIG_FILE}"],
        image=deployment.image,
        version=deployment.version,
        memory=group.role.memory,
        cpu=group.role.cpu,
        pods=group.role.pods,
        ports=_PORTS,
        agent=deployment.agent,
        probes=probes.build_broker_probes(group.role.storage, agent=deployment.agent),
        collector="UseG1GC",
        java_options=_list_netty_options(group),
        environment=_build_environment(deployment, group, drain),
        lifecycle={"preStop": probes.build_exec("broker-drain.sh")},
        launcher=["bash", f"{CONFIG_DIRECTORY}/broker-start.sh", STORE_DIRECTORY],
        mounts=[RUN_MOUNT, DATA_MOUNT],
    )


def _list_netty_options(group: BrokerGroupPlan) -> list[str]:
    """Return JVM options that let every thread that writes to the commit log have a buffer.

    Each keeps one for the largest message (`MessageExtEncoder`), and the number of these threads grows with the
    processors of the node. Netty limits the capacity of all buffers to the direct memory. A thread that gets no buffer
    fails each request, and the broker no longer answers consumers.

    On JDK 9 and later, Netty needs the first option to allocate buffers as on JDK 8: memory that is not filled with
    zeros, and so is taken from the container's limit only when a message is written to it.
    """
    message = int(group.keys.get("maxMessageSize", _MAX_MESSAGE)) + _MESSAGE_RESERVE
    return [
        "-Dio.netty.tryReflectionSetAccessible=true",
        f"-Dio.netty.maxDirectMemory={group.role.memory.direct * MIB + _MAX_WRITERS * message}",
    ]


def _build_environment(deployment: DeploymentPlan, group: BrokerGroupPlan, drain: probes.Drain) -> list[dict[str, Any]]:
    return [
        build_field_variable("POD_IP", "status.podIP"),
        *build_variables(
            {
                "BROKER": f"127.0.0.1:{ports.BROKER}",
                "SELF": f"$(POD_IP):{ports.BROKER}",
                "CLUSTER": labels.CLUSTER,
                "GROUP": group.name,
                "CONTROLLERS": " ".join(deployment.controller_addresses),
                "MIN_IN_SYNC": str(group.min_in_sync),
                **drain.build_environment(),
                **({"DRAIN_FENCE": "/tmp/drain-fence"} if deployment.agent else {}),  # noqa: S108 - the pod's own volume
            }
        ),
    ]
