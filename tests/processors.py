"""Processor times of this machine."""

from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Times:
    """Times of all processors together, in kernel ticks."""

    busy: int = 0
    low: int = 0
    """Processes of low priority, such as a busy loop under `nice`."""
    idle: int = 0

    def __add__(self, other: "Times") -> "Times":
        return Times(self.busy + other.busy, self.low + other.low, self.idle + other.idle)

    def __sub__(self, other: "Times") -> "Times":
        return Times(self.busy - other.busy, self.low - other.low, self.idle - other.idle)

    def __str__(self) -> str:
        whole = max(1, self.busy + self.low + self.idle)
        shares = [f"{100 * part / whole:3.0f} %" for part in (self.busy, self.low, self.idle)]
        return f"busy {shares[0]}, low priority {shares[1]}, idle {shares[2]}"


def processor_times(stat: Path = _STAT) -> Times:
    """Return the times since boot."""
    user, nice, system, idle, waits, *others = map(int, stat.read_text().splitlines()[0].split()[1:])
    interrupts = others[:3]  # irq, softirq and steal; user time includes guest time
    return Times(user + system + sum(interrupts), nice, idle + waits)
