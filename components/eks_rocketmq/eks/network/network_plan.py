"""Plan of a network. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from eks_rocketmq.args.aws_identifiers import parse_policy_arn
from eks_rocketmq.args.cidr import parse_vpc_block, plan_subnets
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.log_retention import validate_retention
from eks_rocketmq.args.validation import parse_whole_number, reject_ignored_args, suggest_name, validate_choice
from eks_rocketmq.eks.network.network_args import NatMode, NetworkArgs

NAT_MODES = get_accepted_values(NatMode)
UNSUPPORTED_ZONE_IDS = ("use1-az3", "usw1-az2", "cac1-az3")
"""Zone IDs in which EKS does not place control planes.
https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html"""
NODE_ENDPOINTS = ("ec2", "ecr.api", "ecr.dkr")
"""Endpoints that nodes need for pod addresses and images. The image layers are in S3."""
IDENTITY_ENDPOINTS: Mapping[str, str] = {"irsa": "sts", "pod_identity": "eks-auth"}
"""Endpoint that service accounts need for their roles, by identity."""


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

    Raises:
        ValueError: for the first argument that is not valid.
    """
    zones = _count_zones(args)
    vpc = parse_vpc_block(args.get("cidr_block", "10.0.0.0/16"))
    private, public = plan_subnets(
        vpc, zones, _get_prefix_length(args, "private_prefix_length"), _get_prefix_length(args, "public_prefix_length")
    )
    nat = validate_choice(args.get("nat", "per_zone"), NAT_MODES, "nat")
    endpoints = args.get("interface_endpoints", [])
    if wrong := [name for name in endpoints if not name.replace(".", "").replace("-", "").isalnum()]:
        msg = f"interface_endpoints has {wrong[0]!r}; accepted are names of AWS services, such as 'ecr.api' or 'sts'"
        raise ValueError(msg)
    if "s3" in endpoints:
        msg = "interface_endpoints has 's3'; s3_endpoint is the gateway for it, which costs nothing"
        raise ValueError(msg)
    days = args.get("flow_log_retention_days", 90)
    if days == 0:
        reject_ignored_args({**args}, ("permissions_boundary",), "flow_log_retention_days 0, which makes no role")
    if isinstance(boundary := args.get("permissions_boundary"), str):
        parse_policy_arn(boundary, "permissions_boundary")
    return NetworkPlan(
        vpc=vpc,
        private=private,
        public=public,
        nat_gateways={"per_zone": zones, "single": 1, "none": 0}[nat],
        interface_endpoints=sorted(set(endpoints)),
        flow_log_days=0 if days == 0 else validate_retention(days, "flow_log_retention_days"),
    )


def check_nodes_can_start(args: NetworkArgs, identities: Iterable[str] = ("irsa",)) -> None:
    """Check that nodes can become ready in a network without NAT gateways.

    `Network` does not call this, because it does not know whether the network gets nodes.

    Args:
        args: arguments that `plan_network` has accepted.
        identities: identities of pod network and EBS CSI driver: `irsa`, `pod_identity` or `node`.

    Raises:
        ValueError: naming the endpoints that are missing.
    """
    if args.get("nat") != "none":
        return
    required = [
        *NODE_ENDPOINTS,
        *(IDENTITY_ENDPOINTS[each] for each in sorted(set(identities) & IDENTITY_ENDPOINTS.keys())),
    ]
    missing = [name for name in required if name not in args.get("interface_endpoints", [])]
    if missing or not args.get("s3_endpoint", True):
        absent = [*(["s3_endpoint"] if not args.get("s3_endpoint", True) else []), *missing]
        msg = (
            f"nat is 'none' and the network has no {', '.join(absent)}, without which nodes never become ready; "
            f"accepted are s3_endpoint and interface_endpoints for {', '.join(required)}, or nat 'single' or 'per_zone'"
        )
        raise ValueError(msg)


def select_zones(available: Mapping[str, str], wanted: Sequence[str] | None, count: int) -> list[str]:
    """Return the names of the zones: the given ones, or the first ones in alphabetical order.

    Args:
        available: ID of each standard zone of the region, by name.
        wanted: names from the caller, or None.
        count: number of zones, without names from the caller.

    Raises:
        ValueError: for a name that the region does not have, or if there are too few zones.
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
        msg = f"zones has {unknown[0]!r}, {reason}; accepted are {', '.join(usable)}{suggest_name(unknown[0], usable)}"
        raise ValueError(msg)
    return list(wanted)


def list_endpoint_names(service: str, region: str) -> list[str]:
    """Return the possible names of a service's endpoint in a region. Exactly one of them exists.

    In `aws-cn` most services have the prefix `cn.`, but not all.
    """
    name = f"com.amazonaws.{region}.{service}"
    return [name, f"cn.{name}"] if region.startswith("cn-") else [name]


def build_subnet_tags(role: str, cluster_name: str | None, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the tags by which load balancer controllers and other programs find a subnet.

    Args:
        role: `elb` for public subnets, `internal-elb` for private ones.
        cluster_name: cluster of the tag `kubernetes.io/cluster/<name>`, which only the in-tree controller and versions
            before 2.1.2 of the AWS Load Balancer Controller need.
        extra: additional tags, such as those of an autoscaler.
    """
    shared = {f"kubernetes.io/cluster/{cluster_name}": "shared"} if cluster_name else {}
    return {f"kubernetes.io/role/{role}": "1", **shared, **extra}


def _count_zones(args: NetworkArgs) -> int:
    if "zones" not in args:
        count = parse_whole_number(args.get("zone_count", 3), "zone_count")
        subject = f"zone_count is {count}"
    else:
        if "zone_count" in args:
            msg = "both zones and zone_count are given; name the zones, or say how many"
            raise ValueError(msg)
        count, subject = len(set(args["zones"])), f"zones is {args['zones']!r}"
    if not 2 <= count <= 6 or count != len(args.get("zones", range(count))):
        msg = f"{subject}; accepted are 2 to 6 different zones (EKS needs two, three masters and two copies need three)"
        raise ValueError(msg)
    return count


def _get_prefix_length(args: NetworkArgs, key: str) -> int | None:
    length = args.get(key)
    return None if length is None else parse_whole_number(length, key)
