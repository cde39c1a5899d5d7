"""What a served resource type is made of."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.properties import ALL_TAGS, DEFAULTS, TAGS, Schema
from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.values import UNKNOWN

Properties = Mapping[str, Any]
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0


@dataclass(frozen=True)
class Waiting:
    """How long an operation may take, and how it is called off.

    seconds: the program's own limit (`customTimeouts`), 0 when it names none.
    """

    seconds: float
    cancelled: threading.Event

    def until(self, done: Callable[[], bool], default_seconds: float) -> float | None:
        """Ask until it says yes, with pauses that grow to 10 s; returns the limit in seconds if that was too short.

        Raises ProviderError when the operation is cancelled.
        """
        limit = self.seconds or default_seconds
        waited, pause = 0.0, _FIRST_PAUSE
        while not done():
            if waited >= limit:
                return limit
            if self.cancelled.wait(pause):
                raise ProviderError("the operation was cancelled")
            waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE)
        return None


class NotUsableError(ProviderError):
    """The resource was made and is there, but did not become what it should."""

    def __init__(self, resource_id: str, message: str) -> None:
        super().__init__(message)
        self.resource_id = resource_id


class Resource(ABC):
    """One resource type over the AWS API.

    State is a dict of outputs in the provider's names; `tags` in it are all tags, `with_own_tags` splits them.
    """

    schema: Schema

    def imported(self, aws: Account, import_id: str) -> str:  # noqa: ARG002 - most types have one kind of id
        """Return the id of the resource that `pulumi import` names."""
        return import_id

    @abstractmethod
    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        """Make it; returns its id. Raises ProviderError, NotUsableError when it exists and did not become usable."""

    @abstractmethod
    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        """The state by id, which may be an import id; None when there is no such thing."""

    @abstractmethod
    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        """Make the resource with the state `olds` what the inputs `news` say."""

    @abstractmethod
    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        """Remove it. One that is gone already is fine."""

    def planned(self, inputs: Properties, olds: Properties) -> dict[str, Any]:
        """The state that a preview shows: what is unknown before the update stays unknown."""
        known = {key: value for key, value in inputs.items() if key != DEFAULTS}
        rest = {
            key: olds[key] if olds else UNKNOWN
            for key in self.schema.shape.outputs - known.keys()
            if not olds or key in olds
        }
        return {**rest, **known}


def with_own_tags(state: dict[str, Any], tags: Properties, default_tags: Mapping[str, str]) -> dict[str, Any]:
    """Split AWS's tags: `tagsAll` are all of them, `tags` those that are not just the provider's default ones."""
    if TAGS not in state:
        return state
    everything = state[TAGS]
    own = {key: value for key, value in everything.items() if key in tags or default_tags.get(key) != value}
    return {**state, TAGS: own, ALL_TAGS: everything}


def tag_list(tags: Properties | None) -> list[dict[str, str]]:
    """Tags in the form that IAM takes."""
    return [{"Key": key, "Value": value} for key, value in sorted((tags or {}).items())]


def tag_map(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in tags or []}


def tag_change(olds: Properties, news: Properties) -> tuple[dict[str, str], list[str]]:
    """Tags to set and tag keys to remove, between a state and new inputs."""
    before, after = olds.get(ALL_TAGS) or {}, news.get(ALL_TAGS) or {}
    return {key: value for key, value in after.items() if before.get(key) != value}, sorted(
        before.keys() - after.keys()
    )
