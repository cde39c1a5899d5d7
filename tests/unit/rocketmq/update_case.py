"""Checks before the update of a StatefulSet from one set of arguments to another."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ProviderResource, ResourceHookArgs, ResourceOptions

from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit import rocketmq_case
from tests.unit.harness import Recording, run


def deploy(changes: dict[str, Any], provider: Mapping[str, Any] | None = None, *, preview: bool = True) -> Recording:
    """Return the recording of a RocketMq, with a provider that has these arguments."""
    if provider is None:
        return rocketmq_case.deploy(preview=preview, **changes)

    def program() -> None:
        cluster: list[ProviderResource] = [k8s.Provider("cluster", **provider)]
        RocketMq("rocketmq", rocketmq_case.args(**changes), ResourceOptions(providers=cluster))

    return run(program, preview=preview)


def check_update(
    check: str,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    name: str,
    provider: Mapping[str, Any] | None = None,
    preview: bool = True,
) -> None:
    """Run the hook `<name>-<check>` before an update.

    Args:
        check: last part of the name of the hook.
        before: changed arguments of the last update.
        after: changed arguments of this update.
        name: name of the StatefulSet.
        provider: arguments of the Kubernetes provider.
        preview: whether it is a preview.
    """
    old, recording = deploy(before).one("StatefulSet", name), deploy(after, provider, preview=preview)
    new = recording.one("StatefulSet", name)
    hook = recording.hooks[f"{name}-{check}"]
    assert f"{name}-{check}" in new.before_update
    asyncio.run(hook(ResourceHookArgs("urn", "id", name, "type", new_inputs=new.inputs, old_inputs=old.inputs)))
