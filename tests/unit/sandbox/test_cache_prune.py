"""Pruning of the cache: removed entries, entries in use by another run, and the command."""

import fcntl
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from sandbox import cli, layout, lifecycle, processes
from sandbox.cache import entry, prune, toolchain
from sandbox.cache.entry import MANIFEST
from sandbox.layout import REPOSITORY
from sandbox.lifecycle import RunningError
from sandbox.progress import Report
from tests.unit.cache_case import Builder, an_entry

SIZE = 1024**2 * 3


def silent() -> Report:
    return Report(console=Console(file=io.StringIO()))


def printed_lines(cache: Path, *, only_list: bool = False) -> list[str]:
    """Prune the cache and return the printed lines."""
    printed = io.StringIO()
    prune.prune(Report(console=Console(file=printed, width=400, highlight=False)), cache, only_list=only_list)
    return [" ".join(line.split()) for line in printed.getvalue().splitlines()]


def build_unnamed_entry(cache: Path) -> Path:
    """Build an entry that no pin names, as a run that has ended."""
    folder = entry.ensure(cache, an_entry(Builder()), silent())
    end_run()
    return folder


def end_run() -> None:
    """Close the files of the run, as the kernel does when a run ends."""
    while entry._used:
        entry._used.popitem()[1].close()


def create_named_entries(cache: Path) -> set[Path]:
    """Create a folder for each entry that a current pin names."""
    folders = {cache / "entries" / name for name in prune.named(cache)}
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / MANIFEST).write_text("{}")
    return folders


def test_only_entries_that_no_pin_names_are_removed(tmp_path: Path) -> None:
    kept = create_named_entries(tmp_path)
    half = tmp_path / "entries" / f"{min(kept).name}.building"
    half.mkdir()  # another run builds this entry, or the next run removes the folder
    old = build_unnamed_entry(tmp_path)
    (old / "program").write_bytes(bytes(SIZE))
    lines = printed_lines(tmp_path)
    assert lines[0] == f"No present pin names these entries of {tmp_path}:"
    assert lines[1:] == [f"3.0 MiB {old.name} removed", "3.0 MiB freed"]
    assert set((tmp_path / "entries").iterdir()) == {*kept, half}
    assert printed_lines(tmp_path) == [f"{tmp_path} holds nothing that no present pin names"]


def test_entries_built_on_demand_are_named_by_pins() -> None:
    names = {name.rpartition("-")[0] for name in prune.named(Path("/cache"))}
    assert names >= {*toolchain.ON_DEMAND, *toolchain.PARTS} - {"debian"}
    assert {"jars-rocketmq-5.3.3", "jars-rocketmq-5.5.0", "node-modules", "python-nodejs", "promtool"} <= names
    assert "rocketmq-audit-5.5.0" in names


def test_every_module_that_requests_entries_is_listed() -> None:
    """A module with entries of its own must be added to `named`, or its pinned entries are pruned."""
    modules = [path for tree in ("sandbox", "scripts", "tests") for path in (REPOSITORY / tree).glob("**/*.py")]
    requesting = {
        str(path.relative_to(REPOSITORY))
        for path in modules
        if "unit" not in path.parts and "entry.ensure(" in path.read_text()
    }
    assert requesting == {
        "sandbox/cache/java.py",
        "sandbox/cache/linters.py",
        "sandbox/cache/nodejs.py",
        "sandbox/cache/toolchain.py",
        "scripts/agent_jar.py",
        "scripts/rocketmq_keys.py",
        "tests/faults/test_small_files.py",
        "tests/toolchain/test_alerts.py",
        "tests/versions/pods.py",
        "tests/versions/class_programs.py",
    }


def test_list_removes_no_entry(tmp_path: Path) -> None:
    old = build_unnamed_entry(tmp_path)
    lines = printed_lines(tmp_path, only_list=True)
    assert lines[1].endswith(f"MiB {old.name}")
    assert lines[-1].endswith("MiB would be freed")
    assert entry.damage(old) is None


def test_entry_in_use_by_another_run_is_kept_until_that_run_ends(tmp_path: Path) -> None:
    old = entry.ensure(tmp_path, an_entry(Builder()), silent())
    entry.ensure(tmp_path, an_entry(Builder()), silent())  # a second request is not a second use
    assert printed_lines(tmp_path)[1:] == [f"0.0 MiB {old.name} in use by another run, stays", "0.0 MiB freed"]
    assert entry.damage(old) is None
    end_run()
    assert printed_lines(tmp_path)[1].endswith("removed")
    assert not old.exists()


def test_build_folder_is_kept_during_the_build_and_removed_afterwards(tmp_path: Path) -> None:
    building = tmp_path / "entries" / "thing-0123.building"
    building.mkdir(parents=True)
    (building / "half").write_text("half")
    lock = entry.lock_file(tmp_path, "thing-0123")
    lock.parent.mkdir()
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert printed_lines(tmp_path)[1].endswith("thing-0123.building in use by another run, stays")
        assert (building / "half").exists()
    assert printed_lines(tmp_path)[1].endswith("thing-0123.building removed")
    assert not building.exists()
    assert lock.exists(), "runs that already wait and later runs must lock the same file"


def test_entry_removed_during_a_request_is_built_again(tmp_path: Path) -> None:
    old, build = build_unnamed_entry(tmp_path), Builder()
    with (old / MANIFEST).open() as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        other = threading.Thread(target=entry.ensure, args=(tmp_path, an_entry(build), silent()))
        other.start()
        other.join(timeout=0.2)
        assert other.is_alive()
        (old / MANIFEST).unlink()
    other.join(timeout=10)
    assert build.times == 1
    assert entry.damage(old) is None
    end_run()


def test_link_folders_of_removed_entries_are_removed(tmp_path: Path) -> None:
    current = toolchain.ensure(silent(), [], tmp_path).bin
    for link in current.iterdir():
        link.readlink().parent.mkdir(parents=True, exist_ok=True)
        link.readlink().touch()
    old, former = build_unnamed_entry(tmp_path), tmp_path / "bin" / "former"
    former.mkdir()
    (former / "runc").symlink_to(old / "program")
    printed_lines(tmp_path)
    assert list((tmp_path / "bin").iterdir()) == [current]


@pytest.mark.parametrize("command", ["cache-prune", "cache-clean"])
def test_prune_and_clean_are_rejected_while_any_sandbox_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout.SandboxInstance, "root", property(lambda self: tmp_path / "places" / self.name))
    monkeypatch.setattr(cli.os, "geteuid", lambda: 0)
    others = layout.SandboxInstance("others")
    others.run.mkdir(parents=True)
    monkeypatch.setattr(prune, "prune", pytest.fail)
    monkeypatch.setattr(toolchain, "clean", pytest.fail)
    lifecycle.require_all_down()
    (others.run / "etcd.process").write_text(json.dumps({"pid": 1, "started": processes._start_time(1)}))
    with pytest.raises(RunningError, match="the sandbox 'others' runs on programs of the cache"):
        lifecycle.require_all_down()
    result = CliRunner().invoke(cli.app, [command])
    assert result.exit_code == 1, result.output
    assert "`make down` first" in result.output


@pytest.mark.parametrize(("option", "only_list"), [([], False), (["--list"], True)])
def test_command_passes_the_list_option(
    option: list[str], only_list: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[bool] = []
    record: Callable[..., None] = lambda _report, *, only_list: received.append(only_list)  # noqa: E731
    monkeypatch.setattr(layout.SandboxInstance, "root", property(lambda self: tmp_path / "places" / self.name))
    monkeypatch.setattr(cli.os, "geteuid", lambda: 0)
    monkeypatch.setattr(prune, "prune", record)
    assert CliRunner().invoke(cli.app, ["cache-prune", *option]).exit_code == 0
    assert received == [only_list]
