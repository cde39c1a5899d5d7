"""Facts from the replies of AWS. Pure. Values that may be secret are not read."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from eks_rocketmq.doctor.collectors.kubernetes_parsers import redact
from eks_rocketmq.doctor.facts.cluster_facts import AddonFacts, ModificationFacts, SimulatedAction

Reply = Mapping[str, Any]


def decode_claims(token: str) -> dict[str, Any]:
    """Return the claims of a token without verifying it; an empty object if it is malformed."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def parse_addon(addon: Reply) -> AddonFacts:
    """Return an addon. Of its configuration values only the names are kept."""
    issues = (addon.get("health") or {}).get("issues") or []
    values = addon.get("configurationValues") or "{}"
    try:
        keys = sorted(json.loads(values))
    except (TypeError, ValueError):
        keys = []
    return AddonFacts(
        addon["addonName"],
        addon.get("addonVersion") or "",
        addon.get("status") or "",
        addon.get("serviceAccountRoleArn") or "",
        tuple(redact(f"{each.get('code')}: {each.get('message')}") for each in issues),
        ", ".join(keys),
        tuple(each.rpartition("/")[2] for each in addon.get("podIdentityAssociations") or []),
    )


def parse_modification(modification: Reply) -> ModificationFacts:
    """Return the latest modification of a volume."""
    started = modification.get("StartTime")
    return ModificationFacts(
        modification["VolumeId"],
        modification.get("ModificationState") or "",
        started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if started else "",
        modification.get("Progress") or 0,
    )


def parse_simulation(result: Reply) -> SimulatedAction:
    """Return the result of SimulatePrincipalPolicy for one action."""
    boundary = result.get("PermissionsBoundaryDecisionDetail") or {}
    organization = result.get("OrganizationsDecisionDetail") or {}
    return SimulatedAction(
        result["EvalActionName"],
        result["EvalDecision"],
        boundary.get("AllowedByPermissionsBoundary", True),
        organization.get("AllowedByOrganizations", True),
        result.get("EvalResourceName") or "*",
    )
