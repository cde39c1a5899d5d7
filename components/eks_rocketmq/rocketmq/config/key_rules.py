"""Constraints that RocketMQ's setters do not express: ranges, formats, and keys that contradict each other. Pure.

Each rule comes from the source of 5.5.0; the comment names the class. It also names the effect of a violation: RocketMQ
clamps the value without a message, throws at startup, or runs without the requested behaviour.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.rocketmq.naming.labels import BROKER, CONTROLLER, PROXY

MAX_INT = 2**31 - 1

_Bounds = tuple[float, int | None, str]
_RANGES: Mapping[str, _Bounds] = {
    # BrokerController clamps it.
    "registerNameServerPeriod": (10000, 60000, "milliseconds, RocketMQ clamps other values without a message"),
    # MessageStoreConfig and DefaultMessageStore.CleanCommitLogService clamp them.
    "diskMaxUsedSpaceRatio": (10, 95, "percent, RocketMQ clamps other values without a message"),
    "diskSpaceWarningLevelRatio": (35, 90, "percent, RocketMQ clamps other values without a message"),
    "diskSpaceCleanForciblyRatio": (30, 85, "percent, RocketMQ clamps other values without a message"),
    # CleanCommitLogService deletes older files; with 0 it deletes every full file.
    "fileReservedTime": (1, MAX_INT, "hours, 0 would delete every full file of messages"),
    "accessMessageInMemoryMaxRatio": (0, 100, "percent of the memory"),
    "accessMessageInMemoryHotRatio": (0, 100, "percent of the memory"),
    # PopMessageProcessor draws a number below 100.
    "popFromRetryProbability": (0, 100, "percent"),
    "popFromRetryProbabilityForPriority": (0, 100, "percent"),
    # BloomFilter throws at startup of the broker.
    "maxErrorRateOfBloomFilter": (1, 99, "percent, the broker does not start with other values"),
    # MappedFileQueue divides by it. An entry has 20 bytes.
    "mappedFileSizeConsumeQueue": (20, MAX_INT, "bytes, an entry has 20"),
    # DefaultMessageStore deletes files immediately above this ratio.
    "logicalDiskSpaceCleanForciblyThreshold": (0.1, 1, "fraction of the volume"),
    "maxHashSlotNum": (1, MAX_INT, "number of slots of an index file, which RocketMQ divides by"),
    "maxIndexNum": (1, MAX_INT, "maximum number of entries in an index file"),
    "transientStorePoolSize": (1, MAX_INT, "buffers, writes need at least one"),
    # AutoSwitchHAClient.READ_MAX_BUFFER_SIZE.
    "haTransferBatchSize": (1, 4 * 1024**2, "bytes, the size of a slave's read buffer is the maximum"),
    # TimerMessageStore replaces other values with its maximum.
    "timerRollWindowSlot": (2, 604740, "slots, RocketMQ replaces other values with the maximum"),
    "shutdownWaitTimeSeconds": (0, 600, "seconds, twice this time is added to a shutdown"),
}

# Patterns for keys with a common meaning.
_FAMILIES: tuple[tuple[re.Pattern[str], _Bounds], ...] = (
    (re.compile(r".*Port"), (1, 65535, "a port")),
    # ThreadPoolExecutor, LinkedBlockingQueue and Netty's executors throw at startup.
    (re.compile(r".*Thread(s|(Pool)?Nums?)"), (1, 32767, "threads, the process exits if a pool has none")),
    (re.compile(r".*QueueCapacity"), (1, MAX_INT, "waiting requests")),
    (
        re.compile(r".*(Period|Interval).*"),
        (1, MAX_INT, "the period of a timer, which would stop or run without a pause with other values"),
    ),
    (
        re.compile(r".*[mM]app(ed|er)FileSize.*"),
        (2**20, MAX_INT, "bytes, a file must fit everything that is written at once"),
    ),
    # Caffeine throws for a refresh that is not positive.
    (re.compile(r".*CacheRefreshSeconds?"), (1, MAX_INT, "seconds, the process does not start with other values")),
)

# Any other numeric key is a timeout, a number of items to keep, or a limit.
_DEFAULT_BOUNDS: _Bounds = (1, None, "RocketMQ accepts lower values but does not work with them")

# Keys for which a lower value has a special meaning.
_LOWER_BOUNDS: Mapping[str, tuple[int, str]] = {
    # ReplicasManager assigns the id.
    "brokerId": (-1, "-1 if the controllers assign the id"),
    "defaultPopShareQueueNum": (-1, "-1 shares all queues"),
    "disappearTimeAfterStart": (-1, "-1 does not wait"),
    "maxStatsIdleTimeInMinutes": (-1, "-1 keeps all statistics"),
    # Defaults of Netty or the kernel.
    "clientSocketRcvBufSize": (0, "0 is the kernel's default"),
    "clientSocketSndBufSize": (0, "0 is the kernel's default"),
    "serverSocketRcvBufSize": (0, "0 is the kernel's default"),
    "serverSocketSndBufSize": (0, "0 is the kernel's default"),
    "writeBufferHighWaterMark": (0, "0 is Netty's default"),
    "writeBufferLowWaterMark": (0, "0 is Netty's default"),
    "serverSelectorThreads": (0, "0 is two for each processor"),
    "grpcBossLoopNum": (0, "0 is two for each processor"),
    "grpcWorkerLoopNum": (0, "0 is two for each processor"),
    "clientCallbackExecutorThreads": (0, "0 is RocketMQ's default of 4"),
    "serverCallbackExecutorThreads": (0, "0 is RocketMQ's default of 4"),
    "clientChannelMaxIdleTimeSeconds": (0, "0 closes no connection"),
    "serverChannelMaxIdleTimeSeconds": (0, "0 closes no connection"),
    # MappedFile.isAbleToFlush and isAbleToCommit: with 0, any data is written, even less than a page.
    "commitCommitLogLeastPages": (0, "0 waits for no page"),
    "flushCommitLogLeastPages": (0, "0 waits for no page"),
    "flushConsumeQueueLeastPages": (0, "0 waits for no page"),
    "flushLeastPagesWhenWarmMapedFile": (0, "0 waits for no page"),
    "commitLogSwapMapReserveFileNum": (0, "0 keeps no file"),
    "logicQueueSwapMapReserveFileNum": (0, "0 keeps no file"),
    "combineCQMaxExtraSearchCommitLogFiles": (0, "0 searches no other file"),
    "correctLogicMinOffsetSleepInterval": (0, "0 does not pause"),
    "deleteCommitLogFilesInterval": (0, "0 does not pause"),
    "deleteConsumeQueueFilesInterval": (0, "0 does not pause"),
    "popLongPollingForceNotifyInterval": (0, "0 is never"),
    "scheduleAsyncDeliverMaxResendNum2Blocked": (0, "0 blocks immediately"),
    "startAcceptSendRequestTimeStamp": (0, "0 accepts requests from the start"),
    "brokerElectionPriority": (0, "0 is the highest priority"),
    "waitSecondsForService": (0, "0 serves immediately"),
    # GrpcValidator and SendMessageActivity apply a limit only if it is above 0.
    "maxDelayTimeMills": (0, "0 is no limit"),
    "maxInvisibleTimeMills": (0, "0 is no limit"),
    "maxMessageGroupSize": (0, "0 is no limit"),
    "maxTransactionRecoverySecond": (0, "0 is no limit"),
    "minInvisibleTimeMillsForRecv": (0, "0 is no limit"),
    "maxRenewRetryTimes": (0, "0 is never"),
    "maxUserPropertySize": (0, "0 accepts no property"),
    "userPropertyMaxNum": (0, "0 accepts no property"),
    "grpcShutdownTimeSeconds": (0, "0 does not wait"),
    "longPollingReserveTimeInMillis": (0, "0 reserves no time"),
}
_ROLE_LOWER_BOUNDS: Mapping[tuple[str, str], tuple[int, str]] = {(PROXY, "maxMessageSize"): (0, "0 is no limit")}

_HOURS = r"([01]?\d|2[0-3])"
_PATTERNS: Mapping[str, tuple[re.Pattern[str], str]] = {
    # UtilAll.isItTimeToDo throws in the cleanup thread, and no file is ever deleted.
    "deleteWhen": (re.compile(rf"{_HOURS}(;{_HOURS})*", re.ASCII), "hours of the day, such as '04' or '04;16'"),
    # ScheduleMessageService fails to load, and the broker does not start.
    "messageDelayLevel": (
        re.compile(r"[1-9]\d*[smhd]( [1-9]\d*[smhd])*", re.ASCII),
        "delays with one space between them, such as '1s 5m 2h'",
    ),
    # BrokerMetricsManager ignores a pair without a colon.
    "metricsLabel": (re.compile(r"([^,:]+:[^,:]+(,[^,:]+:[^,:]+)*)?"), "pairs such as 'team:a,zone:b'"),
}

_CHOICES: Mapping[str, tuple[int | str, ...]] = {
    # PermName: 4 is read, 2 is write.
    "brokerPermission": (2, 4, 6),
    "storeType": ("default", "defaultRocksDB"),
    # MessageStoreConfig rounds other values down to one of these.
    "timerPrecisionMs": (100, 200, 500, 1000),
}

_REQUIRED_VALUES: Mapping[str, tuple[object, str]] = {
    # RocketMQ stores a timed message for each message that a client receives, and delivers only after that. Seen on
    # 5.3.3 and 5.4.0.
    "timerWheelEnable": (True, "otherwise clients of the proxies receive no messages"),
}


def accepts_value(role: str, key: str, value: object) -> bool:
    """Return whether a key of a role accepts a value of the right type."""
    if key in _REQUIRED_VALUES:
        return value == _REQUIRED_VALUES[key][0]
    if key in _CHOICES:
        return value in _CHOICES[key]
    if isinstance(value, str):
        return key not in _PATTERNS or _PATTERNS[key][0].fullmatch(value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    minimum, maximum, _ = find_bounds(role, key)
    return minimum <= value and (maximum is None or value <= maximum)


def describe_choices(key: str) -> str | None:
    """Return what a key accepts if it has fixed values or a format; None for any other key."""
    if key in _REQUIRED_VALUES:
        required, reason = _REQUIRED_VALUES[key]
        return f"{required!r} ({reason})"
    if key in _CHOICES:
        return ", ".join(map(repr, _CHOICES[key]))
    return _PATTERNS[key][1] if key in _PATTERNS else None


def find_bounds(role: str, key: str) -> _Bounds:
    """Return minimum, maximum and reason for a numeric key of a role. A maximum of None is the limit of the type."""
    family = next((each for name, each in _FAMILIES if name.fullmatch(key)), _DEFAULT_BOUNDS)
    minimum, maximum, reason = _RANGES.get(key, family)
    minimum, reason = _ROLE_LOWER_BOUNDS.get((role, key)) or _LOWER_BOUNDS.get(key, (minimum, reason))
    return minimum, maximum, reason


def describe_bounds(limits: _Bounds) -> str:
    """Return the bounds as text for an error."""
    minimum, maximum, reason = limits
    return f"{minimum} {'or more' if maximum is None else f'to {maximum}'} ({reason})"


def reject_store_plug_in(values: Mapping[str, Any], path: ArgumentPath, *, agent: bool) -> None:
    """Reject another message store together with the agent, which replaces parts of RocketMQ's own."""
    if agent and values.get("messageStorePlugIn"):
        raise ArgumentError(
            path.key("messageStorePlugIn"),
            "message-store-with-agent",
            "{given!r} is another message store. The agent needs RocketMQ's own, and the brokers would exit at their "
            "start",
            remedy="Leave the key out, or set {agent} to false",
            given=values["messageStorePlugIn"],
            agent=ARGS / "agent",
        )


@dataclass(frozen=True)
class Contradiction:
    """Two keys whose values exclude each other, the effect of such values, and the remedy."""

    keys: tuple[str, str]
    applies: Callable[[Any, Any], object]
    """Takes the effective values of the keys: those that are set, or else RocketMQ's defaults."""
    effect: str
    """Sentence without a full stop, as part of a template."""
    remedy: str
    roles: frozenset[str] = frozenset({BROKER})


_REMOTING_SERVERS = frozenset({BROKER, CONTROLLER, "name_server"})
_METRIC_ROLES = frozenset({BROKER, CONTROLLER, PROXY})
_SMALLER = "Make the first smaller than the second"
_NOT_LARGER = "Make the first at most as large as the second"
_USE_ONE = "Use only one of the two"
_INDEX_BYTES = 40, 4, 20  # IndexFile: header, a slot, an entry


def _are_both_set(first: object, second: object) -> bool:
    return bool(first and second)


def _is_minimum_above(minimum: int, maximum: int) -> bool:
    return 0 < maximum < minimum  # 0 is no maximum


CONTRADICTIONS = (
    # ThreadPoolExecutor throws if the core size of a pool exceeds its maximum.
    *(
        Contradiction(keys, operator.gt, "The process would exit at its start", _NOT_LARGER, frozenset({role}))
        for keys, role in (
            (("timerReputServiceCorePoolSize", "timerReputServiceMaxPoolSize"), BROKER),
            (("transactionCheckRocksdbCoreThreads", "transactionCheckRocksdbMaxThreads"), BROKER),
            (("renewThreadPoolNums", "renewMaxThreadPoolNums"), PROXY),
        )
    ),
    # CommitLog.GroupCommitService flushes committed data only. The pool is committed every commitIntervalCommitLog.
    Contradiction(
        ("transientStorePoolEnable", "flushDiskType"),
        lambda pool, flush: pool and flush == "SYNC_FLUSH",
        "A write would wait for the disk, but the pool is written to the file only at intervals",
        _USE_ONE,
    ),
    # MessageStoreConfig.writeWithoutMmap disables the pool.
    Contradiction(
        ("transientStorePoolEnable", "writeWithoutMmap"),
        _are_both_set,
        "RocketMQ would not use the pool",
        _USE_ONE,
    ),
    # DefaultMessageStore starts no replication with duplicationEnable.
    Contradiction(
        ("duplicationEnable", "enableControllerMode"),
        _are_both_set,
        "The members of a group would not replicate",
        "Leave duplicationEnable out",
    ),
    Contradiction(
        ("enableSlaveActingMaster", "enableControllerMode"),
        _are_both_set,
        "Both replace a lost master, and this deployment uses controllers for it",
        "Leave enableSlaveActingMaster out",
    ),
    # CommitLog reads enableAutoInSyncReplicas only with slave acting master.
    Contradiction(
        ("enableAutoInSyncReplicas", "enableControllerMode"),
        _are_both_set,
        "RocketMQ reads the first only without controllers",
        "Leave it out, and use {min_in_sync}",
    ),
    # BrokerController uses an address server only without namesrvAddr.
    Contradiction(
        ("fetchNamesrvAddrByAddressServer", "namesrvAddr"),
        _are_both_set,
        "The brokers know the addresses of their name servers and would not query the address server",
        "Leave fetchNamesrvAddrByAddressServer out",
    ),
    Contradiction(
        ("diskSpaceCleanForciblyRatio", "diskSpaceWarningLevelRatio"),
        operator.ge,
        "Brokers would reject writes before they delete old files to free space",
        _SMALLER,
    ),
    # CommitLog must fit a record, body and properties, into one file.
    Contradiction(
        ("maxMessageSize", "mappedFileSizeCommitLog"),
        lambda message, file: message >= file // 2,
        "A message and its properties must fit into one file of the commit log",
        "Make the file more than twice as large as the message",
    ),
    Contradiction(
        ("maxHashSlotNum", "maxIndexNum"),
        lambda slots, entries: _INDEX_BYTES[0] + _INDEX_BYTES[1] * slots + _INDEX_BYTES[2] * entries > MAX_INT,
        "An index file has 4 bytes for each slot and 20 bytes for each entry, and must be smaller than 2 GiB",
        "Use fewer slots or entries",
    ),
    # AutoSwitchHAConnection closes a connection after this idle time.
    Contradiction(
        ("haSendHeartbeatInterval", "haHousekeepingInterval"),
        operator.ge,
        "A slave without new messages would lose its connection between two heartbeats",
        _SMALLER,
    ),
    # AutoSwitchHAService removes a slave from the in-sync set after this time without a report.
    Contradiction(
        ("haSendHeartbeatInterval", "haMaxTimeSlaveNotCatchup"),
        operator.ge,
        "A slave without new messages would leave the in-sync set between two heartbeats",
        _SMALLER,
    ),
    Contradiction(
        ("brokerHeartbeatInterval", "controllerHeartBeatTimeoutMills"),
        operator.ge,
        "The controllers would consider a broker dead between two heartbeats",
        _SMALLER,
    ),
    # WriteBufferWaterMark throws at startup.
    Contradiction(
        ("writeBufferLowWaterMark", "writeBufferHighWaterMark"),
        _is_minimum_above,
        "Netty would end the process",
        _NOT_LARGER,
        _REMOTING_SERVERS,
    ),
    # BrokerMetricsManager logs an error and continues without metrics.
    Contradiction(
        ("metricsExporterType", "metricsGrpcExporterTarget"),
        lambda exporter, target: exporter == "OTLP_GRPC" and not target,
        "RocketMQ would export no metrics",
        "Set the target",
        _METRIC_ROLES,
    ),
    Contradiction(
        ("grpcClientConsumerMinLongPollingTimeoutMillis", "grpcClientConsumerMaxLongPollingTimeoutMillis"),
        operator.gt,
        "No value from a client could be between them",
        _NOT_LARGER,
        frozenset({PROXY}),
    ),
    Contradiction(
        ("minInvisibleTimeMillsForRecv", "maxInvisibleTimeMills"),
        _is_minimum_above,
        "No value from a client could be between them",
        _NOT_LARGER,
        frozenset({PROXY}),
    ),
)


def reject_contradictions(
    role: str, known: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any], path: ArgumentPath
) -> None:
    """Reject keys of a role that contradict each other.

    `role` is `broker`, `controller`, `name_server` or `proxy`. `known` are the keys of the version, with their
    defaults; rules about other keys do not apply. Raise ValueError with the keys of the first contradiction, their
    values and the effect.
    """

    def get(key: str) -> Any:  # noqa: ANN401 - the type depends on the key
        return values.get(key, known[key].get("default"))

    for rule in CONTRADICTIONS:
        if role in rule.roles and known.keys() >= set(rule.keys) and rule.applies(*map(get, rule.keys)):
            raise ArgumentError(
                path,
                "config-keys-contradict",
                "{settings} contradict each other. " + rule.effect,
                remedy=rule.remedy,
                settings=" and ".join(f"{key} {get(key)!r}" for key in rule.keys),
                min_in_sync=ARGS / "min_in_sync_replicas",
            )
