"""The functions (invokes) that the stack calls. Results have every name that the SDK's result type has."""

# ruff: noqa: ARG001 - every function is called alike

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.eks_addon import Addon
from sandbox.engine.aws.iam_role import Role
from sandbox.engine.aws.oidc_provider import OpenIdConnectProvider
from sandbox.engine.aws.properties import ALL_TAGS
from sandbox.engine.provider.failures import ProviderError


def get_cluster(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeCluster."""
    name = _required(arguments, "name")
    try:
        answer = unless_missing(lambda: call(aws.eks, "DescribeCluster", name=name))
    except AwsError as error:
        raise failed(f"reading EKS Cluster ({name})", error) from error
    if answer is None:
        raise failed(f"reading EKS Cluster ({name})", LookupError("couldn't find resource"))
    cluster = answer["cluster"]
    network, access = cluster.get("kubernetesNetworkConfig", {}), cluster.get("accessConfig", {})
    vpc = cluster.get("resourcesVpcConfig", {})
    issuer = cluster.get("identity", {}).get("oidc", {}).get("issuer")
    logs = [
        kind
        for setup in cluster.get("logging", {}).get("clusterLogging", [])
        if setup["enabled"]
        for kind in setup["types"]
    ]
    return {
        "accessConfigs": [
            {
                "authenticationMode": access.get("authenticationMode", ""),
                "bootstrapClusterCreatorAdminPermissions": access.get("bootstrapClusterCreatorAdminPermissions", False),
            }
        ],
        "arn": cluster["arn"],
        "certificateAuthorities": [{"data": cluster.get("certificateAuthority", {}).get("data", "")}],
        "clusterId": cluster.get("id", ""),
        "createdAt": _time(cluster.get("createdAt")),
        "deletionProtection": cluster.get("deletionProtection", False),
        "enabledClusterLogTypes": logs,
        "endpoint": cluster.get("endpoint", ""),
        "id": name,
        "identities": [{"oidcs": [{"issuer": issuer}]}] if issuer else [],
        "kubernetesNetworkConfigs": [
            {
                "elasticLoadBalancings": [],
                "ipFamily": network.get("ipFamily", ""),
                "serviceIpv4Cidr": network.get("serviceIpv4Cidr", ""),
                "serviceIpv6Cidr": network.get("serviceIpv6Cidr", ""),
            }
        ],
        "name": cluster["name"],
        "platformVersion": cluster.get("platformVersion", ""),
        "region": aws.region,
        "roleArn": cluster.get("roleArn", ""),
        "status": cluster["status"],
        "tags": cluster.get("tags", {}),
        "upgradePolicies": [{"supportType": cluster.get("upgradePolicy", {}).get("supportType", "")}],
        "version": cluster["version"],
        "vpcConfig": {
            "clusterSecurityGroupId": vpc.get("clusterSecurityGroupId", ""),
            "controlPlaneEgressMode": vpc.get("controlPlaneEgressMode", ""),
            "endpointPrivateAccess": vpc.get("endpointPrivateAccess", False),
            "endpointPublicAccess": vpc.get("endpointPublicAccess", False),
            "publicAccessCidrs": vpc.get("publicAccessCidrs", []),
            "securityGroupIds": vpc.get("securityGroupIds", []),
            "subnetIds": vpc.get("subnetIds", []),
            "vpcId": vpc.get("vpcId", ""),
        },
    }


def get_addon(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeAddon."""
    resource_id = f"{_required(arguments, 'clusterName')}:{_required(arguments, 'addonName')}"
    state = Addon().read(aws, resource_id)
    if state is None:
        raise failed(f"reading EKS Add-On ({resource_id})", LookupError("couldn't find resource"))
    return {**state, "id": resource_id}


def get_addon_version(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The default, or with `mostRecent` the newest, version of an addon for a Kubernetes version."""
    name, kubernetes = _required(arguments, "addonName"), _required(arguments, "kubernetesVersion")
    newest = bool(arguments.get("mostRecent"))
    try:
        answer = call(aws.eks, "DescribeAddonVersions", addonName=name, kubernetesVersion=kubernetes)
    except AwsError as error:
        raise failed(f"reading EKS Add-On version info ({name}, {kubernetes})", error) from error
    for addon in answer["addons"]:
        for version in addon["addonVersions"]:
            if newest or any(each.get("defaultVersion") for each in version["compatibilities"]):
                return {
                    "addonName": name,
                    "id": name,
                    "kubernetesVersion": kubernetes,
                    "mostRecent": newest,
                    "region": aws.region,
                    "version": version["addonVersion"],
                }
    raise failed(f"reading EKS Add-On version info ({name}, {kubernetes})", LookupError("couldn't find resource"))


def get_caller_identity(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Who the provider is."""
    identity = aws.caller_identity()
    return {
        "accountId": identity["Account"],
        "arn": identity["Arn"],
        "id": identity["Account"],
        "userId": identity["UserId"],
    }


def get_region(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A region by name, or the provider's own."""
    region = arguments.get("region") or arguments.get("name") or aws.region
    names = aws.region_names()
    if region not in names:
        raise failed("reading Region", LookupError(f"region not found for name {region!r}"))
    host = f"ec2.{region}.{aws.dns_suffix}"
    return {"description": names[region], "endpoint": host, "id": region, "name": region, "region": region}


def get_partition(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The partition of the account."""
    reverse = ".".join(reversed(aws.dns_suffix.split(".")))
    return {"dnsSuffix": aws.dns_suffix, "id": aws.partition, "partition": aws.partition, "reverseDnsPrefix": reverse}


def get_role(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """GetRole."""
    name = _required(arguments, "name")
    state = Role().read(aws, name)
    if state is None:
        raise failed(f"reading IAM Role ({name})", LookupError("couldn't find resource"))
    return {**state, "id": name, "roleLastUseds": []}


def get_openid_connect_provider(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """An OIDC provider by `arn` or by `url`."""
    arn, url = arguments.get("arn"), arguments.get("url")
    if bool(arn) == bool(url):
        raise failed("reading IAM OIDC Provider", ValueError('one of "arn" or "url" must be specified, and only one'))
    if not arn:
        host = str(url).removeprefix("https://")
        try:
            answer = call(aws.iam, "ListOpenIDConnectProviders")
        except AwsError as error:
            raise failed("listing IAM OIDC Providers", error) from error
        listed = [each["Arn"] for each in answer["OpenIDConnectProviderList"]]
        arn = next((each for each in listed if each.partition(":oidc-provider/")[2] == host), None)
        if arn is None:
            raise failed(f"reading IAM OIDC Provider ({url})", LookupError(f"no IAM OIDC Provider found for url {url}"))
    state = OpenIdConnectProvider().read(aws, arn)
    if state is None:
        raise failed(f"reading IAM OIDC Provider ({arn})", LookupError("couldn't find resource"))
    return {**state, "id": arn}


def get_availability_zones(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The region's zones, sorted by name."""
    filters = _filters(arguments)
    if state := arguments.get("state"):
        filters.append({"Name": "state", "Values": [state]})
    try:
        found = call(
            aws.client("ec2"),
            "DescribeAvailabilityZones",
            AllAvailabilityZones=arguments.get("allAvailabilityZones"),
            Filters=filters or None,
        )["AvailabilityZones"]
    except AwsError as error:
        raise failed("reading EC2 Availability Zones", error) from error
    without = {*(arguments.get("excludeNames") or ()), *(arguments.get("excludeZoneIds") or ())}
    kept = sorted(
        (zone for zone in found if not {zone["ZoneName"], zone["ZoneId"]} & without), key=lambda zone: zone["ZoneName"]
    )
    return {
        **arguments,
        "allAvailabilityZones": bool(arguments.get("allAvailabilityZones")),
        "groupNames": sorted({zone["GroupName"] for zone in kept}),
        "id": aws.region,
        "names": [zone["ZoneName"] for zone in kept],
        "region": aws.region,
        "zoneIds": [zone["ZoneId"] for zone in kept],
    }


def get_vpc_endpoint_service(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The one endpoint service that fits."""
    doing, name = "reading EC2 VPC Endpoint Service", arguments.get("serviceName")
    if service := arguments.get("service"):
        name = f"com.amazonaws.{aws.region}.{service}"
    filters = _filters(arguments)
    if kind := arguments.get("serviceType"):
        filters.append({"Name": "service-type", "Values": [kind]})
    try:
        found = call(
            aws.client("ec2"),
            "DescribeVpcEndpointServices",
            Filters=filters or None,
            ServiceNames=[name] if name else None,
        )["ServiceDetails"]
    except AwsError as error:
        raise failed(doing, error) from error
    if len(found) != 1:
        few = "no matching EC2 VPC Endpoint Service found"
        raise failed(doing, LookupError("multiple EC2 VPC Endpoint Services matched" if found else few))
    (one,) = found
    return {
        **arguments,
        "acceptanceRequired": one.get("AcceptanceRequired", False),
        "availabilityZones": one.get("AvailabilityZones", []),
        "baseEndpointDnsNames": one.get("BaseEndpointDnsNames", []),
        "id": one.get("ServiceId", one["ServiceName"]),
        "owner": one.get("Owner", ""),
        "privateDnsName": one.get("PrivateDnsName", ""),
        "region": aws.region,
        "serviceId": one.get("ServiceId", ""),
        "serviceName": one["ServiceName"],
        "serviceType": jmespath.search("ServiceType[0].ServiceType", one) or "",
        "vpcEndpointPolicySupported": one.get("VpcEndpointPolicySupported", False),
    }


def _filters(arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"Name": each["name"], "Values": each["values"]} for each in arguments.get("filters") or ()]


FUNCTIONS: Mapping[str, Callable[[Account, Mapping[str, Any]], dict[str, Any]]] = {
    "aws:ec2/getVpcEndpointService:getVpcEndpointService": get_vpc_endpoint_service,
    "aws:eks/getAddon:getAddon": get_addon,
    "aws:eks/getAddonVersion:getAddonVersion": get_addon_version,
    "aws:eks/getCluster:getCluster": get_cluster,
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": get_openid_connect_provider,
    "aws:iam/getRole:getRole": get_role,
    "aws:index/getAvailabilityZones:getAvailabilityZones": get_availability_zones,
    "aws:index/getCallerIdentity:getCallerIdentity": get_caller_identity,
    "aws:index/getPartition:getPartition": get_partition,
    "aws:index/getRegion:getRegion": get_region,
}
"""What is served, by token."""


def result(outputs: frozenset[str], answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer cut to the names of the SDK's result type, with empty lists for the blocks that AWS does not have."""
    lists = {name: [] for name in outputs - answer.keys() if name.endswith("s")}
    return {**lists, **{key: value for key, value in answer.items() if key in outputs and key != ALL_TAGS}}


def _required(arguments: Mapping[str, Any], key: str) -> str:
    value = arguments.get(key)
    if not value:
        raise ProviderError(
            f'Missing required argument. The argument "{key}" is required, but no definition was found.'
        )
    return str(value)


def _time(value: datetime | None) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S +0000 UTC") if value else ""
