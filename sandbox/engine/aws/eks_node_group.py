"""EKS node groups."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call
from sandbox.engine.aws.comparison import same_set, same_settings
from sandbox.engine.aws.eks_cluster import CLUSTER_NAME
from sandbox.engine.aws.resource import (
    CHOSEN,
    LOCAL,
    REGION_AND_TAGS,
    Description,
    Operation,
    Properties,
    Property,
    Wait,
)
from sandbox.engine.aws.services import eks_type
from sandbox.engine.aws.validators import any_value, arn, between, block, each, one_of, text

_MOST = 2**31 - 1
_TAINT = block(key=text(1, 63), value=text(0, 63), effect=one_of("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"))


def same_taints(one: list[Mapping[str, str]], other: list[Mapping[str, str]]) -> bool:
    """Return whether two lists of taints have the same effect."""

    def meaning(taints: list[Mapping[str, str]]) -> list[tuple[str, str, str]]:
        return sorted((taint["key"], taint.get("value") or "", taint["effect"]) for taint in taints)

    return meaning(one) == meaning(other)


def _validate_update(_: str, value: Mapping[str, Any]) -> str | None:
    keys = ("maxUnavailable", "maxUnavailablePercentage")
    given = [key for key in keys if value.get(key) is not None]
    if len(given) != 1:
        names = "`update_config.0.max_unavailable,update_config.0.max_unavailable_percentage`"
        return f"{names}: one of them must be specified, and only one"
    return between(1, 100)(given[0], value[given[0]])


def _template(inputs: Properties) -> dict[str, Any]:
    """Return the argument for the launch template, by id or by name as the program gives it."""
    template = inputs.get("launchTemplate")
    return {"launchTemplate": {key: str(value) for key, value in template.items() if value}} if template else {}


def _arguments(aws: Account, inputs: Properties) -> Mapping[str, Any]:
    if inputs.get("nodeGroupName"):
        return _template(inputs)
    # The released provider appends a time stamp and a counter, this stand-in the next free number.
    prefix = inputs.get("nodeGroupNamePrefix") or "terraform-"
    taken = call(aws.eks, "ListNodegroups", clusterName=inputs["clusterName"])["nodegroups"]
    numbers = [int(found[1]) for name in taken if (found := re.fullmatch(re.escape(prefix) + r"(\d+)", name))]
    return {"nodegroupName": f"{prefix}{max(numbers, default=0) + 1:026d}", **_template(inputs)}


def _outputs(_: Account, group: Description) -> Mapping[str, Any]:
    resources = group.get("resources", {})
    return {
        "resources": [
            {
                "autoscalingGroups": resources.get("autoScalingGroups", []),
                "remoteAccessSecurityGroupId": resources.get("remoteAccessSecurityGroup", ""),
            }
        ]
    }


def _update_version(op: Operation, keys: Sequence[str]) -> None:
    given = {key: op.news[key] for key in keys if op.news.get(key)}
    if given:
        op.call("UpdateNodegroupVersion", **given | (_template(op.news) if "launchTemplate" in given else {}))


def _update_config(op: Operation, keys: Sequence[str]) -> None:
    settings = {key: op.news.get(key) for key in keys}
    if "labels" in settings:
        before, after = op.olds.get("labels") or {}, op.news.get("labels") or {}
        settings["labels"] = {
            "addOrUpdateLabels": {key: value for key, value in after.items() if before.get(key) != value},
            "removeLabels": sorted(before.keys() - after.keys()),
        }
    if "taints" in settings:
        old_taints, new_taints = op.olds.get("taints") or [], op.news.get("taints") or []
        settings["taints"] = {
            "addOrUpdateTaints": [taint for taint in new_taints if taint not in old_taints],
            "removeTaints": [taint for taint in old_taints if taint not in new_taints],
        }
    op.call("UpdateNodegroupConfig", **settings)


NODE_GROUP = eks_type(
    "aws:eks/nodeGroup:NodeGroup",
    "EKS Node Group",
    "Nodegroup",
    "(?P<clusterName>[^:]+):(?P<nodegroupName>.+)",
    {
        # EKS updates the version before the configuration.
        "version": Property(computed=True, update=_update_version),
        "releaseVersion": Property(computed=True, update=_update_version),
        "launchTemplate": Property(same=same_settings, argument="", path="", update=_update_version),
        "amiType": CHOSEN,
        "capacityType": Property(replaces=True, computed=True, validate=one_of("ON_DEMAND", "SPOT", "CAPACITY_BLOCK")),
        "clusterName": Property(replaces=True, validate=CLUSTER_NAME),
        "diskSize": CHOSEN,
        "forceUpdateVersion": LOCAL,
        "instanceTypes": CHOSEN,
        "labels": Property(update=_update_config),
        "nodeGroupName": Property(replaces=True, computed=True, validate=text(0, 63), argument="nodegroupName"),
        "nodeGroupNamePrefix": replace(CHOSEN, argument="", path=""),
        "nodeRepairConfig": Property(computed=True, same=same_settings, update=_update_config),
        "nodeRoleArn": Property(replaces=True, validate=arn, argument="nodeRole"),
        "scalingConfig": Property(
            same=same_settings,
            validate=block(desiredSize=between(0, _MOST), maxSize=between(1, _MOST), minSize=between(0, _MOST)),
            update=_update_config,
        ),
        "subnetIds": Property(replaces=True, same=same_set, validate=each(any_value, 1), argument="subnets"),
        "taints": Property(same=same_taints, validate=each(_TAINT), update=_update_config),
        "updateConfig": Property(computed=True, same=same_settings, validate=_validate_update, update=_update_config),
        **REGION_AND_TAGS,
    },
    id_error="unexpected format for ID, expected cluster-name:name",
    id_path="join(':', [nodegroup.clusterName, nodegroup.nodegroupName])",
    more_arguments=_arguments,
    outputs=("status",),
    output_paths={"arn": "nodegroupArn"},
    more_outputs=_outputs,
    create_wait=Wait("status", frozenset({"CREATING", "UPDATING"}), frozenset({"ACTIVE"}), 3600),
    delete_wait=Wait("status", frozenset({"ACTIVE", "DELETING"}), frozenset({""}), 3600),
)
