"""What all tests share."""

import gc
import os

import pytest
from hypothesis import settings

# The same examples at every run: few in the quick loop, many where `make test` asks for them.
settings.register_profile("quick", max_examples=15, derandomize=True, deadline=None, database=None)
settings.register_profile("thorough", max_examples=200, derandomize=True, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# What the SDKs define stays until the end, millions of objects; looking through them for garbage took a third of a
# quick run, and single tests looked slow for it.
gc.disable()
_NEW_OBJECTS, _LOOKS = 500_000, 20


def pytest_collection_finish(session: pytest.Session) -> None:  # noqa: ARG001 - the hook's own signature
    """Collect garbage from here on, only of what the tests make, and not at every thousandth object.

    A run of a program makes tens of thousands that live until its end: a tenth of its time, if they are looked at.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _LOOKS, _LOOKS)
    gc.enable()


def pytest_unconfigure() -> None:
    """Pytest looks through everything five times before it ends, for what fails while it is thrown away: a second.

    What is left at the end is not looked at; what was thrown away until then has been.
    """
    gc.freeze()
