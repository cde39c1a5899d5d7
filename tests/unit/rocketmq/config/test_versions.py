"""Differences of RocketMQ versions: keys, warnings and limitations that were observed on real brokers."""

import json
from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.rocketmq.config import broker_config
from eks_rocketmq.rocketmq.plan import plan
from tests.unit.harness.rejections import list_rejections
from tests.unit.rocketmq.config.config_case import VERSIONS, assert_key_rejected, assert_rejected
from tests.unit.rocketmq_case import args, config, deploy, group, keys


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("profile", ["strict", "balanced", "dev"])
def test_every_version_accepts_the_keys_of_the_deployment(version: str, profile: str) -> None:
    planned = plan(args(version=version, profile=profile))
    assert planned.deployment.image == f"apache/rocketmq:{version}"


@pytest.mark.parametrize("version", VERSIONS)
def test_rocketmq_home_contains_the_version(version: str) -> None:
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
def test_key_is_accepted_only_by_versions_that_have_it(key: str, value: object, since: str) -> None:
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


def test_deprecated_key_is_accepted_with_warnings() -> None:
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
def test_unread_key_is_accepted_with_a_warning(version: str, role: str, config: dict[str, Any]) -> None:
    (key,) = config
    given, role_path = (
        (group(config=config), "broker_groups['broker-a']") if role == "broker_groups" else ({"config": config}, role)
    )
    warnings = plan(args(version=version, **{role: given})).warnings
    assert (f"{role_path}.config[{key!r}]", "config-key-unread") in [(str(each.path), each.code) for each in warnings]


@pytest.mark.parametrize("version", VERSIONS)
def test_acl_enable_key_is_rejected(version: str) -> None:
    for value in (True, False):
        assert_key_rejected("aclEnable", "config-key-acl", {"aclEnable": value}, version=version)


@pytest.mark.parametrize("version", VERSIONS)
def test_deployment_sets_no_unread_or_deprecated_keys(version: str) -> None:
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


def test_version_533_warns_that_groups_lose_topics_with_a_type() -> None:
    (warning,) = plan(args(version="5.3.3")).warnings
    assert (str(warning.path), warning.code) == ("version", "version-loses-topics")
    assert plan(args(version="5.4.0")).warnings == []
    alone = {"profile": "dev", "controllers": {"replicas": 1}, "broker_groups": group(replicas=1)}
    assert plan(args(version="5.3.3", **alone)).warnings == []


def test_version_533_rejects_declared_topics() -> None:
    assert_rejected("topics", "topics-lost-at-failover", version="5.3.3", topics=[{"name": "orders"}])
    plan(args(version="5.4.0", topics=[{"name": "orders"}]))
