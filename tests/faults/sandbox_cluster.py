"""The deployed prod stack of a running sandbox, as a cluster for faults. Machines are its pods.

The kubelet starts a process again that a fault has killed: at once, then after 10 s, 20 s and so on. Packets are
dropped in the network namespaces of the pods. Clients run in a network namespace of their own, beside the nodes, with
a kube-proxy of their own: as on another node of the cluster, no lost node takes their way to Services with it.
"""

import json
import os
import signal
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eks_rocketmq.rocketmq.roles.role_plans import STORE_DIRECTORY
from sandbox import lifecycle, processes
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster import cgroups, containerd_images, dns, kubeconfig_file, kubelet, netns, network, node
from sandbox.cluster.kubectl import kubectl
from sandbox.command import CommandError, run
from sandbox.engine import pulumi
from sandbox.layout import DNS_ADDRESS, NETWORK_PREFIX, NODES, SERVICE_CIDR, Node, SandboxInstance
from sandbox.messages.rocketmq_deployment import RocketMqDeployment
from sandbox.polling import wait_until
from sandbox.processes import Process, in_netns
from sandbox.progress import Report
from tests.faults import cluster as clusters
from tests.faults.grpc_load import GrpcLoad
from tests.faults.load import Workload

NAMESPACE = "rocketmq"
CLIENT_ADDRESS = "10.200.0.77"
CLIENT_LINK = "clients"
CLIENT_PROXY = "kube-proxy-clients"
PORTS = {"rocketmq-broker": 10911, "rocketmq-controller": 9878, "rocketmq-nameserver": 9876, "rocketmq-proxy": 8081}
TCP_RETRIES = 5
"""Retransmissions after which a connection ends: 13 s. Linux waits for 15 minutes."""
UNKNOWN = "127.0.0.1:1"
"""Address of a pod that has none yet. Nobody answers there."""
FRESH_SECONDS = 0.5
"""Time for which a list of the pods is used again."""
START_SECONDS = 240.0
POD_SECONDS = 300.0
WHOLE_SECONDS = 2.0
"""Time for which the group is whole before the next disturbance."""
QUEUE = "burst 16kb latency 1s"
"""Of a slow link. The kernel drops packets that would wait longer."""


@dataclass
class SandboxCluster:
    """Broker group of the deployed stack with its controllers, name servers and proxies. See `clusters.Cluster`."""

    instance: SandboxInstance
    tools: Toolchain
    group: str = "broker-a"
    topics: Sequence[str] = ()
    """Topics of the load."""
    controller_count: int = 3
    through_services: bool = False
    """Whether clients ask the name servers through their Services."""
    _pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    _read_at: float = 0.0
    _filtered: list[str] = field(default_factory=list)

    def update(self, *arguments: str, extra: Mapping[str, str] | None = None) -> None:
        """Run `pulumi up` with further arguments and variables.

        Raises AssertionError if it fails.
        """
        argv = ["pulumi", "up", "-s", pulumi.STACK, "--yes", "--skip-preview", "--non-interactive", *arguments]
        self.run(argv, extra)

    def run(self, argv: Sequence[str], extra: Mapping[str, str] | None = None) -> None:
        """Run a command as an operator of the stack does, with further variables.

        Raises AssertionError if it fails.
        """
        result = pulumi.execute(self.instance, self.tools, argv, capture=True, extra=extra)
        assert result.code == 0, result.output

    def remove_group(self, group: str) -> None:
        """Remove a group that the stack file does not have, with its volumes."""
        self.update()
        self.kubectl("delete", "pvc", *(f"data-rocketmq-{group}-{number}" for number in range(3)))

    @property
    def client_netns(self) -> str:
        return f"rmq-{self.instance.name}-clients"

    @property
    def members(self) -> Sequence[str]:
        return [f"rocketmq-{self.group}-{number}" for number in range(3)]

    @property
    def controllers(self) -> Sequence[str]:
        return [f"rocketmq-controller-{number}" for number in range(self.controller_count)]

    @property
    def name_servers(self) -> Sequence[str]:
        return [f"rocketmq-nameserver-{number}" for number in range(2)]

    @property
    def proxies(self) -> Sequence[str]:
        return [name for name, pod in self.pods().items() if pod["metadata"]["labels"].get("app") == "rocketmq-proxy"]

    def address(self, name: str) -> str:
        pod = self.pods().get(name)
        if pod is None or "podIP" not in pod["status"]:
            return UNKNOWN
        return f"{pod['status']['podIP']}:{PORTS[pod['metadata']['labels']['app']]}"

    def list_client_name_servers(self) -> Sequence[str]:
        if not self.through_services:
            return [self.address(name) for name in self.name_servers]
        port, path = PORTS["rocketmq-nameserver"], "-o=jsonpath={.spec.clusterIP}"
        return [f"{self.kubectl('get', 'service', name, path).strip()}:{port}" for name in self.name_servers]

    def observe(self) -> AbstractContextManager[None]:
        return netns.inside(self.instance.control_netns)

    def in_client_network(self, argv: list[str]) -> list[str]:
        return in_netns(self.client_netns, argv)

    def drop(self, receivers: Iterable[str], senders: Iterable[str]) -> None:
        rules = [f"-A INPUT -s {self._client_or_pod_address(name)} -j DROP" for name in senders]
        for name in receivers:
            self.filter(name, rules)

    def heal(self) -> None:
        dropped = 0
        for path in self._filtered:
            # The network of a pod that has ended is gone, with its rules.
            with suppress(CommandError):
                dropped += clusters.flush_filters(path)
        filtered = bool(self._filtered)
        self._filtered.clear()
        assert dropped or not filtered, "no packet was dropped"

    def kill(self, name: str) -> None:
        process = self.jvm(name)
        os.kill(process, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{process}").exists(), 10, every=0.02)

    def start(self, name: str) -> None:
        """Wait until the process runs. A pod that waits for a late restart is replaced."""
        wait_until(lambda: self.running(name), 5)
        if not self.running(name):
            self.kubectl("delete", "pod", name, "--wait=false")
        clusters.require(lambda: self.running(name), START_SECONDS, f"{name} runs")

    def hang(self, name: str) -> None:
        os.kill(self.jvm(name), signal.SIGSTOP)

    def pause(self, name: str) -> AbstractContextManager[None]:
        return clusters.pause_processes(process for process, _ in self._processes(name))

    def find_store(self, name: str) -> Path:
        return Path(f"/proc/{self.jvm(name)}/root{STORE_DIRECTORY}")

    def running(self, name: str) -> bool:
        try:
            self.jvm(name)
        except LookupError:
            return False
        return True

    # Pods and nodes

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return kubectl(self.instance, self.tools, "-n", NAMESPACE, *arguments, stdin=stdin)

    def pods(self) -> Mapping[str, dict[str, Any]]:
        """Return the pods by name. While the API does not answer, return those that were known last."""
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            with suppress(CommandError):
                listed = json.loads(self.kubectl("get", "pods", "-o", "json", "--request-timeout=5s"))["items"]
                self._pods = {pod["metadata"]["name"]: pod for pod in listed}
            self._read_at = time.monotonic()
        return self._pods

    def uid(self, name: str) -> str | None:
        """Return the unique ID of a pod. The pod that replaces it has another one."""
        pod = self.pods().get(name)
        return None if pod is None else pod["metadata"]["uid"]

    def node_of(self, name: str) -> Node:
        """Return the node of a pod."""
        return next(one for one in NODES if one.name == self.pods()[name]["spec"]["nodeName"])

    def is_ready(self, name: str) -> bool:
        pod = self.pods().get(name)
        return (
            pod is not None
            and "deletionTimestamp" not in pod["metadata"]
            and any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
        )

    def wait_until_ready(self) -> None:
        """Wait until every pod of the stack is ready. Replace those that wait for a late restart.

        Raises TimeoutError.
        """
        for name, pod in list(self.pods().items()):
            waiting = [
                one["state"].get("waiting", {}).get("reason") for one in pod["status"].get("containerStatuses", [])
            ]
            if "CrashLoopBackOff" in waiting:
                self.kubectl("delete", "pod", name, "--wait=false")
        wanted = [*self.members, *self.controllers, *self.name_servers]

        def ready() -> bool:
            return all(map(self.is_ready, {*wanted, *self.pods()})) and len(self.proxies) > 1

        clusters.require(ready, POD_SECONDS, "all pods are ready")

    def wait_until_whole(self) -> None:
        """Wait until every pod is ready and the group is whole, and a little longer.

        Raises TimeoutError.
        """
        self.wait_until_ready()
        clusters.wait_until_whole(self)
        time.sleep(WHOLE_SECONDS)

    def jvm(self, name: str) -> int:
        """Return the process ID of a pod's JVM on this machine.

        Raises LookupError when none runs.
        """
        for process, command in self._processes(name):
            if command == "java":
                return process
        raise LookupError(f"no JVM of {name} runs")

    def filter(self, name: str, rules: Iterable[str]) -> None:
        """Add rules of `iptables-restore` to what a machine receives. `heal` removes them."""
        path = self._network(name)
        text = "\n".join(["*filter", *rules, "COMMIT", ""])
        run(["nsenter", f"--net={path}", "--", "iptables-restore", "--wait", "--noflush"], stdin=text)
        self._filtered.append(path)

    @contextmanager
    def slow_links(self, names: Iterable[str], rate: str) -> Generator[None]:
        """Limit what machines send to a rate of `tc`, such as `1mbit`, for the block."""
        paths = [self._network(name) for name in names]
        for path in paths:
            _shape(path, ["replace", "dev", network.UPLINK, "root", "tbf", "rate", rate, *QUEUE.split()])
        try:
            yield
        finally:
            for path in paths:
                with suppress(CommandError):  # the network of a pod that has ended is gone
                    _shape(path, ["delete", "dev", network.UPLINK, "root"])

    @contextmanager
    def without_api(self) -> Generator[None]:
        """Stop the Kubernetes API with SIGSTOP for the block: connections stay open and nothing answers."""
        (process,) = [
            int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _is_api_server(folder, self.instance.root)
        ]
        os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)

    def grpc_load(self, folder: Path, workloads: Sequence[Workload]) -> GrpcLoad:
        """Return a load through the Service of the proxies."""
        endpoint = RocketMqDeployment(self.instance, self.tools).proxy()
        return GrpcLoad(
            interpreter=self.tools.client_python,
            endpoint=endpoint,
            folder=folder,
            workloads=workloads,
            in_client_network=self.in_client_network,
        )

    def lose_node(self, lost: Node) -> None:
        """Cut a node off and kill all its processes: kubelet, containerd, pods. In the sandbox it is a whole zone."""
        run(["ip", "-netns", self.instance.control_netns, "link", "set", f"node-{lost.letter}", "down"])
        trees = cgroups.current_trees()

        def none_left() -> bool:
            found = cgroups.processes(self.instance.node_cgroup(lost), trees)
            for process in found:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            return not found

        clusters.require(none_left, 20, f"no process of {lost.name} runs")

    def return_node(self, lost: Node) -> None:
        """Connect a lost node again and start its kubelet."""
        run(["ip", "-netns", self.instance.control_netns, "link", "set", f"node-{lost.letter}", "up"])
        prepared = containerd_images.ensure(self.instance, self.tools)
        node.start(self.instance, self.tools, lost, prepared)

    def connect_clients(self) -> None:
        """Create the network namespace of the clients, with a kube-proxy."""
        self.disconnect_clients()
        control = self.instance.control_netns
        run(["ip", "netns", "add", self.client_netns])
        for command in (
            f"link add {CLIENT_LINK} type veth peer name {network.UPLINK} netns {self.client_netns}",
            f"link set {CLIENT_LINK} master {network.BRIDGE}",
            f"link set {CLIENT_LINK} up",
        ):
            run(["ip", "-netns", control, *command.split()])
        for command in (
            "link set lo up",
            f"addr add {CLIENT_ADDRESS}/{NETWORK_PREFIX} dev {network.UPLINK}",
            f"link set {network.UPLINK} up",
            *(f"route add {one.pod_cidr} via {one.address}" for one in NODES),
            # The kernel wants a route before kube-proxy's rules apply. They replace the address.
            f"route add {SERVICE_CIDR} dev {network.UPLINK}",
        ):
            run(["ip", "-netns", self.client_netns, *command.split()])
        # As the documentation tells users: the Python client notices a lost proxy only when TCP gives up.
        run(in_netns(self.client_netns, ["sysctl", "-qw", f"net.ipv4.tcp_retries2={TCP_RETRIES}"]))
        self._start_client_proxy()

    def _start_client_proxy(self) -> None:
        folder = self.instance.root / "clients"
        folder.mkdir(exist_ok=True)
        kubeconfig = kubeconfig_file.write(self.instance, "kube-proxy", folder / "kube-proxy.kubeconfig")
        config = folder / "kube-proxy.yaml"
        config.write_text(kubelet.proxy_config(NODES[0], CLIENT_ADDRESS, kubeconfig))
        argv = [str(self.tools.bin / "kube-proxy"), f"--config={config}"]

        def ready() -> bool:
            return netns.is_listening(self.client_netns, DNS_ADDRESS, dns.PORT)

        processes.start(self.instance, Process(CLIENT_PROXY, argv, self.client_netns, ready=ready))

    def disconnect_clients(self) -> None:
        processes.stop(self.instance, CLIENT_PROXY)
        if netns.exists(self.client_netns):
            # The link ends with either of its ends.
            with suppress(CommandError):
                run(["ip", "-netns", self.instance.control_netns, "link", "delete", CLIENT_LINK])
            run(["ip", "netns", "delete", self.client_netns])

    def _client_or_pod_address(self, name: str) -> str:
        if name == clusters.CLIENTS:
            return CLIENT_ADDRESS
        address = self.address(name)
        if address == UNKNOWN:
            raise LookupError(f"pod {name} has no address")
        return address.rpartition(":")[0]

    def has_network(self, name: str) -> bool:
        """Return whether a pod has its address, and the first of its processes runs."""
        return self.address(name) != UNKNOWN and bool(self._processes(name))

    def _network(self, name: str) -> str:
        """Return the path of a machine's network namespace."""
        if name == clusters.CLIENTS:
            return str(netns.FOLDER / self.client_netns)
        for process, _ in self._processes(name):
            return f"/proc/{process}/ns/net"
        raise LookupError(f"no process of {name} runs")

    def _processes(self, name: str) -> list[tuple[int, str]]:
        """Return ID and command of the processes of a pod, that of its network first."""
        uid = self.uid(name)
        if uid is None:
            return []
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if uid in (folder / "cgroup").read_text():
                    found.append((int(folder.name), (folder / "comm").read_text().strip()))
        return sorted(found, key=lambda one: (one[1] != "pause", one[0]))


@contextmanager
def attach(instance: SandboxInstance) -> Generator[SandboxCluster]:
    """Attach clients to the deployed stack of a running sandbox, for the block.

    Raises NotRunningError.
    """
    cluster = SandboxCluster(instance, lifecycle.require_running(instance, Report()))
    cluster.connect_clients()
    try:
        yield cluster
    finally:
        cluster.heal()
        cluster.disconnect_clients()


def _shape(path: str, arguments: Sequence[str]) -> None:
    run(["nsenter", f"--net={path}", "--", "tc", "qdisc", *arguments])


def _is_api_server(folder: Path, root: Path) -> bool:
    with suppress(OSError):
        command = (folder / "cmdline").read_bytes().split(b"\0")
        return b"kube-apiserver" in b" ".join(command[:2]) and any(bytes(root) in each for each in command)
    return False
