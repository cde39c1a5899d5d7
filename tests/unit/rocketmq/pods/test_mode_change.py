"""Changes of TLS and access control that stop a rollout at its first pod."""

from typing import Any

import pytest

from tests.unit.harness.rejections import list_rejections
from tests.unit.kubernetes_api import Api
from tests.unit.rocketmq.update_case import check_update, deploy
from tests.unit.rocketmq_case import SETS

APPS = "/apis/apps/v1/namespaces/rocketmq"
MODES = (None, "permissive", "enforcing")
REFUSED = {("tls", None, "enforcing"), ("tls", "enforcing", None), ("access", "enforcing", None)}


def serve_set(api: Api, name: str, *, finished: bool, current: dict[str, Any] | None = None) -> None:
    """Serve a StatefulSet whose update is finished or not. `current` are the arguments of its former revision."""
    revisions = {"currentRevision": "a", "updateRevision": "a" if finished else "b"}
    path = f"{APPS}/statefulsets/{name.removesuffix('-set')}"
    api.objects[path] = {"metadata": {"name": name.removesuffix("-set")}, "status": revisions}
    inputs = deploy(current or {}).one("StatefulSet", name).inputs
    # The StatefulSet controller copies the annotations and the template of the set.
    metadata = {"annotations": inputs["metadata"].get("annotations", {})}
    template = {"spec": {"template": inputs["spec"]["template"]}}
    api.objects[f"{APPS}/controllerrevisions/a"] = {"metadata": metadata, "data": template}


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
    ],
)
def test_the_next_step_waits_for_the_end_of_a_rollout(
    before: dict[str, Any], after: dict[str, Any], argument: str, finished: bool, name: str, api: Api
) -> None:
    serve_set(api, name, finished=finished)
    if finished:
        update(before, after, name, api)
        return
    with pytest.raises(RuntimeError) as error:
        update(before, after, name, api)
    assert list_rejections(error.value) == [(argument, "rollout-unfinished")]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("current", MODES)
@pytest.mark.parametrize("argument", ["tls", "access"])
def test_the_end_of_permissive_mode_waits_until_no_pod_is_strict(
    argument: str, current: str | None, finished: bool, name: str, api: Api
) -> None:
    serve_set(api, name, finished=finished, current=build_args(argument, current))
    if finished or current != "enforcing":
        update(build_args(argument, "permissive"), {}, name, api)
        return
    with pytest.raises(RuntimeError) as error:
        update(build_args(argument, "permissive"), {}, name, api)
    assert list_rejections(error.value) == [(argument, "rollout-unfinished")]


def tls(secret: str, mode: str, authority: str | None = "ca.crt") -> dict[str, Any]:
    return {"tls": {"secret_name": secret, "mode": mode} | ({"authority": authority} if authority else {})}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(
    ("before", "after", "accepted"),
    [
        (tls("a", "enforcing"), tls("b", "enforcing"), False),
        (tls("a", "enforcing"), tls("b", "permissive"), False),
        (tls("a", "permissive"), tls("b", "enforcing"), False),
        (tls("a", "enforcing", None), tls("b", "enforcing"), False),
        # No pod verifies a certificate.
        (tls("a", "permissive"), tls("b", "permissive"), True),
        (tls("a", "enforcing", None), tls("b", "enforcing", None), True),
        # All pods have the same certificate.
        (tls("a", "enforcing"), tls("a", "enforcing", "all.crt"), True),
        (tls("a", "enforcing"), tls("a", "enforcing", None), True),
    ],
)
def test_another_secret_needs_permissive_mode_if_pods_verify_certificates(
    before: dict[str, Any], after: dict[str, Any], accepted: bool, name: str
) -> None:
    if accepted:
        update(before, after, name)
        return
    with pytest.raises(RuntimeError) as error:
        update(before, after, name)
    assert list_rejections(error.value) == [("tls.secret_name", "certificate-change")]


@pytest.mark.parametrize("current", ["permissive", "enforcing"])
def test_another_secret_waits_until_no_pod_verifies_certificates(current: str, api: Api) -> None:
    serve_set(api, SETS[0], finished=False, current=tls("a", current))
    if current == "permissive":
        update(tls("a", "permissive"), tls("b", "permissive"), api=api)
        return
    with pytest.raises(RuntimeError) as error:
        update(tls("a", "permissive"), tls("b", "permissive"), api=api)
    assert list_rejections(error.value) == [("tls.secret_name", "rollout-unfinished")]
