"""A broker group: a master and the slaves that take over from it."""

from typing import Any

from pulumi import ComponentResource, Input, Output, ResourceOptions

from eks_rocketmq.component import type_token
from eks_rocketmq.rocketmq import labels, objects, ports, probes
from eks_rocketmq.rocketmq.plan import CLUSTER, BrokerGroup, Plan
from eks_rocketmq.rocketmq.pods import (
    DATA_MOUNT,
    RENDERED_MOUNT,
    RUN_DIRECTORY,
    Container,
    apart,
    field_variable,
    pod,
    variables,
)

CONFIG_FILE = "broker.conf"
_PORTS = {"remoting": ports.BROKER, "fast": ports.BROKER_FAST, "ha": ports.BROKER_HA, "metrics": ports.METRICS}


class BrokerMembers(ComponentResource):
    """A StatefulSet with a claim each, host names, a disruption budget and a policy for one group."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a group is made of
        self,
        name: str,
        plan: Plan,
        group: BrokerGroup,
        namespace: Input[str],
        storage_class: Input[str],
        shared_files: Input[str],
        credentials: Input[str] | None,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(type_token("BrokerMembers"), name, {}, opts)
        scope = objects.Scope(self, name, plan, namespace, labels.BROKER, group.name)
        drain = probes.drain(group.keys)
        config = objects.config_map(scope, {CONFIG_FILE: group.role.config})
        headless = objects.peers_service(scope, _PORTS)
        objects.disruption_budget(scope)
        objects.network_policy(scope)
        objects.stateful_set(
            scope,
            group.role.replicas,
            pod(
                _container(plan, group, drain),
                [config, shared_files],
                grace_period=drain.grace_period,
                placement=apart(scope.selector, zones=min(plan.zones, group.role.replicas)),
                rendered_file=CONFIG_FILE,
            ),
            pods=group.role.pods,
            headless=headless,
            credentials=credentials,
            claim=objects.claim(storage_class, group.role.storage),
            protect=plan.protect_data,
        )
        self.register_outputs({})


def shared_files(parent: ComponentResource, name: str, plan: Plan, namespace: Input[str]) -> Output[str]:
    """Name of the ConfigMap with what the brokers of all groups read alike.

    In each group's own it was nine tenths of it: of the state, of what a preview compares, and of its time.
    """
    scope = objects.Scope(parent, f"{name}-broker-shared", plan, namespace, labels.BROKER)
    return objects.config_map(scope, {**objects.LOGGING, **probes.scripts(*probes.BROKER_SCRIPTS)})


def _container(plan: Plan, group: BrokerGroup, drain: probes.Drain) -> Container:
    return Container(
        role=labels.BROKER,
        main_class="org.apache.rocketmq.broker.BrokerStartup",
        arguments=["-c", f"{RUN_DIRECTORY}/{CONFIG_FILE}"],
        image=plan.image,
        version=plan.version,
        memory=group.role.memory,
        cpu=group.role.cpu,
        pods=group.role.pods,
        ports=_PORTS,
        probes=probes.broker_probes(group.role.storage),
        collector="UseG1GC",
        environment=_script_environment(plan, group, drain),
        lifecycle={"preStop": probes.run("broker-drain.sh")},
        mounts=[RENDERED_MOUNT, DATA_MOUNT],
    )


def _script_environment(plan: Plan, group: BrokerGroup, drain: probes.Drain) -> list[dict[str, Any]]:
    return [
        field_variable("POD_IP", "status.podIP"),
        *variables(
            {
                "BROKER": f"127.0.0.1:{ports.BROKER}",
                "SELF": f"$(POD_IP):{ports.BROKER}",
                "CLUSTER": CLUSTER,
                "GROUP": group.name,
                "CONTROLLERS": " ".join(plan.controller_addresses),
                "MIN_IN_SYNC": str(group.min_in_sync),
                **drain.environment(),
            }
        ),
    ]
