"""The committed keys against the jars of their version."""

import pytest

from eks_rocketmq.rocketmq.config.broker_config import list_versions
from sandbox.progress import Report
from scripts.rocketmq_keys import KEYS, extract


@pytest.mark.parametrize("version", list_versions())
def test_extracting_a_version_again_changes_nothing(version: str) -> None:
    assert extract(version, Report()) == (KEYS / f"{version}.json").read_text()
