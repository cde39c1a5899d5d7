"""What in a namespace collides with a RocketMQ is said at preview: refused, or warned of, with what to do."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pulumi_kubernetes as k8s
import pytest
from pulumi import ResourceHookArgs, ResourceOptions

from eks_rocketmq.lookups import kubernetes_api
from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE
from eks_rocketmq.rocketmq.namespace import namespace_preflight
from eks_rocketmq.rocketmq.namespace.collisions import KINDS, Collisions, Workload, find_collisions
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.kubernetes_api import Api
from tests.unit.rocketmq_case import args

OLD = {"app": "rocketmq-broker"}
"""The one label of the original brokers."""


def workload(role: str = labels.BROKER, group: str | None = "broker-a", **more: Any) -> Workload:
    own = labels.build_labels(role, "5.5.0", group)
    name = labels.format_app_label(role) if group is None else labels.format_set_name(group)
    selector = labels.build_selector(role, group)
    services = [labels.format_peers_service(name)]
    return Workload("rocketmq", "StatefulSet", name, role, selector, own, own, services=services, **more)


BROKERS = workload(claims=[f"data-rocketmq-broker-a-{ordinal}" for ordinal in range(3)])
NAME_SERVERS = workload(labels.NAME_SERVER, None)


def thing(name: str = "old", given: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "rocketmq", "name": name, "labels": given or {}}, "spec": spec}


def claim(name: str, given: dict[str, str]) -> dict[str, Any]:
    return thing(name, given, accessModes=["ReadWriteOnce"])


def said(own: Workload, **found: list[dict[str, Any]]) -> Collisions:
    return find_collisions(own, {kind: found.get(kind, []) for kind in KINDS})


def only(kind: str, own: Workload, **found: list[dict[str, Any]]) -> str:
    """The one error or warning that there is."""
    result = vars(said(own, **found))
    (line,) = result.pop(kind)
    assert list(result.values()) == [[]]
    return line


def test_the_original_brokers_are_warned_of_and_stop_nothing() -> None:
    result = said(
        BROKERS,
        StatefulSet=[thing("rocketmq-broker", OLD)],
        Service=[thing("rocketmq-broker", {}, selector=OLD)],
        Pod=[thing("rocketmq-broker-0", OLD)],
        PersistentVolumeClaim=[claim("store-rocketmq-broker-0", OLD)],
    )
    assert result.errors == []
    service, shared = result.warnings
    assert "Service rocketmq/rocketmq-broker selects the broker pods of this RocketMQ too" in service
    assert "(store-rocketmq-broker-0 are not)" in shared
    assert "`kubectl -n rocketmq delete pvc -l app=rocketmq-broker` deletes all of them" in shared
    assert "rocketmq.apache.org/broker-group=broker-a" in shared


def test_an_empty_namespace_has_no_collisions() -> None:
    assert said(BROKERS) == Collisions([], [])


def test_objects_of_another_role_or_of_an_earlier_run_are_no_collisions() -> None:
    own, selector = dict(BROKERS.labels), dict(BROKERS.selector)
    result = said(
        BROKERS,
        StatefulSet=[thing("rocketmq-broker-a", own)],
        Service=[thing("rocketmq-broker-a-peers", own, selector=selector)],
        PodDisruptionBudget=[thing("rocketmq-broker-a", own, selector={"matchLabels": selector})],
        NetworkPolicy=[thing("rocketmq-broker-a", own, podSelector={"matchLabels": selector}, ingress=[{}])],
        PersistentVolumeClaim=[claim("data-rocketmq-broker-b-0", selector)],
        Pod=[thing("rocketmq-broker-a-0", own)],
    )
    assert result == Collisions([], [])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("StatefulSet", "rocketmq-broker-a"),
        ("Service", "rocketmq-broker-a-peers"),
        ("PodDisruptionBudget", "rocketmq-broker-a"),
        ("NetworkPolicy", "rocketmq-broker-a"),
    ],
)
def test_a_name_that_is_taken_is_refused(kind: str, name: str) -> None:
    assert only("errors", BROKERS, **{kind: [thing(name)]}).startswith(
        f"{kind} rocketmq/{name} has a name that this RocketMQ needs."
    )
    assert said(BROKERS, **{kind: [thing(f"{name}-2")]}) == Collisions([], [])


def test_pods_of_others_that_the_stacks_selectors_pick_are_refused() -> None:
    line = only("errors", BROKERS, Pod=[thing("copy-0", dict(BROKERS.selector))])
    assert line.startswith("Pod rocketmq/copy-0 has all labels by which rocketmq-broker-a selects its pods")


@pytest.mark.parametrize("role", [labels.NAME_SERVER, labels.PROXY])
def test_a_service_whose_clients_would_reach_either_rocketmq_is_refused(role: str) -> None:
    own = workload(role, None)
    line = only("errors", own, Service=[thing("names", {}, selector={"app": f"rocketmq-{role}"})])
    assert line.startswith(f"Service rocketmq/names selects the pods of rocketmq-{role} too (app=rocketmq-{role})")
    assert said(own, Service=[thing("names", {}, selector={"app": "another"}), thing("external")]) == Collisions([], [])


EVERY: dict[str, Any] = {}
EXPRESSIONS = [
    {"key": "app", "operator": "In", "values": ["rocketmq-broker"]},
    {"key": "tier", "operator": "DoesNotExist"},
    {"key": "app.kubernetes.io/name", "operator": "Exists"},
]


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ({"matchLabels": OLD}, "(app=rocketmq-broker)"),
        (EVERY, "(all pods of the namespace)"),
        ({"matchExpressions": EXPRESSIONS}, "(all pods of the namespace)"),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["rocketmq-broker"]}]}, ""),
        ({"matchLabels": {"app": "another"}}, ""),
    ],
)
def test_a_second_budget_over_the_pods_is_warned_of(selector: dict[str, Any], words: str) -> None:
    budget = thing("old", {}, selector=selector)
    if not words:
        assert said(BROKERS, PodDisruptionBudget=[budget]) == Collisions([], [])
        return
    line = only("warnings", BROKERS, PodDisruptionBudget=[budget])
    assert words in line
    assert "no node with such a pod can be drained" in line


@pytest.mark.parametrize(
    ("spec", "warned"),
    [
        ({"ingress": [{}]}, True),
        ({"policyTypes": ["Egress"]}, True),
        ({"policyTypes": ["Ingress"]}, False),
    ],
    ids=["opens more", "closes the way out", "closes what the stack opens"],
)
def test_a_policy_over_the_pods_is_warned_of_where_it_changes_something(spec: dict[str, Any], warned: bool) -> None:
    result = said(BROKERS, NetworkPolicy=[thing("old", {}, podSelector={}, **spec)])
    assert (len(result.warnings), result.errors) == (int(warned), [])


def test_claims_that_exist_are_named_and_members_without_one_are_a_danger() -> None:
    first = claim("data-rocketmq-broker-a-0", OLD)
    warnings = said(BROKERS, PersistentVolumeClaim=[first]).warnings
    assert "rocketmq-broker-a uses the claims that exist already, with the data on them: data-rocketmq-b" in warnings[1]
    assert "The members without a claim start empty" in warnings[1]
    assert "start with one member" in warnings[1]
    own = [claim(name, dict(BROKERS.selector)) for name in BROKERS.claims]
    assert "start empty" not in only("warnings", BROKERS, PersistentVolumeClaim=own)


def test_no_claims_of_others_with_the_label_are_no_collision() -> None:
    assert said(NAME_SERVERS, PersistentVolumeClaim=[claim("store", {"app": "rocketmq-nameserver"})]).warnings == []


def deployed(api: Api, **changes: Any) -> Recording:
    def program() -> None:
        provider = k8s.Provider("cluster", kubeconfig=api.kubeconfig)
        RocketMq("rocketmq", args(**changes), ResourceOptions(providers=[provider]))

    return run(program, preview=True)


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    lines: list[str] = []
    namespace_preflight._warn_once.cache_clear()
    kubernetes_api._create_client.cache_clear()
    monkeypatch.setattr(namespace_preflight.pulumi.log, "warn", lines.append)
    yield lines
    namespace_preflight._warn_once.cache_clear()


def call(hook: Callable[..., Any], inputs: Any = None) -> None:
    asyncio.run(hook(ResourceHookArgs("urn", "id", "name", "type", new_inputs=inputs)))


def served(api: Api, **found: list[dict[str, Any]]) -> None:
    for kind, path in KINDS.items():
        api.objects[path.format("rocketmq")] = {"items": found.get(kind, [])}


def hooks_of(recording: Recording, name: str) -> list[Callable[..., Any]]:
    resource = next(each for each in recording.resources.values() if each.name == name)
    return [recording.hooks[hook] for hook in resource.before_create if hook.endswith("-collisions")]


@pytest.mark.parametrize("preview", [True, False])
def test_every_workload_is_checked_before_it_is_made(preview: bool) -> None:
    recording = run(lambda: RocketMq("rocketmq", args()), preview=preview)
    checked = {each.name for each in recording.resources.values() if f"{each.name}-collisions" in each.before_create}
    sets = ("rocketmq-nameserver-set", "rocketmq-controller-set", "rocketmq-broker-a-set")
    assert checked == {*sets, "rocketmq-proxy-deployment"}


def test_the_cluster_is_asked_once_and_what_collides_stops_the_engine(api: Api, warned: list[str]) -> None:
    served(api, StatefulSet=[thing("rocketmq-controller", OLD)], PersistentVolumeClaim=[claim("store-0", OLD)])
    recording = deployed(api)

    async def all_of_them() -> list[BaseException | None]:
        names = ("rocketmq-nameserver-set", "rocketmq-controller-set", "rocketmq-broker-a-set")
        found = [hook for name in names for hook in hooks_of(recording, name)]
        calls = [hook(ResourceHookArgs("urn", "id", "name", "type")) for hook in found]
        return await asyncio.gather(*calls, return_exceptions=True)

    names, controllers, brokers = asyncio.run(all_of_them())
    assert (names, brokers) == (None, None)
    assert str(controllers).startswith(
        "StatefulSet rocketmq/rocketmq-controller cannot be made:\n  StatefulSet rocketmq/rocketmq-controller has a"
    )
    assert len(warned) == 1
    assert "delete pvc -l app=rocketmq-broker" in warned[0]
    assert len(api.requests) == len(KINDS)


def test_a_cluster_that_does_not_answer_stops_nothing(api: Api, warned: list[str]) -> None:
    api.refuse("GET", "/apis/apps/v1/namespaces/rocketmq/statefulsets", 403, "Forbidden", "sets is forbidden")
    (hook,) = hooks_of(deployed(api), "rocketmq-broker-a-set")
    call(hook)
    (line,) = warned
    assert line.startswith("cannot tell what in namespace rocketmq collides with rocketmq-broker-a-set")


def test_adoption_and_unknown_clusters_ask_nothing(
    api: Api, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (hook,) = hooks_of(run(lambda: RocketMq("rocketmq", args())), "rocketmq-broker-a-set")
    call(hook)
    (hook,) = hooks_of(deployed(api), "rocketmq-broker-a-set")
    monkeypatch.setenv(SKIP_VARIABLE, "1")
    call(hook)
    assert (api.requests, warned) == ([], [])


REFUSED = "rocketmq-broker-0 (and 1 other pod): allowPrivilegeEscalation != false, runAsNonRoot != true"
WARNINGS = (
    r'299 - "existing pods in namespace \"rocketmq\" violate the new PodSecurity enforce level \"restricted:latest\"", '
    f'299 - "{REFUSED}"'
)


def checked_level(api: Api, **changes: Any) -> None:
    recording = deployed(api, **changes)
    namespace = recording.one("Namespace")
    (hook,) = namespace.before_update
    call(recording.hooks[hook], namespace.inputs)


def test_a_level_that_pods_do_not_meet_is_refused_in_the_servers_own_words(api: Api, warned: list[str]) -> None:
    api.headers["Warning"] = WARNINGS
    with pytest.raises(RuntimeError) as refusal:
        checked_level(api)
    assert f"refuses to make them again:\n    {REFUSED}\nChoose one:\n" in str(refusal.value)
    for solution in ("set pod_security to 'baseline'", "set create_namespace to false", "change namespace"):
        assert solution in str(refusal.value)
    (asked,) = api.requests
    assert (asked.method, asked.query) == ("PATCH", {"dryRun": "All"})
    assert asked.body == {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    assert warned == []


def test_a_level_that_all_pods_meet_is_taken(api: Api, warned: list[str]) -> None:
    checked_level(api, pod_security="baseline")
    (asked,) = api.requests
    assert asked.body["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "baseline"}
    assert warned == []


def test_who_may_not_try_the_level_is_warned(api: Api, warned: list[str]) -> None:
    api.refuse("PATCH", "/api/v1/namespaces/rocketmq", 403, "Forbidden", "namespaces is forbidden")
    checked_level(api)
    (line,) = warned
    assert line.startswith("cannot tell whether pods of rocketmq-namespace meet its Pod Security level")
