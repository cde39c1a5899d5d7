"""Values that the engine writes into plans and states in place of others. Pure."""

from collections.abc import Mapping

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine writes for a value that only an update will know."""
_REDACTED, SIGNATURE_FIELD = "[secret]", "4dabf18193072939515e22adb298388d"
"""What stands for a secret in a plan, and the field of the object that stands for one in an exported state."""


def is_secret(value: object) -> bool:
    """Whether an input of a plan or of an exported state stands for a secret that the engine keeps to itself."""
    return value == _REDACTED or (isinstance(value, Mapping) and SIGNATURE_FIELD in value)
