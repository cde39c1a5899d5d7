"""Facts from the replies of AWS. Pure. Values that may be secret are not read."""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from eks_rocketmq.args.kubernetes_names import ANY_IPV4
from eks_rocketmq.doctor.collectors.kubernetes_parsers import redact
from eks_rocketmq.doctor.facts.cluster_facts import AddonFacts, ModificationFacts, SimulatedAction
from eks_rocketmq.doctor.facts.network_facts import (
    EndpointFacts,
    InterfaceFacts,
    NodeNetworkFacts,
    RouteTableFacts,
    SecurityGroupFacts,
)

_HTTPS = 443
_ROUTE_TARGETS = (
    "NatGatewayId",
    "TransitGatewayId",
    "GatewayId",
    "InstanceId",
    "NetworkInterfaceId",
    "VpcPeeringConnectionId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
)

Reply = Mapping[str, Any]


def decode_claims(token: str) -> dict[str, Any]:
    """Return the claims of a token without verifying it; an empty object if it is malformed."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def parse_addon(addon: Reply) -> AddonFacts:
    """Return an addon. Of its configuration values only the names are kept."""
    issues = (addon.get("health") or {}).get("issues") or []
    values = addon.get("configurationValues") or "{}"
    try:
        keys = sorted(json.loads(values))
    except (TypeError, ValueError):
        keys = []
    return AddonFacts(
        addon["addonName"],
        addon.get("addonVersion") or "",
        addon.get("status") or "",
        addon.get("serviceAccountRoleArn") or "",
        tuple(redact(f"{each.get('code')}: {each.get('message')}") for each in issues),
        ", ".join(keys),
        tuple(each.rpartition("/")[2] for each in addon.get("podIdentityAssociations") or []),
    )


def parse_modification(modification: Reply) -> ModificationFacts:
    """Return the latest modification of a volume."""
    started = modification.get("StartTime")
    return ModificationFacts(
        modification["VolumeId"],
        modification.get("ModificationState") or "",
        started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if started else "",
        modification.get("Progress") or 0,
    )


def parse_simulation(result: Reply) -> SimulatedAction:
    """Return the result of SimulatePrincipalPolicy for one action."""
    boundary = result.get("PermissionsBoundaryDecisionDetail") or {}
    organization = result.get("OrganizationsDecisionDetail") or {}
    return SimulatedAction(
        result["EvalActionName"],
        result["EvalDecision"],
        boundary.get("AllowedByPermissionsBoundary", True),
        organization.get("AllowedByOrganizations", True),
        result.get("EvalResourceName") or "*",
    )


def parse_node_network(node: str, instance: Reply) -> NodeNetworkFacts:
    """Return the network of the instance of a node."""
    interfaces = tuple(_parse_interface(each) for each in instance.get("NetworkInterfaces") or [])
    whole = InterfaceFacts(_list_addresses([instance]), _list_values(instance.get("SecurityGroups"), "GroupId"))
    return NodeNetworkFacts(
        node,
        instance["InstanceId"],
        instance.get("VpcId") or "",
        instance.get("SubnetId") or "",
        (instance.get("Placement") or {}).get("AvailabilityZone") or "",
        instance.get("PublicIpAddress") or "",
        interfaces or (whole,),
    )


def _parse_interface(interface: Reply) -> InterfaceFacts:
    prefixes = _list_values(interface.get("Ipv4Prefixes"), "Ipv4Prefix")
    addresses = _list_addresses(interface.get("PrivateIpAddresses") or [interface])
    return InterfaceFacts((*addresses, *prefixes), _list_values(interface.get("Groups"), "GroupId"))


def _list_addresses(items: Iterable[Reply]) -> tuple[str, ...]:
    return _list_values(items, "PrivateIpAddress")


def _list_values(items: Iterable[Reply] | None, key: str) -> tuple[str, ...]:
    return tuple(each[key] for each in items or [] if each.get(key))


def parse_route_table(table: Reply) -> RouteTableFacts:
    """Return a route table with its default route for IPv4."""
    associations = table.get("Associations") or []
    routes = [each for each in table.get("Routes") or [] if each.get("DestinationCidrBlock") == ANY_IPV4]
    route = routes[0] if routes else {}
    return RouteTableFacts(
        table["RouteTableId"],
        table.get("VpcId") or "",
        any(each.get("Main") for each in associations),
        _list_values(associations, "SubnetId"),
        next((route[each] for each in _ROUTE_TARGETS if route.get(each)), ""),
        route.get("State") == "blackhole",
    )


def parse_endpoint(endpoint: Reply) -> EndpointFacts:
    """Return a VPC endpoint."""
    return EndpointFacts(
        endpoint["VpcEndpointId"],
        endpoint.get("VpcId") or "",
        endpoint.get("ServiceName") or "",
        (endpoint.get("State") or "").lower(),
        bool(endpoint.get("PrivateDnsEnabled")),
        tuple(endpoint.get("SubnetIds") or []),
        _list_values(endpoint.get("Groups"), "GroupId"),
    )


def parse_security_group(group: Reply) -> SecurityGroupFacts:
    """Return the sources from which a security group allows HTTPS."""
    rules = [each for each in group.get("IpPermissions") or [] if _allows_https(each)]
    return SecurityGroupFacts(
        group["GroupId"],
        tuple(value for each in rules for value in _list_values(each.get("IpRanges"), "CidrIp")),
        tuple(value for each in rules for value in _list_values(each.get("UserIdGroupPairs"), "GroupId")),
        tuple(value for each in rules for value in _list_values(each.get("PrefixListIds"), "PrefixListId")),
    )


def _allows_https(rule: Reply) -> bool:
    # The protocol is -1 for all protocols. Such a rule has no ports.
    if rule.get("IpProtocol") == "-1":
        return True
    return rule.get("IpProtocol") in {"tcp", "6"} and rule.get("FromPort", 0) <= _HTTPS <= rule.get("ToPort", 0)
