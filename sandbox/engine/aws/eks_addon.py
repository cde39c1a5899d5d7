"""EKS addons and Pod Identity associations."""

from collections.abc import Sequence
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.comparison import same_json
from sandbox.engine.aws.resource import FIXED, LOCAL, REGION_AND_TAGS, Description, Operation, Property, Wait, send_to
from sandbox.engine.aws.services import eks_tags, eks_type
from sandbox.engine.aws.validators import arn, json_object, one_of

_PENDING = frozenset({"CREATING", "DEGRADED"})
"""The provider waits on a degraded addon."""
_STATES = _PENDING | {"ACTIVE", "CREATE_FAILED", "DELETE_FAILED", "DELETING", "UPDATE_FAILED", "UPDATING"}


def _same_associations(one: list[dict[str, str]], other: list[dict[str, str]]) -> bool:
    """Compare the roles of the service accounts, in any order."""
    before, after = ({each["serviceAccount"]: each["roleArn"] for each in listed} for listed in (one, other))
    return before == after


def _outputs(aws: Account, addon: Description) -> dict[str, Any]:
    """Return the addon's associations. EKS lists only their ARNs."""
    ids = [f"{addon['clusterName']},{arn.rsplit('/', 1)[-1]}" for arn in addon.get("podIdentityAssociations", [])]
    found = [ASSOCIATION.description(aws, each) for each in ids]
    return {
        "podIdentityAssociations": [
            {"roleArn": each["roleArn"], "serviceAccount": each["serviceAccount"]} for each in found if each
        ]
    }


def _update(op: Operation, keys: Sequence[str]) -> None:
    role = op.news.get("serviceAccountRoleArn")
    associations = op.news.get("podIdentityAssociations") or []
    op.call(
        "UpdateAddon",
        addonVersion=op.news.get("addonVersion"),
        configurationValues=op.news.get("configurationValues"),
        podIdentityAssociations=associations if "podIdentityAssociations" in keys else None,
        resolveConflicts=op.news.get("resolveConflictsOnUpdate"),
        serviceAccountRoleArn=role or ("" if op.olds.get("serviceAccountRoleArn") else None),
    )


ADDON = eks_type(
    "aws:eks/addon:Addon",
    "EKS Add-On",
    "Addon",
    "(?P<clusterName>[^:]+):(?P<addonName>.+)",
    {
        "addonName": FIXED,
        "addonVersion": Property(computed=True, update=_update),
        "clusterName": FIXED,
        "configurationValues": Property(
            computed=True,
            same=same_json,
            keeps_text=True,
            validate=json_object(),
            path="configurationValues || ''",
            update=_update,
        ),
        "podIdentityAssociations": Property(same=_same_associations, update=_update),
        "preserve": LOCAL,
        "resolveConflictsOnCreate": Property(
            validate=one_of("NONE", "OVERWRITE"), argument="resolveConflicts", path="", local=True
        ),
        "resolveConflictsOnUpdate": Property(
            validate=one_of("NONE", "OVERWRITE", "PRESERVE"), argument="", path="", local=True
        ),
        "serviceAccountRoleArn": Property(validate=arn, path="serviceAccountRoleArn || ''", update=_update),
        **REGION_AND_TAGS,
    },
    id_error="unexpected format for ID, expected cluster-name:addon-name",
    id_path="join(':', [inputs.clusterName, inputs.addonName])",
    delete=lambda op: op.call("DeleteAddon", preserve=op.olds.get("preserve")),
    outputs=("createdAt", "modifiedAt"),
    output_paths={"arn": "addonArn"},
    more_outputs=_outputs,
    create_wait=Wait("status", _PENDING, frozenset({"ACTIVE"}), 20 * 60, issues="health.issues"),
    delete_wait=Wait("status", _STATES, frozenset({""}), 40 * 60, issues="health.issues"),
    update_seconds=20 * 60,
    messages={
        "creating": "creating EKS Add-On ({clusterName}:{addonName})",
        "tagging": "updating tags for EKS Add-On ({id})",
        "waiting": "waiting for EKS Add-On ({id}) update",
    },
)

_update_association = send_to("UpdatePodIdentityAssociation")
ASSOCIATION = eks_type(
    "aws:eks/podIdentityAssociation:PodIdentityAssociation",
    "EKS Pod Identity Association",
    "PodIdentityAssociation",
    "(?P<clusterName>[^,]+),(?P<associationId>.+)",
    {
        "clusterName": FIXED,
        "disableSessionTags": Property(computed=True, path="disableSessionTags || `false`", update=_update_association),
        "namespace": FIXED,
        "roleArn": Property(validate=arn, update=_update_association),
        "serviceAccount": FIXED,
        "targetRoleArn": Property(validate=arn, path="targetRoleArn || ''", update=_update_association),
        **REGION_AND_TAGS,
    },
    id_error="unexpected format for ID, expected cluster_name,association_id",
    id_path="join(',', [inputs.clusterName, association.associationId])",
    description_path="association",
    tagging=eks_tags("associationArn"),
    outputs=("associationArn", "associationId"),
    output_paths={"externalId": "externalId || ''"},
    messages={"creating": "creating EKS Pod Identity Association ({serviceAccount})"},
)
