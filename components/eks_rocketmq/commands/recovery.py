"""What a killed engine left half done. Pure: takes a state export and gives the one that knows what was made.

An engine that is killed while it creates something cannot know whether it exists now; the next update would create it
again: a second one, or an error. The state holds the planned inputs, and what they name or tag can be looked for.
The engine's own `refresh --import-pending-creates` forgets such a resource (seen with 3.259.0), and an ordinary import
would take every default of the server for an input, so that the next update replaces the object.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eks_rocketmq.lookups.existing_resource import ExistingResource

CreateLookup = Callable[[str, Mapping[str, Any], Mapping[str, Any], Collection[str]], Sequence[ExistingResource] | None]
"""Takes type, inputs, the inputs of the provider, and the ids of that type which the stack has. Gives what the create
made: nothing, one resource, or several that look alike. None: it cannot be determined."""


@dataclass(frozen=True)
class Recovery:
    """How a state with interrupted operations becomes one that a refresh can bring up to date."""

    state: Mapping[str, Any]
    """The document for `pulumi stack import`, which drops every pending operation."""
    operation_count: int
    """Operations that were under way; with none there is nothing to recover."""
    created: list[tuple[str, str]]
    """URN and id of the creates that did happen."""
    absent: list[str]
    """URNs of those that did not: the next update makes them."""
    undetermined: list[tuple[str, list[str]]]
    """URNs of those whose result cannot be determined, with the ids of the candidates. With any of them the state
    must not be imported: they would be forgotten."""


def recover_state(export: Mapping[str, Any], lookup: CreateLookup, absent: Collection[str] = ()) -> Recovery:
    """Return what becomes of an interrupted update.

    Args:
        export: the document of `pulumi stack export`.
        lookup: what a create made.
        absent: names or URNs of resources that do not exist, as the user has checked.
    """
    deployment = dict(export.get("deployment") or {})
    operations = deployment.pop("pending_operations", None) or []
    resources = list(deployment.get("resources") or [])
    inputs_of = {resource["urn"]: resource.get("inputs", {}) for resource in resources}
    left = Recovery({}, len(operations), [], [], [])
    for operation in operations:
        planned = operation["resource"]
        if operation["type"] != "creating":
            continue
        urn = planned["urn"]
        provider = inputs_of.get(planned.get("provider", "").rsplit("::", 1)[0], {})
        known = {resource.get("id") for resource in resources if resource.get("type") == planned["type"]}
        told = urn in absent or urn.rsplit("::", 1)[-1] in absent
        found = [] if told else lookup(planned["type"], planned.get("inputs", {}), provider, known)
        if found is None or len(found) > 1:
            left.undetermined.append((urn, [each.id for each in found or ()]))
        elif found:
            left.created.append((urn, found[0].id))
            # A replacement was made before its predecessor went. Two resources of one name are no state.
            resources = [each | {"delete": True} if each["urn"] == urn else each for each in resources]
            resources.append(planned | {"id": found[0].id, "outputs": _get_minimal_outputs(planned)})
        else:
            left.absent.append(urn)
    return replace(left, state={**export, "deployment": deployment | {"resources": resources}})


def _get_minimal_outputs(planned: Mapping[str, Any]) -> Mapping[str, Any]:
    """The least that a provider needs to read the rest: the kubernetes one compares only what was given as input."""
    inputs = planned.get("inputs", {})
    if not planned["type"].startswith("kubernetes:"):
        return {}
    return {**inputs, "__inputs": inputs, "__initialApiVersion": inputs.get("apiVersion", "")}
