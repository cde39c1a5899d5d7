"""Agent in the JVM of every role: probes over HTTP, and replication that keeps acknowledged messages.

`java/` has its source, `agent.jar` is built from it with `make agent`.
"""

import base64
from importlib import resources

from eks_rocketmq.rocketmq.naming import ports

JAR = "agent.jar"
_MAIN_CLASS = "eks_rocketmq.Launcher"


def read_jar() -> dict[str, str]:
    """Return the jar by its file name, as `binaryData` of a ConfigMap."""
    content = (resources.files("eks_rocketmq.rocketmq.agent") / JAR).read_bytes()
    return {JAR: base64.b64encode(content).decode()}


def build_main(role: str, directory: str) -> list[str]:
    """Return the main class with the arguments that precede those of RocketMQ's own main class.

    `directory` is the folder with the scripts in the container.
    """
    return [_MAIN_CLASS, role, str(ports.PROBES), f"{directory}/watchdog.sh"]
