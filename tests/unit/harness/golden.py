"""The URNs of both stacks, of a cluster from nothing by other names and of a RocketMQ with everything on, committed.

A changed one replaces the resource unless it gets an alias.

`python -m tests.unit.harness.golden` writes the files anew.
"""

from collections.abc import Callable, Mapping
from functools import partial

from tests.unit import everything_case, new_cluster_case
from tests.unit.harness.recording import Recording
from tests.unit.harness.runner import REPOSITORY, run, run_stack

GOLDEN = REPOSITORY / "tests" / "unit" / "golden"
STACKS: Mapping[str, Callable[[], Recording]] = {
    "prod": partial(run_stack, "prod"),
    "staging": partial(run_stack, "staging"),
    "new-cluster": partial(run, new_cluster_case.everything, stack="new"),
    "everything": partial(run, everything_case.everything, stack="everything"),
}
"""An update of each stack, by the name of its files."""


def urns(recording: Recording) -> str:
    """One URN on each line, sorted."""
    return "".join(f"{urn}\n" for urn in sorted(recording.resources))


def committed(stack: str) -> str:
    """The committed list of a stack."""
    return (GOLDEN / f"{stack}-urns.txt").read_text()


def write() -> None:
    """Write every list anew."""
    for stack, update in STACKS.items():
        (GOLDEN / f"{stack}-urns.txt").write_text(urns(update()))


if __name__ == "__main__":
    write()
