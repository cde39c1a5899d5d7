"""Validation of the inputs of `eks:index:Cluster` in pulumi-eks, and the arguments of its EKS cluster. Pure.

Inputs may contain Outputs of the SDK: validation uses only their presence, and plain booleans. As in the component, a
block with an unknown input is unknown as a whole.
"""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from pulumi import Output

Inputs = Mapping[str, Any]

PINNED_SDKS: Mapping[str, str] = {"aws": "7.25.0", "kubernetes": "4.19.0"}
"""Versions of other SDKs in the resource registrations of the component of pulumi-eks 4.4.0."""

MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")

LEAN: Inputs = {
    "skipDefaultNodeGroup": True,
    "skipDefaultSecurityGroups": True,
    "useDefaultVpcCni": True,
    "kubeProxyAddonOptions": {"enabled": False},
    "corednsAddonOptions": {"enabled": False},
    "authenticationMode": "API",
}
"""Inputs that limit the component to the cluster and its Kubernetes provider."""

SERVED = frozenset(
    {
        *LEAN,
        "bootstrapSelfManagedAddons",
        "clusterTags",
        "createOidcProvider",
        "deletionProtection",
        "enabledClusterLogTypes",
        "encryptionConfigKeyArn",
        "endpointPrivateAccess",
        "endpointPublicAccess",
        "kubernetesServiceIpAddressRange",
        "name",
        "privateSubnetIds",
        "providerCredentialOpts",
        "publicAccessCidrs",
        "publicSubnetIds",
        "serviceRole",
        "subnetIds",
        "tags",
        "upgradePolicy",
        "version",
        "vpcId",
        # The SDK sends a default; the component ignores it with useDefaultVpcCni.
        "vpcCniOptions",
    }
)


def refusal(inputs: Inputs) -> str | None:
    """Return the released component's error for its inputs; None when they are accepted."""
    mode = inputs.get("authenticationMode")
    own_subnets = inputs.get("publicSubnetIds") is not None or inputs.get("privateSubnetIds") is not None
    mapped = next((key for key in ("roleMappings", "userMappings", "instanceRoles") if inputs.get(key)), None)
    refusals = (
        (
            inputs.get("publicAccessCidrs") is not None and inputs.get("endpointPublicAccess") is False,
            "`publicAccessCidrs` can only be set when `endpointPublicAccess` is true",
        ),
        (
            inputs.get("subnetIds") is not None and own_subnets,
            "subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive. "
            "Choose a single approach.",
        ),
        (
            mode is not None and mode not in MODES,
            f"Invalid value for authenticationMode: {mode}. Allowed values are: {', '.join(MODES)}.",
        ),
        (
            mode == "API" and mapped,
            f"The '{mapped}' property does not support non-empty values when 'authenticationMode' is set to 'API'.",
        ),
        (
            inputs.get("accessEntries") and mode in {None, "CONFIG_MAP"},
            "The 'accessEntries' property is not supported when 'authenticationMode' is "
            + ("set to 'CONFIG_MAP'." if mode else "not set."),
        ),
        (
            inputs.get("skipDefaultSecurityGroups") and not inputs.get("skipDefaultNodeGroup"),
            "Cannot read properties of undefined (reading '0')",
        ),
    )
    return next((words for refused, words in refusals if refused), None)


def not_served(inputs: Inputs, known: frozenset[str]) -> str | None:
    """Return why this stand-in cannot create the component; None when it can.

    `known` are the names of all inputs of the component in the SDK.
    """
    for key in sorted(inputs.keys() - known):
        near = difflib.get_close_matches(key, known, 1)
        return f"eks:index:Cluster has no input {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    for key in sorted(inputs.keys() - SERVED):
        return f"the sandbox's stand-in does not serve the input {key!r} of eks:index:Cluster; use the released plugin"
    if inputs.get("createOidcProvider"):
        return (
            "the sandbox's stand-in does not serve createOidcProvider, which connects to the issuer over the internet; "
            "use aws.iam.OpenIdConnectProvider, or the released plugin"
        )
    for key, wanted in LEAN.items():
        if inputs.get(key) != wanted:
            return (
                f"the sandbox's stand-in serves the lean form of eks:index:Cluster, with {key} {wanted!r} and not "
                f"{inputs.get(key)!r}; use the released plugin"
            )
    if inputs.get("serviceRole") is None:
        return (
            "the sandbox's stand-in serves the lean form of eks:index:Cluster, with a serviceRole; "
            "use the released plugin"
        )
    return None


def cluster_inputs(inputs: Inputs) -> dict[str, Any]:
    """Return the arguments of `aws.eks.Cluster` by their Python names, without role and tags; None for no value."""
    key, cidr = inputs.get("encryptionConfigKeyArn"), inputs.get("kubernetesServiceIpAddressRange")
    support = (inputs.get("upgradePolicy") or {}).get("supportType")
    network = {
        "endpoint_private_access": inputs.get("endpointPrivateAccess"),
        "endpoint_public_access": inputs.get("endpointPublicAccess"),
        "public_access_cidrs": inputs.get("publicAccessCidrs"),
        "subnet_ids": _subnets(inputs),
    }
    return {
        "name": inputs.get("name"),
        "version": inputs.get("version"),
        "access_config": {
            "authentication_mode": inputs["authenticationMode"],
            "bootstrap_cluster_creator_admin_permissions": True,
        },
        "bootstrap_self_managed_addons": inputs.get("bootstrapSelfManagedAddons", True),
        "deletion_protection": inputs.get("deletionProtection"),
        "enabled_cluster_log_types": inputs.get("enabledClusterLogTypes"),
        "encryption_config": _block(key, lambda arn: {"provider": {"key_arn": arn}, "resources": ["secrets"]}),
        "kubernetes_network_config": _block(cidr, lambda range_: {"service_ipv4_cidr": range_, "ip_family": "ipv4"}),
        "upgrade_policy": {"support_type": support} if support is not None else None,
        "vpc_config": {key: value for key, value in network.items() if value is not None},
    }


def _block(value: Any, block: Callable[[Any], Inputs]) -> Output[Inputs] | None:  # noqa: ANN401 - any input
    return None if value is None else Output.from_input(value).apply(block)


def _subnets(inputs: Inputs) -> Any:  # noqa: ANN401 - a list, or an Output of one
    """Return the given subnets, or the public ones before the private ones."""
    if inputs.get("subnetIds") is not None:
        return inputs["subnetIds"]
    return [*(inputs.get("publicSubnetIds") or []), *(inputs.get("privateSubnetIds") or [])]


IGNORED_CHANGES = ("accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons")
"""Changes of the cluster that the component ignores."""


def kubeconfig(cluster: Inputs, profile: str | None = None, role_arn: str | None = None) -> dict[str, Any]:
    """Return the kubeconfig that the component has as an output.

    `cluster` has its name, arn, endpoint and certificate (base64 of PEM). `aws eks get-token` uses the AWS profile
    `profile` and assumes `role_arn`.
    """
    region = cluster["arn"].split(":")[3]
    arguments = ["--region", region, "eks", "get-token", "--cluster-name", cluster["name"], "--output", "json"]
    environment = [{"name": "KUBERNETES_EXEC_INFO", "value": '{"apiVersion": "client.authentication.k8s.io/v1beta1"}'}]
    if role_arn:
        arguments += ["--role", role_arn]
    if profile:
        arguments += ["--profile", profile]
        environment.append({"name": "AWS_PROFILE", "value": profile})
    execute = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": arguments,
        "env": environment,
    }
    return {
        "apiVersion": "v1",
        "clusters": [
            {
                "cluster": {"server": cluster["endpoint"], "certificate-authority-data": cluster["certificate"]},
                "name": "kubernetes",
            }
        ],
        "contexts": [{"context": {"cluster": "kubernetes", "user": "aws"}, "name": "aws"}],
        "current-context": "aws",
        "kind": "Config",
        "users": [{"name": "aws", "user": {"exec": execute}}],
    }
