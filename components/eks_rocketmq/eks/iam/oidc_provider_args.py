"""Arguments of a cluster's IAM OIDC provider."""

from typing import NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Replacing


class ClusterOidcProviderArgs(TypedDict):
    """Whose tokens the account trusts."""

    issuer: Replacing[Input[str]]
    """Issuer of the cluster, verbatim from DescribeCluster, with `https://`. Changing it replaces the provider."""
    client_ids: NotRequired[list[str]]
    """Audiences beside `sts.amazonaws.com`, which is always accepted, up to 100 together; default: none. Each is
    matched exactly: a wildcard is refused."""
    thumbprints: NotRequired[list[str]]
    """SHA-1 fingerprints of the issuer's CA, 40 hexadecimal digits, up to 5; default: none, AWS does not need them for
    EKS. Once set they cannot be taken away again."""
    existing: NotRequired[bool]
    """Use the provider that the account already has, without managing it; default: False, create it. One that does not
    accept the audiences is refused."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of the provider; default: only the stack's own mark."""
