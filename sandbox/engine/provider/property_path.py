"""Property paths in the engine's notation: `spec.ports[0].port`, `data["a.b"]`."""

import re

PropertyPath = tuple[str | int, ...]

_STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|\.?([^.\[\]"]+)')


def parse(path: str) -> PropertyPath:
    """Parse a path into its steps; `*` is every element.

    Raises ValueError for a text that is not a path.
    """
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise ValueError(f'{path!r} is no property path; one looks like spec.ports[0].port or data["a.b"]')
        quoted, index, key = match.groups()
        if quoted is not None:
            steps.append(quoted.replace('\\"', '"'))
        elif index is not None:
            steps.append(index if index == "*" else int(index))
        else:
            steps.append(key)
        position = match.end()
    return tuple(steps)


def text(path: PropertyPath) -> str:
    """Format a path; the inverse of `parse`."""
    result = ""
    for step in path:
        if isinstance(step, int):
            result += f"[{step}]"
        elif re.search(r'[."\[\]]', step):
            escaped = step.replace('"', '\\"')
            result += f'["{escaped}"]'
        else:
            result += f".{step}" if result else step
    return result


def contains(outer: PropertyPath, inner: PropertyPath) -> bool:
    """Return whether `inner` is `outer` or a path inside it."""
    return len(inner) >= len(outer) and all(want in ("*", have) for want, have in zip(outer, inner, strict=False))
