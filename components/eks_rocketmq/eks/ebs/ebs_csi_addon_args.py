"""Arguments of the EBS CSI driver."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing


class SelfManagedDriverArgs(TypedDict):
    """Names of a driver that Helm or kubectl installed; the defaults are those of its Helm chart."""

    namespace: NotRequired[str]
    """Namespace of the controller; default: `kube-system`."""
    service_account: NotRequired[str]
    """Service account of the controller; default: `ebs-csi-controller-sa`."""
    deployment: NotRequired[str]
    """Deployment of the controller; default: `ebs-csi-controller`."""


class EbsCsiConfigurationArgs(TypedDict):
    """What the addon's own schema lets one configure. EKS refuses what the addon's version does not know."""

    controller_replicas: NotRequired[int]
    """Pods of the controller; default: the addon's, 2."""
    controller_resources: NotRequired[dict[str, dict[str, str]]]
    """`requests` and `limits` of the controller's driver container; default: the addon's."""
    controller_tolerations: NotRequired[list[dict[str, Any]]]
    """Taints that the controller's pods tolerate; default: the addon's."""
    controller_node_selector: NotRequired[dict[str, str]]
    """Labels of the nodes that the controller may run on; default: the addon's."""
    extra_volume_tags: NotRequired[dict[str, str]]
    """Tags of every volume that the driver makes from now on; default: none. Tags of AWS and the driver are refused."""
    volume_modification: NotRequired[bool]
    """Change volumes by annotations of their claims; default: the addon's, False."""
    node_resources: NotRequired[dict[str, dict[str, str]]]
    """`requests` and `limits` of the driver container on each node; default: the addon's."""
    node_tolerations: NotRequired[list[dict[str, Any]]]
    """Taints that the pods on the nodes tolerate; default: the addon's."""
    tolerate_all_taints: NotRequired[bool]
    """Run on nodes with any taint; default: the addon's, True."""
    volume_attach_limit: NotRequired[int]
    """Volumes that can be attached to a node, from 1; default: what the instance type allows."""
    default_storage_class: NotRequired[bool]
    """Let the addon make a default class of its own, `ebs-csi-default-sc` (gp3, not encrypted); default: the addon's,
    False."""
    sidecar_resources: NotRequired[dict[str, dict[str, dict[str, str]]]]
    """`requests` and `limits` of sidecars by name, such as `provisioner` or `attacher`; default: the addon's."""
    values: NotRequired[dict[str, Any]]
    """Further values, in the addon's own spelling (`{"controller": {"loggingFormat": "json"}}`); default: none. A value
    that another argument sets as well is refused."""


EbsCsiIdentity = Annotated[Literal["irsa", "pod_identity"], Enumeration("EbsCsiIdentity")]
EbsCsiPermissions = Annotated[Literal["legacy", "v2", "cluster_scoped", "generated"], Enumeration("EbsCsiPermissions")]
ConflictsOnCreate = Annotated[Literal["NONE", "OVERWRITE"], Enumeration("ConflictsOnCreate")]
ConflictsOnUpdate = Annotated[Literal["NONE", "OVERWRITE", "PRESERVE"], Enumeration("ConflictsOnUpdate")]


class EbsCsiAddonArgs(TypedDict):
    """Where the driver runs, and as whom."""

    cluster_name: Replacing[Input[str]]
    """Name of the cluster. Changing it replaces the addon."""
    role_name: Replacing[str]
    """Name of the driver's role, unique in the account: put the cluster's name into it, as in `prod-ebs-csi-driver`.
    Changing it replaces the role."""
    issuer: NotRequired[Input[str]]
    """Issuer of the cluster, with `https://`; needed for the identity `irsa`."""
    provider_arn: NotRequired[Input[str]]
    """ARN of the cluster's IAM OIDC provider; needed for the identity `irsa`."""
    identity: NotRequired[EbsCsiIdentity]
    """`irsa` (default): the driver takes its role with the token of its service account. `pod_identity`: EKS Pod
    Identity hands it out; the cluster must run the addon `eks-pod-identity-agent` on its EC2 nodes, and a controller on
    Fargate needs `irsa`."""
    permissions: NotRequired[EbsCsiPermissions]
    """`legacy` (default; AmazonEBSCSIDriverPolicy), `v2` (AmazonEBSCSIDriverPolicyV2, which touches only volumes that
    carry the driver's tag), `cluster_scoped` (AmazonEBSCSIDriverEKSClusterScopedPolicy: only volumes and nodes that are
    tagged with this cluster; driver 1.58 or newer) or `generated` (an inline policy for this cluster, region and
    account; the least of all). Changing it attaches the new before it takes away the old. With the last two, tag
    volumes that exist first: `ebs.csi.aws.com/cluster-name` = the cluster, respectively `kubernetes.io/cluster/<name>`
    = `owned`."""
    snapshots: NotRequired[bool]
    """Let `generated` permissions include snapshots; default: False. The managed policies include them anyway."""
    kms_key_arns: NotRequired[list[Input[str]]]
    """Keys for encrypted volumes, by ARN and not by that of an alias, which grants nothing; default: none, volumes are
    encrypted with the account's `aws/ebs` key. Every kind of permissions gets them, and only through EC2."""
    addon_version: NotRequired[str]
    """Version such as `v1.62.0-eksbuild.1`; default: what EKS chooses at the create, and what is installed after."""
    most_recent: NotRequired[bool]
    """Resolve the newest version for `kubernetes_version` on every run, instead of `addon_version`; default: False."""
    kubernetes_version: NotRequired[Input[str]]
    """Kubernetes version of the cluster, such as `1.35`; needed for `most_recent`."""
    configuration: NotRequired[EbsCsiConfigurationArgs]
    """The addon's configuration; default: EKS's defaults at the create, and what is installed after."""
    resolve_conflicts_on_create: NotRequired[ConflictsOnCreate]
    """`OVERWRITE` (default) or `NONE`: whether fields that another client set in the cluster are overwritten, or stop
    the create."""
    resolve_conflicts_on_update: NotRequired[ConflictsOnUpdate]
    """`OVERWRITE` (default), `PRESERVE` or `NONE`: the same for an update."""
    preserve: NotRequired[bool]
    """Leave the driver's pods in the cluster when the addon is deleted; default: False, they go with it."""
    existing: NotRequired[bool]
    """Use the addon that the cluster has, without managing it or its role; default: False, create both. One that has
    neither a role nor an association of EKS Pod Identity is refused."""
    self_managed: NotRequired[SelfManagedDriverArgs]
    """Use a driver that Helm or kubectl installed, without an EKS addon: this component makes its role, annotates its
    service account, and restarts the controller's pods if they run without the role. `{}` for the default names;
    default: none. It needs a Kubernetes provider (`ResourceOptions(provider=…)`)."""
    auto_mode: NotRequired[bool]
    """Use the driver of EKS Auto Mode, which needs neither an addon nor a role; default: False. A cluster without it is
    refused."""
    kubeconfig: NotRequired[Input[str]]
    """Kubeconfig of the cluster, to see at preview whether a driver runs without an addon, and with `self_managed`
    whether its pods must be restarted; default: neither is checked, and `self_managed` restarts them once."""
    exclusive_policies: NotRequired[bool]
    """Take every other policy off the driver's role, which an adopted role may have; default: False, they stay in force
    beside `permissions`."""
    permissions_boundary: NotRequired[Input[str]]
    """ARN of the policy that bounds what the role may do; default: none."""
    path: NotRequired[Replacing[str]]
    """Path of the role, such as `/team/`; default: `/`. Changing it replaces the role."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of addon and role; default: only the stack's own mark."""
