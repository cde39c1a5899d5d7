"""Paths of the stack's arguments, and their spelling in the stack file. Pure.

The first step of a path is the component, which is a key of the stack file.
"""

from collections.abc import Mapping
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, CamelCaseSurface, Step

CLUSTER = ARGS / "cluster"
NETWORK = ARGS / "network"
NODE_GROUPS = ARGS / "node_groups"
ADDONS = ARGS / "addons"
OIDC = ARGS / "oidc"
EBS_CSI = ARGS / "ebs_csi"
STORAGE = ARGS / "storage"
LOAD_BALANCER = ARGS / "network_load_balancer"
ROCKETMQ = ARGS / "rocketmq"
ACCESS = ROCKETMQ / "access"
"""Access control has its own key, because its passwords are encrypted."""


def get_setting_path(key: str) -> ArgumentPath:
    """Return the path of a key that belongs to no component, such as `aws:region`, or that is unknown."""
    return ARGS.unknown(key)


def list_roles(rocketmq: Mapping[str, Any]) -> dict[ArgumentPath, Mapping[str, Any]]:
    """Return the arguments of each role of RocketMQ by path: of the servers, and of each broker group."""
    servers = {ROCKETMQ / name: rocketmq.get(name, {}) for name in ("name_servers", "controllers", "proxies")}
    groups = ROCKETMQ / "broker_groups"
    return servers | {groups.index(i, each): each for i, each in enumerate(rocketmq["broker_groups"])}


class StackFileSurface(CamelCaseSurface):
    """Spelling of the stack file."""

    def __init__(self, component: ArgumentPath = ARGS) -> None:
        """Create the spelling of paths that begin at a component, or at the stack."""
        self._component = component

    def spell_path(self, path: ArgumentPath) -> str:
        """Return the key, and the path below it."""
        return super().spell_path(ArgumentPath(convert_to_file(path.within(self._component))))


def convert_to_file(path: ArgumentPath) -> tuple[Step, ...]:
    """Return the steps of a path with the key of the stack file as the first one."""
    steps = path.steps
    return steps[1:] if steps[: len(ACCESS.steps)] == ACCESS.steps else steps


STACK_FILE = StackFileSurface()
