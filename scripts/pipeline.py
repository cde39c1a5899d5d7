"""Commands of the workflows: preview a pull request, write its comment, and check the approval of a commit.

Standard library only: the job that writes the comment installs nothing.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from scripts.changes import ResourceChange, Severity, read_changes, render_table

COMMENT_BYTES = 65_000
"""GitHub refuses comments above 65,536 characters; bytes are never fewer than characters."""
SUMMARY_BYTES = 1_000_000
"""GitHub drops a step's summary above 1 MiB."""
AUTHOR = "github-actions[bot]"

_NEEDED = {
    "pulumi": "install the Pulumi CLI",
    "aws": "install the AWS CLI: the kubeconfig calls `aws eks get-token`, at preview already",
}
_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|PASSPHRASE|CREDENTIAL|ACCESS_KEY|PRIVATE_KEY")
_SHORTEST_SECRET = 8
_SECRET_TEXT = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\b(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{20,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"
    r"|\bpul-[0-9a-f]{40}\b"
    # A token of EKS is a signed URL. Kubernetes accepts it for 15 minutes.
    r"|\bk8s-aws-v1\.[\w-]+"
    r"|(?<=X-Amz-Signature=)[0-9a-f]+|(?<=X-Amz-Security-Token=)[^&\s\"']+"
    # User and password in a URL, for example of a proxy.
    r"|(?<=://)[^/\s:@\"']+:[^/\s@\"']+(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_OPEN_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?!.*-----END )", re.DOTALL)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
# A replacement has the sign `+-` and stays whole behind a `-`: it deletes what is there.
_SIGN = re.compile(r"^(\s+)(\+-|[-+~](?=[-+~\s]))", re.MULTILINE)
_COLOURED = {"+-": "-", "~": "!"}
_CHANGES = re.compile(r"^ {4}[-+~<>=!]+ *(\d+ to .+)$", re.MULTILINE)
_DESTRUCTIVE = re.compile(r"^\d+ to (?:delete|replace)")


class PipelineError(Exception):
    """A step cannot continue. The message says what to do."""


@dataclass(frozen=True)
class Preview:
    """Output and planned changes of a `pulumi preview`, without secrets and control characters."""

    stack: str
    commit: str
    run_url: str
    code: int
    output: str
    changes: Sequence[ResourceChange] = field(default_factory=list)


def build_marker(stack: str) -> str:
    """Return the first line of the comment, an invisible marker to find it again."""
    return f"<!-- eks-rocketmq preview of {stack} -->"


def mask_secrets(text: str, environment: Mapping[str, str]) -> str:
    """Replace values of secret variables and everything that looks like a credential.

    Pulumi hides known secrets and GitHub masks secrets in logs; neither applies to a comment.
    """
    values = {v for name, v in environment.items() if _SECRET_NAME.search(name.upper()) and len(v) >= _SHORTEST_SECRET}
    # A URL contains them percent-encoded.
    values |= {quote(value, safe="") for value in values}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "***")
    return _SECRET_TEXT.sub("***", text)


def clean_text(text: str, environment: Mapping[str, str]) -> str:
    """Remove secrets, colours and control characters."""
    return mask_secrets(_CONTROL.sub("", text.replace("\r\n", "\n")), environment)


def join_private_keys(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines. The lines of a private key are one text, in which `clean` finds the key."""
    text = ""
    for line in lines:
        text += line
        if not _OPEN_KEY.search(text):
            yield text
            text = ""
    if text:
        yield text


def summarize(preview: Preview) -> str:
    """Return one line with the result of the preview, deletions and replacements in bold."""
    if preview.code:
        return f"**failed** with exit code {preview.code}"
    _, _, counts = f"\n{preview.output}".rpartition("\nResources:\n")
    found = _CHANGES.findall(counts)
    return ", ".join(f"**{count}**" if _DESTRUCTIVE.search(count) else count for count in found) or "no changes"


def render_comment(preview: Preview, limit: int) -> str:
    """Return the comment (Markdown), at most `limit` bytes: headline, table of changes and shortened diff."""
    head = _render_head(preview.stack, summarize(preview), preview.commit, preview.run_url)
    if any(change.severity is Severity.DATA for change in preview.changes):
        head += ["> **Warning**: this update replaces or deletes resources that hold data.", ""]
    head += render_table(preview.changes, limit // 2)
    diff = _SIGN.sub(_colour, preview.output).strip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", diff)), default=0))
    tail = ["</details>", ""]
    around = [*head, f"<details{' open' if preview.code else ''}><summary>Output</summary>", "", f"{fence}diff"]
    left = limit - len("\n".join([*around, fence, "", *tail]).encode()) - 1
    return "\n".join([*around, _shorten(diff, left, preview.run_url), fence, "", *tail])


def _colour(sign: re.Match[str]) -> str:
    """Move a line's sign to the front, where a Markdown diff colours it."""
    return _COLOURED.get(sign[2], sign[2]) + sign[1] + (sign[2] if sign[2] == "+-" else "")


def render_failure(stack: str, environment: Mapping[str, str]) -> str:
    """Return the comment of a job without a preview. It replaces the comment of an older preview."""
    return "\n".join(
        _render_head(stack, "**none**, the job failed before", find_commit(environment), _build_run_url(environment))
    )


def _render_head(stack: str, headline: str, commit: str, run_url: str) -> list[str]:
    return [
        build_marker(stack),
        f"### `pulumi preview -s {stack}`: {headline}",
        f"Commit {commit}, [run]({run_url})",
        "",
    ]


def _shorten(text: str, limit: int, run_url: str) -> str:
    """Shorten the text to `limit` bytes: a quarter for the end with counts and errors, the rest for the beginning."""
    if len(text.encode()) <= limit:
        return text
    lines = text.splitlines()
    note = f"… {len(lines)} lines in all; the summary of {run_url} has more …"
    left = limit - len(note.encode()) - 2
    end = _take_fitting(reversed(lines), left // 4)
    start = _take_fitting(lines, left - len("\n".join(end).encode()))
    return "\n".join([*start, note, *reversed(end)])


def _take_fitting(lines: Iterable[str], limit: int) -> list[str]:
    """Return the first lines that fit into `limit` bytes."""
    taken: list[str] = []
    for line in lines:
        limit -= len(line.encode()) + 1
        if limit < 0:
            break
        taken.append(line)
    return taken


def run_preview(stack: str, environment: Mapping[str, str], comment_file: Path | None) -> int:
    """Run `pulumi preview`, print it, and write the comment and the job's summary. Return pulumi's exit code.

    Raises:
        PipelineError: when a required program or variable is missing.
    """
    for program, remedy in _NEEDED.items():
        if shutil.which(program, path=environment.get("PATH")) is None:
            msg = f"`{program}` is not on PATH; {remedy}"
            raise PipelineError(msg)
    if not environment.get("PULUMI_BACKEND_URL") and not environment.get("PULUMI_ACCESS_TOKEN"):
        msg = (
            "PULUMI_BACKEND_URL and PULUMI_ACCESS_TOKEN are empty; set the repository variable PULUMI_BACKEND_URL, "
            "such as s3://bucket?region=eu-west-1, or for Pulumi Cloud the repository secret PULUMI_ACCESS_TOKEN"
        )
        raise PipelineError(msg)
    done = _execute_preview(stack, environment)
    if comment_file is not None:
        comment_file.write_text(render_comment(done, COMMENT_BYTES), encoding="utf-8")
    if summary := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(render_comment(done, SUMMARY_BYTES))
    return done.code


def _execute_preview(stack: str, environment: Mapping[str, str]) -> Preview:
    """Run `pulumi preview`, print its output live, and return output and planned changes."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        event_log = Path(folder) / "events.json"
        process = subprocess.Popen(
            [
                *("pulumi", "preview", "-s", stack, "--refresh", "--diff", "--non-interactive", "--color", "never"),
                *("--event-log", str(event_log)),
            ],
            # The CLI takes --event-log only with this variable; the Automation API sets it as well.
            env={**environment, "PULUMI_DEBUG_COMMANDS": "true"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for text in join_private_keys(process.stdout or ()):
            lines.append(text)
            print(clean_text(text, environment), end="", flush=True)
        code = process.wait()
        events = event_log.read_text(encoding="utf-8") if event_log.exists() else ""
    return Preview(
        stack=stack,
        commit=find_commit(environment),
        run_url=_build_run_url(environment),
        code=code,
        output=clean_text("".join(lines), environment),
        changes=read_changes(events.splitlines(), lambda text: clean_text(text, environment)),
    )


def find_commit(environment: Mapping[str, str]) -> str:
    """Return the checked-out commit, and for a pull request the commits that it merges."""
    checked_out = environment.get("COMMIT", "unknown")
    merged = f", merge of {environment['HEAD']} into {environment['BASE']}" if "HEAD" in environment else ""
    return f"{checked_out}{merged}"


def _build_run_url(environment: Mapping[str, str]) -> str:
    return "/".join(environment.get(f"GITHUB_{part}", "") for part in ("SERVER_URL", "REPOSITORY")) + (
        f"/actions/runs/{environment.get('GITHUB_RUN_ID', '')}"
    )


def call_gh(arguments: Sequence[str], body: str | None = None) -> str:
    """Return the output of `gh api ARGUMENTS`. `body` is JSON.

    Raises:
        PipelineError: when GitHub refuses.
    """
    sent = [] if body is None else ["--input", "-"]
    done = subprocess.run(["gh", "api", *arguments, *sent], input=body, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"gh api {' '.join(arguments)} failed: {done.stderr.strip()}"
        raise PipelineError(msg)
    return done.stdout


def publish_comment(repository: str, number: int, text: str, api: Callable[..., str] = call_gh) -> str:
    """Write the pull request's comment, or edit the existing one of this workflow. Return what was done.

    Raises:
        PipelineError: for a text without a stack's marker, which could not be found again.
    """
    first, _, _ = text.partition("\n")
    if not (first.startswith("<!-- ") and first.endswith(" -->")):
        msg = f"the comment begins with {first[:80]!r}; accepted is the file that `pipeline.py preview --comment` wrote"
        raise PipelineError(msg)
    if len(text.encode()) > COMMENT_BYTES:
        msg = f"the comment has {len(text.encode())} bytes; GitHub takes {COMMENT_BYTES}"
        raise PipelineError(msg)
    listed = api(
        [f"repos/{repository}/issues/{number}/comments?per_page=100", "--paginate", "--jq", ".[] | {id, body, user}"]
    )
    own = [
        each["id"]
        for each in map(json.loads, listed.splitlines())
        if each["user"]["login"] == AUTHOR and each["body"].partition("\n")[0].strip() == first
    ]
    body = json.dumps({"body": text})
    if own:
        api(["--method", "PATCH", f"repos/{repository}/issues/comments/{own[0]}"], body)
        return f"edited comment {own[0]}"
    api(["--method", "POST", f"repos/{repository}/issues/{number}/comments"], body)
    return "wrote a comment"


def require_newest(repository: str, branch: str, commit: str, api: Callable[..., str] = call_gh) -> None:
    """Accept only the newest commit of the branch: an older one would undo later approved changes.

    Raises:
        PipelineError: when the branch has a newer commit.
    """
    newest = api([f"repos/{repository}/git/ref/heads/{branch}", "--jq", ".object.sha"]).strip()
    if newest != commit:
        msg = f"{branch} is at {newest}, this run is for {commit}: approve the run of the newer commit instead"
        raise PipelineError(msg)


def require_reviewers(repository: str, environment: str, api: Callable[..., str] = call_gh) -> None:
    """Accept only an environment with reviewers: GitHub creates missing environments without any.

    Raises:
        PipelineError: when no approval was required, or GitHub does not say so.
    """
    found = json.loads(api([f"repos/{repository}/environments/{environment}"]))
    rules = found.get("protection_rules", [])
    if not any(rule["type"] == "required_reviewers" and rule.get("reviewers") for rule in rules):
        msg = (
            f"environment {environment!r} has no required reviewers, so this run had no approval: add them in GitHub "
            f"under Settings → Environments → {environment}"
        )
        raise PipelineError(msg)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    one = commands.add_parser("preview", help="run pulumi preview, write its comment and the job's summary")
    one.add_argument("--stack", required=True)
    one.add_argument("--comment", type=Path, default=None, help="file to write")
    one = commands.add_parser("comment", help="write or edit the comment of a pull request")
    one.add_argument("--stack", required=True)
    one.add_argument("--number", type=int, required=True)
    one.add_argument("file", type=Path, help="comment file of the preview, if there is one")
    one = commands.add_parser("reviewed", help="fail unless this run is for the newest commit and required an approval")
    one.add_argument("--branch", required=True)
    one.add_argument("--environment", required=True)
    return made


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one command and return the exit code."""
    given = build_parser().parse_args(arguments)
    try:
        if given.command == "preview":
            return run_preview(given.stack, environment, given.comment)
        if given.command == "comment":
            written = (
                given.file.read_text(encoding="utf-8")
                if given.file.exists()
                else render_failure(given.stack, environment)
            )
            print(publish_comment(environment["GITHUB_REPOSITORY"], given.number, written, call_gh))
        else:
            require_newest(environment["GITHUB_REPOSITORY"], given.branch, environment["GITHUB_SHA"], call_gh)
            require_reviewers(environment["GITHUB_REPOSITORY"], given.environment, call_gh)
    except PipelineError as error:
        print(f"::error::{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
