"""Upgrade of the stacks from the previous commit: no resource with messages is replaced or deleted.

The recorded states in tests/unit/golden/released are as old as the last release. Here the previous commit creates the
states at each run, in its own process.
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
    """Return the output of git, or None if it failed."""
    # The user who runs the tests may not own the clone.
    command = ["git", "-c", f"safe.directory={repository}", "-C", str(repository), *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return None if done.returncode else done.stdout


def previous_commit(repository: Path) -> str | None:
    """Return the last commit if the tree has changes, otherwise the commit before it.

    Return None for an export without history, for a shallow clone without that commit, and if `requirements.txt`
    differs, because the program of that commit needs its own packages.
    """
    changed = git(repository, "status", "--porcelain", "--untracked-files=no")
    if changed is None:
        return None
    commit = git(repository, "rev-parse", "--verify", "--quiet", "HEAD" if changed else "HEAD^")
    if commit is None or git(repository, "diff", "--quiet", commit.decode().strip(), "--", "requirements.txt") is None:
        return None
    return commit.decode().strip()


def states(repository: Path) -> Mapping[str, State]:
    """Return the state that the previous commit creates for each of its stacks. Without that commit it is empty."""
    commit = previous_commit(repository)
    archive = None if commit is None else git(repository, "archive", commit, "--", *PROGRAM, *HARNESS)
    if archive is None:
        return {}
    with TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        # The environment has the library of this commit. PYTHONPATH takes precedence over it.
        path = os.pathsep.join([str(Path(folder, "components")), folder])
        done = subprocess.run(
            [sys.executable, "-c", PRINT],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, f"the program of {commit} failed: {done.stderr}"
    return json.loads(done.stdout)


@functools.cache
def upgraded() -> Mapping[str, list[Step]]:
    """Return the harmful steps by stack, from the state of the previous commit or else from the recorded state."""
    previous = states(REPOSITORY)
    return {stack: harmful(steps(previous.get(stack) or released(stack), golden.STACKS[stack]())) for stack in STACKS}


@pytest.mark.parametrize("stack", STACKS)
def test_upgrade_from_the_previous_commit_has_no_harmful_steps(stack: str) -> None:
    assert [step for step in upgraded()[stack] if step.urn not in MEANT] == []


def test_intended_harmful_steps_still_occur() -> None:
    urns = {step.urn for harmful_steps in upgraded().values() for step in harmful_steps}
    assert MEANT.keys() - urns == set(), "the previous commit already includes this step; remove it from MEANT"


def test_without_a_previous_commit_no_state_is_created(tmp_path: Path) -> None:
    assert previous_commit(tmp_path) is None
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
    for arguments in (("init", "--quiet"), ("add", "."), (*identity, "commit", "--quiet", "-m", "x", "--allow-empty")):
        assert git(tmp_path, *arguments) is not None
    assert previous_commit(tmp_path) is None
    assert states(tmp_path) == {}


def test_changed_tree_is_compared_with_its_last_commit(tmp_path: Path) -> None:
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
    assert f"{previous_commit(tmp_path)}\n".encode() == first
    (tmp_path / "__main__.py").write_text("two\n")
    assert f"{previous_commit(tmp_path)}\n".encode() == last
    (tmp_path / "requirements.txt").write_text("two\n")
    assert previous_commit(tmp_path) is None
