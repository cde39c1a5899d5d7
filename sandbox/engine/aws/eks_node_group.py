"""The node groups of an EKS cluster."""

# ruff: noqa: ARG001, ARG005 - the functions of a table take the same arguments, whichever they need

import re
from collections.abc import Mapping
from typing import Any

from sandbox.engine.aws import refusals
from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed
from sandbox.engine.aws.eks_cluster import CLUSTER_NAME, Updated, split_id
from sandbox.engine.aws.properties import CHOSEN, Property, Schema, arn, between, one_of, same_set, same_settings
from sandbox.engine.aws.resource import Properties, Waiting
from sandbox.engine.aws.table import Thing, Verbs, Wait, as_they_are, eks_tags


def _node_group_named(resource_id: str) -> Mapping[str, str]:
    cluster, name = split_id(resource_id)
    return {"clusterName": cluster, "nodegroupName": name}


class NodeGroup(Updated):
    """Import id: `cluster:group`."""

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        if not inputs.get("nodeGroupName"):
            prefix = inputs.get("nodeGroupNamePrefix") or "terraform-"
            inputs = {**inputs, "nodeGroupName": prefix + _unique(aws, inputs["clusterName"], prefix)}
        return super().create(aws, inputs, waiting)

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        changed = self._changed(olds, news)
        named = _node_group_named(resource_id)
        owner = {"name": named["clusterName"], "nodegroupName": named["nodegroupName"]}
        version = {
            key: news[key]
            for key in ("version", "releaseVersion", "launchTemplate")
            if key in changed and news.get(key)
        }
        try:
            if version:
                template = {"launchTemplate": _template(news)} if "launchTemplate" in version else {}
                answer = call(aws.eks, "UpdateNodegroupVersion", **named, **version | template)
                self.ended(aws, answer, waiting, **owner)
            settings = _settings(olds, news, changed)
            if settings:
                self.ended(aws, call(aws.eks, "UpdateNodegroupConfig", **named, **settings), waiting, **owner)
        except AwsError as error:
            raise failed(f"updating EKS Node Group ({resource_id})", error) from error
        done = {"version", "releaseVersion", "launchTemplate", "forceUpdateVersion", *_SETTINGS, "labels", "taints"}
        super().update(aws, resource_id, {**olds, **{key: news.get(key) for key in done}}, news, waiting)


_SETTINGS = ("scalingConfig", "updateConfig", "nodeRepairConfig")


def _settings(olds: Properties, news: Properties, changed: set[str]) -> dict[str, Any]:
    settings = {key: news[key] for key in _SETTINGS if key in changed}
    before, after = olds.get("labels") or {}, news.get("labels") or {}
    if before != after:
        settings["labels"] = {
            "addOrUpdateLabels": {key: value for key, value in after.items() if before.get(key) != value},
            "removeLabels": sorted(before.keys() - after.keys()),
        }
    old_taints, new_taints = olds.get("taints") or [], news.get("taints") or []
    if not same_taints(old_taints, new_taints):
        settings["taints"] = {
            "addOrUpdateTaints": [each for each in new_taints if each not in old_taints],
            "removeTaints": [each for each in old_taints if each not in new_taints],
        }
    return settings


def same_taints(one: list[Mapping[str, str]], other: list[Mapping[str, str]]) -> bool:
    """Whether two lists keep off the same pods."""

    def meaning(taints: list[Mapping[str, str]]) -> list[tuple[str, str, str]]:
        return sorted((each["key"], each.get("value") or "", each["effect"]) for each in taints)

    return meaning(one) == meaning(other)


def _template(inputs: Properties) -> dict[str, Any]:
    """By id or by name, whichever the program gives."""
    return {key: str(value) for key, value in (inputs.get("launchTemplate") or {}).items() if value}


def _node_group_create(inputs: Properties) -> Mapping[str, Any]:
    return {"launchTemplate": _template(inputs)} if inputs.get("launchTemplate") else {}


def _unique(aws: Account, cluster: str, prefix: str) -> str:
    """The next free number: the released provider appends a time stamp and a counter."""
    taken = call(aws.eks, "ListNodegroups", clusterName=cluster)["nodegroups"]
    numbers = [int(found[1]) for name in taken if (found := re.fullmatch(re.escape(prefix) + r"(\d+)", name))]
    return f"{max(numbers, default=0) + 1:026d}"


def _node_group_state(aws: Account, resource_id: str, thing: Thing) -> Mapping[str, Any]:
    resources = thing.get("resources", {})
    return {
        "resources": [
            {
                "autoscalingGroups": resources.get("autoScalingGroups", []),
                "remoteAccessSecurityGroupId": resources.get("remoteAccessSecurityGroup", ""),
            }
        ],
    }


_MOST = 2**31 - 1
_TAINT = refusals.block(
    key=refusals.text("key", 1, 63),
    value=refusals.text("value", 0, 63),
    effect=one_of("effect", "NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"),
)


def _update_refusal(value: Mapping[str, Any]) -> str | None:
    keys = ("maxUnavailable", "maxUnavailablePercentage")
    given = [key for key in keys if value.get(key) is not None]
    if len(given) != 1:
        names = "`update_config.0.max_unavailable,update_config.0.max_unavailable_percentage`"
        return f"{names}: one of them must be specified, and only one"
    return between(given[0], 1, 100)(value[given[0]])


NODE_GROUP = NodeGroup(
    Schema(
        "aws:eks/nodeGroup:NodeGroup",
        {
            "amiType": CHOSEN,
            "capacityType": Property(
                replaces=True,
                computed=True,
                refusal=one_of("capacity_type", "ON_DEMAND", "SPOT", "CAPACITY_BLOCK"),
            ),
            "clusterName": Property(replaces=True, refusal=CLUSTER_NAME),
            "diskSize": CHOSEN,
            "forceUpdateVersion": Property(),
            "instanceTypes": CHOSEN,
            "labels": Property(),
            "launchTemplate": Property(same=same_settings),
            "nodeGroupName": Property(replaces=True, computed=True, refusal=refusals.text("node_group_name", 0, 63)),
            "nodeGroupNamePrefix": CHOSEN,
            "nodeRepairConfig": Property(computed=True, same=same_settings),
            "nodeRoleArn": Property(replaces=True, refusal=arn("node_role_arn")),
            "releaseVersion": Property(computed=True),
            "scalingConfig": Property(
                same=same_settings,
                refusal=refusals.block(
                    desiredSize=between("desired_size", 0, _MOST),
                    maxSize=between("max_size", 1, _MOST),
                    minSize=between("min_size", 0, _MOST),
                ),
            ),
            "subnetIds": Property(
                replaces=True, same=same_set, refusal=refusals.each(refusals.any_value, "subnet_ids", 1)
            ),
            "taints": Property(same=same_taints, refusal=refusals.each(_TAINT)),
            "updateConfig": Property(computed=True, same=same_settings, refusal=_update_refusal),
            "version": Property(computed=True),
            "region": CHOSEN,
            "tags": Property(),
        },
    ),
    Verbs(
        what="EKS Node Group",
        service="eks",
        create="CreateNodegroup",
        created="join(':', [nodegroup.clusterName, nodegroup.nodegroupName])",
        describe="DescribeNodegroup",
        named=_node_group_named,
        found="nodegroup",
        delete="DeleteNodegroup",
        deleted=lambda resource_id, olds: _node_group_named(resource_id),
        names=as_they_are(
            "amiType",
            "capacityType",
            "clusterName",
            "diskSize",
            "instanceTypes",
            "labels",
            "nodeRepairConfig",
            "releaseVersion",
            "scalingConfig",
            "taints",
            "updateConfig",
            "version",
        )
        | {"nodeGroupName": "nodegroupName", "nodeRoleArn": "nodeRole", "subnetIds": "subnets"},
        state={"arn": "nodegroupArn", "status": "status"},
        also=_node_group_create,
        tagging=eks_tags("arn"),
        made=Wait("status", frozenset({"CREATING", "UPDATING"}), frozenset({"ACTIVE"}), 3600),
        gone=Wait("status", frozenset({"ACTIVE", "DELETING"}), frozenset({""}), 3600),
        more=_node_group_state,
    ),
)
