"""What the components' own checks say, in the words of a stack file: `brokerGroups` for `broker_groups`."""

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

from eks_rocketmq.args.arg_schema import FieldError, collect_field_names, to_camel_case
from eks_rocketmq.args.errors import ErrorCollector, split_error
from eks_rocketmq.eks.addons.cluster_addons_args import ClusterAddonsArgs
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack.external_settings import StackExternalArgs

_SPELLED: Mapping[str, str] = {
    name: to_camel_case(name)
    for wanted in (
        RocketMqArgs, NetworkArgs, EksClusterArgs, NodeGroupArgs, ClusterAddonsArgs, EbsCsiAddonArgs,
        EbsStorageClassArgs, StackExternalArgs,
    )
    for name in collect_field_names(wanted)
    if "_" in name
}  # fmt: skip
# A value, a name that somebody gave: whatever it is, it stays as it is. Only a field that `hold` suggests is a name of
# ours in quotes. An apostrophe follows a letter and opens none.
_QUOTED = r"""(?<!\w)(?<!is not known; did you mean )(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_FIELD = re.compile(rf"{_QUOTED}|\b(?:{'|'.join(_SPELLED)})\b")
RENAMED: Mapping[str, str] = {"profile": "durability", "version": "rocketmqVersion"}
"""Arguments of `RocketMq` that a stack file, in which other things have versions too, calls otherwise."""
# These are words as well: only at the beginning, or where a value or a field follows, are they names of settings.
_NAME = "|".join(RENAMED)
# Behind a dot it is a field of something else, as in `dashboard.version`.
_RENAMED_FIELD = re.compile(rf"{_QUOTED}|^(?:{_NAME})(?=:)|(?<!\.)\b(?:{_NAME})\b(?= (?:is|')|[.\[])")


def spelled(text: str) -> str:
    """A text of a component's own check, with the names of arguments as the stack file spells them."""
    return _FIELD.sub(lambda found: _SPELLED.get(found[0], found[0]), text)


def spelled_for_rocketmq(text: str) -> str:
    """The same for one of `RocketMq`, with the names that only its arguments have."""
    return _RENAMED_FIELD.sub(lambda found: RENAMED.get(found[0], found[0]), spelled(text))


@contextmanager
def as_spelled(key: str = "", words: Callable[[str], str] = spelled) -> Generator[None]:
    """Errors of a component's own checks, with the names of arguments as the stack file spells them.

    Args:
        key: where it stands in the stack file; nothing where the check says it.
        words: gives the words for a text.

    Raises:
        ValueError: what was raised within, in those words.
    """
    try:
        yield
    except ValueError as error:
        told = ErrorCollector()
        for each in split_error(error):
            text = words(str(each))
            if isinstance(each, FieldError) and not key:
                told.add(each.translate(words))
            else:
                told.add(ValueError(f"{key}: {text}" if key else text))
        told.raise_errors()
