"""A deployed RocketMQ: its endpoints, and messages through its proxy."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.kubectl import kubectl
from sandbox.cluster.netns import inside
from sandbox.layout import NODES, SandboxInstance
from sandbox.messages import topics
from sandbox.messages.remoting import RemotingError
from sandbox.processes import in_netns

CLIENT_PROGRAM = Path(__file__).with_name("rocketmq_client.py")
TOPIC = "sandbox"
GROUP = "sandbox-consumer"
PROXY_PORT = 8081
_NO_PERMISSION = 16


class DeliveryError(Exception):
    """The client failed. The message ends with its output."""


@dataclass(frozen=True)
class RocketMqDeployment:
    """The RocketMQ of one namespace, as its clients reach it."""

    instance: SandboxInstance
    toolchain: Toolchain
    namespace: str = "rocketmq"
    topic: str = TOPIC
    group: str = GROUP
    access: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the client, see `rocketmq_client.py`."""
    name: str | None = None
    """Name of the proxies for clients. None: their address, which no certificate contains."""
    through: str | None = None
    """`host:port` to which `name` resolves. None: the proxies' Service."""

    def proxy(self) -> str:
        """Return the address of the proxy's Service, `host:port`."""
        return f"{self._get('service', 'rocketmq-proxy', '{.spec.clusterIP}')}:{PROXY_PORT}"

    def name_server(self) -> str:
        """Return the address of a ready name server, `host:port`."""
        address = self._get("pods", "-l=app=rocketmq-nameserver", "{.items[0].status.podIP}")
        return f"{address}:9876"

    def ensure_topic(self) -> None:
        """Create the sandbox's topic and consumer group on all three brokers."""
        try:
            with inside(self.instance.control_netns):
                topics.ensure(self.name_server(), TOPIC, GROUP, members=3)
        except RemotingError as error:
            if error.code != _NO_PERMISSION:
                raise
            reason = "The sandbox sends its messages without a user: RocketMQ is deployed, but nothing was sent."
            raise DeliveryError(f"{error}. {reason}") from error

    def master(self) -> str:
        """Return the pod address of the only broker group's master, `host:port`."""
        with inside(self.instance.control_netns):
            (members,) = topics.list_brokers(self.name_server()).values()
        return members[topics.MASTER]

    def send(self, count: int, prefix: str) -> list[str]:
        """Send messages and return the bodies that the brokers acknowledged."""
        return self._run_client("send", self.topic, str(count), prefix)

    def receive(self, prefix: str, count: int, seconds: float = 60.0) -> list[str]:
        """Return at most `count` different bodies with `prefix` that arrive within `seconds`."""
        return self._run_client("receive", self.topic, self.group, prefix, str(count), str(seconds))

    def _get(self, kind: str, selector: str, path: str) -> str:
        value = kubectl(
            self.instance, self.toolchain, "-n", self.namespace, "get", kind, selector, f"-o=jsonpath={path}"
        ).strip()
        if not value:
            raise DeliveryError(f"no {kind} {selector} in namespace {self.namespace}; `make status` shows what runs")
        return value

    def _run_client(self, action: str, *arguments: str) -> list[str]:
        # In a node's namespace, where kube-proxy serves the Service's address.
        argv = [str(self.toolchain.client_python), str(CLIENT_PROGRAM), action, self._endpoint(), *arguments]
        result = subprocess.run(
            in_netns(self.instance.node_netns(NODES[0]), self._with_name(argv)),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "HOME": str(self.instance.logs), **self.access},  # the client writes to ~/logs
        )
        if result.returncode:
            raise DeliveryError(f"{action} {' '.join(arguments)} failed\n{result.stdout}{result.stderr}")
        return json.loads(result.stdout.splitlines()[-1])

    def _endpoint(self) -> str:
        address = self.through or self.proxy()
        return address if self.name is None else f"{self.name}:{address.rpartition(':')[2]}"

    def _with_name(self, argv: list[str]) -> list[str]:
        """Add `name` to a hosts file of this command alone, as the node does not use the cluster's DNS."""
        if self.name is None:
            return argv
        hosts = self.instance.run / "client-hosts"
        hosts.write_text(f"{(self.through or self.proxy()).rpartition(':')[0]} {self.name}\n")
        mounted = 'mount --bind "$0" /etc/hosts && exec "$@"'
        return ["unshare", "--mount", "--", "sh", "-c", mounted, str(hosts), *argv]
