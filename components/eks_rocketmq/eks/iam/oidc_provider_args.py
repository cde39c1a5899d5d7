"""Arguments of a cluster's IAM OIDC provider."""

from typing import NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Replacing


class ClusterOidcProviderArgs(TypedDict):
    """Arguments of a `ClusterOidcProvider`."""

    issuer: Replacing[Input[str]]
    """Issuer URL of the cluster with `https://`, as DescribeCluster returns it. Changing it replaces the provider."""
    client_ids: NotRequired[list[str]]
    """Audiences in addition to `sts.amazonaws.com`, which is always accepted; up to 100 in total. Default: none.
    Audiences are matched exactly, and wildcards are rejected."""
    thumbprints: NotRequired[list[str]]
    """SHA-1 fingerprints of the issuer's CA, 40 hexadecimal digits each, up to 5. Default: none, AWS does not need them
    for EKS. Once set, they cannot be removed."""
    existing: NotRequired[bool]
    """Use the existing provider of the account without managing it. It must accept the audiences. Default: False,
    create the provider."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of the provider. Default: only the stack's ownership tag."""
