"""Existing EKS cluster."""

import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, InvokeOptions, Output, ResourceOptions, RunError

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_role_arn, validate_cluster_name
from eks_rocketmq.args.errors import ArgumentMessage
from eks_rocketmq.eks.account.provider_functions import format_call, invoke_function, require_fields
from eks_rocketmq.eks.cluster.cluster_outputs import (
    ClusterDescription,
    create_kubernetes_provider,
    set_cluster_outputs,
)
from eks_rocketmq.eks.cluster.existing_cluster_args import ExistingEksClusterArgs
from eks_rocketmq.pulumi_sdk.component import collect_outputs, spell_argument, type_token, warn
from eks_rocketmq.pulumi_sdk.documentation import documented

_REQUIRED_FIELDS = (
    *("name", "arn", "version", "endpoint", "certificate_authorities.0.data", "identities"),
    *("vpc_config.cluster_security_group_id", "vpc_config.security_group_ids"),
)
"""Fields of every ACTIVE cluster."""
_STATUS_HINTS = {
    "DELETING": "it is being deleted, so name another cluster, or create one",
    "FAILED": (
        "it will never be, `aws eks describe-cluster --name {name} --query cluster.health` says why; name another "
        "cluster, or ask its owner to recreate it"
    ),
}
"""Hints for statuses that never become ACTIVE."""

_CONFIG_MAP = "CONFIG_MAP"


@documented
class ExistingEksCluster(ComponentResource):
    """An existing EKS cluster. Creates only a Kubernetes provider for it.

    A RunError at preview rejects a cluster that does not exist, is not ACTIVE, or has no OIDC issuer.
    """

    name: Output[str]
    """Name of the cluster."""
    arn: Output[str]
    """ARN of the cluster, with partition, region and account."""
    version: Output[str]
    """Kubernetes version, such as `1.35`."""
    endpoint: Output[str]
    """URL of the API server."""
    certificate_authority: Output[str]
    """CA of the API server, base64 of PEM."""
    oidc_issuer: Output[str]
    """Issuer URL of the service account tokens as EKS returns it, with `https://`."""
    cluster_security_group_id: Output[str]
    """Security group that EKS created for control plane and nodes."""
    security_group_ids: Output[list[str]]
    """Additional security groups of the control plane."""
    kubeconfig: Output[str]
    """Kubeconfig (JSON) without a secret: it runs `aws eks get-token`."""
    provider: kubernetes.Provider
    """Kubernetes provider of the cluster, for `ResourceOptions(provider=…)`."""

    def __init__(self, name: str, args: ExistingEksClusterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("ExistingEksCluster"), name, {}, opts)
        validate_args(args, ExistingEksClusterArgs)
        if "role_arn" in args:
            parse_role_arn(args["role_arn"], ARGS / "role_arn")
        cluster = _read_cluster(validate_cluster_name(args["cluster_name"]), InvokeOptions(parent=self))
        if "role_arn" in args and any(each.authentication_mode == _CONFIG_MAP for each in cluster.access_configs or []):
            warn(warn_of_config_map(cluster.name, args["role_arn"]), self)
        description = ClusterDescription(
            name=cluster.name,
            arn=cluster.arn,
            version=cluster.version,
            endpoint=cluster.endpoint,
            certificate_authority=cluster.certificate_authorities[0].data,
            oidc_issuer=cluster.identities[0].oidcs[0].issuer,
            cluster_security_group_id=cluster.vpc_config.cluster_security_group_id,
            security_group_ids=list(cluster.vpc_config.security_group_ids),
        )
        set_cluster_outputs(self, description, args.get("profile"), args.get("role_arn"))
        self.provider = create_kubernetes_provider(self, name, self.arn, self.kubeconfig)
        self.register_outputs(collect_outputs(self, ExistingEksCluster))


def warn_of_config_map(cluster: str, role_arn: str) -> ArgumentMessage:
    """Return the warning about a role in a cluster without access entries.

    `role_arn` is the role that `aws eks get-token` assumes.
    """
    return ArgumentMessage(
        ARGS / "role_arn",
        "role-without-access-entry",
        "cluster {cluster!r} has the authentication mode CONFIG_MAP and ignores access entries. Only principals in the "
        "ConfigMap kube-system/aws-auth have access",
        remedy="If the cluster answers Unauthorized, add {given!r} to that ConfigMap (`eksctl create "
        "iamidentitymapping`). Or change the mode to API_AND_CONFIG_MAP (`aws eks update-cluster-config`), and create "
        "an access entry for the role. This change of the mode cannot be undone",
        values={"cluster": cluster, "given": role_arn},
    )


def _read_cluster(name: str, opts: InvokeOptions) -> aws.eks.GetClusterResult:
    """Describe a cluster, and reject one that the stack cannot use.

    The direct form of the function makes its result known at preview, and with it the trust policies.

    Raise RunError if the cluster does not exist, is not ACTIVE, or has no OIDC issuer.
    """
    function_call = format_call("aws:eks/getCluster:getCluster", name=name)
    cluster = invoke_function(
        lambda: aws.eks.get_cluster(name=name, opts=opts),
        function_call,
        f"EKS cluster {name!r} cannot be read",
        "status",
        hint="Accepted is the name of a cluster in the account and region of the AWS provider; `aws eks list-clusters` "
        "shows them.",
        also=spell_argument(ARGS / "cluster_name"),
    )
    if cluster.status != "ACTIVE":
        hint = _STATUS_HINTS.get(
            cluster.status, "wait until it is (`aws eks wait cluster-active --name {name}`) and run again"
        )
        msg = f"EKS cluster {name!r} is {cluster.status}; accepted is ACTIVE: {hint.format(name=name)}"
        raise RunError(msg)
    require_fields(cluster, function_call, *_REQUIRED_FIELDS)
    if not (cluster.identities and cluster.identities[0].oidcs and cluster.identities[0].oidcs[0].issuer):
        msg = (
            f"EKS cluster {name!r} has no OIDC issuer, so no service account of it can take an IAM role; "
            "accepted are clusters on EKS itself (local clusters on Outposts have none)"
        )
        raise RunError(msg)
    return cluster
