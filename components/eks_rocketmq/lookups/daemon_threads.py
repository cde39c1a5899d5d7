"""Threads that do not delay the end of the process, for calls that may hang."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import BoundedSemaphore, Thread
from typing import Any, TypeVar

Result = TypeVar("Result")


class DaemonExecutor(Executor):
    """Executor with a daemon thread for each call.

    At its end, Python waits for the threads of a `ThreadPoolExecutor`, for example for a credential plugin that hangs.
    """

    def __init__(self, limit: int) -> None:
        """Create the executor. `limit` is the number of calls that run at the same time."""
        self._slots = BoundedSemaphore(limit)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 - as `Executor`
        """Start a call in the context of the caller, and return its future."""
        future: Future[Any] = Future()
        context = contextvars.copy_context()

        def run() -> None:
            with self._slots:
                if not future.set_running_or_notify_cancel():
                    return
                try:
                    future.set_result(context.run(fn, *args, **kwargs))
                except BaseException as error:  # noqa: BLE001 - the caller of `result` gets it
                    future.set_exception(error)

        Thread(target=run, daemon=True).start()
        return future


async def call_with_time_limit(function: Callable[[], Result], seconds: float) -> Result:
    """Run a blocking function in a daemon thread and return its result.

    Raise TimeoutError if the function does not return in time. Its thread goes on.
    """
    return await asyncio.wait_for(asyncio.wrap_future(DaemonExecutor(1).submit(function)), seconds)
