"""Changes of TLS and access control that stop a rollout at its first pod."""

from typing import Any

import pytest

from tests.unit.harness.rejections import list_rejections
from tests.unit.kubernetes_api import Api
from tests.unit.rocketmq.update_case import check_update
from tests.unit.rocketmq_case import SETS

MODES = (None, "permissive", "enforcing")
REFUSED = {("tls", None, "enforcing"), ("tls", "enforcing", None), ("access", "enforcing", None)}


def update(before: dict[str, Any], after: dict[str, Any], name: str = SETS[0], api: Api | None = None) -> None:
    """Run the hook before the update of a StatefulSet from one set of arguments to another."""
    provider = None if api is None else {"kubeconfig": api.kubeconfig}
    check_update("modes", before, after, name=name, provider=provider)


def build_args(argument: str, mode: str | None) -> dict[str, Any]:
    secret = {"secret_name": "rocketmq-tls"} if argument == "tls" else {}
    return {} if mode is None else {argument: {**secret, "mode": mode}}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("argument", ["tls", "access"])
@pytest.mark.parametrize("before", MODES)
@pytest.mark.parametrize("after", MODES)
def test_modes_change_over_permissive(argument: str, before: str | None, after: str | None, name: str) -> None:
    if (argument, before, after) not in REFUSED:
        update(build_args(argument, before), build_args(argument, after), name)
        return
    with pytest.raises(RuntimeError) as error:
        update(build_args(argument, before), build_args(argument, after), name)
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


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(
    ("before", "after", "argument"),
    [
        ({"access": {"internal_generation": 2}}, {"access": {"internal_generation": 3}}, "access.internal_generation"),
        (build_args("tls", "permissive"), build_args("tls", "enforcing"), "tls.mode"),
        # These pods understand each other, and those of before too.
        (build_args("tls", "permissive"), {}, None),
        (build_args("access", "permissive"), {}, None),
    ],
)
def test_the_next_step_waits_for_the_end_of_a_rollout(
    before: dict[str, Any], after: dict[str, Any], argument: str | None, finished: bool, name: str, api: Api
) -> None:
    revisions = {"currentRevision": "a", "updateRevision": "a" if finished else "b"}
    path = f"/apis/apps/v1/namespaces/rocketmq/statefulsets/{name.removesuffix('-set')}"
    api.objects[path] = {"metadata": {"name": name.removesuffix("-set")}, "status": revisions}
    if finished or argument is None:
        update(before, after, name, api)
        return
    with pytest.raises(RuntimeError) as error:
        update(before, after, name, api)
    assert list_rejections(error.value) == [(argument, "rollout-unfinished")]
