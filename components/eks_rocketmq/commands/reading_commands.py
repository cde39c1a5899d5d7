"""Command line with the commands that only read. It does not import Pulumi."""

from typing import Annotated

import typer

from eks_rocketmq.commands.doctor_command import doctor
from eks_rocketmq.commands.status_command import status
from eks_rocketmq.distribution import NAME, get_version

_DESCRIPTION = "Find out why a claim is Pending on Amazon EKS, and how Apache RocketMQ stands."


def create_app(description: str = _DESCRIPTION) -> typer.Typer:
    """Return the command line with `doctor` and `status`."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback(help=description)(_program)
    app.command()(doctor)
    app.command()(status)
    return app


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"{NAME} {get_version()}")
        raise typer.Exit


def _program(
    version_: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Accept the options of the program."""
