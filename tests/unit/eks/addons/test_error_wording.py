"""Error messages about the arguments of addons."""

from typing import Any

import pytest

from eks_rocketmq.eks.addons.addon_plan import plan_addons
from tests.unit.harness.rejections import Wording, check_wording

IRSA = {"role_name": "prod-vpc-cni", "issuer": "https://issuer.example.com", "provider_arn": "arn"}


def plan_before(**changed: Any) -> object:
    args: Any = {"cluster_name": "prod", "stage": "before_nodes", "vpc_cni": IRSA, **changed}
    return plan_addons(args)


def plan_after(**changed: Any) -> object:
    args: Any = {"cluster_name": "prod", "stage": "after_nodes", **changed}
    return plan_addons(args)


WORDING = [
    Wording(
        "addon-versions-lookup",
        lambda: plan_after(versions="latest"),
        "versions: 'latest' needs the Kubernetes version of the cluster. Set kubernetes_version, for example to "
        "'1.35'.",
    ),
    Wording(
        "addon-name",
        lambda: plan_after(addons=[{"name": "Core DNS"}]),
        "addons['Core DNS'].name: 'Core DNS' is not accepted. Accepted: a name that `aws eks describe-addon-versions` "
        "shows, such as 'coredns'.",
    ),
    Wording(
        "addon-with-component",
        lambda: plan_after(addons=[{"name": "aws-ebs-csi-driver"}]),
        "addons['aws-ebs-csi-driver']: EbsCsiAddon installs the addon 'aws-ebs-csi-driver' with the role that it "
        "needs. Leave it out here.",
    ),
    Wording(
        "addon-before-nodes",
        lambda: plan_after(pod_identity_agent=True),
        "pod_identity_agent: nodes become ready only with the addon 'eks-pod-identity-agent', so it cannot come after "
        "them. Install it before the nodes.",
    ),
    Wording(
        "addon-after-nodes",
        lambda: plan_before(addons=[{"name": "vpc-cni"}, {"name": "coredns"}]),
        "addons['coredns']: the pods of the addon 'coredns' need nodes, and EKS would wait 20 minutes for these pods. "
        "Install it after the nodes.",
    ),
    Wording(
        "vpc-cni-not-installed",
        lambda: plan_after(vpc_cni=IRSA),
        "vpc_cni: the argument has no effect, because this component does not install the addon 'vpc-cni'. Leave it "
        "out, or install the addon before the nodes.",
    ),
    Wording(
        "vpc-cni-missing",
        lambda: plan_addons({"cluster_name": "prod", "stage": "before_nodes"}),
        "vpc_cni: the addon 'vpc-cni' needs an identity. Accepted: an object, for example with the fields role_name, "
        "issuer, provider_arn.",
    ),
    Wording(
        "vpc-cni-field-missing",
        lambda: plan_before(vpc_cni={"role_name": "prod-vpc-cni", "issuer": IRSA["issuer"]}),
        "vpc_cni.provider_arn: a value is required, because vpc_cni.identity is 'irsa'.",
    ),
    Wording(
        "vpc-cni-agent",
        lambda: plan_before(vpc_cni={"identity": "pod_identity", "role_name": "prod-vpc-cni", "cluster_arn": "arn"}),
        "vpc_cni.identity: 'pod_identity' needs the addon 'eks-pod-identity-agent'. Set pod_identity_agent to true.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)
