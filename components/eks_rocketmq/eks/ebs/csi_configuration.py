"""Configuration values of the EBS CSI addon. Pure: without a Pulumi provider.

EKS defines a schema for each addon version (`aws eks describe-addon-configuration`) and validates the values at the
create or update of the addon. This module finds as many errors as possible at preview.
"""

import json
from collections.abc import Mapping
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.validation import find_nearest_name, validate_choice, validate_range

SECTIONS = ("controller", "defaultStorageClass", "node", "sidecars")
"""Sections of the addon's schema in all versions."""
SIDECARS = (
    *("attacher", "livenessProbe", "nodeDriverRegistrar", "provisioner", "resizer", "snapshotter", "volumemodifier"),
)
_MAX_TAG_KEY, _MAX_TAG_VALUE, _MAX_TAGS = 128, 256, 50
_RESERVED_PREFIXES = ("aws:", "ebs.csi.aws.com/", "kubernetes.io/", "CSIVolumeName", "CSIVolumeSnapshotName")
_PATHS: Mapping[str, tuple[str, ...]] = {
    "controller_replicas": ("controller", "replicaCount"),
    "controller_resources": ("controller", "resources"),
    "controller_tolerations": ("controller", "tolerations"),
    "controller_node_selector": ("controller", "nodeSelector"),
    "extra_volume_tags": ("controller", "extraVolumeTags"),
    "node_resources": ("node", "resources"),
    "node_tolerations": ("node", "tolerations"),
    "tolerate_all_taints": ("node", "tolerateAllTaints"),
    "volume_attach_limit": ("node", "volumeAttachLimit"),
    "volume_modification": ("controller", "volumeModificationFeature", "enabled"),
    "default_storage_class": ("defaultStorageClass", "enabled"),
}
"""Path of an argument in the addon's values. `_set_argument` handles `sidecar_resources`."""
_COUNT_ARGS = frozenset({"controller_replicas", "volume_attach_limit"})
_CONFIGURATION = ARGS / "configuration"
_VALUES = _CONFIGURATION / "values"


def render_configuration(args: Mapping[str, Any]) -> str | None:
    """Return the values as JSON with sorted keys, or None if there are none.

    Args:
        args: an `EbsCsiConfigurationArgs` that `validate_args` has accepted.

    Raises:
        ValueError: for a value that is not accepted, and for a value that is given twice.
    """
    values = _copy_values(args.get("values", {}))
    for argument, value in args.items():
        if argument != "values":
            _set_argument(values, argument, value)
    return json.dumps(values, sort_keys=True, separators=(",", ":")) if values else None


def validate_volume_tags(tags: Mapping[str, str], path: ArgumentPath) -> None:
    """Validate tags of volumes as EBS and the driver do.

    Raises:
        ValueError: there are too many tags, or a tag is not accepted.
    """
    if len(tags) > _MAX_TAGS:
        raise ArgumentError(
            path, "volume-tag-count", "{count} tags are given", accepted="up to {most}", count=len(tags), most=_MAX_TAGS
        )
    for key, value in tags.items():
        if not 0 < len(key) <= _MAX_TAG_KEY or "=" in key or "," in key or key.startswith(_RESERVED_PREFIXES):
            raise ArgumentError(
                path,
                "volume-tag-key",
                "{given!r} is not accepted as the key of a tag",
                accepted="1 to {most} characters without '=' and ',', and without a reserved prefix",
                remedy="AWS and the driver reserve the prefixes {reserved}",
                given=key,
                most=_MAX_TAG_KEY,
                reserved=", ".join(map(repr, _RESERVED_PREFIXES)),
            )
        if not isinstance(value, str) or len(value) > _MAX_TAG_VALUE or "," in value:
            raise ArgumentError(
                path.key(key),
                "volume-tag-value",
                "{given!r} is not accepted as the value of a tag",
                accepted="up to {most} characters without ','",
                given=value,
                most=_MAX_TAG_VALUE,
            )


def _copy_values(values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        copied: dict[str, Any] = json.loads(json.dumps(values))
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            _VALUES,
            "addon-values-no-json",
            "the values cannot be converted to JSON ({reason})",
            accepted="an object of strings, numbers, lists and objects",
            reason=error,
        ) from None
    for section, content in copied.items():
        # An unknown section may be new in the addon's version, so only a probable misspelling is an error.
        if find_nearest_name(section, SECTIONS):
            validate_choice(section, SECTIONS, _VALUES)
        if section in SECTIONS:
            _require_object(content, _VALUES.key(section))
    return copied


def _require_object(content: object, path: ArgumentPath) -> None:
    if not isinstance(content, dict):
        raise ArgumentError(
            path, "addon-section-no-object", "{given!r} is no object", accepted="an object", given=content
        )


def _set_argument(values: dict[str, Any], argument: str, value: Any) -> None:  # noqa: ANN401 - each argument has its type
    path = _CONFIGURATION / argument
    if argument == "sidecar_resources":
        for sidecar, resources in value.items():
            validate_choice(sidecar, SIDECARS, path)
            _set_value(values, ("sidecars", sidecar, "resources"), resources, path)
        return
    if argument == "extra_volume_tags":
        validate_volume_tags(value, path)
    if argument in _COUNT_ARGS:
        value = validate_range(value, 1, None, path)
    _set_value(values, _PATHS[argument], value, path)


def _set_value(values: dict[str, Any], keys: tuple[str, ...], value: Any, argument: ArgumentPath) -> None:  # noqa: ANN401
    section, path = values, _VALUES
    for key in keys[:-1]:
        section, path = section.setdefault(key, {}), path.key(key)
        _require_object(section, path)
    if keys[-1] in section:
        raise ArgumentError(
            _VALUES,
            "addon-value-given-twice",
            "the values contain {given!r}, which {argument} sets too",
            remedy="Leave one of the two out",
            given=".".join(keys),
            argument=argument,
        )
    section[keys[-1]] = value
