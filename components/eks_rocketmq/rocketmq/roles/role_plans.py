"""Plans of the roles: how many pods, how large, and their configuration files. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.validation import between, bytes_of, check_known_name, cpu, dns_label, whole_number
from eks_rocketmq.rocketmq.access import access
from eks_rocketmq.rocketmq.config import broker_config, durability, memory, tls
from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.config.memory import MIB
from eks_rocketmq.rocketmq.config.metrics import METRIC_KEYS, as_proxies_read
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import pod_settings
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_args import PodsArgs
from eks_rocketmq.rocketmq.pods.pod_settings import PodSettings
from eks_rocketmq.rocketmq.pods.pod_spec import DATA_DIRECTORY
from eks_rocketmq.rocketmq.roles.role_args import BrokerGroupArgs, ControllersArgs, NameServersArgs, ProxiesArgs

STORE_DIRECTORY = f"{DATA_DIRECTORY}/store"
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
class RolePlan:
    """One kind of pod: how many, how large, and its configuration file's text."""

    replicas: int
    memory: memory.Memory
    cpu: str
    config: str
    pods: PodSettings
    storage: str = ""


@dataclass(frozen=True)
class BrokerGroupPlan:
    """One broker group; `keys` is what `role.config` says."""

    name: str
    role: RolePlan
    keys: dict[str, Value]
    min_in_sync: int


@dataclass(frozen=True)
class SharedSettings:
    """Settings that all roles share."""

    version: str
    profile: str
    min_in_sync: int
    common_pods: PodSettings
    pods: PodsArgs
    fixed_keys: frozenset[str]
    """Keys that no `config` may set, beside those of the role."""


def replicas_of(given: Mapping[str, Any], what: str) -> int:
    """Return the number of pods of a role.

    Raises:
        ValueError: for a number out of range.
    """
    return between(given["replicas"], 1, _MOST_REPLICAS, f"{what}.replicas")


def _role(  # noqa: PLR0913 - what makes a role
    role: str, given: Mapping[str, Any], what: str, config: str, shared: SharedSettings, *, direct_needed: int = 0
) -> RolePlan:
    replicas = replicas_of(given, what)
    inputs = [("pods", shared.pods), (f"{what}.pods", given.get("pods", {}))]
    pods = pod_settings.of_role(shared.common_pods, inputs)
    if role in {labels.BROKER, labels.CONTROLLER}:
        said = pod_settings.zone_inputs(inputs)
        durability.check_zones(shared.profile, what, replicas, pods.held_to, said)
    return RolePlan(
        replicas=replicas,
        memory=memory.divide(role, given["memory"], f"{what}.memory", direct_needed=direct_needed),
        cpu=cpu(given["cpu"], f"{what}.cpu"),
        config=config,
        pods=pods,
        storage=given.get("storage", ""),
    )


def plan_name_servers(given: NameServersArgs, shared: SharedSettings) -> RolePlan:
    """Return the plan of the name servers.

    Raises:
        ValueError: for the first argument that is not accepted.
    """
    keys = broker_config.override(
        shared.version,
        "name_server",
        {"listenPort": ports.NAME_SERVER},
        given.get("config", {}),
        fixed=_FIXED_NAME_SERVER,
        what="name_servers.config",
    )
    return _role(labels.NAME_SERVER, given, "name_servers", broker_config.properties(keys), shared)


def plan_controllers(given: ControllersArgs, shared: SharedSettings, addresses: list[str]) -> RolePlan:
    """Return the plan of the controllers.

    Args:
        given: arguments, sizes included.
        shared: settings of all roles.
        addresses: `host:port` of every controller by ordinal.

    Raises:
        ValueError: for the first argument that is not accepted.
    """
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
        shared.version,
        "controller",
        own,
        given.get("config", {}),
        fixed=_FIXED_CONTROLLER | shared.fixed_keys,
        what="controllers.config",
    )
    durability.check_keys(shared.profile, keys, "controllers.config")
    check_known_name(given.get("storage_class"), "controllers.storage_class")
    _check_store("controllers", given["storage"], int(keys["mappedFileSize"]))
    return _role(labels.CONTROLLER, given, "controllers", broker_config.properties(keys), shared)


def plan_broker_group(given: BrokerGroupArgs, shared: SharedSettings, addresses: dict[str, Value]) -> BrokerGroupPlan:
    """Return the plan of a broker group.

    Args:
        given: arguments, sizes included.
        shared: settings of all roles.
        addresses: keys that all groups have: addresses, access control.

    Raises:
        ValueError: for the first argument that is not accepted.
    """
    what = f"broker_groups[{given['name']!r}]"
    name = dns_label(given["name"], f"{what}.name")
    if len(name) > _LONGEST_GROUP:
        msg = f"{what}.name has {len(name)} letters; accepted are {_LONGEST_GROUP} or fewer"
        raise ValueError(msg)
    if name in _OTHER_ROLES:
        msg = f"{what}.name is {name!r}, as the set of another role is called; accepted is any other name"
        raise ValueError(msg)
    replicas = whole_number(given["replicas"], f"{what}.replicas")
    min_in_sync, said = shared.min_in_sync, "min_in_sync_replicas"
    if "min_in_sync_replicas" in given:
        said = f"{what}.min_in_sync_replicas"
        min_in_sync = whole_number(given["min_in_sync_replicas"], said)
    durability.check_members(shared.profile, what, replicas, min_in_sync, said)
    own: dict[str, Value] = {
        "brokerClusterName": labels.CLUSTER,
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
        **durability.group_keys(shared.profile, replicas, min_in_sync),
    }
    fixed = _FIXED_BROKER | shared.fixed_keys
    keys = broker_config.override(
        shared.version, "broker", own, given.get("config", {}), fixed=fixed, what=f"{what}.config"
    )
    durability.check_keys(shared.profile, keys, f"{what}.config")
    check_known_name(given.get("storage_class"), f"{what}.storage_class")
    _check_store(what, given["storage"], int(keys.get("mappedFileSizeCommitLog", _COMMIT_LOG_FILE)))
    role = _role(
        labels.BROKER, given, what, broker_config.properties(keys), shared, direct_needed=_transient_pool(keys)
    )
    return BrokerGroupPlan(name=name, role=role, keys=keys, min_in_sync=min_in_sync)


def _transient_pool(keys: Mapping[str, Value]) -> int:
    """Direct memory in MiB of the pool that the keys ask for."""
    if not keys.get("transientStorePoolEnable", False):
        return 0
    file = int(keys.get("mappedFileSizeCommitLog", _COMMIT_LOG_FILE))
    return int(keys.get("transientStorePoolSize", 5)) * file // memory.MIB


def plan_proxies(
    given: ProxiesArgs,
    shared: SharedSettings,
    deployment: DeploymentPlan,
    *,
    access_control: bool,
    extra: Mapping[str, Value],
) -> RolePlan:
    """Return the plan of the proxies.

    Args:
        given: arguments, sizes included.
        shared: settings of all roles.
        deployment: settings of all objects.
        access_control: whether clients need a user.
        extra: keys of the access from outside the cluster.

    Raises:
        ValueError: for the first argument that is not accepted.
    """
    own: dict[str, Value] = {
        "rocketMQClusterName": labels.CLUSTER,
        "proxyClusterName": labels.CLUSTER,
        "namesrvAddr": deployment.ready_name_server,
        "grpcServerPort": ports.PROXY_GRPC,
        "remotingListenPort": ports.PROXY_REMOTING,
        "proxyMode": "cluster",
        **durability.PROXY_KEYS,
        **(access.PROXY_KEYS if access_control else {}),
        **({} if deployment.tls is None else tls.PROXY_KEYS),
        **METRIC_KEYS,
        **extra,
    }
    fixed = _FIXED_PROXY | shared.fixed_keys
    keys = broker_config.override(
        shared.version, "proxy", own, given.get("config", {}), fixed=fixed, what="proxies.config"
    )
    config = broker_config.as_json(as_proxies_read(shared.version, keys))
    return _role(labels.PROXY, given, "proxies", config, shared)


_LOG_FILES = 4


def _check_store(what: str, storage: str, file: int) -> None:
    """Refuses a small volume: a log makes its files whole and one ahead, and writes end above 90 % of the disk.

    Args:
        what: whose volume, as an error names it.
        storage: its size as a Kubernetes quantity.
        file: bytes of one file of the log.

    Raises:
        ValueError: naming the size and what is accepted.
    """
    if bytes_of(storage, f"{what}.storage") < _LOG_FILES * file:
        msg = (
            f"{what}.storage is {storage}; accepted is room for {_LOG_FILES} files of its log, "
            f"{_LOG_FILES * file // MIB}Mi, or more (a broker's config can have a smaller mappedFileSizeCommitLog)"
        )
        raise ValueError(msg)
