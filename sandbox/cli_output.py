"""Output of the commands: summary after `up`, incident, status and logs."""

from rich.markup import escape

from sandbox import incident as case
from sandbox import lifecycle, processes
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.kubectl import kubectl
from sandbox.doctor_faults import made_faults
from sandbox.doctor_faults.fault_table import FAULTS, NOT_MADE
from sandbox.engine import plugins
from sandbox.layout import CLUSTER, NODES, ZONE_LABEL, SandboxInstance
from sandbox.messages.rocketmq_deployment import RocketMqDeployment
from sandbox.progress import Report

LOG_LINES = 20


def summary(instance: SandboxInstance, tools: Toolchain, report: Report) -> None:
    """Show the pods and claims, the endpoints and the next commands."""
    deployment = RocketMqDeployment(instance, tools)
    report.say()
    report.say(f"[bold green]RocketMQ runs on {len(NODES)} nodes and keeps its messages on gp2 volumes.[/bold green]")
    parts(report)
    report.say()
    report.text(kubectl(instance, tools, "-n", deployment.namespace, "get", "pods,pvc"))
    report.say(f"  gRPC proxy    {deployment.proxy()}      name server  {deployment.name_server()}")
    report.say(
        "  look          [bold]make shell[/bold] (kubectl, pulumi, aws), [bold]make status[/bold], [bold]make logs"
    )
    report.say("  try           [bold]make incident[/bold], [bold]make preview[/bold]")
    report.say("  clean up      [bold]make down[/bold]")
    report.say()
    times(report)


def times(report: Report) -> None:
    """Show the durations of the steps, longest first, without steps under a second."""
    spent = sorted(report.seconds.items(), key=lambda step: -step[1])
    total = sum(report.seconds.values())
    longest = ", ".join(f"{title} {seconds:.0f} s" for title, seconds in spent if seconds >= 1)
    report.say(f"[dim]{total:.0f} s: {escape(longest)}[/dim]")


def faults(instance: SandboxInstance, report: Report) -> None:
    """List the faults with the cause that the doctor names, and the causes that the sandbox cannot make."""
    made, width = made_faults.list_made(instance), max(map(len, FAULTS))
    for each in FAULTS.values():
        report.text(f"{each.name:<{width}}  {'made   ' if each.name in made else ''}{each.cause}")
    report.say("\nThe sandbox cannot make:")
    for cause, reason in NOT_MADE.items():
        report.text(f"{cause:<{width}}  {reason}")


def incident(instance: SandboxInstance, tools: Toolchain, report: Report, driver: str = "") -> None:
    """Apply the brokers of the original team. Show why their claims stay Pending, or that they are bound.

    `driver` is a version of the EBS CSI driver; empty for the installed one.
    """
    if driver:
        with report.step(f"EBS CSI driver {case.driver.version(driver)}"):
            if case.driver.use(instance, report, driver):
                # The events of their claims are from the previous driver.
                case.remove(instance, tools)
    with report.step(f"brokers applied with kubectl in namespace {case.NAMESPACE}"):
        case.apply(instance, tools)
    with report.step("state of the claims"):
        failure = case.wait_for_failure(instance, tools)
    report.say()
    if failure is None:
        report.say(
            "The claims are bound: OIDC provider and trust policy are correct. `make down incident` shows the failure."
        )
    else:
        report.say("[bold red]The claims stay Pending. Their event says:[/bold red]")
        report.text(failure.event, style="red")
        if failure.log:
            report.say("[bold red]The driver restarts again and again. Its log says:[/bold red]")
            report.text(failure.log, style="red")
        report.say()
        report.say("[bold]make up[/bold] registers the provider and corrects the role; the claims bind by themselves.")
    report.say()
    listed = kubectl(instance, tools, "-n", case.NAMESPACE, "get", "pods,pvc", "-l", case.SELECTOR)
    report.text(listed)


def parts(report: Report) -> None:
    """Show which parts of Pulumi are released ones and which are stand-ins."""
    for part in plugins.detect():
        report.say(f"  [dim]{escape(str(part))}[/dim]")


def status(instance: SandboxInstance, tools: Toolchain | None, report: Report) -> None:
    """Show processes, nodes, pods and claims. `tools` is None while nothing runs."""
    report.say(f"[bold]Sandbox {instance.name!r}[/bold] in {instance.root}")
    parts(report)
    names = processes.names(instance)
    if not names:
        report.say("Nothing runs; `make up` starts it.")
        return
    ended = [name for name in names if not processes.is_alive(instance, name)]
    report.say(f"processes  {', '.join(name for name in names if name not in ended) or 'none'}")
    if ended:
        report.say(f"[red]ended      {', '.join(ended)}[/red]; `make up` starts them again")
    report.say(f"logs       {instance.logs}")
    if tools is not None:
        report.say(f"\n[bold]Cluster {CLUSTER}[/bold]")
        report.text(kubectl(instance, tools, "get", "nodes", "-L", ZONE_LABEL))
        report.text(kubectl(instance, tools, "get", "pods,pvc", "-A", "-o", "wide"))


def logs(instance: SandboxInstance, tools: Toolchain | None, report: Report, name: str) -> None:
    """Show the end of every log, or the whole log of one process or pod (`namespace/pod`)."""
    if "/" in name and tools is not None:
        namespace, _, pod = name.partition("/")
        report.text(kubectl(instance, tools, "-n", namespace, "logs", pod, "--all-containers"))
    elif name:
        path = processes.log_file(instance, name)
        if not path.exists():
            known = ", ".join(processes.names(instance)) or "none: nothing runs"
            raise lifecycle.NotRunningError(f"no process {name!r} has a log here; there are {known}")
        report.text(path.read_text(errors="replace"))
    else:
        for each in processes.names(instance):
            report.say(f"[bold]{each}[/bold]")
            report.text(processes.log_tail(instance, each, LOG_LINES))
        if tools is not None:
            for pod in kubectl(instance, tools, "-n", "rocketmq", "get", "pods", "-o", "name").split():
                report.say(f"[bold]{pod}[/bold]")
                text = kubectl(instance, tools, "-n", "rocketmq", "logs", pod, f"--tail={LOG_LINES}")
                report.text(text)
