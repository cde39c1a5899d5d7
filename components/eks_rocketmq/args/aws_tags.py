"""Validation of the tags of AWS resources. Pure.

Rules: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError

_MAX_TAGS, _MAX_KEY, _MAX_VALUE = 50, 128, 256
_AWS_PREFIX = "aws:"
_PUNCTUATION = "_.:/=+-@"
_CATEGORIES = "LNZ"
"""Letters, numbers and separators of Unicode."""


@dataclass(frozen=True)
class TagFormat:
    """Rules of a service or a program, in addition to those of all tags."""

    any_character: bool = False
    """Whether the service accepts all characters, as EC2 does. IAM, CloudWatch Logs and load balancers do not."""
    ignores_case: bool = False
    """Whether the service treats keys that differ only in case as the same key, as IAM does."""
    not_in_keys: str = ""
    not_in_values: str = ""
    prefixes: tuple[str, ...] = ()
    """Reserved prefixes of keys besides `aws:`."""


ALL_SERVICES = TagFormat(ignores_case=True)
"""Rules that every AWS service accepts."""
EC2_ONLY = TagFormat(any_character=True)
"""Rules of resources of EC2, such as subnets."""


def validate_tags(
    tags: Mapping[str, object], path: ArgumentPath, format_: TagFormat = ALL_SERVICES, *, added: int = 0
) -> None:
    """Validate the tags of a resource. AWS validates values that are not known yet.

    `added` is the number of tags that the component adds to a resource.
    """
    if len(tags) > _MAX_TAGS - added:
        raise ArgumentError(
            path,
            "tag-count",
            "{count} tags are given",
            accepted="up to {most} tags",
            remedy="AWS accepts {limit} tags for each resource, and the component adds {added}" if added else "",
            count=len(tags),
            most=_MAX_TAGS - added,
            limit=_MAX_TAGS,
            added=added,
        )
    if format_.ignores_case:
        reject_equal_keys(tags, path)
    prefixes = (_AWS_PREFIX, *format_.prefixes)
    for key, value in tags.items():
        # AWS reserves its prefix in any case of its letters.
        reserved = key.startswith(prefixes) or key.lower().startswith(_AWS_PREFIX)
        if not 1 <= len(key) <= _MAX_KEY or reserved or not _has_only_accepted(key, format_, format_.not_in_keys):
            raise ArgumentError(
                path.key(key),
                "tag-key",
                "{given!r} is not accepted as the key of a tag",
                accepted="1 to {most} {characters}, not beginning with {prefixes}",
                given=key,
                most=_MAX_KEY,
                characters=_describe_characters(format_, format_.not_in_keys),
                prefixes=", ".join(map(repr, prefixes)),
            )
        if isinstance(value, str) and (
            len(value) > _MAX_VALUE or not _has_only_accepted(value, format_, format_.not_in_values)
        ):
            raise ArgumentError(
                path.key(key),
                "tag-value",
                "{given!r} is not accepted as the value of a tag",
                accepted="up to {most} {characters}",
                given=value,
                most=_MAX_VALUE,
                characters=_describe_characters(format_, format_.not_in_values),
            )


def reject_equal_keys(tags: Iterable[str], path: ArgumentPath) -> None:
    """Raise ValueError for keys that differ only in case. IAM treats them as the same key."""
    former: dict[str, str] = {}
    for key in tags:
        if (other := former.setdefault(key.lower(), key)) != key:
            raise ArgumentError(
                path.key(key),
                "tag-key-case",
                "the key differs from {other!r} only in case, and IAM treats both as the same key",
                remedy="Leave one of them out, or rename it",
                other=other,
            )


def _has_only_accepted(text: str, format_: TagFormat, excluded: str) -> bool:
    return not set(text) & set(excluded) and (
        format_.any_character or all(one in _PUNCTUATION or unicodedata.category(one)[0] in _CATEGORIES for one in text)
    )


def _describe_characters(format_: TagFormat, excluded: str) -> str:
    if format_.any_character:
        listed = " and ".join(map(repr, excluded))
        return f"characters without {listed}" if listed else "characters"
    return f"letters, digits, spaces and '{''.join(one for one in _PUNCTUATION if one not in excluded)}'"
