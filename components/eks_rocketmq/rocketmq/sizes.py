"""Default replicas and sizes of the roles for each profile. Pure."""

from collections.abc import Mapping
from typing import Any, cast

from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs

_SERVER_SIZES: Mapping[str, Mapping[str, Any]] = {
    "name_servers": {"memory": "512Mi", "cpu": "100m"},
    "controllers": {"memory": "768Mi", "cpu": "100m", "storage": "10Gi"},
    "proxies": {"memory": "1Gi", "cpu": "250m"},
}
_REDUNDANT_REPLICAS: Mapping[str, int] = {"name_servers": 2, "controllers": 3, "proxies": 2}
_SINGLE_REPLICAS: Mapping[str, int] = dict.fromkeys(_SERVER_SIZES, 1)
_MEMBER_SIZES: Mapping[str, Any] = {"memory": "4Gi", "cpu": "500m", "storage": "100Gi"}

# Replicas of each role, and one member of a broker group.
_PROFILES: Mapping[str, tuple[Mapping[str, int], Mapping[str, Any]]] = {
    "strict": (_REDUNDANT_REPLICAS, {"replicas": 3, **_MEMBER_SIZES}),
    "balanced": (_REDUNDANT_REPLICAS, {"replicas": 2, **_MEMBER_SIZES}),
    "dev": (_SINGLE_REPLICAS, {"replicas": 1, **_MEMBER_SIZES, "memory": "2Gi", "storage": "20Gi"}),
}


def apply_default_sizes(args: RocketMqArgs, profile: str) -> RocketMqArgs:
    """Return the arguments, completed with the default sizes of the profile."""
    replicas, member = _PROFILES[profile]
    given: Mapping[str, Any] = {**args}
    servers = {
        role: {"replicas": replicas[role], **size, **given.get(role, {})} for role, size in _SERVER_SIZES.items()
    }
    groups = [{**member, **group} for group in args["broker_groups"]]
    return cast("RocketMqArgs", {**args, **servers, "broker_groups": groups})
