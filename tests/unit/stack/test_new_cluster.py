"""The whole chain on a cluster that is made from nothing: order, unknowns of a first preview, URNs, partitions."""

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
POD_NETWORK = "system:serviceaccount:kube-system:aws-node"


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(everything, preview=request.param, stack="new")


def test_the_urns_are_the_committed_ones(recording: Recording) -> None:
    assert urns(recording) == committed("new-cluster"), (
        "a changed URN replaces its resource: add an alias, then write the file anew"
    )


def test_everything_comes_in_the_order_in_which_it_can_become_ready(recording: Recording) -> None:
    control_plane = recording.one("aws:eks/cluster:Cluster")
    pod_network, proxy = recording.one("Addon", "base-vpc-cni"), recording.one("Addon", "base-kube-proxy")
    groups = recording.by_type("aws:eks/nodeGroup:NodeGroup")
    names, driver = recording.one("Addon", "names-coredns"), recording.one("Addon", "ebs-csi-addon")
    sets = [s for s in recording.by_type("StatefulSet") if s.inputs["spec"].get("volumeClaimTemplates")]
    assert len(groups) == 3
    assert sets
    steps = [
        [control_plane],
        [recording.one("OpenIdConnectProvider")],
        [pod_network],
        groups,
        [names, driver],
        sets,
    ]
    for earlier, later in itertools.pairwise(steps):
        for resource in later:
            for needed in earlier:
                assert recording.reaches(resource, needed), f"{resource.name} can start before {needed.name}"
    for group in groups:
        assert recording.reaches(group, proxy)
        assert not recording.reaches(pod_network, group), "a pod network that waits for nodes waits for ever"


def test_nothing_of_aws_waits_for_an_object_of_the_cluster(recording: Recording) -> None:
    objects = [r for r in recording.resources.values() if r.type.startswith("kubernetes:")]
    for resource in recording.resources.values():
        if resource.type.startswith("aws:"):
            assert not any(recording.reaches(resource, thing) for thing in objects), resource.urn


def test_every_object_goes_to_the_new_cluster_as_a_person_would_reach_it(recording: Recording) -> None:
    provider = recording.one("pulumi:providers:kubernetes", "cluster-kubernetes")
    objects = [r for r in recording.resources.values() if r.type.startswith("kubernetes:")]
    assert objects
    # The remote component's own provider is there and serves nobody.
    assert {r.provider.rsplit("::", 1)[0] for r in objects} == {provider.urn}


def test_trust_is_unknown_at_the_first_preview_and_exact_after_it(recording: Recording) -> None:
    for name, subject in (("ebs-csi-driver-role", DRIVER), ("base-vpc-cni-role", POD_NETWORK)):
        trust = recording.one("Role", name).inputs["assumeRolePolicy"]
        if recording.preview:
            assert trust == UNKNOWN
        else:
            assert admits(trust, Token(ISSUER, subject))
            assert not admits(trust, Token(ISSUER, f"{subject}-other"))
        assert recording.reaches(recording.one("Role", name), recording.one("aws:eks/cluster:Cluster"))
    assert recording.one("OpenIdConnectProvider").inputs["url"] == (UNKNOWN if recording.preview else ISSUER)


def test_nothing_is_left_unknown_in_update(recording: Recording) -> None:
    unknown = [r.urn for r in recording.resources.values() if UNKNOWN in repr(r.inputs)]
    assert bool(unknown) is recording.preview


def test_manifests_are_strictly_valid_at_the_first_preview_too(recording: Recording) -> None:
    manifests = recording.manifests()
    assert len(manifests) > 10
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.35", strict=True)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_what_follows_a_cluster_is_the_same_for_one_that_exists(preview: bool) -> None:
    both = [run(program, preview=preview) for program in (everything, on_an_existing_cluster)]
    parts = ("EbsCsiAddon", "EbsStorageClass", "RocketMq", "ClusterOidcProvider")
    chains = [
        {urn for urn in made.resources if any(f"eks-rocketmq:index:{part}" in urn for part in parts)} for made in both
    ]
    assert chains[0] == chains[1]
    assert len(chains[0]) > 20


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_every_arn_that_the_library_makes_has_the_partition_of_the_account(partition: str) -> None:
    caller = {"accountId": ACCOUNT, "arn": f"arn:{partition}:iam::{ACCOUNT}:user/deployer", "userId": "AIDA"}
    fakes = (
        Fakes()
        .answering("aws:index/getPartition:getPartition", lambda _: {"partition": partition})
        .answering("aws:index/getCallerIdentity:getCallerIdentity", lambda _: caller)
    )
    made = run(everything, fakes=fakes)
    attached = [r.inputs["policyArn"] for r in made.by_type("RolePolicyAttachment")]
    assert len(attached) == 5
    assert all(arn.startswith(f"arn:{partition}:iam::aws:policy/") for arn in attached)
    trust = made.one("Role", "ebs-csi-driver-role").inputs["assumeRolePolicy"]
    assert f'"arn:{partition}:iam::{ACCOUNT}:oidc-provider/' in trust
    # The pod-identity webhook asks for this audience in every partition.
    assert made.one("OpenIdConnectProvider").inputs["clientIdLists"] == ["sts.amazonaws.com"]
    assert ':aud":"sts.amazonaws.com"' in trust
