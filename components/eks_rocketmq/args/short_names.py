"""Names within a length limit. Pure."""

import hashlib

_HASH_LENGTH = 8


def shorten_name(name: str, limit: int, suffix: str = "") -> str:
    """Return the name with its suffix. If that is too long, the name is truncated, and its hash keeps it unique."""
    if len(name) + len(suffix) <= limit:
        return name + suffix
    end = f"-{hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]}{suffix}"
    return name[: limit - len(end)] + end
