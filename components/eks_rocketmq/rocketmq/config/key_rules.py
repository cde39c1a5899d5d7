"""What RocketMQ's setters do not say of their keys: ranges, forms, and keys that contradict each other. Pure.

Each rule is read from the source of 5.5.0 (class in the comment) and names what happens otherwise: RocketMQ bounds a
value in silence, throws while it starts, or goes on without what was asked for.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.rocketmq.naming.labels import BROKER, CONTROLLER, PROXY

MOST = 2**31 - 1

_Bounds = tuple[float, int | None, str]
_RANGES: Mapping[str, _Bounds] = {
    # BrokerController bounds it.
    "registerNameServerPeriod": (10000, 60000, "milliseconds, RocketMQ bounds others in silence"),
    # MessageStoreConfig, DefaultMessageStore.CleanCommitLogService bound them.
    "diskMaxUsedSpaceRatio": (10, 95, "percent, RocketMQ bounds others in silence"),
    "diskSpaceWarningLevelRatio": (35, 90, "percent, RocketMQ bounds others in silence"),
    "diskSpaceCleanForciblyRatio": (30, 85, "percent, RocketMQ bounds others in silence"),
    # CleanCommitLogService deletes files that are older; with 0 every full one.
    "fileReservedTime": (1, MOST, "hours, with 0 every full file of messages is deleted"),
    "accessMessageInMemoryMaxRatio": (0, 100, "percent of the memory"),
    "accessMessageInMemoryHotRatio": (0, 100, "percent of the memory"),
    # PopMessageProcessor draws a number below 100.
    "popFromRetryProbability": (0, 100, "percent"),
    "popFromRetryProbabilityForPriority": (0, 100, "percent"),
    # BloomFilter throws while the broker starts.
    "maxErrorRateOfBloomFilter": (1, 99, "percent, the broker does not start with others"),
    # MappedFileQueue divides by it; one entry has 20 bytes.
    "mappedFileSizeConsumeQueue": (20, MOST, "bytes, room for one entry"),
    # DefaultMessageStore deletes at once above it.
    "logicalDiskSpaceCleanForciblyThreshold": (0.1, 1, "part of the volume"),
    "maxHashSlotNum": (1, MOST, "IndexFile divides by it"),
    "maxIndexNum": (1, MOST, "IndexFile counts to it"),
    "transientStorePoolSize": (1, MOST, "buffers, without one nothing can be written"),
    # AutoSwitchHAClient.READ_MAX_BUFFER_SIZE.
    "haTransferBatchSize": (1, 4 * 1024**2, "bytes, what a slave reads at once"),
    # TimerMessageStore takes its whole wheel instead of others.
    "timerRollWindowSlot": (2, 604740, "slots, RocketMQ takes the most instead of others"),
    "shutdownWaitTimeSeconds": (0, 600, "seconds that a stop takes longer, twice"),
}

# Keys that are many and mean the same, by what their names end with.
_FAMILIES: tuple[tuple[re.Pattern[str], _Bounds], ...] = (
    (re.compile(r".*Port"), (1, 65535, "a port")),
    # ThreadPoolExecutor, LinkedBlockingQueue and Netty's executors throw while the process starts.
    (re.compile(r".*Thread(s|(Pool)?Nums?)"), (1, 32767, "threads, a pool without any ends the process")),
    (re.compile(r".*QueueCapacity"), (1, MOST, "requests that wait")),
    (re.compile(r".*(Period|Interval).*"), (1, MOST, "a timer; with another period it ends or never rests")),
    (re.compile(r".*[mM]app(ed|er)FileSize.*"), (2**20, MOST, "bytes, room for what is written at once")),
    # Caffeine throws for a refresh that is not positive.
    (re.compile(r".*CacheRefreshSeconds?"), (1, MOST, "seconds, the process does not start with others")),
)

# Every other number counts what is waited for, kept or let through.
_OTHERS: _Bounds = (1, None, "RocketMQ takes less and does not work with it")

# Where less than that says something of its own.
_LEAST: Mapping[str, tuple[int, str]] = {
    # ReplicasManager gives out the id.
    "brokerId": (-1, "-1 is given out"),
    "defaultPopShareQueueNum": (-1, "-1 shares all queues"),
    "disappearTimeAfterStart": (-1, "-1 waits for nothing"),
    "maxStatsIdleTimeInMinutes": (-1, "-1 keeps all"),
    # Netty's or the kernel's own.
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
    # MappedFile.isAbleToFlush and isAbleToCommit: whatever there is, a part of a page too.
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
    # GrpcValidator and SendMessageActivity ask only for a limit above 0.
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
_ROLE_LEAST: Mapping[tuple[str, str], tuple[int, str]] = {(PROXY, "maxMessageSize"): (0, "0 is no limit")}

_HOURS = r"([01]?\d|2[0-3])"
_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    # UtilAll.isItTimeToDo throws in the thread that deletes, and nothing is ever deleted.
    "deleteWhen": (re.compile(rf"{_HOURS}(;{_HOURS})*"), "hours of the day, such as '04' or '04;16'"),
    # ScheduleMessageService does not load, and the broker does not start.
    "messageDelayLevel": (
        re.compile(r"[1-9]\d*[smhd]( [1-9]\d*[smhd])*"),
        "delays with one blank between, such as '1s 5m 2h'",
    ),
    # BrokerMetricsManager drops a pair without a colon.
    "metricsLabel": (re.compile(r"([^,:]+:[^,:]+(,[^,:]+:[^,:]+)*)?"), "pairs such as 'team:a,zone:b'"),
}

_CHOICES: Mapping[str, tuple[int | str, ...]] = {
    # PermName: 4 to read, 2 to write.
    "brokerPermission": (2, 4, 6),
    "storeType": ("default", "defaultRocksDB"),
    # MessageStoreConfig rounds down to one of them.
    "timerPrecisionMs": (100, 200, 500, 1000),
}

_NEEDED: Mapping[str, tuple[object, str]] = {
    # What a client took is kept as a timed message, and handed out only once that is stored. Seen on 5.3.3 and 5.4.0.
    "timerWheelEnable": (True, "without it clients of the proxies receive nothing"),
}


def refusal(role: str, key: str, value: object) -> str | None:
    """What is accepted for a role's key instead of a value of the right type, or None when the value is."""
    if key in _NEEDED:
        taken = value == _NEEDED[key][0]
    elif key in _CHOICES:
        taken = value in _CHOICES[key]
    elif key in _FORMS and isinstance(value, str):
        taken = _FORMS[key][0].fullmatch(value) is not None
    else:
        return _number_refusal(role, key, value)
    return None if taken else certain(key)


def certain(key: str) -> str | None:
    """What is accepted for a key that takes certain values or a form alone; None for any other."""
    if key in _NEEDED:
        needed, why = _NEEDED[key]
        return f"accepted is {needed!r} ({why})"
    if key in _CHOICES:
        return f"accepted are {', '.join(map(repr, _CHOICES[key]))}"
    return f"accepted are {_FORMS[key][1]}" if key in _FORMS else None


def bounds(role: str, key: str) -> _Bounds:
    """The least and the most of a role's key that is a number, and why. None is no upper bound but the type's."""
    family = next((each for name, each in _FAMILIES if name.fullmatch(key)), _OTHERS)
    least, most, why = _RANGES.get(key, family)
    least, why = _ROLE_LEAST.get((role, key)) or _LEAST.get(key, (least, why))
    return least, most, why


def describe_bounds(limits: _Bounds) -> str:
    """The bounds as an error names them."""
    least, most, why = limits
    return f"{least} {'or more' if most is None else f'to {most}'} ({why})"


def _number_refusal(role: str, key: str, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    least, most, _ = limits = bounds(role, key)
    return None if least <= value and (most is None or value <= most) else f"accepted is {describe_bounds(limits)}"


Values = Callable[[str], Any]
"""Key to what counts: the value that is set, or else RocketMQ's default."""


@dataclass(frozen=True)
class Contradiction:
    """Keys that cannot be set like this together, and why."""

    keys: tuple[str, ...]
    holds: Callable[[Values], bool]
    reason: str
    roles: frozenset[str] = frozenset({BROKER})


_EVERY_SERVER = frozenset({BROKER, CONTROLLER, "name_server"})
_MEASURED = frozenset({BROKER, CONTROLLER, PROXY})
_INDEX_BYTES = 40, 4, 20  # IndexFile: header, a slot, an entry


def _pool(core: str, most: str, role: str = BROKER) -> Contradiction:
    """A pool that would begin with more threads than it may have: ThreadPoolExecutor throws at the start."""
    return Contradiction(
        (core, most),
        lambda of: of(core) > of(most),
        "the process ends at its start; the first must not be the larger one",
        frozenset({role}),
    )


CONTRADICTIONS = (
    _pool("timerReputServiceCorePoolSize", "timerReputServiceMaxPoolSize"),
    _pool("transactionCheckRocksdbCoreThreads", "transactionCheckRocksdbMaxThreads"),
    _pool("renewThreadPoolNums", "renewMaxThreadPoolNums", PROXY),
    # CommitLog.GroupCommitService flushes what was committed; the pool is committed every commitIntervalCommitLog.
    Contradiction(
        ("transientStorePoolEnable", "flushDiskType"),
        lambda of: of("transientStorePoolEnable") and of("flushDiskType") == "SYNC_FLUSH",
        "a write waits for the disk, and the pool hands it over only from time to time; take one of the two",
    ),
    # MessageStoreConfig.writeWithoutMmap: only it will be effective.
    Contradiction(
        ("transientStorePoolEnable", "writeWithoutMmap"),
        lambda of: of("transientStorePoolEnable") and of("writeWithoutMmap"),
        "RocketMQ then leaves the pool unused; take one of the two",
    ),
    # DefaultMessageStore starts no replication with it.
    Contradiction(
        ("duplicationEnable", "enableControllerMode"),
        lambda of: of("duplicationEnable") and of("enableControllerMode"),
        "the members of a group would not replicate; leave duplicationEnable off",
    ),
    Contradiction(
        ("enableSlaveActingMaster", "enableControllerMode"),
        lambda of: of("enableSlaveActingMaster") and of("enableControllerMode"),
        "both decide who stands in for a master, and the controllers do; leave enableSlaveActingMaster off",
    ),
    # CommitLog reads it behind slave acting master alone.
    Contradiction(
        ("enableAutoInSyncReplicas", "enableControllerMode"),
        lambda of: of("enableAutoInSyncReplicas") and of("enableControllerMode"),
        "RocketMQ reads it only without controllers; leave it out, `min_in_sync_replicas` is what counts",
    ),
    # BrokerController asks an address server only without namesrvAddr.
    Contradiction(
        ("fetchNamesrvAddrByAddressServer", "namesrvAddr"),
        lambda of: of("fetchNamesrvAddrByAddressServer") and bool(of("namesrvAddr")),
        "the brokers are told their name servers and ask nobody; leave it out",
    ),
    Contradiction(
        ("diskSpaceCleanForciblyRatio", "diskSpaceWarningLevelRatio"),
        lambda of: of("diskSpaceCleanForciblyRatio") >= of("diskSpaceWarningLevelRatio"),
        "writes would be refused before old files are deleted to make room; the first must be the smaller one",
    ),
    # CommitLog cannot put a record of body and properties into one file.
    Contradiction(
        ("maxMessageSize", "mappedFileSizeCommitLog"),
        lambda of: of("maxMessageSize") >= of("mappedFileSizeCommitLog") // 2,
        "a message must fit into one file of the commit log with all that belongs to it; make the file more than twice "
        "as large",
    ),
    Contradiction(
        ("maxHashSlotNum", "maxIndexNum"),
        lambda of: (
            _INDEX_BYTES[0] + _INDEX_BYTES[1] * of("maxHashSlotNum") + _INDEX_BYTES[2] * of("maxIndexNum") > MOST
        ),
        "an index file has 4 bytes a slot and 20 an entry, and must stay below 2 GiB; take fewer",
    ),
    # AutoSwitchHAConnection closes a connection that was silent for so long.
    Contradiction(
        ("haSendHeartbeatInterval", "haHousekeepingInterval"),
        lambda of: of("haSendHeartbeatInterval") >= of("haHousekeepingInterval"),
        "a slave without new messages would lose its connection between two heartbeats; the first must be the smaller "
        "one",
    ),
    # AutoSwitchHAService takes a slave out of the in-sync set that reported nothing for so long.
    Contradiction(
        ("haSendHeartbeatInterval", "haMaxTimeSlaveNotCatchup"),
        lambda of: of("haSendHeartbeatInterval") >= of("haMaxTimeSlaveNotCatchup"),
        "a slave without new messages would leave the in-sync set between two heartbeats; the first must be the "
        "smaller one",
    ),
    Contradiction(
        ("brokerHeartbeatInterval", "controllerHeartBeatTimeoutMills"),
        lambda of: of("brokerHeartbeatInterval") >= of("controllerHeartBeatTimeoutMills"),
        "the controllers would count a broker as dead between two heartbeats; the first must be the smaller one",
    ),
    # WriteBufferWaterMark throws while the process starts.
    Contradiction(
        ("writeBufferLowWaterMark", "writeBufferHighWaterMark"),
        lambda of: 0 < of("writeBufferHighWaterMark") < of("writeBufferLowWaterMark"),
        "Netty ends the process; the first must be the smaller one",
        _EVERY_SERVER,
    ),
    # BrokerMetricsManager logs an error and goes on without metrics.
    Contradiction(
        ("metricsExporterType", "metricsGrpcExporterTarget"),
        lambda of: of("metricsExporterType") == "OTLP_GRPC" and not of("metricsGrpcExporterTarget"),
        "RocketMQ then exports nothing; name the target",
        _MEASURED,
    ),
    Contradiction(
        ("grpcClientConsumerMinLongPollingTimeoutMillis", "grpcClientConsumerMaxLongPollingTimeoutMillis"),
        lambda of: (
            of("grpcClientConsumerMinLongPollingTimeoutMillis") > of("grpcClientConsumerMaxLongPollingTimeoutMillis")
        ),
        "no time of a client is between them; the first must be the smaller one",
        frozenset({PROXY}),
    ),
    Contradiction(
        ("minInvisibleTimeMillsForRecv", "maxInvisibleTimeMills"),
        lambda of: 0 < of("maxInvisibleTimeMills") < of("minInvisibleTimeMillsForRecv"),
        "no time of a client is between them; the first must be the smaller one",
        frozenset({PROXY}),
    ),
)


def contradiction(role: str, known: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> str | None:
    """The first contradiction in a role's keys, with the values and the reason; None when there is none.

    Args:
        role: `broker`, `controller`, `name_server` or `proxy`.
        known: the keys that the version knows, with their defaults; a rule about others does not apply.
        values: what is set.
    """

    def of(key: str) -> Any:  # noqa: ANN401 - what a key may hold
        return values.get(key, known[key].get("default"))

    for rule in CONTRADICTIONS:
        if role in rule.roles and known.keys() >= set(rule.keys) and rule.holds(of):
            told = " and ".join(f"{key} {of(key)!r}" for key in rule.keys)
            return f"{told} contradict each other: {rule.reason}"
    return None
