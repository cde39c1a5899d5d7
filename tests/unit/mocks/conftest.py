"""A separate runtime for each test: event loop, settings, configuration and environment."""

import asyncio
import gc
import os
from collections.abc import Iterator

import pulumi
import pytest

_AMBIENT = ("AWS_", "PULUMI_", "KUBE", "EKS_ROCKETMQ_")


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith(_AMBIENT)]:
        monkeypatch.delenv(name)
    # No command is on PATH: unit tests need neither `aws` nor `kubectl`.
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(pulumi.log, "debug", pulumi.log.debug)  # the stack program replaces it
    gc_was_enabled = gc.isenabled()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pulumi.runtime.reset_options()
    pulumi.runtime.set_all_config({}, [])
    yield
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    asyncio.set_event_loop(None)
    pulumi.runtime.reset_options()
    if gc_was_enabled:
        gc.enable()


@pytest.fixture(params=["preview", "update"])
def preview(request: pytest.FixtureRequest) -> bool:
    """Run the test for preview and for update."""
    return request.param == "preview"
