"""New EKS cluster."""

import shutil
from collections.abc import Sequence

import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi import (
    Alias,
    ComponentResource,
    CustomTimeouts,
    Input,
    Output,
    Resource,
    ResourceHookBinding,
    ResourceOptions,
    ResourceTransform,
    ResourceTransformArgs,
    ResourceTransformResult,
    RunError,
)

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_kms_key_arn
from eks_rocketmq.args.planned_args import get_plan
from eks_rocketmq.eks.account import aws_account
from eks_rocketmq.eks.account.aws_create_checks import reject_existing_cluster, reject_existing_resource
from eks_rocketmq.eks.account.provider_functions import format_call, require_output_fields
from eks_rocketmq.eks.cluster.cluster_outputs import (
    ClusterDescription,
    create_kubernetes_provider,
    set_cluster_outputs,
)
from eks_rocketmq.eks.cluster.cluster_plan import (
    AUTHENTICATION_MODE,
    ClusterPlan,
    check_principal,
    complete_cluster_inputs,
    format_access_policy_arn,
    get_entry_key,
    plan_cluster,
)
from eks_rocketmq.eks.cluster.eks_cluster_args import AccessEntryArgs, EksClusterArgs
from eks_rocketmq.eks.iam.service_documents import CLUSTER_SERVICE
from eks_rocketmq.eks.iam.service_role import create_service_role
from eks_rocketmq.lookups.aws_resources import CLUSTER
from eks_rocketmq.lookups.create_checks import get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import (
    child_options,
    collect_outputs,
    defer,
    type_token,
    validate_input,
    validate_optional_input,
)
from eks_rocketmq.pulumi_sdk.documentation import documented
from eks_rocketmq.pulumi_sdk.sdk_internals import convert_to_input, has_callback_server, runs_under_mocks

CLUSTER_POLICY = "AmazonEKSClusterPolicy"
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEKSClusterPolicy.html
_CLUSTER_CALL = format_call("eks:index:Cluster.eksCluster")

_EXISTING_LOG_GROUP = (
    "not possible: EKS writes into this group and no other. It may have made it again with the last logs of a cluster "
    "that was deleted"
)


@documented
class EksCluster(ComponentResource):
    """A new EKS cluster with the same outputs as `ExistingEksCluster`.

    Creates the service role, log group, KMS key and access entries, and the control plane through `pulumi_eks` with
    its smallest configuration. The cluster has no nodes and no addons. It has no pod network until `ClusterAddons`
    installs one, because EKS does not install its own copies of vpc-cni, kube-proxy and CoreDNS. A ValueError at
    preview rejects arguments that AWS or `pulumi_eks` would reject. A RunError reports that the `aws` command is
    missing, or that the value of an output is invalid.
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

    def __init__(self, name: str, args: EksClusterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("EksCluster"), name, {}, opts)
        validate_args(args, EksClusterArgs)
        require_aws_command()
        plan = get_plan(args, plan_cluster)
        role, policies = create_service_role(
            self, name, service=CLUSTER_SERVICE, policies=[CLUSTER_POLICY], tags=args.get("tags", {}), sessions=True
        )
        logs = self._create_log_group(name, args, plan)
        key = self._get_key_arn(name, args)
        cluster = self._create_control_plane(name, args, plan, role, key, [*policies, logs])
        description = ClusterDescription(
            # The name from the arguments is known at preview. The URN adds the dependency on the cluster.
            name=Output.all(args["cluster_name"], cluster.urn).apply(lambda known: known[0]),
            arn=cluster.arn,
            version=cluster.version,
            endpoint=cluster.endpoint,
            certificate_authority=require_output_fields(cluster.certificate_authority, _CLUSTER_CALL, "data").data,
            oidc_issuer=require_output_fields(cluster.identities, _CLUSTER_CALL, "0.oidcs.0.issuer")[0].oidcs[0].issuer,
            cluster_security_group_id=require_output_fields(
                cluster.vpc_config, _CLUSTER_CALL, "cluster_security_group_id"
            ).cluster_security_group_id,
            # At preview this is None for a cluster without additional groups.
            security_group_ids=cluster.vpc_config.security_group_ids.apply(lambda groups: groups or []),
        )
        set_cluster_outputs(self, description, args.get("profile"), args.get("role_arn"))
        # The API server rejects principals without an access entry.
        self.kubeconfig = defer(self.kubeconfig, self._create_access_entries(name, args))
        self.provider = create_kubernetes_provider(self, name, self.arn, self.kubeconfig)
        self.register_outputs(collect_outputs(self, EksCluster))

    def _create_log_group(self, name: str, args: EksClusterArgs, plan: ClusterPlan) -> "aws.cloudwatch.LogGroup":
        return aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/eks/{args['cluster_name']}/cluster",  # EKS writes to no other group
            retention_in_days=plan.log_retention_days,
            kms_key_id=validate_optional_input(args, "log_kms_key_arn", parse_kms_key_arn),
            tags={**args.get("tags", {}), **get_ownership_tags()},
            opts=child_options(
                self,
                hooks=reject_existing_resource(f"{name}-logs", _EXISTING_LOG_GROUP, self),
            ),
        )

    def _get_key_arn(self, name: str, args: EksClusterArgs) -> Input[str]:
        existing = validate_optional_input(args, "secrets_kms_key_arn", parse_kms_key_arn)
        if existing is not None:
            return existing
        key = aws.kms.Key(
            f"{name}-secrets",
            description=f"Secrets of the EKS cluster {args['cluster_name']}",
            enable_key_rotation=True,
            # Without the key, the cluster loses its secrets. 30 days is the longest waiting period.
            deletion_window_in_days=30,
            tags={**args.get("tags", {}), **get_ownership_tags()},
            opts=child_options(self, protect=args.get("deletion_protection", True) or None),
        )
        return key.arn

    def _create_control_plane(  # noqa: PLR0913, PLR0917 - parts of the cluster
        self,
        name: str,
        args: EksClusterArgs,
        plan: ClusterPlan,
        role: aws.iam.Role,
        key_arn: Input[str],
        dependencies: Sequence[Resource],
    ) -> "Output[aws.eks.Cluster]":
        import pulumi_eks as eks  # noqa: PLC0415 - it takes 60 ms, which a program with an existing cluster does not need

        protect = args.get("deletion_protection", True)
        component = eks.Cluster(
            f"{name}-eks",
            name=args["cluster_name"],
            version=args["version"],
            vpc_id=args["vpc_id"],
            subnet_ids=args["subnet_ids"],
            service_role=convert_to_input(role),
            authentication_mode=eks.AuthenticationMode(AUTHENTICATION_MODE),
            endpoint_private_access=True,
            endpoint_public_access=bool(plan.public_sources),
            # With a private endpoint, pulumi_eks rejects even an empty list.
            public_access_cidrs=list(plan.public_sources) or None,
            enabled_cluster_log_types=list(plan.log_types),
            encryption_config_key_arn=key_arn,
            kubernetes_service_ip_address_range=args.get("service_cidr"),
            deletion_protection=protect,
            upgrade_policy={"support_type": args.get("support_type", "STANDARD")},
            tags={**args.get("tags", {}), **get_ownership_tags()},
            # The smallest configuration, which cannot change later: docs/adr/0010.
            skip_default_node_group=True,
            skip_default_security_groups=True,
            create_oidc_provider=False,
            bootstrap_self_managed_addons=False,
            use_default_vpc_cni=True,
            kube_proxy_addon_options={"enabled": False},
            coredns_addon_options={"enabled": False},
            opts=child_options(
                self,
                protect=protect or None,  # False would override the `protect` that the component inherits
                # EKS needs the role's policy from its first network interface to its last. If it finds no log group,
                # it creates one without expiry.
                depends_on=list(dependencies),
                transforms=self._build_transforms(name, args),
            ),
        )
        return require_output_fields(component.eks_cluster, _CLUSTER_CALL)

    def _build_transforms(self, name: str, args: EksClusterArgs) -> list[ResourceTransform]:
        if not has_callback_server():
            return []
        return [_create_cluster_transform(args, reject_existing_cluster(f"{name}-eks", args["cluster_name"], self))]

    def _create_access_entries(self, name: str, args: EksClusterArgs) -> list[Resource]:
        entries: list[Resource] = []
        for index, entry in enumerate(args.get("access_entries", [])):
            path = (ARGS / "access_entries").index(index, entry)
            principal = validate_input(entry["principal_arn"], check_principal, path / "principal_arn")
            key, former = f"{name}-{get_entry_key(entry)}", f"{name}-{entry['name']}"
            access_entry = aws.eks.AccessEntry(
                key,
                cluster_name=self.name,
                principal_arn=principal,
                kubernetes_groups=entry.get("kubernetes_groups"),
                user_name=entry.get("username"),
                type=entry.get("type", "STANDARD"),
                tags={**args.get("tags", {}), **get_ownership_tags()},
                # EKS rejects a second entry of a principal.
                opts=child_options(self, aliases=_list_aliases(key, former), delete_before_replace=True),
            )
            entries += [access_entry, *self._associate_access_policies(key, former, entry, access_entry)]
        return entries

    def _associate_access_policies(
        self, key: str, former: str, entry: AccessEntryArgs, access_entry: aws.eks.AccessEntry
    ) -> list[Resource]:
        partition = aws_account.get_partition(self)
        return [
            aws.eks.AccessPolicyAssociation(
                f"{key}-{policy['policy']}",
                cluster_name=access_entry.cluster_name,
                principal_arn=access_entry.principal_arn,
                policy_arn=partition.apply(
                    lambda known, policy=policy: format_access_policy_arn(known, policy["policy"])
                ),
                access_scope={"type": "namespace", "namespaces": policy["namespaces"]}
                if policy.get("namespaces")
                else {"type": "cluster"},
                opts=child_options(
                    self,
                    aliases=_list_aliases(f"{key}-{policy['policy']}", f"{former}-{policy['policy']}"),
                    # A scope is replaced, and its ID stays the same: the deletion of the old one would delete the new.
                    delete_before_replace=True,
                ),
            )
            for policy in entry.get("policies", [])
        ]


def _list_aliases(key: str, former: str) -> list[Alias]:
    """Return the alias of a resource that had the name of its entry."""
    return [Alias(name=former)] if former != key else []


def require_aws_command() -> None:
    """Check that the AWS CLI is installed. `pulumi_eks` and the kubeconfigs of EKS run it.

    Raise RunError if the `aws` command is not on PATH.
    """
    if shutil.which("aws") is None and not runs_under_mocks():
        msg = (
            "the `aws` command is not on PATH; a new cluster needs it, for a preview too: install version 2 of the AWS "
            "CLI (https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html) and run again"
        )
        raise RunError(msg)


def _create_cluster_transform(args: EksClusterArgs, hooks: ResourceHookBinding) -> ResourceTransform:
    """Return a transform of the EKS cluster inside the remote component, which arguments and options cannot reach."""

    def complete(resource: ResourceTransformArgs) -> ResourceTransformResult | None:
        if resource.type_ != CLUSTER:
            return None
        options = resource.opts
        options.ignore_changes = [*(options.ignore_changes or []), *args.get("ignore_changes", [])]
        options.hooks = ResourceHookBinding.merge(options.hooks, hooks)
        if "timeouts" in args:
            options.custom_timeouts = CustomTimeouts(**args["timeouts"])
        properties = complete_cluster_inputs(
            resource.props,
            creator_is_admin=args.get("creator_is_admin", True),
            zonal_shift=args.get("zonal_shift"),
        )
        return ResourceTransformResult(properties, options)

    return complete
