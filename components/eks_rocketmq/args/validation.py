"""Checks that both halves of the library use. Pure: no Pulumi, no provider."""

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction

from eks_rocketmq.args.redaction import Secret

MAX_DNS_LABEL_LENGTH = 63
MAX_DNS_SUBDOMAIN_LENGTH = 253
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_CPU = re.compile(r"(?=.*[1-9])([0-9]{1,9}m|[0-9]{1,6}(\.[0-9]{1,3})?)")  # Kubernetes rounds below a thousandth
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MAX_IMAGE_LENGTH = 255
_HOST_PART = r"[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?"
_PATH_PART = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"
# Before the first slash a name with a dot or a port is a registry, any other is part of the path.
_IMAGE_REGISTRY = rf"(?=[^/]*[.:]|localhost/){_HOST_PART}(\.{_HOST_PART})*(:[0-9]{{1,5}})?/"
_IMAGE = re.compile(rf"({_IMAGE_REGISTRY})?{_PATH_PART}(/{_PATH_PART})*")
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}")
_QUANTITY = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<suffix>[KMGTPE]i|[kMGTPE])?")
_QUANTITY_LIMIT = 2**63  # Kubernetes counts in 64 bits
_MAX_QUANTITY_LENGTH = 64
_MAX_UNITLESS_DIGITS = 6  # digits below which a number is hardly meant as bytes
_MIN_MEBIBYTE_DIGITS = 4  # digits from which on it is likely one of mebibytes
_UNITS: dict[str | None, int] = {None: 1}
for _power, _letter in enumerate("KMGTPE", start=1):
    _UNITS[f"{_letter}i"] = 1024**_power
    _UNITS["k" if _letter == "K" else _letter] = 1000**_power


def validate_dns_label(value: str, what: str) -> str:
    """Returns `value` when Kubernetes accepts it as a name (RFC 1123 label).

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    if len(value) <= MAX_DNS_LABEL_LENGTH and _DNS_LABEL.fullmatch(value):
        return value
    msg = (
        f"{what} is {value!r}; accepted are 1 to {MAX_DNS_LABEL_LENGTH} lower-case letters, digits and '-', "
        "beginning and ending with a letter or a digit"
    )
    raise ValueError(msg)


def validate_dns_subdomain(value: str, what: str) -> str:
    """Returns `value` when Kubernetes accepts it as the name of an object that may have dots (RFC 1123 subdomain).

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    if is_dns_subdomain(value):
        return value
    msg = (
        f"{what} is {value!r}; accepted are 1 to {MAX_DNS_SUBDOMAIN_LENGTH} lower-case letters, digits, '-' and '.', "
        "each part beginning and ending with a letter or a digit"
    )
    raise ValueError(msg)


def validate_known_name(value: object, what: str) -> None:
    """`dns_subdomain` for an input; one that is left out, or known only later, is the API server's to judge.

    Raises:
        ValueError: as `dns_subdomain`.
    """
    if isinstance(value, str):
        validate_dns_subdomain(value, what)


def is_dns_subdomain(value: str) -> bool:
    """Whether Kubernetes accepts `value` as an RFC 1123 subdomain."""
    return len(value) <= MAX_DNS_SUBDOMAIN_LENGTH and all(map(_DNS_LABEL.fullmatch, value.split(".")))


def parse_whole_number(value: float, what: str) -> int:
    """`value` as int. Values that come through a provider's wire are floats, `3.0` for 3.

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    if not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
        return value if isinstance(value, int) else int(value)
    msg = f"{what} is {value!r}; accepted is a whole number, such as 3"
    raise ValueError(msg)


def validate_range(value: float, least: int, most: int | None, what: str) -> int:
    """`value` as int when it lies between the bounds, which both belong to it. None is no upper bound.

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    number = parse_whole_number(value, what)
    if least <= number and (most is None or number <= most):
        return number
    msg = f"{what} is {number}; accepted is {least} {'or more' if most is None else f'to {most}'}"
    raise ValueError(msg)


def validate_pattern(pattern: re.Pattern[str], value: str, what: str, accepted: str) -> str:
    """Returns `value` when the whole of it matches.

    Raises:
        ValueError: naming `what`, the value and `accepted`, the words for what the pattern takes.
    """
    if pattern.fullmatch(value):
        return value
    msg = f"{what} is {value!r}; accepted is {accepted}"
    raise ValueError(msg)


def validate_choice(value: object, accepted: Collection[str], what: str) -> str:
    """Returns `value` when it is one of `accepted`.

    Raises:
        ValueError: naming `what`, the value, what is accepted and the nearest of it.
    """
    if isinstance(value, str) and value in accepted:
        return value
    near = suggest_name(value, accepted) if isinstance(value, str) else ""
    msg = f"{what} is {value!r}; accepted are {', '.join(map(repr, accepted))}{near}"
    raise ValueError(msg)


def reject_duplicates(names: Iterable[str], what: str) -> None:
    """Refuses names of which one stands for two things.

    Raises:
        ValueError: naming `what`, and each name that is there more than once.
    """
    if twice := sorted(name for name, times in Counter(names).items() if times > 1):
        msg = f"{what} has {', '.join(map(repr, twice))} more than once; accepted is each name once"
        raise ValueError(msg)


def reject_empty(given: Collection[object], what: str, means: str) -> None:
    """Refuse an empty list where it would mean everything. A list that a program computes may be empty by mistake.

    Args:
        given: the list.
        what: how an error names it.
        means: what it would mean, as in `the whole cluster`.

    Raises:
        ValueError: naming `what` and what is accepted.
    """
    if not given:
        msg = f"{what} is empty, which would mean {means}; accepted is one or more: leave it out for {means}"
        raise ValueError(msg)


def reject_ignored_args(
    given: Mapping[str, object], useless: Iterable[str], beside: str, way_out: str = "leave one of the two out"
) -> None:
    """Refuses arguments of which another one makes nothing, instead of dropping them without a word.

    Args:
        given: the arguments.
        useless: those that nobody reads then; empty ones say nothing.
        beside: which one that is and what it means, as in `role_arn, a role of your own`.
        way_out: what to do instead.

    Raises:
        ValueError: naming all of them.
    """
    if found := [name for name in useless if given.get(name)]:
        msg = f"{', '.join(found)} given with {beside}: nothing would be made of it; {way_out}"
        raise ValueError(msg)


def parse_bytes(quantity: str, what: str) -> int:
    """Bytes in a Kubernetes quantity of storage or memory, such as `4Gi`, `512Mi`, `1.5Gi` or `2G`.

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    if quantity.isdecimal() and len(quantity) <= _MAX_UNITLESS_DIGITS and int(quantity) > 0:
        unit = "Gi" if len(quantity) < _MIN_MEBIBYTE_DIGITS else "Mi"
        msg = f"{what} is {quantity!r}; accepted is a size above 0 with a unit: write {quantity + unit!r}, for example"
        raise ValueError(msg)
    match = _QUANTITY.fullmatch(quantity) if len(quantity) <= _MAX_QUANTITY_LENGTH else None
    size = Fraction(match["number"]) * _UNITS[match["suffix"]] if match else Fraction(0)
    if not 1 <= size < _QUANTITY_LIMIT or size.denominator != 1:
        msg = f"{what} is {quantity!r}; accepted is a size above 0 with a unit, such as '512Mi', '4Gi' or '100Gi'"
        raise ValueError(msg)
    return int(size)


def find_nearest_names(name: object, known: Iterable[str]) -> list[str]:
    """The three known names that are nearest, the nearest first; none to a secret one."""
    if isinstance(name, Secret):
        return []
    return difflib.get_close_matches(str(name), sorted(known), n=3, cutoff=0)


def suggest_name(name: object, known: Iterable[str]) -> str:
    """A suggestion to put behind an error (`; did you mean 'replicas'?`), or nothing when no known name is near.

    Nothing for a secret name either: it would tell what that is like.
    """
    if isinstance(name, Secret):
        return ""
    near = difflib.get_close_matches(str(name), sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def validate_qualified_name(key: str, what: str) -> str:
    """Returns `key` when Kubernetes accepts it as the key of a label, an annotation or a taint.

    Raises:
        ValueError: naming `what`, the key and what is accepted.
    """
    prefix, slash, name = key.rpartition("/")
    if _QUALIFIED_NAME.fullmatch(name) and (not slash or is_dns_subdomain(prefix)):
        return key
    msg = (
        f"{what}: {key!r} is no key that Kubernetes accepts; accepted are up to 63 letters, digits, '-', '_' and '.', "
        "with a domain and '/' before them if wanted, such as 'example.com/team'"
    )
    raise ValueError(msg)


def validate_label_value(value: str, what: str) -> str:
    """Returns `value` when Kubernetes accepts it as the value of a label, which may be empty.

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    if _LABEL_VALUE.fullmatch(value):
        return value
    msg = (
        f"{what} is {value!r}; accepted are up to 63 letters, digits, '-', '_' and '.', beginning and ending with a "
        "letter or a digit"
    )
    raise ValueError(msg)


def validate_labels(given: Mapping[str, str], what: str) -> dict[str, str]:
    """Labels that Kubernetes accepts, or what picks objects by them.

    Raises:
        ValueError: naming `what`, the key or the value, and what is accepted.
    """
    return {
        validate_qualified_name(key, what): validate_label_value(value, f"{what}[{key!r}]")
        for key, value in given.items()
    }


def validate_cpu(value: str, what: str) -> str:
    """Returns `value` when it is an amount of CPU above 0 that Kubernetes keeps as it is.

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    if _CPU.fullmatch(value):
        return value
    msg = f"{what} is {value!r}; accepted are CPUs such as '500m' or '2'"
    raise ValueError(msg)


def validate_digest(value: str, what: str) -> str:
    """Returns `value` when it is the digest of an image.

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    return validate_pattern(_DIGEST, value, what, "'sha256:' and 64 hexadecimal digits")


def validate_image(value: str, what: str) -> str:
    """Returns `value` when it is the name of an image, without tag and digest.

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    if len(value) <= _MAX_IMAGE_LENGTH and _IMAGE.fullmatch(value):
        return value
    msg = (
        f"{what} is {value!r}; accepted is an image without tag and digest, such as 'apache/rocketmq' or "
        "'registry.example.com:5000/apache/rocketmq'"
    )
    raise ValueError(msg)


def validate_image_tag(value: str, what: str) -> str:
    """Returns `value` when it is the tag of an image.

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    if _IMAGE_TAG.fullmatch(value):
        return value
    msg = f"{what} is {value!r}; accepted are up to 128 letters, digits, '-', '_' and '.', such as '2.1.0'"
    raise ValueError(msg)


def format_image_reference(name: str, tag: str, pinned: str | None) -> str:
    """How a container names an image; a digest, if given, decides instead of the tag."""
    return f"{name}:{tag}" if pinned is None else f"{name}:{tag}@{pinned}"
