"""As whom the EBS CSI driver works, and what it may do. Pure: no Pulumi provider."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eks_rocketmq.args.aws_identifiers import addon_version, key_arn, policy_arn
from eks_rocketmq.args.field_metadata import accepted_values
from eks_rocketmq.args.validation import one_of, refuse_beside
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
"""What the driver may do: the managed policy of each accepted value, None where the policy is made here."""
MANAGED_ONLY = (
    *(
        "addon_version",
        "configuration",
        "exclusive_policies",
        "identity",
        "kms_key_arns",
        "most_recent",
        "path",
        "permissions",
    ),
    *("permissions_boundary", "preserve", "resolve_conflicts_on_create", "resolve_conflicts_on_update", "snapshots"),
    "tags",
)
"""Arguments of a driver that is made: those that name the cluster, or that must be given, are not among them."""
ADDON_ONLY = (
    *("addon_version", "configuration", "most_recent", "preserve", "resolve_conflicts_on_create"),
    "resolve_conflicts_on_update",
)
"""Arguments of the EKS addon, which a driver without one cannot be given."""
DEFAULTS: Mapping[str, object] = {"identity": "irsa", "permissions": "legacy"}
"""What a program that may switch between the two gives in either case says nothing."""
_CLUSTER_SCOPED_FROM = (1, 58)
"""First driver that tags what it makes as the cluster-scoped policy wants it."""
IDENTITIES = accepted_values(EbsCsiIdentity)
CREATE_CONFLICTS = accepted_values(ConflictsOnCreate)
UPDATE_CONFLICTS = accepted_values(ConflictsOnUpdate)
CLUSTER_TAG = "eks-cluster-name"
"""The tag by which the cluster-scoped policy knows whose driver it is. EKS Pod Identity brings it with each session;
without that the role itself has to carry it."""


@dataclass(frozen=True)
class DriverPlan:
    """What follows from an `EbsCsiAddonArgs`."""

    managed_policies: tuple[str, ...]
    generated: bool
    """Make the policy here."""
    pod_identity: bool
    role_tag: str | None
    """Tag of the role whose value is the cluster's name."""
    conflicts_on_create: str
    conflicts_on_update: str


def plan_driver(given: Mapping[str, object]) -> DriverPlan:
    """What the arguments of the addon choose.

    Raises:
        ValueError: for a value that is not accepted, and for arguments that are missing or contradict each other.
    """
    _check_installation(given)
    permissions = one_of(given.get("permissions", DEFAULTS["permissions"]), PERMISSIONS, "permissions")
    identity = one_of(given.get("identity", DEFAULTS["identity"]), IDENTITIES, "identity")
    policy = PERMISSIONS[permissions]
    if given.get("snapshots") and permissions != "generated":
        msg = (
            f"snapshots is True with permissions {permissions!r}; it widens 'generated' only, {policy} has them already"
        )
        raise ValueError(msg)
    missing = [key for key in ("issuer", "provider_arn") if key not in given]
    if identity == "irsa" and missing and not (given.get("existing") or given.get("auto_mode")):
        msg = f"identity 'irsa' needs {' and '.join(missing)} of the cluster; give it, or take identity 'pod_identity'"
        raise ValueError(msg)
    _check_version(given)
    _check_arns(given)
    return DriverPlan(
        managed_policies=(policy,) if policy else (),
        generated=permissions == "generated",
        pod_identity=identity == "pod_identity",
        role_tag=CLUSTER_TAG if permissions == "cluster_scoped" and identity == "irsa" else None,
        conflicts_on_create=one_of(
            given.get("resolve_conflicts_on_create", "OVERWRITE"), CREATE_CONFLICTS, "resolve_conflicts_on_create"
        ),
        conflicts_on_update=one_of(
            given.get("resolve_conflicts_on_update", "OVERWRITE"), UPDATE_CONFLICTS, "resolve_conflicts_on_update"
        ),
    )


def _check_installation(given: Mapping[str, object]) -> None:
    """Refuses two kinds of driver at once, and arguments that the chosen one cannot be given."""
    kinds = [key for key in ("existing", "self_managed", "auto_mode") if given.get(key, False) not in (False, None)]
    if len(kinds) > 1:
        msg = f"{' and '.join(kinds)} are given together; accepted is one of them: leave the others out"
        raise ValueError(msg)
    chosen = {key: value for key, value in given.items() if value != DEFAULTS.get(key)}
    if kinds == ["existing"]:
        refuse_beside(chosen, MANAGED_ONLY, "existing True, which uses the addon as it is")
    if kinds == ["auto_mode"]:
        refuse_beside(chosen, MANAGED_ONLY, "auto_mode True, which needs neither an addon nor a role")
    if kinds == ["self_managed"]:
        refuse_beside(chosen, ADDON_ONLY, "self_managed, a driver without an EKS addon")
        if given.get("identity") == "pod_identity":
            msg = (
                "identity is 'pod_identity' with self_managed; accepted is 'irsa', whose role is in the annotation "
                "of the service account. Leave identity out"
            )
            raise ValueError(msg)


def _check_version(given: Mapping[str, object]) -> None:
    if not given.get("most_recent"):
        if "addon_version" in given:
            version = addon_version(str(given["addon_version"]), "addon_version")
            major, minor = (int(number) for number in version.removeprefix("v").split(".")[:2])
            if given.get("permissions") == "cluster_scoped" and (major, minor) < _CLUSTER_SCOPED_FROM:
                msg = (
                    f"addon_version is {version!r} and permissions 'cluster_scoped': an older driver does not set the "
                    "tags by which that policy knows the cluster, and makes no volume. Accepted is v1.58 or newer. "
                    "Take a newer one, or permissions 'legacy', 'v2' or 'generated'"
                )
                raise ValueError(msg)
        return
    if "addon_version" in given:
        msg = f"addon_version is {given['addon_version']!r} and most_recent is True; give one of them"
        raise ValueError(msg)
    if "kubernetes_version" not in given:
        msg = "most_recent needs kubernetes_version, the version of the cluster, such as '1.35'"
        raise ValueError(msg)


def _check_arns(given: Mapping[str, object]) -> None:
    """Those that are known already."""
    keys = given.get("kms_key_arns")
    for key in keys if isinstance(keys, Iterable) else ():
        if isinstance(key, str):
            key_arn(key, "a key of kms_key_arns")
    if isinstance(boundary := given.get("permissions_boundary"), str):
        policy_arn(boundary, "permissions_boundary")
