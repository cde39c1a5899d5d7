"""Address arithmetic of a VPC. Pure."""

from ipaddress import IPv4Network, ip_network

MIN_PREFIX_LENGTH, MAX_PREFIX_LENGTH = 16, 28  # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
NON_PUBLIC_BLOCKS = tuple(
    IPv4Network(block)
    for block in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
"""Blocks from which nobody arrives over the internet; EKS refuses them in an endpoint's list."""


def parse_block(text: str, what: str) -> IPv4Network:
    """An IPv4 block whose address is the first one of it.

    Raises:
        ValueError: naming `what`, the value and what is accepted; a block written with a host's address names the block
            that it lies in.
    """
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        found = None
    if not isinstance(found, IPv4Network) or "/" not in text:
        msg = f"{what} is {text!r}; accepted is an IPv4 block, such as '10.0.0.0/16'"
        raise ValueError(msg)
    if str(found) != text:
        msg = f"{what} is {text!r}, an address inside of a block; accepted is the block itself: {str(found)!r}"
        raise ValueError(msg)
    return found


def parse_vpc_block(text: str) -> IPv4Network:
    """The block of a VPC.

    Raises:
        ValueError: for something that is no block, or one of a size that a VPC cannot have.
    """
    return _sized(parse_block(text, "cidr_block"), "cidr_block")


def plan_subnets(
    vpc: IPv4Network, zones: int, private_prefix: int | None = None, public_prefix: int | None = None
) -> tuple[list[IPv4Network], list[IPv4Network]]:
    """The private and the public subnets of `zones` zones.

    Private subnets grow from the bottom of the VPC and public ones from its top, so that one more zone moves none of
    those that exist.

    Args:
        vpc: block of the VPC.
        zones: how many of each.
        private_prefix: prefix length of a private subnet; default: three more than the VPC's, `/19` in a `/16`.
        public_prefix: prefix length of a public subnet; default: eight more than the VPC's, `/24` in a `/16`.

    Raises:
        ValueError: when a size is none that a subnet can have, or the subnets do not fit.
    """
    lengths = (
        private_prefix if private_prefix is not None else min(vpc.prefixlen + 3, MAX_PREFIX_LENGTH),
        public_prefix if public_prefix is not None else min(vpc.prefixlen + 8, MAX_PREFIX_LENGTH),
    )
    for length, what in zip(lengths, ("private_prefix_length", "public_prefix_length"), strict=True):
        if not max(MIN_PREFIX_LENGTH, vpc.prefixlen) <= length <= MAX_PREFIX_LENGTH:
            msg = (
                f"{what} is {length}; accepted are {max(MIN_PREFIX_LENGTH, vpc.prefixlen)} (the VPC {vpc}, or the "
                f"largest subnet of AWS) to {MAX_PREFIX_LENGTH}"
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


def validate_public_sources(blocks: list[str], what: str) -> list[str]:
    """Blocks from which a public endpoint is reached, checked as EKS would check them.

    Raises:
        ValueError: for something that is no block, a private block, or one that is named twice.
    """
    found = [parse_block(text, f"{what}[{index}]") for index, text in enumerate(blocks)]
    for source in found:
        private = next((reserved for reserved in NON_PUBLIC_BLOCKS if source.subnet_of(reserved)), None)
        if private:
            msg = (
                f"{what} has {str(source)!r}, a part of {private} from which nobody arrives over the internet; "
                "accepted are public addresses, such as '203.0.113.0/24': private ones use the private endpoint"
            )
            raise ValueError(msg)
    if len(set(found)) != len(found) or len(found) > 40:
        msg = f"{what} has {len(found)} blocks; accepted are up to 40, each named once"
        raise ValueError(msg)
    return [str(source) for source in found]


def validate_service_block(text: str) -> str:
    """The block of a cluster's service addresses. That it lies outside of the VPC's own is for who knows both.

    Raises:
        ValueError: for a block that EKS refuses: outside of the private ranges, or neither /12 nor smaller down to /24.
    """
    found = parse_block(text, "service_cidr")
    if not (12 <= found.prefixlen <= 24 and any(found.subnet_of(private) for private in NON_PUBLIC_BLOCKS[:3])):
        msg = (
            f"service_cidr is {text!r}; accepted are blocks of /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or "
            "192.168.0.0/16, outside of the VPC's own"
        )
        raise ValueError(msg)
    return text


def _sized(found: IPv4Network, what: str) -> IPv4Network:
    if not MIN_PREFIX_LENGTH <= found.prefixlen <= MAX_PREFIX_LENGTH:
        msg = (
            f"{what} is {str(found)!r}; accepted are blocks of /{MIN_PREFIX_LENGTH} to /{MAX_PREFIX_LENGTH}, such as "
            "'10.0.0.0/16'"
        )
        raise ValueError(msg)
    return found
