"""Error messages about the EBS CSI driver and the StorageClass."""

from typing import Any

import pytest

from eks_rocketmq import EbsCsiAddon, EbsCsiAddonArgs
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.doctor.checks.chain import ChainResult, Finding, Link
from eks_rocketmq.eks.ebs.csi_configuration import render_configuration
from eks_rocketmq.eks.ebs.driver_lookup import read_controller
from eks_rocketmq.eks.ebs.driver_plan import plan_driver
from eks_rocketmq.eks.ebs.driver_preflight import validate_driver_tags, validate_keys, validate_volume_tags
from eks_rocketmq.eks.ebs.existing_driver import ExistingDriver, build_errors, build_warning
from eks_rocketmq.eks.ebs.self_managed_driver import DriverNames
from eks_rocketmq.eks.ebs.storage_class import check_storage_class
from eks_rocketmq.eks.ebs.storage_class_plan import build_parameters, check_adoption, plan_storage_class
from eks_rocketmq.eks.ebs.tag_template import validate_tag_template
from tests.unit.harness import Fakes, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.rejections import Wording, check_wording
from tests.unit.kubernetes_api import serving

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
EXISTING = ExistingDriver("prod", "v1.60.0-eksbuild.1", "arn", "")
WARNINGS = ["driver-not-judged", "addon-not-read"]
DRIVER: EbsCsiAddonArgs = {"cluster_name": "prod", "role_name": "driver", "identity": "pod_identity"}


def read_named(names: DriverNames) -> None:
    """Read the controller of a cluster with the Deployment `driver` and its service account `sa`."""
    with serving() as api:
        template = {"spec": {"serviceAccountName": "sa"}}
        api.objects = {"/apis/apps/v1/namespaces/kube-system/deployments/driver": {"spec": {"template": template}}}
        read_controller({"kubeconfig": api.kubeconfig}, names)


def deploy(**args: Any) -> None:
    """Run the component for a cluster whose addon has no role."""
    given: Any = {**DRIVER, **args}
    fakes = Fakes().answering("aws:eks/getAddon:getAddon", lambda _: {"addonVersion": "v1.60.0-eksbuild.1"})
    run(lambda: EbsCsiAddon("driver", given), preview=True, fakes=fakes)


def raise_cause(finding: Finding) -> None:
    """Raise the errors for an existing addon with a fault."""
    link = Link("title", "broken", finding)
    for error in build_errors(EXISTING, ChainResult("identity", "subject", (link,))):
        raise error


WORDING = [
    Wording(
        "key-removal",
        lambda: validate_keys(["arn:1", "arn:2"], ["arn:2"]),
        "kms_key_arns: the driver would no longer be allowed to use arn:1. It could not attach a volume that is "
        "encrypted with it, so a pod with such a volume would not start on another node. Add it to the list. To remove "
        "it, follow docs/how-to/limit-the-driver-permissions.md.",
    ),
    Wording(
        "volumes-without-tags",
        lambda: validate_volume_tags("cluster_scoped", "prod", {"vol-1": {}, "vol-2": {}}),
        "permissions: with 'cluster_scoped', the driver could not attach 2 of the 2 volumes of cluster 'prod', which "
        "lack a tag: vol-1, vol-2. A pod with such a volume would not start on another node. Accepted: volumes with "
        "the tags ebs.csi.aws.com/cluster-name = prod. Run `aws ec2 create-tags --resources vol-1 vol-2 --tags "
        "Key=ebs.csi.aws.com/cluster-name,Value=prod`, or keep the former value until you have tagged them.",
    ),
    Wording(
        "driver-without-tags",
        lambda: validate_driver_tags("generated", "prod", "kube-system/ebs-csi-controller", {}),
        "permissions: with 'generated', the driver could not create volumes, because Deployment "
        "'kube-system/ebs-csi-controller' does not set the tags ebs.csi.aws.com/cluster = true, "
        "kubernetes.io/cluster/prod = owned. Accepted: a driver with the argument --k8s-tag-cluster-id=prod. With the "
        "Helm chart, set controller.k8sTagClusterId to 'prod'. With the EKS addon, set addon_version. Or set "
        "permissions to 'legacy' or 'v2'.",
    ),
    Wording(
        "tag-template",
        lambda: validate_tag_template("{{ .Foo }}", (ARGS / "tags").key("team")),
        "tags['team']: the EBS CSI driver cannot evaluate the template '{{ .Foo }}': there is no variable .Foo. "
        "Accepted: templates of Go with the variables .PVCName, .PVCNamespace, .PVName and the functions contains, "
        "field, index, lastIndex, substring, toLower, toUpper, such as '{{ .PVCNamespace | toUpper }}'. Claims stay "
        "Pending with other templates.",
    ),
    Wording(
        "values-no-json",
        lambda: render_configuration({"values": {"node": {1, 2}}}),
        "configuration.values: the values cannot be converted to JSON (Object of type set is not JSON serializable). "
        "Accepted: an object of strings, numbers, lists and objects.",
    ),
    Wording(
        "addon-section-no-object",
        lambda: render_configuration({"values": {"node": 3}}),
        "configuration.values['node']: 3 is no object. Accepted: an object.",
    ),
    Wording(
        "addon-value-given-twice",
        lambda: render_configuration({"controller_replicas": 2, "values": {"controller": {"replicaCount": 1}}}),
        "configuration.values: the values contain 'controller.replicaCount', which configuration.controller_replicas "
        "sets too. Leave one of the two out.",
    ),
    Wording(
        "driver-object-missing",
        lambda: read_named(DriverNames()),
        "self_managed.deployment: 'ebs-csi-controller' does not exist in the cluster "
        "(/apis/apps/v1/namespaces/kube-system/deployments/ebs-csi-controller). Accepted: the name that the driver was "
        "installed with. If the cluster has no driver, let the program install the EKS addon instead.",
    ),
    Wording(
        "driver-service-account",
        lambda: read_named(DriverNames(deployment="driver")),
        "self_managed.service_account: 'ebs-csi-controller-sa' is not the service account of Deployment "
        "'kube-system/driver'. Accepted: 'sa'.",
    ),
    Wording(
        "snapshots-included",
        lambda: plan_driver({**DRIVER, "snapshots": True}),
        "snapshots: the argument only extends permissions 'generated', and service-role/AmazonEBSCSIDriverPolicy "
        "already includes snapshots. Leave the argument out.",
    ),
    Wording(
        "several-driver-kinds",
        lambda: plan_driver({**DRIVER, "existing": True, "auto_mode": True}),
        "existing: the argument is given together with auto_mode. Accepted: one of existing, self_managed, auto_mode.",
    ),
    Wording(
        "self-managed-pod-identity",
        lambda: plan_driver({**DRIVER, "self_managed": {}}),
        "identity: 'pod_identity' is not possible with self_managed, whose role is in the annotation of its service "
        "account. Accepted: 'irsa'. Leave the argument out.",
    ),
    Wording(
        "irsa-without-issuer",
        lambda: plan_driver({**DRIVER, "identity": "irsa", "provider_arn": "arn"}),
        "issuer: identity 'irsa' requires this value of the cluster. Set the argument, or set identity to "
        "'pod_identity'.",
    ),
    Wording(
        "driver-without-cluster-tags",
        lambda: plan_driver({**DRIVER, "addon_version": "v1.57.1-eksbuild.1", "permissions": "cluster_scoped"}),
        "addon_version: 'v1.57.1-eksbuild.1' does not set the tags that permissions 'cluster_scoped' requires, so it "
        "cannot create volumes. Accepted: v1.58 or newer. Set a newer version, or set permissions to 'legacy', 'v2' or "
        "'generated'.",
    ),
    Wording(
        "most-recent-without-kubernetes-version",
        lambda: plan_driver({**DRIVER, "most_recent": True}),
        "kubernetes_version: most_recent requires this argument. Accepted: the Kubernetes version of the cluster, such "
        "as '1.35'.",
    ),
    Wording(
        "self-managed-addon",
        lambda: deploy(self_managed={}, identity="irsa", issuer=ISSUER, provider_arn=PROVIDER),
        "self_managed: EKS manages the driver as addon aws-ebs-csi-driver of cluster 'prod', and overwrites the role "
        "that this stack gives it. Set existing to true instead. To keep the driver without EKS, run `aws eks "
        "delete-addon --cluster-name prod --addon-name aws-ebs-csi-driver --preserve` first.",
    ),
    Wording(
        "driver-without-role",
        lambda: deploy(existing=True, identity="irsa"),
        "existing: addon aws-ebs-csi-driver of cluster 'prod' has no role, so it cannot create volumes and every claim "
        "stays Pending. Give the addon a role (`aws eks update-addon --cluster-name prod --addon-name "
        "aws-ebs-csi-driver --service-account-role-arn …`), or an EKS Pod Identity association for "
        "ebs-csi-controller-sa. To let the stack manage it, run `eks-rocketmq adopt` and leave existing out.",
    ),
    Wording(
        "driver-without-credentials",
        lambda: raise_cause(Finding("trust-action", "trust policy of arn: sts:AssumeRole", "b", commands=("c", "d"))),
        "existing: addon aws-ebs-csi-driver of cluster 'prod' cannot assume its role, so it cannot create volumes and "
        "every claim stays Pending: the trust policy does not allow the action, for example `sts:AssumeRole` instead "
        "of `sts:AssumeRoleWithWebIdentity` (trust-action). Found: trust policy of arn: sts:AssumeRole. Accepted: b. "
        "Run `c`, then `d`. To let the stack manage addon, role and OIDC provider, run `eks-rocketmq adopt` and leave "
        "existing out.",
    ),
    Wording(
        "cluster-without-auto-mode",
        lambda: deploy(auto_mode=True, identity="irsa"),
        "auto_mode: cluster 'prod' does not have the block storage of EKS Auto Mode. Enable EKS Auto Mode (`aws eks "
        "update-cluster-config`), or leave the argument out.",
    ),
    Wording(
        "class-of-another-driver",
        lambda: check_storage_class("auto", "ebs.csi.eks.amazonaws.com", None, auto_mode=False),
        "class_name: StorageClass 'auto' has the provisioner 'ebs.csi.eks.amazonaws.com' of EKS Auto Mode. Accepted: a "
        "class with the provisioner 'ebs.csi.aws.com' or 'kubernetes.io/aws-ebs'. Name another class, or choose the "
        "driver of this class (auto_mode).",
    ),
    Wording(
        "class-binding-mode",
        lambda: check_storage_class("gp2", "ebs.csi.aws.com", None),
        "class_name: StorageClass 'gp2' has the binding mode 'Immediate', which creates a volume before the zone of "
        "its pod is known. Accepted: a class with the mode 'WaitForFirstConsumer'. Name another class.",
    ),
    Wording(
        "class-exists",
        lambda: plan_storage_class({"class_name": "gp2", "create": True}),
        "class_name: there is a StorageClass 'gp2', the class that EKS creates in its clusters. Accepted: another "
        "name, such as 'rocketmq-gp2'. To use the existing class, leave create out. You can then still set "
        "allow_volume_expansion, default.",
    ),
    Wording(
        "immutable-in-existing-class",
        lambda: check_adoption({"class_name": "gp2", "iops": 4000}),
        "iops: the argument cannot change the existing StorageClass 'gp2'. Leave it out, or create a class with create "
        "and another class_name.",
    ),
    Wording(
        "mount-option",
        lambda: plan_storage_class({"class_name": "a", "create": True, "mount_options": ["noatime", "ro"]}),
        "mount_options[1]: 'ro' is not accepted. Accepted: one option without spaces and commas, such as 'noatime'. "
        "'ro' prevents brokers from writing.",
    ),
    Wording(
        "default-instead-of-itself",
        lambda: plan_storage_class({"class_name": "a", "create": True, "default_instead_of": "a"}),
        "default_instead_of: 'a' is the class itself. Accepted: the name of another class. Leave the argument out if "
        "no other class is the default.",
    ),
    Wording(
        "volume-type-requires-iops",
        lambda: build_parameters({"volume_type": "io2"}),
        "iops: volumes of type 'io2' require this argument. Accepted: 100 to 256000.",
    ),
    Wording(
        "throughput-exceeds-iops",
        lambda: build_parameters({"throughput": 1000}),
        "throughput: 1000 MiB/s is more than a quarter of the 3000 IOPS. Set iops to 4000 or more, or lower the "
        "throughput.",
    ),
    Wording(
        "fixed-by-volume-type",
        lambda: build_parameters({"volume_type": "io1", "iops": 100, "throughput": 125}),
        "throughput: volumes of type 'io1' do not support this argument. Leave it out, or set volume_type to 'gp3'.",
    ),
    Wording(
        "volume-type-range",
        lambda: build_parameters({"iops": 2999}),
        "iops: 2999 is out of range for volumes of type 'gp3'. Accepted: 3000 to 80000.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)


@pytest.mark.parametrize(
    ("permissions", "remedy"),
    [
        (["iam:GetRole on a", "iam:GetRole on b"], "Allow iam:GetRole on a and iam:GetRole on b, or run"),
        (["", ""], "Run"),
    ],
)
def test_warning_wording_of_an_addon_that_could_not_be_judged(permissions: list[str], remedy: str) -> None:
    links = [Link(f"link {each}", "not-judged", reason=f"failed {each}", permission=each) for each in permissions]
    links.append(Link("other", "not-judged", reason="was not read", needs_aws=True))
    message = build_warning(EXISTING, links)
    reasons = "; ".join(dict.fromkeys(f"failed {each}" for each in permissions))
    assert message.code == WARNINGS[0]
    assert message.render() == (
        "existing: it is not known whether addon aws-ebs-csi-driver of cluster 'prod' can assume its role. Not judged: "
        f"link {permissions[0]}, link {permissions[1]}, other ({reasons}). {remedy} `eks-rocketmq doctor --cluster "
        "prod --addon aws-ebs-csi-driver`."
    )
