"""Causes of pods that are not ready, as the cluster reports them, for the time when Pulumi's wait times out.

The provider reports unready pods without the cause. Causes are: a claim without a volume, an image that cannot be
pulled, a container that ends. For claims that pods wait for, the doctor finds the broken link and its fix.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pulumi import ComponentResource, ErrorHookArgs, Output, ResourceHookBinding

from eks_rocketmq.lookups.daemon_threads import call_with_time_limit
from eks_rocketmq.lookups.events import format_latest_event
from eks_rocketmq.lookups.kubernetes_objects import CLAIM_KIND
from eks_rocketmq.lookups.kubernetes_provider import POD_TYPE
from eks_rocketmq.pulumi_sdk.component import create_error_hooks
from eks_rocketmq.rocketmq.pods.schedulability import build_schedulable_hooks

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""

_STARTING_REASONS = {"PodInitializing", "ContainerCreating"}
_MAX_PODS = 5
"""Members of a group usually have the same problem."""
_READ_SECONDS = 30.0
_DOCTOR_SECONDS = 30.0
"""Time limits. A credential plugin or an API that hangs must not hide the original error."""


def build_pending_pod_hooks(name: str, component: ComponentResource) -> ResourceHookBinding:
    """Return hooks for a StatefulSet or Deployment.

    Before the create, a hook warns if no node can run the pods. If the workload does not become ready, a hook logs the
    problems of its pods.

    `name` is that of the resource; the hooks are `<name>-unready` and `<name>-schedulable`. `component` is its parent,
    whose Kubernetes provider determines the cluster.
    """
    provider = _read_provider_settings(component)

    async def explain(args: ErrorHookArgs) -> bool:
        if args.failed_operation != "delete" and provider is not None:
            lines = await _list_causes(provider, args.new_inputs or {})
            if lines:
                pulumi.log.error("\n  ".join([f"{args.name} is not ready:", *lines]))
        return False

    return ResourceHookBinding(
        before_create=build_schedulable_hooks(name, provider), on_error=create_error_hooks(f"{name}-unready", explain)
    )


def list_pod_problems(pods: Sequence[Object], claims: Sequence[Object], events: Sequence[Object]) -> list[str]:
    """Return one line for each problem of pods that are not ready.

    `pods` are those of one workload. `claims` and `events` are those of their namespace.
    """
    pending = {claim["metadata"]["name"] for claim in claims if claim["status"].get("phase") != "Bound"}
    unready = [pod for pod in pods if not is_ready(pod)]
    lines = [line for pod in unready[:_MAX_PODS] for line in _describe_pod(pod, pending, events)]
    more = len(unready) - _MAX_PODS
    return [*lines, f"and {more} more pods"] if more > 0 else lines


def list_awaited_claims(pods: Sequence[Object]) -> list[str]:
    """Return the claims of pods none of whose containers has started or failed. They wait for volumes or for a node."""
    return [claim for pod in pods if not is_ready(pod) and not _has_started(pod) for claim in _list_claims(pod)]


def _has_started(pod: Object) -> bool:
    containers = _list_containers(pod)
    return any(
        "waiting" not in (each.get("state") or {"waiting": {}}) or _describe_container(each) for each in containers
    )


def _runs(pod: Object) -> bool:
    containers = (pod.get("status") or {}).get("containerStatuses") or []
    return bool(containers) and all("running" in (each.get("state") or {}) for each in containers)


def _list_containers(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _list_claims(pod: Object) -> list[str]:
    volumes = (pod.get("spec") or {}).get("volumes") or []
    return [claim for volume in volumes if (claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"))]


def _describe_pod(pod: Object, pending: set[str], events: Sequence[Object]) -> Iterator[str]:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    waiting = [claim for claim in _list_claims(pod) if claim in pending]
    for claim in waiting:
        message = _find_last_warning(events, CLAIM_KIND, claim) or _find_provisioning_event(events, claim)
        yield f"claim {claim} of pod {name} is not bound" + (f": {message}" if message else "")
    failures = [line for container in _list_containers(pod) if (line := _describe_container(container))]
    yield from (f"pod {name}, {line}" for line in failures)
    if not waiting and not failures:
        scheduled = next((each for each in status.get("conditions") or [] if each["type"] == "PodScheduled"), {})
        message = (
            scheduled.get("message")
            or _find_last_warning(events, "Pod", name)
            or f"it is {status.get('phase', 'not there yet')}"
        )
        # The event of a probe over HTTP contains only the status code.
        namespace = pod["metadata"].get("namespace", "")
        advice = f"; `eks-rocketmq status --namespace {namespace}` asks it why" if _runs(pod) else ""
        yield f"pod {name}: {message}{advice}"


def _describe_container(container: Object) -> str:
    """Return why a container waits or terminated; empty if it runs."""
    waiting = (container.get("state") or {}).get("waiting") or {}
    terminated = (container.get("lastState") or {}).get("terminated") or {}
    parts = [waiting.get("reason", ""), waiting.get("message", "")]
    if terminated:
        parts.append(f"it ended with {terminated.get('exitCode')} ({terminated.get('reason', 'no reason given')})")
    message = ": ".join(word for word in parts if word)
    return f"container {container['name']}: {message}" if message and message not in _STARTING_REASONS else ""


def is_ready(pod: Object) -> bool:
    """Return whether Kubernetes reports a pod as ready."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _find_last_warning(events: Sequence[Object], kind: str, name: str) -> str:
    """Return the last warning about an object, with its reason."""
    return format_latest_event(event for event in _filter_events(events, kind, name) if event.get("type") == "Warning")


def _find_provisioning_event(events: Sequence[Object], claim: str) -> str:
    """Return the event of type Normal that says what a claim waits for."""
    about_claim = _filter_events(events, CLAIM_KIND, claim)
    return format_latest_event(event for event in about_claim if event.get("reason") == "ExternalProvisioning")


def _filter_events(events: Sequence[Object], kind: str, name: str) -> list[Object]:
    """Return the events about an object."""
    objects = [(event, event["involvedObject"]) for event in events]
    return [event for event, involved in objects if (involved.get("kind"), involved.get("name")) == (kind, name)]


def _read_problems(provider: Mapping[str, str], inputs: Object) -> tuple[list[str], list[str]]:
    """Return the problems of the pods of a workload, and the claims that the doctor can judge."""
    from eks_rocketmq.lookups.kubernetes_api import (  # noqa: PLC0415 - the import takes 250 ms; only failures need it
        get_json,
        list_pods,
    )

    namespace = inputs["metadata"]["namespace"]
    path = f"/api/v1/namespaces/{namespace}"
    pods = list_pods(provider, namespace, inputs["spec"]["selector"]["matchLabels"])
    claims = get_json(provider, f"{path}/persistentvolumeclaims")["items"]
    events = get_json(provider, f"{path}/events")["items"]
    waiting = [f"{namespace}/{claim}" for claim in list_awaited_claims(pods)]
    return list_pod_problems(pods, claims, events), waiting


async def _list_causes(provider: Mapping[str, str], inputs: Object) -> list[str]:
    """Return why a workload is not ready. The engine reports its own error after that, so nothing is raised."""
    try:
        lines, claims = await call_with_time_limit(lambda: _read_problems(provider, inputs), _READ_SECONDS)
    except TimeoutError:
        return [f"the cluster did not say why within {_READ_SECONDS:.0f} s"]
    except Exception as error:  # noqa: BLE001 - see above
        return [f"the cluster cannot be asked why ({error})"]
    if not claims:
        return lines
    try:
        return [*lines, *await call_with_time_limit(lambda: _explain_claims(provider, claims), _DOCTOR_SECONDS)]
    except TimeoutError:
        reason = f"no answer within {_DOCTOR_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 - see above
        reason = f"{type(error).__name__}: {error}"
    return [*lines, f"the cause is not judged ({reason}); run `eks-rocketmq doctor --claim {claims[0]}`"]


def _explain_claims(provider: Mapping[str, str], claims: Sequence[str]) -> list[str]:
    # The doctor takes half a second to load. Only failures need it.
    from eks_rocketmq.rocketmq.pods.claim_diagnosis import explain_claims  # noqa: PLC0415

    return explain_claims(provider, claims)


def _read_provider_settings(component: ComponentResource) -> Mapping[str, str] | None:
    """Return kubeconfig and context of the component's provider, filled in when the outputs resolve.

    Return None if the provider does not expose them, as in a program in another language. A request to another cluster
    would be wrong.
    """
    resource = component.get_provider(POD_TYPE)
    if resource is None:
        config = pulumi.Config("kubernetes")
        return {key: value for key in ("kubeconfig", "context") if (value := config.get(key))}
    if not hasattr(resource, "kubeconfig"):
        return None
    known: dict[str, str] = {}
    for key in ("kubeconfig", "context"):
        given = getattr(resource, key, None)
        if given is not None:
            Output.from_input(given).apply(lambda value, key=key: value and known.update({key: value}))
    return known
