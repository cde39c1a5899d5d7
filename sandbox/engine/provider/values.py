"""Conversion of property values between protobuf and Python.

A protobuf `Struct` has all numbers as floats, and secrets and unknown values with signatures. `decode` returns dicts,
lists, strings, bools, ints and floats. A secret value is a `Secret`, an unknown value of a preview is `UNKNOWN`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

JsonObject = dict[str, Any]


class Unknown(Enum):
    """Type of `UNKNOWN`: an enumeration, so that a copy is the same object."""

    VALUE = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.VALUE

# The SDK's texts for an unknown value, one for each type.
_UNKNOWN_TEXTS = frozenset(
    {
        rpc.UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


@dataclass(frozen=True)
class Secret:
    """Secret value, which the engine does not show and encrypts in the state."""

    value: object


def decode(struct: struct_pb2.Struct) -> JsonObject:
    """Decode the properties of a request. Whole floats become ints, because protobuf has only floats."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def encode(properties: Mapping[str, object]) -> struct_pb2.Struct:
    """Encode the properties of a response.

    Raises TypeError for a value of another type.
    """
    struct = struct_pb2.Struct()
    struct.update(_json_value(properties))
    return struct


def plain(value: object) -> Any:  # noqa: ANN401 - property values have no narrower type
    """Return a value without `Secret`; `UNKNOWN` stays."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_unknown(value: object) -> bool:
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN


def _decode(value: struct_pb2.Value) -> object:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _decode_struct(value.struct_value)
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "number_value":
            number = float(value.number_value)
            return int(number) if number == number // 1 else number
        case "string_value":
            text = value.string_value
            return UNKNOWN if text in _UNKNOWN_TEXTS else text
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _decode_struct(struct: struct_pb2.Struct) -> object:
    fields = struct.fields
    if rpc._special_sig_key in fields:
        signature = fields[rpc._special_sig_key].string_value
        if signature == rpc._special_secret_sig:
            return Secret(_decode(fields["value"]))
        if signature == rpc._special_output_value_sig:
            inner = _decode(fields["value"]) if "value" in fields else UNKNOWN
            return Secret(inner) if fields["secret"].bool_value else inner
        kinds = {
            rpc._special_asset_sig: "an asset",
            rpc._special_archive_sig: "an archive",
            rpc._special_resource_sig: "a resource",
        }
        raise TypeError(
            f"{kinds.get(signature, 'a value with the signature ' + signature)} was given as a property; "
            "the sandbox's stand-ins take plain values, secrets and unknowns"
        )
    return {key: _decode(item) for key, item in fields.items()}


def _json_value(value: object) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value as JSON, with the SDK's forms of secrets and unknown values."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Unknown():
            return rpc.UNKNOWN
        case Secret():
            return {rpc._special_sig_key: rpc._special_secret_sig, "value": _json_value(value.value)}
        case Mapping():
            return {str(key): _json_value(item) for key, item in value.items()}
        case list() | tuple():
            return [_json_value(item) for item in value]
    raise TypeError(
        f"{type(value).__name__} is no property value: accepted are None, bool, int, float, str, list and dict"
    )
