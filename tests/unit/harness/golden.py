"""The URNs of the prod stack, committed: a changed one replaces the resource unless it gets an alias.

`python -m tests.unit.harness.golden` writes the file anew.
"""

from tests.unit.harness.recording import Recording
from tests.unit.harness.runner import REPOSITORY, run_stack

FILE = REPOSITORY / "tests" / "unit" / "golden" / "urns.txt"


def urns(recording: Recording) -> str:
    """One URN on each line, sorted."""
    return "".join(f"{urn}\n" for urn in sorted(recording.resources))


if __name__ == "__main__":
    FILE.write_text(urns(run_stack("prod")))
