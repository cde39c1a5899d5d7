"""Catalogue of messages that people see when a claim is Pending, and their causes. Pure.

The page docs/troubleshooting/claims-are-pending.md is generated from this module and from `causes`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from eks_rocketmq.doctor.catalogue.causes import CAUSES


@dataclass(frozen=True)
class SymptomRow:
    """Message that people see, and its possible causes."""

    id_: str
    sees: tuple[str, ...]
    """Texts as they appear; `…` stands for any text."""
    causes: tuple[str, ...]
    """Ids of the causes, the most frequent first."""


_TRUST = tuple(each for each in CAUSES if each.startswith("trust-"))
_IDENTITY = (
    "oidc-provider-missing", *_TRUST, "role-missing", "no-identity", "permissions-missing", "sts-unreachable",
    "ec2-unreachable",
)  # fmt: skip

SYMPTOMS: tuple[SymptomRow, ...] = (
    SymptomRow(
        "provider",
        ("InvalidIdentityToken: No OpenIDConnect provider found in your account for …",),
        ("oidc-provider-missing", "oidc-provider-dual-stack", "role-other-account"),
    ),
    SymptomRow("audience", ("InvalidIdentityToken: Incorrect token audience",), ("oidc-provider-audience",)),
    SymptomRow("thumbprint", ("HTTPS certificate doesn't match configured thumbprint",), ("oidc-thumbprint",)),
    SymptomRow(
        "assume-role-denied",
        ("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",),
        (*_TRUST, "role-missing", "role-other-account"),
    ),
    SymptomRow("role-arn", ("ValidationError: Request ARN is invalid",), ("role-arn-malformed",)),
    SymptomRow(
        "no-credentials",
        ("no EC2 IMDS role found", "EnvAccessKeyNotFound", "NoCredentialProviders"),
        ("no-identity", "pods-without-role", "webhook-missing", "imds-hop-limit"),
    ),
    SymptomRow(
        "credentials-timeout",
        (
            "get credentials: request canceled, context canceled",
            "get credentials: request canceled, context deadline exceeded",
            "get credentials: context deadline exceeded",
            "failed to refresh cached credentials, … context deadline exceeded",
        ),
        ("credentials-endpoint", "pod-identity-agent-missing"),
    ),
    SymptomRow(
        "sts-timeout",
        (
            'Post "https://sts.…amazonaws.com…": dial tcp …: i/o timeout',
            'Post "https://sts.…amazonaws.com…": dial tcp: lookup …: no such host',
            'Post "https://sts.…amazonaws.com…": dial tcp: lookup …: server misbehaving',
            'Post "https://sts.…amazonaws.com…": dial tcp: lookup …: i/o timeout',
        ),
        ("sts-unreachable",),
    ),
    SymptomRow(
        "ec2-timeout",
        (
            'Post "https://ec2.…amazonaws.com…": dial tcp …: i/o timeout',
            'Post "https://ec2.…amazonaws.com…": dial tcp: lookup …: no such host',
            'Post "https://ec2.…amazonaws.com…": dial tcp: lookup …: server misbehaving',
            'Post "https://ec2.…amazonaws.com…": dial tcp: lookup …: i/o timeout',
        ),
        ("ec2-unreachable",),
    ),
    SymptomRow(
        "health-check",
        (
            "Failed health check (verify network connection and IAM credentials)…dry-run EC2 API call failed",
            "waiting for a volume to be created, either by external provisioner 'ebs.csi.aws.com' or manually",
        ),
        _IDENTITY,
    ),
    SymptomRow("initializing-metadata", ("Initializing metadata",), ("driver-start-blocked",)),
    SymptomRow(
        "loopback-hosts",
        ("invalid endpoint host, …, only loopback hosts are allowed",),
        ("driver-too-old",),
    ),
    SymptomRow(
        "unauthorized",
        ("no identity-based policy allows the ec2:… action", "You are not authorized to perform this operation"),
        ("permissions-missing", "permissions-snapshot", "kms-permission"),
    ),
    SymptomRow(
        "organization",
        ("with an explicit deny in a service control policy", "no service control policy allows the"),
        ("permissions-organization",),
    ),
    SymptomRow(
        "boundary",
        ("in a permissions boundary", "no permissions boundary allows the"),
        ("permissions-boundary",),
    ),
    SymptomRow(
        "kms",
        ("InvalidVolume.NotFound", "IdempotentParameterMismatch", "KMSKeyNotAccessibleFault", "InvalidKmsKey"),
        ("kms-key-disabled", "kms-key-missing", "kms-permission"),
    ),
    SymptomRow(
        "quota",
        ("VolumeLimitExceeded", "MaxIOPSLimitExceeded", "code = ResourceExhausted"),
        ("volume-quota",),
    ),
    SymptomRow("topology", ("no topology key found on CSINode",), ("node-plugin-missing",)),
    SymptomRow(
        "driver-not-registered",
        ("driver name ebs.csi.aws.com not found in the list of registered CSI drivers",),
        ("node-plugin-missing",),
    ),
    SymptomRow("class-not-found", ('storageclass.storage.k8s.io "…" not found',), ("class-missing",)),
    SymptomRow(
        "no-class",
        ("no persistent volumes available for this claim and no storage class is set",),
        ("no-default-class",),
    ),
    SymptomRow(
        "first-consumer",
        ("waiting for first consumer to be created before binding",),
        ("claim-unused", "pod-not-scheduled"),
    ),
    SymptomRow(
        "node-affinity",
        ("volume node affinity conflict", "didn't match PersistentVolume's node affinity"),
        ("no-node-in-zone",),
    ),
    SymptomRow("attach-slots", ("AttachmentLimitExceeded", "exceed max volume count"), ("attach-limit",)),
    SymptomRow("multi-attach", ("Multi-Attach error for volume",), ("multi-attach",)),
    SymptomRow("file-system", ("wrong fs type, bad option, bad superblock",), ("filesystem-features",)),
    SymptomRow("modification", ("VolumeModificationRateExceeded",), ("modification-rate",)),
    SymptomRow(
        "external-provisioner",
        (
            "waiting for a volume to be created, either by external provisioner 'ebs.csi.eks.amazonaws.com'",
            "no event from a provisioner, and no pods of the driver",
        ),
        ("class-of-another-driver", "driver-missing"),
    ),
    SymptomRow(
        "controller",
        ("the pods ebs-csi-controller do not run, and their log names no error",),
        ("controller-not-running", "service-account-missing", "cluster-not-active"),
    ),
)

UNREACHABLE = {"sts": "sts-timeout", "ec2": "ec2-timeout"}
"""Id of the messages of pods that do not reach a service, by service."""


def find_text(symptom: str, texts: Iterable[str]) -> str:
    """Return the first text that contains a message of a symptom; an empty text if none does."""
    (row,) = [each for each in SYMPTOMS if each.id_ == symptom]
    patterns = [_compile(each) for each in row.sees]
    return next((text for text in texts if any(each.search(text) for each in patterns)), "")


def is_known_message(text: str) -> bool:
    """Return whether a text contains a message of the catalogue."""
    return any(_compile(each).search(text) for row in SYMPTOMS for each in row.sees)


@cache
def _compile(sees: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, sees.split("…"))), re.IGNORECASE)
