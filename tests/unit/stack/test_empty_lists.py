"""Meaning of an empty list, for each list argument of each component."""

from collections.abc import Callable, Iterator
from typing import Any, ForwardRef, get_args, get_origin, is_typeddict

import pytest

import eks_rocketmq
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.eks.cluster.cluster_plan import plan_cluster
from eks_rocketmq.eks.network.load_balancer import NetworkLoadBalancerArgs, network_load_balancer
from eks_rocketmq.rocketmq.plan import plan
from tests.unit.harness.rejections import Rejection, list_rejections
from tests.unit.rocketmq_case import args

EMPTY_IS_ACCEPTED = {
    # An empty one of these means none, or the default in the docstring.
    "AccessArgs.users", "AccessEntryArgs.kubernetes_groups", "AccessEntryArgs.policies", "ClusterAddonsArgs.addons",
    "ClusterOidcProviderArgs.client_ids", "ClusterOidcProviderArgs.thumbprints", "DashboardArgs.clients",
    "EbsCsiAddonArgs.kms_key_arns", "EbsCsiConfigurationArgs.controller_tolerations",
    "EbsCsiConfigurationArgs.node_tolerations", "EbsStorageClassArgs.mount_options", "EksClusterArgs.access_entries",
    "EksClusterArgs.ignore_changes", "EksClusterArgs.log_types", "EksClusterArgs.public_access_cidrs",
    "IrsaRoleArgs.clusters", "IrsaRoleArgs.managed_policies", "MonitoringArgs.scrapers",
    "NetworkArgs.interface_endpoints", "NetworkPoliciesArgs.clients", "NetworkPoliciesArgs.dns",
    "NodeAffinityArgs.preferred", "NodeGroupArgs.managed_policies", "NodeGroupArgs.taints", "PodsArgs.java_options",
    "PodsArgs.tolerations", "RocketMqArgs.consumer_groups", "RocketMqArgs.image_pull_secrets", "RocketMqArgs.topics",
    "UserArgs.permissions",
}  # fmt: skip
REJECTED_ELSEWHERE = {
    # The tests of the components show that an empty one of these is rejected.
    "EksClusterArgs.subnet_ids", "IrsaRoleArgs.service_accounts", "NetworkArgs.zones", "NodeGroupArgs.instance_types",
    "NodeGroupArgs.subnet_ids", "NodeMatchArgs.values", "NodePreferenceArgs.match", "PermissionArgs.actions",
    "PermissionArgs.resources", "PodsArgs.zones", "RocketMqArgs.broker_groups", "TopicArgs.broker_groups",
}  # fmt: skip
CERTIFICATE = "arn:aws:acm:ap-southeast-1:140023393377:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
ADMIN = "AmazonEKSClusterAdminPolicy"


def cluster(**entry: Any) -> Any:
    principal = "arn:aws:iam::140023393377:role/team"
    return {
        "cluster_name": "prod",
        "version": "1.35",
        "vpc_id": "vpc-0",
        "subnet_ids": ["subnet-0", "subnet-1"],
        "access_entries": [{"name": "team", "principal_arn": principal, **entry}],
    }


def user(**permission: Any) -> Any:
    permissions = [{"resources": ["Topic:a"], "actions": ["Pub"], **permission}]
    return args(access={"users": [{"name": "orders", "permissions": permissions}]})


def balancer(**given: Any) -> Any:
    return network_load_balancer({"certificate_arn": CERTIFICATE, **given})


REJECTED_AS_EVERYTHING: dict[str, tuple[Callable[[list[Any]], object], str, str]] = {
    "AccessPolicyArgs.namespaces": (
        lambda empty: plan_cluster(cluster(policies=[{"policy": ADMIN, "namespaces": empty}])),
        "access_entries['team'].policies[0].namespaces",
        "the whole cluster",
    ),
    "ExternalArgs.source_ranges": (
        lambda empty: plan(args(external={"load_balancer_class": "example.com/lb", "source_ranges": empty})),
        "external.source_ranges",
        "all addresses",
    ),
    "NetworkLoadBalancerArgs.security_groups": (
        lambda empty: balancer(security_groups=empty),
        "security_groups",
        "a group that the controller creates",
    ),
    "NetworkLoadBalancerArgs.subnets": (
        lambda empty: balancer(subnets=empty),
        "subnets",
        "every subnet with the tag",
    ),
    "NetworkLoadBalancerArgs.tls_ports": (
        lambda empty: balancer(tls_ports=empty),
        "tls_ports",
        "all ports",
    ),
    "NodeAffinityArgs.required": (
        lambda empty: plan(args(pods={"node_affinity": {"required": empty}})),
        "pods.node_affinity.required",
        "every node",
    ),
    "PermissionArgs.source_ips": (
        lambda empty: plan(user(source_ips=empty)),
        "access.users['orders'].permissions[0].source_ips",
        "any address",
    ),
}
"""A call with an empty list, the path of the list, and the meaning that the empty list would have."""


def lists_in(hint: Any, seen: set[Any]) -> Iterator[str]:
    """Yield each list field of a type, nested ones included, as `Type.field`."""
    if is_typeddict(hint) and hint not in seen:
        seen.add(hint)
        for name, inner in hint.__annotations__.items():
            if any(each in repr(inner) for each in ("list[", "Sequence[")) and not _only_inside(inner):
                yield f"{hint.__name__}.{name}"
            yield from lists_in(inner, seen)
    for inner in get_args(hint):
        yield from lists_in(inner, seen)


def _only_inside(hint: Any) -> bool:
    """Return whether the list is inside a mapping."""
    if get_origin(hint) in (list,) or isinstance(hint, ForwardRef):
        return False
    if get_origin(hint) is dict:
        return True
    return bool(get_args(hint)) and all(map(_only_inside, get_args(hint)))


def test_each_list_argument_has_a_meaning_of_an_empty_list() -> None:
    public = [getattr(eks_rocketmq, name) for name in eks_rocketmq.__all__ if name.endswith("Args")]
    seen: set[Any] = set()
    found = {field for hint in [*public, NetworkLoadBalancerArgs] for field in lists_in(hint, seen)}
    assert found == EMPTY_IS_ACCEPTED | REJECTED_ELSEWHERE | set(REJECTED_AS_EVERYTHING)


@pytest.mark.parametrize(("call", "path", "meaning"), REJECTED_AS_EVERYTHING.values(), ids=REJECTED_AS_EVERYTHING)
def test_an_empty_list_that_would_mean_everything_is_rejected(
    call: Callable[[list[Any]], object], path: str, meaning: str
) -> None:
    with pytest.raises(ArgumentError) as raised:
        call([])
    assert list_rejections(raised.value) == [Rejection(path, "empty-list")]
    assert raised.value.message.values["meaning"] == meaning
