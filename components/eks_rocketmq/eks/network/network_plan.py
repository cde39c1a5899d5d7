"""What a network will be, decided before its first resource. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from eks_rocketmq.args.aws_identifiers import policy_arn
from eks_rocketmq.args.cidr import subnet_plan, vpc_block
from eks_rocketmq.args.field_metadata import accepted_values
from eks_rocketmq.args.log_retention import retention
from eks_rocketmq.args.validation import did_you_mean, one_of, refuse_beside, whole_number
from eks_rocketmq.eks.network.network_args import NatMode, NetworkArgs

NAT_MODES = accepted_values(NatMode)
UNSUPPORTED_ZONE_IDS = ("use1-az3", "usw1-az2", "cac1-az3")
"""Zones in which EKS places no control plane. https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html"""
NODE_ENDPOINTS = ("ec2", "ecr.api", "ecr.dkr")
"""Services without which a node has no addresses for pods and no images. Their layers lie in S3."""
IDENTITY_ENDPOINTS: Mapping[str, str] = {"irsa": "sts", "pod_identity": "eks-auth"}
"""Services that hand out the roles of service accounts."""


@dataclass(frozen=True)
class NetworkPlan:
    """A network without its zones' names."""

    vpc: IPv4Network
    private: Sequence[IPv4Network]
    public: Sequence[IPv4Network]
    nat_gateways: int
    """How many; the private subnets of zone i leave through the gateway i modulo this."""
    interface_endpoints: Sequence[str]
    flow_log_days: int
    """Days for which flow logs are kept; 0: there are none."""


def plan_network(args: NetworkArgs) -> NetworkPlan:
    """The network that `args` describe.

    Raises:
        ValueError: for the first argument that no network can have.
    """
    zones = _count_zones(args)
    vpc = vpc_block(args.get("cidr_block", "10.0.0.0/16"))
    private, public = subnet_plan(
        vpc, zones, _get_prefix_length(args, "private_prefix_length"), _get_prefix_length(args, "public_prefix_length")
    )
    nat = one_of(args.get("nat", "per_zone"), NAT_MODES, "nat")
    endpoints = args.get("interface_endpoints", [])
    if wrong := [name for name in endpoints if not name.replace(".", "").replace("-", "").isalnum()]:
        msg = f"interface_endpoints has {wrong[0]!r}; accepted are names of AWS services, such as 'ecr.api' or 'sts'"
        raise ValueError(msg)
    if "s3" in endpoints:
        msg = "interface_endpoints has 's3'; s3_endpoint is the gateway for it, which costs nothing"
        raise ValueError(msg)
    days = args.get("flow_log_retention_days", 90)
    if days == 0:
        refuse_beside({**args}, ("permissions_boundary",), "flow_log_retention_days 0, which makes no role")
    if isinstance(boundary := args.get("permissions_boundary"), str):
        policy_arn(boundary, "permissions_boundary")
    return NetworkPlan(
        vpc=vpc,
        private=private,
        public=public,
        nat_gateways={"per_zone": zones, "single": 1, "none": 0}[nat],
        interface_endpoints=sorted(set(endpoints)),
        flow_log_days=0 if days == 0 else retention(days, "flow_log_retention_days"),
    )


def check_nodes_can_start(args: NetworkArgs, identities: Iterable[str] = ("irsa",)) -> None:
    """Refuses a network without a way out in which no node of EKS becomes ready. `Network` itself does not know whether
    nodes come into it.

    Args:
        args: an `NetworkArgs` that `plan_network` has accepted.
        identities: how pod network and driver get their roles: `irsa`, `pod_identity` or `node`.

    Raises:
        ValueError: naming the endpoints that are missing.
    """
    if args.get("nat") != "none":
        return
    needed = [
        *NODE_ENDPOINTS,
        *(IDENTITY_ENDPOINTS[each] for each in sorted(set(identities) & IDENTITY_ENDPOINTS.keys())),
    ]
    missing = [name for name in needed if name not in args.get("interface_endpoints", [])]
    if missing or not args.get("s3_endpoint", True):
        lacks = [*(["s3_endpoint"] if not args.get("s3_endpoint", True) else []), *missing]
        msg = (
            f"nat is 'none' and the network has no {', '.join(lacks)}, without which nodes never become ready; "
            f"accepted are s3_endpoint and interface_endpoints for {', '.join(needed)}, or nat 'single' or 'per_zone'"
        )
        raise ValueError(msg)


def select_zones(available: Mapping[str, str], wanted: Sequence[str] | None, count: int) -> list[str]:
    """Names of the zones, sorted unless they are given.

    Args:
        available: id of each standard zone of the region by its name.
        wanted: names that the caller gave.
        count: how many, where none are given.

    Raises:
        ValueError: for a name that the region does not have, or too few zones.
    """
    usable = sorted(name for name, id_ in available.items() if id_ not in UNSUPPORTED_ZONE_IDS)
    if wanted is None:
        if len(usable) < count:
            msg = (
                f"zone_count is {count}; the region has {len(usable)} zones for EKS ({', '.join(usable)}): "
                "take fewer zones or another region"
            )
            raise ValueError(msg)
        return usable[:count]
    if unknown := [name for name in wanted if name not in usable]:
        excluded = available.get(unknown[0]) in UNSUPPORTED_ZONE_IDS
        reason = "one in which EKS places no control plane" if excluded else "none of the region's"
        msg = f"zones has {unknown[0]!r}, {reason}; accepted are {', '.join(usable)}{did_you_mean(unknown[0], usable)}"
        raise ValueError(msg)
    return list(wanted)


def list_endpoint_names(service: str, region: str) -> list[str]:
    """The names under which a region may have the endpoint of a service; it has exactly one of them.

    In `aws-cn` most services, but not all, carry the prefix `cn.`.
    """
    name = f"com.amazonaws.{region}.{service}"
    return [name, f"cn.{name}"] if region.startswith("cn-") else [name]


def build_subnet_tags(role: str, cluster_name: str | None, extra: Mapping[str, str]) -> dict[str, str]:
    """The tags by which load balancers and others find a subnet.

    Args:
        role: `elb` for public subnets, `internal-elb` for private ones.
        cluster_name: cluster that shares the subnet; in-tree load balancers and controllers before 2.1.2 look for it.
        extra: further tags, such as those of an autoscaler.
    """
    shared = {f"kubernetes.io/cluster/{cluster_name}": "shared"} if cluster_name else {}
    return {f"kubernetes.io/role/{role}": "1", **shared, **extra}


def _count_zones(args: NetworkArgs) -> int:
    if "zones" not in args:
        count = whole_number(args.get("zone_count", 3), "zone_count")
        what = f"zone_count is {count}"
    else:
        if "zone_count" in args:
            msg = "both zones and zone_count are given; name the zones, or say how many"
            raise ValueError(msg)
        count, what = len(set(args["zones"])), f"zones is {args['zones']!r}"
    if not 2 <= count <= 6 or count != len(args.get("zones", range(count))):
        msg = f"{what}; accepted are 2 to 6 different zones (EKS needs two, three masters and two copies need three)"
        raise ValueError(msg)
    return count


def _get_prefix_length(args: NetworkArgs, key: str) -> int | None:
    length = args.get(key)
    return None if length is None else whole_number(length, key)
