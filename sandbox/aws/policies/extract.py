"""Write `documents/` from moto's data: `python -m sandbox.aws.policies.extract`, in an environment with moto.

Run it after a new pin of moto. The contract test shows the changed policies.
"""

import importlib.util
import json
from importlib import metadata
from pathlib import Path

from sandbox import pins
from sandbox.aws.policies import DOCUMENTS

NAMES = (
    "AdministratorAccess",
    "AmazonEBSCSIDriverEKSClusterScopedPolicy",
    "AmazonEBSCSIDriverPolicy",
    "AmazonEBSCSIDriverPolicyV2",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEKSClusterPolicy",
    "AmazonEKSVPCResourceController",
    "AmazonEKSWorkerNodeMinimalPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonSSMManagedInstanceCore",
)


def main() -> None:
    """Read moto's table without importing moto, and write one file for each policy."""
    found = metadata.version("moto")
    if found != pins.MOTO:
        raise SystemExit(f"moto is {found}; the documents are taken from {pins.MOTO}: install that, or change the pin")
    package = importlib.util.find_spec("moto")
    if package is None or package.origin is None:
        raise SystemExit(f"moto has no files here; install moto=={pins.MOTO}")
    table = Path(package.origin).parent / "iam" / "aws_managed_policies.py"
    policies = json.loads(table.read_text().partition('"""')[2].rpartition('"""')[0])
    DOCUMENTS.mkdir(exist_ok=True)
    for name in NAMES:
        policy = policies[name]
        record = {
            "name": name,
            "path": policy["Path"],
            "version": policy["DefaultVersionId"],
            "created": policy["CreateDate"],
            "updated": policy["UpdateDate"],
            "document": policy["Document"],
        }
        (DOCUMENTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
