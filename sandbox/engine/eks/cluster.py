"""Component `eks:index:Cluster`: EKS cluster, Kubernetes provider and outputs."""

import json
import os
import re
import shutil
import subprocess
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as kubernetes
from pulumi import InputPropertiesError, Output, ResourceOptions, _types
from pulumi.provider import ConstructResult

from sandbox.engine.eks.arguments import (
    IGNORED_CHANGES,
    PINNED_SDKS,
    Inputs,
    cluster_inputs,
    kubeconfig,
    not_served,
    refusal,
)

TOKEN = "eks:index:Cluster"  # noqa: S105 - a type token
_NO_CLI = (
    "Could not find aws CLI for EKS. See "
    "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html for installation instructions."
)
_LEAST_VERSIONS = {1: (1, 24), 2: (2, 7)}
_VERSION = re.compile(r"aws-cli/(\d+)\.(\d+)")
_VERSION_SECONDS = 60


class Cluster(pulumi.ComponentResource):
    """Component that registers the same resources as the released one, by the same names."""

    def __init__(self, name: str, inputs: Inputs, opts: ResourceOptions) -> None:
        """Create the resources. Raises InputPropertiesError for inputs that are not accepted or not served."""
        known = frozenset(_types.input_type_py_to_pulumi_names(eks.ClusterArgs).values())
        problem = aws_cli_problem() or refusal(inputs) or not_served(inputs, known)
        if problem:
            raise InputPropertiesError("", [{"property_path": "", "reason": problem}])
        super().__init__(TOKEN, name, {}, opts)
        self._inputs = inputs
        self._cluster = self._control_plane(name)
        self._provider = kubernetes.Provider(
            f"{name}-eks-k8s",
            kubeconfig=self._kubeconfig(with_profile=True).apply(json.dumps),
            opts=ResourceOptions(parent=self, version=PINNED_SDKS["kubernetes"]),
        )

    def _control_plane(self, name: str) -> aws.eks.Cluster:
        inputs, resource = self._inputs, f"{name}-eksCluster"
        tags = Output.all(inputs.get("clusterTags") or {}, inputs.get("tags") or {}).apply(
            lambda both: {"Name": resource, **both[0], **both[1]}
        )
        arguments: dict[str, Any] = {key: value for key, value in cluster_inputs(inputs).items() if value is not None}
        return aws.eks.Cluster(
            resource,
            opts=ResourceOptions(parent=self, ignore_changes=list(IGNORED_CHANGES), version=PINNED_SDKS["aws"]),
            role_arn=inputs["serviceRole"].arn,
            tags=tags,
            **arguments,
        )

    def _kubeconfig(self, *, with_profile: bool) -> Output[dict[str, Any]]:
        credentials = self._inputs.get("providerCredentialOpts") or {}
        profile = credentials.get("profileName") or os.environ.get("AWS_PROFILE")
        made = self._cluster
        return Output.all(
            name=made.name, arn=made.arn, endpoint=made.endpoint, certificate=made.certificate_authority.data
        ).apply(lambda known: kubeconfig(known, profile if with_profile else None, credentials.get("roleArn")))

    def outputs(self) -> dict[str, Any]:
        """Return the component's outputs; other outputs are unknown in a preview, else None."""
        made = self._cluster
        issuer = made.identities[0].oidcs[0].issuer
        group = made.vpc_config.cluster_security_group_id
        config = self._kubeconfig(with_profile=False)
        return {
            "autoModeNodeRoleName": "",
            "clusterIngressRuleId": "",
            "clusterSecurityGroupId": group,
            "core": Output.all(
                endpoint=made.endpoint,
                kubeconfig=config,
                subnetIds=made.vpc_config.subnet_ids,
                vpcId=made.vpc_config.vpc_id,
            ).apply(self._core),
            "defaultNodeGroupAsgName": "",
            "eksCluster": made,
            "fargateProfileId": "",
            "fargateProfileStatus": "",
            "instanceRoles": [],
            "kubeconfig": config,
            "kubeconfigJson": config.apply(lambda content: json.dumps(content, separators=(",", ":"))),
            "nodeSecurityGroupId": group,
            "oidcIssuer": issuer.apply(lambda url: url.removeprefix("https://")),
            "oidcProviderArn": "",
            "oidcProviderUrl": issuer,
        }

    def _core(self, known: dict[str, Any]) -> dict[str, Any]:
        return {
            **known,
            "cluster": self._cluster,
            "clusterIamRole": self._inputs["serviceRole"],
            "instanceRoles": [],
            "provider": self._provider,
            "storageClasses": {},
        }


def construct(name: str, inputs: Inputs, opts: ResourceOptions) -> ConstructResult:
    """Construct `eks:index:Cluster`."""
    component = Cluster(name, inputs, opts)
    outputs = component.outputs()
    component.register_outputs(outputs)
    return ConstructResult(component.urn, outputs)


def aws_cli_problem() -> str | None:
    """Return why the `aws` command is not usable, None when it is. The component checks it first, even in previews."""
    program = shutil.which("aws")
    if program is None:
        return _NO_CLI
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_VERSION_SECONDS, check=False)
    found = _VERSION.match(done.stdout or done.stderr)
    if found is None:
        return _NO_CLI
    version = (int(found[1]), int(found[2]))
    if version < _LEAST_VERSIONS.get(version[0], (0, 0)):
        return f"aws CLI {found[1]}.{found[2]} is too old for EKS; at least 1.24 or 2.7 is needed"
    return None
