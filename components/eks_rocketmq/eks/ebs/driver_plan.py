"""Identity and permissions of the EBS CSI driver. Pure: without a Pulumi provider."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eks_rocketmq.args.aws_identifiers import parse_kms_key_arn, parse_policy_arn, validate_addon_version
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.validation import reject_ignored_args, validate_choice
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import ConflictsOnCreate, ConflictsOnUpdate, EbsCsiIdentity

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
DEFAULTS: Mapping[str, object] = {"identity": "irsa", "permissions": "legacy"}
"""Default values, which do not count as conflicting arguments."""
_CLUSTER_SCOPED_FROM = (1, 58)
"""First version of the driver that sets the tags which the cluster-scoped policy requires."""
IDENTITIES = get_accepted_values(EbsCsiIdentity)
CREATE_CONFLICTS = get_accepted_values(ConflictsOnCreate)
UPDATE_CONFLICTS = get_accepted_values(ConflictsOnUpdate)
CLUSTER_TAG = "eks-cluster-name"
"""Tag by which the cluster-scoped policy identifies the cluster. EKS Pod Identity adds it to each session. With IRSA
the role itself needs it."""


@dataclass(frozen=True)
class DriverPlan:
    """An EBS CSI driver with valid arguments."""

    managed_policies: tuple[str, ...]
    generated: bool
    """Whether the library generates the policy."""
    pod_identity: bool
    role_tag: str | None
    """Key of a tag of the role, with the cluster's name as value; None: no such tag."""
    conflicts_on_create: str
    conflicts_on_update: str


def plan_driver(args: Mapping[str, object]) -> DriverPlan:
    """Validate the arguments of the driver and return its plan.

    Args:
        args: an `EbsCsiAddonArgs`.

    Raises:
        ValueError: for a value that is not accepted, and for arguments that are missing or contradict each other.
    """
    _check_installation(args)
    permissions = validate_choice(args.get("permissions", DEFAULTS["permissions"]), PERMISSIONS, "permissions")
    identity = validate_choice(args.get("identity", DEFAULTS["identity"]), IDENTITIES, "identity")
    policy = PERMISSIONS[permissions]
    if args.get("snapshots") and permissions != "generated":
        msg = (
            f"snapshots is True with permissions {permissions!r}; it widens 'generated' only, {policy} has them already"
        )
        raise ValueError(msg)
    missing = [key for key in ("issuer", "provider_arn") if key not in args]
    if identity == "irsa" and missing and not (args.get("existing") or args.get("auto_mode")):
        msg = f"identity 'irsa' needs {' and '.join(missing)} of the cluster; give it, or take identity 'pod_identity'"
        raise ValueError(msg)
    _check_version(args)
    _check_arns(args)
    return DriverPlan(
        managed_policies=(policy,) if policy else (),
        generated=permissions == "generated",
        pod_identity=identity == "pod_identity",
        role_tag=CLUSTER_TAG if permissions == "cluster_scoped" and identity == "irsa" else None,
        conflicts_on_create=validate_choice(
            args.get("resolve_conflicts_on_create", "OVERWRITE"), CREATE_CONFLICTS, "resolve_conflicts_on_create"
        ),
        conflicts_on_update=validate_choice(
            args.get("resolve_conflicts_on_update", "OVERWRITE"), UPDATE_CONFLICTS, "resolve_conflicts_on_update"
        ),
    )


def _check_installation(args: Mapping[str, object]) -> None:
    """Reject two kinds of driver at once, and arguments that the kind does not accept."""
    kinds = [key for key in ("existing", "self_managed", "auto_mode") if args.get(key, False) not in (False, None)]
    if len(kinds) > 1:
        msg = f"{' and '.join(kinds)} are given together; accepted is one of them: leave the others out"
        raise ValueError(msg)
    explicit = {key: value for key, value in args.items() if value != DEFAULTS.get(key)}
    if kinds == ["existing"]:
        reject_ignored_args(explicit, MANAGED_ONLY, "existing True, which uses the addon as it is")
    if kinds == ["auto_mode"]:
        reject_ignored_args(explicit, MANAGED_ONLY, "auto_mode True, which needs neither an addon nor a role")
    if kinds == ["self_managed"]:
        reject_ignored_args(explicit, ADDON_ONLY, "self_managed, a driver without an EKS addon")
        if args.get("identity") == "pod_identity":
            msg = (
                "identity is 'pod_identity' with self_managed; accepted is 'irsa', whose role is in the annotation "
                "of the service account. Leave identity out"
            )
            raise ValueError(msg)


def _check_version(args: Mapping[str, object]) -> None:
    if not args.get("most_recent"):
        if "addon_version" in args:
            version = validate_addon_version(str(args["addon_version"]), "addon_version")
            major, minor = (int(number) for number in version.removeprefix("v").split(".")[:2])
            if args.get("permissions") == "cluster_scoped" and (major, minor) < _CLUSTER_SCOPED_FROM:
                msg = (
                    f"addon_version is {version!r} and permissions 'cluster_scoped': an older driver does not set the "
                    "tags by which that policy knows the cluster, and makes no volume. Accepted is v1.58 or newer. "
                    "Take a newer one, or permissions 'legacy', 'v2' or 'generated'"
                )
                raise ValueError(msg)
        return
    if "addon_version" in args:
        msg = f"addon_version is {args['addon_version']!r} and most_recent is True; give one of them"
        raise ValueError(msg)
    if "kubernetes_version" not in args:
        msg = "most_recent needs kubernetes_version, the version of the cluster, such as '1.35'"
        raise ValueError(msg)


def _check_arns(args: Mapping[str, object]) -> None:
    """Validate the ARNs that are known."""
    keys = args.get("kms_key_arns")
    for key in keys if isinstance(keys, Iterable) else ():
        if isinstance(key, str):
            parse_kms_key_arn(key, "a key of kms_key_arns")
    if isinstance(boundary := args.get("permissions_boundary"), str):
        parse_policy_arn(boundary, "permissions_boundary")
