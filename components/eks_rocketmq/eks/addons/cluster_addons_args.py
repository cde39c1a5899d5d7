"""Arguments of the EKS addons."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing

VpcCniIdentity = Annotated[Literal["irsa", "pod_identity", "node"], Enumeration("VpcCniIdentity")]
AddonStage = Annotated[Literal["before_nodes", "after_nodes"], Enumeration("AddonStage")]
AddonVersions = Annotated[Literal["installed", "default", "latest"], Enumeration("AddonVersions")]


class AddonArgs(TypedDict):
    """One addon of EKS."""

    name: Replacing[str]
    """Its name, such as `vpc-cni`, `coredns` or `metrics-server`. Changing it replaces the addon."""
    version: NotRequired[str]
    """Version such as `v1.21.1-eksbuild.1`; default: see `versions`."""
    configuration: NotRequired[dict[str, Any]]
    """Settings by the addon's own schema (`aws eks describe-addon-configuration`), over those of this component;
    default: none."""


class VpcCniArgs(TypedDict):
    """As whom the pod network asks AWS for addresses, and how it works."""

    identity: NotRequired[VpcCniIdentity]
    """`irsa` (default; a role for its service account), `pod_identity` (a role through the agent) or `node` (the nodes'
    own role, which then needs `AmazonEKS_CNI_Policy`, and every pod that reaches the metadata service with it)."""
    role_name: NotRequired[Replacing[str]]
    """Name of the role in IAM, with `irsa` and `pod_identity`. Changing it replaces the role."""
    issuer: NotRequired[Input[str]]
    """Issuer of the cluster, with `https://`, with `irsa`."""
    provider_arn: NotRequired[Input[str]]
    """ARN of the cluster's IAM OIDC provider, with `irsa`."""
    cluster_arn: NotRequired[Input[str]]
    """ARN of the cluster, with `pod_identity`."""
    network_policy: NotRequired[bool]
    """Enforce NetworkPolicies, those of RocketMQ among them; default: True. Without it they have no
    effect."""
    prefix_delegation: NotRequired[bool]
    """Give nodes blocks of 16 addresses, for more pods on a node; default: False. Subnets need contiguous room."""


class ClusterAddonsArgs(TypedDict):
    """Which addons, for which cluster, before or after its nodes."""

    cluster_name: Replacing[Input[str]]
    """Name of the cluster. Changing it replaces the addons."""
    stage: AddonStage
    """`before_nodes`: what nodes need to become ready (vpc-cni, kube-proxy, eks-pod-identity-agent). `after_nodes`:
    what needs nodes to become ready (coredns and all others)."""
    addons: NotRequired[list[AddonArgs]]
    """The addons of this stage; default: vpc-cni and kube-proxy before the nodes, coredns after them."""
    pod_identity_agent: NotRequired[bool]
    """Install eks-pod-identity-agent too, before the nodes; default: False."""
    vpc_cni: NotRequired[VpcCniArgs]
    """The pod network's identity and settings; needed where vpc-cni is installed."""
    versions: NotRequired[AddonVersions]
    """Versions of addons that are not pinned: `installed` (default; what EKS chooses at the create, and then what is
    there), `default` (EKS's default for the Kubernetes version) or `latest`. The last two are looked up at each
    preview, so a new one appears there as an upgrade."""
    kubernetes_version: NotRequired[Input[str]]
    """Kubernetes version for which `default` and `latest` are looked up, such as `1.35`; needed with them."""
    preserve: NotRequired[bool]
    """Leave an addon's software in the cluster when the addon is taken out of the stack; default: True, as a cluster
    without network or names is none."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of addons and role; default: only the stack's own mark."""
