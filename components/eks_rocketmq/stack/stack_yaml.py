"""Text of a stack file: keys, their order, and how each value is written. The engine passes values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from eks_rocketmq.args.argument_path import ARGS, to_camel_case
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.stack.json_values import build_depth_error

_STRING = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class StackFile:
    """Keys of the file and of its `config:`, each with its node."""

    top: Mapping[str, Node] = field(default_factory=dict)
    config: Mapping[str, Node] = field(default_factory=dict)

    def find(self, key: str, path: Sequence[str | int] = ()) -> Node | None:
        """Return the node at `path` below a key of `config:`, or None if the file does not have it.

        `key` includes its namespace. `path` has names of fields, in the spelling of Python or of the file, and indices
        of lists.
        """
        node = self.config.get(key)
        for step in path:
            if isinstance(node, MappingNode):
                fields = get_fields(node)
                node = fields.get(str(step), fields.get(to_camel_case(str(step))))
            elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                return None
        return node


def read(file: Path) -> StackFile:
    """Return the stack file, or an empty one if it is elsewhere.

    The values stay text. An impossible date is text here, as it is for the engine. Raise ValueError if the file cannot
    be read, is not YAML (with the line), or is too deep.
    """
    if not file.exists():
        return StackFile()
    try:
        root = yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ArgumentError(
            ARGS,
            "unreadable-file",
            "the file cannot be read ({reason})",
            accepted="a file that this user may read",
            reason=error.strerror,
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        location = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ArgumentError(
            ARGS,
            "no-yaml",
            "{location}{reason}",
            accepted="YAML that is indented with spaces",
            remedy="Correct the line, and put a text with special characters in quotes",
            location=location,
            reason=error.problem or error.context,
        ) from None
    except RecursionError:
        raise build_depth_error(ARGS) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ArgumentError(
            ARGS,
            "no-utf-8",
            "the file has characters that YAML does not allow",
            accepted="text in UTF-8",
            remedy="Save the file as UTF-8",
        ) from None
    top = get_fields(root) if isinstance(root, MappingNode) else {}
    config = top.get("config")
    return StackFile(top, get_fields(config) if isinstance(config, MappingNode) else {})


def is_empty(node: Node | None) -> bool:
    """Return whether a value is `{}` or `[]`, or a key has no value."""
    return (isinstance(node, MappingNode | SequenceNode) and not node.value) or (
        isinstance(node, ScalarNode) and node.tag.endswith(":null")
    )


def unquoted(node: Node | None) -> str | None:
    """Return the text of a value that is no string, such as `1.30` or `true`."""
    return node.value if isinstance(node, ScalarNode) and node.tag != _STRING else None


def is_encrypted(node: Node | None) -> bool:
    """Return whether `pulumi config set --secret` wrote a value."""
    return isinstance(node, MappingNode) and list(get_fields(node)) == ["secure"]


def get_fields(node: MappingNode) -> dict[str, Node]:
    """Return the values of a mapping by key."""
    return {key.value: value for key, value in node.value if isinstance(key, ScalarNode)}
