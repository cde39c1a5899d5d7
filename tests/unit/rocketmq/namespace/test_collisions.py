"""Collisions of a RocketMQ with other objects in its namespace: errors and warnings at preview, with remedies."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pulumi_kubernetes as k8s
import pytest
from pulumi import ResourceHookArgs, ResourceOptions

from eks_rocketmq.lookups import check_hooks, kubernetes_api
from eks_rocketmq.lookups.create_checks import OWNER_TAG, SKIP_VARIABLE
from eks_rocketmq.rocketmq.namespace.collisions import KINDS, Collisions, Workload, find_collisions
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.kubernetes_api import Api
from tests.unit.rocketmq.update_case import deploy
from tests.unit.rocketmq_case import args

OLD = {"app": "rocketmq-broker"}
"""Only label of the original brokers."""


def workload(role: str = labels.BROKER, group: str | None = "broker-a", **more: Any) -> Workload:
    own = labels.build_labels(role, "5.5.0", group)
    name = labels.format_app_label(role) if group is None else labels.format_set_name(group)
    selector = labels.build_selector(role, group)
    services = [labels.format_peers_service(name)]
    return Workload("rocketmq", "StatefulSet", name, role, selector, own, own, services=services, **more)


BROKERS = workload(claims=[f"data-rocketmq-broker-a-{ordinal}" for ordinal in range(3)])
NAME_SERVERS = workload(labels.NAME_SERVER, None)


def build_object(name: str = "old", given: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "rocketmq", "name": name, "labels": given or {}}, "spec": spec}


def claim(name: str, given: dict[str, str]) -> dict[str, Any]:
    return build_object(name, given, accessModes=["ReadWriteOnce"])


def list_collisions(own: Workload, **found: list[dict[str, Any]]) -> Collisions:
    return find_collisions(own, {kind: found.get(kind, []) for kind in KINDS})


def get_only(kind: str, own: Workload, **found: list[dict[str, Any]]) -> str:
    """Return the only error or warning."""
    result = vars(list_collisions(own, **found))
    (line,) = result.pop(kind)
    assert list(result.values()) == [[]]
    return line


def test_original_brokers_cause_warnings_but_no_errors() -> None:
    result = list_collisions(
        BROKERS,
        StatefulSet=[build_object("rocketmq-broker", OLD)],
        Service=[build_object("rocketmq-broker", {}, selector=OLD)],
        Pod=[build_object("rocketmq-broker-0", OLD)],
        PersistentVolumeClaim=[claim("store-rocketmq-broker-0", OLD)],
    )
    assert result.errors == []
    service, shared = result.warnings
    assert "Service rocketmq/rocketmq-broker selects the broker pods of this RocketMQ too" in service
    assert "(store-rocketmq-broker-0 are not)" in shared
    assert "`kubectl -n rocketmq delete pvc -l app=rocketmq-broker` deletes all of them" in shared
    assert "rocketmq.apache.org/broker-group=broker-a" in shared


def test_the_brokers_of_another_stack_are_a_collision() -> None:
    brokers = workload(owner="rocketmq/prod")

    def brokers_of(**annotations: str) -> dict[str, Any]:
        found = build_object(brokers.name, dict(brokers.labels))
        return found | {"metadata": found["metadata"] | {"annotations": annotations}}

    error = get_only("errors", brokers, StatefulSet=[brokers_of(**{OWNER_TAG: "rocketmq/staging"})])
    assert error.startswith(
        "StatefulSet rocketmq/rocketmq-broker-a belongs to stack 'rocketmq/staging'. Use another namespace. If stack "
    )
    assert "remove its tag or annotation eks-rocketmq/stack" in error
    for own in (brokers_of(**{OWNER_TAG: "rocketmq/prod"}), brokers_of()):
        assert list_collisions(brokers, StatefulSet=[own]) == Collisions([], [])


def test_workloads_have_the_annotation_that_the_check_compares() -> None:
    recording = run(lambda: RocketMq("rocketmq", args()))
    workloads = [*recording.by_type("StatefulSet"), recording.one("Deployment", "rocketmq-proxy-deployment")]
    owners = [each.inputs["metadata"]["annotations"][OWNER_TAG] for each in workloads]
    assert owners == ["eks-rocketmq/test"] * len(owners)
    assert len(owners) >= 4


def test_an_empty_namespace_has_no_collisions() -> None:
    assert list_collisions(BROKERS) == Collisions([], [])


def test_objects_of_another_role_or_an_earlier_run_are_no_collisions() -> None:
    own, selector = dict(BROKERS.labels), dict(BROKERS.selector)
    result = list_collisions(
        BROKERS,
        StatefulSet=[build_object("rocketmq-broker-a", own)],
        Service=[build_object("rocketmq-broker-a-peers", own, selector=selector)],
        PodDisruptionBudget=[build_object("rocketmq-broker-a", own, selector={"matchLabels": selector})],
        NetworkPolicy=[build_object("rocketmq-broker-a", own, podSelector={"matchLabels": selector}, ingress=[{}])],
        PersistentVolumeClaim=[claim("data-rocketmq-broker-b-0", selector)],
        Pod=[build_object("rocketmq-broker-a-0", own)],
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
def test_existing_object_with_a_required_name_is_an_error(kind: str, name: str) -> None:
    assert get_only("errors", BROKERS, **{kind: [build_object(name)]}).startswith(
        f"{kind} rocketmq/{name} has a name that this RocketMQ needs."
    )
    assert list_collisions(BROKERS, **{kind: [build_object(f"{name}-2")]}) == Collisions([], [])


def test_foreign_pods_that_match_the_selectors_are_an_error() -> None:
    line = get_only("errors", BROKERS, Pod=[build_object("copy-0", dict(BROKERS.selector))])
    assert line.startswith("Pod rocketmq/copy-0 has all labels by which rocketmq-broker-a selects its pods")


@pytest.mark.parametrize("role", [labels.NAME_SERVER, labels.PROXY])
def test_foreign_service_that_selects_the_pods_is_an_error(role: str) -> None:
    own = workload(role, None)
    line = get_only("errors", own, Service=[build_object("names", {}, selector={"app": f"rocketmq-{role}"})])
    assert line.startswith(f"Service rocketmq/names selects the pods of rocketmq-{role} too (app=rocketmq-{role})")
    assert list_collisions(
        own, Service=[build_object("names", {}, selector={"app": "another"}), build_object("external")]
    ) == Collisions([], [])


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
def test_second_disruption_budget_for_the_pods_is_a_warning(selector: dict[str, Any], words: str) -> None:
    budget = build_object("old", {}, selector=selector)
    if not words:
        assert list_collisions(BROKERS, PodDisruptionBudget=[budget]) == Collisions([], [])
        return
    line = get_only("warnings", BROKERS, PodDisruptionBudget=[budget])
    assert words in line
    assert "no node with such a pod can be drained" in line


@pytest.mark.parametrize(
    ("spec", "warned"),
    [
        ({"ingress": [{}]}, True),
        ({"policyTypes": ["Egress"]}, True),
        ({"policyTypes": ["Ingress"]}, False),
    ],
    ids=["more-ingress", "no-egress", "no-ingress"],
)
def test_network_policy_that_changes_the_allowed_traffic_is_a_warning(spec: dict[str, Any], warned: bool) -> None:
    result = list_collisions(BROKERS, NetworkPolicy=[build_object("old", {}, podSelector={}, **spec)])
    assert (len(result.warnings), result.errors) == (int(warned), [])


def test_existing_claims_and_members_without_a_claim_are_warnings() -> None:
    first = claim("data-rocketmq-broker-a-0", OLD)
    warnings = list_collisions(BROKERS, PersistentVolumeClaim=[first]).warnings
    assert "rocketmq-broker-a uses the claims that exist already, with the data on them: data-rocketmq-b" in warnings[1]
    assert "The members without a claim start empty" in warnings[1]
    assert "start with one member" in warnings[1]
    own = [claim(name, dict(BROKERS.selector)) for name in BROKERS.claims]
    assert "start empty" not in get_only("warnings", BROKERS, PersistentVolumeClaim=own)


@pytest.mark.parametrize("role", [labels.BROKER, labels.CONTROLLER])
@pytest.mark.parametrize("enforces", [True, False])
@pytest.mark.parametrize("reused", [True, False])
def test_enforced_access_control_over_existing_volumes_of_brokers_is_a_warning(
    role: str, enforces: bool, reused: bool
) -> None:
    own = workload(role, "broker-a", claims=BROKERS.claims, enforces_access=enforces)
    claims = [claim(name, dict(own.selector)) for name in own.claims] if reused else []
    lines = [each for each in list_collisions(own, PersistentVolumeClaim=claims).warnings if "refuse" in each]
    expected = (
        "The volumes of rocketmq-broker-a may have the internal user of an earlier deployment, with another password. "
        "Members that enforce access control would then refuse each other, and the rollout would not end. If access "
        "control was on before, set its mode to 'permissive' for this update, and to 'enforcing' in the next one "
        "(docs/how-to/turn-on-access-control.md)."
    )
    assert lines == [expected] * (role == labels.BROKER and enforces and reused)


def test_controllers_without_some_of_their_claims_are_an_error() -> None:
    claims = [f"data-rocketmq-controller-{ordinal}" for ordinal in range(3)]
    controllers = workload(labels.CONTROLLER, None, claims=claims)
    own = [claim(name, dict(controllers.selector)) for name in claims]
    (error,) = list_collisions(controllers, PersistentVolumeClaim=own[:1]).errors
    assert f"claims that exist already, {claims[0]}, and start" in error
    assert f"these claims are missing: {claims[1]}, {claims[2]}." in error
    assert "docs/how-to/change-the-number-of-controllers.md" in error
    for complete in ([], own):
        assert list_collisions(controllers, PersistentVolumeClaim=complete).errors == []


def test_foreign_claims_are_no_collision_for_workloads_without_claims() -> None:
    assert (
        list_collisions(NAME_SERVERS, PersistentVolumeClaim=[claim("store", {"app": "rocketmq-nameserver"})]).warnings
        == []
    )


def preview_with_provider(api: Api, **changes: Any) -> Recording:
    def program() -> None:
        provider = k8s.Provider("cluster", kubeconfig=api.kubeconfig)
        RocketMq("rocketmq", args(**changes), ResourceOptions(providers=[provider]))

    return run(program, preview=True)


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    lines: list[str] = []
    check_hooks.warn_once.cache_clear()
    kubernetes_api._create_client.cache_clear()
    monkeypatch.setattr(check_hooks.pulumi.log, "warn", lines.append)
    yield lines
    check_hooks.warn_once.cache_clear()


def run_hook(hook: Callable[..., Any], inputs: Any = None) -> None:
    asyncio.run(hook(ResourceHookArgs("urn", "id", "name", "type", new_inputs=inputs)))


def serve_objects(api: Api, **found: list[dict[str, Any]]) -> None:
    for kind, path in KINDS.items():
        api.objects[path.format("rocketmq")] = {"items": found.get(kind, [])}


def hooks_of(recording: Recording, name: str) -> list[Callable[..., Any]]:
    resource = next(each for each in recording.resources.values() if each.name == name)
    return [recording.hooks[hook] for hook in resource.before_create if hook.endswith("-collisions")]


@pytest.mark.parametrize("preview", [True, False])
def test_every_workload_is_checked_before_creation(preview: bool) -> None:
    recording = run(lambda: RocketMq("rocketmq", args()), preview=preview)
    checked = {each.name for each in recording.resources.values() if f"{each.name}-collisions" in each.before_create}
    sets = ("rocketmq-nameserver-set", "rocketmq-controller-set", "rocketmq-broker-a-set")
    assert checked == {*sets, "rocketmq-proxy-deployment"}


def test_cluster_is_queried_once_and_collisions_stop_the_deployment(api: Api, warned: list[str]) -> None:
    serve_objects(
        api, StatefulSet=[build_object("rocketmq-controller", OLD)], PersistentVolumeClaim=[claim("store-0", OLD)]
    )
    recording = preview_with_provider(api)

    async def run_all_hooks() -> list[BaseException | None]:
        names = ("rocketmq-nameserver-set", "rocketmq-controller-set", "rocketmq-broker-a-set")
        found = [hook for name in names for hook in hooks_of(recording, name)]
        calls = [hook(ResourceHookArgs("urn", "id", "name", "type")) for hook in found]
        return await asyncio.gather(*calls, return_exceptions=True)

    names, controllers, brokers = asyncio.run(run_all_hooks())
    assert (names, brokers) == (None, None)
    assert str(controllers).startswith(
        "StatefulSet rocketmq/rocketmq-controller cannot be made:\n  StatefulSet rocketmq/rocketmq-controller has a"
    )
    assert len(warned) == 1
    assert "delete pvc -l app=rocketmq-broker" in warned[0]
    assert len(api.requests) == len(KINDS)


@pytest.mark.parametrize(
    ("access", "expected"), [({"mode": "enforcing"}, 1), ({}, 1), ({"mode": "permissive"}, 0), (None, 0)]
)
def test_the_check_knows_whether_access_control_is_enforced(
    access: dict[str, Any] | None, expected: int, api: Api, warned: list[str]
) -> None:
    serve_objects(api, PersistentVolumeClaim=[claim(name, dict(BROKERS.selector)) for name in BROKERS.claims])
    recording = preview_with_provider(api, **({} if access is None else {"access": access}))
    (hook,) = hooks_of(recording, "rocketmq-broker-a-set")
    run_hook(hook)
    assert len([line for line in warned if "of an earlier deployment" in line]) == expected


def test_failed_query_is_only_a_warning(api: Api, warned: list[str]) -> None:
    api.refuse("GET", "/apis/apps/v1/namespaces/rocketmq/statefulsets", 403, "Forbidden", "sets is forbidden")
    (hook,) = hooks_of(preview_with_provider(api), "rocketmq-broker-a-set")
    run_hook(hook)
    (line,) = warned
    assert line.startswith("cannot tell what in namespace rocketmq collides with rocketmq-broker-a-set")


def test_adoption_and_unknown_clusters_cause_no_queries(
    api: Api, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (hook,) = hooks_of(run(lambda: RocketMq("rocketmq", args())), "rocketmq-broker-a-set")
    run_hook(hook)
    (hook,) = hooks_of(preview_with_provider(api), "rocketmq-broker-a-set")
    monkeypatch.setenv(SKIP_VARIABLE, "1")
    run_hook(hook)
    assert (api.requests, warned) == ([], [])


VIOLATION = "rocketmq-broker-0 (and 1 other pod): allowPrivilegeEscalation != false, runAsNonRoot != true"
WARNINGS = (
    r'299 - "existing pods in namespace \"rocketmq\" violate the new PodSecurity enforce level \"restricted:latest\"", '
    f'299 - "{VIOLATION}"'
)


def check_level(api: Api, **changes: Any) -> None:
    recording = preview_with_provider(api, **changes)
    namespace = recording.one("Namespace")
    (hook,) = namespace.before_update
    run_hook(recording.hooks[hook], namespace.inputs)


def test_pod_security_violation_is_an_error_with_the_server_message(api: Api, warned: list[str]) -> None:
    api.headers["Warning"] = WARNINGS
    with pytest.raises(RuntimeError) as error:
        check_level(api)
    assert f"refuses to make them again:\n    {VIOLATION}\nChoose one:\n" in str(error.value)
    for solution in ("set pod_security to 'baseline'", "set create_namespace to false", "change namespace"):
        assert solution in str(error.value)
    (request,) = api.requests
    assert (request.method, request.query) == ("PATCH", {"dryRun": "All"})
    assert request.body == {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    assert warned == []


def test_pod_security_level_that_all_pods_meet_is_accepted(api: Api, warned: list[str]) -> None:
    check_level(api, pod_security="baseline")
    (request,) = api.requests
    assert request.body["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "baseline"}
    assert warned == []


def test_forbidden_dry_run_is_only_a_warning(api: Api, warned: list[str]) -> None:
    api.refuse("PATCH", "/api/v1/namespaces/rocketmq", 403, "Forbidden", "namespaces is forbidden")
    check_level(api)
    (line,) = warned
    assert line.startswith("cannot tell whether pods of rocketmq-namespace meet its Pod Security level")


def test_an_existing_namespace_is_found_in_the_context_of_the_provider(api: Api, warned: list[str]) -> None:
    # Without a current context, a lookup that ignores that of the provider finds no cluster.
    kubeconfig = api.kubeconfig.replace('"current-context": "x"', '"current-context": ""')
    api.objects["/api/v1"] = {"resources": [{"name": "namespaces", "kind": "Namespace", "namespaced": False}]}
    api.objects["/api/v1/namespaces/rocketmq"] = {"metadata": {"name": "rocketmq"}}
    recording = deploy({}, {"kubeconfig": kubeconfig, "context": "x"})
    with pytest.raises(RuntimeError, match="'rocketmq' exists already and is not part of stack"):
        run_hook(recording.hooks["rocketmq-namespace-preflight"], recording.one("Namespace").inputs)
    assert warned == []
