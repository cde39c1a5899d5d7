"""What a killed engine left half done. Pure: takes a state export and gives the one that knows what was made.

An engine that is killed while it creates something cannot know whether it exists now; the next update would create it
again and be refused. The state holds the planned inputs and the id follows from them. The engine's own
`refresh --import-pending-creates` forgets such a resource (seen with 3.259.0), and an ordinary import would take every
default of the server for an input, so that the next update replaces the object.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.eks.lookup import Found

Lookup = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Found | None]
"""Takes type, inputs and the inputs of the provider; gives the resource's id when it exists."""


@dataclass(frozen=True)
class Recovery:
    """How a state with interrupted operations becomes one that a refresh can bring up to date."""

    state: Mapping[str, Any]
    """The document for `pulumi stack import`."""
    operations: int
    """Operations that were under way; with none there is nothing to recover."""
    created: list[tuple[str, str]]
    """URN and id of the creates that did happen. Those that did not are dropped, the next update makes them."""


def recovery(export: Mapping[str, Any], lookup: Lookup) -> Recovery:
    """What becomes of an interrupted update.

    Args:
        export: the document of `pulumi stack export`.
        lookup: whether a resource exists.
    """
    deployment = dict(export.get("deployment") or {})
    operations = deployment.pop("pending_operations", None) or []
    resources = list(deployment.get("resources") or [])
    inputs_of = {resource["urn"]: resource.get("inputs", {}) for resource in resources}
    created = []
    for operation in operations:
        planned = operation["resource"]
        if operation["type"] != "creating":
            continue
        provider = inputs_of.get(planned.get("provider", "").rsplit("::", 1)[0], {})
        found = lookup(planned["type"], planned.get("inputs", {}), provider)
        if found is not None:
            created.append((planned["urn"], found.id))
            resources.append(planned | {"id": found.id, "outputs": _outputs(planned)})
    return Recovery({**export, "deployment": deployment | {"resources": resources}}, len(operations), created)


def _outputs(planned: Mapping[str, Any]) -> Mapping[str, Any]:
    """The least that a provider needs to read the rest: the kubernetes one compares only what was given as input."""
    inputs = planned.get("inputs", {})
    if not planned["type"].startswith("kubernetes:"):
        return {}
    return {**inputs, "__inputs": inputs, "__initialApiVersion": inputs.get("apiVersion", "")}
