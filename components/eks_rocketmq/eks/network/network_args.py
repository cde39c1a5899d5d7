"""Arguments of a network."""

from typing import Annotated, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing

NatMode = Annotated[Literal["per_zone", "single", "none"], Enumeration("NatMode")]


class NetworkArgs(TypedDict):
    """Where a cluster lives. Every field has a default."""

    cidr_block: NotRequired[Replacing[str]]
    """IPv4 block of the VPC, /16 to /28; default: `10.0.0.0/16`. Changing it replaces the whole network."""
    zones: NotRequired[Replacing[list[str]]]
    """Names of 2 to 6 availability zones, such as `eu-west-1a`, the first one first; default: see `zone_count`. Add new
    ones at the end: zone i has the i-th block. Changing the name at a place replaces that zone's subnets."""
    zone_count: NotRequired[int]
    """How many zones when none are named, 2 to 6; default: 3, the first of the region's standard zones in which EKS
    places control planes. They are chosen once: subnets that exist stay where they are."""
    private_prefix_length: NotRequired[Replacing[int]]
    """Size of a private subnet (nodes, pods, control plane) as prefix length; default: `/19` in a `/16`, 8,187
    addresses. Changing it replaces the subnets."""
    public_prefix_length: NotRequired[Replacing[int]]
    """Size of a public subnet (NAT gateways, public load balancers) as prefix length; default: `/24` in a `/16`.
    Changing it replaces the subnets."""
    nat: NotRequired[NatMode]
    """How private subnets reach the internet: `per_zone` (default; a gateway in each zone, so that a zone's loss is no
    other zone's), `single` (one for all, cheaper) or `none` (no way out: nodes become ready only with `s3_endpoint` and
    `interface_endpoints` for `ec2`, `ecr.api` and `ecr.dkr`, with `sts` for roles by IRSA and `eks-auth` for EKS Pod
    Identity, and every image has to lie in ECR)."""
    cluster_name: NotRequired[str]
    """Cluster for the tag `kubernetes.io/cluster/<name>` of the subnets; default: no such tag. Only load-balancer
    controllers before 2.1.2 and the in-tree one look for it."""
    s3_endpoint: NotRequired[bool]
    """A gateway endpoint for S3, which costs nothing and keeps image layers off the NAT gateways; default: True."""
    interface_endpoints: NotRequired[list[str]]
    """AWS services with an endpoint in the private subnets, such as `ecr.api`, `ecr.dkr`, `ec2`, `sts`, `eks`, `logs`,
    `elasticloadbalancing`, `eks-auth`; each costs by hour and zone. Default: none."""
    flow_log_retention_days: NotRequired[int]
    """Days for which CloudWatch keeps the VPC's flow logs, one of the numbers that it accepts; default: 90; 0: no flow
    logs."""
    permissions_boundary: NotRequired[Input[str]]
    """ARN of the policy that bounds what the role of the flow logs may do; default: none."""
    private_subnet_tags: NotRequired[dict[str, str]]
    """Further tags of private subnets, such as `karpenter.sh/discovery`; default: none."""
    public_subnet_tags: NotRequired[dict[str, str]]
    """Further tags of public subnets; default: none."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of everything; default: only a name and the stack's own mark."""
