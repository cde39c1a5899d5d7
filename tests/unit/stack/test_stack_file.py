"""Parts of a stack file that the engine does not pass on: ignored keys, account guards, and invalid YAML."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.stack import settings, stack_yaml
from eks_rocketmq.stack.json_values import check_depth
from eks_rocketmq.stack.stack_keys import KEYS
from tests.unit.harness import PROJECT, run, stack_config
from tests.unit.harness.rejections import rejects


def load(**config: Any) -> None:
    run(settings.load, config={**stack_config("prod"), **config}, stack="prod")


def get_error(**config: Any) -> str:
    with pytest.raises(pulumi.RunError) as error:
        load(**config)
    return str(error.value)


def append(prod_folder: Path, text: str) -> None:
    with (prod_folder / "Pulumi.prod.yaml").open("a") as file:
        file.write(text)


def test_a_copy_of_the_committed_file_is_accepted(prod_folder: Path) -> None:
    assert (prod_folder / "Pulumi.prod.yaml").exists()
    load()


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_key_without_namespace_is_rejected(prod_folder: Path, key: str) -> None:
    """The CLI would read it as a key of the project."""
    append(prod_folder, f"  {key}: {{}}\n")
    assert get_error() == f"Pulumi.prod.yaml: {key}: the key has no namespace. Write {PROJECT}:{key}."


def test_the_account_guard_without_namespace_is_rejected(prod_folder: Path) -> None:
    append(prod_folder, "  allowedAccountIds: []\n")
    assert get_error() == (
        "Pulumi.prod.yaml: allowedAccountIds: the key has no namespace. Write aws:allowedAccountIds."
    )


@pytest.mark.parametrize("key", [f"{PROJECT}:config:access", "aws:config:allowedAccountIds"])
def test_the_older_spelling_of_a_key_is_rejected(prod_folder: Path, key: str) -> None:
    """With both spellings in one file, only one of the two would take effect."""
    append(prod_folder, f"  {key}: {{}}\n")
    correct = key.replace("config:", "")
    assert get_error() == f"Pulumi.prod.yaml: {key}: `config:` in a key is an older spelling. Write {correct}."


@pytest.mark.parametrize("key", ["aws:allowedAccountIds", f"{PROJECT}:access", "storage"])
def test_a_key_outside_config_is_rejected(prod_folder: Path, key: str) -> None:
    append(prod_folder, f"{key}: {{}}\n")
    whole = key if ":" in key else f"{PROJECT}:{key}"
    assert get_error() == (
        f"Pulumi.prod.yaml: {key}: the key is outside `config:`, where nothing reads it. Write {whole} below `config:`."
    )


@pytest.mark.parametrize("line", ["encryptionsalt: v1:x", "secretsprovider: passphrase", "environment: [x]"])
def test_keys_that_the_cli_writes_are_accepted(prod_folder: Path, line: str) -> None:
    append(prod_folder, f"{line}\n")
    load()


@pytest.mark.parametrize(
    "value", ["[]", "", '""', "{}", '[""]', '["prod"]', '["14002339337"]', "[null]", "[[]]", "true"]
)
@pytest.mark.parametrize("name", ["allowedAccountIds", "forbiddenAccountIds"])
def test_a_list_without_account_ids_is_rejected(name: str, value: str) -> None:
    assert get_error(**{f"aws:{name}": value}).startswith(
        f"Pulumi.prod.yaml: aws:{name}: the list names no account, so the stack would run in any account."
    )


def test_an_account_guard_without_a_value_is_rejected(prod_folder: Path) -> None:
    file = prod_folder / "Pulumi.prod.yaml"
    file.write_text(file.read_text().replace('    - "140023393377"\n', ""))
    config = {key: text for key, text in stack_config("prod").items() if key != "aws:allowedAccountIds"}
    with pytest.raises(pulumi.RunError, match="aws:allowedAccountIds: the list names no account"):
        run(settings.load, config=config, stack="prod")


@pytest.mark.parametrize("accounts", [["140023393377"], ["140023393377", "123456789012"], [140023393377]])
def test_lists_of_accounts_are_accepted(accounts: list[Any]) -> None:
    load(**{"aws:forbiddenAccountIds": json.dumps(accounts)})


@pytest.mark.parametrize(
    "text",
    ["2024-02-30", "=", "0b2", "1_000", "12:30:45", "2024-13-01T00:00:00Z", "!!binary x", "!mine x", "<<", ".inf"],
)
def test_values_of_other_namespaces_may_have_any_type(prod_folder: Path, text: str) -> None:
    append(prod_folder, f"  other:note: {text}\n")
    load()


@pytest.mark.parametrize("text", ["\tother:note: 1", "  other:note: [1", "  other:note: 'a", "  a: b: c", "  *none: 1"])
def test_invalid_yaml_is_reported_with_its_line(prod_folder: Path, text: str) -> None:
    lines = len((prod_folder / "Pulumi.prod.yaml").read_text().splitlines())
    append(prod_folder, f"{text}\n")
    error = get_error()
    line, _, rest = error.removeprefix("Pulumi.prod.yaml: line ").partition(", column ")
    assert int(line) in {lines + 1, lines + 2}
    assert rest.endswith("Correct the line, and put a text with special characters in quotes.")


@pytest.mark.parametrize("levels", [65, 600, 5000])
@pytest.mark.parametrize("key", [*KEYS, "unknown"])
def test_a_value_with_too_many_levels_is_rejected(key: str, levels: int) -> None:
    given = {key: '{"a": [' * levels + "]}" * levels}
    with pytest.raises(pulumi.RunError) as error:
        run(settings.load, config=stack_config("prod", given), stack="prod")
    code = "unknown key" if key == "unknown" else "the value has too many levels of objects and lists"
    assert f"{key}: {code}. Accepted: " in str(error.value)


@pytest.mark.parametrize("key", ["aws:allowedAccountIds", "aws:assumeRoles"])
def test_a_provider_setting_with_too_many_levels_causes_no_recursion_error(key: str) -> None:
    config = stack_config("prod", {key: "[" * 100_000, "cluster": {"clusterName": 1}})
    with pytest.raises(pulumi.RunError, match=r"cluster\.clusterName: 1 has the wrong type"):
        run(settings.load, config=config, stack="prod")


def test_a_file_with_too_many_levels_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "Pulumi.prod.yaml"
    # The tests use the parser of libyaml, which has no limit.
    monkeypatch.setattr(yaml, "SafeLoader", yaml.loader.SafeLoader)
    file.write_text("config: " + "[" * 1000 + "]" * 1000)
    with rejects(("", "too-deep")):
        stack_yaml.read(file)


def test_brackets_in_a_text_are_no_levels() -> None:
    check_depth(json.dumps({"a": "[{" * 100, 'b"[': ["\\"] * 100}), ARGS)


def test_a_character_that_yaml_does_not_allow_is_rejected(prod_folder: Path) -> None:
    (prod_folder / "Pulumi.prod.yaml").write_bytes(b"config:\n  other:note: \x07\n")
    assert get_error().startswith("Pulumi.prod.yaml: the file has characters that YAML does not allow")
    (prod_folder / "Pulumi.prod.yaml").write_bytes(b"config:\n  other:note: \xff\n")
    assert get_error().startswith("Pulumi.prod.yaml: the file has characters that YAML does not allow")


def test_a_folder_in_place_of_the_stack_file_is_rejected(prod_folder: Path) -> None:
    (prod_folder / "Pulumi.prod.yaml").unlink()
    (prod_folder / "Pulumi.prod.yaml").mkdir()
    assert get_error().startswith("Pulumi.prod.yaml: the file cannot be read (Is a directory)")


def test_values_are_returned_as_written(tmp_path: Path) -> None:
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
