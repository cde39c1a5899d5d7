"""All components on a new cluster: dependency order, unknown values in the first preview, URNs, and partitions."""

import itertools

import kubernetes_validate
import pytest

from tests.unit.harness import UNKNOWN, Fakes, Recording, run
from tests.unit.harness.eks_component import ISSUER
from tests.unit.harness.fakes import ACCOUNT
from tests.unit.harness.golden import committed, urns
from tests.unit.harness.trust import Token, admits
from tests.unit.new_cluster_case import everything, on_an_existing_cluster

DRIVER = "system:serviceaccount:kube-system:ebs-csi-controller-sa"
VPC_CNI = "system:serviceaccount:kube-system:aws-node"


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(everything, preview=request.param, stack="new")


def test_urns_match_the_committed_urns(recording: Recording) -> None:
    assert urns(recording) == committed("new-cluster"), (
        "a changed URN replaces its resource: add an alias, then regenerate the file"
    )


def test_resources_are_created_in_the_order_of_their_dependencies(recording: Recording) -> None:
    control_plane = recording.one("aws:eks/cluster:Cluster")
    vpc_cni, proxy = recording.one("Addon", "base-vpc-cni"), recording.one("Addon", "base-kube-proxy")
    groups = recording.by_type("aws:eks/nodeGroup:NodeGroup")
    coredns, driver = recording.one("Addon", "names-coredns"), recording.one("Addon", "ebs-csi-addon")
    sets = [s for s in recording.by_type("StatefulSet") if s.inputs["spec"].get("volumeClaimTemplates")]
    assert len(groups) == 3
    assert sets
    steps = [
        [control_plane],
        [recording.one("OpenIdConnectProvider")],
        [vpc_cni],
        groups,
        [coredns, driver],
        sets,
    ]
    for earlier, later in itertools.pairwise(steps):
        for resource in later:
            for needed in earlier:
                assert recording.reaches(resource, needed), f"{resource.name} can start before {needed.name}"
    for group in groups:
        assert recording.reaches(group, proxy)
        assert not recording.reaches(vpc_cni, group), (
            "nodes need the VPC CNI to become ready, so it must not wait for them"
        )


def test_aws_resources_do_not_depend_on_kubernetes_objects(recording: Recording) -> None:
    objects = [r for r in recording.resources.values() if r.type.startswith("kubernetes:")]
    for resource in recording.resources.values():
        if resource.type.startswith("aws:"):
            assert not any(recording.reaches(resource, kubernetes_object) for kubernetes_object in objects), (
                resource.urn
            )


def test_kubernetes_objects_use_the_provider_of_the_new_cluster(recording: Recording) -> None:
    provider = recording.one("pulumi:providers:kubernetes", "cluster-kubernetes")
    objects = [r for r in recording.resources.values() if r.type.startswith("kubernetes:")]
    assert objects
    # The remote component registers its own provider, and no object uses it.
    assert {r.provider.rsplit("::", 1)[0] for r in objects} == {provider.urn}


def test_trust_policies_are_unknown_in_preview_and_exact_in_update(recording: Recording) -> None:
    for name, subject in (("ebs-csi-driver-role", DRIVER), ("base-vpc-cni-role", VPC_CNI)):
        trust = recording.one("Role", name).inputs["assumeRolePolicy"]
        if recording.preview:
            assert trust == UNKNOWN
        else:
            assert admits(trust, Token(ISSUER, subject))
            assert not admits(trust, Token(ISSUER, f"{subject}-other"))
        assert recording.reaches(recording.one("Role", name), recording.one("aws:eks/cluster:Cluster"))
    assert recording.one("OpenIdConnectProvider").inputs["url"] == (UNKNOWN if recording.preview else ISSUER)


def test_inputs_are_unknown_in_the_preview_only(recording: Recording) -> None:
    unknown = [r.urn for r in recording.resources.values() if UNKNOWN in repr(r.inputs)]
    assert bool(unknown) is recording.preview


def test_manifests_pass_strict_validation_in_preview_and_update(recording: Recording) -> None:
    manifests = recording.manifests()
    assert len(manifests) > 10
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.35", strict=True)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_components_have_the_same_urns_on_a_new_and_an_existing_cluster(preview: bool) -> None:
    recordings = [run(program, preview=preview) for program in (everything, on_an_existing_cluster)]
    parts = ("EbsCsiAddon", "EbsStorageClass", "RocketMq", "ClusterOidcProvider")
    component_urns = [
        {urn for urn in result.resources if any(f"eks-rocketmq:index:{part}" in urn for part in parts)}
        for result in recordings
    ]
    assert component_urns[0] == component_urns[1]
    assert len(component_urns[0]) > 20


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_generated_arns_have_the_partition_of_the_account(partition: str) -> None:
    caller = {"accountId": ACCOUNT, "arn": f"arn:{partition}:iam::{ACCOUNT}:user/deployer", "userId": "AIDA"}
    fakes = (
        Fakes()
        .answering("aws:index/getPartition:getPartition", lambda _: {"partition": partition})
        .answering("aws:index/getCallerIdentity:getCallerIdentity", lambda _: caller)
    )
    recording = run(everything, fakes=fakes)
    attached = [r.inputs["policyArn"] for r in recording.by_type("RolePolicyAttachment")]
    assert len(attached) == 5
    assert all(arn.startswith(f"arn:{partition}:iam::aws:policy/") for arn in attached)
    trust = recording.one("Role", "ebs-csi-driver-role").inputs["assumeRolePolicy"]
    assert f'"arn:{partition}:iam::{ACCOUNT}:oidc-provider/' in trust
    # The pod-identity webhook asks for this audience in every partition.
    assert recording.one("OpenIdConnectProvider").inputs["clientIdLists"] == ["sts.amazonaws.com"]
    assert ':aud":"sts.amazonaws.com"' in trust
