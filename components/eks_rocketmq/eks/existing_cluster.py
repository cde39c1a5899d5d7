"""An EKS cluster that someone else made."""

from typing import NotRequired, TypedDict

import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, InvokeOptions, Output, ResourceOptions, RunError

from eks_rocketmq.component import child_options, type_token
from eks_rocketmq.eks.kubeconfig import kubeconfig


class ExistingEksClusterArgs(TypedDict):
    """Which cluster, and who talks to it."""

    cluster_name: str
    """Name of the cluster in the provider's account and region. Changing it points everything at another cluster."""
    profile: NotRequired[str]
    """AWS profile that `aws eks get-token` uses; default: the credentials of whoever runs pulumi or kubectl."""
    role_arn: NotRequired[str]
    """Role that `aws eks get-token` assumes; default: none. It needs an access entry of the cluster."""


class ExistingEksCluster(ComponentResource):
    """Reads a cluster and gives what everything after it needs; creates only the Kubernetes provider.

    A cluster that is missing, not ACTIVE or without an OIDC issuer is refused with a RunError at preview.
    """

    name: Output[str]
    """Name of the cluster."""
    arn: Output[str]
    """ARN of the cluster; it holds partition, region and account."""
    version: Output[str]
    """Kubernetes version, such as `1.35`."""
    endpoint: Output[str]
    """URL of the API server."""
    certificate_authority: Output[str]
    """CA of the API server, base64 of PEM."""
    oidc_issuer: Output[str]
    """Issuer of the service-account tokens, verbatim, with `https://`."""
    cluster_security_group_id: Output[str]
    """Security group that EKS made for control plane and nodes."""
    security_group_ids: Output[list[str]]
    """Security groups that were added to the control plane."""
    kubeconfig: Output[str]
    """Kubeconfig (JSON) without a secret: it asks `aws eks get-token`."""
    provider: kubernetes.Provider
    """Kubernetes provider of the cluster, for `ResourceOptions(provider=…)`."""

    def __init__(self, name: str, args: ExistingEksClusterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("ExistingEksCluster"), name, {}, opts)
        cluster = _describe(args["cluster_name"], InvokeOptions(parent=self))
        config = kubeconfig(
            arn=cluster.arn,
            endpoint=cluster.endpoint,
            certificate_authority=cluster.certificate_authorities[0].data,
            profile=args.get("profile"),
            role_arn=args.get("role_arn"),
        )
        self.provider = kubernetes.Provider(
            f"{name}-kubernetes",
            kubeconfig=config,
            # The provider compares this instead of server and CA: a rotated CA or another endpoint must not replace
            # every object of the cluster.
            cluster_identifier=cluster.arn,
            opts=child_options(self),
        )
        vpc = cluster.vpc_config
        self.name = Output.from_input(cluster.name)
        self.arn = Output.from_input(cluster.arn)
        self.version = Output.from_input(cluster.version)
        self.endpoint = Output.from_input(cluster.endpoint)
        self.certificate_authority = Output.from_input(cluster.certificate_authorities[0].data)
        self.oidc_issuer = Output.from_input(cluster.identities[0].oidcs[0].issuer)
        self.cluster_security_group_id = Output.from_input(vpc.cluster_security_group_id)
        self.security_group_ids = Output.from_input(list(vpc.security_group_ids))
        self.kubeconfig = Output.from_input(config)
        self.register_outputs(
            {
                "name": self.name,
                "arn": self.arn,
                "version": self.version,
                "endpoint": self.endpoint,
                "certificateAuthority": self.certificate_authority,
                "oidcIssuer": self.oidc_issuer,
                "clusterSecurityGroupId": self.cluster_security_group_id,
                "securityGroupIds": self.security_group_ids,
                "kubeconfig": self.kubeconfig,
                "provider": self.provider,
            }
        )


def _describe(cluster_name: str, opts: InvokeOptions) -> aws.eks.GetClusterResult:
    """DescribeCluster, refused unless the cluster can carry the stack.

    The plain call and not the output form: everything after it is then known at preview, the trust policy included.
    """
    try:
        cluster = aws.eks.get_cluster(name=cluster_name, opts=opts)
    except Exception as error:
        msg = (
            f"EKS cluster {cluster_name!r} cannot be read: {error}\n"
            "Accepted is the name of a cluster in the account and region of the AWS provider; "
            "`aws eks list-clusters` shows them. Check clusterName, aws:region, aws:profile and aws:allowedAccountIds; "
            "`aws sts get-caller-identity` says who is asking."
        )
        raise RunError(msg) from error
    if cluster.status != "ACTIVE":
        msg = (
            f"EKS cluster {cluster_name!r} is {cluster.status}; accepted is ACTIVE: wait until it is "
            f"(`aws eks wait cluster-active --name {cluster_name}`) and run again"
        )
        raise RunError(msg)
    if not (cluster.identities and cluster.identities[0].oidcs and cluster.identities[0].oidcs[0].issuer):
        msg = (
            f"EKS cluster {cluster_name!r} has no OIDC issuer, so no service account of it can take an IAM role; "
            "accepted are clusters on EKS itself (local clusters on Outposts have none)"
        )
        raise RunError(msg)
    return cluster
