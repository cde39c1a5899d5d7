"""Layout of a sandbox: account, cluster, addresses and ports, and the folders and network namespaces of each instance.

Addresses and ports repeat: each instance has its own network namespaces.
"""

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("EKS_ROCKETMQ_CACHE") or Path.home() / ".cache" / "eks-rocketmq")

# The original case. The stack's configuration names the same cluster and finds it through the AWS API only.
ACCOUNT = "140023393377"
REGION = "ap-southeast-1"
CLUSTER = "prod"
ISSUER = f"https://oidc.eks.{REGION}.amazonaws.com/id/8DE440F2238C6B959FB7C65EA52AF80B"

ZONE_LABEL = "topology.kubernetes.io/zone"
ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"

CONTROL_ADDRESS = "10.200.0.1"
NETWORK_PREFIX = 24
API_PORT = 6443
AWS_PORT = 4566
AUTHENTICATOR_PORT = 21362
PRINCIPAL_EXTRA = "canonicalArn"  # extra field of AWS users: the ARN of their access entry
SERVICE_CIDR = "10.201.0.0/16"
API_SERVICE_ADDRESS = "10.201.0.1"
DNS_ADDRESS = "10.201.0.10"
POD_CIDR = "10.202.0.0/16"


class SandboxNameError(Exception):
    """EKS_ROCKETMQ_SANDBOX has a value that is not accepted."""


@dataclass(frozen=True)
class Node:
    """One worker node: a network namespace, a containerd and a kubelet, each node in another zone."""

    letter: str
    address: str
    pod_cidr: str
    instance_id: str

    @property
    def zone(self) -> str:
        return f"{REGION}{self.letter}"

    @property
    def name(self) -> str:
        """Name of the node. EKS names a node after its private address."""
        return f"ip-{self.address.replace('.', '-')}.{REGION}.compute.internal"

    @property
    def provider_id(self) -> str:
        return f"aws:///{self.zone}/{self.instance_id}"


NODES = (
    Node("a", "10.200.0.11", "10.202.11.0/24", "i-0a00000000000000a"),
    Node("b", "10.200.0.12", "10.202.12.0/24", "i-0b00000000000000b"),
    Node("c", "10.200.0.13", "10.202.13.0/24", "i-0c00000000000000c"),
)


@dataclass(frozen=True)
class SandboxInstance:
    """One sandbox, such as `sandbox` or the `test` of `make test`. `make down` removes all its paths and names."""

    name: str = "sandbox"

    @property
    def root(self) -> Path:
        return Path("/var/lib/eks-rocketmq") / self.name

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Process records and sockets."""
        return self.root / "run"

    @property
    def pki(self) -> Path:
        return self.root / "pki"

    @property
    def volumes(self) -> Path:
        """One sparse file `vol-….img` for each EBS volume. The EC2 API creates and deletes them."""
        return self.root / "volumes"

    @property
    def pulumi_home(self) -> Path:
        return self.root / "pulumi-home"

    @property
    def pulumi_backend(self) -> Path:
        return self.root / "pulumi-backend"

    @property
    def admin_kubeconfig(self) -> Path:
        """Client-certificate access for the sandbox itself. The stack uses `aws eks get-token`."""
        return self.root / "admin.kubeconfig"

    @property
    def control_netns(self) -> str:
        return f"rmq-{self.name}-control"

    def node_netns(self, node: Node) -> str:
        return f"rmq-{self.name}-{node.letter}"

    def node_root(self, node: Node) -> Path:
        return self.root / "nodes" / node.letter

    def node_cgroup(self, node: Node) -> str:
        return f"/rmq-{self.name}-{node.letter}"

    @property
    def aws_endpoint(self) -> str:
        """Endpoint for processes in the control namespace. Pods use `aws_endpoint_for_pods`."""
        return f"http://127.0.0.1:{AWS_PORT}"

    @property
    def aws_endpoint_for_pods(self) -> str:
        return f"http://{CONTROL_ADDRESS}:{AWS_PORT}"

    @property
    def api_endpoint(self) -> str:
        return f"https://{CONTROL_ADDRESS}:{API_PORT}"


def current() -> SandboxInstance:
    """Return the instance that EKS_ROCKETMQ_SANDBOX names; the default is `sandbox`.

    Raises SandboxNameError for a name that is no single path component.
    """
    name = os.environ.get("EKS_ROCKETMQ_SANDBOX", "sandbox")
    if not (name.isascii() and name.isalnum() and name.islower() and len(name) <= 10):
        raise SandboxNameError(
            f"EKS_ROCKETMQ_SANDBOX is {name!r}; accepted are 1 to 10 lower-case letters and digits, such as 'test'"
        )
    return SandboxInstance(name)
