"""What all tests share."""

import gc

import pytest

# What the SDKs define stays until the end, millions of objects; looking through them for garbage takes a fifth of the
# time of a quick run, and single tests looked slow for it.
gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:  # noqa: ARG001 - the hook's own signature
    """Collect garbage from here on, and only of what the tests make."""
    gc.freeze()
    gc.enable()
