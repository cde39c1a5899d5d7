"""Metadata in field annotations, as type checkers and the library read it."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from pulumi import Input

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.field_metadata import (
    REPLACES,
    SENSITIVE,
    Enumeration,
    Replacing,
    Sensitive,
    get_accepted_values,
    get_properties,
)
from tests.unit.harness import REPOSITORY
from tests.unit.harness.rejections import list_rejections, rejects

Colour = Annotated[Literal["red", "blue"], Enumeration("Colour")]


@pytest.mark.parametrize(
    ("hint", "found", "values"),
    [
        (str, set(), ()),
        (NotRequired[str], set(), ()),
        (Replacing[str], {REPLACES}, ()),
        (NotRequired[Replacing[Input[str]]], {REPLACES}, ()),
        (NotRequired[Replacing[Sensitive[str]]], {REPLACES, SENSITIVE}, ()),
        (Colour, set(), ("red", "blue")),
        (NotRequired[Replacing[Colour]], {REPLACES}, ("red", "blue")),
        (NotRequired[list[Colour]], set(), ("red", "blue")),
        (list[Replacing[str]], set(), ()),
    ],
)
def test_metadata_is_found_in_every_form_of_an_annotation(hint: Any, found: set[Any], values: tuple[str, ...]) -> None:
    assert get_properties(hint) == found
    assert get_accepted_values(hint) == values


class Painted(TypedDict):
    """Type with every kind of annotation."""

    colour: Replacing[Colour]
    others: NotRequired[list[Colour]]
    word: NotRequired[Sensitive[str]]


def test_annotated_fields_are_validated_by_their_types() -> None:
    validate_args({"colour": "red", "others": ["blue"], "word": "x"}, Painted)
    with rejects(("colour", "wrong-type")):
        validate_args({"colour": 3}, Painted)
    with rejects(("others[0]", "wrong-type")):
        validate_args({"colour": "red", "others": [3]}, Painted)


def test_an_error_does_not_show_the_value_of_a_sensitive_field() -> None:
    with pytest.raises(ArgumentError) as raised:
        validate_args({"colour": "red", "word": 12345678}, Painted)
    assert str(raised.value) == "word: the value has the wrong type. Accepted: a string."
    assert 12345678 not in raised.value.message.values.values()


class Vault(TypedDict):
    """Type with a sensitive object."""

    safe: Sensitive[dict[str, Painted]]


def test_an_error_does_not_show_values_inside_a_sensitive_field() -> None:
    with pytest.raises(ArgumentError) as raised:
        validate_args({"safe": {"a": {"colour": 12345678}}}, Vault)
    assert list_rejections(raised.value) == [("safe['a'].colour", "wrong-type")]
    assert "12345678" not in str(raised.value)


@pytest.mark.parametrize(
    ("profile", "accepted"), [("strict", True), ("balanced", True), ("strickt", False), ("Strict", False)]
)
def test_a_type_checker_accepts_only_the_enumerated_values(tmp_path: Path, profile: str, accepted: bool) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from eks_rocketmq import RocketMqArgs\n"
        f'args: RocketMqArgs = {{"namespace": "mq", "storage_class": "gp2", "profile": "{profile}",'
        ' "broker_groups": [{"name": "a"}]}\n'
    )
    command = [Path(sys.executable).with_name("ty"), "check", "--python", sys.prefix, program]
    done = subprocess.run(
        [*command, "--project", REPOSITORY], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert (done.returncode == 0) is accepted, done.stdout + done.stderr
    assert accepted or 'Literal["strict", "balanced", "dev"]' in done.stdout
