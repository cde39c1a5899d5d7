"""Settings of all tests: hypothesis profiles, garbage collection, and their share of the machine."""

import gc
import os

import pytest
from hypothesis import settings

pytest_plugins = ["tests.shared_machine"]

# Every run uses the same examples: few by default, many if `make test` selects the thorough profile.
settings.register_profile("quick", max_examples=15, derandomize=True, deadline=None, database=None)
settings.register_profile("thorough", max_examples=200, derandomize=True, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# The SDKs define millions of objects that live until the end. Scanning them took a third of a quick run and distorted
# the durations of single tests.
gc.disable()
_NEW_OBJECTS, _LOOKS = 500_000, 20


def pytest_collection_finish(session: pytest.Session) -> None:  # noqa: ARG001 - the signature of the hook
    """Enable garbage collection for objects that the tests create, with a high threshold.

    A run of a program creates tens of thousands of objects that live until its end. Scanning them takes a tenth of its
    time.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _LOOKS, _LOOKS)
    gc.enable()


def pytest_unconfigure() -> None:
    """Exclude the remaining objects from garbage collection.

    Before it ends, pytest collects garbage five times to find errors in finalizers, which takes a second. Objects that
    were collected earlier have been checked.
    """
    gc.freeze()
