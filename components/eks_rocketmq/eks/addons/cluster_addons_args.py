"""Arguments of the EKS addons."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing

VpcCniIdentity = Annotated[Literal["irsa", "pod_identity", "node"], Enumeration("VpcCniIdentity")]
AddonStage = Annotated[Literal["before_nodes", "after_nodes"], Enumeration("AddonStage")]
AddonVersions = Annotated[Literal["installed", "default", "latest"], Enumeration("AddonVersions")]


class AddonArgs(TypedDict):
    """An EKS addon."""

    name: Replacing[str]
    """Name of the addon, such as `vpc-cni`, `coredns` or `metrics-server`. Changing it replaces the addon."""
    version: NotRequired[str]
    """Version of the addon, such as `v1.21.1-eksbuild.1`. Default: see `versions`."""
    configuration: NotRequired[dict[str, Any]]
    """Settings in the addon's own schema (`aws eks describe-addon-configuration`). They override those of this
    component. Default: none."""


class VpcCniArgs(TypedDict):
    """Identity and settings of the Amazon VPC CNI plugin."""

    identity: NotRequired[VpcCniIdentity]
    """`irsa` (default): a role for the service account. `pod_identity`: a role through EKS Pod Identity. `node`: the
    node role, which needs `AmazonEKS_CNI_Policy`; pods that can reach the metadata service get that policy too."""
    role_name: NotRequired[Replacing[str]]
    """Name of the role in IAM, with `irsa` and `pod_identity`. Changing it replaces the role."""
    issuer: NotRequired[Input[str]]
    """Issuer URL of the cluster with `https://`. Required with `irsa`."""
    provider_arn: NotRequired[Input[str]]
    """ARN of the cluster's IAM OIDC provider. Required with `irsa`."""
    cluster_arn: NotRequired[Input[str]]
    """ARN of the cluster. Required with `pod_identity`."""
    network_policy: NotRequired[bool]
    """Enforce network policies, including those of RocketMQ. Default: True. With False they have no effect."""
    prefix_delegation: NotRequired[bool]
    """Assign prefixes of 16 addresses to nodes, for more pods per node. Default: False. Subnets need contiguous free
    addresses."""


class ClusterAddonsArgs(TypedDict):
    """Arguments of `ClusterAddons`."""

    cluster_name: Replacing[Input[str]]
    """Name of the cluster. Changing it replaces the addons."""
    stage: AddonStage
    """`before_nodes`: addons that nodes need to become ready (vpc-cni, kube-proxy, eks-pod-identity-agent).
    `after_nodes`: addons that need nodes to become ready (coredns and all others)."""
    addons: NotRequired[list[AddonArgs]]
    """Addons to install. Default: vpc-cni and kube-proxy before the nodes, coredns after them."""
    pod_identity_agent: NotRequired[bool]
    """Install eks-pod-identity-agent too, before the nodes. Default: False."""
    vpc_cni: NotRequired[VpcCniArgs]
    """Identity and settings of the pod network. Required if this component installs vpc-cni."""
    versions: NotRequired[AddonVersions]
    """Versions of addons without a `version`. `installed` (default): EKS chooses the version at the creation and
    keeps it. `default`: the default of EKS for the Kubernetes version. `latest`: the newest for it. The last two are
    looked up at each preview, which shows a new version as an upgrade."""
    kubernetes_version: NotRequired[Input[str]]
    """Kubernetes version for the lookup of `default` and `latest`, such as `1.35`. Required with them."""
    preserve: NotRequired[bool]
    """Keep an addon's software in the cluster when the stack no longer has the addon. Default: True, because a cluster
    does not work without network and DNS."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of addons and role. Default: only the stack's ownership tag."""
