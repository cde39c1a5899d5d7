"""Lookups of AWS resources that an interrupted create may have left in the account.

`aws_resources.py` finds resources with a planned name. AWS assigns the ids of most network resources. They are found by
the tags of the create, which include the tag of the stack.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from eks_rocketmq.lookups.aws_resources import (
    ADDON,
    AWS_LOOKUPS,
    CLUSTER,
    Inputs,
    call_or_none,
    find_cluster,
    find_resource,
    read_tags,
)
from eks_rocketmq.lookups.aws_session import Session
from eks_rocketmq.lookups.create_checks import OWNER_TAG
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.pulumi_sdk.engine_values import UNKNOWN

ACCESS_ENTRY = "aws:eks/accessEntry:AccessEntry"
ACCESS_POLICY = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
KEY = "aws:kms/key:Key"
ROUTE = "aws:ec2/route:Route"
ROUTE_TABLE_ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
NAT_GATEWAY = "aws:ec2/natGateway:NatGateway"

_EC2_LOOKUPS: Mapping[str, tuple[str, str, str]] = {
    "aws:ec2/eip:Eip": ("describe_addresses", "Addresses", "AllocationId"),
    "aws:ec2/flowLog:FlowLog": ("describe_flow_logs", "FlowLogs", "FlowLogId"),
    "aws:ec2/internetGateway:InternetGateway": ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "aws:ec2/launchTemplate:LaunchTemplate": ("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    NAT_GATEWAY: ("describe_nat_gateways", "NatGateways", "NatGatewayId"),
    "aws:ec2/routeTable:RouteTable": ("describe_route_tables", "RouteTables", "RouteTableId"),
    "aws:ec2/securityGroup:SecurityGroup": ("describe_security_groups", "SecurityGroups", "GroupId"),
    "aws:ec2/subnet:Subnet": ("describe_subnets", "Subnets", "SubnetId"),
    "aws:ec2/vpc:Vpc": ("describe_vpcs", "Vpcs", "VpcId"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
}
"""EC2 resources found by tags: the operation, the list in its response, and the id in each item of the list."""
_FILTER_PARAMETERS = {"describe_nat_gateways": "Filter", "describe_flow_logs": "Filter"}
_NAME_FIELDS = {
    "aws:ec2/launchTemplate:LaunchTemplate": ("LaunchTemplateName", "name"),
    "aws:ec2/securityGroup:SecurityGroup": ("GroupName", "name"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("ServiceName", "serviceName"),
}
"""Field of EC2's response and input of the resource that distinguish resources with the same tags."""
_DELETED_STATES = frozenset({"deleted", "deleting", "failed"})

REPEATABLE_CREATES = frozenset({"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"})
"""Types that only take over what AWS created. An interrupted create leaves nothing behind."""

_WAITERS: Mapping[str, tuple[str, str]] = {
    ADDON: ("eks", "addon_active"),
    CLUSTER: ("eks", "cluster_active"),
    NODE_GROUP: ("eks", "nodegroup_active"),
    NAT_GATEWAY: ("ec2", "nat_gateway_available"),
}
"""boto3 service and waiter of the types that AWS continues to create after the engine has stopped.

Until these resources are ready, they cannot be used or deleted.
"""
_WAITER_CONFIG = {"Delay": 5, "MaxAttempts": 480}


class UnfinishedError(Exception):
    """AWS did not complete an interrupted create; the message names the resource and the next step."""


def can_find_created(type_: str, inputs: Inputs) -> bool:
    """Return whether `find_created` can determine if a create with these inputs happened."""
    if type_ in REPEATABLE_CREATES:
        return True
    if type_ in _BY_TAGS:
        return isinstance(inputs.get("tags"), Mapping) and OWNER_TAG in inputs["tags"]
    names = AWS_LOOKUPS[type_].name_inputs if type_ in AWS_LOOKUPS else _NAME_INPUTS.get(type_)
    return names is not None and all(
        isinstance(inputs.get(key), str) and inputs[key] not in {"", UNKNOWN} for key in names
    )


def find_created(
    create_session: Callable[[], Session], type_: str, inputs: Inputs, known: Collection[str]
) -> list[ExistingResource]:
    """Return the resources that an interrupted create may have made: none, one, or several that match.

    A resource with the planned name and without the stack's tag has another owner. It is not returned.

    `can_find_created` must be true for `type_`. `known` are the ids of the resources of this type that the stack
    manages. Raise ClientError if AWS rejects the request.
    """
    if type_ in REPEATABLE_CREATES:
        return []
    if type_ in AWS_LOOKUPS:
        named = find_resource(create_session, type_, inputs)
        found = [] if named is None else [named]
    else:
        found = {**_BY_TAGS, **_BY_NAME}[type_](create_session(), inputs)
    owner = (inputs.get("tags") or {}).get(OWNER_TAG)
    return [each for each in found if each.id not in known and owner in (None, each.tags.get(OWNER_TAG))]


def wait_until_ready(create_session: Callable[[], Session], type_: str, found: ExistingResource) -> None:
    """Wait until AWS has completed an interrupted create. A cluster takes about 10 minutes.

    Raise UnfinishedError if the create failed, or took more than 40 minutes.
    """
    if type_ not in _WAITERS:
        return
    from botocore.exceptions import WaiterError  # noqa: PLC0415 - programs that only preview do not load it

    service, waiter = _WAITERS[type_]
    try:
        create_session().client(service).get_waiter(waiter).wait(
            **_get_waiter_arguments(type_, found.id), WaiterConfig=_WAITER_CONFIG
        )
    except WaiterError as error:
        msg = (
            f"{type_.rsplit(':', 1)[-1]} {found.id!r}, which an interrupted update began to make, is not ready: "
            f"{error}. Delete it, or mend what keeps it, and run this again"
        )
        raise UnfinishedError(msg) from error


def _get_waiter_arguments(type_: str, id_: str) -> dict[str, Any]:
    cluster, _, name = id_.partition(":")
    return {
        ADDON: {"clusterName": cluster, "addonName": name},
        CLUSTER: {"name": id_},
        NODE_GROUP: {"clusterName": cluster, "nodegroupName": name},
        NAT_GATEWAY: {"NatGatewayIds": [id_]},
    }[type_]


def _create_tag_lookup(type_: str) -> Callable[[Session, Inputs], list[ExistingResource]]:
    operation, list_field, id_field = _EC2_LOOKUPS[type_]
    field, input_ = _NAME_FIELDS.get(type_, ("", ""))

    def find(session: Session, inputs: Inputs) -> list[ExistingResource]:
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in inputs["tags"].items()]
        answer = getattr(session.client("ec2"), operation)(**{_FILTER_PARAMETERS.get(operation, "Filters"): filters})
        return [
            ExistingResource(each[id_field], read_tags(each.get("Tags", [])))
            for each in answer[list_field]
            if str(each.get("State", "")).lower() not in _DELETED_STATES
            # Emulators ignore unknown filters and return all resources.
            and inputs["tags"].items() <= read_tags(each.get("Tags", [])).items()
            and (not inputs.get(input_) or each.get(field) == inputs[input_])
        ]

    return find


def _find_cluster(session: Session, inputs: Inputs) -> list[ExistingResource]:
    found = find_cluster(session, inputs["name"])
    return [] if found is None else [found]


def _find_node_group(session: Session, inputs: Inputs) -> list[ExistingResource]:
    """Find node groups whose name begins with the planned prefix. The import id is `cluster:group`."""
    cluster, eks = inputs["clusterName"], session.client("eks")
    prefix = inputs.get("nodeGroupName") or inputs.get("nodeGroupNamePrefix") or ""
    pages = eks.get_paginator("list_nodegroups").paginate(clusterName=cluster)
    names = call_or_none(lambda: [name for page in pages for name in page["nodegroups"]]) or []
    described = [
        eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
        for name in names
        if name.startswith(prefix)
    ]
    return [ExistingResource(f"{cluster}:{each['nodegroupName']}", each.get("tags", {})) for each in described]


def _find_access_entry(session: Session, inputs: Inputs) -> list[ExistingResource]:
    cluster, principal = inputs["clusterName"], inputs["principalArn"]
    entry = call_or_none(
        lambda: session.client("eks").describe_access_entry(clusterName=cluster, principalArn=principal)["accessEntry"]
    )
    return [] if entry is None else [ExistingResource(f"{cluster}:{principal}", entry.get("tags", {}))]


def _find_access_policy(session: Session, inputs: Inputs) -> list[ExistingResource]:
    cluster, principal, policy = inputs["clusterName"], inputs["principalArn"], inputs["policyArn"]
    answer = call_or_none(
        lambda: session.client("eks").list_associated_access_policies(clusterName=cluster, principalArn=principal)
    )
    listed = [] if answer is None else answer["associatedAccessPolicies"]
    return [ExistingResource(f"{cluster}#{principal}#{policy}") for each in listed if each["policyArn"] == policy]


def _find_key(session: Session, inputs: Inputs) -> list[ExistingResource]:
    """Find KMS keys with the planned description and tags. A key that the caller cannot read has another owner."""
    kms = session.client("kms")
    found = []
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            details = call_or_none(
                lambda id_=key["KeyId"]: _describe_key(kms, id_), not_found_codes=("AccessDeniedException",)
            )
            if details and details[0] == inputs.get("description") and inputs["tags"].items() <= details[1].items():
                found.append(ExistingResource(key["KeyId"], details[1]))
    return found


def _describe_key(kms: Any, id_: str) -> tuple[str, dict[str, str]] | None:  # noqa: ANN401 - a client of boto3
    metadata = kms.describe_key(KeyId=id_)["KeyMetadata"]
    if metadata["KeyManager"] != "CUSTOMER" or metadata["KeyState"] == "PendingDeletion":
        return None
    return metadata["Description"], {
        tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=id_)["Tags"]
    }


def _get_route_table(session: Session, id_: str) -> dict[str, Any]:
    """Return a route table, or an empty mapping if it does not exist."""
    tables = call_or_none(
        lambda: session.client("ec2").describe_route_tables(RouteTableIds=[id_])["RouteTables"],
        not_found_codes=("InvalidRouteTableID.NotFound",),
    )
    return tables[0] if tables else {}


def _find_route(session: Session, inputs: Inputs) -> list[ExistingResource]:
    """Find a route. Its import id is `table_destination`."""
    table, destination = inputs["routeTableId"], inputs["destinationCidrBlock"]
    routes = _get_route_table(session, table).get("Routes", [])
    return [
        ExistingResource(f"{table}_{destination}") for each in routes if each.get("DestinationCidrBlock") == destination
    ]


def _find_route_table_association(session: Session, inputs: Inputs) -> list[ExistingResource]:
    """Find the route table association of a subnet. Its import id is `subnet/table`."""
    table, subnet = inputs["routeTableId"], inputs["subnetId"]
    associations = _get_route_table(session, table).get("Associations", [])
    return [ExistingResource(f"{subnet}/{table}") for each in associations if each.get("SubnetId") == subnet]


_BY_TAGS: Mapping[str, Callable[[Session, Inputs], list[ExistingResource]]] = {
    **{type_: _create_tag_lookup(type_) for type_ in _EC2_LOOKUPS},
    KEY: _find_key,
    NODE_GROUP: _find_node_group,
}
_BY_NAME: Mapping[str, Callable[[Session, Inputs], list[ExistingResource]]] = {
    ACCESS_ENTRY: _find_access_entry,
    ACCESS_POLICY: _find_access_policy,
    CLUSTER: _find_cluster,
    ROUTE: _find_route,
    ROUTE_TABLE_ASSOCIATION: _find_route_table_association,
}
_NAME_INPUTS: Mapping[str, tuple[str, ...]] = {
    ACCESS_ENTRY: ("clusterName", "principalArn"),
    ACCESS_POLICY: ("clusterName", "principalArn", "policyArn"),
    CLUSTER: ("name",),
    ROUTE: ("routeTableId", "destinationCidrBlock"),
    ROUTE_TABLE_ASSOCIATION: ("routeTableId", "subnetId"),
}
"""Inputs that identify a resource of `_BY_NAME`."""
