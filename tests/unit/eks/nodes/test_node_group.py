"""Managed nodes: groups by zone, what a node may do and show, and what is refused."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from eks_rocketmq import NodeGroup, NodeGroupArgs
from eks_rocketmq.args.argument_path import CAMEL_CASE, PYTHON, Surface
from eks_rocketmq.args.errors import ArgumentMessage
from eks_rocketmq.eks.account import aws_create_checks
from eks_rocketmq.eks.nodes import node_role_check
from eks_rocketmq.eks.nodes.node_plan import plan_nodes
from eks_rocketmq.pulumi_sdk.component import use_surface
from tests.unit.harness import UNKNOWN, Fakes, Recording, Registration, run
from tests.unit.harness.fakes import ACCOUNT
from tests.unit.harness.rejections import rejects
from tests.unit.harness.trust import statements

SUBNETS = ["subnet-a", "subnet-b", "subnet-c"]
ARGS: NodeGroupArgs = {"cluster_name": "prod", "subnet_ids": SUBNETS, "instance_types": ["m7i.large"]}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/nodes"
MARK = {"eks-rocketmq/stack": "eks-rocketmq/test"}
INVENTORY = {
    "aws:ec2/launchTemplate:LaunchTemplate": 1,
    "aws:eks/nodeGroup:NodeGroup": 3,
    "aws:iam/role:Role": 1,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 2,
    "eks-rocketmq:index:NodeGroup": 1,
}


def program(**changed: Any) -> Callable[[], None]:
    args: Any = {**ARGS, **changed}

    def make() -> None:
        nodes = NodeGroup("brokers", args)
        pulumi.export("groups", nodes.group_names)
        pulumi.export("role", nodes.role_arn)

    return make


def groups(recording: Recording) -> list[Registration]:
    return recording.by_type("aws:eks/nodeGroup:NodeGroup")


def only(recording: Recording) -> dict[str, Any]:
    (group,) = groups(recording)
    return dict(group.inputs)


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(program(), preview=request.param)


def test_the_inventory_is_one_group_for_each_zone(recording: Recording) -> None:
    assert recording.inventory() == INVENTORY
    component = recording.one("eks-rocketmq:index:NodeGroup")
    assert {r.parent for r in recording.resources.values() if r.custom} == {component.urn}
    assert [(g.name, g.inputs["subnetIds"]) for g in groups(recording)] == [
        ("brokers-1", ["subnet-a"]),
        ("brokers-2", ["subnet-b"]),
        ("brokers-3", ["subnet-c"]),
    ]


def test_a_group_with_every_default(recording: Recording) -> None:
    template = recording.one("LaunchTemplate")
    inputs = dict(groups(recording)[0].inputs)
    assert inputs == {
        "amiType": "AL2023_x86_64_STANDARD",
        "capacityType": "ON_DEMAND",
        "clusterName": "prod",
        "forceUpdateVersion": False,
        "instanceTypes": ["m7i.large"],
        "launchTemplate": {"id": UNKNOWN, "version": UNKNOWN}
        if recording.preview
        else {"id": template.id, "version": "1"},
        "nodeGroupNamePrefix": "brokers-1-",
        "nodeRepairConfig": {"enabled": True},
        "nodeRoleArn": UNKNOWN if recording.preview else recording.one("Role").outputs["arn"],
        "scalingConfig": {"desiredSize": 1, "maxSize": 1, "minSize": 1},
        "subnetIds": ["subnet-a"],
        "tags": MARK,
        "taints": [],
        "updateConfig": {"maxUnavailable": 1, "updateStrategy": "DEFAULT"},
    }


def test_groups_follow_each_other_so_that_an_update_takes_one_zone_at_a_time(recording: Recording) -> None:
    first, second, third = groups(recording)
    assert first.urn in second.explicit_dependencies
    assert second.urn in third.explicit_dependencies
    at_once = groups(run(program(zone_by_zone=False)))
    assert not any(a.urn in b.dependencies for a in at_once for b in at_once)


def test_nodes_come_after_the_policies_of_their_role(recording: Recording) -> None:
    policies = {r.urn for r in recording.by_type("RolePolicyAttachment")}
    for group in groups(recording):
        assert policies <= group.explicit_dependencies


def test_a_node_may_join_and_pull_images_and_nothing_else(recording: Recording) -> None:
    assert {r.inputs["policyArn"] for r in recording.by_type("RolePolicyAttachment")} == {
        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    }
    (trust,) = statements(recording.one("Role").inputs["assumeRolePolicy"])
    assert (trust["Principal"], trust["Action"]) == ({"Service": "ec2.amazonaws.com"}, "sts:AssumeRole")


def test_the_metadata_service_wants_tokens_and_disks_are_encrypted(recording: Recording) -> None:
    template = recording.one("LaunchTemplate").inputs
    assert template["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    assert template["blockDeviceMappings"] == [
        {
            "deviceName": "/dev/xvda",
            "ebs": {"volumeType": "gp3", "volumeSize": 50, "encrypted": "true", "deleteOnTermination": "true"},
        }
    ]
    assert [spec["resourceType"] for spec in template["tagSpecifications"]] == [
        "instance",
        "volume",
        "network-interface",
    ]
    for spec in template["tagSpecifications"]:
        assert spec["tags"] == {"Name": "brokers", **MARK}


def test_nobody_logs_in(recording: Recording) -> None:
    assert "keyName" not in recording.one("LaunchTemplate").inputs
    assert not any("remoteAccess" in group.inputs for group in groups(recording))


def test_a_group_can_differ_in_everything_that_is_an_argument() -> None:
    made = run(
        program(
            subnet_ids=["subnet-a"],
            instance_types=["m7g.large", "m6g.large"],
            min_size=1.0,
            desired_size=2.0,
            max_size=4.0,
            autoscaled=True,
            capacity_type="SPOT",
            version="1.35",
            release_version="1.35.2-20260715",
            disk_size=100.0,
            disk_kms_key_arn="arn:aws:kms:eu-west-1:123456789012:key/d",
            metadata_hop_limit=2.0,
            labels={"role": "broker"},
            taints=[{"key": "dedicated", "value": "rocketmq", "effect": "NoExecute"}, {"key": "plain"}],
            max_unavailable=2.0,
            update_strategy="MINIMAL",
            force_update=True,
            node_repair=False,
            managed_policies=["AmazonSSMManagedInstanceCore"],
            tags={"team": "messaging"},
        )
    )
    (group,) = groups(made)
    assert group.ignore_changes == ("scalingConfig.desiredSize",)
    expected = {
        "amiType": "AL2023_ARM_64_STANDARD",
        "capacityType": "SPOT",
        "forceUpdateVersion": True,
        "labels": {"role": "broker"},
        "nodeRepairConfig": {"enabled": False},
        "releaseVersion": "1.35.2-20260715",
        "scalingConfig": {"desiredSize": 2, "maxSize": 4, "minSize": 1},
        "tags": {"team": "messaging", **MARK},
        "taints": [
            {"key": "dedicated", "value": "rocketmq", "effect": "NO_EXECUTE"},
            {"key": "plain", "value": "", "effect": "NO_SCHEDULE"},
        ],
        "updateConfig": {"maxUnavailable": 2, "updateStrategy": "MINIMAL"},
        "version": "1.35",
    }
    assert {key: group.inputs[key] for key in expected} == expected
    template = made.one("LaunchTemplate").inputs
    (disk,) = template["blockDeviceMappings"]
    assert (disk["ebs"]["volumeSize"], disk["ebs"]["kmsKeyId"]) == (100, "arn:aws:kms:eu-west-1:123456789012:key/d")
    assert template["metadataOptions"]["httpPutResponseHopLimit"] == 2
    assert template["tagSpecifications"][1]["tags"]["team"] == "messaging"
    assert "brokers-AmazonSSMManagedInstanceCore" in {r.name for r in made.by_type("RolePolicyAttachment")}


def test_bottlerocket_keeps_its_system_and_its_data_on_two_encrypted_disks() -> None:
    made = run(program(ami_type="BOTTLEROCKET_x86_64", disk_size=80))
    disks = {d["deviceName"]: d["ebs"] for d in made.one("LaunchTemplate").inputs["blockDeviceMappings"]}
    assert {name: disk.get("volumeSize") for name, disk in disks.items()} == {"/dev/xvda": None, "/dev/xvdb": 80}
    assert {disk["encrypted"] for disk in disks.values()} == {"true"}


def test_a_role_that_is_given_is_used_and_none_is_made() -> None:
    made = run(program(role_arn="arn:aws:iam::123456789012:role/nodes"))
    assert made.by_type("Role") == made.by_type("RolePolicyAttachment") == []
    assert made.outputs["role"] == "arn:aws:iam::123456789012:role/nodes"
    assert {group.inputs["nodeRoleArn"] for group in groups(made)} == {"arn:aws:iam::123456789012:role/nodes"}


class Iam:
    """The policies of a role."""

    def __init__(self, attached: list[str], inline: list[str]) -> None:
        self._pages: dict[str, list[dict[str, Any]]] = {
            "list_attached_role_policies": [{"AttachedPolicies": [{"PolicyArn": arn}]} for arn in attached],
            "list_role_policies": [{"PolicyNames": inline}],
        }

    def client(self, name: str) -> "Iam":
        assert name == "iam"
        return self

    def get_paginator(self, operation: str) -> Any:
        def paginate(**role: str) -> list[dict[str, Any]]:
            assert role == {"RoleName": "nodes"}
            return self._pages[operation]

        return SimpleNamespace(paginate=paginate)


OF_AWS = "arn:aws:iam::aws:policy/"
JOIN, PULL = f"{OF_AWS}AmazonEKSWorkerNodePolicy", f"{OF_AWS}AmazonEC2ContainerRegistryReadOnly"


def warned(monkeypatch: pytest.MonkeyPatch, session: Any, surface: Surface = PYTHON) -> list[str]:
    """What is said of a node group's own role before its create."""
    said: list[str] = []
    monkeypatch.setattr(aws_create_checks, "create_session", lambda _: session)
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: said.append(text))

    def make() -> None:
        with use_surface(surface):
            program(role_arn=ROLE)()

    made = run(make, preview=True)
    (name,) = made.one("LaunchTemplate").before_create
    args = pulumi.ResourceHookArgs("urn", "", "brokers-template", "type", new_inputs={})
    asyncio.run(made.hooks[name](args))
    return said


@pytest.mark.parametrize(
    ("attached", "inline", "lacking"),
    [
        ([JOIN, PULL], [], ""),
        ([f"{OF_AWS}AmazonEKSWorkerNodeMinimalPolicy", f"{OF_AWS}AmazonEC2ContainerRegistryPullOnly"], [], ""),
        ([PULL], [], "AmazonEKSWorkerNodePolicy"),
        ([JOIN], [], "AmazonEC2ContainerRegistryPullOnly"),
        ([], [], "AmazonEKSWorkerNodePolicy and AmazonEC2ContainerRegistryPullOnly"),
        # Nobody here knows what these allow.
        ([], ["own"], ""),
        ([f"arn:aws:iam::{ACCOUNT}:policy/nodes"], [], ""),
        ([f"{OF_AWS}AdministratorAccess"], [], ""),
    ],
)
def test_a_role_with_which_no_node_joins_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, attached: list[str], inline: list[str], lacking: str
) -> None:
    said: list[ArgumentMessage] = []
    monkeypatch.setattr(node_role_check, "warn", lambda message, _: said.append(message))
    warned(monkeypatch, Iam(attached, inline))
    assert [(str(message.path), message.code) for message in said] == [("role_arn", "node-role-policies")] * bool(
        lacking
    )
    assert all(message.values == {"given": ROLE, "policies": lacking} for message in said)


@pytest.mark.parametrize(("surface", "spelled"), [(PYTHON, "role_arn: "), (CAMEL_CASE, "roleArn: ")])
def test_the_warning_spells_the_argument_as_its_caller_does(
    monkeypatch: pytest.MonkeyPatch, surface: Surface, spelled: str
) -> None:
    (text,) = warned(monkeypatch, Iam([], []), surface)
    assert text.startswith(spelled)


def test_a_role_that_nobody_may_read_or_that_is_not_there_yet_is_no_reason_to_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert warned(monkeypatch, None) == []


def test_one_group_over_all_zones_when_nothing_holds_its_pods_in_one() -> None:
    made = run(program(per_zone=False))
    assert only(made)["subnetIds"] == SUBNETS


@pytest.mark.parametrize(("per_zone", "preview"), [(True, True), (True, False), (False, True), (False, False)])
def test_subnets_may_come_from_another_resource(per_zone: bool, preview: bool) -> None:
    def make() -> None:
        import pulumi_aws as aws  # noqa: PLC0415

        made = [aws.ec2.Subnet(f"s{place}", vpc_id="vpc-1", cidr_block=f"10.0.{place}.0/24") for place in range(3)]
        ids = pulumi.Output.all(*[subnet.id for subnet in made])
        args: Any = {**ARGS, "subnet_ids": ids, "per_zone": per_zone, **({"zone_count": 3} if per_zone else {})}
        NodeGroup("brokers", args)

    recording = run(make, preview=preview)
    every = [subnet.id for subnet in recording.by_type("Subnet")]
    expected = [[id_] for id_ in every] if per_zone else [every]
    given = [group.inputs["subnetIds"] for group in groups(recording)]
    assert given == ([UNKNOWN] * len(expected) if preview else expected)


def test_the_outputs_name_the_groups_and_the_role() -> None:
    made = run(program())
    assert made.outputs == {
        "groups": ["brokers-1-20260101", "brokers-2-20260101", "brokers-3-20260101"],
        "role": f"arn:aws:iam::{ACCOUNT}:role/role-1a2b3c4",
    }


CHINA = ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]


@pytest.mark.parametrize(("partition", "ec2"), [("aws-cn", CHINA), ("aws-us-gov", "ec2.amazonaws.com")])
def test_arns_and_the_name_of_ec2_are_those_of_the_partition(partition: str, ec2: str | list[str]) -> None:
    fakes = Fakes().answering("aws:index/getPartition:getPartition", lambda _: {"partition": partition})
    made = run(program(), fakes=fakes)
    for attachment in made.by_type("RolePolicyAttachment"):
        assert attachment.inputs["policyArn"].startswith(f"arn:{partition}:iam::aws:policy/")
    assert statements(made.one("Role").inputs["assumeRolePolicy"])[0]["Principal"] == {"Service": ec2}


@pytest.mark.parametrize(
    ("types", "image"),
    [
        (["m7g.large"], "AL2023_ARM_64_STANDARD"),
        (["im4gn.xlarge", "c7gd.metal"], "AL2023_ARM_64_STANDARD"),
        (["g5g.xlarge"], "AL2023_ARM_64_STANDARD"),
        (["a1.large"], "AL2023_ARM_64_STANDARD"),
        (["g5.xlarge"], "AL2023_x86_64_STANDARD"),
        (["m7i-flex.large", "m7a.large"], "AL2023_x86_64_STANDARD"),
    ],
)
def test_the_image_follows_the_processors(types: list[str], image: str) -> None:
    assert only(run(program(instance_types=types, subnet_ids=["s"]), preview=True))["amiType"] == image


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"instance_types": []}, "instance_types", "instance-architectures"),
        ({"instance_types": ["m7i.large", "large"]}, "instance_types[1]", "instance-type"),
        ({"instance_types": ["m7i.large", "m7g.large"]}, "instance_types", "instance-architectures"),
        (
            {"instance_types": ["m7g.large"], "ami_type": "AL2023_x86_64_STANDARD"},
            "ami_type",
            "ami-architecture",
        ),
        ({"ami_type": "AL2023_X86_64_STANDARD"}, "ami_type", "choice"),
        ({"capacity_type": "spot"}, "capacity_type", "choice"),
        ({"update_strategy": "FAST"}, "update_strategy", "choice"),
        ({"min_size": 2, "desired_size": 1}, "desired_size", "node-group-sizes"),
        ({"desired_size": 2, "max_size": 1}, "desired_size", "node-group-sizes"),
        ({"desired_size": 0, "max_size": 0}, "max_size", "range"),
        ({"min_size": -1}, "min_size", "range"),
        ({"desired_size": 1.5}, "desired_size", "wrong-type"),
        ({"disk_size": 8}, "disk_size", "range"),
        ({"metadata_hop_limit": 0}, "metadata_hop_limit", "range"),
        ({"metadata_hop_limit": 65}, "metadata_hop_limit", "range"),
        ({"max_unavailable": 101}, "max_unavailable", "range"),
        ({"taints": [{"key": "b"}, {"key": "a", "effect": "NO_SCHEDULE"}]}, "taints[1].effect", "choice"),
        ({"taints": [{"key": "a b"}]}, "taints[0].key", "qualified-name"),
        ({"taints": [{"key": "a", "value": "b c"}]}, "taints[0].value", "label-value"),
        ({"labels": {"a b": "c"}}, "labels", "qualified-name"),
        *[
            ({"labels": {f"{domain}/x": "y"}}, "labels", "reserved-node-label")
            for domain in (
                "kubernetes.io",
                "node-role.kubernetes.io",
                "k8s.io",
                "a.k8s.io",
                "eks.amazonaws.com",
                "compute.eks.amazonaws.com",
            )
        ],
        ({"labels": {"a": "b c"}}, "labels['a']", "label-value"),
        ({"version": "latest"}, "version", "kubernetes-version"),
        ({"release_version": "latest"}, "release_version", "ami-release"),
        ({"release_version": "1.35.2-20260715", "version": "1.34"}, "release_version", "ami-release-of-other-version"),
        ({"role_arn": "foo"}, "role_arn", "role-arn"),
        ({"disk_kms_key_arn": "foo"}, "disk_kms_key_arn", "kms-key-arn"),
        ({"managed_policies": ["arn:aws:s3:::x"]}, "managed_policies", "policy-arn"),
        (
            {"managed_policies": ["AmazonSSMManagedInstanceCore"], "role_arn": f"arn:aws:iam::{ACCOUNT}:role/nodes"},
            "managed_policies",
            "ignored-argument",
        ),
        ({"managed_policies": ["AmazonEKSWorkerNodePolicy"]}, "managed_policies", "policy-attached-twice"),
        ({"subnet_ids": []}, "subnet_ids", "subnets-and-zones"),
        ({"zone_count": 2}, "subnet_ids", "subnets-and-zones"),
        ({"zone_count": 0}, "zone_count", "range"),
    ],
)
def test_nodes_that_cannot_be_are_refused_at_preview(changed: dict[str, Any], path: str, code: str) -> None:
    made = Recording(preview=True)
    with rejects((path, code)):
        run(program(**changed), preview=True, recording=made)
    assert [r.urn for r in made.resources.values() if r.custom] == []


def test_labels_that_nodes_join_with_are_given_to_them() -> None:
    keys = ("role", "my-k8s.io/a", "example.com/a", "node.kubernetes.io/a", "b.kubelet.kubernetes.io/a")
    made = run(program(labels=dict.fromkeys(keys, "x")), preview=True)
    assert [sorted(group.inputs["labels"]) for group in groups(made)] == [sorted(keys)] * 3


def test_computed_subnets_need_their_number() -> None:
    def computed(count: int | None) -> Callable[[], None]:
        def make() -> None:
            said = {} if count is None else {"zone_count": count}
            program(subnet_ids=pulumi.Output.from_input(SUBNETS), **said)()

        return make

    with rejects(("subnet_ids", "unknown-subnet-count")):
        run(computed(None), preview=True)
    with pytest.raises(pulumi.RunError, match=r"^subnet_ids: the list has 3 subnets, but zone_count is 2"):
        run(computed(2), preview=True)
    # One zone is a zone as well: a group over all of them would put the next node anywhere.
    with pytest.raises(pulumi.RunError, match=r"^subnet_ids: the list has 3 subnets, but zone_count is 1"):
        run(computed(1), preview=True)
    with (
        pytest.raises(pulumi.RunError, match=r"^subnetIds: the list has 3 subnets, but zoneCount is 2"),
        use_surface(CAMEL_CASE),
    ):
        run(computed(2), preview=True)


@pytest.mark.parametrize("name", ["n" * 35, "my group", "a/b", "a.b", "-a", "_a", "", "é", "a\n"])
def test_a_name_that_eks_cannot_take_is_refused(name: str) -> None:
    with rejects(("", "node-group-name")):
        plan_nodes(name, ARGS)


@pytest.mark.parametrize("name", ["n" * 34, "A_b-1", "0"])
def test_a_name_that_eks_takes(name: str) -> None:
    assert plan_nodes(name, ARGS).groups == 3
