"""Plan of a network. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_policy_arn
from eks_rocketmq.args.aws_tags import EC2_ONLY, reject_equal_keys, validate_tags
from eks_rocketmq.args.cidr import parse_vpc_block, plan_subnets
from eks_rocketmq.args.errors import ArgumentError, raise_all
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.log_retention import validate_retention
from eks_rocketmq.args.validation import (
    parse_whole_number,
    reject_ignored_args,
    suggest_name,
    validate_choice,
    validate_pattern,
)
from eks_rocketmq.eks.network.network_args import NatMode, NetworkArgs

NAT_MODES = get_accepted_values(NatMode)
UNSUPPORTED_ZONE_IDS = ("use1-az3", "usw1-az2", "cac1-az3")
"""Zone IDs in which EKS does not place control planes.
https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html"""
NODE_ENDPOINTS = ("ec2", "ecr.api", "ecr.dkr")
"""Endpoints that nodes need for pod addresses and images. The image layers are in S3."""
IDENTITY_ENDPOINTS: Mapping[str, str] = {"irsa": "sts", "pod_identity": "eks-auth"}
"""Endpoint that service accounts need for their roles, by identity."""
_ADDED_TAGS = 2
"""Tags that the component adds to each resource: the name and the owner."""
_SERVICE_NAME = re.compile(r"[.-]*[A-Za-z0-9][A-Za-z0-9.-]*")


@dataclass(frozen=True)
class NetworkPlan:
    """A network with valid arguments, without the names of its zones."""

    vpc: IPv4Network
    private: Sequence[IPv4Network]
    public: Sequence[IPv4Network]
    nat_gateways: int
    """Number of NAT gateways. The private subnet of zone i uses gateway i modulo this number."""
    interface_endpoints: Sequence[str]
    flow_log_days: int
    """Retention of the flow logs in days; 0: no flow logs."""


def plan_network(args: NetworkArgs) -> NetworkPlan:
    """Validate the arguments of a network and return its plan.

    Raise ValueError for the first argument that is not valid.
    """
    zones = _count_zones(args)
    vpc = parse_vpc_block(args.get("cidr_block", "10.0.0.0/16"))
    private, public = plan_subnets(
        vpc, zones, _get_prefix_length(args, "private_prefix_length"), _get_prefix_length(args, "public_prefix_length")
    )
    nat = validate_choice(args.get("nat", "per_zone"), NAT_MODES, ARGS / "nat")
    endpoints = args.get("interface_endpoints", [])
    _validate_endpoints(endpoints)
    days, retention_path = args.get("flow_log_retention_days", 90), ARGS / "flow_log_retention_days"
    if days == 0:
        reject_ignored_args({**args}, ("permissions_boundary",), ARGS, retention_path, "is 0 and creates no role")
    if isinstance(boundary := args.get("permissions_boundary"), str):
        parse_policy_arn(boundary, ARGS / "permissions_boundary")
    _check_tags(args)
    return NetworkPlan(
        vpc=vpc,
        private=private,
        public=public,
        nat_gateways={"per_zone": zones, "single": 1, "none": 0}[nat],
        interface_endpoints=sorted(set(endpoints)),
        flow_log_days=0 if days == 0 else validate_retention(days, retention_path),
    )


@raise_all
def check_nodes_can_start(args: NetworkArgs, identities: Iterable[str] = ("irsa",)) -> Iterator[ArgumentError]:
    """Check that nodes can become ready in a network without NAT gateways.

    `Network` does not call this, because it does not know whether the network gets nodes.

    `args` are arguments that `plan_network` has accepted. `identities` are those of pod network and EBS CSI driver:
    `irsa`, `pod_identity` or `node`. Yield errors that name the missing endpoints.
    """
    if args.get("nat") != "none":
        return
    required = [
        *NODE_ENDPOINTS,
        *(IDENTITY_ENDPOINTS[each] for each in sorted(set(identities) & IDENTITY_ENDPOINTS.keys())),
    ]
    if not args.get("s3_endpoint", True):
        yield ArgumentError(
            ARGS / "s3_endpoint",
            "nat-none-without-s3",
            "nodes never become ready without this endpoint, because {nat} is 'none' and image layers are in S3",
            remedy="Enable it, or set {nat} to 'single' or 'per_zone'",
            nat=ARGS / "nat",
        )
    if missing := [name for name in required if name not in args.get("interface_endpoints", [])]:
        yield ArgumentError(
            ARGS / "interface_endpoints",
            "nat-none-without-endpoints",
            "nodes never become ready without {missing}, because {nat} is 'none'",
            accepted="at least {required}",
            remedy="Add them, or set {nat} to 'single' or 'per_zone'",
            missing=", ".join(map(repr, missing)),
            required=", ".join(map(repr, required)),
            nat=ARGS / "nat",
        )


def select_zones(available: Mapping[str, str], wanted: Sequence[str] | None, count: int) -> list[str]:
    """Return the names of the zones: the given ones, or the first ones in alphabetical order.

    `available` has the ID of each standard zone of the region by name. `count` applies only if `wanted` is None.
    Raise ValueError for a name that the region does not have, or if there are too few zones.
    """
    usable = sorted(name for name, id_ in available.items() if id_ not in UNSUPPORTED_ZONE_IDS)
    if wanted is None:
        if len(usable) < count:
            raise ArgumentError(
                ARGS / "zone_count",
                "too-few-zones-in-region",
                "{given} is more than the {number} zones of the region for EKS ({zones})",
                remedy="Take fewer zones or another region",
                given=count,
                number=len(usable),
                zones=", ".join(usable),
            )
        return usable[:count]
    for index, name in enumerate(wanted):
        if name not in usable:
            excluded = available.get(name) in UNSUPPORTED_ZONE_IDS
            raise ArgumentError(
                (ARGS / "zones").index(index),
                "unusable-zone",
                "EKS places no control plane in {given!r}" if excluded else "the region has no zone {given!r}",
                accepted="{zones}",
                remedy=suggest_name(name, usable),
                given=name,
                zones=", ".join(map(repr, usable)),
            )
    return list(wanted)


def list_endpoint_names(service: str, region: str) -> list[str]:
    """Return the possible names of a service's endpoint in a region. Exactly one of them exists.

    In `aws-cn` most services have the prefix `cn.`, but not all.
    """
    name = f"com.amazonaws.{region}.{service}"
    return [name, f"cn.{name}"] if region.startswith("cn-") else [name]


def _check_tags(args: NetworkArgs) -> None:
    """Validate the tags of all resources, and those of the subnets."""
    tags = args.get("tags", {})
    reject_equal_keys(["Name", *tags], ARGS / "tags")  # the role of the flow logs has this tag too
    validate_tags(tags, ARGS / "tags", added=_ADDED_TAGS)
    for field in ("public_subnet_tags", "private_subnet_tags"):
        of_subnets: Mapping[str, str] = args.get(field, {})
        added = _ADDED_TAGS + len(build_subnet_tags("elb", args.get("cluster_name"), {})) + len(tags)
        validate_tags(of_subnets, ARGS / field, EC2_ONLY, added=added)


def build_subnet_tags(role: str, cluster_name: str | None, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the tags by which load balancer controllers and other programs find a subnet.

    `role` is `elb` for public subnets and `internal-elb` for private ones. `cluster_name` is the cluster of the tag
    `kubernetes.io/cluster/<name>`. Only the in-tree controller and versions before 2.1.2 of the AWS Load Balancer
    Controller need this tag.
    """
    shared = {f"kubernetes.io/cluster/{cluster_name}": "shared"} if cluster_name else {}
    return {f"kubernetes.io/role/{role}": "1", **shared, **extra}


def _count_zones(args: NetworkArgs) -> int:
    zones, number_path = args.get("zones"), ARGS / "zone_count"
    if zones is not None and "zone_count" in args:
        raise ArgumentError(
            ARGS / "zones",
            "zones-and-zone-count",
            "the zones and their number ({zone_count}) are both given",
            remedy="Leave one of the two out",
            zone_count=number_path,
        )
    count = parse_whole_number(args.get("zone_count", 3), number_path) if zones is None else len(set(zones))
    if not 2 <= count <= 6 or (zones is not None and count != len(zones)):
        raise ArgumentError(
            number_path if zones is None else ARGS / "zones",
            "number-of-zones",
            "{given!r} is not accepted",
            accepted="2 to 6 different zones",
            remedy="Take at least 2 for EKS, and 3 for the durability 'strict'",
            given=count if zones is None else zones,
        )
    return count


def _validate_endpoints(services: Iterable[str]) -> None:
    for index, service in enumerate(services):
        path = (ARGS / "interface_endpoints").index(index)
        validate_pattern(
            _SERVICE_NAME, service, path, "aws-service", "the name of an AWS service, such as 'ecr.api' or 'sts'"
        )
        if service == "s3":
            raise ArgumentError(
                path,
                "s3-interface-endpoint",
                "{given!r} has a gateway endpoint, which is free",
                remedy="Use {gateway} instead",
                given=service,
                gateway=ARGS / "s3_endpoint",
            )


def _get_prefix_length(args: NetworkArgs, key: str) -> int | None:
    length = args.get(key)
    return None if length is None else parse_whole_number(length, ARGS / key)
