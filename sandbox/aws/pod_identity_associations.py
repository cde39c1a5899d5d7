"""EKS Pod Identity associations, for existing roles only. Some belong to an addon. No agent uses them."""

from typing import Any

from sandbox.aws import patching
from sandbox.aws.emulator import Response, eks, iam

NO_ROLE = "Role provided in the request does not exist."


def install() -> None:
    """Allow tags of an association, and return its current tags. The emulator refuses them."""
    patching.require(eks, "_pod_identity_associations", "_create_pod_identity_association", "_pia_key", "_tags")
    patching.require(eks, "_tag_resource_not_found")

    def _describe_pod_identity_association(cluster_name: str, association_id: str) -> Response:
        found = eks._pod_identity_associations.get(eks._pia_key(cluster_name, association_id))
        if found is not None:
            found["tags"] = dict(eks._tags.get(found["associationArn"]) or {})
        return stock(cluster_name, association_id)

    def _resolve_tag_resource_arn(arn: str) -> tuple[str | None, Response | None]:
        if ":podidentityassociation/" not in arn:
            return stock_arn(arn)
        known = {each["associationArn"] for each in eks._pod_identity_associations.values()}
        return (arn, None) if arn in known else (None, eks._tag_resource_not_found(arn))

    stock = patching.replace(eks, "_describe_pod_identity_association", _describe_pod_identity_association)
    stock_arn = patching.replace(eks, "_resolve_tag_resource_arn", _resolve_tag_resource_arn)


def role_exists(arn: str) -> bool:
    """Return whether the ARN is that of a role of the account."""
    return ":role/" in arn and iam._roles.get(arn.rsplit("/", 1)[-1], {}).get("Arn") == arn


def make(cluster: str, namespace: str, association: dict[str, str], owner: str) -> str:
    """Create an addon's association and return its ARN. The addon takes over an existing one of the service account."""
    account = association["serviceAccount"]
    remove(cluster, [each["associationArn"] for each in _associations_of(cluster, namespace, account)])
    eks._create_pod_identity_association(cluster, {**association, "namespace": namespace})
    (made,) = _associations_of(cluster, namespace, account)
    made["ownerArn"] = owner
    return made["associationArn"]


def remove(cluster: str, arns: list[str]) -> None:
    """Remove the associations of an addon. Missing ones are no error."""
    for arn in arns:
        eks._pod_identity_associations.pop(eks._pia_key(cluster, arn.rsplit("/", 1)[-1]), None)
        eks._tags.pop(arn, None)


def _associations_of(cluster: str, namespace: str, account: str) -> list[dict[str, Any]]:
    return [
        each
        for each in eks._pod_identity_associations.values()
        if (each["clusterName"], each["namespace"], each["serviceAccount"]) == (cluster, namespace, account)
    ]
