"""Parsed settings of a committed stack file with changes, and such changes."""

from collections.abc import Mapping
from typing import Any

from eks_rocketmq.stack.settings import AwsSettings, Settings, parse
from eks_rocketmq.stack.stack_file import find_single_account
from tests.unit.harness import PROJECT, stack_config


def parse_stack(stack: str, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of a stack. See `stack_config` for `overrides`.

    Raises:
        ValueError: for each setting that is not accepted.
    """
    config, prefix = stack_config(stack, overrides), f"{PROJECT}:"
    given = {key.removeprefix(prefix): text for key, text in config.items() if key.startswith(prefix)}
    account = find_single_account(config.get("aws:allowedAccountIds"))
    return parse(given, AwsSettings(region=config.get("aws:region"), account=account))


def node_group(**changed: Any) -> dict[str, Any]:
    """Return changes of the node group of staging."""
    return {"nodeGroups": {"general": changed}}


def rocketmq(**changed: Any) -> dict[str, Any]:
    """Return changes of RocketMQ."""
    return {"rocketmq": changed}
