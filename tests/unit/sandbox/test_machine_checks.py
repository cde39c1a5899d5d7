"""Requirements of the machine: missing ones are reported together, each with its remedy."""

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import machine_checks
from sandbox.layout import SandboxInstance
from sandbox.machine_checks import GIB, Facts

SUITABLE = Facts(
    system="Linux",
    architecture="x86_64",
    root=True,
    capabilities=frozenset(machine_checks.CAPABILITIES),
    memory=16 * GIB,
    cache_folder=Path("/cache"),
    cache_disk=100 * GIB,
    sandbox_folder=Path("/sandbox"),
    sandbox_disk=100 * GIB,
    same_disk=False,
    filesystems=frozenset({"overlay", "xfs"}),
    loop_devices=True,
    virtual_network=True,
    cgroups=True,
    go="go1.26.8",
    packages_missing=("containerd",),
    apt=True,
    to_build=("Kubernetes",),
    running=False,
)


def test_suitable_machine_has_no_problems() -> None:
    assert machine_checks.list_problems(SUITABLE) == []


@pytest.mark.parametrize(
    ("change", "missing", "remedy"),
    [
        ({"system": "Darwin"}, "Linux: this is Darwin", "use a Linux machine"),
        ({"root": False}, "root", "sudo make up"),
        ({"capabilities": frozenset()}, "CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_CHROOT", "--privileged"),
        ({"architecture": "riscv64"}, "this is riscv64", "another machine"),
        ({"filesystems": frozenset({"xfs"})}, "file system overlay", "modprobe overlay"),
        ({"filesystems": frozenset({"overlay"})}, "file system xfs", "modprobe xfs"),
        ({"loop_devices": False}, "loop devices", "modprobe loop"),
        ({"virtual_network": False}, "bridges and veth", "modprobe -a bridge veth"),
        ({"cgroups": False}, "cgroups", "writable"),
        ({"memory": 6 * GIB}, "memory: 8.0 GiB have to be free, 6.0 GiB are", "Stop other programs"),
        ({"cache_disk": 5 * GIB}, "disk: 15.0 GiB have to be free where /cache is, 5.0 GiB are", "EKS_ROCKETMQ_CACHE"),
        ({"sandbox_disk": 5 * GIB}, "disk: 8.0 GiB have to be free where /sandbox is", "df -h"),
        ({"same_disk": True, "cache_disk": 20 * GIB}, "disk: 23.0 GiB have to be free where /cache is", "df -h"),
        ({"go": None}, "Go: it builds Kubernetes", "Install Go 1.26 or newer"),
        ({"go": "go1.19.8"}, "Go 1.26 or newer: this is go1.19.8", "Install Go 1.26 or newer"),
        ({"apt": False}, "Debian packages containerd", "package manager of this system"),
    ],
)
def test_missing_requirement_is_reported_with_its_remedy(change: dict, missing: str, remedy: str) -> None:
    (problem,) = machine_checks.list_problems(replace(SUITABLE, **change))
    assert missing in problem.missing
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    "change",
    [
        {"packages_missing": (), "apt": False},
        {"to_build": (), "go": None},
        {"to_build": (), "cache_disk": 0},
        {"to_build": (), "running": True, "memory": 1 * GIB, "cache_disk": 0, "sandbox_disk": 0},
        {"to_build": (), "same_disk": True, "cache_disk": 9 * GIB},
    ],
)
def test_unneeded_requirement_is_not_reported(change: dict) -> None:
    assert machine_checks.list_problems(replace(SUITABLE, **change)) == []


def test_all_problems_are_reported_at_once() -> None:
    problems = machine_checks.list_problems(replace(SUITABLE, memory=0, loop_devices=False, go=None))
    assert [problem.missing.split(":")[0].split()[0] for problem in problems] == ["loop", "memory", "Go"]


def test_check_machine_lists_every_problem_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "read_facts", lambda _place: replace(SUITABLE, loop_devices=False, go=None))
    with pytest.raises(
        machine_checks.MachineError, match=r"(?s)- loop devices.*\n  Load them.*\n- Go: .*\n  Install Go"
    ):
        machine_checks.check_machine(SandboxInstance("probe"))


def test_probe_reads_this_machine() -> None:
    facts = machine_checks.read_facts(SandboxInstance("probe"))
    assert facts.memory > 0
    assert facts.cache_disk > 0
    assert not facts.running


def test_capabilities_memory_and_file_systems_are_parsed(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tmake\nCapEff:\t0000000000201000\n")  # bits 12 and 21
    assert machine_checks._capabilities(status) == {"CAP_NET_ADMIN", "CAP_SYS_ADMIN"}
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       24684092 kB\nMemAvailable:   1048576 kB\n")
    assert machine_checks._memory_available(meminfo) == GIB
    filesystems = tmp_path / "filesystems"
    filesystems.write_text("nodev\tproc\nnodev\toverlay\n")
    assert machine_checks._filesystem("overlay", filesystems)
    assert not machine_checks._filesystem("no-such-file-system", filesystems)


def test_both_cgroup_versions_are_detected(tmp_path: Path) -> None:
    assert not machine_checks._cgroups(tmp_path)
    (tmp_path / "memory").mkdir()
    (tmp_path / "cpu").mkdir()
    assert machine_checks._cgroups(tmp_path)
    second = tmp_path / "second"
    second.mkdir()
    (second / "cgroup.controllers").write_text("cpu memory")
    assert machine_checks._cgroups(second)
