"""Sends messages through the deployed proxy and receives them again."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.client import kubectl
from sandbox.cluster.netns import inside
from sandbox.messages import topic as topics
from sandbox.place import NODES, Place
from sandbox.processes import in_netns

EXCHANGE = Path(__file__).with_name("exchange.py")
TOPIC = "sandbox"
GROUP = "sandbox-consumer"
PROXY_PORT = 8081


class DeliveryError(Exception):
    """The client failed; the message ends with what it printed."""


@dataclass(frozen=True)
class Deployment:
    """The RocketMQ of one namespace, as its clients reach it."""

    place: Place
    toolchain: Toolchain
    namespace: str = "rocketmq"
    topic: str = TOPIC
    group: str = GROUP
    access: Mapping[str, str] = field(default_factory=dict)
    """What the client needs in its environment, see `exchange.py`."""
    name: str | None = None
    """Name under which clients reach the proxies; None for the address, for which no certificate is made."""
    through: str | None = None
    """`host:port` that the name leads to; None for the proxies' Service."""

    def proxy(self) -> str:
        """Address of the proxy's Service, `host:port`."""
        return f"{self._get('service', 'rocketmq-proxy', '{.spec.clusterIP}')}:{PROXY_PORT}"

    def name_server(self) -> str:
        """Address of a ready name server, `host:port`."""
        address = self._get("pods", "-l=app=rocketmq-nameserver", "{.items[0].status.podIP}")
        return f"{address}:9876"

    def ensure_topic(self, members: int = 3) -> None:
        """Make the sandbox's topic and consumer group on all `members` brokers."""
        with inside(self.place.control_netns):
            topics.ensure(self.name_server(), TOPIC, GROUP, members=members)

    def master(self) -> str:
        """Pod address of the master of the only broker group, `host:port`."""
        with inside(self.place.control_netns):
            (members,) = topics.brokers(self.name_server()).values()
        return members[topics.MASTER]

    def send(self, count: int, prefix: str) -> list[str]:
        """Bodies that the brokers acknowledged."""
        return self._exchange("send", self.topic, str(count), prefix)

    def receive(self, prefix: str, count: int, seconds: float = 60.0) -> list[str]:
        """Bodies that begin with `prefix` and arrived within `seconds`, at most `count` different ones."""
        return self._exchange("receive", self.topic, self.group, prefix, str(count), str(seconds))

    def _get(self, kind: str, selector: str, path: str) -> str:
        value = kubectl(
            self.place, self.toolchain, "-n", self.namespace, "get", kind, selector, f"-o=jsonpath={path}"
        ).strip()
        if not value:
            raise DeliveryError(f"no {kind} {selector} in namespace {self.namespace}; `make status` shows what runs")
        return value

    def _exchange(self, action: str, *arguments: str) -> list[str]:
        # A node's namespace, because kube-proxy serves the Service's address there.
        argv = [str(self.toolchain.client_python), str(EXCHANGE), action, self._endpoint(), *arguments]
        result = subprocess.run(
            in_netns(self.place.node_netns(NODES[0]), self._with_name(argv)),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "HOME": str(self.place.logs), **self.access},  # the client insists on ~/logs
        )
        if result.returncode:
            raise DeliveryError(f"{action} {' '.join(arguments)} failed\n{result.stdout}{result.stderr}")
        return json.loads(result.stdout.splitlines()[-1])

    def _endpoint(self) -> str:
        address = self.through or self.proxy()
        return address if self.name is None else f"{self.name}:{address.rpartition(':')[2]}"

    def _with_name(self, argv: list[str]) -> list[str]:
        """The node does not ask the cluster's DNS: the name stands in a hosts file that only this command sees."""
        if self.name is None:
            return argv
        hosts = self.place.run / "client-hosts"
        hosts.write_text(f"{(self.through or self.proxy()).rpartition(':')[0]} {self.name}\n")
        mounted = 'mount --bind "$0" /etc/hosts && exec "$@"'
        return ["unshare", "--mount", "--", "sh", "-c", mounted, str(hosts), *argv]
