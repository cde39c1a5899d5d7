"""Everyday changes: a setting, a change that must be refused, drift made by hand."""

from tests.e2e.running_sandbox import Sandbox

BROKERS = "kubernetes:apps/v1:StatefulSet"


def test_a_changed_broker_setting_shows_exactly_that(deployed: Sandbox) -> None:
    setting = deployed.changed(
        lambda config: config["eks-rocketmq:brokerGroups"][0].update(config={"fileReservedTime": 48})
    )

    changed = deployed.preview_steps("-s", "prod", *setting).changed()
    diff = deployed.pulumi("preview", "-s", "prod", "--diff", *setting)

    # A new immutable ConfigMap, the set that names it, and nothing else; the old one goes last.
    assert {kind.split("::")[0] for kind in changed} == {"kubernetes:core/v1:ConfigMap", BROKERS}
    assert changed[f"{BROKERS}::rocketmq-broker-a-set"] == "update"
    assert "fileReservedTime=48" in diff


def test_a_change_that_would_replace_a_set_with_data_is_refused(deployed: Sandbox) -> None:
    before = {claim["metadata"]["uid"] for claim in deployed.objects("pvc", "-n", "rocketmq")}

    setting = deployed.changed(lambda config: config["eks-rocketmq:brokerGroups"][0].update(storage="200Gi"))

    output = deployed.pulumi("up", "-s", "prod", "--yes", *setting, ok=False)

    assert "protect" in output
    assert {claim["metadata"]["uid"] for claim in deployed.objects("pvc", "-n", "rocketmq")} == before


def test_drift_made_by_hand_is_found_and_repaired(deployed: Sandbox) -> None:
    budget = "rocketmq-broker-a"
    deployed.kubectl("-n", "rocketmq", "patch", "pdb", budget, "--type=merge", "-p", '{"spec":{"maxUnavailable":3}}')
    with deployed.aws("iam") as iam:
        iam.detach_role_policy(
            RoleName="eks-ebs-csi-driver",
            PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
        )

    plan = deployed.preview_steps("-s", "prod", "--refresh")
    assert plan.operations("kubernetes:policy/v1:PodDisruptionBudget") & {"update", "refresh"}

    deployed.pulumi("up", "-s", "prod", "--yes", "--refresh")

    (repaired,) = [item for item in deployed.objects("pdb", "-n", "rocketmq") if item["metadata"]["name"] == budget]
    assert repaired["spec"]["maxUnavailable"] == 1
    with deployed.aws("iam") as iam:
        attached = iam.list_attached_role_policies(RoleName="eks-ebs-csi-driver")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonEBSCSIDriverPolicy"]
    deployed.pulumi("up", "-s", "prod", "--yes", "--expect-no-changes")
