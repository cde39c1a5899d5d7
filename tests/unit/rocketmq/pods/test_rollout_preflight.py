"""Updates of StatefulSets with data that would lose data, or stop members that the others need."""

import asyncio
from typing import Any

import pulumi_kubernetes as k8s
import pytest
from pulumi import ResourceHookArgs, ResourceOptions

from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.harness.rejections import list_rejections
from tests.unit.kubernetes_api import Api
from tests.unit.rocketmq_case import args

BROKERS, CONTROLLERS = "rocketmq-broker-a-set", "rocketmq-controller-set"


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
