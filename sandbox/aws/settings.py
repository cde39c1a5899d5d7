"""What one running server must know, from its environment: the sandbox's folder, and the names of its case."""

import os
from dataclasses import dataclass
from pathlib import Path

from sandbox import place

ROOT_VARIABLE = "EKS_ROCKETMQ_AWS_ROOT"


@dataclass(frozen=True)
class Settings:
    """The sandbox that this server belongs to. `root` is laid out as `sandbox.place.Place.root` is."""

    root: Path
    account: str = place.ACCOUNT
    region: str = place.REGION

    @property
    def volumes(self) -> Path:
        return self.root / "volumes"

    @property
    def addon_reports(self) -> Path:
        """`<cluster>/<addon>.json`, written by whatever runs the addons; see `addons.py`."""
        return self.root / "addons"

    @property
    def issuer_key(self) -> Path:
        """The public half of the key that the cluster signs service-account tokens with."""
        return self.root / "pki" / "service-account.pub"

    @property
    def certificate_authority(self) -> Path:
        return self.root / "pki" / "ca.crt"


def current() -> Settings:
    """From the environment that `sandbox.aws.lifecycle.environment` makes.

    Raises RuntimeError when the server was started in any other way.
    """
    root = os.environ.get(ROOT_VARIABLE)
    if not root:
        raise RuntimeError(f"{ROOT_VARIABLE} is not set; it names the sandbox's folder, start the server by `make up`")
    return Settings(Path(root))
