"""Arguments of a network."""

from typing import Annotated, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing

NatMode = Annotated[Literal["per_zone", "single", "none"], Enumeration("NatMode")]


class NetworkArgs(TypedDict):
    """Arguments of a `Network`. Every field has a default."""

    cidr_block: NotRequired[Replacing[str]]
    """IPv4 CIDR block of the VPC, /16 to /28. Default: `10.0.0.0/16`. Changing it replaces the whole network, which is
    refused while `deletion_protection` is on: EKS does not move a cluster to another VPC."""
    zones: NotRequired[Replacing[list[str]]]
    """Names of 2 to 6 availability zones, such as `eu-west-1a`. Default: see `zone_count`. Add new zones at the end,
    because the position of a zone determines its CIDR blocks. Changing a zone's name replaces its subnets."""
    zone_count: NotRequired[int]
    """Number of zones without `zones`, 2 to 6. Default: 3. These are the first standard zones of the region in which
    EKS places control planes. They are chosen once: existing subnets stay in their zones."""
    private_prefix_length: NotRequired[Replacing[int]]
    """Prefix length of private subnets, for nodes, pods and the control plane. Default: `/19` in a `/16`, which has
    8,187 addresses. Changing it replaces the subnets, which is refused like a change of `cidr_block`."""
    public_prefix_length: NotRequired[Replacing[int]]
    """Prefix length of public subnets, for NAT gateways and public load balancers. Default: `/24` in a `/16`. Changing
    it replaces the subnets."""
    nat: NotRequired[NatMode]
    """NAT gateways of the private subnets. `per_zone` (default): one in each zone, so that the loss of a zone does not
    affect the others. `single`: one for all zones, which is cheaper. `none`: private subnets cannot reach the internet.
    Nodes then need `s3_endpoint`, `interface_endpoints` for `ec2`, `ecr.api` and `ecr.dkr`, and `sts` for IRSA or
    `eks-auth` for EKS Pod Identity. All images must be in ECR."""
    cluster_name: NotRequired[str]
    """Cluster name for the tag `kubernetes.io/cluster/<name>` of the subnets. Default: no such tag. Only the in-tree
    load balancer controller and the AWS Load Balancer Controller before 2.1.2 need it."""
    s3_endpoint: NotRequired[bool]
    """Create a gateway endpoint for S3. It is free, and image layers do not pass the NAT gateways. Default: True."""
    interface_endpoints: NotRequired[list[str]]
    """AWS services with an endpoint in the private subnets, such as `ecr.api`, `ecr.dkr`, `ec2`, `sts`, `eks`, `logs`,
    `elasticloadbalancing`, `eks-auth`. AWS charges each one per hour and zone. Default: none."""
    flow_log_retention_days: NotRequired[int]
    """Retention of the VPC's flow logs in days, a value that CloudWatch accepts, or 0 for no flow logs. Default: 90."""
    deletion_protection: NotRequired[bool]
    """Let Pulumi refuse to delete or replace the VPC and the private subnets. Default: True. To destroy the network,
    set False, run `pulumi up`, then destroy."""
    permissions_boundary: NotRequired[Input[str]]
    """ARN of the permissions boundary of the flow logs' role. Default: none."""
    private_subnet_tags: NotRequired[dict[str, str]]
    """Additional tags of private subnets, such as `karpenter.sh/discovery`. Default: none."""
    public_subnet_tags: NotRequired[dict[str, str]]
    """Additional tags of public subnets. Default: none."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of all resources. Default: only a name and the stack's ownership tag."""
