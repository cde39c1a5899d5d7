"""Access entries of a new EKS cluster."""

import pulumi
import pytest

from tests.unit.eks.cluster.eks_cluster_case import CLUSTER, ENTRIES, INVENTORY, TEAM, program
from tests.unit.harness import Fakes, Recording, run
from tests.unit.harness.fakes import ACCOUNT
from tests.unit.harness.trust import statements
from tests.unit.harness.upgrade import state, steps

PLATFORM = f"cluster-{ACCOUNT}/role/platform"
POLICIES = ("AmazonEKSEditPolicy", "AmazonEKSViewPolicy")


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "update"])
def entered(request: pytest.FixtureRequest) -> Recording:
    return run(program(access_entries=ENTRIES), preview=request.param)


def test_each_access_entry_has_its_principal_policies_and_groups(entered: Recording) -> None:
    assert entered.inventory() == {
        **INVENTORY,
        "aws:eks/accessEntry:AccessEntry": 4,
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": 3,
    }
    entries = {r.name: {k: v for k, v in r.inputs.items() if k != "tags"} for r in entered.by_type("AccessEntry")}
    assert entries == {
        PLATFORM: {"clusterName": "prod", "principalArn": TEAM, "type": "STANDARD"},
        f"{PLATFORM}-ci": {
            "clusterName": "prod",
            "principalArn": f"{TEAM}-ci",
            "type": "STANDARD",
            "kubernetesGroups": ["deployers"],
            "userName": "ci",
        },
        f"{PLATFORM}-nodes": {"clusterName": "prod", "principalArn": f"{TEAM}-nodes", "type": "EC2_LINUX"},
        f"{PLATFORM}-auto": {"clusterName": "prod", "principalArn": f"{TEAM}-auto", "type": "EC2"},
    }
    associations = {r.name: r.inputs for r in entered.by_type("AccessPolicyAssociation")}
    view, edit = (associations[f"{PLATFORM}-{policy}"] for policy in reversed(POLICIES))
    assert view["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    assert view["accessScope"] == {"type": "cluster"}
    assert edit["accessScope"] == {"type": "namespace", "namespaces": ["rocketmq", "team-*"]}
    assert view["principalArn"] == TEAM


def test_the_kubernetes_provider_depends_on_all_access_entries(entered: Recording) -> None:
    provider = entered.one("pulumi:providers:kubernetes", "cluster-kubernetes")
    for entry in [*entered.by_type("AccessEntry"), *entered.by_type("AccessPolicyAssociation")]:
        assert entry.urn in provider.dependencies, entry.name
        assert entered.reaches(entry, entered.one(CLUSTER))
    for association in entered.by_type("AccessPolicyAssociation"):
        assert association.delete_before_replace, "the deletion of an old scope would delete the new one"
        entry = association.name.rpartition("-")[0]
        assert entered.one("AccessEntry", entry).urn in association.dependencies


def test_a_renamed_access_entry_stays_because_its_principal_names_the_resource() -> None:
    before = run(program(access_entries=ENTRIES))
    renamed = [{**entry, "name": f"new-{entry['name']}"} for entry in ENTRIES]
    after = run(program(access_entries=renamed))
    assert {step.operation for step in steps(state(before), after)} == {"same"}
    # Two entries exchange their names.
    team, bound, *others = ENTRIES
    swapped = [{**team, "name": bound["name"]}, {**bound, "name": team["name"]}, *others]
    assert {step.operation for step in steps(state(before), run(program(access_entries=swapped)))} == {"same"}


def test_an_access_entry_of_another_type_is_created_after_the_deletion_of_the_old_one(entered: Recording) -> None:
    for entry in entered.by_type("AccessEntry"):
        assert entry.delete_before_replace, "EKS rejects a second entry of the principal"


@pytest.mark.parametrize("output", [False, True])
def test_an_access_entry_with_its_former_name_is_not_replaced(output: bool) -> None:
    def register() -> None:
        principal = pulumi.Output.from_input(TEAM) if output else TEAM
        program(access_entries=[{**ENTRIES[0], "principal_arn": principal}])()

    recording = run(register)
    former = "cluster-team"
    entry = recording.one("AccessEntry")
    assert former in (entry.name, *entry.aliases)
    for association, policy in zip(recording.by_type("AccessPolicyAssociation"), POLICIES, strict=True):
        assert f"{former}-{policy}" in (association.name, *association.aliases)


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_policy_arns_have_the_partition_of_the_account(partition: str) -> None:
    fakes = Fakes().answering("aws:index/getPartition:getPartition", lambda _: {"partition": partition})
    recording = run(program(access_entries=ENTRIES), fakes=fakes)
    assert recording.one("RolePolicyAttachment").inputs["policyArn"].startswith(f"arn:{partition}:iam::aws:policy/")
    for association in recording.by_type("AccessPolicyAssociation"):
        assert association.inputs["policyArn"].startswith(f"arn:{partition}:eks::aws:cluster-access-policy/")
    # The service principal of EKS is the same in every partition, unlike that of EC2.
    assert statements(recording.one("Role").inputs["assumeRolePolicy"])[0]["Principal"] == {
        "Service": "eks.amazonaws.com"
    }
