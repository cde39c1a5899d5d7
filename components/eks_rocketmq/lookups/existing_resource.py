"""What a lookup returns, and the error of a lookup that cannot be made."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class LookupUnavailableError(Exception):
    """A lookup cannot be made; the message says why, and is shown once."""


@dataclass(frozen=True)
class ExistingResource:
    """Something that exists: the id that `pulumi import` takes, and its tags."""

    id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of an AWS resource, annotations of a Kubernetes object."""
    import_blocker: str = ""
    """Why it must not be imported as it is planned, and what to do; empty: it may be."""
