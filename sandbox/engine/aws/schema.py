"""Names of inputs and outputs in the installed SDK, in the provider's spelling."""

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
class PropertyNames:
    """Names of the properties of a resource type, provider or function."""

    inputs: frozenset[str]
    required: frozenset[str]
    outputs: frozenset[str]


@cache
def resource_names(token: str) -> PropertyNames:
    """Return the names of a resource type such as `aws:iam/role:Role`."""
    module, name = _module(token)
    # The SDK renames the arguments when a block has their name, such as the versioning of a bucket.
    arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    outputs = _types.resource_types(getattr(module, name))
    return PropertyNames(*_arguments(arguments), frozenset(outputs))


@cache
def provider_names() -> PropertyNames:
    """Return the names of the provider's settings."""
    return PropertyNames(*_arguments(importlib.import_module("pulumi_aws.provider").ProviderArgs), frozenset())


@cache
def function_names(token: str) -> PropertyNames:
    """Return the names of a function such as `aws:eks/getCluster:getCluster`."""
    module, name = _module(token)
    python_name = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    parameters = inspect.signature(getattr(module, python_name)).parameters
    given = {camel_case(each): each for each in parameters if each != "opts"}
    result = getattr(module, f"{name[0].upper()}{name[1:]}Result")
    # Every argument has a default in Python, so the SDK does not tell which ones are required.
    return PropertyNames(frozenset(given), frozenset(), frozenset(_types.output_type_types(result)))


def _arguments(kind: Any) -> tuple[frozenset[str], frozenset[str]]:  # noqa: ANN401 - a class of the SDK
    names = _types.input_type_py_to_pulumi_names(kind)
    parameters = inspect.signature(kind.__init__).parameters
    required = {names[key] for key in names if parameters[key].default is inspect.Parameter.empty}
    return frozenset(names.values()), frozenset(required)


def _module(token: str) -> tuple[Any, str]:
    """Return the SDK's package, such as `pulumi_aws.iam`, and the name. Importing a submodule loads only part of it."""
    _, path, name = token.split(":")
    package = path.partition("/")[0]
    with warnings.catch_warnings():
        # Loading the SDK warns about classes that are not used here.
        warnings.simplefilter("ignore", DeprecationWarning)
        module = pulumi_aws if package == "index" else getattr(pulumi_aws, package)
        hasattr(module, name)  # the SDK loads a package on the first attribute access
        return module, name


def camel_case(name: str) -> str:
    """Return the provider's spelling of a Python name."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)
