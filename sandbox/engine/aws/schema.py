"""What the installed SDK knows of a type: the names of its inputs and outputs, in the provider's own spelling."""

import importlib
import inspect
import re
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import pulumi_aws
from pulumi import _types


@dataclass(frozen=True)
class Shape:
    """Names of the properties of one resource type, provider or function."""

    inputs: frozenset[str]
    required: frozenset[str]
    outputs: frozenset[str]


@cache
def resource_shape(token: str) -> Shape:
    """From a resource's type token such as `aws:iam/role:Role`."""
    module, name = _module(token)
    # The SDK renames the arguments where a block has their name, such as the versioning within a bucket.
    arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    outputs = _types.resource_types(getattr(module, name))
    return Shape(*_arguments(arguments), frozenset(outputs))


@cache
def provider_shape() -> Shape:
    """The settings of the provider itself."""
    return Shape(*_arguments(importlib.import_module("pulumi_aws.provider").ProviderArgs), frozenset())


@cache
def function_shape(token: str) -> Shape:
    """From a function's token such as `aws:eks/getCluster:getCluster`."""
    module, name = _module(token)
    python_name = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    parameters = inspect.signature(getattr(module, python_name)).parameters
    given = {_camel(each): each for each in parameters if each != "opts"}
    result = getattr(module, f"{name[0].upper()}{name[1:]}Result")
    # Python's functions give every argument a default, so only AWS itself can say which ones it needs.
    return Shape(frozenset(given), frozenset(), frozenset(_types.output_type_types(result)))


def _arguments(kind: Any) -> tuple[frozenset[str], frozenset[str]]:  # noqa: ANN401 - a class of the SDK
    names = _types.input_type_py_to_pulumi_names(kind)
    parameters = inspect.signature(kind.__init__).parameters
    required = {names[key] for key in names if parameters[key].default is inspect.Parameter.empty}
    return frozenset(names.values()), frozenset(required)


def _module(token: str) -> tuple[Any, str]:
    """The SDK's package with the class, such as `pulumi_aws.iam`; its modules by themselves load it half."""
    _, path, name = token.split(":")
    package = path.partition("/")[0]
    with warnings.catch_warnings():
        # The SDK warns of classes that are not used here when it is loaded.
        warnings.simplefilter("ignore", DeprecationWarning)
        module = pulumi_aws if package == "index" else getattr(pulumi_aws, package)
        hasattr(module, name)  # the SDK loads a package when it is looked into
        return module, name


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)
