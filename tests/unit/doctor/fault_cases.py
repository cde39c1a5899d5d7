"""Facts with one fault each, by cause and by the way in which the fault appears."""

import json
from collections.abc import Callable
from dataclasses import replace

from eks_rocketmq.doctor.facts.cluster_facts import (
    AddonFacts,
    ClusterFacts,
    CsiNodeFacts,
    Facts,
    KeyFacts,
    OidcProviderFacts,
    PolicyFacts,
    RoleFacts,
    ServiceAccountFacts,
    SimulatedAction,
    StorageClassFacts,
    TrialFacts,
    Unreadable,
    VolumeFacts,
    WorkloadFacts,
)
from tests.unit.doctor.healthy_cases import (
    AUDIENCE,
    CLUSTER_ARN,
    HOST,
    KEY_ARN,
    PROVIDER,
    ROLE,
    SUBJECT,
    auto_mode_facts,
    broker_pod,
    claim,
    driver_pod,
    driver_role,
    event,
    irsa_facts,
    managed_policy,
    node_role_facts,
    pod_event,
    pod_identity_facts,
    trust_policy,
    with_pending_claims,
)
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION

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
UNAUTHORIZED = (
    "operation error EC2: CreateVolume, https response error StatusCode: 403, UnauthorizedOperation: You are not "
    f"authorized to perform this operation. User: arn:aws:sts::{ACCOUNT}:assumed-role/eks-ebs-csi-driver/1 is not "
    "authorized to perform: ec2:CreateVolume on resource: arn:aws:ec2:ap-southeast-1:140023393377:volume/* "
)
NO_POLICY = f"{UNAUTHORIZED}because no identity-based policy allows the ec2:CreateVolume action"
THUMBPRINT = "InvalidIdentityToken: OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"
FIRST_CONSUMER = "waiting for first consumer to be created before binding"
OTHER_ISSUER = f"oidc.eks.{REGION}.amazonaws.com/id/00000000000000000000000000000000"


def with_role(message: str, **changes: object) -> Facts:
    return with_pending_claims(irsa_facts(roles=(driver_role(**changes),)), message)


def with_trust(policy: str, message: str = DENIED) -> Facts:
    return with_role(message, trust_policy=policy)


def with_log(message: str, facts: Facts | None = None) -> Facts:
    """Return facts of a driver since version 1.49: the log has the message, and the claim only waits."""
    return with_pending_claims(facts or irsa_facts(), WAITING, log=message)


def with_class(name: str | None, message: str, **changes: object) -> Facts:
    """Return facts with one Pending claim of a class, whose pod waits for it."""
    pending = claim(phase="Pending", volume="", storage_class=name)
    pod = broker_pod(node="", phase="Pending", ready=False)
    facts = irsa_facts(claims=(pending,), events=(event(pending, message),), pods=(driver_pod(), pod), volumes=())
    return replace(facts, **changes)


def with_key(
    key: KeyFacts, *policies: PolicyFacts, message: str = "InvalidVolume.NotFound: The volume does not exist"
) -> Facts:
    classes = (StorageClassFacts("gp2", "ebs.csi.aws.com", parameters=(("encrypted", "true"), ("kmsKeyId", KEY_ARN))),)
    role = driver_role(policies=(managed_policy("AmazonEBSCSIDriverPolicyV2"), *policies))
    return with_class("gp2", message, storage_classes=classes, keys=(key,), roles=(role,))


def key_policy(principal: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


ROOT_KEY_POLICY = key_policy(f"arn:aws:iam::{ACCOUNT}:root")
USE_KEY = PolicyFacts(
    "use-key",
    json.dumps(
        {
            "Statement": [
                {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": KEY_ARN},
                {
                    "Effect": "Allow",
                    "Action": "kms:CreateGrant",
                    "Resource": KEY_ARN,
                    "Condition": {"Bool": {"kms:GrantIsForAWSResource": True}},
                },
            ]
        }
    ),
)


def with_stale_pods() -> Facts:
    stale = driver_pod(
        environment=(), token_audiences=(), ready=False, log=("no EC2 IMDS role found, operation error",)
    )
    facts = with_pending_claims(irsa_facts(), f"{STS}no EC2 IMDS role found")
    return replace(facts, pods=(stale, *(each for each in facts.pods if each.claims)))  # ty: ignore[not-iterable]


def with_waiting_pod(message: str, reason: str, **changes: object) -> Facts:
    pod = broker_pod(phase="Pending", ready=False)
    facts = irsa_facts(pods=(driver_pod(), pod), events=(pod_event(pod, message, reason),))
    return replace(facts, **changes)


def with_unplaced_pod(message: str, **changes: object) -> Facts:
    pod = broker_pod(node="", phase="Pending", ready=False)
    facts = irsa_facts(pods=(driver_pod(), pod), events=(pod_event(pod, message),))
    return replace(facts, **changes)


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


def with_snapshot() -> Facts:
    document = json.loads(managed_policy("AmazonEBSCSIDriverPolicyV2").document)
    for statement in document["Statement"]:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if "ec2:CreateVolume" in statement["Action"]:
            statement["Resource"] = [each for each in resources if "snapshot" not in each] or "arn:aws:ec2:*:*:volume/*"
    policy = PolicyFacts("custom", json.dumps(document))
    facts = with_class("gp2", f"{UNAUTHORIZED}", roles=(driver_role(policies=(policy,)),))
    return replace(facts, claims=(replace(facts.claims[0], data_source="VolumeSnapshot/daily"),))  # ty: ignore


def with_trial_error(error: str) -> Facts:
    return irsa_facts(
        trials=(TrialFacts("kube-system/ebs-csi-controller-sa", ROLE, False, ISSUER, SUBJECT, (AUDIENCE,), error),)
    )


def boundary(*actions: str) -> PolicyFacts:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return PolicyFacts(f"arn:aws:iam::{ACCOUNT}:policy/boundary", json.dumps({"Statement": [statement]}))


SMALL_POLICY = PolicyFacts(
    "small", json.dumps({"Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]})
)
DENY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sts:*",
    "Condition": {"StringLike": {f"{HOST}:sub": "system:serviceaccount:kube-system:*"}},
}
FAULTS: tuple[tuple[str, str, Callable[[], Facts]], ...] = (
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
        lambda: with_trust(trust_policy({"StringEquals": {f"https://{HOST}:sub": SUBJECT}})),
    ),
    (
        "trust-condition-key",
        "oidc-provider",
        lambda: with_trust(
            trust_policy({"StringEquals": {f"oidc-provider/{HOST}:sub": SUBJECT, f"{HOST}:aud": AUDIENCE}})
        ),
    ),
    (
        "trust-condition-key",
        "other issuer",
        lambda: with_trust(
            trust_policy({"StringEquals": {f"{OTHER_ISSUER}:sub": SUBJECT, f"{OTHER_ISSUER}:aud": AUDIENCE}})
        ),
    ),
    (
        "trust-subject",
        "namespace",
        lambda: with_trust(
            trust_policy(
                {
                    "StringEquals": {
                        f"{HOST}:sub": SUBJECT.replace("kube-system", "kube_system"),
                        f"{HOST}:aud": AUDIENCE,
                    }
                }
            )
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
        lambda: with_trust(trust_policy({"StringEquals": {f"{HOST}:sub": "system:serviceaccount:kube-system:*"}})),
    ),
    (
        "trust-audience",
        "aud",
        lambda: with_trust(
            trust_policy({"StringEquals": {f"{HOST}:sub": SUBJECT, f"{HOST}:aud": "sts.amazonaws.com.cn"}})
        ),
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
        "pod-identity-agent-missing",
        "agent",
        lambda: with_log(
            HEALTH + "get identity: get credentials: context deadline exceeded",
            pod_identity_facts(workloads=irsa_facts().workloads),
        ),
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
        lambda: with_log(
            'invalid endpoint host, "169.254.170.23", only loopback hosts are allowed', pod_identity_facts()
        ),
    ),
    ("permissions-missing", "no policy", lambda: with_role(NO_POLICY, policies=())),
    ("permissions-missing", "too small", lambda: with_role(NO_POLICY, policies=(SMALL_POLICY,))),
    (
        "permissions-missing",
        "simulated",
        lambda: with_role(
            UNAUTHORIZED,
            simulated=(SimulatedAction("ec2:CreateVolume", "implicitDeny"),),
            policies=Unreadable("iam:ListAttachedRolePolicies", "iam:ListAttachedRolePolicies", "AccessDenied"),
        ),
    ),
    (
        "permissions-boundary",
        "boundary",
        lambda: with_role(
            UNAUTHORIZED + "with an explicit deny in a permissions boundary", boundary=boundary("s3:*", "ec2:Describe*")
        ),
    ),
    (
        "permissions-boundary",
        "simulated",
        lambda: with_role(
            UNAUTHORIZED, simulated=(SimulatedAction("ec2:CreateVolume", "implicitDeny", allowed_by_boundary=False),)
        ),
    ),
    (
        "permissions-organization",
        "event",
        lambda: with_role(UNAUTHORIZED + "with an explicit deny in a service control policy"),
    ),
    (
        "permissions-organization",
        "simulated",
        lambda: with_role(
            UNAUTHORIZED,
            simulated=(SimulatedAction("ec2:CreateVolume", "explicitDeny", allowed_by_organization=False),),
        ),
    ),
    ("permissions-snapshot", "snapshot", with_snapshot),
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
    ("class-missing", "class", lambda: with_class("gp4", 'storageclass.storage.k8s.io "gp4" not found')),
    (
        "no-default-class",
        "no default",
        lambda: with_class(None, "no persistent volumes available for this claim and no storage class is set"),
    ),
    (
        "class-of-another-driver",
        "Auto Mode class, addon driver",
        lambda: with_class(
            "auto",
            WAITING.replace("ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com"),
            storage_classes=(StorageClassFacts("auto", "ebs.csi.eks.amazonaws.com"),),
        ),
    ),
    (
        "class-of-another-driver",
        "addon class, Auto Mode driver",
        lambda: with_pending_claims(
            replace(auto_mode_facts(), storage_classes=(StorageClassFacts("auto", "ebs.csi.aws.com"),)), WAITING
        ),
    ),
    ("kms-key-missing", "deleted", lambda: with_key(KeyFacts(KEY_ARN, exists=False))),
    (
        "kms-key-disabled",
        "disabled",
        lambda: with_key(KeyFacts(KEY_ARN, arn=KEY_ARN, state="Disabled", policy=ROOT_KEY_POLICY), USE_KEY),
    ),
    (
        "kms-key-disabled",
        "deletion",
        lambda: with_key(
            KeyFacts(KEY_ARN, arn=KEY_ARN, state="PendingDeletion", policy=ROOT_KEY_POLICY),
            USE_KEY,
            message="IdempotentParameterMismatch",
        ),
    ),
    ("kms-permission", "no policy", lambda: with_key(KeyFacts(KEY_ARN, arn=KEY_ARN, policy=ROOT_KEY_POLICY))),
    (
        "kms-permission",
        "key policy",
        lambda: with_key(
            KeyFacts(KEY_ARN, arn=KEY_ARN, policy=key_policy(f"arn:aws:iam::{ACCOUNT}:role/admin")), USE_KEY
        ),
    ),
    (
        "volume-quota",
        "VolumeLimitExceeded",
        lambda: with_pending_claims(
            irsa_facts(), "VolumeLimitExceeded: You have exceeded your maximum gp2 storage limit of 20 TiB"
        ),
    ),
    (
        "volume-quota",
        "ResourceExhausted",
        lambda: with_pending_claims(
            irsa_facts(), "rpc error: code = ResourceExhausted desc = Could not create volume: MaxIOPSLimitExceeded"
        ),
    ),
    (
        "claim-unused",
        "no pod",
        lambda: irsa_facts(
            claims=(claim(phase="Pending", volume=""),),
            pods=(driver_pod(),),
            events=(event(claim(), FIRST_CONSUMER, "WaitForFirstConsumer"),),
        ),
    ),
    (
        "pod-not-scheduled",
        "memory",
        lambda: replace(
            with_class("gp2", FIRST_CONSUMER),
            events=(
                event(claim(), FIRST_CONSUMER, "WaitForFirstConsumer"),
                pod_event(broker_pod(), "0/3 nodes are available: 3 Insufficient memory."),
            ),
        ),
    ),
    (
        "no-node-in-zone",
        "zone without node",
        lambda: with_unplaced_pod(
            "0/2 nodes are available: 2 node(s) had volume node affinity conflict.",
            nodes=irsa_facts().nodes[1:],  # ty: ignore[not-subscriptable]
        ),
    ),
    (
        "attach-limit",
        "scheduler",
        lambda: with_unplaced_pod("0/3 nodes are available: 3 node(s) exceed max volume count."),
    ),
    (
        "attach-limit",
        "EC2",
        lambda: with_waiting_pod(
            "AttachVolume.Attach failed for volume pvc-0: AttachmentLimitExceeded", "FailedAttachVolume"
        ),
    ),
    (
        "multi-attach",
        "dead node",
        lambda: with_waiting_pod(
            'Multi-Attach error for volume "pvc-0" Volume is already attached',
            "FailedAttachVolume",
            volumes=(VolumeFacts("pvc-0", "ebs.csi.aws.com", "vol-0", (f"{REGION}a",), ("node-old",)),),
        ),
    ),
    (
        "filesystem-features",
        "mount",
        lambda: with_waiting_pod(
            "MountVolume.MountDevice failed: wrong fs type, bad option, bad superblock on /dev/nvme1n1", "FailedMount"
        ),
    ),
    (
        "modification-rate",
        "resize",
        lambda: irsa_facts(
            claims=(claim(resizing=True),),
            events=(event(claim(), "VolumeModificationRateExceeded: You've reached", "VolumeResizeFailed"),),
        ),
    ),
    (
        "role-other-account",
        "annotation",
        lambda: with_pending_claims(
            irsa_facts(
                service_accounts=(
                    ServiceAccountFacts("kube-system", "ebs-csi-controller-sa", ROLE.replace(ACCOUNT, "111122223333")),
                ),
                addons=(AddonFacts("aws-ebs-csi-driver", "v1.50.0-eksbuild.1", "ACTIVE"),),
            ),
            NO_PROVIDER,
        ),
    ),
)
"""Cause, variant and facts."""
