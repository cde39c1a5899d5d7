"""What a stack file says and the engine does not hand over as it is said: places, spellings, guards, broken YAML."""

import json
import shutil
from pathlib import Path
from typing import Any

import pulumi
import pytest

from eks_rocketmq.stack import settings, stack_file, stack_yaml
from eks_rocketmq.stack.settings import declaration
from tests.unit.harness import PROJECT, REPOSITORY, run, stack_config

DECLARED = declaration(REPOSITORY)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's files, whose stack file a test may change."""
    for file in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        shutil.copy(REPOSITORY / file, tmp_path)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    return tmp_path


def load(**config: Any) -> None:
    run(settings.load, config={**stack_config("prod"), **config}, stack="prod")


def refusal(**config: Any) -> str:
    with pytest.raises(pulumi.RunError) as error:
        load(**config)
    return str(error.value)


def append(folder: Path, text: str) -> None:
    with (folder / "Pulumi.prod.yaml").open("a") as file:
        file.write(text)


def test_a_copy_of_the_committed_file_is_taken(folder: Path) -> None:
    assert (folder / "Pulumi.prod.yaml").exists()
    load()


@pytest.mark.parametrize("key", sorted(DECLARED))
def test_a_key_without_namespace_is_refused_as_the_cli_takes_it_for_the_projects_own(folder: Path, key: str) -> None:
    append(folder, f"  {key}: {{}}\n")
    assert refusal() == (
        f"Pulumi.prod.yaml: {key} has no namespace; accepted is namespace and name: write {PROJECT}:{key}"
    )


def test_the_guard_without_namespace_is_refused(folder: Path) -> None:
    append(folder, "  allowedAccountIds: []\n")
    assert refusal() == (
        "Pulumi.prod.yaml: allowedAccountIds has no namespace; accepted is namespace and name: write "
        "aws:allowedAccountIds"
    )


@pytest.mark.parametrize("key", [f"{PROJECT}:config:access", "aws:config:allowedAccountIds"])
def test_the_older_spelling_of_a_key_is_refused_as_one_of_two_would_win(folder: Path, key: str) -> None:
    append(folder, f"  {key}: {{}}\n")
    meant = key.replace("config:", "")
    assert refusal() == f"Pulumi.prod.yaml: {key} is a spelling of {meant}; accepted is that one: write {meant}"


@pytest.mark.parametrize("key", ["aws:allowedAccountIds", f"{PROJECT}:access", "durability"])
def test_a_key_that_is_not_below_config_is_refused_as_nobody_reads_it(folder: Path, key: str) -> None:
    append(folder, f"{key}: {{}}\n")
    whole = key if ":" in key else f"{PROJECT}:{key}"
    assert refusal() == (
        f"Pulumi.prod.yaml: {key} is outside of config:, where it is not read; write {whole} below config:"
    )


@pytest.mark.parametrize("line", ["encryptionsalt: v1:x", "secretsprovider: passphrase", "environment: [x]"])
def test_what_the_cli_itself_writes_is_left_alone(folder: Path, line: str) -> None:
    append(folder, f"{line}\n")
    load()


@pytest.mark.parametrize(
    "value", ["[]", "", '""', "{}", '[""]', '["prod"]', '["14002339337"]', "[null]", "[[]]", "true"]
)
@pytest.mark.parametrize("name", ["allowedAccountIds", "forbiddenAccountIds"])
def test_a_list_of_accounts_that_compares_nothing_is_refused(name: str, value: str) -> None:
    assert refusal(**{f"aws:{name}": value}).startswith(
        f"Pulumi.prod.yaml: aws:{name} names no account, so the stack would run in any; accepted is a list of account"
    )


def test_a_guard_without_a_value_is_refused(folder: Path) -> None:
    file = folder / "Pulumi.prod.yaml"
    file.write_text(file.read_text().replace('    - "140023393377"\n', ""))
    config = {key: text for key, text in stack_config("prod").items() if key != "aws:allowedAccountIds"}
    with pytest.raises(pulumi.RunError, match="aws:allowedAccountIds names no account"):
        run(settings.load, config=config, stack="prod")


@pytest.mark.parametrize("accounts", [["140023393377"], ["140023393377", "123456789012"], [140023393377]])
def test_lists_of_accounts_are_taken(accounts: list[Any]) -> None:
    load(**{"aws:forbiddenAccountIds": json.dumps(accounts)})


@pytest.mark.parametrize("value", ["", " {}", " null", " ~"])
@pytest.mark.parametrize("key", stack_file.SWITCHES)
def test_a_switch_without_a_value_is_refused(folder: Path, key: str, value: str) -> None:
    append(folder, f"  {PROJECT}:{key}:{value}\n")
    assert f"{key} is empty; give it `{stack_file.SWITCHES[key]}` at least" in refusal()


@pytest.mark.parametrize(
    "text",
    ["2024-02-30", "=", "0b2", "1_000", "12:30:45", "2024-13-01T00:00:00Z", "!!binary x", "!mine x", "<<", ".inf"],
)
def test_what_yaml_makes_of_a_text_is_not_looked_at(folder: Path, text: str) -> None:
    append(folder, f"  other:note: {text}\n")
    load()


@pytest.mark.parametrize("text", ["\tother:note: 1", "  other:note: [1", "  other:note: 'a", "  a: b: c", "  *none: 1"])
def test_broken_yaml_is_an_error_with_its_line(folder: Path, text: str) -> None:
    lines = len((folder / "Pulumi.prod.yaml").read_text().splitlines())
    append(folder, f"{text}\n")
    told = refusal()
    place, _, rest = told.removeprefix("Pulumi.prod.yaml: line ").partition(", column ")
    assert int(place) in {lines + 1, lines + 2}
    assert "; accepted is YAML indented by spaces" in rest


def test_a_character_that_yaml_does_not_take_is_an_error_of_the_file(folder: Path) -> None:
    (folder / "Pulumi.prod.yaml").write_bytes(b"config:\n  other:note: \x07\n")
    assert refusal().startswith("Pulumi.prod.yaml: the file has characters that YAML does not take")
    (folder / "Pulumi.prod.yaml").write_bytes(b"config:\n  other:note: \xff\n")
    assert refusal().startswith("Pulumi.prod.yaml: the file has characters that YAML does not take")


def test_values_are_found_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text(
        "config:\n  p:groups:\n  - {name: a, minInSync: 1.30}\n  p:on: true\n  p:s: {secure: x}\n  p:t: '1'\n"
    )
    found = stack_yaml.read(file)
    assert stack_yaml.unquoted(found.find("p:groups", (0, "min_in_sync"))) == "1.30"
    assert stack_yaml.unquoted(found.find("p:on")) == "true"
    assert stack_yaml.unquoted(found.find("p:t")) is None
    assert stack_yaml.is_encrypted(found.find("p:s"))
    assert [found.find("p:groups", path) for path in ((1,), (0, "b"), ("a",), (0, "name", "x"))] == [None] * 4
    assert list(found.config) == ["p:groups", "p:on", "p:s", "p:t"]
    assert stack_yaml.read(tmp_path / "none") == stack_yaml.StackFile()
