"""Functions (invokes). A result has every name of the SDK's result type."""

# ruff: noqa: ARG001 - all functions have the same parameters

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call, errors_of, failed, unless_missing
from sandbox.engine.aws.eks_addon import ADDON
from sandbox.engine.aws.iam import OIDC_PROVIDER, ROLE
from sandbox.engine.aws.operations import read
from sandbox.engine.aws.resource import ResourceType
from sandbox.engine.aws.tags import ALL_TAGS
from sandbox.engine.provider.failures import ProviderError

_NOT_FOUND = LookupError("couldn't find resource")


def get_cluster(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeCluster."""
    name = _required(arguments, "name")
    action = f"reading EKS Cluster ({name})"
    with errors_of(action):
        answer = unless_missing(lambda: call(aws.eks, "DescribeCluster", name=name))
    if answer is None:
        raise failed(action, _NOT_FOUND)
    cluster = answer["cluster"]
    values = {key: jmespath.search(path, cluster) for key, path in _CLUSTER.items()}
    return {**values, "createdAt": _time(cluster.get("createdAt")), "id": name, "region": aws.region}


_CLUSTER = {
    "accessConfigs": """[{
        authenticationMode: accessConfig.authenticationMode || '',
        bootstrapClusterCreatorAdminPermissions: accessConfig.bootstrapClusterCreatorAdminPermissions || `false`
    }]""",
    "arn": "arn",
    "certificateAuthorities": "[{data: certificateAuthority.data || ''}]",
    "clusterId": "id || ''",
    "deletionProtection": "deletionProtection || `false`",
    "enabledClusterLogTypes": "logging.clusterLogging[?enabled].types[] || `[]`",
    "endpoint": "endpoint || ''",
    "identities": "[identity.oidc.issuer][?@].{oidcs: [{issuer: @}]}",
    "kubernetesNetworkConfigs": """[{
        elasticLoadBalancings: `[]`,
        ipFamily: kubernetesNetworkConfig.ipFamily || '',
        serviceIpv4Cidr: kubernetesNetworkConfig.serviceIpv4Cidr || '',
        serviceIpv6Cidr: kubernetesNetworkConfig.serviceIpv6Cidr || ''
    }]""",
    "name": "name",
    "platformVersion": "platformVersion || ''",
    "roleArn": "roleArn || ''",
    "status": "status",
    "tags": "tags || `{}`",
    "upgradePolicies": "[{supportType: upgradePolicy.supportType || ''}]",
    "version": "version",
    "vpcConfig": """{
        clusterSecurityGroupId: resourcesVpcConfig.clusterSecurityGroupId || '',
        controlPlaneEgressMode: resourcesVpcConfig.controlPlaneEgressMode || '',
        endpointPrivateAccess: resourcesVpcConfig.endpointPrivateAccess || `false`,
        endpointPublicAccess: resourcesVpcConfig.endpointPublicAccess || `false`,
        publicAccessCidrs: resourcesVpcConfig.publicAccessCidrs || `[]`,
        securityGroupIds: resourcesVpcConfig.securityGroupIds || `[]`,
        subnetIds: resourcesVpcConfig.subnetIds || `[]`,
        vpcId: resourcesVpcConfig.vpcId || ''
    }""",
}
"""JMESPath of each value of a cluster."""


def get_addon(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeAddon."""
    return _state(ADDON, aws, f"{_required(arguments, 'clusterName')}:{_required(arguments, 'addonName')}")


def get_addon_version(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The default, or with `mostRecent` the newest, version of an addon for a Kubernetes version."""
    name, kubernetes = _required(arguments, "addonName"), _required(arguments, "kubernetesVersion")
    newest = bool(arguments.get("mostRecent"))
    action = f"reading EKS Add-On version info ({name}, {kubernetes})"
    with errors_of(action):
        answer = call(aws.eks, "DescribeAddonVersions", addonName=name, kubernetesVersion=kubernetes)
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
    raise failed(action, _NOT_FOUND)


def get_caller_identity(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Identity of the provider."""
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
    return {**_state(ROLE, aws, _required(arguments, "name")), "roleLastUseds": []}


def get_openid_connect_provider(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """An OIDC provider by `arn` or by `url`."""
    arn, url = arguments.get("arn"), arguments.get("url")
    if bool(arn) == bool(url):
        raise failed("reading IAM OIDC Provider", ValueError('one of "arn" or "url" must be specified, and only one'))
    if not arn:
        host = str(url).removeprefix("https://")
        with errors_of("listing IAM OIDC Providers"):
            answer = call(aws.iam, "ListOpenIDConnectProviders")
        listed = [each["Arn"] for each in answer["OpenIDConnectProviderList"]]
        arn = next((each for each in listed if each.partition(":oidc-provider/")[2] == host), None)
        if arn is None:
            raise failed(f"reading IAM OIDC Provider ({url})", LookupError(f"no IAM OIDC Provider found for url {url}"))
    return _state(OIDC_PROVIDER, aws, str(arn))


def get_availability_zones(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The region's zones, sorted by name."""
    filters = _filters(arguments)
    if state := arguments.get("state"):
        filters.append({"Name": "state", "Values": [state]})
    every = arguments.get("allAvailabilityZones")
    with errors_of("reading EC2 Availability Zones"):
        answer = call(
            aws.client("ec2"), "DescribeAvailabilityZones", AllAvailabilityZones=every, Filters=filters or None
        )
    without = {*(arguments.get("excludeNames") or ()), *(arguments.get("excludeZoneIds") or ())}
    kept = sorted(
        (zone for zone in answer["AvailabilityZones"] if not {zone["ZoneName"], zone["ZoneId"]} & without),
        key=lambda zone: zone["ZoneName"],
    )
    return {
        **arguments,
        "allAvailabilityZones": bool(every),
        "groupNames": sorted({zone["GroupName"] for zone in kept}),
        "id": aws.region,
        "names": [zone["ZoneName"] for zone in kept],
        "region": aws.region,
        "zoneIds": [zone["ZoneId"] for zone in kept],
    }


def get_vpc_endpoint_service(aws: Account, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoint service that matches the arguments."""
    action, name = "reading EC2 VPC Endpoint Service", arguments.get("serviceName")
    if service := arguments.get("service"):
        name = f"com.amazonaws.{aws.region}.{service}"
    filters = _filters(arguments)
    if kind := arguments.get("serviceType"):
        filters.append({"Name": "service-type", "Values": [kind]})
    names = [name] if name else None
    with errors_of(action):
        answer = call(aws.client("ec2"), "DescribeVpcEndpointServices", Filters=filters or None, ServiceNames=names)
    found = answer["ServiceDetails"]
    if len(found) != 1:
        few = "no matching EC2 VPC Endpoint Service found"
        raise failed(action, LookupError("multiple EC2 VPC Endpoint Services matched" if found else few))
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


def _state(kind: ResourceType, aws: Account, resource_id: str) -> dict[str, Any]:
    """Return the state of a resource. Raises ProviderError when it does not exist."""
    state = read(kind, aws, resource_id)
    if state is None:
        raise failed(f"reading {kind.label} ({resource_id})", _NOT_FOUND)
    return {**state, "id": resource_id}


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
"""The served functions by token."""


def result(outputs: frozenset[str], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer with the names of the SDK's result type only, and empty lists for missing blocks."""
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
