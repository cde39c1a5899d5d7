"""Programs and tests of docs/how-to/test-your-program.md, copied as a user does."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from eks_rocketmq.testing import answers
from tests.unit.harness import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "test-your-program.md").read_text(encoding="utf-8")
BLOCKS = {
    found[1]: textwrap.dedent(found[0])
    for found in re.findall(r"^ *```python\n((?: *# (\S+\.py)\n)(?:.*\n)*?) *```$", PAGE, re.MULTILINE)
}


def run_pytest(folder: Path, *files: str) -> str:
    """Run pytest in its own process, assert that it succeeds, and return the last line of its output."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), *files],
        cwd=folder if len(files) > 1 else REPOSITORY,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()[-1]


def test_every_python_block_names_its_file() -> None:
    assert PAGE.count("```python") == len(BLOCKS)
    assert set(BLOCKS) == {"orders.py", "test_orders.py", "test_account.py", "test_stack.py"}


def test_documented_tests_pass(tmp_path: Path) -> None:
    for name, text in BLOCKS.items():
        (tmp_path / name).write_text(text)
    assert run_pytest(tmp_path, "test_orders.py", "test_account.py").startswith("7 passed")
    # The test of the stack runs in the folder of its program.
    assert run_pytest(tmp_path, str(tmp_path / "test_stack.py")).startswith("1 passed")


@pytest.mark.parametrize("token", sorted(answers.LOOKUPS))
def test_page_lists_every_answer(token: str) -> None:
    assert token in PAGE or f"`{token.rsplit(':', 1)[-1]}`" in PAGE
