"""Arguments of the EBS CSI driver."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing


class SelfManagedDriverArgs(TypedDict):
    """Names of a driver that Helm or kubectl installed. The defaults are those of its Helm chart."""

    namespace: NotRequired[str]
    """Namespace of the controller. Default: `kube-system`."""
    service_account: NotRequired[str]
    """Service account of the controller. Default: `ebs-csi-controller-sa`."""
    deployment: NotRequired[str]
    """Deployment of the controller. Default: `ebs-csi-controller`."""


class EbsCsiConfigurationArgs(TypedDict):
    """Configuration of the EBS CSI addon. EKS rejects values that the addon's version does not support."""

    controller_replicas: NotRequired[int]
    """Number of controller pods. Default: that of the addon, 2."""
    controller_resources: NotRequired[dict[str, dict[str, str]]]
    """`requests` and `limits` of the controller's driver container. Default: those of the addon."""
    controller_tolerations: NotRequired[list[dict[str, Any]]]
    """Tolerations of the controller's pods. Default: those of the addon."""
    controller_node_selector: NotRequired[dict[str, str]]
    """Node selector of the controller's pods. Default: that of the addon."""
    extra_volume_tags: NotRequired[dict[str, str]]
    """Tags of all new volumes. Tags that AWS or the driver reserves are rejected. Default: none."""
    volume_modification: NotRequired[bool]
    """Enable volume modification by annotations of claims. Default: that of the addon, False."""
    node_resources: NotRequired[dict[str, dict[str, str]]]
    """`requests` and `limits` of the driver container on each node. Default: those of the addon."""
    node_tolerations: NotRequired[list[dict[str, Any]]]
    """Tolerations of the node pods. Default: those of the addon."""
    tolerate_all_taints: NotRequired[bool]
    """Run the node pods on nodes with any taint. Default: that of the addon, True."""
    volume_attach_limit: NotRequired[int]
    """Maximum number of volumes per node, from 1. Default: the limit of the instance type."""
    default_storage_class: NotRequired[bool]
    """Let the addon create its own default class `ebs-csi-default-sc` (gp3, not encrypted). Default: that of the addon,
    False."""
    sidecar_resources: NotRequired[dict[str, dict[str, dict[str, str]]]]
    """`requests` and `limits` of sidecars by name, such as `provisioner` or `attacher`. Default: those of the addon."""
    values: NotRequired[dict[str, Any]]
    """Additional values in the addon's schema, such as `{"controller": {"loggingFormat": "json"}}`. Values that another
    argument also sets are rejected. Default: none."""


EbsCsiIdentity = Annotated[Literal["irsa", "pod_identity"], Enumeration("EbsCsiIdentity")]
EbsCsiPermissions = Annotated[Literal["legacy", "v2", "cluster_scoped", "generated"], Enumeration("EbsCsiPermissions")]
ConflictsOnCreate = Annotated[Literal["NONE", "OVERWRITE"], Enumeration("ConflictsOnCreate")]
ConflictsOnUpdate = Annotated[Literal["NONE", "OVERWRITE", "PRESERVE"], Enumeration("ConflictsOnUpdate")]


class EbsCsiAddonArgs(TypedDict):
    """Arguments of an `EbsCsiAddon`."""

    cluster_name: Replacing[Input[str]]
    """Name of the cluster. Changing it replaces the addon."""
    role_name: Replacing[str]
    """Name of the driver's role, unique in the account. Include the cluster's name, as in `prod-ebs-csi-driver`.
    Changing it replaces the role."""
    issuer: NotRequired[Input[str]]
    """Issuer URL of the cluster, with `https://`. Required for the identity `irsa`."""
    provider_arn: NotRequired[Input[str]]
    """ARN of the cluster's IAM OIDC provider. Required for the identity `irsa`. With `existing`, give it if the program
    creates the provider."""
    identity: NotRequired[EbsCsiIdentity]
    """`irsa` (default): the driver assumes its role with the token of its service account. `pod_identity`: EKS Pod
    Identity assumes the role. The cluster then needs the addon `eks-pod-identity-agent` on its EC2 nodes. A controller
    on Fargate needs `irsa`."""
    permissions: NotRequired[EbsCsiPermissions]
    """IAM policy of the driver. `legacy` (default): AmazonEBSCSIDriverPolicy. `v2`: AmazonEBSCSIDriverPolicyV2, only
    for volumes with the driver's tag. `cluster_scoped`: AmazonEBSCSIDriverEKSClusterScopedPolicy, only for volumes and
    nodes with a tag of this cluster; it needs driver 1.58 or newer. `generated`: an inline policy for this cluster,
    region and account, with the fewest permissions. A change attaches the new policy before it detaches the old one.
    Before you change to `cluster_scoped`, tag existing volumes with `ebs.csi.aws.com/cluster-name` = the cluster's
    name. Before you change to `generated`, tag them with `ebs.csi.aws.com/cluster` = `true` and
    `kubernetes.io/cluster/<name>` = `owned`. With `kubeconfig`, the preview rejects a policy that does not allow the
    volumes of the cluster."""
    snapshots: NotRequired[bool]
    """Include snapshots in `generated` permissions. The AWS managed policies always include them. Default: False."""
    kms_key_arns: NotRequired[list[Input[str]]]
    """ARNs of KMS keys for encrypted volumes. ARNs of aliases grant nothing. The driver can use the keys only through
    EC2, with all values of `permissions`. A preview rejects the removal of a key, because the driver could not attach
    volumes that have it. Default: none, the account's key `aws/ebs` encrypts the volumes."""
    addon_version: NotRequired[str]
    """Version of the addon, such as `v1.62.0-eksbuild.1`. Default: EKS chooses it at the creation and keeps it."""
    most_recent: NotRequired[bool]
    """Use the newest version for `kubernetes_version` at each run, instead of `addon_version`. Default: False."""
    kubernetes_version: NotRequired[Input[str]]
    """Kubernetes version of the cluster, such as `1.35`. Required for `most_recent`."""
    configuration: NotRequired[EbsCsiConfigurationArgs]
    """Configuration of the addon. Default: the defaults of EKS at the creation, which EKS keeps."""
    resolve_conflicts_on_create: NotRequired[ConflictsOnCreate]
    """`OVERWRITE` (default): the creation overwrites fields that another client set in the cluster. `NONE`: the
    creation fails on such fields."""
    resolve_conflicts_on_update: NotRequired[ConflictsOnUpdate]
    """`OVERWRITE` (default): an update overwrites fields that another client set. `PRESERVE`: it keeps them. `NONE`: it
    fails on them."""
    preserve: NotRequired[bool]
    """Keep the driver's pods in the cluster when the addon is deleted. Default: False, they are deleted too."""
    existing: NotRequired[bool]
    """Use the cluster's existing addon without managing it or its role. The addon must have a role that it can assume,
    by IRSA or by an EKS Pod Identity association of the addon. Default: False, create both."""
    self_managed: NotRequired[SelfManagedDriverArgs]
    """Use a driver that Helm or kubectl installed, without an EKS addon. The component creates the role, annotates the
    service account, and restarts the controller's pods if they do not have the role. `{}` uses the default names. It
    needs a Kubernetes provider (`ResourceOptions(provider=…)`). Default: none."""
    auto_mode: NotRequired[bool]
    """Use the driver of EKS Auto Mode, which needs no addon and no role. A cluster without EKS Auto Mode is rejected.
    Default: False."""
    kubeconfig: NotRequired[Input[str]]
    """Kubeconfig of the cluster. With it, the preview checks whether a driver runs without an addon, and with
    `self_managed` whether its pods must restart. Default: none, without these checks; `self_managed` then restarts the
    pods once."""
    exclusive_policies: NotRequired[bool]
    """Remove all other policies from the driver's role, which an adopted role may have. Default: False, they stay in
    effect in addition to `permissions`."""
    permissions_boundary: NotRequired[Input[str]]
    """ARN of the permissions boundary of the role. Default: none."""
    path: NotRequired[Replacing[str]]
    """Path of the role, such as `/team/`. Default: `/`. Changing it replaces the role."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of addon and role. Default: only the stack's ownership tag."""
