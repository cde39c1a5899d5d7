"""Report and command: text on one screen, JSON by its schema, exit codes, and the dump."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for
from typer.testing import CliRunner

from eks_rocketmq.commands import cli, doctor_command
from eks_rocketmq.doctor import live_cluster
from eks_rocketmq.doctor.diagnosis import diagnose
from eks_rocketmq.doctor.facts.cluster_facts import Facts, RoleFacts, ServiceAccountFacts, Unreadable
from eks_rocketmq.doctor.facts.fact_files import read_facts, write_facts
from eks_rocketmq.doctor.report import build_json, render_text
from eks_rocketmq.lookups.kubeconfig_files import EksContext, read_eks_context
from scripts import doctor_reference
from tests.unit.doctor.fault_cases import FAULTS
from tests.unit.doctor.healthy_cases import (
    AUDIENCE,
    HOST,
    ROLE,
    broker_pod,
    claim,
    driver_pod,
    irsa_facts,
    pod_event,
    pod_identity_facts,
    trust_policy,
)
from tests.unit.doctor.live_case import build_aws, fill_cluster
from tests.unit.doctor.test_diagnosis import ORIGINAL
from tests.unit.harness.fakes import ACCOUNT, REGION
from tests.unit.kubernetes_api import Api

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


def test_a_live_cluster_is_judged_and_dumped(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    aws = build_aws()
    monkeypatch.setattr(live_cluster, "create_boto_session", lambda *_: aws)
    config, dump = tmp_path / "config", tmp_path / "dump"
    fill_cluster(api)
    config.write_text(api.kubeconfig)
    status, text = invoke(
        "--kubeconfig", str(config), "--cluster", "prod", "--region", "ap-southeast-1", "--dump", str(dump)
    )
    assert status == 0, text
    assert "healthy" in text
    assert diagnose(read_facts(dump)).findings == ()
    assert invoke("--from", str(dump), "--claim", "rocketmq/data-0")[0] == 0


def test_without_a_cluster_name_aws_is_not_judged(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(live_cluster, "create_boto_session", lambda *_: build_aws())
    config = tmp_path / "config"
    fill_cluster(api)
    config.write_text(api.kubeconfig)
    status, text = invoke("--kubeconfig", str(config))
    assert status == 2
    assert "no cluster name is known; give it with --cluster" in text


OTHER_ACCOUNT = "111122223333"


def rename_context(kubeconfig: str) -> str:
    """Return a kubeconfig whose context has the name of a cluster of another account."""
    config = yaml.safe_load(kubeconfig)
    name = f"arn:aws:eks:{REGION}:{OTHER_ACCOUNT}:cluster/prod"
    config["contexts"][0]["name"] = config["current-context"] = name
    return json.dumps(config)


def test_a_kubeconfig_of_another_account_is_not_judged_with_the_facts_of_the_caller(
    api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    aws = build_aws()
    monkeypatch.setattr(live_cluster, "create_boto_session", lambda *_: aws)
    config, dump = tmp_path / "config", tmp_path / "dump"
    fill_cluster(api)
    config.write_text(rename_context(api.kubeconfig))
    status, text = invoke("--kubeconfig", str(config), "--dump", str(dump))
    assert status == 2, text
    assert f"the kubeconfig is for a cluster of account {OTHER_ACCOUNT}, and the AWS credentials are of {ACCOUNT}" in (
        " ".join(text.split())
    )
    facts = read_facts(dump)
    assert isinstance(facts.account, Unreadable)
    assert (facts.account, facts.account) == (facts.cluster, facts.modifications)
    assert (facts.roles, facts.trials) == ((), ())
    assert not isinstance(facts.workloads, Unreadable)
    assert "GetRole" not in {operation for _, operation in aws.calls}


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
users: [{name: w, user: {exec: {args: [--role-arn, "arn:aws-cn:iam::111122223333:role/x"]}}}]
"""


@pytest.mark.parametrize(
    ("content", "context", "expected"),
    [
        (EXEC, "", EksContext("prod", "eu-west-1", "ops", endpoint="https://0A1B.gr7.eu-west-1.eks.amazonaws.com")),
        (EXEC, "b", EksContext("test", "us-east-1", "x")),
        (EXEC, "c", EksContext()),
        (ARN, "", EksContext("china", "cn-north-1", account="123456789012")),
        (ARN.replace("user: u", "user: w"), "", EksContext("china", "cn-north-1", account="123456789012")),
        (
            EXEC.replace("--profile, x", "--role-arn, arn:aws:iam::111122223333:role/x"),
            "b",
            EksContext("test", "us-east-1", account="111122223333"),
        ),
        ("[]", "", EksContext()),
        ("{", "", EksContext()),
    ],
)
def test_the_kubeconfig_names_the_cluster(tmp_path: Path, content: str, context: str, expected: EksContext) -> None:
    file = tmp_path / "config"
    file.write_text(content)
    assert read_eks_context(str(file), context) == expected


def test_a_binary_file_names_no_cluster(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_bytes(b"\xff\xfe")
    assert read_eks_context(str(file)) == EksContext()


def test_the_content_of_a_kubeconfig_names_the_cluster_too() -> None:
    assert read_eks_context(EXEC, "b") == EksContext("test", "us-east-1", "x")


def test_the_page_has_the_current_catalogue_and_rights() -> None:
    text = doctor_reference.PAGE.read_text()
    assert text == doctor_reference.render_page(text), "run `make reference`"
    with pytest.raises(ValueError, match="has no mark"):
        doctor_reference.render_page("")


NAMES = [f"team-{number:02}" for number in range(20)]


def with_accounts(facts: Facts, trusted: Callable[[str], str] = lambda subject: subject) -> Facts:
    """Return facts with twenty more service accounts of IRSA, each with a role and a pod.

    Args:
        facts: facts of the cluster.
        trusted: returns the subject that the role of a subject trusts.
    """
    accounts = [ServiceAccountFacts("apps", each, f"{ROLE}-{each}") for each in NAMES]
    pods = [
        replace(
            driver_pod(f"{each.name}-0", namespace="apps", service_account=each.name, owner=f"Deployment/{each.name}"),
            environment=(("AWS_ROLE_ARN", each.role_arn), *driver_pod().environment[1:]),
        )
        for each in accounts
    ]
    roles = [
        RoleFacts(
            each.role_arn,
            trust_policy=trust_policy(
                {"StringEquals": {f"{HOST}:sub": trusted(each.subject), f"{HOST}:aud": AUDIENCE}}
            ),
        )
        for each in accounts
    ]
    return replace(
        facts,
        service_accounts=(*facts.service_accounts, *accounts),  # ty: ignore[not-iterable]
        pods=(*facts.pods, *pods),  # ty: ignore[not-iterable]
        roles=(*facts.roles, *roles),
    )


def test_a_cause_of_many_service_accounts_is_one_finding_on_one_screen() -> None:
    facts = with_accounts(ORIGINAL)
    diagnosis = diagnose(facts)
    (finding,) = diagnosis.findings
    assert finding.id_ == "oidc-provider-missing"
    assert {f"service account apps/{each}" for each in NAMES} < set(finding.affected)
    assert {f"claim {claim(each).id_}" for each in range(3)} < set(finding.affected)
    text = render_text(diagnosis, facts)
    assert "broken, 1 cause\n" in text
    assert (text.count("\nBROKEN  oidc-provider-missing"), text.count("create-open-id-connect-provider")) == (1, 1)
    assert "service account apps/team-03, and 16 more" in text
    assert len(text.splitlines()) < 45
    report = build_json(diagnosis, facts)
    VALIDATOR.validate(report)
    (found,) = report["findings"]
    assert found["affected"] == list(finding.affected)
    # Node plugin, class and claims are the other chains.
    assert len([each for each in report["chains"] if each["chain"] == "identity"]) == 21


def test_a_replaced_cluster_with_many_roles_fits_on_one_screen() -> None:
    facts = with_accounts(ORIGINAL, lambda subject: f"{subject}-old")
    text = render_text(diagnose(facts), facts)
    assert "AND THEN  trust-subject: the same for 18 service accounts apps/team-02, apps/team-03" in text
    assert "AND THEN  trust-condition-key" in text
    assert len(text.splitlines()) < 60
    commands = [command for each in build_json(diagnose(facts), facts)["chains"] for command in list_commands(each)]
    assert sum("update-assume-role-policy" in each for each in commands) == 21


def list_commands(chain: dict[str, Any]) -> list[str]:
    return [command for link in chain["links"] if link["finding"] for command in link["finding"]["commands"]]


def test_causes_with_different_fixes_stay_apart_and_are_shortened() -> None:
    facts = with_accounts(irsa_facts(), lambda subject: f"{subject}-old")
    diagnosis = diagnose(facts)
    assert len(diagnosis.findings) == 20
    text = render_text(diagnosis, facts)
    assert (text.count("BROKEN  trust-subject"), text.count("update-assume-role-policy")) == (3, 2)
    assert "the same for 18 service accounts apps/team-02" in text
    assert len(text.splitlines()) < 45
    assert len(build_json(diagnosis, facts)["findings"]) == 20
    # Three are shown in full.
    few = replace(facts, service_accounts=facts.service_accounts[:4])  # ty: ignore[not-subscriptable]
    text = render_text(diagnose(few), few)
    assert (text.count("update-assume-role-policy"), text.count("the same for")) == (3, 0)


def test_many_healthy_service_accounts_are_one_line() -> None:
    facts = with_accounts(irsa_facts())
    text = render_text(diagnose(facts), facts)
    assert "healthy: no fault found" in text
    assert "ok          identity: 21 service accounts kube-system/ebs-csi-controller-sa, apps/team-00" in text
    assert "and 16 more, 15 of 15 links ok" in text
    assert len(text.splitlines()) < 6


def test_roles_that_cannot_be_read_are_one_line_each_check() -> None:
    facts = with_accounts(irsa_facts())
    roles = tuple(
        Unreadable(f"iam:GetRole for {each.arn}", f"iam:GetRole on {each.arn}", "AccessDenied")
        for each in facts.roles
        if isinstance(each, RoleFacts)
    )
    facts = replace(facts, roles=roles)
    text = render_text(diagnose(facts), facts)
    assert f"role exists: iam:GetRole for {ROLE}-team-00 failed: AccessDenied (and 19 similar)" in text
    assert f"Missing permissions: iam:GetRole on {ROLE} and 20 more resources\n" in text
    assert len(text.splitlines()) < 16


def test_claims_with_different_events_are_shown_with_their_events() -> None:
    pods = tuple(broker_pod(each, phase="Pending", ready=False) for each in range(2))
    events = tuple(pod_event(each, f"IncorrectState of {each.name}", "FailedAttachVolume") for each in pods)
    facts = irsa_facts(pods=(driver_pod(), *pods), events=events)
    text = render_text(diagnose(facts), facts)
    for each in events:
        assert each.message in text
