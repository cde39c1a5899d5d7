"""Settings of the committed stack files with changes, and their errors."""

from typing import Any

import pulumi
import pytest

from eks_rocketmq import RocketMqArgs
from eks_rocketmq.stack import settings
from eks_rocketmq.stack.settings import Settings, parse
from tests.unit.harness import PROJECT, run, stack_config

KEY = "arn:aws:kms:ap-southeast-1:140023393377:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::140023393377:role/team"
OPTIONAL_FEATURES = ("monitoring", "network_policies")
"""Arguments of RocketMQ whose fields all have defaults. Without the argument, the feature is off."""


def prod(**changed: Any) -> Settings:
    """Return the settings of the prod stack with changes. None removes a key or a field."""
    return parse(texts("prod", changed))


def prod_rocketmq(**changed: Any) -> RocketMqArgs:
    return prod(rocketmq=changed).rocketmq


def texts(stack: str, changed: dict[str, Any] | None = None) -> dict[str, str]:
    """Return the project's own keys of a stack, without namespace."""
    prefix = f"{PROJECT}:"
    config = stack_config(stack, changed)
    return {key.removeprefix(prefix): text for key, text in config.items() if key.startswith(prefix)}


def load(stack: str, changed: dict[str, Any], **options: Any) -> None:
    run(settings.load, config=stack_config(stack, changed), stack=stack, **options)


def get_error(stack: str, changed: dict[str, Any], **options: Any) -> str:
    with pytest.raises(pulumi.RunError) as raised:
        load(stack, changed, **options)
    return str(raised.value)


def group(**changed: Any) -> list[dict[str, Any]]:
    base = {"name": "broker-a", "replicas": 3, "memory": "4Gi", "cpu": "500m", "storage": "100Gi"}
    return [{key: value for key, value in {**base, **changed}.items() if value is not None}]


def to_snake_case(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
