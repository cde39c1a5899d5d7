"""Docstrings of components for `help()` with inputs and outputs. Python drops field docstrings at run time."""

import ast
import inspect
import itertools
import textwrap
import typing
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from pulumi import ComponentResource

from eks_rocketmq.args.field_metadata import get_accepted_values

_Component = TypeVar("_Component", bound=type[ComponentResource])
_field_docs_omitted: ContextVar[bool] = ContextVar("field_docs_omitted", default=False)


class Documentation:
    """Docstring of a component with its inputs and outputs, read from the source files on access."""

    def __init__(self, own: str | None) -> None:
        self.own = inspect.cleandoc(own or "")

    def __get__(self, instance: object, owner: type) -> str:
        """Return the text for `help()`: the docstring alone without source files, and within `omit_field_docs`."""
        if _field_docs_omitted.get():
            return self.own
        arguments = typing.get_type_hints(owner.__init__)["args"]
        try:
            inputs, outputs = list(_describe_fields(arguments)), list(_describe_fields(owner))
        except OSError:
            return self.own
        return "\n".join([self.own, "", "Inputs, the fields of `args`:", *inputs, "", "Outputs:", *outputs])


def documented(component: _Component) -> _Component:
    """Add the inputs and outputs of a component to its `help()`."""
    type.__setattr__(component, "__doc__", Documentation(component.__doc__))
    return component


@contextmanager
def omit_field_docs() -> Generator[None]:
    """Omit inputs and outputs from docstrings in the `with` block.

    The plugin builds the schema at each start. The schema describes the fields itself.
    """
    token = _field_docs_omitted.set(True)
    try:
        yield
    finally:
        _field_docs_omitted.reset(token)


def _describe_fields(owner: type) -> Iterator[str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for pair in itertools.pairwise(body):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)) as field, ast.Expr(value=ast.Constant(value=str(description))):
                yield f"  {name}: {ast.unparse(field.annotation)}"
                if values := get_accepted_values(inspect.get_annotations(owner)[name]):
                    yield f"      One of {', '.join(map(repr, values))}."
                yield textwrap.indent(inspect.cleandoc(description), " " * 6)
