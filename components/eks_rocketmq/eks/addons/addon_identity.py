"""IAM role and version of an EKS addon."""

from collections.abc import Callable
from dataclasses import dataclass

import pulumi_aws as aws
from pulumi import ComponentResource, Input, InvokeOutputOptions, Output, ResourceOptions

from eks_rocketmq.eks.account.provider_functions import format_call, require_output_fields
from eks_rocketmq.eks.iam.irsa_role import IrsaRole
from eks_rocketmq.eks.iam.irsa_role_args import IrsaRoleArgs, TrustedClusterArgs
from eks_rocketmq.pulumi_sdk.component import child_options


@dataclass(frozen=True)
class AddonRole:
    """Role of an addon, in the form of the addon's inputs."""

    arn: Output[str]
    service_account_role_arn: Output[str] | None
    """ARN of the role with IRSA; None with EKS Pod Identity."""
    pod_identity_associations: "list[aws.eks.AddonPodIdentityAssociationArgsDict] | None"
    """Association with EKS Pod Identity; None with IRSA. The addon owns it, so that it is deleted with the addon."""


def create_addon_role(  # noqa: PLR0913 - two kinds of identity
    component: ComponentResource,
    name: str,
    args: IrsaRoleArgs,
    *,
    role_class: Callable[[str, IrsaRoleArgs, ResourceOptions], IrsaRole],
    irsa: TrustedClusterArgs | None = None,
    pod_identity: Input[str] = "",
) -> AddonRole:
    """Create the role of an addon's service account.

    Args:
        args: arguments of the role, with one service account and without a cluster.
        irsa: the cluster whose tokens the role trusts.
        pod_identity: ARN of the cluster in which EKS Pod Identity assumes the role, without `irsa`.
    """
    if irsa is not None:
        role = role_class(name, {**args, **irsa}, child_options(component))
        return AddonRole(role.arn, role.arn, None)
    role = role_class(
        name,
        {**args, "pod_identity_clusters": {"cluster": pod_identity}, "associate": False},
        child_options(component),
    )
    (account,) = args["service_accounts"]
    return AddonRole(role.arn, None, [{"role_arn": role.arn, "service_account": account["name"]}])


def resolve_addon_version(
    component: ComponentResource, addon: str, kubernetes_version: Input[str], *, most_recent: bool
) -> Output[str]:
    """Look up the newest or the default version of an addon for a Kubernetes version, at each run."""
    result = aws.eks.get_addon_version_output(
        addon_name=addon,
        kubernetes_version=kubernetes_version,
        most_recent=most_recent,
        opts=InvokeOutputOptions(parent=component),
    )
    return require_output_fields(
        result, format_call("aws:eks/getAddonVersion:getAddonVersion", addonName=addon), "version", component=component
    ).version
