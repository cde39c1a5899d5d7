"""Committed URNs of both stacks, of a new cluster with other names and of a RocketMQ with every option.

A changed URN replaces the resource unless the resource gets an alias.

`python -m tests.unit.harness.golden` regenerates the files.
"""

from collections.abc import Callable, Mapping
from functools import partial

from tests.unit import everything_case, new_cluster_case
from tests.unit.harness.recording import HASH, Recording
from tests.unit.harness.runner import REPOSITORY, run, run_stack

GOLDEN = REPOSITORY / "tests" / "unit" / "golden"
STACKS: Mapping[str, Callable[[], Recording]] = {
    "prod": partial(run_stack, "prod"),
    "staging": partial(run_stack, "staging"),
    "new-cluster": partial(run, new_cluster_case.everything, stack="new"),
    "everything": partial(run, everything_case.everything, stack="everything"),
}
"""Function that runs an update of the stack, by the name of its files."""


def urns(recording: Recording) -> str:
    """Return the sorted URNs without the hashes of files, one per line."""
    return "".join(f"{urn}\n" for urn in sorted(HASH.sub("-HASH", urn) for urn in recording.resources))


def committed(stack: str) -> str:
    """Return the committed URNs of a stack."""
    return (GOLDEN / f"{stack}-urns.txt").read_text()


def write() -> None:
    """Regenerate all files."""
    for stack, update in STACKS.items():
        (GOLDEN / f"{stack}-urns.txt").write_text(urns(update()))


if __name__ == "__main__":
    write()
