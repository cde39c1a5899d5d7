"""Fake provider responses for a new cluster: network, keys, logs and nodes."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

REGION = "ap-southeast-1"
ACCOUNT = "140023393377"
ZONES = {f"{REGION}{letter}": f"apse1-az{place}" for letter, place in (("c", 3), ("a", 1), ("b", 2))}
"""Unsorted, because AWS returns zones in no particular order."""

Properties = Mapping[str, Any]
Answer = tuple[str, dict[str, Any]]


def _log_group(inputs: Properties) -> Answer:
    name = inputs.get("name", "flow-logs-1a2b3c4")
    return name, {"name": name, "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"}


def _node_group(inputs: Properties) -> Answer:
    name = f"{inputs['nodeGroupNamePrefix']}20260101"
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:nodegroup/{inputs['clusterName']}/{name}/1"
    return f"{inputs['clusterName']}:{name}", {"nodeGroupName": name, "arn": arn, "status": "ACTIVE"}


RESOURCES: Mapping[str, Callable[[Properties], Answer]] = {
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:eks/nodeGroup:NodeGroup": _node_group,
}
IDENTIFIED: Mapping[str, tuple[str, str]] = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ("sg", "ec2"),
    "aws:ec2/eip:Eip": ("eipalloc", "ec2"),
    "aws:ec2/flowLog:FlowLog": ("fl", "ec2"),
    "aws:ec2/internetGateway:InternetGateway": ("igw", "ec2"),
    "aws:ec2/launchTemplate:LaunchTemplate": ("lt", "ec2"),
    "aws:ec2/natGateway:NatGateway": ("nat", "ec2"),
    "aws:ec2/route:Route": ("r", "ec2"),
    "aws:ec2/routeTable:RouteTable": ("rtb", "ec2"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": ("rtbassoc", "ec2"),
    "aws:ec2/securityGroup:SecurityGroup": ("sg", "ec2"),
    "aws:ec2/subnet:Subnet": ("subnet", "ec2"),
    "aws:ec2/vpc:Vpc": ("vpc", "ec2"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("vpce", "ec2"),
    "aws:eks/accessEntry:AccessEntry": ("access-entry", "eks"),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": ("association", "eks"),
    "aws:iam/rolePolicy:RolePolicy": ("policy", "iam"),
    "aws:kms/key:Key": ("key", "kms"),
}
"""Prefix of the IDs of a type, and its service in ARNs."""
COMPUTED: Mapping[str, Mapping[str, Any]] = {
    "aws:ec2/eip:Eip": {"publicIp": "203.0.113.10"},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1.0},
}


def identified(type_: str, name: str) -> Answer:
    """Return a resource whose ID AWS generates. The ID depends on the name only, because updates must not change it."""
    prefix, service = IDENTIFIED[type_]
    id_ = f"{prefix}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return id_, {"arn": f"arn:aws:{service}:{REGION}:{ACCOUNT}:{prefix}/{id_}", **COMPUTED.get(type_, {})}


def _service(arguments: Properties) -> Properties:
    (names,) = (f["values"] for f in arguments["filters"] if f["name"] == "service-name")
    return {"serviceName": names[0], "id": names[0]}


INVOKES: Mapping[str, Callable[[Properties], Properties]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": lambda _: {
        "names": list(ZONES),
        "zoneIds": list(ZONES.values()),
        "groupNames": [REGION],
        "id": REGION,
    },
    "aws:index/getRegion:getRegion": lambda _: {"region": REGION, "name": REGION, "id": REGION},
    "aws:ec2/getVpcEndpointService:getVpcEndpointService": _service,
    "aws:eks/getAddonVersion:getAddonVersion": lambda a: {
        "version": f"v{a['kubernetesVersion']}.{9 if a.get('mostRecent') else 1}-eksbuild.1",
        **a,
    },
}
