"""Pruning the cache: only what no present pin names goes, and nothing that another run builds or works with."""

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


def pruned(cache: Path, *, only_list: bool = False) -> list[str]:
    """Prunes and returns the lines that a person sees."""
    printed = io.StringIO()
    prune.prune(Report(console=Console(file=printed, width=400, highlight=False)), cache, only_list=only_list)
    return [" ".join(line.split()) for line in printed.getvalue().splitlines()]


def built(cache: Path) -> Path:
    """An entry that no pin names, of a run that has ended."""
    folder = entry.ensure(cache, an_entry(Builder()), silent())
    ended()
    return folder


def ended() -> None:
    """The kernel closes the files of a run that ends."""
    while entry._used:
        entry._used.popitem()[1].close()


def everything_present(cache: Path) -> set[Path]:
    """A folder for each entry that a present pin names."""
    folders = {cache / "entries" / name for name in prune.named(cache)}
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / MANIFEST).write_text("{}")
    return folders


def test_what_no_pin_names_goes_and_all_else_stays(tmp_path: Path) -> None:
    kept = everything_present(tmp_path)
    half = tmp_path / "entries" / f"{min(kept).name}.building"
    half.mkdir()  # another run builds it, or the next one clears it away
    old = built(tmp_path)
    (old / "program").write_bytes(bytes(SIZE))
    lines = pruned(tmp_path)
    assert lines[0] == f"No present pin names these entries of {tmp_path}:"
    assert lines[1:] == [f"3.0 MiB {old.name} removed", "3.0 MiB freed"]
    assert set((tmp_path / "entries").iterdir()) == {*kept, half}
    assert pruned(tmp_path) == [f"{tmp_path} holds nothing that no present pin names"]


def test_what_is_built_on_request_belongs_to_the_pins() -> None:
    names = {name.rpartition("-")[0] for name in prune.named(Path("/cache"))}
    assert names >= {*toolchain.ON_DEMAND, *toolchain.PARTS} - {"debian"}
    assert {"jars-rocketmq-5.3.3", "jars-rocketmq-5.5.0", "node-modules", "python-nodejs", "promtool"} <= names


def test_whoever_asks_for_an_entry_is_known() -> None:
    """A module that brings entries of its own has to be named in `named`: pinned ones would be pruned otherwise."""
    modules = [path for tree in ("sandbox", "scripts", "tests") for path in (REPOSITORY / tree).glob("**/*.py")]
    asking = {
        str(path.relative_to(REPOSITORY))
        for path in modules
        if "unit" not in path.parts and "entry.ensure(" in path.read_text()
    }
    assert asking == {
        "sandbox/cache/linters.py",
        "sandbox/cache/nodejs.py",
        "sandbox/cache/toolchain.py",
        "scripts/rocketmq_keys.py",
        "tests/toolchain/test_alerts.py",
        "tests/versions/test_migration.py",
        "tests/versions/test_rocketmq_versions.py",
    }


def test_a_list_removes_nothing(tmp_path: Path) -> None:
    old = built(tmp_path)
    lines = pruned(tmp_path, only_list=True)
    assert lines[1].endswith(f"MiB {old.name}")
    assert lines[-1].endswith("MiB would be freed")
    assert entry.damage(old) is None


def test_what_another_run_works_with_stays_until_that_has_ended(tmp_path: Path) -> None:
    old = entry.ensure(tmp_path, an_entry(Builder()), silent())
    entry.ensure(tmp_path, an_entry(Builder()), silent())  # asked for twice, it is still one use
    assert pruned(tmp_path)[1:] == [f"0.0 MiB {old.name} in use by another run, stays", "0.0 MiB freed"]
    assert entry.damage(old) is None
    ended()
    assert pruned(tmp_path)[1].endswith("removed")
    assert not old.exists()


def test_what_another_run_builds_stays_and_what_it_left_goes(tmp_path: Path) -> None:
    building = tmp_path / "entries" / "thing-0123.building"
    building.mkdir(parents=True)
    (building / "half").write_text("half")
    lock = entry.lock_file(tmp_path, "thing-0123")
    lock.parent.mkdir()
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert pruned(tmp_path)[1].endswith("thing-0123.building in use by another run, stays")
        assert (building / "half").exists()
    assert pruned(tmp_path)[1].endswith("thing-0123.building removed")
    assert not building.exists()
    assert lock.exists(), "who waits for it would hold another file than who comes later"


def test_who_asks_for_an_entry_that_is_just_removed_builds_it_again(tmp_path: Path) -> None:
    old, build = built(tmp_path), Builder()
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
    ended()


def test_folders_of_links_go_with_what_they_link_to(tmp_path: Path) -> None:
    here = toolchain.ensure(silent(), [], tmp_path).bin
    for link in here.iterdir():
        link.readlink().parent.mkdir(parents=True, exist_ok=True)
        link.readlink().touch()
    old, former = built(tmp_path), tmp_path / "bin" / "former"
    former.mkdir()
    (former / "runc").symlink_to(old / "program")
    pruned(tmp_path)
    assert list((tmp_path / "bin").iterdir()) == [here]


@pytest.mark.parametrize("command", ["cache-prune", "cache-clean"])
def test_nothing_goes_while_any_sandbox_of_the_machine_runs_on_it(
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
def test_the_command_lists_or_removes(
    option: list[str], only_list: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    look: Callable[..., None] = lambda _report, *, only_list: asked.append(only_list)  # noqa: E731
    monkeypatch.setattr(layout.SandboxInstance, "root", property(lambda self: tmp_path / "places" / self.name))
    monkeypatch.setattr(cli.os, "geteuid", lambda: 0)
    monkeypatch.setattr(prune, "prune", look)
    assert CliRunner().invoke(cli.app, ["cache-prune", *option]).exit_code == 0
    assert asked == [only_list]
