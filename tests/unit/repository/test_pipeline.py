"""Scripts of the pipelines: content of preview comments, redaction, and checks before an update."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import pipeline
from scripts.pipeline import (
    AUTHOR,
    COMMENT_BYTES,
    PipelineError,
    Preview,
    publish_comment,
    render_comment,
    require_newest,
    require_reviewers,
)

OUTPUT = """Previewing update (prod):
    + kubernetes:apps/v1:StatefulSet: (create)
        [urn=urn:pulumi:prod::eks-rocketmq::kubernetes:apps/v1:StatefulSet::rocketmq-broker-a-set]
    ~ aws:iam/role:Role: (update)
      ~ assumeRolePolicy: "old" => "new"
Resources:
    + 29 to create
    ~ 3 to update
    +-1 to replace
    33 changes. 4 unchanged
"""


DELETED = {
    "op": "delete",
    "urn": "urn:pulumi:prod::eks-rocketmq::kubernetes:core/v1:Namespace::rocketmq hunter2hunter2",
}


def preview(output: str = OUTPUT, code: int = 0) -> Preview:
    return Preview("prod", "0123abc", "https://github.com/example/mq/actions/runs/7", code, output)


def body(text: str) -> tuple[str, list[str]]:
    """Return the fence of a comment and the lines of the fenced block."""
    lines = text.splitlines()
    (opening,) = [line for line in lines if re.fullmatch(r"`+diff", line)]
    start, fence = lines.index(opening), opening.removesuffix("diff")
    closing = start + 1 + lines[start + 1 :].index(fence)
    return fence, lines[start + 1 : closing]


def test_the_headline_counts_the_changes() -> None:
    first, second, third, *_ = render_comment(preview(), COMMENT_BYTES).splitlines()
    assert first == "<!-- eks-rocketmq preview of prod -->"
    assert second == "### `pulumi preview -s prod`: 29 to create, 3 to update, **1 to replace**"
    assert third == "Commit 0123abc, [run](https://github.com/example/mq/actions/runs/7)"


def test_the_headline_reports_a_preview_without_changes() -> None:
    text = render_comment(preview("Previewing update (prod):\nResources:\n    39 unchanged\n"), COMMENT_BYTES)
    assert "### `pulumi preview -s prod`: no changes\n" in text


def test_a_failed_preview_is_reported_and_expanded() -> None:
    text = render_comment(preview("error: unknown key 'brokerGroup'\n", code=255), COMMENT_BYTES)
    assert "### `pulumi preview -s prod`: **failed** with exit code 255\n" in text
    assert "<details open>" in text
    assert "<details open>" not in render_comment(preview(), COMMENT_BYTES)


def test_signs_of_changes_are_moved_to_the_first_column() -> None:
    _, lines = body(render_comment(preview(), COMMENT_BYTES))
    assert "+     kubernetes:apps/v1:StatefulSet: (create)" in lines
    assert '!       assumeRolePolicy: "old" => "new"' in lines


def test_a_replacement_is_not_coloured_as_an_addition() -> None:
    _, lines = body(
        render_comment(preview("    +-kubernetes:apps/v1:StatefulSet: (replace)\n      +-spec\n"), COMMENT_BYTES)
    )
    assert lines == ["-    +-kubernetes:apps/v1:StatefulSet: (replace)", "-      +-spec"]


def test_a_pulumi_cloud_backend_requires_only_its_token(programs: Callable[[str, str], dict[str, str]]) -> None:
    programs("aws", "exit 0")
    environment = programs("pulumi", "exit 0")
    environment.pop("PULUMI_BACKEND_URL")
    assert pipeline.main(["preview", "--stack", "prod"], environment) == 1
    assert pipeline.main(["preview", "--stack", "prod"], {**environment, "PULUMI_ACCESS_TOKEN": "pul-0123"}) == 0


def test_the_commit_of_a_pull_request_names_head_and_base() -> None:
    assert (
        pipeline.find_commit({"COMMIT": "c0ffee", "HEAD": "0123abc", "BASE": "main"})
        == "c0ffee, merge of 0123abc into main"
    )
    assert pipeline.find_commit({"COMMIT": "c0ffee"}) == "c0ffee"
    assert pipeline.find_commit({}) == "unknown"


@given(st.text(alphabet=st.sampled_from("`~ab\n é🐇"), max_size=400), st.integers(600, 4_000))
def test_output_stays_in_its_fence_and_within_the_size_limit(output: str, limit: int) -> None:
    text = render_comment(preview(output), limit)
    fence, lines = body(text)
    assert len(text.encode()) <= limit
    assert not any(fence in line for line in lines)
    assert text.endswith(f"\n{fence}\n\n</details>\n")


def test_long_output_is_shortened_in_the_middle() -> None:
    long = (
        "".join(f"    + resource number {number}\n" for number in range(5_000)) + "Resources:\n    + 5000 to create\n"
    )
    text = render_comment(preview(long), COMMENT_BYTES)
    _, lines = body(text)
    assert COMMENT_BYTES - 200 < len(text.encode()) <= COMMENT_BYTES
    assert lines[0] == "+     resource number 0"
    assert lines[-1] == "+     5000 to create"
    assert "… 5002 lines in all; the summary of https://github.com/example/mq/actions/runs/7 has more …" in lines
    assert "5000 to create" in text.splitlines()[1]


JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvOm9yZyJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "secret",
    [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ASIAIOSFODNN7EXAMPLE",
        "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
        JWT,
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\ncut off",
        "wJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCYEXAMPLEKEY",
        f"pul-{'0a' * 20}",
        "k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbS8_X-Amz",
    ],
)
def test_credentials_are_redacted(secret: str) -> None:
    environment = {"AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "HOME": "/home/runner"}
    output = pipeline.clean_text(f"/home/runner value: {secret}", environment)
    assert output == "/home/runner value: ***"


def test_a_private_key_of_several_lines_is_redacted_in_the_log() -> None:
    key = ["key: -----BEGIN PRIVATE KEY-----\n", "MIIE\n", "-----END PRIVATE KEY-----\n"]
    printed = [pipeline.clean_text(text, {}) for text in pipeline.join_private_keys(["a\n", *key, "b\n", *key[:2]])]
    assert printed == ["a\n", "key: ***\n", "b\n", "key: ***"]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("?X-Amz-Signature=0af1&X-Amz-Security-Token=Q%2F==&x=1", "?X-Amz-Signature=***&X-Amz-Security-Token=***&x=1"),
        ("proxy http://user:hunter2@proxy:3128/ fails", "proxy http://***@proxy:3128/ fails"),
        ("https://github.com/example/mq@v1 a:b@c", "https://github.com/example/mq@v1 a:b@c"),
    ],
)
def test_credentials_in_a_url_are_redacted(text: str, redacted: str) -> None:
    assert pipeline.clean_text(text, {}) == redacted


def test_a_short_value_of_a_secret_variable_is_not_redacted() -> None:
    assert pipeline.clean_text("a true story", {"SOME_TOKEN": "true"}) == "a true story"


def test_colours_and_control_characters_are_removed() -> None:
    assert pipeline.clean_text("\x1b[32m+ role\x1b[0m\r\nnext\x07\tline\x1b[2K", {}) == "+ role\nnext\tline"


class GitHub:
    """Fake of `gh api` that returns a list of comments and records the requests with a body."""

    def __init__(self, *comments: dict[str, Any], head: str = "", rules: Sequence[dict[str, Any]] = ()) -> None:
        self._comments = comments
        self._head = head
        self._rules = rules
        self.sent: list[tuple[Sequence[str], Any]] = []

    def __call__(self, arguments: Sequence[str], body: str | None = None) -> str:
        if body is not None:
            self.sent.append((arguments, json.loads(body)))
            return ""
        if arguments[0].endswith("/git/ref/heads/main"):
            return f"{self._head}\n"
        if arguments == ["repos/example/mq/environments/production"]:
            return json.dumps({"name": "production", "protection_rules": self._rules})
        assert "--paginate" in arguments
        return "".join(json.dumps(each) + "\n" for each in self._comments)


def build_comment(id_: int, text: str, login: str = AUTHOR) -> dict[str, Any]:
    return {"id": id_, "body": text, "user": {"login": login}}


TEXT = render_comment(preview(), COMMENT_BYTES)


def test_the_first_preview_creates_a_comment() -> None:
    github = GitHub(build_comment(1, "Looks good", "someone"))
    assert publish_comment("example/mq", 12, TEXT, github) == "wrote a comment"
    assert github.sent == [(["--method", "POST", "repos/example/mq/issues/12/comments"], {"body": TEXT})]


def test_the_next_preview_edits_only_the_comment_of_its_stack() -> None:
    github = GitHub(
        build_comment(1, TEXT, "someone who quotes it"),
        build_comment(2, TEXT.replace("preview of prod", "preview of test")),
        build_comment(3, "<!-- eks-rocketmq preview of prod -->\r\nolder"),
    )
    assert publish_comment("example/mq", 12, TEXT, github) == "edited comment 3"
    assert github.sent == [(["--method", "PATCH", "repos/example/mq/issues/comments/3"], {"body": TEXT})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no marker", "the comment begins with 'no marker'; accepted is the file that"),
        (TEXT + "x" * COMMENT_BYTES, f"bytes; GitHub takes {COMMENT_BYTES}"),
    ],
)
def test_an_invalid_comment_is_rejected(text: str, message: str) -> None:
    github = GitHub()
    with pytest.raises(PipelineError, match=message):
        publish_comment("example/mq", 12, text, github)
    assert github.sent == []


def test_a_job_without_a_preview_is_reported_in_the_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    github = GitHub(build_comment(3, TEXT))
    monkeypatch.setattr(pipeline, "call_gh", github)
    environment = {
        "COMMIT": "c0ffee",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "example/mq",
        "GITHUB_RUN_ID": "7",
    }
    code = pipeline.main(["comment", "--stack", "prod", "--number", "12", str(tmp_path / "comment.md")], environment)
    assert code == 0
    ((arguments, sent),) = github.sent
    assert arguments[-1] == "repos/example/mq/issues/comments/3"
    assert sent["body"].splitlines() == [
        "<!-- eks-rocketmq preview of prod -->",
        "### `pulumi preview -s prod`: **none**, the job failed before",
        "Commit c0ffee, [run](https://github.com/example/mq/actions/runs/7)",
    ]


def test_only_the_newest_commit_of_main_is_accepted() -> None:
    require_newest("example/mq", "main", "a" * 40, GitHub(head="a" * 40))
    with pytest.raises(
        PipelineError, match=f"main is at {'b' * 40}, this run is for {'a' * 40}: approve the run of the"
    ):
        require_newest("example/mq", "main", "a" * 40, GitHub(head="b" * 40))


REVIEWERS = {"type": "required_reviewers", "reviewers": [{"type": "Team", "reviewer": {"slug": "platform"}}]}
BRANCHES = {"type": "branch_policy"}


def test_an_environment_with_reviewers_is_accepted() -> None:
    require_reviewers("example/mq", "production", GitHub(rules=[BRANCHES, REVIEWERS]))


@pytest.mark.parametrize(
    "rules", [[], [BRANCHES], [{**REVIEWERS, "reviewers": []}]], ids=["no rules", "branch policy only", "no reviewers"]
)
def test_an_environment_without_reviewers_is_rejected(rules: list[dict[str, Any]]) -> None:
    with pytest.raises(
        PipelineError, match=r"environment 'production' has no required reviewers.*Settings → Environments → production"
    ):
        require_reviewers("example/mq", "production", GitHub(rules=rules))


def test_an_environment_that_cannot_be_read_is_rejected(
    programs: Callable[[str, str], dict[str, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = programs("gh", 'case "$*" in *environments*) echo "HTTP 403" >&2; exit 1;; *) echo abc;; esac')
    monkeypatch.setenv("PATH", environment["PATH"])
    given = {"GITHUB_REPOSITORY": "example/mq", "GITHUB_SHA": "abc"}
    assert pipeline.main(["reviewed", "--branch", "main", "--environment", "production"], given) == 1
    assert "gh api repos/example/mq/environments/production failed: HTTP 403" in capsys.readouterr().err


def test_a_commit_is_accepted_if_it_is_the_newest_and_requires_approval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"GITHUB_REPOSITORY": "example/mq", "GITHUB_SHA": "abc"}
    command = ["reviewed", "--branch", "main", "--environment", "production"]
    for github, code in (
        (GitHub(head="abc", rules=[REVIEWERS]), 0),
        (GitHub(head="def", rules=[REVIEWERS]), 1),
        (GitHub(head="abc"), 1),
    ):
        monkeypatch.setattr(pipeline, "call_gh", github)
        assert pipeline.main(command, given) == code


@pytest.fixture
def programs(tmp_path: Path) -> Callable[[str, str], dict[str, str]]:
    """Return a function that creates a program and returns an environment with only such programs on PATH."""

    def create_program(name: str, text: str) -> dict[str, str]:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        return {
            "PATH": str(program.parent),
            "PULUMI_BACKEND_URL": "s3://state",
            "COMMIT": "0123abc",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        }

    return create_program


def test_a_preview_refreshes_prints_a_diff_and_writes_comment_and_summary(
    programs: Callable[[str, str], dict[str, str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    programs("aws", "exit 0")
    environment = programs(
        "pulumi",
        'for log; do :; done; echo "$EVENT" >"$log"\n'
        'echo "called with ${*%$log}"; echo "token is $SOME_TOKEN" >&2; exit 3',
    )
    code = pipeline.main(
        ["preview", "--stack", "prod", "--comment", str(tmp_path / "comment.md")],
        {
            **environment,
            "SOME_TOKEN": "hunter2hunter2",
            "EVENT": json.dumps({"resourcePreEvent": {"metadata": DELETED}}),
        },
    )
    assert code == 3
    output = "called with preview -s prod --refresh --diff --non-interactive --color never --event-log \ntoken is ***\n"
    assert capfd.readouterr().out == output
    for file in ("comment.md", "summary.md"):
        text = (tmp_path / file).read_text()
        assert output in text
        assert "**failed** with exit code 3" in text
        assert "> **Warning**: this update replaces or deletes resources that hold data." in text
        assert "| ⚠️ **delete** | **`kubernetes:core/v1:Namespace`** | **`rocketmq ***`** |" in text


@pytest.mark.parametrize(
    ("present", "backend", "message"),
    [
        (["aws"], "s3://state", "`pulumi` is not on PATH; install the Pulumi CLI"),
        (["pulumi"], "s3://state", "`aws` is not on PATH; install the AWS CLI: the kubeconfig calls"),
        (["aws", "pulumi"], "", "PULUMI_BACKEND_URL and PULUMI_ACCESS_TOKEN are empty; set the repository variable"),
    ],
)
def test_missing_programs_and_variables_of_a_runner_are_reported(
    present: list[str],
    backend: str,
    message: str,
    programs: Callable[[str, str], dict[str, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in present:
        environment = programs(name, "echo ran; exit 0")
    assert pipeline.main(["preview", "--stack", "prod"], {**environment, "PULUMI_BACKEND_URL": backend}) == 1
    assert capsys.readouterr().err.startswith(f"::error::{message}")
