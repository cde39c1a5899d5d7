"""Plan of a new cluster. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names
from eks_rocketmq.args.aws_identifiers import parse_arn, parse_kms_key_arn, parse_role_arn, validate_cluster_name
from eks_rocketmq.args.aws_tags import validate_tags
from eks_rocketmq.args.cidr import validate_public_sources, validate_service_block
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.log_retention import validate_retention
from eks_rocketmq.args.validation import (
    reject_duplicates,
    reject_empty,
    reject_ignored_args,
    suggest_name,
    validate_choice,
    validate_pattern,
)
from eks_rocketmq.eks.cluster.eks_cluster_args import (
    AccessEntryArgs,
    AccessEntryType,
    AccessPolicyArgs,
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
CLUSTER_PROPERTIES = (
    *("accessConfig", "bootstrapSelfManagedAddons", "computeConfig", "controlPlaneScalingConfig"),
    *("defaultAddonsToRemoves", "deletionProtection", "enabledClusterLogTypes", "encryptionConfig"),
    *("forceUpdateVersion", "kubeApiServerConfig", "kubeControllerManagerConfig", "kubeSchedulerConfig"),
    *("kubernetesNetworkConfig", "name", "outpostConfig", "region", "remoteNetworkConfig", "roleArn", "storageConfig"),
    *("tags", "tagsAll", "upgradePolicy", "version", "vpcConfig", "zonalShiftConfig"),
)
"""Properties of `aws.eks.Cluster`. A newer provider may have more."""

_VERSION = re.compile(r"1\.[3-9][0-9]")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[!-~]+", re.ASCII)
_ACCESS_POLICY = re.compile(r"Amazon[A-Za-z0-9]+Policy")
_NAMESPACE = re.compile(r"[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?")
_ENTRY_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DURATION = re.compile(r"(?=\d)(\d+h)?(\d+m)?(\d+s)?", re.ASCII)
_FIRST_PROPERTY = re.compile(r"[A-Za-z]\w*", re.ASCII)
_RESERVED_GROUPS = ("system:", "eks:", "aws:", "amazon:", "iam:")


@dataclass(frozen=True)
class ClusterPlan:
    """A cluster with valid arguments."""

    log_types: Sequence[str]
    log_retention_days: int
    public_sources: Sequence[str]
    """CIDR blocks that can reach the public endpoint; empty if there is no public endpoint."""


def plan_cluster(args: EksClusterArgs) -> ClusterPlan:
    """Validate the arguments of a cluster and return its plan.

    Raise ValueError for the first argument that is not valid, or that leaves the cluster without an administrator.
    """
    validate_cluster_name(args["cluster_name"])
    validate_pattern(
        _VERSION,
        args["version"],
        ARGS / "version",
        "cluster-version",
        "a minor version of Kubernetes from 1.30 on, such as '1.35'",
    )
    validate_choice(args.get("support_type", "STANDARD"), SUPPORT_TYPES, ARGS / "support_type")
    log_types = args.get("log_types", list(LOG_TYPES))
    for index, kind in enumerate(log_types):
        validate_choice(kind, LOG_TYPES, (ARGS / "log_types").index(index))
    if "service_cidr" in args:
        validate_service_block(args["service_cidr"])
    _check_arns(args)
    _check_subnets(args["subnet_ids"])
    _check_entries(args)
    _check_ignored_changes(args.get("ignore_changes", []))
    validate_tags(args.get("tags", {}), ARGS / "tags", added=1)
    for key, limit in args.get("timeouts", {}).items():
        validate_pattern(
            _DURATION, str(limit), ARGS / "timeouts" / key, "cluster-timeout", "a duration, such as '45m' or '1h30m'"
        )
    return ClusterPlan(
        log_types=sorted(set(log_types)),
        log_retention_days=validate_retention(args.get("log_retention_days", 90), ARGS / "log_retention_days"),
        public_sources=validate_public_sources(args.get("public_access_cidrs", []), ARGS / "public_access_cidrs"),
    )


def is_admin(entry: AccessEntryArgs) -> bool:
    """Return whether an access entry gives administrator rights in the whole cluster."""
    return any(one["policy"] == ADMIN_POLICY and not one.get("namespaces") for one in entry.get("policies", []))


def get_entry_key(entry: AccessEntryArgs) -> str:
    """Return the key of an access entry in the names of its resources.

    EKS identifies an entry by its principal, so the key is the principal, such as `123456789012/role/team`. The entry
    stays when its name in the stack changes. A principal that is an output is not known here: the key is the name,
    which contains no slash.
    """
    principal = entry["principal_arn"]
    if not isinstance(principal, str):
        return entry["name"]
    arn = parse_arn(principal)
    return f"{arn.account}/{arn.resource}"


def format_access_policy_arn(partition: str, policy: str) -> str:
    """Return the ARN of an EKS access policy, which is not an IAM policy."""
    return f"arn:{partition}:eks::aws:cluster-access-policy/{policy}"


def complete_cluster_inputs(
    properties: Mapping[str, Any], *, creator_is_admin: bool, zonal_shift: bool | None
) -> dict[str, Any]:
    """Return the cluster's inputs from `pulumi_eks`, completed with those for which it has no argument.

    `zonal_shift` tells whether AWS may shift traffic away from a zone. None leaves it unset, as not every partition
    supports it.
    """
    # Replaces the whole object, because the value from the engine may be an Output.
    access = {"authenticationMode": AUTHENTICATION_MODE, "bootstrapClusterCreatorAdminPermissions": creator_is_admin}
    shift = {} if zonal_shift is None else {"zonalShiftConfig": {"enabled": zonal_shift}}
    return {**properties, "accessConfig": access, **shift}


def _check_arns(args: EksClusterArgs) -> None:
    """Validate the ARNs that are known.

    EKS accepts the ARN of an alias and returns that of the key, which would replace the cluster at every update.
    """
    for field in ("secrets_kms_key_arn", "log_kms_key_arn"):
        if isinstance(key := args.get(field), str):
            parse_kms_key_arn(key, ARGS / field)
    if "role_arn" in args:
        parse_role_arn(args["role_arn"], ARGS / "role_arn")


def _check_ignored_changes(properties: Sequence[str]) -> None:
    """Reject wildcards, which would ignore every change, and names that match no property."""
    for index, given in enumerate(properties):
        first = _FIRST_PROPERTY.match(given)
        name = first[0] if first else ""
        remedy = suggest_name(name, CLUSTER_PROPERTIES) if name not in CLUSTER_PROPERTIES else ""
        if not name or remedy:
            raise ArgumentError(
                (ARGS / "ignore_changes").index(index),
                "ignored-property",
                "{given!r} is no property of an EKS cluster" if name else "{given!r} does not name one property",
                accepted="a property, such as 'version' or 'vpcConfig.publicAccessCidrs'",
                remedy=remedy,
                given=given,
            )


def _check_subnets(subnets: object) -> None:
    """Validate the number of subnets if it is known. AWS checks subnets of other resources."""
    if isinstance(subnets, list | tuple) and len(subnets) < 2:
        raise ArgumentError(
            ARGS / "subnet_ids",
            "control-plane-subnets",
            "the number of subnets is {given}",
            accepted="2 or more subnets, in different zones",
            given=len(subnets),
        )


def _check_entries(args: EksClusterArgs) -> None:
    entries, path = args.get("access_entries", []), ARGS / "access_entries"
    reject_duplicates([entry["name"] for entry in entries], path)
    for index, entry in enumerate(entries):
        _check_entry(entry, path.index(index, entry))
    principals = [entry["principal_arn"] for entry in entries]
    reject_duplicates([known for known in principals if isinstance(known, str)], path)
    if not args.get("creator_is_admin", True) and not any(map(is_admin, entries)):
        raise ArgumentError(
            ARGS / "creator_is_admin",
            "cluster-without-administrator",
            "no principal could administer the cluster, because no access entry has the policy {policy!r} for the "
            "whole cluster",
            remedy="Add such an entry for the identity that runs the stack to {entries}, or leave this argument out",
            policy=ADMIN_POLICY,
            entries=path,
        )


def check_principal(principal: str, path: ArgumentPath) -> None:
    """Check that EKS accepts `principal` as the principal of an access entry.

    Raise ValueError if `principal` is not the ARN of an IAM role or user.
    """
    if not _PRINCIPAL.fullmatch(principal):
        raise ArgumentError(
            path,
            "access-entry-principal",
            "{given!r} is no principal that EKS accepts",
            accepted="the ARN of an IAM role or user",
            remedy="Give the ARN of the role, not of its session" if ":assumed-role/" in principal else "",
            given=principal,
        )


def _check_entry(entry: AccessEntryArgs, path: ArgumentPath) -> None:
    validate_pattern(
        _ENTRY_NAME,
        entry["name"],
        path / "name",
        "access-entry-name",
        "lower-case letters, digits and '-', such as 'platform-team'",
    )
    if isinstance(principal := entry["principal_arn"], str):
        check_principal(principal, path / "principal_arn")
    kind = entry.get("type", "STANDARD")
    validate_choice(kind, ENTRY_TYPES, path / "type")
    policies, groups = entry.get("policies", []), entry.get("kubernetes_groups", [])
    # Nodes of EKS Auto Mode (`EC2`) get their permissions from an access policy, all other nodes from their type.
    if kind != "STANDARD":
        ignored = ["kubernetes_groups", "username", *(["policies"] if kind != "EC2" else [])]
        reject_ignored_args(entry, ignored, path, path / "type", f"is {kind!r}, a type for which AWS sets the value")
    if kind in ("STANDARD", "EC2") and not (policies or groups):
        raise ArgumentError(
            path,
            "access-entry-without-permissions",
            "the access entry grants no permissions",
            remedy="Set at least one of these: {fields}",
            fields=Names(("policies",) if kind == "EC2" else ("policies", "kubernetes_groups")),
        )
    for index, group in enumerate(groups):
        if not group.strip():
            raise ArgumentError(
                (path / "kubernetes_groups").index(index),
                "empty-group",
                "the name {given!r} is empty, so the entry would grant nothing",
                accepted="the name of a group in a role binding, such as 'platform-team'",
                given=group,
            )
        if group.startswith(_RESERVED_GROUPS):
            raise ArgumentError(
                (path / "kubernetes_groups").index(index),
                "reserved-group",
                "EKS reserves the group {given!r}",
                accepted="a group that begins with none of {reserved}",
                remedy="Bind a role to a group with another name",
                given=group,
                reserved=", ".join(map(repr, _RESERVED_GROUPS)),
            )
    if entry.get("username", "").startswith(_RESERVED_GROUPS):
        raise ArgumentError(
            path / "username",
            "reserved-username",
            "EKS reserves the username {given!r}",
            accepted="a name that begins with none of {reserved}",
            remedy="Leave it out, and EKS takes the ARN of the principal",
            given=entry["username"],
            reserved=", ".join(map(repr, _RESERVED_GROUPS)),
        )
    for index, policy in enumerate(policies):
        _check_policy(policy, (path / "policies").index(index))
    # EKS allows one association of a policy with a principal.
    reject_duplicates([policy["policy"] for policy in policies], path / "policies")


def _check_policy(policy: AccessPolicyArgs, path: ArgumentPath) -> None:
    validate_pattern(
        _ACCESS_POLICY,
        policy["policy"],
        path / "policy",
        "access-policy",
        f"the name of an EKS access policy, such as {ADMIN_POLICY!r}",
    )
    if "namespaces" in policy:
        reject_empty(policy["namespaces"], path / "namespaces", "the whole cluster")
        for index, namespace in enumerate(policy["namespaces"]):
            validate_pattern(
                _NAMESPACE,
                namespace,
                (path / "namespaces").index(index),
                "access-policy-namespace",
                "the name of a namespace, such as 'rocketmq' or 'team-*'",
            )
