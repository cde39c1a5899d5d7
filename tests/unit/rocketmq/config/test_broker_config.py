"""Configuration keys of servers: which roles accept them, and how they are rendered."""

from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.rocketmq.config import broker_config
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq.config.config_case import assert_rejected, merge
from tests.unit.rocketmq_case import deploy, group, keys


@pytest.mark.parametrize(
    ("role", "file", "key", "value"),
    [
        ("name_servers", ("rocketmq-nameserver-config", "namesrv.conf"), "scanNotActiveBrokerInterval", 3000),
        ("controllers", ("rocketmq-controller-config", "controller.conf"), "electMasterMaxRetryCount", 5),
    ],
)
def test_name_servers_and_controllers_accept_config_keys(
    role: str, file: tuple[str, str], key: str, value: int
) -> None:
    changes: dict[str, Any] = {role: {"config": {key: value}}}
    assert keys(deploy(**changes), *file)[key] == str(value)
    assert key not in keys(deploy(), *file)


def test_user_config_key_overrides_the_default_of_controllers() -> None:
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
def test_invalid_keys_of_other_roles_are_rejected(role: str, config: dict[str, Any], code: str) -> None:
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
def test_unknown_key_error_names_another_role_or_a_similar_key(role: str, key: str, remedy: str) -> None:
    with pytest.raises(ArgumentError) as error:
        broker_config.validate_keys("5.5.0", role, {key: "a"}, ARGS / "config")
    assert error.value.message.remedy == remedy


def test_all_invalid_keys_are_reported_at_once() -> None:
    config = {"listenPort": 1, "tlsKeyPassword": "x", "fileReservedTime": 0, "nothing": 1}
    path = "config[{!r}]".format
    with rejects((path("listenPort"), "config-key-reserved"), (path("tlsKeyPassword"), "config-key-password")):
        merge("broker", config)
    with rejects((path("fileReservedTime"), "config-value"), (path("nothing"), "config-key-unknown")):
        merge("broker", {key: config[key] for key in ("fileReservedTime", "nothing")})


def test_controller_storage_too_small_for_the_log_is_rejected() -> None:
    assert_rejected(
        "controllers.storage",
        "storage-too-small-for-log",
        controllers={"storage": "1Gi", "config": {"mappedFileSize": 512 * 1024**2}},
    )


def test_properties_are_sorted_and_have_lowercase_booleans() -> None:
    assert broker_config.render_properties({"b": True, "a": 1, "c": "x"}) == "a=1\nb=true\nc=x\n"


def test_properties_escape_backslashes_and_non_ascii_characters() -> None:
    # java.util.Properties treats a backslash as an escape and reads the file as Latin-1.
    assert broker_config.render_properties({"a": r"C:\temp", "b": "é€", "c": "😀"}) == (
        "a=C:\\\\temp\nb=\\u00e9\\u20ac\nc=\\ud83d\\ude00\n"
    )


def test_graceful_shutdown_of_rocketmq_extends_the_grace_period() -> None:
    def grace(**config: Any) -> int:
        recording = deploy(broker_groups=group(config=config))
        spec = recording.one("StatefulSet", "rocketmq-broker-a-set").inputs["spec"]
        return spec["template"]["spec"]["terminationGracePeriodSeconds"]

    assert grace(enableShutdownGracefully=True) == grace() + 60
    assert grace(enableShutdownGracefully=True, shutdownWaitTimeSeconds=10) == grace() + 20
    assert grace(shutdownWaitTimeSeconds=10) == grace()
