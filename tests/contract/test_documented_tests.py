"""The programs and tests in docs/how-to/test-your-program.md, as a user copies them."""

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


def passed(folder: Path, *files: str) -> str:
    """What pytest says at the end, in a process of its own."""
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


def test_every_block_has_its_file() -> None:
    assert PAGE.count("```python") == len(BLOCKS)
    assert set(BLOCKS) == {"orders.py", "test_orders.py", "test_account.py", "test_stack.py"}


def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    for name, text in BLOCKS.items():
        (tmp_path / name).write_text(text)
    assert passed(tmp_path, "test_orders.py", "test_account.py").startswith("7 passed")
    # That of the stack runs where its program is.
    assert passed(tmp_path, str(tmp_path / "test_stack.py")).startswith("1 passed")


@pytest.mark.parametrize("token", sorted(answers.LOOKUPS))
def test_the_page_names_every_answer(token: str) -> None:
    assert token in PAGE or f"`{token.rsplit(':', 1)[-1]}`" in PAGE
