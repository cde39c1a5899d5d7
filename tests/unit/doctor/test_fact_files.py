"""Dump of facts: written and read without loss, and without secrets."""

import json
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from eks_rocketmq.commands.doctor_command import app
from eks_rocketmq.doctor.diagnosis import ExitCode, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import Facts, Unreadable
from eks_rocketmq.doctor.facts.fact_files import DumpError, read_facts, write_facts
from tests.unit.doctor.fault_cases import FAULTS
from tests.unit.doctor.healthy_cases import irsa_facts
from tests.unit.doctor.test_catalogue import HEALTHY


def test_facts_are_read_as_they_were_written(tmp_path: Path) -> None:
    unreadable = Unreadable("list pods", "list pods", "403 Forbidden")
    cases = [build() for _, _, build in FAULTS]
    cases += [irsa_facts(**{each.name: unreadable}) for each in fields(Facts) if Unreadable in get_args(each.type)]
    for number, facts in enumerate(cases):
        folder = tmp_path / str(number)
        write_facts(facts, folder)
        assert read_facts(folder) == facts


def test_a_missing_file_is_an_unreadable_fact(tmp_path: Path) -> None:
    write_facts(irsa_facts(), tmp_path)
    (tmp_path / "providers.json").unlink()
    facts = read_facts(tmp_path)
    assert facts.providers == Unreadable("read providers.json", "", "the dump has no file providers.json")
    assert diagnose(facts).exit_code is ExitCode.NOT_JUDGED


def test_a_field_of_a_newer_version_is_ignored(tmp_path: Path) -> None:
    write_facts(irsa_facts(), tmp_path)
    file = tmp_path / "cluster.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "newer": 1}))
    assert read_facts(tmp_path) == irsa_facts()


SHAPES = {each.__name__: each for each in HEALTHY}
DUMPS = Path(__file__).with_name("dumps")
"""Dumps. Their README says how each was made."""
HEALTHY_DUMPS = ("incident-cured", "self-managed")


@pytest.mark.parametrize("shape", [*SHAPES, *HEALTHY_DUMPS])
def test_a_dump_of_a_healthy_cluster_has_no_fault(tmp_path: Path, shape: str) -> None:
    folder = DUMPS / shape
    if shape in SHAPES:
        folder = tmp_path
        write_facts(SHAPES[shape](), folder)
    result = CliRunner().invoke(app, ["--from", str(folder), "--json"])
    assert result.exit_code == ExitCode.HEALTHY, result.output
    links = [link for chain in json.loads(result.output)["chains"] for link in chain["links"]]
    assert [each for each in links if each["finding"] or each["state"] == "not-judged"] == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("format.json", None, "contains no dump: format.json is missing"),
        ("format.json", "99", "format 99 is unknown"),
        ("pods.json", "{", "pods.json cannot be read"),
        ("pods.json", '[{"name": 1}]', r"pods.json: not in the format of a dump \(1 is not of type"),
        ("pods.json", '[{"name": "x"}]', "pods.json: not in the format of a dump"),
        ("webhook.json", '"yes"', "webhook.json: not in the format of a dump"),
    ],
)
def test_a_malformed_dump_is_rejected(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    write_facts(irsa_facts(), tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(DumpError, match=message):
        read_facts(tmp_path)
