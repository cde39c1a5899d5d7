"""Plan of a new cluster. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.aws_identifiers import parse_kms_key_arn, parse_role_arn, validate_cluster_name
from eks_rocketmq.args.cidr import validate_public_sources, validate_service_block
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.log_retention import validate_retention
from eks_rocketmq.args.validation import reject_duplicates, reject_empty, validate_choice, validate_pattern
from eks_rocketmq.eks.cluster.eks_cluster_args import (
    AccessEntryArgs,
    AccessEntryType,
    ControlPlaneLog,
    EksClusterArgs,
    SupportType,
)

AUTHENTICATION_MODE = "API"
"""Access entries without the ConfigMap `aws-auth`. EKS cannot change this mode back."""
LOG_TYPES = get_accepted_values(ControlPlaneLog)
SUPPORT_TYPES = get_accepted_values(SupportType)
ENTRY_TYPES = get_accepted_values(AccessEntryType)
ADMIN_POLICY = "AmazonEKSClusterAdminPolicy"

_VERSION = re.compile(r"1\.[3-9][0-9]")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/\S+")
_ACCESS_POLICY = re.compile(r"Amazon[A-Za-z0-9]+Policy")
_NAMESPACE = re.compile(r"[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?")
_ENTRY_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DURATION = re.compile(r"(\d+h)?(\d+m)?(\d+s)?")


@dataclass(frozen=True)
class ClusterPlan:
    """A cluster with valid arguments."""

    log_types: Sequence[str]
    log_retention_days: int
    public_sources: Sequence[str]
    """CIDR blocks that can reach the public endpoint; empty if there is no public endpoint."""


def plan_cluster(args: EksClusterArgs) -> ClusterPlan:
    """Validate the arguments of a cluster and return its plan.

    Raises:
        ValueError: for the first argument that is not valid, or that leaves the cluster without an administrator.
    """
    validate_cluster_name(args["cluster_name"])
    version = args["version"]
    if not _VERSION.fullmatch(version):
        msg = f"version is {version!r}; accepted is a minor version of Kubernetes from 1.30 on, such as '1.35'"
        raise ValueError(msg)
    validate_choice(args.get("support_type", "STANDARD"), SUPPORT_TYPES, "support_type")
    log_types = args.get("log_types", list(LOG_TYPES))
    for kind in log_types:
        validate_choice(kind, LOG_TYPES, "log_types")
    if "service_cidr" in args:
        validate_service_block(args["service_cidr"])
    _check_arns(args)
    _check_subnets(args["subnet_ids"])
    _check_entries(args)
    for key, limit in args.get("timeouts", {}).items():
        if not (limit and _DURATION.fullmatch(str(limit))):
            msg = f"timeouts.{key} is {limit!r}; accepted is a duration, such as '45m' or '1h30m'"
            raise ValueError(msg)
    return ClusterPlan(
        log_types=sorted(set(log_types)),
        log_retention_days=validate_retention(args.get("log_retention_days", 90), "log_retention_days"),
        public_sources=validate_public_sources(args.get("public_access_cidrs", []), "public_access_cidrs"),
    )


def is_admin(entry: AccessEntryArgs) -> bool:
    """Return whether an access entry gives administrator rights in the whole cluster."""
    return any(one["policy"] == ADMIN_POLICY and not one.get("namespaces") for one in entry.get("policies", []))


def format_access_policy_arn(partition: str, policy: str) -> str:
    """Return the ARN of an EKS access policy, which is not an IAM policy."""
    return f"arn:{partition}:eks::aws:cluster-access-policy/{policy}"


def complete_cluster_inputs(
    properties: Mapping[str, Any], *, creator_is_admin: bool, zonal_shift: bool | None
) -> dict[str, Any]:
    """Return the cluster's inputs from `pulumi_eks`, completed with those for which it has no argument.

    Args:
        properties: inputs from `pulumi_eks`.
        creator_is_admin: whether the principal that creates the cluster is its administrator.
        zonal_shift: whether AWS may shift traffic away from a zone; None: not set, as not every partition supports it.
    """
    # Replaces the whole object, because the value from the engine may be an Output.
    access = {"authenticationMode": AUTHENTICATION_MODE, "bootstrapClusterCreatorAdminPermissions": creator_is_admin}
    shift = {} if zonal_shift is None else {"zonalShiftConfig": {"enabled": zonal_shift}}
    return {**properties, "accessConfig": access, **shift}


def _check_arns(args: EksClusterArgs) -> None:
    """Validate the ARNs that are known.

    EKS accepts the ARN of an alias and returns that of the key, which would replace the cluster at every update.
    """
    for what, key in (
        ("secrets_kms_key_arn", args.get("secrets_kms_key_arn")),
        ("log_kms_key_arn", args.get("log_kms_key_arn")),
    ):
        if isinstance(key, str):
            parse_kms_key_arn(key, what)
    if "role_arn" in args:
        parse_role_arn(args["role_arn"], "role_arn")


def _check_subnets(subnets: object) -> None:
    """Validate the number of subnets if it is known. AWS checks subnets of other resources."""
    if isinstance(subnets, list | tuple) and len(subnets) < 2:
        msg = f"subnet_ids has {len(subnets)}; accepted are two or more, in different zones"
        raise ValueError(msg)


def _check_entries(args: EksClusterArgs) -> None:
    entries = args.get("access_entries", [])
    reject_duplicates([entry["name"] for entry in entries], "access_entries")
    for entry in entries:
        _check_entry(entry)
    principals = [entry["principal_arn"] for entry in entries]
    reject_duplicates([known for known in principals if isinstance(known, str)], "principal_arn of access_entries")
    if not args.get("creator_is_admin", True) and not any(map(is_admin, entries)):
        msg = (
            f"creator_is_admin is False and no access entry has {ADMIN_POLICY} for the whole cluster, so no principal "
            "could administer it; name an entry for the identity that runs the stack, or leave creator_is_admin at True"
        )
        raise ValueError(msg)


def check_principal(principal: str, what: str) -> None:
    """Raise ValueError, naming `what`, if `principal` is not the ARN of an IAM role or user that EKS accepts."""
    if not _PRINCIPAL.fullmatch(principal):
        hint = "; the session of a role is no principal, name the role itself" if ":assumed-role/" in principal else ""
        msg = f"{what} is {principal!r}; accepted is the ARN of an IAM role or user{hint}"
        raise ValueError(msg)


def _check_entry(entry: AccessEntryArgs) -> None:
    what = f"access entry {entry['name']!r}"
    if not _ENTRY_NAME.fullmatch(entry["name"]):
        msg = f"{what}: accepted as name are lower-case letters, digits and '-', such as 'platform-team'"
        raise ValueError(msg)
    if isinstance(principal := entry["principal_arn"], str):
        check_principal(principal, f"{what}: principal_arn")
    kind = entry.get("type", "STANDARD")
    validate_choice(kind, ENTRY_TYPES, f"{what}: type")
    policies, groups = entry.get("policies", []), entry.get("kubernetes_groups", [])
    # Nodes of EKS Auto Mode (`EC2`) get their permissions from an access policy, all other nodes from their type.
    if kind != "STANDARD" and (groups or "username" in entry or (policies and kind != "EC2")):
        msg = f"{what} has type {kind!r}, which takes neither policies nor groups nor a user name; AWS gives it its own"
        raise ValueError(msg)
    if kind in ("STANDARD", "EC2") and not (policies or groups):
        msg = f"{what} may do nothing; give it policies, kubernetes_groups or both"
        raise ValueError(msg)
    for group in groups:
        if group.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
            msg = f"{what}: group {group!r} is reserved, EKS refuses it; bind a role to a group with another name"
            raise ValueError(msg)
    for policy in policies:
        if not _ACCESS_POLICY.fullmatch(policy["policy"]):
            msg = f"{what}: policy is {policy['policy']!r}; accepted is a name, such as {ADMIN_POLICY!r}"
            raise ValueError(msg)
        if "namespaces" in policy:
            where = f"{what}: namespaces of {policy['policy']}"
            reject_empty(policy["namespaces"], where, "the whole cluster")
            for namespace in policy["namespaces"]:
                validate_pattern(_NAMESPACE, namespace, where, "names of namespaces, such as 'rocketmq' or 'team-*'")
    # EKS allows one association of a policy with a principal.
    reject_duplicates([policy["policy"] for policy in policies], f"{what}: policies")
