"""A broker group: a master and the slaves that take over from it."""

from typing import Any

from pulumi import ComponentResource, Input, Output, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import type_token
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import probes, workload_objects
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_spec import (
    DATA_MOUNT,
    RENDERED_MOUNT,
    RUN_DIRECTORY,
    Container,
    apart,
    field_variable,
    pod,
    variables,
)
from eks_rocketmq.rocketmq.roles.role_plans import BrokerGroupPlan

CONFIG_FILE = "broker.conf"
_PORTS = {"remoting": ports.BROKER, "fast": ports.BROKER_FAST, "ha": ports.BROKER_HA, "metrics": ports.METRICS}


class BrokerMembers(ComponentResource):
    """A StatefulSet with a claim each, host names, a disruption budget and a policy for one group."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a group is made of
        self,
        name: str,
        deployment: DeploymentPlan,
        group: BrokerGroupPlan,
        namespace: Input[str],
        storage_class: Input[str],
        shared_files: Input[str],
        credentials: Input[str] | None,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(type_token("BrokerMembers"), name, {}, opts)
        scope = workload_objects.WorkloadScope(self, name, deployment, namespace, labels.BROKER, group.name)
        drain = probes.drain(group.keys)
        config = workload_objects.config_map(scope, {CONFIG_FILE: group.role.config})
        headless = workload_objects.peers_service(scope, _PORTS)
        workload_objects.disruption_budget(scope)
        workload_objects.network_policy(scope)
        workload_objects.stateful_set(
            scope,
            group.role.replicas,
            pod(
                _container(deployment, group, drain),
                [config, shared_files],
                grace_period=drain.grace_period,
                placement=apart(scope.selector, zones=min(deployment.zones, group.role.replicas)),
                rendered_file=CONFIG_FILE,
            ),
            pods=group.role.pods,
            headless=headless,
            credentials=credentials,
            claim=workload_objects.claim(storage_class, group.role.storage),
            protect=deployment.protect_data,
        )
        self.register_outputs({})


def shared_files(
    parent: ComponentResource, name: str, deployment: DeploymentPlan, namespace: Input[str]
) -> Output[str]:
    """Name of the ConfigMap with what the brokers of all groups read alike.

    In each group's own it was nine tenths of it: of the state, of what a preview compares, and of its time.
    """
    scope = workload_objects.WorkloadScope(parent, f"{name}-broker-shared", deployment, namespace, labels.BROKER)
    return workload_objects.config_map(scope, {**workload_objects.LOGGING, **probes.scripts(*probes.BROKER_SCRIPTS)})


def _container(deployment: DeploymentPlan, group: BrokerGroupPlan, drain: probes.Drain) -> Container:
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
        probes=probes.broker_probes(group.role.storage),
        collector="UseG1GC",
        environment=_script_environment(deployment, group, drain),
        lifecycle={"preStop": probes.run("broker-drain.sh")},
        mounts=[RENDERED_MOUNT, DATA_MOUNT],
    )


def _script_environment(
    deployment: DeploymentPlan, group: BrokerGroupPlan, drain: probes.Drain
) -> list[dict[str, Any]]:
    return [
        field_variable("POD_IP", "status.podIP"),
        *variables(
            {
                "BROKER": f"127.0.0.1:{ports.BROKER}",
                "SELF": f"$(POD_IP):{ports.BROKER}",
                "CLUSTER": labels.CLUSTER,
                "GROUP": group.name,
                "CONTROLLERS": " ".join(deployment.controller_addresses),
                "MIN_IN_SYNC": str(group.min_in_sync),
                **drain.environment(),
            }
        ),
    ]
