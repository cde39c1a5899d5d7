"""Changes of TLS: between none and enforcing, pods that have restarted and pods that have not refuse each other."""

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


def preview(mode: str | None) -> tuple[Recording, Registration]:
    tls: dict[str, Any] = {} if mode is None else {"tls": {"secret_name": "rocketmq-tls", "mode": mode}}
    recording = run(lambda: RocketMq("rocketmq", args(**tls)), preview=True)
    return recording, next(each for each in recording.resources.values() if each.name == "rocketmq-nameserver-set")


@pytest.mark.parametrize("before", MODES)
@pytest.mark.parametrize("after", MODES)
def test_tls_changes_over_permissive_only(before: str | None, after: str | None) -> None:
    _, old = preview(before)
    recording, new = preview(after)
    (hook,) = (recording.hooks[each] for each in new.before_update)
    hook_args = ResourceHookArgs("urn", "id", "name", "type", new_inputs=new.inputs, old_inputs=old.inputs)
    if {before, after} != {None, "enforcing"}:
        asyncio.run(hook(hook_args))
        return
    with pytest.raises(RuntimeError) as error:
        asyncio.run(hook(hook_args))
    assert list_rejections(error.value) == [("tls", "tls-change")]
