"""The EBS CSI driver of a cluster, with an identity that works."""

from typing import NotRequired, TypedDict

import pulumi_aws as aws
from pulumi import ComponentResource, Input, InvokeOutputOptions, Output, ResourceOptions

from eks_rocketmq.component import child_options, type_token
from eks_rocketmq.eks.irsa_role import IrsaRole
from eks_rocketmq.eks.preflight import ownership_tags, refuse_existing
from eks_rocketmq.validation import did_you_mean

ADDON_NAME = "aws-ebs-csi-driver"
SERVICE_ACCOUNT_NAMESPACE = "kube-system"
SERVICE_ACCOUNT = "ebs-csi-controller-sa"  # https://docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html
PERMISSIONS = {
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEBSCSIDriverPolicy.html
    "legacy": "service-role/AmazonEBSCSIDriverPolicy",
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEBSCSIDriverPolicyV2.html
    "v2": "AmazonEBSCSIDriverPolicyV2",
}
"""What the driver may do: the managed policy of each accepted value."""


class EbsCsiAddonArgs(TypedDict):
    """Where the driver runs, and as whom."""

    cluster_name: Input[str]
    """Name of the cluster. Changing it replaces the addon."""
    issuer: Input[str]
    """Issuer of the cluster, with `https://`."""
    provider_arn: Input[str]
    """ARN of the cluster's IAM OIDC provider."""
    role_name: str
    """Name of the driver's role, such as `eks-ebs-csi-driver`. Changing it replaces the role."""
    permissions: NotRequired[str]
    """`legacy` (default; AmazonEBSCSIDriverPolicy) or `v2` (AmazonEBSCSIDriverPolicyV2, which touches only volumes that
    carry the driver's tag)."""
    addon_version: NotRequired[str]
    """Version such as `v1.62.0-eksbuild.1`; default: what EKS chooses at the create, and what is installed after."""
    existing: NotRequired[bool]
    """Use the addon that the cluster has, without managing it or its role; default: False, create both."""
    tags: NotRequired[dict[str, str]]
    """Tags of addon and role; default: only the stack's own mark."""


class EbsCsiAddon(ComponentResource):
    """Runs the EBS CSI driver as an EKS addon whose service account takes its own role.

    Creates an `IrsaRole` and the addon `aws-ebs-csi-driver`. Depend on it with whatever claims volumes.
    Other `permissions` than those named are refused with a ValueError at preview.
    """

    role_arn: Output[str]
    """ARN of the driver's role."""
    addon_version: Output[str]
    """Version of the addon that is installed."""

    def __init__(self, name: str, args: EbsCsiAddonArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("EbsCsiAddon"), name, {}, opts)
        policy = _policy(args.get("permissions", "legacy"))
        if args.get("existing", False):
            found = aws.eks.get_addon_output(
                cluster_name=args["cluster_name"], addon_name=ADDON_NAME, opts=InvokeOutputOptions(parent=self)
            )
            self.role_arn, self.addon_version = found.service_account_role_arn, found.addon_version
        else:
            role = self._role(name, args, policy)
            addon = self._addon(name, args, role)
            self.role_arn, self.addon_version = role.arn, addon.addon_version
        self.register_outputs({"roleArn": self.role_arn, "addonVersion": self.addon_version})

    def _role(self, name: str, args: EbsCsiAddonArgs, policy: str) -> IrsaRole:
        return IrsaRole(
            f"{name}-driver",
            {
                "role_name": args["role_name"],
                "provider_arn": args["provider_arn"],
                "issuer": args["issuer"],
                "service_accounts": [{"namespace": SERVICE_ACCOUNT_NAMESPACE, "name": SERVICE_ACCOUNT}],
                "managed_policies": [policy],
                "tags": args.get("tags", {}),
            },
            child_options(self),
        )

    def _addon(self, name: str, args: EbsCsiAddonArgs, role: IrsaRole) -> aws.eks.Addon:
        return aws.eks.Addon(
            f"{name}-addon",
            cluster_name=args["cluster_name"],
            addon_name=ADDON_NAME,
            addon_version=args.get("addon_version"),
            service_account_role_arn=role.arn,
            # The service account may carry an annotation that somebody made by hand; the addon's role has to win.
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags={**args.get("tags", {}), **ownership_tags()},
            opts=child_options(
                self,
                # The driver makes its first volume with the role's policies; the role's ARN alone does not bring them.
                depends_on=role.attachments,
                hooks=refuse_existing(
                    f"{name}-addon", "EbsCsiAddon with existing=True (the program's setting `ebsCsiDriver: existing`)"
                ),
            ),
        )


def _policy(permissions: str) -> str:
    """The managed policy for a value of `permissions`.

    Raises:
        ValueError: naming the value and what is accepted.
    """
    if permissions not in PERMISSIONS:
        accepted = " and ".join(repr(key) for key in PERMISSIONS)
        msg = f"permissions is {permissions!r}; accepted are {accepted}{did_you_mean(permissions, PERMISSIONS)}"
        raise ValueError(msg)
    return PERMISSIONS[permissions]
