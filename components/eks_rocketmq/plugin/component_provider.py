"""Plugin of the Pulumi package: provides the components to programs in any language.

`components/__main__.py` serves it. The SDK's analyzer reads the schema from the annotations. Outputs that only Python
can use are removed.
"""

import functools
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_origin

from pulumi import ComponentResource, Inputs, ResourceOptions, RunError
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult, Provider, main

import eks_rocketmq
from eks_rocketmq.args.arg_schema import convert_from_camel_case
from eks_rocketmq.args.argument_path import ARGS, CAMEL_CASE
from eks_rocketmq.args.errors import ArgumentError, CollectedError, ErrorCollector, render_error
from eks_rocketmq.args.field_metadata import REPLACES, get_accepted_values, get_properties, strip_metadata
from eks_rocketmq.distribution import get_version
from eks_rocketmq.plugin.schema_enums import add_enumeration
from eks_rocketmq.pulumi_sdk.component import PACKAGE, use_surface
from eks_rocketmq.pulumi_sdk.documentation import omit_field_docs
from eks_rocketmq.pulumi_sdk.provider_internals import (
    Analyzer,
    ComponentDefinition,
    ComponentInitError,
    ComponentProvider,
    PropertyDefinition,
    generate_schema,
    use_analyzer,
)

NAMESPACE = "your-organisation"
"""Organization of the repository, in lower case. The engine uses the same for a plugin from git without one."""


def list_components() -> list[type[ComponentResource]]:
    """Return all public components, sorted by name."""
    public = [getattr(eks_rocketmq, name) for name in eks_rocketmq.__all__]
    return [each for each in public if inspect.isclass(each) and issubclass(each, ComponentResource)]


@functools.cache
def get_provider() -> "PackageProvider":
    """Return the plugin's provider with all public components and the version of the library."""
    return PackageProvider(list_components(), PACKAGE, NAMESPACE, get_version())


def serve() -> None:
    """Serve the engine until it ends this process."""
    main(get_provider(), sys.argv[1:])


class FieldAnalyzer(Analyzer):
    """SDK analyzer that also reads `Annotated` and `Literal`."""

    def analyze_property(self, arg: Any, typ: type, name: str, **rest: Any) -> PropertyDefinition:  # noqa: ANN401
        """Read a `Literal` as a string. The schema gets its values later.

        With an enumeration of the SDK, components would receive its members instead of strings.
        """
        bare = strip_metadata(arg)
        return super().analyze_property(str if get_origin(bare) is Literal else bare, typ, name, **rest)


class PackageProvider(ComponentProvider):
    """SDK component provider with strict inputs. `package` is its schema, without outputs that are resources.

    `python_only` are the descriptions of these outputs, by component and output.

    The SDK drops an unknown input, accepts an Output for a plain value, and leaves whole numbers as floats. Here the
    component rejects an unknown input and an Output for a plain value, as it does in Python.
    """

    def __init__(
        self, components: list[type[ComponentResource]], name: str, namespace: str | None, version: str
    ) -> None:
        with omit_field_docs(), use_analyzer(FieldAnalyzer):
            super().__init__(components, name, namespace, version)
        self.python_only = {name: _remove_resource_outputs(each) for name, each in self._component_defs.items()}
        self.package = _complete_schema(
            generate_schema(name, version, namespace, self._component_defs, self._type_defs, []).to_json(),
            dict(self._annotations()),
        )
        # The schema of the base class still contains the resources.
        Provider.__init__(self, version, json.dumps(self.package))

    def _annotations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the annotations of all inputs: token of the component or type, and annotation by name in the schema."""
        for name, each in self._component_defs.items():
            args = inspect.get_annotations(self._components[name].__init__)["args"]
            yield f"{PACKAGE}:index:{name}", _map_annotations(args, each.inputs_mapping)
        for name, each in self._type_defs.items():
            yield f"{PACKAGE}:index:{name}", _map_annotations(each.python_type, each.properties_mapping)

    def construct(
        self, name: str, resource_type: str, inputs: Inputs, options: ResourceOptions | None = None
    ) -> ConstructResult:
        """Create a component.

        Raise InputPropertiesError with one line for each error in the arguments. The errors are not properties of their
        own, because the engine shows the value of such a property even if it is secret.
        """
        try:
            with use_surface(CAMEL_CASE):
                return super().construct(name, resource_type, inputs, options)
        except (ComponentInitError, ArgumentError, CollectedError) as error:
            cause = error.inner if isinstance(error, ComponentInitError) else error
            if isinstance(cause, ValueError):
                raise InputPropertiesError(render_error(cause, CAMEL_CASE), []) from cause
            if isinstance(cause, RunError):
                raise InputPropertiesError(str(cause), []) from cause
            raise

    def map_inputs(self, inputs: Inputs, component_def: ComponentDefinition) -> Inputs:
        """Return inputs with their Python names, nested types included. The component validates them itself.

        Raise ValueError if the name of an input is spelled as in Python.
        """
        args = inspect.get_annotations(self._components[component_def.name].__init__)["args"]
        errors = ErrorCollector()
        mapped: Inputs = convert_from_camel_case(_omit_nulls(inputs), args, ARGS, errors)
        errors.raise_errors()
        return mapped


def _omit_nulls(value: Any) -> Any:  # noqa: ANN401 - any value of an input
    """Return a value without the properties that are null, which the SDKs of other languages send for no value."""
    if isinstance(value, Mapping):
        return {key: _omit_nulls(item) for key, item in value.items() if item is not None}
    return [_omit_nulls(item) for item in value] if isinstance(value, list) else value


def _remove_resource_outputs(component: ComponentDefinition) -> dict[str, str]:
    """Remove the outputs that are resources of other packages, and return their descriptions.

    An example is a Kubernetes provider. To read it, a consumer would need the SDKs of those packages in the same
    versions.
    """
    resources = [name for name, each in component.outputs.items() if _is_resource(each)]
    return {
        component.outputs_mapping.pop(name): " ".join((component.outputs.pop(name).description or "").split())
        for name in resources
    }


def _is_resource(definition: PropertyDefinition) -> bool:
    inner = definition.items or definition.additional_properties
    return bool(definition.ref and definition.ref.startswith("/")) or bool(inner and _is_resource(inner))


def _map_annotations(args: type, mapping: Mapping[str, str]) -> dict[str, Any]:
    return {name: args.__annotations__[python_name] for name, python_name in mapping.items()}


def _complete_schema(schema: dict[str, Any], annotations: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Complete the schema: descriptions on one line and without repetition, replacing inputs, enumerations."""
    enumerations: dict[str, Any] = {}
    for token, definition in [*schema["resources"].items(), *schema["types"].items()]:
        definition["description"] = inspect.cleandoc(definition["description"])
        inputs = definition.get("inputProperties", definition.get("properties", {}))
        for field in [*inputs.values(), *definition.get("properties", {}).values()]:
            field["description"] = " ".join(field["description"].split())
            _remove_inner_descriptions(field)
        for name, field in inputs.items():
            annotation = annotations[token][name]
            if REPLACES in get_properties(annotation):
                field["willReplaceOnChanges"] = True
            if get_accepted_values(annotation):
                add_enumeration(enumerations, name, field, annotation)
        if not definition.get("requiredInputs", True):
            del definition["requiredInputs"]  # the engine omits an empty list
    schema["types"] = dict(sorted({**schema["types"], **enumerations}.items()))
    return schema


def _remove_inner_descriptions(type_: dict[str, Any]) -> None:
    """Remove the description of a field from its inner types. A schema has descriptions of fields only."""
    for inner in (type_.get("items"), type_.get("additionalProperties")):
        if inner is not None:
            inner.pop("description", None)
            _remove_inner_descriptions(inner)
