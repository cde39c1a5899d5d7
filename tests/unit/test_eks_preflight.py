"""Something that exists outside of the stack is named at preview, with the three ways on."""

import asyncio
from typing import Any

import pulumi
import pytest

from eks_rocketmq.eks import preflight
from eks_rocketmq.eks.lookup import ROLE, Found
from eks_rocketmq.eks.preflight import SKIP_VARIABLE, refuse_existing
from tests.unit.harness import Recording, run


def recorded() -> Recording:
    def program() -> None:
        binding = refuse_existing("driver", "pass its ARN", session=lambda: pytest.fail("no AWS in this test"))
        pulumi.ComponentResource("test:index:Holder", "holder", None, pulumi.ResourceOptions(hooks=binding))

    return run(program)


def check(monkeypatch: pytest.MonkeyPatch, found: Found | Exception | None) -> list[tuple[str, str]]:
    """Calls the hook as the engine does before a create; returns what was logged."""
    logged: list[tuple[str, str]] = []

    def answer(*_: Any) -> Found | None:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(preflight, "find", answer)
    monkeypatch.setattr(preflight.pulumi.log, "warn", lambda message: logged.append(("WARNING", message)))
    hook = recorded().hooks["driver-preflight"]
    args = pulumi.ResourceHookArgs(urn="urn", id="", name="driver-role", type=ROLE, new_inputs={"name": "driver"})
    asyncio.run(hook(args))
    return logged


def test_a_resource_of_others_is_refused_with_the_three_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError) as refusal:
        check(monkeypatch, Found("driver", {"team": "messaging"}))
    assert str(refusal.value).splitlines() == [
        "Role 'driver' exists already and is not part of stack 'test'. Three ways on:",
        "  import once   let the stack manage it from now on:  eks-rocketmq adopt -s test",
        "  existing      use it as it is, without managing it: pass its ARN",
        "  create        delete it, or give the new one another name, and run again",
    ]


def test_what_does_not_exist_may_be_created(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch, None) == []


def test_a_replacement_of_the_stacks_own_resource_is_no_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch, Found("driver", {"eks-rocketmq/stack": "eks-rocketmq/test", "x": "y"})) == []


def test_the_mark_of_another_stack_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="exists already"):
        check(monkeypatch, Found("driver", {"eks-rocketmq/stack": "eks-rocketmq/staging"}))


def test_an_account_that_does_not_answer_stops_nothing_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    logged = check(monkeypatch, PermissionError("AccessDenied"))
    assert logged == [
        ("WARNING", "cannot tell whether driver-role exists already (AccessDenied); going on without that check")
    ]


def test_adoption_plans_without_the_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SKIP_VARIABLE, "1")
    assert check(monkeypatch, Found("driver")) == []


def test_the_account_is_asked_as_the_stacks_own_provider_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(preflight, "aws_session", asked.append)
    run(preflight._stack_session, config={"aws:profile": "prod", "aws:region": "eu-west-1"})
    assert asked == [{"profile": "prod", "region": "eu-west-1"}]


def test_the_hook_runs_at_preview() -> None:
    hooks: list[pulumi.ResourceHook] = []

    def program() -> None:
        hooks.extend(refuse_existing("driver", "pass its ARN").before_create or [])  # ty: ignore[invalid-argument-type]

    run(program, preview=True)
    (hook,) = hooks
    assert hook.opts is not None
    assert hook.opts.on_dry_run is True
    assert hook.opts.ignore_errors is False
