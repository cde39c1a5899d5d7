"""Picture of the results of faults: seconds without an acknowledged message, and what was lost."""

import math
import statistics
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from tests.faults.results_summary import WITHOUT_AGENT, Summary

LOWEST, HIGHEST = 0.1, 300.0
TICKS = (0.1, 0.3, 1, 3, 10, 30, 100, 300)
LEFT, RIGHT, WIDTH, LINE, TOP = 365, 805, 985, 20, 60
LONGEST = 55
"""Characters of a name that fit at the left."""
REMOTING, GRPC, LOST, TEXT, GRID = "#1f6feb", "#d97706", "#c62828", "#24292f", "#d0d7de"


def build_picture(summaries: Sequence[Summary]) -> str:
    """Return an SVG document with one line for each fault: range and median of the seconds, on a logarithmic axis."""
    shown = [one for one in summaries if one.section != WITHOUT_AGENT]
    height = TOP + LINE * len(shown) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12" fill="{TEXT}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="20" y="24" font-size="15">Longest time without an acknowledged message, in seconds</text>',
        _dot(RIGHT - 150, 20, REMOTING),
        _text(RIGHT - 140, 24, "remoting"),
        _dot(RIGHT - 70, 20, GRPC),
        _text(RIGHT - 60, 24, "gRPC"),
        _text(RIGHT + 20, TOP - 12, "lost of acknowledged"),
        *(part for tick in TICKS for part in _build_tick(tick, height)),
        *(part for number, one in enumerate(shown) for part in _build_line(one, TOP + LINE * number + 10)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _build_tick(tick: float, height: int) -> Iterable[str]:
    x = _place(tick)
    yield f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{height - 20}" stroke="{GRID}"/>'
    yield _text(x, TOP - 12, f"{tick:g}", "middle")


def _build_line(one: Summary, y: int) -> Iterable[str]:
    setting = one.setting.replace("`", "").removeprefix("normal").removeprefix(", ")
    name = f"{one.fault}, {setting}" if setting else one.fault
    if len(name) > LONGEST:
        name = one.fault
    yield _text(LEFT - 15, y + 4, name, "end")
    for seconds, colour, shift in ((one.remoting, REMOTING, -3), (one.grpc, GRPC, 3)):
        if seconds:
            first, last = _place(min(seconds)), _place(max(seconds))
            yield (
                f'<line x1="{first}" y1="{y + shift}" x2="{last}" y2="{y + shift}" stroke="{colour}" stroke-width="3"/>'
            )
            yield _dot(_place(statistics.median(seconds)), y + shift, colour)
    colour = LOST if any(one.lost) else TEXT
    yield _text(RIGHT + 20, y + 4, f"{sum(one.lost):,} of {one.acknowledged:,}", fill=colour)


def _place(seconds: float) -> int:
    share = math.log(min(max(seconds, LOWEST), HIGHEST) / LOWEST) / math.log(HIGHEST / LOWEST)
    return round(LEFT + share * (RIGHT - LEFT))


def _dot(x: int, y: int, colour: str) -> str:
    return f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>'


def _text(x: int, y: int, text: str, anchor: str = "start", fill: str = TEXT) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'
