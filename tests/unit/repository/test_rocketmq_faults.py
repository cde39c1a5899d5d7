"""Page about faults of RocketMQ: the classes of the agent and the tests that it names exist."""

import re

import pytest

from sandbox.layout import REPOSITORY
from scripts.agent_jar import AGENT

PAGE = REPOSITORY / "docs" / "reference" / "rocketmq-faults.md"
TESTS = "\n".join(path.read_text() for path in sorted((REPOSITORY / "tests").glob("*/test_*.py")))
_, *SECTIONS = re.split(r"^### ", PAGE.read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.splitlines()[0])
def test_a_fault_has_a_correction_and_a_test_that_exist(section: str) -> None:
    (correction,) = re.findall(r"^- \*\*Correction\*\* \((.+?)\):", section, re.MULTILINE)
    classes = re.findall(r"`(\w+)`", correction)
    assert classes or "decision" in correction
    assert [name for name in classes if not list(AGENT.rglob(f"{name}.java"))] == []
    (proof,) = re.findall(r"^- \*\*Test:\*\* (.+?)(?:\n\n|\Z)", section, re.MULTILINE | re.DOTALL)
    assert [name for name in re.findall(r"`(test_\w+)`", proof) if f"def {name}(" not in TESTS] == []
    assert [path for path in re.findall(r"`(tests/\S+)`", proof) if not (REPOSITORY / path).exists()] == []
