"""Limitations of single RocketMQ versions. Pure."""

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs

# SlaveSynchronize validates the master's topics like an administrator's request, which must spell `+message.type`. The
# validation throws, so this topic and all topics after it never reach the slave. Seen on three brokers; 5.4.0
# replicates them.
_ATTRIBUTES_STOP_REPLICATION = frozenset({"5.3.3"})


def list_version_warnings(version: str, args: RocketMqArgs) -> list[ArgumentMessage]:
    """Return warnings about arguments that the version handles incorrectly.

    Raise ValueError for declared topics that the version would lose at a failover.
    """
    if version not in _ATTRIBUTES_STOP_REPLICATION or all(group["replicas"] == 1 for group in args["broker_groups"]):
        return []
    if args.get("topics"):
        raise ArgumentError(
            ARGS / "topics",
            "topics-lost-at-failover",
            "declared topics have a message type, and slaves of RocketMQ {given} reject such topics. A failover would "
            "lose them",
            remedy="Set {version} to '5.4.0' or later, or use groups of one member",
            given=version,
            version=ARGS / "version",
        )
    return [
        ArgumentMessage(
            ARGS / "version",
            "version-loses-topics",
            "slaves of RocketMQ {given} reject topics that have attributes, such as a message type, and every topic "
            "after them. A failover loses these topics",
            remedy="Use '5.4.0' or later",
            values={"given": version},
        )
    ]
