"""Validation of parts of a pod spec in the format of a manifest, as in the configuration of an addon. Pure."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from eks_rocketmq.args.arg_schema import validate_type
from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.validation import (
    validate_choice,
    validate_label_value,
    validate_labels,
    validate_qualified_name,
)

_RESOURCES = ("cpu", "memory", "ephemeral-storage")
"""Resources without a domain in their name, besides `hugepages-<size>`."""
_SECTIONS = ("requests", "limits", "claims")
_OPERATORS = ("Exists", "Equal")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_QUANTITY = re.compile(
    r"\+?(?P<number>\d{1,30}(\.\d{0,30})?|\.\d{1,30})((?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?\d{1,2}))?",
    re.ASCII,
)
_UNITS: dict[str, Fraction] = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000)}
for _power, _letter in enumerate("KMGTPE", start=1):
    _UNITS[f"{_letter}i"] = Fraction(1024**_power)
    _UNITS["k" if _letter == "K" else _letter] = Fraction(1000**_power)


def validate_pod_values(values: Mapping[str, Any], path: ArgumentPath) -> None:
    """Validate `resources`, `tolerations` and `nodeSelector` as Kubernetes does. Other values are not validated.

    EKS validates the configuration of an addon by a schema, which accepts most texts. The pods then do not start.
    """
    if "resources" in values:
        validate_resources(values["resources"], path.key("resources"))
    if "tolerations" in values:
        validate_tolerations(values["tolerations"], path.key("tolerations"))
    if "nodeSelector" in values:
        validate_node_selector(values["nodeSelector"], path.key("nodeSelector"))


def validate_node_selector(given: object, path: ArgumentPath) -> None:
    """Validate the node selector of a pod."""
    validate_type(given, dict[str, str], path)
    validate_labels(given, path)  # ty: ignore[invalid-argument-type]


def validate_tolerations(given: Any, path: ArgumentPath) -> None:  # noqa: ANN401 - any value of a configuration
    """Validate the tolerations of a pod."""
    validate_type(given, list[dict[str, Any]], path)
    for index, one in enumerate(given):
        _validate_toleration(one, path.index(index))


def _validate_toleration(given: Mapping[str, Any], path: ArgumentPath) -> None:
    for field in ("key", "operator", "value", "effect"):
        if given.get(field) is not None:
            validate_type(given[field], str, path.key(field))
    key, value, effect = (given.get(field) or "" for field in ("key", "value", "effect"))
    operator = given.get("operator") or "Equal"
    validate_choice(operator, _OPERATORS, path.key("operator"))
    if effect:
        validate_choice(effect, _EFFECTS, path.key("effect"))
    if key:
        validate_qualified_name(key, path.key("key"))
    validate_label_value(value, path.key("value"))
    conflicts = {
        "without 'key' it needs the operator 'Exists'": not key and operator != "Exists",
        "with the operator 'Exists' it has no 'value'": operator == "Exists" and bool(value),
        "with 'tolerationSeconds' it needs the effect 'NoExecute'": given.get("tolerationSeconds") is not None
        and effect != "NoExecute",
    }
    for rule, broken in conflicts.items():
        if broken:
            raise ArgumentError(path, "pod-toleration", "Kubernetes rejects the toleration: {rule}", rule=rule)


def validate_resources(given: Any, path: ArgumentPath) -> None:  # noqa: ANN401 - any value of a configuration
    """Validate `requests` and `limits` of a container."""
    validate_type(given, dict[str, Any], path)
    for section in given:
        validate_choice(section, _SECTIONS, path)
    requests, limits = (
        _parse_amounts(given.get(section) or {}, path.key(section)) for section in ("requests", "limits")
    )
    for name in requests.keys() & limits.keys():
        if requests[name] > limits[name]:
            raise ArgumentError(
                path.key("requests").key(name),
                "request-above-limit",
                "{given!r} is more than {limit!r}, the limit",
                accepted="an amount up to the limit",
                remedy="Lower the request, or raise the limit",
                given=given["requests"][name],
                limit=given["limits"][name],
            )


def _parse_amounts(given: Any, path: ArgumentPath) -> dict[str, Fraction]:  # noqa: ANN401 - as above
    validate_type(given, dict[str, Any], path)
    for name in given:
        if "/" in name:
            validate_qualified_name(name, path)
        elif not name.startswith("hugepages-"):
            validate_choice(name, _RESOURCES, path)
    return {name: _parse_amount(amount, path.key(name)) for name, amount in given.items()}


def _parse_amount(given: object, path: ArgumentPath) -> Fraction:
    text = str(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else ""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ArgumentError(
            path,
            "resource-amount",
            "{given!r} is no amount that Kubernetes accepts",
            accepted="a number of 0 or more with a unit, such as '500m', '2' or '256Mi'",
            given=given,
        )
    return (
        Fraction(match["number"])
        * _UNITS.get(match["suffix"] or "", Fraction(1))
        * Fraction(10) ** int(match["exponent"] or 0)
    )
