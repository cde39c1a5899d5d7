"""EKS: routes the addon verbs to their room, and checks access entries as EKS does."""

import json
import re
from typing import Any
from urllib.parse import unquote

from sandbox.aws import addons, clusters, guard, node_groups, pod_identity, updates
from sandbox.aws.emulator import Parameters, Response, eks, iam
from sandbox.aws.settings import Settings

_CLUSTER = re.compile(r"/clusters/([\w-]+)/")
_ADDON = re.compile(r"/clusters/([\w-]+)/addons(?:/([\w.-]+?)(/update)?)?")
_UPDATES = re.compile(r"/clusters/([\w-]+)/updates/([\w-]+)")
_ASSOCIATIONS = re.compile(r"/clusters/([\w-]+)/pod-identity-associations(/[\w-]+)?")
_CHANGES = re.compile(r"/clusters/([\w-]+)/(update-config|updates)")
_GROUP_CHANGES = re.compile(r"/clusters/([\w-]+)/node-groups/([\w-]+)/(update-config|update-version)")
_ENTRIES = re.compile(r"/clusters/([\w-]+)/access-entries")
_POLICIES = re.compile(r"/clusters/([\w-]+)/access-entries/(.+)/access-policies")


def install(settings: Settings) -> None:
    """Route before the emulator does."""
    guard.require(eks, "_ACCESS_POLICY_RULES", "_ACCESS_POLICY_ARN_PREFIX", "_access_entries", "_ae_key", "_tags")
    clusters.install(settings)
    node_groups.install()
    addons.install()

    def _describe_access_entry(cluster_name: str, principal_arn: str) -> Response:
        """With the tags that it has now."""
        entry = eks._access_entries.get(eks._ae_key(cluster_name, principal_arn))
        if entry:
            entry["tags"] = dict(eks._tags.get(entry["accessEntryArn"]) or {})
        return stock_entry(cluster_name, principal_arn)

    def _handle_request_sync(
        method: str, path: str, headers: dict[str, str], body_bytes: bytes, query_params: Parameters
    ) -> Response:
        body = _json(body_bytes)
        query = {name: values[0] if isinstance(values, list) else values for name, values in query_params.items()}
        try:
            answer = _route(settings, method, unquote(path), body, query)
        except addons.NoSuchAddonError as missing:
            return eks._error(404, "ResourceNotFoundException", str(missing))
        return answer or stock(method, path, headers, body_bytes, query_params)

    stock_entry = guard.replace(eks, "_describe_access_entry", _describe_access_entry)
    stock = guard.replace(eks, "_handle_request_sync", _handle_request_sync)


def _route(settings: Settings, method: str, path: str, body: dict[str, Any], query: dict[str, str]) -> Response | None:
    """The overlay's answer, or None where the emulator's own is good."""
    match method, path:
        case "GET", "/addons/supported-versions":
            return addons.supported_versions(query.get("addonName"), query.get("kubernetesVersion"))
        case "GET", "/addons/configuration-schemas":
            return addons.configuration(query.get("addonName", ""), query.get("addonVersion", ""))
        case "GET", "/access-policies":
            return _access_policies()
    if not (cluster := _CLUSTER.match(path)):
        return None
    return _no_cluster(cluster[1]) or _in_cluster(settings, method, path, body, query)


def _in_cluster(
    settings: Settings, method: str, path: str, body: dict[str, Any], query: dict[str, str]
) -> Response | None:
    if found := _ADDON.fullmatch(path):
        return _addon(settings, method, found, body, query)
    if (found := _UPDATES.fullmatch(path)) and method == "GET":
        return _update(settings, found[1], found[2], query)
    if method == "POST" and (found := _CHANGES.fullmatch(path) or _GROUP_CHANGES.fullmatch(path)):
        return _change(found, body)
    if _ASSOCIATIONS.fullmatch(path) and body.get("roleArn") and not pod_identity.role_exists(body["roleArn"]):
        return eks._error(400, "InvalidParameterException", pod_identity.NO_ROLE)
    return _entry_refusal(path, body) if method == "POST" else None


def _entry_refusal(path: str, body: dict[str, Any]) -> Response | None:
    """Why an access entry or its policy cannot be."""
    if (found := _ENTRIES.match(path)) and not clusters.reads_access_entries(found[1]):
        text = "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this"
        return eks._error(400, "InvalidRequestException", f"{text} operation.")
    if _ENTRIES.fullmatch(path):
        return _principal_refusal(body.get("principalArn", ""))
    if _POLICIES.fullmatch(path):
        return _policy_refusal(body.get("policyArn", ""))
    return None


def _change(found: re.Match[str], body: dict[str, Any]) -> Response:
    """A change of a cluster or of a node group."""
    cluster, *group, kind = found.groups()
    if not group:
        return clusters.configure(cluster, body) if kind == "update-config" else clusters.upgrade(cluster, body)
    record = node_groups.record(cluster, group[0])
    if record is None:
        return _no_group(group[0])
    return node_groups.configure(record, body) if kind == "update-config" else node_groups.upgrade(record, body)


def _update(settings: Settings, cluster: str, update_id: str, query: dict[str, str]) -> Response:
    """DescribeUpdate, of an addon, of a node group or of the cluster itself."""
    if "addonName" in query:
        return addons.describe_update(settings, cluster, query["addonName"], update_id)
    if "nodegroupName" in query:
        group = node_groups.record(cluster, query["nodegroupName"])
        return _no_group(query["nodegroupName"]) if group is None else updates.described(group, update_id)
    return updates.described(eks._clusters[cluster], update_id)


def _no_group(name: str) -> Response:
    return eks._error(404, "ResourceNotFoundException", f"No node group found for name: {name}.")


def _addon(
    settings: Settings, method: str, found: re.Match[str], body: dict[str, Any], query: dict[str, str]
) -> Response | None:
    cluster, name, updating = found[1], found[2], found[3]
    match method, name is not None, updating is not None:
        case "GET", False, _:
            return addons.names(cluster)
        case "POST", False, _:
            return addons.create(cluster, body)
        case "GET", True, False:
            return addons.describe(settings, cluster, name)
        case "DELETE", True, False:
            return addons.delete(settings, cluster, name, query.get("preserve") == "true")
        case "POST", True, True:
            return addons.update(settings, cluster, name, body)
    return None


def _no_cluster(name: str) -> Response | None:
    if name in eks._clusters:
        return None
    return eks._error(404, "ResourceNotFoundException", f"No cluster found for name: {name}.")


def _access_policies() -> Response:
    policies = [
        {"name": name, "arn": f"arn:aws:eks::aws:{eks._ACCESS_POLICY_ARN_PREFIX}{name}"}
        for name in eks._ACCESS_POLICY_RULES
    ]
    return eks._json_resp(200, {"accessPolicies": policies})


def _principal_refusal(arn: str) -> Response | None:
    """A principal must exist: EKS keeps its unique id, so that a user made again is not let in."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    store = {"user": iam._users, "role": iam._roles}.get(kind)
    known = store is not None and store.get(name.rsplit("/", 1)[-1], {}).get("Arn") == arn
    if known:
        return None
    return eks._error(
        400,
        "InvalidParameterException",
        "The specified principalArn is invalid: invalid principal.",
    )


def _policy_refusal(arn: str) -> Response | None:
    if arn.startswith("arn:aws:eks::aws:cluster-access-policy/") and arn.rsplit("/", 1)[-1] in eks._ACCESS_POLICY_RULES:
        return None
    return eks._error(400, "InvalidParameterException", f"The policyArn {arn} is not an EKS access policy.")


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
