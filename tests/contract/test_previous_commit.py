"""The stacks as the commit before leaves them, under this program: nothing that holds messages is made anew.

What is recorded (tests/unit/golden/released) is as old as the last release. This is made at each run, by the commit
before in a process of its own.
"""

import functools
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.unit.harness import REPOSITORY, golden
from tests.unit.harness.upgrade import MEANT, STACKS, State, Step, harmful, released, steps

PROGRAM = (":(glob)*.py", "Pulumi.yaml", "Pulumi.prod.yaml", "Pulumi.staging.yaml", "components")
HARNESS = ("sandbox", "tests/unit")
PRINT = """
import json, pathlib, sys
import eks_rocketmq
from tests.unit.harness import upgrade
for module in (eks_rocketmq, upgrade):
    assert pathlib.Path(module.__file__).is_relative_to(pathlib.Path.cwd()), module.__file__
json.dump(getattr(upgrade, "states", dict)(), sys.stdout)
"""


def git(repository: Path, *arguments: str) -> bytes | None:
    """What git printed, or None where it refused."""
    # Those who run the tests need not own the clone.
    command = ["git", "-c", f"safe.directory={repository}", "-C", str(repository), *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return None if done.returncode else done.stdout


def before(repository: Path) -> str | None:
    """The last commit of a tree that was changed since, otherwise the one before it; None where nothing is known of it.

    An export has no history and a shallow clone no parent; and the program of other packages does not run with these.
    """
    changed = git(repository, "status", "--porcelain", "--untracked-files=no")
    if changed is None:
        return None
    commit = git(repository, "rev-parse", "--verify", "--quiet", "HEAD" if changed else "HEAD^")
    if commit is None or git(repository, "diff", "--quiet", commit.decode().strip(), "--", "requirements.txt") is None:
        return None
    return commit.decode().strip()


def states(repository: Path) -> Mapping[str, State]:
    """What the commit before leaves of each stack that it knows; of none without a commit before."""
    commit = before(repository)
    archive = None if commit is None else git(repository, "archive", commit, "--", *PROGRAM, *HARNESS)
    if archive is None:
        return {}
    with TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        # The environment has this commit's library; the folders that are named here come before it.
        path = os.pathsep.join([str(Path(folder, "components")), folder])
        done = subprocess.run(
            [sys.executable, "-c", PRINT],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, f"{commit} does not say what it leaves: {done.stderr}"
    return json.loads(done.stdout)


@functools.cache
def upgraded() -> Mapping[str, list[Step]]:
    """What is lost of each stack of the commit before, or of the recorded one where that says nothing."""
    previous = states(REPOSITORY)
    return {stack: harmful(steps(previous.get(stack) or released(stack), golden.STACKS[stack]())) for stack in STACKS}


@pytest.mark.parametrize("stack", STACKS)
def test_an_upgrade_from_the_commit_before_loses_nothing(stack: str) -> None:
    assert [step for step in upgraded()[stack] if step.urn not in MEANT] == []


def test_what_is_lost_on_purpose_is_lost_once() -> None:
    lost = {step.urn for lost in upgraded().values() for step in lost}
    assert MEANT.keys() - lost == set(), "the commit before is past that; take it out of MEANT"


def test_without_a_commit_before_there_is_the_record(tmp_path: Path) -> None:
    assert before(tmp_path) is None
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
    for arguments in (("init", "--quiet"), ("add", "."), (*identity, "commit", "--quiet", "-m", "x", "--allow-empty")):
        assert git(tmp_path, *arguments) is not None
    assert before(tmp_path) is None
    assert states(tmp_path) == {}


def test_a_tree_with_changes_is_compared_with_its_own_commit(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("one\n")
    (tmp_path / "__main__.py").write_text("one\n")
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
    for arguments in (
        ("init", "--quiet"),
        ("add", "."),
        (*identity, "commit", "--quiet", "-m", "x"),
        (*identity, "commit", "--quiet", "-m", "y", "--allow-empty"),
    ):
        assert git(tmp_path, *arguments) is not None
    first, last = (git(tmp_path, "rev-parse", commit) for commit in ("HEAD^", "HEAD"))
    assert first != last
    assert f"{before(tmp_path)}\n".encode() == first
    (tmp_path / "__main__.py").write_text("two\n")
    assert f"{before(tmp_path)}\n".encode() == last
    (tmp_path / "requirements.txt").write_text("two\n")
    assert before(tmp_path) is None
