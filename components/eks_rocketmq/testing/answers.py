"""Default answers of AWS and Kubernetes in a test: lookups, and the outputs of resources. Pure."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.aws_identifiers import format_subject
from eks_rocketmq.eks.ebs.self_managed_driver import NAMESPACE, SERVICE_ACCOUNT
from eks_rocketmq.eks.iam.policy_documents import build_web_identity_statements

Inputs = Mapping[str, Any]
"""Arguments of a lookup or inputs of a resource, in the provider's own (camelCase) names."""
Outputs = dict[str, Any]

CLUSTER_COMPONENT = "eks:index:Cluster"
_EC2_IDS = {
    "eip": "eipalloc",
    "flowLog": "fl",
    "internetGateway": "igw",
    "launchTemplate": "lt",
    "natGateway": "nat",
    "routeTable": "rtb",
    "routeTableAssociation": "rtbassoc",
    "securityGroup": "sg",
    "vpcEndpoint": "vpce",
}
_DIRECTIONS = {"north": "n", "south": "s", "east": "e", "west": "w", "central": "c", "northeast": "ne"} | {
    "southeast": "se",
    "northwest": "nw",
    "southwest": "sw",
}


@dataclass(frozen=True)
class Account:
    """AWS account of a test, with an EKS cluster for each name that is looked up."""

    region: str
    account_id: str
    kubernetes_version: str

    @property
    def partition(self) -> str:
        """Partition of the region."""
        return "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if "-gov-" in self.region else "aws"

    @property
    def issuer(self) -> str:
        """OIDC issuer of the cluster, with `https://`."""
        return f"https://oidc.eks.{self.region}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """Return an ARN in this account."""
        return f"arn:{self.partition}:{service}:{self.region if region else ''}:{self.account_id}:{resource}"

    def zones(self) -> tuple[list[str], list[str]]:
        """Return names and ids of three availability zones."""
        continent, *middle, number = self.region.split("-")
        short = continent + "".join(_DIRECTIONS.get(word, word[0]) for word in middle) + number
        return [f"{self.region}{letter}" for letter in "abc"], [f"{short}-az{number}" for number in (1, 2, 3)]

    def cluster(self, name: str) -> Outputs:
        """Return the description of an ACTIVE cluster, as EKS gives it."""
        return {
            "arn": self.arn("eks", f"cluster/{name}"),
            "endpoint": f"https://0123456789ABCDEF0123456789ABCDEF.gr7.{self.region}.eks.amazonaws.com",
            "identities": [{"oidcs": [{"issuer": self.issuer}]}],
            "name": name,
            "status": "ACTIVE",
            "version": self.kubernetes_version,
        }


def _describe_network(inputs: Inputs) -> Outputs:
    return {
        "clusterSecurityGroupId": "sg-0c1a5703",
        "securityGroupIds": [],
        "subnetIds": [],
        "vpcId": "vpc-0c1a5703",
        **inputs,
    }


def _get_cluster(account: Account, inputs: Inputs) -> Outputs:
    return {
        **account.cluster(inputs["name"]),
        "id": inputs["name"],
        "certificateAuthorities": [{"data": "Q0VSVElGSUNBVEU="}],
        "vpcConfig": _describe_network({}),
        "tags": {},
    }


def _get_addon(account: Account, inputs: Inputs) -> Outputs:
    return {
        "id": f"{inputs['clusterName']}:{inputs['addonName']}",
        "addonName": inputs["addonName"],
        "addonVersion": "v1.62.0-eksbuild.1",
        "arn": account.arn("eks", f"addon/{inputs['clusterName']}/{inputs['addonName']}/0"),
        "clusterName": inputs["clusterName"],
        "podIdentityAssociations": [],
        "serviceAccountRoleArn": account.arn("iam", f"role/{inputs['clusterName']}-ebs-csi-driver", region=False),
    }


def _get_oidc_provider(account: Account, inputs: Inputs) -> Outputs:
    host = inputs.get("url", "").removeprefix("https://") or inputs["arn"].partition("/")[2]
    arn = account.arn("iam", f"oidc-provider/{host}", region=False)
    url = inputs.get("url", host)
    return {"id": arn, "arn": arn, "url": url, "clientIdLists": ["sts.amazonaws.com"], "thumbprintLists": []}


def _get_role(account: Account, inputs: Inputs) -> Outputs:
    """Return a role that the EBS CSI driver of the cluster can assume, by IRSA or EKS Pod Identity."""
    name, provider = inputs["name"], _get_oidc_provider(account, {"url": account.issuer})["arn"]
    subject = format_subject(NAMESPACE, SERVICE_ACCOUNT)
    statements = [
        *build_web_identity_statements(provider, account.issuer, [subject]),
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        },
    ]
    return {
        "id": name,
        "name": name,
        "arn": account.arn("iam", f"role/{name}", region=False),
        "assumeRolePolicy": json.dumps({"Version": "2012-10-17", "Statement": statements}),
    }


def _get_caller(account: Account, _: Inputs) -> Outputs:
    arn = account.arn("iam", "user/deployer", region=False)
    return {"id": account.account_id, "accountId": account.account_id, "arn": arn, "userId": "AIDAEXAMPLE"}


def _get_zones(account: Account, _: Inputs) -> Outputs:
    names, ids = account.zones()
    return {"id": account.region, "names": names, "zoneIds": ids, "groupNames": [account.region]}


def _get_endpoint_service(account: Account, inputs: Inputs) -> Outputs:
    filters = {each["name"]: each["values"][0] for each in inputs.get("filters", [])}
    name = filters.get("service-name", f"com.amazonaws.{account.region}.{inputs.get('service', 'sts')}")
    return {"id": name, "serviceName": name, "serviceType": "Interface"}


LOOKUPS: Mapping[str, Callable[[Account, Inputs], Outputs]] = {
    "aws:ec2/getVpcEndpointService:getVpcEndpointService": _get_endpoint_service,
    "aws:eks/getAddon:getAddon": _get_addon,
    "aws:eks/getAddonVersion:getAddonVersion": lambda _, given: {**given, "id": "v1", "version": "v1.62.0-eksbuild.1"},
    "aws:eks/getCluster:getCluster": _get_cluster,
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": _get_oidc_provider,
    "aws:iam/getRole:getRole": _get_role,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _get_zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _get_caller,
    "aws:index/getPartition:getPartition": lambda account, _: {"id": account.partition, "partition": account.partition},
    "aws:index/getRegion:getRegion": lambda account, _: {"id": account.region, "region": account.region},
}
"""Answers to all lookups that components make."""


def make_suffix(text: str) -> str:
    """Return eight hexadecimal digits that depend only on the text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _create_role(account: Account, name: str, inputs: Inputs) -> Outputs:
    resource_name = inputs.get("name", f"{name}-{make_suffix(name)}")
    return {
        "id": resource_name,
        "name": resource_name,
        "arn": account.arn("iam", f"role{inputs.get('path', '/')}{resource_name}", region=False),
    }


def _create_policy(account: Account, name: str, inputs: Inputs) -> Outputs:
    resource_name = inputs.get("name", f"{name}-{make_suffix(name)}")
    arn = account.arn("iam", f"policy{inputs.get('path', '/')}{resource_name}", region=False)
    return {"id": arn, "name": resource_name, "arn": arn}


def _create_log_group(account: Account, name: str, inputs: Inputs) -> Outputs:
    resource_name = inputs.get("name", f"{name}-{make_suffix(name)}")
    return {"id": resource_name, "name": resource_name, "arn": account.arn("logs", f"log-group:{resource_name}")}


def _create_node_group(account: Account, name: str, inputs: Inputs) -> Outputs:
    resource_name, cluster = f"{inputs.get('nodeGroupNamePrefix', '')}{make_suffix(name)}", inputs.get("clusterName")
    arn = account.arn("eks", f"nodegroup/{cluster}/{resource_name}/0")
    return {"id": f"{cluster}:{resource_name}", "nodeGroupName": resource_name, "arn": arn, "status": "ACTIVE"}


def _create_addon(account: Account, _: str, inputs: Inputs) -> Outputs:
    return {key: _get_addon(account, inputs)[key] for key in ("id", "arn", "addonVersion")} | dict(inputs)


def _create_eip(account: Account, name: str, inputs: Inputs) -> Outputs:
    return {
        **_create_aws_resource("aws:ec2/eip:Eip", account, name, inputs),
        "publicIp": f"203.0.113.{int(make_suffix(name), 16) % 256}",
    }


def _create_launch_template(account: Account, name: str, inputs: Inputs) -> Outputs:
    return {**_create_aws_resource("aws:ec2/launchTemplate:LaunchTemplate", account, name, inputs), "latestVersion": 1}


def _create_password(_: Account, name: str, inputs: Inputs) -> Outputs:
    text = hashlib.sha256(f"{name}{inputs.get('keepers')}".encode()).hexdigest()
    return {"id": "none", "result": text[: int(inputs["length"])], "bcryptHash": "$2a$10$"}


_RESOURCES: Mapping[str, Callable[[Account, str, Inputs], Outputs]] = {
    "aws:cloudwatch/logGroup:LogGroup": _create_log_group,
    "aws:ec2/eip:Eip": _create_eip,
    "aws:ec2/launchTemplate:LaunchTemplate": _create_launch_template,
    "aws:eks/addon:Addon": _create_addon,
    "aws:eks/nodeGroup:NodeGroup": _create_node_group,
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": lambda account, _, inputs: _get_oidc_provider(
        account, inputs
    ),
    "aws:iam/policy:Policy": _create_policy,
    "aws:iam/role:Role": _create_role,
    "random:index/randomPassword:RandomPassword": _create_password,
}


def compute_outputs(type_: str, account: Account, name: str, inputs: Inputs) -> Outputs:
    """Return the id of a new resource and the outputs that its provider adds to the inputs."""
    if type_ in _RESOURCES:
        return _RESOURCES[type_](account, name, inputs)
    if type_.startswith("kubernetes:"):
        return _create_kubernetes_object(type_.rsplit(":", 1)[-1], name, inputs)
    return _create_aws_resource(type_, account, name, inputs)


def _create_aws_resource(type_: str, account: Account, name: str, inputs: Inputs) -> Outputs:
    """Return id and ARN of an AWS resource; of another provider the id alone."""
    package, module, _ = type_.split(":")
    if package != "aws":
        return {"id": f"{name}-{make_suffix(name)}"}
    service, _, kind = module.partition("/")
    resource_name = inputs.get("name", f"{name}-{make_suffix(name)}")
    if service == "ec2":
        resource_name = f"{_EC2_IDS.get(kind, kind)}-{make_suffix(name)}"
    return {"id": resource_name, "arn": account.arn(service, f"{kind}/{resource_name}")}


def _create_kubernetes_object(kind: str, name: str, inputs: Inputs) -> Outputs:
    """Return a Kubernetes object, as the API server returns it."""
    metadata = {"name": f"{name}-{make_suffix(name)}", **inputs.get("metadata", {}), "uid": f"{make_suffix(name)}-0000"}
    id_ = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    outputs = {"id": id_, "metadata": metadata}
    if kind != "Service":
        return outputs
    spec = dict(inputs.get("spec", {}))
    spec["clusterIP"] = spec.get("clusterIP", "10.100.0.1")
    if spec.get("type") in {"LoadBalancer", "NodePort"}:
        numbered = enumerate(spec.get("ports", []))
        spec["ports"] = [{"nodePort": 30000 + index, **port} for index, port in numbered]
    host = f"{metadata['name']}.elb.example.com"
    status = {"loadBalancer": {"ingress": [{"hostname": host}]}} if spec.get("type") == "LoadBalancer" else {}
    return {**outputs, "spec": spec, "status": status}


def read_object(type_: str, id_: str) -> Outputs:
    """Return the object with an id. A StorageClass has the settings of EBS, any other object only its name."""
    *namespace, name = id_.split("/")
    found: Outputs = {"id": id_, "metadata": {"name": name, **({"namespace": namespace[0]} if namespace else {})}}
    if type_ != "kubernetes:storage.k8s.io/v1:StorageClass":
        return found
    # The default class of EKS still uses the in-tree provisioner.
    provisioner = "kubernetes.io/aws-ebs" if name == "gp2" else "ebs.csi.aws.com"
    return {**found, "provisioner": provisioner, "volumeBindingMode": "WaitForFirstConsumer", "reclaimPolicy": "Delete"}


def create_cluster(account: Account, inputs: Inputs) -> Outputs:
    """Return the outputs of the `aws:eks/cluster:Cluster` that `eks:index:Cluster` creates."""
    return {
        **account.cluster(inputs["name"]),
        "id": inputs["name"],
        "certificateAuthority": {"data": "Q0VSVElGSUNBVEU="},
        "vpcConfig": _describe_network({"subnetIds": inputs.get("subnetIds", [])}),
    }
