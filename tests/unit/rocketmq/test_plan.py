"""Pure parts: configuration keys, memory, durability, and every refusal."""

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


def test_strict_is_the_default_and_sets_what_was_measured() -> None:
    broker = keys(deploy())
    assert broker["allAckInSyncStateSet"] == "true"
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


def test_brokers_belong_to_the_controllers_and_listen_where_the_services_point() -> None:
    broker = keys(deploy())
    assert broker["enableControllerMode"] == "true"
    assert (broker["brokerId"], broker["brokerName"], broker["brokerClusterName"]) == ("-1", "broker-a", "rocketmq")
    assert (broker["listenPort"], broker["haListenPort"]) == ("10911", "10912")


def test_controllers_know_each_other_and_themselves() -> None:
    controller = keys(deploy(), "rocketmq-controller-config", "controller.conf")
    hosts = [f"rocketmq-controller-{i}.rocketmq-controller-peers.rocketmq.svc:9878" for i in range(3)]
    assert controller["controllerDLegerPeers"] == ";".join(f"n{i}-{host}" for i, host in enumerate(hosts))
    assert controller["controllerDLegerSelfId"] == "n${ORDINAL}"
    assert keys(deploy())["controllerAddr"] == ";".join(hosts)


@pytest.mark.parametrize("name", sorted(durability.PROFILES))
def test_every_profile_deploys_with_its_least_members(name: str) -> None:
    least = durability.PROFILES[name].min_members
    planned = plan(args(profile=name, broker_groups=group(replicas=least)))
    assert {group.min_in_sync for group in planned.groups} == {durability.PROFILES[name].min_in_sync}


@pytest.mark.parametrize(
    ("profile", "members", "servers", "storage"),
    [("strict", 3, (2, 3, 2), "100Gi"), ("balanced", 2, (2, 3, 2), "100Gi"), ("dev", 1, (1, 1, 1), "20Gi")],
)
def test_a_profile_needs_no_more_than_a_name(
    profile: str, members: int, servers: tuple[int, ...], storage: str
) -> None:
    shortest: Any = {"namespace": "mq", "storage_class": "any", "profile": profile, "broker_groups": [{"name": "a"}]}
    planned = plan(shortest)
    assert (planned.groups[0].role.replicas, planned.groups[0].role.storage) == (members, storage)
    assert tuple(role.replicas for role in (planned.name_servers, planned.controllers, planned.proxies)) == servers
    assert shortest["broker_groups"] == [{"name": "a"}]
    one_more = plan({**shortest, "proxies": {"replicas": 5}, "broker_groups": [{"name": "a", "memory": "8Gi"}]})
    assert (one_more.proxies.replicas, one_more.proxies.memory.limit) == (5, 1024)
    assert one_more.groups[0].role.memory.limit == 8192
    recording = run(lambda: RocketMq("mq", shortest))
    assert recording.one("StatefulSet", "mq-a-set").inputs["spec"]["replicas"] == members


def test_min_in_sync_is_the_users_choice() -> None:
    assert keys(deploy(min_in_sync_replicas=1))["minInSyncReplicas"] == "1"


def test_a_user_key_wins_over_the_profiles() -> None:
    broker = keys(deploy(broker_groups=group(config={"haSendHeartbeatInterval": 2000, "flushDiskType": "SYNC_FLUSH"})))
    assert broker["haSendHeartbeatInterval"] == "2000"
    assert broker["flushDiskType"] == "SYNC_FLUSH"


def test_whole_numbers_that_arrive_as_floats_stay_whole() -> None:
    broker = keys(deploy(broker_groups=group(replicas=3.0, config={"fileReservedTime": 48.0})))
    assert (broker["totalReplicas"], broker["fileReservedTime"]) == ("3", "48")


def test_digest_and_image_are_taken_as_given() -> None:
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
        ({"image": "rocketmq:5"}, "image", "image"),
        ({"image_digest": "latest"}, "image_digest", "image-digest"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(changes: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        plan(args(**changes))


PROMISED = [
    ("controllers", "enableElectUncleanMaster"),
    ("broker_groups['broker-a']", "transientStorePoolEnable"),
    ("broker_groups['broker-a']", "syncFromLastFile"),
]


def promised(where: str, config: dict[str, Any], profile: str) -> Any:
    """Arguments of the profile with that configuration of one role."""
    role = {"controllers": {"config": config}} if where == "controllers" else {"broker_groups": group(config=config)}
    return args(profile=profile, **role)


@pytest.mark.parametrize("profile", ["strict", "balanced"])
@pytest.mark.parametrize(("where", "key"), PROMISED)
def test_what_a_promise_rests_on_cannot_be_configured_away(where: str, key: str, profile: str) -> None:
    with rejects((f"{where}.config[{key!r}]", "profile-key")):
        plan(promised(where, {key: True}, profile))
    plan(promised(where, {key: False}, profile))


@pytest.mark.parametrize(("where", "key"), PROMISED)
def test_a_profile_that_promises_nothing_leaves_it_open(where: str, key: str) -> None:
    small = {"transientStorePoolSize": 1, "mappedFileSizeCommitLog": 64 * 1024**2} if where != "controllers" else {}
    planned = plan(promised(where, {key: True, **small}, "dev"))
    assert f"{key}=true\n" in planned.controllers.config + planned.groups[0].role.config


@pytest.mark.parametrize(
    ("role", "key", "own"),
    [
        ("broker_groups", "checkSyncStateSetPeriod", 1000),
        ("broker_groups", "registerNameServerPeriod", 10000),
        ("broker_groups", "haSendHeartbeatInterval", 1000),
        ("broker_groups", "syncControllerMetadataPeriod", 1000),
        ("broker_groups", "haMaxTimeSlaveNotCatchup", 15000),
        ("broker_groups", "brokerHeartbeatInterval", 1000),
        ("broker_groups", "controllerHeartBeatTimeoutMills", 10000),
        ("controllers", "scanNotActiveBrokerInterval", 1000),
        ("controllers", "scanInactiveMasterInterval", 1000),
        ("proxies", "topicRouteServiceCacheRefreshSeconds", 1),
    ],
)
def test_a_slower_timer_is_taken_with_a_warning_that_it_gives_up_the_measured_seconds(
    role: str, key: str, own: int
) -> None:
    def warnings(value: int) -> list[tuple[str, str]]:
        config = {key: value}
        given = args(**{role: group(config=config) if role == "broker_groups" else {"config": config}})
        return [(str(each.path), each.code) for each in plan(given).warnings]

    what = "broker_groups['broker-a']" if role == "broker_groups" else role
    assert warnings(own + 1) == [(f"{what}.config[{key!r}]", "slow-timer")]
    assert warnings(own) == []


@pytest.mark.parametrize("key", [k for k in broker_config.load_keys("5.5.0")["broker"] if k.startswith("storePath")])
def test_no_part_of_a_store_can_leave_the_volume(key: str) -> None:
    with rejects((f"broker_groups['broker-a'].config[{key!r}]", "config-key-reserved")):
        plan(args(broker_groups=group(config={key: "/elsewhere"})))


@pytest.mark.parametrize(("given", "seconds"), [(10000, 10), (30000, 30), (30500, 31), (60000, 60)])
def test_the_registration_period_counts_in_whole_seconds(given: int, seconds: int) -> None:
    assert durability.get_registration_seconds({"registerNameServerPeriod": given}) == seconds


def test_a_smaller_commit_log_file_fits_a_smaller_volume() -> None:
    plan(args(broker_groups=group(storage="2Gi", config={"mappedFileSizeCommitLog": 64 * 1024**2})))


@given(
    role=st.sampled_from([labels.NAME_SERVER, labels.CONTROLLER, labels.PROXY, labels.BROKER]),
    limit=st.integers(1, 262144),
)
def test_memory_never_exceeds_its_limit(role: str, limit: int) -> None:
    try:
        parts = memory.divide_memory(role, f"{limit}Mi", ARGS / "memory")
    except ValueError:
        assert limit < 1536
        return
    assert parts.heap + parts.direct + parts.fixed <= parts.limit == limit
    assert parts.heap >= 128
    assert role != labels.BROKER or parts.page_cache >= limit // 5
