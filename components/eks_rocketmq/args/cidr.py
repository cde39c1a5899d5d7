"""CIDR blocks of a VPC and its subnets. Pure."""

from ipaddress import IPv4Network, ip_network

MIN_PREFIX_LENGTH, MAX_PREFIX_LENGTH = 16, 28  # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
_MAX_PUBLIC_SOURCES = 40
NON_PUBLIC_BLOCKS = tuple(
    IPv4Network(block)
    for block in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
"""Blocks that are not routed on the internet. EKS rejects them in the allow list of a public endpoint."""


def parse_block(text: str, field: str) -> IPv4Network:
    """Return an IPv4 block. The address must be the first one of the block.

    Raises:
        ValueError: the text is not such a block. For the address of a host, the message names the block that contains
            it.
    """
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        found = None
    if not isinstance(found, IPv4Network) or "/" not in text:
        msg = f"{field} is {text!r}; accepted is an IPv4 block, such as '10.0.0.0/16'"
        raise ValueError(msg)
    if str(found) != text:
        msg = f"{field} is {text!r}, an address inside of a block; accepted is the block itself: {str(found)!r}"
        raise ValueError(msg)
    return found


def parse_vpc_block(text: str) -> IPv4Network:
    """Return the block of a VPC.

    Raises:
        ValueError: the text is not a block, or AWS does not accept its size for a VPC.
    """
    block = parse_block(text, "cidr_block")
    if not MIN_PREFIX_LENGTH <= block.prefixlen <= MAX_PREFIX_LENGTH:
        msg = (
            f"cidr_block is {text!r}; accepted are blocks of /{MIN_PREFIX_LENGTH} to /{MAX_PREFIX_LENGTH}, such as "
            "'10.0.0.0/16'"
        )
        raise ValueError(msg)
    return block


def plan_subnets(
    vpc: IPv4Network, zones: int, private_prefix: int | None = None, public_prefix: int | None = None
) -> tuple[list[IPv4Network], list[IPv4Network]]:
    """Return the private and the public subnets for a number of availability zones.

    Private subnets start at the bottom of the VPC, public subnets at its top. Another zone moves no existing subnet.

    Args:
        vpc: block of the VPC.
        zones: number of private subnets, and of public ones.
        private_prefix: prefix length of a private subnet. Default: the VPC's plus 3, `/19` in a `/16`.
        public_prefix: prefix length of a public subnet. Default: the VPC's plus 8, `/24` in a `/16`.

    Raises:
        ValueError: AWS does not accept a prefix length, or the subnets do not fit.
    """
    lengths = (
        private_prefix if private_prefix is not None else min(vpc.prefixlen + 3, MAX_PREFIX_LENGTH),
        public_prefix if public_prefix is not None else min(vpc.prefixlen + 8, MAX_PREFIX_LENGTH),
    )
    shortest = max(MIN_PREFIX_LENGTH, vpc.prefixlen)
    for length, field in zip(lengths, ("private_prefix_length", "public_prefix_length"), strict=True):
        if not shortest <= length <= MAX_PREFIX_LENGTH:
            msg = (
                f"{field} is {length}; accepted are {shortest} (the VPC {vpc}, or the largest subnet "
                f"of AWS) to {MAX_PREFIX_LENGTH}"
            )
            raise ValueError(msg)
    first, last = int(vpc.network_address), int(vpc.broadcast_address) + 1
    sizes = [1 << (32 - length) for length in lengths]
    if first + zones * sizes[0] > last - zones * sizes[1]:
        msg = (
            f"{zones} private subnets of /{lengths[0]} and {zones} public ones of /{lengths[1]} do not fit into {vpc}: "
            "take smaller subnets (a larger prefix length), fewer zones or a larger cidr_block"
        )
        raise ValueError(msg)
    private = [IPv4Network((first + index * sizes[0], lengths[0])) for index in range(zones)]
    public = [IPv4Network((last - (index + 1) * sizes[1], lengths[1])) for index in range(zones)]
    return private, public


def validate_public_sources(blocks: list[str], field: str) -> list[str]:
    """Return the blocks that may reach a public endpoint, validated as EKS does.

    Raises:
        ValueError: an entry is not a block, is not public, or occurs twice.
    """
    found = [parse_block(text, f"{field}[{index}]") for index, text in enumerate(blocks)]
    for source in found:
        private = next((reserved for reserved in NON_PUBLIC_BLOCKS if source.subnet_of(reserved)), None)
        if private:
            msg = (
                f"{field} has {str(source)!r}, a part of {private} from which nobody arrives over the internet; "
                "accepted are public addresses, such as '203.0.113.0/24': private ones use the private endpoint"
            )
            raise ValueError(msg)
    if len(set(found)) != len(found) or len(found) > _MAX_PUBLIC_SOURCES:
        msg = f"{field} has {len(found)} blocks; accepted are up to {_MAX_PUBLIC_SOURCES}, each named once"
        raise ValueError(msg)
    return [str(source) for source in found]


def validate_service_block(text: str) -> str:
    """Return the block of a cluster's service addresses. The caller compares it with the VPC's block.

    Raises:
        ValueError: EKS rejects the block: it is outside of the private ranges, or not of /12 to /24.
    """
    found = parse_block(text, "service_cidr")
    if not (12 <= found.prefixlen <= 24 and any(found.subnet_of(private) for private in NON_PUBLIC_BLOCKS[:3])):
        msg = (
            f"service_cidr is {text!r}; accepted are blocks of /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or "
            "192.168.0.0/16, outside of the VPC's own"
        )
        raise ValueError(msg)
    return text
