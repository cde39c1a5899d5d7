"""Programs, images and environments that the sandbox runs. `ensure` returns their paths."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sandbox import pins
from sandbox.cache import debian, entry, go, python_environments, recipes
from sandbox.cache.build_command import CacheError
from sandbox.cache.entry import Entry
from sandbox.cache.go import Program
from sandbox.layout import CACHE
from sandbox.progress import Report

_MAJOR, _MINOR, _ = pins.KUBERNETES.split(".")

PROGRAMS = (
    Program(
        name="runc",
        title=f"runc {pins.RUNC}",
        package="github.com/opencontainers/runc",
        tags=("seccomp",),
        cgo=True,
        proof=("--version",),
        expected="libseccomp:",
    ),
    Program(name="ebs-csi", title="EBS CSI driver of the sandbox"),
    Program(name="coredns", title=f"CoreDNS {pins.COREDNS}", proof=("-version",), expected=f"CoreDNS-{pins.COREDNS}"),
    Program(
        name="pulumi",
        title=f"Pulumi {pins.PULUMI}",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        # SDKs reject an engine without a version as too old.
        variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": f"v{pins.PULUMI}"},
        cgo=True,
        proof=("version",),
        expected=f"v{pins.PULUMI}",
    ),
    Program(
        name="kubernetes",
        title=f"Kubernetes {pins.KUBERNETES} (the longest build)",
        variables={
            "k8s.io/component-base/version.gitVersion": f"v{pins.KUBERNETES}",
            "k8s.io/component-base/version.gitMajor": _MAJOR,
            "k8s.io/component-base/version.gitMinor": _MINOR,
        },
        cgo=True,
        proof=("kubectl", "version", "--client"),
        expected=f"v{pins.KUBERNETES}",
    ),
)
KUBERNETES_PROGRAMS = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubectl", "kubelet"),
)
PARTS = (
    *("debian", *(program.name for program in PROGRAMS)),
    *("image-pause", "image-coredns", "image-ebs-csi", "image-rocketmq"),
    *("python-ministack", "python-awscli", "python-client"),
)


ON_DEMAND = tuple(f"image-rocketmq-{version}" for version in pins.OTHER_ROCKETMQS)
"""Parts that are built on request only. A sandbox imports them once they exist."""


@dataclass(frozen=True)
class Toolchain:
    """Paths of the parts. Those of parts that were not requested may not exist."""

    bin: Path
    """Folder with pulumi, the programs of Kubernetes, runc, coredns and ebs-csi."""
    images: tuple[Path, ...]
    """OCI archives for `ctr --namespace k8s.io images import`."""
    ministack_python: Path
    """Interpreter with ministack, boto3, PyJWT and cryptography."""
    aws: Path
    """Folder of the executable `aws`, for PATH."""
    client_python: Path
    """Interpreter with the official RocketMQ client."""


def ensure(report: Report, parts: Collection[str] = PARTS, cache: Path = CACHE) -> Toolchain:
    """Build and download what is missing or damaged. A complete cache takes milliseconds.

    Raises CacheError.
    """
    known = (*PARTS, *ON_DEMAND)
    unknown = sorted(set(parts) - set(known))
    if unknown:
        raise CacheError(f"unknown part {', '.join(unknown)}; there are {', '.join(known)}")
    if "debian" in parts:
        debian.ensure(report)
    for each in _wanted(parts, cache):
        entry.ensure(cache, each, report)
    folders = {each.name: each.folder(cache) for each in entries(cache)}
    return Toolchain(
        bin=_link_programs(cache, folders),
        images=tuple(
            folder / recipes.ARCHIVE
            for name, folder in folders.items()
            if name.startswith("image-") and (name not in ON_DEMAND or entry.damage(folder) is None)
        ),
        ministack_python=folders["python-ministack"] / "bin" / "python",
        aws=folders["python-awscli"] / "bin",
        client_python=folders["python-client"] / "bin" / "python",
    )


def missing(parts: Collection[str] = PARTS, cache: Path = CACHE) -> list[str]:
    """Return the titles of what `ensure` would build or download."""
    return [each.title for each in _wanted(parts, cache) if entry.damage(each.folder(cache)) is not None]


def clean(cache: Path = CACHE) -> None:
    """Remove the cache. The caches of Go, Maven, uv and apt stay, as other work may need them."""
    shutil.rmtree(cache, ignore_errors=True)


def entries(cache: Path) -> list[Entry]:
    """Return the entries of all parts in the order of their dependencies."""
    programs = {program.name: go.entry(program) for program in PROGRAMS}
    contained = {"coredns": pins.COREDNS_IMAGE, "ebs-csi": pins.EBS_CSI_IMAGE}
    return [
        python_environments.entry(
            "ministack", f"MiniStack {pins.MINISTACK}", ("python", "-c", "import ministack.app, jwt")
        ),
        python_environments.entry("awscli", f"AWS CLI {pins.AWSCLI}", ("aws", "--version")),
        python_environments.entry(
            "client", f"RocketMQ client {pins.ROCKETMQ_CLIENT}", ("python", "-c", "import rocketmq")
        ),
        recipes.pause(),
        *(recipes.rocketmq(version) for version in (pins.ROCKETMQ, *pins.OTHER_ROCKETMQS)),
        *programs.values(),
        *(
            recipes.program(name, image, programs[name].folder(cache) / name, programs[name].key)
            for name, image in contained.items()
        ),
    ]


def _wanted(parts: Collection[str], cache: Path) -> list[Entry]:
    """Return the entries of these parts in the order of their dependencies. An image of a program needs the program."""
    names = {*parts, *(part.removeprefix("image-") for part in parts)}
    return [each for each in entries(cache) if each.name in names]


def _link_programs(cache: Path, folders: dict[str, Path]) -> Path:
    """Create a PATH folder, named after its targets, so that a running sandbox keeps its programs."""
    programs = [folders[program.name] for program in PROGRAMS]
    folder = cache / "bin" / "-".join(path.name.rpartition("-")[2][:8] for path in programs)
    folder.mkdir(parents=True, exist_ok=True)
    links = {program.name: folders[program.name] / program.name for program in PROGRAMS}
    links |= dict.fromkeys(KUBERNETES_PROGRAMS, folders["kubernetes"] / "kubernetes")
    for name, target in links.items():
        link = folder / name
        if not link.is_symlink() or link.readlink() != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    return folder
