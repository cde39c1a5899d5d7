"""Service account whose identity is judged, with the facts about it. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from eks_rocketmq.args.aws_identifiers import STS_AUDIENCE, format_subject
from eks_rocketmq.doctor.facts.cluster_facts import (
    AccountFacts,
    ClaimFacts,
    ClusterFacts,
    Facts,
    PodFacts,
    PodIdentityFacts,
    RoleFacts,
    ServiceAccountFacts,
    TrialFacts,
    Unreadable,
)
from eks_rocketmq.doctor.facts.fact_queries import find_role, find_trial, list_readable
from eks_rocketmq.doctor.policies.trust_policy import PodIdentityRequest, TrustRequest, WebIdentityRequest

_ROLE_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):role/([!-.0-~][!-~]*/)?[\w+=,.@-]+", re.ASCII
)

IdentityMode = Literal["irsa", "pod-identity", "none"]


@dataclass(frozen=True)
class IdentityCase:
    """Service account and the facts about its identity."""

    facts: Facts
    namespace: str
    name: str
    is_driver: bool = False
    pods: tuple[PodFacts, ...] = ()
    claims: tuple[ClaimFacts, ...] = ()
    """Claims that wait for this identity: Pending, not attached, or to grow."""
    messages: tuple[str, ...] = ()
    """Messages of objects that do not work at the moment: logs of the pods, events of the claims."""

    @property
    def id_(self) -> str:
        """Return `namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def grows(self) -> bool:
        """Return whether one of the claims is to grow."""
        return any(each.resizing for each in self.claims)

    @property
    def account(self) -> ServiceAccountFacts | None:
        """Return the service account, or None if it does not exist or could not be read."""
        found = [each for each in list_readable(self.facts.service_accounts) if each.id_ == self.id_]
        return found[0] if found else None

    @property
    def association(self) -> PodIdentityFacts | None:
        """Return the Pod Identity association. It takes precedence over the annotation."""
        found = list_readable(self.facts.pod_identities)
        return next(
            (each for each in found if (each.namespace, each.service_account) == (self.namespace, self.name)), None
        )

    @property
    def mode(self) -> IdentityMode:
        """Return how pods of the service account get a role."""
        if self.association:
            return "pod-identity"
        return "irsa" if self.account and self.account.role_arn else "none"

    @property
    def role_arn(self) -> str:
        """Return the ARN of the role, as association or annotation give it."""
        if self.association:
            return self.association.role_arn
        return self.account.role_arn if self.account else ""

    @property
    def role(self) -> RoleFacts | Unreadable | None:
        """Return the role, or None if there is none."""
        return find_role(self.facts, self.role_arn) if self.role_arn else None

    @property
    def role_name(self) -> str:
        """Return the name of the role without its path."""
        return self.role_arn.rpartition("/")[2]

    @property
    def role_account(self) -> str:
        """Return the account of the role; empty for a malformed ARN."""
        match = parse_role(self.role_arn)
        return match["account"] if match else ""

    @property
    def is_role_of_other_account(self) -> bool:
        """Return whether the role belongs to another account than the cluster."""
        own = self.facts.account
        return bool(self.role_account) and isinstance(own, AccountFacts) and self.role_account != own.account

    @property
    def audience(self) -> str:
        """Return the audience of the projected token."""
        audiences = [audience for pod in self.pods for audience in pod.token_audiences]
        annotated = self.account.audience if self.account else ""
        return annotated or (audiences[0] if audiences else STS_AUDIENCE)

    @property
    def trial(self) -> TrialFacts | Unreadable | None:
        """Return the trial with a token of the service account."""
        return find_trial(self.facts, self.id_)

    @property
    def is_proved(self) -> bool:
        """Return whether the trial has assumed this role."""
        trial = self.trial
        return isinstance(trial, TrialFacts) and trial.succeeded and trial.role_arn == self.role_arn

    @property
    def cluster(self) -> ClusterFacts | None:
        """Return the cluster, or None if it could not be read."""
        return self.facts.cluster if isinstance(self.facts.cluster, ClusterFacts) else None

    @property
    def provider_arn(self) -> str:
        """Return the ARN that the cluster's OIDC provider has in its account; empty if that is unknown."""
        account, cluster = self.facts.account, self.cluster
        if cluster is None or not isinstance(account, AccountFacts):
            return ""
        host = cluster.issuer.partition("://")[2]
        return f"arn:{account.partition}:iam::{account.account}:oidc-provider/{host}"

    def build_request(self) -> TrustRequest | None:
        """Return the request that the trust policy must allow; None if cluster or account could not be read."""
        account, cluster, trial = self.facts.account, self.cluster, self.trial
        if cluster is None or not isinstance(account, AccountFacts):
            return None
        if self.mode == "pod-identity":
            return PodIdentityRequest(account.account, cluster.arn, self.namespace, self.name)
        subject = format_subject(self.namespace, self.name)
        if isinstance(trial, TrialFacts) and trial.issuer:
            return WebIdentityRequest(self.provider_arn, trial.issuer, trial.subject, trial.audiences)
        return WebIdentityRequest(self.provider_arn, cluster.issuer, subject, (self.audience,))


def parse_role(arn: str) -> re.Match[str] | None:
    """Return the parts of the ARN of a role, or None if it is malformed."""
    return _ROLE_ARN.fullmatch(arn)
