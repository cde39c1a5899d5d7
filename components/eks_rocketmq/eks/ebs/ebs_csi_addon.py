"""EBS CSI driver of a cluster, with its IAM role."""

import asyncio
from functools import partial
from typing import Any

import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, Input, InvokeOptions, Output, ResourceHookBinding, ResourceOptions, log

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_account, validate_cluster_name
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector
from eks_rocketmq.args.kubernetes_names import EBS_CSI, ROLE_ANNOTATION
from eks_rocketmq.args.planned_args import get_plan
from eks_rocketmq.eks.account import aws_account
from eks_rocketmq.eks.account.aws_create_checks import HANDOVER, reject_managed_resource
from eks_rocketmq.eks.account.provider_functions import format_call, invoke_function
from eks_rocketmq.eks.addons.addon_identity import AddonRole, create_addon_role, resolve_addon_version
from eks_rocketmq.eks.addons.addon_preflight import create_addon_hooks
from eks_rocketmq.eks.ebs import driver_plan
from eks_rocketmq.eks.ebs.driver_kind_checks import (
    AddonLookup,
    reject_auto_mode,
    reject_self_managed,
)
from eks_rocketmq.eks.ebs.driver_preflight import (
    reject_key_removal,
    reject_missing_tags,
    reject_unmanaged_driver,
    warn_about_missing_agent,
)
from eks_rocketmq.eks.ebs.driver_role import DriverRole
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs.ebs_csi_policy import PolicyScope, build_key_policy, build_volume_policy
from eks_rocketmq.eks.ebs.self_managed_driver import (
    NAMESPACE,
    SERVICE_ACCOUNT,
    DriverNames,
    get_restart_annotations,
)
from eks_rocketmq.eks.iam.irsa_role_args import IrsaRoleArgs, TrustedClusterArgs
from eks_rocketmq.lookups.create_checks import get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import (
    apply_redacted,
    child_options,
    collect_outputs,
    spell_argument,
    type_token,
    validate_input,
    warn,
)
from eks_rocketmq.pulumi_sdk.documentation import documented
from eks_rocketmq.pulumi_sdk.sdk_internals import runs_under_mocks

_KEY_POLICY = "keys"
"""Name of the inline policy with the KMS keys."""
_VOLUME_POLICY = "volumes"
"""Name of the generated inline policy."""
_PodRoles = tuple[str | None, list[str | None]]
"""Role of the last restart, and the role of each pod."""


@documented
class EbsCsiAddon(ComponentResource):
    """The EBS CSI driver as an EKS addon with its own IAM role.

    Creates an `IrsaRole` and the addon `aws-ebs-csi-driver`. With `self_managed`, it gives the role to a driver that
    Helm or kubectl installed. The addon's controller needs nodes to become active, so let this component depend on the
    node groups of the same stack (`depends_on`). Let resources with volume claims depend on this component.

    With `existing`, the preview judges the identity of the addon as `eks-rocketmq doctor` does: role, trust policy, and
    with IRSA the OIDC provider and its audience. An addon that cannot assume its role is rejected with the cause and
    its fix. The preview warns about what the caller has no permission to read. If `provider_arn` is an output, its
    provider may not exist at the first preview, which then does not require it. The permissions of the role are not
    judged; `eks-rocketmq doctor` judges them.

    Invalid values of `permissions`, `identity` and the conflict arguments, KMS keys that are not ARNs, and a
    contradictory configuration are rejected. An invalid value raises a ValueError at preview, or a RunError as soon as
    it is known if it is an output.
    """

    role_arn: Output[str]
    """ARN of the driver's role. Empty with `auto_mode`."""
    addon_version: Output[str]
    """Version of the installed addon. Empty without an addon."""

    def __init__(self, name: str, args: EbsCsiAddonArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("EbsCsiAddon"), name, {}, opts)
        validate_args(args, EbsCsiAddonArgs)
        plan = get_plan(args, driver_plan.plan_driver)
        if args.get("existing", False):
            # The source of an output creates the provider, or judges it as `ClusterOidcProvider` does.
            judge_provider = not isinstance(args.get("provider_arn"), Output)
            existing = apply_redacted(
                Output.from_input(args["cluster_name"]),
                partial(self._read_addon, judge_provider=judge_provider),
                ARGS / "cluster_name",
                str,
            )
            self.role_arn, self.addon_version = existing[0], existing[1]
        elif args.get("auto_mode", False):
            self.role_arn = apply_redacted(
                Output.from_input(args["cluster_name"]), self._require_auto_mode, ARGS / "cluster_name", str
            )
            self.addon_version = Output.from_input("")
        elif plan.driver_names is not None:
            role = self._create_role(name, args, plan, plan.driver_names)
            checked = apply_redacted(
                Output.from_input(args["cluster_name"]),
                lambda cluster: reject_self_managed(self, cluster, self._build_addon_lookup(cluster)),
                ARGS / "cluster_name",
                str,
            )
            # The annotations wait for the check.
            self.role_arn = Output.all(role.arn, checked).apply(lambda known: known[0])
            self._annotate_driver(name, plan.driver_names, self.role_arn, args.get("kubeconfig"))
            self.addon_version = Output.from_input("")
        else:
            role = self._create_role(name, args, plan)
            addon = self._create_addon(name, args, plan, role)
            self.role_arn, self.addon_version = role.arn, addon.addon_version
        self.register_outputs(collect_outputs(self, EbsCsiAddon))

    def _read_addon(self, cluster: str, *, judge_provider: bool) -> tuple[str, str]:
        """Return role ARN and version of the existing addon.

        Raise RunError if the cluster has no addon. Raise ValueError if the addon has no role, or cannot assume it, so
        that all claims would stay Pending. Also raise ValueError if this stack manages the addon.
        """
        addon = f"addon {EBS_CSI} of cluster {cluster!r}"
        result = invoke_function(
            *self._build_addon_lookup(cluster),
            f"{addon} cannot be read",
            "addon_version",
            hint=f"If the cluster has no driver, leave {spell_argument(ARGS / 'existing')} out. The stack then "
            "installs the driver. If Helm or kubectl installed the driver, set "
            f"{spell_argument(ARGS / 'self_managed')} instead.",
        )
        reject_managed_resource(addon, result.tags, "addon, role and policies", HANDOVER)
        associated = {each.service_account: each.role_arn for each in result.pod_identity_associations or []}
        own, other = result.service_account_role_arn or "", associated.get(SERVICE_ACCOUNT, "")
        if not (own or other):
            raise ArgumentError(
                ARGS / "existing",
                "driver-without-role",
                "{addon} has no role, so it cannot create volumes and every claim stays Pending",
                remedy="Give the addon a role (`aws eks update-addon --cluster-name {cluster} --addon-name {name} "
                "--service-account-role-arn …`), or an EKS Pod Identity association for {service_account}. To let the "
                "stack manage it, run `eks-rocketmq adopt` and leave {existing} out",
                addon=addon,
                cluster=cluster,
                name=EBS_CSI,
                service_account=SERVICE_ACCOUNT,
                existing=ARGS / "existing",
            )
        self._judge_identity(cluster, result.addon_version, own, other, judge_provider=judge_provider)
        return own or other, result.addon_version

    def _build_addon_lookup(self, cluster: str) -> AddonLookup:
        return (
            lambda: aws.eks.get_addon(cluster_name=cluster, addon_name=EBS_CSI, opts=InvokeOptions(parent=self)),
            format_call("aws:eks/getAddon:getAddon", clusterName=cluster, addonName=EBS_CSI),
        )

    def _judge_identity(self, cluster: str, version: str, role: str, associated: str, *, judge_provider: bool) -> None:
        """Reject an addon that cannot assume its role, and warn about what could not be judged.

        Raise ValueError with each cause and its fix, as `eks-rocketmq doctor` finds them.
        """
        from eks_rocketmq.eks.ebs import existing_driver  # noqa: PLC0415 - loads the catalogue of the doctor

        opts = InvokeOptions(parent=self)
        functions = existing_driver.ProviderFunctions(
            lambda name: aws.eks.get_cluster(name=name, opts=opts),
            lambda name: aws.iam.get_role(name=name, opts=opts),
            (lambda arn: aws.iam.get_open_id_connect_provider(arn=arn, opts=opts)) if judge_provider else None,
        )
        driver = existing_driver.ExistingDriver(cluster, version, role, associated)
        result = existing_driver.judge_identity(driver, functions)
        if result.undecided:
            warn(existing_driver.build_warning(driver, result.undecided), self)
        errors = ErrorCollector()
        errors.add_all(existing_driver.build_errors(driver, result))
        errors.raise_errors()

    def _require_auto_mode(self, cluster: str) -> str:
        """Return an empty role ARN after checking that the cluster has the driver of EKS Auto Mode.

        Raise RunError if the cluster cannot be read. Raise ValueError if EKS Auto Mode does not manage the block
        storage of the cluster, or if this stack manages the addon.
        """
        reject_auto_mode(self, cluster, self._build_addon_lookup(cluster))
        result = invoke_function(
            lambda: aws.eks.get_cluster(name=cluster, opts=InvokeOptions(parent=self)),
            format_call("aws:eks/getCluster:getCluster", name=cluster),
            f"EKS cluster {cluster!r} cannot be read",
            "name",
        )
        if not any(block.enabled for each in result.storage_configs or [] for block in each.block_storages or []):
            raise ArgumentError(
                ARGS / "auto_mode",
                "cluster-without-auto-mode",
                "cluster {cluster!r} does not have the block storage of EKS Auto Mode",
                remedy="Enable EKS Auto Mode (`aws eks update-cluster-config`), or leave the argument out",
                cluster=cluster,
            )
        return ""

    def _annotate_driver(
        self, name: str, names: DriverNames, role_arn: Output[str], kubeconfig: Input[str] | None
    ) -> None:
        service_account = kubernetes.core.v1.ServiceAccountPatch(
            f"{name}-service-account",
            metadata={
                "name": names.service_account,
                "namespace": names.namespace,
                # kubectl or Helm own this field if they set the annotation.
                "annotations": {ROLE_ANNOTATION: role_arn, "pulumi.com/patchForce": "true"},
            },
            opts=child_options(self),
        )
        kubernetes.apps.v1.DeploymentPatch(
            f"{name}-controller",
            metadata={"name": names.deployment, "namespace": names.namespace},
            # An empty object would be a difference at each run.
            spec=_get_restart_annotations(kubeconfig, names, role_arn).apply(
                lambda known: {"template": {"metadata": {"annotations": known}}} if known else None
            ),
            # A restarted pod gets the role from the annotation of its service account, which must exist before.
            opts=child_options(self, depends_on=[service_account]),
        )

    def _create_role(
        self, name: str, args: EbsCsiAddonArgs, plan: driver_plan.DriverPlan, names: DriverNames | None = None
    ) -> AddonRole:
        role: IrsaRoleArgs = {
            "role_name": args["role_name"],
            "service_accounts": [
                {"namespace": names.namespace, "name": names.service_account}
                if names
                else {"namespace": NAMESPACE, "name": SERVICE_ACCOUNT}
            ],
            "managed_policies": list(plan.managed_policies),
            "inline_policies": self._build_inline_policies(args, plan),
            "exclusive_policies": args.get("exclusive_policies", False),
            "tags": {**args.get("tags", {})},
        }
        if plan.role_tag:
            # The policy compares the tags of volumes with this tag of the role: aws:PrincipalTag/eks-cluster-name.
            role["tags"] = {**args.get("tags", {}), plan.role_tag: args["cluster_name"]}
        if "permissions_boundary" in args:
            role["permissions_boundary"] = args["permissions_boundary"]
        if "path" in args:
            role["path"] = args["path"]
        keeps_version = "addon_version" not in args and not args.get("most_recent", False)
        driver = names or (DriverNames() if keeps_version else None)
        check = reject_missing_tags(self, plan.permissions, args["cluster_name"], args.get("kubeconfig"), driver)
        checked = [_VOLUME_POLICY, *(policy.rsplit("/", 1)[-1] for policy in plan.managed_policies)]
        hooks = {_KEY_POLICY: reject_key_removal, **dict.fromkeys(checked, check)}
        create_role = partial(DriverRole, policy_hooks=hooks)
        if plan.pod_identity:
            cluster: Output[str] = self._get_scope(args).apply(
                lambda scope: f"arn:{scope.partition}:eks:{scope.region}:{scope.account}:cluster/{scope.cluster}"
            )
            return create_addon_role(self, f"{name}-driver", role, pod_identity=cluster, role_class=create_role)
        irsa: TrustedClusterArgs = {"issuer": args["issuer"], "provider_arn": args["provider_arn"]}
        return create_addon_role(self, f"{name}-driver", role, irsa=irsa, role_class=create_role)

    def _build_inline_policies(self, args: EbsCsiAddonArgs, plan: driver_plan.DriverPlan) -> dict[str, Any]:
        policies: dict[str, Any] = {}
        if plan.generated:
            snapshots = args.get("snapshots", False)
            policies[_VOLUME_POLICY] = apply_redacted(
                self._get_scope(args),
                lambda scope: build_volume_policy(scope, snapshots=snapshots),
                ARGS / "cluster_name",
                Any,
            )
        if args.get("kms_key_arns", []):
            policies[_KEY_POLICY] = apply_redacted(
                Output.all(*args.get("kms_key_arns", [])), build_key_policy, ARGS / "kms_key_arns", list[str]
            )
        return policies

    def _get_scope(self, args: EbsCsiAddonArgs) -> Output[PolicyScope]:
        def build_scope(known: list[str]) -> PolicyScope:
            partition, account = parse_account(known[0])
            return PolicyScope(partition, known[1], account, known[2])

        scope: Output[PolicyScope] = Output.all(
            aws_account.get_caller_arn(self),
            aws_account.get_region(self),
            validate_input(args["cluster_name"], lambda name, _: validate_cluster_name(name), ARGS / "cluster_name"),
        ).apply(build_scope)
        return scope

    def _resolve_version(self, args: EbsCsiAddonArgs) -> Input[str] | None:
        if not args.get("most_recent", False):
            return args.get("addon_version")
        return resolve_addon_version(self, EBS_CSI, args["kubernetes_version"], most_recent=True)

    def _create_addon(
        self, name: str, args: EbsCsiAddonArgs, plan: driver_plan.DriverPlan, role: AddonRole
    ) -> aws.eks.Addon:
        kubeconfig = args.get("kubeconfig")
        cluster_checks = ResourceHookBinding.merge(
            reject_unmanaged_driver(f"{name}-addon", kubeconfig),
            warn_about_missing_agent(f"{name}-addon", kubeconfig) if plan.pod_identity else None,
        )
        return aws.eks.Addon(
            f"{name}-addon",
            cluster_name=args["cluster_name"],
            addon_name=EBS_CSI,
            addon_version=self._resolve_version(args),
            configuration_values=plan.configuration,
            service_account_role_arn=role.service_account_role_arn,
            pod_identity_associations=role.pod_identity_associations,
            # The service account may have an annotation from another client. The addon must overwrite it.
            resolve_conflicts_on_create=plan.conflicts_on_create,
            resolve_conflicts_on_update=plan.conflicts_on_update,
            preserve=args.get("preserve"),
            tags={**args.get("tags", {}), **get_ownership_tags()},
            opts=child_options(
                self,
                hooks=ResourceHookBinding.merge(
                    create_addon_hooks(
                        f"{name}-addon",
                        self,
                        existing=f"set {spell_argument(ARGS / 'existing')} to true",
                        keep=f"set {spell_argument(ARGS / 'identity')} to 'irsa' again",
                        meanwhile="until it is ACTIVE again, volumes that\n            are mounted keep working, and "
                        "no volume is created or attached",
                    ),
                    cluster_checks,
                ),
                # A cluster cannot have two addons of one name.
                delete_before_replace=True,
            ),
        )


def _get_restart_annotations(
    kubeconfig: Input[str] | None, names: DriverNames, role_arn: Output[str]
) -> Output[dict[str, str]]:
    """Return the annotations of the controller's pod template, from the current state of the cluster."""
    if kubeconfig is None or runs_under_mocks():
        return role_arn.apply(lambda role: get_restart_annotations(role, None, [None]))
    found: Output[_PodRoles | ArgumentError] = Output.from_input(kubeconfig).apply(
        lambda known: asyncio.to_thread(_read_pod_roles, known, names)
    )
    # A kubeconfig may be secret. The roles of the pods, and the names in errors, are not.
    current = apply_redacted(Output.unsecret(found), _raise_error, ARGS / "self_managed", Any)
    return Output.all(current, role_arn).apply(lambda known: get_restart_annotations(known[1], *known[0]))


def _raise_error(found: _PodRoles | ArgumentError) -> _PodRoles:
    if isinstance(found, ArgumentError):
        raise found
    return found


def _read_pod_roles(kubeconfig: str, names: DriverNames) -> _PodRoles | ArgumentError:
    """Return the roles of the pods, or the error for names that the cluster does not have."""
    from eks_rocketmq.eks.ebs.driver_lookup import read_controller  # noqa: PLC0415 - loads the Kubernetes client

    try:
        state = read_controller({"kubeconfig": kubeconfig}, names)
    except ArgumentError as error:
        return error
    except Exception as error:  # noqa: BLE001 - an identity without read access can still plan
        log.warn(
            f"cannot read the role of the pods of {names.namespace}/{names.deployment} ({error}); they are "
            "restarted once"
        )
        return None, [None]
    return state.restarted_for, list(state.pod_roles)
