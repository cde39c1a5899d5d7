"""Principals that the trust policy of a role allows. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from eks_rocketmq.lookups.policy_elements import POD_IDENTITY_SERVICE, list_principals, list_statements, list_values

_CLUSTER_KEYS = frozenset({"aws:requesttag/eks-cluster-arn", "aws:sourcearn"})
_LIMITING_OPERATORS = frozenset({"StringEquals", "StringLike", "ArnEquals", "ArnLike"})
ANY_CLUSTER = "any cluster"


def list_trusted_providers(policy: Mapping[str, Any]) -> set[str]:
    """Return the identity providers that a trust policy names."""
    return {provider for provider, _ in _iterate_principals(policy, "Federated")}


def list_pod_identity_clusters(policy: Mapping[str, Any]) -> set[str]:
    """Return the ARNs of the clusters whose pods may assume the role by EKS Pod Identity.

    The set has `ANY_CLUSTER` if a statement does not limit the clusters.
    """
    return {
        cluster
        for service, conditions in _iterate_principals(policy, "Service")
        if service == POD_IDENTITY_SERVICE
        for cluster in _list_clusters(conditions) or [ANY_CLUSTER]
    }


def _list_clusters(conditions: Mapping[str, Any]) -> list[str]:
    return [
        cluster
        for operator, keys in conditions.items()
        if operator in _LIMITING_OPERATORS
        for key, values in keys.items()
        if key.lower() in _CLUSTER_KEYS
        for cluster in list_values(values)
    ]


def _iterate_principals(policy: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each principal of a kind, with the conditions of its statement."""
    for statement in list_statements(policy):
        if statement.get("Effect") != "Deny":
            for each in list_principals(statement.get("Principal"), kind):
                yield each, statement.get("Condition") or {}
