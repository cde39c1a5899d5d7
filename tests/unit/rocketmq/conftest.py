"""Runs of RocketMQ that several modules share. Their tests only read the recording."""

import pytest

from tests.unit.harness import Recording
from tests.unit.rocketmq.secured_case import EVERYTHING
from tests.unit.rocketmq_case import deploy


@pytest.fixture(scope="session")
def deployed() -> Recording:
    """Run a RocketMQ with default arguments."""
    return deploy()


@pytest.fixture(scope="session")
def without_agent() -> Recording:
    """Run a RocketMQ whose JVMs have no agent."""
    return deploy(agent=False)


@pytest.fixture(scope="session")
def secured() -> Recording:
    """Run a RocketMQ with access control, TLS, topics and consumer groups."""
    return deploy(**EVERYTHING)
