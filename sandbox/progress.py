"""What a person sees while the sandbox works: one line a step, with its time, and where the time went at the end."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.status import Status


@dataclass
class Report:
    """Steps with times. On a terminal the running step spins; in a log each step is a line when it ends."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    seconds: dict[str, float] = field(default_factory=dict)
    _status: Status | None = None
    _title: str = ""

    @contextmanager
    def step(self, title: str, *, shows_output: bool = False) -> Generator[None]:
        """Time what happens inside; steps may not nest. `title` is a phrase such as "three nodes in three zones".

        `shows_output` leaves the terminal to a program that writes to it itself.
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
            mark = "[red]✗[/red]" if failed else "[green]✓[/green]"
            self.console.print(f"{mark} {title} [dim]{elapsed:.1f} s[/dim]", soft_wrap=True)

    def detail(self, text: str) -> None:
        """What the running step is at just now, such as "kubernetes: 212 of 1,480 packages, about 6 min left"."""
        if self._status is not None:
            self._status.update(f"{self._title} … [dim]{text}[/dim]")
        else:
            self.console.print(f"  [dim]{text}[/dim]")

    def say(self, text: str = "") -> None:
        self.console.print(text, soft_wrap=True)
