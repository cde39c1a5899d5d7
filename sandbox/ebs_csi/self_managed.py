"""The driver as Helm or kubectl installs it, without an EKS addon and without a role.

`python -m sandbox.ebs_csi.self_managed | kubectl apply -f -` in `make shell` installs it. Delete the EKS addon first.
"""

import json
import sys

from sandbox.ebs_csi import manifests
from sandbox.ebs_csi.configuration import Configuration
from sandbox.place import Place

MANAGER = "app.kubernetes.io/managed-by"


def objects(aws_endpoint: str) -> list[manifests.Manifest]:
    """Every object of the driver, in the order in which it is applied. `aws_endpoint` is where pods reach AWS."""
    made = manifests.objects(None, Configuration(), aws_endpoint, manifests.UNCHECKED)
    for each in made:
        each["metadata"]["labels"] = {**each["metadata"]["labels"], MANAGER: "Helm"}
    return made


def main() -> None:
    """Print the objects for `kubectl apply`; an argument names another sandbox."""
    listed = objects(Place(*sys.argv[1:]).aws_endpoint_for_pods)
    print(json.dumps({"apiVersion": "v1", "kind": "List", "items": listed}, indent=2))


if __name__ == "__main__":
    main()
