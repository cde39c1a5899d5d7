"""Checks of a new cluster: contradictory settings, missing objects, and a creator without access."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi import ResourceHookArgs

from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.node_checks import SKEW
from eks_rocketmq.stack.stack_paths import STACK_FILE
from tests.unit.harness import Fakes, Recording, run_stack
from tests.unit.harness.fakes import ACCOUNT
from tests.unit.harness.rejections import rejects
from tests.unit.stack_case import node_group, parse_stack, rocketmq

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
ADMIN = "AmazonEKSClusterAdminPolicy"
ECR = f"{ACCOUNT}.dkr.ecr.ap-southeast-1.amazonaws.com/rocketmq"
ENDPOINTS = ["ec2", "ecr.api", "ecr.dkr", "sts"]


def addons(name: str, version: str) -> dict[str, Any]:
    return {"addons": {"addons": [{"name": name, "version": version}]}}


def grant(*policies: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Return an access entry for the role of a cluster whose creator is no administrator."""
    own = {"name": "deployer", "principalArn": ROLE, "policies": list(policies)}
    other = {"name": "team", "principalArn": f"{ROLE}-team", "policies": [{"policy": ADMIN}]}
    return {"cluster": {"creatorIsAdmin": False, "accessEntries": [own, other], "roleArn": ROLE, **changed}}


def without_nat(*endpoints: str, **changed: Any) -> dict[str, Any]:
    network = {"nat": "none", "interfaceEndpoints": [*(endpoints or ENDPOINTS)]}
    return {"network": network, **rocketmq(**{"image": ECR, **changed})}


POD_IDENTITY = {"identity": "pod_identity"}
NODE_IDENTITY = {"addons": {"vpcCni": {"identity": "node"}}}
GENERAL = "node_groups['general']"
KUBE_PROXY = ("addons.addons['kube-proxy'].version", "version-skew")
NO_CNI_POLICY = (f"{GENERAL}.managed_policies", "nodes-without-cni-policy")
NO_ADMIN = ("cluster.access_entries['deployer']", "role-without-admin")
UNREACHABLE = ("rocketmq.image", "image-unreachable")


@pytest.mark.parametrize(
    ("overrides", "rejection"),
    [
        # Versions.
        (node_group(version="1.36"), (f"{GENERAL}.version", "version-skew")),
        (node_group(version="1.31"), (f"{GENERAL}.version", "version-skew")),
        (node_group(releaseVersion="1.36.0-20260715"), (f"{GENERAL}.release_version", "version-skew")),
        (
            node_group(version="1.34", releaseVersion="1.35.2-20260715"),
            (f"{GENERAL}.release_version", "ami-release-of-other-version"),
        ),
        (addons("kube-proxy", "v1.36.0-eksbuild.1"), KUBE_PROXY),
        (addons("kube-proxy", "v1.31.0-eksbuild.1"), KUBE_PROXY),
        # Policies of the pod network.
        (NODE_IDENTITY, NO_CNI_POLICY),
        ({**NODE_IDENTITY, **node_group(managedPolicies=["AmazonSSMManagedInstanceCore"])}, NO_CNI_POLICY),
        # Access to the cluster.
        (grant({"policy": "AmazonEKSViewPolicy"}), NO_ADMIN),
        (grant({"policy": ADMIN, "namespaces": ["rocketmq"]}), NO_ADMIN),
        (
            {
                "cluster": {
                    "creatorIsAdmin": False,
                    "accessEntries": [
                        {
                            "name": "team",
                            "principalArn": ROLE,
                            "policies": [{"policy": ADMIN, "namespaces": ["rocketmq"]}],
                        }
                    ],
                }
            },
            ("cluster.creator_is_admin", "cluster-without-administrator"),
        ),
        # Images in a network without NAT.
        (without_nat(image="apache/rocketmq"), UNREACHABLE),
        (without_nat(image="docker.io/apache/rocketmq"), UNREACHABLE),
        (without_nat(image="quay.io/team/rocketmq"), UNREACHABLE),
        (without_nat(image=ECR.replace("ap-southeast-1", "eu-west-1")), ("rocketmq.image", "image-region")),
        (without_nat(dashboard={"loginSecret": "login"}), ("rocketmq.dashboard.image", "image-unreachable")),
        (without_nat(*ENDPOINTS[:-1]), ("network.interface_endpoints", "nat-none-without-endpoints")),
        (
            {**without_nat(), "ebsCsi": POD_IDENTITY, "addons": {"podIdentityAgent": True}},
            ("network.interface_endpoints", "nat-none-without-endpoints"),
        ),
        (
            rocketmq(image=f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/rocketmq"),
            ("rocketmq.image", "image-partition"),
        ),
        # A driver version that does not support the permissions.
        (
            {"ebsCsi": {"permissions": "cluster_scoped", "addonVersion": "v1.57.1-eksbuild.1"}},
            ("ebs_csi.addon_version", "driver-without-cluster-tags"),
        ),
        # Volumes.
        ({"storage": {"autoMode": True}}, ("storage.auto_mode", "existing-in-new-cluster")),
        (rocketmq(controllers={"storage": "17Ti"}), ("rocketmq.controllers.storage", "volume-too-large")),
        # Namespaces and load balancers.
        (rocketmq(namespace="kube-system"), ("rocketmq.namespace", "namespace-of-every-cluster")),
        (
            {"networkLoadBalancer": {"autoMode": True}},
            ("network_load_balancer.auto_mode", "balancer-needs-auto-mode"),
        ),
    ],
)
def test_contradictory_settings_are_rejected(overrides: dict[str, Any], rejection: tuple[str, str]) -> None:
    with rejects(rejection):
        parse_stack("staging", overrides)


def test_all_contradictions_are_reported_in_one_run() -> None:
    overrides = {**node_group(version="1.36"), **grant({"policy": "AmazonEKSViewPolicy"}), "ebsCsi": POD_IDENTITY}
    agent = ("ebs_csi.identity", "pod-identity-without-agent")
    with rejects((f"{GENERAL}.version", "version-skew"), NO_ADMIN, agent):
        parse_stack("staging", overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        node_group(version="1.35"),
        node_group(version="1.32"),
        node_group(version="1.34", releaseVersion="1.34.2-20260715"),
        node_group(releaseVersion="1.33.2-20260715"),
        # Bottlerocket has its own release numbers.
        node_group(amiType="BOTTLEROCKET_x86_64", releaseVersion="1.50.0-5d4ac849"),
        node_group(amiType="BOTTLEROCKET_x86_64", version="1.35", releaseVersion="1.50.0-5d4ac849"),
        addons("kube-proxy", "v1.34.1-eksbuild.2"),
        addons("coredns", "v1.13.2-eksbuild.1"),
        {**NODE_IDENTITY, **node_group(managedPolicies=["AmazonEKS_CNI_Policy"])},
        {**NODE_IDENTITY, **node_group(managedPolicies=["arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"])},
        # The permissions of a custom role or policy are unknown.
        {**NODE_IDENTITY, **node_group(managedPolicies=["arn:aws:iam::140023393377:policy/pods"])},
        {**NODE_IDENTITY, **node_group(roleArn="arn:aws:iam::140023393377:role/nodes")},
        grant({"policy": ADMIN}),
        {"cluster": {"roleArn": ROLE}},
        without_nat(),
        without_nat(image="registry.example.com:5000/rocketmq"),
        without_nat(dashboard={"loginSecret": "login", "image": f"{ECR}-dashboard"}),
        rocketmq(image=ECR.replace("ap-southeast-1", "eu-west-1")),
        rocketmq(namespace="default", createNamespace=False),
        {"ebsCsi": {"permissions": "cluster_scoped", "addonVersion": "v1.58.0-eksbuild.1"}},
        {"ebsCsi": {"permissions": "v2", "addonVersion": "v1.57.1-eksbuild.1"}},
        {"storage": {"volumeType": "gp3"}, **rocketmq(controllers={"storage": "64Ti"})},
    ],
)
def test_consistent_settings_are_accepted(overrides: dict[str, Any]) -> None:
    parse_stack("staging", overrides)


def test_a_claim_of_an_existing_class_may_be_as_large_as_the_largest_volume() -> None:
    parse_stack("prod", rocketmq(controllers={"storage": "64Ti"}))
    with rejects(("rocketmq.controllers.storage", "volume-too-large")):
        parse_stack("prod", rocketmq(controllers={"storage": "65Ti"}))


@pytest.mark.parametrize("stack", ["prod", "staging"])
@pytest.mark.parametrize(
    ("overrides", "rejection"),
    [
        (rocketmq(namespace="default"), ("rocketmq.namespace", "namespace-of-every-cluster")),
        (
            rocketmq(image=f"{ACCOUNT}.dkr.ecr.us-gov-west-1.amazonaws.com/rocketmq"),
            ("rocketmq.image", "image-partition"),
        ),
    ],
)
def test_namespace_and_image_are_checked_for_existing_and_new_clusters(
    stack: str, overrides: dict[str, Any], rejection: tuple[str, str]
) -> None:
    with rejects(rejection):
        parse_stack(stack, overrides)


SECRET = "in namespace 'rocketmq'"
OPERATOR = "the CRDs of the Prometheus operator"
MISSING: list[tuple[dict[str, Any], str, str]] = [
    (rocketmq(createNamespace=False), "rocketmq.create_namespace", "the namespace 'rocketmq'"),
    (rocketmq(tls={"secretName": "tls"}), "rocketmq.tls.secret_name", f"the Secret 'tls' {SECRET}"),
    (rocketmq(imagePullSecrets=["pull"]), "rocketmq.image_pull_secrets[0]", f"the Secret 'pull' {SECRET}"),
    (rocketmq(dashboard={"loginSecret": "login"}), "rocketmq.dashboard.login_secret", f"the Secret 'login' {SECRET}"),
    (
        rocketmq(dashboard={"loginSecret": "a", "credentialsSecret": "b"}),
        "rocketmq.dashboard.credentials_secret",
        f"the Secret 'b' {SECRET}",
    ),
    (rocketmq(pods={"priorityClass": "high"}), "rocketmq.pods.priority_class", "the PriorityClass 'high'"),
    (
        rocketmq(proxies={"pods": {"priorityClass": "high"}}),
        "rocketmq.proxies.pods.priority_class",
        "the PriorityClass 'high'",
    ),
    (
        rocketmq(brokerGroups=[{"name": "broker-a", "pods": {"priorityClass": "high"}}]),
        "rocketmq.broker_groups['broker-a'].pods.priority_class",
        "the PriorityClass 'high'",
    ),
    (
        rocketmq(brokerGroups=[{"name": "broker-a", "storageClass": "fast"}]),
        "rocketmq.broker_groups['broker-a'].storage_class",
        "the StorageClass 'fast'",
    ),
    (rocketmq(controllers={"storageClass": "fast"}), "rocketmq.controllers.storage_class", "the StorageClass 'fast'"),
    (rocketmq(imagePullPolicy="Never"), "rocketmq.image_pull_policy", "nodes that have the image already"),
    (rocketmq(monitoring={"monitor": "pod"}), "rocketmq.monitoring.monitor", OPERATOR),
    (rocketmq(monitoring={"alerts": {}}), "rocketmq.monitoring.alerts", OPERATOR),
    ({"networkLoadBalancer": {}}, "network_load_balancer", "the AWS Load Balancer Controller"),
    (
        {"networkLoadBalancer": {"subnets": ["subnet-0123456789abcdef0"]}},
        "network_load_balancer.subnets",
        "a network",
    ),
    (
        {"networkLoadBalancer": {"securityGroups": ["sg-0123456789abcdef0"]}},
        "network_load_balancer.security_groups",
        "a network",
    ),
    (
        rocketmq(external={"loadBalancerClass": "example.com/own"}),
        "rocketmq.external.load_balancer_class",
        "a controller that creates the load balancer",
    ),
]
FIVE_REPLICAS = rocketmq(brokerGroups=[{"name": "broker-a", "replicas": 5, "memory": "2Gi"}])


def find_error(overrides: dict[str, Any], fakes: Fakes | None = None, hook: str = "not-yet") -> str | None:
    """Return the error of a hook for the create of the cluster in a preview."""
    recording = run_stack("staging", preview=True, overrides=overrides, fakes=fakes)
    (cluster,) = recording.by_type("aws:eks/cluster:Cluster")
    name = f"cluster-{hook}-preflight"
    if name not in cluster.before_create:
        return None
    args = ResourceHookArgs(cluster.urn, "", cluster.name, cluster.type, new_inputs=cluster.inputs)
    try:
        asyncio.run(recording.hooks[name](args))
    except RuntimeError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("overrides", "path", "needed"), MISSING)
def test_settings_that_need_objects_missing_in_a_new_cluster_are_reported(
    overrides: dict[str, Any], path: str, needed: str
) -> None:
    new = parse_stack("staging", overrides).cluster
    assert isinstance(new, NewCluster)
    found = [(str(each.path), each.code, each.values["needed"]) for each in new.missing_objects]
    assert (path, "not-in-a-new-cluster", needed) in found


def test_node_groups_that_need_an_autoscaler_are_reported() -> None:
    new = parse_stack("staging", {**node_group(autoscaled=True, maxSize=3), **FIVE_REPLICAS}).cluster
    assert isinstance(new, NewCluster)
    (message,) = new.missing_objects
    assert (str(message.path), message.code) == ("node_groups", "no-autoscaler-yet")
    obstacle = "run each on a node of its own, and there are nodes for 3 of 5 replicas"
    assert message.render(STACK_FILE).startswith(
        "nodeGroups: groups rely on an autoscaler, which the cluster cannot have before this update has created it. "
        f"Without it, the pods of broker group 'broker-a' {obstacle}. "
    )


def test_cluster_creation_is_rejected_if_objects_are_missing() -> None:
    error = find_error(rocketmq(monitoring={"monitor": "service"}, controllers={"storageClass": "fast"}))
    remedy = "Leave the argument out of the first `pulumi up`, install what is missing, and set it again."
    assert error == (
        "rocketmq.controllers.storageClass: the cluster cannot have the StorageClass 'fast' before this update has "
        f"created it. {remedy}\n"
        "  rocketmq.monitoring.monitor: the cluster cannot have the CRDs of the Prometheus operator before this update "
        f"has created it. {remedy}"
    )


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        rocketmq(pods={"priorityClass": "system-cluster-critical"}),
        rocketmq(brokerGroups=[{"name": "broker-a", "storageClass": "gp2"}]),
        rocketmq(controllers={"storageClass": "rocketmq-gp2"}),
        rocketmq(external={"type": "NodePort"}),
        rocketmq(external={"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]}),
        rocketmq(monitoring={"monitor": "none"}),
        rocketmq(namespace="default", createNamespace=False),
        node_group(autoscaled=True, maxSize=3),
        {
            **node_group(autoscaled=True, maxSize=3),
            **FIVE_REPLICAS,
            "addons": {"addons": [{"name": "cluster-autoscaler"}]},
        },
    ],
)
def test_objects_created_by_the_stack_or_eks_are_not_reported_as_missing(overrides: dict[str, Any]) -> None:
    assert find_error(overrides) is None


def test_missing_objects_are_not_checked_for_an_existing_cluster() -> None:
    recording: Recording = run_stack("prod", preview=True, overrides=rocketmq(monitoring={"monitor": "pod"}))
    assert "cluster-not-yet-preflight" not in recording.hooks


@given(st.integers(30, 60), st.integers(-6, 3))
def test_nodes_are_accepted_within_the_version_skew_only(minor: int, difference: int) -> None:
    version = max(10, minor + difference)
    overrides = {"cluster": {"version": f"1.{minor}"}, **node_group(version=f"1.{version}")}
    if -SKEW <= version - minor <= 0:
        parse_stack("staging", overrides)
    else:
        with rejects((f"{GENERAL}.version", "version-skew")):
            parse_stack("staging", overrides)


CALLER = "aws:index/getCallerIdentity:getCallerIdentity"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ci"


def find_caller_error(caller: str, cluster: dict[str, Any], hook: str) -> str | None:
    """Return the error for the caller that creates the cluster."""
    identity = {"accountId": ACCOUNT, "arn": caller, "id": ACCOUNT, "userId": "A"}
    fakes = Fakes().answering(CALLER, lambda _: identity)
    return find_error({"cluster": cluster}, fakes, hook)


def find_lockout(caller: str, cluster: dict[str, Any]) -> str | None:
    return find_caller_error(caller, cluster, "locked")


def admin(principal: str, **changed: Any) -> dict[str, Any]:
    entry = {"name": "admin", "principalArn": principal, "policies": [{"policy": ADMIN}]}
    return {"creatorIsAdmin": False, "accessEntries": [entry], **changed}


@pytest.mark.parametrize(
    ("caller", "cluster"),
    [
        (SESSION, {}),
        (SESSION, admin(ROLE)),
        (SESSION, admin(f"arn:aws:iam::{ACCOUNT}:role/team/deployer")),
        (f"arn:aws:iam::{ACCOUNT}:user/ops/eve", admin(f"arn:aws:iam::{ACCOUNT}:user/ops/eve")),
        # The role of the cluster is the creator's own, or has an access entry.
        (SESSION, {"roleArn": ROLE}),
        (SESSION, admin(f"{ROLE}-team", creatorIsAdmin=True, roleArn=f"{ROLE}-team")),
        (SESSION, admin(f"{ROLE}-team", roleArn=f"{ROLE}-team")),
    ],
)
def test_a_creator_with_access_to_the_cluster_is_accepted(caller: str, cluster: dict[str, Any]) -> None:
    assert find_lockout(caller, cluster) is None


@pytest.mark.parametrize(
    ("caller", "cluster", "identity", "admins"),
    [
        (SESSION, admin(f"{ROLE}-team"), SESSION, f"{ROLE}-team"),
        (SESSION.replace(ACCOUNT, "111122223333"), admin(ROLE), SESSION.replace(ACCOUNT, "111122223333"), ROLE),
        (SESSION, admin(f"arn:aws:iam::{ACCOUNT}:user/deployer"), SESSION, f"arn:aws:iam::{ACCOUNT}:user/deployer"),
        (
            f"arn:aws:iam::{ACCOUNT}:user/eve",
            admin(f"arn:aws:iam::{ACCOUNT}:role/eve"),
            f"arn:aws:iam::{ACCOUNT}:user/eve",
            f"arn:aws:iam::{ACCOUNT}:role/eve",
        ),
        (f"arn:aws:iam::{ACCOUNT}:root", admin(ROLE), f"arn:aws:iam::{ACCOUNT}:root", ROLE),
        # The creator administers the cluster, and the cluster has another role.
        (SESSION, {"roleArn": f"{ROLE}-other", "accessEntries": None}, f"{ROLE}-other", SESSION),
    ],
)
def test_a_creator_without_access_to_the_cluster_is_rejected_at_preview(
    caller: str, cluster: dict[str, Any], identity: str, admins: str
) -> None:
    error = find_lockout(caller, cluster)
    assert error is not None
    assert error.startswith(
        f"cluster.accessEntries: {identity!r} creates the objects of this stack in the cluster, and only {admins!r}"
    )
    assert ADMIN in error


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        (SESSION, ROLE),
        (SESSION, f"arn:aws:iam::{ACCOUNT}:role/team/deployer"),
        (f"arn:aws:iam::{ACCOUNT}:user/eve", f"arn:aws:iam::{ACCOUNT}:user/eve"),
    ],
)
def test_an_access_entry_of_the_creator_is_rejected_before_the_cluster_exists(caller: str, principal: str) -> None:
    """EKS creates this entry with the cluster, and rejects a second one."""
    error = find_caller_error(caller, admin(principal, creatorIsAdmin=None), "creator-entry")
    assert error == (
        f"cluster.accessEntries['admin'].principalArn: {principal!r} creates the cluster, so EKS makes an access entry "
        f"for it and rejects this one. Leave the entry out, or set cluster.creatorIsAdmin to false and give it {ADMIN}."
    )


@pytest.mark.parametrize(
    ("caller", "cluster"),
    [
        (SESSION, admin(ROLE)),
        (SESSION, admin(f"{ROLE}-team", creatorIsAdmin=True)),
        (SESSION, admin(f"arn:aws:iam::{ACCOUNT}:user/deployer", creatorIsAdmin=True)),
        (SESSION, {"accessEntries": None}),
    ],
)
def test_access_entries_of_other_principals_are_accepted(caller: str, cluster: dict[str, Any]) -> None:
    assert find_caller_error(caller, cluster, "creator-entry") is None
