"""Managed nodes: groups by zone, what a node may do and show, and what is refused."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from eks_rocketmq import NodeGroup, NodeGroupArgs
from eks_rocketmq.eks.account import aws_create_checks
from eks_rocketmq.eks.nodes.node_plan import plan_nodes
from tests.unit.harness import UNKNOWN, Fakes, Recording, Registration, run
from tests.unit.harness.fakes import ACCOUNT
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


def warned(monkeypatch: pytest.MonkeyPatch, session: Any, role: str = ROLE) -> list[str]:
    """What is said of a node group's own role before its create."""
    said: list[str] = []
    monkeypatch.setattr(aws_create_checks, "create_session", lambda _: session)
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: said.append(text))
    made = run(program(role_arn=role), preview=True)
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
    told = f"brokers-template: role_arn is {ROLE!r}, a role without {lacking}. Accepted is one with which "
    said = warned(monkeypatch, Iam(attached, inline))
    assert len(said) == bool(lacking)
    assert all(text.startswith(told) for text in said)


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
    ("changed", "message"),
    [
        ({"instance_types": []}, "instance_types has none; accepted are types of one architecture"),
        ({"instance_types": ["large"]}, "instance_types has 'large'; accepted are types such as 'm7i.large'"),
        (
            {"instance_types": ["m7i.large", "m7g.large"]},
            r"instance_types has m7i.large \(x86_64\) and m7g.large \(arm64\)",
        ),
        (
            {"instance_types": ["m7g.large"], "ami_type": "AL2023_x86_64_STANDARD"},
            "ami_type is 'AL2023_x86_64_STANDARD', m7g.large has arm64",
        ),
        ({"ami_type": "AL2023_X86_64_STANDARD"}, "ami_type is .*; did you mean 'AL2023_x86_64_STANDARD'"),
        ({"capacity_type": "spot"}, "capacity_type is 'spot'; accepted are 'ON_DEMAND', 'SPOT'"),
        ({"update_strategy": "FAST"}, "update_strategy is 'FAST'; accepted are 'DEFAULT', 'MINIMAL'"),
        ({"min_size": 2, "desired_size": 1}, "min_size 2, desired_size 1, max_size 1; accepted are sizes in rising"),
        ({"desired_size": 2, "max_size": 1}, "min_size 2, desired_size 2, max_size 1"),
        ({"desired_size": 0, "max_size": 0}, "max_size is 0; accepted are 1 and more"),
        ({"desired_size": 1.5}, "desired_size is 1.5; accepted is a whole number"),
        ({"disk_size": 8}, "disk_size is 8; accepted are 20 and more"),
        ({"metadata_hop_limit": 0}, "metadata_hop_limit is 0; accepted are 1 to 64"),
        ({"max_unavailable": 101}, "max_unavailable is 101; accepted are 1 to 100"),
        ({"taints": [{"key": "a", "effect": "NO_SCHEDULE"}]}, "effect of the taint 'a' is 'NO_SCHEDULE'; accepted are"),
        ({"taints": [{"key": "a b"}]}, "taints: 'a b' is no key that Kubernetes accepts"),
        ({"taints": [{"key": "a", "value": "b c"}]}, "value of the taint 'a' is 'b c'; accepted are up to 63 letters"),
        ({"labels": {"a b": "c"}}, "labels: 'a b' is no key that Kubernetes accepts"),
        *[
            ({"labels": {f"{domain}/x": "y"}}, f"labels has '{domain}/x'; EKS or the kubelet refuses labels of kubern")
            for domain in (
                "kubernetes.io",
                "node-role.kubernetes.io",
                "k8s.io",
                "a.k8s.io",
                "eks.amazonaws.com",
                "compute.eks.amazonaws.com",
            )
        ],
        ({"labels": {"a": "b c"}}, r"labels\['a'\] is 'b c'; accepted are up to 63 letters"),
        ({"version": "latest"}, "version is 'latest'; accepted is a minor version of Kubernetes, such as '1.35'"),
        ({"release_version": "latest"}, "release_version is 'latest'; accepted is the release of an image"),
        ({"role_arn": "foo"}, "role_arn is 'foo'; accepted is the ARN of an IAM role, such as 'arn:aws:iam::"),
        ({"disk_kms_key_arn": "foo"}, "disk_kms_key_arn is 'foo'; accepted is the ARN of a KMS key"),
        (
            {"managed_policies": ["arn:aws:s3:::x"]},
            "managed_policies is 'arn:aws:s3:::x'; accepted is the ARN of an IAM",
        ),
        (
            {"managed_policies": ["AmazonSSMManagedInstanceCore"], "role_arn": f"arn:aws:iam::{ACCOUNT}:role/nodes"},
            "managed_policies given with role_arn, a role that is not made here: nothing would be made of it; leave",
        ),
        ({"managed_policies": ["AmazonEKSWorkerNodePolicy"]}, "2 policies named 'AmazonEKSWorkerNodePolicy' to attach"),
        ({"subnet_ids": []}, "subnet_ids has 0"),
        ({"zone_count": 2}, "subnet_ids has 3, zone_count is 2; accepted is one subnet for each zone"),
    ],
)
def test_nodes_that_cannot_be_are_refused_at_preview(changed: dict[str, Any], message: str) -> None:
    made = Recording(preview=True)
    with pytest.raises(ValueError, match=message):
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

    with pytest.raises(ValueError, match="their number is not known yet; say it with zone_count"):
        run(computed(None), preview=True)
    with pytest.raises(ValueError, match="zone_count is 2, subnet_ids has 3"):
        run(computed(2), preview=True)
    # One zone is a zone as well: a group over all of them would put the next node anywhere.
    with pytest.raises(ValueError, match="zone_count is 1, subnet_ids has 3"):
        run(computed(1), preview=True)


@pytest.mark.parametrize("name", ["n" * 35, "my group", "a/b", "a.b", "-a", "_a", "", "é", "a\n"])
def test_a_name_that_eks_cannot_take_is_refused(name: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the text is compared below, to the letter
        plan_nodes(name, ARGS)
    assert str(refusal.value) == (
        f"the name {name!r} makes node groups that begin with {name + '-3-'!r}, {len(name) + 3} letters; accepted are "
        "up to 37 letters, digits, '-' and '_', the first a letter or a digit: take another name"
    )


@pytest.mark.parametrize("name", ["n" * 34, "A_b-1", "0"])
def test_a_name_that_eks_takes(name: str) -> None:
    assert plan_nodes(name, ARGS).groups == 3
