"""Broker group of processes without Kubernetes, each in its own network namespace.

Command lines and configuration are those that the library renders for `strict`. A process that ends by itself is
started again, as a kubelet does. One that a fault kills stays ended until the fault starts it. Only the agent kills a
process that hangs, because no kubelet runs liveness probes.
"""

import os
import shutil
import signal
import threading
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from eks_rocketmq.rocketmq.roles.role_plans import STORE_DIRECTORY
from sandbox import pins
from sandbox.cluster import mounts
from sandbox.cluster.netns import inside
from sandbox.command import run
from tests.faults import cluster as clusters
from tests.faults import volumes
from tests.faults.volumes import Volume
from tests.unit.rocketmq_case import deploy, group
from tests.versions.pods import Pod, Pods, create_home, in_network, start

PREFIX = f"rmq-fault{os.environ.get('PYTEST_XDIST_WORKER', '')}"
"""Each test process has network namespaces of its own. The first start of a process removes those that are left."""
PORTS = {"broker": 10911, "controller": 9878, "nameserver": 9876}
KILLED_APART_SECONDS = 0.2
"""Time between the ends of the connections of machines that lose their power at once."""
RESTART_SECONDS = 10.0
"""Time after which a process that ended by itself is started again: the first wait of a kubelet."""
MIB = 1024**2
# Small files, so that three stores fit on a small disk.
SMALL_FILES: Mapping[str, str | int | bool] = {
    "mappedFileSizeCommitLog": 64 * MIB,
    "mappedFileSizeConsumeQueue": 600000,
    "maxHashSlotNum": 10000,
    "maxIndexNum": 40000,
}
# Seven JVMs start on two processors. They run for minutes, so the second compiler would cost more than it saves.
QUICK_START = ["-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]


@dataclass
class BareCluster:
    """Three members of one group, three controllers and a name server. See `clusters.Cluster`."""

    pods: Pods
    client_netns: str
    client_address: str
    group: str = "broker-a"
    agent: bool = True
    """Whether the agent of the library runs in the JVMs."""
    restarts: list[str] = field(default_factory=list)
    """Processes that ended by themselves, by the name of their machine."""
    volumes: dict[str, Volume] = field(default_factory=dict)
    """Volumes of members and controllers by the name of their machine, if the cluster was started with volumes."""
    _blocked: list[str] = field(default_factory=list)
    _killed: set[str] = field(default_factory=set)

    @property
    def members(self) -> Sequence[str]:
        return [pod.name for pod in self.pods.of("broker")]

    @property
    def controllers(self) -> Sequence[str]:
        return [pod.name for pod in self.pods.of("controller")]

    @property
    def name_servers(self) -> Sequence[str]:
        return [pod.name for pod in self.pods.of("nameserver")]

    def address(self, name: str) -> str:
        pod = self._pod(name)
        return f"{pod.address}:{PORTS[pod.container['name']]}"

    def list_client_name_servers(self) -> Sequence[str]:
        return [self.address(name) for name in self.name_servers]

    def observe(self) -> AbstractContextManager[None]:
        return inside(self.pods.hub)

    def in_client_network(self, argv: list[str]) -> list[str]:
        return in_network(self.client_netns, self.pods.folder / "hosts", argv)

    def drop(self, receivers: Iterable[str], senders: Iterable[str]) -> None:
        # A rule for what leaves would return an error to the sender at once.
        rules = "".join(f"-A INPUT -s {self._network(name)[1]} -j DROP\n" for name in senders)
        for name in receivers:
            self._filter(self._network(name)[0], rules)

    def heal(self) -> None:
        blocked = [f"/run/netns/{netns}" for netns in self._blocked]
        self._blocked.clear()
        assert not blocked or sum(map(clusters.flush_filters, blocked)), "no packet was dropped"

    def kill(self, name: str) -> None:
        self._killed.add(name)
        self._pod(name).stop(signal.SIGKILL)

    def start(self, name: str) -> None:
        self._pod(name).start()
        self._killed.discard(name)

    def start_killed(self) -> None:
        """Start all processes that were killed, with their stores."""
        for name in sorted(self._killed):
            self.start(name)

    def hang(self, name: str) -> None:
        process = self._pod(name).process
        assert process is not None
        process.send_signal(signal.SIGSTOP)

    def pause(self, name: str) -> AbstractContextManager[None]:
        return clusters.pause_processes(map(int, run(["ip", "netns", "pids", self._network(name)[0]]).split()))

    def find_store(self, name: str) -> Path:
        return Path(self._pod(name).relocate(STORE_DIRECTORY))

    def lose_power(self, names: Iterable[str]) -> None:
        """Stop machines at once. What is not on their volumes is lost. They stay off until `restore_power`."""
        names = list(names)
        self._killed.update(names)
        # A machine without power acknowledges nothing, so it stops before its volume.
        for name in names:
            self.hang(name)
        for name in names:
            self.volumes[name].cut_power()
        for name in names:
            self.kill(name)
            time.sleep(KILLED_APART_SECONDS)
        for name in names:
            self.volumes[name].unmount()

    def restore_power(self, names: Iterable[str]) -> None:
        """Mount the volumes of machines again and start their processes."""
        for name in names:
            self.volumes[name].mount()
            self.start(name)

    def replace_volume(self, name: str) -> None:
        """Kill a process and start it again with an empty volume."""
        self.kill(name)
        volume = self.volumes[name]
        volume.unmount()
        volume.create()
        volume.mount()
        self.start(name)

    def wait_ready(self, name: str) -> None:
        """Wait until the readiness probe of a process succeeds."""
        self._pod(name).wait_ready()

    def running(self, name: str) -> bool:
        process = self._pod(name).process
        return process is not None and process.poll() is None

    def restart_until(self, stopped: threading.Event) -> None:
        """Start processes again that ended by themselves, until `stopped`."""
        while not stopped.wait(1.0):
            ended = [pod.name for pod in self.pods.pods if self._has_ended(pod)]
            if ended and not stopped.wait(RESTART_SECONDS):
                for name in ended:
                    self.restarts.append(name)
                    self._pod(name).start()

    def _has_ended(self, pod: Pod) -> bool:
        return pod.process is not None and pod.process.poll() is not None and pod.name not in self._killed

    def clear_volume(self, name: str) -> None:
        """Remove the store of a process that was killed."""
        for path in (self._pod(name).root / "data").iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def ready(self, name: str) -> bool:
        """Return whether the readiness probe of a process succeeds."""
        return self.running(name) and self._pod(name).ready()

    def _pod(self, name: str) -> Pod:
        return next(pod for pod in self.pods.pods if pod.name == name)

    def _network(self, name: str) -> tuple[str, str]:
        """Return the network namespace and the address of a machine."""
        if name == clusters.CLIENTS:
            return self.client_netns, self.client_address
        return self._pod(name).netns, self._pod(name).address

    def _filter(self, netns: str, rules: str) -> None:
        run(
            ["nsenter", f"--net=/run/netns/{netns}", "--", "iptables-restore", "--wait", "--noflush"],
            stdin=f"*filter\n{rules}COMMIT\n",
        )
        self._blocked.append(netns)


@contextmanager
def start_cluster(
    folder: Path,
    *,
    agent: bool = True,
    broker_config: Mapping[str, str | int | bool] | None = None,
    controller_config: Mapping[str, str | int | bool] | None = None,
    brokers: bool = True,
    with_volumes: bool = False,
    profile: str = "strict",
    min_in_sync_replicas: int | None = None,
    storage: str = "1Gi",
    java_options: Sequence[str] = QUICK_START,
) -> Generator[BareCluster]:
    """Start a cluster with its files in `folder`, and end and remove it after the block.

    Args:
        folder: existing folder for stores and logs.
        agent: whether the agent of the library runs in the JVMs.
        broker_config: keys of `broker.conf`, as a user sets them.
        controller_config: keys of `controller.conf`, as a user sets them.
        brokers: whether the members are started. Without them, only the controllers and the name server run.
        with_volumes: whether members and controllers have volumes of their own, which `lose_power` needs.
        profile: durability profile.
        min_in_sync_replicas: in-sync members that a write needs, by default those of the profile.
        storage: size of a member's claim, by which the library checks the keys.
        java_options: options of all JVMs.
    """
    home = create_home(folder, pins.ROCKETMQ)
    config = {**SMALL_FILES, **(broker_config or {})}
    java = {"pods": {"java_options": list(java_options)}}
    members = java if min_in_sync_replicas is None else {**java, "min_in_sync_replicas": min_in_sync_replicas}
    manifests = deploy(
        version=pins.ROCKETMQ,
        agent=agent,
        profile=profile,
        broker_groups=group(memory="1536Mi", storage=storage, config=config, **members),
        name_servers={"replicas": 1, "memory": "320Mi", **java},
        controllers={"memory": "512Mi", "config": dict(controller_config or {}), **java},
        proxies={"replicas": 1, "memory": "768Mi"},
    ).manifests()
    with _hold_volumes(folder) as mounted, Pods(folder, home, manifests, prefix=PREFIX) as pods:
        cluster = BareCluster(pods, *pods.add_network(), agent=agent, volumes=mounted)
        if with_volumes:
            mounts.share(folder)
            for pod in (*pods.of("broker"), *pods.of("controller")):
                volume = mounted[pod.name] = Volume(folder / f"{pod.name}.xfs", pod.root / "data")
                volume.create()
                volume.mount()
        start(*pods.of("nameserver"), *pods.of("controller"))
        if brokers:
            start(*pods.of("broker"))
        stopped = threading.Event()
        restarting = threading.Thread(target=cluster.restart_until, args=(stopped,), daemon=True)
        restarting.start()
        try:
            yield cluster
        finally:
            stopped.set()
            restarting.join()


@contextmanager
def _hold_volumes(folder: Path) -> Generator[dict[str, Volume]]:
    """Remove the volumes that the block adds, after its processes have ended."""
    held: dict[str, Volume] = {}
    try:
        yield held
    finally:
        if held:
            volumes.remove(folder)
