"""The faults, one entry each, and the causes of the doctor's catalogue that the sandbox cannot make."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.aws.seed import HOST, PROVIDER_ARN, ROLE, ROLE_ARN, SUBJECT, original_trust_policy
from sandbox.doctor_faults import cluster_faults as in_cluster
from sandbox.doctor_faults import identity_faults as identity
from sandbox.doctor_faults import storage_faults as storage
from sandbox.doctor_faults.fault_context import CONTROLLER, SERVICE_ACCOUNT, FaultContext, trust_policy
from sandbox.doctor_faults.pod_identity_agent import AGENT, DroppedPackets
from sandbox.doctor_faults.probe_claim import Probe
from sandbox.doctor_faults.saved_resources import (
    Addon,
    ClusterStatus,
    ControllerRollout,
    ControlPolicies,
    HopLimits,
    Keys,
    KubernetesObject,
    NodePlugin,
    OidcProviders,
    PodIdentityAssociations,
    Policy,
    Role,
    SavedResource,
    Snapshots,
    Volumes,
)
from sandbox.doctor_faults.snapshot_objects import KINDS
from sandbox.layout import ACCOUNT, NODES


@dataclass(frozen=True)
class Fault:
    """Fault, and the cause that the doctor must name first."""

    name: str
    cause: str
    """Id in `eks_rocketmq.doctor.catalogue.causes`."""
    touches: tuple[SavedResource, ...]
    """What is saved before. It is restored in reverse order."""
    make: Callable[[FaultContext], None]
    cached: bool = False
    """Whether the driver notices only when its pods restart, because it keeps its credentials for an hour."""


_PROVIDERS, _ROLE, _PROBE = OidcProviders(), Role(ROLE), Probe()
_NEW_ROLE = Role(identity.NEW_ROLE)
_ACCOUNT_OBJECT = KubernetesObject("serviceaccount", SERVICE_ACCOUNT)
_DEPLOYMENT = KubernetesObject("deployment", CONTROLLER)
_WEBHOOK = KubernetesObject("mutatingwebhookconfiguration", in_cluster.WEBHOOK)
_SNAPSHOT_DEFINITIONS = tuple(KubernetesObject("customresourcedefinition", name) for name in KINDS.values())
_OTHER_HOST = f"{HOST[:-4]}0000"


def _trust(name: str, cause: str, document: str) -> Fault:
    return Fault(name, cause, (_ROLE,), lambda c: identity.write_trust(c, document), cached=True)


def _snapshot(name: str, change_role: Callable[[FaultContext], None]) -> Fault:
    def make(context: FaultContext) -> None:
        change_role(context)
        storage.claim_from_snapshot(context)

    return Fault(name, "permissions-snapshot", (*_SNAPSHOT_DEFINITIONS, Snapshots(), Volumes(), _ROLE, _PROBE), make)


_FAULTS = (
    Fault("cluster-not-active", "cluster-not-active", (ClusterStatus(),), in_cluster.fail_cluster),
    Fault("driver-missing", "driver-missing", (Addon(), _PROBE), in_cluster.remove_driver),
    Fault(
        "service-account-missing",
        "service-account-missing",
        (ControllerRollout(restart=True), _ACCOUNT_OBJECT),
        in_cluster.delete_service_account,
    ),
    Fault("oidc-provider-missing", "oidc-provider-missing", (_PROVIDERS,), identity.delete_provider, cached=True),
    Fault(
        "oidc-provider-replaced-cluster",
        "oidc-provider-missing",
        (_PROVIDERS,),
        lambda c: identity.move_provider(c, f"https://{_OTHER_HOST}"),
        cached=True,
    ),
    Fault(
        "oidc-provider-dual-stack",
        "oidc-provider-dual-stack",
        (_PROVIDERS,),
        lambda c: identity.move_provider(c, identity.DUAL_STACK_URL),
        cached=True,
    ),
    Fault("oidc-provider-audience", "oidc-provider-audience", (_PROVIDERS,), identity.change_client_id, cached=True),
    Fault(
        "no-identity",
        "no-identity",
        (ControllerRollout(), _DEPLOYMENT, _ACCOUNT_OBJECT, _PROBE),
        in_cluster.remove_identity,
    ),
    Fault(
        "imds-hop-limit",
        "imds-hop-limit",
        (ControllerRollout(), _DEPLOYMENT, _ACCOUNT_OBJECT, HopLimits(), _PROBE),
        in_cluster.limit_hops,
    ),
    Fault(
        "role-arn-malformed",
        "role-arn-malformed",
        (_ACCOUNT_OBJECT,),
        lambda c: c.annotate_role(ROLE),
        cached=True,
    ),
    Fault(
        "role-arn-other-partition",
        "role-arn-malformed",
        (_ACCOUNT_OBJECT,),
        lambda c: c.annotate_role(ROLE_ARN.replace("arn:aws:", "arn:aws-cn:")),
        cached=True,
    ),
    Fault(
        "role-other-account",
        "role-other-account",
        (_ACCOUNT_OBJECT,),
        lambda c: c.annotate_role(ROLE_ARN.replace(ACCOUNT, "111122223333")),
        cached=True,
    ),
    Fault("role-missing", "role-missing", (_ROLE,), lambda c: _ROLE.restore(c, None), cached=True),
    _trust("trust-condition-key", "trust-condition-key", json.dumps(original_trust_policy())),
    _trust("trust-condition-key-prefix", "trust-condition-key", trust_policy(key=f"oidc-provider/{HOST}")),
    _trust("trust-condition-key-issuer", "trust-condition-key", trust_policy(key=_OTHER_HOST)),
    _trust("trust-subject", "trust-subject", trust_policy(subject=SUBJECT.replace("kube-system", "default"))),
    _trust("trust-subject-account", "trust-subject", trust_policy(subject=SUBJECT.removesuffix("-sa"))),
    _trust("trust-subject-wildcard", "trust-subject", trust_policy(subject="system:serviceaccount:kube-system:*")),
    _trust("trust-audience", "trust-audience", trust_policy(audience="sts.amazonaws.com.cn")),
    _trust("trust-provider", "trust-provider", trust_policy(federated=PROVIDER_ARN.replace(HOST, _OTHER_HOST))),
    _trust(
        "trust-provider-account",
        "trust-provider",
        trust_policy(federated=PROVIDER_ARN.replace(ACCOUNT, "111122223333")),
    ),
    Fault(
        "trust-provider-pod-identity",
        "trust-provider",
        (PodIdentityAssociations(),),
        lambda c: identity.associate(c, ROLE_ARN),
        cached=True,
    ),
    _trust("trust-action", "trust-action", trust_policy(action="sts:AssumeRole")),
    _trust("trust-deny", "trust-deny", identity.with_deny(trust_policy())),
    _trust("trust-condition", "trust-condition", trust_policy(more={"StringLike": {f"{HOST}:amr": "mfa"}})),
    Fault(
        "webhook-missing",
        "webhook-missing",
        (_NEW_ROLE, _ACCOUNT_OBJECT, _WEBHOOK),
        in_cluster.remove_webhook,
    ),
    Fault("pods-without-role", "pods-without-role", (_NEW_ROLE, _ACCOUNT_OBJECT), identity.annotate_new_role),
    Fault(
        "pod-identity-agent-missing",
        "pod-identity-agent-missing",
        (_NEW_ROLE, PodIdentityAssociations()),
        identity.associate_new_role,
        cached=True,
    ),
    Fault(
        "credentials-endpoint",
        "credentials-endpoint",
        (
            *(ControllerRollout(), _DEPLOYMENT, _ACCOUNT_OBJECT, _NEW_ROLE, PodIdentityAssociations()),
            *(KubernetesObject("daemonset", AGENT), DroppedPackets(), _PROBE),
        ),
        in_cluster.silence_agent,
    ),
    Fault(
        "sts-unreachable",
        "sts-unreachable",
        (ControllerRollout(), _DEPLOYMENT, _PROBE),
        lambda c: in_cluster.remove_endpoint(c, "AWS_ENDPOINT_URL_STS"),
    ),
    Fault(
        "ec2-unreachable",
        "ec2-unreachable",
        (ControllerRollout(), _DEPLOYMENT, _PROBE),
        lambda c: in_cluster.remove_endpoint(c, "AWS_ENDPOINT_URL"),
    ),
    Fault("permissions-missing", "permissions-missing", (_ROLE, _PROBE), identity.detach_policies),
    Fault("permissions-too-small", "permissions-missing", (_ROLE, _PROBE), identity.shrink_permissions),
    Fault(
        "permissions-boundary",
        "permissions-boundary",
        (Policy(identity.BOUNDARY_ARN), _ROLE, _PROBE),
        identity.set_boundary,
    ),
    Fault(
        "permissions-organization",
        "permissions-organization",
        (ControlPolicies(), _PROBE),
        identity.attach_control_policy,
    ),
    _snapshot("permissions-snapshot", identity.forbid_snapshots),
    _snapshot("permissions-snapshot-tags", identity.require_snapshot_tags),
    Fault(
        "controller-not-running",
        "controller-not-running",
        (ControllerRollout(), _DEPLOYMENT, _PROBE),
        in_cluster.stop_controller,
    ),
    Fault(
        "node-plugin-missing",
        "node-plugin-missing",
        (NodePlugin(NODES[0]), _PROBE),
        lambda c: in_cluster.withhold_plugin(c, NODES[0]),
    ),
    Fault("class-missing", "class-missing", (_PROBE,), storage.claim_missing_class),
    Fault("no-default-class", "no-default-class", (_PROBE,), storage.claim_without_class),
    Fault("class-of-another-driver", "class-of-another-driver", (_PROBE,), storage.claim_class_of_auto_mode),
    Fault("kms-key-missing", "kms-key-missing", (_PROBE,), storage.claim_missing_key),
    Fault("kms-key-disabled", "kms-key-disabled", (_ROLE, Keys(), _PROBE), storage.claim_disabled_key),
    Fault("kms-key-deleted", "kms-key-disabled", (_ROLE, Keys(), _PROBE), storage.claim_deleted_key),
    Fault("kms-permission", "kms-permission", (Keys(), _PROBE), storage.claim_forbidden_key),
    Fault("kms-key-policy", "kms-permission", (_ROLE, Keys(), _PROBE), storage.claim_key_of_another_role),
    Fault("volume-quota", "volume-quota", (Volumes(), _PROBE), storage.use_up_quota),
    Fault("claim-unused", "claim-unused", (_PROBE,), storage.claim_unused),
    Fault("pod-not-scheduled", "pod-not-scheduled", (_PROBE,), storage.claim_of_large_pod),
    Fault("no-node-in-zone", "no-node-in-zone", (_PROBE,), storage.claim_in_zone_without_node),
    Fault("attach-limit", "attach-limit", (_PROBE,), storage.claim_too_many_volumes),
    Fault("multi-attach", "multi-attach", (_PROBE,), storage.share_volume),
    Fault("modification-rate", "modification-rate", (_PROBE,), storage.modify_too_often),
)
FAULTS: Mapping[str, Fault] = {each.name: each for each in _FAULTS}

NOT_MADE: Mapping[str, str] = {
    "oidc-thumbprint": "the STS of the sandbox knows the signing key and reads no certificate of the issuer",
    "driver-start-blocked": "the sandbox has no driver 1.47.0; its own program does not have that defect",
    "driver-too-old": "the sandbox has no driver without support for Pod Identity",
    "filesystem-features": "all nodes of the sandbox share one kernel, which formats the volumes too",
}
"""Causes of the catalogue without a fault, and the reason. Unit tests of the doctor judge them from facts."""
