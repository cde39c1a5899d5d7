"""Where one sandbox lives: its folders, network namespaces, addresses and ports.

Everything that a sandbox owns is reached through a `Place`, so `make down` knows what to remove and two sandboxes
(yours and the one of `make test`) never meet. Addresses can repeat: each sandbox has network namespaces of its own.
"""

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("EKS_ROCKETMQ_CACHE") or Path.home() / ".cache" / "eks-rocketmq")

# The original case. The stack's own settings name the same cluster; the two meet only through the AWS API.
ACCOUNT = "140023393377"
REGION = "ap-southeast-1"
CLUSTER = "prod"
ISSUER = f"https://oidc.eks.{REGION}.amazonaws.com/id/8DE440F2238C6B959FB7C65EA52AF80B"

CONTROL_ADDRESS = "10.200.0.1"
NETWORK_PREFIX = 24
API_PORT = 6443
AWS_PORT = 4566
AUTHENTICATOR_PORT = 21362
PRINCIPAL_EXTRA = "canonicalArn"  # extra field of users from AWS: the ARN that their access entry names
EKS_PROVIDER_PORT = 50054
KUBERNETES_PROVIDER_PORT = 50051
AWS_PROVIDER_PORT = 50052
RANDOM_PROVIDER_PORT = 50053
SERVICE_CIDR = "10.201.0.0/16"
API_SERVICE_ADDRESS = "10.201.0.1"
DNS_ADDRESS = "10.201.0.10"
POD_CIDR = "10.202.0.0/16"


class PlaceError(Exception):
    """The environment names no sandbox that could be."""


@dataclass(frozen=True)
class Node:
    """One worker: a network namespace, a containerd and a kubelet, in a zone of its own."""

    letter: str
    address: str
    pod_cidr: str
    instance_id: str

    @property
    def zone(self) -> str:
        return f"{REGION}{self.letter}"

    @property
    def name(self) -> str:
        """EKS names a node after its private address."""
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
class Place:
    """One sandbox by name. Pure: making a Place touches nothing."""

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
        """The blocks of the EBS volumes: one sparse file `vol-….img` each, made and deleted by the EC2 stand-in."""
        return self.root / "volumes"

    @property
    def pulumi_home(self) -> Path:
        return self.root / "pulumi-home"

    @property
    def pulumi_backend(self) -> Path:
        return self.root / "pulumi-backend"

    @property
    def admin_kubeconfig(self) -> Path:
        """Client-certificate access for the sandbox's own work; the stack uses `aws eks get-token` instead."""
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
        """For whatever runs in the control namespace; pods use the control address instead."""
        return f"http://127.0.0.1:{AWS_PORT}"

    @property
    def aws_endpoint_for_pods(self) -> str:
        return f"http://{CONTROL_ADDRESS}:{AWS_PORT}"

    @property
    def api_endpoint(self) -> str:
        return f"https://{CONTROL_ADDRESS}:{API_PORT}"


def current() -> Place:
    """The place that the environment names (`EKS_ROCKETMQ_SANDBOX`, default `sandbox`).

    Raises PlaceError for a name that could leave its folder.
    """
    name = os.environ.get("EKS_ROCKETMQ_SANDBOX", "sandbox")
    if not (name.isascii() and name.isalnum() and name.islower() and len(name) <= 10):
        msg = f"EKS_ROCKETMQ_SANDBOX is {name!r}; accepted are 1 to 10 lower-case letters and digits, such as 'test'"
        raise PlaceError(msg)
    return Place(name)
