"""Performance settings of a Pulumi program with hundreds of resources."""

import atexit
import gc
import os

import pulumi

DEBUG_VARIABLE = "EKS_ROCKETMQ_DEBUG"
"""Environment variable that, set to any value, keeps the SDK's debug messages."""


def speed_up_large_programs() -> None:
    """Disable garbage collection and the SDK's debug messages, which slow down large programs. Call it first.

    Garbage collection is disabled, at exit too, because a Pulumi program keeps its objects and ends soon. Each
    collection visits all objects of the SDKs. With 100 broker groups, they took 2/5 of the program's processor time,
    and the one at exit took 0.1 s. Without them the program takes 8 MiB more memory.

    Debug messages of the SDK are not sent to the engine, unless `EKS_ROCKETMQ_DEBUG` is set. The SDK sends five
    messages for each resource, such as "resource registration prepared". The program waits until the engine has
    received each one, although the engine shows them only with `--debug`. Warnings and errors are not affected.
    """
    gc.disable()
    atexit.register(gc.freeze)
    if not os.environ.get(DEBUG_VARIABLE):
        setattr(pulumi.log, "debug", _discard_message)  # noqa: B010 - the replacement has another signature


def _discard_message(*_: object, **__: object) -> None:
    """Replacement of `pulumi.log.debug`."""
