"""What a person wants to see of a sandbox: the summary after `up`, the incident, status and logs."""

from rich.markup import escape

from sandbox import incident as case
from sandbox import lifecycle, processes
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.client import kubectl
from sandbox.engine import plugins
from sandbox.messages.deliver import Deployment
from sandbox.place import CLUSTER, NODES, Place
from sandbox.progress import Report

LOG_LINES = 20


def summary(place: Place, tools: Toolchain, report: Report) -> None:
    """What runs where, how to look and how to clean up."""
    deployment = Deployment(place, tools)
    report.say()
    report.say(f"[bold green]RocketMQ runs on {len(NODES)} nodes and keeps its messages on gp2 volumes.[/bold green]")
    parts(report)
    report.say()
    report.console.print(
        kubectl(place, tools, "-n", deployment.namespace, "get", "pods,pvc"), markup=False, soft_wrap=True
    )
    report.say(f"  gRPC proxy    {deployment.proxy()}      name server  {deployment.name_server()}")
    report.say(
        "  look          [bold]make shell[/bold] (kubectl, pulumi, aws), [bold]make status[/bold], [bold]make logs"
    )
    report.say("  try           [bold]make incident[/bold], [bold]make preview[/bold]")
    report.say("  clean up      [bold]make down[/bold]")
    report.say()
    times(report)


def times(report: Report) -> None:
    """Where the time went, longest first; steps under a second are left out."""
    spent = sorted(report.seconds.items(), key=lambda step: -step[1])
    total = sum(report.seconds.values())
    longest = ", ".join(f"{title} {seconds:.0f} s" for title, seconds in spent if seconds >= 1)
    report.say(f"[dim]{total:.0f} s: {escape(longest)}[/dim]")


def incident(place: Place, tools: Toolchain, report: Report, driver: str = "") -> None:
    """Apply the brokers as the original team did and show why their claims stay Pending, or that they are healed.

    `driver` is the version of the EBS CSI driver that it happens to, empty for that which runs.
    """
    if driver:
        with report.step(f"EBS CSI driver {case.driver.version(driver)}"):
            if case.driver.use(place, report, driver):
                # Their claims have events of the driver before.
                case.remove(place, tools)
    with report.step(f"brokers applied with kubectl in namespace {case.NAMESPACE}"):
        case.apply(place, tools)
    with report.step("what becomes of the claims"):
        failure = case.failure(place, tools)
    report.say()
    if failure is None:
        report.say("The chain is right here, so the claims are bound. `make down incident` shows the failure.")
    else:
        report.say("[bold red]The claims stay Pending. Their event says:[/bold red]")
        report.console.print(failure.event, markup=False, style="red", soft_wrap=True)
        if failure.log:
            report.say("[bold red]The driver restarts again and again. Its log says:[/bold red]")
            report.console.print(failure.log, markup=False, style="red", soft_wrap=True)
        report.say()
        report.say("[bold]make up[/bold] registers the provider and corrects the role; the claims bind by themselves.")
    report.say()
    listed = kubectl(place, tools, "-n", case.NAMESPACE, "get", "pods,pvc", "-l", case.SELECTOR)
    report.console.print(listed, markup=False, soft_wrap=True)


def parts(report: Report) -> None:
    """Which parts of Pulumi are the released ones and which stand in."""
    for part in plugins.detect():
        report.say(f"  [dim]{escape(str(part))}[/dim]")


def status(place: Place, tools: Toolchain | None, report: Report) -> None:
    """Processes, nodes, pods and claims; `tools` is None while nothing runs."""
    report.say(f"[bold]Sandbox {place.name!r}[/bold] in {place.root}")
    parts(report)
    names = processes.names(place)
    if not names:
        report.say("Nothing runs; `make up` starts it.")
        return
    ended = [name for name in names if not processes.alive(place, name)]
    report.say(f"processes  {', '.join(name for name in names if name not in ended) or 'none'}")
    if ended:
        report.say(f"[red]ended      {', '.join(ended)}[/red]; `make up` starts them again")
    report.say(f"logs       {place.logs}")
    if tools is not None:
        report.say(f"\n[bold]Cluster {CLUSTER}[/bold]")
        zones = "topology.kubernetes.io/zone"
        report.console.print(kubectl(place, tools, "get", "nodes", "-L", zones), markup=False, soft_wrap=True)
        report.console.print(kubectl(place, tools, "get", "pods,pvc", "-A", "-o", "wide"), markup=False, soft_wrap=True)


def logs(place: Place, tools: Toolchain | None, report: Report, name: str) -> None:
    """The end of every log, or the whole log of one process or pod (`namespace/pod`)."""
    if "/" in name and tools is not None:
        namespace, _, pod = name.partition("/")
        report.console.print(
            kubectl(place, tools, "-n", namespace, "logs", pod, "--all-containers"), markup=False, soft_wrap=True
        )
    elif name:
        path = processes.log_file(place, name)
        if not path.exists():
            known = ", ".join(processes.names(place)) or "none: nothing runs"
            raise lifecycle.NotRunningError(f"no process {name!r} has a log here; there are {known}")
        report.console.print(path.read_text(errors="replace"), markup=False, soft_wrap=True)
    else:
        for each in processes.names(place):
            report.say(f"[bold]{each}[/bold]")
            report.console.print(processes.log_tail(place, each, LOG_LINES), markup=False, soft_wrap=True)
        if tools is not None:
            for pod in kubectl(place, tools, "-n", "rocketmq", "get", "pods", "-o", "name").split():
                report.say(f"[bold]{pod}[/bold]")
                text = kubectl(place, tools, "-n", "rocketmq", "logs", pod, f"--tail={LOG_LINES}")
                report.console.print(text, markup=False, soft_wrap=True)
