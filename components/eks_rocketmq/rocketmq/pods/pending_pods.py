"""Why pods are not ready, in the cluster's own words, for when Pulumi gives up waiting for them.

The provider names unready pods and nothing behind them: not the claim that waits for a volume, not what the driver
says of it in the claim's event or in its own log, not the image that cannot be pulled.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pulumi import ComponentResource, ErrorHookArgs, Output, ResourceHookBinding

from eks_rocketmq.lookups.events import latest
from eks_rocketmq.pulumi_sdk.component import error_hooks
from eks_rocketmq.rocketmq.pods import provisioners
from eks_rocketmq.rocketmq.pods.schedulability import schedulable

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""

CLAIM = "PersistentVolumeClaim"
_ANY_KIND = "kubernetes:core/v1:Pod"
_ON_THE_WAY = {"PodInitializing", "ContainerCreating"}
_MOST_PODS = 5
"""Members of a group lack the same thing more often than not."""


def pending_pod_hooks(name: str, component: ComponentResource) -> ResourceHookBinding:
    """Hooks for a set or deployment: when it does not become ready, says what its pods lack. Before the create, warns
    when no node takes them.

    Args:
        name: name of the resource; the hooks are `<name>-unready` and `<name>-schedulable`.
        component: who makes it; its Kubernetes provider leads to the cluster.
    """
    provider = _provider(component)

    async def explain(args: ErrorHookArgs) -> bool:
        if args.failed_operation != "delete" and provider is not None:
            try:
                lines = await asyncio.to_thread(_ask, provider, args.new_inputs or {})
            except Exception as error:  # noqa: BLE001 - the failure itself must be what the engine reports
                lines = [f"the cluster cannot be asked why ({error})"]
            if lines:
                pulumi.log.error("\n  ".join([f"{args.name} is not ready:", *lines]))
        return False

    return ResourceHookBinding(
        before_create=schedulable(name, provider), on_error=error_hooks(f"{name}-unready", explain)
    )


def reasons(pods: Sequence[Object], claims: Sequence[Object], events: Sequence[Object]) -> list[str]:
    """One line for each thing that pods which are not ready lack.

    Args:
        pods: of one set.
        claims: of their namespace.
        events: of their namespace.
    """
    pending = {claim["metadata"]["name"] for claim in claims if claim["status"].get("phase") != "Bound"}
    unready = [pod for pod in pods if not _ready(pod)]
    lines = [line for pod in unready[:_MOST_PODS] for line in _lacks(pod, pending, events)]
    more = len(unready) - _MOST_PODS
    return [*lines, f"and {more} more pods"] if more > 0 else lines


def _lacks(pod: Object, pending: set[str], events: Sequence[Object]) -> Iterator[str]:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    volumes = (pod.get("spec") or {}).get("volumes") or []
    claims = [claim for volume in volumes if (claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"))]
    waiting = [claim for claim in claims if claim in pending]
    for claim in waiting:
        said = _last(events, CLAIM, claim) or _awaited(events, claim)
        yield f"claim {claim} of pod {name} is not bound" + (f": {said}" if said else "")
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    stuck = [line for container in containers if (line := _stuck(container))]
    yield from (f"pod {name}, {line}" for line in stuck)
    if not waiting and not stuck:
        scheduled = next((each for each in status.get("conditions") or [] if each["type"] == "PodScheduled"), {})
        said = scheduled.get("message") or _last(events, "Pod", name) or f"it is {status.get('phase', 'not there yet')}"
        yield f"pod {name}: {said}"


def _stuck(container: Object) -> str:
    """What a container waits for or died of; empty when it runs."""
    waiting = (container.get("state") or {}).get("waiting") or {}
    ended = (container.get("lastState") or {}).get("terminated") or {}
    words = [waiting.get("reason", ""), waiting.get("message", "")]
    if ended:
        words.append(f"it ended with {ended.get('exitCode')} ({ended.get('reason', 'no reason given')})")
    said = ": ".join(word for word in words if word)
    return f"container {container['name']}: {said}" if said and said not in _ON_THE_WAY else ""


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _last(events: Sequence[Object], kind: str, name: str) -> str:
    """The last warning about an object, with its reason."""
    return latest(
        event
        for event in events
        if event.get("type") == "Warning"
        and (event["involvedObject"].get("kind"), event["involvedObject"].get("name")) == (kind, name)
    )


def _awaited(events: Sequence[Object], claim: str) -> str:
    """What the claim waits for when nothing has failed: an event of type Normal."""
    about = [event for event in events if event.get("reason") == "ExternalProvisioning"]
    return latest(
        e for e in about if (e["involvedObject"].get("kind"), e["involvedObject"].get("name")) == (CLAIM, claim)
    )


def _drivers(provider: Mapping[str, str], claims: Sequence[Object], events: Sequence[Object]) -> list[str]:
    """What is wrong with the drivers of claims that wait without a word of why."""
    from eks_rocketmq.lookups.kubernetes_api import get  # noqa: PLC0415 - as below

    def log(pod: str, container: str) -> str:
        path = f"/api/v1/namespaces/{provisioners.NAMESPACE}/pods/{pod}/log"
        # Before its next start a container that ended has no log but the last one.
        for previous in ("false", "true"):
            try:
                said = str(get(provider, path, container=container, tailLines="100", previous=previous))
            except Exception:  # noqa: BLE001, S112 - it may not be readable, or not exist
                continue
            if provisioners.telling(said):
                return said
        return ""

    silent = [
        claim
        for claim in claims
        if claim["status"].get("phase") != "Bound" and not _last(events, CLAIM, claim["metadata"]["name"])
    ]
    known = sorted({provisioners.provisioner_of(claim) for claim in silent} & provisioners.CONTROLLERS.keys())
    found = []
    for driver in known:
        path = f"/api/v1/namespaces/{provisioners.NAMESPACE}/pods"
        pods = get(provider, path, labelSelector=provisioners.CONTROLLERS[driver])["items"]
        found.append(provisioners.controller_problem(driver, pods, log))
    return [line for line in found if line]


def _ask(provider: Mapping[str, str], inputs: Object) -> list[str]:
    from eks_rocketmq.lookups.kubernetes_api import get  # noqa: PLC0415 - a quarter of a second that only a failure needs

    namespace = f"/api/v1/namespaces/{inputs['metadata']['namespace']}"
    selector = ",".join(f"{key}={value}" for key, value in inputs["spec"]["selector"]["matchLabels"].items())
    pods = get(provider, f"{namespace}/pods", labelSelector=selector)["items"]
    claims = get(provider, f"{namespace}/persistentvolumeclaims")["items"]
    events = get(provider, f"{namespace}/events")["items"]
    lines = reasons(pods, claims, events)
    try:
        return [*lines, *_drivers(provider, claims, events)]
    except Exception as error:  # noqa: BLE001 - what is known already must be said
        return [*lines, f"the pods of the driver cannot be read ({error})"]


def _provider(component: ComponentResource) -> Mapping[str, str] | None:
    """Kubeconfig and context of the component's provider, filled in once they are known.

    None when the provider does not say them, as in a program of another language: another cluster must not be asked.
    """
    own = component.get_provider(_ANY_KIND)
    if own is None:
        config = pulumi.Config("kubernetes")
        return {key: value for key in ("kubeconfig", "context") if (value := config.get(key))}
    if not hasattr(own, "kubeconfig"):
        return None
    known: dict[str, str] = {}
    for key in ("kubeconfig", "context"):
        given = getattr(own, key, None)
        if given is not None:
            Output.from_input(given).apply(lambda value, key=key: value and known.update({key: value}))
    return known
