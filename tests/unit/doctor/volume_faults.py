"""Faults of claims and volumes: StorageClass, quota, placement, attachment, mount and resize."""

from dataclasses import replace

from eks_rocketmq.doctor.facts.cluster_facts import (
    Facts,
    ModificationFacts,
    StorageClassFacts,
    VolumeFacts,
)
from tests.unit.doctor.fault_facts import WAITING, Fault, with_class
from tests.unit.doctor.healthy_cases import (
    auto_mode_facts,
    broker_pod,
    claim,
    driver_pod,
    event,
    irsa_facts,
    pod_event,
    with_pending_claims,
)
from tests.unit.harness.fakes import REGION

FIRST_CONSUMER = "waiting for first consumer to be created before binding"


def with_waiting_pod(message: str, reason: str, **changes: object) -> Facts:
    pod = broker_pod(phase="Pending", ready=False)
    facts = irsa_facts(pods=(driver_pod(), pod), events=(pod_event(pod, message, reason),))
    return replace(facts, **changes)


def with_unplaced_pod(message: str, **changes: object) -> Facts:
    pod = broker_pod(node="", phase="Pending", ready=False)
    facts = irsa_facts(pods=(driver_pod(), pod), events=(pod_event(pod, message),))
    return replace(facts, **changes)


def with_unknown_features(
    kernel: str = "5.10.226-214.880.amzn2.x86_64", file_system: str = "xfs", driver: str = "1.50.0"
) -> Facts:
    """Return facts of a node that cannot mount a file system."""
    facts = with_waiting_pod(
        "MountVolume.MountDevice failed: wrong fs type, bad option, bad superblock on /dev/nvme1n1", "FailedMount"
    )
    return replace(
        facts,
        nodes=tuple(replace(each, kernel=kernel) for each in facts.nodes),  # ty: ignore[not-iterable]
        volumes=tuple(replace(each, file_system=file_system) for each in facts.volumes),  # ty: ignore[not-iterable]
        workloads=tuple(
            replace(each, images=tuple(image.replace("1.50.0", driver) for image in each.images))
            for each in facts.workloads  # ty: ignore[not-iterable]
        ),
    )


def with_modification(*modifications: ModificationFacts) -> Facts:
    """Return facts of a claim that does not grow, at 10:00."""
    return irsa_facts(
        claims=(claim(resizing=True),),
        events=(event(claim(), "VolumeModificationRateExceeded: You've reached", "VolumeResizeFailed"),),
        modifications=modifications or (ModificationFacts("vol-0", "optimizing", "2026-11-28T08:00:00Z", 40),),
    )


VOLUME_FAULTS: tuple[Fault, ...] = (
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
        with_unknown_features,
    ),
    ("modification-rate", "previous one", with_modification),
    (
        "modification-rate",
        "fifth in 24 hours",
        lambda: with_modification(ModificationFacts("vol-0", "completed", "2026-11-28T08:00:00Z", 100)),
    ),
)
