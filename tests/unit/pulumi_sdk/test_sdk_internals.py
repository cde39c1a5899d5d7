"""Undocumented parts of the Pulumi SDK, used by one module, and behaviour when they are missing."""

import ast
import asyncio
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks as sdk_mocks

from eks_rocketmq import ClusterOidcProvider, RocketMq
from eks_rocketmq.pulumi_sdk import provider_internals, sdk_internals
from tests.unit.harness.fakes import ISSUER
from tests.unit.repository.test_architecture import LIBRARY, modules, name_of, tree

INTERNAL = {"provider_internals.py", "sdk_internals.py"}
"""Modules that may use the rest of the SDK."""
DOCUMENTED = {"pulumi", "pulumi.errors", "pulumi.provider"}
"""Modules that the reference of the SDK documents."""


class Echo(pulumi.runtime.Mocks):
    """Mocks from Pulumi's guide: outputs equal inputs."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:  # noqa: ARG002 - one account
        return {"accountId": "123456789012", "arn": "arn:aws:iam::123456789012:user/test", "partition": "aws"}


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    own = asyncio.new_event_loop()
    asyncio.set_event_loop(own)
    pulumi.runtime.reset_options()
    yield
    own.run_until_complete(own.shutdown_default_executor())
    own.close()
    asyncio.set_event_loop(None)
    pulumi.runtime.reset_options()


def rocketmq() -> pulumi.Output[str]:
    return RocketMq(
        "orders", {"namespace": "orders", "storage_class": "gp2", "broker_groups": [{"name": "broker-a"}]}
    ).proxy_endpoint


def oidc_provider() -> pulumi.Output[str]:
    return ClusterOidcProvider("oidc", {"issuer": ISSUER}).issuer


def imported(path: Any) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == "pulumi"}


def test_no_other_module_uses_undocumented_sdk_modules() -> None:
    # `testing` extends Pulumi's mocks, which Pulumi's guide documents.
    others = [path for path in modules(LIBRARY) if path.name not in INTERNAL and path.parent.name != "testing"]
    assert {name_of(path): found for path in others if (found := imported(path) - DOCUMENTED)} == {}
    assert [name_of(path) for path in others if "pulumi.runtime." in path.read_text()] == []


def test_hooks_are_created_in_one_module() -> None:
    creators = [path for path in modules(LIBRARY) if re.search(r"\b(Resource|Error)Hook\(", path.read_text())]
    assert [path.name for path in creators] == ["component.py"]


@pytest.mark.parametrize("module", [provider_internals, sdk_internals])
def test_the_installed_sdk_has_every_internal_name(module: ModuleType) -> None:
    assert all(getattr(module, name) is not None for name in module.__all__)


@pytest.mark.parametrize("component", [rocketmq, oidc_provider])
@pytest.mark.parametrize("preview", [True, False])
def test_components_register_no_hooks_without_a_callback_server(
    monkeypatch: pytest.MonkeyPatch, component: Callable[[], pulumi.Output[str]], *, preview: bool
) -> None:
    # Mocks of SDK 3.259.0 and older have no callback server.
    for method in ("RegisterResourceHook", "RegisterErrorHook"):
        monkeypatch.delattr(sdk_mocks.MockMonitor, method, raising=False)
    pulumi.runtime.set_mocks(Echo(), preview=preview)
    assert not sdk_internals.has_callback_server()
    pulumi.runtime.test(component)()


@pytest.mark.skipif(
    not hasattr(sdk_mocks.MockMonitor, "RegisterResourceHook"),
    reason="the mocks of the installed SDK have no callback server",
)
def test_components_register_their_hooks_with_a_callback_server(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[str] = []
    monkeypatch.setattr(sdk_mocks.MockMonitor, "RegisterResourceHook", lambda _, request: hooks.append(request.name))
    pulumi.runtime.set_mocks(Echo())
    pulumi.runtime.test(oidc_provider)()
    assert hooks == ["oidc-provider-preflight"]
