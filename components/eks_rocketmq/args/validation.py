"""Validation functions for single values, used by `eks` and `rocketmq`. Pure: no Pulumi, no provider.

`path` is the path of the argument in the error.
"""

import difflib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError, raise_all
from eks_rocketmq.args.redaction import Secret

MAX_DNS_LABEL_LENGTH = 63
MAX_DNS_SUBDOMAIN_LENGTH = 253
_DNS_LABEL = re.compile(rf"(?=.{{1,{MAX_DNS_LABEL_LENGTH}}}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN_PART = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_CPU = re.compile(r"(?=.*[1-9])([0-9]{1,9}m|[0-9]{1,6}(\.[0-9]{1,3})?)")  # Kubernetes rounds values below 0.001
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HOST_PART = r"[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?"
_PATH_PART = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"
# The part before the first slash is a registry if it has a dot or a port. Otherwise it belongs to the path.
_IMAGE_REGISTRY = rf"(?=[^/]*[.:]|localhost/){_HOST_PART}(\.{_HOST_PART})*(:[0-9]{{1,5}})?/"
_IMAGE = re.compile(rf"(?=.{{1,255}}\Z)({_IMAGE_REGISTRY})?{_PATH_PART}(/{_PATH_PART})*")
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}")
_QUANTITY = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<suffix>[KMGTPE]i|[kMGTPE])?", re.ASCII)
_QUANTITY_LIMIT = 2**63  # Kubernetes stores quantities in 64 bits
_MAX_QUANTITY_LENGTH = 64
_MAX_UNITLESS_DIGITS = 6  # a longer number without a unit may be meant as bytes
_MIN_MEBIBYTE_DIGITS = 4  # a shorter number without a unit is probably meant as Gi
_UNITS: dict[str | None, int] = {None: 1}
for _power, _letter in enumerate("KMGTPE", start=1):
    _UNITS[f"{_letter}i"] = 1024**_power
    _UNITS["k" if _letter == "K" else _letter] = 1000**_power


def copy_json(values: Mapping[str, Any], path: ArgumentPath) -> dict[str, Any]:
    """Return a copy with the types of JSON. Raise ValueError for a value without one, such as an output or a date."""
    try:
        copied: dict[str, Any] = json.loads(json.dumps(values))
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            path,
            "values-no-json",
            "the values cannot be converted to JSON ({reason})",
            accepted="an object of strings, numbers, lists and objects",
            reason=error,
        ) from None
    return copied


def validate_dns_label(value: str, path: ArgumentPath) -> str:
    """Return `value` if Kubernetes accepts it as an RFC 1123 label."""
    accepted = (
        f"1 to {MAX_DNS_LABEL_LENGTH} lower-case letters, digits and '-', beginning and ending with a letter or a digit"
    )
    return validate_pattern(_DNS_LABEL, value, path, "dns-label", accepted, "{given!r} is no label of DNS")


def validate_dns_subdomain(value: str, path: ArgumentPath) -> str:
    """Return `value` if Kubernetes accepts it as an RFC 1123 subdomain, an object name that may contain dots."""
    if is_dns_subdomain(value):
        return value
    raise ArgumentError(
        path,
        "dns-subdomain",
        "{given!r} is no name that Kubernetes accepts",
        accepted="1 to {most} lower-case letters, digits, '-' and '.', each part beginning and ending with a letter or "
        "a digit",
        given=value,
        most=MAX_DNS_SUBDOMAIN_LENGTH,
    )


def validate_known_name(value: object, path: ArgumentPath) -> None:
    """Validate an input as an RFC 1123 subdomain if its value is known.

    The API server validates a value that is missing or that only the update knows.
    """
    if isinstance(value, str):
        validate_dns_subdomain(value, path)


def is_dns_subdomain(value: str) -> bool:
    """Return whether Kubernetes accepts `value` as an RFC 1123 subdomain."""
    return len(value) <= MAX_DNS_SUBDOMAIN_LENGTH and all(map(_DNS_SUBDOMAIN_PART.fullmatch, value.split(".")))


def parse_whole_number(value: float, path: ArgumentPath) -> int:
    """Return `value` as an int. The plugin protocol sends numbers as floats, `3.0` for 3."""
    if not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
        return value if isinstance(value, int) else int(value)
    raise ArgumentError(
        path, "whole-number", "{given!r} is not whole", accepted="a whole number, such as 3", given=value
    )


def validate_range(value: float, minimum: int, maximum: int | None, path: ArgumentPath) -> int:
    """Return `value` as an int if it is between the bounds, both inclusive. None as `maximum` means no bound."""
    number = parse_whole_number(value, path)
    if minimum <= number and (maximum is None or number <= maximum):
        return number
    raise ArgumentError(
        path,
        "range",
        "{given} is out of range",
        accepted="{minimum} or more" if maximum is None else "{minimum} to {maximum}",
        given=number,
        minimum=minimum,
        maximum=maximum,
    )


def validate_pattern(  # noqa: PLR0913, PLR0917 - the parts of an error
    pattern: re.Pattern[str],
    value: str,
    path: ArgumentPath,
    code: str,
    accepted: str,
    problem: str = "{given!r} is not accepted",
) -> str:
    """Return `value` if the whole of it matches `pattern`.

    `accepted` describes the accepted values for the error. `problem` is what the error says about the value, `{given}`.
    """
    if pattern.fullmatch(value):
        return value
    raise ArgumentError(path, code, problem, accepted=accepted, given=value)


def validate_choice(value: object, accepted: Collection[str], path: ArgumentPath) -> str:
    """Return `value` if it is one of `accepted`. The error lists the accepted values and suggests the nearest one."""
    if isinstance(value, str) and value in accepted:
        return value
    raise ArgumentError(
        path,
        "choice",
        "{given!r} is not accepted",
        accepted="{choices}",
        remedy=suggest_name(value, accepted) if isinstance(value, str) else "",
        given=value,
        choices=", ".join(map(repr, accepted)),
    )


def reject_duplicates(names: Iterable[str], path: ArgumentPath) -> None:
    """Reject names that occur more than once. The error names each duplicate."""
    if duplicates := sorted(name for name, count in Counter(names).items() if count > 1):
        raise ArgumentError(
            path,
            "duplicate",
            "{duplicates} is given more than once",
            accepted="each name once",
            duplicates=", ".join(map(repr, duplicates)),
        )


def reject_empty(values: Collection[object], path: ArgumentPath, meaning: str) -> None:
    """Reject an empty list that would mean "everything". A program may compute an empty list by mistake.

    `meaning` is the effect of an empty list, such as `the whole cluster`.
    """
    if not values:
        raise ArgumentError(
            path,
            "empty-list",
            "the list is empty, which would mean {meaning}",
            accepted="one item or more",
            remedy="Leave the argument out for {meaning}",
            meaning=meaning,
        )


@raise_all
def reject_ignored_args(
    args: Mapping[str, object], ignored: Iterable[str], path: ArgumentPath, cause: ArgumentPath, effect: str
) -> Iterator[ArgumentError]:
    """Reject arguments that another argument makes meaningless.

    `effect` is what the argument at `cause` says, as a predicate, such as `names a role of your own`. Empty values are
    accepted.
    """
    for name in ignored:
        if args.get(name):
            yield ArgumentError(
                path / name,
                "ignored-argument",
                "the argument has no effect, because {cause} {effect}",
                remedy="Leave one of the two out",
                cause=cause,
                effect=effect,
            )


def parse_bytes(quantity: str, path: ArgumentPath) -> int:
    """Return the bytes of a Kubernetes quantity of storage or memory, such as `4Gi`, `512Mi`, `1.5Gi` or `2G`.

    Raise ValueError for a quantity that is malformed, has no unit, or is not a whole number of bytes above 0.
    """
    if quantity.isdecimal() and len(quantity) <= _MAX_UNITLESS_DIGITS and int(quantity) > 0:
        unit = "Gi" if len(quantity) < _MIN_MEBIBYTE_DIGITS else "Mi"
        raise ArgumentError(
            path,
            "size-without-unit",
            "{given!r} has no unit",
            accepted="a size above 0 with a unit",
            remedy="Write '{given}{unit}', for example",
            given=quantity,
            unit=unit,
        )
    match = _QUANTITY.fullmatch(quantity) if len(quantity) <= _MAX_QUANTITY_LENGTH else None
    size = Fraction(match["number"]) * _UNITS[match["suffix"]] if match else Fraction(0)
    if not 1 <= size < _QUANTITY_LIMIT or size.denominator != 1:
        raise ArgumentError(
            path,
            "size",
            "{given!r} is no size",
            accepted="a size above 0 with a unit, such as '512Mi', '4Gi' or '100Gi'",
            given=quantity,
        )
    return int(size)


def find_nearest_names(name: object, known: Iterable[str]) -> list[str]:
    """Return the three known names that are most similar, the nearest first; an empty list for a secret name."""
    if isinstance(name, Secret):
        return []
    return difflib.get_close_matches(str(name), sorted(known), n=3, cutoff=0)


def find_nearest_name(name: object, known: Iterable[str]) -> str:
    """Return the known name that is most similar, or an empty text if no name is similar or the name is secret."""
    if isinstance(name, Secret):
        return ""
    return next(iter(difflib.get_close_matches(str(name), sorted(known), n=1, cutoff=0.6)), "")


def suggest_name(name: object, known: Iterable[str]) -> str:
    """Return the remedy of an error, such as `Did you mean 'single'?`, or an empty text if no name is similar.

    For values and keys that the user writes. Names of arguments are `Names`, as each surface spells them differently.
    The remedy is a template, so braces of the name are doubled.
    """
    nearest = find_nearest_name(name, known)
    return f"Did you mean {nearest!r}?".replace("{", "{{").replace("}", "}}") if nearest else ""


def validate_qualified_name(key: str, path: ArgumentPath) -> str:
    """Return `key` if Kubernetes accepts it as the key of a label, an annotation or a taint."""
    prefix, slash, name = key.rpartition("/")
    if _QUALIFIED_NAME.fullmatch(name) and (not slash or is_dns_subdomain(prefix)):
        return key
    raise ArgumentError(
        path,
        "qualified-name",
        "{given!r} is no key that Kubernetes accepts",
        accepted="up to 63 letters, digits, '-', '_' and '.', optionally after a domain and '/', such as "
        "'example.com/team'",
        given=key,
    )


def validate_label_value(value: str, path: ArgumentPath) -> str:
    """Return `value` if Kubernetes accepts it as the value of a label. It may be empty."""
    accepted = "up to 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or a digit"
    problem = "{given!r} is no value that Kubernetes accepts for a label"
    return validate_pattern(_LABEL_VALUE, value, path, "label-value", accepted, problem)


def validate_labels(labels: Mapping[str, str], path: ArgumentPath) -> dict[str, str]:
    """Return labels, or a label selector, if Kubernetes accepts all keys and values."""
    return {
        validate_qualified_name(key, path): validate_label_value(value, path.key(key)) for key, value in labels.items()
    }


def validate_cpu(value: str, path: ArgumentPath) -> str:
    """Return `value` if it is an amount of CPU above 0 that Kubernetes stores unchanged."""
    accepted = "a number of CPUs, such as '500m' or '2'"
    return validate_pattern(_CPU, value, path, "cpu", accepted, "{given!r} is no amount of CPU")


def parse_cpu(quantity: str) -> int:
    """Return the millicores of an amount of CPU that `validate_cpu` accepts, such as `500m` or `2`."""
    return int(quantity[:-1]) if quantity.endswith("m") else round(float(quantity) * 1000)


def validate_digest(value: str, path: ArgumentPath) -> str:
    """Return `value` if it is the digest of an image."""
    return validate_pattern(_DIGEST, value, path, "image-digest", "'sha256:' and 64 hexadecimal digits")


def validate_image(value: str, path: ArgumentPath) -> str:
    """Return `value` if it is the name of an image without tag and digest."""
    accepted = (
        "an image without tag and digest, such as 'apache/rocketmq' or 'registry.example.com:5000/apache/rocketmq'"
    )
    return validate_pattern(_IMAGE, value, path, "image", accepted, "{given!r} is no name of an image")


def validate_image_tag(value: str, path: ArgumentPath) -> str:
    """Return `value` if it is the tag of an image."""
    accepted = "up to 128 letters, digits, '-', '_' and '.', such as '2.1.0'"
    return validate_pattern(_IMAGE_TAG, value, path, "image-tag", accepted, "{given!r} is no tag of an image")


def format_image_reference(name: str, tag: str, digest: str | None) -> str:
    """Return the image reference for a container. The container runtime ignores the tag if there is a digest."""
    return f"{name}:{tag}" if digest is None else f"{name}:{tag}@{digest}"
