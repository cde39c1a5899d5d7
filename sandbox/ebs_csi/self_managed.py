"""The driver as Helm or kubectl installs it: without an EKS addon and without a role.

In `make shell`, `python -m sandbox.ebs_csi.self_managed | kubectl apply -f -` installs it. Delete the EKS addon first.
"""

import json
import sys

from sandbox.ebs_csi import manifests
from sandbox.ebs_csi.addon_configuration import AddonConfiguration
from sandbox.layout import SandboxInstance

MANAGER = "app.kubernetes.io/managed-by"


def driver_manifests(aws_endpoint: str) -> list[manifests.Manifest]:
    """Return the manifests of the driver. `aws_endpoint` is where pods reach AWS."""
    made = manifests.addon_manifests(None, AddonConfiguration(), aws_endpoint, manifests.UNCHECKED)
    for each in made:
        each["metadata"]["labels"] = {**each["metadata"]["labels"], MANAGER: "Helm"}
    return made


def main() -> None:
    """Print the manifests for `kubectl apply`. An argument names another sandbox."""
    listed = driver_manifests(SandboxInstance(*sys.argv[1:]).aws_endpoint_for_pods)
    print(json.dumps({"apiVersion": "v1", "kind": "List", "items": listed}, indent=2))


if __name__ == "__main__":
    main()
