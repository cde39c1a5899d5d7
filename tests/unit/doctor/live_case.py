"""Fake AWS and fake Kubernetes API with the resources of `healthy_cases.irsa_facts`.

The AWS clients are those of boto3. They validate each request against the model of the service, and an event handler
answers instead of the network.
"""

import base64
import functools
import json
import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config

from tests.unit.doctor.healthy_cases import AUDIENCE, CLUSTER_ARN, KEY_ARN, PROVIDER, ROLE, SUBJECT, managed_policy
from tests.unit.doctor.healthy_cases import trust_policy as build_trust_policy
from tests.unit.doctor.reach_faults import STS_TIMEOUT
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION
from tests.unit.kubernetes_api import Api

POLICY = managed_policy("AmazonEBSCSIDriverPolicyV2")
ERROR = 400
KERNEL = "6.1.141-155.222.amzn2023.x86_64"


INSTANCE = {
    "InstanceId": "i-a", "MetadataOptions": {"HttpPutResponseHopLimit": 1}, "VpcId": "vpc-1", "SubnetId": "subnet-a",
    "PrivateIpAddress": "10.0.0.5", "SecurityGroups": [{"GroupId": "sg-node"}],
    "Placement": {"AvailabilityZone": f"{REGION}a"},
}  # fmt: skip


class AwsError(Exception):
    """Error of an operation."""

    def __init__(self, code: str, message: str = "denied") -> None:
        self.response = {"Error": {"Code": code, "Message": message}}


Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]
_CREATING = threading.Lock()
"""A session of boto3 may create clients in one thread at a time."""


@functools.cache
def load_session() -> boto3.Session:
    """Return one session for all tests. Each session reads the models of its services, a second for EC2 alone."""
    return boto3.Session()


@dataclass
class FakeAws:
    """boto3 session with an answer for each operation."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Service prefix of IAM and operation of each call."""
    signed: dict[str, bool] = field(default_factory=dict)
    """Whether the last call of an operation had credentials."""

    region_name = REGION

    def client(self, service_name: str, *, config: Config) -> Any:
        service = service_name
        with _CREATING:
            client = load_session().client(
                service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x", config=config
            )
        # Threads share a client. The handlers of one call run in one thread.
        given = threading.local()

        def keep(params: dict[str, Any], **_: Any) -> None:
            given.params = params

        def answer(model: Any, request_signer: Any, **_: Any) -> tuple[Any, Mapping[str, Any]]:
            prefix = {"service-quotas": "servicequotas"}.get(service, service)
            self.calls.append((prefix, model.name))
            self.signed[model.name] = isinstance(request_signer.signature_version, str)
            try:
                return SimpleNamespace(status_code=200), deepcopy(self.answers[model.name](given.params))
            except AwsError as error:
                return SimpleNamespace(status_code=ERROR), {**error.response, "ResponseMetadata": {}}

        client.meta.events.register("provide-client-params.*.*", keep)
        client.meta.events.register("before-call.*.*", answer)
        return client

    def deny(self, operation: str, code: str = "AccessDenied") -> None:
        def answer(_: Mapping[str, Any]) -> Mapping[str, Any]:
            raise AwsError(code)

        self.answers[operation] = answer


def build_aws() -> FakeAws:
    """Return the account with the role of the driver and the cluster."""
    cluster = {
        "name": "prod", "arn": CLUSTER_ARN, "status": "ACTIVE", "version": "1.35",
        "identity": {"oidc": {"issuer": ISSUER}}, "accessConfig": {"authenticationMode": "API"},
    }  # fmt: skip
    addon = {
        "addonName": "aws-ebs-csi-driver", "addonVersion": "v1.50.0-eksbuild.1", "status": "ACTIVE",
        "serviceAccountRoleArn": ROLE, "configurationValues": '{"controller": {"env": [{"value": "HIDDEN"}]}}',
    }  # fmt: skip
    role = {"Arn": ROLE, "AssumeRolePolicyDocument": quote(build_trust_policy())}
    allowed = [{"EvalActionName": "ec2:CreateVolume", "EvalDecision": "allowed"}]
    table = {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": True}]}
    endpoint = {
        "VpcEndpointId": "vpce-sts", "VpcId": "vpc-1", "ServiceName": f"com.amazonaws.{REGION}.sts",
        "State": "available", "PrivateDnsEnabled": True, "SubnetIds": ["subnet-a"], "Groups": [{"GroupId": "sg-e"}],
    }  # fmt: skip
    return FakeAws(
        {
            "GetCallerIdentity": lambda _: {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/a", "UserId": "A"},
            "DescribeCluster": lambda _: {"cluster": cluster},
            "ListOpenIDConnectProviders": lambda _: {"OpenIDConnectProviderList": [{"Arn": PROVIDER}]},
            "GetOpenIDConnectProvider": lambda _: {"ClientIDList": [AUDIENCE]},
            "ListPodIdentityAssociations": lambda _: {"associations": []},
            "DescribePodIdentityAssociation": lambda _: {"association": {"roleArn": ROLE}},
            "ListAddons": lambda _: {"addons": ["aws-ebs-csi-driver"]},
            "DescribeAddon": lambda _: {"addon": addon},
            "GetRole": lambda _: {"Role": role},
            "ListAttachedRolePolicies": lambda _: {"AttachedPolicies": [{"PolicyArn": POLICY.name}]},
            "ListRolePolicies": lambda _: {"PolicyNames": []},
            "GetRolePolicy": lambda _: {"PolicyDocument": quote('{"Statement": []}')},
            "GetPolicy": lambda _: {"Policy": {"DefaultVersionId": "v1"}},
            "GetPolicyVersion": lambda _: {"PolicyVersion": {"Document": quote(POLICY.document)}},
            "SimulatePrincipalPolicy": lambda _: {"EvaluationResults": allowed},
            "DescribeKey": lambda given: {
                "KeyMetadata": {"KeyId": given["KeyId"], "Arn": KEY_ARN, "KeyState": "Enabled"}
            },
            "GetKeyPolicy": lambda _: {"Policy": "{}"},
            "DescribeInstances": lambda _: {"Reservations": [{"Instances": [INSTANCE]}]},
            "DescribeRouteTables": lambda _: {"RouteTables": [table]},
            "DescribeVpcEndpoints": lambda _: {"VpcEndpoints": [endpoint]},
            "DescribeSecurityGroups": lambda _: {"SecurityGroups": [{"GroupId": "sg-e"}]},
            "DescribeVolumesModifications": lambda given: {
                "VolumesModifications": [
                    {
                        "VolumeId": each,
                        "ModificationState": "optimizing",
                        "StartTime": datetime(2026, 11, 28, 8, tzinfo=UTC),
                        "Progress": 40,
                    }
                    for each in given["Filters"][0]["Values"]
                ]
            },
            "GetEbsEncryptionByDefault": lambda _: {"EbsEncryptionByDefault": True},
            "GetEbsDefaultKmsKeyId": lambda _: {"KmsKeyId": "alias/aws/ebs"},
            "ListServiceQuotas": lambda _: {"Quotas": [{"QuotaName": "gp2", "QuotaCode": "L-1", "Value": 50.0}]},
            "AssumeRoleWithWebIdentity": lambda _: {"Credentials": {"SecretAccessKey": "HIDDEN"}},
        }
    )


def encode_token(**claims: Any) -> str:
    """Return a token with claims and without a valid signature."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.HIDDEN"


def manifest(name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    """Return a Kubernetes object."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"metadata": metadata, **fields}


def build_pod(name: str, account: str, namespace: str, **spec: Any) -> dict[str, Any]:
    """Return a running pod."""
    owner = {"kind": "ReplicaSet", "name": "ebs-csi-controller-5d8", "controller": True}
    return manifest(
        name,
        namespace,
        metadata={"creationTimestamp": "2026-11-01T10:00:00Z", "ownerReferences": [owner]},
        spec={"serviceAccountName": account, "nodeName": "node-a", **spec},
        status={"phase": "Running", "containerStatuses": [{"ready": True, "restartCount": 0}]},
    )


def fill_cluster(api: Api, *, phase: str = "Bound") -> None:
    """Add the objects of a healthy cluster with one claim to a fake API server."""
    image = "public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1.50.0"
    template = {"spec": {"serviceAccountName": "ebs-csi-controller-sa", "containers": [{"image": image}]}}
    token = {"serviceAccountToken": {"audience": AUDIENCE, "path": "token"}}
    environment = [
        {"name": "AWS_ROLE_ARN", "value": ROLE},
        {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"},
        {"name": "DATABASE_PASSWORD", "value": "HIDDEN"},
    ]
    driver = build_pod(
        "ebs-csi-controller-5d8-x", "ebs-csi-controller-sa", "kube-system",
        containers=[{"name": "ebs-plugin", "env": environment}], volumes=[{"projected": {"sources": [token]}}],
    )  # fmt: skip
    broker = build_pod(
        "broker-0", "default", "rocketmq",
        containers=[{"name": "broker"}], volumes=[{"persistentVolumeClaim": {"claimName": "data-0"}}],
    )  # fmt: skip
    claim = manifest(
        "data-0", "rocketmq",
        spec={"storageClassName": "gp2", "volumeName": "pvc-0", "resources": {"requests": {"storage": "1Gi"}}},
        status={"phase": phase, "capacity": {"storage": "1Gi"}},
    )  # fmt: skip
    event = manifest(
        "e", "rocketmq", reason="ProvisioningFailed", message="token=HIDDEN eyJhbGciOi.eyJHIDDEN.HIDDEN failed",
        involvedObject={"kind": "PersistentVolumeClaim", "namespace": "rocketmq", "name": "data-0"},
        lastTimestamp="2026-11-28T10:00:00Z",
    )  # fmt: skip
    node = manifest(
        "node-a",
        metadata={"labels": {"topology.kubernetes.io/zone": f"{REGION}a", "node.kubernetes.io/instance-type": "m7i"}},
        spec={"providerID": f"aws:///{REGION}a/i-a"},
        status={"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kernelVersion": KERNEL}},
    )
    affinity = {"key": "topology.kubernetes.io/zone", "values": [f"{REGION}a"]}
    volume = manifest(
        "pvc-0",
        spec={
            "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-0", "fsType": "xfs"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [affinity]}]}},
        },
    )
    account = manifest(
        "ebs-csi-controller-sa", "kube-system", metadata={"annotations": {"eks.amazonaws.com/role-arn": ROLE}}
    )
    deployment = manifest(
        "ebs-csi-controller", "kube-system", spec={"replicas": 1, "template": template}, status={"readyReplicas": 1}
    )
    daemon_set = manifest(
        "ebs-csi-node", "kube-system", spec={"template": template},
        status={"desiredNumberScheduled": 1, "numberReady": 1},
    )  # fmt: skip
    other = manifest("web", "apps", spec={"template": {"spec": {"containers": [{"image": "nginx"}]}}})
    drivers = [{"name": "ebs.csi.aws.com", "allocatable": {"count": 27}}]
    class_ = manifest("gp2", provisioner="kubernetes.io/aws-ebs", volumeBindingMode="WaitForFirstConsumer")
    class_["parameters"] = {"type": "gp2", "csi.storage.k8s.io/provisioner-secret-name": "HIDDEN"}
    attachment = manifest("a", spec={"nodeName": "node-a", "source": {"persistentVolumeName": "pvc-0"}})
    lists: dict[str, list[dict[str, Any]]] = {
        "/api/v1/serviceaccounts": [account],
        "/apis/apps/v1/deployments": [deployment, other],
        "/apis/apps/v1/daemonsets": [daemon_set],
        "/api/v1/persistentvolumeclaims": [claim],
        "/api/v1/persistentvolumes": [volume],
        "/api/v1/nodes": [node],
        "/apis/storage.k8s.io/v1/storageclasses": [class_],
        "/apis/storage.k8s.io/v1/csidrivers": [manifest("ebs.csi.aws.com")],
        "/apis/storage.k8s.io/v1/csinodes": [manifest("node-a", spec={"drivers": drivers})],
        "/apis/storage.k8s.io/v1/volumeattachments": [attachment],
        "/api/v1/namespaces/kube-system/pods": [driver],
        "/api/v1/namespaces/rocketmq/pods": [broker],
        "/api/v1/namespaces/kube-system/events": [],
        "/api/v1/namespaces/rocketmq/events": [event],
    }
    api.objects |= {path: {"items": items} for path, items in lists.items()}
    api.objects[WEBHOOK] = manifest("pod-identity-webhook")
    api.objects["/api/v1/namespaces/kube-system/pods/ebs-csi-controller-5d8-x/log"] = {"text": "started\nready"}
    token_text = encode_token(iss=ISSUER, sub=SUBJECT, aud=[AUDIENCE])
    api.refusals["POST", TOKEN] = {"code": 201, "status": {"token": token_text}}


def fill_growth(api: Api) -> None:
    """Let EC2 reject the growth of the bound claim."""
    fill_cluster(api)
    api.objects["/api/v1/persistentvolumeclaims"]["items"][0]["status"]["capacity"] = {"storage": "512Mi"}
    (event,) = api.objects["/api/v1/namespaces/rocketmq/events"]["items"]
    event |= {"reason": "VolumeResizeFailed", "message": "VolumeModificationRateExceeded: wait"}


def fill_default_key(api: Api) -> None:
    """Let the claim wait because of a key, in a class that names none."""
    fill_cluster(api, phase="Pending")
    api.objects["/api/v1/namespaces/rocketmq/events"]["items"][0]["message"] = "InvalidVolume.NotFound: no volume"


def fill_unreachable(api: Api) -> None:
    """Let the driver not reach STS while the claim waits."""
    fill_cluster(api, phase="Pending")
    api.objects["/api/v1/namespaces/kube-system/pods/ebs-csi-controller-5d8-x/log"] = {"text": STS_TIMEOUT}


WEBHOOK = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/pod-identity-webhook"
TOKEN = "/api/v1/namespaces/kube-system/serviceaccounts/ebs-csi-controller-sa/token"
