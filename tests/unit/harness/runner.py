"""Runs a program against the recording monitor, as the language host runs it against the engine."""

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
    """No setting of the machine reaches the program; an Output in a string is an error instead of a warning."""
    with pytest.MonkeyPatch.context() as patch:
        for ambient in [key for key in os.environ if key.startswith(_AMBIENT)]:
            patch.delenv(ambient)
        patch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
        # The stand-in of the `aws` command, which a machine that runs these tests need not have.
        patch.setenv("PATH", str(Path(__file__).parent / "bin"), prepend=os.pathsep)
        # Where in the program a resource was asked for: a fifth of a run's time, and no test looks at it.
        patch.setattr(sdk_resource, "_get_stack_trace", source_pb2.StackTrace)
        # Nor at what the SDK says of each resource, which the stack's program turns off for its process anyway.
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
    """Answers each call of the SDK to the monitor where it is made: nothing waits in here, and threads cost more."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - as the base class: whoever asks for the result gets it
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
    """Runs `program` to its end and returns what it asked for.

    Args:
        program: makes resources; its result is ignored.
        preview: as `pulumi preview`: what providers compute is unknown.
        config: `namespace:key` to text.
        encrypted: keys of it that the stack file has as secrets.
        stack: name of the stack.
        fakes: answers of the providers.
        recording: where to record; for a program that fails, which returns nothing.

    Raises:
        Exception: whatever the program, an `apply` or the monitor raises, with its own type.
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
        # The SDK waits for the first of all that is outstanding, then for the first of all the others, and so on: a
        # tenth of a run's time. Here everything that can go on does so before, and leaves its errors to the SDK.
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
            for task in asyncio.all_tasks(loop):  # only now: it looks through the tasks of all former runs
                task.cancel()
            raise
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
            asyncio.set_event_loop(None)
            pulumi.runtime.reset_options()
            if looked_for_garbage:  # the stack's program turns it off for its process, which ends with it
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
    """Runs the unmodified `__main__.py` under the real files `Pulumi.yaml` and `Pulumi.<stack>.yaml`."""
    return run(
        lambda: runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__"),
        preview=preview,
        config=stack_config(stack, overrides),
        stack=stack,
        fakes=fakes,
        recording=recording,
    )
