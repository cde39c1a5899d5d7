"""EKS addons: versions and configuration schemas."""

import json
from dataclasses import dataclass
from typing import Any

from sandbox.aws.refusal import invalid

EBS_CSI = "aws-ebs-csi-driver"


def _object(**properties: str) -> dict[str, Any]:
    """Return the JSON schema of an object with these properties and their types."""
    types = {name: {"type": kind} for name, kind in properties.items()}
    return {"type": "object", "additionalProperties": False, "properties": types}


# The part of the addon's configuration schema that the sandbox knows.
_EBS_CSI_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2019-09/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "controller": _object(
            replicaCount="integer",
            extraVolumeTags="object",
            loggingFormat="string",
            podLabels="object",
            nodeSelector="object",
            tolerations="array",
            resources="object",
            k8sTagClusterId="string",
            batching="boolean",
            volumeModificationFeature="object",
        ),
        "node": {"type": "object"},
        "sidecars": {"type": "object"},
        "defaultStorageClass": _object(enabled="boolean"),
    },
}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
}


@dataclass(frozen=True)
class AddonDefinition:
    """An addon: versions, newest first (the second is the default), and configuration schema."""

    name: str
    versions: tuple[str, ...]
    schema: dict[str, Any]
    service_account: str

    @property
    def default_version(self) -> str:
        return self.versions[1]


# Version numbers of EKS, for pins and updates. The sandbox's driver is the same for all versions except its health
# check (`sandbox.ebs_csi.manifests.checks_ec2`).
CATALOGUE = {
    EBS_CSI: AddonDefinition(
        EBS_CSI,
        ("v1.50.1-eksbuild.1", "v1.50.0-eksbuild.1", "v1.49.0-eksbuild.1", "v1.48.0-eksbuild.1"),
        _EBS_CSI_SCHEMA,
        "ebs-csi-controller-sa",
    ),
}


# Other addons of EKS clusters. The sandbox's own cluster has another network and runs none of them.
_ANYTHING: dict[str, Any] = {"$schema": _EBS_CSI_SCHEMA["$schema"], "type": "object", "properties": {}}
CATALOGUE |= {
    name: AddonDefinition(name, versions, _ANYTHING, service_account)
    for name, service_account, versions in (
        ("vpc-cni", "aws-node", ("v1.21.1-eksbuild.1", "v1.21.0-eksbuild.4", "v1.20.5-eksbuild.1")),
        ("kube-proxy", "kube-proxy", ("v1.35.4-eksbuild.2", "v1.35.4-eksbuild.1", "v1.35.3-eksbuild.2")),
        ("coredns", "coredns", ("v1.14.7-eksbuild.2", "v1.14.7-eksbuild.1", "v1.13.2-eksbuild.1")),
        ("eks-pod-identity-agent", "eks-pod-identity-agent", ("v1.3.10-eksbuild.2", "v1.3.10-eksbuild.1")),
    )
}
RUNS_HERE = frozenset({EBS_CSI})
"""Addons that the sandbox's own cluster can run."""
NEED_NODES = frozenset({"coredns", EBS_CSI})
"""Addons with a Deployment. They are ACTIVE only when a node runs it."""


def resolve(name: str, version: str | None) -> tuple[AddonDefinition, str]:
    """Return the addon and its version. Raises RefusedError for an unknown name or version."""
    addon = CATALOGUE.get(name)
    if addon is None:
        raise invalid(f"Addon {name} specified is not supported; this sandbox runs {', '.join(CATALOGUE)} and no other")
    if version and version not in addon.versions:
        raise invalid(f"Addon version specified is not supported; {name} has {', '.join(addon.versions)}")
    return addon, version or addon.default_version


def check_configuration(addon: AddonDefinition, values: str) -> None:
    """Raise RefusedError unless `values` is empty or JSON that matches the addon's schema."""
    if not values:
        return
    try:
        given = json.loads(values)
    except ValueError:
        raise invalid("ConfigurationValue is not in valid JSON or YAML format.") from None
    problem = _problem(given, addon.schema, "$")
    if problem:
        raise invalid(
            "ConfigurationValue provided in request is not supported: Json schema validation failed with error: "
            f"[{problem}]"
        )


def _problem(value: Any, schema: dict[str, Any], path: str) -> str | None:  # noqa: ANN401 (any JSON value)
    kind = schema.get("type", "object")
    right = isinstance(value, _TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))
    if not right:
        return f"{path}: {type(value).__name__} found, {kind} expected"
    if kind != "object":
        return None
    known = schema.get("properties", {})
    for key, member in value.items():
        if key in known:
            problem = _problem(member, known[key], f"{path}.{key}")
            if problem:
                return problem
        elif schema.get("additionalProperties") is False:
            return f"{path}.{key}: is not defined in the schema and the schema does not allow additional properties"
    return None
