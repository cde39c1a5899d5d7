"""Updates of StatefulSets with data that would lose data, or stop members that the others need."""

import asyncio
import re
from typing import Any

import pulumi_kubernetes as k8s
import pytest
from pulumi import ResourceHookArgs, ResourceOptions

from eks_rocketmq.lookups import check_hooks, kubernetes_api
from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.harness.rejections import list_rejections
from tests.unit.kubernetes_api import Api
from tests.unit.rocketmq_case import args, group

BROKERS, CONTROLLERS = "rocketmq-broker-a-set", "rocketmq-controller-set"
PODS = "/api/v1/namespaces/rocketmq/pods"


def preview(changes: dict[str, Any], api: Api | None = None) -> Recording:
    def program() -> None:
        provider = None if api is None else k8s.Provider("cluster", kubeconfig=api.kubeconfig)
        RocketMq("rocketmq", args(**changes), ResourceOptions(providers=[provider] if provider else None))

    return run(program, preview=True)


def update(before: dict[str, Any], after: dict[str, Any], *, name: str = BROKERS, api: Api | None = None) -> None:
    """Run the check before the update of a StatefulSet from one set of arguments to another."""
    old, recording = preview(before).one("StatefulSet", name), preview(after, api)
    new = recording.one("StatefulSet", name)
    (hook,) = (recording.hooks[each] for each in new.before_update if each.endswith("-rollout"))
    asyncio.run(hook(ResourceHookArgs("urn", "id", name, "type", new_inputs=new.inputs, old_inputs=old.inputs)))


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    check_hooks.warn_once.cache_clear()
    kubernetes_api._create_client.cache_clear()
    monkeypatch.setattr(check_hooks.pulumi.log, "warn", lines.append)
    return lines


def serve_brokers(api: Api, *ready: bool) -> None:
    """Serve the pods of the group, ready or not, by ordinal."""
    for ordinal, each in enumerate(ready):
        status = {"conditions": [{"type": "Ready", "status": str(each)}]}
        api.objects[f"{PODS}/{ordinal}"] = {"metadata": {"name": f"rocketmq-broker-a-{ordinal}"}, "status": status}


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
    checked = {each for each in preview({}).hooks if each.endswith("-rollout")}
    assert checked == {f"{BROKERS}-rollout", f"{CONTROLLERS}-rollout"}


def members(replicas: int) -> dict[str, Any]:
    return {"broker_groups": group(replicas=replicas)}


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
    serve_brokers(api, *ready)
    if unready:
        with pytest.raises(RuntimeError, match=re.escape(f"({unready})")) as error:
            update(members(5), members(3), api=api)
        assert list_rejections(error.value) == [("broker_groups['broker-a'].replicas", "member-removal")]
    else:
        update(members(5), members(3), api=api)
    (request,) = api.requests
    assert "rocketmq.apache.org/broker-group=broker-a" in request.query["labelSelector"]
    assert warned == []


def test_a_cluster_that_does_not_answer_is_a_warning(api: Api, warned: list[str]) -> None:
    api.refuse("GET", PODS, 403, "Forbidden", "pods is forbidden")
    update(members(5), members(3), api=api)
    (line,) = warned
    assert line.startswith(f"cannot tell whether the update of {BROKERS} keeps its data available (")


def test_updates_without_a_risk_send_no_request(api: Api) -> None:
    update(members(3), members(5), api=api)
    update(members(3), members(3), api=api)
    update(members(5), members(3))
    assert api.requests == []
