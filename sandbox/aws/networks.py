"""EC2 networks: tags of flow logs and addresses of NAT gateways, which the emulator drops."""

import re
from xml.sax.saxutils import escape

from sandbox.aws import patching
from sandbox.aws.emulator import Parameters, Response, ec2

# The emulator reads the tags of a flow log under another resource type than AWS.
_TAGGED_AS = {"flow-log": "vpc-flow-log"}
_GATEWAY = re.compile(
    r"(<natGatewayId>(nat-\w+)</natGatewayId>(?:(?!<natGatewayId>).)*?)<natGatewayAddressSet/>", re.DOTALL
)


def install() -> None:
    """Correct both."""
    patching.require(ec2, "_nat_gateways", "_addresses")

    def _parse_tag_specs(p: Parameters, resource_type: str, resource_id: str) -> None:
        stock_tags(p, _TAGGED_AS.get(resource_type, resource_type), resource_id)

    def _describe_nat_gateways(params: Parameters) -> Response:
        status, headers, body = stock_gateways(params)
        text = body if isinstance(body, str) else body.decode()
        return status, headers, _GATEWAY.sub(_with_address, text).encode()

    stock_tags = patching.replace(ec2, "_parse_tag_specs", _parse_tag_specs)
    stock_gateways = patching.replace_verb(ec2._ACTION_MAP, "DescribeNatGateways", _describe_nat_gateways)


def _with_address(found: re.Match[str]) -> str:
    allocation = ec2._nat_gateways[found[2]].get("AllocationId") or ""
    address = ec2._addresses.get(allocation, {}).get("PublicIp", "")
    item = f"<item><allocationId>{escape(allocation)}</allocationId><publicIp>{escape(address)}</publicIp></item>"
    return f"{found[1]}<natGatewayAddressSet>{item if allocation else ''}</natGatewayAddressSet>"
