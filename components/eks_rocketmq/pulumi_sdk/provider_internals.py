"""Undocumented parts of the Pulumi SDK that only the plugin for other languages needs. They take 30 ms to load."""

from collections.abc import Generator
from contextlib import contextmanager

from pulumi.provider.experimental import component
from pulumi.provider.experimental.analyzer import Analyzer, ComponentDefinition, PropertyDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.schema import generate_schema
from pulumi.provider.server import ComponentInitError

__all__ = [
    "Analyzer",
    "ComponentDefinition",
    "ComponentInitError",
    "ComponentProvider",
    "PropertyDefinition",
    "generate_schema",
    "use_analyzer",
]


@contextmanager
def use_analyzer(analyzer: type[Analyzer]) -> Generator[None]:
    """Make the component providers that are created in the `with` block use another analyzer.

    Their constructor creates the SDK's analyzer by name and has no argument for another one.
    """
    original = component.Analyzer
    setattr(component, "Analyzer", analyzer)  # noqa: B010 - the replacement has another type
    try:
        yield
    finally:
        setattr(component, "Analyzer", original)  # noqa: B010 - as above
