"""Configuration values of the EBS CSI addon. Pure: without a Pulumi provider.

EKS defines a schema for each addon version (`aws eks describe-addon-configuration`) and validates the values at the
create or update of the addon. This module finds as many errors as possible at preview.
"""

import json
from collections.abc import Mapping
from typing import Any

from eks_rocketmq.args.validation import parse_whole_number, suggest_name

SECTIONS = ("controller", "defaultStorageClass", "node", "sidecars")
"""Sections of the addon's schema in all versions."""
SIDECARS = (
    *("attacher", "livenessProbe", "nodeDriverRegistrar", "provisioner", "resizer", "snapshotter", "volumemodifier"),
)
_MAX_TAG_KEY, _MAX_TAG_VALUE, _MAX_TAGS = 128, 256, 50
_RESERVED_PREFIXES = ("aws:", "ebs.csi.aws.com/", "kubernetes.io/", "CSIVolumeName", "CSIVolumeSnapshotName")
_PATHS: Mapping[str, tuple[str, str]] = {
    "controller_replicas": ("controller", "replicaCount"),
    "controller_resources": ("controller", "resources"),
    "controller_tolerations": ("controller", "tolerations"),
    "controller_node_selector": ("controller", "nodeSelector"),
    "extra_volume_tags": ("controller", "extraVolumeTags"),
    "node_resources": ("node", "resources"),
    "node_tolerations": ("node", "tolerations"),
    "tolerate_all_taints": ("node", "tolerateAllTaints"),
    "volume_attach_limit": ("node", "volumeAttachLimit"),
}
"""Path of an argument in the addon's values. `_set_argument` handles the other arguments."""
_COUNT_ARGS = frozenset({"controller_replicas", "volume_attach_limit"})


def render_configuration(args: Mapping[str, Any]) -> str | None:
    """Return the values as JSON with sorted keys, or None if there are none.

    Args:
        args: an `EbsCsiConfigurationArgs`.

    Raises:
        ValueError: naming the value and what is accepted.
    """
    values = _copy_values(args.get("values", {}))
    for argument, value in args.items():
        if argument != "values":
            _set_argument(values, argument, value)
    return json.dumps(values, sort_keys=True, separators=(",", ":")) if values else None


def validate_volume_tags(tags: Mapping[str, str], what: str) -> None:
    """Raise ValueError, naming `what`, for volume tags that EBS or the driver rejects."""
    if len(tags) > _MAX_TAGS:
        msg = f"{what} has {len(tags)} tags; accepted are {_MAX_TAGS}"
        raise ValueError(msg)
    for key, value in tags.items():
        if not 0 < len(key) <= _MAX_TAG_KEY or "=" in key or "," in key or key.startswith(_RESERVED_PREFIXES):
            msg = (
                f"{what} has the tag {key!r}; accepted are 1 to {_MAX_TAG_KEY} characters without '=' and ',', not "
                f"beginning with {', '.join(_RESERVED_PREFIXES)}, which belong to AWS and the driver"
            )
            raise ValueError(msg)
        if not isinstance(value, str) or len(value) > _MAX_TAG_VALUE or "," in value:
            msg = (
                f"{what} has {value!r} for the tag {key!r}; accepted are up to {_MAX_TAG_VALUE} characters without ','"
            )
            raise ValueError(msg)


def _copy_values(values: object) -> dict[str, Any]:
    try:
        copied = json.loads(json.dumps(values))
    except (TypeError, ValueError) as error:
        msg = f"the addon's values are no JSON ({error}); accepted is an object of texts, numbers, lists and objects"
        raise ValueError(msg) from None
    if not isinstance(copied, dict):
        msg = f"the addon's values are {values!r}; accepted is an object, such as {{'controller': {{…}}}}"
        raise ValueError(msg)
    for section, content in copied.items():
        # An unknown section may be new in the addon's version, so only a probable misspelling is an error.
        if section not in SECTIONS and (near := suggest_name(section, SECTIONS)):
            msg = f"the addon's values have the section {section!r}; known are {', '.join(SECTIONS)}{near}"
            raise ValueError(msg)
        if section in SECTIONS and not isinstance(content, dict):
            msg = f"the addon's values have {content!r} for {section}; accepted is an object"
            raise ValueError(msg)
    return copied


def _set_argument(values: dict[str, Any], argument: str, value: Any) -> None:  # noqa: ANN401 - each argument has its type
    if argument == "sidecar_resources":
        for sidecar, resources in value.items():
            if sidecar not in SIDECARS:
                near = suggest_name(sidecar, SIDECARS)
                msg = f"sidecar_resources has {sidecar!r}; accepted are {', '.join(SIDECARS)}{near}"
                raise ValueError(msg)
            _set_value(values, ("sidecars", sidecar, "resources"), resources, argument)
        return
    if argument == "volume_modification":
        _set_value(values, ("controller", "volumeModificationFeature", "enabled"), value, argument)
        return
    if argument == "default_storage_class":
        _set_value(values, ("defaultStorageClass", "enabled"), value, argument)
        return
    if argument not in _PATHS:
        accepted = (*_PATHS, "default_storage_class", "sidecar_resources", "values", "volume_modification")
        near = suggest_name(argument, accepted)
        msg = f"configuration has {argument!r}; accepted are {', '.join(sorted(accepted))}{near}"
        raise ValueError(msg)
    if argument in _COUNT_ARGS:
        _set_value(values, _PATHS[argument], _validate_count(value, argument), argument)
        return
    if argument == "extra_volume_tags":
        validate_volume_tags(value, argument)
    _set_value(values, _PATHS[argument], value, argument)


def _validate_count(value: float, argument: str) -> int:
    count = parse_whole_number(value, argument)
    if count < 1:
        msg = f"{argument} is {count}; accepted is a whole number from 1"
        raise ValueError(msg)
    return count


def _set_value(values: dict[str, Any], path: tuple[str, ...], value: Any, argument: str) -> None:  # noqa: ANN401
    section = values
    for key in path[:-1]:
        section = section.setdefault(key, {})
    if path[-1] in section:
        msg = f"values has {'.'.join(path)}, which {argument} sets as well; give one of them"
        raise ValueError(msg)
    section[path[-1]] = value
