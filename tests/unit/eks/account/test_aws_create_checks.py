"""A resource that exists outside of the stack is rejected at preview, with the possible solutions."""

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from eks_rocketmq.eks.account import aws_create_checks
from eks_rocketmq.eks.account.aws_create_checks import reject_existing_cluster, reject_existing_resource
from eks_rocketmq.lookups import create_checks as common
from eks_rocketmq.lookups import kubernetes_objects
from eks_rocketmq.lookups.aws_resources import ROLE
from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE
from eks_rocketmq.lookups.existing_resource import ExistingResource
from tests.unit.harness import PROJECT, Fakes, Recording, run, run_stack
from tests.unit.harness.fakes import ACCOUNT, REGION


def recorded() -> Recording:
    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Holder", "parent", None)
        binding = reject_existing_resource("driver", "pass its ARN", parent)
        pulumi.ComponentResource("test:index:Holder", "holder", None, pulumi.ResourceOptions(hooks=binding))

    return run(program)


def check(monkeypatch: pytest.MonkeyPatch, found: ExistingResource | Exception | None) -> list[tuple[str, str]]:
    """Calls the hook as the engine does before a create; returns what was logged."""
    logged: list[tuple[str, str]] = []

    def answer(*_: Any) -> ExistingResource | None:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(aws_create_checks, "find_resource", answer)
    monkeypatch.setattr(common.pulumi.log, "warn", lambda message: logged.append(("WARNING", message)))
    hook = recorded().hooks["driver-preflight"]
    args = pulumi.ResourceHookArgs(urn="urn", id="", name="driver-role", type=ROLE, new_inputs={"name": "driver"})
    asyncio.run(hook(args))
    return logged


def test_a_resource_of_no_stack_is_rejected_with_the_possible_solutions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(RuntimeError) as refusal:
        check(monkeypatch, ExistingResource("driver", {"team": "messaging"}))
    assert str(refusal.value).splitlines() == [
        "Role 'driver' exists already and is not part of stack 'test'. Choose one:",
        "  import once   let the stack manage it from now on:  eks-rocketmq adopt -s test",
        "  existing      use it as it is, without managing it: pass its ARN",
        "  create        delete it, or give the new one another name, and run again",
    ]


def test_what_does_not_exist_may_be_created(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch, None) == []


def test_a_replacement_of_the_stacks_own_resource_is_no_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch, ExistingResource("driver", {"eks-rocketmq/stack": "eks-rocketmq/test", "x": "y"})) == []


def test_a_resource_of_another_stack_is_refused_and_no_import_is_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError) as refusal:
        check(monkeypatch, ExistingResource("driver", {"eks-rocketmq/stack": "eks-rocketmq/staging"}))
    assert str(refusal.value).splitlines() == [
        "Role 'driver' belongs to stack 'eks-rocketmq/staging', not to stack 'test'. Choose one:",
        "  existing      use it as it is, without managing it: pass its ARN",
        "  create        give the new one another name, and run again",
        "If stack 'eks-rocketmq/staging' is gone for good, remove its tag or annotation eks-rocketmq/stack and run "
        "this again.",
    ]


def test_an_account_that_does_not_answer_stops_nothing_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    logged = check(monkeypatch, PermissionError("AccessDenied"))
    assert logged == [
        ("WARNING", "cannot tell whether driver-role exists already (AccessDenied); going on without that check")
    ]


def test_adoption_plans_without_the_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SKIP_VARIABLE, "1")
    assert check(monkeypatch, ExistingResource("driver")) == []


class Sts:
    """What a session says about itself."""

    def __init__(self, account: str) -> None:
        self._account = account

    def client(self, service: str) -> "Sts":
        assert service == "sts"
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": self._account}


class Asked:
    """Which settings the account was asked with, what was answered, and what was said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, account: str = ACCOUNT) -> None:
        self.settings: list[Any] = []
        self.found: list[Any] = []
        self.said: list[str] = []
        common._warn_once.cache_clear()
        monkeypatch.setattr(
            aws_create_checks, "create_session", lambda provider: self.settings.append(provider) or Sts(account)
        )
        monkeypatch.setattr(aws_create_checks, "find_resource", lambda session, *_: self.found.append(session()))
        monkeypatch.setattr(common.pulumi.log, "warn", self.said.append)

    def run(
        self,
        provider: Callable[[], aws.Provider] | None = None,
        *,
        preview: bool = True,
        config: dict[str, str] | None = None,
        fakes: Fakes | None = None,
    ) -> None:
        """Calls the hooks of two resources of a component, in the loop of the program as the engine does."""

        def program() -> None:
            opts = pulumi.ResourceOptions(provider=provider()) if provider else None
            parent = pulumi.ComponentResource("test:index:Holder", "parent", None, opts)
            for name in ("driver", "other"):
                (hook,) = reject_existing_resource(name, "pass its ARN", parent).before_create or []
                args = pulumi.ResourceHookArgs(urn="urn", id="", name=name, type=ROLE, new_inputs={"name": name})
                called = asyncio.ensure_future(hook.callback(args))  # ty: ignore[missing-attribute]
                pulumi.export(name, pulumi.Output.from_input(called))

        run(program, preview=preview, config=config, fakes=fakes)


def test_the_account_is_asked_as_the_stacks_own_provider_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    roles = '[{"roleArn": "arn:aws:iam::1:role/deployer"}]'
    asked.run(config={"aws:profile": "prod", "aws:region": "eu-west-1", "aws:assumeRoles": roles, "x:y": "z"})
    assert asked.settings == [{"profile": "prod", "region": "eu-west-1", "assumeRoles": roles}] * 2
    assert (len(asked.found), asked.said) == (2, [])


@pytest.mark.parametrize("preview", [True, False])
def test_a_component_with_a_provider_of_its_own_is_looked_up_in_that_ones_account(
    monkeypatch: pytest.MonkeyPatch, preview: bool
) -> None:
    asked = Asked(monkeypatch)
    asked.run(lambda: aws.Provider("own", profile="team", region="eu-west-1"), preview=preview)
    settings = {"profile": "team", "region": REGION, "account": ACCOUNT}
    assert asked.settings == [{**dict.fromkeys(["accessKey", "secretKey", "token", "endpoints"]), **settings}] * 2
    assert (len(asked.found), asked.said) == (2, [])


def test_an_account_that_cannot_be_asked_from_here_is_said_once_and_not_mistaken_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Asked(monkeypatch, account="111122223333")
    asked.run(lambda: aws.Provider("own", assume_roles=[{"role_arn": "arn:aws:iam::140023393377:role/deployer"}]))
    assert asked.found == []
    assert asked.said == [
        f"cannot tell what exists already (an AWS provider works in account {ACCOUNT}, and only 111122223333 can be "
        "asked from here); going on without that check"
    ]


def test_a_provider_that_only_the_update_knows_is_said_once_and_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Asked(monkeypatch)
    # What the engine answers then.
    unknown = Fakes().answering("aws:index/getCallerIdentity:getCallerIdentity", lambda _: {})
    asked.run(lambda: aws.Provider("own"), fakes=unknown)
    assert (asked.settings, asked.found) == ([], [])
    assert asked.said == [
        "cannot tell what exists already (the account of an AWS provider is known only after an update); going on "
        "without that check"
    ]


def test_the_hook_runs_at_preview() -> None:
    hooks: list[pulumi.ResourceHook] = []

    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Holder", "parent", None)
        hooks.extend(reject_existing_resource("driver", "pass its ARN", parent).before_create or [])  # ty: ignore[invalid-argument-type]

    run(program, preview=True)
    (hook,) = hooks
    assert hook.opts is not None
    assert hook.opts.on_dry_run is True
    assert hook.opts.ignore_errors is False


def call(hook: Callable[..., Any], **inputs: Any) -> None:
    """Calls a hook as the engine does before a create."""
    args = pulumi.ResourceHookArgs(urn="urn", id="", name="name", type=inputs.pop("type"), new_inputs=inputs)
    asyncio.run(hook(args))


def test_a_cluster_of_the_same_name_is_rejected_with_the_possible_solutions(monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Holder", "parent", None)
        binding = reject_existing_cluster("cluster-eks", "staging", parent)
        pulumi.ComponentResource("test:index:Holder", "holder", None, pulumi.ResourceOptions(hooks=binding))

    hook = run(program).hooks["cluster-eks-preflight"]
    asked: list[str] = []
    monkeypatch.setattr(aws_create_checks, "create_session", lambda _: None)
    monkeypatch.setattr(aws_create_checks, "find_cluster", lambda _, name: asked.append(name))
    call(hook, type="aws:eks/cluster:Cluster", name="staging")
    assert asked == ["staging"]
    monkeypatch.setattr(
        aws_create_checks, "find_cluster", lambda _, name: ExistingResource(name, {"eks-rocketmq/stack": "other/one"})
    )
    with pytest.raises(RuntimeError) as refusal:
        call(hook, type="aws:eks/cluster:Cluster", name="staging")
    assert str(refusal.value).splitlines() == [
        "EKS cluster 'staging' exists already and belongs to stack 'other/one', not to stack 'test'. Choose one:",
        "  existing   use it as it is: ExistingEksCluster, without version",
        "  create     change cluster_name, and run again",
    ]
    monkeypatch.setattr(aws_create_checks, "find_cluster", lambda _, name: ExistingResource(name))
    with pytest.raises(RuntimeError, match="'staging' exists already and is not part of stack 'test'"):
        call(hook, type="aws:eks/cluster:Cluster", name="staging")
    monkeypatch.setattr(
        aws_create_checks,
        "find_cluster",
        lambda _, name: ExistingResource(name, {"eks-rocketmq/stack": f"{PROJECT}/test"}),
    )
    call(hook, type="aws:eks/cluster:Cluster", name="staging")


def test_the_error_for_an_existing_namespace_spells_the_argument_of_the_stack_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recording = run_stack("prod", preview=True)
    hook, inputs = recording.hooks["rocketmq-namespace-preflight"], recording.one("Namespace").inputs
    asked: list[Any] = []

    def has(annotations: dict[str, str]) -> Callable[..., ExistingResource]:
        return lambda config, wanted: (
            asked.append((config, wanted["kind"])) or ExistingResource("rocketmq", annotations)
        )

    monkeypatch.setattr(kubernetes_objects, "find_object", has({}))
    with pytest.raises(RuntimeError) as refusal:
        call(hook, type="kubernetes:core/v1:Namespace", **inputs)
    assert asked == [(recording.one("pulumi:providers:kubernetes").inputs["kubeconfig"], "Namespace")]
    assert str(refusal.value).startswith(
        "Namespace 'rocketmq' exists already and is not part of stack 'prod'. Choose one:\n"
    )
    assert "set rocketmq.createNamespace to false" in str(refusal.value)
    monkeypatch.setattr(kubernetes_objects, "find_object", has({"eks-rocketmq/stack": "eks-rocketmq/staging"}))
    with pytest.raises(RuntimeError, match="Namespace 'rocketmq' belongs to stack 'eks-rocketmq/staging'"):
        call(hook, type="kubernetes:core/v1:Namespace", **inputs)
    monkeypatch.setattr(kubernetes_objects, "find_object", has(inputs["metadata"]["annotations"]))
    call(hook, type="kubernetes:core/v1:Namespace", **inputs)


def test_a_log_group_that_eks_made_again_is_refused_at_preview_with_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = run_stack("staging", preview=True)
    inputs = recording.one("LogGroup", "cluster-logs").inputs
    monkeypatch.setattr(aws_create_checks, "create_session", lambda _: None)
    monkeypatch.setattr(aws_create_checks, "find_resource", lambda *_: ExistingResource(inputs["name"]))
    with pytest.raises(RuntimeError) as refusal:
        call(recording.hooks["cluster-logs-preflight"], type="aws:cloudwatch/logGroup:LogGroup", **inputs)
    assert str(refusal.value).splitlines()[:3] == [
        "LogGroup '/aws/eks/staging/cluster' exists already and is not part of stack 'staging'. Choose one:",
        "  import once   let the stack manage it from now on:  eks-rocketmq adopt -s staging",
        "  existing      use it as it is, without managing it: not possible: EKS writes into this group and no other. "
        "It may have made it again with the last logs of a cluster that was deleted",
    ]
