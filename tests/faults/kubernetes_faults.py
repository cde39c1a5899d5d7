"""Faults of pods, nodes, networks and the driver of the deployed stack. See `faults`."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from sandbox.cluster.kubectl import kubectl
from sandbox.doctor_faults import made_faults
from sandbox.doctor_faults.fault_context import FaultContext
from sandbox.messages.remoting import RemotingError
from sandbox.polling import wait_until
from tests.faults.cluster import CLIENTS, answers, block, elect, find_master, list_slaves, read_epoch, read_state
from tests.faults.controller_events import find_leader
from tests.faults.faults import PARTITION_SECONDS, FaultTimes, disturb_network
from tests.faults.sandbox_cluster import SandboxCluster

DELETIONS = 20
KILLS = 10
ELECTIONS = 3
NODE_SECONDS = 75.0
"""Time for which a node is lost. Kubernetes notices after 40 s, and would replace pods after 5 minutes."""
LOSSY_SECONDS = 60.0
LOST_PACKETS = 0.1
DNS_SECONDS = 60.0
API_SECONDS = 120.0
NOTICE_SECONDS = 5.0
"""Time in which the kubelet notices that a process has ended."""
DRAIN_BEGIN_SECONDS = 1.0
"""Time in which the drain of a deleted pod has begun. It waits longer than this for the controllers."""
HANG_SECONDS = 120.0
"""Time in which the kubelet replaces a process that hangs."""
SLOW_SECONDS = 60.0
SLOW_RATE = "1mbit"
"""A third of what the master sends to its two slaves under the load `normal`."""
DRIVER_FAULT = "role-missing"
ROLE_SECONDS = 20.0
"""Time for which the pod has no node, and time for which it waits for its volume."""


def delete_master_pods(cluster: SandboxCluster, times: int = DELETIONS) -> FaultTimes:
    """Delete the master's pod gracefully several times, each time after all members are in sync."""
    return _repeat(cluster, times, lambda master: _delete_pods(cluster, [master]))


def kill_masters(cluster: SandboxCluster) -> FaultTimes:
    """Kill the master's process with SIGKILL several times, each time after all members are in sync."""
    return _repeat(cluster, KILLS, lambda master: _kill(cluster, master, [master]).begin)


def delete_master_and_slave(cluster: SandboxCluster) -> FaultTimes:
    """Delete the pods of the master and of a slave gracefully, both at once."""
    master = find_master(cluster)
    begin = _delete_pods(cluster, [master, list_slaves(cluster, master)[0]])
    return FaultTimes(begin, time.monotonic_ns(), master, (begin,))


def kill_master_and_slave(cluster: SandboxCluster) -> FaultTimes:
    """Kill the processes of the master and of a slave with SIGKILL, both at once."""
    master = find_master(cluster)
    return _kill(cluster, master, [master, list_slaves(cluster, master)[0]])


def kill_all_brokers(cluster: SandboxCluster) -> FaultTimes:
    """Kill the processes of all members with SIGKILL, all at once. Their page cache stays."""
    return _kill(cluster, find_master(cluster), cluster.members)


def kill_all_proxies(cluster: SandboxCluster) -> FaultTimes:
    """Kill the processes of all proxies with SIGKILL, all at once."""
    return _kill(cluster, find_master(cluster), cluster.proxies)


def hang_proxy(cluster: SandboxCluster) -> FaultTimes:
    """Stop one of the proxies with SIGSTOP, until the kubelet has replaced it."""
    return _hang(cluster, cluster.proxies[0])


def hang_name_server(cluster: SandboxCluster) -> FaultTimes:
    """Stop the first of the name servers with SIGSTOP, until the kubelet has replaced it."""
    return _hang(cluster, cluster.name_servers[0])


def delete_pod_without_role(cluster: SandboxCluster) -> FaultTimes:
    """Delete a slave's pod, and delete its successor gracefully while its broker has no role yet."""
    master = find_master(cluster)
    slave = list_slaves(cluster, master)[0]
    begin = time.monotonic_ns()
    _delete_pod(cluster, slave)
    assert wait_until(lambda: cluster.has_network(slave), 60, every=0.1), f"{slave} has no network"
    # It has no role until it reaches the controllers. The drain could have one elected as soon as it reaches them.
    block(cluster, [slave], cluster.controllers)
    assert wait_until(lambda: answers(cluster, slave), 120, every=0.05), f"{slave} does not answer"
    state = read_state(cluster)
    assert state is not None
    assert cluster.address(slave) not in state.ids, f"{slave} has a role"
    event = _delete_pods(cluster, [slave], meanwhile=cluster.heal)
    after = find_master(cluster)
    assert after == master, f"{after} was elected in place of {master}, which was healthy"
    return FaultTimes(begin, time.monotonic_ns(), master, (begin, event))


def drain_node_of_master_and_leader(cluster: SandboxCluster) -> FaultTimes:
    """Drain the node with the master and the controller leader, and use it again."""
    master = _put_master_beside_leader(cluster)
    drained, epoch = cluster.node_of(master), read_epoch(cluster)
    begin = time.monotonic_ns()
    try:
        cluster.kubectl(
            *("drain", drained.name, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=240s"),
        )
    finally:
        cluster.kubectl("uncordon", drained.name)
    cluster.wait_until_ready()
    return FaultTimes(begin, time.monotonic_ns(), master, (begin,), epoch=epoch)


def lose_node_of_master(cluster: SandboxCluster) -> FaultTimes:
    """Lose the node of the master, with its processes and its network, and bring it back."""
    return _lose_node(cluster, find_master(cluster))


def lose_node_of_master_and_leader(cluster: SandboxCluster) -> FaultTimes:
    """Lose the node of the master and the controller leader, and bring it back."""
    return _lose_node(cluster, _put_master_beside_leader(cluster))


def isolate_slave(cluster: SandboxCluster) -> FaultTimes:
    """Cut a slave off from everything else."""
    master = find_master(cluster)
    slave = list_slaves(cluster, master)[0]
    others = [name for name in (*_machines(cluster), *cluster.proxies) if name != slave]
    return disturb_network(cluster, master, PARTITION_SECONDS, lambda: block(cluster, [slave], [CLIENTS, *others]))


def lose_packets(cluster: SandboxCluster) -> FaultTimes:
    """Drop a share of all packets that members, controllers and name servers receive."""

    def disturb() -> None:
        for name in _machines(cluster):
            cluster.filter(name, [f"-A INPUT ! -i lo -m statistic --mode random --probability {LOST_PACKETS} -j DROP"])

    return disturb_network(cluster, find_master(cluster), LOSSY_SECONDS, disturb)


def slow_links(cluster: SandboxCluster) -> FaultTimes:
    """Limit what each member, controller and name server sends."""
    master = find_master(cluster)
    begin = time.monotonic_ns()
    with cluster.slow_links(_machines(cluster), SLOW_RATE):
        time.sleep(SLOW_SECONDS)
    return FaultTimes(begin, time.monotonic_ns(), master, (begin,))


def move_pod_without_driver_role(cluster: SandboxCluster) -> FaultTimes:
    """Take the IAM role of the EBS CSI driver away while the master's pod leaves its node and comes back.

    Raises AssertionError if the pod gets its volume without the role.
    """
    master = find_master(cluster)
    node = cluster.node_of(master).name
    context = FaultContext(cluster.instance, cluster.tools)
    begin = time.monotonic_ns()
    try:
        made_faults.make(context, DRIVER_FAULT)
        cluster.kubectl("cordon", node)
        event = time.monotonic_ns()
        # Nothing detaches the volume of a pod that comes back at once.
        _delete_pod(cluster, master)
        time.sleep(ROLE_SECONDS)
        cluster.kubectl("uncordon", node)
        time.sleep(ROLE_SECONDS)
        assert not cluster.is_ready(master), f"{master} has its volume"
    finally:
        cluster.kubectl("uncordon", node)
        made_faults.mend(context, DRIVER_FAULT)
    cluster.wait_until_ready()
    return FaultTimes(begin, time.monotonic_ns(), master, (event,))


def stop_dns(cluster: SandboxCluster) -> FaultTimes:
    """Stop the cluster's DNS, and kill the master meanwhile."""
    master = find_master(cluster)
    begin = time.monotonic_ns()
    dns = partial(kubectl, cluster.instance, cluster.tools, "-n", "kube-system")
    replicas = dns("get", "deployment", "coredns", "-o=jsonpath={.spec.replicas}")
    try:
        dns("scale", "deployment/coredns", "--replicas=0")
        dns("wait", "pods", "-l", "k8s-app=kube-dns", "--for=delete", "--timeout=60s")
        gone = time.monotonic_ns()
        time.sleep(DNS_SECONDS / 3)
        cluster.kill(master)
        time.sleep(DNS_SECONDS * 2 / 3)
    finally:
        dns("scale", "deployment/coredns", f"--replicas={replicas}")
        dns("rollout", "status", "deployment/coredns", "--timeout=120s")
    return FaultTimes(begin, time.monotonic_ns(), master, (gone, gone + int(DNS_SECONDS / 3 * 1e9)))


def stop_kubernetes_api(cluster: SandboxCluster) -> FaultTimes:
    """Stop the Kubernetes API, and kill the master meanwhile."""
    master = find_master(cluster)
    process = cluster.jvm(master)
    begin = time.monotonic_ns()
    with cluster.without_api():
        time.sleep(API_SECONDS / 4)
        found = find_master(cluster)
        assert found == master, f"{found} became master in place of {master} while the API was gone"
        event = time.monotonic_ns()
        os.kill(process, signal.SIGKILL)
        time.sleep(API_SECONDS * 3 / 4)
    return FaultTimes(begin, time.monotonic_ns(), master, (begin, event))


def _machines(cluster: SandboxCluster) -> list[str]:
    return [*cluster.members, *cluster.controllers, *cluster.name_servers]


def _delete_pod(cluster: SandboxCluster, name: str) -> None:
    """Delete a pod gracefully and wait until another one has its name."""
    before = cluster.uid(name)
    cluster.kubectl("delete", "pod", name, "--wait=false")
    found = wait_until(lambda: cluster.uid(name) not in {before, None}, 120, every=0.2)
    assert found, f"no pod replaces {name}"


def _delete_pods(cluster: SandboxCluster, names: Iterable[str], meanwhile: Callable[[], None] = lambda: None) -> int:
    """Delete pods gracefully, all at once, and wait until others in their place are ready. Return the time of it.

    `meanwhile` is called when their drains have begun.
    """
    wanted = list(names)
    before = {name: cluster.uid(name) for name in wanted}
    begin = time.monotonic_ns()
    cluster.kubectl("delete", "pod", *wanted, "--wait=false")
    time.sleep(DRAIN_BEGIN_SECONDS)
    meanwhile()
    replaced = wait_until(lambda: all(cluster.uid(name) not in {before[name], None} for name in wanted), 240)
    assert replaced, f"no pods replace {wanted}"
    cluster.wait_until_ready()
    return begin


def _kill(cluster: SandboxCluster, master: str, names: Iterable[str]) -> FaultTimes:
    processes = [cluster.jvm(name) for name in names]
    begin = time.monotonic_ns()
    for process in processes:
        os.kill(process, signal.SIGKILL)
    time.sleep(NOTICE_SECONDS)
    cluster.wait_until_ready()
    return FaultTimes(begin, time.monotonic_ns(), master, (begin,))


def _hang(cluster: SandboxCluster, name: str) -> FaultTimes:
    master, process = find_master(cluster), cluster.jvm(name)
    begin = time.monotonic_ns()
    os.kill(process, signal.SIGSTOP)
    assert wait_until(lambda: not Path(f"/proc/{process}").exists(), HANG_SECONDS), f"{name} still hangs"
    time.sleep(NOTICE_SECONDS)
    cluster.wait_until_ready()
    return FaultTimes(begin, time.monotonic_ns(), master, (begin,))


def _lose_node(cluster: SandboxCluster, master: str) -> FaultTimes:
    lost, epoch = cluster.node_of(master), read_epoch(cluster)
    begin = time.monotonic_ns()
    cluster.lose_node(lost)
    time.sleep(NODE_SECONDS)
    cluster.return_node(lost)
    cluster.wait_until_ready()
    return FaultTimes(begin, time.monotonic_ns(), master, (begin,), epoch=epoch)


def _repeat(cluster: SandboxCluster, times: int, disturb: Callable[[str], int]) -> FaultTimes:
    """Disturb the master several times, each time after all members are in sync. `disturb` returns when it began."""
    first, events = find_master(cluster), []
    for number in range(times):
        if number:
            cluster.wait_until_whole()
        events.append(disturb(find_master(cluster)))
    return FaultTimes(events[0], time.monotonic_ns(), first, tuple(events))


def _put_master_beside_leader(cluster: SandboxCluster) -> str:
    """Elect the member on the node of the controller leader. Return it, when the group is whole."""
    cluster.wait_until_whole()
    leader = find_leader(cluster)
    assert leader is not None
    node = cluster.node_of(leader)
    member = next(name for name in cluster.members if cluster.node_of(name) == node)
    # The controllers refuse an election while the member is not in sync, or does not answer in time.
    refusals: list[str] = []
    for _ in range(ELECTIONS):
        if find_master(cluster) == member:
            return member
        state = read_state(cluster)
        assert state is not None
        try:
            elect(cluster, state.ids[cluster.address(member)])
        except RemotingError as error:
            refusals.append(str(error))
        cluster.wait_until_whole()
    raise AssertionError(f"{member} was not elected in {ELECTIONS} attempts: {refusals}")


KUBERNETES_FAULTS: dict[str, Callable[[SandboxCluster], FaultTimes]] = {
    "master-pod-deleted": partial(delete_master_pods, times=1),
    "master-pod-deleted-20-times": delete_master_pods,
    "master-killed-10-times": kill_masters,
    "master-and-slave-deleted": delete_master_and_slave,
    "master-and-slave-killed": kill_master_and_slave,
    "pod-without-role-deleted": delete_pod_without_role,
    "node-drained": drain_node_of_master_and_leader,
    "node-lost": lose_node_of_master,
    "node-of-master-and-leader-lost": lose_node_of_master_and_leader,
    "proxies-killed": kill_all_proxies,
    "proxy-hung": hang_proxy,
    "name-server-hung": hang_name_server,
    "slave-isolated": isolate_slave,
    "packets-lost": lose_packets,
    "links-slow": slow_links,
    "driver-role-missing": move_pod_without_driver_role,
    "dns-gone": stop_dns,
    "kubernetes-api-gone": stop_kubernetes_api,
    "brokers-killed": kill_all_brokers,
}
