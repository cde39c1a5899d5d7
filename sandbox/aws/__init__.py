"""The AWS APIs of the sandbox: an emulator with an overlay that checks what AWS checks.

`sandbox.aws.lifecycle` starts and stops them; `start` and `stop` are offered here. This package is imported by the
sandbox's own Python and by the emulator's, so this file must not import anything itself.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.aws.lifecycle import Environments
    from sandbox.place import Place
    from sandbox.progress import Report


def start(place: "Place", toolchain: "Environments", report: "Report") -> None:
    """See `sandbox.aws.lifecycle.start`."""
    from sandbox.aws import lifecycle  # noqa: PLC0415 (the emulator's Python lacks what it imports)

    lifecycle.start(place, toolchain, report)


def stop(place: "Place") -> None:
    """See `sandbox.aws.lifecycle.stop`."""
    from sandbox.aws import lifecycle  # noqa: PLC0415

    lifecycle.stop(place)
