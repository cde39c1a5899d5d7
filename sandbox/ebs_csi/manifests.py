"""Manifests of the addon: those of `addon.yaml` with its configuration. The same input gives the same manifests."""

from pathlib import Path
from typing import Any

import yaml

from sandbox import pins
from sandbox.aws import pod_identity_webhook
from sandbox.ebs_csi.addon_configuration import AddonConfiguration
from sandbox.layout import CLUSTER, REGION, ROLE_ANNOTATION

Manifest = dict[str, Any]
UNCHECKED = "v1.48.0"
"""The last version without the check of EC2. The object names are the same in every version."""

DRIVER = "ebs.csi.aws.com"
NAMESPACE = "kube-system"
CONTROLLER = "ebs-csi-controller"
LABELS = {"app.kubernetes.io/name": "aws-ebs-csi-driver", "app.kubernetes.io/managed-by": "EKS"}
_FILE = Path(__file__).with_name("addon.yaml")


def checks_ec2(version: str) -> bool:
    """Return whether the driver of an addon version checks EC2 for its health: since 1.49."""
    numbers = version.removeprefix("v").split("-")[0].split(".")
    return [int(number) for number in numbers[:2]] >= [1, 49]


def addon_manifests(
    role_arn: str | None, configuration: AddonConfiguration, aws_endpoint: str, version: str
) -> list[Manifest]:
    """Return all manifests of the addon in the order in which they are applied.

    `role_arn` is the addon's service-account role or None. `aws_endpoint` is where pods reach AWS. `version` is the
    addon's, such as `v1.48.0-eksbuild.1`.
    """
    manifests = {each["kind"]: each for each in yaml.safe_load_all(_FILE.read_text())}
    for each in manifests.values():
        each["metadata"]["labels"] = dict(LABELS)
    if role_arn:
        manifests["ServiceAccount"]["metadata"]["annotations"] = {ROLE_ANNOTATION: role_arn}
    deployment = manifests["Deployment"]
    labels = {"app": CONTROLLER, **LABELS}
    deployment["metadata"]["labels"] = deployment["spec"]["template"]["metadata"]["labels"] = labels
    deployment["spec"]["replicas"] = configuration.replicas
    _configure_pod(deployment["spec"]["template"]["spec"], role_arn, configuration, aws_endpoint, version)
    if not configuration.default_storage_class:
        del manifests["StorageClass"]
    return list(manifests.values())


def _configure_pod(
    pod: Manifest, role_arn: str | None, configuration: AddonConfiguration, aws_endpoint: str, version: str
) -> None:
    """Set image, arguments and the fields that EKS's pod identity webhook injects."""
    (container,) = pod["containers"]
    container["image"] = pins.EBS_CSI_IMAGE
    container["args"].append(f"--k8s-tag-cluster-id={CLUSTER}")
    if configuration.extra_tags:
        pairs = ",".join(f"{key}={value}" for key, value in sorted(configuration.extra_tags.items()))
        container["args"].append(f"--extra-tags={pairs}")
    if checks_ec2(version):
        container["args"].append("--check-ec2")
    variables = {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": aws_endpoint,
        # The SDK creates its STS client for web identity before it reads AWS_ENDPOINT_URL.
        "AWS_ENDPOINT_URL_STS": aws_endpoint,
    }
    pod["volumes"], container["volumeMounts"] = [], []
    if role_arn:
        variables |= pod_identity_webhook.variables(role_arn)
        pod["volumes"], container["volumeMounts"] = [pod_identity_webhook.TOKEN_VOLUME], [pod_identity_webhook.MOUNT]
    container["env"] = [{"name": name, "value": value} for name, value in variables.items()]
