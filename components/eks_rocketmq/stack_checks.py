"""What the keys of a stack file accept one by one and that can never come up together. Pure.

Errors call everything what the stack file calls it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from eks_rocketmq.eks.addon_plan import POD_IDENTITY_AGENT, AddonPlan
from eks_rocketmq.eks.network import NetworkArgs
from eks_rocketmq.eks.node_plan import NodePlan
from eks_rocketmq.rocketmq import durability, sizes
from eks_rocketmq.rocketmq.arguments import RocketMqArgs
from eks_rocketmq.rocketmq.plan import DEFAULT_IMAGE
from eks_rocketmq.shape import camel

_ENDPOINTS = ("ecr.api", "ecr.dkr", "sts", "ec2")
"""What nodes, the pod network and the driver talk to. https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html"""
_AGENT_ENDPOINT = "eks-auth"
_ROLES = ("name_servers", "controllers", "proxies")


def check_nodes(zones: int, groups: Mapping[str, NodePlan], rocketmq: RocketMqArgs) -> None:
    """Refuses a cluster whose zones and nodes cannot hold what it is made for.

    Args:
        zones: how many the network has.
        groups: the node groups by name.
        rocketmq: what runs on them.

    Raises:
        ValueError: naming the key, what was given and what is accepted.
    """
    if not groups:
        msg = "nodeGroups is empty; accepted is one group or more, RocketMQ and the addons run on their nodes"
        raise ValueError(msg)
    if not any(plan.desired_size for plan in groups.values()):
        msg = (
            "nodeGroups: desiredSize is 0 in every group; accepted is 1 or more in one of them, as EKS waits for the "
            "pods of coredns and of the EBS CSI driver"
        )
        raise ValueError(msg)
    name = rocketmq.get("profile", "strict")
    needed = durability.profile(name).zones
    if zones < needed:
        msg = (
            f"network has {zones} zones; durability {name!r} spreads the members of a group over {needed}: take "
            f"zoneCount {needed} or more (or as many names in zones), or a durability that promises less"
        )
        raise ValueError(msg)
    most = sum(plan.groups * plan.max_size for plan in groups.values())
    for what, replicas in _apart(sizes.complete(rocketmq, name)):
        if replicas > most:
            msg = (
                f"{what}.replicas is {replicas}, each on a node of its own, and nodeGroups can have {most} nodes (the "
                "sum of maxSize, with perZone times the zones): raise maxSize, or take fewer replicas"
            )
            raise ValueError(msg)


def check_pod_zones(rocketmq: RocketMqArgs, region: str | None, network: NetworkArgs | None) -> None:
    """Refuses zones for pods that no node can be in.

    Args:
        rocketmq: what names the zones.
        region: the stack's region, where it is known.
        network: the network of a new cluster.

    Raises:
        ValueError: naming the zone and where it stands.
    """
    own = [] if network is None else network.get("zones", [])
    for what, zone in _pod_zones(rocketmq):
        if region and not zone.startswith(region):
            msg = (
                f"{what} has {zone!r}, a zone of another region than aws:region, {region!r}: no node can be there; "
                f"name zones such as '{region}a', or leave zones out"
            )
            raise ValueError(msg)
        if own and zone not in own:
            msg = f"{what} has {zone!r}, and the network has no such zone; accepted are {', '.join(own)}"
            raise ValueError(msg)


def check_way_out(network: NetworkArgs, addons: list[AddonPlan], rocketmq: RocketMqArgs) -> None:
    """Refuses a network from which nodes reach neither AWS nor the images.

    Raises:
        ValueError: naming what is missing.
    """
    if network.get("nat", "per_zone") != "none":
        return
    wanted = (*_ENDPOINTS, *((_AGENT_ENDPOINT,) if _has_agent(addons) else ()))
    missing = [name for name in wanted if name not in network.get("interface_endpoints", [])]
    if missing:
        msg = (
            f"network.nat is 'none' and interfaceEndpoints has no {', '.join(missing)}; nodes join the cluster, fetch "
            f"images and take roles only through them: add {', '.join(missing)}, or take nat 'single'"
        )
        raise ValueError(msg)
    if not network.get("s3_endpoint", True):
        msg = (
            "network.nat is 'none' and s3Endpoint is False; ECR keeps the layers of images in S3: leave s3Endpoint out"
        )
        raise ValueError(msg)
    if "image" not in rocketmq:
        msg = (
            f"image is {DEFAULT_IMAGE!r} and network.nat is 'none'; no node reaches Docker Hub: copy the image into a "
            "repository of ECR and name that, or take nat 'single'"
        )
        raise ValueError(msg)


def check_agent(identity: str, addons: list[AddonPlan]) -> None:
    """Refuses a driver that waits for credentials which nobody hands out: its claims would stay Pending.

    Args:
        identity: of the driver.
        addons: those of the new cluster that come before the nodes.

    Raises:
        ValueError: naming both keys.
    """
    if identity == "pod_identity" and not _has_agent(addons):
        msg = (
            "ebsCsi.identity is 'pod_identity', and the new cluster has no agent that hands roles out: set "
            "clusterAddons.podIdentityAgent to true, or take identity 'irsa'"
        )
        raise ValueError(msg)


def _has_agent(addons: list[AddonPlan]) -> bool:
    return any(addon.name == POD_IDENTITY_AGENT for addon in addons)


def _apart(rocketmq: RocketMqArgs) -> Iterator[tuple[str, int]]:
    """What never shares a node with its like, and how many of it there are."""
    for group in rocketmq["broker_groups"]:
        yield f"brokerGroups[{group['name']!r}]", int(group.get("replicas", 1))
    yield "controllers", int(rocketmq.get("controllers", {}).get("replicas", 1))


def _pod_zones(rocketmq: RocketMqArgs) -> Iterator[tuple[str, str]]:
    given: Mapping[str, Any] = {**rocketmq}
    places: dict[str, Mapping[str, Any]] = {"pods": given}
    places |= {f"{camel(role)}.pods": given.get(role, {}) for role in _ROLES}
    places |= {f"brokerGroups[{group['name']!r}].pods": group for group in given["broker_groups"]}
    for what, holder in places.items():
        for zone in holder.get("pods", {}).get("zones", []):
            yield f"{what}.zones", zone
