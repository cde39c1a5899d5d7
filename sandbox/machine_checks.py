"""Requirements of the sandbox on its machine, and what to do about missing ones.

`read_facts` reads the state of the machine; `list_problems` compares it with the requirements and has no side effects.
"""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox import processes
from sandbox.cache import debian, go, toolchain
from sandbox.layout import SandboxInstance

GIB = 1024**3

# The end-to-end tests take 5.8 GiB at most; the brokers' heaps grow with their load.
RUNNING_MEMORY = 8 * GIB
# The Go compiler on Kubernetes' generated packages.
BUILDING_MEMORY = 4 * GIB
# Programs, images and environments take 1.2 GiB, unpacked images 1 GiB.
CACHE_DISK = 3 * GIB
# Go's module and build caches during the first build.
BUILDING_DISK = 12 * GIB
# Commit logs and indexes of the brokers (volumes are sparse files), and databases.
RUNNING_DISK = 8 * GIB

# Bits of CapEff. Without them, as in an unprivileged container, root may neither mount nor create network interfaces.
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_CHROOT": 18, "CAP_SYS_ADMIN": 21}
ARCHITECTURES = ("x86_64", "aarch64")


class MachineError(Exception):
    """The machine cannot run the sandbox. The message lists what is missing and what to do."""


@dataclass(frozen=True)
class Facts:
    """State of a machine. Sizes are bytes; `cache_disk` and `sandbox_disk` are free space."""

    system: str
    architecture: str
    root: bool
    capabilities: frozenset[str]
    memory: int
    cache_folder: Path
    cache_disk: int
    sandbox_folder: Path
    sandbox_disk: int
    same_disk: bool
    filesystems: frozenset[str]
    loop_devices: bool
    virtual_network: bool
    cgroups: bool
    go: str | None
    """Output of `go env GOVERSION`, None without Go."""
    packages_missing: tuple[str, ...]
    apt: bool
    to_build: tuple[str, ...]
    """Titles of the entries that the cache lacks."""
    running: bool
    """Whether this sandbox runs already, so that its memory and disk are in use."""


@dataclass(frozen=True)
class Problem:
    """A missing requirement and its remedy."""

    missing: str
    remedy: str

    def __str__(self) -> str:
        return f"- {self.missing}\n  {self.remedy}"


def check_machine(instance: SandboxInstance) -> None:
    """Raise MachineError when this machine cannot run the sandbox."""
    problems = list_problems(read_facts(instance))
    if problems:
        raise MachineError("\n".join(str(problem) for problem in problems))


def list_problems(facts: Facts) -> list[Problem]:
    """Return all missing requirements at once. On another system than Linux return only that."""
    if facts.system != "Linux":
        return [
            Problem(
                f"Linux: this is {facts.system}",
                "The sandbox runs its own kubelets and containers: use a Linux machine or a virtual one.",
            )
        ]
    requirements = [*_machine(facts), *_memory(facts), *_disk(facts), *_tools(facts)]
    return [Problem(missing, remedy) for met, missing, remedy in requirements if not met]


Requirement = tuple[bool, str, str]
"""Whether it is met, what is missing otherwise, remedy."""


def _machine(facts: Facts) -> list[Requirement]:
    lacking = sorted(CAPABILITIES.keys() - facts.capabilities)
    return [
        (
            facts.root,
            "root: the sandbox creates network namespaces, mounts and cgroups",
            "Run it as root, such as `sudo make up`.",
        ),
        (
            not facts.root or not lacking,
            f"{', '.join(lacking)}: this root is that of a container without privileges",
            "Run on the machine itself or in a virtual machine, or start the container with `--privileged`.",
        ),
        (
            facts.architecture in ARCHITECTURES,
            f"a processor of type {' or '.join(ARCHITECTURES)}: this is {facts.architecture}",
            "Use another machine.",
        ),
        (
            "overlay" in facts.filesystems,
            "the file system overlay in the kernel, for containers",
            "Load it with `modprobe overlay`.",
        ),
        (
            "xfs" in facts.filesystems,
            "the file system xfs in the kernel, for the file system of the volumes",
            "Load it with `modprobe xfs`.",
        ),
        (facts.loop_devices, "loop devices, for the volumes", "Load them with `modprobe loop`."),
        (
            facts.virtual_network,
            "network namespaces with bridges and veth pairs, for the network of the nodes",
            "Load them with `modprobe -a bridge veth`; a container needs permission for them from outside.",
        ),
        (
            facts.cgroups,
            "cgroups that can be written below /sys/fs/cgroup",
            "Mount them, or, in a container, hand them in writable (`--privileged --cgroupns=private`).",
        ),
    ]


def _memory(facts: Facts) -> list[Requirement]:
    needed = BUILDING_MEMORY if facts.running else RUNNING_MEMORY
    return [
        (
            facts.memory >= needed or (facts.running and not facts.to_build),
            f"memory: {_gib(needed)} have to be free, {_gib(facts.memory)} are",
            "Stop other programs on this machine, or use a machine with 16 GiB.",
        )
    ]


def _disk(facts: Facts) -> list[Requirement]:
    cache = CACHE_DISK + BUILDING_DISK if facts.to_build else 0
    running = 0 if facts.running else RUNNING_DISK
    needs = (
        {facts.cache_folder: (cache + running, facts.cache_disk)}
        if facts.same_disk
        else {facts.cache_folder: (cache, facts.cache_disk), facts.sandbox_folder: (running, facts.sandbox_disk)}
    )
    remedy = "Free some space (`df -h` shows where), or name another folder for the cache with EKS_ROCKETMQ_CACHE."
    return [
        (free >= needed, f"disk: {_gib(needed)} have to be free where {folder} is, {_gib(free)} are", remedy)
        for folder, (needed, free) in needs.items()
    ]


def _tools(facts: Facts) -> list[Requirement]:
    wanted = ".".join(map(str, go.MINIMUM_GO))
    found = f"Go {wanted} or newer: this is {facts.go}" if facts.go else f"Go: it builds {', '.join(facts.to_build)}"
    return [
        (
            facts.apt or not facts.packages_missing,
            f"the Debian packages {', '.join(facts.packages_missing)}, and apt-get to install them",
            "Install their programs with the package manager of this system, or use Debian 12 or newer.",
        ),
        (
            not facts.to_build or (facts.go is not None and go.is_new_enough(facts.go)),
            found,
            f"Install Go {wanted} or newer from its download page, first on PATH; Debian's own is older.",
        ),
    ]


def read_facts(instance: SandboxInstance) -> Facts:
    """Read the state of this machine without changing it. Takes about 0.25 s."""
    cache_parent, place_parent = _existing(toolchain.CACHE), _existing(instance.root)
    mounted = Path("/proc/filesystems")
    return Facts(
        system=platform.system(),
        architecture=platform.machine(),
        root=os.geteuid() == 0,
        capabilities=_capabilities(Path("/proc/self/status")),
        memory=_memory_available(Path("/proc/meminfo")),
        cache_folder=toolchain.CACHE,
        cache_disk=shutil.disk_usage(cache_parent).free,
        sandbox_folder=instance.root,
        sandbox_disk=shutil.disk_usage(place_parent).free,
        same_disk=cache_parent.stat().st_dev == place_parent.stat().st_dev,
        filesystems=frozenset(name for name in ("overlay", "xfs") if _filesystem(name, mounted)),
        loop_devices=Path("/dev/loop-control").exists(),
        virtual_network=_virtual_network(),
        cgroups=_cgroups(Path("/sys/fs/cgroup")),
        go=_output(["go", "env", "GOVERSION"]),
        packages_missing=tuple(package.name for package in debian.missing()),
        apt=shutil.which("apt-get") is not None,
        to_build=tuple(toolchain.missing()),
        running=processes.is_any_alive(instance),
    )


def _existing(folder: Path) -> Path:
    """Return the folder, or its nearest existing parent."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _capabilities(status: Path) -> frozenset[str]:
    if not status.exists():
        return frozenset()
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    mask = int(fields["CapEff"], 16)
    return frozenset(name for name, bit in CAPABILITIES.items() if mask >> bit & 1)


def _memory_available(meminfo: Path) -> int:
    if not meminfo.exists():
        return 0
    fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    return int(fields["MemAvailable"].split()[0]) * 1024


def _filesystem(name: str, mounted: Path) -> bool:
    """Return whether the kernel has the file system, or can load its module on demand."""
    if mounted.exists() and name in mounted.read_text().split():
        return True
    return _output(["modprobe", "--dry-run", name]) is not None


def _virtual_network() -> bool:
    """Try it in a temporary network namespace. Assume yes while `ip` is not installed yet."""
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        return True
    attempt = "ip link add name bridge0 type bridge && ip link add name veth0 type veth peer name veth1"
    return _output(["unshare", "--net", "--", "sh", "-c", attempt]) is not None


def _cgroups(root: Path) -> bool:
    """Return whether cgroups are writable. v2 has its list of controllers at the root, v1 a folder for each."""
    trees = [root] if (root / "cgroup.controllers").exists() else [root / "memory", root / "cpu"]
    return all(os.access(tree, os.W_OK) and os.statvfs(tree).f_flag & os.ST_RDONLY == 0 for tree in trees)


def _output(argv: list[str]) -> str | None:
    """Return the output of a command; None when it is not installed or fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except (FileNotFoundError, PermissionError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
