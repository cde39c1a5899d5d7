"""EKS addons of a cluster, such as pod network, kube-proxy and CoreDNS."""

import pulumi_aws as aws
from pulumi import ComponentResource, Output, ResourceOptions

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_cluster_arn
from eks_rocketmq.args.planned_args import get_plan
from eks_rocketmq.eks.addons.addon_identity import AddonRole, create_addon_role, resolve_addon_version
from eks_rocketmq.eks.addons.addon_plan import VPC_CNI, AddonPlan, plan_addons
from eks_rocketmq.eks.addons.addon_preflight import create_addon_hooks
from eks_rocketmq.eks.addons.cluster_addons_args import ClusterAddonsArgs
from eks_rocketmq.eks.iam.irsa_role import IrsaRole
from eks_rocketmq.eks.iam.irsa_role_args import IrsaRoleArgs, TrustedClusterArgs
from eks_rocketmq.lookups.create_checks import get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import (
    child_options,
    collect_outputs,
    combine_outputs,
    spell_argument,
    type_token,
    use_prefix,
    validate_input,
)
from eks_rocketmq.pulumi_sdk.documentation import documented

CNI_NAMESPACE, CNI_SERVICE_ACCOUNT = "kube-system", "aws-node"
_CNI = ARGS / "vpc_cni"
CNI_POLICY = "AmazonEKS_CNI_Policy"  # https://docs.aws.amazon.com/eks/latest/userguide/cni-iam-role.html


class _CniRole(IrsaRole):
    _exclusive_policies = None

    def _describe_existing(self) -> str:
        return f"not possible for the role of {VPC_CNI}"


@documented
class ClusterAddons(ComponentResource):
    """EKS addons that are installed before or after the nodes.

    A cluster needs two of these components. The `NodeGroup`s depend on the one with the stage `before_nodes`. The one
    with the stage `after_nodes` depends on the `NodeGroup`s. An addon in the wrong stage is rejected: EKS would wait 20
    minutes for pods that cannot start. An invalid value raises a ValueError at preview, or a RunError as soon as it is
    known if it is an output.
    """

    versions: Output[dict[str, str]]
    """Version of each addon, by name."""

    def __init__(self, name: str, args: ClusterAddonsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("ClusterAddons"), name, {}, opts)
        validate_args(args, ClusterAddonsArgs)
        plans = get_plan(args, plan_addons)
        addons = {plan.name: self._create_addon(name, plan, args) for plan in plans}
        self.versions = combine_outputs({key: addon.addon_version for key, addon in addons.items()})
        self.register_outputs(collect_outputs(self, ClusterAddons))

    def _create_addon(self, name: str, plan: AddonPlan, args: ClusterAddonsArgs) -> aws.eks.Addon:
        role = self._create_cni_role(name, args) if plan.name == VPC_CNI else None
        return aws.eks.Addon(
            f"{name}-{plan.name}",
            cluster_name=args["cluster_name"],
            addon_name=plan.name,
            addon_version=plan.version or self._resolve_version(plan, args),
            configuration_values=plan.configuration,
            service_account_role_arn=role.service_account_role_arn if role else None,
            pod_identity_associations=role.pod_identity_associations if role else None,
            # An existing cluster may have its own copies of this software. The addon overwrites their settings.
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            preserve=args.get("preserve", True),
            tags={**args.get("tags", {}), **get_ownership_tags()},
            opts=child_options(
                self,
                hooks=create_addon_hooks(
                    f"{name}-{plan.name}",
                    self,
                    existing=f"leave it out of {spell_argument(ARGS / 'addons')}",
                    keep=f"set {spell_argument(_CNI / 'identity')} to 'irsa' again",
                    meanwhile=_describe_replacement(preserve=args.get("preserve", True)),
                ),
                # A cluster cannot have two addons of one name.
                delete_before_replace=True,
            ),
        )

    def _resolve_version(self, plan: AddonPlan, args: ClusterAddonsArgs) -> Output[str] | None:
        versions = args.get("versions", "installed")
        if versions == "installed" or "kubernetes_version" not in args:
            return None
        return resolve_addon_version(self, plan.name, args["kubernetes_version"], most_recent=versions == "latest")

    def _create_cni_role(self, name: str, args: ClusterAddonsArgs) -> AddonRole | None:
        """Create the role of the pod network's service account; None if it uses the node role."""
        cni = args.get("vpc_cni", {})
        identity = cni.get("identity", "irsa")
        if identity == "node":
            return None
        role_args: IrsaRoleArgs = {
            "role_name": cni["role_name"],
            "service_accounts": [{"namespace": CNI_NAMESPACE, "name": CNI_SERVICE_ACCOUNT}],
            "managed_policies": [CNI_POLICY],
            "tags": {**args.get("tags", {})},
        }
        component = f"{name}-{VPC_CNI}"
        with use_prefix(_CNI):
            if identity == "pod_identity":
                cluster = validate_input(cni["cluster_arn"], parse_cluster_arn, ARGS / "cluster_arn")
                return create_addon_role(self, component, role_args, pod_identity=cluster, role_class=_CniRole)
            irsa: TrustedClusterArgs = {"issuer": cni["issuer"], "provider_arn": cni["provider_arn"]}
            return create_addon_role(self, component, role_args, irsa=irsa, role_class=_CniRole)


def _describe_replacement(*, preserve: bool) -> str:
    """Return what works while the addon vpc-cni, the only one with a role, is replaced."""
    if preserve:
        return f"its pods keep running,\n            because {spell_argument(ARGS / 'preserve')} is true"
    return "until it is ACTIVE again,\n            running pods keep their network, and no new pod starts"
