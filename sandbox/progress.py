"""Progress output: one line for each step, with its duration, and a summary of durations at the end."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.status import Status


@dataclass
class Report:
    """Steps with durations. A terminal shows a spinner for the running step; a log gets a line when a step ends."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    seconds: dict[str, float] = field(default_factory=dict)
    _status: Status | None = None
    _title: str = ""

    @contextmanager
    def step(self, title: str, *, shows_output: bool = False) -> Generator[None]:
        """Time the block as a step. Steps do not nest. `title` is a phrase such as "three nodes in three zones".

        `shows_output` leaves the terminal to a program that writes to it.
        """
        started = time.monotonic()
        self._title = title
        if self.console.is_terminal and not shows_output:
            self._status = self.console.status(f"{title} …")
            self._status.start()
        else:
            self.console.print(f"[dim]…[/dim] {title}")
        failed = True
        try:
            yield
            failed = False
        finally:
            elapsed = time.monotonic() - started
            self.seconds[title] = self.seconds.get(title, 0.0) + elapsed
            if self._status is not None:
                self._status.stop()
                self._status = None
            symbol = "[red]✗[/red]" if failed else "[green]✓[/green]"
            self.console.print(f"{symbol} {title} [dim]{elapsed:.1f} s[/dim]", soft_wrap=True)

    def detail(self, text: str) -> None:
        """Show a detail of the running step, such as "kubernetes: 212 of 1,480 packages, about 6 min left"."""
        if self._status is not None:
            self._status.update(f"{self._title} … [dim]{text}[/dim]")
        else:
            self.console.print(f"  [dim]{text}[/dim]")

    def text(self, text: str, style: str | None = None) -> None:
        """Print output of another program: without markup and without line breaks of ours."""
        self.console.print(text, style=style, markup=False, soft_wrap=True)

    def say(self, text: str = "") -> None:
        self.console.print(text, soft_wrap=True)
