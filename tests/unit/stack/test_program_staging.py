"""The whole program with Pulumi.staging.yaml: a new cluster with RocketMQ."""

import itertools
import json
import shutil
from typing import Any

import kubernetes_validate
import pulumi
import pytest

from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.stack import settings
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.stack_paths import STACK_FILE
from tests.unit.harness import UNKNOWN, Fakes, ProviderError, Recording, run, run_stack, stack_config
from tests.unit.harness.eks_component import ISSUER
from tests.unit.harness.fakes import ACCOUNT
from tests.unit.harness.golden import committed, urns
from tests.unit.harness.rejections import list_rejections, rejects
from tests.unit.harness.trust import Token, admits
from tests.unit.stack_case import node_group, parse_stack, rocketmq

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
LAST = f"arn:aws:iam::{ACCOUNT}:role/last"
ECR = f"{ACCOUNT}.dkr.ecr.ap-southeast-1.amazonaws.com/rocketmq"
ENDPOINTS = ["ec2", "ecr.api", "ecr.dkr", "sts"]
KEY = "arn:aws:kms:ap-southeast-1:140023393377:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture(params=["preview", "update"])
def staging(request: pytest.FixtureRequest) -> Recording:
    """Return the recording of the whole program, in both modes."""
    return request.getfixturevalue(f"staging_{request.param}")


def test_urns_match_the_committed_urns(staging: Recording) -> None:
    assert urns(staging) == committed("staging"), (
        "a changed URN replaces its resource: add an alias, then regenerate the file"
    )


def test_resources_are_created_in_the_order_of_their_dependencies(staging: Recording) -> None:
    sets = [s for s in staging.by_type("StatefulSet") if s.inputs["spec"].get("volumeClaimTemplates")]
    assert len(sets) == 2
    steps = [
        [staging.one("aws:ec2/vpc:Vpc")],
        [staging.one("aws:eks/cluster:Cluster")],
        [staging.one("Addon", "addons-before-nodes-vpc-cni"), staging.one("Addon", "addons-before-nodes-kube-proxy")],
        staging.by_type("aws:eks/nodeGroup:NodeGroup"),
        [staging.one("Addon", "addons-after-nodes-coredns"), staging.one("Addon", "ebs-csi-addon")],
        sets,
    ]
    for earlier, later in itertools.pairwise(steps):
        for resource, needed in itertools.product(later, earlier):
            assert staging.reaches(resource, needed), f"{resource.name} can start before {needed.name}"
    for stateful_set in sets:
        assert staging.reaches(stateful_set, staging.one("StorageClass", "storage-new-class"))


def test_placeholders_of_the_plans_are_replaced_in_all_inputs(staging: Recording) -> None:
    texts = json.dumps([r.inputs for r in staging.resources.values()], default=str)
    for placeholder in ("known later", "known.later", '"subnet-0"', '"vpc-0"'):
        assert placeholder not in texts


NETWORK = ["network-private-1", "network-private-2", "network-private-3", "network-vpc"]


@pytest.mark.parametrize("protection", [True, False])
def test_the_network_is_protected_like_its_cluster(protection: bool) -> None:
    """EKS does not move a cluster to another VPC, so the engine must refuse to replace the network."""
    recording = run_stack("staging", preview=True, overrides={"cluster": {"deletionProtection": protection}})
    (cluster,) = recording.by_type("aws:eks/cluster:Cluster")
    assert cluster.protect == protection
    # Others can be replaced, such as NAT gateways and routes.
    protected = sorted(
        each.name for each in recording.resources.values() if each.name.startswith("network-") and each.protect
    )
    assert protected == (NETWORK if protection else [])


def test_the_trust_policy_is_exact_when_the_issuer_is_known(staging: Recording) -> None:
    trust = staging.one("Role", "ebs-csi-driver-role").inputs["assumeRolePolicy"]
    if staging.preview:
        assert trust == UNKNOWN
    else:
        assert admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:ebs-csi-controller-sa"))
        assert not admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:ebs-csi-node-sa"))


def test_volume_claims_use_the_storage_class_of_the_stack(staging: Recording) -> None:
    storage_class = staging.one("StorageClass", "storage-new-class").inputs
    assert storage_class["metadata"]["name"] == "rocketmq-gp2"
    assert storage_class["parameters"]["type"] == "gp2"
    assert storage_class["parameters"]["encrypted"] == "true"
    templates = [t for s in staging.by_type("StatefulSet") for t in s.inputs["spec"].get("volumeClaimTemplates", [])]
    assert {template["spec"]["storageClassName"] for template in templates} == {"rocketmq-gp2"}


def test_manifests_pass_strict_validation(staging: Recording) -> None:
    manifests = staging.manifests()
    assert len(manifests) > 10
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.35", strict=True)


def test_the_driver_may_use_the_kms_key_of_the_storage_class() -> None:
    recording = run_stack("staging", overrides={"storage": {"volumeType": "gp3", "kmsKeyId": KEY}})
    assert recording.one("StorageClass", "storage-new-class").inputs["parameters"]["kmsKeyId"] == KEY
    documents = [r.inputs["policy"] for r in recording.by_type("RolePolicy")]
    assert [document for document in documents if KEY in document]


def test_each_addon_is_installed_before_or_after_the_nodes() -> None:
    addon_args = {
        "podIdentityAgent": True,
        "addons": [{"name": "metrics-server"}, {"name": "coredns", "version": "v1.13.2-eksbuild.1"}],
    }
    recording = run_stack("staging", overrides={"addons": addon_args})
    addons = {r.name: r.inputs.get("addonVersion") for r in recording.by_type("Addon")}
    assert addons == {
        "addons-before-nodes-vpc-cni": None,
        "addons-before-nodes-kube-proxy": None,
        "addons-before-nodes-eks-pod-identity-agent": None,
        "addons-after-nodes-coredns": "v1.13.2-eksbuild.1",
        "addons-after-nodes-metrics-server": None,
        "ebs-csi-addon": None,
    }


def test_addon_versions_are_looked_up_for_the_kubernetes_version() -> None:
    recording = run_stack("staging", overrides={"addons": {"versions": "latest"}})
    versions = {r.name: r.inputs.get("addonVersion") for r in recording.by_type("Addon")}
    assert versions["addons-before-nodes-vpc-cni"] == "v1.35.9-eksbuild.1"
    assert versions["addons-after-nodes-coredns"] == "v1.35.9-eksbuild.1"


def test_the_vpc_cni_can_use_pod_identity() -> None:
    addon_args = {"podIdentityAgent": True, "vpcCni": {"identity": "pod_identity"}}
    recording = run_stack("staging", overrides={"addons": addon_args})
    (association,) = recording.one("Addon", "addons-before-nodes-vpc-cni").inputs["podIdentityAssociations"]
    assert association["serviceAccount"] == "aws-node"
    trust = json.loads(recording.one("Role", "addons-before-nodes-vpc-cni-role").inputs["assumeRolePolicy"])
    assert recording.outputs["clusterName"] == "staging"
    assert "cluster/staging" in json.dumps(trust)


@pytest.mark.parametrize("agent", [{"podIdentityAgent": True}, {"addons": [{"name": "eks-pod-identity-agent"}]}])
def test_the_driver_can_use_pod_identity(agent: dict[str, Any]) -> None:
    changed = {"ebsCsi": {"identity": "pod_identity"}, "addons": agent}
    recording = run_stack("staging", overrides=changed)
    assert recording.one("Addon", "ebs-csi-addon").inputs["podIdentityAssociations"]


def test_a_network_without_nat_is_accepted_with_endpoints_and_an_ecr_image() -> None:
    network = {"nat": "none", "interfaceEndpoints": ENDPOINTS}
    recording = run_stack("staging", overrides={"network": network, "rocketmq": {"image": ECR}})
    assert len(recording.by_type("VpcEndpoint")) == 5


def test_the_kubeconfig_contains_the_role_of_the_cluster() -> None:
    recording = run_stack("staging", overrides={"cluster": {"roleArn": ROLE}})
    assert ROLE in recording.one("pulumi:providers:kubernetes", "cluster-kubernetes").inputs["kubeconfig"]


@pytest.mark.parametrize("stack", ["prod", "staging"])
@pytest.mark.parametrize(
    ("role", "expected"), [(None, LAST), (ROLE, ROLE), ("none", "")], ids=["default", "given", "none"]
)
def test_the_cluster_role_defaults_to_the_last_assumed_role(stack: str, role: str | None, expected: str) -> None:
    """The assumed role creates the cluster and is its administrator."""
    roles = [{"roleArn": "arn:aws:iam::111122223333:role/hop"}, {"roleArn": LAST, "externalId": "x"}]
    config = stack_config(stack, {"cluster": {"roleArn": role}, "aws:assumeRoles": roles})
    loaded: list[settings.Settings] = []
    run(lambda: loaded.append(settings.load()), config=config, stack=stack)
    cluster = loaded[0].cluster
    assert isinstance(cluster, NewCluster) == (stack == "staging")
    args = cluster.cluster if isinstance(cluster, NewCluster) else cluster
    assert args.get("role_arn", "") == expected


@pytest.mark.parametrize("stack", ["prod", "staging"])
@pytest.mark.parametrize("role", [None, ROLE, "none"])
@pytest.mark.parametrize("setting", ["aws:assumeRoleWithWebIdentity", "aws:accessKey"])
def test_a_new_cluster_whose_creator_gets_no_token_requires_a_role(setting: str, role: str | None, stack: str) -> None:
    """`aws eks get-token` does not get these settings of the AWS provider, whose identity creates the cluster."""
    value: Any = "AKIAEXAMPLE" if setting == "aws:accessKey" else {"roleArn": LAST, "webIdentityTokenFile": "/token"}
    config = stack_config(stack, {"cluster": {"roleArn": role}, setting: value})
    if stack == "staging" and role is None:
        with pytest.raises(pulumi.RunError, match=f"cluster.roleArn: a value is required, because {setting} applies"):
            run(settings.load, config=config, encrypted=[setting], stack=stack)
    else:
        run(settings.load, config=config, encrypted=[setting], stack=stack)


def test_an_assumed_role_is_the_default_for_a_creator_with_an_access_key() -> None:
    assumed: dict[str, Any] = {"aws:accessKey": "AKIAEXAMPLE", "aws:assumeRoles": [{"roleArn": LAST}]}
    run(settings.load, config=stack_config("staging", assumed), stack="staging")


@pytest.mark.parametrize("role", [ROLE, "none", None])
def test_an_encrypted_assumed_role_is_not_shown(role: str | None) -> None:
    config = stack_config("prod", {"cluster": {"roleArn": role}, "aws:assumeRoles": [{"roleArn": LAST}]})
    loaded: list[settings.Settings] = []

    def load() -> None:
        loaded.append(settings.load())

    if role:
        run(load, config=config, encrypted=["aws:assumeRoles"], stack="prod")
        assert LAST not in str(loaded)
        return
    match = r"^Pulumi\.prod\.yaml: cluster\.roleArn: a value is required, because aws:assumeRoles is encrypted"
    with pytest.raises(pulumi.RunError, match=match) as error:
        run(load, config=config, encrypted=["aws:assumeRoles"], stack="prod")
    assert LAST not in str(error.value)


def test_a_node_group_with_the_longest_accepted_name_is_created() -> None:
    name = "g" * 28
    recording = run_stack(
        "staging", overrides={"nodeGroups": {"general": None, name: {"instanceTypes": ["m7i.large"]}}}
    )
    prefixes = {group.inputs["nodeGroupNamePrefix"] for group in recording.by_type("aws:eks/nodeGroup:NodeGroup")}
    assert prefixes == {f"nodes-{name}-{zone}-" for zone in (1, 2, 3)}


TAINTS = [{"key": "dedicated", "value": "mq"}, {"key": "spot", "effect": "PreferNoSchedule"}]
TOLERATION = {"tolerations": [{"key": "dedicated", "value": "mq", "effect": "NoSchedule"}]}


def tolerate(*tolerations: dict[str, str]) -> dict[str, Any]:
    """Return tolerations of coredns and of the controller of the EBS CSI driver."""
    own = [{"operator": "Exists", **one} for one in tolerations]
    return {
        "addons": {"addons": [{"name": "coredns", "configuration": {"tolerations": own}}]},
        "ebsCsi": {"configuration": {"controllerTolerations": own}},
    }


ROLES: dict[str, Any] = {role: {"pods": TOLERATION} for role in ("nameServers", "controllers", "proxies")}
BROKERS = {"brokerGroups": [{"name": "broker-a", "pods": TOLERATION}]}


def addons(**changed: Any) -> dict[str, Any]:
    return {"addons": changed}


def without_nat(*endpoints: str, **changed: Any) -> dict[str, Any]:
    return {"network": {"nat": "none", "interfaceEndpoints": [*endpoints], **changed}}


def cluster(**changed: Any) -> dict[str, Any]:
    return {"cluster": changed}


def entry(role: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    return {"name": role, "principalArn": arn, "policies": [{"policy": "AmazonEKSClusterAdminPolicy"}]}


@pytest.mark.parametrize(
    "overrides",
    [
        {
            **node_group(taints=TAINTS),
            **rocketmq(pods=TOLERATION, topics=[{"name": "orders"}]),
            **tolerate({"key": "dedicated"}),
        },
        {**node_group(taints=TAINTS), **rocketmq(**ROLES, **BROKERS), **tolerate({})},
        node_group(taints=TAINTS[1:]),
        {"nodeGroups": {**node_group(taints=TAINTS)["nodeGroups"], "free": {"instanceTypes": ["m7i.large"]}}},
        {"storage": {"className": "gp2", "create": None, "volumeType": None, "reclaimPolicy": None}},
        cluster(serviceCidr="10.21.0.0/20"),
        {
            "ebsCsi": {"roleName": "staging-vpc-cni"},
            **addons(vpcCni={"identity": "node"}),
            **node_group(managedPolicies=["AmazonEKS_CNI_Policy"]),
        },
        {"ebsCsi": {"roleName": "staging-vpc-cni"}, **addons(vpcCni={"roleName": "other"})},
        cluster(creatorIsAdmin=False, accessEntries=[entry("deployer")], roleArn=ROLE),
    ],
)
def test_consistent_settings_are_accepted(overrides: dict[str, Any]) -> None:
    run(settings.load, config=stack_config("staging", overrides), stack="staging")


FIRST_ZONES = ["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1c"]
OTHER_ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
ROLE_NAME_TWICE = ("ebs_csi.role_name", "role-name-twice")


OWN_NODES = "run each on a node of its own, and there are nodes for"


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (rocketmq(brokerGroups=[{"name": "broker-a", "replicas": 7}]), f"broker group 'broker-a' {OWN_NODES} 3 of 7 "),
        (
            {**node_group(maxSize=1), **rocketmq(controllers={"replicas": 5})},
            f"the controllers {OWN_NODES} 3 of 5 replicas",
        ),
        (node_group(perZone=False), f"the name servers {OWN_NODES} 1 of 2 replicas"),
        (node_group(taints=TAINTS), "the name servers do not tolerate the taint 'dedicated=mq:NoSchedule', "),
        (
            {**node_group(taints=[{"key": "dedicated", "effect": "NoExecute"}]), **rocketmq(pods=TOLERATION)},
            "the name servers do not tolerate the taint 'dedicated:NoExecute', ",
        ),
        ({**node_group(taints=TAINTS), **rocketmq(**ROLES)}, "broker group 'broker-a' do not tolerate the taint"),
        (
            {**node_group(taints=TAINTS), **rocketmq(**ROLES, **BROKERS, topics=[{"name": "orders"}])},
            "the declarations do not tolerate the taint",
        ),
        (
            {**node_group(taints=TAINTS), **rocketmq(pods=TOLERATION, proxies={"pods": {"tolerations": []}})},
            "the proxies do not tolerate the taint",
        ),
    ],
)
def test_pods_without_suitable_nodes_are_rejected(overrides: dict[str, Any], problem: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_stack("staging", overrides)
    assert list_rejections(error.value) == [("node_groups", "pods-without-nodes")]
    assert error.value.message.render_problem(STACK_FILE).startswith(f"the pods of {problem}")


@pytest.mark.parametrize(
    ("overrides", "missing"),
    [
        (without_nat("ecr.api", "sts"), "'ec2', 'ecr.dkr'"),
        ({**without_nat(*ENDPOINTS), **addons(podIdentityAgent=True)}, "'eks-auth'"),
    ],
)
def test_nodes_without_nat_require_interface_endpoints(overrides: dict[str, Any], missing: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_stack("staging", {**overrides, **rocketmq(image=ECR)})
    assert list_rejections(error.value) == [("network.interface_endpoints", "nat-none-without-endpoints")]
    assert f"without {missing}, because network.nat is 'none'" in error.value.message.render_problem(STACK_FILE)


def test_nodes_without_nat_require_an_s3_endpoint() -> None:
    with rejects(("network.s3_endpoint", "nat-none-without-s3")):
        parse_stack("staging", {**without_nat(*ENDPOINTS, s3Endpoint=False), **rocketmq(image=ECR)})


@pytest.mark.parametrize(
    ("overrides", "rejections"),
    [
        (cluster(versoin="1.35"), [("cluster.versoin", "unknown-field")]),
        (cluster(version=1.35), [("cluster.version", "wrong-type")]),
        (cluster(version="1"), [("cluster.version", "cluster-version")]),
        (cluster(vpcId="vpc-1"), [("cluster.vpc_id", "set-by-the-stack")]),
        (cluster(supportType="LONG"), [("cluster.support_type", "choice")]),
        (
            cluster(version=None, publicAccessCidrs=None, accessEntries=None, deletionProtection=None),
            [(part, "part-of-new-cluster") for part in ("network", "addons", "node_groups")],
        ),
        ({"network": {"zoneCount": 9}}, [("network.zone_count", "number-of-zones")]),
        ({"network": {"zoneCount": 2}}, [("network.zone_count", "too-few-zones")]),
        ({"network": {"zoneCount": None, "zones": FIRST_ZONES[:2]}}, [("network.zone_count", "too-few-zones")]),
        ({"nodeGroups": None}, [("node_groups", "no-node-groups")]),
        ({"nodeGroups": {"general": None}}, [("node_groups", "no-node-groups")]),
        (node_group(desiredSize=0), [("node_groups", "no-nodes")]),
        ({"oidc": {"existing": True}}, [("oidc.existing", "existing-in-new-cluster")]),
        (
            {"ebsCsi": {"existing": True, "roleName": None, "permissions": None}},
            [("ebs_csi.existing", "existing-in-new-cluster")],
        ),
        (
            {"ebsCsi": {"selfManaged": {}}},
            [("ebs_csi.self_managed", "existing-in-new-cluster")],
        ),
        (
            {"ebsCsi": {"autoMode": True, "roleName": None, "permissions": None}},
            [("ebs_csi.auto_mode", "existing-in-new-cluster")],
        ),
        (
            {"storage": {"className": "fast", "create": None, "volumeType": None, "reclaimPolicy": None}},
            [("storage.class_name", "class-in-new-cluster")],
        ),
        (cluster(serviceCidr="10.20.128.0/20"), [("cluster.service_cidr", "service-block-overlap")]),
        (
            {**cluster(serviceCidr="10.0.0.0/12"), "network": None},
            [("cluster.service_cidr", "service-block-overlap")],
        ),
        ({"ebsCsi": {"roleName": "Staging-VPC-CNI"}}, [ROLE_NAME_TWICE]),
        (addons(vpcCni={"roleName": "staging-ebs-csi-driver"}), [ROLE_NAME_TWICE]),
        (
            cluster(creatorIsAdmin=False, accessEntries=[entry("team")], roleArn=ROLE),
            [("cluster.role_arn", "role-without-access")],
        ),
        (rocketmq(pods={"zones": OTHER_ZONES}), [("rocketmq.pods.zones", "zone-of-other-region")] * 3),
        (
            {"network": {"zoneCount": None, "zones": OTHER_ZONES}},
            [("network.zones", "zone-of-other-region")] * 3,
        ),
        (
            {"network": {"zoneCount": None, "zones": [*FIRST_ZONES[:2], "ap-southeast-11c"]}},
            [("network.zones", "zone-of-other-region")],
        ),
        (cluster(roleArn="foo"), [("cluster.role_arn", "role-arn")]),
        (
            {
                "network": {"zoneCount": None, "zones": FIRST_ZONES},
                **rocketmq(proxies={"pods": {"zones": ["ap-southeast-1a", "ap-southeast-1d", "ap-southeast-1c"]}}),
            },
            [("rocketmq.proxies.pods.zones", "zone-without-network")],
        ),
        (without_nat(*ENDPOINTS), [("rocketmq.image", "image-unreachable")]),
        ({"nodeGroups": {"general": None, "other": {}}}, [("node_groups['other'].instance_types", "missing")]),
        (node_group(diskSize=5), [("node_groups['general'].disk_size", "range")]),
        (
            {"nodeGroups": {"g" * 29: {"instanceTypes": ["m7i.large"]}}},
            [(f"node_groups['{'g' * 29}']", "node-group-name")],
        ),
        ({"nodeGroups": {"a/b": {"instanceTypes": ["m7i.large"]}}}, [("node_groups['a/b']", "node-group-name")]),
        (addons(versions="newest"), [("addons.versions", "choice")]),
        (
            addons(addons=[{"name": "aws-ebs-csi-driver"}]),
            [("addons.addons['aws-ebs-csi-driver']", "addon-with-component")],
        ),
        (
            addons(addons=[{"name": "coredns", "version": "v1.13.2-eksbuild.1"}, {"name": "coredns"}]),
            [("addons.addons", "duplicate")],
        ),
        (addons(kubernetesVersion="1.34"), [("addons.kubernetes_version", "set-by-the-stack")]),
        (
            addons(vpcCni={"issuer": ISSUER, "clusterArn": "arn"}),
            [("addons.vpc_cni.issuer", "set-by-the-stack"), ("addons.vpc_cni.cluster_arn", "set-by-the-stack")],
        ),
        (addons(vpcCni={"identity": "node", "roleName": "x"}), [("addons.vpc_cni.role_name", "ignored-argument")]),
        (addons(vpcCni={"roleName": "a b"}), [("addons.vpc_cni.role_name", "role-name")]),
        ({"ebsCsi": {"identity": "pod_identity"}}, [("ebs_csi.identity", "pod-identity-without-agent")]),
        (cluster(clusterName=""), [("cluster.cluster_name", "cluster-name")]),
        ({"ebsCsi": {"roleName": "a b"}}, [("ebs_csi.role_name", "role-name")]),
        ({"storage": {"className": "GP2"}}, [("storage.class_name", "dns-subdomain")]),
        ({"ebsCsi": {"path": "team"}}, [("ebs_csi.path", "role-path")]),
        ({"ebsCsi": {"kmsKeyArns": ["1234"]}}, [("ebs_csi.kms_key_arns[0]", "kms-key-arn")]),
        ({"storage": {"kmsKeyId": "1234"}}, [("storage.kms_key_id", "kms-key-arn")]),
        ({"storage": {"kmsKeyId": KEY.replace("key/", "alias/")}}, [("storage.kms_key_id", "kms-key-arn")]),
        ({"ebsCsi": {"kubernetesVersion": "1.35"}}, [("ebs_csi.kubernetes_version", "set-by-the-stack")]),
        ({"ebsCsi": {"identity": "user"}}, [("ebs_csi.identity", "choice")]),
        ({"ebsCsi": {"mostRecent": True, "addonVersion": "v1"}}, [("ebs_csi.addon_version", "ignored-argument")]),
        (
            {"storage": {"volumeType": "gp3", "iops": 6000}, **rocketmq(controllers={"storage": "11Gi"})},
            [("rocketmq.controllers.storage", "volume-too-small-for-iops")],
        ),
        ({"storage": {"volumeType": "gp3", "iops": 5}}, [("storage.iops", "volume-type-range")]),
        ({"storage": {"className": "gp2"}}, [("storage.class_name", "class-exists")]),
        (
            {"networkLoadBalancer": {}, **rocketmq(external={"type": "NodePort"})},
            [("rocketmq.external.type", "set-by-load-balancer")],
        ),
    ],
)
def test_no_resource_is_registered_for_invalid_settings(
    overrides: dict[str, Any], rejections: list[tuple[str, str]]
) -> None:
    with rejects(*rejections):
        parse_stack("staging", overrides)
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError, match=r"^Pulumi\.staging\.yaml: "):
        run_stack("staging", preview=True, overrides=overrides, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []


def test_a_disallowed_account_is_reported_with_the_settings_to_check() -> None:
    def another_account(_: object) -> dict[str, Any]:
        raise ProviderError("AWS account ID not allowed: 111122223333")

    fakes = Fakes()
    for call in fakes.invokes:
        fakes = fakes.answering(call, another_account)
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError) as error:
        run_stack("staging", preview=True, fakes=fakes, recording=recording)
    assert str(error.value).startswith("the availability zones of the region cannot be read: ")
    assert str(error.value).endswith(
        "AWS account ID not allowed: 111122223333\n"
        "Check aws:region, aws:profile and aws:allowedAccountIds; `aws sts get-caller-identity` says who is asking."
    )
    assert [r.urn for r in recording.resources.values() if r.custom] == []


def test_no_resource_is_registered_without_the_aws_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError, match="the `aws` command is not on PATH"):
        run_stack("staging", preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []
