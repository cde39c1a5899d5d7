"""What a new cluster cannot have, cannot pull, or is not allowed to do: refused at preview."""

import asyncio
import json
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi import ResourceHookArgs

from eks_rocketmq.stack import settings
from eks_rocketmq.stack.cross_checks import SKEW
from tests.unit.harness import Fakes, Recording, run, run_stack, stack_config
from tests.unit.harness.fakes import ACCOUNT
from tests.unit.stack.test_settings_fuzzed import STAGING, parsed

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
ADMIN = "AmazonEKSClusterAdminPolicy"
ECR = f"{ACCOUNT}.dkr.ecr.ap-southeast-1.amazonaws.com/rocketmq"
ENDPOINTS = ["ec2", "ecr.api", "ecr.dkr", "sts"]


def loaded(overrides: dict[str, Any], stack: str = "staging") -> settings.Settings:
    kept: list[settings.Settings] = []
    run(lambda: kept.append(settings.load()), config=stack_config(stack, overrides), stack=stack)
    return kept[0]


def refused(overrides: dict[str, Any], stack: str = "staging") -> str:
    with pytest.raises(pulumi.RunError) as refusal:
        loaded(overrides, stack)
    return str(refusal.value)


def nodes(**changed: Any) -> dict[str, Any]:
    return {"nodeGroups": {"general": {"instanceTypes": ["m7i.large"], "desiredSize": 1, **changed}}}


def addons(name: str, version: str) -> dict[str, Any]:
    return {"clusterAddons": {"addons": [{"name": name, "version": version}]}}


def let_in(*policies: dict[str, Any], **changed: Any) -> dict[str, Any]:
    own = {"name": "deployer", "principalArn": ROLE, "policies": list(policies)}
    other = {"name": "team", "principalArn": f"{ROLE}-team", "policies": [{"policy": ADMIN}]}
    return {
        "newCluster": {"version": "1.35", "creatorIsAdmin": False, "accessEntries": [own, other]},
        "clusterRoleArn": ROLE,
        **changed,
    }


def enclosed(**changed: Any) -> dict[str, Any]:
    return {"network": {"nat": "none", "interfaceEndpoints": ENDPOINTS}, "image": ECR, **changed}


POD_IDENTITY = {"identity": "pod_identity"}
NODE_IDENTITY = {"clusterAddons": {"vpcCni": {"identity": "node"}}}
RANGE = "Accepted are the minor version of the control plane and the 3 before it, 1.32 to 1.35."


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        # Versions.
        (nodes(version="1.36"), f"nodeGroups['general'].version is '1.36' and newCluster.version '1.35'. {RANGE}"),
        (nodes(version="1.31"), f"nodeGroups['general'].version is '1.31' and newCluster.version '1.35'. {RANGE}"),
        (nodes(releaseVersion="1.36.0-20260715"), "nodeGroups['general'].releaseVersion is '1.36.0-20260715' and newC"),
        (
            nodes(version="1.34", releaseVersion="1.35.2-20260715"),
            "nodeGroups['general']: releaseVersion is '1.35.2-20260715' and version '1.34': an image has the kubelet "
            "of its own version. Accepted is a release of 1.34. Take one that begins with '1.34.', or leave one of",
        ),
        (
            addons("kube-proxy", "v1.36.0-eksbuild.1"),
            "version of kube-proxy in clusterAddons.addons is 'v1.36.0-eksbui",
        ),
        (
            addons("kube-proxy", "v1.31.0-eksbuild.1"),
            "version of kube-proxy in clusterAddons.addons is 'v1.31.0-eksbui",
        ),
        # Policies of the pod network.
        (
            NODE_IDENTITY,
            "nodeGroups['general'].managedPolicies has no 'AmazonEKS_CNI_Policy', and clusterAddons.vpcCni",
        ),
        (
            {**NODE_IDENTITY, **nodes(managedPolicies=["AmazonSSMManagedInstanceCore"])},
            "nodeGroups['general'].managedPolicies has no 'AmazonEKS_CNI_Policy'",
        ),
        # Who is let in.
        (let_in({"policy": "AmazonEKSViewPolicy"}), "newCluster.accessEntries['deployer'] lets clusterRoleArn, "),
        (
            let_in({"policy": ADMIN, "namespaces": ["rocketmq"]}),
            "newCluster.accessEntries['deployer'] lets clusterRole",
        ),
        (
            {
                "newCluster": {
                    "version": "1.35",
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
            "newCluster: creatorIsAdmin is False and no access entry has AmazonEKSClusterAdminPolicy for the whole",
        ),
        # Images without a way out.
        (
            enclosed(image="apache/rocketmq"),
            "image is 'apache/rocketmq' and network.nat is 'none'; no node reaches that",
        ),
        (enclosed(image="docker.io/apache/rocketmq"), "image is 'docker.io/apache/rocketmq' and network.nat is 'none'"),
        (enclosed(image="quay.io/team/rocketmq"), "image is 'quay.io/team/rocketmq' and network.nat is 'none'"),
        (
            enclosed(image=ECR.replace("ap-southeast-1", "eu-west-1")),
            "and network.nat is 'none'; endpoints of ECR reach repositories of 'ap-southeast-1' only",
        ),
        (
            enclosed(dashboard={"loginSecret": "login"}),
            "dashboard.image is 'apacherocketmq/rocketmq-dashboard' and network.nat is 'none'; no node reaches that",
        ),
        (
            enclosed(network={"nat": "none", "interfaceEndpoints": ENDPOINTS[:-1]}),
            "network: nat is 'none' and the network has no sts, without which nodes never become ready",
        ),
        (
            enclosed(ebsCsi=POD_IDENTITY, clusterAddons={"podIdentityAgent": True}),
            "network: nat is 'none' and the network has no eks-auth",
        ),
        (
            {"image": f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/rocketmq"},
            "in ECR of another partition than aws:region, 'ap-southeast-1': no node may pull it.",
        ),
        # A driver that cannot work with its permissions.
        (
            {"ebsCsiPermissions": "cluster_scoped", "ebsCsi": {"addonVersion": "v1.57.1-eksbuild.1"}},
            "ebsCsi: addonVersion is 'v1.57.1-eksbuild.1' and permissions 'cluster_scoped': an older driver does not",
        ),
        # Namespaces and load balancers.
        (
            {"namespace": "kube-system"},
            "namespace is 'kube-system', which every cluster has, and createNamespace is true",
        ),
        (
            {"external": {"networkLoadBalancer": {"autoMode": True}}},
            "external.networkLoadBalancer.autoMode is true, and newCluster makes a cluster without EKS Auto Mode",
        ),
    ],
)
def test_what_never_comes_up_is_refused(overrides: dict[str, Any], told: str) -> None:
    assert told in refused(overrides)


def test_every_part_that_never_comes_up_is_named_in_one_run() -> None:
    text = refused({**nodes(version="1.36"), **let_in({"policy": "AmazonEKSViewPolicy"}), "ebsCsi": POD_IDENTITY})
    assert "nodeGroups['general'].version is '1.36'" in text
    assert "newCluster.accessEntries['deployer'] lets clusterRoleArn" in text
    assert "clusterAddons.podIdentityAgent" in text


@pytest.mark.parametrize(
    "overrides",
    [
        nodes(version="1.35"),
        nodes(version="1.32"),
        nodes(version="1.34", releaseVersion="1.34.2-20260715"),
        nodes(releaseVersion="1.33.2-20260715"),
        # Bottlerocket counts its releases by itself.
        nodes(amiType="BOTTLEROCKET_x86_64", releaseVersion="1.50.0-5d4ac849"),
        nodes(amiType="BOTTLEROCKET_x86_64", version="1.35", releaseVersion="1.50.0-5d4ac849"),
        addons("kube-proxy", "v1.34.1-eksbuild.2"),
        addons("coredns", "v1.13.2-eksbuild.1"),
        {**NODE_IDENTITY, **nodes(managedPolicies=["AmazonEKS_CNI_Policy"])},
        {**NODE_IDENTITY, **nodes(managedPolicies=["arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"])},
        # Nobody here knows what a role or policy of one's own allows.
        {**NODE_IDENTITY, **nodes(managedPolicies=["arn:aws:iam::140023393377:policy/pods"])},
        {**NODE_IDENTITY, **nodes(roleArn="arn:aws:iam::140023393377:role/nodes")},
        let_in({"policy": ADMIN}),
        let_in({"policy": "AmazonEKSViewPolicy"}, newCluster={"version": "1.35"}),
        enclosed(),
        enclosed(image="registry.example.com:5000/rocketmq"),
        enclosed(dashboard={"loginSecret": "login", "image": f"{ECR}-dashboard"}),
        {"image": ECR.replace("ap-southeast-1", "eu-west-1")},
        {"namespace": "default", "createNamespace": False},
        {"ebsCsiPermissions": "cluster_scoped", "ebsCsi": {"addonVersion": "v1.58.0-eksbuild.1"}},
        {"ebsCsiPermissions": "v2", "ebsCsi": {"addonVersion": "v1.57.1-eksbuild.1"}},
    ],
)
def test_what_comes_up_is_taken(overrides: dict[str, Any]) -> None:
    loaded(overrides)


@pytest.mark.parametrize("stack", ["prod", "staging"])
@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"namespace": "default"}, "namespace is 'default', which every cluster has"),
        ({"image": f"{ACCOUNT}.dkr.ecr.us-gov-west-1.amazonaws.com/rocketmq"}, "in ECR of another partition than"),
    ],
)
def test_what_no_cluster_takes_is_refused_in_every_stack(stack: str, overrides: dict[str, Any], told: str) -> None:
    assert told in refused(overrides, stack)


NOT_YET: list[tuple[dict[str, Any], str]] = [
    ({"createNamespace": False}, "createNamespace false needs the namespace 'rocketmq'"),
    ({"tls": {"secretName": "tls"}}, "tls.secretName needs the Secret 'tls' in namespace 'rocketmq'"),
    ({"imagePullSecrets": ["pull"]}, "imagePullSecrets[0] needs the Secret 'pull' in namespace 'rocketmq'"),
    ({"dashboard": {"loginSecret": "login"}}, "dashboard.loginSecret needs the Secret 'login' in namespace 'rocketmq'"),
    (
        {"dashboard": {"loginSecret": "a", "credentialsSecret": "b"}},
        "dashboard.credentialsSecret needs the Secret 'b' in namespace 'rocketmq'",
    ),
    ({"pods": {"priorityClass": "high"}}, "pods.priorityClass needs the PriorityClass 'high'"),
    ({"proxies": {"pods": {"priorityClass": "high"}}}, "proxies.pods.priorityClass needs the PriorityClass 'high'"),
    (
        {"brokerGroups": [{"name": "broker-a", "pods": {"priorityClass": "high"}}]},
        "brokerGroups['broker-a'].pods.priorityClass needs the PriorityClass 'high'",
    ),
    (
        {"brokerGroups": [{"name": "broker-a", "storageClass": "fast"}]},
        "brokerGroups['broker-a'].storageClass needs the StorageClass 'fast'",
    ),
    ({"controllers": {"storageClass": "fast"}}, "controllers.storageClass needs the StorageClass 'fast'"),
    ({"imagePullPolicy": "Never"}, "imagePullPolicy 'Never' needs nodes that have the image already"),
    ({"monitoring": {"monitor": "pod"}}, "monitoring.monitor 'pod' needs the CRDs of the Prometheus operator"),
    ({"monitoring": {"alerts": {}}}, "monitoring.alerts needs the CRDs of the Prometheus operator"),
    (
        {"external": {"networkLoadBalancer": {}}},
        "external.networkLoadBalancer needs the AWS Load Balancer Controller",
    ),
    (
        {"external": {"networkLoadBalancer": {"subnets": ["subnet-0123456789abcdef0"]}}},
        "external.networkLoadBalancer.subnets needs a network, which is made in this update as well",
    ),
    (
        {"external": {"loadBalancerClass": "example.com/own"}},
        "external.loadBalancerClass 'example.com/own' needs a controller that makes the load balancer",
    ),
]

FIVE = {"brokerGroups": [{"name": "broker-a", "replicas": 5, "memory": "2Gi"}]}
NOT_YET.append(
    (
        {**nodes(autoscaled=True, maxSize=3), **FIVE},
        "autoscaled in nodeGroups needs an autoscaler (nodeGroups: the pods of brokerGroups['broker-a'] run each on a "
        "node of its own, and there are nodes for 3 of 5 replicas. Accepted are node groups whose nodes take them all. "
        "Change nodeGroups (labels, taints, instanceTypes, desiredSize), or what pods, or the role's own pods, say "
        "(nodeSelector, nodeAffinity, tolerations), its cpu, memory or replicas)",
    )
)


def creating(overrides: dict[str, Any], fakes: Fakes | None = None, hook: str = "not-yet") -> str | None:
    """What a hook of the cluster's create says at preview."""
    recording = run_stack("staging", preview=True, overrides=overrides, fakes=fakes)
    (cluster,) = recording.by_type("aws:eks/cluster:Cluster")
    name = f"cluster-{hook}-preflight"
    if name not in cluster.before_create:
        return None
    args = ResourceHookArgs(cluster.urn, "", cluster.name, cluster.type, new_inputs=cluster.inputs)
    try:
        asyncio.run(recording.hooks[name](args))
    except RuntimeError as refusal:
        return str(refusal)
    return None


@pytest.mark.parametrize(("overrides", "told"), NOT_YET)
def test_what_a_cluster_cannot_have_before_it_is_made_is_said(overrides: dict[str, Any], told: str) -> None:
    new = loaded(overrides).new_cluster
    assert new is not None
    assert f"\n  {told}\n" in new.not_yet


def test_only_the_create_of_the_cluster_is_refused_for_that() -> None:
    told = creating({"monitoring": {"monitor": "service"}, "controllers": {"storageClass": "fast"}})
    assert told == (
        "newCluster makes the cluster in this update, and it cannot have yet what these settings need:\n"
        "  controllers.storageClass needs the StorageClass 'fast'\n"
        "  monitoring.monitor 'service' needs the CRDs of the Prometheus operator\n"
        "Accepted at the first `pulumi up` is a stack file without them. Leave them out, run `pulumi up`, put what is "
        "missing into the cluster, and set them again"
    )


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"pods": {"priorityClass": "system-cluster-critical"}},
        {"brokerGroups": [{"name": "broker-a", "storageClass": "gp2"}]},
        {"controllers": {"storageClass": "rocketmq-gp2"}},
        {"external": {"type": "NodePort"}},
        {"external": {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]}},
        {"monitoring": {"monitor": "none"}},
        {"namespace": "default", "createNamespace": False},
        nodes(autoscaled=True, maxSize=3),
        {
            **nodes(autoscaled=True, maxSize=3),
            **FIVE,
            "clusterAddons": {"addons": [{"name": "cluster-autoscaler"}]},
        },
    ],
)
def test_nothing_is_missing_where_the_stack_or_eks_makes_it(overrides: dict[str, Any]) -> None:
    assert creating(overrides) is None


def test_the_prod_stack_has_no_such_hook() -> None:
    recording: Recording = run_stack("prod", preview=True, overrides={"monitoring": {"monitor": "pod"}})
    assert "cluster-not-yet-preflight" not in recording.hooks


@given(st.integers(30, 60), st.integers(-6, 3))
def test_nodes_are_taken_within_the_skew_and_refused_outside(minor: int, apart: int) -> None:
    group = {"instanceTypes": ["m7i.large"], "version": f"1.{max(10, minor + apart)}"}
    overrides = {"newCluster": {"version": f"1.{minor}"}, "nodeGroups": {"general": group}}
    told = parsed({**STAGING, **{key: json.dumps(value) for key, value in overrides.items()}})
    assert isinstance(told, str) == (not -SKEW <= max(10, minor + apart) - minor <= 0), told


CALLER = "aws:index/getCallerIdentity:getCallerIdentity"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ci"


def made_by(caller: str, new: dict[str, Any], **overrides: Any) -> str | None:
    """What is said to whoever creates the cluster."""
    identity = {"accountId": ACCOUNT, "arn": caller, "id": ACCOUNT, "userId": "A"}
    fakes = Fakes().answering(CALLER, lambda _: identity)
    return creating({"newCluster": {"version": "1.35", **new}, **overrides}, fakes, "locked")


def admin(principal: str, **changed: Any) -> dict[str, Any]:
    entry = {"name": "admin", "principalArn": principal, "policies": [{"policy": ADMIN}]}
    return {"creatorIsAdmin": False, "accessEntries": [entry], **changed}


@pytest.mark.parametrize(
    ("caller", "new", "overrides"),
    [
        (SESSION, {}, {}),
        (SESSION, admin(ROLE), {}),
        (SESSION, admin(f"arn:aws:iam::{ACCOUNT}:role/team/deployer"), {}),
        (f"arn:aws:iam::{ACCOUNT}:user/ops/eve", admin(f"arn:aws:iam::{ACCOUNT}:user/ops/eve"), {}),
        # A role that is assumed for the cluster: the creator's own, or one with an entry.
        (SESSION, {}, {"clusterRoleArn": ROLE}),
        (SESSION, admin(f"{ROLE}-team", creatorIsAdmin=True), {"clusterRoleArn": f"{ROLE}-team"}),
        (SESSION, admin(f"{ROLE}-team"), {"clusterRoleArn": f"{ROLE}-team"}),
    ],
)
def test_whoever_makes_the_cluster_may_be_its_admin(
    caller: str, new: dict[str, Any], overrides: dict[str, Any]
) -> None:
    assert made_by(caller, new, **overrides) is None


@pytest.mark.parametrize(
    ("caller", "new", "overrides", "who"),
    [
        (SESSION, admin(f"{ROLE}-team"), {}, f"{SESSION!r}, which runs this stack,"),
        (
            SESSION.replace(ACCOUNT, "111122223333"),
            admin(ROLE),
            {},
            f"{SESSION.replace(ACCOUNT, '111122223333')!r}, which runs this stack,",
        ),
        (SESSION, admin(f"arn:aws:iam::{ACCOUNT}:user/deployer"), {}, f"{SESSION!r}, which runs this stack,"),
        (
            f"arn:aws:iam::{ACCOUNT}:user/eve",
            admin(f"arn:aws:iam::{ACCOUNT}:role/eve"),
            {},
            f"'arn:aws:iam::{ACCOUNT}:user/eve', which runs this stack,",
        ),
        (f"arn:aws:iam::{ACCOUNT}:root", admin(ROLE), {}, f"'arn:aws:iam::{ACCOUNT}:root', which runs this stack,"),
        # The creator administers the cluster, and another role is assumed for it.
        (SESSION, {}, {"clusterRoleArn": f"{ROLE}-team"}, f"clusterRoleArn, '{ROLE}-team',"),
    ],
)
def test_whoever_makes_a_cluster_that_locks_them_out_is_told_at_preview(
    caller: str, new: dict[str, Any], overrides: dict[str, Any], who: str
) -> None:
    told = made_by(caller, new, **overrides)
    assert told is not None
    assert told.startswith(f"newCluster gives {ADMIN} to ")
    assert f"and {who} puts this stack's objects into it: it would be refused once the cluster is made." in told
