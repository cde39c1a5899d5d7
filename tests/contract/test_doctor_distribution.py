"""The distribution `eks-rocketmq-doctor` in an environment without Pulumi: commands, completion and kubectl plugin."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from eks_rocketmq.doctor.facts.fact_files import write_facts
from sandbox.cache import toolchain
from sandbox.progress import Report
from tests import installed
from tests.unit.doctor.healthy_cases import irsa_facts

START_SECONDS = 60
"""Limit of one command on a busy machine."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs of a new environment with the wheel."""
    folder = tmp_path_factory.mktemp("doctor")
    return installed.environment(folder / "venv", str(installed.build_doctor(folder / "dist"))) / "bin"


def run(*command: str | Path, path: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing of this repository and of this user in its environment."""
    names = [str(path)] if path else []
    variables = {"PATH": os.pathsep.join([*names, "/usr/bin", "/bin"]), "HOME": "/nonexistent", **environment}
    return subprocess.run(
        [str(each) for each in command],
        env=variables, cwd="/", capture_output=True, text=True, check=False, timeout=START_SECONDS,
    )  # fmt: skip


def test_no_package_of_pulumi_is_installed(programs: Path) -> None:
    (packages,) = programs.parent.glob("lib/python*/site-packages")
    assert [each.name for each in packages.iterdir() if each.name.startswith(("pulumi", "grpc"))] == []
    assert (packages / "eks_rocketmq/doctor/report.schema.json").exists()
    # 141 MB in November 2026, without bytecode.
    size = sum(each.stat().st_size for each in packages.rglob("*") if each.is_file() and each.suffix != ".pyc")
    assert size < 200_000_000


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_the_help_is_printed(programs: Path, command: str) -> None:
    result = run(programs / "eks-rocketmq", command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"eks-rocketmq {command} [OPTIONS]" in result.stdout


def test_the_program_lists_its_commands_and_its_version(programs: Path) -> None:
    result = run(programs / "eks-rocketmq", "--help")
    assert "doctor" in result.stdout
    assert "adopt" not in result.stdout
    assert run(programs / "eks-rocketmq", "--version").stdout.startswith("eks-rocketmq 0.")


def test_a_dump_is_judged(programs: Path, tmp_path: Path) -> None:
    write_facts(irsa_facts(), tmp_path)
    result = run(programs / "eks-rocketmq", "doctor", "--from", tmp_path, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["result"] == "healthy"


def test_a_live_cluster_that_does_not_answer_is_not_judged(programs: Path) -> None:
    """The libraries of AWS and Kubernetes are installed: they load only for a live cluster."""
    result = run(programs / "eks-rocketmq", "doctor", KUBECONFIG="/nonexistent/config")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "not judged" in result.stdout


def test_other_commands_name_the_library(programs: Path) -> None:
    result = run(programs / "eks-rocketmq", "adopt", "-s", "prod")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "adopt needs the library: pip install 'eks-rocketmq[cli]'\n"
    result = run(programs / "python", "-c", "from eks_rocketmq import RocketMq")
    assert result.stderr.strip().endswith(
        "eks_rocketmq.RocketMq needs the library, and this is eks-rocketmq-doctor, which has other commands only: "
        "pip install eks-rocketmq"
    )


@pytest.mark.parametrize(
    ("words", "offered"),
    [("eks-rocketmq st", ["status"]), ("eks-rocketmq doctor --serv", ["--service-account"])],
)
def test_bash_completes_commands_and_options(programs: Path, words: str, offered: list[str]) -> None:
    """Source the script that the program prints, and call its function as bash does."""
    script = (
        'eval "$(eks-rocketmq --show-completion)"\n'
        f"COMP_WORDS=({words}) COMP_CWORD={len(words.split()) - 1}\n"
        "_eks_rocketmq_completion eks-rocketmq\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    result = run("bash", "-c", script, path=programs)
    assert (result.stdout.split(), result.stderr) == (offered, "")


def test_kubectl_runs_it_as_a_plugin(programs: Path, tmp_path: Path) -> None:
    kubectl = toolchain.ensure(Report(), parts=("kubernetes",)).bin / "kubectl"
    write_facts(irsa_facts(), tmp_path)
    result = run(kubectl, "eks-rocketmq", "doctor", "--from", tmp_path, path=programs)
    assert (result.returncode, result.stderr) == (0, "")
    assert "healthy: no fault found" in result.stdout
    usage = run(kubectl, "eks-rocketmq", "doctor", "--help", path=programs).stdout
    assert "Usage: kubectl eks-rocketmq doctor [OPTIONS]" in usage
