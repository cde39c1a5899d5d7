"""Processor time of RocketMQ at rest, by role and thread (`make idle`).

The kernel accounts the time that each thread ran. Other load on the machine disturbs these figures far less than times
on the clock.
"""

import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from sandbox.cluster import cgroups
from sandbox.layout import NODES, SandboxInstance
from sandbox.progress import Report

PROC = Path("/proc")
THREADS = 8
"""Number of threads that the output names for each role, those with the most time first."""
ROLES = {
    "org.apache.rocketmq.broker.BrokerStartup": "broker",
    "org.apache.rocketmq.controller.ControllerStartup": "controller",
    "org.apache.rocketmq.namesrv.NamesrvStartup": "nameserver",
    "org.apache.rocketmq.proxy.ProxyStartup": "proxy",
}
LAUNCHER = "eks_rocketmq.Launcher"
"""Main class of the agent. Its first argument is the role."""
_NUMBER = re.compile(r"[\d#]+$")


class NoProcessError(Exception):
    """No RocketMQ process is running."""


Times = Mapping[tuple[int, int], tuple[str, float]]
"""Name of a thread and the seconds that it ran, by the IDs of its process and of the thread."""


@dataclass
class RoleUse:
    """Processor time of the processes of one role, as percentages of one processor."""

    processes: list[float] = field(default_factory=list)
    """One entry for each process."""
    threads: dict[str, float] = field(default_factory=dict)
    """Mean of the processes, by the name of the thread without its number."""


def find_processes(pids: Iterable[int], proc: Path = PROC) -> dict[int, str]:
    """Return the roles of the RocketMQ processes among `pids`."""
    found = {}
    for pid in pids:
        with suppress(OSError):  # the process has ended
            program, *arguments = (proc / str(pid) / "cmdline").read_text(errors="replace").split("\0")
            role = next((ROLES[one] for one in arguments if one in ROLES), None)
            if LAUNCHER in arguments:
                role = arguments[arguments.index(LAUNCHER) + 1]
            # A launcher script has the JVM's command line among its arguments.
            if role is not None and Path(program).name == "java":
                found[pid] = role
    return found


def read_times(pids: Iterable[int], proc: Path = PROC) -> Times:
    """Return the times of all threads of the processes."""
    times = {}
    for pid in pids:
        for thread in (proc / str(pid) / "task").glob("*"):
            with suppress(OSError):  # the thread has ended
                nanoseconds = int((thread / "schedstat").read_text().split()[0])
                times[pid, int(thread.name)] = ((thread / "comm").read_text().strip(), nanoseconds / 1e9)
    return times


def compute_use(roles: Mapping[int, str], before: Times, after: Times, seconds: float) -> dict[str, RoleUse]:
    """Return the use of each role between two calls of `read_times`. A thread that ended in between is left out."""
    processes, threads = dict.fromkeys(roles, 0.0), defaultdict[tuple[str, str], float](float)
    for key, (name, ran) in after.items():
        percent = 100 * (ran - before.get(key, ("", 0.0))[1]) / seconds
        processes[key[0]] += percent
        threads[roles[key[0]], _NUMBER.sub("", name)] += percent
    use: defaultdict[str, RoleUse] = defaultdict(RoleUse)
    for pid, percent in processes.items():
        use[roles[pid]].processes.append(percent)
    for (role, name), percent in threads.items():
        use[role].threads[name] = percent / len(use[role].processes)
    return dict(use)


def measure(pids: Collection[int], seconds: float) -> dict[str, RoleUse]:
    """Return the use of each role over `seconds`.

    Raise NoProcessError if none of `pids` is a RocketMQ process.
    """
    roles = find_processes(pids)
    if not roles:
        raise NoProcessError("no RocketMQ is running here. Start it with `make up`")
    started, before = time.monotonic(), read_times(roles)
    time.sleep(seconds)
    after, passed = read_times(roles), time.monotonic() - started
    return compute_use(roles, before, after, passed)


def run(instance: SandboxInstance, report: Report, seconds: float) -> None:
    """Measure the RocketMQ of a sandbox and print the result."""
    trees = cgroups.current_trees()
    pids = set[int]().union(*(cgroups.processes(instance.node_cgroup(node), trees) for node in NODES))
    with report.step(f"processor time of {seconds:.0f} s"):
        use = measure(pids, seconds)
    report.console.print(build_table(use))


def build_table(use: Mapping[str, RoleUse]) -> Table:
    """Return a table with one row for each role, and one for their sum."""
    table = Table(box=None, header_style="dim", caption="percent of one processor")
    for column in ("role", "processes", "each", "sum", "threads with the most time, each process"):
        table.add_column(column, justify="right" if column in {"processes", "each", "sum"} else "left")
    for role, each in sorted(use.items()):
        total, number = sum(each.processes), len(each.processes)
        most = sorted(each.threads.items(), key=lambda thread: -thread[1])[:THREADS]
        threads = ", ".join(f"{name} {percent:.2f}" for name, percent in most)
        table.add_row(role, str(number), f"{total / number:.1f}", f"{total:.1f}", threads)
    everything = [percent for each in use.values() for percent in each.processes]
    table.add_row("all", str(len(everything)), "", f"{sum(everything):.1f}", "")
    return table
