"""Roles of the pipelines in the AWS account: their trust policies and their permissions."""

import json
from typing import Any

import pulumi
import pytest
import yaml

from eks_rocketmq.eks.ebs.driver_plan import PERMISSIONS
from eks_rocketmq.eks.ebs.ebs_csi_policy import PolicyScope, build_key_policy, build_volume_policy
from sandbox.aws.policies import published
from tests.unit.ci_role_case import ADMINISTRATOR, DRIVER_BOUNDARY, GITHUB, arn, deploy_example, fakes, iam
from tests.unit.harness import REPOSITORY, Recording
from tests.unit.harness.fakes import ACCOUNT, REGION, cluster
from tests.unit.harness.permissions import Request, allows
from tests.unit.harness.trust import Token, admits

# An import of one class of `aws.s3` loads all its classes, deprecated ones included.
pytestmark = pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of:DeprecationWarning")


@pytest.fixture(scope="module")
def deployed() -> Recording:
    return deploy_example()


def test_the_example_registers_exactly_these_resources(deployed: Recording) -> None:
    assert deployed.inventory() == {
        "aws:eks/accessEntry:AccessEntry": 2,
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": 3,
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": 1,
        "aws:iam/policy:Policy": 2,
        "aws:iam/role:Role": 2,
        "aws:iam/rolePolicy:RolePolicy": 2,
        "aws:kms/alias:Alias": 1,
        "aws:kms/key:Key": 1,
        "aws:s3/bucket:Bucket": 1,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": 1,
        "aws:s3/bucketVersioning:BucketVersioning": 1,
        "eks-rocketmq-ci:index:PipelineRole": 2,
        "eks-rocketmq-ci:index:StateStore": 1,
        "eks-rocketmq:index:ClusterOidcProvider": 1,
    }


def test_a_preview_registers_the_same_resources(deployed: Recording) -> None:
    assert deploy_example(preview=True).inventory() == deployed.inventory()


def test_an_existing_github_provider_is_used_unchanged() -> None:
    answer = {"arn": iam("oidc-provider/token.actions.githubusercontent.com"), "clientIdLists": ["sts.amazonaws.com"]}
    found = fakes().answering("aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", lambda _: answer)
    recording = deploy_example(using=found, githubProvider="existing")
    assert "aws:iam/openIdConnectProvider:OpenIdConnectProvider" not in recording.inventory()
    assert admits(trust(recording, "deploy"), Token(GITHUB, "repo:example/eks-rocketmq:environment:production"))


def test_the_state_bucket_is_private_encrypted_and_protected(deployed: Recording) -> None:
    bucket, key = deployed.one("Bucket"), deployed.one("Key")
    assert (bucket.protect, key.protect) == (True, True)
    assert key.inputs["enableKeyRotation"] is True
    block = deployed.one("BucketPublicAccessBlock").inputs
    assert [block[each] for each in block if each != "bucket"] == [True] * 4
    assert deployed.one("BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    (rule,) = deployed.one("BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": arn("kms", "key/1234"),
    }


def test_outputs_match_the_variables_of_the_workflows(deployed: Recording) -> None:
    assert deployed.outputs == {
        "AWS_REGION": REGION,
        "AWS_PREVIEW_ROLE": iam("role/eks-rocketmq-ci-preview"),
        "AWS_DEPLOY_ROLE": iam("role/eks-rocketmq-ci-deploy"),
        "PULUMI_BACKEND_URL": f"s3://example-eks-rocketmq-state?region={REGION}",
        "secretsProvider": f"awskms:///alias/eks-rocketmq-ci?region={REGION}",
        "driverBoundary": DRIVER_BOUNDARY,
    }
    used = "".join(path.read_text() for path in (REPOSITORY / ".github" / "workflows").glob("*.yml"))
    assert [name for name in deployed.outputs if name.isupper() and f"vars.{name} " not in used] == []


def trust(recording: Recording, role: str) -> str:
    return recording.one("Role", f"{role}-role").inputs["assumeRolePolicy"]


REPO = "repo:example/eks-rocketmq"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (f"{REPO}:pull_request", {"preview"}),
        (f"{REPO}:ref:refs/heads/main", {"preview"}),
        (f"{REPO}:environment:production", {"deploy"}),
        (f"{REPO}:environment:staging", set()),
        (f"{REPO}:ref:refs/heads/feature", set()),
        (f"{REPO}:ref:refs/tags/v1", set()),
        (f"{REPO}-fork:pull_request", set()),
        ("repo:someone/eks-rocketmq:pull_request", set()),
        ("repo:someone/eks-rocketmq:environment:production", set()),
        ("repo:example@1/eks-rocketmq@2:environment:production", set()),
    ],
)
def test_each_job_can_assume_its_own_role_only(subject: str, expected: set[str], deployed: Recording) -> None:
    roles = {role for role in ("preview", "deploy") if admits(trust(deployed, role), Token(GITHUB, subject))}
    assert roles == expected


def test_a_token_of_another_audience_or_issuer_is_rejected(deployed: Recording) -> None:
    for token in (
        Token(GITHUB, f"{REPO}:environment:production", audience="https://github.com/example"),
        Token("https://oidc.eks.eu-west-1.amazonaws.com/id/1", f"{REPO}:environment:production"),
    ):
        assert not admits(trust(deployed, "deploy"), token)


def test_a_repository_with_immutable_subjects_is_matched_by_its_ids() -> None:
    recording = deploy_example(repository="example@12/eks-rocketmq@345", environment="live")
    assert admits(trust(recording, "deploy"), Token(GITHUB, "repo:example@12/eks-rocketmq@345:environment:live"))
    assert not admits(trust(recording, "deploy"), Token(GITHUB, f"{REPO}:environment:live"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"repository": "example/*"}, r"repository is 'example/\*'; accepted is owner/name, or owner@1/name@2"),
        ({"repository": "eks-rocketmq"}, "repository is 'eks-rocketmq'; accepted is owner/name"),
        ({"environment": "prod*"}, r"environment is 'prod\*'; accepted are letters, digits"),
    ],
)
def test_a_pattern_as_repository_or_environment_is_rejected(wrong: dict[str, Any], message: str) -> None:
    recording = Recording(preview=True)
    with pytest.raises(ValueError, match=message):
        deploy_example(**wrong)
    assert recording.resources == {}


ROLE = iam("role/eks-ebs-csi-driver")
DRIVER_POLICY = {"iam:PolicyARN": "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"}
STATE = "arn:aws:s3:::example-eks-rocketmq-state"
ADDON = arn("eks", "addon/prod/aws-ebs-csi-driver/0")
ASSOCIATION = arn("eks", "podidentityassociation/prod/a-1")
BOUNDED = {"iam:PermissionsBoundary": DRIVER_BOUNDARY}


@pytest.mark.parametrize(
    ("request_", "allowed"),
    [
        (Request("s3:GetObject", f"{STATE}/.pulumi/stacks/eks-rocketmq/prod.json"), {"preview", "deploy"}),
        (Request("s3:PutObject", f"{STATE}/.pulumi/stacks/eks-rocketmq/prod.json"), {"deploy"}),
        (Request("s3:GetObject", "arn:aws:s3:::another-bucket/secret"), set()),
        (Request("s3:DeleteBucket", STATE), set()),
        (Request("kms:Decrypt", arn("kms", "key/1234")), {"preview", "deploy"}),
        (Request("kms:Decrypt", arn("kms", "key/another")), set()),
        (Request("kms:ScheduleKeyDeletion", arn("kms", "key/1234")), set()),
        (Request("iam:GetRole", ROLE), {"preview", "deploy"}),
        (Request("iam:GetOpenIDConnectProvider", iam("oidc-provider/oidc.eks/id/8DE4")), {"preview", "deploy"}),
        (Request("eks:DescribeCluster", arn("eks", "cluster/prod")), {"preview", "deploy"}),
        (Request("eks:DescribeAddon", ADDON), {"preview", "deploy"}),
        (Request("eks:DescribePodIdentityAssociation", ASSOCIATION), {"preview", "deploy"}),
        (Request("eks:CreateAddon", arn("eks", "cluster/prod")), {"deploy"}),
        (Request("eks:UpdateAddon", ADDON), {"deploy"}),
        (Request("eks:UpdateAddon", arn("eks", "addon/prod/vpc-cni/0")), set()),
        (Request("eks:DeleteCluster", arn("eks", "cluster/prod")), set()),
        (Request("iam:CreateRole", ROLE), {"deploy"}),
        (Request("iam:CreateRole", iam("role/admin")), set()),
        (Request("iam:UpdateAssumeRolePolicy", ROLE), {"deploy"}),
        (Request("iam:AttachRolePolicy", ROLE, DRIVER_POLICY), {"deploy"}),
        (
            Request("iam:AttachRolePolicy", ROLE, {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}),
            set(),
        ),
        (Request("iam:PutRolePolicy", ROLE), set()),
        (Request("iam:PutRolePolicy", ROLE, BOUNDED), {"deploy"}),
        (Request("iam:PutRolePolicy", iam("role/admin"), BOUNDED), set()),
        (Request("iam:PutRolePolicy", ROLE, {"iam:PermissionsBoundary": iam("policy/wide")}), set()),
        (Request("iam:GetRolePolicy", ROLE), {"preview", "deploy"}),
        (Request("iam:DeleteRolePolicy", ROLE, BOUNDED), {"deploy"}),
        (Request("iam:DeleteRolePolicy", iam("role/eks-rocketmq-ci-preview"), BOUNDED), set()),
        (Request("iam:PutRolePermissionsBoundary", ROLE, BOUNDED), {"deploy"}),
        (Request("iam:PutRolePermissionsBoundary", ROLE, {"iam:PermissionsBoundary": iam("policy/wide")}), set()),
        (Request("iam:DeleteRolePermissionsBoundary", ROLE, BOUNDED), set()),
        (Request("iam:CreatePolicyVersion", DRIVER_BOUNDARY), set()),
        (Request("eks:CreatePodIdentityAssociation", arn("eks", "cluster/prod")), {"deploy"}),
        (Request("eks:CreatePodIdentityAssociation", arn("eks", "cluster/other")), set()),
        (Request("eks:UpdatePodIdentityAssociation", ASSOCIATION), {"deploy"}),
        (Request("eks:DeletePodIdentityAssociation", ASSOCIATION), {"deploy"}),
        (Request("eks:DeletePodIdentityAssociation", arn("eks", "podidentityassociation/other/a-1")), set()),
        (Request("iam:PassRole", ROLE, {"iam:PassedToService": "pods.eks.amazonaws.com"}), {"deploy"}),
        (Request("iam:PassRole", ROLE, {"iam:PassedToService": "eks.amazonaws.com"}), {"deploy"}),
        (Request("iam:PassRole", ROLE, {"iam:PassedToService": "ec2.amazonaws.com"}), set()),
        (
            Request("iam:CreateOpenIDConnectProvider", iam(f"oidc-provider/oidc.eks.{REGION}.amazonaws.com/id/8DE4")),
            {"deploy"},
        ),
        (Request("iam:CreateOpenIDConnectProvider", iam("oidc-provider/accounts.example.com")), set()),
    ],
    ids=lambda value: value.action + " " + value.resource.rpartition(":")[2] if isinstance(value, Request) else "",
)
def test_a_role_has_only_the_permissions_of_its_pipeline(
    request_: Request, allowed: set[str], deployed: Recording
) -> None:
    boundary = deployed.one("aws:iam/policy:Policy", "boundary").inputs["policy"]
    limits = {"preview": None, "deploy": boundary}
    policies = {role: deployed.one("RolePolicy", f"{role}-policy").inputs["policy"] for role in limits}
    assert {role for role, limit in limits.items() if allows([policies[role]], request_, limit)} == allowed


@pytest.mark.parametrize(
    "request_",
    [
        Request("iam:DeleteRolePermissionsBoundary", iam("role/eks-rocketmq-ci-deploy")),
        Request("iam:UpdateAssumeRolePolicy", iam("role/eks-rocketmq-ci-preview")),
        Request("iam:CreatePolicyVersion", iam("policy/eks-rocketmq-ci-deploy-boundary")),
        Request("iam:CreatePolicyVersion", DRIVER_BOUNDARY),
        Request("iam:DeleteRolePermissionsBoundary", ROLE),
        Request("iam:DeleteOpenIDConnectProvider", iam("oidc-provider/token.actions.githubusercontent.com")),
        Request("iam:CreateUser", iam("user/eve")),
        Request("iam:CreateAccessKey", iam("user/eve")),
        Request("organizations:LeaveOrganization", "*"),
        Request("kms:DisableKey", arn("kms", "key/1234")),
        Request("s3:GetObject", "arn:aws:s3:::another-bucket/secret"),
    ],
    ids=lambda value: value.action,
)
def test_the_boundary_limits_a_deploy_role_with_administrator_permissions(
    request_: Request, deployed: Recording
) -> None:
    boundary = deployed.one("aws:iam/policy:Policy", "boundary").inputs["policy"]
    assert allows([ADMINISTRATOR], request_)
    assert not allows([ADMINISTRATOR], request_, boundary)
    assert allows([ADMINISTRATOR], Request("ec2:CreateVpc", arn("ec2", "vpc/*")), boundary)


MANAGED = {policy.arn: json.dumps(policy.document) for policy in published()}
KEY = arn("kms", "key/volumes")
SCOPE = PolicyScope("aws", REGION, ACCOUNT, "prod")
THROUGH_EC2 = {"kms:ViaService": f"ec2.{REGION}.amazonaws.com", "kms:GrantIsForAWSResource": "true"}


def list_permissions(document: str) -> set[tuple[str, str]]:
    """Return action and ARN of each permission in a policy document."""
    found = set()
    for statement in json.loads(document)["Statement"]:
        actions, resources = (
            [each] if isinstance(each, str) else each for each in (statement["Action"], statement["Resource"])
        )
        found |= {(a, r.replace(":ec2:*:*:", f":ec2:{REGION}:{ACCOUNT}:")) for a in actions for r in resources}
    return found


@pytest.mark.parametrize(
    "document",
    [
        *(MANAGED[f"arn:aws:iam::aws:policy/{policy}"] for policy in PERMISSIONS.values() if policy),
        build_volume_policy(SCOPE, snapshots=True),
        build_key_policy([KEY]),
    ],
    ids=[*PERMISSIONS, "keys"],
)
def test_the_driver_boundary_allows_all_permissions_of_the_driver(document: str, deployed: Recording) -> None:
    boundary = deployed.one("aws:iam/policy:Policy", "driver-boundary").inputs["policy"]
    assert list_permissions(document)
    denied = [each for each in list_permissions(document) if not allows([boundary], Request(*each, THROUGH_EC2))]
    assert denied == []


@pytest.mark.parametrize(
    "request_",
    [
        Request("iam:AttachRolePolicy", ROLE),
        Request("sts:AssumeRole", iam("role/admin")),
        Request("s3:GetObject", f"{STATE}/.pulumi/stacks/eks-rocketmq/prod.json"),
        Request("ec2:TerminateInstances", arn("ec2", "instance/i-1")),
        Request("ec2:CreateTags", arn("ec2", "instance/i-1")),
        Request("kms:Decrypt", KEY),
        Request("kms:CreateGrant", KEY, {"kms:GrantIsForAWSResource": "false"}),
        Request("kms:PutKeyPolicy", KEY, THROUGH_EC2),
    ],
    ids=lambda value: value.action,
)
def test_the_driver_boundary_denies_requests_outside_volume_operations(request_: Request, deployed: Recording) -> None:
    boundary = deployed.one("aws:iam/policy:Policy", "driver-boundary").inputs["policy"]
    assert not allows([ADMINISTRATOR], request_, boundary)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_no_access_entry_is_registered_before_the_cluster_exists(*, preview: bool, deployed: Recording) -> None:
    recording = deploy_example(preview=preview, accessEntries=False)
    entries = {"aws:eks/accessEntry:AccessEntry", "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"}
    assert recording.inventory() == {type_: n for type_, n in deployed.inventory().items() if type_ not in entries}


def test_a_role_name_pattern_matches_names_with_a_pulumi_suffix() -> None:
    recording = deploy_example(roleNames=["staging-ebs-csi-driver", "cluster-role-*"])
    document = recording.one("RolePolicy", "deploy-policy").inputs["policy"]
    assert allows([document], Request("iam:CreateRole", iam("role/cluster-role-1a2b3c4")))
    assert not allows([document], Request("iam:CreateRole", iam("role/cluster-admin")))


def test_only_the_deploy_role_has_a_boundary_and_additional_policies() -> None:
    more = "arn:aws:iam::aws:policy/AmazonVPCFullAccess"
    recording = deploy_example(deployPolicies=[more])
    assert recording.one("Role", "deploy-role").inputs["permissionsBoundary"] == iam(
        "policy/eks-rocketmq-ci-deploy-boundary"
    )
    assert "permissionsBoundary" not in recording.one("Role", "preview-role").inputs
    assert recording.one("RolePolicyAttachment").inputs == {"role": "eks-rocketmq-ci-deploy", "policyArn": more}


def test_the_maximum_session_duration_equals_the_longest_requested_duration(deployed: Recording) -> None:
    requested = [
        int(step["with"].get("duration", 3600))
        for path in (REPOSITORY / ".github" / "workflows").glob("*.yml")
        for job in yaml.safe_load(path.read_text())["jobs"].values()
        for step in job["steps"]
        if step.get("uses") == "./.github/actions/pulumi"
    ]
    assert max(requested) == deployed.one("Role", "deploy-role").inputs["maxSessionDuration"]
    assert {role.inputs["maxSessionDuration"] for role in deployed.by_type("Role")} == {max(requested)}


def test_the_preview_role_has_view_access_and_the_deploy_role_admin_access(deployed: Recording) -> None:
    policy = "arn:aws:eks::aws:cluster-access-policy/"
    granted = {
        (a.inputs["principalArn"], a.inputs["policyArn"].removeprefix(policy)): a.inputs["accessScope"]
        for a in deployed.by_type("AccessPolicyAssociation")
    }
    preview, deploy = (iam(f"role/eks-rocketmq-ci-{name}") for name in ("preview", "deploy"))
    assert granted == {
        (preview, "AmazonEKSViewPolicy"): {"type": "cluster"},
        # This policy can read Secrets, so its scope is the namespace and not the cluster.
        (preview, "AmazonEKSAdminViewPolicy"): {"type": "namespace", "namespaces": ["rocketmq"]},
        (deploy, "AmazonEKSClusterAdminPolicy"): {"type": "cluster"},
    }
    for association in deployed.by_type("AccessPolicyAssociation"):
        assert association.delete_before_replace, "the deletion of an old scope would delete the new one"
        (entry,) = [
            each
            for each in deployed.by_type("AccessEntry")
            if each.inputs["principalArn"] == association.inputs["principalArn"]
        ]
        assert deployed.reaches(association, entry), "EKS rejects a policy for a principal without an access entry"


def test_the_group_of_the_preview_role_reads_no_secrets(deployed: Recording) -> None:
    role, binding = yaml.safe_load_all((REPOSITORY / "examples" / "ci-role" / "preview-cluster-role.yaml").read_text())
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert not {resource for rule in role["rules"] for resource in rule["resources"]} & {"secrets", "*"}
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    (group,) = [subject["name"] for subject in binding["subjects"]]
    assert deployed.one("AccessEntry", "preview-entry").inputs["kubernetesGroups"] == [group]


def test_policy_documents_are_within_the_size_limits_of_iam(deployed: Recording) -> None:
    for each in deployed.by_type("RolePolicy"):
        assert len(each.inputs["policy"]) < 10_240
    for each in deployed.by_type("aws:iam/policy:Policy"):
        assert len(each.inputs["policy"]) < 6_144


def test_a_cluster_without_access_entries_is_rejected_with_the_mode_to_set() -> None:
    def config_map(arguments: Any) -> dict[str, Any]:
        return {**cluster(arguments), "accessConfigs": [{"authenticationMode": "CONFIG_MAP"}]}

    using = fakes().answering("aws:eks/getCluster:getCluster", config_map)
    with pytest.raises(pulumi.RunError, match="authenticationMode=API_AND_CONFIG_MAP"):
        deploy_example(preview=True, using=using)
    deploy_example(preview=True, using=using, accessEntries=False)
