"""The server: the emulator with the overlay put on. Run by `sandbox.aws.start`, in the emulator's own Python."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.aws import authorization, eks, guard, iam, instances, networks, sts, volumes
from sandbox.aws import emulator as stock
from sandbox.aws.settings import current

_SAVED = (
    ("iam", stock.iam),
    ("eks", stock.eks),
    ("ec2", stock.ec2),
    ("kms", stock.kms),
    ("cloudwatch_logs", stock.cloudwatch_logs),
    ("s3", stock.s3),
)
_HEALTH = "/_ministack/health"
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def install() -> None:
    """Put the whole overlay on. Raises guard.OverlayError when the emulator is not the one it was written for."""
    guard.require_version()
    settings = current()
    authorization.install()
    sts.install(settings)
    iam.install()
    volumes.install(settings)
    instances.install()
    networks.install()
    eks.install(settings)
    _restore_sessions()
    _wrap_application()


def save() -> None:
    """Write the state of the services, so that a server that was killed comes back with it."""
    for name, service in _SAVED:
        stock.persistence.save_state(name, service.get_state())
    stock.persistence.save_state("sts", dict(stock.sts._sessions))


def _restore_sessions() -> None:
    """The emulator forgets the sessions of STS; a driver that holds one must not fail because of a restart."""
    guard.require(stock.sts, "_sessions")
    stock.sts._sessions.update(stock.persistence.load_state("sts") or {})
    guard.replace(stock.sts, "get_state", lambda: dict(stock.sts._sessions))


def _wrap_application() -> None:
    """Save after every change, and keep the emulator's own unauthenticated verbs (reset, config) shut."""

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/_ministack/") and scope["path"] != _HEALTH:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return

        changes = authorization.Changes()
        authorization.changes.set(changes)

        async def send_saved(message: Message) -> None:
            # The handler is done when its answer begins; what a caller was told must survive a crash.
            if message["type"] == "http.response.start" and changes.pending:
                save()
            await send(message)

        await inner(scope, receive, send_saved)

    inner = guard.replace(stock.app, "app", app)


if __name__ == "__main__":
    logging.getLogger("persistence").setLevel(logging.WARNING)
    install()
    stock.app.main()
