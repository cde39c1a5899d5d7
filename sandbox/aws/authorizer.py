"""Access policies of EKS: webhook authorizer for requests that RBAC does not allow.

It knows the policies that the stack and its examples use. Any other policy allows nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

from sandbox import layout

_READ = frozenset({"get", "list", "watch"})
# https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html; like the ClusterRole `view`.
_VIEWED: Mapping[str, frozenset[str]] = {
    "": frozenset(
        {
            *("configmaps", "endpoints", "events", "limitranges", "namespaces", "persistentvolumeclaims", "pods"),
            *("replicationcontrollers", "resourcequotas", "serviceaccounts", "services"),
        }
    ),
    "apps": frozenset({"controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"}),
    "autoscaling": frozenset({"horizontalpodautoscalers"}),
    "batch": frozenset({"cronjobs", "jobs"}),
    "discovery.k8s.io": frozenset({"endpointslices"}),
    "networking.k8s.io": frozenset({"ingresses", "networkpolicies"}),
    "policy": frozenset({"poddisruptionbudgets"}),
}


def policy_allows(policy: str, attributes: Mapping[str, str]) -> bool:
    """Return whether an access policy, by its name, allows a request with these `resourceAttributes`."""
    reads = attributes.get("verb") in _READ
    match policy:
        case "AmazonEKSClusterAdminPolicy":
            return True
        case "AmazonEKSAdminViewPolicy":
            return reads
        case "AmazonEKSViewPolicy":
            return reads and attributes.get("resource") in _VIEWED.get(attributes.get("group", ""), frozenset())
    return False


def scope_covers(scope: Mapping[str, Any], attributes: Mapping[str, str]) -> bool:
    """Return whether the scope of an association covers the request's namespace. A name may end with `*`."""
    if scope["type"] == "cluster":
        return True
    namespace = attributes.get("namespace", "")
    return bool(namespace) and any(fnmatchcase(namespace, each) for each in scope.get("namespaces", []))


@dataclass(frozen=True)
class Authorizer:
    """Authorizer of one cluster. `eks` is a boto3 client of the account."""

    cluster: str
    eks: Any

    def review(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a SubjectAccessReview: allowed by an access policy, or no opinion."""
        spec = request.get("spec", {})
        extra = {name.lower(): values for name, values in (spec.get("extra") or {}).items()}
        attributes = spec.get("resourceAttributes") or {}
        allowed = any(
            policy_allows(association["policyArn"].rpartition("/")[2], attributes)
            and scope_covers(association["accessScope"], attributes)
            for principal in extra.get(layout.PRINCIPAL_EXTRA.lower(), [])
            for association in self._associations(principal)
        )
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "status": {"allowed": allowed and bool(attributes)},
        }

    def _associations(self, principal: str) -> list[dict[str, Any]]:
        try:
            return self.eks.list_associated_access_policies(clusterName=self.cluster, principalArn=principal)[
                "associatedAccessPolicies"
            ]
        except ClientError:
            # The entry was deleted while its token is still cached.
            return []
