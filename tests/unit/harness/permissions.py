"""Evaluation of identity policies as in IAM. A statement that denies a request overrides all that allow it."""

import fnmatch
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """A request to AWS: action, ARN of the resource, and condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


_OPERATORS = {
    "StringEquals": lambda value, wanted: value == wanted,
    "Bool": lambda value, wanted: value == wanted,
    "ArnEquals": fnmatch.fnmatchcase,
    "ArnLike": fnmatch.fnmatchcase,
}


def as_list(value: str | list[str]) -> list[str]:
    """Return a value of a policy, where one string stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        any(fnmatch.fnmatchcase(request.action.lower(), each.lower()) for each in as_list(statement["Action"]))
        and any(fnmatch.fnmatchcase(request.resource, each) for each in as_list(statement["Resource"]))
        and all(
            key in request.context and any(_OPERATORS[operator](request.context[key], each) for each in as_list(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _effects(documents: Iterable[str], request: Request) -> set[str]:
    statements = [each for document in documents for each in json.loads(document)["Statement"]]
    return {statement["Effect"] for statement in statements if _applies(statement, request)}


def allows(documents: Iterable[str], request: Request, boundary: str | None = None) -> bool:
    """Return whether the policies, limited by the permissions boundary, allow the request."""
    limits = {"Allow"} if boundary is None else _effects([boundary], request)
    return _effects(documents, request) == {"Allow"} == limits
