"""Debian packages: installs the missing ones and starts none of their services."""

import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.cache.build_command import BuildProgress, CacheError, run
from sandbox.progress import Report

_POLICY = Path("/usr/sbin/policy-rc.d")
_POLICY_COMMENT = "# eks-rocketmq: no service starts while packages are installed"
_POLICY_TEXT = f"#!/bin/sh\n{_POLICY_COMMENT}\nexit 101\n"


@dataclass(frozen=True)
class Package:
    """A package and the program (on PATH) or file (absolute path) that it provides."""

    name: str
    wanted: str


PACKAGES = (
    Package("containerd", "containerd"),
    Package("containernetworking-plugins", "/usr/lib/cni/bridge"),
    Package("mmdebstrap", "mmdebstrap"),
    Package("debian-archive-keyring", "/usr/share/keyrings/debian-archive-keyring.gpg"),
    Package("iptables", "iptables"),
    Package("iproute2", "ip"),
    Package("xfsprogs", "mkfs.xfs"),
    Package("util-linux", "nsenter"),
    Package("mount", "losetup"),
    Package("procps", "ps"),
    Package("gcc", "gcc"),
    Package("libc6-dev", "/usr/include/stdlib.h"),
    Package("pkg-config", "pkg-config"),
    Package("libseccomp-dev", "/usr/include/seccomp.h"),
    Package("ca-certificates", "/etc/ssl/certs/ca-certificates.crt"),
    Package("maven", "mvn"),
)


def missing(packages: Sequence[Package] = PACKAGES, present: Callable[[str], bool] | None = None) -> list[Package]:
    """Return the packages whose program or file does not exist, whatever installed it."""
    found = present or _present
    return [package for package in packages if not found(package.wanted)]


def ensure(report: Report, packages: Sequence[Package] = PACKAGES) -> None:
    """Install the missing packages.

    Raises CacheError when apt fails, or when a package lacks its program or file.
    """
    wanted = missing(packages)
    if not wanted:
        return
    names = [package.name for package in wanted]
    if shutil.which("apt-get") is None:
        raise CacheError(
            f"{_listed(wanted)} missing, and there is no apt-get to install {'them' if len(names) > 1 else 'it'} with. "
            "Install them with the package manager of this system, or use Debian 12 or newer."
        )
    with report.step(f"Debian packages: {', '.join(names)}"), _no_services():
        _install(names, BuildProgress(report))
    still = missing(wanted)
    if still:
        raise CacheError(f"apt-get installed {', '.join(names)}, yet {_listed(still)} still missing")


def _install(names: Sequence[str], progress: BuildProgress) -> None:
    environment = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", *names]
    run(
        ["apt-get", "update", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3"],
        doing="reading the package lists of Debian",
        environment=environment,
        on_line=progress.tell,
    )
    run(install, doing=f"installing {', '.join(names)}", environment=environment, on_line=progress.tell)


@contextmanager
def _no_services() -> Generator[None]:
    """Disable services during the installation. containerd's package would start a containerd on the host."""
    stale = _POLICY.exists() and _POLICY_COMMENT in _POLICY.read_text(errors="replace")  # left by a killed run
    if _POLICY.exists() and not stale:
        yield  # the machine has its own policy
        return
    _POLICY.write_text(_POLICY_TEXT)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def _present(wanted: str) -> bool:
    return Path(wanted).exists() if wanted.startswith("/") else shutil.which(wanted) is not None


def _listed(packages: Sequence[Package]) -> str:
    names = ", ".join(f"{package.wanted} (package {package.name})" for package in packages)
    return f"{names} {'are' if len(packages) > 1 else 'is'}"
