"""Commands of the sandbox. The Makefile calls them."""

import os
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer

from sandbox import bench as benchmark
from sandbox import cli_output, idle_cpu, layout, lifecycle, lock, machine_checks
from sandbox.cache import prune
from sandbox.cache import toolchain as cache
from sandbox.cache.build_command import CacheError
from sandbox.command import CommandError
from sandbox.doctor_faults import made_faults
from sandbox.doctor_faults.fault_context import FaultContext, FaultError
from sandbox.ebs_csi.addon_process import AddonError
from sandbox.engine import pulumi as engines
from sandbox.idle_cpu import NoProcessError
from sandbox.incident.driver import DriverError
from sandbox.layout import SandboxInstance, SandboxNameError
from sandbox.lifecycle import NotRunningError, RunningError
from sandbox.lock import BusyError
from sandbox.machine_checks import MachineError
from sandbox.messages.rocketmq_deployment import DeliveryError
from sandbox.processes import ProcessError
from sandbox.progress import Report

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
INTERRUPTED = 130
EXPECTED_ERRORS = (
    *(AddonError, BusyError, CacheError, CommandError, DeliveryError, DriverError, FaultError, NoProcessError),
    *(NotRunningError, ProcessError, RunningError, SandboxNameError, engines.PulumiError, OSError, TimeoutError),
)
"""Errors whose message tells the user what to do. Any other error is a defect and keeps its traceback."""


@contextmanager
def _command(
    name: str, *, exclusive: bool = True, instance: SandboxInstance | None = None
) -> Generator[tuple[SandboxInstance, Report]]:
    """Run a command: print expected errors without a traceback, and lock the sandbox if `exclusive`.

    `instance` defaults to the sandbox that the environment names.
    """
    report = Report()
    try:
        instance = instance or layout.current()
        if os.geteuid() != 0:
            machine_checks.check_machine(instance)
        with lock.sandbox_lock(instance, name) if exclusive else nullcontext():
            yield instance, report
    except KeyboardInterrupt:
        report.say("\ninterrupted; what was built stays: `make up` goes on from here, `make down` removes it")
        raise typer.Exit(INTERRUPTED) from None
    except (MachineError, *EXPECTED_ERRORS) as error:
        title = "This machine cannot run the sandbox:\n" if isinstance(error, MachineError) else "failed: "
        report.console.print(f"[red]{title}[/red]", end="")
        report.text(str(error))
        raise typer.Exit(1) from None


@app.command()
def up() -> None:
    """Start the sandbox, adopt, run `pulumi up -s prod`, send ten messages."""
    with _command("up") as (instance, report):
        tools = lifecycle.start_platform(instance, report)
        lifecycle.deploy(instance, tools, report)
        lifecycle.verify_messages(instance, tools, report)
        cli_output.summary(instance, tools, report)


@app.command()
def incident(
    driver: Annotated[
        str, typer.Option(help="Version of the EBS CSI driver, such as 1.48. Default: the installed one.")
    ] = "",
) -> None:
    """Reproduce the original failure: the claims of brokers applied with kubectl stay Pending."""
    with _command("incident") as (instance, report):
        tools = lifecycle.start_platform(instance, report)
        cli_output.incident(instance, tools, report, driver)


@app.command()
def adopt() -> None:
    """Import the existing resources of account and cluster into the stack."""
    with _command("adopt") as (instance, report):
        tools = lifecycle.start_platform(instance, report)
        lifecycle.adopt(instance, tools, report)


@app.command()
def preview() -> None:
    """Run `pulumi preview --diff` of the prod stack."""
    with _command("preview") as (instance, report):
        tools = lifecycle.require_running(instance, report)
        raise typer.Exit(engines.run(instance, tools, ["preview", "-s", engines.STACK, "--diff"]).code)


@app.command(name="break")
def break_(
    name: Annotated[str, typer.Argument(help="Name of the fault, as `--list` shows it.")] = "",
    only_list: Annotated[bool, typer.Option("--list", help="List the faults; change nothing.")] = False,
    restart: Annotated[
        bool, typer.Option(help="Restart the driver if it would notice the fault only an hour later.")
    ] = True,
) -> None:
    """Make a fault of the doctor's catalogue on the running sandbox. `mend` takes it back."""
    with _command("break", exclusive=not only_list) as (instance, report):
        if only_list or not name:
            cli_output.faults(instance, report)
            return
        context = FaultContext(instance, lifecycle.require_running(instance, report))
        with report.step(f"break {name}"):
            fault = made_faults.make(context, name, restart=restart)
        report.say(f"`make doctor` should name {fault.cause}; `make mend` takes it back")


@app.command()
def mend(name: Annotated[str, typer.Argument(help="Name of the fault. Default: all that were made.")] = "") -> None:
    """Take back what `break` has made."""
    with _command("mend") as (instance, report):
        context = FaultContext(instance, lifecycle.require_running(instance, report))
        with report.step(f"mend {name or 'all faults'}"):
            mended = made_faults.mend(context, name)
        report.say(f"mended: {', '.join(mended) or 'nothing, no fault was made'}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def status(context: typer.Context) -> None:
    """Run `eks-rocketmq status` with the given options."""
    _run_library("status", context.args)


@app.command("doctor", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def diagnose(context: typer.Context) -> None:
    """Run `eks-rocketmq doctor` with the given options."""
    _run_library("doctor", context.args)


def _run_library(command: str, options: list[str]) -> None:
    with _command("look", exclusive=False) as (instance, report):
        tools = lifecycle.require_running(instance, report)
        raise typer.Exit(lifecycle.run_library(instance, tools, command, options).code)


@app.command("processes")
def show_processes() -> None:
    """Show processes, nodes, pods and claims, and the parts of Pulumi in use."""
    with _command("look", exclusive=False) as (instance, report):
        cli_output.status(instance, lifecycle.tools_if_running(instance, report), report)


@app.command()
def shell() -> None:
    """Open a shell in the sandbox with kubectl, pulumi and aws configured."""
    with _command("look", exclusive=False) as (instance, report):
        tools = lifecycle.require_running(instance, report)
        report.say("pulumi, kubectl, aws and eks-rocketmq talk to the sandbox instance; `exit` leaves")
        raise typer.Exit(lifecycle.shell(instance, tools))


@app.command()
def logs(name: Annotated[str, typer.Argument(help="Process or pod (namespace/name). Default: all.")] = "") -> None:
    """Show the logs of processes and pods."""
    with _command("look", exclusive=False) as (instance, report):
        cli_output.logs(instance, lifecycle.tools_if_running(instance, report), report, name)


@app.command()
def down() -> None:
    """Remove the sandbox: processes, namespaces, mounts and cgroups."""
    with _command("down") as (instance, report):
        lifecycle.down(instance, report)


@app.command()
def bench() -> None:
    """Measure startup, commands, unit tests and previews on a separate sandbox."""
    # Another sandbox than yours: the benchmark takes it down and up.
    with _command("bench", instance=SandboxInstance("bench")) as (instance, report):
        benchmark.run(instance, report)


@app.command()
def idle(
    seconds: Annotated[float, typer.Option(min=1, help="Length of the measurement.")] = 60,
) -> None:
    """Measure the processor time of the running RocketMQ by role and thread."""
    with _command("look", exclusive=False) as (instance, report):
        idle_cpu.run(instance, report, seconds)


@app.command(name="cache-clean")
def cache_clean() -> None:
    """Remove everything that was built and downloaded."""
    with _command("cache-clean") as (_, report):
        lifecycle.require_all_down()
        with report.step(f"remove {layout.CACHE}"):
            cache.clean()


@app.command(name="cache-prune")
def cache_prune(
    only_list: Annotated[
        bool, typer.Option("--list", help="List the entries and their sizes; remove nothing.")
    ] = False,
) -> None:
    """Remove cache entries of older pins."""
    with _command("cache-prune", exclusive=not only_list) as (_, report):
        if not only_list:
            lifecycle.require_all_down()
        prune.prune(report, only_list=only_list)
