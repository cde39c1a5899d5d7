"""Fake responses of the providers. A resource type or function without a fake fails the test and is named."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eks_rocketmq.eks.iam.policy_documents import build_web_identity_trust_policy
from tests.unit.harness import new_cluster

ACCOUNT = "140023393377"
REGION = "ap-southeast-1"
ISSUER = f"https://oidc.eks.{REGION}.amazonaws.com/id/8DE440F2238C6B959FB7C65EA52AF80B"
CLUSTER_IP = "10.100.0.1"

Properties = Mapping[str, Any]
Answer = tuple[str, dict[str, Any]]
"""ID and computed outputs. The inputs are outputs too."""
Invoke = Callable[[Properties], Properties]


def cluster(arguments: Properties) -> dict[str, Any]:
    """Return the DescribeCluster response for a healthy cluster."""
    name = arguments["name"]
    return {
        "id": name,
        "name": name,
        "arn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}",
        "version": "1.35",
        "status": "ACTIVE",
        "endpoint": "https://8DE440F2238C6B959FB7C65EA52AF80B.gr7.ap-southeast-1.eks.amazonaws.com",
        "region": REGION,
        "certificateAuthorities": [{"data": "Q0VSVElGSUNBVEU="}],
        "identities": [{"oidcs": [{"issuer": ISSUER}]}],
        "vpcConfig": {
            "clusterSecurityGroupId": "sg-0123",
            "securityGroupIds": ["sg-0456"],
            "subnetIds": ["subnet-a", "subnet-b", "subnet-c"],
            "vpcId": "vpc-0123",
            "endpointPrivateAccess": True,
            "endpointPublicAccess": False,
            "publicAccessCidrs": [],
        },
    }


def auto_mode_cluster(arguments: Properties) -> dict[str, Any]:
    """Return the DescribeCluster response for a cluster with EKS Auto Mode."""
    return {**cluster(arguments), "storageConfigs": [{"blockStorages": [{"enabled": True}]}]}


def _role(inputs: Properties) -> Answer:
    name = inputs.get("name", "role-1a2b3c4")
    path = inputs.get("path", "/")
    return name, {
        "name": name,
        "arn": f"arn:aws:iam::{ACCOUNT}:role{path}{name}",
        "uniqueId": "AROA",
        "createDate": "2026-01-01",
    }


def _existing_role(arguments: Properties) -> Properties:
    """Return a role that the EBS CSI driver can assume with its token."""
    name, provider = arguments["name"], f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
    trust = build_web_identity_trust_policy(
        provider, ISSUER, ["system:serviceaccount:kube-system:ebs-csi-controller-sa"]
    )
    return {"name": name, "arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "assumeRolePolicy": trust}


def _existing_oidc_provider(arguments: Properties) -> Properties:
    host = arguments.get("url", "").removeprefix("https://") or arguments["arn"].partition("/")[2]
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
    return {"arn": arn, "url": host, "clientIdLists": ["sts.amazonaws.com"]}


def _oidc_provider(inputs: Properties) -> Answer:
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{inputs['url'].removeprefix('https://')}"
    return arn, {"arn": arn, "thumbprintLists": inputs.get("thumbprintLists", [])}


def _missing_addon(arguments: Properties) -> Properties:
    msg = f"reading EKS Add-On ({arguments['clusterName']}:{arguments['addonName']}): couldn't find resource"
    raise ProviderError(msg)


def _attachment(inputs: Properties) -> Answer:
    return f"{inputs['role']}-20260101", {}


def _exclusive(inputs: Properties) -> Answer:
    return inputs["roleName"], {}


def _policy(inputs: Properties) -> Answer:
    arn = f"arn:aws:iam::{ACCOUNT}:policy{inputs.get('path', '/')}{inputs['name']}"
    return arn, {"arn": arn, "policyId": "ANPA"}


def _pod_identity_association(inputs: Properties) -> Answer:
    return f"{inputs['clusterName']},a-0123456789abcdef0", {"associationId": "a-0123456789abcdef0"}


def _addon(inputs: Properties) -> Answer:
    name = inputs["addonName"]
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:addon/{inputs['clusterName']}/{name}/0"
    version = inputs.get("addonVersion", "v1.62.0-eksbuild.1")
    return f"{inputs['clusterName']}:{name}", {"arn": arn, "addonVersion": version}


def _password(inputs: Properties) -> Answer:
    """Return a password of the requested length that depends on the keepers."""
    seed = repr(sorted(inputs.get("keepers", {}).items()))
    return "none", {"result": hashlib.sha256(seed.encode()).hexdigest()[: inputs["length"]], "bcryptHash": "$2a$10$"}


def _provider(inputs: Properties) -> Answer:  # noqa: ARG001 - one signature for all fakes
    return "4f6a3b1c", {}


def gp2_class(id_: str) -> dict[str, Any]:
    """Return the StorageClass that EKS creates in each cluster."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": id_, "uid": "11111111-1111-1111-1111-111111111111"},
        "provisioner": "kubernetes.io/aws-ebs",
        "parameters": {"fsType": "ext4", "type": "gp2"},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def kubernetes_object(name: str, inputs: Properties) -> Answer:
    """Return a Kubernetes object. Its ID is `namespace/name`. A missing name is generated as the provider does it."""
    metadata = dict(inputs.get("metadata", {}))
    if "name" not in metadata:
        metadata["name"] = f"{name}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    place = [metadata["namespace"], metadata["name"]] if "namespace" in metadata else [metadata["name"]]
    return "/".join(place), {"metadata": metadata | {"uid": "00000000-0000-0000-0000-000000000000"}}


def assign_address(service: Properties) -> Properties:
    """Return the spec of a Service with a cluster IP, as the API server assigns it."""
    return {"spec": {"clusterIP": CLUSTER_IP, **service["spec"]}}


class ProviderError(Exception):
    """Error of a provider. The program receives it in the wording of the engine."""


@dataclass(frozen=True)
class Fakes:
    """Responses of the providers in one run. Replace an entry to fake another account."""

    resources: Mapping[str, Callable[[Properties], Answer]] = field(
        default_factory=lambda: {
            "aws:iam/role:Role": _role,
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _oidc_provider,
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _attachment,
            "aws:iam/policy:Policy": _policy,
            "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": _exclusive,
            "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive": _exclusive,
            "aws:eks/addon:Addon": _addon,
            "aws:eks/podIdentityAssociation:PodIdentityAssociation": _pod_identity_association,
            "random:index/randomPassword:RandomPassword": _password,
            "pulumi:providers:kubernetes": _provider,
            "pulumi:providers:aws": _provider,
            **new_cluster.RESOURCES,
        }
    )
    invokes: Mapping[str, Invoke] = field(
        default_factory=lambda: {
            "aws:eks/getAddon:getAddon": _missing_addon,
            "aws:eks/getCluster:getCluster": cluster,
            "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": _existing_oidc_provider,
            "aws:iam/getRole:getRole": _existing_role,
            "aws:index/getPartition:getPartition": lambda _: {
                "id": "aws",
                "partition": "aws",
                "dnsSuffix": "amazonaws.com",
                "reverseDnsPrefix": "com.amazonaws",
            },
            "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {
                "id": ACCOUNT,
                "accountId": ACCOUNT,
                "arn": f"arn:aws:iam::{ACCOUNT}:user/deployer",
                "userId": "AIDA",
            },
            **new_cluster.INVOKES,
        }
    )

    reads: Mapping[str, Callable[[str], Properties]] = field(
        default_factory=lambda: {"kubernetes:storage.k8s.io/v1:StorageClass": gp2_class}
    )

    def reading(self, type_: str, answer: Callable[[str], Properties]) -> "Fakes":
        """Return these fakes with another response to reads of one type."""
        return replace(self, reads={**self.reads, type_: answer})

    def answering(self, token: str, answer: Invoke) -> "Fakes":
        """Return these fakes with another response to one function."""
        return replace(self, invokes={**self.invokes, token: answer})

    def create(self, type_: str, name: str, inputs: Properties) -> Answer:
        """Return ID and computed outputs of a new resource.

        Raises:
            KeyError: for a type that has no fake.
        """
        if type_.startswith("kubernetes:"):
            id_, outputs = kubernetes_object(name, inputs)
            return id_, {**outputs, **(assign_address(inputs) if type_.endswith(":Service") else {})}
        if type_ in new_cluster.IDENTIFIED and type_ not in self.resources:
            return new_cluster.identified(type_, name)
        if type_ not in self.resources:
            msg = f"no fake for the resource type {type_} ({name}); add it to tests/unit/harness/fakes.py"
            raise KeyError(msg)
        return self.resources[type_](inputs)

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Return the response to a provider function.

        Raises:
            KeyError: for a function that has no fake.
        """
        if token not in self.invokes:
            msg = f"no fake for the function {token}; add it to tests/unit/harness/fakes.py"
            raise KeyError(msg)
        return self.invokes[token](arguments)

    def read(self, type_: str, id_: str) -> Properties:
        """Return the live state of a resource that the program only reads.

        Raises:
            KeyError: for a type that has no fake.
        """
        if type_ not in self.reads:
            msg = f"no fake for reading {type_} ({id_}); add it to tests/unit/harness/fakes.py"
            raise KeyError(msg)
        return self.reads[type_](id_)
