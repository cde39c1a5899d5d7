"""The whole program under the real Pulumi.staging.yaml: a cluster made from nothing, and RocketMQ in it."""

import itertools
import json
from typing import Any

import kubernetes_validate
import pulumi
import pytest

from tests.unit.harness import UNKNOWN, Recording, run_stack
from tests.unit.harness.eks_component import ISSUER
from tests.unit.harness.golden import STAGING, urns
from tests.unit.harness.trust import Token, admits

KEY = "arn:aws:kms:ap-southeast-1:140023393377:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module", params=["preview", "update"])
def staging(request: pytest.FixtureRequest) -> Recording:
    """The whole program, in both modes."""
    return run_stack("staging", preview=request.param == "preview")


def test_the_urns_are_the_committed_ones(staging: Recording) -> None:
    assert urns(staging) == STAGING.read_text(), "a changed URN replaces its resource: add an alias, then write it anew"


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


def new_cluster(**changed: Any) -> dict[str, Any]:
    return {"newCluster": {"version": "1.35", **changed}}


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
        ({"nodeGroups": {"general": {}}}, "nodeGroups.general.instance.* is missing"),
        ({"nodeGroups": {"general": {"instanceTypes": ["m7i.large"], "diskSize": 5}}}, "nodeGroups.general: diskSize"),
        ({"clusterAddons": {"versions": "newest"}}, "clusterAddons: versions is 'newest'; accepted are 'installed'"),
        ({"clusterAddons": {"addons": [{"name": "aws-ebs-csi-driver"}]}}, "clusterAddons: .*EbsCsiAddon installs it"),
        ({"ebsCsi": {"permissions": "v2"}}, "ebsCsi has permissions, which the stack sets itself"),
        ({"ebsCsi": {"identity": "user"}}, "ebsCsi: identity is 'user'; accepted are 'irsa', 'pod_identity'"),
        ({"ebsCsi": {"mostRecent": True, "addonVersion": "v1"}}, "ebsCsi: addonVersion is 'v1' and mostRecent is True"),
        ({"newStorageClass": {"iops": 5}}, "newStorageClass: iops is 5 with volumeType 'gp3'; accepted"),
        (
            {"storageClass": "gp2"},
            "newStorageClass: StorageClass 'gp2' cannot be created: there is a class of that name",
        ),
    ],
)
def test_a_wrong_configuration_registers_nothing(overrides: dict[str, Any], message: str) -> None:
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError, match=rf"^Pulumi\.staging\.yaml: {message}"):
        run_stack("staging", preview=True, overrides=overrides, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []
