"""JSON of the configuration: its values, and the depth that the checks accept. Pure."""

import json
import re
from typing import Any

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError

MAX_DEPTH = 64
"""Accepted levels of objects and lists. The checks are recursive, and Python limits recursion."""
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def parse_json(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value, or the text itself if it is no JSON or too deep."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def check_depth(text: str, path: ArgumentPath) -> None:
    """Reject a value with too many levels. Call it before anything that visits the value.

    `text` is the value as JSON. The error does not show it, because it may be encrypted.
    """
    level = 0
    for bracket in re.findall(r"[\[{}\]]", _TEXT.sub("", text)):
        level += 1 if bracket in "[{" else -1
        if level > MAX_DEPTH:
            raise build_depth_error(path)


def build_depth_error(path: ArgumentPath) -> ArgumentError:
    """Return the error for a value with too many levels."""
    return ArgumentError(
        path,
        "too-deep",
        "the value has too many levels of objects and lists",
        accepted="up to {most} levels",
        most=MAX_DEPTH,
    )
