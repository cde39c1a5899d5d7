"""As whom the service account of an addon works, and which version of the addon is installed."""

from dataclasses import dataclass

import pulumi_aws as aws
from pulumi import ComponentResource, Input, InvokeOutputOptions, Output

from eks_rocketmq.eks.account.provider_functions import format_call, require_output_fields
from eks_rocketmq.eks.iam.irsa_role import IrsaRole
from eks_rocketmq.eks.iam.irsa_role_args import IrsaRoleArgs, TrustedClusterArgs
from eks_rocketmq.pulumi_sdk.component import child_options


@dataclass(frozen=True)
class AddonRole:
    """What an addon is told of its role."""

    arn: Output[str]
    service_account_role_arn: Output[str] | None
    """The same with IRSA, nothing with EKS Pod Identity."""
    pod_identity_associations: "list[aws.eks.AddonPodIdentityAssociationArgsDict] | None"
    """The other way round. The addon makes the association itself, so that it goes with the addon."""


def create_addon_role(  # noqa: PLR0913 - the two identities
    component: ComponentResource,
    name: str,
    wanted: IrsaRoleArgs,
    *,
    irsa: TrustedClusterArgs | None = None,
    pod_identity: Input[str] = "",
    kind: type[IrsaRole] = IrsaRole,
) -> AddonRole:
    """The role of an addon's service account.

    Args:
        component: the addon's component.
        name: name of the role's component.
        wanted: the role, with one service account and no cluster.
        irsa: the cluster whose tokens are exchanged for it.
        pod_identity: without that, ARN of the cluster in which EKS Pod Identity hands it out.
        kind: class of the role.
    """
    if irsa is not None:
        role = kind(name, {**wanted, **irsa}, child_options(component))
        return AddonRole(role.arn, role.arn, None)
    role = kind(
        name,
        {**wanted, "pod_identity_clusters": {"cluster": pod_identity}, "associate": False},
        child_options(component),
    )
    (account,) = wanted["service_accounts"]
    return AddonRole(role.arn, None, [{"role_arn": role.arn, "service_account": account["name"]}])


def resolve_addon_version(
    component: ComponentResource, addon: str, kubernetes_version: Input[str], *, most_recent: bool
) -> Output[str]:
    """The newest version of an addon for a Kubernetes version, or EKS's default one, as of this run."""
    found = aws.eks.get_addon_version_output(
        addon_name=addon,
        kubernetes_version=kubernetes_version,
        most_recent=most_recent,
        opts=InvokeOutputOptions(parent=component),
    )
    return require_output_fields(
        found, format_call("aws:eks/getAddonVersion:getAddonVersion", addonName=addon), "version", component=component
    ).version
