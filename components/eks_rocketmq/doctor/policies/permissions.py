"""Evaluation of a role's policies for what the EBS CSI driver does. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.kubernetes_names import CLUSTER_NAME_TAG, CLUSTER_NAME_TAG_FROM, EBS_DRIVERS
from eks_rocketmq.doctor.facts.cluster_facts import AccountFacts, ClusterFacts, Facts, PolicyFacts
from eks_rocketmq.doctor.facts.fact_queries import find_controller, find_driver_version, list_readable
from eks_rocketmq.doctor.policies.policy_conditions import (
    RequestContext,
    evaluate_action,
    evaluate_conditions,
    is_denied,
    matches_action,
)
from eks_rocketmq.lookups.policy_elements import list_principals, list_statements, list_values

_VOLUME, _SNAPSHOT, _ANY = "volume", "snapshot", "*"
DRIVER_ACTIONS: Mapping[str, str] = {
    "ec2:DescribeAvailabilityZones": _ANY,
    "ec2:DescribeInstances": _ANY,
    "ec2:DescribeVolumes": _ANY,
    "ec2:CreateVolume": _VOLUME,
    "ec2:CreateTags": _VOLUME,
    "ec2:AttachVolume": _VOLUME,
    "ec2:DetachVolume": _VOLUME,
    "ec2:DeleteVolume": _VOLUME,
}
"""Actions that the driver needs for a claim, and the kind of their resource."""
GROWTH_ACTIONS: Mapping[str, str] = {"ec2:DescribeVolumesModifications": _ANY, "ec2:ModifyVolume": _VOLUME}
"""Actions that the driver needs for a claim that is to grow. A policy without them works until then."""
SNAPSHOT_ACTION = "ec2:CreateVolume"
KEY_ACTIONS = ("kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext")
"""Actions that the driver's role needs for the KMS key of a class."""

_REQUEST_TAG = "aws:requesttag/"
_TAG_PREFIXES = (_REQUEST_TAG, "aws:resourcetag/", "ec2:resourcetag/")


@dataclass(frozen=True)
class DriverScope:
    """Account, cluster and tags of the volumes that the driver manages."""

    account: AccountFacts
    cluster: str
    """Name of the cluster."""
    tags: Mapping[str, str]
    """Tags that the driver sets on a volume."""

    def build_resource(self, kind: str) -> str:
        """Return the ARN of a resource of EC2."""
        if kind == _ANY:
            return _ANY
        # ARNs of snapshots contain no account.
        account = "" if kind == _SNAPSHOT else self.account.account
        return f"arn:{self.account.partition}:ec2:{self.account.region}:{account}:{kind}/{kind[:4]}-0123456789abcdef0"

    def build_context(self, tag_prefixes: tuple[str, ...] = _TAG_PREFIXES) -> RequestContext:
        """Return the condition keys of the driver's requests.

        `tag_prefixes` are prefixes of keys with the driver's tags: tags of the request and, by default, of the
        resource.
        """
        tags = self.tags.items()
        values = {f"{prefix}{key.lower()}": (value,) for prefix in tag_prefixes for key, value in tags}
        keys = ("aws:tagkeys",)
        return RequestContext(
            {
                **values,
                **{key: tuple(self.tags) for key in keys},
                "ec2:createaction": ("CreateVolume",),
                "aws:requestedregion": (self.account.region,),
            },
            tag_prefixes,
        )


def build_driver_scope(facts: Facts) -> DriverScope | None:
    """Return account, cluster and tags of the driver; None if account or cluster could not be read.

    Arguments and a version that are unknown are those of the newest addon. Tags of one StorageClass count for all.
    """
    account, cluster = facts.account, facts.cluster
    if not isinstance(account, AccountFacts) or not isinstance(cluster, ClusterFacts):
        return None
    controller = find_controller(facts)
    cluster_id = controller.cluster_id if controller else None
    tags = build_volume_tags(cluster.name if cluster_id is None else cluster_id, find_driver_version(facts))
    extra = dict(controller.extra_tags) if controller else {}
    return DriverScope(account, cluster.name, {**tags, **extra, **dict(_list_class_tags(facts))})


def build_volume_tags(cluster_id: str, version: tuple[int, ...] | None = None) -> dict[str, str]:
    """Return the tags that the driver sets on a volume.

    `cluster_id` is its argument `--k8s-tag-cluster-id`, or empty. Default of `version`: the newest one.
    """
    tags = {"ebs.csi.aws.com/cluster": "true", "CSIVolumeName": "pvc-0", "kubernetes.io/created-for/pvc/name": "data"}
    if cluster_id:
        tags[f"kubernetes.io/cluster/{cluster_id}"] = "owned"
    if cluster_id and (version is None or version >= CLUSTER_NAME_TAG_FROM):
        tags[CLUSTER_NAME_TAG] = cluster_id
    return tags


def _list_class_tags(facts: Facts) -> Iterator[tuple[str, str]]:
    for class_ in list_readable(facts.storage_classes):
        for name, text in class_.parameters:
            if class_.provisioner in EBS_DRIVERS and name.startswith("tagSpecification_"):
                key, _, value = text.partition("=")
                yield key, value


def list_needed_actions(*, grows: bool) -> Mapping[str, str]:
    """Return the actions that the driver needs, and the kind of their resource. With `grows`, a claim is to grow."""
    return {**DRIVER_ACTIONS, **GROWTH_ACTIONS} if grows else DRIVER_ACTIONS


def find_denied_actions(policies: Iterable[PolicyFacts], scope: DriverScope, *, grows: bool = False) -> list[str]:
    """Return the actions that the driver needs and that the policies do not allow.

    `grows` says whether a claim is to grow.
    """
    documents, context = parse_documents(policies), scope.build_context()
    return [
        action
        for action, kind in list_needed_actions(grows=grows).items()
        if evaluate_action(documents, action, scope.build_resource(kind), context) is False
    ]


def allows_snapshots(policies: Iterable[PolicyFacts], scope: DriverScope) -> bool | None:
    """Return whether the policies allow volumes from snapshots; None if tags of the snapshot decide that.

    The driver tags the snapshots that it takes. Others are as their owner left them.
    """
    resource, context = scope.build_resource(_SNAPSHOT), scope.build_context((_REQUEST_TAG,))
    return evaluate_action(parse_documents(policies), SNAPSHOT_ACTION, resource, context)


def find_denied_key_actions(
    policies: Iterable[PolicyFacts], key_policy: str, key_arn: str, role_arn: str, account: AccountFacts
) -> list[str]:
    """Return the actions of KMS that neither the policies of the role nor the key policy allow, or that one denies.

    The policies of a role count only if the key policy admits the account. Grants are not read. `key_policy` is JSON;
    empty if it could not be read.
    """
    documents, context = parse_documents(policies), _build_key_context(role_arn, account)
    key_documents = parse_documents([PolicyFacts("key", key_policy)]) if key_policy else []
    root = f"arn:{account.partition}:iam::{account.account}:root"
    denied = []
    for action in KEY_ACTIONS:
        identity = evaluate_action(documents, action, key_arn, context)
        everyone = (root, account.account)
        delegated = _grants_to(key_documents, action, everyone, context) if key_documents else True
        direct = _grants_to(key_documents, action, (role_arn, "*"), context) if key_documents else False
        allowed = (direct and not is_denied(documents, action, key_arn, context)) or (
            identity is not False and delegated
        )
        if not allowed or _denies(key_documents, action, (role_arn, "*", *everyone), context):
            denied.append(action)
    return denied


def _build_key_context(role_arn: str, account: AccountFacts) -> RequestContext:
    """Return the condition keys of a request that EC2 sends to KMS for the role."""
    return RequestContext(
        {
            "kms:viaservice": (f"ec2.{account.region}.amazonaws.com", f"ec2.{account.region}.amazonaws.com.cn"),
            "kms:grantisforawsresource": ("true",),
            "kms:calleraccount": (account.account,),
            "aws:principalarn": (role_arn,),
            "aws:principalaccount": (account.account,),
            "aws:principaltype": ("AssumedRole",),
        }
    )


def _grants_to(
    documents: Sequence[Mapping[str, Any]], action: str, principals: tuple[str, ...], context: RequestContext
) -> bool:
    """Return whether an Allow statement may admit one of the principals. A condition that is unknown may hold."""
    return any(
        statement.get("Effect") == "Allow"
        and matches_action(statement, action)
        and any(each in _list_aws_principals(statement.get("Principal")) for each in principals)
        and evaluate_conditions(statement.get("Condition") or {}, context).holds is not False
        for document in documents
        for statement in list_statements(document)
    )


def _denies(
    documents: Sequence[Mapping[str, Any]], action: str, principals: tuple[str, ...], context: RequestContext
) -> bool:
    """Return whether a Deny statement certainly matches one of the principals. The role belongs to all of them.

    A statement with NotPrincipal matches a role that it does not name, itself or by its account.
    """
    return any(
        statement.get("Effect") == "Deny"
        and matches_action(statement, action)
        and _is_denied_principal(statement, principals)
        and evaluate_conditions(statement.get("Condition") or {}, context).holds is True
        for document in documents
        for statement in list_statements(document)
    )


def _is_denied_principal(statement: Mapping[str, Any], principals: tuple[str, ...]) -> bool:
    if "NotPrincipal" in statement:
        # A NotPrincipal that names a session of the role exempts that session. Its name is unknown.
        named = _list_aws_principals(statement["NotPrincipal"])
        return not any(each in principals or ":assumed-role/" in each for each in named)
    return any(each in principals for each in _list_aws_principals(statement.get("Principal")))


def _list_aws_principals(principal: Any) -> list[str]:  # noqa: ANN401 - JSON
    return list_principals(principal, "AWS") if isinstance(principal, Mapping) else list_values(principal or [])


def parse_documents(policies: Iterable[PolicyFacts]) -> list[Mapping[str, Any]]:
    """Return the policy documents. A malformed one allows nothing."""
    found = []
    for each in policies:
        try:
            document = json.loads(each.document)
        except ValueError:
            continue
        if isinstance(document, Mapping):
            found.append(document)
    return found
