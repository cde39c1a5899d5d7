"""Run one command to its end, with an error that shows what it said."""

import shlex
import subprocess
from collections.abc import Sequence

LINES = 20


class CommandError(Exception):
    """A command failed; the message has the command line and the end of what it wrote to stderr."""


def run(argv: Sequence[str], *, stdin: str | None = None) -> str:
    """Give the command's stdout. Raises CommandError when it exits with another code than 0."""
    done = subprocess.run(list(argv), input=stdin, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "it wrote nothing").splitlines()[-LINES:]
        raise CommandError(f"`{shlex.join(argv)}` ended with code {done.returncode}: " + "\n".join(said))
    return done.stdout
