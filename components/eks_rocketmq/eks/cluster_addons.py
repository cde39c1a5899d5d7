"""What every node and every pod of a cluster relies on: pod network, service addresses, names."""

from typing import Any, NotRequired, TypedDict

import pulumi_aws as aws
from pulumi import ComponentResource, Input, Output, ResourceOptions

from eks_rocketmq.component import child_options, type_token
from eks_rocketmq.documentation import documented
from eks_rocketmq.eks.addon_identity import AddonRole, addon_role, resolved_version
from eks_rocketmq.eks.addon_plan import VPC_CNI, AddonPlan, plan_addons
from eks_rocketmq.eks.addon_preflight import check_addon
from eks_rocketmq.eks.irsa_role import IrsaRoleArgs, TrustedClusterArgs
from eks_rocketmq.preflight import ownership_tags
from eks_rocketmq.shape import hold

CNI_NAMESPACE, CNI_SERVICE_ACCOUNT = "kube-system", "aws-node"
CNI_POLICY = "AmazonEKS_CNI_Policy"  # https://docs.aws.amazon.com/eks/latest/userguide/cni-iam-role.html


class AddonArgs(TypedDict):
    """One addon of EKS."""

    name: str
    """Its name, such as `vpc-cni`, `coredns` or `metrics-server`. Changing it replaces the addon."""
    version: NotRequired[str]
    """Version such as `v1.21.1-eksbuild.1`; default: see `versions`."""
    configuration: NotRequired[dict[str, Any]]
    """Settings by the addon's own schema (`aws eks describe-addon-configuration`), over those of this component;
    default: none."""


class VpcCniArgs(TypedDict):
    """As whom the pod network asks AWS for addresses, and how it works."""

    identity: NotRequired[str]
    """`irsa` (default; a role for its service account), `pod_identity` (a role through the agent) or `node` (the nodes'
    own role, which then needs `AmazonEKS_CNI_Policy`, and every pod that reaches the metadata service with it)."""
    role_name: NotRequired[str]
    """Name of the role in IAM, with `irsa` and `pod_identity`. Changing it replaces the role."""
    issuer: NotRequired[Input[str]]
    """Issuer of the cluster, with `https://`, with `irsa`."""
    provider_arn: NotRequired[Input[str]]
    """ARN of the cluster's IAM OIDC provider, with `irsa`."""
    cluster_arn: NotRequired[Input[str]]
    """ARN of the cluster, with `pod_identity`."""
    network_policy: NotRequired[bool]
    """Enforce NetworkPolicies, those of RocketMQ among them; default: True. Without it they have no
    effect."""
    prefix_delegation: NotRequired[bool]
    """Give nodes blocks of 16 addresses, for more pods on a node; default: False. Subnets need contiguous room."""


class ClusterAddonsArgs(TypedDict):
    """Which addons, for which cluster, before or after its nodes."""

    cluster_name: Input[str]
    """Name of the cluster. Changing it replaces the addons."""
    stage: str
    """`before_nodes`: what nodes need to become ready (vpc-cni, kube-proxy, eks-pod-identity-agent). `after_nodes`:
    what needs nodes to become ready (coredns and all others)."""
    addons: NotRequired[list[AddonArgs]]
    """The addons of this stage; default: vpc-cni and kube-proxy before the nodes, coredns after them."""
    pod_identity_agent: NotRequired[bool]
    """Install eks-pod-identity-agent too, before the nodes; default: False."""
    vpc_cni: NotRequired[VpcCniArgs]
    """The pod network's identity and settings; needed where vpc-cni is installed."""
    versions: NotRequired[str]
    """Versions of addons that are not pinned: `installed` (default; what EKS chooses at the create, and then what is
    there), `default` (EKS's default for the Kubernetes version) or `latest`. The last two are looked up at each
    preview, so a new one appears there as an upgrade."""
    kubernetes_version: NotRequired[Input[str]]
    """Kubernetes version for which `default` and `latest` are looked up, such as `1.35`; needed with them."""
    preserve: NotRequired[bool]
    """Leave an addon's software in the cluster when the addon is taken out of the stack; default: True, as a cluster
    without network or names is none."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of addons and role; default: only the stack's own mark."""


@documented
class ClusterAddons(ComponentResource):
    """Addons of EKS in one of two stages, with the right order around nodes.

    A cluster needs two of these: one of the stage `before_nodes`, on which its `NodeGroup`s depend, and one of the
    stage `after_nodes`, which depends on them. An addon in the wrong one is refused with a ValueError at preview:
    EKS would wait 20 minutes for pods that cannot start.
    """

    versions: Output[dict[str, str]]
    """Version of each addon by its name."""

    def __init__(self, name: str, args: ClusterAddonsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("ClusterAddons"), name, {}, opts)
        hold(args, ClusterAddonsArgs)
        plans = plan_addons(args)
        addons = {plan.name: self._addon(name, plan, args) for plan in plans}
        versions: Output[dict[str, str]] = Output.all(**{key: addon.addon_version for key, addon in addons.items()})
        self.versions = versions
        self.register_outputs({"versions": self.versions})

    def _addon(self, name: str, plan: AddonPlan, args: ClusterAddonsArgs) -> aws.eks.Addon:
        role = self._cni_role(name, args) if plan.name == VPC_CNI else None
        return aws.eks.Addon(
            f"{name}-{plan.name}",
            cluster_name=args["cluster_name"],
            addon_name=plan.name,
            addon_version=plan.version or self._resolved(plan, args),
            configuration_values=plan.configuration,
            service_account_role_arn=role.service_account_role_arn if role else None,
            pod_identity_associations=role.pod_identity_associations if role else None,
            # A cluster that others made has copies of its own; the addon takes them over, and its settings win.
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            preserve=args.get("preserve", True),
            tags={**args.get("tags", {}), **ownership_tags()},
            opts=child_options(
                self,
                hooks=check_addon(
                    f"{name}-{plan.name}",
                    self,
                    existing="leave it out of the `addons` of ClusterAddons",
                    keep="take vpc_cni.identity 'irsa' again (the program's setting `clusterAddons.vpcCni.identity`)",
                ),
                # A cluster has one addon of a name.
                delete_before_replace=True,
            ),
        )

    def _resolved(self, plan: AddonPlan, args: ClusterAddonsArgs) -> Output[str] | None:
        wanted = args.get("versions", "installed")
        if wanted == "installed" or "kubernetes_version" not in args:
            return None
        return resolved_version(self, plan.name, args["kubernetes_version"], most_recent=wanted == "latest")

    def _cni_role(self, name: str, args: ClusterAddonsArgs) -> AddonRole | None:
        """Role of the pod network's service account; None: it works as the node."""
        cni = args.get("vpc_cni", {})
        identity = cni.get("identity", "irsa")
        if identity == "node":
            return None
        wanted: IrsaRoleArgs = {
            "role_name": cni["role_name"],
            "service_accounts": [{"namespace": CNI_NAMESPACE, "name": CNI_SERVICE_ACCOUNT}],
            "managed_policies": [CNI_POLICY],
            "tags": {**args.get("tags", {})},
        }
        if identity == "pod_identity":
            return addon_role(self, f"{name}-{VPC_CNI}", wanted, pod_identity=cni["cluster_arn"])
        irsa: TrustedClusterArgs = {"issuer": cni["issuer"], "provider_arn": cni["provider_arn"]}
        return addon_role(self, f"{name}-{VPC_CNI}", wanted, irsa=irsa)
