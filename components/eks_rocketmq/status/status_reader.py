"""Reader of a running deployment: lists of the Kubernetes API, and one `exec` in each pod, all at once."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from eks_rocketmq.doctor.collectors.cluster_reader import read_answer
from eks_rocketmq.doctor.facts.cluster_facts import Unreadable
from eks_rocketmq.lookups.kubernetes_api import get_json
from eks_rocketmq.lookups.pod_exec import CommandResult, run_in_pod
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.status import status_parsers as parsers
from eks_rocketmq.status.pod_questions import build_question, parse_answers
from eks_rocketmq.status.status_facts import IdentityStatus, PodAnswers, PodStatus, StatusFacts, WorkloadStatus

ROLES = (labels.BROKER, labels.CONTROLLER, labels.NAME_SERVER, labels.PROXY, labels.DECLARATIONS)
_SELECTOR = f"app.kubernetes.io/part-of={labels.APP}"
_WORKERS = 24
_EXEC_SECONDS = 12.0
"""Time limit of the questions of one pod. A process that does not answer takes 3 s for each of them."""
_EXEC_PERMISSION = "get and create pods/exec"
_Execute = Callable[[Mapping[str, Any], str, str, str, Sequence[str], float], CommandResult]


@dataclass(frozen=True)
class StatusReader:
    """Kubernetes API with the settings of a kubeconfig."""

    provider: Mapping[str, str]
    """`kubeconfig` and `context`, as for `get_json`."""
    namespace: str
    cluster: str = ""
    """Name of the EKS cluster; empty if it is unknown."""
    execute: _Execute = run_in_pod

    def read(self, read_identity: Callable[[], IdentityStatus]) -> StatusFacts:
        """Return the facts of this moment. `read_identity` runs at the same time."""
        with ThreadPoolExecutor(_WORKERS) as executor:
            namespace = f"/namespaces/{self.namespace}"
            lists = {
                name: executor.submit(self._list, name, path, **query)
                for name, path, query in (
                    ("statefulsets.apps", f"/apis/apps/v1{namespace}/statefulsets", {"labelSelector": _SELECTOR}),
                    ("deployments.apps", f"/apis/apps/v1{namespace}/deployments", {"labelSelector": _SELECTOR}),
                    ("pods", f"/api/v1{namespace}/pods", {"labelSelector": _SELECTOR}),
                    ("persistentvolumeclaims", f"/api/v1{namespace}/persistentvolumeclaims", {}),
                    ("nodes", "/api/v1/nodes", {}),
                )
            }
            # It loads boto3 while the credential plugin of the kubeconfig runs, which takes as long.
            identity = executor.submit(read_identity)
            found = {name: future.result() for name, future in lists.items()}
            nodes, claims = found["nodes"], found["persistentvolumeclaims"]
            pods = self._parse_pods(found["pods"], nodes)
            facts = StatusFacts(
                self.namespace,
                self.cluster,
                time.time(),
                IdentityStatus("skipped", ""),
                workloads=_parse_workloads(found["statefulsets.apps"], found["deployments.apps"], found["pods"]),
                pods=pods,
                claims=claims if isinstance(claims, Unreadable) else _parse_claims(claims, pods),
                zones=nodes if isinstance(nodes, Unreadable) else None,
            )
            answers = self._ask_pods(executor, facts)
            return replace(facts, answers=answers, identity=identity.result())

    def _parse_pods(
        self, items: list[Any] | Unreadable, nodes: list[Any] | Unreadable
    ) -> tuple[PodStatus, ...] | Unreadable:
        if isinstance(items, Unreadable):
            return items
        zones = {} if isinstance(nodes, Unreadable) else parsers.map_zones(nodes)
        found = (parsers.parse_pod(each, zones) for each in items if not parsers.is_finished(each))
        return tuple(sorted((each for each in found if each.role in ROLES), key=_sort_key))

    def _ask_pods(self, executor: Executor, facts: StatusFacts) -> Mapping[str, PodAnswers | Unreadable]:
        if isinstance(facts.pods, Unreadable):
            return {}
        workloads = () if isinstance(facts.workloads, Unreadable) else facts.workloads
        groups = [each.group for each in workloads if each.role == labels.BROKER]
        questions = {
            each.name: build_question(
                each.role,
                groups,
                has_tls=each.has_tls,
                has_claim=bool(each.claim),
                readiness_port=0 if each.ready else each.readiness_port,
            )
            for each in facts.pods
            if each.running
        }
        futures = {
            each.name: executor.submit(self._ask, each, questions[each.name])
            for each in facts.pods
            if questions.get(each.name)
        }
        return {name: future.result() for name, future in futures.items()}

    def _ask(self, pod: PodStatus, question: str) -> PodAnswers | Unreadable:
        call = f"exec in pod {pod.name}"
        command = ["bash", "-c", question]

        def run() -> CommandResult:
            return self.execute(self.provider, self.namespace, pod.name, pod.role, command, _EXEC_SECONDS)

        result = read_answer(call, _EXEC_PERMISSION, run)
        if isinstance(result, Unreadable):
            return result
        return Unreadable(call, "", result.error) if result.error else parse_answers(pod.role, result.output)

    def _list(self, resource: str, path: str, **query: str) -> list[dict[str, Any]] | Unreadable:
        call = f"list {resource}"
        return read_answer(call, call, lambda: get_json(self.provider, path, **query)["items"])


def _parse_workloads(
    sets: list[Any] | Unreadable, deployments: list[Any] | Unreadable, pods: list[Any] | Unreadable
) -> tuple[WorkloadStatus, ...] | Unreadable:
    known: list[Any] = [] if isinstance(pods, Unreadable) else pods
    found: list[WorkloadStatus] = []
    for kind, items in (("StatefulSet", sets), ("Deployment", deployments)):
        if isinstance(items, Unreadable):
            return items
        found += [parsers.parse_workload(kind, each, known) for each in items]
    return tuple(sorted((each for each in found if each.role in ROLES), key=_sort_key))


def _parse_claims(items: list[Any], pods: tuple[PodStatus, ...] | Unreadable) -> Any:  # noqa: ANN401 - see the caller
    if isinstance(pods, Unreadable):
        return pods
    used = {each.claim for each in pods if each.claim}
    return tuple(parsers.parse_claim(each) for each in items if each["metadata"]["name"] in used)


def _sort_key(each: PodStatus | WorkloadStatus) -> tuple[int, str, str]:
    return ROLES.index(each.role), each.group, each.name
