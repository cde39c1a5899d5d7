"""Enumerations of the package's schema, from the `Literal` types of the arguments."""

from typing import Any

from eks_rocketmq.args.field_metadata import get_accepted_values, get_enumeration_name
from eks_rocketmq.pulumi_sdk.component import PACKAGE


def add_enumeration(enumerations: dict[str, Any], name: str, field: dict[str, Any], annotation: Any) -> None:  # noqa: ANN401 - any annotation
    """Make a field of the schema, or the items of a list, refer to its enumeration.

    `field` is changed, and `enumerations` receives the enumeration by its token. Raise TypeError if two enumerations
    have the same name and different values.
    """
    token = f"{PACKAGE}:index:{get_enumeration_name(annotation)}"
    target = field.get("items", field)
    del target["type"]
    target["$ref"] = f"#/types/{token}"
    values = [{"name": _format_member_name(value), "value": value} for value in sorted(get_accepted_values(annotation))]
    added = {"description": f"Accepted values of `{name}`.", "type": "string", "enum": values}
    if enumerations.setdefault(token, added)["enum"] != values:
        msg = f"{token} of {name} is another enumeration already, with other values"
        raise TypeError(msg)


def _format_member_name(value: str) -> str:
    """Return the member name: `PerZone` for `per_zone`, `OnDemand` for `ON_DEMAND`.

    A value in camelCase keeps its capitals: `ControllerManager` for `controllerManager`.
    """
    words = value.split("_")
    return "".join(
        word.capitalize() if word.islower() or word.isupper() else word[0].upper() + word[1:] for word in words
    )
