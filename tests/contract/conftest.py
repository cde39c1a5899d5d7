"""The fixtures of the contract: one server for the session, put back to the original case for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cache import toolchain
from sandbox.progress import Report
from tests.contract.server import PROVIDER_ARN, Server, cure, free_port, issuer_key
from tests.contract.stack import Stack, opened


@pytest.fixture(scope="session")
def python() -> Path:
    """The emulator's Python, from the cache of the sandbox."""
    return toolchain.ensure(Report(), parts=("python-ministack",)).ministack_python


@pytest.fixture(scope="session")
def running(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The session's server in the state of the original case."""
    root = tmp_path_factory.mktemp("aws")
    server = Server(root, free_port(), python, issuer_key(root))
    server.start()
    try:
        server.seed()
        yield server
    finally:
        server.kill()


@pytest.fixture
def aws(running: Server) -> Server:
    """The same server, put back to the original case where the tests change it."""
    iam = running.client("iam")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER_ARN)
    return running


@pytest.fixture
def cured(aws: Server) -> Server:
    """The chain as the stack makes it: provider registered, trust policy right."""
    cure(aws)
    return aws


@pytest.fixture
def stack(aws: Server) -> Iterator[Stack]:
    """The aws stand-in on this server; it leaves the account as it was."""
    with opened(aws) as made:
        yield made
