"""Rejected values of configuration keys."""

from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.rocketmq.config import broker_config, key_rules
from eks_rocketmq.rocketmq.plan import plan
from tests.unit.rocketmq.config.config_case import ROLES, VERSIONS, assert_key_rejected, assert_rejected, merge
from tests.unit.rocketmq_case import args, group


def get_error_values(role: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the values in the error of a key."""
    with pytest.raises(ArgumentError) as error:
        merge(role, config)
    return dict(error.value.message.values)


@pytest.mark.parametrize(
    ("key", "inside", "outside", "accepted"),
    [
        (
            "registerNameServerPeriod",
            (10000, 60000),
            (9999, 60001),
            "10000 to 60000 (milliseconds, RocketMQ clamps",
        ),
        (
            "diskMaxUsedSpaceRatio",
            (10, 95),
            (9, 96),
            "10 to 95 (percent, RocketMQ clamps other values without a message)",
        ),
        ("diskSpaceWarningLevelRatio", (86, 90), (34, 91), "35 to 90 (percent"),
        ("diskSpaceCleanForciblyRatio", (30, 85), (29, 86), "30 to 85 (percent"),
        ("fileReservedTime", (1, 720), (0, -1), "1 to 2147483647 (hours, 0 would delete every full file"),
        ("sendMessageThreadPoolNums", (1, 64), (0, -4), "1 to 32767 (threads, the process exits"),
        ("sendThreadPoolQueueCapacity", (1,), (0,), "1 to 2147483647 (waiting requests)"),
        ("transientStorePoolSize", (1,), (0,), "1 to 2147483647 (buffers"),
        (
            "haTransferBatchSize",
            (1, 4 * 1024**2),
            (0, 4 * 1024**2 + 1),
            "1 to 4194304 (bytes, the size of a slave's read",
        ),
        ("flushConsumerOffsetInterval", (1,), (0, -1), "1 to 2147483647 (the period of a timer, which"),
        ("accessMessageInMemoryMaxRatio", (0, 100), (-1, 101), "0 to 100 (percent"),
        ("brokerPermission", (2, 4, 6), (0, 1, 7), "2, 4, 6"),
        ("timerPrecisionMs", (100, 1000), (50, 300), "100, 200, 500, 1000"),
        ("storeType", ("default", "defaultRocksDB"), ("rocksdb", ""), "'default', 'defaultRocksDB'"),
        ("timerWheelEnable", (True,), (False,), "True (otherwise clients of the proxies receive no messages)"),
        ("deleteWhen", ("04", "4;16", "23"), ("24", "4 pm", "", "04:00"), "hours of the day"),
        (
            "messageDelayLevel",
            ("1s 5s 2m 1h 2d", "30s"),
            ("1s  5s", "5", "1w", " 1s", "", "0s"),
            "delays with one space between them",
        ),
        (
            "metricsLabel",
            ("", "team:a", "team:a,zone:b"),
            ("team", "team=a", "a:b:c"),
            "pairs such as",
        ),
    ],
)
def test_values_that_rocketmq_clamps_or_fails_on_are_rejected(
    key: str, inside: tuple[object, ...], outside: tuple[object, ...], accepted: str
) -> None:
    for value in inside:
        plan(args(broker_groups=group(config={key: value})))
    for value in outside:
        assert_key_rejected(key, "config-value", {key: value})
        assert accepted in get_error_values("broker", {key: value})["description"]


@pytest.mark.parametrize(
    ("key", "value", "accepted"),
    [
        ("fileReservedTime", "48", "a whole number, 1 to 2147483647 (hours, 0 would delete every full file"),
        ("registerNameServerPeriod", 20000.5, "a whole number, 10000 to 60000 (milliseconds"),
        ("serverSelectorThreads", "0", "a whole number, 0 to 32767 (0 is two for each processor)"),
        ("maxHaTransferByteInSecond", 2**63, "a whole number, 1 to 9223372036854775807 (RocketMQ accepts lower"),
        ("logicalDiskSpaceCleanForciblyThreshold", "0.9", "a number, 0.1 to 1 (fraction of the volume)"),
        ("timerRocksDBRollMaxTps", "9", "a number, 1 or more (RocketMQ accepts lower"),
        ("brokerPermission", "6", "2, 4, 6"),
        ("timerWheelEnable", "true", "True (otherwise"),
        ("deleteWhen", 4, "hours of the day, such as '04' or '04;16'"),
    ],
)
def test_wrong_type_error_shows_the_same_bounds(key: str, value: object, accepted: str) -> None:
    assert_key_rejected(key, "config-value", {key: value})
    assert get_error_values("broker", {key: value})["description"].startswith(accepted)


@pytest.mark.parametrize(
    ("role", "config"),
    [
        ("broker_groups", {"serverWorkerThreads": 0}),
        ("broker_groups", {"serverWorkerThreads": 32768}),
        ("broker_groups", {"serverSelectorThreads": -1}),
        ("broker_groups", {"topicQueueLockNum": 0}),
        ("broker_groups", {"waitTimeMillsInSendQueue": 0}),
        ("broker_groups", {"osPageCacheBusyTimeOutMills": -1}),
        ("broker_groups", {"syncFlushTimeout": 0}),
        ("broker_groups", {"slaveTimeout": 0}),
        ("broker_groups", {"putMessageTimeout": 0}),
        ("broker_groups", {"defaultTopicQueueNums": 0}),
        ("broker_groups", {"flushIntervalCommitLog": -5}),
        ("broker_groups", {"transactionCheckInterval": 0}),
        ("broker_groups", {"sendHeartbeatTimeoutMillis": 0}),
        ("broker_groups", {"maxHaTransferByteInSecond": 0}),
        ("broker_groups", {"travelCqFileNumWhenGetMessage": 0}),
        ("broker_groups", {"logicalDiskSpaceCleanForciblyThreshold": 0.0}),
        ("broker_groups", {"timerRocksDBRollMaxTps": 0.0}),
        ("broker_groups", {"maxMessageSize": 0}),
        ("name_servers", {"unRegisterBrokerQueueCapacity": 0}),
        ("controllers", {"electMasterMaxRetryCount": 0}),
        ("proxies", {"grpcClientProducerMaxAttempts": 0}),
        ("proxies", {"topicRouteServiceCacheMaxNum": 0}),
        ("proxies", {"rocketmqMQClientNum": 0}),
        ("proxies", {"grpcClientIdleTimeMills": 0}),
    ],
)
def test_values_that_stop_a_process_or_all_requests_are_rejected(role: str, config: dict[str, Any]) -> None:
    (key,) = config
    if role == "broker_groups":
        assert_key_rejected(key, "config-value", config)
    else:
        assert_rejected(f"{role}.config[{key!r}]", "config-value", **{role: {"config": config}})


@pytest.mark.parametrize(
    ("role", "key"),
    [("broker", "serverSelectorThreads"), ("broker", "writeBufferLowWaterMark"), ("proxy", "maxMessageSize")],
)
def test_zero_is_accepted_where_it_has_a_meaning(role: str, key: str) -> None:
    assert broker_config.validate_keys("5.5.0", role, {key: 0}, ARGS / "config") == {key: 0}
    assert not key_rules.accepts_value(role, key, -1)
    assert get_error_values(role, {key: -1})["description"].startswith("a whole number, 0 to ")


@pytest.mark.parametrize("version", VERSIONS)
def test_negative_number_is_accepted_only_where_it_is_the_default(version: str) -> None:
    negative = {
        "brokerId": -1,  # set by the deployment, because the controllers assign the ID
        "defaultPopShareQueueNum": -1,
        "disappearTimeAfterStart": -1,
        "maxStatsIdleTimeInMinutes": -1,
    }
    for role, known in broker_config.load_keys(version).items():
        for key, described in known.items():
            if described["type"] in {"int", "long", "double"}:
                is_accepted = key_rules.accepts_value(role, key, -1)
                assert is_accepted is (key in negative), (role, key)
                assert not is_accepted or key == "brokerId" or described["default"] == negative[key]
                assert not key_rules.accepts_value(role, key, -2), (role, key)


@pytest.mark.parametrize(
    "key",
    sorted({*key_rules._RANGES, *key_rules._LOWER_BOUNDS, *key_rules._PATTERNS, *key_rules._CHOICES})
    + [key for _, key in key_rules._ROLE_LOWER_BOUNDS],
)
def test_every_rule_refers_to_an_existing_key(key: str) -> None:
    assert [role for version in VERSIONS for role in ROLES if key in broker_config.load_keys(version)[role]]


@pytest.mark.parametrize("family", key_rules._FAMILIES, ids=lambda family: family[0].pattern)
def test_every_key_family_has_keys_without_a_specific_range(family: Any) -> None:
    all_keys = {key for known in broker_config.load_keys("5.5.0").values() for key in known}
    assert len([key for key in all_keys - set(key_rules._RANGES) if family[0].fullmatch(key)]) > 1


@pytest.mark.parametrize("version", VERSIONS)
def test_rules_accept_every_default(version: str) -> None:
    known = broker_config.load_keys(version)
    wrong = [
        (role, key, described["default"])
        for role in ROLES
        for key, described in known[role].items()
        if "default" in described and not key_rules.accepts_value(role, key, described["default"])
    ]
    # Port 0 is the default of a server without a configured port. The deployment sets both ports.
    assert wrong == [("controller", "listenPort", 0), ("name_server", "listenPort", 0)]


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\x00", "a\u2028b", "\t"])
def test_values_with_control_characters_are_rejected(value: str) -> None:
    assert_key_rejected("msgTraceTopicName", "config-value", {"msgTraceTopicName": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "1", True])
def test_invalid_floating_point_values_are_rejected(value: object) -> None:
    (key, *_) = [key for key, known in broker_config.load_keys("5.5.0")["broker"].items() if known["type"] == "double"]
    assert_key_rejected(key, "config-value", {key: value})
    plan(args(broker_groups=group(config={key: 0.5})))
