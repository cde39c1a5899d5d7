"""The name servers: where brokers register and clients ask."""

from pulumi import ComponentResource, Input, Resource, ResourceOptions

from eks_rocketmq.component import type_token
from eks_rocketmq.rocketmq import labels, objects, ports, probes
from eks_rocketmq.rocketmq.durability import registration_seconds
from eks_rocketmq.rocketmq.plan import Plan
from eks_rocketmq.rocketmq.pods import CONFIG_DIRECTORY, Container, apart, pod

CONFIG_FILE = "namesrv.conf"
_PORTS = {"remoting": ports.NAME_SERVER}
_GRACE_SECONDS = 30

# Clients ask again after 30 s: the next name server goes only when all of them have found this one.
_MIN_READY_SECONDS = 35


class NameServers(ComponentResource):
    """A StatefulSet, host names for each, one address for those that answer, a disruption budget and a policy."""

    ready: list[Resource]
    """Resources that exist, and are ready, when every name server can be reached under its host name."""

    def __init__(self, name: str, plan: Plan, namespace: Input[str], opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("NameServers"), name, {}, opts)
        scope = objects.Scope(self, name, plan, namespace, labels.NAME_SERVER)
        config = objects.config_map(
            scope,
            {
                CONFIG_FILE: plan.name_servers.config,
                **objects.LOGGING,
                **probes.scripts("ask.sh", "alive.sh", "name-server-ready.sh"),
            },
        )
        objects.service(scope, _PORTS)
        headless = objects.peers_service(scope, _PORTS)
        objects.disruption_budget(scope)
        objects.network_policy(scope)
        servers = objects.stateful_set(
            scope,
            plan.name_servers.replicas,
            pod(
                _container(plan),
                [config],
                grace_period=_GRACE_SECONDS,
                placement=apart(scope.selector, zones=None),
            ),
            pods=plan.name_servers.pods,
            headless=headless,
            min_ready_seconds=_MIN_READY_SECONDS,
        )
        self.ready = [headless, servers]
        self.register_outputs({})


def _container(plan: Plan) -> Container:
    # A name server starts empty. Behind the Service for those that answer it appears when the brokers have registered.
    registration = max(registration_seconds(group.keys) for group in plan.groups)
    return Container(
        role=labels.NAME_SERVER,
        main_class="org.apache.rocketmq.namesrv.NamesrvStartup",
        arguments=["-c", f"{CONFIG_DIRECTORY}/{CONFIG_FILE}"],
        image=plan.image,
        version=plan.version,
        memory=plan.name_servers.memory,
        cpu=plan.name_servers.cpu,
        pods=plan.name_servers.pods,
        ports=_PORTS,
        probes=probes.server_probes(
            ports.NAME_SERVER,
            probes.NAME_SERVER.running(),
            probes.run("name-server-ready.sh", f"127.0.0.1:{ports.NAME_SERVER}"),
            ready_after=registration + 2,
        ),
    )
