"""Elements of IAM policy documents. Pure.

IAM accepts one statement or value in place of a list.
"""

from collections.abc import Mapping
from typing import Any

POD_IDENTITY_SERVICE = "pods.eks.amazonaws.com"
"""Principal in the trust policy of a role that pods get from EKS Pod Identity."""


def list_statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the statements of a policy document."""
    found = document.get("Statement") or []
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, Mapping)]


def list_principals(principal: Any, kind: str) -> list[str]:  # noqa: ANN401 - JSON
    """Return the principals of a kind, for example `Service`, in an element `Principal`."""
    return list_values(principal.get(kind, [])) if isinstance(principal, Mapping) else []


def list_values(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Return the values of an element."""
    values = value if isinstance(value, list | tuple) else [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]
