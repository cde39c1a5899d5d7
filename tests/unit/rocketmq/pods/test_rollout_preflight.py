"""Updates of StatefulSets with data that would lose data, or stop members that the others need."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi import ResourceHookArgs

from eks_rocketmq.lookups import check_hooks, kubernetes_api
from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE
from eks_rocketmq.rocketmq.pods import rollout_preflight
from tests.unit.harness.rejections import list_rejections
from tests.unit.kubernetes_api import Api
from tests.unit.rocketmq.update_case import check_update, deploy
from tests.unit.rocketmq_case import group

BROKERS, CONTROLLERS = "rocketmq-broker-a-set", "rocketmq-controller-set"
PODS = "/api/v1/namespaces/rocketmq/pods"


def update(
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    name: str = BROKERS,
    api: Api | None = None,
    provider: Mapping[str, Any] | None = None,
    preview: bool = True,
) -> None:
    """Run the check before the update of a StatefulSet from one set of arguments to another."""
    arguments = provider if api is None else {"kubeconfig": api.kubeconfig}
    check_update("rollout", before, after, name=name, provider=arguments, preview=preview)


MORE_MEMORY = {"broker_groups": group(memory="5Gi"), "controllers": {"memory": "1Gi"}}


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    check_hooks.warn_once.cache_clear()
    kubernetes_api._create_client.cache_clear()
    monkeypatch.setattr(check_hooks.pulumi.log, "warn", lines.append)
    return lines


def serve_pods(api: Api, *ready: bool, name: str = BROKERS) -> None:
    """Serve the pods of a StatefulSet, ready or not, by ordinal."""
    for ordinal, each in enumerate(ready):
        status = {"conditions": [{"type": "Ready", "status": str(each)}]}
        pod = {"metadata": {"name": f"{name.removesuffix('-set')}-{ordinal}"}, "status": status}
        api.objects[f"{PODS}/{ordinal}"] = pod


@pytest.mark.parametrize("name", [BROKERS, CONTROLLERS])
def test_older_version_is_refused_and_a_newer_one_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = {"version": "5.4.0"}, {"version": "5.5.0"}
    with pytest.raises(RuntimeError) as error:
        update(new, old, name=name)
    assert list_rejections(error.value) == [("version", "version-downgrade")]
    update(old, new, name=name)
    monkeypatch.setenv(SKIP_VARIABLE, "1")
    update(new, old, name=name)


def test_only_sets_with_data_are_checked() -> None:
    checked = {each for each in deploy({}).hooks if each.endswith("-rollout")}
    assert checked == {f"{BROKERS}-rollout", f"{CONTROLLERS}-rollout"}


REMOVAL_WARNING = (
    "StatefulSet rocketmq/rocketmq-broker-a: this update stops rocketmq-broker-a-3, rocketmq-broker-a-4 and at the "
    "same time rocketmq-broker-a-2, which restarts. Meanwhile 2 of 5 members run"
)


def members(replicas: int, **changes: Any) -> dict[str, Any]:
    return {"broker_groups": group(replicas=replicas, **changes)}


@pytest.mark.parametrize(
    ("ready", "unready"),
    [
        ((True, True, True, True, True), ""),
        # A member that does not come back is a reason to remove it.
        ((True, True, True, False, False), ""),
        ((False, True, True, True, True), "rocketmq-broker-a-0"),
        ((True, True), "rocketmq-broker-a-2"),
    ],
)
def test_members_are_removed_only_if_those_that_stay_are_ready(
    ready: tuple[bool, ...], unready: str, api: Api, warned: list[str]
) -> None:
    serve_pods(api, *ready)
    if unready:
        with pytest.raises(RuntimeError, match=re.escape(f"({unready})")) as error:
            update(members(5), members(3), api=api)
        assert list_rejections(error.value) == [("broker_groups['broker-a'].replicas", "member-removal")]
    else:
        update(members(5), members(3), api=api)
    (request,) = api.requests
    assert "rocketmq.apache.org/broker-group=broker-a" in request.query["labelSelector"]
    assert warned == ([] if unready else [REMOVAL_WARNING])


@pytest.mark.parametrize(
    ("before", "after", "accepted"),
    [
        (members(4, min_in_sync_replicas=3), members(3, min_in_sync_replicas=2), False),
        (members(4, min_in_sync_replicas=3), members(4, min_in_sync_replicas=2), True),
        (members(4), members(3), True),
        ({"profile": "balanced", **members(3)}, {"profile": "balanced", **members(2)}, True),
        # A group of one member never continues while it restarts.
        ({"profile": "dev", **members(2)}, {"profile": "dev", **members(1)}, True),
    ],
)
def test_members_are_removed_only_if_enough_run_while_another_one_restarts(
    before: dict[str, Any], after: dict[str, Any], accepted: bool
) -> None:
    if accepted:
        update(before, after)
        return
    with pytest.raises(RuntimeError) as error:
        update(before, after)
    assert list_rejections(error.value) == [("broker_groups['broker-a'].replicas", "removal-stops-writes")]


def test_an_update_waits_for_pods_that_become_ready(
    api: Api, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def list_pods(*given: Any) -> list[Any]:
        found = find_pods(*given)
        serve_pods(api, True, True, True)
        return found

    find_pods = rollout_preflight._list_pods
    serve_pods(api, True, False, True)
    monkeypatch.setattr(rollout_preflight, "is_dry_run", lambda: False)
    monkeypatch.setattr(rollout_preflight, "_POLL_SECONDS", 0.05)
    monkeypatch.setattr(rollout_preflight, "_list_pods", list_pods)
    update({}, MORE_MEMORY, api=api)
    assert (len(api.requests), warned) == (2, [])


def test_an_update_does_not_wait_for_ever(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    serve_pods(api, True, False, True)
    monkeypatch.setattr(rollout_preflight, "is_dry_run", lambda: False)
    monkeypatch.setattr(rollout_preflight, "READY_SECONDS", 0.1)
    monkeypatch.setattr(rollout_preflight, "_POLL_SECONDS", 0.05)
    with pytest.raises(RuntimeError, match="rocketmq-broker-a-1"):
        update(members(5), members(3), api=api)


def test_a_cluster_that_does_not_answer_is_a_warning(api: Api, warned: list[str]) -> None:
    api.refuse("GET", PODS, 403, "Forbidden", "pods is forbidden")
    update(members(5), members(3), api=api)
    (line,) = warned
    assert line.startswith(f"cannot tell whether the update of {BROKERS} keeps its data available (")


@pytest.mark.parametrize("name", [BROKERS, CONTROLLERS])
@pytest.mark.parametrize(
    ("ready", "skipped"),
    [
        ((True, True, True), []),
        ((False, True, True), [0]),
        ((True, False, True), [1]),
        ((False, False, True), [0, 1]),
        # Kubernetes updates the last pod first, and waits for it.
        ((True, True, False), []),
        ((True, True), []),
        ((False, False, False), []),
    ],
)
def test_an_update_that_stops_ready_pods_before_an_unready_one_is_a_warning(
    name: str, ready: tuple[bool, ...], skipped: list[int], api: Api, warned: list[str]
) -> None:
    serve_pods(api, *ready, name=name)
    update({}, MORE_MEMORY, name=name, api=api)
    pods = ", ".join(f"{name.removesuffix('-set')}-{ordinal}" for ordinal in skipped)
    assert [f"({pods})" in line for line in warned] == [True] * bool(skipped)


def test_the_warning_says_what_stops_and_what_to_do(api: Api, warned: list[str]) -> None:
    serve_pods(api, False, True, True)
    update({}, MORE_MEMORY, api=api)
    assert warned == [
        "StatefulSet rocketmq/rocketmq-broker-a: pods are not ready (rocketmq-broker-a-0), and this update may stop "
        "ready ones first. Writes stop while too few members are left. If this change does not make them ready, update "
        "when all pods are ready (`eks-rocketmq status --namespace rocketmq`)"
    ]


def test_members_that_the_update_adds_are_not_awaited(api: Api, warned: list[str]) -> None:
    serve_pods(api, True, True, True)
    update(members(3), members(5), api=api)
    assert warned == []


def test_updates_that_stop_no_pod_send_no_request(api: Api) -> None:
    update({}, {"annotations": {"team": "messaging"}}, api=api)
    update({}, MORE_MEMORY)
    assert api.requests == []


def test_a_provider_with_a_context_only_uses_the_kubeconfig_of_kubectl(
    api: Api, warned: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "config"
    file.write_text(api.kubeconfig.replace('"current-context": "x"', '"current-context": ""'))
    # The package `kubernetes` reads the variable when it is imported, and the SDK passes it to the provider.
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr(kubernetes_api.config.kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    monkeypatch.setattr(rollout_preflight, "READY_SECONDS", 0)
    serve_pods(api, True, True, False, True, True)
    with pytest.raises(RuntimeError) as error:
        update(members(5), members(3), provider={"context": "x"}, preview=False)
    assert list_rejections(error.value) == [("broker_groups['broker-a'].replicas", "member-removal")]
    update(members(5), members(3), provider={"context": "x", "cluster": "c"}, preview=False)
    # The kubeconfig may be that of a cluster which does not exist yet.
    update(members(5), members(3), provider={"context": "x"})
    assert (len(api.requests), warned) == (1, [])


def keys(**config: Any) -> dict[str, Any]:
    return {"broker_groups": group(config=config)}


STORE_KEYS = [
    ("mappedFileSizeCommitLog", 2**30, 2**27),
    ("mappedFileSizeConsumeQueue", 6000000, 12000000),
    ("mappedFileSizeConsumeQueueExt", 50331648, 2**20),
    ("mappedFileSizeTimerLog", 104857600, 2**20),
    ("timerPrecisionMs", 1000, 100),
    ("storeType", "default", "defaultRocksDB"),
]


@pytest.mark.parametrize(("key", "default", "other"), STORE_KEYS)
def test_a_key_that_determines_what_is_on_the_volumes_keeps_its_value(key: str, default: Any, other: Any) -> None:
    for before, after in (({}, {key: other}), ({key: other}, {}), ({key: other}, {key: default})):
        with pytest.raises(
            RuntimeError, match=f"from {before.get(key, default)} to {after.get(key, default)}"
        ) as error:
            update(keys(**before), keys(**after))
        assert list_rejections(error.value) == [(f"broker_groups['broker-a'].config['{key}']", "store-key-change")]
    update(keys(), keys(**{key: default}))
    update(keys(**{key: other}), keys(**{key: other, "fileReservedTime": 48}))


def test_all_keys_that_would_change_are_named() -> None:
    with pytest.raises(RuntimeError) as error:
        update(keys(), keys(timerPrecisionMs=100, mappedFileSizeTimerLog=2**20))
    assert [code for _, code in list_rejections(error.value)] == ["store-key-change"] * 2


def test_controllers_keep_the_size_of_their_log_files() -> None:
    with pytest.raises(RuntimeError) as error:
        update({}, {"controllers": {"config": {"mappedFileSize": 2**27}}}, name=CONTROLLERS)
    assert list_rejections(error.value) == [("controllers.config['mappedFileSize']", "store-key-change")]


def test_brokers_delete_unread_messages_only_if_the_stack_says_so() -> None:
    key = "cleanFileForciblyEnable"
    changes = [
        ({"profile": "strict"}, {"profile": "balanced"}),
        ({"profile": "balanced", **keys(**{key: False})}, {"profile": "balanced"}),
    ]
    for before, after in changes:
        with pytest.raises(RuntimeError) as error:
            update(before, after)
        assert list_rejections(error.value) == [(f"broker_groups['broker-a'].config['{key}']", "deletion-change")]
    for before in ({"profile": "strict"}, {"profile": "balanced"}):
        update(before, {"profile": "balanced", **keys(**{key: True})})
        update(before, {"profile": "balanced", **keys(**{key: False})})
    update({"profile": "balanced"}, {"profile": "balanced", **keys(fileReservedTime=48)})


def test_keys_of_an_earlier_release_are_unknown() -> None:
    recording = deploy(keys(timerPrecisionMs=100))
    new = recording.one("StatefulSet", BROKERS).inputs
    old = {**new, "metadata": {**new["metadata"], "annotations": {}}}
    (hook,) = (each for name, each in recording.hooks.items() if name == f"{BROKERS}-rollout")
    asyncio.run(hook(ResourceHookArgs("urn", "id", BROKERS, "type", new_inputs=new, old_inputs=old)))
