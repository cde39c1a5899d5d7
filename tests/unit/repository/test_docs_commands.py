"""Commands in the documentation: valid bash, existing commands of AWS and `eks-rocketmq`, accepted settings."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from typer.main import get_command

from eks_rocketmq.commands import cli
from eks_rocketmq.stack.settings import parse
from tests.unit.harness import PROJECT, REPOSITORY, stack_config
from tests.unit.repository.test_readme import DOCUMENTS

GLOBAL_OPTIONS = {"--query", "--output", "--region", "--profile", "--endpoint-url"}


def blocks(path: Path) -> Iterator[str]:
    """Yield the fenced shell blocks of a document, also those within lists."""
    language: str | None = None
    lines: list[str] = []
    for line in path.read_text().splitlines():
        if (fence := re.match(r"\s*```(\w*)\s*$", line)) is None:
            lines.append(line)
        elif language is None:
            language, lines = fence[1], []
        else:
            if language in {"", "bash", "sh", "console"}:
                yield "\n".join(lines) + "\n"
            language = None


FENCES = [
    pytest.param(text, id=f"{path.relative_to(REPOSITORY)}-{number}")
    for path in DOCUMENTS
    for number, text in enumerate(blocks(path))
]
PROGRAMS = ("aws", "eks-rocketmq", "kubectl", "pulumi")


def commands(program: str, text: str) -> Iterator[list[str]]:
    """Yield each command of a block that begins with the program, split into words."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r"\s(?:&&|\|)\s", line.strip()):
            if part.startswith(f"{program} "):
                yield shlex.split(part, comments=True)


def list_commands(program: str) -> list[Any]:
    """Return each command of a program in the documentation."""
    found = {tuple(each) for fence in FENCES for each in commands(program, str(fence.values[0]))}
    return [pytest.param(list(each), id=" ".join(each)[:60]) for each in sorted(found)]


@pytest.mark.parametrize(
    "text", [fence for fence in FENCES if any(list(commands(p, str(fence.values[0]))) for p in PROGRAMS)]
)
def test_each_block_is_valid_bash(text: str) -> None:
    # `…` and `<name>` are placeholders.
    result = subprocess.run(
        ["bash", "-n"], input=re.sub(r"<[\w-]+>", "x", text), text=True, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("command", list_commands("aws"))
def test_aws_has_each_command_and_its_options(command: list[str]) -> None:
    _, service, operation, *rest = command
    if (service, operation) in {("eks", "update-kubeconfig"), ("eks", "get-token")} or service in {"configure", "sso"}:
        return
    try:
        model = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError as error:
        raise AssertionError(f"AWS has no service {service}") from error
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in operations
    shape = model.operation_model(operations[operation]).input_shape
    known = {f"--{xform_name(name, '-')}" for name in (shape.members if shape else {})} | GLOBAL_OPTIONS
    assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("command", list_commands("eks-rocketmq"))
def test_the_console_script_has_each_command_and_its_options(command: list[str]) -> None:
    own = vars(get_command(cli.app))["commands"][command[1]]
    known = {option for parameter in own.params for option in parameter.opts}
    assert {word for word in command[2:] if word.startswith("-")} <= known


def config_set(config: dict[str, str], command: list[str]) -> None:
    """Change a configuration as `pulumi config set` does. With `--path`, numbers are strings only with `--type`."""
    words = [word for word in command[3:] if word not in {"--path", "--secret"}]
    kind = words[words.index("--type") + 1] if "--type" in words else ""
    for option in ("-s", "--stack", "--type"):
        if option in words:
            del words[words.index(option) : words.index(option) + 2]
    path, text = words
    top, *inner = [name or int(place) for name, place in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)]
    if "--path" not in command:
        config[f"{PROJECT}:{path}"] = text
        return
    value = json.loads(text) if re.fullmatch(r"true|false|0|[1-9]\d*", text) and kind != "string" else text
    document = json.loads(config.get(f"{PROJECT}:{top}") or "{}")
    place = document
    for step in inner[:-1]:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    place[inner[-1]] = value
    config[f"{PROJECT}:{top}"] = json.dumps(document)


SETTING_BLOCKS = [
    fence for fence in FENCES if any(c[1:3] == ["config", "set"] for c in commands("pulumi", str(fence.values[0])))
]


@pytest.mark.parametrize("text", SETTING_BLOCKS)
def test_settings_of_a_block_are_accepted(text: str) -> None:
    config = stack_config("prod")
    for command in commands("pulumi", text):
        if command[1:3] == ["config", "set"] and ":" not in command[3]:
            config_set(config, command)
    prefix = f"{PROJECT}:"
    given = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
    parse(given)
