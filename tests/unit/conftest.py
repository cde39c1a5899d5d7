"""One run of the whole program for each mode; the tests only look at what was recorded."""

import functools
from collections.abc import Iterator

import pytest
import yaml
from kubernetes_validate import utils as kubernetes_schemas

import eks_rocketmq
from tests.unit.harness import Recording, run_stack
from tests.unit.kubernetes_api import Api, serving

# The stack files are read some two hundred times; libyaml's parser takes a tenth of the other's time.
yaml.SafeLoader = yaml.CSafeLoader  # ty: ignore[invalid-assignment]

# It reads a megabyte of definitions anew for each manifest.
kubernetes_schemas.schema_contents = functools.cache(kubernetes_schemas.schema_contents)  # ty: ignore[invalid-assignment]


def pytest_collection_modifyitems() -> None:
    """The library loads its parts when somebody asks for them; here, so that nobody looks for garbage in them later.

    Not while this file is read: a process that only hands out the tests to others reads it, too.
    """
    for name in eks_rocketmq.__all__:
        getattr(eks_rocketmq, name)


@pytest.fixture(scope="session")
def prod_preview() -> Recording:
    """`pulumi preview -s prod`: what providers compute is unknown."""
    return run_stack("prod", preview=True)


@pytest.fixture(scope="session")
def prod_update() -> Recording:
    """`pulumi up -s prod`: everything is known."""
    return run_stack("prod", preview=False)


@pytest.fixture(params=["preview", "update"])
def prod(request: pytest.FixtureRequest) -> Recording:
    """The whole program, in both modes."""
    return request.getfixturevalue(f"prod_{request.param}")


@pytest.fixture
def api() -> Iterator[Api]:
    """A small API server."""
    with serving() as server:
        yield server
