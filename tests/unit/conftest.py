"""One run of the whole program for each mode, shared by all tests, which only read the recording."""

import functools
from collections.abc import Iterator

import pytest
import yaml
from kubernetes_validate import utils as kubernetes_schemas

import eks_rocketmq
from tests.unit.harness import Recording, run_stack
from tests.unit.kubernetes_api import Api, serving

# Tests read stack files about two hundred times. The libyaml parser takes a tenth of the time of the Python parser.
yaml.SafeLoader = yaml.CSafeLoader  # ty: ignore[invalid-assignment]

# Without the cache, it reads a megabyte of definitions for each manifest.
kubernetes_schemas.schema_contents = functools.cache(kubernetes_schemas.schema_contents)  # ty: ignore[invalid-assignment]


def pytest_collection_modifyitems() -> None:
    """Load all lazily imported modules of the library before garbage collection is frozen.

    An import at module level would also load them in the xdist controller, which runs no tests.
    """
    for name in eks_rocketmq.__all__:
        getattr(eks_rocketmq, name)


@pytest.fixture(scope="session")
def prod_preview() -> Recording:
    """Run `pulumi preview -s prod`: computed outputs are unknown."""
    return run_stack("prod", preview=True)


@pytest.fixture(scope="session")
def prod_update() -> Recording:
    """Run `pulumi up -s prod`: all outputs are known."""
    return run_stack("prod", preview=False)


@pytest.fixture(scope="session")
def staging_preview() -> Recording:
    """Run `pulumi preview -s staging`."""
    return run_stack("staging", preview=True)


@pytest.fixture(scope="session")
def staging_update() -> Recording:
    """Run `pulumi up -s staging`."""
    return run_stack("staging", preview=False)


@pytest.fixture(params=["preview", "update"])
def prod(request: pytest.FixtureRequest) -> Recording:
    """Run the whole program in both modes."""
    return request.getfixturevalue(f"prod_{request.param}")


@pytest.fixture
def api() -> Iterator[Api]:
    """Start a fake Kubernetes API server."""
    with serving() as server:
        yield server
