"""Committed configuration keys compared with the JARs of their RocketMQ version."""

import pytest

from eks_rocketmq.rocketmq.config.broker_config import list_versions
from scripts.rocketmq_keys import KEYS, extract_keys


@pytest.mark.parametrize("version", list_versions())
def test_extracted_keys_equal_the_committed_keys(version: str) -> None:
    assert extract_keys(version) == (KEYS / f"{version}.json").read_text()
