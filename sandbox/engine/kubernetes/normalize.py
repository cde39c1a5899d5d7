"""Inputs in the form that the API server stores.

The released provider converts inputs of built-in kinds to their Go types. This drops unknown keys, converts quantities
to their stored form, and a Secret's `stringData` to base64 `data`. Without it, Diff reports false changes.
"""

import base64
import binascii
import copy
import re
from functools import cache
from typing import Any

from kubernetes.client import models

from sandbox.engine.kubernetes import quantity
from sandbox.engine.kubernetes.kinds import Kind
from sandbox.engine.provider.values import JsonObject, has_unknown

_SERVER_METADATA = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
# Fields whose values are quantities; the client's models call them strings.
_QUANTITIES = {
    ("V1ResourceRequirements", "limits"),
    ("V1ResourceRequirements", "requests"),
    ("V1VolumeResourceRequirements", "limits"),
    ("V1VolumeResourceRequirements", "requests"),
    ("V1EmptyDirVolumeSource", "sizeLimit"),
    ("V1ResourceFieldSelector", "divisor"),
    ("V1PodSpec", "overhead"),
}
_LIST = re.compile(r"^[Ll]ist\[(.+)\]$")
_DICT = re.compile(r"^(?:dict\(|Dict\[)str, (.+)[\])]$")


def normalized(kind: Kind, inputs: JsonObject) -> JsonObject:
    """Return a copy in the stored form. With an unknown value, remove only the server's metadata."""
    result = copy.deepcopy(inputs)
    if not has_unknown(inputs) and kind.model:
        result = _secret_data(result) if kind.name == "Secret" else _typed(result, kind.model)
    meta = result.get("metadata")
    if isinstance(meta, dict):
        for key in _SERVER_METADATA:
            meta.pop(key, None)
    return result


def input_properties(kind: Kind) -> list[str]:
    """Return the top-level keys that a program can set; empty for a custom kind."""
    if not kind.model:
        return []
    return [key for key in _fields(kind.model) if key != "status"]


@cache
def _fields(model: str) -> dict[str, str]:
    """Return the types by JSON key, such as `V1Container` or `list[V1Container]`."""
    cls = getattr(models, model)
    return {key: cls.openapi_types[attribute] for attribute, key in cls.attribute_map.items()}


def _typed(value: object, type_name: str) -> Any:  # noqa: ANN401 - any JSON value
    if (match := _LIST.match(type_name)) and isinstance(value, list):
        return [_typed(item, match[1]) for item in value]
    if (match := _DICT.match(type_name)) and isinstance(value, dict):
        return {key: _typed(item, match[1]) for key, item in value.items()}
    if isinstance(value, dict) and hasattr(models, type_name):
        fields = _fields(type_name)
        return {
            key: _quantity(item) if (type_name, key) in _QUANTITIES else _typed(item, fields[key])
            for key, item in value.items()
            if key in fields
        }
    return value


def _quantity(value: object) -> object:
    if isinstance(value, dict):
        return {key: quantity.canonical(item) for key, item in value.items()}
    return quantity.canonical(value)


def _secret_data(inputs: JsonObject) -> JsonObject:
    """Merge `stringData` into `data`. Unknown keys of a Secret stay, as in the released provider."""
    texts = inputs.get("stringData")
    data = inputs.get("data")
    if isinstance(texts, dict) and texts and all(isinstance(text, str) for text in texts.values()):
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        inputs["data"] = {**(data if isinstance(data, dict) else {}), **encoded}
        del inputs["stringData"]
    elif isinstance(data, dict):
        inputs["data"] = {key: _canonical_base64(item) for key, item in data.items()}
    return inputs


def _canonical_base64(value: object) -> object:
    try:
        return base64.b64encode(base64.b64decode(value, validate=True)).decode() if isinstance(value, str) else value
    except binascii.Error:
        return value
