"""The distribution: extras, version, licence, links that work on the package index, and locks that agree."""

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

    def not_installed(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    # A plugin of the engine runs in its folder and is not installed.
    monkeypatch.setattr(metadata, "version", not_installed)
    assert get_version() == PROJECT["version"]


def test_the_command_line_completes_in_the_shell() -> None:
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).output


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({modules!r}))
from eks_rocketmq import RocketMq, EbsStorageClass
{statement}
"""


def without(modules: list[str], statement: str) -> subprocess.CompletedProcess[str]:
    """A program in an environment without these modules."""
    program = WITHOUT.format(modules=modules, statement=statement)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_rocketmq_and_the_storage_class_need_no_extra() -> None:
    done = without(["boto3", "botocore", "pulumi_aws", "pulumi_eks", "rich", "typer"], "")
    assert (done.returncode, done.stderr) == (0, "")


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
def test_a_missing_extra_is_named(modules: list[str], statement: str, message: str) -> None:
    done = without(modules, statement)
    assert done.returncode == 1
    assert done.stderr.strip().endswith(message)


def test_another_missing_module_keeps_its_own_error() -> None:
    error = ModuleNotFoundError("No module named 'grpc'", name="grpc")
    assert explain_missing_extra(error, "eks_rocketmq.RocketMq") is error


def test_the_licence_is_that_of_the_repository() -> None:
    assert (LIBRARY / "LICENSE").read_text() == (REPOSITORY / "LICENSE").read_text()
    assert PROJECT["license-files"] == ["LICENSE"]


def test_links_of_the_readme_work_from_the_package_index() -> None:
    links = re.findall(r"\]\(([^)]+)\)", (LIBRARY / "README.md").read_text())
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    inside = "https://github.com/YOUR-ORGANISATION/eks-rocketmq/blob/main/"
    paths = {link.removeprefix(inside).partition("#")[0] for link in links if link.startswith(inside)}
    assert paths
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []


def locked(file: Path) -> dict[str, str]:
    """Version of each package of a requirements file."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", file.read_text(), re.MULTILINE))


def test_the_lock_of_plugin_and_pipelines_agrees_with_the_programs_and_has_only_hashes() -> None:
    pinned, program = locked(LIBRARY / "requirements.txt"), locked(REPOSITORY / "requirements.txt")
    assert {name: pinned.get(name) for name in program} == program
    wanted = [
        *PROJECT["dependencies"],
        *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
    ]
    assert {re.split(r"[><=]", each)[0] for each in wanted} <= set(pinned)
    for file in (LIBRARY / "requirements.txt", REPOSITORY / "scripts" / "release-requirements.txt"):
        entries = re.split(r"^(?=\w)", file.read_text(), flags=re.MULTILINE)[1:]
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_a_tag_is_released_under_its_own_version_alone() -> None:
    assert require_version(f"v{PROJECT['version']}") == PROJECT["version"]
    with pytest.raises(
        ReleaseError, match=r"tag 'v9\.9\.9': pyproject\.toml has version .* or change the version first"
    ):
        require_version("v9.9.9")
