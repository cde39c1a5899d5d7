"""ARNs of a stack file against the partition, region and account of the stack. Pure.

The components check that an ARN names the right kind of resource. Only the stack knows its region and account.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.aws_identifiers import Arn, is_arn, parse_arn
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector
from eks_rocketmq.stack.stack_paths import ADDONS, CLUSTER, get_setting_path

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
_FREE_TEXT = frozenset({"access", "config", "environment", "extra_volume_tags", "labels", "tags"})
"""Objects with secrets or free text. The stack does not use an ARN in them."""


class _Rule(NamedTuple):
    """Required location of the resource of an ARN, besides the partition."""

    region: str = ""
    """Why it must be in the stack's region. Empty if it can be in any region."""
    account: str = ""
    """Why it must be in the stack's account. Empty if it can be in any account."""


_KEY = _Rule(region="KMS keys encrypt in their own region only")
_POLICY = _Rule(account="IAM attaches policies of the role's account only")
_CERTIFICATE = _Rule(
    region="a load balancer takes certificates of its own region only",
    account="a load balancer takes certificates of its own account only",
)
RULES: Mapping[str, _Rule] = {
    "principal_arn": _Rule(),
    "role_arn": _Rule(account="EKS takes node roles of the cluster's account only"),
    "permissions_boundary": _POLICY,
    "managed_policies": _POLICY,
    "disk_kms_key_arn": _KEY,
    "log_kms_key_arn": _KEY,
    "secrets_kms_key_arn": _KEY,
    "kms_key_arns": _KEY,
    "kms_key_id": _KEY,
    "certificate_arn": _CERTIFICATE,
    _CERTIFICATE_ANNOTATION: _CERTIFICATE,
}
"""Arguments with an ARN, by name."""


def get_partition(region: str) -> str:
    """Return the partition of a region, such as `aws-cn` for `cn-north-1`."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")


def check_arns(components: Mapping[str, Any], region: str | None, account: str | None) -> None:
    """Reject ARNs of resources that the stack cannot use in its region and account.

    A component with errors is None. Region and account are None if they are unknown. Raise ValueError for each such
    ARN.
    """
    errors = ErrorCollector()
    for path, field, text in _list_arns(components):
        arn, rule = parse_arn(text), _find_rule(path, field)
        if region is not None:
            errors.attempt(_check_location, path, text, arn, rule, region)
        if account is not None and rule.account and arn.account not in ("aws", "", account):
            errors.add(
                ArgumentError(
                    path,
                    "arn-account",
                    "{given!r} belongs to account {other}",
                    accepted="an ARN of {account}, the account of {setting}, because {reason}",
                    given=text,
                    other=arn.account,
                    account=account,
                    setting=get_setting_path("aws:allowedAccountIds"),
                    reason=rule.account,
                )
            )
    errors.raise_errors()


def _check_location(path: ArgumentPath, text: str, arn: Arn, rule: _Rule, region: str) -> None:
    partition = get_partition(region)
    setting = get_setting_path("aws:region")
    if arn.partition != partition:
        raise ArgumentError(
            path,
            "arn-partition",
            "{given!r} belongs to partition {other!r}, and {setting} is {region!r}",
            accepted="an ARN that begins with 'arn:{partition}:'",
            given=text,
            other=arn.partition,
            setting=setting,
            region=region,
            partition=partition,
        )
    if rule.region and arn.region not in ("", region):
        raise ArgumentError(
            path,
            "arn-region",
            "{given!r} belongs to region {other!r}",
            accepted="an ARN of {setting}, {region!r}, because {reason}",
            given=text,
            other=arn.region,
            setting=setting,
            region=region,
            reason=rule.region,
        )


def _find_rule(path: ArgumentPath, field: str) -> _Rule:
    # The role of the token may be in another account, as the roles of access entries.
    return _Rule() if path.steps[:1] == CLUSTER.steps and field == "role_arn" else RULES.get(field, _Rule())


def _list_arns(value: object, path: ArgumentPath = ARGS, field: str = "") -> Iterator[tuple[ArgumentPath, str, str]]:
    """Yield path, field and text of each ARN in a setting. One text can contain several."""
    if isinstance(value, str):
        yield from ((path, field, text) for text in re.split(r"[,\s]+", value) if is_arn(text))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _list_arns(item, path.index(index, item if isinstance(item, Mapping) else None), field)
    elif isinstance(value, Mapping) and field not in _FREE_TEXT:
        for key, item in value.items():
            # Names of node groups and keys of annotations are not fields.
            own = path.key(key) if field in ("node_groups", "annotations") else path / key
            yield from _list_arns(item, path.unknown(key) if _is_free_form(path) else own, str(key))


def _is_free_form(path: ArgumentPath) -> bool:
    """Return whether an object has the fields of an addon's own schema."""
    return "values" in path.steps or (path.steps[:1] == ADDONS.steps and "configuration" in path.steps)
