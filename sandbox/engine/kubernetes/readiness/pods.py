"""Reasons why a pod is not ready."""

from sandbox.engine.kubernetes.naming import short_name
from sandbox.engine.provider.values import JsonObject

_DAEMON_PREFIX = "rpc error: code = Unknown desc = Error response from daemon: "
_DAEMON_SUFFIX = ": manifest unknown"


def warnings(pod: JsonObject) -> list[str]:
    """Return at most one message, for a scheduled pod that is not initialized or not ready."""
    status = pod.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or []}
    if (conditions.get("PodScheduled") or {}).get("status") != "True":
        return []
    for name in ("Initialized", "Ready"):
        condition = conditions.get(name)
        if condition is None:
            return []
        if condition.get("status") == "True" or (name == "Ready" and status.get("phase") == "Succeeded"):
            continue
        details = [line for container in status.get("containerStatuses") or [] for line in _container(container)]
        if not details and not condition.get("message"):
            return []
        message = condition["message"] if condition.get("reason") and condition.get("message") else ""
        return [f"[Pod {short_name(pod)}]: {message}{chr(10).join(details)}"]
    return []


def _container(status: JsonObject) -> list[str]:
    if status.get("ready"):
        return []
    state = status.get("state") or {}
    lines = []
    waiting = state.get("waiting")
    if waiting and waiting.get("reason") != "ContainerCreating":
        lines.append(f"[{waiting.get('reason', '')}] {_image_text(waiting.get('message', ''))}")
    ended = state.get("terminated")
    if ended and ended.get("reason"):
        if ended.get("message"):
            lines.append(f"[{ended['reason']}] {_image_text(ended['message'])}")
        else:
            lines.append(f'container "{status["name"]}" completed with exit code {ended.get("exitCode", 0)}')
    last = (status.get("lastState") or {}).get("terminated")
    if last:
        reason = f"{last.get('reason', '')}: exit code {last.get('exitCode', 0)}"
        lines.append(f'container "{status["name"]}" terminated at {last.get("finishedAt", "")} ({reason})')
        if last.get("message"):
            lines.append(last["message"])
    return lines


def _image_text(message: str) -> str:
    return message.removeprefix(_DAEMON_PREFIX).removesuffix(_DAEMON_SUFFIX)
