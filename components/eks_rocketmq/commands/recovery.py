"""Recovery of a state with interrupted creates. Pure.

If the engine is killed during a create, it does not know whether the resource exists. The next update would create it
again, which makes a second resource or fails. The state contains the planned inputs, so the resource can be found by
name or tags. The engine's own `refresh --import-pending-creates` forgets such a resource (seen with 3.259.0). An
ordinary import would record the server's defaults as inputs, and the next update would replace the object.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.pulumi_sdk.engine_values import get_provider_urn

CreateLookup = Callable[[str, Mapping[str, Any], Mapping[str, Any], Collection[str]], Sequence[ExistingResource] | None]
"""Takes type, inputs, inputs of the provider, and the ids of that type in the stack.

Returns the resources that the create made: none, one, or several that match. None means that it cannot be determined.
"""


@dataclass(frozen=True)
class Recovery:
    """A state without interrupted operations, which a refresh can complete."""

    state: Mapping[str, Any]
    """Document for `pulumi stack import`, without pending operations."""
    operation_count: int
    """Number of interrupted operations. With 0 there is nothing to recover."""
    created: list[tuple[str, str]]
    """URN and id of each create that made a resource."""
    absent: list[str]
    """URNs of the creates that made no resource. The next update creates them."""
    undetermined: list[tuple[str, list[str]]]
    """URNs of the creates with an unknown result, with the ids of the candidates.

    The state must not be imported if there are any, because it does not contain them.
    """


def recover_state(export: Mapping[str, Any], lookup: CreateLookup, absent: Collection[str] = ()) -> Recovery:
    """Return the recovered state of an interrupted update.

    `export` is the output of `pulumi stack export`. `absent` are names or URNs of resources that do not exist, as the
    user has checked.
    """
    deployment = dict(export.get("deployment") or {})
    operations = deployment.pop("pending_operations", None) or []
    resources = list(deployment.get("resources") or [])
    inputs_of = {resource["urn"]: resource.get("inputs", {}) for resource in resources}
    recovered = Recovery({}, len(operations), [], [], [])
    for operation in operations:
        planned = operation["resource"]
        if operation["type"] != "creating":
            continue
        urn = planned["urn"]
        provider = inputs_of.get(get_provider_urn(planned), {})
        known = {
            resource.get("id")
            for resource in resources
            if resource.get("type") == planned["type"] and not _is_deleted(resource)
        }
        # A component is only in the state. Its children have operations of their own.
        is_component = not planned.get("custom", True)
        is_absent = is_component or urn in absent or urn.rsplit("::", 1)[-1] in absent
        found = [] if is_absent else lookup(planned["type"], planned.get("inputs", {}), provider, known)
        if found is None or len(found) > 1:
            recovered.undetermined.append((urn, [each.id for each in found or ()]))
        elif found:
            recovered.created.append((urn, found[0].id))
            # If the replacement was created before the old resource was deleted, only one of them may keep the URN.
            resources = [
                each | {"delete": True} if each["urn"] == urn else each
                for each in resources
                if each["urn"] != urn or not _is_deleted(each)
            ]
            resources.append(planned | {"id": found[0].id, "outputs": _get_minimal_outputs(planned)})
        else:
            recovered.absent.append(urn)
    return replace(recovered, state={**export, "deployment": deployment | {"resources": resources}})


def _is_deleted(resource: Mapping[str, Any]) -> bool:
    """Return whether a resource was deleted before its replacement, which can have the same ID."""
    return bool(resource.get("pendingReplacement"))


def _get_minimal_outputs(planned: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the outputs that a provider needs to read the others.

    The Kubernetes provider compares only recorded inputs.
    """
    inputs = planned.get("inputs", {})
    if not planned["type"].startswith("kubernetes:"):
        return {}
    return {**inputs, "__inputs": inputs, "__initialApiVersion": inputs.get("apiVersion", "")}
