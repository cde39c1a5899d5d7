"""A new EKS cluster: arguments of pulumi_eks, related resources, access entries and rejected arguments."""

import json
import re
import shutil
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from google.protobuf import json_format
from pulumi.runtime._callbacks import _CallbackServicer
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_MARK

from eks_rocketmq import EksCluster, EksClusterArgs, ExistingEksCluster
from eks_rocketmq.eks.account.aws_create_checks import reject_existing_cluster
from eks_rocketmq.eks.cluster.eks_cluster import _create_cluster_transform
from tests.unit.harness import UNKNOWN, Fakes, Recording, run
from tests.unit.harness.eks_component import ISSUER
from tests.unit.harness.fakes import ACCOUNT, REGION
from tests.unit.harness.rejections import rejects
from tests.unit.harness.trust import statements

ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
TEAM = f"arn:aws:iam::{ACCOUNT}:role/platform"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
VIEW = {"policy": "AmazonEKSViewPolicy"}
CLUSTER = "aws:eks/cluster:Cluster"
REMOTE = "eks:index:Cluster"
STACK_TAGS = {"eks-rocketmq/stack": "eks-rocketmq/test"}
ARGS: EksClusterArgs = {
    "cluster_name": "prod",
    "version": "1.35",
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-a", "subnet-b", "subnet-c"],
}
INVENTORY = {
    "aws:cloudwatch/logGroup:LogGroup": 1,
    "aws:eks/cluster:Cluster": 1,
    "aws:iam/role:Role": 1,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
    "aws:kms/key:Key": 1,
    "eks-rocketmq:index:EksCluster": 1,
    "eks:index:Cluster": 1,
    "pulumi:providers:kubernetes": 2,
}


def program(**changed: Any) -> Callable[[], None]:
    args: Any = {**ARGS, **changed}

    def register() -> None:
        cluster = EksCluster("cluster", args)
        pulumi.export("kubeconfig", cluster.kubeconfig)

    return register


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(program(), preview=request.param)


def test_default_arguments_register_the_expected_resources(recording: Recording) -> None:
    assert recording.inventory() == INVENTORY
    component = recording.one("EksCluster")
    remote = recording.one(REMOTE)
    assert remote.parent == component.urn
    for resource in recording.resources.values():
        if resource.custom:
            registered_by_pulumi_eks = resource.type == CLUSTER or resource.name.endswith("-eks-k8s")
            assert resource.parent == (remote.urn if registered_by_pulumi_eks else component.urn)


def test_pulumi_eks_receives_the_minimal_arguments(recording: Recording) -> None:
    inputs = dict(recording.one(REMOTE).inputs)
    inputs.pop("encryptionConfigKeyArn")
    assert inputs == {
        "authenticationMode": "API",
        "bootstrapSelfManagedAddons": False,
        "corednsAddonOptions": {"enabled": False},
        "createOidcProvider": False,
        "deletionProtection": True,
        "enabledClusterLogTypes": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
        "endpointPrivateAccess": True,
        "endpointPublicAccess": False,
        "kubeProxyAddonOptions": {"enabled": False},
        "name": "prod",
        "serviceRole": recording.one("Role").urn,
        "skipDefaultNodeGroup": True,
        "skipDefaultSecurityGroups": True,
        "subnetIds": ["subnet-a", "subnet-b", "subnet-c"],
        "tags": STACK_TAGS,
        "upgradePolicy": {"supportType": "STANDARD"},
        "useDefaultVpcCni": True,
        "version": "1.35",
        "vpcId": "vpc-1",
    }


def test_the_transform_adds_the_access_config_that_pulumi_eks_lacks(recording: Recording) -> None:
    inputs = recording.one(CLUSTER).inputs
    assert inputs["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": True,
    }
    assert "zonalShiftConfig" not in inputs
    assert inputs["bootstrapSelfManagedAddons"] is False
    assert inputs["name"] == "prod"


def test_every_argument_is_passed_to_the_cluster() -> None:
    recording = run(
        program(
            public_access_cidrs=["203.0.113.0/24"],
            creator_is_admin=False,
            access_entries=[
                {"name": "team", "principal_arn": TEAM, "policies": [{"policy": "AmazonEKSClusterAdminPolicy"}]}
            ],
            log_types=["audit", "api"],
            service_cidr="172.20.0.0/16",
            support_type="EXTENDED",
            zonal_shift=True,
            timeouts={"create": "45m", "delete": "1h"},
            ignore_changes=["version"],
            tags={"team": "messaging"},
        )
    )
    cluster = recording.one(CLUSTER)
    assert cluster.inputs["vpcConfig"]["endpointPublicAccess"] is True
    assert cluster.inputs["vpcConfig"]["endpointPrivateAccess"] is True
    assert cluster.inputs["vpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/24"]
    assert cluster.inputs["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] is False
    assert cluster.inputs["enabledClusterLogTypes"] == ["api", "audit"]
    assert cluster.inputs["kubernetesNetworkConfig"] == {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4"}
    assert cluster.inputs["upgradePolicy"] == {"supportType": "EXTENDED"}
    assert cluster.inputs["zonalShiftConfig"] == {"enabled": True}
    assert cluster.timeouts == {"create": "45m", "delete": "1h"}
    assert cluster.ignore_changes == (
        "accessConfig.bootstrapClusterCreatorAdminPermissions",
        "bootstrapSelfManagedAddons",
        "version",
    )
    for resource in recording.resources.values():
        if "tags" in resource.inputs:
            assert resource.inputs["tags"]["team"] == "messaging", resource.urn


def test_public_access_from_everywhere_is_accepted_when_given_explicitly() -> None:
    recording = run(program(public_access_cidrs=["0.0.0.0/0"]))
    assert recording.one(CLUSTER).inputs["vpcConfig"]["publicAccessCidrs"] == ["0.0.0.0/0"]


def test_the_service_role_has_one_policy_and_trusts_only_eks(recording: Recording) -> None:
    (trust,) = statements(recording.one("Role").inputs["assumeRolePolicy"])
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    assert "name" not in recording.one("Role").inputs
    attachment = recording.one("RolePolicyAttachment").inputs
    assert attachment["policyArn"] == "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"


def test_the_cluster_depends_on_its_policies_its_log_group_and_its_key(recording: Recording) -> None:
    explicit = recording.one(REMOTE).explicit_dependencies
    assert recording.one("RolePolicyAttachment").urn in explicit
    assert recording.one("LogGroup").urn in explicit
    for earlier in (recording.one("RolePolicyAttachment"), recording.one("LogGroup"), recording.one("Key")):
        assert recording.reaches(recording.one(CLUSTER), earlier)


def test_the_log_group_of_eks_has_a_retention_time(recording: Recording) -> None:
    group = recording.one("LogGroup")
    assert group.inputs["name"] == "/aws/eks/prod/cluster"
    assert group.inputs["retentionInDays"] == 90
    assert group.before_create == ("cluster-logs-preflight",)
    other = (
        run(program(log_retention_days=365, log_kms_key_arn="arn:aws:kms:eu-west-1:123456789012:key/l"))
        .one("LogGroup")
        .inputs
    )
    assert (other["retentionInDays"], other["kmsKeyId"]) == (365, "arn:aws:kms:eu-west-1:123456789012:key/l")


def test_secrets_are_encrypted_with_a_new_protected_key(recording: Recording) -> None:
    key = recording.one("Key")
    assert (key.inputs["enableKeyRotation"], key.inputs["deletionWindowInDays"]) == (True, 30)
    assert key.protect
    encryption = {"provider": {"keyArn": key.outputs.get("arn")}, "resources": ["secrets"]}
    assert recording.one(CLUSTER).inputs["encryptionConfig"] == (UNKNOWN if recording.preview else encryption)


def test_a_given_key_is_used_and_no_key_is_created() -> None:
    recording = run(program(secrets_kms_key_arn="arn:aws:kms:eu-west-1:123456789012:key/given"))
    assert recording.by_type("Key") == []
    assert recording.one(CLUSTER).inputs["encryptionConfig"]["provider"] == {
        "keyArn": "arn:aws:kms:eu-west-1:123456789012:key/given"
    }


def test_deletion_protection_controls_both_the_eks_and_the_pulumi_protection(recording: Recording) -> None:
    assert recording.one(CLUSTER).inputs["deletionProtection"] is True
    assert recording.one(CLUSTER).protect
    unprotected = run(program(deletion_protection=False))
    assert unprotected.one(CLUSTER).inputs["deletionProtection"] is False
    assert [r.name for r in unprotected.resources.values() if r.protect] == []


def test_new_and_existing_clusters_have_the_same_outputs(recording: Recording) -> None:
    existing = run(lambda: ExistingEksCluster("cluster", {"cluster_name": "prod"}))
    outputs = recording.component_outputs[recording.one("EksCluster").urn]
    other = existing.component_outputs[existing.one("ExistingEksCluster").urn]
    assert outputs.keys() == other.keys()
    annotations = ExistingEksCluster.__annotations__
    assert EksCluster.__annotations__ == annotations
    assert len(annotations) == len(outputs)


def test_only_name_version_and_security_groups_are_known_at_preview(recording: Recording) -> None:
    outputs = dict(recording.component_outputs[recording.one("EksCluster").urn])
    del outputs["provider"], outputs["kubeconfig"]
    known = {"name": "prod", "version": "1.35"}
    later = {
        "arn": ARN,
        "endpoint": f"https://0123456789ABCDEF.gr7.{REGION}.eks.amazonaws.com",
        "certificateAuthority": "Q0VSVElGSUNBVEU=",
        "oidcIssuer": ISSUER,
        "clusterSecurityGroupId": "sg-cluster",
    }
    groups = {"securityGroupIds": []}
    assert outputs == known | (dict.fromkeys(later, UNKNOWN) | groups if recording.preview else later | groups)


def test_the_kubernetes_provider_uses_the_cluster_arn_and_an_exec_plugin(recording: Recording) -> None:
    provider = recording.one("pulumi:providers:kubernetes", "cluster-kubernetes")
    if recording.preview:
        assert (provider.inputs["clusterIdentifier"], provider.inputs["kubeconfig"]) == (UNKNOWN, UNKNOWN)
    else:
        assert provider.inputs["clusterIdentifier"] == ARN
        (user,) = json.loads(provider.inputs["kubeconfig"])["users"]
        assert user["user"]["exec"]["args"][-2:] == ["--output", "json"]
    assert recording.reaches(provider, recording.one(CLUSTER))


def test_profile_and_role_are_passed_to_the_kubeconfig() -> None:
    recording = run(program(profile="prod", role_arn="arn:aws:iam::123456789012:role/r"))
    (user,) = json.loads(recording.outputs["kubeconfig"])["users"]
    assert user["user"]["exec"]["env"] == [{"name": "AWS_PROFILE", "value": "prod"}]
    assert user["user"]["exec"]["args"][-2:] == ["--role-arn", "arn:aws:iam::123456789012:role/r"]


ENTRIES = [
    {
        "name": "team",
        "principal_arn": TEAM,
        "policies": [
            {"policy": "AmazonEKSViewPolicy"},
            {"policy": "AmazonEKSEditPolicy", "namespaces": ["rocketmq", "team-*"]},
        ],
    },
    {"name": "bound", "principal_arn": f"{TEAM}-ci", "kubernetes_groups": ["deployers"], "username": "ci"},
    {"name": "machines", "principal_arn": f"{TEAM}-nodes", "type": "EC2_LINUX"},
    {
        "name": "auto",
        "principal_arn": f"{TEAM}-auto",
        "type": "EC2",
        "policies": [{"policy": "AmazonEKSAutoNodePolicy"}],
    },
]


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
        "cluster-team": {"clusterName": "prod", "principalArn": TEAM, "type": "STANDARD"},
        "cluster-bound": {
            "clusterName": "prod",
            "principalArn": f"{TEAM}-ci",
            "type": "STANDARD",
            "kubernetesGroups": ["deployers"],
            "userName": "ci",
        },
        "cluster-machines": {"clusterName": "prod", "principalArn": f"{TEAM}-nodes", "type": "EC2_LINUX"},
        "cluster-auto": {"clusterName": "prod", "principalArn": f"{TEAM}-auto", "type": "EC2"},
    }
    associations = {r.name: r.inputs for r in entered.by_type("AccessPolicyAssociation")}
    view, edit = associations["cluster-team-AmazonEKSViewPolicy"], associations["cluster-team-AmazonEKSEditPolicy"]
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
        entry = association.name.rpartition("-")[0]
        assert entered.one("AccessEntry", entry).urn in association.dependencies


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


def with_entry(**changed: Any) -> dict[str, Any]:
    return {"access_entries": [{**ENTRIES[0], **changed}]}


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"cluster_name": "my cluster"}, "cluster_name", "cluster-name"),
        ({"version": 1.35}, "version", "wrong-type"),
        ({"version": "1.35.2"}, "version", "cluster-version"),
        ({"version": "1.29"}, "version", "cluster-version"),
        ({"subnet_ids": ["subnet-a"]}, "subnet_ids", "control-plane-subnets"),
        ({"subnet_ids": []}, "subnet_ids", "control-plane-subnets"),
        ({"public_access_cidrs": ["10.0.0.0/8"]}, "public_access_cidrs", "private-source"),
        ({"public_access_cidrs": ["203.0.113.7"]}, "public_access_cidrs[0]", "ipv4-block"),
        ({"log_types": ["api", "audits"]}, "log_types[1]", "choice"),
        ({"log_retention_days": 100}, "log_retention_days", "log-retention"),
        ({"support_type": "standard"}, "support_type", "choice"),
        ({"service_cidr": "203.0.113.0/24"}, "service_cidr", "service-block"),
        ({"timeouts": {"create": "45 minutes"}}, "timeouts.create", "cluster-timeout"),
        ({"timeouts": {"create": ""}}, "timeouts.create", "cluster-timeout"),
        ({"timeouts": {"creat": "45m"}}, "timeouts.creat", "unknown-field"),
        ({"secrets_kms_key_arn": "foo"}, "secrets_kms_key_arn", "kms-key-arn"),
        ({"log_kms_key_arn": "alias/mine"}, "log_kms_key_arn", "kms-key-arn"),
        ({"role_arn": "foo"}, "role_arn", "role-arn"),
        ({"creator_is_admin": False}, "creator_is_admin", "cluster-without-administrator"),
        ({"access_entries": [ENTRIES[0]] * 2}, "access_entries", "duplicate"),
        ({"access_entries": [ENTRIES[0], {**ENTRIES[0], "name": "other"}]}, "access_entries", "duplicate"),
        (with_entry(name="Platform"), "access_entries['Platform'].name", "access-entry-name"),
        (with_entry(principal_arn=SESSION), "access_entries['team'].principal_arn", "access-entry-principal"),
        (with_entry(principal_arn="platform"), "access_entries['team'].principal_arn", "access-entry-principal"),
        (with_entry(type="LINUX"), "access_entries['team'].type", "choice"),
        (with_entry(type="EC2_LINUX"), "access_entries['team'].policies", "ignored-argument"),
        (
            with_entry(type="EC2", kubernetes_groups=["a"]),
            "access_entries['team'].kubernetes_groups",
            "ignored-argument",
        ),
        (with_entry(type="EC2", username="a"), "access_entries['team'].username", "ignored-argument"),
        (with_entry(policies=[]), "access_entries['team']", "access-entry-without-permissions"),
        (with_entry(type="EC2", policies=[]), "access_entries['team']", "access-entry-without-permissions"),
        (with_entry(kubernetes_groups=[""]), "access_entries['team'].kubernetes_groups[0]", "empty-group"),
        ({"ignore_changes": ["version", ""]}, "ignore_changes[1]", "ignored-property"),
        ({"ignore_changes": ['["*"]']}, "ignore_changes[0]", "ignored-property"),
        ({"ignore_changes": ["vpc_config.subnetIds"]}, "ignore_changes[0]", "ignored-property"),
        (
            with_entry(kubernetes_groups=["readers", "system:masters"]),
            "access_entries['team'].kubernetes_groups[1]",
            "reserved-group",
        ),
        (
            with_entry(policies=[{"policy": "arn:aws:eks::aws:x"}]),
            "access_entries['team'].policies[0].policy",
            "access-policy",
        ),
        (
            with_entry(policies=[{"policy": "AmazonEKSEditPolicy", "namespaces": []}]),
            "access_entries['team'].policies[0].namespaces",
            "empty-list",
        ),
        (
            with_entry(policies=[{"policy": "AmazonEKSEditPolicy", "namespaces": ["rocketmq", "Team"]}]),
            "access_entries['team'].policies[0].namespaces[1]",
            "access-policy-namespace",
        ),
        (with_entry(policies=[VIEW, VIEW]), "access_entries['team'].policies", "duplicate"),
    ],
)
def test_invalid_arguments_are_rejected_before_any_resource_is_registered(
    changed: dict[str, Any], path: str, code: str
) -> None:
    recording = Recording(preview=True)
    with rejects((path, code)):
        run(program(**changed), preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda arn: {"secrets_kms_key_arn": arn}, "secrets_kms_key_arn"),
        (lambda arn: {"log_kms_key_arn": arn}, "log_kms_key_arn"),
        (lambda arn: with_entry(principal_arn=arn), "access_entries['team'].principal_arn"),
    ],
)
def test_an_arn_output_is_validated_when_its_value_is_known(
    change: Callable[[object], dict[str, Any]], path: str
) -> None:
    def register() -> None:
        program(**change(pulumi.Output.from_input("platform")))()

    with pytest.raises(pulumi.RunError, match=f"^{re.escape(path)}: 'platform' "):
        run(register, preview=True)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_the_transform_preserves_unknown_values_of_the_pulumi_engine(preview: bool) -> None:
    """Call the transform over gRPC, as the engine does. The test harness calls transforms with plain values."""
    inputs = {
        "accessConfig": {"authenticationMode": "API"},
        "roleArn": UNKNOWN_MARK if preview else "arn:aws:iam::123456789012:role/r",
        "vpcConfig": {"subnetIds": UNKNOWN_MARK if preview else ["subnet-a"], "endpointPrivateAccess": True},
    }
    answers: list[Any] = []

    async def call(transform: Any) -> None:
        no_monitor: Any = None
        servicer = _CallbackServicer(no_monitor)
        callback = servicer.register_transform(transform)
        request = resource_pb2.TransformRequest(type=CLUSTER, name="c", custom=True)
        request.properties.update(inputs)
        request.options.protect = True
        request.options.ignore_changes.append("bootstrapSelfManagedAddons")
        answers.append(await servicer._callbacks[callback.token](request.SerializeToString()))
        _CallbackServicer._servicers.remove(servicer)
        await servicer._server.stop(grace=None)

    recording = Recording(preview=preview)

    def register() -> None:
        hooks = reject_existing_cluster("c-eks", "c", pulumi.ComponentResource("test:index:Holder", "holder"))
        args: EksClusterArgs = {**ARGS, "ignore_changes": ["version"], "timeouts": {"create": "45m"}}
        pulumi.Output.from_input(call(_create_cluster_transform(args, hooks)))

    run(register, preview=preview, recording=recording)
    (answer,) = answers
    properties = json_format.MessageToDict(answer.properties)
    assert properties.pop("accessConfig") == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": True,
    }
    assert properties == {key: value for key, value in inputs.items() if key != "accessConfig"}
    assert answer.options.protect
    assert list(answer.options.ignore_changes) == ["bootstrapSelfManagedAddons", "version"]
    assert answer.options.custom_timeouts.create == "45m"
    assert list(answer.options.hooks.before_create) == ["c-eks-preflight"]


def test_a_missing_aws_command_is_rejected_before_any_resource_is_registered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError, match="`aws` command is not on PATH; a new cluster needs it, for a preview"):
        run(program(), preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []


@pytest.mark.parametrize(
    ("invalid", "message"),
    [
        ({"public_access_cidrs": []}, "`publicAccessCidrs` can only be set when `endpointPublicAccess` is true"),
        ({"private_subnet_ids": ["s"]}, "mutually exclusive"),
        ({"authentication_mode": "EKS"}, "Invalid value for authenticationMode: EKS"),
        ({"skip_default_node_group": False}, "Cannot read properties of undefined"),
        ({"create_oidc_provider": True}, "Cannot retrieve the certificate fingerprint"),
    ],
)
def test_the_fake_rejects_what_the_real_pulumi_eks_component_rejects(invalid: dict[str, Any], message: str) -> None:
    def register() -> None:
        import pulumi_aws as aws  # noqa: PLC0415
        import pulumi_eks as eks  # noqa: PLC0415

        role = aws.iam.Role("role", assume_role_policy="{}")
        cluster_args: Any = {
            "service_role": role,
            "vpc_id": "vpc-1",
            "subnet_ids": ["subnet-a"],
            "authentication_mode": "API",
            "endpoint_public_access": False,
            "skip_default_node_group": True,
            "skip_default_security_groups": True,
            **invalid,
        }
        eks.Cluster("c", **cluster_args)

    with pytest.raises(Exception, match=f"eks:index:Cluster resource 'c' has a problem: .*{message}"):
        run(register, preview=True)
