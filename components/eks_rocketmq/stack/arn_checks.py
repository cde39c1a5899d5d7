"""ARNs of a stack file against the partition, region and account of the stack. Pure.

The components check that an ARN names the right kind of resource. Where it must be, only the stack knows.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from eks_rocketmq.args.aws_identifiers import Arn, is_arn, parse_arn

_CERTIFICATE_ANNOTATION = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"
_PARTITIONS: Mapping[str, str] = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}
"""Partitions by the beginning of their regions' names; every other region is in `aws`."""
_FREE_TEXT = frozenset({"access", "config", "environment", "extraVolumeTags", "labels", "tags"})
"""Objects whose values are secret or the user's own text: the stack does not use an ARN in them."""


class _Rule(NamedTuple):
    """Where the resource of an ARN must be, beside the partition."""

    region: str = ""
    """Why it must be in the stack's region; empty: anywhere."""
    account: str = ""
    """Why it must be in the stack's account; empty: in any."""


_KEY = _Rule(region="KMS keys encrypt in their own region only")
_POLICY = _Rule(account="IAM attaches policies of the role's account only")
_CERTIFICATE = _Rule(
    region="a load balancer takes certificates of its own region only",
    account="a load balancer takes certificates of its own account only",
)
RULES: Mapping[str, _Rule] = {
    # Roles that people and pipelines assume may be in another account.
    "clusterRoleArn": _Rule(),
    "principalArn": _Rule(),
    "roleArn": _Rule(account="EKS takes node roles of the cluster's account only"),
    "permissionsBoundary": _POLICY,
    "managedPolicies": _POLICY,
    "diskKmsKeyArn": _KEY,
    "logKmsKeyArn": _KEY,
    "secretsKmsKeyArn": _KEY,
    "kmsKeyArns": _KEY,
    "kmsKeyId": _KEY,
    "certificateArn": _CERTIFICATE,
    _CERTIFICATE_ANNOTATION: _CERTIFICATE,
}
"""Fields that take an ARN, as the stack file spells them."""


def partition_of(region: str) -> str:
    """Return the partition of a region, such as `aws-cn` for `cn-north-1`."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")


def check_arns(values: Mapping[str, Any], region: str | None, account: str | None) -> None:
    """Reject ARNs of resources that the stack cannot use where it works.

    Args:
        values: the settings by key.
        region: the stack's region, where it is known.
        account: the stack's account, where it is known.

    Raises:
        ValueError: naming the field, the ARN, what is accepted and what to do.
    """
    for path, field, text in _arns(values):
        arn, rule = parse_arn(text), RULES.get(field, _Rule())
        if region is not None:
            _check_place(path, text, arn, rule, region)
        if account is not None and rule.account and arn.account not in ("aws", "", account):
            msg = (
                f"{path} is {text!r}, of account {arn.account}. Accepted is one of {account}, the account of "
                f"aws:allowedAccountIds: {rule.account}. Name one of that account"
            )
            raise ValueError(msg)


def _check_place(path: str, text: str, arn: Arn, rule: _Rule, region: str) -> None:
    partition = partition_of(region)
    if arn.partition != partition:
        msg = (
            f"{path} is {text!r}, of partition {arn.partition!r}. Accepted is one of {partition!r}, the partition of "
            f"aws:region, {region!r}. Name one that begins with 'arn:{partition}:'"
        )
        raise ValueError(msg)
    if rule.region and arn.region not in ("", region):
        msg = (
            f"{path} is {text!r}, of region {arn.region!r}. Accepted is one of aws:region, {region!r}: {rule.region}. "
            "Name one of that region"
        )
        raise ValueError(msg)


def _arns(value: object, path: str = "", field: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield path, field and text of each ARN in a setting. One text may contain several."""
    if isinstance(value, str):
        yield from ((path, field, text) for text in re.split(r"[,\s]+", value) if is_arn(text))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            name = item.get("name", index) if isinstance(item, Mapping) else index
            yield from _arns(item, path if isinstance(item, str) else f"{path}[{name!r}]", field)
    elif isinstance(value, Mapping) and field not in _FREE_TEXT:
        for key, item in value.items():
            own = f"{path}.{key}" if path else str(key)
            # Names of node groups and annotations are no fields.
            yield from _arns(item, f"{path}[{key!r}]" if field in ("nodeGroups", "annotations") else own, str(key))
