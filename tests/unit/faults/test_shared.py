"""Cluster that several audits share: which audits discard it."""

from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import Mock

import pytest

from tests.faults.shared import Shared


class Clusters:
    """Numbers the clusters that are opened, and lists those that are closed."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed: list[int] = []

    @contextmanager
    def open(self) -> Generator[int]:
        self.opened += 1
        number = self.opened
        yield number
        self.closed.append(number)


def end(*, correct: bool) -> Mock:
    return Mock(findings=Mock(correct=correct))


def test_an_audit_that_does_not_end_well_discards_the_cluster() -> None:
    clusters, used = Clusters(), []
    shared = Shared(clusters.open)

    def audit(cluster: int, *, correct: bool = True, error: Exception | None = None) -> Mock:
        used.append(cluster)
        if error:
            raise error
        return end(correct=correct)

    shared.audit(audit)
    shared.audit(lambda cluster: audit(cluster, correct=False))
    assert clusters.closed == [1]
    with pytest.raises(TimeoutError):
        shared.audit(lambda cluster: audit(cluster, error=TimeoutError("not whole")))
    assert clusters.closed == [1, 2]
    shared.audit(audit)
    shared.close()
    assert used == [1, 1, 2, 3]
    assert clusters.closed == [1, 2, 3]
