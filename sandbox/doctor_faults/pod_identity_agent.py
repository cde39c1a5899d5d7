"""EKS Pod Identity agent that runs and does not answer: each node drops the packets to its address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import pins
from sandbox.command import run
from sandbox.doctor_faults.fault_context import NAMESPACE, FaultContext
from sandbox.doctor_faults.saved_resources import Saved, Unsaved
from sandbox.layout import NODES

AGENT = "eks-pod-identity-agent"
_ADDRESS = "169.254.170.23"
_VOLUME, _FILE = "eks-pod-identity-token", "eks-pod-identity-token"
_FOLDER = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
# What the webhook of EKS gives to a pod with an association.
# https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
VARIABLES: Mapping[str, str] = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{_ADDRESS}/v1/credentials",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{_FOLDER}/{_FILE}",
}
_TOKEN = {"audience": "pods.eks.amazonaws.com", "expirationSeconds": 86400, "path": _FILE}
TOKEN_VOLUME = {"name": _VOLUME, "projected": {"sources": [{"serviceAccountToken": _TOKEN}]}}
MOUNT = {"name": _VOLUME, "mountPath": _FOLDER, "readOnly": True}


@dataclass(frozen=True)
class DroppedPackets(Unsaved):
    """Routes of the nodes that drop the packets of pods to the address of the agent."""

    def restore(self, context: FaultContext, saved: Saved) -> None:  # noqa: ARG002 - there were none
        """Delete the routes."""
        for node in NODES:
            netns = context.instance.node_netns(node)
            if run(["ip", "-netns", netns, "route", "show", "type", "blackhole", _ADDRESS]).strip():
                run(["ip", "-netns", netns, "route", "delete", "blackhole", _ADDRESS])


def drop_packets(context: FaultContext) -> None:
    """Let each node drop packets to the agent, as a network policy does."""
    for node in NODES:
        run(["ip", "-netns", context.instance.node_netns(node), "route", "replace", "blackhole", _ADDRESS])


def start_agent(context: FaultContext) -> None:
    """Create a DaemonSet with the name of the agent, and wait until its pods are ready."""
    context.apply([build_daemon_set()])
    context.kubectl("-n", NAMESPACE, "rollout", "status", f"daemonset/{AGENT}", "--timeout=60s")


def build_daemon_set() -> dict[str, Any]:
    """Return the DaemonSet. Its pods are ready and listen on no port."""
    labels = {"app": AGENT}
    container = {"name": "pause", "image": pins.PAUSE_IMAGE, "imagePullPolicy": "IfNotPresent"}
    pod = {"containers": [container], "tolerations": [{"operator": "Exists"}], "terminationGracePeriodSeconds": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": AGENT, "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }
