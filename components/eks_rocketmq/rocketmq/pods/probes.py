"""Probes, drain, and their timeouts. Pure.

The agent answers the probes over HTTP. Without it, and for the drain, scripts implement RocketMQ's protocol in bash,
because a probe that starts a JVM uses 1 GB of the broker's memory.
"""

from dataclasses import dataclass
from importlib import resources
from typing import Any

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.validation import parse_bytes
from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.config.durability import get_registration_seconds
from eks_rocketmq.rocketmq.naming import ports
from eks_rocketmq.rocketmq.pods.pod_spec import CONFIG_DIRECTORY

_SCRIPTS = resources.files("eks_rocketmq.rocketmq") / "scripts"

# Scripts and agent have their own timeouts; ANSWER_SECONDS is that of one request. The kubelet's timeouts are long,
# because on an overloaded node a script starts late and the agent answers late. If the kubelet ends a probe, it fails.
ANSWER_SECONDS = 4
EXEC_SECONDS = 60
CONNECT_SECONDS = 10
# The watchdog of the agent finds hung processes. The kubelet kills only if it has had no answer for 5 minutes.
_AGENT_PERIOD, _AGENT_FAILURES = 20, 15
HUNG_GRACE_SECONDS = 1  # a hung process ignores signals, and writes stop until it is killed

_RECOVERED_BYTES = 30 * 1024**3  # a recovery reads at most the last 30 commit log files of 1 GiB
_RECOVERY_BYTES_PER_SECOND = 32 * 1024**2  # a quarter of the throughput of a small gp2 volume
# JVM, answer of the controllers, indexes: 5 to 15 s on an idle node, minutes on an overloaded one. A process that
# cannot start exits by itself, so a long limit delays nothing.
_START_SECONDS = 600
_STARTUP_PERIOD = 5


def read_script(name: str) -> str:
    """Return the text of one of the package's shell scripts."""
    return (_SCRIPTS / name).read_text(encoding="utf-8")


def read_scripts(*names: str) -> dict[str, str]:
    """Return shell scripts by file name, as data of a ConfigMap."""
    return {name: read_script(name) for name in names}


BROKER_SCRIPTS = ("ask.sh", "sign.sh", "broker-start.sh", "broker-drain.sh", "broker-lib.sh", "render-config.sh")
AGENT_SCRIPTS = ("ask.sh", "watchdog.sh", "jvm-times.sh")
ALIVE_SCRIPTS = ("ask.sh", "alive.sh", "jvm-times.sh")
"""Scripts of the liveness probe without the agent."""


def build_exec(name: str, *arguments: str) -> dict[str, Any]:
    """Return an exec handler that runs one of the scripts."""
    return {"exec": {"command": ["bash", f"{CONFIG_DIRECTORY}/{name}", *arguments]}}


def build_tcp_check(port: int) -> dict[str, Any]:
    """Return a handler that opens a connection and closes it."""
    return {"tcpSocket": {"port": port}}


@dataclass(frozen=True)
class Checks:
    """Handlers of the three probes of a role."""

    started: dict[str, Any]
    alive: dict[str, Any]
    ready: dict[str, Any]


def _build_agent_check(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": ports.PROBES}}


AGENT_CHECKS = Checks(_build_agent_check("/started"), _build_agent_check("/alive"), _build_agent_check("/ready"))


@dataclass(frozen=True)
class Request:
    """Request that a role answers from memory, independent of its peers."""

    port: int
    code: int

    def build_checks(self, ready_script: str, *arguments: str, agent: bool) -> Checks:
        """Return the handlers of a role that starts within seconds.

        `ready_script` is the readiness script without the agent. It gets the address of the process, then `arguments`.
        """
        if agent:
            return AGENT_CHECKS
        ready = build_exec(ready_script, f"127.0.0.1:{self.port}", *arguments)
        return Checks(build_tcp_check(self.port), self.build_liveness_check(), ready)

    def build_startup_check(self) -> dict[str, Any]:
        """Return a handler that succeeds if the process answers."""
        return build_exec("alive.sh", "started", f"127.0.0.1:{self.port}", str(self.code))

    def build_liveness_check(self) -> dict[str, Any]:
        """Return a handler that fails if the process hangs."""
        return build_exec("alive.sh", "running", f"127.0.0.1:{self.port}", str(self.code))


BROKER = Request(ports.BROKER, 907)
CONTROLLER = Request(ports.CONTROLLER, 1005)
NAME_SERVER = Request(ports.NAME_SERVER, 106)
# The proxy does not support this code. It returns an error without a request to a broker.
PROXY = Request(ports.PROXY_REMOTING, 907)


@dataclass(frozen=True)
class Drain:
    """Time limits of the broker's drain and stop, in seconds. The grace period is their sum, so every step can end."""

    leader: int = 20  # the controllers elect a leader within 17 s
    replicate: int = 15
    elect: int = 10
    rejoin: int = 15
    requests: int = 20  # requests between the steps and the last check of each wait, each with its own timeout
    stop: int = 45  # measured: 2 s, and 12 s without the agent; flushing a slow volume takes longer

    @property
    def grace_period(self) -> int:
        """`terminationGracePeriodSeconds` of a broker."""
        # Waits twice for an election and the broker's new role, and for another member in sync, before and after it.
        return self.leader + self.replicate + 2 * self.elect + 2 * self.rejoin + self.requests + self.stop

    def build_environment(self) -> dict[str, str]:
        """Return the environment variables with the limits for the script."""
        return {
            "DRAIN_LEADER_SECONDS": str(self.leader),
            "DRAIN_REPLICATE_SECONDS": str(self.replicate),
            "DRAIN_ELECT_SECONDS": str(self.elect),
            "DRAIN_REJOIN_SECONDS": str(self.rejoin),
        }


def plan_drain(broker_keys: dict[str, Value]) -> Drain:
    """Return the drain's time limits. The wait for other members includes one registration period.

    Members learn of the new master only by a registration. RocketMQ's graceful shutdown disconnects clients and waits,
    once for each of the broker's two servers.
    """
    wait = int(broker_keys.get("shutdownWaitTimeSeconds", 30)) if broker_keys.get("enableShutdownGracefully") else 0
    return Drain(rejoin=get_registration_seconds(broker_keys) + 5, stop=Drain.stop + 2 * wait)


def compute_recovery_seconds(storage: str) -> int:
    """Return the seconds that a broker may take to recover its store after a crash."""
    size = min(parse_bytes(storage, ARGS / "storage"), _RECOVERED_BYTES)
    return _START_SECONDS + size // _RECOVERY_BYTES_PER_SECOND


def _build_liveness_limits(checks: Checks, period: int) -> dict[str, int]:
    by_agent = "httpGet" in checks.alive
    return {
        "periodSeconds": _AGENT_PERIOD if by_agent else period,
        "timeoutSeconds": EXEC_SECONDS,
        "failureThreshold": _AGENT_FAILURES if by_agent else 2,
        "terminationGracePeriodSeconds": HUNG_GRACE_SECONDS,
    }


def build_broker_probes(storage: str, *, agent: bool) -> dict[str, Any]:
    """Return the startup, liveness and readiness probes of a broker with a volume of this size."""
    checks = (
        AGENT_CHECKS
        if agent
        else Checks(BROKER.build_startup_check(), BROKER.build_liveness_check(), build_exec("broker-ready.sh"))
    )
    return {
        # The liveness probe starts only after this succeeds, so it never interrupts a recovery.
        "startupProbe": checks.started
        | {
            "periodSeconds": _STARTUP_PERIOD,
            "timeoutSeconds": EXEC_SECONDS,
            "failureThreshold": -(-compute_recovery_seconds(storage) // _STARTUP_PERIOD),
        },
        # A hung master is killed in less than 15 s: by the agent's watchdog, or after one period, two timeouts of
        # `alive.sh` and the grace period.
        "livenessProbe": checks.alive | _build_liveness_limits(checks, period=3),
        "readinessProbe": checks.ready | {"periodSeconds": 5, "timeoutSeconds": 30, "failureThreshold": 2},
    }


def build_server_probes(checks: Checks, *, ready_after: int = 0, waits: int = 0) -> dict[str, Any]:
    """Return the probes of a role without a store to recover.

    `ready_after` are the seconds before the first readiness probe. `waits` are the seconds that the process may wait
    for other roles before it starts.
    """
    return {
        "startupProbe": checks.started
        | {
            "periodSeconds": 2,
            "timeoutSeconds": CONNECT_SECONDS,
            "failureThreshold": (_START_SECONDS + waits) // 2,
        },
        "livenessProbe": checks.alive | _build_liveness_limits(checks, period=20),
        "readinessProbe": checks.ready
        | {
            # Each start of a script uses CPU, mostly in the container runtime.
            "periodSeconds": 10 if "exec" in checks.ready else 5,
            "timeoutSeconds": CONNECT_SECONDS,
            "failureThreshold": 2,
        }
        # The API server drops a zero, and every preview would then add it again.
        | ({"initialDelaySeconds": ready_after} if ready_after else {}),
    }
