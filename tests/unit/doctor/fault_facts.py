"""Facts of an installation with a fault: the messages of AWS and Kubernetes, and where they appear."""

from collections.abc import Callable
from dataclasses import replace

from eks_rocketmq.doctor.facts.cluster_facts import Facts
from tests.unit.doctor.healthy_cases import (
    broker_pod,
    claim,
    driver_pod,
    driver_role,
    event,
    irsa_facts,
    with_pending_claims,
)
from tests.unit.harness.fakes import ISSUER

Fault = tuple[str, str, Callable[[], Facts]]
"""Cause, variant and facts."""

STS = (
    'failed to provision volume with StorageClass "gp2": rpc error: code = Internal desc = Could not create volume '
    '"pvc-34f31fa2": could not create volume in EC2: operation error EC2: CreateVolume, get identity: get credentials: '
    "failed to refresh cached credentials, failed to retrieve credentials, operation error STS: "
    "AssumeRoleWithWebIdentity, https response error StatusCode: 400, RequestID: cc63c0cd, "
)
NO_PROVIDER = f"{STS}InvalidIdentityToken: No OpenIDConnect provider found in your account for {ISSUER}"
DENIED = f"{STS}AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
WAITING = (
    "waiting for a volume to be created, either by external provisioner 'ebs.csi.aws.com' or manually created by "
    "system administrator"
)
HEALTH = (
    'E1129 10:00:00.000000 1 main.go:154] "Failed health check (verify network connection and IAM credentials)" '
    'err="dry-run EC2 API call failed: operation error EC2: DescribeAvailabilityZones, '
)


def with_role(message: str, **changes: object) -> Facts:
    return with_pending_claims(irsa_facts(roles=(driver_role(**changes),)), message)


def with_log(message: str, facts: Facts | None = None) -> Facts:
    """Return facts of a driver since version 1.49: the log has the message, and the claim only waits."""
    return with_pending_claims(facts or irsa_facts(), WAITING, log=message)


def with_class(name: str | None, message: str, **changes: object) -> Facts:
    """Return facts with one Pending claim of a class, whose pod waits for it."""
    pending = claim(phase="Pending", volume="", storage_class=name)
    pod = broker_pod(node="", phase="Pending", ready=False)
    facts = irsa_facts(claims=(pending,), events=(event(pending, message),), pods=(driver_pod(), pod), volumes=())
    return replace(facts, **changes)
