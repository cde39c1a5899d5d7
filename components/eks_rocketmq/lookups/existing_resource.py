"""Result of a lookup, and the error for a lookup that is not possible."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


class LookupUnavailableError(Exception):
    """A lookup is not possible. The message gives the reason and is shown once."""


@dataclass(frozen=True)
class ExistingResource:
    """An existing resource: the id for `pulumi import`, and its tags."""

    id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of an AWS resource, annotations of a Kubernetes object."""
    find_import_blockers: Callable[[], Sequence[str]] = field(default=tuple, compare=False)
    """Returns the reasons why the resource must not be imported as planned, and what to do. It may call AWS."""
