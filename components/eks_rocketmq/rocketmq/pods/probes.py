"""Probes, drain and the times that belong to them. Pure.

The scripts speak RocketMQ's protocol from bash: a probe that starts a JVM takes a gigabyte of the broker's own memory.
"""

from dataclasses import dataclass
from importlib import resources
from typing import Any

from eks_rocketmq.args.validation import bytes_of
from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.config.durability import registration_seconds
from eks_rocketmq.rocketmq.naming import ports
from eks_rocketmq.rocketmq.pods.pod_spec import CONFIG_DIRECTORY

_SCRIPTS = resources.files("eks_rocketmq.rocketmq") / "scripts"

# The scripts have timeouts of their own; ANSWER_SECONDS is that of `alive.sh`. Those of the kubelet are long, because a
# script starts late on an overloaded node. A script that the kubelet ends counts as failed.
ANSWER_SECONDS = 4
EXEC_SECONDS = 60
CONNECT_SECONDS = 10
HUNG_GRACE_SECONDS = 1  # a hung process answers no signal; every second more is one without writes

_RECOVERED_BYTES = 30 * 1024**3  # RocketMQ reads at most the last 30 commit log files of 1 GiB again
_RECOVERY_BYTES_PER_SECOND = 32 * 1024**2  # a quarter of what a small gp2 volume reads
# JVM, controllers' answer, indexes: 5 to 15 s on an idle node, minutes on an overloaded one. A process that cannot
# start exits by itself, so a long budget delays nothing.
_START_SECONDS = 600
_STARTUP_PERIOD = 5


def script(name: str) -> str:
    """Text of one of the package's shell scripts."""
    return (_SCRIPTS / name).read_text(encoding="utf-8")


def scripts(*names: str) -> dict[str, str]:
    """Shell scripts by file name, as a ConfigMap carries them."""
    return {name: script(name) for name in names}


BROKER_SCRIPTS = (
    "ask.sh",
    "sign.sh",
    "alive.sh",
    "broker-drain.sh",
    "broker-lib.sh",
    "broker-ready.sh",
    "render-config.sh",
)


def run(name: str, *arguments: str) -> dict[str, Any]:
    """An exec handler for one of the scripts."""
    return {"exec": {"command": ["bash", f"{CONFIG_DIRECTORY}/{name}", *arguments]}}


def connects(port: int) -> dict[str, Any]:
    """A handler that opens a connection and closes it again."""
    return {"tcpSocket": {"port": port}}


@dataclass(frozen=True)
class Request:
    """A request that a role answers from memory, independent of its peers."""

    port: int
    code: int

    def started(self) -> dict[str, Any]:
        """Handler that succeeds if the process answers."""
        return run("alive.sh", "started", f"127.0.0.1:{self.port}", str(self.code))

    def running(self) -> dict[str, Any]:
        """Handler that fails if the process hangs."""
        return run("alive.sh", "running", f"127.0.0.1:{self.port}", str(self.code))


BROKER = Request(ports.BROKER, 907)
CONTROLLER = Request(ports.CONTROLLER, 1005)
NAME_SERVER = Request(ports.NAME_SERVER, 106)
# The proxy does not support this code. It returns an error without asking a broker.
PROXY = Request(ports.PROXY_REMOTING, 907)


@dataclass(frozen=True)
class Drain:
    """Bounds of the broker's drain and stop, in seconds. The grace period is their sum, so no step is ever cut off."""

    replicate: int = 15
    elect: int = 10
    rejoin: int = 15
    questions: int = 20  # what the script asks in between and the last look of each wait, each with its own bound
    stop: int = 45  # a broker takes 10 to 12 s to stop here; flushing a slow volume takes longer

    @property
    def grace_period(self) -> int:
        """`terminationGracePeriodSeconds` of a broker."""
        return self.replicate + self.elect + self.rejoin + self.questions + self.stop

    def environment(self) -> dict[str, str]:
        """The bounds as the script reads them."""
        return {
            "DRAIN_REPLICATE_SECONDS": str(self.replicate),
            "DRAIN_ELECT_SECONDS": str(self.elect),
            "DRAIN_REJOIN_SECONDS": str(self.rejoin),
        }


def drain(broker_keys: dict[str, Value]) -> Drain:
    """A drain that waits one registration period for the others: only a registration tells them of the new master.

    A graceful shutdown of RocketMQ's own sends clients away and waits, once for each of the broker's two servers.
    """
    wait = int(broker_keys.get("shutdownWaitTimeSeconds", 30)) if broker_keys.get("enableShutdownGracefully") else 0
    return Drain(rejoin=registration_seconds(broker_keys) + 5, stop=Drain.stop + 2 * wait)


def recovery_seconds(storage: str) -> int:
    """How long a broker may read its store again after a crash before it counts as failed."""
    size = min(bytes_of(storage, "storage"), _RECOVERED_BYTES)
    return _START_SECONDS + size // _RECOVERY_BYTES_PER_SECOND


def broker_probes(storage: str) -> dict[str, Any]:
    """Startup, liveness and readiness of a broker with a volume of this size."""
    return {
        # Until this succeeds no liveness probe runs: a recovery is never cut off.
        "startupProbe": BROKER.started()
        | {
            "periodSeconds": _STARTUP_PERIOD,
            "timeoutSeconds": EXEC_SECONDS,
            "failureThreshold": -(-recovery_seconds(storage) // _STARTUP_PERIOD),
        },
        # A hung master is killed after one period, two timeouts and the grace period: below 15 s.
        "livenessProbe": BROKER.running()
        | {
            "periodSeconds": 3,
            "timeoutSeconds": EXEC_SECONDS,
            "failureThreshold": 2,
            "terminationGracePeriodSeconds": HUNG_GRACE_SECONDS,
        },
        "readinessProbe": run("broker-ready.sh") | {"periodSeconds": 5, "timeoutSeconds": 30, "failureThreshold": 2},
    }


def server_probes(
    port: int, alive: dict[str, Any], ready: dict[str, Any], *, ready_after: int = 0, waits: int = 0
) -> dict[str, Any]:
    """Probes of a role without a store to recover.

    Args:
        port: what it listens on.
        alive: handler of the liveness probe.
        ready: handler of the readiness probe.
        ready_after: seconds before the first readiness probe.
        waits: seconds that it may wait for other roles before it starts.
    """
    return {
        "startupProbe": connects(port)
        | {
            "periodSeconds": 2,
            "timeoutSeconds": CONNECT_SECONDS,
            "failureThreshold": (_START_SECONDS + waits) // 2,
        },
        "livenessProbe": alive
        | {
            "periodSeconds": 20,
            "timeoutSeconds": EXEC_SECONDS,
            "failureThreshold": 2,
            "terminationGracePeriodSeconds": HUNG_GRACE_SECONDS,
        },
        "readinessProbe": ready
        | {
            # Each start of a script costs CPU, most of it in the container runtime.
            "periodSeconds": 10 if "exec" in ready else 5,
            "timeoutSeconds": CONNECT_SECONDS,
            "failureThreshold": 2,
        }
        # The API server drops a zero, and every preview would then add it again.
        | ({"initialDelaySeconds": ready_after} if ready_after else {}),
    }
