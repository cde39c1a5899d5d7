"""Report and command: text on one screen, JSON by its schema, exit codes, and the dump."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from jsonschema.validators import validator_for
from typer.testing import CliRunner

from eks_rocketmq.commands import cli, doctor_command
from eks_rocketmq.doctor import live_cluster
from eks_rocketmq.doctor.diagnosis import diagnose
from eks_rocketmq.doctor.facts.cluster_facts import Facts, Unreadable
from eks_rocketmq.doctor.facts.fact_files import read_facts, write_facts
from eks_rocketmq.doctor.report import build_json, render_text
from eks_rocketmq.lookups.kubeconfig_files import EksContext, read_eks_context
from scripts import doctor_reference
from tests.unit.doctor.fault_cases import FAULTS
from tests.unit.doctor.healthy_cases import irsa_facts, pod_identity_facts
from tests.unit.doctor.live_case import build_aws, fill_cluster
from tests.unit.doctor.test_diagnosis import ORIGINAL
from tests.unit.kubernetes_api import serving

SCHEMA = json.loads((resources.files("eks_rocketmq.doctor") / "report.schema.json").read_text())
VALIDATOR = validator_for(SCHEMA)(SCHEMA)
ESCAPE = "\x1b["
UNREADABLE = irsa_facts(nodes=Unreadable("list nodes", "list nodes", "403 Forbidden"))


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(doctor_command.app, list(arguments))
    return result.exit_code, result.output


def test_the_original_case_is_reported_on_one_screen() -> None:
    text = render_text(diagnose(ORIGINAL), ORIGINAL)
    assert text.startswith("cluster prod 1.35 (140023393377, ap-southeast-1): broken, 1 cause\n")
    assert text.index("BROKEN  oidc-provider-missing") < text.index("AND THEN  trust-condition-key")
    assert "aws iam create-open-id-connect-provider" in text
    assert "aws iam update-assume-role-policy" in text
    assert "pulumi up -s STACK" in text
    assert len(text.splitlines()) < 50
    assert ESCAPE not in text
    assert ESCAPE in render_text(diagnose(ORIGINAL), ORIGINAL, color=True)


def test_a_healthy_cluster_is_reported_in_a_few_lines() -> None:
    facts = pod_identity_facts()
    text = render_text(diagnose(facts), facts)
    assert "healthy: no fault found" in text
    assert len(text.splitlines()) < 6


def test_missing_permissions_are_listed() -> None:
    text = render_text(diagnose(UNREADABLE), UNREADABLE)
    assert "not judged: no fault found" in text
    assert text.endswith("Missing permissions: list nodes\n")


def test_the_schema_is_valid() -> None:
    VALIDATOR.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "build", [build for _, _, build in FAULTS], ids=[f"{cause}-{variant}" for cause, variant, _ in FAULTS]
)
def test_each_report_matches_the_schema(build: Callable[[], Facts]) -> None:
    facts = build()
    VALIDATOR.validate(build_json(diagnose(facts), facts))


@pytest.mark.parametrize(("facts", "code"), [(irsa_facts(), 0), (ORIGINAL, 1), (UNREADABLE, 2)])
def test_the_exit_code_is_that_of_the_diagnosis(tmp_path: Path, facts: Facts, code: int) -> None:
    write_facts(facts, tmp_path)
    status, text = invoke("--from", str(tmp_path))
    assert status == code
    assert ESCAPE not in text
    status, text = invoke("--from", str(tmp_path), "--json")
    assert status == code
    report = json.loads(text)
    VALIDATOR.validate(report)
    assert report["result"] == ["healthy", "broken", "not-judged"][code]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--claim", "a/b", "--addon", "x"), "Give one of --claim, --service-account and --addon"),
        (("--claim", "data-0"), "--claim data-0: write NAMESPACE/NAME."),
        (("--claim", "a/"), "--claim a/: write NAMESPACE/NAME."),
        (("--kubeconfig", "/nonexistent"), "--kubeconfig /nonexistent: no such file."),
        (("--from", "{dump}", "--dump", "/dev/null/x"), "--dump /dev/null/x: Not a directory. Give a folder"),
        (("--from", "."), "contains no dump"),
        (("--from", "{dump}", "--claim", "a/b"), "claim a/b does not exist"),
    ],
)
def test_a_wrong_argument_is_rejected(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    write_facts(irsa_facts(), tmp_path)
    status, text = invoke(*(each.format(dump=tmp_path) for each in arguments))
    assert (status, message in text) == (2, True)


def test_a_live_cluster_is_judged_and_dumped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    aws = build_aws()
    monkeypatch.setattr(live_cluster, "create_boto_session", lambda *_: aws)
    config, dump = tmp_path / "config", tmp_path / "dump"
    with serving() as api:
        fill_cluster(api)
        config.write_text(api.kubeconfig)
        status, text = invoke(
            "--kubeconfig", str(config), "--cluster", "prod", "--region", "ap-southeast-1", "--dump", str(dump)
        )
    assert status == 0, text
    assert "healthy" in text
    assert diagnose(read_facts(dump)).findings == ()
    assert invoke("--from", str(dump), "--claim", "rocketmq/data-0")[0] == 0


def test_without_a_cluster_name_aws_is_not_judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(live_cluster, "create_boto_session", lambda *_: build_aws())
    config = tmp_path / "config"
    with serving() as api:
        fill_cluster(api)
        config.write_text(api.kubeconfig)
        status, text = invoke("--kubeconfig", str(config))
    assert status == 2
    assert "no cluster name is known; give it with --cluster" in text


def test_the_console_script_has_the_command() -> None:
    result = CliRunner().invoke(cli.app, ["doctor", "--help"])
    assert result.exit_code == 0
    assert "--service-account" in result.output


def test_the_command_loads_no_pulumi(tmp_path: Path) -> None:
    write_facts(irsa_facts(), tmp_path)
    program = (
        "import sys\n"
        f"sys.argv = ['eks-rocketmq', 'doctor', '--from', {str(tmp_path)!r}]\n"
        "from eks_rocketmq.commands.console import main\n"
        "try:\n    main()\nexcept SystemExit as error:\n    print('exit', error.code)\n"
        "import eks_rocketmq.doctor.collectors.aws_reader, eks_rocketmq.doctor.collectors.cluster_reader\n"
        "print({name.partition('.')[0] for name in sys.modules})"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *_, code, modules = result.stdout.splitlines()
    assert code == "exit 0"
    assert not {"pulumi", "pulumi_aws", "pulumi_eks", "pulumi_kubernetes", "grpc"} & set(
        modules.replace("'", " ").split()
    )


EXEC = """
current-context: a
contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: d, user: v}}]
clusters:
  - {name: c, cluster: {server: "https://0A1B.gr7.eu-west-1.eks.amazonaws.com"}}
  - {name: d, cluster: {server: "https://127.0.0.1"}}
users:
  - {name: u, user: {exec: {args: [eks, get-token, --cluster-name, prod], env: [{name: AWS_PROFILE, value: ops}]}}}
  - {name: v, user: {exec: {args: [token, --region=us-east-1, -i, test, --profile, x]}}}
"""
ARN = """
current-context: arn:aws-cn:eks:cn-north-1:123456789012:cluster/china
contexts: [{name: "arn:aws-cn:eks:cn-north-1:123456789012:cluster/china", context: {cluster: c, user: u}}]
"""


@pytest.mark.parametrize(
    ("content", "context", "expected"),
    [
        (EXEC, "", EksContext("prod", "eu-west-1", "ops")),
        (EXEC, "b", EksContext("test", "us-east-1", "x")),
        (EXEC, "c", EksContext()),
        (ARN, "", EksContext("china", "cn-north-1")),
        ("[]", "", EksContext()),
        ("{", "", EksContext()),
    ],
)
def test_the_kubeconfig_names_the_cluster(tmp_path: Path, content: str, context: str, expected: EksContext) -> None:
    file = tmp_path / "config"
    file.write_text(content)
    assert read_eks_context(str(file), context) == expected


def test_the_content_of_a_kubeconfig_names_the_cluster_too() -> None:
    assert read_eks_context(EXEC, "b") == EksContext("test", "us-east-1", "x")


def test_the_page_has_the_current_catalogue_and_rights() -> None:
    text = doctor_reference.PAGE.read_text()
    assert text == doctor_reference.render_page(text), "run `make reference`"
    with pytest.raises(ValueError, match="has no mark"):
        doctor_reference.render_page("")
