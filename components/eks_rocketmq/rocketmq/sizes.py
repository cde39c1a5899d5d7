"""How many and how large the roles of each profile are when nothing is said, and how small a volume may be. Pure."""

from collections.abc import Mapping
from typing import Any, cast

from eks_rocketmq.rocketmq.arguments import RocketMqArgs
from eks_rocketmq.rocketmq.memory import MIB
from eks_rocketmq.validation import bytes_of

_LOG_FILES = 4

_SERVERS: Mapping[str, Mapping[str, Any]] = {
    "name_servers": {"memory": "512Mi", "cpu": "100m"},
    "controllers": {"memory": "768Mi", "cpu": "100m", "storage": "10Gi"},
    "proxies": {"memory": "1Gi", "cpu": "250m"},
}
_SAFE: Mapping[str, int] = {"name_servers": 2, "controllers": 3, "proxies": 2}
_SINGLE: Mapping[str, int] = dict.fromkeys(_SERVERS, 1)
_MEMBER: Mapping[str, Any] = {"memory": "4Gi", "cpu": "500m", "storage": "100Gi"}

# Replicas of each role, and one member of a broker group.
_PROFILES: Mapping[str, tuple[Mapping[str, int], Mapping[str, Any]]] = {
    "strict": (_SAFE, {"replicas": 3, **_MEMBER}),
    "balanced": (_SAFE, {"replicas": 2, **_MEMBER}),
    "dev": (_SINGLE, {"replicas": 1, **_MEMBER, "memory": "2Gi", "storage": "20Gi"}),
}


def complete(args: RocketMqArgs, profile: str) -> RocketMqArgs:
    """The arguments with the profile's sizes where nothing is said."""
    replicas, member = _PROFILES[profile]
    given: Mapping[str, Any] = {**args}
    servers = {role: {"replicas": replicas[role], **size, **given.get(role, {})} for role, size in _SERVERS.items()}
    groups = [{**member, **group} for group in args["broker_groups"]]
    return cast("RocketMqArgs", {**args, **servers, "broker_groups": groups})


def check_store(what: str, storage: str, file: int) -> None:
    """Refuses a small volume: a log makes its files whole and one ahead, and writes end above 90 % of the disk.

    Args:
        what: whose volume, as an error names it.
        storage: its size as a Kubernetes quantity.
        file: bytes of one file of the log.

    Raises:
        ValueError: naming the size and what is accepted.
    """
    if bytes_of(storage, f"{what}.storage") < _LOG_FILES * file:
        msg = (
            f"{what}.storage is {storage}; accepted is room for {_LOG_FILES} files of its log, "
            f"{_LOG_FILES * file // MIB}Mi, or more (a broker's config can have a smaller mappedFileSizeCommitLog)"
        )
        raise ValueError(msg)
