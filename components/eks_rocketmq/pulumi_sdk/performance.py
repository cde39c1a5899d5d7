"""What a program that makes hundreds of resources and ends can do without."""

import atexit
import gc
import os

import pulumi

DEBUG_VARIABLE = "EKS_ROCKETMQ_DEBUG"
"""Set to anything, it keeps the SDK's debug messages."""


def speed_up_large_programs() -> None:
    """Takes two things from this process that a program with many broker groups waits for. First line of a program.

    Garbage is never looked for, nor at the end: a Pulumi program keeps what it makes and ends soon. With a hundred
    broker groups the looking, through all objects of the SDKs each time, took two fifths of the program's processor
    time, and the last look 0.1 s; without it the program takes 8 MiB more.

    The SDK's own debug messages are not sent to the engine, unless `EKS_ROCKETMQ_DEBUG` is set. It says five things
    about each resource ("resource registration prepared"), and with each of them the whole program waits until the
    engine has taken it, although the engine shows them only with `--debug`. Warnings and errors are said as before.
    """
    gc.disable()
    atexit.register(gc.freeze)
    if not os.environ.get(DEBUG_VARIABLE):
        setattr(pulumi.log, "debug", _discard_message)  # noqa: B010 - not another of the function's own type


def _discard_message(*_: object, **__: object) -> None:
    """In place of `pulumi.log.debug`."""
