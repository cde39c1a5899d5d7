"""Sample of the cases of parametrized tests, for a quick run."""

from collections import defaultdict
from collections.abc import Sequence

import pytest


def choose_cases(items: Sequence[pytest.Item], limit: int) -> list[pytest.Item]:
    """Return the tests of a quick run in their order: each test function, with its first, its last and other cases.

    Args:
        items: collected tests.
        limit: number of cases of one function, at least 2.
    """
    cases: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        cases[item.nodeid.partition("[")[0]].append(item)
    chosen = {each for of_function in cases.values() for each in _spread(of_function, limit)}
    return [item for item in items if item in chosen]


def _spread(cases: Sequence[pytest.Item], limit: int) -> Sequence[pytest.Item]:
    """Return evenly spread cases, so that each part of a table is in the sample."""
    last = len(cases) - 1
    return cases if last < limit else [cases[round(step * last / (limit - 1))] for step in range(limit)]
