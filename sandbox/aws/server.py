"""Server of the AWS APIs: the emulator with the overlay. Runs with the emulator's own Python."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.aws import (
    control_policies,
    eks,
    iam,
    iam_authorization,
    instances,
    networks,
    patching,
    quotas,
    simulation,
    sts,
    volumes,
)
from sandbox.aws import emulator as stock
from sandbox.aws.settings import current

_SAVED = (
    ("iam", stock.iam),
    ("eks", stock.eks),
    ("ec2", stock.ec2),
    ("kms", stock.kms),
    ("cloudwatch_logs", stock.cloudwatch_logs),
    ("organizations", stock.organizations),
    ("s3", stock.s3),
)
_HEALTH = "/_ministack/health"
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def install() -> None:
    """Install the overlay. Raises OverlayError when the emulator is another version."""
    patching.require_version()
    settings = current()
    control_policies.install()
    iam_authorization.install(settings.logs)
    sts.install(settings)
    iam.install()
    simulation.install()
    volumes.install(settings)
    instances.install()
    networks.install()
    eks.install(settings)
    _restore_sessions()
    _wrap_application()


def save() -> None:
    """Write the state of all services, so that it survives a crash."""
    for name, service in _SAVED:
        stock.persistence.save_state(name, service.get_state())
    stock.persistence.save_state("sts", dict(stock.sts._sessions))


def _restore_sessions() -> None:
    """Keep STS sessions across a restart, which the emulator drops. The driver uses them."""
    patching.require(stock.sts, "_sessions")
    stock.sts._sessions.update(stock.persistence.load_state("sts") or {})
    patching.replace(stock.sts, "get_state", lambda: dict(stock.sts._sessions))


def _wrap_application() -> None:
    """Save after every change, and refuse the emulator's own unauthenticated requests (reset, config)."""

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/_ministack/") and scope["path"] != _HEALTH:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        if scope["type"] == "http" and (b"x-amz-target", quotas.TARGET) in scope["headers"]:
            await quotas.respond(receive, send)
            return

        changes = iam_authorization.Changes()
        iam_authorization.changes.set(changes)

        async def send_saved(message: Message) -> None:
            # The handler has finished when its answer begins. An answered change must survive a crash.
            if message["type"] == "http.response.start" and changes.pending:
                save()
            await send(message)

        await inner(scope, receive, send_saved)

    inner = patching.replace(stock.app, "app", app)


if __name__ == "__main__":
    logging.getLogger("persistence").setLevel(logging.WARNING)
    install()
    stock.app.main()
