"""Configuration keys of every RocketMQ version: validation and rendering."""

import json
from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.rocketmq.config import broker_config, key_rules
from eks_rocketmq.rocketmq.plan import plan
from scripts.rocketmq_keys import KEYS, render
from tests.unit.harness.rejections import list_rejections, rejects
from tests.unit.rocketmq_case import args, config, deploy, group, keys

VERSIONS = ("5.3.3", "5.4.0", "5.5.0")
ROLES = ("broker", "controller", "name_server", "proxy")
KINDS = {"int": int, "long": int, "double": float, "boolean": bool, "string": str, "enum": str}


def assert_rejected(path: str, code: str, **changes: Any) -> None:
    with rejects((path, code)):
        plan(args(**changes))


def assert_key_rejected(key: str, code: str, config: dict[str, Any], **changes: Any) -> None:
    assert_rejected(f"broker_groups['broker-a'].config[{key!r}]", code, broker_groups=group(config=config), **changes)


def merge(role: str, config: dict[str, Any]) -> dict[str, Any]:
    return broker_config.merge_keys("5.5.0", role, {}, config, fixed=frozenset({"listenPort"}), path=ARGS / "config")


def get_error_values(role: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the values in the error of a key."""
    with pytest.raises(ArgumentError) as error:
        merge(role, config)
    return dict(error.value.message.values)


def assert_contradiction(path: str, settings: str, **changes: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        plan(args(**changes))
    assert list_rejections(error.value) == [(path, "config-keys-contradict")]
    assert str(error.value.message.values["settings"]).startswith(settings)


class TestKeyFiles:
    def test_three_versions_are_supported(self) -> None:
        assert tuple(broker_config.list_versions()) == VERSIONS

    @pytest.mark.parametrize("version", VERSIONS)
    def test_every_key_has_a_type_and_a_default_of_that_type(self, version: str) -> None:
        known = broker_config.load_keys(version)
        assert tuple(known) == ROLES
        for role, keys_of_role in known.items():
            assert list(keys_of_role) == sorted(keys_of_role), role
            for name, key in keys_of_role.items():
                assert set(key) <= {"type", "default", "members", "deprecated", "unread"}, name
                assert type(key.get("default", KINDS[key["type"]]())) is KINDS[key["type"]], name
                assert ("members" in key) == (key["type"] == "enum"), name
                assert key.get("default") in [*key.get("members", [key.get("default")]), None], name

    @pytest.mark.parametrize("version", VERSIONS)
    def test_defaults_do_not_depend_on_the_machine_of_the_extraction(self, version: str) -> None:
        text = (KEYS / f"{version}.json").read_text()
        broker = broker_config.load_keys(version)["broker"]
        # These defaults depend on the number of processors, the address and the host name.
        assert [
            name for name in ("sendMessageThreadPoolNums", "brokerIP1", "brokerName") if "default" in broker[name]
        ] == []
        assert "null/" not in text
        assert "/root" not in text

    @pytest.mark.parametrize(
        ("version", "counts"),
        [("5.3.3", (442, 70, 58, 172)), ("5.4.0", (487, 70, 58, 174)), ("5.5.0", (518, 70, 58, 179))],
    )
    def test_key_counts_match_the_jars(self, version: str, counts: tuple[int, ...]) -> None:
        known = broker_config.load_keys(version)
        assert tuple(len(known[role]) for role in ROLES) == counts
        assert "mapedFileSizeCommitLog" not in known["broker"]

    @pytest.mark.parametrize("version", VERSIONS)
    def test_files_match_the_output_of_the_extractor(self, version: str) -> None:
        text = (KEYS / f"{version}.json").read_text()
        assert render(json.loads(text)) == text


class TestVersions:
    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("profile", ["strict", "balanced", "dev"])
    def test_every_version_accepts_the_keys_of_the_deployment(self, version: str, profile: str) -> None:
        planned = plan(args(version=version, profile=profile))
        assert planned.deployment.image == f"apache/rocketmq:{version}"

    @pytest.mark.parametrize("version", VERSIONS)
    def test_rocketmq_home_contains_the_version(self, version: str) -> None:
        pods = deploy(version=version).one("StatefulSet", "rocketmq-broker-a-set").inputs["spec"]["template"]
        (main,) = pods["spec"]["containers"]
        environment = {variable["name"]: variable.get("value") for variable in main["env"]}
        assert environment["ROCKETMQ_HOME"] == f"/home/rocketmq/rocketmq-{version}"
        assert pods["metadata"]["labels"]["app.kubernetes.io/version"] == version

    @pytest.mark.parametrize(
        ("key", "value", "since"),
        [
            ("writeWithoutMmap", True, "5.4.0"),
            ("transRocksDBEnable", True, "5.4.0"),
            ("enableLiteEventMode", True, "5.5.0"),
        ],
    )
    def test_key_is_accepted_only_by_versions_that_have_it(self, key: str, value: object, since: str) -> None:
        for version in VERSIONS:
            if version >= since:
                plan(args(version=version, broker_groups=group(config={key: value})))
            else:
                supported = ", ".join(other for other in VERSIONS if other >= since)
                with pytest.raises(ArgumentError) as error:
                    plan(args(version=version, broker_groups=group(config={key: value})))
                assert list_rejections(error.value) == [
                    (f"broker_groups['broker-a'].config[{key!r}]", "config-key-unknown")
                ]
                assert error.value.message.remedy == f"The key exists in RocketMQ {supported}"

    def test_deprecated_key_is_accepted_with_warnings(self) -> None:
        recording = deploy(broker_groups=group(config={"maxTopicLength": 100}))
        assert keys(recording)["maxTopicLength"] == "100"
        assert len(recording.log) == 2
        assert deploy().log == []
        planned = plan(args(broker_groups=group(config={"maxTopicLength": 100})))
        path = "broker_groups['broker-a'].config['maxTopicLength']"
        assert [(str(warning.path), warning.code) for warning in planned.warnings] == [
            (path, "config-key-deprecated"),
            (path, "config-key-unread"),
        ]

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize(
        ("role", "config"),
        [
            ("broker_groups", {"highSpeedMode": True}),
            ("controllers", {"serverSocketBacklog": 2048}),
            ("name_servers", {"maxReconnectIntervalTimeSeconds": 30}),
            ("proxies", {"contextExpiredInSeconds": 60}),
        ],
    )
    def test_unread_key_is_accepted_with_a_warning(self, version: str, role: str, config: dict[str, Any]) -> None:
        (key,) = config
        given, role_path = (
            (group(config=config), "broker_groups['broker-a']")
            if role == "broker_groups"
            else ({"config": config}, role)
        )
        warnings = plan(args(version=version, **{role: given})).warnings
        assert (f"{role_path}.config[{key!r}]", "config-key-unread") in [
            (str(each.path), each.code) for each in warnings
        ]

    @pytest.mark.parametrize("version", VERSIONS)
    def test_acl_enable_key_is_rejected(self, version: str) -> None:
        for value in (True, False):
            assert_key_rejected("aclEnable", "config-key-acl", {"aclEnable": value}, version=version)

    @pytest.mark.parametrize("version", VERSIONS)
    def test_deployment_sets_no_unread_or_deprecated_keys(self, version: str) -> None:
        recording = deploy(version=version, access={"users": []}, tls={"secret_name": "tls"})
        proxy = json.loads(config(recording, "rocketmq-proxy-config")["rmq-proxy.json"])
        for role, found in {
            "broker": keys(recording),
            "controller": keys(recording, "rocketmq-controller-config", "controller.conf"),
            "name_server": keys(recording, "rocketmq-nameserver-config", "namesrv.conf"),
            "proxy": proxy,
        }.items():
            assert found
            assert broker_config.list_key_warnings(version, role, found, ARGS / "config") == [], role


class TestVersionLimits:
    """Limitations of RocketMQ 5.3.3 that were observed on real brokers."""

    def test_version_533_warns_that_groups_lose_topics_with_a_type(self) -> None:
        (warning,) = plan(args(version="5.3.3")).warnings
        assert (str(warning.path), warning.code) == ("version", "version-loses-topics")
        assert plan(args(version="5.4.0")).warnings == []
        alone = {"profile": "dev", "controllers": {"replicas": 1}, "broker_groups": group(replicas=1)}
        assert plan(args(version="5.3.3", **alone)).warnings == []

    def test_version_533_rejects_declared_topics(self) -> None:
        assert_rejected("topics", "topics-lost-at-failover", version="5.3.3", topics=[{"name": "orders"}])
        plan(args(version="5.4.0", topics=[{"name": "orders"}]))


class TestRanges:
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
        self, key: str, inside: tuple[object, ...], outside: tuple[object, ...], accepted: str
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
    def test_wrong_type_error_shows_the_same_bounds(self, key: str, value: object, accepted: str) -> None:
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
    def test_values_that_stop_a_process_or_all_requests_are_rejected(self, role: str, config: dict[str, Any]) -> None:
        (key,) = config
        if role == "broker_groups":
            assert_key_rejected(key, "config-value", config)
        else:
            assert_rejected(f"{role}.config[{key!r}]", "config-value", **{role: {"config": config}})

    @pytest.mark.parametrize(
        ("role", "key"),
        [("broker", "serverSelectorThreads"), ("broker", "writeBufferLowWaterMark"), ("proxy", "maxMessageSize")],
    )
    def test_zero_is_accepted_where_it_has_a_meaning(self, role: str, key: str) -> None:
        assert broker_config.validate_keys("5.5.0", role, {key: 0}, ARGS / "config") == {key: 0}
        assert not key_rules.accepts_value(role, key, -1)
        assert get_error_values(role, {key: -1})["description"].startswith("a whole number, 0 to ")

    @pytest.mark.parametrize("version", VERSIONS)
    def test_negative_number_is_accepted_only_where_it_is_the_default(self, version: str) -> None:
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
    def test_every_rule_refers_to_an_existing_key(self, key: str) -> None:
        assert [role for version in VERSIONS for role in ROLES if key in broker_config.load_keys(version)[role]]

    @pytest.mark.parametrize("family", key_rules._FAMILIES, ids=lambda family: family[0].pattern)
    def test_every_key_family_has_keys_without_a_specific_range(self, family: Any) -> None:
        all_keys = {key for known in broker_config.load_keys("5.5.0").values() for key in known}
        assert len([key for key in all_keys - set(key_rules._RANGES) if family[0].fullmatch(key)]) > 1

    @pytest.mark.parametrize("version", VERSIONS)
    def test_rules_accept_every_default(self, version: str) -> None:
        known = broker_config.load_keys(version)
        wrong = [
            (role, key, described["default"])
            for role in ROLES
            for key, described in known[role].items()
            if "default" in described and not key_rules.accepts_value(role, key, described["default"])
        ]
        # Port 0 is the default of a server without a configured port. The deployment sets both ports.
        assert wrong == [("controller", "listenPort", 0), ("name_server", "listenPort", 0)]


class TestContradictions:
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
            ({"haSendHeartbeatInterval": 20000}, "haSendHeartbeatInterval 20000 and haHousekeepingInterval 20000"),
            ({"haSendHeartbeatInterval": 15000}, "haSendHeartbeatInterval 15000 and haMaxTimeSlaveNotCatchup 15000"),
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
    def test_contradictory_broker_keys_are_rejected(self, config: dict[str, Any], settings: str) -> None:
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
    def test_contradictory_keys_of_other_roles_are_rejected(
        self, role: str, config: dict[str, Any], settings: str
    ) -> None:
        assert_contradiction(f"{role}.config", settings, **{role: {"config": config}})

    def test_zero_maximum_invisible_time_does_not_contradict_the_minimum(self) -> None:
        plan(args(proxies={"config": {"maxInvisibleTimeMills": 0}}))

    def test_rule_for_a_key_missing_in_the_version_does_not_apply(self) -> None:
        config = {"transientStorePoolEnable": True, "transientStorePoolSize": 1}
        plan(args(version="5.3.3", profile="dev", broker_groups=group(config=config, memory="16Gi")))

    def test_defaults_do_not_contradict_each_other(self) -> None:
        for version in VERSIONS:
            for role, known in broker_config.load_keys(version).items():
                key_rules.reject_contradictions(role, known, {}, ARGS / "config")


class TestOtherRoles:
    @pytest.mark.parametrize(
        ("role", "file", "key", "value"),
        [
            ("name_servers", ("rocketmq-nameserver-config", "namesrv.conf"), "scanNotActiveBrokerInterval", 3000),
            ("controllers", ("rocketmq-controller-config", "controller.conf"), "electMasterMaxRetryCount", 5),
        ],
    )
    def test_name_servers_and_controllers_accept_config_keys(
        self, role: str, file: tuple[str, str], key: str, value: int
    ) -> None:
        changes: dict[str, Any] = {role: {"config": {key: value}}}
        assert keys(deploy(**changes), *file)[key] == str(value)
        assert key not in keys(deploy(), *file)

    def test_user_config_key_overrides_the_default_of_controllers(self) -> None:
        recording = deploy(controllers={"config": {"scanInactiveMasterInterval": 2000}})
        found = keys(recording, "rocketmq-controller-config", "controller.conf")
        assert (found["scanInactiveMasterInterval"], found["scanNotActiveBrokerInterval"]) == ("2000", "1000")

    @pytest.mark.parametrize(
        ("role", "config", "code"),
        [
            ("name_servers", {"listenPort": 1}, "config-key-reserved"),
            ("name_servers", {"enableControllerInNamesrv": True}, "config-key-reserved"),
            ("name_servers", {"brokerName": "a"}, "config-key-unknown"),
            ("name_servers", {"enableTopicLst": True}, "config-key-unknown"),
            ("name_servers", {"enableShutdownGracefully": True}, "config-key-reserved"),
            ("controllers", {"controllerType": "jRaft"}, "config-key-reserved"),
            ("controllers", {"controllerStorePath": "/elsewhere"}, "config-key-reserved"),
            ("controllers", {"scanInactiveMasterInterval": 0}, "config-value"),
            ("controllers", {"jRaftGroupId": "a"}, "config-key-reserved"),
            ("controllers", {"brokerRole": "SLAVE"}, "config-key-unknown"),
            ("controllers", {"mappedFileSize": 4 * 1024**3}, "config-value"),
            ("proxies", {"topicRouteServiceCacheRefreshSeconds": 0}, "config-value"),
        ],
    )
    def test_invalid_keys_of_other_roles_are_rejected(self, role: str, config: dict[str, Any], code: str) -> None:
        (key,) = config
        assert_rejected(f"{role}.config[{key!r}]", code, **{role: {"config": config}})

    @pytest.mark.parametrize(
        ("role", "key", "remedy"),
        [
            ("name_server", "brokerName", "The key exists for a broker"),
            ("name_server", "enableTopicLst", "Did you mean 'enableTopicList'?"),
            ("controller", "brokerRole", "The key exists for a broker"),
        ],
    )
    def test_unknown_key_error_names_another_role_or_a_similar_key(self, role: str, key: str, remedy: str) -> None:
        with pytest.raises(ArgumentError) as error:
            broker_config.validate_keys("5.5.0", role, {key: "a"}, ARGS / "config")
        assert error.value.message.remedy == remedy

    def test_all_invalid_keys_are_reported_at_once(self) -> None:
        config = {"listenPort": 1, "tlsKeyPassword": "x", "fileReservedTime": 0, "nothing": 1}
        path = "config[{!r}]".format
        with rejects((path("listenPort"), "config-key-reserved"), (path("tlsKeyPassword"), "config-key-password")):
            merge("broker", config)
        with rejects((path("fileReservedTime"), "config-value"), (path("nothing"), "config-key-unknown")):
            merge("broker", {key: config[key] for key in ("fileReservedTime", "nothing")})

    def test_controller_storage_too_small_for_the_log_is_rejected(self) -> None:
        assert_rejected(
            "controllers.storage",
            "storage-too-small-for-log",
            controllers={"storage": "1Gi", "config": {"mappedFileSize": 512 * 1024**2}},
        )


class TestRendering:
    def test_properties_are_sorted_and_have_lowercase_booleans(self) -> None:
        assert broker_config.render_properties({"b": True, "a": 1, "c": "x"}) == "a=1\nb=true\nc=x\n"

    def test_properties_escape_backslashes_and_non_ascii_characters(self) -> None:
        # java.util.Properties treats a backslash as an escape and reads the file as Latin-1.
        assert broker_config.render_properties({"a": r"C:\temp", "b": "é€", "c": "😀"}) == (
            "a=C:\\\\temp\nb=\\u00e9\\u20ac\nc=\\ud83d\\ude00\n"
        )

    @pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\x00", "a\u2028b", "\t"])
    def test_values_with_control_characters_are_rejected(self, value: str) -> None:
        assert_key_rejected("msgTraceTopicName", "config-value", {"msgTraceTopicName": value})

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", True])
    def test_invalid_floating_point_values_are_rejected(self, value: object) -> None:
        (key, *_) = [
            key for key, known in broker_config.load_keys("5.5.0")["broker"].items() if known["type"] == "double"
        ]
        assert_key_rejected(key, "config-value", {key: value})
        plan(args(broker_groups=group(config={key: 0.5})))


def test_graceful_shutdown_of_rocketmq_extends_the_grace_period() -> None:
    def grace(**config: Any) -> int:
        recording = deploy(broker_groups=group(config=config))
        spec = recording.one("StatefulSet", "rocketmq-broker-a-set").inputs["spec"]
        return spec["template"]["spec"]["terminationGracePeriodSeconds"]

    assert grace(enableShutdownGracefully=True) == grace() + 60
    assert grace(enableShutdownGracefully=True, shutdownWaitTimeSeconds=10) == grace() + 20
    assert grace(shutdownWaitTimeSeconds=10) == grace()
