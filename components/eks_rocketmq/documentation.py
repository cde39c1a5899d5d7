"""What `help()` says of a component: its inputs and outputs, which Python does not keep at run time."""

import ast
import inspect
import itertools
import textwrap
import typing
from collections.abc import Iterator
from typing import TypeVar

from pulumi import ComponentResource

_Component = TypeVar("_Component", bound=type[ComponentResource])
_INPUTS = "Inputs, the fields of `args`:"


class Documentation:
    """A component's docstring followed by its fields, read from the sources when it is asked for."""

    def __init__(self, own: str | None) -> None:
        self.own = inspect.cleandoc(own or "")

    def __get__(self, instance: object, owner: type) -> str:
        """The text for `help()`; only the docstring of the component's own where there are no sources."""
        arguments = typing.get_type_hints(owner.__init__)["args"]
        try:
            inputs, outputs = list(_fields(arguments)), list(_fields(owner))
        except OSError:
            return self.own
        return "\n".join([self.own, "", _INPUTS, *inputs, "", "Outputs:", *outputs])


def documented(component: _Component) -> _Component:
    """Let `help()` of a component show its inputs and outputs."""
    type.__setattr__(component, "__doc__", Documentation(component.__doc__))
    return component


def own_description(text: str) -> str:
    """Return the docstring of a documented component without what is added for `help()`."""
    return text.partition(_INPUTS)[0].strip()


def _fields(shape: type) -> Iterator[str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(shape))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for field in itertools.pairwise(body):
        match field:
            case ast.AnnAssign(target=ast.Name(id=name)) as what, ast.Expr(value=ast.Constant(value=str(description))):
                yield f"  {name}: {ast.unparse(what.annotation)}"
                yield textwrap.indent(inspect.cleandoc(description), " " * 6)
