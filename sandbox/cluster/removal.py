"""Take a cluster away: processes, mounts, loop devices, control groups, namespaces. Files stay."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from sandbox import processes
from sandbox.cluster import cgroups, control_plane, images, mounts, netns, network, node
from sandbox.place import NODES, Node, Place

KILL_SECONDS = 20.0
# The control groups of the nodes of every sandbox, see `Place.node_cgroup`.
GROUPS = "rmq-*"
ROUND_SECONDS = 0.05


def stop(place: Place) -> None:
    """Leave nothing of the cluster that runs or is mounted, nor anything else that runs in its network namespaces.

    Does nothing where nothing is, so it may be repeated.

    Raises TimeoutError or CommandError when something cannot be removed.
    """
    processes.stop(place, images.PROCESS)
    with ThreadPoolExecutor(len(NODES)) as workers:
        list(workers.map(lambda one: _stop_node(place, one), NODES))
    for name in reversed(control_plane.NAMES):
        processes.stop(place, name)
    # An interruption between the start of a process and its record leaves it without one, yet never outside of these.
    for name in network.names(place):
        _kill(partial(netns.processes, name), f"network namespace {name}")
    mounts.remove(place.root)
    mounts.detach_loops(place.root)
    network.remove(place)
    network.release_folder()
    if cgroups.any_named(GROUPS, cgroups.current_trees()):
        return
    for folder in node.PRIVATE_FOLDERS:
        # The mount points that nodes need on this machine; one that holds something is somebody else's. Removing one
        # would unmount it in the nodes of another sandbox, hence the question before.
        with suppress(OSError):
            Path(folder).rmdir()


def _stop_node(place: Place, one: Node) -> None:
    """Daemons and pods end together: nobody is left who would start them again."""
    group, trees = place.node_cgroup(one), cgroups.current_trees()
    _kill(partial(cgroups.processes, group, trees), f"node {one.name}")
    for name in node.process_names(one):
        processes.stop(place, name)
    cgroups.remove(group, trees)


def _kill(running: Callable[[], set[int]], where: str) -> None:
    """SIGKILL until nobody is there. Rounds, because a process may start another one meanwhile."""
    deadline = time.monotonic() + KILL_SECONDS
    while pids := running():
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {sorted(pids)} of {where} do not end")
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(ROUND_SECONDS)
