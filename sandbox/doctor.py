"""What a machine must have for the sandbox, and what to do about what it lacks.

`probe` looks at the machine, `examine` judges what was seen and touches nothing.
"""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox import processes
from sandbox.cache import debian, go, toolchain
from sandbox.cache.commands import CacheError
from sandbox.place import Place

GIB = 1024**3

# The end-to-end tests take 5.8 GiB at most; the brokers' heaps grow with the load that somebody tries on them.
RUNNING_MEMORY = 8 * GIB
# The Go compiler on Kubernetes' generated packages.
BUILDING_MEMORY = 4 * GIB
# Programs, images and environments 1.2 GiB, images unpacked 1 GiB.
CACHE_DISK = 3 * GIB
# Go's module and build caches while everything is built for the first time.
BUILDING_DISK = 12 * GIB
# Volumes are sparse files; the brokers' first commit logs and indexes, and the databases.
RUNNING_DISK = 8 * GIB

# Bits of CapEff: without them root may neither mount nor make network interfaces, as in an unprivileged container.
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_CHROOT": 18, "CAP_SYS_ADMIN": 21}
ARCHITECTURES = ("x86_64", "aarch64")


class MachineError(Exception):
    """The machine cannot run the sandbox; the message lists what it lacks and what to do."""


@dataclass(frozen=True)
class Facts:
    """What was seen of a machine. Sizes are bytes; `cache_disk` and `place_disk` are free space."""

    system: str
    architecture: str
    root: bool
    capabilities: frozenset[str]
    memory: int
    cache_folder: Path
    cache_disk: int
    place_folder: Path
    place_disk: int
    same_disk: bool
    filesystems: frozenset[str]
    loop_devices: bool
    virtual_network: bool
    cgroups: bool
    go: str | None
    """What `go env GOVERSION` prints, None without Go."""
    packages_missing: tuple[str, ...]
    apt: bool
    to_build: tuple[str, ...]
    """Titles of what the cache lacks."""
    running: bool
    """A sandbox of this name runs, so its memory and disk are in use already."""


@dataclass(frozen=True)
class Problem:
    """One thing that is missing and what to do about it."""

    missing: str
    remedy: str

    def __str__(self) -> str:
        return f"- {self.missing}\n  {self.remedy}"


def require(place: Place) -> None:
    """Raises MachineError when this machine cannot run the sandbox."""
    problems = examine(probe(place))
    if problems:
        raise MachineError("\n".join(str(problem) for problem in problems))


def examine(facts: Facts) -> list[Problem]:
    """Everything that is missing, at once. On another system than Linux only that is said."""
    if facts.system != "Linux":
        return [
            Problem(
                f"Linux: this is {facts.system}",
                "The sandbox runs kubelets and containers of its own: use a Linux machine or a virtual one.",
            )
        ]
    return [*_rights(facts), *_kernel(facts), *_room(facts), *_tools(facts)]


def probe(place: Place) -> Facts:
    """Look at this machine. Changes nothing; takes about a quarter of a second."""
    cache_parent, place_parent = _existing(toolchain.CACHE), _existing(place.root)
    mounted = Path("/proc/filesystems")
    return Facts(
        system=platform.system(),
        architecture=platform.machine(),
        root=os.geteuid() == 0,
        capabilities=_capabilities(Path("/proc/self/status")),
        memory=_memory_available(Path("/proc/meminfo")),
        cache_folder=toolchain.CACHE,
        cache_disk=shutil.disk_usage(cache_parent).free,
        place_folder=place.root,
        place_disk=shutil.disk_usage(place_parent).free,
        same_disk=cache_parent.stat().st_dev == place_parent.stat().st_dev,
        filesystems=frozenset(name for name in ("overlay", "xfs") if _filesystem(name, mounted)),
        loop_devices=Path("/dev/loop-control").exists(),
        virtual_network=_virtual_network(),
        cgroups=_cgroups(Path("/sys/fs/cgroup")),
        go=_output(["go", "env", "GOVERSION"]),
        packages_missing=tuple(package.name for package in debian.missing()),
        apt=shutil.which("apt-get") is not None,
        to_build=tuple(toolchain.missing()),
        running=any(processes.alive(place, name) for name in processes.names(place)),
    )


def _rights(facts: Facts) -> list[Problem]:
    if not facts.root:
        return [
            Problem(
                "root: network namespaces, mounts and cgroups are made",
                "Run it as root, such as `sudo make up`.",
            )
        ]
    lacking = sorted(CAPABILITIES.keys() - facts.capabilities)
    if lacking:
        return [
            Problem(
                f"{', '.join(lacking)}: this root is that of a container without privileges",
                "Run on the machine itself or in a virtual machine, or start the container with `--privileged`.",
            )
        ]
    return []


def _kernel(facts: Facts) -> list[Problem]:
    problems = []
    if facts.architecture not in ARCHITECTURES:
        problems.append(
            Problem(
                f"a processor of type {' or '.join(ARCHITECTURES)}: this is {facts.architecture}",
                "Use another machine.",
            )
        )
    for name, purpose in (("overlay", "containers"), ("xfs", "the file system of the volumes")):
        if name not in facts.filesystems:
            problems.append(
                Problem(f"the file system {name} in the kernel, for {purpose}", f"Load it with `modprobe {name}`.")
            )
    if not facts.loop_devices:
        problems.append(Problem("loop devices, which the volumes are attached with", "Load them with `modprobe loop`."))
    if not facts.virtual_network:
        problems.append(
            Problem(
                "network namespaces with bridges and veth pairs, which the nodes are joined with",
                "Load them with `modprobe -a bridge veth`; in a container they have to be allowed from outside.",
            )
        )
    if not facts.cgroups:
        problems.append(
            Problem(
                "cgroups that can be written below /sys/fs/cgroup",
                "Mount them, or, in a container, hand them in writable (`--privileged --cgroupns=private`).",
            )
        )
    return problems


def _room(facts: Facts) -> list[Problem]:
    problems = []
    memory = BUILDING_MEMORY if facts.running else RUNNING_MEMORY
    if facts.memory < memory and (facts.to_build or not facts.running):
        problems.append(
            Problem(
                f"memory: {_gib(memory)} have to be free, {_gib(facts.memory)} are",
                "Stop what else runs here, or use a machine with 16 GiB.",
            )
        )
    cache = CACHE_DISK + BUILDING_DISK if facts.to_build else 0
    running = 0 if facts.running else RUNNING_DISK
    needs = (
        {facts.cache_folder: (cache + running, facts.cache_disk)}
        if facts.same_disk
        else {facts.cache_folder: (cache, facts.cache_disk), facts.place_folder: (running, facts.place_disk)}
    )
    for folder, (needed, free) in needs.items():
        if free < needed:
            problems.append(
                Problem(
                    f"disk: {_gib(needed)} have to be free where {folder} is, {_gib(free)} are",
                    "Free some space (`df -h` shows where), or name another folder for the cache "
                    "with EKS_ROCKETMQ_CACHE.",
                )
            )
    return problems


def _tools(facts: Facts) -> list[Problem]:
    problems = []
    if facts.packages_missing and not facts.apt:
        problems.append(
            Problem(
                f"the Debian packages {', '.join(facts.packages_missing)}, and apt-get to install them",
                "Install their programs with the package manager of this system, or use Debian 12 or newer.",
            )
        )
    if facts.to_build:
        wanted = ".".join(map(str, go.MINIMUM_GO))
        remedy = f"Install Go {wanted} or newer from its download page, first on PATH; Debian's own is older."
        try:
            if facts.go is None:
                problems.append(Problem(f"Go: it builds {', '.join(facts.to_build)}", remedy))
            else:
                go.check_version(facts.go)
        except CacheError:
            problems.append(Problem(f"Go {wanted} or newer: this is {facts.go}", remedy))
    return problems


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
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
    """Built in or loaded, or a module that the kernel will load by itself when it is asked for."""
    if mounted.exists() and name in mounted.read_text().split():
        return True
    return _output(["modprobe", "--dry-run", name]) is not None


def _virtual_network() -> bool:
    """Try it in a network namespace that ends with the command; before `ip` is installed, nothing can be tried."""
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        return True
    attempt = "ip link add name bridge0 type bridge && ip link add name veth0 type veth peer name veth1"
    return _output(["unshare", "--net", "--", "sh", "-c", attempt]) is not None


def _cgroups(root: Path) -> bool:
    """Version 2 has its list of controllers at the root, version 1 a folder for each."""
    trees = [root] if (root / "cgroup.controllers").exists() else [root / "memory", root / "cpu"]
    return all(os.access(tree, os.W_OK) and os.statvfs(tree).f_flag & os.ST_RDONLY == 0 for tree in trees)


def _output(argv: list[str]) -> str | None:
    """What a command printed, None when it is not there or failed."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except (FileNotFoundError, PermissionError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
