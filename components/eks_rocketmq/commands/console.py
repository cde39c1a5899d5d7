"""Entry point of the console script `eks-rocketmq`. It names the missing extra if its packages are not installed."""

import sys

from eks_rocketmq.distribution import explain_missing_extra


def main() -> None:
    """Run the command line."""
    try:
        if sys.argv[1:2] == ["doctor"]:
            _run_doctor()
            return
        from eks_rocketmq.commands.cli import app  # noqa: PLC0415 - its packages are an extra
    except ModuleNotFoundError as error:
        sys.exit(str(explain_missing_extra(error, "eks-rocketmq")))
    app()


def _run_doctor() -> None:
    """Run `eks-rocketmq doctor` without the other commands, which import Pulumi."""
    from eks_rocketmq.commands.doctor_command import app  # noqa: PLC0415 - its packages are an extra

    app(args=sys.argv[2:], prog_name="eks-rocketmq doctor")
