"""Plans of the roles: replicas, sizes, and configuration files. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.validation import (
    parse_bytes,
    parse_whole_number,
    validate_cpu,
    validate_dns_label,
    validate_known_name,
    validate_range,
)
from eks_rocketmq.rocketmq.access import access
from eks_rocketmq.rocketmq.config import broker_config, durability, key_rules, memory, tls
from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.config.memory import MIB
from eks_rocketmq.rocketmq.config.metrics import METRIC_KEYS, encode_exporter_type
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import pod_settings
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pod_args import PodsArgs
from eks_rocketmq.rocketmq.pods.pod_settings import PodSettings
from eks_rocketmq.rocketmq.pods.pod_spec import DATA_DIRECTORY
from eks_rocketmq.rocketmq.roles.role_args import BrokerGroupArgs, ControllersArgs, NameServersArgs, ProxiesArgs

STORE_DIRECTORY = f"{DATA_DIRECTORY}/store"
CONTROLLER_DIRECTORY = f"{DATA_DIRECTORY}/controller"
_COMMIT_LOG_FILE = 1024**3
_CONTROLLER_LOG_FILE = 64 * memory.MIB  # allocated in full on creation; RocketMQ's default of 1 GiB suits messages
_MAX_REPLICAS = 1000
_MIN_LOG_FILES = 4
_RESERVED_GROUP_NAMES = (
    labels.NAME_SERVER,
    labels.CONTROLLER,
    labels.PROXY,
    labels.DECLARATIONS,
    labels.MONITORING,
    labels.DASHBOARD,
)
_MAX_GROUP_NAME = 40  # names of pods and claims add a prefix and a suffix
# The deployment depends on these keys. Other values would not match its Services, probes and volumes.
_FIXED_BROKER = frozenset(
    {
        "brokerClusterName", "brokerName", "brokerId", "brokerIP1", "brokerIP2", "brokerRole", "listenPort",
        "haListenPort", "namesrvAddr", "fetchNameSrvAddrByDnsLookup", "storePathRootDir", "storePathCommitLog",
        "storePathDLedgerCommitLog", "storePathEpochFile", "storePathBrokerIdentity", "enableControllerMode",
        "enableDLegerCommitLog", "controllerAddr", "fetchControllerAddrByDnsLookup", "totalReplicas", "inSyncReplicas",
        "minInSyncReplicas", "allAckInSyncStateSet", "asyncLearner", "enableSplitMetadata",
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
        # Keys of the JRaft controller, which did not detect a stopped broker before 5.3.4.
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
    """Replicas, sizes and configuration file of one role. `config` is the text of the file."""

    replicas: int
    memory: memory.Memory
    cpu: str
    config: str
    pods: PodSettings
    storage: str = ""


@dataclass(frozen=True)
class BrokerGroupPlan:
    """Plan of one broker group. `keys` are the keys in `role.config`."""

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
    """Keys that no `config` may set, in addition to those of the role."""
    agent: bool
    """Whether the agent runs in the JVMs."""


def validate_replicas(given: Mapping[str, Any], path: ArgumentPath) -> int:
    """Return the number of pods of a role."""
    return validate_range(given["replicas"], 1, _MAX_REPLICAS, path / "replicas")


def _plan_role(  # noqa: PLR0913 - the inputs of a role's plan
    role: str,
    given: Mapping[str, Any],
    path: ArgumentPath,
    config: str,
    shared: SharedSettings,
    *,
    direct_needed: int = 0,
) -> RolePlan:
    replicas = validate_replicas(given, path)
    inputs = [(ARGS / "pods", shared.pods), (path / "pods", given.get("pods", {}))]
    pods = pod_settings.plan_role_pods(shared.common_pods, inputs)
    if role in {labels.BROKER, labels.CONTROLLER}:
        input_paths = pod_settings.list_zone_inputs(inputs)
        durability.check_zones(shared.profile, path, replicas, pods.allowed_zones, input_paths)
    return RolePlan(
        replicas=replicas,
        memory=memory.divide_memory(role, given["memory"], path / "memory", direct_needed=direct_needed),
        cpu=validate_cpu(given["cpu"], path / "cpu"),
        config=config,
        pods=pods,
        storage=given.get("storage", ""),
    )


def plan_name_servers(given: NameServersArgs, shared: SharedSettings) -> RolePlan:
    """Return the plan of the name servers.

    Raise ValueError for an argument that is not accepted.
    """
    path = ARGS / "name_servers"
    keys = broker_config.merge_keys(
        shared.version,
        "name_server",
        {"listenPort": ports.NAME_SERVER},
        given.get("config", {}),
        fixed=_FIXED_NAME_SERVER,
        path=path / "config",
    )
    return _plan_role(labels.NAME_SERVER, given, path, broker_config.render_properties(keys), shared)


def plan_controllers(given: ControllersArgs, shared: SharedSettings, addresses: list[str]) -> RolePlan:
    """Return the plan of the controllers.

    `given` includes the sizes. `addresses` are `host:port` of every controller by ordinal. Raise ValueError for an
    argument that is not accepted.
    """
    path = ARGS / "controllers"
    defaults: dict[str, Value] = {
        "controllerDLegerGroup": "controllers",
        # The id ends at the first hyphen. The host name may contain hyphens.
        "controllerDLegerPeers": ";".join(f"n{ordinal}-{address}" for ordinal, address in enumerate(addresses)),
        "controllerDLegerSelfId": "n${ORDINAL}",
        "controllerStorePath": CONTROLLER_DIRECTORY,
        "mappedFileSize": _CONTROLLER_LOG_FILE,
        **durability.CONTROLLER_KEYS,
        **METRIC_KEYS,
    }
    keys = broker_config.merge_keys(
        shared.version,
        "controller",
        defaults,
        given.get("config", {}),
        fixed=_FIXED_CONTROLLER | shared.fixed_keys,
        path=path / "config",
    )
    durability.check_keys(shared.profile, keys, path / "config")
    validate_known_name(given.get("storage_class"), path / "storage_class")
    _check_store(path, given["storage"], "mappedFileSize", int(keys["mappedFileSize"]))
    return _plan_role(labels.CONTROLLER, given, path, broker_config.render_properties(keys), shared)


def plan_broker_group(
    given: BrokerGroupArgs, shared: SharedSettings, addresses: dict[str, Value], path: ArgumentPath
) -> BrokerGroupPlan:
    """Return the plan of a broker group.

    `given` includes the sizes. `addresses` are the keys that all groups share: addresses, access control. Raise
    ValueError for an argument that is not accepted.
    """
    name = _validate_group_name(given["name"], path / "name")
    replicas = parse_whole_number(given["replicas"], path / "replicas")
    min_in_sync, input_path = shared.min_in_sync, ARGS / "min_in_sync_replicas"
    if "min_in_sync_replicas" in given:
        input_path = path / "min_in_sync_replicas"
        min_in_sync = parse_whole_number(given["min_in_sync_replicas"], input_path)
    durability.check_members(shared.profile, path, replicas, min_in_sync, input_path)
    defaults: dict[str, Value] = {
        "brokerClusterName": labels.CLUSTER,
        "brokerName": name,
        "brokerId": -1,  # the controllers assign the id, and the broker saves it in its store
        # Clients use the first, slaves the second. Without them, RocketMQ may select the wrong network interface.
        "brokerIP1": "${POD_IP}",
        "brokerIP2": "${POD_IP}",
        "listenPort": ports.BROKER,
        "haListenPort": ports.BROKER_HA,
        "storePathRootDir": STORE_DIRECTORY,
        "enableControllerMode": True,
        **addresses,
        **METRIC_KEYS,
        **_plan_metadata(shared.version),
        **durability.build_group_keys(shared.profile, replicas, min_in_sync, agent=shared.agent),
    }
    fixed = _FIXED_BROKER | shared.fixed_keys
    keys = broker_config.merge_keys(
        shared.version, "broker", defaults, given.get("config", {}), fixed=fixed, path=path / "config"
    )
    durability.check_keys(shared.profile, keys, path / "config")
    key_rules.reject_store_plug_in(keys, path / "config", agent=shared.agent)
    validate_known_name(given.get("storage_class"), path / "storage_class")
    file_size = int(keys.get("mappedFileSizeCommitLog", _COMMIT_LOG_FILE))
    _check_store(path, given["storage"], "mappedFileSizeCommitLog", file_size)
    role = _plan_role(
        labels.BROKER,
        given,
        path,
        broker_config.render_properties(keys),
        shared,
        direct_needed=_compute_transient_pool(keys),
    )
    return BrokerGroupPlan(name=name, role=role, keys=keys, min_in_sync=min_in_sync)


def _plan_metadata(version: str) -> dict[str, Value]:
    """Return the keys that let a broker answer with all its topics and consumer groups at once.

    RocketMQ 5.4.0 and 5.5.0 answer with pages of 2,000. A slave loses the last topic if it is alone on its page
    (BrokerOuterAPI.getAllTopicConfig ends at the total minus one), and declare.sh would see the first page only.
    """
    key = "enableSplitMetadata"
    return {key: False} if key in broker_config.load_keys(version)["broker"] else {}


def _validate_group_name(given: str, path: ArgumentPath) -> str:
    name = validate_dns_label(given, path)
    if len(name) > _MAX_GROUP_NAME:
        raise ArgumentError(
            path,
            "broker-group-name-length",
            "{given!r} has {length} characters",
            accepted="up to {most} characters",
            given=name,
            length=len(name),
            most=_MAX_GROUP_NAME,
        )
    if name in _RESERVED_GROUP_NAMES:
        raise ArgumentError(
            path,
            "broker-group-name-reserved",
            "{given!r} is the name of another role",
            remedy="Choose another name",
            given=name,
        )
    return name


def _compute_transient_pool(keys: Mapping[str, Value]) -> int:
    """Return the direct memory in MiB of the transient store pool that the keys configure."""
    if not keys.get("transientStorePoolEnable", False):
        return 0
    file = int(keys.get("mappedFileSizeCommitLog", _COMMIT_LOG_FILE))
    return int(keys.get("transientStorePoolSize", 5)) * file // memory.MIB


def plan_proxies(
    given: ProxiesArgs,
    shared: SharedSettings,
    deployment: DeploymentPlan,
    *,
    access_keys: Mapping[str, Value],
    external_keys: Mapping[str, Value],
) -> RolePlan:
    """Return the plan of the proxies.

    `given` includes the sizes. `access_keys` and `external_keys` are keys of the configuration file. Raise ValueError
    for an argument that is not accepted.
    """
    path = ARGS / "proxies"
    defaults: dict[str, Value] = {
        "rocketMQClusterName": labels.CLUSTER,
        "proxyClusterName": labels.CLUSTER,
        "namesrvAddr": deployment.ready_name_server,
        "grpcServerPort": ports.PROXY_GRPC,
        "remotingListenPort": ports.PROXY_REMOTING,
        "proxyMode": "cluster",
        **durability.PROXY_KEYS,
        **access_keys,
        **({} if deployment.tls is None else tls.PROXY_KEYS),
        **METRIC_KEYS,
        **external_keys,
    }
    fixed = _FIXED_PROXY | shared.fixed_keys
    keys = broker_config.merge_keys(
        shared.version, "proxy", defaults, given.get("config", {}), fixed=fixed, path=path / "config"
    )
    config = broker_config.render_json(encode_exporter_type(shared.version, keys))
    return _plan_role(labels.PROXY, given, path, config, shared)


def _check_store(path: ArgumentPath, storage: str, key: str, file_size: int) -> None:
    """Reject a volume that is too small for the log.

    RocketMQ allocates log files in full and one file in advance, and writes stop when 90 % of the disk is used.

    Args:
        storage: size of the volume as a Kubernetes quantity.
        key: key of `config` with the size of a log file.
        file_size: size of one log file in bytes.
    """
    if parse_bytes(storage, path / "storage") < _MIN_LOG_FILES * file_size:
        raise ArgumentError(
            path / "storage",
            "storage-too-small-for-log",
            "{given!r} is too small for the log",
            accepted="'{minimum}Mi' or more, room for {files} files of the log",
            remedy="For a smaller volume, set a smaller {key} in {config}",
            given=storage,
            minimum=-(-_MIN_LOG_FILES * file_size // MIB),
            files=_MIN_LOG_FILES,
            key=key,
            config=path / "config",
        )
