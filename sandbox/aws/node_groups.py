"""EKS node groups: AWS's checks, and the fields that the emulator drops. They launch no instances."""

import json
from typing import Any

from sandbox.aws import patching, updates
from sandbox.aws.emulator import Response, ec2, eks, iam
from sandbox.aws.refusal import invalid, not_found

_OK = 200
_KEPT = ("launchTemplate", "updateConfig", "nodeRepairConfig", "scalingConfig")
_UPDATE_DEFAULT = {"maxUnavailable": 1, "updateStrategy": "DEFAULT"}


def install() -> None:
    """Check and complete the record of a new group."""
    patching.require(eks, "_nodegroups", "_tags")
    patching.require(ec2, "_launch_templates")

    def _create_nodegroup(cluster_name: str, body: dict[str, Any]) -> Response:
        _check_group(body)
        answer = stock(cluster_name, body)
        group = eks._nodegroups.get(f"{cluster_name}/{body.get('nodegroupName', '')}")
        if group is None or answer[0] != _OK:
            return answer
        group |= {key: body[key] for key in _KEPT if key in body}
        group["updateConfig"] = _UPDATE_DEFAULT | body.get("updateConfig", {})
        group["releaseVersion"] = body.get("releaseVersion") or f"{group['version']}.0-20260101"
        if "launchTemplate" in body:
            group["launchTemplate"] = _template(body["launchTemplate"])
            # The template defines the disk size.
            group.pop("diskSize", None)
        return eks._json_resp(200, {"nodegroup": eks._sanitize(group)})

    def _describe_nodegroup(cluster_name: str, ng_name: str) -> Response:
        group = eks._nodegroups.get(f"{cluster_name}/{ng_name}")
        if group is None:
            return stock_describe(cluster_name, ng_name)
        tags = eks._tags.get(group["nodegroupArn"]) or {}
        return eks._json_resp(200, {"nodegroup": {**eks._sanitize(group), "tags": dict(tags)}})

    stock = patching.replace(eks, "_create_nodegroup", _create_nodegroup)
    stock_describe = patching.replace(eks, "_describe_nodegroup", _describe_nodegroup)


def names(cluster: str) -> list[str]:
    """Return the names of a cluster's groups."""
    return [group["nodegroupName"] for key, group in eks._nodegroups.items() if key.startswith(f"{cluster}/")]


def record(cluster: str, name: str) -> dict[str, Any]:
    """Return the emulator's record of a group, or raise RefusedError."""
    group = eks._nodegroups.get(f"{cluster}/{name}")
    if group is None:
        raise not_found(f"No node group found for name: {name}.")
    return group


def configure(group: dict[str, Any], body: dict[str, Any]) -> Response:
    """UpdateNodegroupConfig."""
    params: dict[str, str] = {}
    for key in ("scalingConfig", "updateConfig", "nodeRepairConfig"):
        if key in body:
            group[key] = {**group.get(key, {}), **body[key]}
            params[key] = json.dumps(body[key])
    if labels := body.get("labels"):
        kept = {key: value for key, value in group["labels"].items() if key not in labels.get("removeLabels", [])}
        group["labels"] = kept | labels.get("addOrUpdateLabels", {})
    if taints := body.get("taints"):
        gone = [*taints.get("removeTaints", []), *taints.get("addOrUpdateTaints", [])]
        names = {(taint["key"], taint["effect"]) for taint in gone}
        kept_taints = [taint for taint in group["taints"] if (taint["key"], taint["effect"]) not in names]
        group["taints"] = [*kept_taints, *taints.get("addOrUpdateTaints", [])]
    return updates.start(group, "ConfigUpdate", params)


def upgrade(group: dict[str, Any], body: dict[str, Any]) -> Response:
    """UpdateNodegroupVersion."""
    for key in ("version", "releaseVersion"):
        if body.get(key):
            group[key] = body[key]
    if "launchTemplate" in body:
        group["launchTemplate"] = _template({**group.get("launchTemplate", {}), **body["launchTemplate"]})
    return updates.start(group, "VersionUpdate", {"Version": group["version"]})


def _template(asked: dict[str, Any]) -> dict[str, Any]:
    """Return a launch template as EKS shows it: id, name and version."""
    found = _found_template(asked)
    if found is None:
        return asked
    return {
        "id": found["LaunchTemplateId"],
        "name": found["LaunchTemplateName"],
        "version": asked.get("version") or str(found["DefaultVersionNumber"]),
    }


def _found_template(asked: dict[str, Any]) -> dict[str, Any] | None:
    for template in ec2._launch_templates.values():
        if asked.get("id") == template["LaunchTemplateId"] or asked.get("name") == template["LaunchTemplateName"]:
            return template
    return None


def _check_group(body: dict[str, Any]) -> None:
    """Raise RefusedError when EKS refuses a new group."""
    role = body.get("nodeRole", "")
    if iam._roles.get(role.rsplit("/", 1)[-1], {}).get("Arn") != role:
        raise invalid(f"The role with name {role.rsplit('/', 1)[-1]} cannot be found.")
    unknown = [subnet for subnet in body.get("subnets", []) if subnet not in ec2._subnets]
    if unknown or not body.get("subnets"):
        raise invalid(f"The subnet ID '{unknown[0]}' does not exist" if unknown else "Subnets cannot be empty")
    if "launchTemplate" in body and _found_template(body["launchTemplate"]) is None:
        raise invalid(f"Launch template {body['launchTemplate']} not found.")
    scaling = body.get("scalingConfig", {})
    if not scaling.get("minSize", 0) <= scaling.get("desiredSize", 1) <= scaling.get("maxSize", 1):
        raise invalid("desiredSize must be between minSize and maxSize")
