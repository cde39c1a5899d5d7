"""EKS clusters. The one that this machine runs has its real endpoint, certificate authority and issuer.

A cluster is ACTIVE. `<root>/clusters/<cluster>.json` gives it another status, as when EKS has lost a resource of it:
{"status": "FAILED", "issues": [{"code": …, "message": …, "resourceIds": […]}]}.
"""

import base64
import json
import secrets
from typing import Any

from sandbox import layout, pins
from sandbox.aws import node_groups, patching, updates
from sandbox.aws.emulator import Response, ec2, eks, responses
from sandbox.aws.refusal import RefusedError, in_use, invalid
from sandbox.aws.settings import ServerSettings

_ENDPOINT = f"https://{layout.CONTROL_ADDRESS}:{layout.API_PORT}"
_OK = 200
_FEWEST_ZONES = 2
_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")


def install(settings: ServerSettings) -> None:
    """Correct the emulator's record of a new cluster, and delete the addons of a deleted one."""
    patching.require(ec2, "_subnets")
    patching.require(eks, "_clusters", "_addons", "_tags", "_sanitize", "_json_resp", "_error")

    def _new_oidc_id() -> str:
        return secrets.token_hex(16).upper()

    def _issuer_url(oidc_id: str) -> str:
        return f"https://oidc.eks.{responses.get_region()}.amazonaws.com/id/{oidc_id}"

    def _create_cluster(body: dict[str, Any], creator_arn: str | None = None) -> Response:
        _check_cluster(body)
        answer = stock_create(body, creator_arn)
        cluster = eks._clusters.get(body.get("name", ""))
        if cluster is None or answer[0] != _OK:
            return answer
        _correct(settings, cluster, body)
        return eks._json_resp(200, {"cluster": eks._sanitize(cluster)})

    def _describe_cluster(name: str) -> Response:
        cluster = eks._clusters.get(name)
        if cluster is None:
            return stock_describe(name)
        return eks._json_resp(200, {"cluster": {**eks._sanitize(cluster), **_read_report(settings, name)}})

    def _delete_cluster(name: str) -> Response:
        _check_deletion(name)
        answer = stock_delete(name)
        if name not in eks._clusters:
            for key in [key for key in eks._addons if key.startswith(f"{name}/")]:
                eks._tags.pop(eks._addons.pop(key)["addonArn"], None)
        return answer

    def _restore_state(data: dict[str, Any]) -> None:
        """Restore the endpoint, which the emulator replaces after a restart."""
        stock_restore(data)
        for cluster in eks._clusters.to_dict().values():
            if cluster["name"] == layout.CLUSTER:
                cluster["endpoint"] = _ENDPOINT

    def _no_container_engine() -> None:
        """Prevent the emulator from starting a cluster in a container engine."""

    patching.replace(eks, "_new_oidc_id", _new_oidc_id)
    patching.replace(eks, "_issuer_url", _issuer_url)
    patching.replace(eks, "_get_docker", _no_container_engine)
    stock_restore = patching.replace(eks, "_restore_state", _restore_state)
    stock_create = patching.replace(eks, "_create_cluster", _create_cluster)
    stock_describe = patching.replace(eks, "_describe_cluster", _describe_cluster)
    stock_delete = patching.replace(eks, "_delete_cluster", _delete_cluster)


def _read_report(settings: ServerSettings, name: str) -> dict[str, Any]:
    """Return status and health of a cluster if a file gives them."""
    try:
        report = json.loads((settings.cluster_reports / f"{name}.json").read_text())
    except FileNotFoundError:
        return {}
    return {"status": report["status"], "health": {"issues": report.get("issues", [])}}


def configure(name: str, body: dict[str, Any]) -> Response:
    """UpdateClusterConfig. Refuses several changes at once and changes without an effect."""
    cluster = eks._clusters[name]
    kinds = {
        "accessConfig": "AccessConfigUpdate",
        "deletionProtection": "DeletionProtectionUpdate",
        "logging": "LoggingUpdate",
        "resourcesVpcConfig": "EndpointAccessUpdate",
        "upgradePolicy": "UpgradePolicyUpdate",
        "zonalShiftConfig": "ZonalShiftConfigUpdate",
    }
    given = [key for key in kinds if key in body]
    if len(given) != 1:
        raise invalid("Only one type of update can be allowed.")
    (key,) = given
    changed = {**cluster[key], **body[key]} if isinstance(body[key], dict) and key != "logging" else body[key]
    if changed == cluster.get(key):
        raise invalid(f"No changes needed for the {key} config provided")
    if key == "accessConfig" and not _is_allowed_mode_change(cluster[key], changed):
        before, after = (each["authenticationMode"] for each in (cluster[key], changed))
        raise invalid(f"Unsupported authentication mode update from {before} to {after}")
    cluster[key] = changed
    return updates.start(cluster, kinds[key], {key: json.dumps(body[key])})


def reads_access_entries(name: str) -> bool:
    """Return whether the cluster uses access entries, and not only the ConfigMap `aws-auth`."""
    return eks._clusters[name]["accessConfig"]["authenticationMode"] != _MODES[0]


def _is_allowed_mode_change(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Return whether the change of mode is allowed: EKS allows none back to the ConfigMap."""
    old, new = (_MODES.index(each["authenticationMode"]) for each in (before, after))
    return new > old


def upgrade(name: str, body: dict[str, Any]) -> Response:
    """UpdateClusterVersion, to the next minor version only."""
    cluster = eks._clusters[name]
    now, wanted = (int(version.split(".")[1]) for version in (cluster["version"], body["version"]))
    if wanted != now + 1:
        raise invalid(f"Unsupported Kubernetes minor version update from {cluster['version']} to {body['version']}")
    cluster["version"] = body["version"]
    return updates.start(cluster, "VersionUpdate", {"Version": body["version"]})


def _check_deletion(name: str) -> None:
    """Raise RefusedError when EKS does not delete a cluster now."""
    if eks._clusters.get(name, {}).get("deletionProtection"):
        text = f"Cluster {name} has deletion protection enabled; disable it before deleting the cluster."
        raise RefusedError("InvalidRequestException", text)
    if node_groups.names(name):
        raise in_use("Cluster has nodegroups attached")


def _check_cluster(body: dict[str, Any]) -> None:
    """Raise RefusedError when EKS refuses a new cluster."""
    ours = pins.KUBERNETES_MINOR
    version = body.get("version", ours)
    if body.get("name") == layout.CLUSTER and version != ours:
        raise invalid(f"unsupported Kubernetes version {version}; this machine runs {ours}")
    subnets = body.get("resourcesVpcConfig", {}).get("subnetIds", [])
    unknown = [subnet for subnet in subnets if subnet not in ec2._subnets]
    if unknown:
        raise invalid(f"The subnet ID '{unknown[0]}' does not exist")
    if len({ec2._subnets[subnet]["AvailabilityZone"] for subnet in subnets}) < _FEWEST_ZONES:
        raise invalid("Subnets specified must be in at least two different AZs")


def _correct(settings: ServerSettings, cluster: dict[str, Any], body: dict[str, Any]) -> None:
    cluster["accessConfig"] = {
        "authenticationMode": body.get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP"),
        "bootstrapClusterCreatorAdminPermissions": body.get("accessConfig", {}).get(
            "bootstrapClusterCreatorAdminPermissions", True
        ),
    }
    network = cluster["resourcesVpcConfig"]
    network["vpcId"] = ec2._subnets[network["subnetIds"][0]]["VpcId"]
    network["clusterSecurityGroupId"] = f"sg-{secrets.token_hex(9)[:17]}"
    cluster["platformVersion"] = "eks.1"
    cluster["health"] = {"issues": []}
    cluster["deletionProtection"] = bool(body.get("deletionProtection", False))
    cluster["zonalShiftConfig"] = body.get("zonalShiftConfig", {"enabled": False})
    cluster["upgradePolicy"] = body.get("upgradePolicy", {"supportType": "EXTENDED"})
    # Clusters without an API server here get the certificate authority of the one with an API server.
    authority = settings.certificate_authority
    if authority.exists():
        cluster["certificateAuthority"]["data"] = base64.b64encode(authority.read_bytes()).decode()
    if cluster["name"] != layout.CLUSTER:
        return
    cluster["identity"]["oidc"]["issuer"] = layout.ISSUER
    cluster["endpoint"] = _ENDPOINT
    cluster["kubernetesNetworkConfig"]["serviceIpv4Cidr"] = layout.SERVICE_CIDR
