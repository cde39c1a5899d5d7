"""Versions and roles with configuration keys, and assertions about rejected keys."""

from typing import Any

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.rocketmq.config import broker_config
from eks_rocketmq.rocketmq.plan import plan
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq_case import args, group

VERSIONS = ("5.3.3", "5.4.0", "5.5.0")
ROLES = ("broker", "controller", "name_server", "proxy")


def assert_rejected(path: str, code: str, **changes: Any) -> None:
    with rejects((path, code)):
        plan(args(**changes))


def assert_key_rejected(key: str, code: str, config: dict[str, Any], **changes: Any) -> None:
    assert_rejected(f"broker_groups['broker-a'].config[{key!r}]", code, broker_groups=group(config=config), **changes)


def merge(role: str, config: dict[str, Any]) -> dict[str, Any]:
    return broker_config.merge_keys("5.5.0", role, {}, config, fixed=frozenset({"listenPort"}), path=ARGS / "config")
