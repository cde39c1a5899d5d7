"""Everything that a RocketMQ will be, decided and checked before the first resource. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from eks_rocketmq.rocketmq import (
    access,
    broker_config,
    declared,
    durability,
    labels,
    memory,
    pod_settings,
    ports,
    sizes,
    tls,
    version_limits,
)
from eks_rocketmq.rocketmq.arguments import BrokerGroupArgs, ControllersArgs, NameServersArgs, PodsArgs, RocketMqArgs
from eks_rocketmq.rocketmq.broker_config import Value
from eks_rocketmq.rocketmq.pod_settings import PodSettings
from eks_rocketmq.rocketmq.pods import DATA_DIRECTORY
from eks_rocketmq.rocketmq.surroundings import METRIC_KEYS, Surroundings, as_proxies_read, surroundings
from eks_rocketmq.shape import hold
from eks_rocketmq.validation import (
    between,
    check_known_name,
    cpu,
    digest,
    dns_label,
    each_once,
    image,
    image_reference,
    whole_number,
)

CLUSTER = "rocketmq"
STORE_DIRECTORY = f"{DATA_DIRECTORY}/store"
DEFAULT_VERSION = "5.5.0"
DEFAULT_IMAGE = "apache/rocketmq"

_COMMIT_LOG_FILE = 1024**3
_CONTROLLER_LOG_FILE = 64 * memory.MIB  # made whole at once; RocketMQ's own 1 GiB is for message logs
_MOST_REPLICAS = 1000
_OTHER_ROLES = (
    labels.NAME_SERVER,
    labels.CONTROLLER,
    labels.PROXY,
    labels.DECLARATIONS,
    labels.MONITORING,
    labels.DASHBOARD,
)
_LONGEST_GROUP = 40  # leaves room for what Kubernetes puts around it in the names of pods and claims

# The deployment's shape depends on these; a value of the user's own would part them from Services, probes and volumes.
_FIXED_BROKER = frozenset(
    {
        "brokerClusterName", "brokerName", "brokerId", "brokerIP1", "brokerIP2", "brokerRole", "listenPort",
        "haListenPort", "namesrvAddr", "fetchNameSrvAddrByDnsLookup", "storePathRootDir", "storePathCommitLog",
        "storePathDLedgerCommitLog", "storePathEpochFile", "storePathBrokerIdentity", "enableControllerMode",
        "enableDLegerCommitLog", "controllerAddr", "fetchControllerAddrByDnsLookup", "totalReplicas", "inSyncReplicas",
        "minInSyncReplicas", "allAckInSyncStateSet", "asyncLearner",
    }
    | access.FIXED_KEYS
)  # fmt: skip
_FIXED_NAME_SERVER = frozenset(
    {"listenPort", "enableControllerInNamesrv", "rocketmqHome", "enableShutdownGracefully", "shutdownWaitTimeSeconds"}
)
_FIXED_CONTROLLER = frozenset(
    {
        "controllerType", "controllerDLegerGroup", "controllerDLegerPeers", "controllerDLegerSelfId",
        "controllerStorePath", "listenPort", "rocketmqHome", "enableShutdownGracefully", "shutdownWaitTimeSeconds",
        # Those of the other type, which never noticed that a broker was gone before 5.3.4.
        "jRaftControllerRPCAddr", "jRaftElectionTimeoutMs", "jRaftGroupId", "jRaftInitConf", "jRaftScanWaitTimeoutMs",
        "jRaftServerId", "jRaftSnapshotIntervalSecs",
    }
)  # fmt: skip
_FIXED_PROXY = (
    frozenset({"rocketMQClusterName", "namesrvAddr", "proxyMode", "grpcServerPort", "remotingListenPort"})
    | access.FIXED_KEYS
    | frozenset(tls.PROXY_KEYS)
)


@dataclass(frozen=True)
class Role:
    """One kind of pod: how many, how large, and its configuration file's text."""

    replicas: int
    memory: memory.Memory
    cpu: str
    config: str
    pods: PodSettings
    storage: str = ""


@dataclass(frozen=True)
class BrokerGroup:
    """One broker group; `keys` is what `role.config` says."""

    name: str
    role: Role
    keys: dict[str, Value]
    min_in_sync: int


@dataclass(frozen=True)
class Plan:
    """A whole RocketMQ. Addresses are `host:port` of every member by ordinal."""

    namespace: str
    create_namespace: bool
    pod_security: str
    version: str
    image: str
    zones: int
    labels: dict[str, str]
    annotations: dict[str, str]
    protect_data: bool
    warnings: list[str]
    """What is accepted and had better be changed."""
    name_server_addresses: list[str]
    controller_addresses: list[str]
    name_servers: Role
    controllers: Role
    groups: list[BrokerGroup]
    proxies: Role
    access: access.Access | None
    tls: tls.Tls | None
    declared_files: dict[str, str]
    """Declarations as `scripts/declare.sh` reads them; empty when there are none."""
    other_pods: PodSettings
    """Of the declarations and the web console, which have no settings of a role."""
    surroundings: Surroundings

    @property
    def optional_roles(self) -> frozenset[str]:
        """Roles that are there because something was asked for."""
        asked = {
            labels.DECLARATIONS: bool(self.declared_files),
            labels.DASHBOARD: self.surroundings.dashboard is not None,
        }
        return frozenset(role for role, there in asked.items() if there)

    @property
    def ready_name_server(self) -> str:
        """Address behind which only name servers are that answer: a proxy that meets a dead one exits."""
        return f"{labels.app(labels.NAME_SERVER)}.{self.namespace}.svc:{ports.NAME_SERVER}"


@dataclass(frozen=True)
class _Frame:
    """What is said once for all roles."""

    version: str
    profile: str
    min_in_sync: int
    everyone: PodSettings
    pods: PodsArgs
    around: Surroundings


def plan(args: RocketMqArgs) -> Plan:
    """The plan of the arguments.

    Raises:
        ValueError: for the first argument that cannot be, saying what was given and what is accepted.
    """
    hold(args, RocketMqArgs)
    namespace = dns_label(args["namespace"], "namespace")
    check_known_name(args["storage_class"], "storage_class")
    version = args.get("version", DEFAULT_VERSION)
    profile_name = args.get("profile", "strict")
    profile = durability.profile(profile_name)
    args = sizes.complete(args, profile_name)
    min_in_sync = whole_number(args.get("min_in_sync_replicas", profile.min_in_sync), "min_in_sync_replicas")
    around = surroundings(args)
    frame = _Frame(version, profile_name, min_in_sync, pod_settings.common(args), args.get("pods", {}), around)
    name_servers = _replicas(args["name_servers"], "name_servers")
    quorum = _replicas(args["controllers"], "controllers")
    durability.check_quorum(profile_name, quorum)
    names = _addresses(labels.NAME_SERVER, name_servers, namespace, ports.NAME_SERVER)
    controllers = _addresses(labels.CONTROLLER, quorum, namespace, ports.CONTROLLER)
    own: dict[str, Value] = {"namesrvAddr": ";".join(names), "controllerAddr": ";".join(controllers)}
    guarded = access.access(args["access"]) if "access" in args else None
    if guarded is not None:
        own |= access.BROKER_KEYS
    result = Plan(
        namespace=namespace,
        create_namespace=args.get("create_namespace", True),
        pod_security=pod_settings.security_level(args),
        version=version,
        image=_image(args, version),
        zones=profile.zones,
        labels=pod_settings.object_labels(args.get("labels", {}), "labels"),
        annotations=pod_settings.object_annotations(args.get("annotations", {}), "annotations"),
        protect_data=args.get("protect_data", True),
        warnings=version_limits.warnings(version, args),
        name_server_addresses=names,
        controller_addresses=controllers,
        name_servers=_name_servers(args["name_servers"], frame),
        controllers=_controllers(args["controllers"], frame, controllers),
        groups=[_group(group, frame, own) for group in args["broker_groups"]],
        proxies=_role(labels.PROXY, args["proxies"], "proxies", "", frame),
        access=guarded,
        tls=tls.tls(args["tls"]) if "tls" in args else None,
        declared_files={},
        other_pods=pod_settings.of_role(frame.everyone, [("pods", frame.pods)]),
        surroundings=around,
    )
    _check_groups(result.groups)
    result = replace(result, declared_files=_declared_files(result, args))
    result = _with_proxy_config(result, args["proxies"].get("config", {}))
    # By now every key is known and its value of the right type.
    return replace(result, warnings=[*_warnings(args, version), *result.warnings])


def _warnings(args: RocketMqArgs, version: str) -> list[str]:
    configs = [
        ("broker", f"broker_groups[{group['name']!r}]", group.get("config", {})) for group in args["broker_groups"]
    ]
    configs += [
        ("name_server", "name_servers", args["name_servers"].get("config", {})),
        ("controller", "controllers", args["controllers"].get("config", {})),
        ("proxy", "proxies", args["proxies"].get("config", {})),
    ]
    return [
        f"{what}.config: {told}"
        for role, what, config in configs
        for told in [*broker_config.remarks(version, role, config), *durability.slower(role, config)]
    ]


def _addresses(role: str, replicas: int, namespace: str, port: int) -> list[str]:
    return [f"{host}:{port}" for host in labels.pod_hosts(labels.app(role), replicas, namespace)]


def _image(args: RocketMqArgs, version: str) -> str:
    pinned = digest(args["image_digest"], "image_digest") if "image_digest" in args else None
    return image_reference(image(args.get("image", DEFAULT_IMAGE), "image"), version, pinned)


def _replicas(given: Mapping[str, Any], what: str) -> int:
    return between(given["replicas"], 1, _MOST_REPLICAS, f"{what}.replicas")


def _role(  # noqa: PLR0913 - what makes a role
    role: str, given: Mapping[str, Any], what: str, config: str, frame: _Frame, *, direct_needed: int = 0
) -> Role:
    replicas = _replicas(given, what)
    inputs = [("pods", frame.pods), (f"{what}.pods", given.get("pods", {}))]
    pods = pod_settings.of_role(frame.everyone, inputs)
    if role in {labels.BROKER, labels.CONTROLLER}:
        said = pod_settings.zone_inputs(inputs)
        durability.check_zones(frame.profile, what, replicas, pods.held_to, said)
    return Role(
        replicas=replicas,
        memory=memory.divide(role, given["memory"], f"{what}.memory", direct_needed=direct_needed),
        cpu=cpu(given["cpu"], f"{what}.cpu"),
        config=config,
        pods=pods,
        storage=given.get("storage", ""),
    )


def _name_servers(given: NameServersArgs, frame: _Frame) -> Role:
    keys = broker_config.override(
        frame.version,
        "name_server",
        {"listenPort": ports.NAME_SERVER},
        given.get("config", {}),
        fixed=_FIXED_NAME_SERVER,
        what="name_servers.config",
    )
    return _role(labels.NAME_SERVER, given, "name_servers", broker_config.properties(keys), frame)


def _controllers(given: ControllersArgs, frame: _Frame, addresses: list[str]) -> Role:
    own: dict[str, Value] = {
        "controllerDLegerGroup": "controllers",
        # The id ends at the first hyphen; the host name may have more of them.
        "controllerDLegerPeers": ";".join(f"n{ordinal}-{address}" for ordinal, address in enumerate(addresses)),
        "controllerDLegerSelfId": "n${ORDINAL}",
        "controllerStorePath": f"{DATA_DIRECTORY}/controller",
        "mappedFileSize": _CONTROLLER_LOG_FILE,
        **durability.CONTROLLER_KEYS,
        **METRIC_KEYS,
    }
    keys = broker_config.override(
        frame.version,
        "controller",
        own,
        given.get("config", {}),
        fixed=_FIXED_CONTROLLER | frame.around.fixed_keys,
        what="controllers.config",
    )
    durability.check_keys(frame.profile, keys, "controllers.config")
    check_known_name(given.get("storage_class"), "controllers.storage_class")
    sizes.check_store("controllers", given["storage"], int(keys["mappedFileSize"]))
    return _role(labels.CONTROLLER, given, "controllers", broker_config.properties(keys), frame)


def _group(given: BrokerGroupArgs, frame: _Frame, addresses: dict[str, Value]) -> BrokerGroup:
    what = f"broker_groups[{given['name']!r}]"
    name = dns_label(given["name"], f"{what}.name")
    if len(name) > _LONGEST_GROUP:
        msg = f"{what}.name has {len(name)} letters; accepted are {_LONGEST_GROUP} or fewer"
        raise ValueError(msg)
    if name in _OTHER_ROLES:
        msg = f"{what}.name is {name!r}, as the set of another role is called; accepted is any other name"
        raise ValueError(msg)
    replicas = whole_number(given["replicas"], f"{what}.replicas")
    min_in_sync, said = frame.min_in_sync, "min_in_sync_replicas"
    if "min_in_sync_replicas" in given:
        said = f"{what}.min_in_sync_replicas"
        min_in_sync = whole_number(given["min_in_sync_replicas"], said)
    durability.check_members(frame.profile, what, replicas, min_in_sync, said)
    own: dict[str, Value] = {
        "brokerClusterName": CLUSTER,
        "brokerName": name,
        "brokerId": -1,  # the controllers give it out; it then stands in the store
        # Clients use the first, slaves the second. Without them RocketMQ picks an interface, not always the pod's.
        "brokerIP1": "${POD_IP}",
        "brokerIP2": "${POD_IP}",
        "listenPort": ports.BROKER,
        "haListenPort": ports.BROKER_HA,
        "storePathRootDir": STORE_DIRECTORY,
        "enableControllerMode": True,
        **addresses,
        **METRIC_KEYS,
        **durability.group_keys(frame.profile, replicas, min_in_sync),
    }
    fixed = _FIXED_BROKER | frame.around.fixed_keys
    keys = broker_config.override(
        frame.version, "broker", own, given.get("config", {}), fixed=fixed, what=f"{what}.config"
    )
    durability.check_keys(frame.profile, keys, f"{what}.config")
    check_known_name(given.get("storage_class"), f"{what}.storage_class")
    sizes.check_store(what, given["storage"], int(keys.get("mappedFileSizeCommitLog", _COMMIT_LOG_FILE)))
    role = _role(labels.BROKER, given, what, broker_config.properties(keys), frame, direct_needed=_transient_pool(keys))
    return BrokerGroup(name=name, role=role, keys=keys, min_in_sync=min_in_sync)


def _transient_pool(keys: Mapping[str, Value]) -> int:
    """Direct memory in MiB of the pool that the keys ask for."""
    if not keys.get("transientStorePoolEnable", False):
        return 0
    file = int(keys.get("mappedFileSizeCommitLog", _COMMIT_LOG_FILE))
    return int(keys.get("transientStorePoolSize", 5)) * file // memory.MIB


def _check_groups(groups: list[BrokerGroup]) -> None:
    if not groups:
        msg = "broker_groups is empty; accepted is one group or more"
        raise ValueError(msg)
    each_once([group.name for group in groups], "broker_groups")


def _with_proxy_config(result: Plan, given: Mapping[str, Value]) -> Plan:
    own: dict[str, Value] = {
        "rocketMQClusterName": CLUSTER,
        "proxyClusterName": CLUSTER,
        "namesrvAddr": result.ready_name_server,
        "grpcServerPort": ports.PROXY_GRPC,
        "remotingListenPort": ports.PROXY_REMOTING,
        "proxyMode": "cluster",
        **durability.PROXY_KEYS,
        **({} if result.access is None else access.PROXY_KEYS),
        **({} if result.tls is None else tls.PROXY_KEYS),
        **METRIC_KEYS,
        **result.surroundings.proxy_keys,
    }
    fixed = _FIXED_PROXY | result.surroundings.fixed_keys
    keys = broker_config.override(result.version, "proxy", own, given, fixed=fixed, what="proxies.config")
    config = broker_config.as_json(as_proxies_read(result.version, keys))
    return replace(result, proxies=replace(result.proxies, config=config))


def _declared_files(result: Plan, args: RocketMqArgs) -> dict[str, str]:
    groups = [group.name for group in result.groups]
    members = {
        group.name: [
            f"{host}:{ports.BROKER}"
            for host in labels.pod_hosts(labels.group_name(group.name), group.role.replicas, result.namespace)
        ]
        for group in result.groups
    }
    mixed = all(group.keys.get("enableMixedMessageType") is True for group in result.groups)
    topics = declared.topics(args.get("topics", []), groups, result.version, CLUSTER, mixed=mixed)
    return declared.files(
        members, topics, declared.consumer_groups(args.get("consumer_groups", [])), guarded=result.access is not None
    )
