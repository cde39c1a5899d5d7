"""Faults of the driver itself, and of what it reaches: installation, start, endpoints of AWS and node plugin."""

from dataclasses import replace

from eks_rocketmq.doctor.facts.cluster_facts import (
    ClusterFacts,
    CsiNodeFacts,
    Facts,
    WorkloadFacts,
)
from tests.unit.doctor.fault_facts import HEALTH, STS, WAITING, Fault, with_class, with_log
from tests.unit.doctor.healthy_cases import (
    CLUSTER_ARN,
    irsa_facts,
    pod_identity_facts,
    with_pending_claims,
)
from tests.unit.harness.fakes import ISSUER


def with_missing_plugin() -> Facts:
    facts = irsa_facts()
    nodes = (replace(facts.nodes[0], taints=("dedicated=rocketmq:NoSchedule",)), *facts.nodes[1:])  # ty: ignore
    csi_nodes = (CsiNodeFacts("node-a", ("efs.csi.aws.com",)), *facts.csi_nodes[1:])  # ty: ignore
    return with_pending_claims(
        facts,
        "error generating accessibility requirements: no topology key found on CSINode node-a",
        nodes=nodes,
        csi_nodes=csi_nodes,
    )


LOOPBACK_HOSTS = 'invalid endpoint host, "169.254.170.23", only loopback hosts are allowed'


def with_old_driver(message: str, version: str = "1.25.0") -> Facts:
    """Return facts of a driver with Pod Identity and with a version."""
    facts = pod_identity_facts()
    workloads = tuple(
        replace(each, images=tuple(image.replace("1.50.0", version) for image in each.images))
        for each in facts.workloads  # ty: ignore[not-iterable]
    )
    return with_log(message, replace(facts, workloads=workloads)) if message else replace(facts, workloads=workloads)


DRIVER_FAULTS: tuple[Fault, ...] = (
    (
        "cluster-not-active",
        "failed",
        lambda: irsa_facts(cluster=ClusterFacts("prod", CLUSTER_ARN, "FAILED", "1.35", ISSUER)),
    ),
    ("service-account-missing", "deleted", lambda: irsa_facts(service_accounts=(), pods=())),
    (
        "driver-missing",
        "not installed",
        lambda: with_class("gp2", WAITING, csi_drivers=(), workloads=(), addons=(), service_accounts=(), csi_nodes=()),
    ),
    (
        "sts-unreachable",
        "global endpoint",
        lambda: with_log(HEALTH + 'Post "https://sts.amazonaws.com/": dial tcp 52.94.1.1:443: i/o timeout'),
    ),
    (
        "sts-unreachable",
        "regional endpoint",
        lambda: with_pending_claims(
            irsa_facts(), f'{STS}Post "https://sts.ap-southeast-1.amazonaws.com/": dial tcp: lookup sts: no such host'
        ),
    ),
    (
        "ec2-unreachable",
        "timeout",
        lambda: with_log(
            HEALTH + 'Post "https://ec2.ap-southeast-1.amazonaws.com/": dial tcp 10.0.0.1:443: i/o timeout'
        ),
    ),
    (
        "driver-start-blocked",
        "1.47.0",
        lambda: replace(
            with_log("Initializing metadata"),
            workloads=(
                WorkloadFacts(
                    "Deployment",
                    "kube-system",
                    "ebs-csi-controller",
                    "ebs-csi-controller-sa",
                    2,
                    0,
                    ("public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1.47.0",),
                ),
            ),
        ),
    ),
    (
        "driver-too-old",
        "loopback hosts",
        lambda: with_old_driver(LOOPBACK_HOSTS),
    ),
    ("driver-too-old", "no message", lambda: with_old_driver("")),
    (
        "controller-not-running",
        "scaled to zero",
        lambda: replace(
            with_log(""),
            workloads=(
                WorkloadFacts("Deployment", "kube-system", "ebs-csi-controller", "ebs-csi-controller-sa", 0, 0, ()),
            ),
        ),
    ),
    ("node-plugin-missing", "taint", with_missing_plugin),
)
