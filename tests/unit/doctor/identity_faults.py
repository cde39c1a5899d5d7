"""Faults of the identity of the driver: OIDC provider, trust policy, role and Pod Identity."""

from dataclasses import replace

from eks_rocketmq.doctor.facts.cluster_facts import (
    AddonFacts,
    Facts,
    OidcProviderFacts,
    RoleFacts,
    ServiceAccountFacts,
    TrialFacts,
)
from tests.unit.doctor.fault_facts import DENIED, HEALTH, NO_PROVIDER, STS, Fault, with_log, with_role
from tests.unit.doctor.healthy_cases import (
    AUDIENCE,
    HOST,
    PROVIDER,
    ROLE,
    SUBJECT,
    broker_pod,
    driver_pod,
    driver_role,
    irsa_facts,
    node_role_facts,
    pod_identity_facts,
    trust_policy,
    with_pending_claims,
)
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION

THUMBPRINT = "InvalidIdentityToken: OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"
OTHER_ROLE = ROLE.replace(ACCOUNT, "111122223333")
OTHER_ISSUER = f"oidc.eks.{REGION}.amazonaws.com/id/00000000000000000000000000000000"


def with_conditions(conditions: dict[str, str]) -> Facts:
    """Return facts of a role whose trust policy has these conditions with `StringEquals`."""
    return with_role(DENIED, trust_policy=trust_policy({"StringEquals": conditions}))


def with_trust(policy: str) -> Facts:
    return with_role(DENIED, trust_policy=policy)


def with_stale_pods() -> Facts:
    stale = driver_pod(
        environment=(), token_audiences=(), ready=False, log=("no EC2 IMDS role found, operation error",)
    )
    facts = with_pending_claims(irsa_facts(), f"{STS}no EC2 IMDS role found")
    return replace(facts, pods=(stale, *(each for each in facts.pods if each.claims)))  # ty: ignore[not-iterable]


def with_trial_error(error: str) -> Facts:
    return irsa_facts(
        trials=(TrialFacts("kube-system/ebs-csi-controller-sa", ROLE, False, ISSUER, SUBJECT, (AUDIENCE,), error),)
    )


DENY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sts:*",
    "Condition": {"StringLike": {f"{HOST}:sub": "system:serviceaccount:kube-system:*"}},
}
IDENTITY_FAULTS: tuple[Fault, ...] = (
    ("oidc-provider-missing", "event", lambda: with_pending_claims(irsa_facts(providers=()), NO_PROVIDER)),
    ("oidc-provider-missing", "log", lambda: with_log(HEALTH + NO_PROVIDER, irsa_facts(providers=()))),
    (
        "oidc-provider-missing",
        "replaced cluster",
        lambda: with_pending_claims(
            irsa_facts(providers=(OidcProviderFacts(PROVIDER.replace(HOST, OTHER_ISSUER), (AUDIENCE,)),)), NO_PROVIDER
        ),
    ),
    (
        "oidc-provider-dual-stack",
        "dual stack",
        lambda: with_pending_claims(
            irsa_facts(
                providers=(
                    OidcProviderFacts(
                        PROVIDER.replace("oidc.eks.ap-southeast-1.amazonaws.com", "oidc-eks.ap-southeast-1.api.aws"),
                        (AUDIENCE,),
                    ),
                )
            ),
            NO_PROVIDER,
        ),
    ),
    (
        "oidc-provider-audience",
        "client ids",
        lambda: with_pending_claims(
            irsa_facts(providers=(OidcProviderFacts(PROVIDER, ("sts.amazonaws.com.cn",)),)),
            f"{STS}InvalidIdentityToken: Incorrect token audience",
        ),
    ),
    ("oidc-thumbprint", "event", lambda: with_pending_claims(irsa_facts(), STS + THUMBPRINT)),
    ("oidc-thumbprint", "trial", lambda: with_trial_error(THUMBPRINT)),
    (
        "trust-condition-key",
        "https",
        lambda: with_conditions({f"https://{HOST}:sub": SUBJECT}),
    ),
    (
        "trust-condition-key",
        "oidc-provider",
        lambda: with_conditions({f"oidc-provider/{HOST}:sub": SUBJECT, f"{HOST}:aud": AUDIENCE}),
    ),
    (
        "trust-condition-key",
        "other issuer",
        lambda: with_conditions({f"{OTHER_ISSUER}:sub": SUBJECT, f"{OTHER_ISSUER}:aud": AUDIENCE}),
    ),
    (
        "trust-subject",
        "namespace",
        lambda: with_conditions(
            {
                f"{HOST}:sub": SUBJECT.replace("kube-system", "kube_system"),
                f"{HOST}:aud": AUDIENCE,
            }
        ),
    ),
    (
        "trust-subject",
        "account in the log",
        lambda: with_log(
            HEALTH + DENIED,
            irsa_facts(
                roles=(
                    driver_role(
                        trust_policy=trust_policy(
                            {"StringEquals": {f"{HOST}:sub": SUBJECT[:-3], f"{HOST}:aud": AUDIENCE}}
                        )
                    ),
                )
            ),
        ),
    ),
    (
        "trust-subject",
        "wildcard with StringEquals",
        lambda: with_conditions({f"{HOST}:sub": "system:serviceaccount:kube-system:*"}),
    ),
    (
        "trust-audience",
        "aud",
        lambda: with_conditions({f"{HOST}:sub": SUBJECT, f"{HOST}:aud": "sts.amazonaws.com.cn"}),
    ),
    (
        "trust-provider",
        "another provider",
        lambda: with_trust(trust_policy(federated=PROVIDER.replace(HOST, OTHER_ISSUER))),
    ),
    (
        "trust-provider",
        "another account",
        lambda: with_trust(trust_policy(federated=PROVIDER.replace(ACCOUNT, "1" * 12))),
    ),
    (
        "trust-provider",
        "another partition",
        lambda: with_trust(trust_policy(federated=PROVIDER.replace("arn:aws:", "arn:aws-cn:"))),
    ),
    (
        "trust-provider",
        "Pod Identity",
        lambda: with_pending_claims(
            pod_identity_facts(roles=(driver_role(),)), "get credentials: AccessDeniedException"
        ),
    ),
    ("trust-action", "AssumeRole", lambda: with_trust(trust_policy(action="sts:AssumeRole"))),
    ("trust-deny", "deny", lambda: with_trust(trust_policy(more=[DENY]))),
    ("trust-condition", "empty", lambda: with_trust('{"Version": "2012-10-17", "Statement": []}')),
    (
        "role-missing",
        "deleted",
        lambda: with_pending_claims(irsa_facts(roles=(RoleFacts(ROLE, exists=False),)), DENIED),
    ),
    (
        "role-arn-malformed",
        "annotation",
        lambda: with_pending_claims(
            irsa_facts(
                service_accounts=(ServiceAccountFacts("kube-system", "ebs-csi-controller-sa", "eks-ebs-csi-driver"),)
            ),
            f"{STS}ValidationError: Request ARN is invalid",
        ),
    ),
    (
        "role-arn-malformed",
        "partition",
        lambda: with_pending_claims(
            irsa_facts(
                service_accounts=(
                    ServiceAccountFacts(
                        "kube-system", "ebs-csi-controller-sa", ROLE.replace("arn:aws:", "arn:aws-cn:")
                    ),
                )
            ),
            f"{STS}ValidationError: Request ARN is invalid",
        ),
    ),
    (
        "no-identity",
        "no annotation",
        lambda: with_log(
            HEALTH + "get credentials: failed to refresh cached credentials, no EC2 IMDS role found",
            node_role_facts(),
        ),
    ),
    (
        "imds-hop-limit",
        "hop limit",
        lambda: with_log(
            HEALTH + "no EC2 IMDS role found, operation error ec2imds: GetMetadata",
            replace(node_role_facts(), nodes=irsa_facts().nodes),
        ),
    ),
    ("pods-without-role", "older than the annotation", with_stale_pods),
    ("webhook-missing", "webhook", lambda: replace(with_stale_pods(), webhook=False)),
    (
        "credentials-endpoint",
        "timeout",
        lambda: with_log(
            HEALTH + "get identity: get credentials: request canceled, context canceled", pod_identity_facts()
        ),
    ),
    (
        "credentials-endpoint",
        "deadline",
        lambda: with_log(
            HEALTH + "get identity: get credentials: request canceled, context deadline exceeded", pod_identity_facts()
        ),
    ),
    (
        "pod-identity-agent-missing",
        "agent",
        lambda: with_log(
            HEALTH + "get identity: get credentials: context deadline exceeded",
            pod_identity_facts(workloads=irsa_facts().workloads),
        ),
    ),
    (
        "role-other-account",
        "annotation",
        lambda: with_pending_claims(
            irsa_facts(
                service_accounts=(ServiceAccountFacts("kube-system", "ebs-csi-controller-sa", OTHER_ROLE),),
                pods=(
                    driver_pod(environment=(("AWS_ROLE_ARN", OTHER_ROLE), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"))),
                    *(broker_pod(each) for each in range(3)),
                ),
                addons=(AddonFacts("aws-ebs-csi-driver", "v1.50.0-eksbuild.1", "ACTIVE"),),
            ),
            NO_PROVIDER,
        ),
    ),
)
