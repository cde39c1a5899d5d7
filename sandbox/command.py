"""Commands that run to their end, with errors that include the command's output."""

import shlex
import subprocess
from collections.abc import Sequence

LINES = 20


class CommandError(Exception):
    """A command failed. The message has the command line and the end of its stderr."""


def run(argv: Sequence[str], *, stdin: str | None = None) -> str:
    """Return the output of a command, or raise CommandError when its exit code is not 0."""
    done = subprocess.run(list(argv), input=stdin, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-LINES:]
        raise CommandError(f"`{shlex.join(argv)}` ended with code {done.returncode}: " + "\n".join(said))
    return done.stdout
