"""Constraints that RocketMQ's setters do not express: ranges, formats, and keys that contradict each other. Pure.

Each rule comes from the source of 5.5.0; the comment names the class. It also names the effect of a violation: RocketMQ
clamps the value without a message, throws at startup, or runs without the requested behaviour.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.rocketmq.naming.labels import BROKER, CONTROLLER, PROXY

MAX_INT = 2**31 - 1

_Bounds = tuple[float, int | None, str]
_RANGES: Mapping[str, _Bounds] = {
    # BrokerController clamps it.
    "registerNameServerPeriod": (10000, 60000, "milliseconds, RocketMQ bounds others in silence"),
    # MessageStoreConfig and DefaultMessageStore.CleanCommitLogService clamp them.
    "diskMaxUsedSpaceRatio": (10, 95, "percent, RocketMQ bounds others in silence"),
    "diskSpaceWarningLevelRatio": (35, 90, "percent, RocketMQ bounds others in silence"),
    "diskSpaceCleanForciblyRatio": (30, 85, "percent, RocketMQ bounds others in silence"),
    # CleanCommitLogService deletes older files; with 0 it deletes every full file.
    "fileReservedTime": (1, MAX_INT, "hours, with 0 every full file of messages is deleted"),
    "accessMessageInMemoryMaxRatio": (0, 100, "percent of the memory"),
    "accessMessageInMemoryHotRatio": (0, 100, "percent of the memory"),
    # PopMessageProcessor draws a number below 100.
    "popFromRetryProbability": (0, 100, "percent"),
    "popFromRetryProbabilityForPriority": (0, 100, "percent"),
    # BloomFilter throws at startup of the broker.
    "maxErrorRateOfBloomFilter": (1, 99, "percent, the broker does not start with others"),
    # MappedFileQueue divides by it. An entry has 20 bytes.
    "mappedFileSizeConsumeQueue": (20, MAX_INT, "bytes, room for one entry"),
    # DefaultMessageStore deletes files immediately above this ratio.
    "logicalDiskSpaceCleanForciblyThreshold": (0.1, 1, "part of the volume"),
    "maxHashSlotNum": (1, MAX_INT, "IndexFile divides by it"),
    "maxIndexNum": (1, MAX_INT, "IndexFile counts to it"),
    "transientStorePoolSize": (1, MAX_INT, "buffers, without one nothing can be written"),
    # AutoSwitchHAClient.READ_MAX_BUFFER_SIZE.
    "haTransferBatchSize": (1, 4 * 1024**2, "bytes, what a slave reads at once"),
    # TimerMessageStore replaces other values with its maximum.
    "timerRollWindowSlot": (2, 604740, "slots, RocketMQ takes the most instead of others"),
    "shutdownWaitTimeSeconds": (0, 600, "seconds that a stop takes longer, twice"),
}

# Patterns for keys with a common meaning.
_FAMILIES: tuple[tuple[re.Pattern[str], _Bounds], ...] = (
    (re.compile(r".*Port"), (1, 65535, "a port")),
    # ThreadPoolExecutor, LinkedBlockingQueue and Netty's executors throw at startup.
    (re.compile(r".*Thread(s|(Pool)?Nums?)"), (1, 32767, "threads, a pool without any ends the process")),
    (re.compile(r".*QueueCapacity"), (1, MAX_INT, "requests that wait")),
    (re.compile(r".*(Period|Interval).*"), (1, MAX_INT, "a timer; with another period it ends or never rests")),
    (re.compile(r".*[mM]app(ed|er)FileSize.*"), (2**20, MAX_INT, "bytes, room for what is written at once")),
    # Caffeine throws for a refresh that is not positive.
    (re.compile(r".*CacheRefreshSeconds?"), (1, MAX_INT, "seconds, the process does not start with others")),
)

# Any other numeric key is a timeout, a number of items to keep, or a limit.
_DEFAULT_BOUNDS: _Bounds = (1, None, "RocketMQ takes less and does not work with it")

# Keys for which a lower value has a special meaning.
_LOWER_BOUNDS: Mapping[str, tuple[int, str]] = {
    # ReplicasManager assigns the id.
    "brokerId": (-1, "-1 is given out"),
    "defaultPopShareQueueNum": (-1, "-1 shares all queues"),
    "disappearTimeAfterStart": (-1, "-1 waits for nothing"),
    "maxStatsIdleTimeInMinutes": (-1, "-1 keeps all"),
    # Defaults of Netty or the kernel.
    "clientSocketRcvBufSize": (0, "0 is the kernel's own"),
    "clientSocketSndBufSize": (0, "0 is the kernel's own"),
    "serverSocketRcvBufSize": (0, "0 is the kernel's own"),
    "serverSocketSndBufSize": (0, "0 is the kernel's own"),
    "writeBufferHighWaterMark": (0, "0 is Netty's own"),
    "writeBufferLowWaterMark": (0, "0 is Netty's own"),
    "serverSelectorThreads": (0, "0 is two for each processor"),
    "grpcBossLoopNum": (0, "0 is two for each processor"),
    "grpcWorkerLoopNum": (0, "0 is two for each processor"),
    "clientCallbackExecutorThreads": (0, "0 is RocketMQ's own 4"),
    "serverCallbackExecutorThreads": (0, "0 is RocketMQ's own 4"),
    "clientChannelMaxIdleTimeSeconds": (0, "0 closes no connection"),
    "serverChannelMaxIdleTimeSeconds": (0, "0 closes no connection"),
    # MappedFile.isAbleToFlush and isAbleToCommit: with 0, any data is written, even less than a page.
    "commitCommitLogLeastPages": (0, "0 waits for no page"),
    "flushCommitLogLeastPages": (0, "0 waits for no page"),
    "flushConsumeQueueLeastPages": (0, "0 waits for no page"),
    "flushLeastPagesWhenWarmMapedFile": (0, "0 waits for no page"),
    "commitLogSwapMapReserveFileNum": (0, "0 keeps none"),
    "logicQueueSwapMapReserveFileNum": (0, "0 keeps none"),
    "combineCQMaxExtraSearchCommitLogFiles": (0, "0 looks in no other"),
    "correctLogicMinOffsetSleepInterval": (0, "0 does not pause"),
    "deleteCommitLogFilesInterval": (0, "0 does not pause"),
    "deleteConsumeQueueFilesInterval": (0, "0 does not pause"),
    "popLongPollingForceNotifyInterval": (0, "0 is never"),
    "scheduleAsyncDeliverMaxResendNum2Blocked": (0, "0 blocks at once"),
    "startAcceptSendRequestTimeStamp": (0, "0 is from the start"),
    "brokerElectionPriority": (0, "0 goes before all"),
    "waitSecondsForService": (0, "0 serves at once"),
    # GrpcValidator and SendMessageActivity apply a limit only if it is above 0.
    "maxDelayTimeMills": (0, "0 is no limit"),
    "maxInvisibleTimeMills": (0, "0 is no limit"),
    "maxMessageGroupSize": (0, "0 is no limit"),
    "maxTransactionRecoverySecond": (0, "0 is no limit"),
    "minInvisibleTimeMillsForRecv": (0, "0 is no limit"),
    "maxRenewRetryTimes": (0, "0 is never"),
    "maxUserPropertySize": (0, "0 takes none"),
    "userPropertyMaxNum": (0, "0 takes none"),
    "grpcShutdownTimeSeconds": (0, "0 waits for nobody"),
    "longPollingReserveTimeInMillis": (0, "0 is none"),
}
_ROLE_LOWER_BOUNDS: Mapping[tuple[str, str], tuple[int, str]] = {(PROXY, "maxMessageSize"): (0, "0 is no limit")}

_HOURS = r"([01]?\d|2[0-3])"
_PATTERNS: Mapping[str, tuple[re.Pattern[str], str]] = {
    # UtilAll.isItTimeToDo throws in the cleanup thread, and no file is ever deleted.
    "deleteWhen": (re.compile(rf"{_HOURS}(;{_HOURS})*"), "hours of the day, such as '04' or '04;16'"),
    # ScheduleMessageService fails to load, and the broker does not start.
    "messageDelayLevel": (
        re.compile(r"[1-9]\d*[smhd]( [1-9]\d*[smhd])*"),
        "delays with one blank between, such as '1s 5m 2h'",
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
    "timerWheelEnable": (True, "without it clients of the proxies receive nothing"),
}


def describe_violation(role: str, key: str, value: object) -> str | None:
    """Return what a role's key accepts if the value, already of the right type, is not accepted; otherwise None."""
    if key in _REQUIRED_VALUES:
        accepted = value == _REQUIRED_VALUES[key][0]
    elif key in _CHOICES:
        accepted = value in _CHOICES[key]
    elif key in _PATTERNS and isinstance(value, str):
        accepted = _PATTERNS[key][0].fullmatch(value) is not None
    else:
        return _describe_number_violation(role, key, value)
    return None if accepted else describe_choices(key)


def describe_choices(key: str) -> str | None:
    """Return what a key accepts if it has fixed values or a format; None for any other key."""
    if key in _REQUIRED_VALUES:
        required, reason = _REQUIRED_VALUES[key]
        return f"accepted is {required!r} ({reason})"
    if key in _CHOICES:
        return f"accepted are {', '.join(map(repr, _CHOICES[key]))}"
    return f"accepted are {_PATTERNS[key][1]}" if key in _PATTERNS else None


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


def _describe_number_violation(role: str, key: str, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    minimum, maximum, _ = limits = find_bounds(role, key)
    return (
        None if minimum <= value and (maximum is None or value <= maximum) else f"accepted is {describe_bounds(limits)}"
    )


GetValue = Callable[[str], Any]
"""Lookup of the effective value of a key: the one that is set, or else RocketMQ's default."""


@dataclass(frozen=True)
class Contradiction:
    """Keys whose values exclude each other, and the reason."""

    keys: tuple[str, ...]
    applies: Callable[[GetValue], bool]
    reason: str
    roles: frozenset[str] = frozenset({BROKER})


_REMOTING_SERVERS = frozenset({BROKER, CONTROLLER, "name_server"})
_METRIC_ROLES = frozenset({BROKER, CONTROLLER, PROXY})
_INDEX_BYTES = 40, 4, 20  # IndexFile: header, a slot, an entry


def _forbid_core_above_max(core: str, maximum: str, role: str = BROKER) -> Contradiction:
    """Return the rule that a thread pool's core size must not exceed its maximum. ThreadPoolExecutor throws."""
    return Contradiction(
        (core, maximum),
        lambda get: get(core) > get(maximum),
        "the process ends at its start; the first must not be the larger one",
        frozenset({role}),
    )


CONTRADICTIONS = (
    _forbid_core_above_max("timerReputServiceCorePoolSize", "timerReputServiceMaxPoolSize"),
    _forbid_core_above_max("transactionCheckRocksdbCoreThreads", "transactionCheckRocksdbMaxThreads"),
    _forbid_core_above_max("renewThreadPoolNums", "renewMaxThreadPoolNums", PROXY),
    # CommitLog.GroupCommitService flushes committed data only. The pool is committed every commitIntervalCommitLog.
    Contradiction(
        ("transientStorePoolEnable", "flushDiskType"),
        lambda get: get("transientStorePoolEnable") and get("flushDiskType") == "SYNC_FLUSH",
        "a write waits for the disk, and the pool hands it over only from time to time; take one of the two",
    ),
    # MessageStoreConfig.writeWithoutMmap disables the pool.
    Contradiction(
        ("transientStorePoolEnable", "writeWithoutMmap"),
        lambda get: get("transientStorePoolEnable") and get("writeWithoutMmap"),
        "RocketMQ then leaves the pool unused; take one of the two",
    ),
    # DefaultMessageStore starts no replication with duplicationEnable.
    Contradiction(
        ("duplicationEnable", "enableControllerMode"),
        lambda get: get("duplicationEnable") and get("enableControllerMode"),
        "the members of a group would not replicate; leave duplicationEnable off",
    ),
    Contradiction(
        ("enableSlaveActingMaster", "enableControllerMode"),
        lambda get: get("enableSlaveActingMaster") and get("enableControllerMode"),
        "both decide who stands in for a master, and the controllers do; leave enableSlaveActingMaster off",
    ),
    # CommitLog reads enableAutoInSyncReplicas only with slave acting master.
    Contradiction(
        ("enableAutoInSyncReplicas", "enableControllerMode"),
        lambda get: get("enableAutoInSyncReplicas") and get("enableControllerMode"),
        "RocketMQ reads it only without controllers; leave it out, `min_in_sync_replicas` is what counts",
    ),
    # BrokerController uses an address server only without namesrvAddr.
    Contradiction(
        ("fetchNamesrvAddrByAddressServer", "namesrvAddr"),
        lambda get: get("fetchNamesrvAddrByAddressServer") and bool(get("namesrvAddr")),
        "the brokers are told their name servers and ask nobody; leave it out",
    ),
    Contradiction(
        ("diskSpaceCleanForciblyRatio", "diskSpaceWarningLevelRatio"),
        lambda get: get("diskSpaceCleanForciblyRatio") >= get("diskSpaceWarningLevelRatio"),
        "writes would be refused before old files are deleted to make room; the first must be the smaller one",
    ),
    # CommitLog must fit a record, body and properties, into one file.
    Contradiction(
        ("maxMessageSize", "mappedFileSizeCommitLog"),
        lambda get: get("maxMessageSize") >= get("mappedFileSizeCommitLog") // 2,
        "a message must fit into one file of the commit log with all that belongs to it; make the file more than twice "
        "as large",
    ),
    Contradiction(
        ("maxHashSlotNum", "maxIndexNum"),
        lambda get: (
            _INDEX_BYTES[0] + _INDEX_BYTES[1] * get("maxHashSlotNum") + _INDEX_BYTES[2] * get("maxIndexNum") > MAX_INT
        ),
        "an index file has 4 bytes a slot and 20 an entry, and must stay below 2 GiB; take fewer",
    ),
    # AutoSwitchHAConnection closes a connection after this idle time.
    Contradiction(
        ("haSendHeartbeatInterval", "haHousekeepingInterval"),
        lambda get: get("haSendHeartbeatInterval") >= get("haHousekeepingInterval"),
        "a slave without new messages would lose its connection between two heartbeats; the first must be the smaller "
        "one",
    ),
    # AutoSwitchHAService removes a slave from the in-sync set after this time without a report.
    Contradiction(
        ("haSendHeartbeatInterval", "haMaxTimeSlaveNotCatchup"),
        lambda get: get("haSendHeartbeatInterval") >= get("haMaxTimeSlaveNotCatchup"),
        "a slave without new messages would leave the in-sync set between two heartbeats; the first must be the "
        "smaller one",
    ),
    Contradiction(
        ("brokerHeartbeatInterval", "controllerHeartBeatTimeoutMills"),
        lambda get: get("brokerHeartbeatInterval") >= get("controllerHeartBeatTimeoutMills"),
        "the controllers would count a broker as dead between two heartbeats; the first must be the smaller one",
    ),
    # WriteBufferWaterMark throws at startup.
    Contradiction(
        ("writeBufferLowWaterMark", "writeBufferHighWaterMark"),
        lambda get: 0 < get("writeBufferHighWaterMark") < get("writeBufferLowWaterMark"),
        "Netty ends the process; the first must be the smaller one",
        _REMOTING_SERVERS,
    ),
    # BrokerMetricsManager logs an error and continues without metrics.
    Contradiction(
        ("metricsExporterType", "metricsGrpcExporterTarget"),
        lambda get: get("metricsExporterType") == "OTLP_GRPC" and not get("metricsGrpcExporterTarget"),
        "RocketMQ then exports nothing; name the target",
        _METRIC_ROLES,
    ),
    Contradiction(
        ("grpcClientConsumerMinLongPollingTimeoutMillis", "grpcClientConsumerMaxLongPollingTimeoutMillis"),
        lambda get: (
            get("grpcClientConsumerMinLongPollingTimeoutMillis") > get("grpcClientConsumerMaxLongPollingTimeoutMillis")
        ),
        "no time of a client is between them; the first must be the smaller one",
        frozenset({PROXY}),
    ),
    Contradiction(
        ("minInvisibleTimeMillsForRecv", "maxInvisibleTimeMills"),
        lambda get: 0 < get("maxInvisibleTimeMills") < get("minInvisibleTimeMillsForRecv"),
        "no time of a client is between them; the first must be the smaller one",
        frozenset({PROXY}),
    ),
)


def find_contradiction(role: str, known: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> str | None:
    """Return the first contradiction in a role's keys, with the values and the reason; None if there is none.

    Args:
        role: `broker`, `controller`, `name_server` or `proxy`.
        known: keys of the version, with their defaults; rules about other keys do not apply.
        values: keys that are set.
    """

    def get(key: str) -> Any:  # noqa: ANN401 - the type depends on the key
        return values.get(key, known[key].get("default"))

    for rule in CONTRADICTIONS:
        if role in rule.roles and known.keys() >= set(rule.keys) and rule.applies(get):
            settings = " and ".join(f"{key} {get(key)!r}" for key in rule.keys)
            return f"{settings} contradict each other: {rule.reason}"
    return None
