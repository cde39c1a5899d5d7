"""Exported state of a stack, and volumes of its cluster."""

from dataclasses import replace
from typing import Any

from eks_rocketmq.args.kubernetes_names import EBS_CSI, EBS_DRIVER
from eks_rocketmq.commands.destroy import KUBERNETES_PROVIDER, NAMESPACE, STATEFUL_SET
from eks_rocketmq.lookups.aws_resources import ADDON
from eks_rocketmq.lookups.volumes import Volume

URN = "urn:pulumi:prod::eks-rocketmq"
ROCKETMQ = "eks-rocketmq:index:RocketMq"
GROUP = "eks-rocketmq:index:BrokerMembers"
PROVIDER = f"{URN}::{KUBERNETES_PROVIDER}::kubernetes"


def urn(type_: str, name: str) -> str:
    return f"{URN}::{type_}::{name}"


def resource(type_: str, name: str, **more: Any) -> dict[str, Any]:
    custom = not type_.startswith("eks-rocketmq:")
    provider = f"{PROVIDER}::id" if type_.startswith("kubernetes:") else ""
    return {"urn": urn(type_, name), "type": type_, "custom": custom, "provider": provider, **more}


STACK_RESOURCE = resource("pulumi:pulumi:Stack", "eks-rocketmq-prod")
KUBERNETES = resource(KUBERNETES_PROVIDER, "kubernetes", inputs={"kubeconfig": "the kubeconfig"})
DRIVER = resource(ADDON, "driver", inputs={"addonName": EBS_CSI})
ROOT = resource(ROCKETMQ, "rocketmq")
OWN_NAMESPACE = resource(NAMESPACE, "namespace", id="rocketmq", parent=ROOT["urn"])
MEMBERS = resource(GROUP, "broker-a", parent=ROOT["urn"])
TEMPLATES = {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}}
BROKERS = resource(STATEFUL_SET, "brokers", id="rocketmq/broker-a", parent=MEMBERS["urn"], inputs=TEMPLATES)
CONFIG_MAP = resource("kubernetes:core/v1:ConfigMap", "config", id="elsewhere/config")
STATE = [STACK_RESOURCE, KUBERNETES, DRIVER, ROOT, OWN_NAMESPACE, MEMBERS, BROKERS, CONFIG_MAP]


def export(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources)}}


def volume(name: str = "data", claim: str = "rocketmq/data", **more: Any) -> Volume:
    made = Volume(
        name=f"pvc-{name}",
        uid=f"uid-{name}",
        claim=claim,
        has_claim=True,
        stateful_set="",
        size="100Gi",
        reclaim_policy="Delete",
        phase="Bound",
        driver=EBS_DRIVER,
        volume_id=f"vol-{name}",
    )
    return replace(made, **more)
