"""Every cause of the catalogue: facts with this fault alone give this cause and no other."""

import re
from collections.abc import Callable

import pytest

from eks_rocketmq.args.arg_schema import collect_field_names
from eks_rocketmq.args.argument_path import to_camel_case
from eks_rocketmq.doctor.catalogue.causes import CAUSES
from eks_rocketmq.doctor.catalogue.symptoms import SYMPTOMS, find_text, is_known_message
from eks_rocketmq.doctor.collectors.kubernetes_parsers import redact
from eks_rocketmq.doctor.diagnosis import ExitCode, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import Facts
from eks_rocketmq.stack.stack_keys import KEYS
from tests.unit.doctor import healthy_cases
from tests.unit.doctor.fault_cases import FAULTS
from tests.unit.harness import REPOSITORY

HEALTHY = [
    healthy_cases.irsa_facts,
    healthy_cases.staging_facts,
    healthy_cases.pod_identity_facts,
    healthy_cases.self_managed_facts,
    healthy_cases.auto_mode_facts,
    healthy_cases.node_role_facts,
]


@pytest.mark.parametrize("build", HEALTHY, ids=lambda build: build.__name__)
def test_a_healthy_cluster_gives_no_finding(build: Callable[[], Facts]) -> None:
    diagnosis = diagnose(build())
    assert diagnosis.findings == ()
    assert [each for chain in diagnosis.chains for each in chain.undecided] == []
    assert diagnosis.exit_code is ExitCode.HEALTHY


@pytest.mark.parametrize(
    ("cause", "build"), [pytest.param(cause, build, id=f"{cause}-{variant}") for cause, variant, build in FAULTS]
)
def test_a_fault_is_the_only_cause(cause: str, build: Callable[[], Facts]) -> None:
    diagnosis = diagnose(build())
    assert [each.id_ for each in diagnosis.findings] == [cause]
    assert [each.id_ for chain in diagnosis.chains for each in chain.further] == []
    assert diagnosis.exit_code is ExitCode.BROKEN
    (finding,) = diagnosis.findings
    assert finding.is_
    assert finding.should_be
    assert finding.commands


def test_each_cause_has_a_fault() -> None:
    assert {cause for cause, _, _ in FAULTS} == set(CAUSES)


def test_each_cause_is_in_a_row_and_each_row_names_known_causes() -> None:
    assert {cause for row in SYMPTOMS for cause in row.causes} == set(CAUSES)
    assert len({row.id_ for row in SYMPTOMS}) == len(SYMPTOMS)


def list_settings(text: str) -> list[list[str]]:
    """Return the keys of the stack file that a fix names, split at the dots."""
    found = [each.partition(":")[0].split(".") for each in re.findall(r"`([^`]+)`", text)]
    return [each for each in found if each[0] in KEYS]


def test_each_setting_of_a_fix_exists() -> None:
    settings = [each for cause in CAUSES.values() for each in list_settings(cause.settings)]
    assert len(settings) > 30
    for key, *names in settings:
        assert set(names) <= set(map(to_camel_case, collect_field_names(KEYS[key].type_))), key


def test_each_message_is_found_in_a_text() -> None:
    for row in SYMPTOMS:
        for sees in row.sees:
            text = f"rpc error: {sees.replace('…', 'x')} (3 times)"
            assert find_text(row.id_, ["other", text]) == text
            assert is_known_message(text)
            assert redact(text) == text
    assert find_text("provider", ["other", ""]) == ""
    assert not is_known_message("started")


def test_the_comparison_with_other_tools_has_each_cause_once() -> None:
    page = (REPOSITORY / "docs" / "reference" / "doctor-and-other-tools.md").read_text(encoding="utf-8")
    table = page.partition("## By cause")[2].partition("## By use")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`([\w-]+)`", " ".join(rows))) == sorted(CAUSES)
