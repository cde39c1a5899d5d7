"""Import of existing AWS and Kubernetes resources into the stack, once, so that the next update corrects them.

A program that looks resources up and then creates or reads them would find its own resources on the second run. It
would switch to reading, and the engine would delete them. The lookup therefore happens once, outside of the program:
the engine plans (`pulumi preview --import-file`), and the ids follow from the planned inputs. Existing resources are
imported, the others are dropped from the import file.
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
from eks_rocketmq.pulumi_sdk.engine_values import UNKNOWN, get_provider_urn

PROVIDER_TYPE_PREFIX = "pulumi:providers:"
PLACEHOLDER = "<PLACEHOLDER>"
"""Placeholder of the engine for an id that it does not know."""

_DIFF_RESOURCE = re.compile(r"\s*\S*\s*\S+:\S+: \((?P<operation>[a-z-]+)\)")
"""First line of a resource in a diff, such as `    ~ aws:iam/role:Role: (update)`."""
_STATE_ONLY_TYPES = ("pulumi:", "random:")
"""Prefixes of types that exist in the state only. An interrupted create leaves nothing behind."""
_NON_CORRECTING_OPERATIONS = frozenset({"create", "same", "read"})

ImportSpec = dict[str, Any]
"""A resource of an import file: `type`, `name`, `id`, `parent`, `provider`, `component`, …"""
CreateSession = Callable[[Mapping[str, Any]], Session]
"""Creates a boto3 session for the inputs of an `aws` provider."""
KubernetesLookup = Callable[[Mapping[str, Any], Mapping[str, Any]], ExistingResource | None]
"""Takes the inputs of a `kubernetes` provider, and an object. Returns the object if the cluster has it."""


@dataclass(frozen=True)
class PreviewedPlan:
    """Resources that the engine would create, from one preview."""

    inputs: Mapping[str, Mapping[str, Any]]
    """Planned inputs by URN, for all resources of the stack."""
    providers: Mapping[str, str]
    """URN of the provider by the URN of the resource."""
    specs: list[ImportSpec]
    """Resources of the import file, in its order."""
    name_table: Mapping[str, str]
    """URNs by name, for the resources that the stack has already and that the specs refer to."""
    stack: str
    project: str


@dataclass(frozen=True)
class Adoption:
    """Resources to import: the files for `pulumi import`, and a summary for the user."""

    existing: list[tuple[str, str, str]]
    """Type, name and id of each existing resource."""
    import_files: list[Mapping[str, Any]]
    """Contents of the import files, in the order of the imports."""
    blocked: list[str]
    """Existing resources that must not be imported as planned: a line for each, with the reason and what to do."""


def read_plan(digest: Mapping[str, Any], import_file: Mapping[str, Any], stack: str, project: str) -> PreviewedPlan:
    """Return the plan from the two outputs of `pulumi preview --json --import-file`.

    `digest` is the standard output of the preview. `stack` is a name without organization.
    """
    states = {step["urn"]: step.get("newState") or step.get("oldState") or {} for step in digest.get("steps", [])}
    return PreviewedPlan(
        inputs={urn: state.get("inputs", {}) for urn, state in states.items()},
        providers={urn: get_provider_urn(state) for urn, state in states.items()},
        specs=list(import_file.get("resources") or []),
        name_table=import_file.get("nameTable") or {},
        stack=stack,
        project=project,
    )


def plan_adoption(plan: PreviewedPlan, create_session: CreateSession, kubernetes: KubernetesLookup) -> Adoption:
    """Return the existing resources of a plan, with their parent components and providers.

    A resource of another stack is blocked: two stacks would undo each other's changes, and the first `destroy` would
    delete the resource of both.
    """
    ids: dict[str, str] = {}
    blocked: list[str] = []
    for spec in plan.specs:
        found = _find_with_owner(spec, plan, create_session, kubernetes) if spec.get("id") == PLACEHOLDER else None
        if found is not None:
            ids[spec["name"]] = found.id
            blocked += _find_blockers(spec["type"], found, f"{plan.project}/{plan.stack}")
    selected = _select_with_dependencies(plan.specs, ids)
    resources = [spec | {"id": ids[spec["name"]]} if spec["name"] in ids else spec for spec in selected]
    return Adoption(
        existing=[(spec["type"], spec["name"], spec["id"]) for spec in resources if spec["name"] in ids],
        import_files=_build_import_files(resources, plan),
        blocked=blocked,
    )


def _find_blockers(type_: str, found: ExistingResource, own: str) -> list[str]:
    owner = found.tags.get(OWNER_TAG)
    blockers = [*found.find_import_blockers()]
    if owner and owner != own:
        blockers.insert(0, f"{describe_owner(type_, found.id, owner)}. {describe_tag_removal(owner)}")
    return blockers


def extract_corrections(diff: str) -> str:
    """Return the part of a `pulumi preview --diff` that changes existing resources, and the closing count.

    After an adoption nearly all of the diff is creates. A corrected trust policy is easily missed in thousands of
    lines.
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
    """Return the URN that the program will give to a resource of the import file."""
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
    spec: ImportSpec,
    plan: PreviewedPlan,
    create_session: CreateSession,
    kubernetes: KubernetesLookup,
) -> ExistingResource | None:
    urn = build_urn(spec, plan)
    provider = plan.inputs.get(plan.providers.get(urn, ""), {})
    inputs = plan.inputs.get(urn, {})
    found = find_existing(spec["type"], inputs, provider, create_session, kubernetes)
    if found is None or not spec["type"].startswith("kubernetes:") or not inputs["metadata"].get("namespace"):
        return found
    # Only namespaces have the annotation of their stack, the objects in them do not.
    reference = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": inputs["metadata"]["namespace"]}}
    namespace = kubernetes(provider, reference)
    owner = namespace.tags.get(OWNER_TAG) if namespace else None
    return replace(found, tags={OWNER_TAG: owner, **found.tags}) if owner else found


def find_existing(
    type_: str,
    inputs: Mapping[str, Any],
    provider: Mapping[str, Any],
    create_session: CreateSession,
    kubernetes: KubernetesLookup,
) -> ExistingResource | None:
    """Return the resource with the planned name, or None. Types without a lookup are never found.

    `inputs` are the planned inputs of the resource, `provider` those of its provider.
    """
    if type_ in AWS_LOOKUPS:
        return find_resource(lambda: create_session(provider), type_, inputs)
    # A patch is not an object. Its create takes over fields of an existing object.
    if type_.startswith("kubernetes:") and not type_.endswith("Patch") and get_import_id(inputs):
        # If only the update knows the kubeconfig, the cluster does not exist yet and contains no objects.
        return None if provider.get("kubeconfig") == UNKNOWN else kubernetes(provider, inputs)
    return None


def find_interrupted_create(  # noqa: PLR0913, PLR0917 - the parameters of `find_existing`, and `known`
    type_: str,
    inputs: Mapping[str, Any],
    provider: Mapping[str, Any],
    known: Collection[str],
    create_session: CreateSession,
    kubernetes: KubernetesLookup | None,
) -> list[ExistingResource] | None:
    """Return the resources that an interrupted create made, once they are ready; None if that cannot be determined.

    `known` are the ids of the resources of this type that the stack manages. `kubernetes` is None if the cluster is
    gone, and all objects with it. The other arguments are those of `find_existing`. Raise UnfinishedError if AWS did
    not complete the create.
    """
    if type_.startswith(_STATE_ONLY_TYPES) or (type_.startswith("kubernetes:") and type_.endswith("Patch")):
        return []
    if type_.startswith("kubernetes:"):
        if kubernetes is None:
            return []
        if get_import_id(inputs) is None:
            return None
        found = kubernetes(provider, inputs)
        owner = (inputs["metadata"].get("annotations") or {}).get(OWNER_TAG)
        return [found] if found and owner in {None, found.tags.get(OWNER_TAG)} else []
    if not interrupted_creates.can_find_created(type_, inputs):
        return None
    made = interrupted_creates.find_created(lambda: create_session(provider), type_, inputs, known)
    if len(made) == 1:
        interrupted_creates.wait_until_ready(lambda: create_session(provider), type_, made[0])
    return made


def _build_import_files(resources: list[ImportSpec], plan: PreviewedPlan) -> list[Mapping[str, Any]]:
    """Return two import files if a component owns a provider, otherwise one.

    The engine creates the providers of a file first. The parent of such a provider must already be in the state.
    """
    parents = {spec["name"] for spec in resources if spec.get("component")}
    owned = {
        spec["name"]
        for spec in resources
        if spec["type"].startswith(PROVIDER_TYPE_PREFIX) and spec.get("parent") in parents
    }
    second = [spec for spec in resources if spec["name"] in owned or spec.get("provider") in owned]
    first = [spec for spec in resources if spec not in second]
    owners = {spec.get("parent") for spec in second}
    imported = {spec["name"]: build_urn(spec, plan) for spec in first if spec["name"] in owners}
    steps = ((first, dict(plan.name_table)), (second, dict(plan.name_table) | imported))
    return [{"nameTable": names, "resources": specs} for specs, names in steps if specs]


def _select_with_dependencies(specs: Iterable[ImportSpec], wanted: Iterable[str]) -> Iterator[ImportSpec]:
    by_name = {spec["name"]: spec for spec in specs}
    selected: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in selected:
            selected.add(name)
            waiting += [by_name[name].get("parent", ""), by_name[name].get("provider", "")]
    return (spec for spec in by_name.values() if spec["name"] in selected)
