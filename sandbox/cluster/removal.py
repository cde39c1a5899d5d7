"""Removal of a cluster: processes, mounts, loop devices, control groups, namespaces. Files stay."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from sandbox import processes
from sandbox.cluster import cgroups, containerd_images, control_plane, mounts, netns, network, node
from sandbox.layout import NODES, Node, SandboxInstance
from sandbox.polling import wait_until

KILL_SECONDS = 20.0
# The control groups of the nodes of every sandbox, see `SandboxInstance.node_cgroup`.
GROUPS = "rmq-*"


def stop(instance: SandboxInstance) -> None:
    """Stop the cluster and everything else that runs in its network namespaces. Repeatable.

    Raises TimeoutError or CommandError when something cannot be removed.
    """
    processes.stop(instance, containerd_images.PROCESS)
    with ThreadPoolExecutor(len(NODES)) as workers:
        list(workers.map(lambda one: _stop_node(instance, one), NODES))
    for name in reversed(control_plane.NAMES):
        processes.stop(instance, name)
    # An interrupted start may leave a process without a record, but never outside these namespaces.
    for name in network.names(instance):
        _kill(partial(netns.processes, name), f"network namespace {name}")
    mounts.remove(instance.root)
    mounts.detach_loops(instance.root)
    network.remove(instance)
    network.release_folder()
    if cgroups.any_named(GROUPS, cgroups.current_trees()):
        return
    for folder in node.PRIVATE_FOLDERS:
        # Mount points for the nodes; a folder with content belongs to another program. Removing a folder would unmount
        # it in the nodes of another sandbox, therefore the check above.
        with suppress(OSError):
            Path(folder).rmdir()


def _stop_node(instance: SandboxInstance, one: Node) -> None:
    """End daemons and pods together, so that no daemon restarts a pod."""
    group, trees = instance.node_cgroup(one), cgroups.current_trees()
    _kill(partial(cgroups.processes, group, trees), f"node {one.name}")
    for name in node.process_names(one):
        processes.stop(instance, name)
    cgroups.remove(group, trees)


def _kill(running: Callable[[], set[int]], where: str) -> None:
    """Send SIGKILL repeatedly until no process is left, as a process may start another one meanwhile."""

    def none_left() -> bool:
        for pid in running():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not running()

    if not wait_until(none_left, KILL_SECONDS, every=0.05):
        raise TimeoutError(f"processes {sorted(running())} of {where} do not end")
