"""What the providers answer when a cluster is made from nothing: network, keys, logs, nodes."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

REGION = "ap-southeast-1"
ACCOUNT = "140023393377"
ZONES = {f"{REGION}{letter}": f"apse1-az{place}" for letter, place in (("c", 3), ("a", 1), ("b", 2))}
"""Unsorted, as AWS gives them in no order."""

Properties = Mapping[str, Any]
Answer = tuple[str, dict[str, Any]]


def _identified(prefix: str, service: str = "ec2", **computed: Any) -> Callable[[Properties], Answer]:
    def answer(inputs: Properties) -> Answer:
        id_ = f"{prefix}-{hashlib.sha256(repr(sorted(inputs.items())).encode()).hexdigest()[:8]}"
        return id_, {"arn": f"arn:aws:{service}:{REGION}:{ACCOUNT}:{prefix}/{id_}", **computed}

    return answer


def _log_group(inputs: Properties) -> Answer:
    name = inputs.get("name", "flow-logs-1a2b3c4")
    return name, {"name": name, "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"}


def _node_group(inputs: Properties) -> Answer:
    name = f"{inputs['nodeGroupNamePrefix']}20260101"
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:nodegroup/{inputs['clusterName']}/{name}/1"
    return f"{inputs['clusterName']}:{name}", {"nodeGroupName": name, "arn": arn, "status": "ACTIVE"}


RESOURCES: Mapping[str, Callable[[Properties], Answer]] = {
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _identified("sg"),
    "aws:ec2/eip:Eip": _identified("eipalloc", publicIp="203.0.113.10"),
    "aws:ec2/flowLog:FlowLog": _identified("fl"),
    "aws:ec2/internetGateway:InternetGateway": _identified("igw"),
    "aws:ec2/launchTemplate:LaunchTemplate": _identified("lt", latestVersion=1.0),
    "aws:ec2/natGateway:NatGateway": _identified("nat"),
    "aws:ec2/route:Route": _identified("r"),
    "aws:ec2/routeTable:RouteTable": _identified("rtb"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _identified("rtbassoc"),
    "aws:ec2/securityGroup:SecurityGroup": _identified("sg"),
    "aws:ec2/subnet:Subnet": _identified("subnet"),
    "aws:ec2/vpc:Vpc": _identified("vpc"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _identified("vpce"),
    "aws:eks/accessEntry:AccessEntry": _identified("access-entry", "eks"),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _identified("association", "eks"),
    "aws:eks/nodeGroup:NodeGroup": _node_group,
    "aws:iam/rolePolicy:RolePolicy": _identified("policy", "iam"),
    "aws:kms/key:Key": _identified("key", "kms"),
}


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
