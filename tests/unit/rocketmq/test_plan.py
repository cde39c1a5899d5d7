"""Plans without Pulumi: configuration keys, memory, durability and rejected arguments."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.rocketmq.config import broker_config, durability, memory
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import run
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq_case import args, deploy, group, keys

EXPORTER = {"metricsExporterType": "OTLP_GRPC", "metricsGrpcExporterTarget": "http://collector:4317"}


def test_strict_profile_is_the_default_and_sets_the_measured_values() -> None:
    broker = keys(deploy())
    assert broker["allAckInSyncStateSet"] == "true"
    assert broker["cleanFileForciblyEnable"] == "false", "messages that are not consumed are kept"
    assert broker["minInSyncReplicas"] == "2"
    assert (broker["totalReplicas"], broker["inSyncReplicas"]) == ("3", "2")
    assert broker["autoCreateTopicEnable"] == "false"
    assert {key: int(broker[key]) for key in ("registerNameServerPeriod", "haSendHeartbeatInterval")} == {
        "registerNameServerPeriod": 10000,
        "haSendHeartbeatInterval": 1000,
    }
    assert int(broker["syncControllerMetadataPeriod"]) <= 2000
    assert int(broker["checkSyncStateSetPeriod"]) <= 2000
    controller = keys(deploy(), "rocketmq-controller-config", "controller.conf")
    assert controller["enableElectUncleanMaster"] == "false"
    assert controller["scanNotActiveBrokerInterval"] == "1000"
    assert controller["scanInactiveMasterInterval"] == "1000"


def test_brokers_use_controller_mode_and_listen_on_the_service_ports() -> None:
    broker = keys(deploy())
    assert broker["enableControllerMode"] == "true"
    assert (broker["brokerId"], broker["brokerName"], broker["brokerClusterName"]) == ("-1", "broker-a", "rocketmq")
    assert (broker["listenPort"], broker["haListenPort"]) == ("10911", "10912")


def test_controllers_have_the_peer_list_and_their_own_id() -> None:
    controller = keys(deploy(), "rocketmq-controller-config", "controller.conf")
    hosts = [f"rocketmq-controller-{i}.rocketmq-controller-peers.rocketmq.svc:9878" for i in range(3)]
    assert controller["controllerDLegerPeers"] == ";".join(f"n{i}-{host}" for i, host in enumerate(hosts))
    assert controller["controllerDLegerSelfId"] == "n${ORDINAL}"
    assert keys(deploy())["controllerAddr"] == ";".join(hosts)


@pytest.mark.parametrize("name", sorted(durability.PROFILES))
def test_every_profile_accepts_its_minimum_number_of_members(name: str) -> None:
    minimum = durability.PROFILES[name].min_members
    planned = plan(args(profile=name, broker_groups=group(replicas=minimum)))
    assert {group.min_in_sync for group in planned.groups} == {durability.PROFILES[name].min_in_sync}


@pytest.mark.parametrize(
    ("profile", "members", "servers", "storage"),
    [("strict", 3, (2, 3, 2), "100Gi"), ("balanced", 2, (2, 3, 2), "100Gi"), ("dev", 1, (1, 1, 1), "20Gi")],
)
def test_profile_has_defaults_for_all_arguments_of_a_group_except_its_name(
    profile: str, members: int, servers: tuple[int, ...], storage: str
) -> None:
    minimal: Any = {"namespace": "mq", "storage_class": "any", "profile": profile, "broker_groups": [{"name": "a"}]}
    planned = plan(minimal)
    assert (planned.groups[0].role.replicas, planned.groups[0].role.storage) == (members, storage)
    assert tuple(role.replicas for role in (planned.name_servers, planned.controllers, planned.proxies)) == servers
    assert minimal["broker_groups"] == [{"name": "a"}]
    overridden = plan({**minimal, "proxies": {"replicas": 5}, "broker_groups": [{"name": "a", "memory": "8Gi"}]})
    assert (overridden.proxies.replicas, overridden.proxies.memory.limit) == (5, 1024)
    assert overridden.groups[0].role.memory.limit == 8192
    recording = run(lambda: RocketMq("mq", minimal))
    assert recording.one("StatefulSet", "mq-a-set").inputs["spec"]["replicas"] == members


@pytest.mark.parametrize("name", sorted(durability.PROFILES))
def test_every_profile_flushes_the_timer_wheel_as_often_as_the_consumer_offsets(name: str) -> None:
    """A failover then repeats delayed messages from no longer a time than other messages."""
    known = broker_config.load_keys("5.5.0")["broker"]
    flush = durability.build_group_keys(name, 3, 2, agent=True)["timerFlushIntervalMs"]
    assert flush == known["flushConsumerOffsetInterval"]["default"] == 5000


@pytest.mark.parametrize(("agent", "interval"), [(True, 4000), (False, 20000)])
def test_a_silent_slave_is_dropped_early_only_with_the_agent(agent: bool, interval: int) -> None:
    """Without the agent, a master that drops its last slave acknowledges waiting writes."""
    default = broker_config.load_keys("5.5.0")["broker"]["haHousekeepingInterval"]["default"]
    (planned,) = plan(args(agent=agent)).groups
    assert planned.keys.get("haHousekeepingInterval", default) == interval


@pytest.mark.parametrize("version", broker_config.list_versions())
def test_brokers_answer_with_all_topics_at_once(version: str) -> None:
    (planned,) = plan(args(version=version)).groups
    key = broker_config.load_keys(version)["broker"].get("enableSplitMetadata", {"default": False})
    assert planned.keys.get("enableSplitMetadata", key["default"]) is False


def test_user_config_key_overrides_the_flush_of_the_timer_wheel() -> None:
    assert keys(deploy(broker_groups=group(config={"timerFlushIntervalMs": 1000})))["timerFlushIntervalMs"] == "1000"


def test_min_in_sync_replicas_argument_overrides_the_profile() -> None:
    assert keys(deploy(min_in_sync_replicas=1))["minInSyncReplicas"] == "1"


def test_user_config_key_overrides_the_profile() -> None:
    broker = keys(deploy(broker_groups=group(config={"haSendHeartbeatInterval": 2000, "flushDiskType": "SYNC_FLUSH"})))
    assert broker["haSendHeartbeatInterval"] == "2000"
    assert broker["flushDiskType"] == "SYNC_FLUSH"


def test_integral_floats_are_rendered_as_integers() -> None:
    broker = keys(deploy(broker_groups=group(replicas=3.0, config={"fileReservedTime": 48.0})))
    assert (broker["totalReplicas"], broker["fileReservedTime"]) == ("3", "48")


def test_image_and_digest_form_the_image_reference() -> None:
    digest = "sha256:" + "0" * 64
    assert plan(args(image="mirror.example/rocketmq", image_digest=digest)).deployment.image == (
        f"mirror.example/rocketmq:5.5.0@{digest}"
    )


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        *(
            ({"broker_groups": group(config={key: value})}, f"broker_groups['broker-a'].config[{key!r}]", code)
            for key, value, code in [
                ("mapedFileSizeCommitLog", 1, "config-key-unknown"),
                ("fetchNamesrvAddrByDnsLookup", True, "config-key-unknown"),
                ("fileReservedTime", "48h", "config-value"),
                ("fileReservedTime", True, "config-value"),
                ("fileReservedTime", {}, "config-value"),
                ("fileReservedTime", 2**31, "config-value"),
                ("slaveReadEnable", "yes", "config-value"),
                ("flushDiskType", "SYNC", "config-value"),
                ("flushDiskType", ["SYNC_FLUSH"], "config-value"),
                ("msgTraceTopicName", None, "config-value"),
                ("msgTraceTopicName", "a\nbrokerIP1=b", "config-value"),
                ("brokerIP2", "10.0.0.1", "config-key-reserved"),
                ("storePathRootDir", "/elsewhere", "config-key-reserved"),
                ("initAuthenticationUser", "{}", "config-key-password"),
            ]
        ),
        ({"proxies": {"config": {"tlsKeyPassword": "x"}}}, "proxies.config['tlsKeyPassword']", "config-key-password"),
        ({"proxies": {"config": {"grpcServerport": 1}}}, "proxies.config['grpcServerport']", "config-key-unknown"),
        ({"proxies": {"config": {"namesrvAddr": "a"}}}, "proxies.config['namesrvAddr']", "config-key-reserved"),
        ({"version": "5.4.9"}, "version", "choice"),
        ({"profile": "strickt"}, "profile", "choice"),
        ({"broker_groups": group(replicas=2.5)}, "broker_groups['broker-a'].replicas", "wrong-type"),
        ({"controllers": {"replicas": True}}, "controllers.replicas", "wrong-type"),
        ({"controllers": {"replicas": -1}}, "controllers.replicas", "range"),
        ({"controllers": {"replicas": 10**30}}, "controllers.replicas", "range"),
        ({"name_servers": {"replicas": "2"}}, "name_servers.replicas", "wrong-type"),
        ({"min_in_sync_replicas": 1.5}, "min_in_sync_replicas", "wrong-type"),
        ({"broker_groups": group(replicas=2)}, "broker_groups['broker-a'].replicas", "profile-members"),
        (
            {"profile": "balanced", "broker_groups": group(replicas=1)},
            "broker_groups['broker-a'].replicas",
            "profile-members",
        ),
        ({"min_in_sync_replicas": 3}, "min_in_sync_replicas", "group-in-sync-members"),
        (
            {"profile": "dev", "min_in_sync_replicas": 2, "broker_groups": group(replicas=1)},
            "min_in_sync_replicas",
            "group-in-sync-members",
        ),
        (
            {"profile": "balanced", "broker_groups": group(replicas=2, min_in_sync_replicas=2)},
            "broker_groups['broker-a'].min_in_sync_replicas",
            "group-in-sync-members",
        ),
        ({"min_in_sync_replicas": 0}, "min_in_sync_replicas", "group-in-sync-members"),
        ({"controllers": {"replicas": 2}}, "controllers.replicas", "profile-controllers"),
        ({"controllers": {"replicas": 1}}, "controllers.replicas", "profile-controllers"),
        ({"profile": "balanced", "controllers": {"replicas": 1}}, "controllers.replicas", "profile-controllers"),
        ({"profile": "dev", "controllers": {"replicas": 2}}, "controllers.replicas", "profile-controllers"),
        ({"controllers": {"replicas": 0}}, "controllers.replicas", "range"),
        ({"name_servers": {"replicas": 0}}, "name_servers.replicas", "range"),
        ({"proxies": {"replicas": 1001}}, "proxies.replicas", "range"),
        ({"broker_groups": group(memory="1Gi")}, "broker_groups['broker-a'].memory", "role-memory"),
        ({"name_servers": {"memory": "256Mi"}}, "name_servers.memory", "role-memory"),
        ({"proxies": {"cpu": "half"}}, "proxies.cpu", "cpu"),
        ({"controllers": {"storage": "ten"}}, "controllers.storage", "size"),
        ({"broker_groups": group(storage="2Gi")}, "broker_groups['broker-a'].storage", "storage-too-small-for-log"),
        ({"controllers": {"storage": "200Mi"}}, "controllers.storage", "storage-too-small-for-log"),
        (
            {"profile": "dev", "broker_groups": group(config={"transientStorePoolEnable": True})},
            "broker_groups['broker-a'].memory",
            "role-memory",
        ),
        ({"broker_groups": group(name="Broker_A")}, "broker_groups['Broker_A'].name", "dns-label"),
        ({"broker_groups": group(name="b" * 41)}, f"broker_groups['{'b' * 41}'].name", "broker-group-name-length"),
        ({"broker_groups": group(name="controller")}, "broker_groups['controller'].name", "broker-group-name-reserved"),
        ({"broker_groups": []}, "broker_groups", "no-broker-group"),
        ({"broker_groups": group() * 2}, "broker_groups", "duplicate"),
        ({"namespace": "Rocket"}, "namespace", "dns-label"),
        ({"storage_class": ""}, "storage_class", "dns-subdomain"),
        ({"storage_class": "Bad Class"}, "storage_class", "dns-subdomain"),
        ({"controllers": {"storage_class": ""}}, "controllers.storage_class", "dns-subdomain"),
        (
            {"broker_groups": group(storage_class="Bad Class")},
            "broker_groups['broker-a'].storage_class",
            "dns-subdomain",
        ),
        *(
            (
                {"network_policies": {"egress": True}, role: {"config": EXPORTER}},
                f"{role}.config['metricsExporterType']",
                "exporter-without-egress",
            )
            for role in ("controllers", "proxies")
        ),
        (
            {"network_policies": {"egress": True}, "broker_groups": group(config=EXPORTER)},
            "broker_groups['broker-a'].config['metricsExporterType']",
            "exporter-without-egress",
        ),
        ({"image": "rocketmq:5"}, "image", "image"),
        ({"image_digest": "latest"}, "image_digest", "image-digest"),
    ],
)
def test_invalid_arguments_are_rejected_before_any_resource_is_registered(
    changes: dict[str, Any], path: str, code: str
) -> None:
    with rejects((path, code)):
        plan(args(**changes))


DURABILITY_KEYS = [
    ("controllers", "enableElectUncleanMaster", True),
    ("broker_groups['broker-a']", "transientStorePoolEnable", True),
    ("broker_groups['broker-a']", "syncFromLastFile", True),
    ("broker_groups['broker-a']", "timerEnableRetryUntilSuccess", False),
    ("broker_groups['broker-a']", "timerSkipUnknownError", True),
    ("broker_groups['broker-a']", "skipWhenCKRePutReachMaxTimes", True),
]
"""Role, key and the value that weakens durability."""


def args_with_config(role_path: str, config: dict[str, Any], profile: str) -> Any:
    """Return arguments with the profile and this configuration of one role."""
    role = (
        {"controllers": {"config": config}} if role_path == "controllers" else {"broker_groups": group(config=config)}
    )
    return args(profile=profile, **role)


@pytest.mark.parametrize("profile", ["strict", "balanced"])
@pytest.mark.parametrize(("role_path", "key", "weak"), DURABILITY_KEYS)
def test_keys_that_weaken_durability_are_rejected(role_path: str, key: str, weak: bool, profile: str) -> None:
    with rejects((f"{role_path}.config[{key!r}]", "profile-key")):
        plan(args_with_config(role_path, {key: weak}, profile))
    plan(args_with_config(role_path, {key: not weak}, profile))


@pytest.mark.parametrize(("role_path", "key", "weak"), DURABILITY_KEYS)
def test_dev_profile_accepts_keys_that_weaken_durability(role_path: str, key: str, weak: bool) -> None:
    small = {"transientStorePoolSize": 1, "mappedFileSizeCommitLog": 64 * 1024**2} if role_path != "controllers" else {}
    planned = plan(args_with_config(role_path, {key: weak, **small}, "dev"))
    assert f"{key}={str(weak).lower()}\n" in planned.controllers.config + planned.groups[0].role.config


@pytest.mark.parametrize(
    ("role", "key", "default"),
    [
        ("broker_groups", "checkSyncStateSetPeriod", 1000),
        ("broker_groups", "registerNameServerPeriod", 10000),
        ("broker_groups", "haSendHeartbeatInterval", 1000),
        ("broker_groups", "syncControllerMetadataPeriod", 1000),
        ("broker_groups", "haHousekeepingInterval", 4000),
        ("broker_groups", "haMaxTimeSlaveNotCatchup", 15000),
        ("broker_groups", "brokerHeartbeatInterval", 1000),
        ("broker_groups", "controllerHeartBeatTimeoutMills", 10000),
        ("controllers", "scanNotActiveBrokerInterval", 1000),
        ("controllers", "scanInactiveMasterInterval", 1000),
        ("proxies", "topicRouteServiceCacheRefreshSeconds", 1),
    ],
)
def test_slower_timer_is_accepted_with_a_warning(role: str, key: str, default: int) -> None:
    def warnings(value: int) -> list[tuple[str, str]]:
        config = {key: value}
        given = args(**{role: group(config=config) if role == "broker_groups" else {"config": config}})
        return [(str(each.path), each.code) for each in plan(given).warnings]

    role_path = "broker_groups['broker-a']" if role == "broker_groups" else role
    assert warnings(default + 1) == [(f"{role_path}.config[{key!r}]", "slow-timer")]
    assert warnings(default) == []


@pytest.mark.parametrize(
    ("agent", "flush", "expected"),
    [(False, "SYNC_FLUSH", ["flush-on-master-only"]), (False, "ASYNC_FLUSH", []), (True, "SYNC_FLUSH", [])],
)
def test_synchronous_flush_without_the_agent_is_accepted_with_a_warning(
    agent: bool, flush: str, expected: list[str]
) -> None:
    given = args(agent=agent, broker_groups=group(config={"flushDiskType": flush}))
    assert [each.code for each in plan(given).warnings] == expected


def test_another_message_store_is_accepted_without_the_agent() -> None:
    plug_in = {"broker_groups": group(config={"messageStorePlugIn": "com.example.Store"})}
    with rejects(("broker_groups['broker-a'].config['messageStorePlugIn']", "message-store-with-agent")):
        plan(args(**plug_in))
    plan(args(agent=False, **plug_in))
    plan(args(broker_groups=group(config={"messageStorePlugIn": ""})))


@pytest.mark.parametrize("key", [k for k in broker_config.load_keys("5.5.0")["broker"] if k.startswith("storePath")])
def test_store_path_keys_are_rejected(key: str) -> None:
    with rejects((f"broker_groups['broker-a'].config[{key!r}]", "config-key-reserved")):
        plan(args(broker_groups=group(config={key: "/elsewhere"})))


@pytest.mark.parametrize(("given", "seconds"), [(10000, 10), (30000, 30), (30500, 31), (60000, 60)])
def test_registration_period_is_rounded_up_to_seconds(given: int, seconds: int) -> None:
    assert durability.get_registration_seconds({"registerNameServerPeriod": given}) == seconds


def test_smaller_commit_log_files_fit_a_smaller_volume() -> None:
    plan(args(broker_groups=group(storage="2Gi", config={"mappedFileSizeCommitLog": 64 * 1024**2})))


@given(
    role=st.sampled_from([labels.NAME_SERVER, labels.CONTROLLER, labels.PROXY, labels.BROKER]),
    limit=st.integers(1, 262144),
)
def test_divided_memory_stays_within_the_limit(role: str, limit: int) -> None:
    try:
        parts = memory.divide_memory(role, f"{limit}Mi", ARGS / "memory")
    except ValueError:
        assert limit < 1536
        return
    assert parts.heap + parts.direct + parts.fixed <= parts.limit == limit
    assert parts.heap >= 128
    assert role != labels.BROKER or parts.page_cache >= limit // 5
