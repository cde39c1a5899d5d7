"""`eks-rocketmq adopt`: engine calls, import file, output and errors."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from typer.testing import CliRunner, Result

from eks_rocketmq.commands import adopt, cli, pulumi_cli
from eks_rocketmq.lookups.aws_resources import ROLE
from eks_rocketmq.lookups.aws_session import AccountUnknownError
from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE
from tests.unit.adopt_case import DIGEST, IMPORT_FILE, Account


class Cli:
    """The command with a fake engine that records its calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        self.engine_calls: list[list[str]] = []
        self.skipped_preflight: list[bool] = []
        self.imported: dict[str, Any] = {}
        self.preview_result = (0, json.dumps(DIGEST), "")
        self.import_code = 0
        self.state: dict[str, Any] = {"version": 3, "deployment": {"resources": []}}
        self.restored: dict[str, Any] = {}
        (folder / "Pulumi.yaml").write_text("name: eks-rocketmq\n")
        monkeypatch.setattr(pulumi_cli.shutil, "which", lambda _: "/opt/pulumi")
        monkeypatch.setattr(pulumi_cli.subprocess, "run", self._run)
        monkeypatch.setattr(cli, "find_object", lambda *_: None)
        monkeypatch.setattr(cli, "create_session", dict)

    def _run(self, argv: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.engine_calls.append(argv[1:])
        self.skipped_preflight.append(SKIP_VARIABLE in options["env"])
        assert argv[-3:] == ["--stack", "prod", "--non-interactive"]
        assert options["cwd"] == self.folder
        code, out, err = 0, "", ""
        if "--import-file" in argv:
            Path(argv[argv.index("--import-file") + 1]).write_text(json.dumps(IMPORT_FILE))
            code, out, err = self.preview_result
        elif argv[1:3] == ["stack", "export"]:
            out = json.dumps(self.state)
        elif argv[1:3] == ["stack", "import"]:
            self.restored = json.loads(Path(argv[argv.index("--file") + 1]).read_text())
        elif argv[1] == "import":
            self.imported = json.loads(Path(argv[argv.index("--file") + 1]).read_text())
            code = self.import_code
        return subprocess.CompletedProcess(argv, code, out, err)

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli.app, ["adopt", "-s", "prod", "-C", str(self.folder), *arguments])


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(monkeypatch, tmp_path)


def test_existing_resources_are_listed_and_imported_and_the_diff_is_shown(
    command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver"})
    result = command("--yes")
    assert result.exit_code == 0, result.output
    assert "eks-ebs-csi-driver" in result.output
    assert "The next `pulumi up -s prod` will correct this" in result.output
    _, preview, imported, diff = command.engine_calls
    assert preview[:3] == ["preview", "--json", "--show-sames"]
    assert imported[0] == "import"
    assert imported[3:7] == ["--yes", "--skip-preview", "--generate-code=false", "--protect=true"]
    assert diff[:2] == ["preview", "--diff"]
    assert [spec["name"] for spec in command.imported["resources"]] == [
        "ebs-csi",
        "ebs-csi-driver",
        "ebs-csi-driver-role",
    ]


def test_only_the_preview_for_the_import_skips_the_preflight_check(
    command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver"})
    command("--yes")
    assert command.skipped_preflight == [False, True, False, False]


@pytest.mark.parametrize(
    ("account", "text"),
    [
        ({"owner": "eks-rocketmq/staging"}, "Role 'driver' belongs to stack 'eks-rocketmq/staging'"),
        ({"objection": "It would lose something."}, "It would lose something."),
    ],
)
def test_nothing_is_imported_when_one_resource_is_blocked(
    command: Cli, monkeypatch: pytest.MonkeyPatch, account: dict[str, str], text: str
) -> None:
    Account(monkeypatch, aws={ROLE: "driver"}, **account)  # ty: ignore[invalid-argument-type]
    result = command("--yes")
    assert result.exit_code == 1
    assert "Nothing was imported, because this must not be imported as it is planned:" in result.output
    assert text in result.output
    for setting in ("oidc.existing or ebsCsi.existing to true", "rocketmq.createNamespace to false"):
        assert setting in result.output
    assert [call[0] for call in command.engine_calls] == ["stack", "preview"]


def test_a_second_run_has_nothing_to_adopt(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Account(monkeypatch, aws={})
    result = command("--yes")
    assert result.exit_code == 0
    assert "Nothing to adopt" in result.output
    assert [call[0] for call in command.engine_calls] == ["stack", "preview"]


def test_without_a_terminal_and_without_yes_nothing_is_imported(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver"})
    result = command()
    assert result.exit_code == 1
    assert "give --yes" in result.output
    assert [call[0] for call in command.engine_calls] == ["stack", "preview"]


def test_engine_errors_are_shown_when_the_preview_fails(command: Cli) -> None:
    diagnostics = [{"severity": "warning", "message": "w"}, {"severity": "error", "message": "no stack named 'prod'\n"}]
    command.preview_result = (255, json.dumps({"diagnostics": diagnostics}), "")
    result = command("--yes")
    assert result.exit_code == 1
    assert "pulumi preview -s prod failed:\nno stack named 'prod'\n" in result.output


def test_standard_error_is_shown_when_the_preview_does_not_start(command: Cli) -> None:
    command.preview_result = (255, "", "error: no Pulumi.yaml project file found\n")
    assert "no Pulumi.yaml project file found" in command("--yes").output


def test_a_failed_import_is_reported_without_a_diff(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver"})
    command.import_code = 1
    result = command("--yes")
    assert result.exit_code == 1
    assert "pulumi import -s prod failed" in result.output
    assert [call[0] for call in command.engine_calls] == ["stack", "preview", "import"]


def test_interrupted_operations_are_recovered_before_the_preview(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver"})
    role = {"urn": "urn:pulumi:prod::p::aws:iam/role:Role::role", "type": ROLE, "inputs": {"name": "r"}, "provider": ""}
    command.state["deployment"]["pending_operations"] = [{"type": "creating", "resource": role}]

    result = command("--yes")

    assert "interrupted in the middle of 1 operations" in result.output
    assert "  imported     role  aws:iam/role:Role\n      eks-ebs-csi-driver\n" in result.output
    assert [call[:2] for call in command.engine_calls[:3]] == [
        ["stack", "export"],
        ["stack", "import"],
        ["refresh", "--yes"],
    ]
    assert [resource["id"] for resource in command.restored["deployment"]["resources"]] == ["eks-ebs-csi-driver"]


def test_an_undetermined_create_is_reported_and_the_state_is_unchanged(
    command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    Account(monkeypatch, aws={})
    bucket = {"urn": "urn:pulumi:prod::p::a:b:C$aws:s3/bucket:Bucket::files", "type": "aws:s3/bucket:Bucket"}
    command.state["deployment"]["pending_operations"] = [{"type": "creating", "resource": bucket}]
    result = command("--yes")
    assert result.exit_code == 1
    assert "It is unknown whether these were created:\n  files  aws:s3/bucket:Bucket\n" in result.output
    assert result.output.endswith("would create them a second time. Nothing was imported.\n")
    assert [call[:2] for call in command.engine_calls] == [["stack", "export"]]

    result = command("--yes", "--absent", "files")
    assert "  not created  files  aws:s3/bucket:Bucket\n" in result.output
    assert command.restored["deployment"]["resources"] == []


def test_a_missing_pulumi_cli_is_reported_with_the_remedy(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi_cli.shutil, "which", lambda _: None)
    result = command("--yes")
    assert result.exit_code == 1
    assert "pulumi is not on PATH; install the Pulumi CLI" in result.output


@pytest.mark.parametrize(
    ("error", "text"),
    [(NoCredentialsError(), "Unable to locate credentials"), (AccountUnknownError("keys are secret"), "keys are s")],
)
def test_an_aws_error_is_reported(command: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception, text: str) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(adopt, "find_resource", fail)
    result = command("--yes")
    assert result.exit_code == 1
    assert f"AWS cannot be asked what exists: {text}" in result.output
