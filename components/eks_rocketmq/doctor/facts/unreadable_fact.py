"""Fact that could not be read. Pure."""

from dataclasses import dataclass

ALL_OF_AWS = "AWS"
"""`Unreadable.call` of the facts of AWS if AWS was not asked at all."""


@dataclass(frozen=True)
class Unreadable:
    """Fact that could not be read."""

    call: str
    """Request, such as `iam:GetRole` or `list pods`."""
    permission: str
    """Permission that is missing, in the words of IAM or of a ClusterRole. Empty if another error prevented it."""
    reason: str
    """Error of AWS or of the API server."""
