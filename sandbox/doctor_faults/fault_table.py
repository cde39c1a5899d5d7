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
    CONTROL_POLICIES,
    KEYS,
    POD_IDENTITY_ASSOCIATIONS,
    SNAPSHOTS,
    VOLUMES,
    Addon,
    ClusterStatus,
    ControllerRollout,
    HopLimits,
    KubernetesObject,
    NodePlugin,
    OidcProviders,
    Policy,
    Role,
    SavedResource,
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
_CONTROLLER = (ControllerRollout(), KubernetesObject("deployment", CONTROLLER))
_WEBHOOK = KubernetesObject("mutatingwebhookconfiguration", in_cluster.WEBHOOK)
_SNAPSHOT_DEFINITIONS = tuple(KubernetesObject("customresourcedefinition", name) for name in KINDS.values())
_OTHER_HOST = f"{HOST[:-4]}0000"


def _fault(
    name: str, make: Callable[[FaultContext], None], *touches: SavedResource, cause: str = "", cached: bool = False
) -> Fault:
    """Return a fault. The name of most faults is that of their cause."""
    return Fault(name, cause or name, touches, make, cached)


def _trust(name: str, document: str, cause: str = "") -> Fault:
    return _fault(name, lambda c: identity.write_trust(c, document), _ROLE, cause=cause, cached=True)


def _snapshot(name: str, change_role: Callable[[FaultContext], None]) -> Fault:
    def make(context: FaultContext) -> None:
        change_role(context)
        storage.claim_from_snapshot(context)

    touches = (*_SNAPSHOT_DEFINITIONS, SNAPSHOTS, VOLUMES, _ROLE, _PROBE)
    return _fault(name, make, *touches, cause="permissions-snapshot")


_FAULTS = (
    _fault("cluster-not-active", in_cluster.fail_cluster, ClusterStatus()),
    _fault("driver-missing", in_cluster.remove_driver, Addon(), _PROBE),
    _fault(
        "service-account-missing", in_cluster.delete_service_account, ControllerRollout(restart=True), _ACCOUNT_OBJECT
    ),
    _fault("oidc-provider-missing", identity.delete_provider, _PROVIDERS, cached=True),
    _fault(
        "oidc-provider-replaced-cluster",
        lambda c: identity.move_provider(c, f"https://{_OTHER_HOST}"),
        _PROVIDERS,
        cause="oidc-provider-missing",
        cached=True,
    ),
    _fault(
        "oidc-provider-dual-stack",
        lambda c: identity.move_provider(c, identity.DUAL_STACK_URL),
        _PROVIDERS,
        cached=True,
    ),
    _fault("oidc-provider-audience", identity.change_client_id, _PROVIDERS, cached=True),
    _fault("no-identity", in_cluster.remove_identity, *_CONTROLLER, _ACCOUNT_OBJECT, _PROBE),
    _fault("imds-hop-limit", in_cluster.limit_hops, *_CONTROLLER, _ACCOUNT_OBJECT, HopLimits(), _PROBE),
    _fault("role-arn-malformed", lambda c: c.annotate_role(ROLE), _ACCOUNT_OBJECT, cached=True),
    _fault(
        "role-arn-other-partition",
        lambda c: c.annotate_role(ROLE_ARN.replace("arn:aws:", "arn:aws-cn:")),
        _ACCOUNT_OBJECT,
        cause="role-arn-malformed",
        cached=True,
    ),
    _fault(
        "role-other-account",
        lambda c: c.annotate_role(ROLE_ARN.replace(ACCOUNT, "111122223333")),
        _ACCOUNT_OBJECT,
        cached=True,
    ),
    _fault("role-missing", lambda c: _ROLE.restore(c, None), _ROLE, cached=True),
    _trust("trust-condition-key", json.dumps(original_trust_policy())),
    _trust("trust-condition-key-prefix", trust_policy(key=f"oidc-provider/{HOST}"), cause="trust-condition-key"),
    _trust("trust-condition-key-issuer", trust_policy(key=_OTHER_HOST), cause="trust-condition-key"),
    _trust("trust-subject", trust_policy(subject=SUBJECT.replace("kube-system", "default"))),
    _trust("trust-subject-account", trust_policy(subject=SUBJECT.removesuffix("-sa")), cause="trust-subject"),
    _trust(
        "trust-subject-wildcard", trust_policy(subject="system:serviceaccount:kube-system:*"), cause="trust-subject"
    ),
    _trust("trust-audience", trust_policy(audience="sts.amazonaws.com.cn")),
    _trust("trust-provider", trust_policy(federated=PROVIDER_ARN.replace(HOST, _OTHER_HOST))),
    _trust(
        "trust-provider-account",
        trust_policy(federated=PROVIDER_ARN.replace(ACCOUNT, "111122223333")),
        cause="trust-provider",
    ),
    _fault(
        "trust-provider-pod-identity",
        lambda c: identity.associate(c, ROLE_ARN),
        POD_IDENTITY_ASSOCIATIONS,
        cause="trust-provider",
        cached=True,
    ),
    _trust("trust-action", trust_policy(action="sts:AssumeRole")),
    _trust("trust-deny", identity.with_deny(trust_policy())),
    _trust("trust-condition", trust_policy(more={"StringLike": {f"{HOST}:amr": "mfa"}})),
    _fault("webhook-missing", in_cluster.remove_webhook, _NEW_ROLE, _ACCOUNT_OBJECT, _WEBHOOK),
    _fault("pods-without-role", identity.annotate_new_role, _NEW_ROLE, _ACCOUNT_OBJECT),
    _fault(
        "pod-identity-agent-missing", identity.associate_new_role, _NEW_ROLE, POD_IDENTITY_ASSOCIATIONS, cached=True
    ),
    _fault(
        "credentials-endpoint",
        in_cluster.silence_agent,
        *_CONTROLLER,
        _ACCOUNT_OBJECT,
        _NEW_ROLE,
        POD_IDENTITY_ASSOCIATIONS,
        KubernetesObject("daemonset", AGENT),
        DroppedPackets(),
        _PROBE,
    ),
    _fault("sts-unreachable", lambda c: in_cluster.remove_endpoint(c, "AWS_ENDPOINT_URL_STS"), *_CONTROLLER, _PROBE),
    _fault("ec2-unreachable", lambda c: in_cluster.remove_endpoint(c, "AWS_ENDPOINT_URL"), *_CONTROLLER, _PROBE),
    _fault("permissions-missing", identity.detach_policies, _ROLE, _PROBE),
    _fault("permissions-too-small", identity.shrink_permissions, _ROLE, _PROBE, cause="permissions-missing"),
    _fault("permissions-boundary", identity.set_boundary, Policy(identity.BOUNDARY_ARN), _ROLE, _PROBE),
    _fault("permissions-organization", identity.attach_control_policy, CONTROL_POLICIES, _PROBE),
    _snapshot("permissions-snapshot", identity.forbid_snapshots),
    _snapshot("permissions-snapshot-tags", identity.require_snapshot_tags),
    _fault("controller-not-running", in_cluster.stop_controller, *_CONTROLLER, _PROBE),
    _fault("node-plugin-missing", lambda c: in_cluster.withhold_plugin(c, NODES[0]), NodePlugin(NODES[0]), _PROBE),
    _fault("class-missing", storage.claim_missing_class, _PROBE),
    _fault("no-default-class", storage.claim_without_class, _PROBE),
    _fault("class-of-another-driver", storage.claim_class_of_auto_mode, _PROBE),
    _fault("kms-key-missing", storage.claim_missing_key, _PROBE),
    _fault("kms-key-disabled", storage.claim_disabled_key, _ROLE, KEYS, _PROBE),
    _fault("kms-key-deleted", storage.claim_deleted_key, _ROLE, KEYS, _PROBE, cause="kms-key-disabled"),
    _fault("kms-permission", storage.claim_forbidden_key, KEYS, _PROBE),
    _fault("kms-key-policy", storage.claim_key_of_another_role, _ROLE, KEYS, _PROBE, cause="kms-permission"),
    _fault("volume-quota", storage.use_up_quota, VOLUMES, _PROBE),
    _fault("claim-unused", storage.claim_unused, _PROBE),
    _fault("pod-not-scheduled", storage.claim_of_large_pod, _PROBE),
    _fault("no-node-in-zone", storage.claim_in_zone_without_node, _PROBE),
    _fault("attach-limit", storage.claim_too_many_volumes, _PROBE),
    _fault("multi-attach", storage.share_volume, _PROBE),
    _fault("modification-rate", storage.modify_too_often, _PROBE),
)
FAULTS: Mapping[str, Fault] = {each.name: each for each in _FAULTS}

NOT_MADE: Mapping[str, str] = {
    "oidc-thumbprint": "the STS of the sandbox knows the signing key and reads no certificate of the issuer",
    "driver-start-blocked": "the sandbox has no driver 1.47.0; its own program does not have that defect",
    "driver-too-old": "the sandbox has no driver without support for Pod Identity",
    "filesystem-features": "all nodes of the sandbox share one kernel, which formats the volumes too",
}
"""Causes of the catalogue without a fault, and the reason. Unit tests of the doctor judge them from facts."""
