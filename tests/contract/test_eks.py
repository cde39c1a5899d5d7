"""EKS: cluster, addons with the status that the cluster reports, Pod Identity associations and access entries."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import layout
from sandbox.aws.addon_catalogue import CATALOGUE, EBS_CSI
from sandbox.aws.seed import DRIVER_VERSION
from tests.contract.errors import refused
from tests.contract.server import ROLE_ARN, Server

ADDON = {"clusterName": layout.CLUSTER, "addonName": EBS_CSI}
DRIVER = "ebs-csi-controller-sa"
ACTIVE = '{"status": "ACTIVE", "issues": []}'
TOO_FEW = {"code": "InsufficientNumberOfReplicas", "message": "0 of 1 ready", "resourceIds": []}
ROLLING = json.dumps({"status": "DEGRADED", "issues": [TOO_FEW]})


@pytest.fixture
def eks(aws: Server) -> Iterator[Any]:
    """EKS client. The addon of the seed is restored afterwards."""
    client = aws.client("eks")
    yield client
    for name in client.list_addons(clusterName=layout.CLUSTER)["addons"]:
        client.delete_addon(clusterName=layout.CLUSTER, addonName=name)
    client.create_addon(**ADDON, serviceAccountRoleArn=ROLE_ARN)


def test_cluster_description_matches_the_running_cluster(aws: Server) -> None:
    cluster = aws.client("eks").describe_cluster(name=layout.CLUSTER)["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["version"] == "1.35"
    assert cluster["endpoint"] == f"https://{layout.CONTROL_ADDRESS}:{layout.API_PORT}"
    assert cluster["identity"]["oidc"]["issuer"] == layout.ISSUER
    authority = base64.b64decode(cluster["certificateAuthority"]["data"])
    assert authority == (aws.root / "pki" / "ca.crt").read_bytes()
    assert cluster["accessConfig"]["authenticationMode"] == "API"
    assert cluster["arn"] == f"arn:aws:eks:{layout.REGION}:{layout.ACCOUNT}:cluster/{layout.CLUSTER}"
    network = cluster["resourcesVpcConfig"]
    subnets = aws.client("ec2").describe_subnets(SubnetIds=network["subnetIds"])["Subnets"]
    assert {subnet["AvailabilityZone"] for subnet in subnets} == {node.zone for node in layout.NODES}
    assert {subnet["VpcId"] for subnet in subnets} == {network["vpcId"]}


def test_cluster_has_the_status_that_a_file_reports(aws: Server) -> None:
    issue = {"code": "IamRoleNotFound", "message": "the role is gone", "resourceIds": ["role"]}
    file = aws.root / "clusters" / f"{layout.CLUSTER}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"status": "FAILED", "issues": [issue]}))
    try:
        cluster = aws.client("eks").describe_cluster(name=layout.CLUSTER)["cluster"]
    finally:
        file.unlink()
    assert (cluster["status"], cluster["health"]) == ("FAILED", {"issues": [issue]})
    cluster = aws.client("eks").describe_cluster(name=layout.CLUSTER)["cluster"]
    assert (cluster["status"], cluster["health"]) == ("ACTIVE", {"issues": []})


def test_missing_cluster_is_not_found(aws: Server) -> None:
    for call in (
        lambda eks: eks.describe_cluster(name="none"),
        lambda eks: eks.describe_addon(clusterName="none", addonName=EBS_CSI),
        lambda eks: eks.create_addon(clusterName="none", addonName=EBS_CSI),
        lambda eks: eks.list_addons(clusterName="none"),
    ):
        with refused("ResourceNotFoundException", "No cluster found for name: none."):
            call(aws.client("eks"))


def test_duplicate_cluster_and_invalid_subnet_are_rejected(aws: Server) -> None:
    network = aws.client("eks").describe_cluster(name=layout.CLUSTER)["cluster"]["resourcesVpcConfig"]
    role = f"arn:aws:iam::{layout.ACCOUNT}:role/prod-cluster"
    with refused("ResourceInUseException", "Cluster already exists with name: prod"):
        aws.client("eks").create_cluster(
            name=layout.CLUSTER, roleArn=role, resourcesVpcConfig={"subnetIds": network["subnetIds"]}
        )
    with refused("InvalidParameterException", "subnet-0 "):
        aws.client("eks").create_cluster(name="other", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-0 "]})


def test_addon_has_role_and_version_of_the_original_case(eks: Any) -> None:
    addon = eks.describe_addon(**ADDON)["addon"]
    assert addon["serviceAccountRoleArn"] == ROLE_ARN
    # The original case has a driver before 1.49, which reports the STS error in the events of the claim.
    assert addon["addonVersion"] == DRIVER_VERSION
    assert eks.list_addons(clusterName=layout.CLUSTER)["addons"] == [EBS_CSI]
    with refused("ResourceInUseException", "Addon already exists."):
        eks.create_addon(**ADDON)


def test_addon_status_follows_the_report_of_the_cluster(aws: Server, eks: Any) -> None:
    eks.delete_addon(**ADDON)
    with refused("ResourceNotFoundException", f"No addon: {EBS_CSI} found in cluster: {layout.CLUSTER}"):
        eks.describe_addon(**ADDON)
    made = eks.create_addon(**ADDON, serviceAccountRoleArn=ROLE_ARN, tags={"a": "1"})["addon"]
    assert made["status"] == "CREATING"
    assert eks.describe_addon(**ADDON)["addon"]["status"] == "CREATING"
    aws.report(EBS_CSI, ROLLING)
    assert eks.describe_addon(**ADDON)["addon"]["status"] == "CREATING"
    aws.report(EBS_CSI, ACTIVE)
    addon = eks.describe_addon(**ADDON)["addon"]
    assert (addon["status"], addon["tags"]) == ("ACTIVE", {"a": "1"})
    aws.report(EBS_CSI, ROLLING)
    addon = eks.describe_addon(**ADDON)["addon"]
    assert (addon["status"], addon["health"]["issues"]) == ("DEGRADED", [TOO_FEW])


def test_addon_update_is_in_progress_until_the_cluster_reports_active(aws: Server, eks: Any) -> None:
    aws.report(EBS_CSI, ACTIVE)
    newest = CATALOGUE[EBS_CSI].versions[0]
    configuration = '{"controller": {"replicaCount": 1}}'
    update = eks.update_addon(
        **ADDON, serviceAccountRoleArn=ROLE_ARN, addonVersion=newest, configurationValues=configuration
    )
    polled = {"name": layout.CLUSTER, "addonName": EBS_CSI, "updateId": update["update"]["id"]}
    assert eks.describe_update(**polled)["update"]["status"] == "InProgress"
    assert eks.describe_addon(**ADDON)["addon"]["status"] == "UPDATING"
    with refused("ResourceInUseException", "UPDATING"):
        eks.update_addon(**ADDON)
    aws.report(EBS_CSI, ROLLING)
    assert eks.describe_update(**polled)["update"]["status"] == "InProgress"
    aws.report(EBS_CSI, ACTIVE)
    assert eks.describe_update(**polled)["update"]["status"] == "Successful"
    addon = eks.describe_addon(**ADDON)["addon"]
    assert (addon["addonVersion"], addon["serviceAccountRoleArn"]) == (newest, ROLE_ARN)
    with refused("ResourceNotFoundException", "No update found"):
        eks.describe_update(**{**polled, "updateId": "0"})


def test_addon_role_is_removed_by_omission_and_not_by_empty_string(aws: Server, eks: Any) -> None:
    """The AWS provider sends an empty string: https://github.com/hashicorp/terraform-provider-aws/issues/30645."""
    aws.report(EBS_CSI, ACTIVE)
    unchecked = aws.client("eks", parameter_validation=False)
    with refused("InvalidParameterException", "Cross-account pass role is not allowed."):
        unchecked.update_addon(**ADDON, serviceAccountRoleArn="")
    assert eks.describe_addon(**ADDON)["addon"]["serviceAccountRoleArn"] == ROLE_ARN
    eks.update_addon(**ADDON, configurationValues="{}")
    aws.report(EBS_CSI, ACTIVE)
    assert "serviceAccountRoleArn" not in eks.describe_addon(**ADDON)["addon"]


def test_addon_update_fails_when_the_cluster_reports_a_conflict(aws: Server, eks: Any) -> None:
    aws.report(EBS_CSI, ACTIVE)
    update = eks.update_addon(**ADDON, configurationValues="{}")
    aws.report(EBS_CSI, '{"status": "DEGRADED", "issues": [{"code": "ConfigurationConflict", "message": "no node"}]}')
    found = eks.describe_update(name=layout.CLUSTER, addonName=EBS_CSI, updateId=update["update"]["id"])["update"]
    assert (found["status"], found["errors"][0]["errorMessage"]) == ("Failed", "no node")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"addonName": "no-such-addon"}, "no-such-addon specified is not supported"),
        ({"addonVersion": "v0"}, "Addon version specified is not supported"),
        ({"configurationValues": "{not json"}, "not in valid JSON"),
        ({"configurationValues": '{"controler": {}}'}, "$.controler: is not defined in the schema"),
        ({"configurationValues": '{"controller": {"replicaCount": "2"}}'}, "$.controller.replicaCount: str found"),
        ({"serviceAccountRoleArn": f"arn:aws:iam::{layout.ACCOUNT}:role/nobody"}, "does not exist"),
        ({"podIdentityAssociations": [{"serviceAccount": "a", "roleArn": ROLE_ARN}]}, "Service account a is not"),
        ({"podIdentityAssociations": [{"serviceAccount": DRIVER, "roleArn": f"{ROLE_ARN}-x"}]}, "does not exist"),
    ],
)
def test_invalid_addon_is_rejected(eks: Any, arguments: dict[str, Any], words: str) -> None:
    eks.delete_addon(**ADDON)
    with refused("InvalidParameterException", words):
        eks.create_addon(**{**ADDON, **arguments})


def associations(eks: Any, **by: str) -> list[dict[str, Any]]:
    found = eks.list_pod_identity_associations(clusterName=layout.CLUSTER, **by)["associations"]
    named = [{"clusterName": layout.CLUSTER, "associationId": each["associationId"]} for each in found]
    return [eks.describe_pod_identity_association(**each)["association"] for each in named]


def test_addon_creates_updates_and_deletes_its_pod_identity_associations(aws: Server, eks: Any) -> None:
    eks.delete_addon(**ADDON)
    mine = [{"serviceAccount": DRIVER, "roleArn": ROLE_ARN}]
    addon = eks.create_addon(**ADDON, podIdentityAssociations=mine)["addon"]
    aws.report(EBS_CSI, ACTIVE)
    (made,) = associations(eks)
    assert addon["podIdentityAssociations"] == [made["associationArn"]]
    assert (made["namespace"], made["serviceAccount"], made["roleArn"]) == ("kube-system", DRIVER, ROLE_ARN)
    assert made["ownerArn"] == addon["addonArn"]
    other = f"arn:aws:iam::{layout.ACCOUNT}:role/prod-cluster"
    eks.update_addon(**ADDON, podIdentityAssociations=[{"serviceAccount": DRIVER, "roleArn": other}])
    aws.report(EBS_CSI, ACTIVE)
    assert [each["roleArn"] for each in associations(eks)] == [other]
    eks.describe_addon(**ADDON)
    eks.update_addon(**ADDON, configurationValues="{}")
    aws.report(EBS_CSI, ACTIVE)
    assert len(eks.describe_addon(**ADDON)["addon"]["podIdentityAssociations"]) == 1, "omitted associations are kept"
    eks.update_addon(**ADDON, podIdentityAssociations=[])
    aws.report(EBS_CSI, ACTIVE)
    assert associations(eks) == []
    assert "podIdentityAssociations" not in eks.describe_addon(**ADDON)["addon"]
    eks.update_addon(**ADDON, podIdentityAssociations=mine)
    eks.delete_addon(**ADDON)
    assert associations(eks) == []


def test_association_requires_existing_role_and_unique_service_account(eks: Any) -> None:
    named = {"clusterName": layout.CLUSTER, "namespace": "apps", "serviceAccount": "reader"}
    with refused("InvalidParameterException", "Role provided in the request does not exist."):
        eks.create_pod_identity_association(**named, roleArn=f"{ROLE_ARN}-x")
    made = eks.create_pod_identity_association(**named, roleArn=ROLE_ARN, tags={"a": "1"})["association"]
    one = {"clusterName": layout.CLUSTER, "associationId": made["associationId"]}
    try:
        with refused("ResourceInUseException", "Association already exists"):
            eks.create_pod_identity_association(**named, roleArn=ROLE_ARN)
        with refused("InvalidParameterException", "does not exist"):
            eks.update_pod_identity_association(**one, roleArn=f"{ROLE_ARN}-x")
        eks.update_pod_identity_association(**one, disableSessionTags=True)
        eks.tag_resource(resourceArn=made["associationArn"], tags={"b": "2"})
        (found,) = associations(eks, namespace="apps", serviceAccount="reader")
        assert (found["roleArn"], found["disableSessionTags"], found["tags"]) == (ROLE_ARN, True, {"a": "1", "b": "2"})
    finally:
        eks.delete_pod_identity_association(**one)
    with refused("ResourceNotFoundException", "No pod identity association found"):
        eks.describe_pod_identity_association(**one)


def test_addon_versions_and_configuration_schema_are_described(eks: Any) -> None:
    versions = eks.describe_addon_versions(addonName=EBS_CSI, kubernetesVersion="1.35")["addons"][0]["addonVersions"]
    default = [
        each["addonVersion"] for each in versions if any(fit["defaultVersion"] for fit in each["compatibilities"])
    ]
    assert default == [CATALOGUE[EBS_CSI].default_version]
    assert eks.describe_addon_versions(addonName=EBS_CSI, kubernetesVersion="1.20")["addons"] == []
    found = eks.describe_addon_configuration(addonName=EBS_CSI, addonVersion=default[0])
    assert "controller" in json.loads(found["configurationSchema"])["properties"]


def test_addon_tags_are_added_and_removed(eks: Any) -> None:
    arn = eks.describe_addon(**ADDON)["addon"]["addonArn"]
    eks.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    eks.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    assert eks.describe_addon(**ADDON)["addon"]["tags"] == {"b": "2"}


def test_access_entry_requires_existing_principal_and_valid_policy(aws: Server) -> None:
    eks, operator = aws.client("eks"), f"arn:aws:iam::{layout.ACCOUNT}:user/deployer"
    assert eks.list_access_entries(clusterName=layout.CLUSTER)["accessEntries"] == [operator]
    with refused("InvalidParameterException", "invalid principal"):
        eks.create_access_entry(clusterName=layout.CLUSTER, principalArn=f"{operator}-x")
    with refused("ResourceInUseException"):
        eks.create_access_entry(clusterName=layout.CLUSTER, principalArn=operator)
    with refused("InvalidParameterException", "not an EKS access policy"):
        eks.associate_access_policy(
            clusterName=layout.CLUSTER,
            principalArn=operator,
            policyArn="arn:aws:eks::aws:cluster-access-policy/Wrong",
            accessScope={"type": "cluster"},
        )
    found = eks.list_associated_access_policies(clusterName=layout.CLUSTER, principalArn=operator)
    assert [each["policyArn"].rsplit("/", 1)[-1] for each in found["associatedAccessPolicies"]] == [
        "AmazonEKSClusterAdminPolicy"
    ]
