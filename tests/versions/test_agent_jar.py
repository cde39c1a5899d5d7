"""Committed jar of the agent compared with its source, and the source with every RocketMQ version."""

import pytest

from eks_rocketmq.rocketmq.config.broker_config import list_versions
from sandbox import pins
from scripts.agent_jar import JAR, build_jar


@pytest.mark.parametrize("version", list_versions())
def test_agent_compiles_with_every_version(version: str) -> None:
    jar = build_jar(version)
    if version == pins.ROCKETMQ:
        assert jar == JAR.read_bytes(), "agent.jar is not built from its source: run `make agent`"
