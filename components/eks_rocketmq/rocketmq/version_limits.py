"""Limitations of single RocketMQ versions. Pure."""

from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs

# SlaveSynchronize validates the master's topics like an administrator's request, which must spell `+message.type`. The
# validation throws, so this topic and all topics after it never reach the slave. Seen on three brokers; 5.4.0
# replicates them.
_ATTRIBUTES_STOP_REPLICATION = frozenset({"5.3.3"})


def list_version_warnings(version: str, args: RocketMqArgs) -> list[str]:
    """Return warnings about arguments that the version handles incorrectly.

    Raises:
        ValueError: for declared topics that the version would lose at a failover.
    """
    if version not in _ATTRIBUTES_STOP_REPLICATION or all(group["replicas"] == 1 for group in args["broker_groups"]):
        return []
    if args.get("topics"):
        msg = (
            f"topics: a declared topic has a message type, and the slaves of RocketMQ {version} refuse topics with "
            "one, so they would be gone after a failover; accepted is version '5.4.0' or later, or groups of one member"
        )
        raise ValueError(msg)
    return [
        f"version: the slaves of RocketMQ {version} refuse topics that have attributes, such as a message type, and "
        "every topic after them: a failover loses these topics; take '5.4.0' or later"
    ]
