"""Faults of claims that are bound: their volumes are not attached, mounted or resized."""

import json
from dataclasses import replace

from eks_rocketmq.doctor.facts.cluster_facts import (
    ClaimFacts,
    CsiNodeFacts,
    EventFacts,
    Facts,
    NodeFacts,
    PodFacts,
    PolicyFacts,
    SimulatedAction,
    Unreadable,
)
from tests.unit.doctor.fault_facts import NO_PROVIDER, Fault
from tests.unit.doctor.healthy_cases import (
    broker_pod,
    claim,
    driver_pod,
    driver_role,
    event,
    irsa_facts,
    managed_policy,
    pod_event,
)
from tests.unit.doctor.permission_faults import UNAUTHORIZED

ATTACH = 'AttachVolume.Attach failed for volume "pvc-0" : rpc error: code = Internal desc = Could not attach volume '
ATTACH_DENIED = (
    f"{ATTACH}vol-0: UnauthorizedOperation: You are not authorized to perform this operation. User: x is not "
    "authorized to perform: ec2:AttachVolume"
)
INCORRECT_STATE = f"{ATTACH}vol-0: IncorrectState: vol-0 is not 'available'."
DEADLINE = (
    'MountVolume.MountDevice failed for volume "pvc-0" : rpc error: code = DeadlineExceeded desc = context deadline'
)
NOT_REGISTERED = (
    'MountVolume.MountDevice failed for volume "pvc-0" : kubernetes.io/csi: attacher.MountDevice failed to create '
    "newCsiDriverClient: driver name ebs.csi.aws.com not found in the list of registered CSI drivers"
)
SUMMARY = "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[]: timed out waiting"
CONFIG_MAP = 'MountVolume.SetUp failed for volume "config" : configmap "rocketmq-broker-a" not found'
RESIZE_DENIED = (
    'resize volume "pvc-0" by resizer "ebs.csi.aws.com" failed: rpc error: code = Internal desc = Could not resize '
    'volume "vol-0": UnauthorizedOperation: You are not authorized to perform this operation. User: x is not '
    "authorized to perform: ec2:ModifyVolume on resource: volume/vol-0"
)
LOST = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
WAITING_POD = broker_pod(phase="Pending", ready=False)
LATER, EARLIER = "2026-11-28T10:00:30Z", "2026-11-28T09:00:00Z"


def with_pod(*events: EventFacts, pod: PodFacts = WAITING_POD, **changes: object) -> Facts:
    """Return facts with one broker that has a node and does not run."""
    others = (broker_pod(1), broker_pod(2))
    return replace(irsa_facts(pods=(driver_pod(), pod, *others), events=events), **changes)


def with_resize(*events: EventFacts, grown: ClaimFacts | None = None, **changes: object) -> Facts:
    """Return facts with one claim that grows."""
    claims = (grown or claim(resizing=True), claim(1), claim(2))
    return replace(irsa_facts(claims=claims, events=events), **changes)


def attach(message: str) -> EventFacts:
    return pod_event(WAITING_POD, message, "FailedAttachVolume")


def mount(message: str) -> EventFacts:
    return pod_event(WAITING_POD, message, "FailedMount")


def resize(message: str, reason: str = "VolumeResizeFailed") -> EventFacts:
    return event(claim(), message, reason)


def happened(message: str, reason: str, time: str = LATER) -> EventFacts:
    return replace(pod_event(WAITING_POD, message, reason), last_seen=time)


def without(action: str) -> PolicyFacts:
    """Return the managed policy without an action."""
    document = json.loads(managed_policy("AmazonEBSCSIDriverPolicyV2").document)
    for statement in document["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [each for each in actions if each != action]
    return PolicyFacts("minimal", json.dumps(document))


MINIMAL = driver_role(policies=(without("ec2:ModifyVolume"),))

TROUBLE_FAULTS: tuple[Fault, ...] = (
    (
        "permissions-organization",
        "organization",
        lambda: with_pod(attach(f"{ATTACH}{UNAUTHORIZED}with an explicit deny in a service control policy")),
    ),
    (
        "permissions-missing",
        "attach-policy",
        lambda: with_pod(attach(ATTACH_DENIED), roles=(driver_role(policies=()),)),
    ),
    ("oidc-provider-missing", "attach-no-provider", lambda: with_pod(attach(f"{ATTACH}{NO_PROVIDER}"), providers=())),
    (
        "sts-unreachable",
        "attach-sts",
        lambda: with_pod(attach(f'{ATTACH}Post "https://sts.amazonaws.com/": dial tcp 52.94.1.1:443: i/o timeout')),
    ),
    (
        "node-plugin-missing",
        "not-registered",
        lambda: with_pod(mount(NOT_REGISTERED), csi_nodes=irsa_facts().csi_nodes[1:]),  # ty: ignore[not-subscriptable]
    ),
    (
        "node-plugin-missing",
        "not-registered-on-a-cordoned-node",
        lambda: with_pod(
            mount(NOT_REGISTERED),
            csi_nodes=irsa_facts().csi_nodes[1:],  # ty: ignore[not-subscriptable]
            nodes=(NodeFacts("node-a", "ap-southeast-1a", schedulable=False), *irsa_facts().nodes[1:]),  # ty: ignore
        ),
    ),
    (
        "driver-missing",
        "driver-removed",
        lambda: with_pod(
            attach(f"{ATTACH}timed out waiting for external-attacher of ebs.csi.aws.com CSI driver"),
            workloads=(),
            addons=(),
            csi_drivers=(),
            service_accounts=(),
            csi_nodes=tuple(CsiNodeFacts(each, ()) for each in ("node-a", "node-b", "node-c")),
        ),
    ),
    ("permissions-missing", "resize-policy", lambda: with_resize(resize(RESIZE_DENIED), roles=(MINIMAL,))),
    ("permissions-missing", "resize-not-tried", lambda: with_resize(roles=(MINIMAL,))),
    (
        "permissions-missing",
        "resize-simulated",
        lambda: with_resize(
            resize(RESIZE_DENIED),
            roles=(replace(MINIMAL, simulated=(SimulatedAction("ec2:ModifyVolume", "implicitDeny"),)),),
        ),
    ),
    (
        "permissions-missing",
        "resize-policies-unread",
        lambda: with_resize(
            resize(RESIZE_DENIED),
            roles=(driver_role(policies=Unreadable("iam:GetPolicy", "iam:GetPolicy", "AccessDenied")),),
        ),
    ),
    (
        "filesystem-features",
        "mount-after-summary",
        lambda: with_pod(
            mount('MountVolume.MountDevice failed for volume "pvc-0" : wrong fs type, bad option, bad superblock'),
            happened(SUMMARY, "FailedMount"),
        ),
    ),
)
