"""Changes of TLS and access control that stop a rollout at its first pod."""

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


def update(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Run the hook before the update of the name servers from one set of arguments to another."""
    (_, old), (recording, new) = preview(before), preview(after)
    (hook,) = (recording.hooks[each] for each in new.before_update)
    asyncio.run(hook(ResourceHookArgs("urn", "id", "name", "type", new_inputs=new.inputs, old_inputs=old.inputs)))


def preview(changes: dict[str, Any]) -> tuple[Recording, Registration]:
    recording = run(lambda: RocketMq("rocketmq", args(**changes)), preview=True)
    return recording, next(each for each in recording.resources.values() if each.name == "rocketmq-nameserver-set")


def build_args(argument: str, mode: str | None) -> dict[str, Any]:
    secret = {"secret_name": "rocketmq-tls"} if argument == "tls" else {}
    return {} if mode is None else {argument: {**secret, "mode": mode}}


@pytest.mark.parametrize("argument", ["tls", "access"])
@pytest.mark.parametrize("before", MODES)
@pytest.mark.parametrize("after", MODES)
def test_modes_change_over_permissive(argument: str, before: str | None, after: str | None) -> None:
    if (argument, before, after) not in REFUSED:
        update(build_args(argument, before), build_args(argument, after))
        return
    with pytest.raises(RuntimeError) as error:
        update(build_args(argument, before), build_args(argument, after))
    assert list_rejections(error.value) == [(argument, "mode-change")]


@pytest.mark.parametrize(("before", "after", "accepted"), [(1, 1, True), (1, 2, True), (1, 3, False), (2, 1, False)])
def test_generation_of_the_internal_user_rises_by_one(before: int, after: int, accepted: bool) -> None:
    old, new = ({"access": {"internal_generation": each}} for each in (before, after))
    if accepted:
        update(old, new)
        return
    with pytest.raises(RuntimeError) as error:
        update(old, new)
    assert list_rejections(error.value) == [("access.internal_generation", "generation-change")]
