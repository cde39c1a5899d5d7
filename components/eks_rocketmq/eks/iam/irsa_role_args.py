"""Arguments of a role for service accounts."""

from typing import Any, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Replacing


class ServiceAccountArgs(TypedDict):
    """A Kubernetes service account; it need not exist yet."""

    namespace: str
    """Its namespace, such as `kube-system`, exactly: a wildcard is refused."""
    name: str
    """Its name, such as `ebs-csi-controller-sa`. `*` and `?` match as in IAM's `StringLike`: `worker-*` lets in each
    service account of that namespace whose name begins so."""


class TrustedClusterArgs(TypedDict):
    """A cluster whose tokens a role trusts."""

    issuer: Input[str]
    """Issuer of the cluster, with `https://`."""
    provider_arn: Input[str]
    """ARN of the cluster's IAM OIDC provider, in the account of the role."""


class IrsaRoleArgs(TypedDict):
    """Who may take the role, and what it may do."""

    role_name: Replacing[str]
    """Name of the role in IAM, 1 to 64 characters. Changing it replaces the role."""
    service_accounts: list[ServiceAccountArgs]
    """The service accounts that may take the role, at least one, in each of its clusters."""
    provider_arn: NotRequired[Input[str]]
    """ARN of the cluster's IAM OIDC provider; with `issuer`, the short form for one cluster."""
    issuer: NotRequired[Input[str]]
    """Issuer of the cluster, with `https://`."""
    clusters: NotRequired[list[TrustedClusterArgs]]
    """Further clusters whose tokens the role trusts; default: none. The trust policy is limited to 2,048 characters,
    which is about six clusters with one service account."""
    audience: NotRequired[str]
    """Audience of the tokens, matched exactly; default: `sts.amazonaws.com`, which EKS asks for in every partition.
    Another one must be among the client ids of the provider."""
    pod_identity_clusters: NotRequired[dict[str, Input[str]]]
    """Clusters in which EKS Pod Identity hands the role to the service accounts: a label, which stands in the names of
    resources (as a rule the cluster's name), to the ARN of the cluster; default: none. They need the addon
    `eks-pod-identity-agent`, and no OIDC provider."""
    associate: NotRequired[bool]
    """Create the association of each service account in `pod_identity_clusters`; default: True. False where an addon
    makes its own. An association is for one service account, so names with wildcards need False."""
    managed_policies: NotRequired[list[str]]
    """Policies that exist: of AWS by path and name (`service-role/AmazonEBSCSIDriverPolicy`), of an account by ARN;
    default: none."""
    policy_arns: NotRequired[Replacing[dict[str, Input[str]]]]
    """Policies that another resource makes: a name of yours, which stands in the name of the attachment, to the ARN,
    such as `{"orders": policy.arn}`; default: none. Changing a name replaces the attachment, and takes the policy off
    until the next `pulumi up --refresh`: AWS knows one attachment of a policy to a role."""
    customer_policies: NotRequired[Replacing[dict[str, Any]]]
    """Policies to create in the account and attach: name to document, as an object or as JSON text, 6,144 characters
    each; default: none. Changing a name replaces the policy."""
    inline_policies: NotRequired[Replacing[dict[str, Any]]]
    """Policies within the role: name to document, as an object or as JSON text, 10,240 characters together; default:
    none. Changing a name replaces the policy."""
    exclusive_policies: NotRequired[bool]
    """Take every other policy off the role, attached or inline, at each update that changes the policies and at each
    refresh; default: False, policies that others gave it stay, and a preview after the import of a role names them."""
    path: NotRequired[Replacing[str]]
    """Path of role and customer policies, such as `/team/`; default: `/`. Changing it replaces them."""
    permissions_boundary: NotRequired[Input[str]]
    """ARN of the policy that bounds what the role may do; default: none."""
    max_session_duration: NotRequired[int]
    """Longest session in seconds, 3600 to 43200; default: 3600."""
    description: NotRequired[str]
    """Description of the role, up to 1000 characters; default: none."""
    force_detach_policies: NotRequired[bool]
    """Take off policies that others attached when the role is deleted; default: False, the deletion fails then."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of role, customer policies and associations; default: only the stack's own mark."""
