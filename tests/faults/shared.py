"""Cluster that several audits share."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tests.faults.audit import Audit

C = TypeVar("C")


@dataclass
class Shared(Generic[C]):
    """Cluster for one audit after the other: its start takes as long as an audit.

    An audit that does not end well discards the cluster, so that the next one gets a new cluster.
    """

    open: Callable[[], AbstractContextManager[C]]
    _cluster: C | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def start(self) -> C:
        """Return the cluster. The first call starts it."""
        if self._cluster is None:
            self._cluster = self._stack.enter_context(self.open())
        return self._cluster

    def audit(self, run: Callable[[C], Audit]) -> Audit:
        """Run an audit with the cluster."""
        correct = False
        try:
            audit = run(self.start())
            correct = audit.findings.correct
        finally:
            if not correct:
                self.close()
        return audit

    def close(self) -> None:
        self._cluster = None
        self._stack.close()
