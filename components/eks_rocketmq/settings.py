"""The stack's configuration as typed settings, read once and checked before anything is planned.

What exists stands in `Pulumi.yaml`: this module reads its `config:` block and holds the values to it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pulumi
import yaml
from pulumi.runtime.config import CONFIG, is_config_secret

from eks_rocketmq.rocketmq.arguments import RocketMqArgs
from eks_rocketmq.rocketmq.broker_config import versions
from eks_rocketmq.rocketmq.durability import PROFILES
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.shape import camel, field_names, from_camel
from eks_rocketmq.validation import did_you_mean

if TYPE_CHECKING:
    from eks_rocketmq.eks.existing_cluster import ExistingEksClusterArgs

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "oidcProvider": ("create", "existing"),
    "ebsCsiDriver": ("create", "existing"),
    "ebsCsiPermissions": ("legacy", "v2"),
    "durability": tuple(PROFILES),
    "rocketmqVersion": tuple(versions()),
}
_RENAMED: Mapping[str, str] = {"profile": "durability", "version": "rocketmqVersion"}
ROCKETMQ_KEYS: Mapping[str, str] = {
    argument: _RENAMED.get(argument, camel(argument)) for argument in RocketMqArgs.__annotations__
}
"""What the stack file calls each argument of `RocketMq`."""
_SPELLED: Mapping[str, str] = {name: camel(name) for name in field_names(RocketMqArgs) if "_" in name} | _RENAMED
# `profile` and `version` are words as well: only where a value or a field follows are they names of settings.
_RENAMED_NAME = rf"\b(?:{'|'.join(_RENAMED)})\b(?= (?:is|')|[.\[])"
_FIELD = re.compile(rf"{_RENAMED_NAME}|\b(?:{'|'.join(_SPELLED.keys() - _RENAMED.keys())})\b")

_TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
_SPOKEN: Mapping[type, str] = {
    str: "a string",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
UNSET: tuple[Any, ...] = ("", 0, [], {})
"""Declared defaults that stand for the component's own default: the engine wants a default of every optional key."""


@dataclass(frozen=True)
class Settings:
    """What one stack is configured to be, in the shapes that the components take."""

    cluster: "ExistingEksClusterArgs"
    oidc_provider_exists: bool
    ebs_csi_driver_exists: bool
    ebs_csi_role_name: str
    ebs_csi_permissions: str
    storage_class: str
    allow_volume_expansion: bool
    rocketmq: RocketMqArgs
    """What `RocketMq` takes."""


def load() -> Settings:
    """The settings of the running stack.

    Raises:
        RunError: for the first key that is unknown, missing, ill-typed, out of range or encrypted; it names key and
            stack file.
    """
    project, stack = pulumi.get_project(), pulumi.get_stack()
    declared = declaration(Path(pulumi.get_root_directory()))
    prefix = f"{project}:"
    given = {key.removeprefix(prefix): text for key, text in CONFIG.get().items() if key.startswith(prefix)}
    try:
        _refuse_misspelt_namespaces(CONFIG.get(), project)
        _refuse_secrets(key for key in given if is_config_secret(f"{prefix}{key}"))
        return parse(declared, given, pulumi.Config("aws").get("profile"))
    except ValueError as error:
        msg = f"Pulumi.{stack}.yaml: {error}"
        raise pulumi.RunError(msg) from error


def declaration(directory: Path) -> dict[str, dict[str, Any]]:
    """The `config:` block of the project file in `directory`, by key."""
    return yaml.safe_load((directory / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]


def parse(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str], profile: str | None = None) -> Settings:
    """Typed settings from the configuration's texts. Pure.

    Args:
        declared: the `config:` block of Pulumi.yaml.
        given: key without namespace to text, objects and lists as JSON, as Pulumi hands them over.
        profile: AWS profile of the stack's aws settings.

    Raises:
        ValueError: naming the key, what was given, what is accepted, and the nearest name.
    """
    settings = assemble(declared, checked_values(declared, given), profile)
    try:
        plan(settings.rocketmq)
    except ValueError as error:
        raise ValueError(_FIELD.sub(lambda found: _SPELLED[found[0]], str(error))) from error
    return settings


def checked_values(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, Any]:
    """A typed value for every declared key. Arguments and errors as for `parse`."""
    for key in given:
        if key not in declared:
            msg = f"unknown key {key!r}{did_you_mean(key, declared)}; accepted are {', '.join(declared)}"
            raise ValueError(msg)
    values = {key: _value(key, declaration_, given) for key, declaration_ in declared.items()}
    for key, accepted in _CHOICES.items():
        _choose(key, values[key], accepted)
    return values


def assemble(declared: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any], profile: str | None) -> Settings:
    """The settings that checked values make. Arguments and errors as for `parse`."""
    return Settings(
        cluster=_cluster(values["clusterName"], profile),
        oidc_provider_exists=values["oidcProvider"] == "existing",
        ebs_csi_driver_exists=values["ebsCsiDriver"] == "existing",
        ebs_csi_role_name=values["ebsCsiRoleName"],
        ebs_csi_permissions=values["ebsCsiPermissions"],
        storage_class=values["storageClass"],
        allow_volume_expansion=values["allowVolumeExpansion"],
        rocketmq=_rocketmq(declared, values),
    )


def _rocketmq(declared: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> RocketMqArgs:
    types = RocketMqArgs.__annotations__
    given = {
        argument: from_camel(values[key], types[argument])
        for argument, key in ROCKETMQ_KEYS.items()
        if values[key] != declared[key].get("default") or values[key] not in UNSET
    }
    return cast("RocketMqArgs", given)


def _cluster(name: str, profile: str | None) -> "ExistingEksClusterArgs":
    return {"cluster_name": name, "profile": profile} if profile else {"cluster_name": name}


def _refuse_misspelt_namespaces(keys: Iterable[str], project: str) -> None:
    """Keys of other namespaces are for providers, and one that nobody reads would be dropped without a word."""
    for key in keys:
        namespace = key.partition(":")[0]
        if namespace != project and (meant := did_you_mean(namespace, [project])):
            msg = f"unknown namespace {namespace!r} in {key!r}{meant}"
            raise ValueError(msg)


def _refuse_secrets(keys: Iterable[str]) -> None:
    """No setting stays secret on its way: all of them stand in the objects of the cluster, and in the stack's state."""
    for key in keys:
        msg = f"{key} is encrypted; accepted is plain text, no setting is a secret: set it again without --secret"
        raise ValueError(msg)


def _value(key: str, declared: Mapping[str, Any], given: Mapping[str, str]) -> Any:  # noqa: ANN401 - any declared type
    wanted = _TYPES[declared["type"]]
    if key not in given:
        if "default" not in declared:
            msg = f"{key} is missing; it is {_SPOKEN[wanted]}: {declared['description']}"
            raise ValueError(msg)
        return declared["default"]
    text = given[key]
    if wanted is str:
        return text
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        msg = f"{key} is {value!r}; accepted is {_SPOKEN[wanted]}"
        raise ValueError(msg)
    return value


def _choose(key: str, value: str, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        msg = f"{key} is {value!r}; accepted are {', '.join(map(repr, accepted))}{did_you_mean(value, accepted)}"
        raise ValueError(msg)
