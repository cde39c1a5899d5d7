"""Enumerations of the package's schema. Python takes the same values as plain strings.

With an enumeration in a Python annotation a type checker would refuse the literal `"strict"`. So the schema gets them
here, from the values that the components accept.
"""

from collections.abc import Collection, Mapping
from typing import Any

from eks_rocketmq.eks.addons import addon_plan
from eks_rocketmq.eks.cluster import cluster_plan
from eks_rocketmq.eks.ebs import csi_identity, storage_class_plan
from eks_rocketmq.eks.network import network_plan
from eks_rocketmq.eks.nodes import node_plan
from eks_rocketmq.pulumi_sdk.component import PACKAGE
from eks_rocketmq.rocketmq.access import access
from eks_rocketmq.rocketmq.config import tls
from eks_rocketmq.rocketmq.config.durability import PROFILES
from eks_rocketmq.rocketmq.declarations import topics
from eks_rocketmq.rocketmq.external import external_plan
from eks_rocketmq.rocketmq.monitoring import monitoring_plan
from eks_rocketmq.rocketmq.pods import pod_settings

ENUMS: Mapping[tuple[str, str], tuple[str, Collection[str]]] = {
    ("AccessEntryArgs", "type"): ("AccessEntryType", cluster_plan.ENTRY_TYPES),
    ("ClusterAddons", "stage"): ("AddonStage", (addon_plan.BEFORE, addon_plan.AFTER)),
    ("ClusterAddons", "versions"): ("AddonVersions", addon_plan.VERSIONS),
    ("EbsCsiAddon", "identity"): ("EbsCsiIdentity", csi_identity.IDENTITIES),
    ("EbsCsiAddon", "permissions"): ("EbsCsiPermissions", csi_identity.PERMISSIONS),
    ("EbsCsiAddon", "resolveConflictsOnCreate"): ("ConflictsOnCreate", csi_identity.CREATE_CONFLICTS),
    ("EbsCsiAddon", "resolveConflictsOnUpdate"): ("ConflictsOnUpdate", csi_identity.UPDATE_CONFLICTS),
    ("EbsStorageClass", "fileSystem"): ("FileSystem", storage_class_plan.FILE_SYSTEMS),
    ("EbsStorageClass", "reclaimPolicy"): ("ReclaimPolicy", storage_class_plan.RECLAIM_POLICIES),
    ("EbsStorageClass", "volumeType"): ("VolumeType", storage_class_plan.TYPES),
    ("EksCluster", "logTypes"): ("ControlPlaneLog", cluster_plan.LOG_TYPES),
    ("EksCluster", "supportType"): ("SupportType", cluster_plan.SUPPORT_TYPES),
    ("ExternalArgs", "trafficPolicy"): ("TrafficPolicy", external_plan.TRAFFIC_POLICIES),
    ("ExternalArgs", "type"): ("ExternalType", external_plan.EXTERNAL_TYPES),
    ("MonitoringArgs", "monitor"): ("Monitor", monitoring_plan.MONITORS),
    ("Network", "nat"): ("NatMode", network_plan.NAT_MODES),
    ("NodeGroup", "amiType"): ("AmiType", node_plan.AMI_TYPES),
    ("NodeGroup", "capacityType"): ("CapacityType", node_plan.CAPACITY_TYPES),
    ("NodeGroup", "updateStrategy"): ("NodeUpdateStrategy", node_plan.UPDATE_STRATEGIES),
    ("NodeMatchArgs", "operator"): ("NodeOperator", pod_settings.OPERATORS),
    ("NodeTaintArgs", "effect"): ("TaintEffect", node_plan.EFFECTS),
    ("PermissionArgs", "actions"): ("PermissionAction", access.ACTIONS),
    ("PermissionArgs", "decision"): ("PermissionDecision", access.DECISIONS),
    ("RocketMq", "imagePullPolicy"): ("ImagePullPolicy", pod_settings.PULL_POLICIES),
    ("RocketMq", "podSecurity"): ("PodSecurityLevel", pod_settings.SECURITY_LEVELS),
    ("RocketMq", "profile"): ("DurabilityProfile", PROFILES),
    ("TlsArgs", "mode"): ("TlsMode", tls.TLS_MODES),
    ("TolerationArgs", "effect"): ("TaintEffect", pod_settings.EFFECTS),
    ("TopicArgs", "permission"): ("TopicPermission", topics.TOPIC_PERMISSIONS),
    ("TopicArgs", "type"): ("MessageType", (*topics.MESSAGE_TYPES, *topics.NEWER_MESSAGE_TYPES, "MIXED")),
    ("UserArgs", "type"): ("UserType", access.USER_TYPES),
    ("VpcCniArgs", "identity"): ("VpcCniIdentity", addon_plan.IDENTITIES),
}
"""Name and values of an enumeration, by the component or type and its input. A list has it in its items."""


def add_enums(schema: dict[str, Any]) -> None:
    """Let the inputs of a package's schema refer to their enumerations, and add these to its types."""
    types: dict[str, Any] = {}
    for (owner, field), (name, values) in ENUMS.items():
        token = f"{PACKAGE}:index:{owner}"
        shape = schema["resources"].get(token, {}).get("inputProperties") or schema["types"][token]["properties"]
        target = shape[field].get("items", shape[field])
        if target.pop("type") != "string":
            msg = f"{owner}.{field} is no text in the schema; remove it from ENUMS"
            raise TypeError(msg)
        target["$ref"] = f"#/types/{PACKAGE}:index:{name}"
        types[f"{PACKAGE}:index:{name}"] = {
            "description": f"Accepted values of `{field}`.",
            "type": "string",
            "enum": [{"name": _member(value), "value": value} for value in sorted(values)],
        }
    schema["types"] = dict(sorted({**schema["types"], **types}.items()))


def _member(value: str) -> str:
    """Name of a member: `PerZone` for `per_zone`, `OnDemand` for `ON_DEMAND`, `ControllerManager` for
    `controllerManager`."""
    words = value.split("_")
    return "".join(
        word.capitalize() if word.islower() or word.isupper() else word[0].upper() + word[1:] for word in words
    )
