"""A new EKS cluster: related resources, outputs and the arguments that reach AWS."""

import json

import pytest
from pulumi import ResourceOptions

from eks_rocketmq import EksCluster, ExistingEksCluster
from tests.unit.eks.cluster.eks_cluster_case import ARN, CLUSTER, INVENTORY, REMOTE, TEAM, program
from tests.unit.harness import UNKNOWN, Recording, run
from tests.unit.harness.eks_component import ISSUER
from tests.unit.harness.fakes import REGION
from tests.unit.harness.trust import statements

STACK_TAGS = {"eks-rocketmq/stack": "eks-rocketmq/test"}


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
    inherited = run(program(ResourceOptions(protect=True), deletion_protection=False))
    assert inherited.one(CLUSTER).protect


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
