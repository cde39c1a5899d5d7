"""The commands behind `make up`, `make incident` and the others."""

import os
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer

from sandbox import bench as benchmark
from sandbox import doctor, lifecycle, lock, place, show
from sandbox.cache import prune
from sandbox.cache import toolchain as cache
from sandbox.doctor import MachineError
from sandbox.engine import pulumi as engines
from sandbox.failures import FAILURES
from sandbox.progress import Report

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
INTERRUPTED = 130


@contextmanager
def _command(name: str, *, alone: bool = True, at: place.Place | None = None) -> Generator[tuple[place.Place, Report]]:
    """Turn what goes wrong into a message instead of a traceback; `alone` holds the sandbox against other commands.

    The sandbox is the one that the environment names, unless `at` names another one.
    """
    report = Report()
    try:
        here = at or place.current()
        if os.geteuid() != 0:
            doctor.require(here)
        with lock.held(here, name) if alone else nullcontext():
            yield here, report
    except KeyboardInterrupt:
        report.say("\ninterrupted; what was built stays: `make up` goes on from here, `make down` removes it")
        raise typer.Exit(INTERRUPTED) from None
    except MachineError as error:
        report.say("[red]This machine cannot run the sandbox:[/red]")
        report.console.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except FAILURES as error:
        report.console.print("[red]failed:[/red]", end=" ")
        report.console.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


@app.command()
def up() -> None:
    """Everything: the sandbox, adoption, `pulumi up -s prod`, ten messages."""
    with _command("up") as (here, report):
        tools = lifecycle.platform(here, report)
        lifecycle.deploy(here, tools, report)
        lifecycle.prove(here, tools, report)
        show.summary(here, tools, report)


@app.command()
def incident(
    driver: Annotated[
        str, typer.Option(help="Version of the EBS CSI driver, such as 1.48; that which runs when left out.")
    ] = "",
) -> None:
    """The original failure: brokers applied with kubectl whose claims stay Pending."""
    with _command("incident") as (here, report):
        tools = lifecycle.platform(here, report)
        show.incident(here, tools, report, driver)


@app.command()
def adopt() -> None:
    """Import once what the account and the cluster already have."""
    with _command("adopt") as (here, report):
        tools = lifecycle.platform(here, report)
        lifecycle.adopt(here, tools, report)


@app.command()
def preview() -> None:
    """`pulumi preview --diff` of the prod stack."""
    with _command("preview") as (here, report):
        tools = lifecycle.running(here, report)
        raise typer.Exit(engines.run(here, tools, ["preview", "-s", engines.STACK, "--diff"]).code)


@app.command()
def status() -> None:
    """What runs where, and what is real."""
    with _command("look", alone=False) as (here, report):
        show.status(here, lifecycle.tools_if_running(here, report), report)


@app.command()
def shell() -> None:
    """A shell in the sandbox with kubectl, pulumi and aws configured."""
    with _command("look", alone=False) as (here, report):
        tools = lifecycle.running(here, report)
        report.say("pulumi, kubectl, aws and eks-rocketmq talk to the sandbox here; `exit` leaves")
        raise typer.Exit(lifecycle.shell(here, tools))


@app.command()
def logs(name: Annotated[str, typer.Argument(help="a process or pod; all when left out")] = "") -> None:
    """The logs of every process and pod."""
    with _command("look", alone=False) as (here, report):
        show.logs(here, lifecycle.tools_if_running(here, report), report, name)


@app.command()
def down() -> None:
    """Remove the sandbox: no process, namespace, mount or cgroup stays."""
    with _command("down") as (here, report):
        lifecycle.down(here, report)


@app.command()
def bench() -> None:
    """Medians and ratios of what people wait for."""
    # A sandbox of its own: it is taken down and up, and yours may be running.
    with _command("bench", at=place.Place("bench")) as (here, report):
        benchmark.run(here, report)


@app.command(name="cache-clean")
def cache_clean() -> None:
    """Drop what was built and downloaded."""
    with _command("cache-clean") as (_, report):
        lifecycle.require_all_down()
        with report.step(f"remove {place.CACHE}"):
            cache.clean()


@app.command(name="cache-prune")
def cache_prune(
    only_list: Annotated[bool, typer.Option("--list", help="Only say what it is, with sizes.")] = False,
) -> None:
    """Drop what older pins left in the cache."""
    with _command("cache-prune", alone=not only_list) as (_, report):
        if not only_list:
            lifecycle.require_all_down()
        prune.prune(report, only_list=only_list)
