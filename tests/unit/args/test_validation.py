"""The checks that both halves share: names, whole numbers and quantities."""

import math
import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.validation import (
    format_image_reference,
    parse_bytes,
    parse_whole_number,
    reject_duplicates,
    suggest_name,
    validate_cpu,
    validate_digest,
    validate_dns_label,
    validate_image,
    validate_image_tag,
    validate_labels,
    validate_pattern,
    validate_range,
)

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
LABELS = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18} | {
    f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", start=1)
}


@given(LABELS)
def test_a_label_is_taken_as_it_is(name: str) -> None:
    assert validate_dns_label(name, "namespace") == name


@given(st.text(max_size=70))
def test_exactly_what_kubernetes_takes_is_a_label(name: str) -> None:
    accepted = 0 < len(name) <= 63 and set(name) <= set(LETTERS + "-") and name[0] in LETTERS and name[-1] in LETTERS
    if accepted:
        assert validate_dns_label(name, "namespace") == name
    else:
        with pytest.raises(ValueError, match=r"\Anamespace is .*; accepted are 1 to 63 lower-case letters") as refusal:
            validate_dns_label(name, "namespace")
        assert repr(name) in str(refusal.value)


@pytest.mark.parametrize("name", ["a\n", "a.b", "A", "-a", "a-", "", "a" * 64, "é", "a_b", "a b"])
def test_what_looks_like_a_label_and_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="namespace is "):
        validate_dns_label(name, "namespace")


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_a_whole_number_comes_back_through_the_wire(number: int) -> None:
    for given_ in (number, float(number)):
        found = parse_whole_number(given_, "replicas")
        assert (found, type(found)) == (number, int)


@given(st.floats() | st.booleans() | st.text(max_size=5) | st.none())
def test_anything_else_is_no_whole_number(value: Any) -> None:
    whole = isinstance(value, float) and math.isfinite(value) and value == int(value)
    if not whole:
        with pytest.raises(ValueError, match=r"\Areplicas is .*; accepted is a whole number, such as 3\Z"):
            parse_whole_number(value, "replicas")


@given(st.integers(), st.integers(-5, 5), st.integers(0, 9) | st.none())
def test_a_number_is_between_its_bounds_and_both_are_taken(value: int, least: int, width: int | None) -> None:
    most = None if width is None else least + width
    if value in range(least, value + 1 if most is None else most + 1):
        assert validate_range(value, least, most, "queues") == value
    else:
        spoken = f"queues is {value}; accepted is {least} {'or more' if most is None else f'to {most}'}"
        with pytest.raises(ValueError, match=rf"\A{re.escape(spoken)}\Z"):
            validate_range(value, least, most, "queues")


def test_a_number_between_bounds_is_a_whole_one() -> None:
    assert type(validate_range(3.0, 1, 5, "queues")) is int
    with pytest.raises(ValueError, match=r"queues is 1\.5; accepted is a whole number"):
        validate_range(1.5, 1, 5, "queues")


@pytest.mark.parametrize("value", ["ab1", "1", "", "a1\n", "A1"])
def test_the_whole_of_a_text_matches_or_it_is_refused(value: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the text is compared below, to the letter
        validate_pattern(re.compile(r"[a-z]\d"), value, "name", "a letter and a digit, such as 'a1'")
    assert str(refusal.value) == f"name is {value!r}; accepted is a letter and a digit, such as 'a1'"
    assert validate_pattern(re.compile(r"[a-z]\d"), "b2", "name", "") == "b2"


@given(st.lists(st.sampled_from("abc"), max_size=5))
def test_a_name_that_stands_twice_is_refused(names: list[str]) -> None:
    twice = ", ".join(repr(name) for name in "abc" if names.count(name) > 1)
    if not twice:
        reject_duplicates(names, "topics")
    else:
        with pytest.raises(ValueError, match=rf"\Atopics has {twice} more than once; accepted is each name once\Z"):
            reject_duplicates(names, "topics")


@given(st.integers(1, 10**6), st.integers(0, 999), st.sampled_from(sorted(UNITS)))
def test_a_size_is_its_number_times_its_unit(whole: int, thousandths: int, unit: str) -> None:
    exact = Fraction(whole * 1000 + thousandths, 1000) * UNITS[unit]
    text = f"{whole}.{thousandths:03d}{unit}"
    if exact.denominator == 1 and exact < 2**63:
        assert parse_bytes(text, "storage") == exact
    else:
        with pytest.raises(ValueError, match="storage is "):
            parse_bytes(text, "storage")


@given(st.text(alphabet="0123456789.-+eKMGTPikm \n", max_size=8))
def test_a_size_is_taken_as_kubernetes_reads_it_or_refused(text: str) -> None:
    try:
        size = parse_bytes(text, "storage")
    except ValueError as error:
        assert str(error).startswith(f"storage is {text!r}; accepted is a size above 0 with a unit")  # noqa: PT017
    else:
        assert size >= 1
        assert re.fullmatch(r"\d+(\.\d+)?([KMGTPE]i|[kMGTPE])?", text)


@given(st.lists(LABELS, min_size=1, max_size=5))
def test_a_suggestion_is_a_name_that_exists(known: list[str]) -> None:
    assert suggest_name(known[0], known) == f"; did you mean {known[0]!r}?"
    assert suggest_name("§" * 70, known) == ""


@pytest.mark.parametrize("amount", ["1m", "100m", "2", "0.5", "1.25", "0.001"])
def test_an_amount_of_cpu_is_taken_as_it_is(amount: str) -> None:
    assert validate_cpu(amount, "cpu") == amount


@pytest.mark.parametrize("amount", ["", "0", "0m", "0.00", "0.0001", "1.5m", "-1", "1k", "x", "1 ", "1\n", "\u0661"])
def test_what_kubernetes_refuses_or_rounds_is_no_amount_of_cpu(amount: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"proxies.cpu is {amount!r}; accepted are CPUs such as '500m'")):
        validate_cpu(amount, "proxies.cpu")


@pytest.mark.parametrize(
    "name",
    [
        "rocketmq",
        "apache/rocketmq",
        "localhost/rocketmq",
        "registry:5000/rocketmq",
        "my-registry:5000/a/b/c",
        "140023393377.dkr.ecr.ap-southeast-1.amazonaws.com/apache/rocketmq",
        "Registry.example.com/apache/rocketmq",
        "a/b__c/d--e/f.g",
    ],
)
def test_an_image_is_named_without_its_tag(name: str) -> None:
    assert validate_image(name, "image") == name
    assert format_image_reference(name, "1", None) == f"{name}:1"
    assert format_image_reference(name, "1", "sha256:0") == f"{name}:1@sha256:0"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "apache/rocketmq:5.5.0",
        "rocketmq@sha256:" + "0" * 64,
        "apache/RocketMQ",
        "Apache/rocketmq",
        "https://registry.example.com/rocketmq",
        "apache//rocketmq",
        "/rocketmq",
        "apache/rocketmq/",
        "apache/ rocketmq",
        "apache/rocketmq\n",
        "registry:/rocketmq",
        "-a/b",
        "a/_b",
        "a" * 256,
    ],
)
def test_what_no_registry_has_is_no_image(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"image is {name!r}; accepted is an image without tag and digest")):
        validate_image(name, "image")


def test_tag_and_digest_are_such() -> None:
    assert validate_image_tag("2.1.0_x-1", "version") == "2.1.0_x-1"
    for tag in ("", ".1", "-1", "1 2", "1@2", "1:2", "1\n", "1" * 129):
        with pytest.raises(ValueError, match=re.escape(f"version is {tag!r}; accepted are up to 128 letters")):
            validate_image_tag(tag, "version")
    assert validate_digest("sha256:" + "0" * 64, "digest") == "sha256:" + "0" * 64
    for found in ("", "latest", "sha256:0", "sha256:" + "0" * 65, "SHA256:" + "0" * 64, "sha256:" + "G" * 64):
        with pytest.raises(ValueError, match=re.escape(f"digest is {found!r}; accepted is 'sha256:' and 64 hex")):
            validate_digest(found, "digest")


def test_labels_are_checked_key_and_value() -> None:
    assert validate_labels({"example.com/team": "mq", "empty": ""}, "labels") == {"example.com/team": "mq", "empty": ""}
    with pytest.raises(ValueError, match=re.escape("labels: 'a b' is no key that Kubernetes accepts")):
        validate_labels({"a b": "c"}, "labels")
    with pytest.raises(ValueError, match=re.escape("labels['a'] is 'b c'; accepted are up to 63 letters")):
        validate_labels({"a": "b c"}, "labels")
