"""One run of the whole program for each mode; the tests only look at what was recorded."""

import pytest

from tests.unit.harness import Recording, run_stack


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
