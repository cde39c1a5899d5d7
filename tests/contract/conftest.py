"""Fixtures of the contract tests: one server per session, reset to the original case for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cache import toolchain
from sandbox.progress import Report
from tests.contract.server import PROVIDER_ARN, Server, cure, seeded
from tests.contract.stack import Stack, opened


@pytest.fixture(scope="session")
def python() -> Path:
    """Python interpreter of the emulator, from the cache of the sandbox."""
    return toolchain.ensure(Report(), parts=("python-ministack",)).ministack_python


@pytest.fixture(scope="session")
def running(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Server of the session, seeded with the original case."""
    with seeded(tmp_path_factory.mktemp("aws"), python) as server:
        yield server


@pytest.fixture
def aws(running: Server) -> Server:
    """Server of the session without an OIDC provider, as in the original case."""
    iam = running.client("iam")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER_ARN)
    return running


@pytest.fixture
def cured(aws: Server) -> Server:
    """Server with a registered OIDC provider and the correct trust policy, as the stack creates them."""
    cure(aws)
    return aws


@pytest.fixture
def stack(aws: Server) -> Iterator[Stack]:
    """Stack of the aws stand-in on this server. All its resources are deleted afterwards."""
    with opened(aws) as empty_stack:
        yield empty_stack
