"""Versions of RocketMQ that the library knows. Pure, and quick to import."""

import re

KNOWN_VERSIONS = ("5.3.3", "5.4.0", "5.5.0")
"""Versions with a file in `config/keys`, the oldest first. A unit test compares them."""
_VERSION = re.compile(r"\d+(\.\d+)+", re.ASCII)


def is_older(version: str, than: str) -> bool:
    """Return whether a version is older than another one; false if either is another text."""
    return all(map(_VERSION.fullmatch, (version, than))) and _parse(version) < _parse(than)


def _parse(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
