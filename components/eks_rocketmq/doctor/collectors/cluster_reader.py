"""Reader of the Kubernetes API. It sends GET requests, and TokenRequests for the trial."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from eks_rocketmq.doctor.collectors import kubernetes_parsers as parsers
from eks_rocketmq.doctor.facts.cluster_facts import PodFacts, Unreadable
from eks_rocketmq.lookups.kubernetes_api import get_json, request_token

Item = TypeVar("Item")
Answer = TypeVar("Answer")
_BAD_REQUEST, _FORBIDDEN, _NOT_FOUND = 400, 403, 404
_WEBHOOK = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/pod-identity-webhook"
_LOG_LINES = "200"

LISTS: Mapping[str, str] = {
    "serviceaccounts": "/api/v1/serviceaccounts",
    "deployments.apps": "/apis/apps/v1/deployments",
    "daemonsets.apps": "/apis/apps/v1/daemonsets",
    "persistentvolumeclaims": "/api/v1/persistentvolumeclaims",
    "persistentvolumes": "/api/v1/persistentvolumes",
    "nodes": "/api/v1/nodes",
    "storageclasses.storage.k8s.io": "/apis/storage.k8s.io/v1/storageclasses",
    "csidrivers.storage.k8s.io": "/apis/storage.k8s.io/v1/csidrivers",
    "csinodes.storage.k8s.io": "/apis/storage.k8s.io/v1/csinodes",
    "volumeattachments.storage.k8s.io": "/apis/storage.k8s.io/v1/volumeattachments",
}
"""Path of each list of the whole cluster, by resource and API group."""


@dataclass(frozen=True)
class ClusterReader:
    """Kubernetes API with the settings of a kubeconfig."""

    provider: Mapping[str, str]
    """`kubeconfig` and `context`, as for `get_json`."""

    def start_lists(self, executor: Executor) -> Mapping[str, Callable[[], list[dict[str, Any]] | Unreadable]]:
        """Start the requests for all lists, and return a function for the result of each."""
        futures = {name: executor.submit(self.list_items, name, path) for name, path in LISTS.items()}
        return {name: future.result for name, future in futures.items()}

    def list_items(self, resource: str, path: str) -> list[dict[str, Any]] | Unreadable:
        """Return the items of a list."""
        call = f"list {resource}"
        return self._read(call, call, lambda: get_json(self.provider, path)["items"]) or []

    def list_namespaced(self, resource: str, namespace: str) -> list[dict[str, Any]] | Unreadable:
        """Return the items of a core resource in a namespace."""
        return self.list_items(resource, f"/api/v1/namespaces/{namespace}/{resource}")

    def has_webhook(self) -> bool | Unreadable:
        """Return whether the pod identity webhook exists."""
        resource = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
        found = self._read(f"get {resource}", f"get {resource}", lambda: get_json(self.provider, _WEBHOOK))
        return found if isinstance(found, Unreadable) else found is not None

    def read_log(self, pod: PodFacts, container: str) -> tuple[str, ...] | Unreadable:
        """Return the lines of a container's log that name an error.

        A container that has restarted also has the log of its previous run, and one that has not started has none.
        """
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/log"

        def read(**query: str) -> str:
            # The API returns text. `get_json` returns it as it is.
            try:
                return str(get_json(self.provider, path, container=container, tailLines=_LOG_LINES, **query) or "")
            except ApiException as error:
                if error.status == _BAD_REQUEST:  # the container has not started
                    return ""
                raise

        text = self._read("get pods/log", "get pods/log", read)
        if isinstance(text, Unreadable) or not pod.restarts:
            return text if isinstance(text, Unreadable) else parsers.select_log_lines(text or "")
        previous = self._read("get pods/log", "get pods/log", lambda: read(previous="true"))
        earlier = "" if isinstance(previous, Unreadable) else previous or ""
        return parsers.select_log_lines(f"{earlier}\n{text or ''}")

    def request_token(self, namespace: str, service_account: str, audience: str) -> str | Unreadable | None:
        """Return a token of a service account; None if the service account does not exist."""
        call = f"create serviceaccounts/token of {namespace}/{service_account}"
        return self._read(
            call,
            "create serviceaccounts/token",
            lambda: request_token(self.provider, namespace, service_account, audience),
        )

    def _read(self, call: str, permission: str, read: Callable[[], Answer]) -> Answer | Unreadable | None:
        """Return what the API server answers, or None if the object does not exist."""

        def read_existing() -> Answer | None:
            try:
                return read()
            except ApiException as error:
                if error.status == _NOT_FOUND:
                    return None
                raise

        return read_answer(call, permission, read_existing)


def read_answer(call: str, permission: str, read: Callable[[], Answer]) -> Answer | Unreadable:
    """Return what `read` returns, or why the API server does not answer. `call` needs `permission`."""
    try:
        return read()
    except ApiException as error:
        reason = f"{error.status} {error.reason}"
        return Unreadable(call, permission if error.status == _FORBIDDEN else "", reason)
    except (ConfigException, HTTPError, OSError) as error:
        return Unreadable(call, "", str(error))


def parse_items(
    items: Sequence[Mapping[str, Any]] | Unreadable | None, parse: Callable[[Mapping[str, Any]], Item]
) -> tuple[Item, ...] | Unreadable:
    """Return the facts of a list. A list that the API server does not have is empty."""
    return items if isinstance(items, Unreadable) else tuple(map(parse, items or []))
