"""Effect of every argument field of the EKS components on the registered resources."""

import inspect
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

import eks_rocketmq as library
from eks_rocketmq.plugin import component_provider
from tests.unit.fields import Pair, Place, fields_of, rows_of, types_in
from tests.unit.harness import Fakes, ProviderError, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION, auto_mode_cluster

TAGS = {"team": "shop"}
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/platform"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/orders"
CLUSTER_ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
RESOURCES = {"requests": {"cpu": "10m"}}
TOLERATIONS = [{"operator": "Exists"}]


def build_trusted_cluster(issuer: str = ISSUER, account: str = ACCOUNT) -> dict[str, Any]:
    """Return the arguments for a cluster whose tokens are trusted."""
    return {
        "issuer": issuer,
        "provider_arn": f"arn:aws:iam::{account}:oidc-provider/{issuer.removeprefix('https://')}",
    }


OTHER_ISSUER = f"{ISSUER[:-1]}C"
OTHER = build_trusted_cluster(OTHER_ISSUER)
OTHER_PROVIDER = build_trusted_cluster(account="123456789012")["provider_arn"]

NETWORK = {"zone_count": 2, "nat": "none", "s3_endpoint": False, "flow_log_retention_days": 0}
ZONES = {key: value for key, value in NETWORK.items() if key != "zone_count"}
CLUSTER = {"cluster_name": "prod", "version": "1.35", "vpc_id": "vpc-1", "subnet_ids": ["subnet-a", "subnet-b"]}
ADMIN = {"policy": "AmazonEKSClusterAdminPolicy"}
ENTRY = {"name": "platform", "principal_arn": ROLE, "policies": [ADMIN]}
NODES = {"cluster_name": "prod", "subnet_ids": ["subnet-a", "subnet-b"], "instance_types": ["m7i.large"]}
ADDONS = {"cluster_name": "prod", "stage": "before_nodes"}
CNI = {"role_name": "prod-vpc-cni", **build_trusted_cluster()}
IRSA = {"role_name": "orders", "service_accounts": [{"namespace": "shop", "name": "orders"}], **build_trusted_cluster()}
DRIVER = {"cluster_name": "prod", "role_name": "driver", "kubernetes_version": "1.35", **build_trusted_cluster()}
WITHOUT_ADDON = {**DRIVER, "cluster_name": "without-addon"}
CLASS = {"class_name": "fast", "create": True}


class OutputList(list[str]):
    """A list that is passed as an output, so that its length is not known."""


PLACES: Mapping[Any, Mapping[Any, Place]] = {
    library.Network: {
        library.NetworkArgs: Place(
            dict,
            NETWORK,
            {
                "cidr_block": "10.1.0.0/16",
                "zones": Pair(
                    {**ZONES, "zones": [f"{REGION}a", f"{REGION}b"]}, {**ZONES, "zones": [f"{REGION}a", f"{REGION}c"]}
                ),
                "zone_count": 3,
                "private_prefix_length": 20,
                "public_prefix_length": 25,
                "nat": "single",
                "cluster_name": "prod",
                "s3_endpoint": True,
                "interface_endpoints": ["sts"],
                "flow_log_retention_days": Pair(
                    {**NETWORK, "flow_log_retention_days": 30}, {**NETWORK, "flow_log_retention_days": 60}
                ),
                "deletion_protection": False,
                "permissions_boundary": Pair(
                    {**NETWORK, "flow_log_retention_days": 30},
                    {**NETWORK, "flow_log_retention_days": 30, "permissions_boundary": POLICY},
                ),
                "private_subnet_tags": TAGS,
                "public_subnet_tags": TAGS,
                "tags": TAGS,
            },
        ),
    },
    library.EksCluster: {
        library.EksClusterArgs: Place(
            dict,
            CLUSTER,
            {
                "cluster_name": "other",
                "version": "1.34",
                "vpc_id": "vpc-2",
                "subnet_ids": ["subnet-a", "subnet-c"],
                "public_access_cidrs": ["203.0.113.0/24"],
                "creator_is_admin": Pair(
                    {**CLUSTER, "access_entries": [ENTRY]},
                    {**CLUSTER, "access_entries": [ENTRY], "creator_is_admin": False},
                ),
                "access_entries": [ENTRY],
                "log_types": ["api"],
                "log_retention_days": 30,
                "log_kms_key_arn": KEY,
                "secrets_kms_key_arn": KEY,
                "service_cidr": "172.20.0.0/16",
                "support_type": "EXTENDED",
                "zonal_shift": True,
                "deletion_protection": False,
                "timeouts": {"create": "45m"},
                "ignore_changes": ["version"],
                "profile": "admin",
                "role_arn": ROLE,
                "tags": TAGS,
            },
        ),
        library.AccessEntryArgs: Place(
            lambda fields: {**CLUSTER, "access_entries": [fields]},
            ENTRY,
            {
                "name": "others",
                "principal_arn": f"{ROLE}-2",
                "policies": [ADMIN, {"policy": "AmazonEKSViewPolicy"}],
                "kubernetes_groups": ["readers"],
                "username": "platform",
                "type": "EC2",
            },
        ),
        library.AccessPolicyArgs: Place(
            lambda fields: {**CLUSTER, "access_entries": [{**ENTRY, "policies": [fields]}]},
            ADMIN,
            {"policy": "AmazonEKSViewPolicy", "namespaces": ["rocketmq"]},
        ),
        library.ClusterTimeoutsArgs: Place(
            lambda fields: {**CLUSTER, "timeouts": fields},
            {},
            {"create": "45m", "update": "90m", "delete": "20m"},
        ),
    },
    library.ExistingEksCluster: {
        library.ExistingEksClusterArgs: Place(
            dict, {"cluster_name": "prod"}, {"cluster_name": "other", "profile": "admin", "role_arn": ROLE}
        ),
    },
    library.NodeGroup: {
        library.NodeGroupArgs: Place(
            dict,
            {**NODES, "role_arn": ROLE},
            {
                "cluster_name": "other",
                "subnet_ids": ["subnet-a", "subnet-c"],
                "zone_count": Pair(
                    {**NODES, "subnet_ids": OutputList(["subnet-a"]), "zone_count": 1},
                    {**NODES, "subnet_ids": OutputList(["subnet-a", "subnet-b"]), "zone_count": 2},
                ),
                "per_zone": False,
                "zone_by_zone": False,
                "instance_types": ["m7i.xlarge"],
                "min_size": Pair({**NODES, "desired_size": 2}, {**NODES, "desired_size": 2, "min_size": 1}),
                "desired_size": 2,
                "max_size": 3,
                "autoscaled": True,
                "capacity_type": "SPOT",
                "ami_type": "BOTTLEROCKET_x86_64",
                "version": "1.35",
                "release_version": "1.35.2-20260715",
                "disk_size": 100,
                "disk_kms_key_arn": KEY,
                "metadata_hop_limit": 2,
                "labels": TAGS,
                "taints": [{"key": "dedicated"}],
                "max_unavailable": 2,
                "update_strategy": "MINIMAL",
                "force_update": True,
                "node_repair": False,
                "role_arn": f"{ROLE}-2",
                "managed_policies": Pair(NODES, {**NODES, "managed_policies": ["AmazonSSMManagedInstanceCore"]}),
                "tags": TAGS,
            },
        ),
        library.NodeTaintArgs: Place(
            lambda fields: {**NODES, "role_arn": ROLE, "taints": [fields]},
            {"key": "dedicated"},
            {"key": "other", "value": "mq", "effect": "NoExecute"},
        ),
    },
    library.ClusterAddons: {
        library.ClusterAddonsArgs: Place(
            dict,
            {**ADDONS, "vpc_cni": {"identity": "node"}, "kubernetes_version": "1.35"},
            {
                "cluster_name": "other",
                # Each stage has its own addons, and only the stage before_nodes has vpc-cni.
                "stage": Pair({**ADDONS, "vpc_cni": {"identity": "node"}}, {**ADDONS, "stage": "after_nodes"}),
                "addons": [{"name": "vpc-cni"}],
                "pod_identity_agent": True,
                "vpc_cni": {"identity": "node", "prefix_delegation": True},
                "versions": "default",
                "kubernetes_version": Pair(
                    {**ADDONS, "stage": "after_nodes", "versions": "latest", "kubernetes_version": "1.35"},
                    {**ADDONS, "stage": "after_nodes", "versions": "latest", "kubernetes_version": "1.34"},
                ),
                "preserve": False,
                "tags": TAGS,
            },
        ),
        library.AddonArgs: Place(
            lambda fields: {**ADDONS, "stage": "after_nodes", "addons": [fields]},
            {"name": "coredns"},
            {"name": "metrics-server", "version": "v1.21.1-eksbuild.1", "configuration": {"replicaCount": 3}},
        ),
        library.VpcCniArgs: Place(
            lambda fields: {**ADDONS, "addons": [{"name": "vpc-cni"}], "pod_identity_agent": True, "vpc_cni": fields},
            CNI,
            {
                "identity": Pair(CNI, {"identity": "node"}),
                "role_name": "other",
                "issuer": Pair(CNI, {**CNI, **OTHER}),
                "provider_arn": OTHER_PROVIDER,
                "cluster_arn": Pair(
                    {"identity": "pod_identity", "role_name": "cni", "cluster_arn": CLUSTER_ARN},
                    {"identity": "pod_identity", "role_name": "cni", "cluster_arn": f"{CLUSTER_ARN}-2"},
                ),
                "network_policy": False,
                "prefix_delegation": True,
            },
        ),
    },
    library.IrsaRole: {
        library.IrsaRoleArgs: Place(
            dict,
            IRSA,
            {
                "role_name": "other",
                "service_accounts": [{"namespace": "shop", "name": "others"}],
                "provider_arn": OTHER_PROVIDER,
                # The ARN of a provider contains its issuer.
                "issuer": Pair(IRSA, {**IRSA, **OTHER}),
                "clusters": [OTHER],
                "audience": "vault",
                "pod_identity_clusters": {"prod": CLUSTER_ARN},
                "associate": Pair(
                    {**IRSA, "pod_identity_clusters": {"prod": CLUSTER_ARN}},
                    {**IRSA, "pod_identity_clusters": {"prod": CLUSTER_ARN}, "associate": False},
                ),
                "managed_policies": ["ReadOnlyAccess"],
                "policy_arns": {"orders": POLICY},
                "customer_policies": {"orders": DOCUMENT},
                "inline_policies": {"orders": DOCUMENT},
                "exclusive_policies": True,
                "path": "/team/",
                "permissions_boundary": POLICY,
                "max_session_duration": 7200,
                "description": "Orders",
                "force_detach_policies": True,
                "tags": TAGS,
            },
        ),
        library.ServiceAccountArgs: Place(
            lambda fields: {**IRSA, "service_accounts": [fields]},
            {"namespace": "shop", "name": "orders"},
            {"namespace": "other", "name": "others"},
        ),
        library.TrustedClusterArgs: Place(
            lambda fields: {**IRSA, "clusters": [fields]},
            OTHER,
            {
                "issuer": Pair(OTHER, build_trusted_cluster(f"{ISSUER[:-1]}D")),
                "provider_arn": build_trusted_cluster(OTHER_ISSUER, "123456789012")["provider_arn"],
            },
        ),
    },
    library.EbsCsiAddon: {
        library.EbsCsiAddonArgs: Place(
            dict,
            DRIVER,
            {
                "cluster_name": "other",
                "role_name": "other",
                "issuer": Pair(DRIVER, {**DRIVER, **OTHER}),
                "provider_arn": OTHER_PROVIDER,
                "identity": "pod_identity",
                "permissions": "v2",
                "snapshots": Pair(
                    {**DRIVER, "permissions": "generated"}, {**DRIVER, "permissions": "generated", "snapshots": True}
                ),
                "kms_key_arns": [KEY],
                "addon_version": "v1.62.0-eksbuild.2",
                "most_recent": True,
                "kubernetes_version": Pair(
                    {**DRIVER, "most_recent": True}, {**DRIVER, "most_recent": True, "kubernetes_version": "1.34"}
                ),
                "configuration": {"controller_replicas": 3},
                "resolve_conflicts_on_create": "NONE",
                "resolve_conflicts_on_update": "PRESERVE",
                "preserve": True,
                "existing": True,
                "self_managed": Pair(WITHOUT_ADDON, {**WITHOUT_ADDON, "self_managed": {}}),
                "auto_mode": True,
                "kubeconfig": "{}",
                "exclusive_policies": True,
                "permissions_boundary": POLICY,
                "path": "/team/",
                "tags": TAGS,
            },
        ),
        library.SelfManagedDriverArgs: Place(
            lambda fields: {**WITHOUT_ADDON, "self_managed": fields},
            {},
            {"namespace": "other", "service_account": "other", "deployment": "other"},
        ),
        library.EbsCsiConfigurationArgs: Place(
            lambda fields: {**DRIVER, "configuration": fields},
            {},
            {
                "controller_replicas": 3,
                "controller_resources": RESOURCES,
                "controller_tolerations": TOLERATIONS,
                "controller_node_selector": TAGS,
                "extra_volume_tags": TAGS,
                "volume_modification": True,
                "node_resources": RESOURCES,
                "node_tolerations": TOLERATIONS,
                "tolerate_all_taints": False,
                "volume_attach_limit": 20,
                "default_storage_class": True,
                "sidecar_resources": {"attacher": RESOURCES},
                "values": {"controller": {"loggingFormat": "json"}},
            },
        ),
    },
    library.EbsStorageClass: {
        library.EbsStorageClassArgs: Place(
            dict,
            CLASS,
            {
                "class_name": "other",
                "create": False,
                "allow_volume_expansion": False,
                "default": True,
                "default_instead_of": "gp2",
                "volume_type": "gp2",
                "encrypted": False,
                "kms_key_id": KEY,
                "iops": 4000,
                "throughput": 250,
                "file_system": "xfs",
                "reclaim_policy": "Delete",
                "mount_options": ["noatime"],
                "tags": TAGS,
                "auto_mode": True,
                "kubeconfig": "{}",
            },
        ),
    },
    library.ClusterOidcProvider: {
        library.ClusterOidcProviderArgs: Place(
            dict,
            {"issuer": ISSUER},
            {
                "issuer": OTHER_ISSUER,
                "client_ids": ["vault"],
                "thumbprints": ["0" * 40],
                "existing": True,
                "tags": TAGS,
            },
        ),
    },
}


def get_addon(arguments: Any) -> dict[str, str]:
    if arguments["clusterName"] == WITHOUT_ADDON["cluster_name"]:
        msg = "couldn't find resource"
        raise ProviderError(msg)
    return {"addonVersion": "v1.60.0-eksbuild.1", "serviceAccountRoleArn": ROLE}


FAKES = (
    Fakes()
    .answering("aws:eks/getAddon:getAddon", get_addon)
    .answering("aws:eks/getCluster:getCluster", auto_mode_cluster)
    .answering(
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
        lambda given: {"arn": OTHER_PROVIDER, **given, "clientIdLists": ["sts.amazonaws.com"]},
    )
    .reading(
        "kubernetes:storage.k8s.io/v1:StorageClass",
        lambda _: {"provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer"},
    )
)


def test_every_public_component_has_an_entry() -> None:
    public = {
        component
        for component in component_provider.list_components()
        if component.__module__.startswith("eks_rocketmq.eks.")
    }
    assert set(PLACES) == public


@pytest.mark.parametrize("component", PLACES, ids=lambda component: component.__name__)
def test_every_argument_field_has_a_row(component: Any) -> None:
    args_type = inspect.signature(component).parameters["args"].annotation
    assert rows_of(PLACES[component]) == fields_of(types_in(args_type))


@pytest.mark.parametrize(
    ("component", "type_"),
    [(component, type_) for component, places in PLACES.items() for type_ in places],
    ids=lambda class_: class_.__name__,
)
def test_every_argument_field_changes_the_registered_resources(component: Any, type_: Any) -> None:
    def register(args: dict[str, Any]) -> object:
        def program() -> None:
            outputs = {
                key: pulumi.Output.from_input([*value]) for key, value in args.items() if isinstance(value, OutputList)
            }
            component("it", {**args, **outputs})

        recording = run(program, fakes=FAKES)
        return recording.resources, recording.reads, recording.invokes

    assert PLACES[component][type_].swallowed(register) == []
