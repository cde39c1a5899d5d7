"""Distribution of the library: extras, version, licence, links on the package index, and lock files."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

import eks_rocketmq
from eks_rocketmq.commands.cli import app
from eks_rocketmq.distribution import explain_missing_extra, get_version
from scripts.release import ReleaseError, require_version
from tests.unit.harness import REPOSITORY

LIBRARY = REPOSITORY / "components"
PROJECT = tomllib.loads((LIBRARY / "pyproject.toml").read_text())["project"]


def test_the_version_is_the_same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert eks_rocketmq.__version__ == get_version() == PROJECT["version"]
    assert CliRunner().invoke(app, ["--version"]).output == f"eks-rocketmq {PROJECT['version']}\n"

    def raise_not_found(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    # The engine runs a plugin in its folder, so the package is not installed.
    monkeypatch.setattr(metadata, "version", raise_not_found)
    assert get_version() == PROJECT["version"]


def test_the_command_line_supports_shell_completion() -> None:
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).output


PROGRAM = """
import sys
sys.modules.update(dict.fromkeys({modules!r}))
{statement}
"""


def run_without(modules: list[str], statement: str) -> subprocess.CompletedProcess[str]:
    """Run a statement in an interpreter in which some modules are missing."""
    program = PROGRAM.format(modules=modules, statement=statement)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_rocketmq_and_the_storage_class_need_no_extra() -> None:
    modules = ["boto3", "botocore", "pulumi_aws", "pulumi_eks", "rich", "typer"]
    result = run_without(modules, "from eks_rocketmq import RocketMq, EbsStorageClass")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("modules", "statement", "message"),
    [
        (
            ["pulumi_aws"],
            "from eks_rocketmq import IrsaRole",
            "eks_rocketmq.IrsaRole needs the extra 'eks', whose package pulumi_aws is missing: "
            "pip install 'eks-rocketmq[eks]'",
        ),
        (
            ["typer"],
            "from eks_rocketmq.commands.console import main; main()",
            "eks-rocketmq needs the extra 'cli', whose package typer is missing: pip install 'eks-rocketmq[cli]'",
        ),
    ],
)
def test_the_error_names_a_missing_extra(modules: list[str], statement: str, message: str) -> None:
    result = run_without(modules, statement)
    assert result.returncode == 1
    assert result.stderr.strip().endswith(message)


def test_the_error_of_another_missing_module_is_unchanged() -> None:
    error = ModuleNotFoundError("No module named 'grpc'", name="grpc")
    assert explain_missing_extra(error, "eks_rocketmq.RocketMq") is error


def test_the_licence_matches_the_licence_of_the_repository() -> None:
    assert (LIBRARY / "LICENSE").read_text() == (REPOSITORY / "LICENSE").read_text()
    assert PROJECT["license-files"] == ["LICENSE"]


def test_links_of_the_readme_work_on_the_package_index() -> None:
    links = re.findall(r"\]\(([^)]+)\)", (LIBRARY / "README.md").read_text())
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    inside = "https://github.com/YOUR-ORGANISATION/eks-rocketmq/blob/main/"
    paths = {link.removeprefix(inside).partition("#")[0] for link in links if link.startswith(inside)}
    assert paths
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []


def read_locked_versions(file: Path) -> dict[str, str]:
    """Return the version of each package of a requirements file."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", file.read_text(), re.MULTILINE))


def test_lock_files_agree_on_versions_and_have_a_hash_for_each_package() -> None:
    pinned, program = (
        read_locked_versions(LIBRARY / "requirements.txt"),
        read_locked_versions(REPOSITORY / "requirements.txt"),
    )
    assert {name: pinned.get(name) for name in program} == program
    required = [
        *PROJECT["dependencies"],
        *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
    ]
    assert {re.split(r"[><=]", each)[0] for each in required} <= set(pinned)
    for file in (LIBRARY / "requirements.txt", REPOSITORY / "scripts" / "release-requirements.txt"):
        entries = re.split(r"^(?=\w)", file.read_text(), flags=re.MULTILINE)[1:]
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_a_tag_that_differs_from_the_version_is_rejected() -> None:
    assert require_version(f"v{PROJECT['version']}") == PROJECT["version"]
    with pytest.raises(
        ReleaseError, match=r"tag 'v9\.9\.9': pyproject\.toml has version .* or change the version first"
    ):
        require_version("v9.9.9")
