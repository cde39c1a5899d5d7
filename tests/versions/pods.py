"""Rendered pods as plain processes, each in its own network namespace, with the JARs of its RocketMQ version.

Containers, memory limits and restarts of Kubernetes are left out. Command line, environment, configuration, scripts and
probes come from the manifests. The folders of a pod are moved to a folder of the test.
"""

import base64
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sandbox.cache import entry, recipes
from sandbox.cluster.netns import inside, is_listening
from sandbox.cluster.network import release_folder
from sandbox.command import run
from sandbox.layout import CACHE
from sandbox.messages import rocketmq_deployment
from sandbox.processes import in_netns
from sandbox.progress import Report

PREFIX = "rmq-version"
NETWORK = "10.77.0"
NICENESS = 5  # below interactive work, above builds
START_SECONDS = 180.0
STOP_SECONDS = 60.0


@dataclass
class Pod:
    """One pod of a StatefulSet or Deployment: its name, address and manifest."""

    name: str
    address: str
    netns: str
    root: Path
    container: Mapping[str, Any]
    files: Mapping[str, str]
    binary_files: Mapping[str, str]
    """Files in base64."""
    home: Path
    process: subprocess.Popen[bytes] | None = None

    def relocate(self, text: str) -> str:
        """Return text of the manifest with the pod's folders moved below `root`."""
        version_home = next(one["value"] for one in self.container["env"] if one["name"] == "ROCKETMQ_HOME")
        moved = {
            "/tmp": self.root / "tmp",  # noqa: S108 - the pod's own volume; first, as `root` can be below it
            version_home: self.home,
            "/home/rocketmq": self.root / "home",
            "/etc/rocketmq": self.root / "etc",
            "/run/rocketmq": self.root / "run",
            "/data": self.root / "data",
            "$(ROCKETMQ_HOME)": self.home,
            "$(POD_IP)": self.address,
        }
        for old, new in moved.items():
            # Not within a longer path, such as the folder of the controllers' log.
            text = re.sub(rf"(?<![\w*]){re.escape(old)}", lambda _, new=new: str(new), text)
        return text

    def environment(self) -> dict[str, str]:
        """Return the container's variables, including the values that Kubernetes sets."""
        fields = {"status.podIP": self.address, "metadata.name": self.name}
        values = {
            one["name"]: self.relocate(one["value"])
            if "value" in one
            else fields[one["valueFrom"]["fieldRef"]["fieldPath"]]
            for one in self.container["env"]
        }
        return {
            **os.environ,
            **values,
            "POD_NAME": self.name,
            "POD_IP": self.address,
            "DRAIN_LOG": str(self.root / "drain"),
        }

    def command(self, argv: list[str]) -> list[str]:
        """Return the command that runs `argv` in the pod's network, where the names of other pods resolve."""
        return in_network(self.netns, self.root.parent / "hosts", argv)

    def prepare(self) -> None:
        """Create the pod's folders and render its configuration, as the init container does."""
        for folder in ("etc", "run", "data", "tmp", "home/logs"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            (self.root / "etc" / name).write_text(self.relocate(text))
        for name, encoded in self.binary_files.items():
            (self.root / "etc" / name).write_bytes(base64.b64decode(encoded))
        for name in ("broker.conf", "controller.conf"):
            if name in self.files:
                argv = [
                    "bash",
                    *(str(self.root / part) for part in ("etc/render-config.sh", f"etc/{name}", f"run/{name}")),
                ]
                subprocess.run(argv, env=self.environment(), check=True)

    def start(self) -> None:
        """Start the main process of the container."""
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(["nice", "-n", str(NICENESS), *map(self.relocate, self.container["command"])]),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def ready(self) -> bool:
        """Return whether the readiness probe succeeds."""
        probe = self.container["readinessProbe"]
        if "tcpSocket" in probe:
            return is_listening(self.netns, self.address, probe["tcpSocket"]["port"])
        if "httpGet" in probe:
            return self._get(probe["httpGet"]["port"], probe["httpGet"]["path"]) == HTTPStatus.OK
        return self.execute(probe["exec"]["command"]).returncode == 0

    def _get(self, port: int, path: str) -> int | None:
        """Return the status of a request to the pod, or None without an answer."""
        try:
            with (
                inside(self.netns),
                urllib.request.urlopen(f"http://{self.address}:{port}{path}", timeout=30) as answer,
            ):
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def execute(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command of the manifest in the pod."""
        moved = self.command([self.relocate(argument) for argument in argv])
        return subprocess.run(moved, env=self.environment(), capture_output=True, text=True, check=False)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            assert self.process is not None
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}\n{self.tail()}"
            assert time.monotonic() < deadline, f"{self.name} was not ready in {START_SECONDS:.0f} s\n{self.tail()}"
            time.sleep(0.5)

    def stop(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def tail(self) -> str:
        logs = [self.root / "log", *sorted((self.root / "home").rglob("*.log"))]
        return "\n".join(f"{path}:\n{path.read_text(errors='replace')[-2000:]}" for path in logs if path.exists())


@dataclass
class Pods:
    """All pods of one deployment on a network bridge. The context manager creates and removes them."""

    folder: Path
    home: Path
    manifests: list[dict[str, Any]]
    pods: list[Pod] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    """Network namespaces besides that of the bridge."""
    prefix: str = PREFIX
    """Start of the names of the network namespaces. Deployments with different prefixes can run at the same time."""

    @property
    def hub(self) -> str:
        """Network namespace of the bridge. It reaches every pod."""
        return f"{self.prefix}-hub"

    def __enter__(self) -> "Pods":
        self._remove_networks_of_killed_run()
        run(["ip", "netns", "add", self.hub])
        _run_ip_commands(
            self.hub,
            ["link set lo up", "link add br0 type bridge", f"addr add {NETWORK}.1/24 dev br0", "link set br0 up"],
        )
        by_kind = {(one["kind"], one["metadata"]["name"]): one for one in self.manifests}
        hosts = ["127.0.0.1 localhost"]
        for (kind, workload), manifest in by_kind.items():
            if kind not in {"StatefulSet", "Deployment"}:
                continue
            spec = manifest["spec"]["template"]["spec"]
            sources = next(v["projected"]["sources"] for v in spec["volumes"] if "projected" in v)
            config_maps = [by_kind["ConfigMap", source["configMap"]["name"]] for source in sources]
            files = {k: v for one in config_maps for k, v in one["data"].items()}
            binary_files = {k: v for one in config_maps for k, v in one.get("binaryData", {}).items()}
            for ordinal in range(int(manifest["spec"]["replicas"])):
                pod = self._add(f"{workload}-{ordinal}", spec["containers"][0], files, binary_files)
                hosts.append(f"{pod.address} {pod.name}.{workload}-peers.rocketmq.svc")
                if ordinal == 0:
                    hosts.append(f"{pod.address} {workload}.rocketmq.svc")
        (self.folder / "hosts").write_text("\n".join(hosts) + "\n")
        return self

    def __exit__(self, *_: object) -> None:
        for pod in self.pods:
            pod.stop(signal.SIGKILL)
        for netns in [*self.networks, self.hub]:
            run(["ip", "netns", "delete", netns])
        release_folder()

    def _remove_networks_of_killed_run(self) -> None:
        """Remove the network namespaces with this prefix, and end the processes in them."""
        for line in run(["ip", "netns", "list"]).splitlines():
            netns, *_ = line.split()
            if re.fullmatch(rf"{self.prefix}-(hub|\d+)", netns):
                for process in run(["ip", "netns", "pids", netns]).split():
                    os.kill(int(process), signal.SIGKILL)
                run(["ip", "netns", "delete", netns])

    def add_network(self) -> tuple[str, str]:
        """Create a network namespace on the bridge. Return its name and its address."""
        number = len(self.networks) + 1
        netns, address = f"{self.prefix}-{number}", f"{NETWORK}.{number + 10}"
        run(["ip", "netns", "add", netns])
        self.networks.append(netns)
        _run_ip_commands(
            self.hub,
            [f"link add p{number} type veth peer name eth0 netns {netns}", f"link set p{number} master br0 up"],
        )
        _run_ip_commands(netns, ["link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up"])
        return netns, address

    def _add(
        self, name: str, container: Mapping[str, Any], files: Mapping[str, str], binary_files: Mapping[str, str]
    ) -> Pod:
        netns, address = self.add_network()
        root = self.folder / name
        pod = Pod(name, address, netns, root, container, files, binary_files, self.home)
        pod.prepare()
        self.pods.append(pod)
        return pod

    def exchange(self, client: Path, *arguments: str) -> list[str]:
        """Run the official client on the bridge, with a Python interpreter that has it. Return what it prints."""
        done = subprocess.run(
            in_netns(self.hub, [str(client), str(rocketmq_deployment.CLIENT_PROGRAM), *arguments]),
            env={**os.environ, "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def of(self, role: str) -> list[Pod]:
        """Return the pods of a role, sorted by ordinal."""
        return [pod for pod in self.pods if pod.container["name"] == role]


def create_home(folder: Path, version: str) -> Path:
    """Create the home of a RocketMQ version in a folder, with the JARs of the cache."""
    home = folder / "rocketmq"
    (home / "conf").mkdir(parents=True)
    (home / "lib").symlink_to(entry.ensure(CACHE, recipes.rocketmq_jars(version), Report()))
    return home


def start(*pods: Pod) -> None:
    """Start pods, all at once, and wait until they are ready."""
    for pod in pods:
        pod.start()
    for pod in pods:
        pod.wait_ready()


def in_network(netns: str, hosts: Path, argv: list[str]) -> list[str]:
    """Return the command that runs `argv` in a network namespace with another /etc/hosts."""
    return [
        *("nsenter", f"--net=/run/netns/{netns}", "--", "unshare", "--mount", "--propagation", "slave"),
        *("sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh", *argv),
    ]


def _run_ip_commands(netns: str, commands: list[str]) -> None:
    run(["ip", "-netns", netns, "-batch", "-"], stdin="\n".join(commands) + "\n")
