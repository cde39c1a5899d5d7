"""Import once: brings what account and cluster already have into the stack, so that the next update corrects it.

A program that looked up what exists and then created or read it would find its own resources on the second run, switch
to reading, and the engine would delete them. So the look-up happens here, once and outside of it: the engine plans
(`pulumi preview --import-file`), the ids follow from the planned inputs, what exists is imported, the rest is dropped.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from eks_rocketmq.lookups import interrupted_creates
from eks_rocketmq.lookups.aws_resources import AWS_LOOKUPS, Session, find_resource
from eks_rocketmq.lookups.create_checks import OWNER_TAG, describe_owner, describe_tag_removal
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.kubernetes_objects import get_import_id
from eks_rocketmq.pulumi_sdk.engine_values import UNKNOWN

PROVIDER_TYPE_PREFIX = "pulumi:providers:"
PLACEHOLDER = "<PLACEHOLDER>"
"""What the engine writes for an id that it cannot know."""

_DIFF_RESOURCE = re.compile(r"\s*\S*\s*\S+:\S+: \((?P<operation>[a-z-]+)\)")
"""First line of one resource in a diff, such as `    ~ aws:iam/role:Role: (update)`."""
_STATE_ONLY_TYPES = ("pulumi:", "random:")
"""Beginnings of types that are nowhere but in the state: an interrupted create leaves nothing behind."""
_NON_CORRECTING_OPERATIONS = frozenset({"create", "same", "read"})

ImportSpec = dict[str, Any]
"""One resource of an import file: `type`, `name`, `id`, `parent`, `provider`, `component`, …"""
KubernetesLookup = Callable[[str, Mapping[str, Any]], ExistingResource | None]
"""Takes kubeconfig and object; gives the object's import id when the cluster has it."""


@dataclass(frozen=True)
class PreviewedPlan:
    """What the engine would create, from one preview."""

    inputs: Mapping[str, Mapping[str, Any]]
    """Planned inputs by URN, of every resource of the stack."""
    providers: Mapping[str, str]
    """URN of each resource's provider, by the URN of the resource."""
    specs: list[ImportSpec]
    """The resources of the import file, in its order."""
    name_table: Mapping[str, str]
    """URNs of what the stack has already and the specs refer to, by name."""
    stack: str
    project: str


@dataclass(frozen=True)
class Adoption:
    """What to import: the file for `pulumi import`, and what a person should see of it."""

    existing: list[tuple[str, str, str]]
    """Type, name and id of each resource that exists."""
    import_files: list[Mapping[str, Any]]
    """Import files, in the order in which they have to be imported."""
    blocked: list[str]
    """What exists and must not be imported as it is planned, each with the reason and what to do."""


def read_plan(digest: Mapping[str, Any], import_file: Mapping[str, Any], stack: str, project: str) -> PreviewedPlan:
    """The plan from the two documents of `pulumi preview --json --import-file`.

    Args:
        digest: standard output of the preview.
        import_file: what it wrote.
        stack: name of the stack, without organization.
        project: name of the project.
    """
    states = {step["urn"]: step.get("newState") or step.get("oldState") or {} for step in digest.get("steps", [])}
    return PreviewedPlan(
        inputs={urn: state.get("inputs", {}) for urn, state in states.items()},
        providers={urn: state.get("provider", "").rsplit("::", 1)[0] for urn, state in states.items()},
        specs=list(import_file.get("resources") or []),
        name_table=import_file.get("nameTable") or {},
        stack=stack,
        project=project,
    )


def plan_adoption(
    plan: PreviewedPlan, session: Callable[[Mapping[str, Any]], Session], kubernetes: KubernetesLookup
) -> Adoption:
    """What of a plan exists already, with the components above it and the providers that it needs.

    What another stack manages is refused: two stacks would undo each other's changes, and the first `destroy` would
    take it from both.

    Args:
        plan: what the engine would create.
        session: a boto3 session for the inputs of an `aws` provider.
        kubernetes: looks an object up in a cluster.
    """
    ids: dict[str, str] = {}
    refused: list[str] = []
    for spec in plan.specs:
        found = _find_with_owner(spec, plan, session, kubernetes) if spec.get("id") == PLACEHOLDER else None
        if found is not None:
            ids[spec["name"]] = found.id
            refused += _find_blockers(spec["type"], found, f"{plan.project}/{plan.stack}")
    kept = _select_with_dependencies(plan.specs, ids)
    resources = [spec | {"id": ids[spec["name"]]} if spec["name"] in ids else spec for spec in kept]
    return Adoption(
        existing=[(spec["type"], spec["name"], spec["id"]) for spec in resources if spec["name"] in ids],
        import_files=_build_import_files(resources, plan),
        blocked=refused,
    )


def _find_blockers(type_: str, found: ExistingResource, own: str) -> list[str]:
    owner = found.tags.get(OWNER_TAG)
    marked = (
        [f"{describe_owner(type_, found.id, owner)}. {describe_tag_removal(owner)}"] if owner and owner != own else []
    )
    return [*marked, *([found.import_blocker] if found.import_blocker else [])]


def extract_corrections(diff: str) -> str:
    """The part of a `pulumi preview --diff` that changes what exists, and the closing count.

    After an adoption nearly all of the diff is what will be created, thousands of lines in which a corrected trust
    policy would go unseen.
    """
    shown, lines = True, []
    for line in diff.splitlines():
        if block := _DIFF_RESOURCE.match(line):
            shown = block["operation"] not in _NON_CORRECTING_OPERATIONS
        elif line.startswith("Resources:"):
            shown = True
        elif line.strip() == "--outputs:--":
            shown = False
        if shown:
            lines.append(line)
    return "\n".join(lines)


def build_urn(spec: ImportSpec, plan: PreviewedPlan) -> str:
    """The URN that the program will give to a resource of the import file."""
    by_name = {other["name"]: other for other in plan.specs}
    parent = spec.get("parent", "")
    types = [spec["type"]]
    while parent in by_name:
        types.insert(0, by_name[parent]["type"])
        parent = by_name[parent].get("parent", "")
    if parent in plan.name_table:
        types.insert(0, plan.name_table[parent].split("::")[2])
    name = spec.get("logicalName") or spec["name"]
    return f"urn:pulumi:{plan.stack}::{plan.project}::{'$'.join(types)}::{name}"


def _find_with_owner(
    spec: ImportSpec, plan: PreviewedPlan, session: Callable[[Mapping[str, Any]], Session], kubernetes: KubernetesLookup
) -> ExistingResource | None:
    urn = build_urn(spec, plan)
    provider = plan.inputs.get(plan.providers.get(urn, ""), {})
    inputs = plan.inputs.get(urn, {})
    found = find_existing(spec["type"], inputs, provider, session, kubernetes)
    if found is None or not spec["type"].startswith("kubernetes:") or not inputs["metadata"].get("namespace"):
        return found
    # Namespaces carry the mark of their stack, what is in them does not.
    place = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": inputs["metadata"]["namespace"]}}
    namespace = kubernetes(provider.get("kubeconfig", ""), place)
    owner = namespace.tags.get(OWNER_TAG) if namespace else None
    return replace(found, tags={OWNER_TAG: owner, **found.tags}) if owner else found


def find_existing(
    type_: str,
    inputs: Mapping[str, Any],
    provider: Mapping[str, Any],
    session: Callable[[Mapping[str, Any]], Session],
    kubernetes: KubernetesLookup,
) -> ExistingResource | None:
    """What account or cluster have under the name that `inputs` give; None for types that nobody else could have made.

    Args:
        type_: type token of the resource.
        inputs: planned inputs of the resource.
        provider: inputs of its provider.
        session: a boto3 session for the inputs of an `aws` provider.
        kubernetes: looks an object up in a cluster.
    """
    if type_ in AWS_LOOKUPS:
        return find_resource(lambda: session(provider), type_, inputs)
    # A patch is no object of its own: creating it takes over fields of one that exists.
    if type_.startswith("kubernetes:") and not type_.endswith("Patch") and get_import_id(inputs):
        # A kubeconfig that only the update knows is that of a cluster that is not made yet: it holds nothing.
        kubeconfig = provider.get("kubeconfig", "")
        return None if kubeconfig == UNKNOWN else kubernetes(kubeconfig, inputs)
    return None


def find_interrupted_create(  # noqa: PLR0913, PLR0917 - what `look_up` takes, and what the stack has
    type_: str,
    inputs: Mapping[str, Any],
    provider: Mapping[str, Any],
    known: Collection[str],
    session: Callable[[Mapping[str, Any]], Session],
    kubernetes: KubernetesLookup | None,
) -> list[ExistingResource] | None:
    """Return what an interrupted create made, once it is ready; None when that cannot be determined.

    Args:
        type_: type token of the resource.
        inputs: planned inputs of the resource.
        provider: inputs of its provider.
        known: ids of the resources of this type that the stack has.
        session: a boto3 session for the inputs of an `aws` provider.
        kubernetes: looks an object up in a cluster; None where the cluster is gone, and all objects with it.

    Raises:
        UnfinishedError: when AWS did not finish what it had begun to make.
    """
    if type_.startswith(_STATE_ONLY_TYPES) or (type_.startswith("kubernetes:") and type_.endswith("Patch")):
        return []
    if type_.startswith("kubernetes:"):
        if kubernetes is None:
            return []
        if get_import_id(inputs) is None:
            return None
        found = kubernetes(provider.get("kubeconfig", ""), inputs)
        mark = (inputs["metadata"].get("annotations") or {}).get(OWNER_TAG)
        return [found] if found and mark in {None, found.tags.get(OWNER_TAG)} else []
    if not interrupted_creates.can_find_created(type_, inputs):
        return None
    made = interrupted_creates.find_created(lambda: session(provider), type_, inputs, known)
    if len(made) == 1:
        interrupted_creates.wait_until_ready(lambda: session(provider), type_, made[0])
    return made


def _build_import_files(resources: list[ImportSpec], plan: PreviewedPlan) -> list[Mapping[str, Any]]:
    """Two steps where a provider belongs to a component: the engine makes providers before anything else of a file, and
    then misses the provider's parent in the state."""
    parents = {spec["name"] for spec in resources if spec.get("component")}
    owned = {
        spec["name"]
        for spec in resources
        if spec["type"].startswith(PROVIDER_TYPE_PREFIX) and spec.get("parent") in parents
    }
    late = [spec for spec in resources if spec["name"] in owned or spec.get("provider") in owned]
    early = [spec for spec in resources if spec not in late]
    made = {
        spec["name"]: build_urn(spec, plan) for spec in early if spec["name"] in {each.get("parent") for each in late}
    }
    steps = ((early, dict(plan.name_table)), (late, dict(plan.name_table) | made))
    return [{"nameTable": names, "resources": specs} for specs, names in steps if specs]


def _select_with_dependencies(specs: Iterable[ImportSpec], wanted: Iterable[str]) -> Iterator[ImportSpec]:
    by_name = {spec["name"]: spec for spec in specs}
    keep: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in keep:
            keep.add(name)
            waiting += [by_name[name].get("parent", ""), by_name[name].get("provider", "")]
    return (spec for spec in by_name.values() if spec["name"] in keep)
