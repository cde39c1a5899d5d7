"""Validation functions for names, whole numbers, quantities and images."""

import math
import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.redaction import redact
from eks_rocketmq.args.validation import (
    format_image_reference,
    parse_bytes,
    parse_whole_number,
    reject_duplicates,
    reject_empty,
    reject_ignored_args,
    suggest_name,
    validate_choice,
    validate_cpu,
    validate_digest,
    validate_dns_label,
    validate_image,
    validate_image_tag,
    validate_known_name,
    validate_labels,
    validate_pattern,
    validate_range,
)
from tests.unit.harness.rejections import list_rejections, rejects

NAMESPACE, REPLICAS, QUEUES = ARGS / "namespace", ARGS / "replicas", ARGS / "queues"
STORAGE, TOPICS = ARGS / "storage", ARGS / "topics"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
LABELS = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18} | {
    f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", start=1)
}


@given(LABELS)
def test_valid_dns_labels_are_returned_unchanged(name: str) -> None:
    assert validate_dns_label(name, NAMESPACE) == name


@given(st.text(max_size=70))
def test_exactly_the_dns_labels_of_kubernetes_are_accepted(name: str) -> None:
    accepted = 0 < len(name) <= 63 and set(name) <= set(LETTERS + "-") and name[0] in LETTERS and name[-1] in LETTERS
    if accepted:
        assert validate_dns_label(name, NAMESPACE) == name
    else:
        with pytest.raises(ArgumentError) as raised:
            validate_dns_label(name, NAMESPACE)
        assert list_rejections(raised.value) == [("namespace", "dns-label")]
        assert repr(name) in str(raised.value)


@pytest.mark.parametrize("name", ["a\n", "a.b", "A", "-a", "a-", "", "a" * 64, "é", "a_b", "a b"])
def test_invalid_dns_labels_are_rejected(name: str) -> None:
    with rejects(("namespace", "dns-label")):
        validate_dns_label(name, NAMESPACE)


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_whole_numbers_sent_as_floats_are_parsed(number: int) -> None:
    for given_ in (number, float(number)):
        found = parse_whole_number(given_, REPLICAS)
        assert (found, type(found)) == (number, int)


@given(st.floats() | st.booleans() | st.text(max_size=5) | st.none())
def test_other_values_are_rejected_as_whole_numbers(value: Any) -> None:
    whole = isinstance(value, float) and math.isfinite(value) and value == int(value)
    if not whole:
        with rejects(("replicas", "whole-number")):
            parse_whole_number(value, REPLICAS)


@given(st.integers(), st.integers(-5, 5), st.integers(0, 9) | st.none())
def test_numbers_within_inclusive_bounds_are_accepted(value: int, least: int, width: int | None) -> None:
    most = None if width is None else least + width
    if value in range(least, value + 1 if most is None else most + 1):
        assert validate_range(value, least, most, QUEUES) == value
    else:
        with pytest.raises(ArgumentError) as raised:
            validate_range(value, least, most, QUEUES)
        assert list_rejections(raised.value) == [("queues", "range")]
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        assert str(raised.value) == f"queues: {value} is out of range. Accepted: {bounds}."


def test_a_number_with_bounds_must_be_whole() -> None:
    assert type(validate_range(3.0, 1, 5, QUEUES)) is int
    with rejects(("queues", "whole-number")):
        validate_range(1.5, 1, 5, QUEUES)


@pytest.mark.parametrize("value", ["ab1", "1", "", "a1\n", "A1"])
def test_a_pattern_must_match_the_whole_text(value: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        validate_pattern(re.compile(r"[a-z]\d"), value, ARGS / "name", "own-code", "a letter and a digit, such as 'a1'")
    assert raised.value.code == "own-code"
    assert str(raised.value) == f"name: {value!r} is not accepted. Accepted: a letter and a digit, such as 'a1'."
    assert validate_pattern(re.compile(r"[a-z]\d"), "b2", ARGS / "name", "own-code", "") == "b2"


@given(st.lists(st.sampled_from("abc"), max_size=5))
def test_duplicate_names_are_rejected(names: list[str]) -> None:
    duplicates = ", ".join(repr(name) for name in "abc" if names.count(name) > 1)
    if not duplicates:
        reject_duplicates(names, TOPICS)
    else:
        with pytest.raises(ArgumentError, match=rf"\Atopics: {duplicates} is given more than once\.") as raised:
            reject_duplicates(names, TOPICS)
        assert list_rejections(raised.value) == [("topics", "duplicate")]


@given(st.integers(1, 10**6), st.integers(0, 999), st.sampled_from(sorted(UNITS)))
def test_a_size_is_the_number_times_the_unit(whole: int, thousandths: int, unit: str) -> None:
    exact = Fraction(whole * 1000 + thousandths, 1000) * UNITS[unit]
    text = f"{whole}.{thousandths:03d}{unit}"
    if exact.denominator == 1 and exact < 2**63:
        assert parse_bytes(text, STORAGE) == exact
    else:
        with pytest.raises(ArgumentError) as raised:
            parse_bytes(text, STORAGE)
        assert list_rejections(raised.value) == [("storage", "size")]


@given(st.text(alphabet="0123456789.-+eKMGTPikm \n", max_size=8))
def test_sizes_are_parsed_as_kubernetes_quantities_or_rejected(text: str) -> None:
    try:
        size = parse_bytes(text, STORAGE)
    except ArgumentError as error:
        assert error.path == STORAGE  # noqa: PT017 - other texts are valid sizes
        assert error.code == ("size-without-unit" if re.fullmatch(r"0*[1-9]\d*", text) and len(text) < 7 else "size")  # noqa: PT017
    else:
        assert size >= 1
        assert re.fullmatch(r"\d+(\.\d+)?([KMGTPE]i|[kMGTPE])?", text)


def test_sizes_with_digits_outside_ascii_are_rejected() -> None:
    with pytest.raises(ArgumentError) as raised:
        parse_bytes("\uff11\uff10Gi", STORAGE)
    assert list_rejections(raised.value) == [("storage", "size")]


@given(st.lists(LABELS, min_size=1, max_size=5))
def test_only_known_names_are_suggested(known: list[str]) -> None:
    assert suggest_name(known[0], known) == f"Did you mean {known[0]!r}?"
    assert suggest_name("§" * 70, known) == ""


@pytest.mark.parametrize("amount", ["1m", "100m", "2", "0.5", "1.25", "0.001"])
def test_valid_cpu_quantities_are_returned_unchanged(amount: str) -> None:
    assert validate_cpu(amount, ARGS / "cpu") == amount


@pytest.mark.parametrize("amount", ["", "0", "0m", "0.00", "0.0001", "1.5m", "-1", "1k", "x", "1 ", "1\n", "\u0661"])
def test_cpu_quantities_that_kubernetes_rejects_or_rounds_are_rejected(amount: str) -> None:
    with rejects(("proxies.cpu", "cpu")):
        validate_cpu(amount, ARGS / "proxies" / "cpu")


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
def test_image_names_without_a_tag_are_accepted(name: str) -> None:
    assert validate_image(name, ARGS / "image") == name
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
def test_invalid_image_names_are_rejected(name: str) -> None:
    with rejects(("image", "image")):
        validate_image(name, ARGS / "image")


def test_image_tags_and_digests_are_validated() -> None:
    assert validate_image_tag("2.1.0_x-1", ARGS / "version") == "2.1.0_x-1"
    for tag in ("", ".1", "-1", "1 2", "1@2", "1:2", "1\n", "1" * 129):
        with rejects(("version", "image-tag")):
            validate_image_tag(tag, ARGS / "version")
    assert validate_digest("sha256:" + "0" * 64, ARGS / "digest") == "sha256:" + "0" * 64
    for found in ("", "latest", "sha256:0", "sha256:" + "0" * 65, "SHA256:" + "0" * 64, "sha256:" + "G" * 64):
        with rejects(("digest", "image-digest")):
            validate_digest(found, ARGS / "digest")


def test_label_keys_and_values_are_validated() -> None:
    labels = {"example.com/team": "mq", "empty": ""}
    assert validate_labels(labels, ARGS / "labels") == labels
    with rejects(("labels", "qualified-name")):
        validate_labels({"a b": "c"}, ARGS / "labels")
    with rejects(("labels['a']", "label-value")):
        validate_labels({"a": "b c"}, ARGS / "labels")


@pytest.mark.parametrize("name", ["db.{zone}", "{", "}", "{0}", "{{}}"])
def test_a_suggested_name_may_contain_braces(name: str) -> None:
    error = ArgumentError(ARGS / "group", "own-code", "unknown", remedy=suggest_name(name, [name]))
    assert str(error) == f"group: unknown. Did you mean {name!r}?"


@given(st.integers(1, 999_999))
def test_a_size_without_a_unit_gets_an_example_unless_it_is_secret(number: int) -> None:
    for quantity, shown in ((str(number), str(number)), (redact(str(number)), "[secret]")):
        with pytest.raises(ArgumentError, match=r"\Astorage: ") as raised:
            parse_bytes(quantity, STORAGE)
        assert raised.value.code == "size-without-unit"
        assert str(raised.value).endswith(f" Write '{shown}{'Gi' if number < 1000 else 'Mi'}', for example.")


def test_an_argument_that_another_one_makes_meaningless_is_rejected() -> None:
    given_: dict[str, Any] = {"role_arn": "arn", "role_name": "x", "managed_policies": [], "tags": {"a": "b"}}
    with rejects(("driver.role_name", "ignored-argument"), ("driver.tags", "ignored-argument")):
        reject_ignored_args(
            given_, ["role_name", "managed_policies", "tags"], ARGS / "driver", ARGS / "driver" / "role_arn", "is given"
        )
    reject_ignored_args(given_, ["managed_policies", "absent"], ARGS, ARGS / "role_arn", "is given")


def test_an_empty_list_is_rejected() -> None:
    reject_empty(["a"], ARGS / "sources", "every address")
    with rejects(("sources", "empty-list")):
        reject_empty([], ARGS / "sources", "every address")


def test_a_choice_must_be_an_accepted_value() -> None:
    assert validate_choice("dev", ["dev", "strict"], ARGS / "profile") == "dev"
    for value in ("Dev", "", None, 1, ["dev"]):
        with rejects(("profile", "choice")):
            validate_choice(value, ["dev", "strict"], ARGS / "profile")


def test_an_object_name_is_validated_once_it_is_known() -> None:
    for name in (None, object(), "a.b", "a"):
        validate_known_name(name, ARGS / "config_map")
    for name in ("", "A", "a..b", "a" * 254, "a_b"):
        with rejects(("config_map", "dns-subdomain")):
            validate_known_name(name, ARGS / "config_map")
