"""Arguments of an existing cluster."""

from typing import NotRequired, TypedDict


class ExistingEksClusterArgs(TypedDict):
    """Arguments of an `ExistingEksCluster`."""

    cluster_name: str
    """Name of the cluster in the provider's account and region. After a change, all resources use the other cluster."""
    profile: NotRequired[str]
    """AWS profile of `aws eks get-token`. Default: the credentials of the user who runs pulumi or kubectl."""
    role_arn: NotRequired[str]
    """Role that `aws eks get-token` assumes. Default: none. The role needs an access entry of the cluster or, with the
    authentication mode CONFIG_MAP, an entry in the ConfigMap `aws-auth`. If your `aws.Provider` assumes roles, give the
    last one here: the command starts with your own credentials."""
