"""Managed node groups: zones, node role, launch template and rejected arguments."""

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
STACK_TAGS = {"eks-rocketmq/stack": "eks-rocketmq/test"}
INVENTORY = {
    "aws:ec2/launchTemplate:LaunchTemplate": 1,
    "aws:eks/nodeGroup:NodeGroup": 3,
    "aws:iam/role:Role": 1,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 2,
    "eks-rocketmq:index:NodeGroup": 1,
}


def program(**changed: Any) -> Callable[[], None]:
    args: Any = {**ARGS, **changed}

    def register() -> None:
        nodes = NodeGroup("brokers", args)
        pulumi.export("groups", nodes.group_names)
        pulumi.export("role", nodes.role_arn)

    return register


def groups(recording: Recording) -> list[Registration]:
    return recording.by_type("aws:eks/nodeGroup:NodeGroup")


def get_only_group_inputs(recording: Recording) -> dict[str, Any]:
    (group,) = groups(recording)
    return dict(group.inputs)


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(program(), preview=request.param)


def test_default_arguments_register_one_node_group_per_zone(recording: Recording) -> None:
    assert recording.inventory() == INVENTORY
    component = recording.one("eks-rocketmq:index:NodeGroup")
    assert {r.parent for r in recording.resources.values() if r.custom} == {component.urn}
    assert [(g.name, g.inputs["subnetIds"]) for g in groups(recording)] == [
        ("brokers-1", ["subnet-a"]),
        ("brokers-2", ["subnet-b"]),
        ("brokers-3", ["subnet-c"]),
    ]


def test_default_arguments_set_the_expected_node_group_inputs(recording: Recording) -> None:
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
        "tags": STACK_TAGS,
        "taints": [],
        "updateConfig": {"maxUnavailable": 1, "updateStrategy": "DEFAULT"},
    }


def test_each_group_depends_on_the_previous_zone_unless_zone_by_zone_is_false(recording: Recording) -> None:
    first, second, third = groups(recording)
    assert first.urn in second.explicit_dependencies
    assert second.urn in third.explicit_dependencies
    at_once = groups(run(program(zone_by_zone=False)))
    assert not any(a.urn in b.dependencies for a in at_once for b in at_once)


def test_node_groups_depend_on_the_policies_of_their_role(recording: Recording) -> None:
    policies = {r.urn for r in recording.by_type("RolePolicyAttachment")}
    for group in groups(recording):
        assert policies <= group.explicit_dependencies


def test_the_node_role_can_only_join_the_cluster_and_pull_images(recording: Recording) -> None:
    assert {r.inputs["policyArn"] for r in recording.by_type("RolePolicyAttachment")} == {
        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    }
    (trust,) = statements(recording.one("Role").inputs["assumeRolePolicy"])
    assert (trust["Principal"], trust["Action"]) == ({"Service": "ec2.amazonaws.com"}, "sts:AssumeRole")


def test_the_launch_template_requires_imdsv2_and_encrypts_disks(recording: Recording) -> None:
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
        assert spec["tags"] == {"Name": "brokers", **STACK_TAGS}


def test_nodes_have_no_ssh_access(recording: Recording) -> None:
    assert "keyName" not in recording.one("LaunchTemplate").inputs
    assert not any("remoteAccess" in group.inputs for group in groups(recording))


def test_every_argument_is_passed_to_the_node_group() -> None:
    recording = run(
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
    (group,) = groups(recording)
    assert group.ignore_changes == ("scalingConfig.desiredSize",)
    expected = {
        "amiType": "AL2023_ARM_64_STANDARD",
        "capacityType": "SPOT",
        "forceUpdateVersion": True,
        "labels": {"role": "broker"},
        "nodeRepairConfig": {"enabled": False},
        "releaseVersion": "1.35.2-20260715",
        "scalingConfig": {"desiredSize": 2, "maxSize": 4, "minSize": 1},
        "tags": {"team": "messaging", **STACK_TAGS},
        "taints": [
            {"key": "dedicated", "value": "rocketmq", "effect": "NO_EXECUTE"},
            {"key": "plain", "value": "", "effect": "NO_SCHEDULE"},
        ],
        "updateConfig": {"maxUnavailable": 2, "updateStrategy": "MINIMAL"},
        "version": "1.35",
    }
    assert {key: group.inputs[key] for key in expected} == expected
    template = recording.one("LaunchTemplate").inputs
    (disk,) = template["blockDeviceMappings"]
    assert (disk["ebs"]["volumeSize"], disk["ebs"]["kmsKeyId"]) == (100, "arn:aws:kms:eu-west-1:123456789012:key/d")
    assert template["metadataOptions"]["httpPutResponseHopLimit"] == 2
    assert template["tagSpecifications"][1]["tags"]["team"] == "messaging"
    assert "brokers-AmazonSSMManagedInstanceCore" in {r.name for r in recording.by_type("RolePolicyAttachment")}


def test_bottlerocket_has_separate_encrypted_system_and_data_disks() -> None:
    recording = run(program(ami_type="BOTTLEROCKET_x86_64", disk_size=80))
    disks = {d["deviceName"]: d["ebs"] for d in recording.one("LaunchTemplate").inputs["blockDeviceMappings"]}
    assert {name: disk.get("volumeSize") for name, disk in disks.items()} == {"/dev/xvda": None, "/dev/xvdb": 80}
    assert {disk["encrypted"] for disk in disks.values()} == {"true"}


def test_a_given_role_is_used_and_no_role_is_created() -> None:
    recording = run(program(role_arn="arn:aws:iam::123456789012:role/nodes"))
    assert recording.by_type("Role") == recording.by_type("RolePolicyAttachment") == []
    assert recording.outputs["role"] == "arn:aws:iam::123456789012:role/nodes"
    assert {group.inputs["nodeRoleArn"] for group in groups(recording)} == {"arn:aws:iam::123456789012:role/nodes"}


class Iam:
    """A fake AWS session with a role that has the given policies."""

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


AWS_POLICY = "arn:aws:iam::aws:policy/"
JOIN, PULL = f"{AWS_POLICY}AmazonEKSWorkerNodePolicy", f"{AWS_POLICY}AmazonEC2ContainerRegistryReadOnly"


def collect_warnings(monkeypatch: pytest.MonkeyPatch, session: Any, surface: Surface = PYTHON) -> list[str]:
    """Return the warnings about a given node role before the node group is created."""
    warnings: list[str] = []
    monkeypatch.setattr(aws_create_checks, "create_session", lambda _: session)
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: warnings.append(text))

    def register() -> None:
        with use_surface(surface):
            program(role_arn=ROLE)()

    recording = run(register, preview=True)
    (name,) = recording.one("LaunchTemplate").before_create
    args = pulumi.ResourceHookArgs("urn", "", "brokers-template", "type", new_inputs={})
    asyncio.run(recording.hooks[name](args))
    return warnings


@pytest.mark.parametrize(
    ("attached", "inline", "missing"),
    [
        ([JOIN, PULL], [], ""),
        ([f"{AWS_POLICY}AmazonEKSWorkerNodeMinimalPolicy", f"{AWS_POLICY}AmazonEC2ContainerRegistryPullOnly"], [], ""),
        ([PULL], [], "AmazonEKSWorkerNodePolicy"),
        ([JOIN], [], "AmazonEC2ContainerRegistryPullOnly"),
        ([], [], "AmazonEKSWorkerNodePolicy and AmazonEC2ContainerRegistryPullOnly"),
        # The permissions of other policies are unknown.
        ([], ["own"], ""),
        ([f"arn:aws:iam::{ACCOUNT}:policy/nodes"], [], ""),
        ([f"{AWS_POLICY}AdministratorAccess"], [], ""),
    ],
)
def test_a_role_without_the_node_policies_logs_a_warning(
    monkeypatch: pytest.MonkeyPatch, attached: list[str], inline: list[str], missing: str
) -> None:
    warnings: list[ArgumentMessage] = []
    monkeypatch.setattr(node_role_check, "warn", lambda message, _: warnings.append(message))
    collect_warnings(monkeypatch, Iam(attached, inline))
    assert [(str(message.path), message.code) for message in warnings] == [("role_arn", "node-role-policies")] * bool(
        missing
    )
    assert all(message.values == {"given": ROLE, "policies": missing} for message in warnings)


@pytest.mark.parametrize(("surface", "spelled"), [(PYTHON, "role_arn: "), (CAMEL_CASE, "roleArn: ")])
def test_the_warning_uses_the_argument_spelling_of_the_caller(
    monkeypatch: pytest.MonkeyPatch, surface: Surface, spelled: str
) -> None:
    (text,) = collect_warnings(monkeypatch, Iam([], []), surface)
    assert text.startswith(spelled)


def test_an_unreadable_role_logs_no_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert collect_warnings(monkeypatch, None) == []


def test_per_zone_false_registers_one_group_for_all_zones() -> None:
    recording = run(program(per_zone=False))
    assert get_only_group_inputs(recording)["subnetIds"] == SUBNETS


@pytest.mark.parametrize(("per_zone", "preview"), [(True, True), (True, False), (False, True), (False, False)])
def test_subnets_can_be_outputs_of_other_resources(per_zone: bool, preview: bool) -> None:
    def register() -> None:
        import pulumi_aws as aws  # noqa: PLC0415

        subnets = [aws.ec2.Subnet(f"s{place}", vpc_id="vpc-1", cidr_block=f"10.0.{place}.0/24") for place in range(3)]
        ids = pulumi.Output.all(*[subnet.id for subnet in subnets])
        args: Any = {**ARGS, "subnet_ids": ids, "per_zone": per_zone, **({"zone_count": 3} if per_zone else {})}
        NodeGroup("brokers", args)

    recording = run(register, preview=preview)
    subnet_ids = [subnet.id for subnet in recording.by_type("Subnet")]
    expected = [[id_] for id_ in subnet_ids] if per_zone else [subnet_ids]
    given = [group.inputs["subnetIds"] for group in groups(recording)]
    assert given == ([UNKNOWN] * len(expected) if preview else expected)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        (lambda: {"subnet_ids": pulumi.Output.from_input(3)}, "subnet_ids"),
        (lambda: {"subnet_ids": pulumi.Output.from_input("abc")}, "subnet_ids"),
        (lambda: {"subnet_ids": pulumi.Output.from_input(["subnet-a", 3, "subnet-c"])}, "subnet_ids[1]"),
        (lambda: {"subnet_ids": ["subnet-a", pulumi.Output.from_input(3), "subnet-c"]}, "subnet_ids[1]"),
        (lambda: {"role_arn": pulumi.Output.from_input(3)}, "role_arn"),
        (lambda: {"version": pulumi.Output.from_input(1.35)}, "version"),
        (lambda: {"disk_kms_key_arn": pulumi.Output.from_input(3)}, "disk_kms_key_arn"),
    ],
)
@pytest.mark.parametrize("per_zone", [True, False])
def test_an_output_of_another_type_is_rejected(
    changed: Callable[[], dict[str, object]], path: str, per_zone: bool
) -> None:
    def register() -> None:
        args: Any = {**ARGS, "zone_count": 3, "per_zone": per_zone, **changed()}
        NodeGroup("brokers", args)

    with rejects((path, "wrong-type")):
        run(register)


def test_the_outputs_are_the_group_names_and_the_role_arn() -> None:
    recording = run(program())
    assert recording.outputs == {
        "groups": ["brokers-1-20260101", "brokers-2-20260101", "brokers-3-20260101"],
        "role": f"arn:aws:iam::{ACCOUNT}:role/role-1a2b3c4",
    }


CHINA = ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]


@pytest.mark.parametrize(("partition", "ec2"), [("aws-cn", CHINA), ("aws-us-gov", "ec2.amazonaws.com")])
def test_policy_arns_and_the_ec2_principal_match_the_partition(partition: str, ec2: str | list[str]) -> None:
    fakes = Fakes().answering("aws:index/getPartition:getPartition", lambda _: {"partition": partition})
    recording = run(program(), fakes=fakes)
    for attachment in recording.by_type("RolePolicyAttachment"):
        assert attachment.inputs["policyArn"].startswith(f"arn:{partition}:iam::aws:policy/")
    assert statements(recording.one("Role").inputs["assumeRolePolicy"])[0]["Principal"] == {"Service": ec2}


@pytest.mark.parametrize(
    ("types", "ami_type"),
    [
        (["m7g.large"], "AL2023_ARM_64_STANDARD"),
        (["im4gn.xlarge", "c7gd.metal"], "AL2023_ARM_64_STANDARD"),
        (["g5g.xlarge"], "AL2023_ARM_64_STANDARD"),
        (["a1.large"], "AL2023_ARM_64_STANDARD"),
        (["g5.xlarge"], "AL2023_x86_64_STANDARD"),
        (["m7i-flex.large", "m7a.large"], "AL2023_x86_64_STANDARD"),
    ],
)
def test_the_default_ami_type_matches_the_architecture(types: list[str], ami_type: str) -> None:
    assert (
        get_only_group_inputs(run(program(instance_types=types, subnet_ids=["s"]), preview=True))["amiType"] == ami_type
    )


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"instance_types": []}, "instance_types", "instance-architectures"),
        ({"instance_types": ["m7i.large", "large"]}, "instance_types[1]", "instance-type"),
        ({"instance_types": ["m7i.huge"]}, "instance_types[0]", "instance-type"),
        ({"instance_types": ["m7i.large", "m7i.large"]}, "instance_types", "duplicate"),
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
def test_invalid_arguments_are_rejected_before_any_resource_is_registered(
    changed: dict[str, Any], path: str, code: str
) -> None:
    recording = Recording(preview=True)
    with rejects((path, code)):
        run(program(**changed), preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []


def test_labels_that_the_kubelet_accepts_are_set_on_the_groups() -> None:
    keys = ("role", "my-k8s.io/a", "example.com/a", "node.kubernetes.io/a", "b.kubelet.kubernetes.io/a")
    recording = run(program(labels=dict.fromkeys(keys, "x")), preview=True)
    assert [sorted(group.inputs["labels"]) for group in groups(recording)] == [sorted(keys)] * 3


def test_subnets_that_are_an_output_require_zone_count() -> None:
    def computed(count: int | None) -> Callable[[], None]:
        def register() -> None:
            zone_args = {} if count is None else {"zone_count": count}
            program(subnet_ids=pulumi.Output.from_input(SUBNETS), **zone_args)()

        return register

    with rejects(("subnet_ids", "unknown-subnet-count")):
        run(computed(None), preview=True)
    with pytest.raises(pulumi.RunError, match=r"^subnet_ids: the list has 3 subnets, but zone_count is 2"):
        run(computed(2), preview=True)
    # A zone_count of 1 is checked too, because one group over all zones could start a node in any zone.
    with pytest.raises(pulumi.RunError, match=r"^subnet_ids: the list has 3 subnets, but zone_count is 1"):
        run(computed(1), preview=True)
    with (
        pytest.raises(pulumi.RunError, match=r"^subnetIds: the list has 3 subnets, but zoneCount is 2"),
        use_surface(CAMEL_CASE),
    ):
        run(computed(2), preview=True)


@pytest.mark.parametrize("name", ["n" * 35, "my group", "a/b", "a.b", "-a", "_a", "", "é", "a\n"])
def test_an_invalid_name_is_rejected(name: str) -> None:
    with rejects(("", "node-group-name")):
        plan_nodes(name, ARGS)


@pytest.mark.parametrize("name", ["n" * 34, "A_b-1", "0"])
def test_a_valid_name_is_accepted(name: str) -> None:
    assert plan_nodes(name, ARGS).groups == 3
