"""Requests of the released AWS provider for each type in the staging stack: create, update and delete.

Each request has the action, the resource and the condition keys that IAM evaluates.
"""

import json
from collections.abc import Callable, Iterator, Mapping

from tests.unit.ci_role_case import arn, iam
from tests.unit.harness import Recording, Registration
from tests.unit.harness.permissions import Request

OWNER = "eks-rocketmq/stack"
# For each type: action that creates it, kind of resource, other resources that the action needs, and actions that
# update or delete it. The other resources must already have the tag of the stack.
MADE = {
    "aws:ec2/vpc:Vpc": ("CreateVpc", "vpc", [], ["ModifyVpcAttribute", "DeleteVpc"]),
    "aws:ec2/subnet:Subnet": ("CreateSubnet", "subnet", ["vpc"], ["ModifySubnetAttribute", "DeleteSubnet"]),
    "aws:ec2/internetGateway:InternetGateway": (
        "CreateInternetGateway",
        "internet-gateway",
        [],
        ["AttachInternetGateway", "DetachInternetGateway", "DeleteInternetGateway"],
    ),
    "aws:ec2/routeTable:RouteTable": ("CreateRouteTable", "route-table", ["vpc"], ["DeleteRouteTable"]),
    "aws:ec2/eip:Eip": ("AllocateAddress", "elastic-ip", [], ["DisassociateAddress", "ReleaseAddress"]),
    "aws:ec2/natGateway:NatGateway": (
        "CreateNatGateway",
        "natgateway",
        ["subnet", "elastic-ip", "vpc"],
        ["DeleteNatGateway"],
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        "CreateVpcEndpoint",
        "vpc-endpoint",
        ["vpc", "route-table"],
        ["ModifyVpcEndpoint", "DeleteVpcEndpoints"],
    ),
    "aws:ec2/flowLog:FlowLog": ("CreateFlowLogs", "vpc-flow-log", ["vpc"], ["DeleteFlowLogs"]),
    "aws:ec2/launchTemplate:LaunchTemplate": (
        "CreateLaunchTemplate",
        "launch-template",
        [],
        ["CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "DeleteLaunchTemplate"],
    ),
}
# These types have no ARN: actions, and the resources that they change.
CHANGED = {
    "aws:ec2/route:Route": (["CreateRoute", "ReplaceRoute", "DeleteRoute"], ["route-table"]),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (
        ["AssociateRouteTable", "DisassociateRouteTable"],
        ["route-table", "subnet"],
    ),
}
Calls = Callable[[Recording, Registration], Iterator[Request]]


def ec2(kind: str) -> str:
    return arn("ec2", f"{kind}/x-1")


def asked(resource: Registration) -> dict[str, str]:
    return {f"aws:RequestTag/{OWNER}": resource.inputs["tags"][OWNER]}


def marked() -> dict[str, str]:
    return {f"aws:ResourceTag/{OWNER}": "eks-rocketmq/staging"}


def made(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    create, kind, within, changes = MADE[resource.type]
    yield Request(f"ec2:{create}", ec2(kind), asked(resource))
    yield Request("ec2:CreateTags", ec2(kind), asked(resource) | {"ec2:CreateAction": create})
    yield from (Request(f"ec2:{create}", ec2(other), marked()) for other in within)
    yield from (Request(f"ec2:{verb}", ec2(kind), marked()) for verb in [*changes, "CreateTags", "DeleteTags"])


def changed(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    verbs, kinds = CHANGED[resource.type]
    yield from (Request(f"ec2:{verb}", ec2(kind), marked()) for verb in verbs for kind in kinds)


def default_group(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    yield Request("ec2:CreateTags", ec2("security-group"), asked(resource))
    for verb in ("RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"):
        yield Request(f"ec2:{verb}", ec2("security-group"), marked())


def log_group(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    name = resource.inputs.get("name") or f"{resource.name}-1a2b3c4"
    for verb in ("CreateLogGroup", "TagResource", "PutRetentionPolicy", "DeleteLogGroup"):
        yield Request(f"logs:{verb}", arn("logs", f"log-group:{name}"))
        # For actions on a log group, AWS also authorizes the ARN of its streams.
        yield Request(f"logs:{verb}", arn("logs", f"log-group:{name}:log-stream:"))


def cluster(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    name = arn("eks", f"cluster/{resource.inputs['name']}")
    yield Request("eks:CreateCluster", "*", asked(resource))
    yield Request("eks:CreateCluster", name, asked(resource))
    yield from (
        Request(f"eks:{verb}", name)
        for verb in ("TagResource", "UpdateClusterConfig", "UpdateClusterVersion", "DeleteCluster")
    )
    yield Request("kms:CreateGrant", resource.inputs["encryptionConfig"]["provider"]["keyArn"])
    yield from service_linked("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS")


def service_linked(service: str, role: str) -> Iterator[Request]:
    path = iam(f"role/aws-service-role/{service}/{role}")
    yield Request("iam:CreateServiceLinkedRole", path, {"iam:AWSServiceName": service})


def of_cluster(resource: Registration, kind: str, create: str, *changes: str) -> Iterator[Request]:
    name = resource.inputs["clusterName"]
    yield Request(f"eks:{create}", arn("eks", f"cluster/{name}"))
    yield from (Request(f"eks:{verb}", arn("eks", f"{kind}/{name}/one/2")) for verb in (*changes, "TagResource"))


def node_group(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    yield from of_cluster(
        resource, "nodegroup", "CreateNodegroup", "UpdateNodegroupConfig", "UpdateNodegroupVersion", "DeleteNodegroup"
    )
    yield from service_linked("eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup")
    template = {"ec2:LaunchTemplate": arn("ec2", "launch-template/lt-1")}
    yield Request("ec2:RunInstances", arn("ec2", "launch-template/lt-1"), template | marked())
    for kind in ("instance", "network-interface", "security-group", "volume"):
        yield Request("ec2:RunInstances", ec2(kind), template)
    yield Request("ec2:RunInstances", ec2("subnet"), template | marked())
    yield Request("ec2:RunInstances", ec2("image").replace(":140023393377:", "::"), template)
    for kind in ("instance", "network-interface", "volume"):
        mark = {f"aws:RequestTag/{OWNER}": "eks-rocketmq/staging", "ec2:CreateAction": "RunInstances"}
        yield Request("ec2:CreateTags", ec2(kind), mark)


def addon(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    yield from of_cluster(resource, "addon", "CreateAddon", "UpdateAddon", "DeleteAddon")
    if role := resource.inputs.get("serviceAccountRoleArn"):
        yield Request("iam:PassRole", role, {"iam:PassedToService": "eks.amazonaws.com"})


def access_entry(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    yield from of_cluster(resource, "access-entry", "CreateAccessEntry", "UpdateAccessEntry", "DeleteAccessEntry")


def access_policy(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    name = arn("eks", f"access-entry/{resource.inputs['clusterName']}/role/1/platform-team/2")
    yield from (Request(f"eks:{verb}AccessPolicy", name) for verb in ("Associate", "Disassociate"))


def oidc_provider(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    name = iam(f"oidc-provider/{resource.inputs['url'].removeprefix('https://')}")
    yield from (Request(f"iam:{verb}OpenIDConnectProvider", name) for verb in ("Create", "Tag", "Delete"))


def role_arn(resource: Registration) -> str:
    return iam(f"role/{resource.inputs.get('name') or resource.name + '-1a2b3c4'}")


def role(recording: Recording, resource: Registration) -> Iterator[Request]:
    del recording
    name = role_arn(resource)
    for verb in ("CreateRole", "TagRole", "UpdateAssumeRolePolicy", "ListInstanceProfilesForRole", "DeleteRole"):
        yield Request(f"iam:{verb}", name)
    for statement in json.loads(resource.inputs["assumeRolePolicy"])["Statement"]:
        if service := statement["Principal"].get("Service"):
            yield Request("iam:PassRole", name, {"iam:PassedToService": service})


def holder(recording: Recording, resource: Registration) -> Registration:
    """Return the role of a policy."""
    (urn,) = resource.property_dependencies["role"]
    return recording.resources[urn]


def inline(recording: Recording, resource: Registration) -> Iterator[Request]:
    to = holder(recording, resource)
    bounded = {"iam:PermissionsBoundary": to.inputs["permissionsBoundary"]}
    yield from (Request(f"iam:{verb}RolePolicy", role_arn(to), bounded) for verb in ("Put", "Delete"))


def attached(recording: Recording, resource: Registration) -> Iterator[Request]:
    name, policy = role_arn(holder(recording, resource)), {"iam:PolicyARN": resource.inputs["policyArn"]}
    yield from (Request(f"iam:{verb}RolePolicy", name, policy) for verb in ("Attach", "Detach"))


CALLS: Mapping[str, Calls] = {
    **dict.fromkeys(MADE, made),
    **dict.fromkeys(CHANGED, changed),
    "aws:cloudwatch/logGroup:LogGroup": log_group,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": default_group,
    "aws:eks/accessEntry:AccessEntry": access_entry,
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": access_policy,
    "aws:eks/addon:Addon": addon,
    "aws:eks/cluster:Cluster": cluster,
    "aws:eks/nodeGroup:NodeGroup": node_group,
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": oidc_provider,
    "aws:iam/role:Role": role,
    "aws:iam/rolePolicy:RolePolicy": inline,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": attached,
}
