"""CIDR blocks of a VPC and its subnets. Pure."""

from ipaddress import IPv4Network, ip_network

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError

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
_NOT_FOR_VPC = {
    IPv4Network("0.0.0.0/8"): "this network",
    IPv4Network("127.0.0.0/8"): "loopback addresses",
    IPv4Network("169.254.0.0/16"): "link-local addresses, such as that of the metadata service",
    IPv4Network("224.0.0.0/4"): "multicast",
}
"""Blocks that hosts cannot use as addresses, with their purpose."""


def parse_block(text: str, path: ArgumentPath) -> IPv4Network:
    """Return an IPv4 block. The address must be the first one of the block.

    For the address of a host, the error names the block that contains it.
    """
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        found = None
    if not isinstance(found, IPv4Network) or "/" not in text:
        raise ArgumentError(
            path,
            "ipv4-block",
            "{given!r} is no IPv4 block",
            accepted="an IPv4 block, such as '10.0.0.0/16'",
            given=text,
        )
    if str(found) != text:
        raise ArgumentError(
            path,
            "address-inside-block",
            "{given!r} is an address inside a block",
            accepted="{block!r}, the block itself",
            given=text,
            block=str(found),
        )
    return found


def parse_vpc_block(text: str) -> IPv4Network:
    """Return the block of a VPC. Raise ValueError for a block or a size that AWS does not accept for a VPC."""
    block = parse_block(text, ARGS / "cidr_block")
    if not MIN_PREFIX_LENGTH <= block.prefixlen <= MAX_PREFIX_LENGTH:
        raise ArgumentError(
            ARGS / "cidr_block",
            "vpc-block-size",
            "AWS does not accept the size of {given!r} for a VPC",
            accepted="blocks of /{shortest} to /{longest}, such as '10.0.0.0/16'",
            given=text,
            shortest=MIN_PREFIX_LENGTH,
            longest=MAX_PREFIX_LENGTH,
        )
    for reserved, purpose in _NOT_FOR_VPC.items():
        if block.subnet_of(reserved):
            raise ArgumentError(
                ARGS / "cidr_block",
                "vpc-block-reserved",
                "{given!r} is a part of {reserved}, which is reserved for {purpose}",
                accepted="a private block, such as '10.0.0.0/16'",
                given=text,
                reserved=reserved,
                purpose=purpose,
            )
    return block


def plan_subnets(
    vpc: IPv4Network, zones: int, private_prefix: int | None = None, public_prefix: int | None = None
) -> tuple[list[IPv4Network], list[IPv4Network]]:
    """Return the private and the public subnets for a number of availability zones.

    Private subnets start at the bottom of the VPC, public subnets at its top. Another zone moves no existing subnet.
    Raise ValueError if AWS does not accept a prefix length, or if the subnets do not fit.

    Args:
        zones: number of private subnets, and of public ones.
        private_prefix: prefix length of a private subnet. Default: the VPC's plus 3, `/19` in a `/16`, and at most
            `/28`.
        public_prefix: prefix length of a public subnet. Default: the VPC's plus 8, `/24` in a `/16`, and at most
            `/28`.
    """
    lengths = (
        private_prefix if private_prefix is not None else min(vpc.prefixlen + 3, MAX_PREFIX_LENGTH),
        public_prefix if public_prefix is not None else min(vpc.prefixlen + 8, MAX_PREFIX_LENGTH),
    )
    shortest = max(MIN_PREFIX_LENGTH, vpc.prefixlen)
    for length, field in zip(lengths, ("private_prefix_length", "public_prefix_length"), strict=True):
        if not shortest <= length <= MAX_PREFIX_LENGTH:
            raise ArgumentError(
                ARGS / field,
                "subnet-prefix-length",
                "a subnet of /{given} is larger than the VPC {vpc}, or AWS does not accept it",
                accepted="{shortest} to {longest}",
                given=length,
                vpc=vpc,
                shortest=shortest,
                longest=MAX_PREFIX_LENGTH,
            )
    first, last = int(vpc.network_address), int(vpc.broadcast_address) + 1
    sizes = [1 << (32 - length) for length in lengths]
    if first + zones * sizes[0] > last - zones * sizes[1]:
        raise ArgumentError(
            ARGS / "cidr_block",
            "subnets-do-not-fit",
            "{zones} private subnets of /{private} and {zones} public ones of /{public} do not fit into {vpc}",
            remedy="Take smaller subnets (a larger prefix length), fewer zones or a larger block",
            zones=zones,
            private=lengths[0],
            public=lengths[1],
            vpc=vpc,
        )
    private = [IPv4Network((first + index * sizes[0], lengths[0])) for index in range(zones)]
    public = [IPv4Network((last - (index + 1) * sizes[1], lengths[1])) for index in range(zones)]
    return private, public


def validate_public_sources(blocks: list[str], path: ArgumentPath) -> list[str]:
    """Return the blocks that may reach a public endpoint, validated as EKS does.

    Raise ValueError for an entry that is not a block, is not public, or occurs twice, and for more than 40 entries.
    """
    found = [parse_block(text, path.index(index)) for index, text in enumerate(blocks)]
    for source in found:
        private = next((reserved for reserved in NON_PUBLIC_BLOCKS if source.subnet_of(reserved)), None)
        if private:
            raise ArgumentError(
                path,
                "private-source",
                "{given!r} is a part of {private}, which is not routed on the internet",
                accepted="public addresses, such as '203.0.113.0/24'",
                remedy="Use the private endpoint for private addresses",
                given=str(source),
                private=private,
            )
    if len(set(found)) != len(found) or len(found) > _MAX_PUBLIC_SOURCES:
        raise ArgumentError(
            path,
            "public-sources",
            "a block is given more than once" if len(found) <= _MAX_PUBLIC_SOURCES else "the list has {count} blocks",
            accepted="up to {most} blocks, each of them once",
            count=len(found),
            most=_MAX_PUBLIC_SOURCES,
        )
    return [str(source) for source in found]


def validate_service_block(text: str) -> str:
    """Return the block of a cluster's service addresses. The caller compares it with the VPC's block.

    Raise ValueError for a block that is outside of the private ranges, or not of /12 to /24.
    """
    found = parse_block(text, ARGS / "service_cidr")
    if not (12 <= found.prefixlen <= 24 and any(found.subnet_of(private) for private in NON_PUBLIC_BLOCKS[:3])):
        raise ArgumentError(
            ARGS / "service_cidr",
            "service-block",
            "EKS does not accept {given!r} for services",
            accepted="blocks of /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, outside the VPC's own",
            given=text,
        )
    return text
