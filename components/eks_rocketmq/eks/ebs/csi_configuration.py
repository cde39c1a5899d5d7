"""Configuration values of the EBS CSI addon. Pure: without a Pulumi provider.

EKS defines a schema for each addon version (`aws eks describe-addon-configuration`) and validates the values at the
create or update of the addon. This module finds as many errors as possible at preview.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.aws_tags import TagFormat, validate_tags
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.pod_values import (
    validate_node_selector,
    validate_pod_values,
    validate_resources,
    validate_tolerations,
)
from eks_rocketmq.args.validation import copy_json, find_nearest_name, validate_choice, validate_range

SECTIONS = ("controller", "defaultStorageClass", "node", "sidecars")
"""Sections of the addon's schema in all versions."""
SIDECARS = (
    *("attacher", "livenessProbe", "nodeDriverRegistrar", "provisioner", "resizer", "snapshotter", "volumemodifier"),
)
VOLUME_TAGS = TagFormat(
    any_character=True,
    not_in_keys="=,",
    not_in_values=",",
    prefixes=("ebs.csi.aws.com/", "kubernetes.io/", "CSIVolumeName", "CSIVolumeSnapshotName"),
)
"""Rules of EBS and the driver."""
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
_POD_ARGS: Mapping[str, Callable[[Any, ArgumentPath], None]] = {
    "controller_resources": validate_resources,
    "controller_tolerations": validate_tolerations,
    "controller_node_selector": validate_node_selector,
    "node_resources": validate_resources,
    "node_tolerations": validate_tolerations,
}
_CONFIGURATION = ARGS / "configuration"
_VALUES = _CONFIGURATION / "values"


def render_configuration(args: Mapping[str, Any]) -> str | None:
    """Return the values as JSON with sorted keys, or None if there are none.

    `args` is an `EbsCsiConfigurationArgs` that `validate_args` has accepted. Raise ValueError for a value that is not
    accepted, and for a value that is given twice.
    """
    values = _copy_values(args.get("values", {}))
    for argument, value in args.items():
        if argument != "values":
            _set_argument(values, argument, value)
    return json.dumps(values, sort_keys=True, separators=(",", ":")) if values else None


def _copy_values(values: Mapping[str, Any]) -> dict[str, Any]:
    copied = copy_json(values, _VALUES)
    for section, content in copied.items():
        # An unknown section may be new in the addon's version, so only a probable misspelling is an error.
        if find_nearest_name(section, SECTIONS):
            validate_choice(section, SECTIONS, _VALUES)
        if section in SECTIONS:
            _require_object(content, _VALUES.key(section))
            _validate_section(section, content)
    return copied


def _validate_section(section: str, content: Mapping[str, Any]) -> None:
    path = _VALUES.key(section)
    if section == "sidecars":
        for sidecar, values in content.items():
            if isinstance(values, Mapping):
                validate_pod_values(values, path.key(sidecar))
    else:
        validate_pod_values(content, path)
    if isinstance(tags := content.get("extraVolumeTags"), Mapping):
        validate_tags(tags, path.key("extraVolumeTags"), VOLUME_TAGS)


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
            validate_resources(resources, path.key(sidecar))
            _set_value(values, ("sidecars", sidecar, "resources"), resources, path)
        return
    if argument == "extra_volume_tags":
        validate_tags(value, path, VOLUME_TAGS)
    if argument in _POD_ARGS:
        _POD_ARGS[argument](value, path)
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
