"""Commands that build and download. A failure names the command, its output and a remedy."""

import os
import re
import shlex
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.markup import escape

from sandbox.progress import Report

TERMINAL_SECONDS = 0.5
LOG_SECONDS = 15.0
DETAIL_LENGTH = 100
TAIL_LINES = 30

# First match wins: outputs of the tools when the machine is the cause.
_ADVICE = (
    (
        re.compile(r"no space left on device|not enough free space|disk quota exceeded", re.IGNORECASE),
        "The disk is full. Free some space (`df -h` shows where), then run the same command again: "
        "what is finished stays.",
    ),
    (
        re.compile(r"signal: killed|cannot allocate memory|out of memory", re.IGNORECASE),
        "The machine ran out of memory: Kubernetes takes 3 GiB to build. Stop other work, then run it again.",
    ),
    (
        re.compile(r"requires go >= |go\.mod requires go|invalid go version|unknown directive: tool", re.IGNORECASE),
        "This Go is too old: install Go 1.26 or newer, first on PATH.",
    ),
    (
        re.compile(
            r"dial tcp|no such host|could not resolve|temporary failure (in name )?resol"
            r"|connection (refused|reset|timed out)|i/o timeout|tls handshake|network is unreachable"
            r"|dns error|error sending request|unknownhost|could not transfer artifact"
            r"|failed to fetch|unable to connect",
            re.IGNORECASE,
        ),
        "A package registry could not be reached. Check the network and the proxy settings of this tool, "
        "then run the same command again: what is finished stays.",
    ),
    (
        re.compile(
            r"40[34] |410 gone|no solution found|could not find artifact|unable to locate package", re.IGNORECASE
        ),
        "The registry does not serve a pinned package. Check the mirror that this tool is configured for.",
    ),
)


class CacheError(Exception):
    """Something could not be built or downloaded. The message has the command, its output and a remedy."""


@dataclass
class BuildProgress:
    """Details for the report, at most one every 0.5 s on a terminal and every 15 s in a log."""

    report: Report
    _last: float = field(default_factory=time.monotonic)

    def tell(self, text: str) -> None:
        now = time.monotonic()
        if now - self._last >= (TERMINAL_SECONDS if self.report.console.is_terminal else LOG_SECONDS):
            self._last = now
            self.report.detail(escape(text[:DETAIL_LENGTH]))  # Maven prints [INFO], which is not markup


def run(
    argv: Sequence[str],
    *,
    doing: str,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda _line: None,
) -> str:
    """Run a command, pass each line of its output (with stderr) to `on_line`, and return the last lines.

    `doing` completes "… failed" in the error, such as "building runc". The command ends with this process on Ctrl-C.
    Raises CacheError when it is not installed or its exit code is not 0.
    """
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        child = subprocess.Popen(
            list(argv),
            cwd=directory,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        raise CacheError(f"{doing} needs `{argv[0]}`, which is not on PATH: install it, then try again") from None
    output = child.stdout
    assert output is not None  # noqa: S101 (PIPE is given)
    try:
        for line in output:
            tail.append(line.rstrip())
            on_line(line.rstrip())
        code = child.wait()
    except BaseException:
        child.terminate()
        child.wait()
        raise
    text = "\n".join(tail)
    if code != 0:
        raise CacheError(failure(doing, argv, code, text))
    return text


def failure(doing: str, argv: Sequence[str], code: int, output: str) -> str:
    """Return the message of a failed command: the command, the end of its output and a remedy."""
    advice = next((text for pattern, text in _ADVICE if pattern.search(output)), None)
    lines = [f"{doing} failed: `{shlex.join(argv)}` ended with {code}", output]
    return "\n".join([*lines, advice] if advice else lines)
