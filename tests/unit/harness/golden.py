"""The URNs of both stacks and of a cluster from nothing by other names, committed.

A changed one replaces the resource unless it gets an alias.

`python -m tests.unit.harness.golden` writes the files anew.
"""

from tests.unit.harness.recording import Recording
from tests.unit.harness.runner import REPOSITORY, run, run_stack

FILE = REPOSITORY / "tests" / "unit" / "golden" / "urns.txt"
STAGING = FILE.with_name("staging-urns.txt")
NEW_CLUSTER = FILE.with_name("new-cluster-urns.txt")


def urns(recording: Recording) -> str:
    """One URN on each line, sorted."""
    return "".join(f"{urn}\n" for urn in sorted(recording.resources))


if __name__ == "__main__":
    from tests.unit.new_cluster_case import everything

    FILE.write_text(urns(run_stack("prod")))
    STAGING.write_text(urns(run_stack("staging")))
    NEW_CLUSTER.write_text(urns(run(everything, stack="new")))
