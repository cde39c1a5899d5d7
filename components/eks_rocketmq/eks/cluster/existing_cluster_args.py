"""Arguments of an existing cluster."""

from typing import NotRequired, TypedDict


class ExistingEksClusterArgs(TypedDict):
    """Which cluster, and who talks to it."""

    cluster_name: str
    """Name of the cluster in the provider's account and region. Changing it points everything at another cluster."""
    profile: NotRequired[str]
    """AWS profile that `aws eks get-token` uses; default: the credentials of whoever runs pulumi or kubectl."""
    role_arn: NotRequired[str]
    """Role that `aws eks get-token` assumes; default: none. It needs an access entry of the cluster, or with the
    authentication mode CONFIG_MAP an entry in the ConfigMap `aws-auth`. With an `aws.Provider` that assumes a role,
    give the last of its roles here: the command works with your own credentials."""
