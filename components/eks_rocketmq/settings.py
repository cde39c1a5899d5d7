"""The stack's configuration as typed settings, read once and checked before anything is planned.

What exists stands in `Pulumi.yaml`: this module reads its `config:` block and holds the values to it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import yaml
from pulumi.runtime.config import CONFIG, is_config_secret

from eks_rocketmq.rocketmq.broker_config import versions
from eks_rocketmq.rocketmq.durability import PROFILES
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.validation import bytes_of, did_you_mean, dns_label

if TYPE_CHECKING:
    from eks_rocketmq.eks.existing_cluster import ExistingEksClusterArgs
    from eks_rocketmq.rocketmq.arguments import RocketMqArgs

Fields = Mapping[str, type]

_ROLE: Fields = {"replicas": int, "memory": str, "cpu": str}
_NESTED: Mapping[str, tuple[Fields, frozenset[str]]] = {
    "brokerGroups": ({"name": str, **_ROLE, "storage": str, "config": dict}, frozenset({"config"})),
    "nameServers": (_ROLE, frozenset()),
    "controllers": ({**_ROLE, "storage": str}, frozenset()),
    "proxies": ({**_ROLE, "config": dict}, frozenset({"config"})),
}
"""Fields of the nested keys, and which of them may be left out. Pulumi.yaml cannot declare what is inside an object."""

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "oidcProvider": ("create", "existing"),
    "ebsCsiDriver": ("create", "existing"),
    "ebsCsiPermissions": ("legacy", "v2"),
    "durability": tuple(PROFILES),
    "rocketmqVersion": tuple(versions()),
}
KEY_OF_ARGUMENT: Mapping[str, str] = {
    "broker_groups": "brokerGroups",
    "create_namespace": "createNamespace",
    "min_in_sync_replicas": "minInSyncReplicas",
    "name_servers": "nameServers",
    "profile": "durability",
    "protect_data": "protectData",
    "storage_class": "storageClass",
    "version": "rocketmqVersion",
}
"""What the stack file calls an argument of `RocketMq` that has another name there."""
_ARGUMENT = re.compile(rf"\b({'|'.join(KEY_OF_ARGUMENT)})\b(?=[ .\[])")

_TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
_SPOKEN: Mapping[type, str] = {
    str: "a string",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


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
    rocketmq: "RocketMqArgs"
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
    settings = assemble(checked_values(declared, given), profile)
    try:
        plan(settings.rocketmq)
    except ValueError as error:
        raise ValueError(_ARGUMENT.sub(lambda found: KEY_OF_ARGUMENT[found[0]], str(error))) from error
    return settings


def checked_values(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, Any]:
    """A typed value for every declared key. Arguments and errors as for `parse`."""
    _refuse_unknown("key", given, declared)
    values = {key: _value(key, declaration_, given) for key, declaration_ in declared.items()}
    for key, accepted in _CHOICES.items():
        _choose(key, values[key], accepted)
    for key, (fields, optional) in _NESTED.items():
        _check_nested(key, values[key], fields, optional)
    dns_label(values["namespace"], "namespace")
    return values


def assemble(values: Mapping[str, Any], profile: str | None) -> Settings:
    """The settings that checked values make."""
    return Settings(
        cluster=_cluster(values["clusterName"], profile),
        oidc_provider_exists=values["oidcProvider"] == "existing",
        ebs_csi_driver_exists=values["ebsCsiDriver"] == "existing",
        ebs_csi_role_name=values["ebsCsiRoleName"],
        ebs_csi_permissions=values["ebsCsiPermissions"],
        storage_class=values["storageClass"],
        allow_volume_expansion=values["allowVolumeExpansion"],
        rocketmq={
            "namespace": values["namespace"],
            "create_namespace": values["createNamespace"],
            "storage_class": values["storageClass"],
            "version": values["rocketmqVersion"],
            "profile": values["durability"],
            "min_in_sync_replicas": values["minInSyncReplicas"],
            "broker_groups": values["brokerGroups"],
            "name_servers": values["nameServers"],
            "controllers": values["controllers"],
            "proxies": values["proxies"],
            "protect_data": values["protectData"],
        },
    )


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


def _refuse_unknown(kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            msg = f"unknown {kind} {name!r}{did_you_mean(name, known)}; accepted are {', '.join(known)}"
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
    return _typed(key, value, wanted)


def _typed(what: str, value: Any, wanted: type) -> Any:  # noqa: ANN401 - returned with the wanted type
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        msg = f"{what} is {value!r}; accepted is {_SPOKEN[wanted]}"
        raise ValueError(msg)
    return value


def _choose(key: str, value: str, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        msg = f"{key} is {value!r}; accepted are {', '.join(map(repr, accepted))}{did_you_mean(value, accepted)}"
        raise ValueError(msg)


def _check_nested(key: str, value: Any, fields: Fields, optional: frozenset[str]) -> None:  # noqa: ANN401 - list or object
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        where = f"{key}[{index}]" if isinstance(value, list) else key
        _typed(where, item, dict)
        _refuse_unknown(f"field in {where}:", item, fields)
        for name, wanted in fields.items():
            if name in item:
                _typed(f"{where}.{name}", item[name], wanted)
            elif name not in optional:
                msg = f"{where}.{name} is missing; it is {_SPOKEN[wanted]}. Fields of {key} are {', '.join(fields)}"
                raise ValueError(msg)
        for name in ("memory", "storage"):
            if name in item:
                bytes_of(item[name], f"{where}.{name}")
        if item["replicas"] < 1:
            msg = f"{where}.replicas is {item['replicas']}; accepted is 1 or more"
            raise ValueError(msg)
