"""Tags of a resource, and those that every resource of the provider has by default."""

from collections.abc import Mapping
from typing import Any

from sandbox.engine.provider.values import UNKNOWN

TAGS, ALL_TAGS = "tags", "tagsAll"


def merged_tags(tags: Any, default_tags: Mapping[str, str]) -> Any:  # noqa: ANN401 - tags may be unknown
    """Return the provider's tags overridden by the resource's; unknown when the latter are."""
    return UNKNOWN if tags is UNKNOWN else {**default_tags, **(tags or {})}


def with_own_tags(state: dict[str, Any], tags: Mapping[str, Any], default_tags: Mapping[str, str]) -> dict[str, Any]:
    """Split AWS's tags: `tagsAll` has all of them, `tags` only those that are not default tags of the provider."""
    if TAGS not in state:
        return state
    everything = state[TAGS]
    own = {key: value for key, value in everything.items() if key in tags or default_tags.get(key) != value}
    return {**state, TAGS: own, ALL_TAGS: everything}


def tag_list(tags: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return tags as EC2, IAM and S3 take them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def tag_map(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in tags or []}
