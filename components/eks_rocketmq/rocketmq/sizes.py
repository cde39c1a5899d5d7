"""How many and how large the roles of each profile are when nothing is said, and how small a volume may be. Pure."""

from collections.abc import Mapping
from typing import Any, cast

from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs

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
