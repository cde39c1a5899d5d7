"""What an interrupted create may have left in the AWS account.

`aws_resources.py` finds resources whose name people choose. Most parts of a network have only an id from AWS. They are
found by the tags of the create, among them the tag of the stack.
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
"""What EC2 finds by tags: the operation, the list in its answer, and the id in each entry of the list."""
_FILTER_PARAMETERS = {"describe_nat_gateways": "Filter", "describe_flow_logs": "Filter"}
_NAME_FIELDS = {
    "aws:ec2/launchTemplate:LaunchTemplate": ("LaunchTemplateName", "name"),
    "aws:ec2/securityGroup:SecurityGroup": ("GroupName", "name"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("ServiceName", "serviceName"),
}
"""What tells resources of one stack with the same tags apart: the field of EC2's answer, and the input."""
_DELETED_STATES = frozenset({"deleted", "deleting", "failed"})

REPEATABLE_CREATES = frozenset({"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"})
"""Types whose create takes over what AWS has made itself, so that an interrupted one leaves nothing behind."""

_WAITERS: Mapping[str, tuple[str, str]] = {
    ADDON: ("eks", "addon_active"),
    CLUSTER: ("eks", "cluster_active"),
    NODE_GROUP: ("eks", "nodegroup_active"),
    NAT_GATEWAY: ("ec2", "nat_gateway_available"),
}
"""What AWS goes on making after the engine is gone: nothing can use or delete it before it is ready."""
_WAITER_CONFIG = {"Delay": 5, "MaxAttempts": 480}


class UnfinishedError(Exception):
    """AWS did not finish what the engine had begun; the message says what, and what to do."""


def can_find_created(type_: str, inputs: Inputs) -> bool:
    """Return whether `find_created` can tell if a create with these inputs happened."""
    if type_ in REPEATABLE_CREATES:
        return True
    if type_ in _BY_TAGS:
        return isinstance(inputs.get("tags"), Mapping) and OWNER_TAG in inputs["tags"]
    needed = AWS_LOOKUPS[type_].name_inputs if type_ in AWS_LOOKUPS else _NAME_INPUTS.get(type_)
    return needed is not None and all(
        isinstance(inputs.get(key), str) and inputs[key] not in {"", UNKNOWN} for key in needed
    )


def find_created(
    session: Callable[[], Session], type_: str, inputs: Inputs, known: Collection[str]
) -> list[ExistingResource]:
    """Return what an interrupted create made in the account: nothing, one resource, or several that look alike.

    A resource with the planned name and without the stack's tag has another owner and is not in the result.

    Args:
        session: makes the boto3 session.
        type_: type of the resource, for which `can_look` is true.
        inputs: its planned inputs.
        known: ids of the resources of this type that the stack has.

    Raises:
        ClientError: when AWS refuses the question.
    """
    if type_ in REPEATABLE_CREATES:
        return []
    if type_ in AWS_LOOKUPS:
        named = find_resource(session, type_, inputs)
        found = [] if named is None else [named]
    else:
        found = {**_BY_TAGS, **_BY_NAME}[type_](session(), inputs)
    mark = (inputs.get("tags") or {}).get(OWNER_TAG)
    return [each for each in found if each.id not in known and mark in (None, each.tags.get(OWNER_TAG))]


def wait_until_ready(session: Callable[[], Session], type_: str, found: ExistingResource) -> None:
    """Return once AWS has finished what the engine had begun: a cluster takes about ten minutes.

    Raises:
        UnfinishedError: when AWS gave up on it, or took more than 40 minutes.
    """
    if type_ not in _WAITERS:
        return
    from botocore.exceptions import WaiterError  # noqa: PLC0415 - not loaded by programs that only preview

    service, waiter = _WAITERS[type_]
    try:
        session().client(service).get_waiter(waiter).wait(
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
    operation, listed, id_ = _EC2_LOOKUPS[type_]
    field, input_ = _NAME_FIELDS.get(type_, ("", ""))

    def find_them(session: Session, inputs: Inputs) -> list[ExistingResource]:
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in inputs["tags"].items()]
        answer = getattr(session.client("ec2"), operation)(**{_FILTER_PARAMETERS.get(operation, "Filters"): filters})
        return [
            ExistingResource(each[id_], read_tags(each.get("Tags", [])))
            for each in answer[listed]
            if str(each.get("State", "")).lower() not in _DELETED_STATES
            # Emulators ignore filters that they do not know, and answer with all that there is.
            and inputs["tags"].items() <= read_tags(each.get("Tags", [])).items()
            and (not inputs.get(input_) or each.get(field) == inputs[input_])
        ]

    return find_them


def _find_cluster(session: Session, inputs: Inputs) -> list[ExistingResource]:
    found = find_cluster(session, inputs["name"])
    return [] if found is None else [found]


def _find_node_group(session: Session, inputs: Inputs) -> list[ExistingResource]:
    """A node group whose name begins with the planned prefix; its import id is `cluster:group`."""
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
    """A key with the planned description and tags. Keys that others do not let us read are not ours."""
    kms = session.client("kms")
    found = []
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            about = call_or_none(lambda id_=key["KeyId"]: _describe_key(kms, id_), also=("AccessDeniedException",))
            if about and about[0] == inputs.get("description") and inputs["tags"].items() <= about[1].items():
                found.append(ExistingResource(key["KeyId"], about[1]))
    return found


def _describe_key(kms: Any, id_: str) -> tuple[str, dict[str, str]] | None:  # noqa: ANN401 - a client of boto3
    about = kms.describe_key(KeyId=id_)["KeyMetadata"]
    if about["KeyManager"] != "CUSTOMER" or about["KeyState"] == "PendingDeletion":
        return None
    return about["Description"], {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=id_)["Tags"]}


def _get_route_table(session: Session, id_: str) -> dict[str, Any]:
    """The route table, or nothing of one that is not there."""
    tables = call_or_none(
        lambda: session.client("ec2").describe_route_tables(RouteTableIds=[id_])["RouteTables"],
        also=("InvalidRouteTableID.NotFound",),
    )
    return tables[0] if tables else {}


def _find_route(session: Session, inputs: Inputs) -> list[ExistingResource]:
    """A route; its import id is `table_destination`."""
    table, destination = inputs["routeTableId"], inputs["destinationCidrBlock"]
    routes = _get_route_table(session, table).get("Routes", [])
    return [
        ExistingResource(f"{table}_{destination}") for each in routes if each.get("DestinationCidrBlock") == destination
    ]


def _find_route_table_association(session: Session, inputs: Inputs) -> list[ExistingResource]:
    """The route table of a subnet; its import id is `subnet/table`."""
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
"""The inputs that name a resource of `_BY_NAME`."""
