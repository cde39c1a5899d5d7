"""The whole program under the real Pulumi.staging.yaml: a cluster made from nothing, and RocketMQ in it."""

import itertools
import json
import shutil
from typing import Any

import kubernetes_validate
import pulumi
import pytest

from eks_rocketmq.stack import settings
from tests.unit.harness import UNKNOWN, Fakes, ProviderError, Recording, run, run_stack, stack_config
from tests.unit.harness.eks_component import ISSUER
from tests.unit.harness.fakes import ACCOUNT
from tests.unit.harness.golden import committed, urns
from tests.unit.harness.trust import Token, admits

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
LAST = f"arn:aws:iam::{ACCOUNT}:role/last"
KEY = "arn:aws:kms:ap-southeast-1:140023393377:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module", params=["preview", "update"])
def staging(request: pytest.FixtureRequest) -> Recording:
    """The whole program, in both modes."""
    return run_stack("staging", preview=request.param == "preview")


def test_the_urns_are_the_committed_ones(staging: Recording) -> None:
    assert urns(staging) == committed("staging"), (
        "a changed URN replaces its resource: add an alias, then write it anew"
    )


def test_everything_comes_in_the_order_in_which_it_can_become_ready(staging: Recording) -> None:
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
    for claims_volumes in sets:
        assert staging.reaches(claims_volumes, staging.one("StorageClass", "storage-new-class"))


def test_what_the_program_alone_knows_is_put_in_everywhere(staging: Recording) -> None:
    texts = json.dumps([r.inputs for r in staging.resources.values()], default=str)
    for placeholder in ("known later", "known.later", '"subnet-0"', '"vpc-0"'):
        assert placeholder not in texts


def test_trust_is_exact_once_the_issuer_is_known(staging: Recording) -> None:
    trust = staging.one("Role", "ebs-csi-driver-role").inputs["assumeRolePolicy"]
    if staging.preview:
        assert trust == UNKNOWN
    else:
        assert admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:ebs-csi-controller-sa"))
        assert not admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:ebs-csi-node-sa"))


def test_the_class_is_the_stack_s_own_and_the_claims_name_it(staging: Recording) -> None:
    made = staging.one("StorageClass", "storage-new-class").inputs
    assert made["metadata"]["name"] == "rocketmq-gp2"
    assert made["parameters"]["type"] == "gp2"
    assert made["parameters"]["encrypted"] == "true"
    templates = [t for s in staging.by_type("StatefulSet") for t in s.inputs["spec"].get("volumeClaimTemplates", [])]
    assert {template["spec"]["storageClassName"] for template in templates} == {"rocketmq-gp2"}


def test_manifests_are_strictly_valid(staging: Recording) -> None:
    manifests = staging.manifests()
    assert len(manifests) > 10
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.35", strict=True)


def test_the_key_of_the_class_is_given_to_the_driver() -> None:
    changed = {"newStorageClass": {"volumeType": "gp3", "kmsKeyId": KEY}}
    recording = run_stack("staging", overrides=changed)
    assert recording.one("StorageClass", "storage-new-class").inputs["parameters"]["kmsKeyId"] == KEY
    documents = [r.inputs["policy"] for r in recording.by_type("RolePolicy")]
    assert [document for document in documents if KEY in document]


def test_addons_go_before_or_after_the_nodes_by_themselves() -> None:
    wanted = {
        "podIdentityAgent": True,
        "addons": [{"name": "metrics-server"}, {"name": "coredns", "version": "v1.13.2-eksbuild.1"}],
    }
    recording = run_stack("staging", overrides={"clusterAddons": wanted})
    addons = {r.name: r.inputs.get("addonVersion") for r in recording.by_type("Addon")}
    assert addons == {
        "addons-before-nodes-vpc-cni": None,
        "addons-before-nodes-kube-proxy": None,
        "addons-before-nodes-eks-pod-identity-agent": None,
        "addons-after-nodes-coredns": "v1.13.2-eksbuild.1",
        "addons-after-nodes-metrics-server": None,
        "ebs-csi-addon": None,
    }


def test_versions_of_addons_can_be_looked_up_for_the_cluster_s_own() -> None:
    recording = run_stack("staging", overrides={"clusterAddons": {"versions": "latest"}})
    versions = {r.name: r.inputs.get("addonVersion") for r in recording.by_type("Addon")}
    assert versions["addons-before-nodes-vpc-cni"] == "v1.35.9-eksbuild.1"
    assert versions["addons-after-nodes-coredns"] == "v1.35.9-eksbuild.1"


def test_the_pod_network_can_take_its_role_through_the_agent() -> None:
    wanted = {"podIdentityAgent": True, "vpcCni": {"identity": "pod_identity"}}
    recording = run_stack("staging", overrides={"clusterAddons": wanted})
    (association,) = recording.one("Addon", "addons-before-nodes-vpc-cni").inputs["podIdentityAssociations"]
    assert association["serviceAccount"] == "aws-node"
    trust = json.loads(recording.one("Role", "addons-before-nodes-vpc-cni-role").inputs["assumeRolePolicy"])
    assert recording.outputs["clusterName"] == "staging"
    assert "cluster/staging" in json.dumps(trust)


@pytest.mark.parametrize("agent", [{"podIdentityAgent": True}, {"addons": [{"name": "eks-pod-identity-agent"}]}])
def test_the_driver_can_take_its_role_through_the_agent(agent: dict[str, Any]) -> None:
    changed = {"ebsCsi": {"identity": "pod_identity"}, "clusterAddons": agent}
    recording = run_stack("staging", overrides=changed)
    assert recording.one("Addon", "ebs-csi-addon").inputs["podIdentityAssociations"]


def test_a_network_without_a_way_out_is_taken_with_the_endpoints_and_an_image_that_nodes_reach() -> None:
    network = {"nat": "none", "interfaceEndpoints": ["ec2", "ecr.api", "ecr.dkr", "sts"]}
    image = f"{ACCOUNT}.dkr.ecr.ap-southeast-1.amazonaws.com/rocketmq"
    recording = run_stack("staging", overrides={"network": network, "image": image})
    assert len(recording.by_type("VpcEndpoint")) == 5


def test_a_role_for_kubectl_and_pulumi_is_in_the_kubeconfig() -> None:
    recording = run_stack("staging", overrides={"clusterRoleArn": ROLE})
    assert ROLE in recording.one("pulumi:providers:kubernetes", "cluster-kubernetes").inputs["kubeconfig"]


@pytest.mark.parametrize("stack", ["prod", "staging"])
@pytest.mark.parametrize(
    ("role", "expected"), [("", LAST), (ROLE, ROLE), ("none", "")], ids=["default", "given", "none"]
)
def test_the_token_is_asked_for_as_the_role_that_the_aws_provider_takes(stack: str, role: str, expected: str) -> None:
    """The creator of a cluster administers it, and that is the assumed role."""
    roles = [{"roleArn": "arn:aws:iam::111122223333:role/hop"}, {"roleArn": LAST, "externalId": "x"}]
    config = stack_config(stack, {"clusterRoleArn": role}) | {"aws:assumeRoles": json.dumps(roles)}
    known: list[settings.Settings] = []
    run(lambda: known.append(settings.load()), config=config, stack=stack)
    assert known[0].cluster.get("role_arn", "") == expected
    if (new := known[0].new_cluster) is not None:
        assert new.cluster.get("role_arn", "") == expected


@pytest.mark.parametrize("role", [ROLE, "none", ""])
def test_an_encrypted_role_of_the_aws_provider_is_shown_nowhere(role: str) -> None:
    config = stack_config("prod", {"clusterRoleArn": role}) | {"aws:assumeRoles": json.dumps([{"roleArn": LAST}])}
    known: list[settings.Settings] = []

    def load() -> None:
        known.append(settings.load())

    if role:
        run(load, config=config, encrypted=["aws:assumeRoles"])
        assert LAST not in str(known)
        return
    with pytest.raises(pulumi.RunError, match="aws:assumeRoles is encrypted, and without clusterRoleArn") as refusal:
        run(load, config=config, encrypted=["aws:assumeRoles"])
    assert LAST not in str(refusal.value)


def groups(**changed: Any) -> dict[str, Any]:
    return {"nodeGroups": {"general": {"instanceTypes": ["m7i.large"], "desiredSize": 1, "maxSize": 2, **changed}}}


def test_the_longest_name_of_a_node_group_that_is_accepted_is_made() -> None:
    name = "g" * 28
    recording = run_stack("staging", overrides={"nodeGroups": {name: groups()["nodeGroups"]["general"]}})
    made = {group.inputs["nodeGroupNamePrefix"] for group in recording.by_type("aws:eks/nodeGroup:NodeGroup")}
    assert made == {f"nodes-{name}-{zone}-" for zone in (1, 2, 3)}


TAINTS = [{"key": "dedicated", "value": "mq"}, {"key": "spot", "effect": "PreferNoSchedule"}]
TOLERATION = {"tolerations": [{"key": "dedicated", "value": "mq", "effect": "NoSchedule"}]}


def critical(*tolerations: dict[str, str]) -> dict[str, Any]:
    """Lets coredns and the controller of the EBS CSI driver onto tainted nodes."""
    own = [{"operator": "Exists", **one} for one in tolerations]
    return {
        "clusterAddons": {"addons": [{"name": "coredns", "configuration": {"tolerations": own}}]},
        "ebsCsi": {"configuration": {"controllerTolerations": own}},
    }


ROLES: dict[str, Any] = {role: {"pods": TOLERATION} for role in ("nameServers", "controllers", "proxies")}
BROKERS = {"brokerGroups": [{"name": "broker-a", "pods": TOLERATION}]}


def way_out(*endpoints: str, **changed: Any) -> dict[str, Any]:
    return {"network": {"nat": "none", "interfaceEndpoints": [*endpoints], **changed}}


def new_cluster(**changed: Any) -> dict[str, Any]:
    return {"newCluster": {"version": "1.35", **changed}}


def entry(role: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    return {"name": role, "principalArn": arn, "policies": [{"policy": "AmazonEKSClusterAdminPolicy"}]}


@pytest.mark.parametrize(
    "overrides",
    [
        {**groups(taints=TAINTS), "pods": TOLERATION, "topics": [{"name": "orders"}], **critical({"key": "dedicated"})},
        {**groups(taints=TAINTS), **ROLES, **BROKERS, **critical({})},
        groups(taints=TAINTS[1:]),
        {"nodeGroups": {**groups(taints=TAINTS)["nodeGroups"], "free": {"instanceTypes": ["m7i.large"]}}},
        {"storageClass": "gp2", "newStorageClass": None},
        new_cluster(serviceCidr="10.21.0.0/20"),
        {
            "ebsCsiRoleName": "staging-vpc-cni",
            "clusterAddons": {"vpcCni": {"identity": "node"}},
            **groups(managedPolicies=["AmazonEKS_CNI_Policy"]),
        },
        {"ebsCsiRoleName": "staging-vpc-cni", "clusterAddons": {"vpcCni": {"roleName": "other"}}},
        {**new_cluster(creatorIsAdmin=False, accessEntries=[entry("deployer")]), "clusterRoleArn": ROLE},
    ],
)
def test_what_comes_up_together_is_taken(overrides: dict[str, Any]) -> None:
    run(settings.load, config=stack_config("staging", overrides), stack="staging")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (new_cluster(versoin="1.35"), r"newCluster.versoin is not known; did you mean 'version'\?"),
        (new_cluster(version=1.35), "newCluster.version is 1.35; accepted is a string"),
        (new_cluster(version="1"), "newCluster: version is '1'; accepted"),
        (new_cluster(vpcId="vpc-1"), "newCluster has vpcId, which the stack sets itself; leave it out"),
        (new_cluster(supportType="LONG"), "newCluster: supportType is 'LONG'; accepted are 'STANDARD'"),
        ({"newCluster": {}}, "network is given, but the stack adopts cluster 'staging': give newCluster too"),
        ({"network": {"zoneCount": 9}}, "network: zoneCount is 9; accepted"),
        (
            {"network": {"zoneCount": 2}},
            "network has 2 zones; durability 'strict' spreads the members of a group over 3: take zoneCount 3",
        ),
        (
            {"network": {"zones": ["ap-southeast-1a", "ap-southeast-1b"]}},
            "network has 2 zones; durability 'strict' spreads",
        ),
        ({"nodeGroups": {}}, "nodeGroups is empty; accepted is one group or more"),
        (groups(desiredSize=0), "nodeGroups: desiredSize is 0 in every group; accepted is 1 or more in one"),
        (
            {"brokerGroups": [{"name": "broker-a", "replicas": 7}]},
            r"nodeGroups: the pods of brokerGroups\['broker-a'\] run each on a node of its own, and there are ",
        ),
        (
            {**groups(maxSize=1), "controllers": {"replicas": 5}},
            "nodeGroups: the pods of controllers run each on a node of its own, and there are nodes for 3 of 5 repl",
        ),
        (
            groups(perZone=False),
            "nodeGroups: the pods of nameServers run each on a node of its own, and there are nodes for 1 of 2 repl",
        ),
        (
            groups(taints=TAINTS),
            "nodeGroups: the pods of nameServers do not tolerate the taint 'dedicated=mq:NoSchedule', and each node ",
        ),
        (
            {**groups(taints=[{"key": "dedicated", "effect": "NoExecute"}]), "pods": TOLERATION},
            "nodeGroups: the pods of nameServers do not tolerate the taint 'dedicated:NoExecute', and each node ",
        ),
        (
            {**groups(taints=TAINTS), **ROLES},
            r"nodeGroups: the pods of brokerGroups\['broker-a'\] do not tolerate the taint",
        ),
        (
            {**groups(taints=TAINTS), **ROLES, **BROKERS, "topics": [{"name": "orders"}]},
            "nodeGroups: the pods of declarations do not tolerate the taint",
        ),
        (
            {**groups(taints=TAINTS), "pods": TOLERATION, "proxies": {"pods": {"tolerations": []}}},
            "nodeGroups: the pods of proxies do not tolerate the taint",
        ),
        (
            {"oidcProvider": "existing"},
            "oidcProvider is 'existing', and newCluster makes the cluster: its issuer is new",
        ),
        (
            {"ebsCsiDriver": "existing"},
            "ebsCsiDriver is 'existing', and newCluster makes the cluster: there is no driv",
        ),
        (
            {"storageClass": "fast", "newStorageClass": None},
            "storageClass is 'fast', and newCluster makes a cluster with no class but EKS's own; accepted are 'gp2', ",
        ),
        (
            new_cluster(serviceCidr="10.20.128.0/20"),
            "newCluster.serviceCidr is '10.20.128.0/20' and network.cidrBlock '10.20.0.0/16'; accepted are two blocks ",
        ),
        (
            {**new_cluster(serviceCidr="10.0.0.0/12"), "network": {}},
            "newCluster.serviceCidr is '10.0.0.0/12' and network.cidrBlock '10.0.0.0/16'; accepted are two blocks ",
        ),
        (
            {"ebsCsiRoleName": "Staging-VPC-CNI"},
            "ebsCsiRoleName is 'Staging-VPC-CNI', and the pod network's role has that name too, by itself or from ",
        ),
        (
            {"clusterAddons": {"vpcCni": {"roleName": "staging-ebs-csi-driver"}}},
            "ebsCsiRoleName is 'staging-ebs-csi-driver', and the pod network's role has that name too",
        ),
        (
            {**new_cluster(creatorIsAdmin=False, accessEntries=[entry("team")]), "clusterRoleArn": ROLE},
            f"clusterRoleArn is '{ROLE}', if not given .* newCluster lets it in neither as its creator ",
        ),
        ({"pods": {"zones": ["us-east-1a", "us-east-1b", "us-east-1c"]}}, "pods.zones has 'us-east-1a', .*'ap-southea"),
        (
            {"network": {"zones": ["us-east-1a", "us-east-1b", "us-east-1c"]}},
            "network.zones has 'us-east-1a', no zone of aws:region, 'ap-southeast-1': no node can be there; name zones",
        ),
        (
            {"network": {"zones": [f"ap-southeast-1{n}" for n in ("a", "b", "1c")]}},
            "network.zones has 'ap-southeast-11c'",
        ),
        ({"clusterRoleArn": "foo"}, "clusterRoleArn is 'foo'; accepted is the ARN of an IAM role, such as 'arn:aws:"),
        (
            {
                "network": {"zones": ["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1c"]},
                "proxies": {"pods": {"zones": ["ap-southeast-1a", "ap-southeast-1d", "ap-southeast-1c"]}},
            },
            "proxies.pods.zones has 'ap-southeast-1d', and the network has no such zone",
        ),
        (way_out("ecr.api", "sts"), "network: nat is 'none' and the network has no ec2, ecr.dkr, "),
        (
            {
                **way_out("ecr.api", "ecr.dkr", "sts", "ec2"),
                "clusterAddons": {"podIdentityAgent": True},
            },
            "network: nat is 'none' and the network has no eks-auth, without which nodes never become",
        ),
        (way_out("ecr.api", "ecr.dkr", "sts", "ec2", s3Endpoint=False), "network: nat is 'none' .* no s3Endpoint,"),
        (way_out("ecr.api", "ecr.dkr", "sts", "ec2"), "image is 'apache/rocketmq' and network.nat is 'none'"),
        ({"nodeGroups": {"general": {}}}, r"nodeGroups\['general'\].instanceTypes is missing; it is a list"),
        (
            {"nodeGroups": {"general": {"instanceTypes": ["m7i.large"], "diskSize": 5}}},
            r"nodeGroups\['general'\]: diskSize is 5",
        ),
        (
            {"nodeGroups": {"g" * 29: {"instanceTypes": ["m7i.large"]}}},
            rf"nodeGroups\['{'g' * 29}'\]: the name 'nodes-{'g' * 29}' makes .* 38 letters; accepted are up to 37",
        ),
        (
            {"nodeGroups": {"a/b": {"instanceTypes": ["m7i.large"]}}},
            r"nodeGroups\['a/b'\]: the name 'nodes-a/b' makes node groups that begin with 'nodes-a/b-3-'",
        ),
        ({"clusterAddons": {"versions": "newest"}}, "clusterAddons: versions is 'newest'; accepted are 'installed'"),
        ({"clusterAddons": {"addons": [{"name": "aws-ebs-csi-driver"}]}}, "clusterAddons: .*EbsCsiAddon installs it"),
        (
            {"clusterAddons": {"addons": [{"name": "coredns", "version": "v1.13.2-eksbuild.1"}, {"name": "coredns"}]}},
            "clusterAddons.addons has 'coredns' more than once; accepted is each name once",
        ),
        ({"clusterAddons": {"kubernetesVersion": "1.34"}}, "clusterAddons has kubernetesVersion, which the stack sets"),
        (
            {"clusterAddons": {"vpcCni": {"issuer": ISSUER, "clusterArn": "arn"}}},
            "clusterAddons.vpcCni has issuer, clusterArn, which the stack sets itself; leave it out",
        ),
        (
            {"clusterAddons": {"vpcCni": {"identity": "node", "roleName": "x"}}},
            "clusterAddons: vpcCni.roleName given with vpcCni.identity 'node', which makes no role: nothing would be",
        ),
        ({"clusterAddons": {"vpcCni": {"roleName": "a b"}}}, "clusterAddons.vpcCni: roleName is 'a b'; accepted are 1"),
        (
            {"ebsCsi": {"identity": "pod_identity"}},
            "ebsCsi.identity is 'pod_identity', and the new cluster has no agent that hands roles out: "
            "set clusterAddons.podIdentityAgent to true, or take identity 'irsa'",
        ),
        ({"clusterName": ""}, "clusterName is ''; accepted are 1 to 100"),
        ({"ebsCsiRoleName": "a b"}, "ebsCsiRoleName is 'a b'; accepted are 1 to 64"),
        ({"storageClass": "GP2"}, "storageClass is 'GP2'; accepted are 1 to 253 lower-case"),
        ({"ebsCsi": {"path": "team"}}, "ebsCsi: path is 'team'; accepted is '/'"),
        ({"ebsCsi": {"kmsKeyArns": ["1234"]}}, "ebsCsi: .*'1234'"),
        ({"newStorageClass": {"kmsKeyId": "1234"}}, "newStorageClass: kmsKeyId is '1234'; accepted is the ARN"),
        (
            {"newStorageClass": {"kmsKeyId": KEY.replace("key/", "alias/")}},
            "newStorageClass: kmsKeyId is .*an alias grants nothing",
        ),
        (
            {**new_cluster(roleArn=ROLE), "clusterRoleArn": ROLE},
            "newCluster has roleArn, which the stack sets itself",
        ),
        ({"ebsCsi": {"permissions": "v2"}}, "ebsCsi has permissions, which the stack sets itself"),
        ({"ebsCsi": {"identity": "user"}}, "ebsCsi: identity is 'user'; accepted are 'irsa', 'pod_identity'"),
        ({"ebsCsi": {"mostRecent": True, "addonVersion": "v1"}}, "ebsCsi: addonVersion is 'v1' and mostRecent is True"),
        (
            {"newStorageClass": {"iops": 6000}, "controllers": {"storage": "11Gi"}},
            "controllers.storage is 11Gi; newStorageClass with its iops needs volumes of 12Gi or more",
        ),
        ({"newStorageClass": {"iops": 5}}, "newStorageClass: iops is 5 with volumeType 'gp3'; accepted"),
        (
            {"storageClass": "gp2"},
            "storageClass is 'gp2', which EKS puts into its clusters, and newStorageClass makes a class; accepted",
        ),
    ],
)
def test_a_wrong_configuration_registers_nothing(overrides: dict[str, Any], message: str) -> None:
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError, match=rf"^Pulumi\.staging\.yaml: (\d errors\n(.*\n)*  )?{message}"):
        run_stack("staging", preview=True, overrides=overrides, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []


def test_an_account_that_the_guard_refuses_is_named_with_what_to_check() -> None:
    def another_account(_: object) -> dict[str, Any]:
        raise ProviderError("AWS account ID not allowed: 111122223333")

    fakes = Fakes()
    for call in fakes.invokes:
        fakes = fakes.answering(call, another_account)
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError) as refusal:
        run_stack("staging", preview=True, fakes=fakes, recording=recording)
    assert str(refusal.value).startswith("the availability zones of the region cannot be read: ")
    assert str(refusal.value).endswith(
        "AWS account ID not allowed: 111122223333\n"
        "Check aws:region, aws:profile and aws:allowedAccountIds; `aws sts get-caller-identity` says who is asking."
    )
    assert [r.urn for r in recording.resources.values() if r.custom] == []


def test_a_machine_without_the_aws_command_is_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError, match="the `aws` command is not on PATH"):
        run_stack("staging", preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []
