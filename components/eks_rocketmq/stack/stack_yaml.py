"""Text of a stack file: its keys, their order and how each value is written. The engine hands over values alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from eks_rocketmq.args.arg_schema import to_camel_case

_STRING = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class StackFile:
    """Keys of the file, and those below `config:`, as they are written."""

    top: Mapping[str, Node] = field(default_factory=dict)
    config: Mapping[str, Node] = field(default_factory=dict)

    def find(self, key: str, path: Sequence[str | int] = ()) -> Node | None:
        """Return the value at `path` below a key of `config:`; nothing where the file does not have it.

        Args:
            key: with its namespace.
            path: names of fields as a component or as the file spells them, and places in lists.
        """
        node = self.config.get(key)
        for step in path:
            if isinstance(node, MappingNode):
                fields = _fields(node)
                node = fields.get(str(step), fields.get(to_camel_case(str(step))))
            elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                return None
        return node


def read(file: Path) -> StackFile:
    """Return the stack file; an empty one when it is elsewhere.

    Nothing is made of the values: a date that does not exist is text here, as it is to the engine.

    Raises:
        ValueError: with the line of what is no YAML.
    """
    if not file.exists():
        return StackFile()
    try:
        root = yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        msg = (
            f"{place}{error.problem or error.context}; accepted is YAML indented by spaces: correct the line, and "
            "put a text with special characters in quotes"
        )
        raise ValueError(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        msg = "the file has characters that YAML does not take; accepted is text in UTF-8: save it so"
        raise ValueError(msg) from None
    top = _fields(root) if isinstance(root, MappingNode) else {}
    config = top.get("config")
    return StackFile(top, _fields(config) if isinstance(config, MappingNode) else {})


def is_empty(node: Node | None) -> bool:
    """Whether a value is `{}` or `[]`, or nothing is written behind its key."""
    return (isinstance(node, MappingNode | SequenceNode) and not node.value) or (
        isinstance(node, ScalarNode) and node.tag.endswith(":null")
    )


def unquoted(node: Node | None) -> str | None:
    """Return the text of a value that is no string, such as `1.30` or `true`, as the file has it."""
    return node.value if isinstance(node, ScalarNode) and node.tag != _STRING else None


def is_encrypted(node: Node | None) -> bool:
    """Whether a value is one that `pulumi config set --secret` wrote."""
    return isinstance(node, MappingNode) and list(_fields(node)) == ["secure"]


def _fields(node: MappingNode) -> dict[str, Node]:
    return {key.value: value for key, value in node.value if isinstance(key, ScalarNode)}
