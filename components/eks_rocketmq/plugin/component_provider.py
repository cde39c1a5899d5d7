"""The library as a Pulumi package: the plugin that makes its components for programs in any language.

`components/__main__.py` serves it. The schema is what the SDK's analyzer reads from the annotations, less what only
Python can use.
"""

import dataclasses
import functools
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_origin

from pulumi import ComponentResource, Inputs, Output, ResourceOptions, RunError
from pulumi.errors import InputPropertiesError, InputPropertyError
from pulumi.provider import ConstructResult, Provider, main

import eks_rocketmq
from eks_rocketmq.args.arg_schema import describe_unknown_value
from eks_rocketmq.args.field_metadata import REPLACES, get_accepted_values, get_properties, strip_metadata
from eks_rocketmq.args.validation import suggest_name
from eks_rocketmq.distribution import get_version
from eks_rocketmq.plugin.schema_enums import add_enumeration
from eks_rocketmq.pulumi_sdk.component import PACKAGE
from eks_rocketmq.pulumi_sdk.documentation import omit_field_docs
from eks_rocketmq.pulumi_sdk.sdk_internals import (
    Analyzer,
    ComponentDefinition,
    ComponentInitError,
    ComponentProvider,
    PropertyDefinition,
    PropertyType,
    generate_schema,
    use_analyzer,
)

NAMESPACE = "your-organisation"
"""Organisation of the repository, in lower case. The engine takes the same for a plugin from git that names none."""


def list_components() -> list[type[ComponentResource]]:
    """Every public component, in the order of its name."""
    public = [getattr(eks_rocketmq, name) for name in eks_rocketmq.__all__]
    return [each for each in public if inspect.isclass(each) and issubclass(each, ComponentResource)]


@functools.cache
def get_provider() -> "PackageProvider":
    """The plugin's provider over every public component, with the library's version."""
    return PackageProvider(list_components(), PACKAGE, NAMESPACE, get_version())


def get_schema() -> dict[str, Any]:
    """What `pulumi package get-schema` prints of this package."""
    return get_provider().package


def get_python_only_outputs() -> dict[str, dict[str, str]]:
    """What a component gives to Python alone, with its description, by component."""
    return get_provider().python_only


def serve() -> None:
    """Answers the engine until it ends this process."""
    main(get_provider(), sys.argv[1:])


class FieldAnalyzer(Analyzer):
    """The SDK's analyzer for annotations with `Annotated` and `Literal`, which it does not know."""

    def analyze_property(self, arg: Any, typ: type, name: str, **rest: Any) -> PropertyDefinition:  # noqa: ANN401
        """Read a `Literal` as a string; the schema gets its values afterwards.

        With an enumeration of the SDK, components would receive its members instead of strings.
        """
        bare = strip_metadata(arg)
        return super().analyze_property(str if get_origin(bare) is Literal else bare, typ, name, **rest)


class PackageProvider(ComponentProvider):
    """The SDK's component provider, strict about what comes in and without what cannot go out; `package` is its schema.

    The SDK drops an input that no component has, takes an Output where a plain value must stand, and leaves whole
    numbers as floats. An unknown name and a value that preview does not know are errors here.
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
        # The schema that the base class made has the resources still.
        Provider.__init__(self, version, json.dumps(self.package))

    def _annotations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give the annotations of all inputs: token of the component or type, and annotation by name in the schema."""
        for name, each in self._component_defs.items():
            args = inspect.get_annotations(self._components[name].__init__)["args"]
            yield f"{PACKAGE}:index:{name}", _map_annotations(args, each.inputs_mapping)
        for name, each in self._type_defs.items():
            yield f"{PACKAGE}:index:{name}", _map_annotations(each.python_type, each.properties_mapping)

    def construct(
        self, name: str, resource_type: str, inputs: Inputs, options: ResourceOptions | None = None
    ) -> ConstructResult:
        """Makes a component.

        Raises:
            InputPropertiesError: in the component's own words, when it refuses what it was given.
        """
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as failed:
            if isinstance(failed.inner, (ValueError, RunError)):
                raise InputPropertiesError(str(failed.inner), []) from failed.inner
            raise

    def map_input_properties(
        self,
        inputs: Inputs,
        properties: dict[str, PropertyDefinition],
        mapping: dict[str, str],
        component_name: str,
        property_path: str,
    ) -> Inputs:
        """Inputs under their Python names, those of nested types as well.

        Raises:
            InputPropertyError: naming the path of an unknown, missing or not yet known input.
        """
        where = f"{property_path}." if property_path else ""
        for key in inputs.keys() - properties.keys():
            raise InputPropertyError(
                f"{where}{key}", f"{component_name} has no input {key!r}{suggest_name(key, properties)}"
            )
        for key, value in inputs.items():
            if properties[key].plain and isinstance(value, Output):
                raise InputPropertyError(f"{where}{key}", describe_unknown_value(f"{key} of {component_name}"))
        whole = {
            key: int(value)
            if properties[key].type is PropertyType.INTEGER and isinstance(value, float) and value.is_integer()
            else value
            for key, value in inputs.items()
        }
        # The SDK's own conversion of integers has no effect on values and fails on Outputs.
        untyped = {
            key: dataclasses.replace(each, type=None) if each.type is PropertyType.INTEGER else each
            for key, each in properties.items()
        }
        return super().map_input_properties(whole, untyped, mapping, component_name, property_path)


def _remove_resource_outputs(component: ComponentDefinition) -> dict[str, str]:
    """Takes out the outputs that are resources of other packages, such as a Kubernetes provider, and returns them.

    A consumer would need the SDKs of those packages, in the very versions of this one, to read them.
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
    """Complete the schema: each description once and on one line, replacing inputs, enumerations."""
    enumerations: dict[str, Any] = {}
    for token, shape in [*schema["resources"].items(), *schema["types"].items()]:
        shape["description"] = inspect.cleandoc(shape["description"])
        inputs = shape.get("inputProperties", shape.get("properties", {}))
        for field in [*inputs.values(), *shape.get("properties", {}).values()]:
            field["description"] = " ".join(field["description"].split())
            _remove_inner_descriptions(field)
        for name, field in inputs.items():
            annotation = annotations[token][name]
            if REPLACES in get_properties(annotation):
                field["willReplaceOnChanges"] = True
            if get_accepted_values(annotation):
                add_enumeration(enumerations, name, field, annotation)
        if not shape.get("requiredInputs", True):
            del shape["requiredInputs"]  # as the engine prints it
    schema["types"] = dict(sorted({**schema["types"], **enumerations}.items()))
    return schema


def _remove_inner_descriptions(kind: dict[str, Any]) -> None:
    """Takes the field's description away from the types within its own: a schema has room for it on fields only."""
    for inner in (kind.get("items"), kind.get("additionalProperties")):
        if inner is not None:
            inner.pop("description", None)
            _remove_inner_descriptions(inner)
