"""Fake account and cluster with some of the resources that a small stack plans."""

from typing import Any

import pytest

from eks_rocketmq.commands import adopt
from eks_rocketmq.commands.adopt import PLACEHOLDER, PreviewedPlan, plan_adoption, read_plan
from eks_rocketmq.lookups import interrupted_creates
from eks_rocketmq.lookups.aws_resources import ADDON, OIDC_PROVIDER, ROLE
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.kubernetes_objects import get_import_id
from eks_rocketmq.pulumi_sdk.engine_values import UNKNOWN

STACK = "urn:pulumi:prod::eks-rocketmq"
COMPONENT = "eks-rocketmq:index:EbsCsiAddon"
ROLE_COMPONENT = "eks-rocketmq:index:IrsaRole"
ROLE_URN = f"{STACK}::{COMPONENT}${ROLE_COMPONENT}${ROLE}::ebs-csi-driver-role"
ADDON_URN = f"{STACK}::{COMPONENT}${ADDON}::ebs-csi-addon"
OIDC_URN = f"{STACK}::eks-rocketmq:index:ClusterOidcProvider${OIDC_PROVIDER}::oidc-provider"
AWS_URN = f"{STACK}::pulumi:providers:aws::default_7_51_1"
KUBERNETES_URN = f"{STACK}::eks-rocketmq:index:ExistingEksCluster$pulumi:providers:kubernetes::cluster-kubernetes"
NAMESPACE_URN = f"{STACK}::eks-rocketmq:index:RocketMq$kubernetes:core/v1:Namespace::rocketmq-namespace"
PATCH_URN = f"{STACK}::kubernetes:storage.k8s.io/v1:StorageClassPatch::storage-expansion"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rocketmq"}}


def step(urn: str, inputs: dict[str, Any], provider: str = "") -> dict[str, Any]:
    return {"op": "create", "urn": urn, "newState": {"urn": urn, "inputs": inputs, "provider": f"{provider}::id"}}


DIGEST = {
    "steps": [
        step(AWS_URN, {"region": "ap-southeast-1", "profile": "prod"}),
        step(KUBERNETES_URN, {"kubeconfig": "the kubeconfig"}),
        step(ROLE_URN, {"name": "eks-ebs-csi-driver", "assumeRolePolicy": UNKNOWN}, AWS_URN),
        step(ADDON_URN, {"clusterName": "prod", "addonName": "aws-ebs-csi-driver"}, AWS_URN),
        step(OIDC_URN, {"url": "https://issuer/id/A"}, AWS_URN),
        step(NAMESPACE_URN, NAMESPACE, KUBERNETES_URN),
        step(PATCH_URN, {"kind": "StorageClass", "metadata": {"name": "gp2"}}, KUBERNETES_URN),
    ]
}
IMPORT_FILE = {
    "resources": [
        {"type": "eks-rocketmq:index:ExistingEksCluster", "name": "cluster", "component": True},
        {
            "type": "pulumi:providers:kubernetes",
            "name": "cluster-kubernetes",
            "parent": "cluster",
            "inputs": {"kubeconfig": "c"},
        },
        {"type": COMPONENT, "name": "ebs-csi", "component": True},
        {"type": ROLE_COMPONENT, "name": "ebs-csi-driver", "component": True, "parent": "ebs-csi"},
        {"type": ROLE, "name": "ebs-csi-driver-role", "id": PLACEHOLDER, "parent": "ebs-csi-driver"},
        {"type": ADDON, "name": "ebs-csi-addon", "id": PLACEHOLDER, "parent": "ebs-csi"},
        {"type": "eks-rocketmq:index:ClusterOidcProvider", "name": "oidc", "component": True},
        {"type": OIDC_PROVIDER, "name": "oidc-provider", "id": PLACEHOLDER, "parent": "oidc"},
        {"type": "eks-rocketmq:index:RocketMq", "name": "rocketmq", "component": True},
        {
            "type": "kubernetes:core/v1:Namespace",
            "name": "rocketmqNamespace",
            "logicalName": "rocketmq-namespace",
            "id": PLACEHOLDER,
            "parent": "rocketmq",
            "provider": "cluster-kubernetes",
        },
        {
            "type": "kubernetes:storage.k8s.io/v1:StorageClassPatch",
            "name": "storage-expansion",
            "id": PLACEHOLDER,
            "provider": "cluster-kubernetes",
        },
    ]
}
PLAN = read_plan(DIGEST, IMPORT_FILE, "prod", "eks-rocketmq")


class Account:
    """Fake account that answers lookups for its resources and records the settings of each lookup."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        aws: dict[str, str],
        objects: tuple[str, ...] = (),
        owner: str = "",
        objection: str = "",
    ) -> None:
        self.asked: list[Any] = []
        self._objects = objects
        self._tags = {"eks-rocketmq/stack": owner} if owner else {}

        def find(session: Any, type_: str, inputs: Any) -> ExistingResource | None:
            del inputs
            self.asked.append(session())
            blockers = [objection] if objection else []
            return ExistingResource(aws[type_], self._tags, lambda: blockers) if type_ in aws else None

        monkeypatch.setattr(adopt, "find_resource", find)
        monkeypatch.setattr(interrupted_creates, "find_resource", find)

    def session(self, provider: Any) -> Any:
        return dict(provider)

    def kubernetes(self, provider: Any, inputs: Any) -> ExistingResource | None:
        self.asked.append(provider)
        id_ = get_import_id(inputs)
        return ExistingResource(id_, self._tags) if id_ in self._objects else None


def adopted(account: Account, plan: PreviewedPlan = PLAN) -> adopt.Adoption:
    return plan_adoption(plan, account.session, account.kubernetes)
