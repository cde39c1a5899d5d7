"""Settings of a server process, from its environment."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT_VARIABLE = "EKS_ROCKETMQ_AWS_ROOT"


@dataclass(frozen=True)
class ServerSettings:
    """The sandbox of the server. `root` has the layout of `SandboxInstance.root`."""

    root: Path

    @property
    def volumes(self) -> Path:
        return self.root / "volumes"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def addon_reports(self) -> Path:
        """Folder of `<cluster>/<addon>.json`, see `addons.py`."""
        return self.root / "addons"

    @property
    def cluster_reports(self) -> Path:
        """Folder of `<cluster>.json`, see `clusters.py`."""
        return self.root / "clusters"

    @property
    def issuer_key(self) -> Path:
        """Public key of the cluster's service-account tokens."""
        return self.root / "pki" / "service-account.pub"

    @property
    def certificate_authority(self) -> Path:
        return self.root / "pki" / "ca.crt"


def current() -> ServerSettings:
    """Return the settings of this process.

    Raises RuntimeError unless `sandbox.aws.aws_processes.environment` made its environment.
    """
    root = os.environ.get(ROOT_VARIABLE)
    if not root:
        raise RuntimeError(f"{ROOT_VARIABLE} is not set; it names the sandbox's folder, start the server by `make up`")
    return ServerSettings(Path(root))
