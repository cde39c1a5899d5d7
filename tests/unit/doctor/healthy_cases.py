"""Facts of healthy clusters: the stacks `prod` and `staging`, Pod Identity, a self-managed driver, EKS Auto Mode."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from eks_rocketmq.doctor.facts.cluster_facts import (
    AccountFacts,
    AddonFacts,
    ClaimFacts,
    ClusterFacts,
    CsiNodeFacts,
    EventFacts,
    Facts,
    NodeFacts,
    OidcProviderFacts,
    PodFacts,
    PodIdentityFacts,
    PolicyFacts,
    RoleFacts,
    ServiceAccountFacts,
    StorageClassFacts,
    VolumeFacts,
    WorkloadFacts,
)
from eks_rocketmq.eks.ebs.ebs_csi_policy import PolicyScope, build_volume_policy
from eks_rocketmq.eks.iam.policy_documents import build_web_identity_trust_policy
from tests.unit.harness import REPOSITORY
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION

HOST = ISSUER.removeprefix("https://")
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/eks-ebs-csi-driver"
SUBJECT = "system:serviceaccount:kube-system:ebs-csi-controller-sa"
AUDIENCE = "sts.amazonaws.com"
CLUSTER_ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DRIVER_IMAGE = "public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1.50.0"
_POLICIES = REPOSITORY / "sandbox" / "aws" / "policies" / "documents"
ZONES = ("a", "b", "c")


def managed_policy(name: str) -> PolicyFacts:
    """Return a policy of AWS with the document that AWS published."""
    document = json.loads((_POLICIES / f"{name}.json").read_text())
    document = document.get("document", document)
    return PolicyFacts(f"arn:aws:iam::aws:policy/{name}", json.dumps(document))


def trust_policy(
    conditions: Mapping[str, Any] | None = None,
    *,
    federated: str = PROVIDER,
    action: str = "sts:AssumeRoleWithWebIdentity",
    more: list[dict[str, Any]] | None = None,
) -> str:
    """Return a trust policy for the token of the driver, with a changed part."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": federated},
        "Action": action,
        "Condition": conditions
        if conditions is not None
        else {"StringEquals": {f"{HOST}:sub": SUBJECT, f"{HOST}:aud": AUDIENCE}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement, *(more or [])]})


def driver_role(**changes: Any) -> RoleFacts:
    """Return the role of the driver."""
    role = RoleFacts(ROLE, trust_policy=trust_policy(), policies=(managed_policy("AmazonEBSCSIDriverPolicyV2"),))
    return replace(role, **changes)


def driver_pod(name: str = "ebs-csi-controller-1", **changes: Any) -> PodFacts:
    """Return a pod of the controller that has received role and token."""
    pod = PodFacts(
        "kube-system",
        name,
        "ebs-csi-controller-sa",
        node="node-a",
        created="2026-11-01T10:00:00Z",
        environment=(
            ("AWS_ROLE_ARN", ROLE),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
        ),
        token_audiences=(AUDIENCE,),
        owner="Deployment/ebs-csi-controller",
    )
    return replace(pod, **changes)


def broker_pod(number: int = 0, **changes: Any) -> PodFacts:
    """Return a pod of a broker."""
    pod = PodFacts(
        "rocketmq",
        f"rocketmq-broker-a-{number}",
        node=f"node-{ZONES[number]}",
        claims=(f"data-rocketmq-broker-a-{number}",),
        owner="StatefulSet/rocketmq-broker-a",
    )
    return replace(pod, **changes)


def claim(number: int = 0, **changes: Any) -> ClaimFacts:
    """Return a bound claim of a broker."""
    name = f"data-rocketmq-broker-a-{number}"
    return replace(ClaimFacts("rocketmq", name, "Bound", "gp2", volume=f"pvc-{number}"), **changes)


def irsa_facts(**changes: Any) -> Facts:
    """Return the facts of the stack `prod`: an EKS addon with IRSA, and three brokers with bound claims."""
    facts = Facts(
        AccountFacts("aws", ACCOUNT, REGION),
        ClusterFacts("prod", CLUSTER_ARN, "ACTIVE", "1.35", ISSUER, "API"),
        providers=(OidcProviderFacts(PROVIDER, (AUDIENCE,)),),
        roles=(driver_role(),),
        addons=(AddonFacts("aws-ebs-csi-driver", "v1.50.0-eksbuild.1", "ACTIVE", ROLE),),
        service_accounts=(ServiceAccountFacts("kube-system", "ebs-csi-controller-sa", ROLE),),
        workloads=(
            WorkloadFacts(
                "Deployment", "kube-system", "ebs-csi-controller", "ebs-csi-controller-sa", 2, 2, (DRIVER_IMAGE,), True
            ),
            WorkloadFacts("DaemonSet", "kube-system", "ebs-csi-node", "ebs-csi-node-sa", 3, 3, (DRIVER_IMAGE,), True),
        ),
        pods=(driver_pod(), driver_pod("ebs-csi-controller-2", node="node-b"), *map(broker_pod, range(3))),
        csi_drivers=("ebs.csi.aws.com", "efs.csi.aws.com"),
        csi_nodes=tuple(CsiNodeFacts(f"node-{each}", ("ebs.csi.aws.com",), 27) for each in ZONES),
        nodes=tuple(NodeFacts(f"node-{each}", f"{REGION}{each}", "m7i.large", imds_hop_limit=1) for each in ZONES),
        storage_classes=(StorageClassFacts("gp2", "kubernetes.io/aws-ebs"),),
        claims=tuple(map(claim, range(3))),
        volumes=tuple(
            VolumeFacts(
                f"pvc-{number}",
                "ebs.csi.aws.com",
                f"vol-{number}",
                (f"{REGION}{ZONES[number]}",),
                (f"node-{ZONES[number]}",),
            )
            for number in range(3)
        ),
    )
    return replace(facts, **changes)


def staging_facts(**changes: Any) -> Facts:
    """Return the facts of the stack `staging`: its driver may use the volumes of its own cluster only."""
    settings = yaml.safe_load((REPOSITORY / "Pulumi.staging.yaml").read_text())["config"]
    cluster = settings["eks-rocketmq:cluster"]["clusterName"]
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/{settings['eks-rocketmq:ebsCsi']['roleName']}"
    document = build_volume_policy(PolicyScope("aws", REGION, ACCOUNT, cluster), snapshots=False)
    trust = build_web_identity_trust_policy(PROVIDER, ISSUER, [SUBJECT])
    role = RoleFacts(role_arn, trust_policy=trust, policies=(PolicyFacts("volumes", document),))
    account = ServiceAccountFacts("kube-system", "ebs-csi-controller-sa", role_arn)
    environment = (("AWS_ROLE_ARN", role_arn), *driver_pod().environment[1:])
    facts = irsa_facts(
        cluster=ClusterFacts(cluster, CLUSTER_ARN.replace("/prod", f"/{cluster}"), "ACTIVE", "1.35", ISSUER, "API"),
        roles=(role,),
        addons=(AddonFacts("aws-ebs-csi-driver", "v1.50.0-eksbuild.1", "ACTIVE", role_arn),),
        service_accounts=(account,),
        pods=(driver_pod(environment=environment), *map(broker_pod, range(3))),
    )
    return replace(facts, **changes)


def pod_identity_facts(**changes: Any) -> Facts:
    """Return the facts of a cluster whose driver uses EKS Pod Identity, without an OIDC provider."""
    facts = irsa_facts()
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            }
        ],
    }
    environment = (
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/token"),
    )
    pods = tuple(
        replace(each, environment=environment, token_audiences=("pods.eks.amazonaws.com",))
        if each.namespace == "kube-system"
        else each
        for each in facts.pods  # ty: ignore[not-iterable]
    )
    agent = WorkloadFacts("DaemonSet", "kube-system", "eks-pod-identity-agent", "default", 3, 3)
    facts = replace(
        facts,
        providers=(),
        roles=(driver_role(trust_policy=json.dumps(trust)),),
        pod_identities=(PodIdentityFacts("kube-system", "ebs-csi-controller-sa", ROLE, "a-1"),),
        service_accounts=(ServiceAccountFacts("kube-system", "ebs-csi-controller-sa"),),
        workloads=(*facts.workloads, agent),  # ty: ignore[not-iterable]
        pods=pods,
    )
    return replace(facts, **changes)


def self_managed_facts(**changes: Any) -> Facts:
    """Return the facts of a cluster with a driver of the Helm chart in a namespace of its own."""
    facts = irsa_facts()
    trust = trust_policy(
        {"StringEquals": {f"{HOST}:sub": "system:serviceaccount:storage:ebs", f"{HOST}:aud": AUDIENCE}}
    )
    facts = replace(
        facts,
        addons=(),
        roles=(driver_role(trust_policy=trust),),
        service_accounts=(ServiceAccountFacts("storage", "ebs", ROLE),),
        workloads=(
            WorkloadFacts("Deployment", "storage", "ebs-csi-controller", "ebs", 2, 2, (DRIVER_IMAGE,)),
            WorkloadFacts("DaemonSet", "storage", "ebs-csi-node", "ebs-node", 3, 3, (DRIVER_IMAGE,)),
        ),
        pods=(driver_pod(namespace="storage", service_account="ebs"), *map(broker_pod, range(3))),
    )
    return replace(facts, **changes)


def auto_mode_facts(**changes: Any) -> Facts:
    """Return the facts of a cluster of EKS Auto Mode, whose driver needs no role in the cluster."""
    facts = irsa_facts()
    facts = replace(
        facts,
        cluster=ClusterFacts("prod", CLUSTER_ARN, "ACTIVE", "1.35", ISSUER, "API", auto_mode_storage=True),
        providers=(),
        roles=(),
        addons=(),
        service_accounts=(ServiceAccountFacts("rocketmq", "default"),),
        workloads=(),
        pods=tuple(map(broker_pod, range(3))),
        csi_drivers=("ebs.csi.eks.amazonaws.com",),
        csi_nodes=tuple(CsiNodeFacts(f"node-{each}", ("ebs.csi.eks.amazonaws.com",), 27) for each in ZONES),
        nodes=tuple(NodeFacts(f"node-{each}", f"{REGION}{each}", "c6a.large", auto_mode=True) for each in ZONES),
        storage_classes=(StorageClassFacts("auto", "ebs.csi.eks.amazonaws.com"),),
        claims=tuple(claim(number, storage_class="auto") for number in range(3)),
        volumes=tuple(replace(each, driver="ebs.csi.eks.amazonaws.com") for each in facts.volumes),  # ty: ignore
    )
    return replace(facts, **changes)


def node_role_facts(**changes: Any) -> Facts:
    """Return the facts of a cluster whose driver uses the role of its nodes."""
    facts = irsa_facts()
    return replace(
        facts,
        providers=(),
        roles=(),
        addons=(AddonFacts("aws-ebs-csi-driver", "v1.50.0-eksbuild.1", "ACTIVE"),),
        service_accounts=(ServiceAccountFacts("kube-system", "ebs-csi-controller-sa"),),
        pods=(driver_pod(environment=(), token_audiences=()), *map(broker_pod, range(3))),
        nodes=tuple(NodeFacts(f"node-{each}", f"{REGION}{each}", "m7i.large", imds_hop_limit=2) for each in ZONES),
        **changes,
    )


def event(claim_facts: ClaimFacts, message: str, reason: str = "ProvisioningFailed") -> EventFacts:
    """Return an event of a claim."""
    return EventFacts(
        "PersistentVolumeClaim", claim_facts.namespace, claim_facts.name, reason, message, "2026-11-28T10:00:00Z"
    )


def pod_event(pod: PodFacts, message: str, reason: str = "FailedScheduling") -> EventFacts:
    """Return an event of a pod."""
    return EventFacts("Pod", pod.namespace, pod.name, reason, message, "2026-11-28T10:00:00Z")


def with_pending_claims(facts: Facts, message: str, *, log: str = "", **changes: Any) -> Facts:
    """Return facts whose three claims are Pending with the message, in their events or in the driver's log."""
    claims = tuple(replace(each, phase="Pending", volume="") for each in facts.claims)  # ty: ignore[not-iterable]
    pods = tuple(
        replace(each, node="", phase="Pending", ready=False)
        if each.claims
        else replace(each, ready=not log, restarts=7 if log else 0, log=(log,) if log else ())
        for each in facts.pods  # ty: ignore[not-iterable]
    )
    workloads = tuple(
        replace(each, ready=0) if log and each.kind == "Deployment" else each
        for each in facts.workloads  # ty: ignore[not-iterable]
    )
    events = tuple(event(each, message) for each in claims)
    return replace(replace(facts, claims=claims, pods=pods, workloads=workloads, events=events, volumes=()), **changes)
