"""Workflows: pinned actions, least permissions, no credentials for forks, and updates of main after a review."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import pins
from sandbox.cache.go import MINIMUM_GO
from sandbox.engine import pulumi as engines
from scripts.pipeline import build_parser
from tests.unit.harness import REPOSITORY

GITHUB = REPOSITORY / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FILES = [*WORKFLOWS, *sorted(GITHUB.glob("actions/*/action.yml"))]
ACTION = yaml.safe_load((GITHUB / "actions" / "pulumi" / "action.yml").read_text())
SHARED = ACTION["runs"]["steps"]

STACK = "${{ vars.PULUMI_STACK || 'prod' }}"

Step = dict[str, Any]


def workflow(name: str) -> dict[Any, Any]:
    return yaml.safe_load((GITHUB / "workflows" / f"{name}.yml").read_text())


def jobs(name: str) -> dict[str, dict[str, Any]]:
    return workflow(name)["jobs"]


def steps(path: Path) -> list[Step]:
    content = yaml.safe_load(path.read_text())
    return content["runs"]["steps"] if "runs" in content else [s for j in content["jobs"].values() for s in j["steps"]]


def action(step: Step) -> str:
    return step.get("uses", "").partition("@")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_external_action_is_pinned_to_a_commit_with_its_version(path: Path) -> None:
    used = re.findall(r"^\s*(?:- )?uses: (.*)$", path.read_text(), re.MULTILINE)
    assert used
    assert [
        line for line in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./\S+", line)
    ] == []


def test_each_action_has_one_version() -> None:
    pinned = {(action(step), step["uses"]) for path in FILES for step in steps(path) if "@" in step.get("uses", "")}
    assert len({name for name, _ in pinned}) == len(pinned)


def test_each_job_has_only_the_required_permissions() -> None:
    assert {name.stem for name in WORKFLOWS} == {"preview", "release", "test", "up"}
    granted = {
        (path.stem, job): content["permissions"] for path in WORKFLOWS for job, content in jobs(path.stem).items()
    }
    read, aws = {"contents": "read"}, {"contents": "read", "id-token": "write"}
    assert granted == {
        ("release", "build"): {**aws, "attestations": "write"},
        ("release", "publish"): aws,
        ("test", "check"): read,
        ("test", "docs"): read,
        ("test", "oldest"): read,
        ("test", "test"): read,
        ("preview", "preview"): aws,
        ("preview", "comment"): {"contents": "read", "pull-requests": "write"},
        ("up", "plan"): aws,
        ("up", "up"): {**aws, "actions": "read"},
    }
    assert [workflow(path.stem)["permissions"] for path in WORKFLOWS] == [{}] * len(WORKFLOWS)


def test_only_backend_secrets_are_used_and_checkouts_keep_no_token() -> None:
    for path in FILES:
        used = set(re.findall(r"secrets\.(\w+)", path.read_text()))
        assert used <= {"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"}, path.name
        for step in steps(path):
            if action(step) == "actions/checkout":
                assert step["with"]["persist-credentials"] is False, path.name


def test_a_pull_request_of_a_fork_gets_no_credentials() -> None:
    # YAML reads the key `on` as true.
    assert workflow("preview")[True] == {"pull_request": None}
    assert "pull_request_target" not in {key for path in WORKFLOWS for key in workflow(path.stem)[True]}
    condition = jobs("preview")["preview"]["if"]
    assert condition.startswith("github.event.pull_request.head.repo.full_name == github.repository && ")


def test_runner_stack_and_backend_are_configured_by_variables() -> None:
    for name, job in (("preview", "preview"), ("up", "plan"), ("up", "up")):
        found = jobs(name)[job]
        assert found["runs-on"] == "${{ vars.PULUMI_RUNNER || 'ubuntu-24.04' }}"
        (environment,) = [step["env"] for step in found["steps"] if "PULUMI_BACKEND_URL" in step.get("env", {})]
        assert environment["STACK"] == STACK
        assert environment["PULUMI_BACKEND_URL"] == "${{ vars.PULUMI_BACKEND_URL }}"
        for secret in ("PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"):
            assert environment[secret] == f"${{{{ secrets.{secret} }}}}"
    assert jobs("preview")["comment"]["steps"][-1]["env"]["STACK"] == STACK


def test_files_of_a_pull_request_are_separate_from_the_comment_script() -> None:
    """The preview runs the pull request's code, so its artifact can contain any file, such as `scripts/pipeline.py`."""
    *_, download, write = jobs("preview")["comment"]["steps"]
    assert download["with"]["path"] == "preview"
    assert write["run"].split()[-1] == "preview/comment.md"


def test_a_commit_is_tested_once_for_a_push_or_a_fork() -> None:
    assert workflow("test")[True] == {"push": None, "pull_request": None}
    once = "github.event_name == 'push' || github.event.pull_request.head.repo.fork"
    assert {name: job.get("if") for name, job in jobs("test").items()} == dict.fromkeys(
        ("check", "docs", "oldest", "test"), once
    )


def test_the_comment_job_runs_only_the_script_of_the_target_branch() -> None:
    checkout, *others = jobs("preview")["comment"]["steps"]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert [step["run"].split()[0] for step in others if "run" in step] == ["python3"]


def test_the_comment_job_also_runs_without_a_preview() -> None:
    job = jobs("preview")["comment"]
    assert job["if"].startswith("always() && ")
    (download,) = [step for step in job["steps"] if action(step) == "actions/download-artifact"]
    assert download["continue-on-error"] is True


def test_the_comment_names_the_commit_that_was_checked_out() -> None:
    previewed, commented = (jobs("preview")[name]["steps"] for name in ("preview", "comment"))
    checkout, (preview,) = previewed[0], [step for step in previewed if step.get("name") == "Preview"]
    assert "ref" not in checkout["with"]  # the default is github.sha, the merge of the pull request
    for step in (preview, commented[-1]):
        assert step["env"]["COMMIT"] == "${{ github.sha }}"
        assert step["env"]["HEAD"] == "${{ github.event.pull_request.head.sha }}"
        assert step["env"]["BASE"] == "${{ github.event.pull_request.base.ref }}"


def test_only_the_approved_job_assumes_the_deploy_role() -> None:
    jobs_with_role = {
        (path.stem, job): content.get("environment")
        for path in WORKFLOWS
        for job, content in jobs(path.stem).items()
        if "AWS_DEPLOY_ROLE" in repr(content["steps"])
    }
    assert jobs_with_role == {("up", "up"): "production"}


def test_the_update_runs_from_the_reviewed_commit_after_its_plan() -> None:
    assert workflow("up")[True] == {"push": {"branches": ["main"]}}
    update = jobs("up")["up"]
    assert update["needs"] == "plan"
    checkout, reviewed, credentials, up = update["steps"]
    assert checkout["with"]["ref"] == "${{ github.sha }}"
    environment = update["environment"]
    assert reviewed["run"] == f"python3 -m scripts.pipeline reviewed --branch main --environment {environment}"
    assert credentials["with"]["role"] == "${{ vars.AWS_DEPLOY_ROLE }}"
    assert up["run"] == 'pulumi up -s "$STACK" --yes --skip-preview --refresh --diff --non-interactive'
    assert update["concurrency"] == {"group": f"up-{STACK}", "cancel-in-progress": False}


def test_credentials_are_configured_after_all_installations() -> None:
    assert action(SHARED[-1]) == "aws-actions/configure-aws-credentials"
    assert "aws-access-key-id" not in SHARED[-1]["with"]


def test_credentials_last_at_least_until_the_job_timeout() -> None:
    assert SHARED[-1]["with"]["role-duration-seconds"] == "${{ inputs.duration }}"
    default = ACTION["inputs"]["duration"]["default"]
    durations = {
        (path.stem, name): (int(step["with"].get("duration", default)), 60 * job["timeout-minutes"])
        for path in WORKFLOWS
        for name, job in jobs(path.stem).items()
        for step in job["steps"]
        if step.get("uses") == "./.github/actions/pulumi"
    }
    assert durations.keys() == {("preview", "preview"), ("up", "plan"), ("up", "up")}
    assert {job: seconds for job, seconds in durations.items() if seconds[0] < seconds[1]} == {}


def test_the_pipelines_use_the_versions_of_the_sandbox() -> None:
    (cli,) = [step for step in SHARED if action(step) == "pulumi/actions"]
    assert str(cli["with"]["pulumi-version"]) == pins.PULUMI
    go = {step["with"]["go-version"] for path in FILES for step in steps(path) if action(step) == "actions/setup-go"}
    assert go == {".".join(map(str, MINIMUM_GO))}


def test_the_pipelines_use_the_engine_settings_of_the_sandbox() -> None:
    (command,) = [step["run"] for step in SHARED if "GITHUB_ENV" in step.get("run", "")]
    assert dict(word.split("=") for word in shlex.split(command) if "=" in word) == engines.SWIFT


def test_each_supported_python_version_is_checked() -> None:
    supported = re.search(
        r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (REPOSITORY / "components/pyproject.toml").read_text()
    )
    assert supported
    versions = [f"3.{minor}" for minor in range(int(supported[1]), int(supported[2]))]
    assert jobs("test")["check"]["strategy"]["matrix"]["python"] == versions


def commands() -> list[list[str]]:
    lines = [step["run"] for path in FILES for step in steps(path) if "scripts.pipeline" in step.get("run", "")]
    return [shlex.split(line.replace('"$NUMBER"', "12")) for line in lines]


def test_every_call_of_the_script_has_valid_arguments() -> None:
    called = {build_parser().parse_args(words[3:]).command for words in commands()}
    assert called == {"preview", "comment", "reviewed"}
    assert {tuple(words[1:3]) for words in commands()} == {("-m", "scripts.pipeline")}


def test_steps_pass_expressions_as_environment_variables() -> None:
    for path in FILES:
        assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == [], path.name
