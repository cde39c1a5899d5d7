"""Identity and permissions of the EBS CSI driver. Pure: without a Pulumi provider."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_kms_key_arn, parse_policy_arn, validate_addon_version
from eks_rocketmq.args.aws_tags import validate_tags
from eks_rocketmq.args.errors import ArgumentError, raise_all
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.kubernetes_names import CLUSTER_NAME_TAG_FROM
from eks_rocketmq.args.validation import reject_ignored_args, validate_choice
from eks_rocketmq.eks.ebs.csi_configuration import render_configuration
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import ConflictsOnCreate, ConflictsOnUpdate, EbsCsiIdentity
from eks_rocketmq.eks.ebs.self_managed_driver import DriverNames, parse_driver_names

PERMISSIONS: Mapping[str, str | None] = {
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEBSCSIDriverPolicy.html
    "legacy": "service-role/AmazonEBSCSIDriverPolicy",
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEBSCSIDriverPolicyV2.html
    "v2": "AmazonEBSCSIDriverPolicyV2",
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEBSCSIDriverEKSClusterScopedPolicy.html
    "cluster_scoped": "AmazonEBSCSIDriverEKSClusterScopedPolicy",
    "generated": None,
}
"""AWS managed policy of each accepted value; None: the library generates the policy."""
MANAGED_ONLY = (
    *("addon_version", "configuration", "exclusive_policies", "identity", "kms_key_arns", "most_recent", "path"),
    *("permissions", "permissions_boundary", "preserve", "resolve_conflicts_on_create", "resolve_conflicts_on_update"),
    *("snapshots", "tags"),
)
"""Arguments only for a driver that the stack creates, without the required ones and those of the cluster."""
ADDON_ONLY = (
    *("addon_version", "configuration", "most_recent", "preserve", "resolve_conflicts_on_create"),
    "resolve_conflicts_on_update",
)
"""Arguments only for the EKS addon, which a self-managed driver does not accept."""
_KINDS = ("existing", "self_managed", "auto_mode")
"""Arguments that select a driver other than an addon of the stack."""
DEFAULTS: Mapping[str, object] = {"identity": "irsa", "permissions": "legacy"}
"""Default values, which do not count as conflicting arguments."""
IDENTITIES = get_accepted_values(EbsCsiIdentity)
CREATE_CONFLICTS = get_accepted_values(ConflictsOnCreate)
UPDATE_CONFLICTS = get_accepted_values(ConflictsOnUpdate)
CLUSTER_TAG = "eks-cluster-name"
"""Tag by which the cluster-scoped policy identifies the cluster. EKS Pod Identity adds it to each session. With IRSA
the role itself needs it."""


@dataclass(frozen=True)
class DriverPlan:
    """An EBS CSI driver with valid arguments."""

    permissions: str
    managed_policies: tuple[str, ...]
    generated: bool
    """Whether the library generates the policy."""
    pod_identity: bool
    role_tag: str | None
    """Key of a tag of the role, with the cluster's name as value; None: no such tag."""
    conflicts_on_create: str
    conflicts_on_update: str
    configuration: str | None
    """Configuration of the addon as JSON. None: the defaults of EKS."""
    driver_names: DriverNames | None
    """Names of a self-managed driver."""


def plan_driver(args: Mapping[str, Any]) -> DriverPlan:
    """Validate the arguments of the driver and return its plan.

    `args` is an `EbsCsiAddonArgs`. Raise ValueError for a value that is not accepted, and for arguments that are
    missing or contradict each other.
    """
    _check_installation(args)
    permissions = validate_choice(args.get("permissions", DEFAULTS["permissions"]), PERMISSIONS, ARGS / "permissions")
    identity = validate_choice(args.get("identity", DEFAULTS["identity"]), IDENTITIES, ARGS / "identity")
    policy = PERMISSIONS[permissions]
    if args.get("snapshots") and permissions != "generated":
        raise ArgumentError(
            ARGS / "snapshots",
            "snapshots-included",
            "the argument only extends {permissions} 'generated', and {policy} already includes snapshots",
            remedy="Leave the argument out",
            permissions=ARGS / "permissions",
            policy=policy,
        )
    if identity == "irsa" and not (args.get("existing") or args.get("auto_mode")):
        _require_issuer(args)
    _check_version(args)
    _check_arns(args)
    role_tag = CLUSTER_TAG if permissions == "cluster_scoped" and identity == "irsa" else None
    validate_tags(args.get("tags", {}), ARGS / "tags", added=1 if role_tag is None else 2)
    self_managed = args.get("self_managed")
    return DriverPlan(
        permissions=permissions,
        managed_policies=(policy,) if policy else (),
        generated=permissions == "generated",
        pod_identity=identity == "pod_identity",
        role_tag=role_tag,
        conflicts_on_create=validate_choice(
            args.get("resolve_conflicts_on_create", "OVERWRITE"), CREATE_CONFLICTS, ARGS / "resolve_conflicts_on_create"
        ),
        conflicts_on_update=validate_choice(
            args.get("resolve_conflicts_on_update", "OVERWRITE"), UPDATE_CONFLICTS, ARGS / "resolve_conflicts_on_update"
        ),
        configuration=render_configuration(args.get("configuration", {})),
        driver_names=None if self_managed is None else parse_driver_names(self_managed),
    )


def _check_installation(args: Mapping[str, object]) -> None:
    """Reject two kinds of driver at once, and arguments that the kind does not accept."""
    kinds = [key for key in _KINDS if args.get(key, False) not in (False, None)]
    if len(kinds) > 1:
        first, *others = (ARGS / kind for kind in kinds)
        raise ArgumentError(
            first,
            "several-driver-kinds",
            "the argument is given together with {others}",
            accepted="one of {kinds}",
            others=others,
            kinds=[ARGS / kind for kind in _KINDS],
        )
    explicit = {key: value for key, value in args.items() if value != DEFAULTS.get(key)}
    if kinds == ["existing"]:
        reject_ignored_args(explicit, MANAGED_ONLY, ARGS, ARGS / "existing", "uses the addon as it is")
    if kinds == ["auto_mode"]:
        reject_ignored_args(explicit, MANAGED_ONLY, ARGS, ARGS / "auto_mode", "needs neither an addon nor a role")
    if kinds == ["self_managed"]:
        reject_ignored_args(explicit, ADDON_ONLY, ARGS, ARGS / "self_managed", "uses a driver without an EKS addon")
        if args.get("identity") == "pod_identity":
            raise ArgumentError(
                ARGS / "identity",
                "self-managed-pod-identity",
                "{given!r} is not possible with {driver}, whose role is in the annotation of its service account",
                accepted="'irsa'",
                remedy="Leave the argument out",
                given=args["identity"],
                driver=ARGS / "self_managed",
            )


@raise_all
def _require_issuer(args: Mapping[str, object]) -> Iterator[ArgumentError]:
    for name in ("issuer", "provider_arn"):
        if name not in args:
            yield ArgumentError(
                ARGS / name,
                "irsa-without-issuer",
                "{identity} 'irsa' requires this value of the cluster",
                remedy="Set the argument, or set {identity} to 'pod_identity'",
                identity=ARGS / "identity",
            )


def _check_version(args: Mapping[str, object]) -> None:
    if not args.get("most_recent"):
        if "addon_version" in args:
            version = validate_addon_version(str(args["addon_version"]), ARGS / "addon_version")
            major, minor = (int(number) for number in version.removeprefix("v").split(".")[:2])
            if args.get("permissions") == "cluster_scoped" and (major, minor) < CLUSTER_NAME_TAG_FROM:
                raise ArgumentError(
                    ARGS / "addon_version",
                    "driver-without-cluster-tags",
                    "{given!r} does not set the tags that {permissions} 'cluster_scoped' requires, so it cannot create "
                    "volumes",
                    accepted="v{major}.{minor} or newer",
                    remedy="Set a newer version, or set {permissions} to 'legacy', 'v2' or 'generated'",
                    given=version,
                    permissions=ARGS / "permissions",
                    major=CLUSTER_NAME_TAG_FROM[0],
                    minor=CLUSTER_NAME_TAG_FROM[1],
                )
        return
    reject_ignored_args(args, ("addon_version",), ARGS, ARGS / "most_recent", "selects the newest version")
    if "kubernetes_version" not in args:
        raise ArgumentError(
            ARGS / "kubernetes_version",
            "most-recent-without-kubernetes-version",
            "{most_recent} requires this argument",
            accepted="the Kubernetes version of the cluster, such as '1.35'",
            most_recent=ARGS / "most_recent",
        )


def _check_arns(args: Mapping[str, object]) -> None:
    """Validate the ARNs that are known."""
    keys = args.get("kms_key_arns")
    for index, key in enumerate(keys if isinstance(keys, Iterable) else ()):
        if isinstance(key, str):
            parse_kms_key_arn(key, (ARGS / "kms_key_arns").index(index))
    if isinstance(boundary := args.get("permissions_boundary"), str):
        parse_policy_arn(boundary, ARGS / "permissions_boundary")
