"""Resources that a fault changes. Each is saved before the fault is made, and restored afterwards."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from sandbox.aws.addon_catalogue import EBS_CSI
from sandbox.doctor_faults.fault_context import CONTROLLER, NAMESPACE, FaultContext, FaultError
from sandbox.ebs_csi import addon_process, health, node_plugin
from sandbox.layout import CLUSTER, Node
from sandbox.polling import wait_until
from sandbox.progress import Report

FAULT_TAG = "sandbox-fault"
CONTROL_POLICY = "SERVICE_CONTROL_POLICY"
_MISSING = ("NoSuchEntity", "ResourceNotFoundException")
_SECONDS = 60.0
_SERVER_FIELDS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")

Saved = Any
"""State of a resource as JSON; None for a resource that does not exist."""


class SavedResource(Protocol):
    """Resource whose state can be read and written."""

    def save(self, context: FaultContext) -> Saved:
        """Return the state."""

    def restore(self, context: FaultContext, saved: Saved) -> None:
        """Bring the state back. Repeatable."""


class Unsaved:
    """Resource without a saved state: before each fault it is the same, or does not exist."""

    def save(self, context: FaultContext) -> Saved:  # noqa: ARG002 (of the protocol)
        """Return None."""
        return


@dataclass(frozen=True)
class OidcProviders:
    """IAM OIDC providers of the account."""

    def save(self, context: FaultContext) -> Saved:
        """Return the providers by ARN."""
        iam = context.aws("iam")
        arns = [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
        return {arn: _without_date(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)) for arn in arns}

    def restore(self, context: FaultContext, saved: Saved) -> None:
        """Delete and create providers until they are those."""
        iam, present = context.aws("iam"), self.save(context)
        for arn in [each for each in present if present[each] != saved.get(each)]:
            iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        for arn in [each for each in saved if saved[each] != present.get(each)]:
            fields = saved[arn]
            iam.create_open_id_connect_provider(**{**fields, "Url": f"https://{fields['Url']}"})


def _without_date(provider: dict[str, Any]) -> dict[str, Any]:
    return {name: provider[name] for name in ("Url", "ClientIDList", "ThumbprintList", "Tags") if name in provider}


@dataclass(frozen=True)
class Role:
    """IAM role with its trust policy, policies, boundary and tags."""

    name: str

    def save(self, context: FaultContext) -> Saved:
        """Return the role, or None."""
        iam = context.aws("iam")
        try:
            role = iam.get_role(RoleName=self.name)["Role"]
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            raise
        inline = iam.list_role_policies(RoleName=self.name)["PolicyNames"]
        attached = iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]
        return {
            "Path": role["Path"],
            "Description": role.get("Description", ""),
            "MaxSessionDuration": role["MaxSessionDuration"],
            "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
            "PermissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            "Tags": role.get("Tags", []),
            "attached": sorted(each["PolicyArn"] for each in attached),
            "inline": {
                name: iam.get_role_policy(RoleName=self.name, PolicyName=name)["PolicyDocument"] for name in inline
            },
        }

    def restore(self, context: FaultContext, saved: Saved) -> None:
        """Create, update or delete the role."""
        iam, present = context.aws("iam"), self.save(context)
        if present is None and saved is not None:
            fields = {name: saved[name] for name in ("Path", "MaxSessionDuration", "Tags")}
            optional = {name: saved[name] for name in ("Description", "PermissionsBoundary") if saved[name]}
            document = json.dumps(saved["AssumeRolePolicyDocument"])
            iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=document, **fields, **optional)
            present = self.save(context)
        if present is None or present == saved:
            return
        wanted = saved or {"attached": [], "inline": {}, "PermissionsBoundary": ""}
        for arn in set(present["attached"]) - set(wanted["attached"]):
            iam.detach_role_policy(RoleName=self.name, PolicyArn=arn)
        for name in set(present["inline"]) - set(wanted["inline"]):
            iam.delete_role_policy(RoleName=self.name, PolicyName=name)
        if present["PermissionsBoundary"] and not wanted["PermissionsBoundary"]:
            iam.delete_role_permissions_boundary(RoleName=self.name)
        if saved is None:
            iam.delete_role(RoleName=self.name)
            return
        for arn in set(saved["attached"]) - set(present["attached"]):
            iam.attach_role_policy(RoleName=self.name, PolicyArn=arn)
        for name, document in saved["inline"].items():
            iam.put_role_policy(RoleName=self.name, PolicyName=name, PolicyDocument=json.dumps(document))
        document = json.dumps(saved["AssumeRolePolicyDocument"])
        iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=document)


@dataclass(frozen=True)
class Policy(Unsaved):
    """Managed policy of the account that only a fault creates."""

    arn: str

    def restore(self, context: FaultContext, saved: Saved) -> None:  # noqa: ARG002 - it did not exist
        """Delete the policy."""
        try:
            context.aws("iam").delete_policy(PolicyArn=self.arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise


@dataclass(frozen=True)
class Addon:
    """EKS addon of the driver."""

    def save(self, context: FaultContext) -> Saved:
        """Return what a create needs."""
        addon = context.aws("eks").describe_addon(clusterName=CLUSTER, addonName=EBS_CSI)["addon"]
        names = ("addonVersion", "serviceAccountRoleArn", "configurationValues", "tags")
        return {name: addon[name] for name in names if addon.get(name)}

    def restore(self, context: FaultContext, saved: Saved) -> None:
        """Create the addon if it does not exist, and wait for its driver."""
        try:
            self.save(context)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
            context.aws("eks").create_addon(clusterName=CLUSTER, addonName=EBS_CSI, **saved)
            wait_until(lambda: health.observed_file(context.instance).read_text() != health.ABSENT, _SECONDS)
        addon_process.settle(context.instance, Report())


@dataclass(frozen=True)
class HopLimits:
    """Hop limits of the instance metadata service."""

    def save(self, context: FaultContext) -> Saved:
        """Return the limits by instance."""
        reservations = context.aws("ec2").describe_instances()["Reservations"]
        instances = [each for reservation in reservations for each in reservation["Instances"]]
        return {each["InstanceId"]: each["MetadataOptions"]["HttpPutResponseHopLimit"] for each in instances}

    def restore(self, context: FaultContext, saved: Saved) -> None:
        """Write the limits."""
        for id_, limit in saved.items():
            context.aws("ec2").modify_instance_metadata_options(InstanceId=id_, HttpPutResponseHopLimit=limit)


@dataclass(frozen=True)
class Added:
    """AWS resources of one kind. A fault adds some of them."""

    service: str
    list_ids: Callable[[Any], list[str]]
    """Takes a client of the service, as `delete` does."""
    delete: Callable[[Any, str], None]

    def save(self, context: FaultContext) -> Saved:
        """Return the ids."""
        return sorted(self.list_ids(context.aws(self.service)))

    def restore(self, context: FaultContext, saved: Saved) -> None:
        """Delete the resources that were not there."""
        for id_ in set(self.save(context)) - set(saved):
            self.delete(context.aws(self.service), id_)


def _delete_key(kms: Any, id_: str) -> None:  # noqa: ANN401 - boto3 makes its clients at run time
    """Schedule the deletion. KMS deletes a key after seven days at the earliest."""
    if kms.describe_key(KeyId=id_)["KeyMetadata"]["KeyState"] != "PendingDeletion":
        kms.schedule_key_deletion(KeyId=id_, PendingWindowInDays=7)


def _delete_control_policy(organizations: Any, id_: str) -> None:  # noqa: ANN401 - as above
    for target in organizations.list_targets_for_policy(PolicyId=id_)["Targets"]:
        organizations.detach_policy(PolicyId=id_, TargetId=target["TargetId"])
    organizations.delete_policy(PolicyId=id_)


_OF_A_FAULT = [{"Name": "tag-key", "Values": [FAULT_TAG]}]
KEYS = Added("kms", lambda kms: [each["KeyId"] for each in kms.list_keys()["Keys"]], _delete_key)
VOLUMES = Added(
    "ec2",
    lambda ec2: [each["VolumeId"] for each in ec2.describe_volumes(Filters=_OF_A_FAULT)["Volumes"]],
    lambda ec2, id_: ec2.delete_volume(VolumeId=id_),
)
SNAPSHOTS = Added(
    "ec2",
    lambda ec2: [each["SnapshotId"] for each in ec2.describe_snapshots(Filters=_OF_A_FAULT)["Snapshots"]],
    lambda ec2, id_: ec2.delete_snapshot(SnapshotId=id_),
)
POD_IDENTITY_ASSOCIATIONS = Added(
    "eks",
    lambda eks: [
        each["associationId"] for each in eks.list_pod_identity_associations(clusterName=CLUSTER)["associations"]
    ],
    lambda eks, id_: eks.delete_pod_identity_association(clusterName=CLUSTER, associationId=id_),
)
CONTROL_POLICIES = Added(
    "organizations",
    lambda client: [each["Id"] for each in client.list_policies(Filter=CONTROL_POLICY)["Policies"]],
    _delete_control_policy,
)


@dataclass(frozen=True)
class ClusterStatus(Unsaved):
    """Status of the cluster that EKS reports."""

    def restore(self, context: FaultContext, saved: Saved) -> None:  # noqa: ARG002 - it was ACTIVE
        """Let EKS report ACTIVE again."""
        cluster_report(context).unlink(missing_ok=True)


def cluster_report(context: FaultContext) -> Path:
    """Return the file from which EKS reads another status of the cluster."""
    return context.instance.root / "clusters" / f"{CLUSTER}.json"


@dataclass(frozen=True)
class KubernetesObject:
    """Object of kube-system or of the cluster."""

    kind: str
    name: str

    def save(self, context: FaultContext) -> Saved:
        """Return the manifest, or None."""
        found = context.get("-n", NAMESPACE, self.kind, self.name)
        if not found:
            return None
        manifest = {name: value for name, value in found[0].items() if name != "status"}
        metadata = {name: value for name, value in manifest["metadata"].items() if name not in _SERVER_FIELDS}
        return {**manifest, "metadata": metadata}

    def restore(self, context: FaultContext, saved: Saved) -> None:
        """Create, replace or delete the object. Replacing keeps no field that the fault has added."""
        present = self.save(context)
        if present == saved:
            return
        if saved is None:
            context.kubectl("-n", NAMESPACE, "delete", self.kind, self.name)
        else:
            context.kubectl("create" if present is None else "replace", "-f", "-", stdin=json.dumps(saved))


@dataclass(frozen=True)
class ControllerRollout(Unsaved):
    """Pods of the controller. They are restarted if they do not run with the restored objects."""

    restart: bool = False

    def restore(self, context: FaultContext, saved: Saved) -> None:  # noqa: ARG002 - there is no state
        """Wait until the pods are ready."""
        if self.restart:
            context.kubectl("-n", NAMESPACE, "rollout", "restart", f"deployment/{CONTROLLER}")
        context.roll_out()


@dataclass(frozen=True)
class NodePlugin(Unsaved):
    """Node plugin of one node."""

    node: Node

    def restore(self, context: FaultContext, saved: Saved) -> None:  # noqa: ARG002 - it runs again
        """Let the plugin start, and wait until the node has registered it."""
        node_plugin.withheld_file(context.instance, self.node).unlink(missing_ok=True)
        if not wait_until(lambda: is_registered(context, self.node), _SECONDS):
            raise FaultError(f"the driver is not registered on {self.node.name} after {_SECONDS:.0f} s")


def is_registered(context: FaultContext, node: Node) -> bool:
    """Return whether the CSINode of a node names the driver."""
    drivers = [driver["name"] for each in context.get("csinode", node.name) for driver in each["spec"]["drivers"] or []]
    return node_plugin.DRIVER in drivers
