"""Changes of TLS and access control that pods that have restarted and pods that have not do not survive."""

import asyncio
from typing import Any

import pytest
from pulumi import ResourceHookArgs

from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.harness.recording import Registration
from tests.unit.harness.rejections import list_rejections
from tests.unit.rocketmq_case import args

MODES = (None, "permissive", "enforcing")
REFUSED = {("tls", None, "enforcing"), ("tls", "enforcing", None), ("access", "enforcing", None)}


def preview(argument: str, mode: str | None) -> tuple[Recording, Registration]:
    given: dict[str, Any] = {"secret_name": "rocketmq-tls"} if argument == "tls" else {}
    arguments = {} if mode is None else {argument: {**given, "mode": mode}}
    recording = run(lambda: RocketMq("rocketmq", args(**arguments)), preview=True)
    return recording, next(each for each in recording.resources.values() if each.name == "rocketmq-nameserver-set")


@pytest.mark.parametrize("argument", ["tls", "access"])
@pytest.mark.parametrize("before", MODES)
@pytest.mark.parametrize("after", MODES)
def test_modes_change_over_permissive(argument: str, before: str | None, after: str | None) -> None:
    _, old = preview(argument, before)
    recording, new = preview(argument, after)
    (hook,) = (recording.hooks[each] for each in new.before_update)
    hook_args = ResourceHookArgs("urn", "id", "name", "type", new_inputs=new.inputs, old_inputs=old.inputs)
    if (argument, before, after) not in REFUSED:
        asyncio.run(hook(hook_args))
        return
    with pytest.raises(RuntimeError) as error:
        asyncio.run(hook(hook_args))
    assert list_rejections(error.value) == [(argument, "mode-change")]


@pytest.mark.parametrize(("before", "after", "accepted"), [(1, 1, True), (1, 2, True), (1, 3, False), (2, 1, False)])
def test_generation_of_the_internal_user_rises_by_one(before: int, after: int, accepted: bool) -> None:
    def plan(generation: int) -> tuple[Recording, Registration]:
        given = args(access={"internal_generation": generation})
        recording = run(lambda: RocketMq("rocketmq", given), preview=True)
        return recording, next(each for each in recording.resources.values() if each.name == "rocketmq-nameserver-set")

    _, old = plan(before)
    recording, new = plan(after)
    (hook,) = (recording.hooks[each] for each in new.before_update)
    hook_args = ResourceHookArgs("urn", "id", "name", "type", new_inputs=new.inputs, old_inputs=old.inputs)
    if accepted:
        asyncio.run(hook(hook_args))
        return
    with pytest.raises(RuntimeError) as error:
        asyncio.run(hook(hook_args))
    assert list_rejections(error.value) == [("access.internal_generation", "generation-change")]
