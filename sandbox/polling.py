"""Waiting for other processes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(answer: Callable[[], T], seconds: float, *, every: float = 0.2) -> T:
    """Call `answer`, at least once, until it returns a true value or `seconds` are over. Return its last value."""
    deadline = time.monotonic() + seconds
    while not (given := answer()) and time.monotonic() < deadline:
        time.sleep(every)
    return given
