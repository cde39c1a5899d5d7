"""Commands that read, on a terminal and in a pipe: colour, the cleared screen of `--watch`, and shell completion."""

import io
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import typer

from eks_rocketmq.commands import doctor_command, status_command
from eks_rocketmq.doctor.facts.fact_files import write_facts
from eks_rocketmq.status import status_reader
from tests.unit.doctor.driver_faults import with_missing_plugin
from tests.unit.kubernetes_api import Api
from tests.unit.status.status_case import FakePods, fill_cluster

COLOR = re.compile(r"\x1b\[[0-9;]*m")
CLEAR = "\x1b[2J\x1b[H"
COMMANDS = ("adopt", "destroy", "doctor", "status")
PROGRAM = "import sys\nsys.argv[0] = '/usr/bin/eks-rocketmq'\nfrom eks_rocketmq.commands.console import main\nmain()"


@dataclass
class Screen:
    """What a pseudo terminal has received."""

    parts: list[bytes] = field(default_factory=list)

    @property
    def text(self) -> str:
        return b"".join(self.parts).decode()


@contextmanager
def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Generator[Screen]:
    """Connect standard output with a pseudo terminal."""
    master, slave = pty.openpty()
    screen = Screen()

    def read() -> None:
        while True:
            try:
                found = os.read(master, 65536)
            except OSError:  # no process has the other side open any more
                return
            if not found:
                return
            screen.parts.append(found)

    reader = threading.Thread(target=read)
    reader.start()
    with monkeypatch.context() as patch, os.fdopen(slave, "w", encoding="utf-8") as stream:
        patch.setattr(sys, "stdout", stream)
        yield screen
    reader.join(10)
    os.close(master)


@contextmanager
def open_pipe(monkeypatch: pytest.MonkeyPatch) -> Generator[io.StringIO]:
    """Replace standard output by a stream that is not a terminal."""
    stream = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        yield stream


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    write_facts(with_missing_plugin(), tmp_path)
    return tmp_path


def run(app: typer.Typer, *arguments: str) -> None:
    with pytest.raises(SystemExit):
        app(list(arguments))


@pytest.fixture
def live(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Return the arguments for a fake cluster, whose report is repeated once."""
    pods, reader, waits = FakePods(), status_reader.StatusReader, []
    monkeypatch.setattr(status_reader, "StatusReader", lambda *arguments: reader(*arguments, pods))

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(status_command.time, "sleep", wait)
    fill_cluster(api)
    config = tmp_path / "config"
    config.write_text(api.kubeconfig)
    return ["--kubeconfig", str(config), "--no-identity"]


@pytest.mark.parametrize(("value", "colored"), [(None, True), ("", True), ("1", False)])
def test_the_doctor_uses_colour_on_a_terminal_unless_it_is_turned_off(
    dump: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, colored: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    with open_terminal(monkeypatch) as screen:
        run(doctor_command.app, "--from", str(dump))
    assert "node-plugin-missing" in screen.text
    assert bool(COLOR.search(screen.text)) is colored


@pytest.mark.parametrize(("value", "colored"), [(None, True), ("", True), ("1", False)])
def test_the_status_uses_colour_on_a_terminal_unless_it_is_turned_off(
    live: list[str], monkeypatch: pytest.MonkeyPatch, value: str | None, colored: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    with open_terminal(monkeypatch) as screen:
        run(status_command.app, *live)
    assert "3 of 3 in sync" in screen.text
    assert bool(COLOR.search(screen.text)) is colored
    assert CLEAR not in screen.text


def test_a_pipe_gets_no_colour(dump: Path, live: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    with open_pipe(monkeypatch) as doctor:
        run(doctor_command.app, "--from", str(dump))
    with open_pipe(monkeypatch) as status:
        run(status_command.app, *live)
    assert "node-plugin-missing" in doctor.getvalue()
    assert "3 of 3 in sync" in status.getvalue()
    assert "\x1b" not in doctor.getvalue() + status.getvalue()


def test_watch_clears_a_terminal_only(live: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with open_terminal(monkeypatch) as screen:
        run(status_command.app, *live, "--watch")
    assert screen.text.count(CLEAR) == screen.text.count("3 of 3 in sync") == 2


def test_watch_clears_no_pipe(live: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with open_pipe(monkeypatch) as stream:
        run(status_command.app, *live, "--watch")
    assert (stream.getvalue().count("\x1b"), stream.getvalue().count("3 of 3 in sync")) == (0, 2)


def test_watch_as_json_clears_no_terminal(live: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with open_terminal(monkeypatch) as screen:
        run(status_command.app, *live, "--watch", "--json")
    assert ("\x1b" in screen.text, len(screen.text.splitlines())) == (False, 2)


def complete(shell: str, words: str = "", action: str = "complete") -> str:
    """Return what the console script prints for a shell that completes words, or its completion script."""
    variables = {
        "_EKS_ROCKETMQ_COMPLETE": f"{action}_{shell}",
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COMP_WORDS": words if shell == "bash" else "",
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    given = {name: value for name, value in variables.items() if value}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, env={**os.environ, **given}, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(shell: str) -> None:
    found = set(re.findall(r"[\w-]+", complete(shell, "eks-rocketmq ")))
    assert set(COMMANDS) <= found
    assert "--no-identity" in complete(shell, "eks-rocketmq status --no")


@pytest.mark.parametrize(
    ("shell", "text"),
    [
        ("bash", "complete -o default -F _eks_rocketmq_completion eks-rocketmq"),
        ("zsh", "compdef _eks_rocketmq_completion eks-rocketmq"),
        ("fish", "complete --command eks-rocketmq"),
    ],
)
def test_a_shell_has_a_completion_script_that_asks_the_command(shell: str, text: str) -> None:
    script = complete(shell, action="source")
    assert text in script
    assert f"_EKS_ROCKETMQ_COMPLETE=complete_{shell}" in script
