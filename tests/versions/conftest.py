"""Fixtures of the tests of the agent's classes, which run with every supported version of RocketMQ."""

import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from eks_rocketmq.rocketmq.config.broker_config import list_versions
from tests.versions.class_programs import Programs, Run


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    with ThreadPoolExecutor() as pool:
        yield Programs(tmp_path_factory.mktemp("programs"), pool)


@pytest.fixture(params=list_versions())
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def run(programs: Programs, version: str) -> Run:
    return functools.partial(programs.run, version)
