"""Number of controllers: an update must not change it, because the Raft quorum of DLedger has fixed members."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pulumi_kubernetes as k8s
import pytest
from pulumi import ResourceHookArgs, ResourceOptions

from eks_rocketmq.lookups import check_hooks, kubernetes_api
from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.harness.recording import Registration
from tests.unit.harness.rejections import list_rejections
from tests.unit.kubernetes_api import Api
from tests.unit.rocketmq_case import args

SET = "/apis/apps/v1/namespaces/rocketmq/statefulsets/rocketmq-controller"


@pytest.fixture(autouse=True)
def no_warnings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    lines: list[str] = []
    kubernetes_api._create_client.cache_clear()
    monkeypatch.setattr(check_hooks.pulumi.log, "warn", lines.append)
    yield
    assert lines == []


def preview(api: Api | None, **changes: Any) -> Recording:
    def program() -> None:
        provider = None if api is None else k8s.Provider("cluster", kubeconfig=api.kubeconfig)
        options = None if provider is None else ResourceOptions(providers=[provider])
        RocketMq("rocketmq", args(**changes), options)

    return run(program, preview=True)


def find_set(recording: Recording, name: str) -> Registration:
    return next(each for each in recording.resources.values() if each.name == name)


def update(recording: Recording, recorded: int | None) -> None:
    controllers = find_set(recording, "rocketmq-controller-set")
    (hook,) = (recording.hooks[each] for each in controllers.before_update if each.endswith("-members"))
    old = None if recorded is None else {"spec": {"replicas": recorded}}
    hook_args = ResourceHookArgs("urn", "id", "name", "type", new_inputs=controllers.inputs, old_inputs=old)
    asyncio.run(hook(hook_args))


def serve(api: Api, replicas: int) -> None:
    api.objects[SET] = {"spec": {"replicas": replicas}}


def test_number_that_differs_from_the_running_controllers_is_refused(api: Api) -> None:
    serve(api, 1)
    with pytest.raises(RuntimeError) as error:
        update(preview(api), recorded=3)
    assert str(error.value).startswith("controllers.replicas: 1 controllers run")
    assert list_rejections(error.value) == [("controllers.replicas", "controller-count-change")]


def test_the_state_decides_if_the_cluster_does_not_answer(api: Api) -> None:
    api.refuse("GET", SET, 403, "Forbidden", "statefulsets is forbidden")
    with pytest.raises(RuntimeError, match=r"^controllers\.replicas: 1 controllers run"):
        update(preview(api), recorded=1)
    update(preview(api), recorded=3)


def test_the_state_decides_without_a_known_cluster(api: Api) -> None:
    with pytest.raises(RuntimeError, match=r"^controllers\.replicas: 1 controllers run"):
        update(preview(None), recorded=1)
    update(preview(None), recorded=None)
    assert api.requests == []


@pytest.mark.parametrize("running", [0, 3])
def test_same_number_and_stopped_controllers_are_accepted(api: Api, running: int) -> None:
    serve(api, running)
    update(preview(api), recorded=1)


def test_the_check_can_be_skipped(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(api, 1)
    monkeypatch.setenv(SKIP_VARIABLE, "1")
    update(preview(api), recorded=1)
    assert api.requests == []


def test_other_sets_may_change_their_number() -> None:
    recording = preview(None)
    assert [each for each in recording.hooks if each.endswith("-members")] == ["rocketmq-controller-set-members"]
