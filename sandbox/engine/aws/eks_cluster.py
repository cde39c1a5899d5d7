"""EKS clusters and access to them."""

from collections.abc import Callable, Mapping
from typing import Any

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call
from sandbox.engine.aws.comparison import same_set, same_settings
from sandbox.engine.aws.resource import (
    FIXED,
    LOCAL,
    REGION,
    REGION_AND_TAGS,
    Description,
    Properties,
    Property,
    ResourceType,
    Update,
    Wait,
    send_to,
)
from sandbox.engine.aws.services import eks_tags, eks_type, whole_id
from sandbox.engine.aws.validators import any_value, arn, block, each, network, one_of, text

CLUSTER_NAME = text(1, 100, "[0-9A-Za-z][0-9A-Za-z_-]*")
_LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


def _logging(inputs: Properties) -> dict[str, Any]:
    on = [kind for kind in _LOG_TYPES if kind in (inputs.get("enabledClusterLogTypes") or ())]
    off = [kind for kind in _LOG_TYPES if kind not in on]
    setups = [{"types": on, "enabled": True}, {"types": off, "enabled": False}]
    return {"logging": {"clusterLogging": [setup for setup in setups if setup["types"]]}}


def _endpoints(inputs: Properties) -> dict[str, Any]:
    network_config = inputs["vpcConfig"]
    keys = ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")
    return {"resourcesVpcConfig": {key: network_config[key] for key in keys if network_config.get(key) is not None}}


def _arguments(_: Account, inputs: Properties) -> Mapping[str, Any]:
    network_config = {key: value for key, value in inputs["vpcConfig"].items() if value not in (None, [])}
    encryption = inputs.get("encryptionConfig")
    return {
        "resourcesVpcConfig": network_config,
        **({"encryptionConfig": [encryption]} if encryption else {}),
        **(_logging(inputs) if inputs.get("enabledClusterLogTypes") else {}),
    }


_PARTS = {
    "accessConfig": ("accessConfig", ("authenticationMode", "bootstrapClusterCreatorAdminPermissions")),
    "kubernetesNetworkConfig": ("kubernetesNetworkConfig", ("ipFamily", "serviceIpv4Cidr")),
    "vpcConfig": (
        "resourcesVpcConfig",
        (
            "clusterSecurityGroupId",
            "endpointPrivateAccess",
            "endpointPublicAccess",
            "publicAccessCidrs",
            "securityGroupIds",
            "subnetIds",
            "vpcId",
        ),
    ),
}
"""Blocks of the state: where a description has them, and which of their values the provider reads."""


def _outputs(_: Account, cluster: Description) -> Mapping[str, Any]:
    issuer = jmespath.search("identity.oidc.issuer", cluster)
    blocks = {
        key: {part: cluster[path][part] for part in parts if part in cluster[path]} if path in cluster else {}
        for key, (path, parts) in _PARTS.items()
    }
    return {
        **blocks,
        "certificateAuthority": {"data": jmespath.search("certificateAuthority.data", cluster) or ""},
        "enabledClusterLogTypes": sorted(jmespath.search("logging.clusterLogging[?enabled].types[]", cluster) or []),
        "identities": [{"oidcs": [{"issuer": issuer}]}] if issuer else [],
    }


def _config(arguments: Callable[[Properties], dict[str, Any]]) -> Update:
    """Return an update of the cluster's configuration. EKS takes one kind of change in a call."""
    return lambda op, keys: op.call("UpdateClusterConfig", **arguments(op.news))  # noqa: ARG005 - one property


CLUSTER = eks_type(
    "aws:eks/cluster:Cluster",
    "EKS Cluster",
    "Cluster",
    whole_id("name"),
    {
        # EKS updates the version before the configuration.
        "version": Property(computed=True, update=send_to("UpdateClusterVersion")),
        "accessConfig": Property(computed=True, replaces=True, same=same_settings),
        "bootstrapSelfManagedAddons": Property(default=True, replaces=True),
        "deletionProtection": Property(computed=True, update=send_to("UpdateClusterConfig")),
        "enabledClusterLogTypes": Property(
            same=same_set, validate=each(one_of(*_LOG_TYPES)), argument="", update=_config(_logging)
        ),
        "encryptionConfig": Property(
            computed=True, replaces=True, same=same_settings, argument="", path="encryptionConfig[0]"
        ),
        "forceUpdateVersion": LOCAL,
        "kubernetesNetworkConfig": Property(
            computed=True,
            replaces=True,
            same=same_settings,
            validate=block(ipFamily=one_of("ipv4", "ipv6"), serviceIpv4Cidr=network(12, 24)),
        ),
        "name": Property(replaces=True, computed=True, validate=CLUSTER_NAME),
        "roleArn": Property(replaces=True, validate=arn),
        "upgradePolicy": Property(
            computed=True,
            same=same_settings,
            validate=block(supportType=one_of("STANDARD", "EXTENDED")),
            update=send_to("UpdateClusterConfig"),
        ),
        "vpcConfig": Property(
            same=same_settings,
            validate=block(publicAccessCidrs=each(network()), subnetIds=each(any_value, 1, "vpc_config.0.subnet_ids")),
            argument="",
            update=_config(_endpoints),
        ),
        "zonalShiftConfig": Property(computed=True, same=same_settings, update=send_to("UpdateClusterConfig")),
        **REGION_AND_TAGS,
    },
    id_path="cluster.name",
    more_arguments=_arguments,
    outputs=("arn", "createdAt", "endpoint", "platformVersion", "status"),
    output_paths={"clusterId": "id"},
    more_outputs=_outputs,
    unknown_parts={"vpcConfig": ("clusterSecurityGroupId", "vpcId")},
    create_wait=Wait("status", frozenset({"CREATING", "PENDING", "UPDATING"}), frozenset({"ACTIVE"}), 1800),
    delete_wait=Wait("status", frozenset({"ACTIVE", "DELETING"}), frozenset({""}), 900),
    messages={"waiting": "waiting for EKS Cluster ({id}) update ({update})"},
    longest_name=100,
)

_update_entry = send_to("UpdateAccessEntry")
ACCESS_ENTRY = eks_type(
    "aws:eks/accessEntry:AccessEntry",
    "EKS Access Entry",
    "AccessEntry",
    "(?P<clusterName>[^:]+):(?P<principalArn>.+)",
    {
        "clusterName": FIXED,
        "kubernetesGroups": Property(computed=True, same=same_set, update=_update_entry),
        "principalArn": Property(replaces=True, validate=arn),
        "type": Property(
            default="STANDARD",
            replaces=True,
            validate=one_of(
                "STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX"
            ),
        ),
        "userName": Property(computed=True, argument="username", update=_update_entry),
        **REGION_AND_TAGS,
    },
    id_error="unexpected format for ID, expected cluster-name:name",
    id_path="join(':', [accessEntry.clusterName, accessEntry.principalArn])",
    tagging=eks_tags("accessEntryArn"),
    outputs=("accessEntryArn", "createdAt", "modifiedAt"),
)


def _describe_association(aws: Account, resource_id: str) -> Description | None:
    named = ACCESS_POLICY_ASSOCIATION.id_arguments(resource_id)
    policy = named.pop("policyArn")
    found = call(aws.eks, "ListAssociatedAccessPolicies", **named)["associatedAccessPolicies"]
    return next((each for each in found if each["policyArn"] == policy), None)


ACCESS_POLICY_ASSOCIATION = ResourceType(
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
    "EKS Access Policy Association",
    "eks",
    {
        "accessScope": Property(replaces=True, same=same_settings),
        "clusterName": FIXED,
        "policyArn": Property(replaces=True, validate=arn),
        "principalArn": Property(replaces=True, validate=arn),
        **REGION,
    },
    id_pattern="(?P<clusterName>[^#]+)#(?P<principalArn>[^#]+)#(?P<policyArn>.+)",
    id_error="unexpected format for ID, expected cluster-name#principal-arn#policy-arn",
    create="AssociateAccessPolicy",
    id_path="join('#', [inputs.clusterName, inputs.principalArn, inputs.policyArn])",
    describe=_describe_association,
    delete="DisassociateAccessPolicy",
    outputs=("associatedAt", "modifiedAt"),
)
