"""Rejection at preview of resources that exist outside of the stack."""

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
from tests.unit.harness import PROJECT, Fakes, Recording, run
from tests.unit.harness.fakes import ACCOUNT, REGION


def register_checked_resource() -> Recording:
    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Holder", "parent", None)
        binding = reject_existing_resource("driver", "pass its ARN", parent)
        pulumi.ComponentResource("test:index:Holder", "holder", None, pulumi.ResourceOptions(hooks=binding))

    return run(program)


def check(monkeypatch: pytest.MonkeyPatch, found: ExistingResource | Exception | None) -> list[tuple[str, str]]:
    """Call the hook as the engine does before a create, and return the logged warnings."""
    logged: list[tuple[str, str]] = []

    def answer(*_: Any) -> ExistingResource | None:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(aws_create_checks, "find_resource", answer)
    monkeypatch.setattr(common.pulumi.log, "warn", lambda message: logged.append(("WARNING", message)))
    hook = register_checked_resource().hooks["driver-preflight"]
    args = pulumi.ResourceHookArgs(urn="urn", id="", name="driver-role", type=ROLE, new_inputs={"name": "driver"})
    asyncio.run(hook(args))
    return logged


def test_a_resource_outside_of_any_stack_is_rejected_with_the_possible_solutions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(RuntimeError) as raised:
        check(monkeypatch, ExistingResource("driver", {"team": "messaging"}))
    assert str(raised.value).splitlines() == [
        "Role 'driver' exists already and is not part of stack 'test'. Choose one:",
        "  import once   let the stack manage it from now on:  eks-rocketmq adopt -s test",
        "  existing      use it as it is, without managing it: pass its ARN",
        "  create        delete it, or give the new one another name, and run again",
    ]


def test_create_is_allowed_when_the_resource_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch, None) == []


def test_replacing_a_resource_of_the_same_stack_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch, ExistingResource("driver", {"eks-rocketmq/stack": "eks-rocketmq/test", "x": "y"})) == []


def test_a_resource_of_another_stack_is_rejected_without_import_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError) as raised:
        check(monkeypatch, ExistingResource("driver", {"eks-rocketmq/stack": "eks-rocketmq/staging"}))
    assert str(raised.value).splitlines() == [
        "Role 'driver' belongs to stack 'eks-rocketmq/staging', not to stack 'test'. Choose one:",
        "  existing      use it as it is, without managing it: pass its ARN",
        "  create        give the new one another name, and run again",
        "If stack 'eks-rocketmq/staging' is gone for good, remove its tag or annotation eks-rocketmq/stack and run "
        "this again.",
    ]


def test_a_failed_lookup_logs_a_warning_and_allows_the_create(monkeypatch: pytest.MonkeyPatch) -> None:
    logged = check(monkeypatch, PermissionError("AccessDenied"))
    assert logged == [
        ("WARNING", "cannot tell whether driver-role exists already (AccessDenied); going on without that check")
    ]


def test_the_skip_variable_disables_the_create_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SKIP_VARIABLE, "1")
    assert check(monkeypatch, ExistingResource("driver")) == []


class Session:
    """A fake AWS session of an account."""

    def __init__(self, account: str) -> None:
        self._account = account

    def client(self, service: str) -> "Session":
        assert service == "sts"
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": self._account}


class Lookups:
    """The session settings, the lookups and the warnings of the create checks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, account: str = ACCOUNT) -> None:
        self.settings: list[Any] = []
        self.sessions: list[Any] = []
        self.warnings: list[str] = []
        common._warn_once.cache_clear()
        monkeypatch.setattr(
            aws_create_checks, "create_session", lambda provider: self.settings.append(provider) or Session(account)
        )
        monkeypatch.setattr(aws_create_checks, "find_resource", lambda session, *_: self.sessions.append(session()))
        monkeypatch.setattr(common.pulumi.log, "warn", self.warnings.append)

    def run(
        self,
        provider: Callable[[], aws.Provider] | None = None,
        *,
        preview: bool = True,
        config: dict[str, str] | None = None,
        fakes: Fakes | None = None,
    ) -> None:
        """Call the hooks of two resources of a component in the event loop of the program, as the engine does."""

        def program() -> None:
            opts = pulumi.ResourceOptions(provider=provider()) if provider else None
            parent = pulumi.ComponentResource("test:index:Holder", "parent", None, opts)
            for name in ("driver", "other"):
                (hook,) = reject_existing_resource(name, "pass its ARN", parent).before_create or []
                args = pulumi.ResourceHookArgs(urn="urn", id="", name=name, type=ROLE, new_inputs={"name": name})
                called = asyncio.ensure_future(hook.callback(args))  # ty: ignore[missing-attribute]
                pulumi.export(name, pulumi.Output.from_input(called))

        run(program, preview=preview, config=config, fakes=fakes)


def test_lookups_use_the_aws_configuration_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups = Lookups(monkeypatch)
    roles = '[{"roleArn": "arn:aws:iam::1:role/deployer"}]'
    lookups.run(config={"aws:profile": "prod", "aws:region": "eu-west-1", "aws:assumeRoles": roles, "x:y": "z"})
    assert lookups.settings == [{"profile": "prod", "region": "eu-west-1", "assumeRoles": roles}] * 2
    assert (len(lookups.sessions), lookups.warnings) == (2, [])


@pytest.mark.parametrize("preview", [True, False])
def test_lookups_use_the_explicit_provider_of_the_component(monkeypatch: pytest.MonkeyPatch, preview: bool) -> None:
    lookups = Lookups(monkeypatch)
    lookups.run(lambda: aws.Provider("own", profile="team", region="eu-west-1"), preview=preview)
    settings = {"profile": "team", "region": REGION, "account": ACCOUNT}
    assert lookups.settings == [{**dict.fromkeys(["accessKey", "secretKey", "token", "endpoints"]), **settings}] * 2
    assert (len(lookups.sessions), lookups.warnings) == (2, [])


def test_an_account_mismatch_skips_the_lookups_and_warns_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lookups = Lookups(monkeypatch, account="111122223333")
    lookups.run(lambda: aws.Provider("own", assume_roles=[{"role_arn": "arn:aws:iam::140023393377:role/deployer"}]))
    assert lookups.sessions == []
    assert lookups.warnings == [
        f"cannot tell what exists already (an AWS provider works in account {ACCOUNT}, and only 111122223333 can be "
        "asked from here); going on without that check"
    ]


def test_an_unknown_provider_account_skips_the_lookups_and_warns_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lookups = Lookups(monkeypatch)
    # The engine returns an empty result for a provider that is known only after the update.
    unknown = Fakes().answering("aws:index/getCallerIdentity:getCallerIdentity", lambda _: {})
    lookups.run(lambda: aws.Provider("own"), fakes=unknown)
    assert (lookups.settings, lookups.sessions) == ([], [])
    assert lookups.warnings == [
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
    """Call a hook as the engine does before a create."""
    args = pulumi.ResourceHookArgs(urn="urn", id="", name="name", type=inputs.pop("type"), new_inputs=inputs)
    asyncio.run(hook(args))


def test_a_cluster_of_the_same_name_is_rejected_with_the_possible_solutions(monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Holder", "parent", None)
        binding = reject_existing_cluster("cluster-eks", "staging", parent)
        pulumi.ComponentResource("test:index:Holder", "holder", None, pulumi.ResourceOptions(hooks=binding))

    hook = run(program).hooks["cluster-eks-preflight"]
    lookups: list[str] = []
    monkeypatch.setattr(aws_create_checks, "create_session", lambda _: None)
    monkeypatch.setattr(aws_create_checks, "find_cluster", lambda _, name: lookups.append(name))
    call(hook, type="aws:eks/cluster:Cluster", name="staging")
    assert lookups == ["staging"]
    monkeypatch.setattr(
        aws_create_checks, "find_cluster", lambda _, name: ExistingResource(name, {"eks-rocketmq/stack": "other/one"})
    )
    with pytest.raises(RuntimeError) as raised:
        call(hook, type="aws:eks/cluster:Cluster", name="staging")
    assert str(raised.value).splitlines() == [
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


def test_the_error_for_an_existing_namespace_uses_the_stack_file_spelling(
    prod_preview: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, inputs = prod_preview.hooks["rocketmq-namespace-preflight"], prod_preview.one("Namespace").inputs
    lookups: list[Any] = []

    def find_with(annotations: dict[str, str]) -> Callable[..., ExistingResource]:
        return lambda provider, manifest: (
            lookups.append((provider, manifest["kind"])) or ExistingResource("rocketmq", annotations)
        )

    monkeypatch.setattr(kubernetes_objects, "find_object", find_with({}))
    with pytest.raises(RuntimeError) as raised:
        call(hook, type="kubernetes:core/v1:Namespace", **inputs)
    kubeconfig = prod_preview.one("pulumi:providers:kubernetes").inputs["kubeconfig"]
    assert lookups == [({"kubeconfig": kubeconfig}, "Namespace")]
    assert str(raised.value).startswith(
        "Namespace 'rocketmq' exists already and is not part of stack 'prod'. Choose one:\n"
    )
    assert "set rocketmq.createNamespace to false" in str(raised.value)
    monkeypatch.setattr(kubernetes_objects, "find_object", find_with({"eks-rocketmq/stack": "eks-rocketmq/staging"}))
    with pytest.raises(RuntimeError, match="Namespace 'rocketmq' belongs to stack 'eks-rocketmq/staging'"):
        call(hook, type="kubernetes:core/v1:Namespace", **inputs)
    monkeypatch.setattr(kubernetes_objects, "find_object", find_with(inputs["metadata"]["annotations"]))
    call(hook, type="kubernetes:core/v1:Namespace", **inputs)


def test_a_log_group_recreated_by_eks_is_rejected_at_preview(
    staging_preview: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = staging_preview.one("LogGroup", "cluster-logs").inputs
    monkeypatch.setattr(aws_create_checks, "create_session", lambda _: None)
    monkeypatch.setattr(aws_create_checks, "find_resource", lambda *_: ExistingResource(inputs["name"]))
    with pytest.raises(RuntimeError) as raised:
        call(staging_preview.hooks["cluster-logs-preflight"], type="aws:cloudwatch/logGroup:LogGroup", **inputs)
    assert str(raised.value).splitlines()[:3] == [
        "LogGroup '/aws/eks/staging/cluster' exists already and is not part of stack 'staging'. Choose one:",
        "  import once   let the stack manage it from now on:  eks-rocketmq adopt -s staging",
        "  existing      use it as it is, without managing it: not possible: EKS writes into this group and no other. "
        "It may have made it again with the last logs of a cluster that was deleted",
    ]
