"""The control plane of an EKS cluster, and who may enter."""

# ruff: noqa: ARG001, ARG005 - the functions of a table take the same arguments, whichever they need

from collections.abc import Mapping, Sequence
from typing import Any

import jmespath

from sandbox.engine.aws import refusals
from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.properties import (
    FIXED,
    REGION,
    TAGGED,
    Property,
    Schema,
    arn,
    one_of,
    same_set,
    same_settings,
)
from sandbox.engine.aws.resource import Properties, Resource, Waiting
from sandbox.engine.aws.table import Step, TableResource, Thing, Verbs, Wait, as_they_are, eks_tags
from sandbox.engine.provider.values import UNKNOWN

_UPDATE_SECONDS = 3600.0


class Updated(TableResource):
    """EKS changes clusters and node groups by updates that take their time."""

    def ended(self, aws: Account, answer: Mapping[str, Any], waiting: Waiting, **owner: str) -> None:
        """Wait for an update. Raises ProviderError in the provider's words when it fails."""
        update = answer["update"]
        last = {"status": update["status"], "errors": update.get("errors", [])}

        def settled() -> bool:
            found = call(aws.eks, "DescribeUpdate", updateId=update["id"], **owner)["update"]
            last.update(status=found["status"], errors=found.get("errors", []))
            return found["status"] != "InProgress"

        late = waiting.until(settled, _UPDATE_SECONDS)
        if late is not None or last["status"] != "Successful":
            reasons = "; ".join(f"{each.get('errorCode')}: {each.get('errorMessage')}" for each in last["errors"])
            what = f"waiting for {self.verbs.what} ({owner['name']}) update ({update['id']})"
            raise failed(what, RuntimeError(f"unexpected state '{last['status']}', wanted 'Successful'. {reasons}"))


class Cluster(Updated):
    """Import id: the name."""

    def planned(self, inputs: Properties, olds: Properties) -> dict[str, Any]:
        """What AWS adds inside of a block is unknown before the create, too."""
        state = super().planned(inputs, olds)
        before = olds.get("vpcConfig") or dict.fromkeys(("clusterSecurityGroupId", "vpcId"), UNKNOWN)
        if isinstance(state["vpcConfig"], Mapping):
            state["vpcConfig"] = {**before, **state["vpcConfig"]}
        return state

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        changed = self._changed(olds, news)
        try:
            if "version" in changed:
                answer = call(aws.eks, "UpdateClusterVersion", name=resource_id, version=news["version"])
                self.ended(aws, answer, waiting, name=resource_id)
            # One kind of change at a time, as EKS wants it.
            for key, arguments in _CLUSTER_UPDATES.items():
                if key in changed:
                    answer = call(aws.eks, "UpdateClusterConfig", name=resource_id, **arguments(news))
                    self.ended(aws, answer, waiting, name=resource_id)
        except AwsError as error:
            raise failed(f"updating EKS Cluster ({resource_id})", error) from error
        done = {*_CLUSTER_UPDATES, "version", "forceUpdateVersion"}
        super().update(aws, resource_id, {**olds, **{key: news[key] for key in done & news.keys()}}, news, waiting)


CLUSTER_NAME = refusals.text("name", 1, 100, "[0-9A-Za-z][0-9A-Za-z_-]*")
_LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


def _logging(inputs: Properties) -> dict[str, Any]:
    on = [kind for kind in _LOG_TYPES if kind in (inputs.get("enabledClusterLogTypes") or ())]
    off = [kind for kind in _LOG_TYPES if kind not in on]
    setups = [{"types": on, "enabled": True}, {"types": off, "enabled": False}]
    return {"logging": {"clusterLogging": [setup for setup in setups if setup["types"]]}}


def _endpoints(inputs: Properties) -> dict[str, Any]:
    network = inputs["vpcConfig"]
    keys = ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")
    return {"resourcesVpcConfig": {key: network[key] for key in keys if network.get(key) is not None}}


_CLUSTER_UPDATES = {
    "deletionProtection": lambda inputs: {"deletionProtection": inputs["deletionProtection"]},
    "enabledClusterLogTypes": _logging,
    "upgradePolicy": lambda inputs: {"upgradePolicy": inputs["upgradePolicy"]},
    "vpcConfig": _endpoints,
    "zonalShiftConfig": lambda inputs: {"zonalShiftConfig": inputs["zonalShiftConfig"]},
}


def _cluster_create(inputs: Properties) -> Mapping[str, Any]:
    network = {key: value for key, value in inputs["vpcConfig"].items() if value not in (None, [])}
    encryption = inputs.get("encryptionConfig")
    return {
        "resourcesVpcConfig": network,
        **({"encryptionConfig": [encryption]} if encryption else {}),
        **(_logging(inputs) if inputs.get("enabledClusterLogTypes") else {}),
    }


def _cluster_state(aws: Account, name: str, thing: Thing) -> Mapping[str, Any]:
    network = thing.get("resourcesVpcConfig", {})
    issuer = thing.get("identity", {}).get("oidc", {}).get("issuer")
    logs = jmespath.search("logging.clusterLogging[?enabled].types[]", thing) or []
    keys = ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs", "securityGroupIds", "subnetIds")
    encryption = (thing.get("encryptionConfig") or [None])[0]
    return {
        "accessConfig": {
            key: value
            for key, value in thing.get("accessConfig", {}).items()
            if key in {"authenticationMode", "bootstrapClusterCreatorAdminPermissions"}
        },
        "certificateAuthority": {"data": thing.get("certificateAuthority", {}).get("data", "")},
        "createdAt": thing["createdAt"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "enabledClusterLogTypes": sorted(logs),
        "encryptionConfig": encryption,
        "identities": [{"oidcs": [{"issuer": issuer}]}] if issuer else [],
        "kubernetesNetworkConfig": {
            key: value
            for key, value in thing.get("kubernetesNetworkConfig", {}).items()
            if key in {"ipFamily", "serviceIpv4Cidr"}
        },
        "vpcConfig": {key: network[key] for key in (*keys, "clusterSecurityGroupId", "vpcId") if key in network},
        "version": thing["version"],
    }


CLUSTER = Cluster(
    Schema(
        "aws:eks/cluster:Cluster",
        {
            "accessConfig": Property(computed=True, replaces=True, same=same_settings),
            "bootstrapSelfManagedAddons": Property(default=True, replaces=True),
            "deletionProtection": Property(computed=True),
            "enabledClusterLogTypes": Property(
                same=same_set, refusal=refusals.each(one_of("enabled_cluster_log_types", *_LOG_TYPES))
            ),
            "encryptionConfig": Property(computed=True, replaces=True, same=same_settings),
            "forceUpdateVersion": Property(),
            "kubernetesNetworkConfig": Property(
                computed=True,
                replaces=True,
                same=same_settings,
                refusal=refusals.block(
                    ipFamily=one_of("ip_family", "ipv4", "ipv6"),
                    serviceIpv4Cidr=refusals.network("service_ipv4_cidr", 12, 24),
                ),
            ),
            "name": Property(replaces=True, computed=True, refusal=CLUSTER_NAME),
            "roleArn": Property(replaces=True, refusal=arn("role_arn")),
            "upgradePolicy": Property(
                computed=True,
                same=same_settings,
                refusal=refusals.block(supportType=one_of("support_type", "STANDARD", "EXTENDED")),
            ),
            "version": Property(computed=True),
            "vpcConfig": Property(
                same=same_settings,
                refusal=refusals.block(
                    publicAccessCidrs=refusals.each(refusals.network("public_access_cidrs")),
                    subnetIds=refusals.each(refusals.any_value, "vpc_config.0.subnet_ids", 1),
                ),
            ),
            "zonalShiftConfig": Property(computed=True, same=same_settings),
            **REGION,
            **TAGGED,
        },
        longest_name=100,
    ),
    Verbs(
        what="EKS Cluster",
        service="eks",
        create="CreateCluster",
        created="cluster.name",
        describe="DescribeCluster",
        named=lambda name: {"name": name},
        found="cluster",
        delete="DeleteCluster",
        deleted=lambda name, olds: {"name": name},
        names=as_they_are(
            "accessConfig",
            "bootstrapSelfManagedAddons",
            "deletionProtection",
            "kubernetesNetworkConfig",
            "name",
            "roleArn",
            "upgradePolicy",
            "version",
            "zonalShiftConfig",
        ),
        state={
            "arn": "arn",
            "clusterId": "id",
            "endpoint": "endpoint",
            "platformVersion": "platformVersion",
            "status": "status",
        },
        also=_cluster_create,
        tagging=eks_tags("arn"),
        made=Wait("status", frozenset({"CREATING", "PENDING", "UPDATING"}), frozenset({"ACTIVE"}), 1800),
        gone=Wait("status", frozenset({"ACTIVE", "DELETING"}), frozenset({""}), 900),
        more=_cluster_state,
    ),
)


def split_id(resource_id: str) -> tuple[str, str]:
    """Cluster and name of what belongs to one. Raises ProviderError in the provider's words for another form."""
    cluster, separator, name = resource_id.partition(":")
    if not separator or not name:
        wanted = "unexpected format for ID, expected cluster-name:name"
        raise failed(f"importing {resource_id!r}", ValueError(wanted))
    return cluster, name


def _entry_named(resource_id: str) -> Mapping[str, str]:
    cluster, principal = split_id(resource_id)
    return {"clusterName": cluster, "principalArn": principal}


ACCESS_ENTRY = TableResource(
    Schema(
        "aws:eks/accessEntry:AccessEntry",
        {
            "clusterName": FIXED,
            "kubernetesGroups": Property(computed=True, same=same_set),
            "principalArn": Property(replaces=True, refusal=arn("principal_arn")),
            "type": Property(
                default="STANDARD",
                replaces=True,
                refusal=one_of(
                    "type",
                    "STANDARD",
                    "EC2_LINUX",
                    "EC2_WINDOWS",
                    "FARGATE_LINUX",
                    "EC2",
                    "HYBRID_LINUX",
                    "HYPERPOD_LINUX",
                ),
            ),
            "userName": Property(computed=True),
            **REGION,
            **TAGGED,
        },
    ),
    Verbs(
        what="EKS Access Entry",
        service="eks",
        create="CreateAccessEntry",
        created="join(':', [accessEntry.clusterName, accessEntry.principalArn])",
        describe="DescribeAccessEntry",
        named=_entry_named,
        found="accessEntry",
        delete="DeleteAccessEntry",
        deleted=lambda resource_id, olds: _entry_named(resource_id),
        names=as_they_are("clusterName", "kubernetesGroups", "principalArn", "type") | {"userName": "username"},
        state={"accessEntryArn": "accessEntryArn"},
        steps=(
            Step(
                "kubernetesGroups",
                "UpdateAccessEntry",
                lambda resource_id, groups: {**_entry_named(resource_id), "kubernetesGroups": groups or []},
            ),
            Step(
                "userName",
                "UpdateAccessEntry",
                lambda resource_id, name: {**_entry_named(resource_id), "username": name},
            ),
        ),
        tagging=eks_tags("accessEntryArn"),
        more=lambda aws, resource_id, thing: {
            key: thing[key].strftime("%Y-%m-%dT%H:%M:%SZ") for key in ("createdAt", "modifiedAt")
        },
    ),
)


class AccessPolicyAssociation(TableResource):
    """Import id: `cluster#principal#policy`."""

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        cluster, _, rest = resource_id.partition("#")
        principal, _, policy = rest.partition("#")
        try:
            answer = unless_missing(
                lambda: call(aws.eks, "ListAssociatedAccessPolicies", clusterName=cluster, principalArn=principal)
            )
        except AwsError as error:
            raise failed(f"reading EKS Access Policy Association ({resource_id})", error) from error
        for found in (answer or {}).get("associatedAccessPolicies", []):
            if found["policyArn"] == policy:
                return {
                    "accessScope": found["accessScope"],
                    "associatedAt": found["associatedAt"].strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "clusterName": cluster,
                    "modifiedAt": found["modifiedAt"].strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "policyArn": policy,
                    "principalArn": principal,
                    "region": aws.region,
                }
        return None


ACCESS_POLICY_ASSOCIATION = AccessPolicyAssociation(
    Schema(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        {
            "accessScope": Property(replaces=True, same=same_settings),
            "clusterName": FIXED,
            "policyArn": Property(replaces=True, refusal=arn("policy_arn")),
            "principalArn": Property(replaces=True, refusal=arn("principal_arn")),
            **REGION,
        },
    ),
    Verbs(
        what="EKS Access Policy Association",
        service="eks",
        create="AssociateAccessPolicy",
        created="",
        identity=lambda inputs: "#".join([inputs["clusterName"], inputs["principalArn"], inputs["policyArn"]]),
        describe="ListAssociatedAccessPolicies",
        named=_entry_named,
        found="",
        delete="DisassociateAccessPolicy",
        deleted=lambda resource_id, olds: {key: olds[key] for key in ("clusterName", "principalArn", "policyArn")},
        names=as_they_are("accessScope", "clusterName", "policyArn", "principalArn"),
    ),
)

TYPES: Sequence[Resource] = (CLUSTER, ACCESS_ENTRY, ACCESS_POLICY_ASSOCIATION)
