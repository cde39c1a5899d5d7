"""EKS: routes the requests of the overlay, and checks access entries as EKS does."""

import json
import re
from typing import Any
from urllib.parse import unquote

from sandbox.aws import addons, clusters, node_groups, patching, pod_identity_associations, updates
from sandbox.aws.emulator import Parameters, Response, eks, iam
from sandbox.aws.refusal import RefusedError, invalid, not_found
from sandbox.aws.settings import ServerSettings

_CLUSTER = re.compile(r"/clusters/([\w-]+)/")
_ADDON = re.compile(r"/clusters/([\w-]+)/addons(?:/([\w.-]+?)(/update)?)?")
_UPDATES = re.compile(r"/clusters/([\w-]+)/updates/([\w-]+)")
_ASSOCIATIONS = re.compile(r"/clusters/([\w-]+)/pod-identity-associations(/[\w-]+)?")
_CHANGES = re.compile(r"/clusters/([\w-]+)/(update-config|updates)")
_GROUP_CHANGES = re.compile(r"/clusters/([\w-]+)/node-groups/([\w-]+)/(update-config|update-version)")
_ENTRIES = re.compile(r"/clusters/([\w-]+)/access-entries")
_POLICIES = re.compile(r"/clusters/([\w-]+)/access-entries/(.+)/access-policies")


def install(settings: ServerSettings) -> None:
    """Handle requests before the emulator does."""
    patching.require(eks, "_ACCESS_POLICY_RULES", "_ACCESS_POLICY_ARN_PREFIX", "_access_entries", "_ae_key", "_tags")
    clusters.install(settings)
    node_groups.install()
    addons.install()

    def _describe_access_entry(cluster_name: str, principal_arn: str) -> Response:
        """Return the entry with its current tags."""
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
            return answer or stock(method, path, headers, body_bytes, query_params)
        except RefusedError as refused:
            return eks._error(refused.status, refused.code, str(refused))

    stock_entry = patching.replace(eks, "_describe_access_entry", _describe_access_entry)
    stock = patching.replace(eks, "_handle_request_sync", _handle_request_sync)


def _route(
    settings: ServerSettings, method: str, path: str, body: dict[str, Any], query: dict[str, str]
) -> Response | None:
    """Return the overlay's answer, or None to let the emulator answer."""
    match method, path:
        case "GET", "/addons/supported-versions":
            return addons.supported_versions(query.get("addonName"), query.get("kubernetesVersion"))
        case "GET", "/addons/configuration-schemas":
            return addons.configuration(query.get("addonName", ""), query.get("addonVersion", ""))
        case "GET", "/access-policies":
            return _access_policies()
    if not (cluster := _CLUSTER.match(path)):
        return None
    if cluster[1] not in eks._clusters:
        raise not_found(f"No cluster found for name: {cluster[1]}.")
    return _in_cluster(settings, method, path, body, query)


def _in_cluster(
    settings: ServerSettings, method: str, path: str, body: dict[str, Any], query: dict[str, str]
) -> Response | None:
    if found := _ADDON.fullmatch(path):
        return _addon(settings, method, found, body, query)
    if (found := _UPDATES.fullmatch(path)) and method == "GET":
        return _update(settings, found[1], found[2], query)
    if method == "POST" and (found := _CHANGES.fullmatch(path) or _GROUP_CHANGES.fullmatch(path)):
        return _change(found, body)
    if (
        _ASSOCIATIONS.fullmatch(path)
        and body.get("roleArn")
        and not pod_identity_associations.role_exists(body["roleArn"])
    ):
        raise invalid(pod_identity_associations.NO_ROLE)
    if method == "POST":
        _check_entry(path, body)
    return None


def _check_entry(path: str, body: dict[str, Any]) -> None:
    """Raise RefusedError when EKS refuses an access entry or its policy."""
    if (found := _ENTRIES.match(path)) and not clusters.reads_access_entries(found[1]):
        text = "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this"
        raise RefusedError("InvalidRequestException", f"{text} operation.")
    if _ENTRIES.fullmatch(path):
        _check_principal(body.get("principalArn", ""))
    if _POLICIES.fullmatch(path):
        _check_policy(body.get("policyArn", ""))


def _change(found: re.Match[str], body: dict[str, Any]) -> Response:
    """Change a cluster or a node group."""
    cluster, *group, kind = found.groups()
    if not group:
        return clusters.configure(cluster, body) if kind == "update-config" else clusters.upgrade(cluster, body)
    record = node_groups.record(cluster, group[0])
    return node_groups.configure(record, body) if kind == "update-config" else node_groups.upgrade(record, body)


def _update(settings: ServerSettings, cluster: str, update_id: str, query: dict[str, str]) -> Response:
    """DescribeUpdate of an addon, a node group or a cluster."""
    if "addonName" in query:
        return addons.describe_update(settings, cluster, query["addonName"], update_id)
    if "nodegroupName" in query:
        return updates.describe(node_groups.record(cluster, query["nodegroupName"]), update_id)
    return updates.describe(eks._clusters[cluster], update_id)


def _addon(
    settings: ServerSettings, method: str, found: re.Match[str], body: dict[str, Any], query: dict[str, str]
) -> Response | None:
    match method, *found.groups():
        case "GET", cluster, None, _:
            return addons.names(cluster)
        case "POST", cluster, None, _:
            return addons.create(cluster, body)
        case "GET", cluster, name, None:
            return addons.describe(settings, cluster, name)
        case "DELETE", cluster, name, None:
            return addons.delete(settings, cluster, name, query.get("preserve") == "true")
        case "POST", cluster, name, "/update":
            return addons.update(settings, cluster, name, body)
    return None


def _access_policies() -> Response:
    policies = [
        {"name": name, "arn": f"arn:aws:eks::aws:{eks._ACCESS_POLICY_ARN_PREFIX}{name}"}
        for name in eks._ACCESS_POLICY_RULES
    ]
    return eks._json_resp(200, {"accessPolicies": policies})


def _check_principal(arn: str) -> None:
    """Refuse an unknown principal. EKS stores its unique id, so a recreated user has no access."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    store = {"user": iam._users, "role": iam._roles}.get(kind, {})
    if store.get(name.rsplit("/", 1)[-1], {}).get("Arn") != arn:
        raise invalid("The specified principalArn is invalid: invalid principal.")


def _check_policy(arn: str) -> None:
    prefix, _, name = arn.rpartition("/")
    if prefix != "arn:aws:eks::aws:cluster-access-policy" or name not in eks._ACCESS_POLICY_RULES:
        raise invalid(f"The policyArn {arn} is not an EKS access policy.")


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
