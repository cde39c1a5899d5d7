"""Keys of the stack file: one object for each component, with the component's own arguments in camelCase. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from eks_rocketmq.args.argument_path import to_camel_case
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector
from eks_rocketmq.args.validation import find_nearest_name
from eks_rocketmq.eks.addons.cluster_addons_args import ClusterAddonsArgs
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.eks.iam.oidc_provider_args import ClusterOidcProviderArgs
from eks_rocketmq.eks.network.load_balancer import NetworkLoadBalancerArgs
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.rocketmq.access.access import AccessArgs
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack.json_values import check_depth, parse_json
from eks_rocketmq.stack.stack_paths import get_setting_path


class StackKey(NamedTuple):
    """A key of the stack file."""

    type_: Any
    """TypedDict of its object, or a dict of them by name."""
    description: str
    optional: bool = False
    """Whether the stack has the component only with this key. The project file then cannot declare the key, because the
    engine wants a default for each declared key."""
    set_by_stack: tuple[str, ...] = ()
    """Arguments that the stack sets itself."""
    defaulted: tuple[str, ...] = ()
    """Required arguments of the component that the stack file may leave out."""


KEYS: Mapping[str, StackKey] = {
    "cluster": StackKey(
        EksClusterArgs,
        "EKS cluster: an existing one by `clusterName`, or with `version` a new one.",
        set_by_stack=("vpc_id", "subnet_ids"),
        defaulted=("version",),
    ),
    "network": StackKey(
        NetworkArgs, "VPC and subnets of a new cluster.", set_by_stack=("cluster_name", "deletion_protection")
    ),
    "nodeGroups": StackKey(
        dict[str, NodeGroupArgs],
        "Node groups of a new cluster by name, at most 28 letters, digits, `-` and `_`.",
        set_by_stack=("cluster_name", "subnet_ids", "zone_count"),
    ),
    "addons": StackKey(
        ClusterAddonsArgs,
        "Addons of a new cluster. The stack installs each addon before or after the nodes, as it needs.",
        set_by_stack=("cluster_name", "stage", "kubernetes_version"),
    ),
    "oidc": StackKey(ClusterOidcProviderArgs, "IAM OIDC provider of the cluster.", set_by_stack=("issuer",)),
    "ebsCsi": StackKey(
        EbsCsiAddonArgs,
        "EBS CSI driver and its role.",
        set_by_stack=("cluster_name", "issuer", "provider_arn", "kubernetes_version", "kubeconfig"),
        defaulted=("role_name",),
    ),
    "storage": StackKey(EbsStorageClassArgs, "StorageClass of the claims.", set_by_stack=("kubeconfig",)),
    "networkLoadBalancer": StackKey(
        NetworkLoadBalancerArgs,
        "Network Load Balancer of AWS for `rocketmq.external`, instead of `type`, `loadBalancerClass` and annotations.",
        optional=True,
    ),
    "rocketmq": StackKey(RocketMqArgs, "Apache RocketMQ.", set_by_stack=("storage_class", "access")),
    "access": StackKey(
        AccessArgs,
        "Access control of RocketMQ. It has its own key, because the passwords in it are encrypted.",
        optional=True,
    ),
}
"""Keys in the order in which the stack creates the components."""
CNI_SET_BY_STACK = ("issuer", "provider_arn", "cluster_arn")
"""Arguments of `addons.vpcCni` that the stack sets itself."""
_FORMER_KEYS: Mapping[str, str] = {
    "clusterName": "cluster.clusterName",
    "clusterRoleArn": "cluster.roleArn",
    "newCluster": "cluster",
    "clusterAddons": "addons",
    "oidcProvider": "oidc.existing",
    "oidcClientIds": "oidc.clientIds",
    "ebsCsiDriver": "ebsCsi.existing, ebsCsi.selfManaged or ebsCsi.autoMode",
    "ebsCsiRoleName": "ebsCsi.roleName",
    "ebsCsiPermissions": "ebsCsi.permissions",
    "storageClass": "storage.className",
    "newStorageClass": "storage with create: true",
    "allowVolumeExpansion": "storage.allowVolumeExpansion",
    "durability": "rocketmq.profile",
    "rocketmqVersion": "rocketmq.version",
}
REFERENCE = "docs/reference/settings.md"


def find_new_key(former: str) -> str:
    """Return the key that replaces a key of version 0.1, or an empty text."""
    arguments = {to_camel_case(name) for name in RocketMqArgs.__annotations__} - KEYS.keys()
    return _FORMER_KEYS.get(former, f"rocketmq.{former}" if former in arguments else "")


def parse_values(given: Mapping[str, str], errors: ErrorCollector) -> dict[str, dict[str, Any]]:
    """Return the object of each key. A key with an error is missing in the result.

    `given` has JSON by key without namespace. `errors` receives an error for each key that is unknown, no object or too
    deep.
    """
    for key in given:
        if key not in KEYS:
            errors.add(_build_unknown_key_error(key))
    values: dict[str, dict[str, Any]] = {}
    for key, declaration in KEYS.items():
        path = get_setting_path(key)
        if key not in given:
            if not declaration.optional:
                values[key] = {}
            continue
        deep = ErrorCollector()
        deep.attempt(check_depth, given[key], path)
        if deep:
            errors.add_all(deep)
            continue
        value = parse_json(given[key])
        if isinstance(value, dict):
            values[key] = value
            continue
        # A wrong value of `access` may contain a password.
        shown = {} if key == "access" else {"given": value}
        errors.add(
            ArgumentError(
                path,
                "no-object",
                "{given!r} is no object" if shown else "the value is no object",
                accepted="an object",
                remedy="See {reference}",
                reference=REFERENCE,
                **shown,
            )
        )
    return values


def _build_unknown_key_error(key: str) -> ArgumentError:
    new, nearest = find_new_key(key), find_nearest_name(key, KEYS)
    return ArgumentError(
        get_setting_path(key),
        "unknown-key",
        "the key has a new name" if new else "unknown key",
        accepted="" if new else "{keys}. See {reference}",
        remedy="Write {new}" if new else "Did you mean {nearest}?" if nearest else "",
        keys=", ".join(KEYS),
        reference=REFERENCE,
        new=new,
        nearest=nearest,
    )
