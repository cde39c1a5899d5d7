"""Values of an addon's `configurationValues` that the sandbox carries out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

DEFAULT_REPLICAS = 2
MOST_REPLICAS = 10


class ConfigurationError(ValueError):
    """The text is no JSON or YAML object, or a value has a wrong type."""


@dataclass(frozen=True)
class AddonConfiguration:
    """Values with an effect in the sandbox. Other keys of the addon's schema are accepted and have no effect."""

    replicas: int = DEFAULT_REPLICAS
    """`controller.replicaCount`"""
    extra_tags: Mapping[str, str] = field(default_factory=dict)
    """`controller.extraVolumeTags`: added to the tags of each volume"""
    default_storage_class: bool = False
    """`defaultStorageClass.enabled`: makes the default class `ebs-csi-default-sc`"""
    attach_limit: int | None = None
    """`node.volumeAttachLimit`: volumes that can be attached to one node"""


def parse(text: str | None) -> AddonConfiguration:
    """Read `configurationValues`, as JSON or YAML.

    Raises ConfigurationError with the key, its value and what is accepted.
    """
    values = _load(text)
    controller, node = _section(values, "controller"), _section(values, "node")
    replicas = controller.get("replicaCount", DEFAULT_REPLICAS)
    if not _is_count(replicas) or replicas > MOST_REPLICAS:
        raise ConfigurationError(
            f"controller.replicaCount is {replicas!r}; accepted is a number from 1 to {MOST_REPLICAS}"
        )
    tags = controller.get("extraVolumeTags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) and "," not in value for value in tags.values()):
        raise ConfigurationError(
            f"controller.extraVolumeTags is {tags!r}; accepted is an object of texts without commas"
        )
    enabled = _section(values, "defaultStorageClass").get("enabled", False)
    if not isinstance(enabled, bool):
        raise ConfigurationError(f"defaultStorageClass.enabled is {enabled!r}; accepted are true and false")
    limit = node.get("volumeAttachLimit")
    if limit is not None and not _is_count(limit):
        raise ConfigurationError(f"node.volumeAttachLimit is {limit!r}; accepted is a number of at least 1")
    return AddonConfiguration(replicas, tags, enabled, limit)


def _load(text: str | None) -> dict[str, Any]:
    if not text or not text.strip():
        return {}
    try:
        values = yaml.safe_load(text)  # JSON is YAML
    except yaml.YAMLError as error:
        raise ConfigurationError(f"configurationValues is neither JSON nor YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigurationError(f"configurationValues is {json.dumps(values)}; accepted is an object")
    return values


def _section(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    section = values.get(key) or {}
    if not isinstance(section, dict):
        raise ConfigurationError(f"{key} is {section!r}; accepted is an object")
    return section


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
