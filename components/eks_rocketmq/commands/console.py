"""Entry point of the console script `eks-rocketmq`. It names the missing extra if its packages are not installed."""

import sys
from importlib import import_module

from eks_rocketmq.distribution import explain_missing_extra


def main() -> None:
    """Run the command line."""
    try:
        if sys.argv[1:2] in (["doctor"], ["status"]):
            _run_without_pulumi(sys.argv[1])
            return
        from eks_rocketmq.commands.cli import app  # noqa: PLC0415 - its packages are an extra
    except ModuleNotFoundError as error:
        sys.exit(str(explain_missing_extra(error, "eks-rocketmq")))
    app()


def _run_without_pulumi(command: str) -> None:
    """Run `doctor` or `status` without the other commands, which import Pulumi."""
    module = import_module(f"eks_rocketmq.commands.{command}_command")
    module.app(args=sys.argv[2:], prog_name=f"eks-rocketmq {command}")
