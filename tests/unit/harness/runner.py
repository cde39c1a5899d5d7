"""Runs of a program against the recording monitor, as a language host runs it against the engine."""

import asyncio
import functools
import gc
import json
import logging
import os
import runpy
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
import yaml
from pulumi.runtime import mocks as sdk_mocks
from pulumi.runtime import resource as sdk_resource
from pulumi.runtime import settings as sdk_settings
from pulumi.runtime.proto import source_pb2

from tests.unit.harness.fakes import Fakes
from tests.unit.harness.monitor import HookRecorder, LogRecorder, RecordingMonitor
from tests.unit.harness.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Generator

REPOSITORY = Path(__file__).resolve().parents[3]
PROJECT = "eks-rocketmq"
_AMBIENT = ("AWS_", "PULUMI_", "KUBE", "EKS_ROCKETMQ_")


@contextmanager
def _hermetic() -> "Generator[None]":
    """Isolate the program from settings of the machine, and make an Output in a string an error, not a warning."""
    with pytest.MonkeyPatch.context() as patch:
        for ambient in [key for key in os.environ if key.startswith(_AMBIENT)]:
            patch.delenv(ambient)
        patch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
        # A fake `aws` command, because machines that run these tests need not have it.
        patch.setenv("PATH", str(Path(__file__).parent / "bin"), prepend=os.pathsep)
        # Stack traces of registrations take a fifth of the run time, and no test uses them.
        patch.setattr(sdk_resource, "_get_stack_trace", source_pb2.StackTrace)
        # No test uses the SDK's debug messages either. The stack program disables them too.
        patch.setattr(pulumi.log, "debug", lambda *_: None)
        yield


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@functools.cache
def _config_in(file: str) -> Mapping[str, Any]:
    return yaml.safe_load((REPOSITORY / file).read_text())["config"]


def stack_config(stack: str, overrides: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the configuration that the CLI passes: defaults of Pulumi.yaml, the stack file, then `overrides`.

    Keys without a namespace belong to the project. Objects of `overrides` are merged into those of the stack file. A
    value of None removes the key or the field.
    """
    defaults = {k: d.get("default", d.get("value")) for k, d in _config_in("Pulumi.yaml").items()}
    merged: dict[str, Any] = {}
    for source in (defaults, _config_in(f"Pulumi.{stack}.yaml"), overrides or {}):
        merged = _merge(merged, {k if ":" in k else f"{PROJECT}:{k}": v for k, v in source.items()})
    return {key: _as_text(value) for key, value in merged.items() if value is not None}


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merge(merged[key], value)
        elif value is None and ":" not in key:
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged


class _AtOnce(ThreadPoolExecutor):
    """Executor that runs calls to the monitor in the calling thread. They never block, and threads are slower."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - as in the base class, the future raises it
            done.set_exception(error)
        return done


def run(
    program: Callable[[], object],
    *,
    preview: bool = False,
    config: Mapping[str, str] | None = None,
    encrypted: Collection[str] = (),
    stack: str = "test",
    fakes: Fakes | None = None,
    recording: Recording | None = None,
) -> Recording:
    """Run `program` to its end and return the recording.

    Args:
        program: creates resources. Its result is ignored.
        preview: run as `pulumi preview`, with unknown computed outputs.
        config: configuration, `namespace:key` to text.
        encrypted: keys of `config` that are secrets in the stack file.
        stack: name of the stack.
        fakes: responses of the providers.
        recording: the recording to fill. Use it for programs that fail.

    Raises:
        Exception: any error of the program, of an `apply` or of the monitor, with its original type.
    """
    recording = recording or Recording(preview=preview)
    monitor = RecordingMonitor(PROJECT, stack, fakes or Fakes(), recording)
    looked_for_garbage = gc.isenabled()
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_AtOnce())
    asyncio.set_event_loop(loop)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    async def entry() -> None:
        program()
        # The SDK waits for pending tasks one at a time, which takes a tenth of the run time. This loop runs all ready
        # tasks first and leaves their errors to the SDK.
        while loop._ready:  # noqa: ASYNC110 - no event tells it  # ty: ignore[missing-attribute]
            await asyncio.sleep(0)

    with _hermetic():
        try:
            pulumi.runtime.reset_options()
            sdk_settings.configure(
                sdk_mocks.MockSettings(
                    monitor=monitor,
                    engine=LogRecorder(recording),
                    callbacks=HookRecorder(recording),
                    project=PROJECT,
                    stack=stack,
                    dry_run=preview,
                    organization="organization",
                    root_directory=str(REPOSITORY),
                )
            )
            pulumi.runtime.set_all_config(dict(config or {}), list(encrypted))
            loop.run_until_complete(pulumi.runtime.run_in_stack(entry))
        except BaseException:
            for task in asyncio.all_tasks(loop):  # only after an error: it scans the tasks of all earlier runs
                task.cancel()
            raise
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
            asyncio.set_event_loop(None)
            pulumi.runtime.reset_options()
            if looked_for_garbage:  # the stack program disables it for its own process
                gc.enable()
    return recording


def run_stack(
    stack: str = "prod",
    *,
    preview: bool = False,
    overrides: Mapping[str, Any] | None = None,
    fakes: Fakes | None = None,
    recording: Recording | None = None,
) -> Recording:
    """Run the unmodified `__main__.py` with the committed `Pulumi.yaml` and `Pulumi.<stack>.yaml`."""
    return run(
        lambda: runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__"),
        preview=preview,
        config=stack_config(stack, overrides),
        stack=stack,
        fakes=fakes,
        recording=recording,
    )
