"""Waiting for what other processes bring about."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(answer: Callable[[], T], seconds: float, *, every: float = 0.2) -> T:
    """The first true answer, or the last one once `seconds` are over; asks at least once, `every` seconds again."""
    deadline = time.monotonic() + seconds
    while not (given := answer()) and time.monotonic() < deadline:
        time.sleep(every)
    return given
