"""Causes of pods that are not ready, as the cluster reports them, for the time when Pulumi's wait times out.

The provider reports unready pods without the cause. Causes are: a claim without a volume, an error of the driver in an
event of the claim or in the driver's log, an image that cannot be pulled.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pulumi import ComponentResource, ErrorHookArgs, Output, ResourceHookBinding

from eks_rocketmq.lookups.events import format_latest_event
from eks_rocketmq.pulumi_sdk.component import create_error_hooks
from eks_rocketmq.rocketmq.pods import provisioners
from eks_rocketmq.rocketmq.pods.schedulability import build_schedulable_hooks

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""

CLAIM = "PersistentVolumeClaim"
_POD_TYPE = "kubernetes:core/v1:Pod"
_STARTING_REASONS = {"PodInitializing", "ContainerCreating"}
_MAX_PODS = 5
"""Members of a group usually have the same problem."""


def build_pending_pod_hooks(name: str, component: ComponentResource) -> ResourceHookBinding:
    """Return hooks for a StatefulSet or Deployment.

    Before the create, a hook warns if no node can run the pods. If the workload does not become ready, a hook logs the
    problems of its pods.

    Args:
        name: name of the resource; the hooks are `<name>-unready` and `<name>-schedulable`.
        component: parent of the resource; its Kubernetes provider determines the cluster.
    """
    provider = _read_provider_settings(component)

    async def explain(args: ErrorHookArgs) -> bool:
        if args.failed_operation != "delete" and provider is not None:
            try:
                lines = await asyncio.to_thread(_read_problems, provider, args.new_inputs or {})
            except Exception as error:  # noqa: BLE001 - the engine must report the original failure
                lines = [f"the cluster cannot be asked why ({error})"]
            if lines:
                pulumi.log.error("\n  ".join([f"{args.name} is not ready:", *lines]))
        return False

    return ResourceHookBinding(
        before_create=build_schedulable_hooks(name, provider), on_error=create_error_hooks(f"{name}-unready", explain)
    )


def list_pod_problems(pods: Sequence[Object], claims: Sequence[Object], events: Sequence[Object]) -> list[str]:
    """Return one line for each problem of pods that are not ready.

    Args:
        pods: pods of one workload.
        claims: claims of their namespace.
        events: events of their namespace.
    """
    pending = {claim["metadata"]["name"] for claim in claims if claim["status"].get("phase") != "Bound"}
    unready = [pod for pod in pods if not _is_ready(pod)]
    lines = [line for pod in unready[:_MAX_PODS] for line in _describe_pod(pod, pending, events)]
    more = len(unready) - _MAX_PODS
    return [*lines, f"and {more} more pods"] if more > 0 else lines


def _describe_pod(pod: Object, pending: set[str], events: Sequence[Object]) -> Iterator[str]:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    volumes = (pod.get("spec") or {}).get("volumes") or []
    claims = [claim for volume in volumes if (claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"))]
    waiting = [claim for claim in claims if claim in pending]
    for claim in waiting:
        message = _find_last_warning(events, CLAIM, claim) or _find_provisioning_event(events, claim)
        yield f"claim {claim} of pod {name} is not bound" + (f": {message}" if message else "")
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    failures = [line for container in containers if (line := _describe_container(container))]
    yield from (f"pod {name}, {line}" for line in failures)
    if not waiting and not failures:
        scheduled = next((each for each in status.get("conditions") or [] if each["type"] == "PodScheduled"), {})
        message = (
            scheduled.get("message")
            or _find_last_warning(events, "Pod", name)
            or f"it is {status.get('phase', 'not there yet')}"
        )
        yield f"pod {name}: {message}"


def _describe_container(container: Object) -> str:
    """Return why a container waits or terminated; empty if it runs."""
    waiting = (container.get("state") or {}).get("waiting") or {}
    terminated = (container.get("lastState") or {}).get("terminated") or {}
    parts = [waiting.get("reason", ""), waiting.get("message", "")]
    if terminated:
        parts.append(f"it ended with {terminated.get('exitCode')} ({terminated.get('reason', 'no reason given')})")
    message = ": ".join(word for word in parts if word)
    return f"container {container['name']}: {message}" if message and message not in _STARTING_REASONS else ""


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _find_last_warning(events: Sequence[Object], kind: str, name: str) -> str:
    """Return the last warning about an object, with its reason."""
    return format_latest_event(event for event in _filter_events(events, kind, name) if event.get("type") == "Warning")


def _find_provisioning_event(events: Sequence[Object], claim: str) -> str:
    """Return the event of type Normal that says what a claim waits for."""
    about_claim = _filter_events(events, CLAIM, claim)
    return format_latest_event(event for event in about_claim if event.get("reason") == "ExternalProvisioning")


def _filter_events(events: Sequence[Object], kind: str, name: str) -> list[Object]:
    """Return the events about an object."""
    objects = [(event, event["involvedObject"]) for event in events]
    return [event for event, involved in objects if (involved.get("kind"), involved.get("name")) == (kind, name)]


def _list_driver_problems(provider: Mapping[str, str], claims: Sequence[Object], events: Sequence[Object]) -> list[str]:
    """Return the problems of the drivers of unbound claims without a warning event."""
    from eks_rocketmq.lookups.kubernetes_api import get_json  # noqa: PLC0415 - the import takes 250 ms; only failures need it

    def read_log(pod: str, container: str) -> str:
        path = f"/api/v1/namespaces/{provisioners.NAMESPACE}/pods/{pod}/log"
        # A terminated container has only the previous log until it restarts.
        for previous in ("false", "true"):
            try:
                message = str(get_json(provider, path, container=container, tailLines="100", previous=previous))
            except Exception:  # noqa: BLE001, S112 - the log may be missing or not readable
                continue
            if provisioners.find_log_error(message):
                return message
        return ""

    unexplained = [
        claim
        for claim in claims
        if claim["status"].get("phase") != "Bound" and not _find_last_warning(events, CLAIM, claim["metadata"]["name"])
    ]
    known = sorted({provisioners.find_provisioner(claim) for claim in unexplained} & provisioners.CONTROLLERS.keys())
    problems = []
    for driver in known:
        path = f"/api/v1/namespaces/{provisioners.NAMESPACE}/pods"
        pods = get_json(provider, path, labelSelector=provisioners.CONTROLLERS[driver])["items"]
        problems.append(provisioners.describe_controller_problem(driver, pods, read_log))
    return [line for line in problems if line]


def _read_problems(provider: Mapping[str, str], inputs: Object) -> list[str]:
    from eks_rocketmq.lookups.kubernetes_api import get_json  # noqa: PLC0415 - the import takes 250 ms; only failures need it

    namespace = f"/api/v1/namespaces/{inputs['metadata']['namespace']}"
    selector = ",".join(f"{key}={value}" for key, value in inputs["spec"]["selector"]["matchLabels"].items())
    pods = get_json(provider, f"{namespace}/pods", labelSelector=selector)["items"]
    claims = get_json(provider, f"{namespace}/persistentvolumeclaims")["items"]
    events = get_json(provider, f"{namespace}/events")["items"]
    lines = list_pod_problems(pods, claims, events)
    try:
        return [*lines, *_list_driver_problems(provider, claims, events)]
    except Exception as error:  # noqa: BLE001 - the problems found so far must be reported
        return [*lines, f"the pods of the driver cannot be read ({error})"]


def _read_provider_settings(component: ComponentResource) -> Mapping[str, str] | None:
    """Return kubeconfig and context of the component's provider, filled in when the outputs resolve.

    Return None if the provider does not expose them, as in a program in another language. A request to another cluster
    would be wrong.
    """
    resource = component.get_provider(_POD_TYPE)
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
