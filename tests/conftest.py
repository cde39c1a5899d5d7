"""Settings of all tests: hypothesis profiles, number of cases, bytecode, garbage collection, share of the machine."""

import gc
import os
import sys

import pytest
from hypothesis import settings

from tests.case_sample import choose_cases

pytest_plugins = ["tests.shared_machine"]

# Every run uses the same examples: few by default, many if `make test` selects the thorough profile.
settings.register_profile("quick", max_examples=15, derandomize=True, deadline=None, database=None)
settings.register_profile("thorough", max_examples=200, derandomize=True, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Containers often forbid Python to keep what it compiled. Each process would then compile the SDKs and rewrite the
# assertions of all tests again, which takes more than half of the collection.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The SDKs define millions of objects that live until the end. Scanning them took a third of a quick run and distorted
# the durations of single tests.
gc.disable()
_NEW_OBJECTS, _LOOKS = 500_000, 20


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of a quick run."""
    parser.addoption("--cases", type=int, metavar="N", help="run at most N cases of each parametrized test, 2 or more")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out cases, if the run is a quick one."""
    if limit := config.getoption("--cases"):
        chosen = choose_cases(items, limit)
        left_out = set(items).difference(chosen)
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = chosen


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
