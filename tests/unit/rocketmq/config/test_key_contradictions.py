"""Configuration keys whose values contradict each other."""

from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.rocketmq.config import broker_config, key_rules
from eks_rocketmq.rocketmq.plan import plan
from tests.unit.harness.rejections import list_rejections
from tests.unit.rocketmq.config.config_case import VERSIONS
from tests.unit.rocketmq_case import args, group


def assert_contradiction(path: str, settings: str, **changes: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        plan(args(**changes))
    assert list_rejections(error.value) == [(path, "config-keys-contradict")]
    assert str(error.value.message.values["settings"]).startswith(settings)


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (
            {"transientStorePoolEnable": True, "flushDiskType": "SYNC_FLUSH", "transientStorePoolSize": 1},
            "transientStorePoolEnable True and flushDiskType 'SYNC_FLUSH'",
        ),
        (
            {"transientStorePoolEnable": True, "writeWithoutMmap": True, "transientStorePoolSize": 1},
            "transientStorePoolEnable True and writeWithoutMmap True",
        ),
        ({"duplicationEnable": True}, "duplicationEnable True and enableControllerMode True"),
        (
            {"enableSlaveActingMaster": True},
            "enableSlaveActingMaster True and enableControllerMode True",
        ),
        (
            {"enableAutoInSyncReplicas": True},
            "enableAutoInSyncReplicas True and enableControllerMode True",
        ),
        (
            {"fetchNamesrvAddrByAddressServer": True},
            "fetchNamesrvAddrByAddressServer True and namesrvAddr 'rocketmq-nameserver-0.",
        ),
        (
            {"diskSpaceWarningLevelRatio": 80},
            "diskSpaceCleanForciblyRatio 85 and diskSpaceWarningLevelRatio 80",
        ),
        (
            {"maxMessageSize": 4 * 1024**2, "mappedFileSizeCommitLog": 8 * 1024**2},
            "maxMessageSize 4194304 and mappedFileSizeCommitLog 8388608",
        ),
        (
            {"maxIndexNum": 107_000_000},
            "maxHashSlotNum 5000000 and maxIndexNum 107000000",
        ),
        ({"haSendHeartbeatInterval": 4000}, "haSendHeartbeatInterval 4000 and haHousekeepingInterval 4000"),
        ({"haMaxTimeSlaveNotCatchup": 1000}, "haSendHeartbeatInterval 1000 and haMaxTimeSlaveNotCatchup 1000"),
        (
            {"controllerHeartBeatTimeoutMills": 1000},
            "brokerHeartbeatInterval 1000 and controllerHeartBeatTimeoutMills 1000",
        ),
        (
            {"writeBufferLowWaterMark": 2, "writeBufferHighWaterMark": 1},
            "writeBufferLowWaterMark 2 and writeBufferHighWaterMark 1",
        ),
        (
            {"metricsExporterType": "OTLP_GRPC"},
            "metricsExporterType 'OTLP_GRPC' and metricsGrpcExporterTarget ''",
        ),
        (
            {"timerReputServiceCorePoolSize": 7},
            "timerReputServiceCorePoolSize 7 and timerReputServiceMaxPoolSize 6",
        ),
        (
            {"transactionCheckRocksdbMaxThreads": 1},
            "transactionCheckRocksdbCoreThreads 2 and transactionCheckRocksdbMaxThreads 1",
        ),
    ],
)
def test_contradictory_broker_keys_are_rejected(config: dict[str, Any], settings: str) -> None:
    assert_contradiction("broker_groups['broker-a'].config", settings, broker_groups=group(config=config))


@pytest.mark.parametrize(
    ("role", "config", "settings"),
    [
        (
            "controllers",
            {"metricsExporterType": "OTLP_GRPC"},
            "metricsExporterType 'OTLP_GRPC' and metricsGrpcExporterTarget ''",
        ),
        (
            "name_servers",
            {"writeBufferLowWaterMark": 2, "writeBufferHighWaterMark": 1},
            "writeBufferLowWaterMark 2 and writeBufferHighWaterMark 1",
        ),
        (
            "proxies",
            {"grpcClientConsumerMinLongPollingTimeoutMillis": 30000},
            "grpcClientConsumerMinLongPollingTimeoutMillis 30000 and grpcClientConsumerMaxLongPollingTimeoutMillis",
        ),
        (
            "proxies",
            {"maxInvisibleTimeMills": 1},
            "minInvisibleTimeMillsForRecv 10000 and maxInvisibleTimeMills 1",
        ),
        ("proxies", {"renewThreadPoolNums": 5}, "renewThreadPoolNums 5 and renewMaxThreadPoolNums 4"),
    ],
)
def test_contradictory_keys_of_other_roles_are_rejected(role: str, config: dict[str, Any], settings: str) -> None:
    assert_contradiction(f"{role}.config", settings, **{role: {"config": config}})


def test_zero_maximum_invisible_time_does_not_contradict_the_minimum() -> None:
    plan(args(proxies={"config": {"maxInvisibleTimeMills": 0}}))


def test_rule_for_a_key_missing_in_the_version_does_not_apply() -> None:
    config = {"transientStorePoolEnable": True, "transientStorePoolSize": 1}
    plan(args(version="5.3.3", profile="dev", broker_groups=group(config=config, memory="16Gi")))


def test_defaults_do_not_contradict_each_other() -> None:
    for version in VERSIONS:
        for role, known in broker_config.load_keys(version).items():
            key_rules.reject_contradictions(role, known, {}, ARGS / "config")
