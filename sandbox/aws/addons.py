"""EKS addons. The cluster's side reports their status.

It writes `<root>/addons/<cluster>/<addon>.json`: {"status": "CREATING" | "ACTIVE" | "DEGRADED", "issues": [{"code": …,
"message": …, "resourceIds": […]}]}. Without a report a new addon stays CREATING. A report with `"final": true` ends a
change that does not succeed.
"""

import json
import time
import uuid
from typing import Any

from sandbox import layout, pins
from sandbox.aws import node_groups, patching, pod_identity_associations
from sandbox.aws.addon_catalogue import (
    CATALOGUE,
    NEED_NODES,
    RUNS_HERE,
    AddonDefinition,
    check_configuration,
    resolve,
)
from sandbox.aws.emulator import Response, eks, responses
from sandbox.aws.refusal import in_use, invalid, not_found
from sandbox.aws.settings import ServerSettings

# After this time a report from before a change counts: its content did not change.
_SETTLED_SECONDS = 3.0
# EKS waits for 15 minutes and more.
_TIMEOUT_SECONDS = 90.0
_TOO_FEW = "InsufficientNumberOfReplicas"
_CONFLICTS = ("", "NONE", "OVERWRITE", "PRESERVE")


def install() -> None:
    """Check the emulator's stores. `eks.py` routes the requests."""
    patching.require(eks, "_clusters", "_addons", "_tags", "_json_resp", "_error", "_now")
    pod_identity_associations.install()


def supported_versions(name: str | None, version: str | None) -> Response:
    """DescribeAddonVersions."""
    addons = [
        {
            "addonName": addon.name,
            "type": "storage",
            "publisher": "eks",
            "owner": "aws",
            "addonVersions": [
                {
                    "addonVersion": number,
                    "architecture": ["amd64", "arm64"],
                    "computeTypes": ["ec2", "auto"],
                    "compatibilities": [
                        {
                            "clusterVersion": pins.KUBERNETES_MINOR,
                            "platformVersions": ["*"],
                            "defaultVersion": number == addon.default_version,
                        }
                    ],
                    "requiresConfiguration": False,
                    "requiresIamPermissions": True,
                }
                for number in addon.versions
            ],
        }
        for addon in CATALOGUE.values()
        if name in (None, addon.name) and version in (None, pins.KUBERNETES_MINOR)
    ]
    return eks._json_resp(200, {"addons": addons})


def configuration(name: str, version: str) -> Response:
    """DescribeAddonConfiguration."""
    addon, number = resolve(name, version)
    return eks._json_resp(
        200,
        {
            "addonName": addon.name,
            "addonVersion": number,
            "configurationSchema": json.dumps(addon.schema),
            "podIdentityConfiguration": [
                {
                    "serviceAccount": addon.service_account,
                    "recommendedManagedPolicies": ["arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"],
                }
            ],
        },
    )


def create(cluster: str, body: dict[str, Any]) -> Response:
    """CreateAddon."""
    name = body.get("addonName", "")
    if f"{cluster}/{name}" in eks._addons:
        raise in_use("Addon already exists.")
    addon, version = resolve(name, body.get("addonVersion"))
    if cluster == layout.CLUSTER and name not in RUNS_HERE:
        raise invalid(f"the cluster {cluster} of this sandbox has a network of its own, without {name}")
    check_configuration(addon, body.get("configurationValues") or "")
    _check(body, addon)
    now = eks._now()
    arn = f"arn:aws:eks:{responses.get_region()}:{responses.get_account_id()}:addon/{cluster}/{name}/{uuid.uuid4()}"
    record = {
        "addonName": name,
        "clusterName": cluster,
        "addonVersion": version,
        "addonArn": arn,
        "createdAt": now,
        "modifiedAt": now,
        "serviceAccountRoleArn": body.get("serviceAccountRoleArn") or "",
        "configurationValues": body.get("configurationValues") or "",
        "owner": "aws",
        "publisher": "eks",
        "_changed": time.time(),
        "_transition": "CREATING",
        "_updates": {},
    }
    _associate(record, body.get("podIdentityAssociations") or [])
    eks._addons[f"{cluster}/{name}"] = record
    eks._tags[arn] = dict(body.get("tags") or {})
    return eks._json_resp(200, {"addon": _addon_response(record, ("CREATING", []))})


def describe(settings: ServerSettings, cluster: str, name: str) -> Response:
    """DescribeAddon."""
    record = _record(cluster, name)
    return eks._json_resp(200, {"addon": _addon_response(record, _state(settings, record))})


def names(cluster: str) -> Response:
    """ListAddons."""
    found = [record["addonName"] for key, record in eks._addons.items() if key.startswith(f"{cluster}/")]
    return eks._json_resp(200, {"addons": found})


def update(settings: ServerSettings, cluster: str, name: str, body: dict[str, Any]) -> Response:
    """UpdateAddon. Fields that the request lacks do not change, except the role, which is removed."""
    record = _record(cluster, name)
    status, _ = _state(settings, record)
    if status in ("CREATING", "UPDATING"):
        raise in_use(f"Addon is currently in {status} state; try again later.")
    addon, version = resolve(name, body.get("addonVersion") or record["addonVersion"])
    check_configuration(addon, body.get("configurationValues") or "")
    _check(body, addon)
    record["addonVersion"] = version
    # A request without a role removes the role: https://github.com/hashicorp/terraform-provider-aws/pull/19403
    record["serviceAccountRoleArn"] = body.get("serviceAccountRoleArn", "")
    if "podIdentityAssociations" in body:
        pod_identity_associations.remove(record["clusterName"], record.get("podIdentityAssociations", []))
        _associate(record, body["podIdentityAssociations"] or [])
    if "configurationValues" in body:
        record["configurationValues"] = body["configurationValues"] or ""
    record.update(modifiedAt=eks._now(), _changed=time.time(), _transition="UPDATING")
    started = {
        "id": str(uuid.uuid4()),
        "type": "AddonUpdate",
        "createdAt": eks._now(),
        "params": [
            {"type": kind, "value": body[field]}
            for field, kind in (
                ("addonVersion", "AddonVersion"),
                ("serviceAccountRoleArn", "ServiceAccountRoleArn"),
                ("configurationValues", "ConfigurationValues"),
                ("resolveConflicts", "ResolveConflicts"),
            )
            if body.get(field)
        ],
    }
    record["_updates"][started["id"]] = started
    return eks._json_resp(200, {"update": {**started, "status": "InProgress", "errors": []}})


def describe_update(settings: ServerSettings, cluster: str, name: str, update_id: str) -> Response:
    """DescribeUpdate of an addon: in progress until the cluster's side reports the change."""
    record = _record(cluster, name)
    started = record["_updates"].get(update_id)
    if started is None:
        raise not_found(f"No update found for ID: {update_id}")
    status, issues = _state(settings, record)
    outcome = {"UPDATING": "InProgress", "ACTIVE": "Successful"}.get(status, "Failed")
    errors = [
        {"errorCode": "Unknown", "errorMessage": issue["message"], "resourceIds": issue.get("resourceIds", [])}
        for issue in (issues if outcome == "Failed" else [])
    ]
    return eks._json_resp(200, {"update": {**started, "status": outcome, "errors": errors}})


def delete(settings: ServerSettings, cluster: str, name: str, preserve: bool) -> Response:
    """DeleteAddon. The cluster's side then removes the addon from the cluster."""
    if preserve and cluster == layout.CLUSTER:
        raise invalid("preserve is not supported by this sandbox: the addon's software goes with the addon")
    record = _record(cluster, name)
    pod_identity_associations.remove(cluster, record.get("podIdentityAssociations", []))
    eks._addons.pop(f"{cluster}/{name}")
    eks._tags.pop(record["addonArn"], None)
    (settings.addon_reports / cluster / f"{name}.json").unlink(missing_ok=True)
    return eks._json_resp(200, {"addon": _addon_response(record, ("DELETING", []))})


def _record(cluster: str, name: str) -> dict[str, Any]:
    record = eks._addons.get(f"{cluster}/{name}")
    if record is None:
        raise not_found(f"No addon: {name} found in cluster: {cluster}")
    return record


def _state(settings: ServerSettings, record: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Return status and health issues from the latest report.

    The first ACTIVE ends a change. Too few replicas alone, as while pods are replaced, end it only after a timeout.
    """
    change: str | None = record["_transition"]
    if record["clusterName"] != layout.CLUSTER:
        return _state_in_api_only(record)
    try:
        file = settings.addon_reports / record["clusterName"] / f"{record['addonName']}.json"
        written = file.stat().st_mtime
        report = json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return change or "ACTIVE", []
    status, issues = report["status"], list(report.get("issues", []))
    if change is None:
        return status, issues
    age = time.time() - record["_changed"]
    unseen = written < record["_changed"] and age < _SETTLED_SECONDS
    waiting = age < _TIMEOUT_SECONDS and not report.get("final")
    rolling = waiting and bool(issues) and all(issue["code"] == _TOO_FEW for issue in issues)
    if unseen or rolling or status == "CREATING":
        return change, []
    record["_transition"] = None
    return status, issues


def _state_in_api_only(record: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Return the state in a cluster without nodes of this machine: ACTIVE once its requirements exist."""
    name, cluster = record["addonName"], record["clusterName"]
    if name in NEED_NODES and not node_groups.names(cluster):
        text = "The add-on is unhealthy because it doesn't have the desired number of replicas."
        return "DEGRADED", [{"code": _TOO_FEW, "message": text, "resourceIds": []}]
    record["_transition"] = None
    return "ACTIVE", []


def _addon_response(record: dict[str, Any], state: tuple[str, list[dict[str, Any]]]) -> dict[str, Any]:
    shown = {key: value for key, value in record.items() if not key.startswith("_") and value not in ("", [])}
    tags = eks._tags.get(record["addonArn"]) or {}
    return {**shown, "tags": tags, "status": state[0], "health": {"issues": state[1]}}


def _associate(record: dict[str, Any], associations: list[dict[str, str]]) -> None:
    record["podIdentityAssociations"] = [
        pod_identity_associations.make(record["clusterName"], "kube-system", each, record["addonArn"])
        for each in associations
    ]


def _check(body: dict[str, Any], addon: AddonDefinition) -> None:
    if body.get("resolveConflicts", "") not in _CONFLICTS:
        raise invalid(f"resolveConflicts is {body['resolveConflicts']!r}; accepted are NONE, OVERWRITE, PRESERVE")
    for association in body.get("podIdentityAssociations") or []:
        account = association.get("serviceAccount")
        if account != addon.service_account:
            raise invalid(
                f"Service account {account} is not supported by addon {addon.name}; it has {addon.service_account}"
            )
        if not pod_identity_associations.role_exists(association.get("roleArn", "")):
            raise invalid(pod_identity_associations.NO_ROLE)
    arn = body.get("serviceAccountRoleArn")
    if arn == "":
        # EKS's message, as in https://github.com/hashicorp/terraform-provider-aws/issues/30645
        raise invalid("Cross-account pass role is not allowed.")
    if arn and not pod_identity_associations.role_exists(arn):
        raise invalid(
            f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"
        )
