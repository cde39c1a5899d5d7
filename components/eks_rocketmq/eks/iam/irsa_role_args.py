"""Arguments of a role for service accounts."""

from typing import Any, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Replacing


class ServiceAccountArgs(TypedDict):
    """A Kubernetes service account. It does not have to exist yet."""

    namespace: str
    """Namespace of the service account, such as `kube-system`. Wildcards are rejected."""
    name: str
    """Name of the service account, such as `ebs-csi-controller-sa`. `*` and `?` match as in IAM's `StringLike`:
    `worker-*` matches each service account of the namespace with that prefix."""


class TrustedClusterArgs(TypedDict):
    """A cluster whose tokens a role trusts."""

    issuer: Input[str]
    """Issuer URL of the cluster, with `https://`."""
    provider_arn: Input[str]
    """ARN of the cluster's IAM OIDC provider, in the same account as the role."""


class IrsaRoleArgs(TypedDict):
    """Arguments of an `IrsaRole`."""

    role_name: Replacing[str]
    """Name of the role in IAM, 1 to 64 characters. Changing it replaces the role."""
    service_accounts: list[ServiceAccountArgs]
    """Service accounts that can assume the role in each of its clusters; at least one."""
    provider_arn: NotRequired[Input[str]]
    """ARN of the cluster's IAM OIDC provider. Use it with `issuer` for a role in one cluster."""
    issuer: NotRequired[Input[str]]
    """Issuer URL of the cluster, with `https://`."""
    clusters: NotRequired[list[TrustedClusterArgs]]
    """Additional clusters whose tokens the role trusts. Default: none. The trust policy is limited to 2,048 characters,
    which is enough for about six clusters with one service account."""
    audience: NotRequired[str]
    """Audience of the tokens, matched exactly. Default: `sts.amazonaws.com`, which EKS uses in every partition. The
    client IDs of the provider must contain any other audience."""
    pod_identity_clusters: NotRequired[dict[str, Input[str]]]
    """Clusters in which EKS Pod Identity gives the role to the service accounts. Keys are labels for resource names,
    for example the cluster's name. Values are cluster ARNs. To rename a label, remove it, update, and add the new one:
    EKS accepts one association for a service account. Default: none. The clusters need the addon
    `eks-pod-identity-agent`, but no OIDC provider."""
    associate: NotRequired[bool]
    """Create an association for each service account in `pod_identity_clusters`. Default: True. Set False if an addon
    creates its own association, or if a name contains a wildcard: an association is for one service account."""
    managed_policies: NotRequired[list[str]]
    """Existing policies to attach. Give AWS managed policies by path and name, such as
    `service-role/AmazonEBSCSIDriverPolicy`, and customer managed policies by ARN. Default: none."""
    policy_arns: NotRequired[Replacing[dict[str, Input[str]]]]
    """Policies that other resources create, such as `{"orders": policy.arn}`. Keys are names that you choose for the
    attachments. Values are policy ARNs. Default: none. Changing a name replaces the attachment. The policy is then
    detached until the next `pulumi up --refresh`, because AWS allows one attachment of a policy to a role."""
    customer_policies: NotRequired[Replacing[dict[str, Any]]]
    """Policies to create in the account and attach. Keys are names, values are documents as an object or JSON text, up
    to 6,144 characters each. Default: none. Changing a name replaces the policy."""
    inline_policies: NotRequired[Replacing[dict[str, Any]]]
    """Inline policies of the role. Keys are names, values are documents as an object or JSON text, up to 10,240
    characters in total. Default: none. Changing a name replaces the policy."""
    exclusive_policies: NotRequired[bool]
    """Remove all other policies from the role, attached or inline, at each update that changes the policies and at each
    refresh. Default: False, other policies stay, and the first preview after the import of a role lists them."""
    path: NotRequired[Replacing[str]]
    """Path of role and customer policies, such as `/team/`. Default: `/`. Changing it replaces them."""
    permissions_boundary: NotRequired[Input[str]]
    """ARN of the permissions boundary of the role. Default: none."""
    max_session_duration: NotRequired[int]
    """Maximum session duration in seconds, 3600 to 43200. Default: 3600."""
    description: NotRequired[str]
    """Description of the role, up to 1000 characters. Default: none."""
    force_detach_policies: NotRequired[bool]
    """Detach policies that the stack does not manage when the role is deleted. Default: False, the deletion fails if
    there are any."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of role, customer policies and associations. Default: only the stack's ownership tag."""
