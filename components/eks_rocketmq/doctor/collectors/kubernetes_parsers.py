"""Facts from the JSON of Kubernetes objects. Pure. Values that may be secret are not read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eks_rocketmq.args.kubernetes_names import EBS_DRIVER, POD_IDENTITY_AGENT, ROLE_ANNOTATION, ZONE
from eks_rocketmq.doctor.catalogue.symptoms import is_known_message
from eks_rocketmq.doctor.facts.cluster_facts import (
    ENVIRONMENT,
    ClaimFacts,
    CsiNodeFacts,
    EventFacts,
    NodeFacts,
    PodFacts,
    ServiceAccountFacts,
    StorageClassFacts,
    Unreadable,
    VolumeFacts,
    WorkloadFacts,
)
from eks_rocketmq.doctor.facts.fact_queries import find_named_volume
from eks_rocketmq.lookups.kubeconfig_files import find_option
from eks_rocketmq.lookups.kubernetes_quantities import parse_quantity

AUDIENCE_ANNOTATION = "eks.amazonaws.com/audience"
_DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
_ZONES = (ZONE, "topology.ebs.csi.aws.com/zone", "failure-domain.beta.kubernetes.io/zone")
_INSTANCE_TYPE = "node.kubernetes.io/instance-type"
_COMPUTE_TYPE = "eks.amazonaws.com/compute-type"
_DRIVER_IMAGE = "aws-ebs-csi-driver"
_CONTROLLER, _NODE_PLUGIN = "ebs-csi-controller", "ebs-csi-node"
_SECRETS = re.compile(
    r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]+)?"
    r"|\b(?-i:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|[\w-]*(?:secret|password|token)[\w-]*=\S+"
    r'|"[\w-]*(?:secret|password|token)[\w-]*":\s*"[^"]*"',
    re.IGNORECASE,
)
"""Tokens, access keys, and values of fields that are named like a secret. A colon alone is part of many messages."""
_RESIZE_ERRORS = ("ControllerResizeError", "NodeResizeError")
_MAX_LOG_LINES = 5
_MAX_LENGTH = 2000

Manifest = Mapping[str, Any]
"""A Kubernetes object as JSON."""


def redact(text: str) -> str:
    """Return a message without tokens and keys, cut to a readable length."""
    return _SECRETS.sub("[redacted]", text)[:_MAX_LENGTH]


def parse_service_account(manifest: Manifest) -> ServiceAccountFacts:
    """Return a service account."""
    annotations = _get_annotations(manifest)
    metadata = manifest["metadata"]
    return ServiceAccountFacts(
        metadata["namespace"],
        metadata["name"],
        annotations.get(ROLE_ANNOTATION, ""),
        annotations.get(AUDIENCE_ANNOTATION, ""),
    )


def parse_workload(kind: str, manifest: Manifest) -> WorkloadFacts | None:
    """Return a Deployment or DaemonSet of the driver or of the Pod Identity agent; None for any other one."""
    metadata, template = manifest["metadata"], manifest["spec"]["template"]["spec"]
    images = tuple(each.get("image", "") for each in template["containers"])
    if metadata["name"] != POD_IDENTITY_AGENT and not is_driver(manifest):
        return None
    status = manifest.get("status") or {}
    daemon = kind == "DaemonSet"
    return WorkloadFacts(
        kind,
        metadata["namespace"],
        metadata["name"],
        template.get("serviceAccountName") or "default",
        status.get("desiredNumberScheduled", 0) if daemon else manifest["spec"].get("replicas", 1),
        status.get("numberReady" if daemon else "readyReplicas") or 0,
        tuple(image for image in images if _DRIVER_IMAGE in image) or images[:1],
        (metadata.get("labels") or {}).get("app.kubernetes.io/managed-by") == "EKS",
        *_parse_tag_arguments(template["containers"]),
    )


def _parse_tag_arguments(containers: Iterable[Manifest]) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """Return the cluster's id and the extra tags that the arguments of the driver set on volumes."""
    arguments = [text for each in containers for text in [*(each.get("command") or []), *(each.get("args") or [])]]
    cluster_id, tags = find_option(arguments, "--k8s-tag-cluster-id"), find_option(arguments, "--extra-tags")
    pairs = [each.partition("=") for each in tags.split(",")]
    # The value of an environment variable is not read.
    return None if "$(" in cluster_id else cluster_id, tuple((key, value) for key, _, value in pairs if key)


def is_driver(manifest: Manifest) -> bool:
    """Return whether a Deployment or DaemonSet is one of the EBS CSI driver, by its name, label or image."""
    metadata = manifest["metadata"]
    if metadata["name"] in {_CONTROLLER, _NODE_PLUGIN}:
        return True
    if (metadata.get("labels") or {}).get("app.kubernetes.io/name") == _DRIVER_IMAGE:
        return True
    images = [each.get("image", "") for each in manifest["spec"]["template"]["spec"]["containers"]]
    return any(image.rsplit("/", 1)[-1].split("@")[0].split(":")[0] == _DRIVER_IMAGE for image in images)


def parse_pod(manifest: Manifest) -> PodFacts:
    """Return a pod without its log."""
    metadata, spec, status = manifest["metadata"], manifest["spec"], manifest.get("status") or {}
    variables = {
        each["name"]: each.get("value") or ""
        for container in spec.get("containers") or []
        for each in container.get("env") or []
        if each["name"] in ENVIRONMENT
    }
    containers = status.get("containerStatuses") or []
    volumes = spec.get("volumes") or []
    sources = [source for each in volumes for source in (each.get("projected") or {}).get("sources") or []]
    tokens = [each["serviceAccountToken"] for each in sources if each.get("serviceAccountToken")]
    return PodFacts(
        metadata["namespace"],
        metadata["name"],
        spec.get("serviceAccountName") or "default",
        spec.get("nodeName") or "",
        metadata.get("creationTimestamp") or "",
        status.get("phase") or "Pending",
        bool(containers) and all(each.get("ready") for each in containers),
        sum(each.get("restartCount") or 0 for each in containers),
        tuple(sorted(variables.items())),
        tuple(dict.fromkeys(each["audience"] for each in tokens if each.get("audience"))),
        tuple(each["persistentVolumeClaim"]["claimName"] for each in volumes if each.get("persistentVolumeClaim")),
        _format_owner(metadata),
        tuple(each["name"] for each in spec.get("containers") or []),
        terminating="deletionTimestamp" in metadata,
    )


def _format_owner(metadata: Mapping[str, Any]) -> str:
    owners = [each for each in metadata.get("ownerReferences") or [] if each.get("controller")]
    if not owners:
        return ""
    kind, name = owners[0]["kind"], owners[0]["name"]
    # The name of a ReplicaSet is that of its Deployment with the hash of the pod template.
    return f"Deployment/{name.rpartition('-')[0]}" if kind == "ReplicaSet" else f"{kind}/{name}"


def select_log_lines(text: str) -> tuple[str, ...]:
    """Return the last lines with a message of the catalogue, and the last line of all."""
    lines = [each for each in text.splitlines() if each.strip()]
    known = [each for each in lines if is_known_message(each)]
    return tuple(dict.fromkeys(map(redact, [*known[-_MAX_LOG_LINES:], *lines[-1:]])))


def parse_csi_node(manifest: Manifest) -> CsiNodeFacts:
    """Return the drivers of a node."""
    drivers = manifest.get("spec", {}).get("drivers") or []
    limits = [(each.get("allocatable") or {}).get("count") for each in drivers if each["name"] == EBS_DRIVER]
    return CsiNodeFacts(manifest["metadata"]["name"], tuple(each["name"] for each in drivers), next(iter(limits), None))


def parse_node(manifest: Manifest) -> NodeFacts:
    """Return a node."""
    metadata, spec = manifest["metadata"], manifest.get("spec") or {}
    labels = metadata.get("labels") or {}
    status = manifest.get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or []}
    return NodeFacts(
        metadata["name"],
        next((labels[each] for each in _ZONES if each in labels), ""),
        labels.get(_INSTANCE_TYPE, ""),
        (spec.get("providerID") or "").rpartition("/")[2],
        conditions.get("Ready") == "True",
        not spec.get("unschedulable"),
        tuple(f"{each['key']}={each.get('value') or ''}:{each['effect']}" for each in spec.get("taints") or []),
        labels.get(_COMPUTE_TYPE) == "fargate",
        labels.get(_COMPUTE_TYPE) == "auto",
        kernel=(status.get("nodeInfo") or {}).get("kernelVersion") or "",
        windows=labels.get("kubernetes.io/os") == "windows",
        hybrid=labels.get(_COMPUTE_TYPE) == "hybrid",
    )


def parse_storage_class(manifest: Manifest) -> StorageClassFacts:
    """Return a StorageClass."""
    annotations = _get_annotations(manifest)
    parameters = manifest.get("parameters") or {}
    return StorageClassFacts(
        manifest["metadata"]["name"],
        manifest["provisioner"],
        any(annotations.get(each) == "true" for each in _DEFAULT_CLASS),
        manifest.get("volumeBindingMode") or "Immediate",
        tuple(sorted((key, value) for key, value in parameters.items() if "secret" not in key.lower())),
    )


def parse_claim(manifest: Manifest) -> ClaimFacts:
    """Return a claim."""
    metadata, spec, status = manifest["metadata"], manifest["spec"], manifest.get("status") or {}
    source = spec.get("dataSource") or {}
    requested = parse_quantity((spec.get("resources") or {}).get("requests", {}).get("storage", ""))
    actual = parse_quantity((status.get("capacity") or {}).get("storage", ""))
    phase = status.get("phase") or "Pending"
    return ClaimFacts(
        metadata["namespace"],
        metadata["name"],
        phase,
        spec.get("storageClassName"),
        spec.get("volumeName") or "",
        f"{source['kind']}/{source['name']}" if source else "",
        # The driver rounds up, so that a capacity may be larger than the request.
        phase == "Bound" and 0 < actual < requested,
        _find_resize_error(status),
    )


def _find_resize_error(status: Mapping[str, Any]) -> str:
    """Return the condition of a claim that says why it does not grow; an empty text if there is none."""
    conditions = [
        f"{each['type']}: {each.get('message') or each.get('reason') or ''}"
        for each in status.get("conditions") or []
        if each.get("status") == "True" and each["type"] in _RESIZE_ERRORS
    ]
    states = [each for each in (status.get("allocatedResourceStatuses") or {}).values() if "Infeasible" in each]
    return redact(next(iter([*conditions, *states]), ""))


def parse_volume(manifest: Manifest, attachments: Iterable[Manifest] | Unreadable) -> VolumeFacts:
    """Return a volume with the nodes of its attachments."""
    name, spec = manifest["metadata"]["name"], manifest["spec"]
    csi, in_tree = spec.get("csi") or {}, spec.get("awsElasticBlockStore") or {}
    terms = ((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or []
    expressions = [each for term in terms for each in term.get("matchExpressions") or [] if each["key"] in _ZONES]
    return VolumeFacts(
        name,
        csi.get("driver") or (EBS_DRIVER if in_tree else ""),
        csi.get("volumeHandle") or in_tree.get("volumeID") or "",
        tuple(dict.fromkeys(zone for each in expressions for zone in each.get("values") or [])),
        attachments
        if isinstance(attachments, Unreadable)
        else tuple(
            each["spec"]["nodeName"]
            for each in attachments
            if (each["spec"].get("source") or {}).get("persistentVolumeName") == name
        ),
        csi.get("fsType") or in_tree.get("fsType") or "",
    )


def parse_events(manifests: Sequence[Manifest]) -> tuple[EventFacts, ...]:
    """Return the latest event of each object and reason. A pod has events of the same reason for each volume."""
    latest: dict[tuple[str, ...], EventFacts] = {}
    for each in manifests:
        about = each.get("involvedObject") or {}
        fact = EventFacts(
            about.get("kind") or "",
            about.get("namespace") or "",
            about.get("name") or "",
            each.get("reason") or "",
            redact(each.get("message") or ""),
            each.get("lastTimestamp") or each.get("eventTime") or each["metadata"].get("creationTimestamp") or "",
            (each.get("source") or {}).get("component") or each.get("reportingComponent") or "",
        )
        key = (fact.kind, fact.namespace, fact.name, fact.reason, find_named_volume(fact.message))
        if key not in latest or latest[key].last_seen <= fact.last_seen:
            latest[key] = fact
    return tuple(latest.values())


def _get_annotations(manifest: Manifest) -> Mapping[str, str]:
    return manifest["metadata"].get("annotations") or {}
