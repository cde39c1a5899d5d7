"""Validation of the tags of AWS resources."""

import pulumi
import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_tags import EC2_ONLY, TagFormat, validate_tags
from tests.unit.harness import run
from tests.unit.harness.rejections import rejects


@pytest.mark.parametrize(
    "tags",
    [{}, {"k" * 128: "v" * 256}, {"Kostenträger": ""}, {"a b_.:/=+-@": "1 2_.:/=+-@"}, {"awsome": "aws:x"}],
)
def test_tags_that_every_service_accepts(tags: dict[str, str]) -> None:
    validate_tags(tags, ARGS / "tags")


def test_the_value_of_an_output_is_left_to_aws() -> None:
    run(lambda: validate_tags({"team": pulumi.Output.from_input("x" * 257)}, ARGS / "tags"))


def test_ec2_accepts_more_characters() -> None:
    validate_tags({"a,b|c": "{d}"}, ARGS / "tags", EC2_ONLY)


def test_ec2_distinguishes_the_case_of_letters() -> None:
    validate_tags({"Team": "x", "team": "y"}, ARGS / "tags", EC2_ONLY)


def test_the_number_of_tags_includes_those_of_the_component() -> None:
    validate_tags({str(i): "x" for i in range(48)}, ARGS / "tags", added=2)
    with rejects(("tags", "tag-count")):
        validate_tags({str(i): "x" for i in range(49)}, ARGS / "tags", added=2)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("", "x", "tag-key"),
        ("k" * 129, "x", "tag-key"),
        ("aws:team", "x", "tag-key"),
        ("Aws:team", "x", "tag-key"),
        ("mine/team", "x", "tag-key"),
        ("a,b", "x", "tag-key"),
        ("team", "x" * 257, "tag-value"),
        ("team", "{shop}", "tag-value"),
    ],
)
def test_tags_that_aws_refuses_are_rejected(key: str, value: str, code: str) -> None:
    with rejects((str((ARGS / "tags").key(key)), code)):
        validate_tags({key: value}, ARGS / "tags", TagFormat(prefixes=("mine/",)))
