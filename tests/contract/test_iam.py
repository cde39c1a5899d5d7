"""IAM: OIDC providers, roles, trust policies, and managed, customer and inline policies."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import layout
from sandbox.aws import call_log, env_file
from sandbox.aws.policies import published
from tests.contract.errors import refused
from tests.contract.server import HOST, PROVIDER_ARN, ROLE, Server

ARN = {"OpenIDConnectProviderArn": PROVIDER_ARN}
EBS_CSI = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"


def test_oidc_provider_is_created_and_described_as_in_aws(aws: Server) -> None:
    iam = aws.client("iam")
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    made = iam.create_open_id_connect_provider(
        Url=layout.ISSUER, ClientIDList=["sts.amazonaws.com"], Tags=[{"Key": "a", "Value": "1"}]
    )
    assert made["OpenIDConnectProviderArn"] == PROVIDER_ARN
    found = iam.get_open_id_connect_provider(**ARN)
    assert found["Url"] == HOST
    assert found["ClientIDList"] == ["sts.amazonaws.com"]
    assert len(found["ThumbprintList"]) == 1
    assert found["Tags"] == [{"Key": "a", "Value": "1"}]


def test_oidc_provider_is_updated(cured: Server) -> None:
    iam = cured.client("iam")
    iam.update_open_id_connect_provider_thumbprint(**ARN, ThumbprintList=["a" * 40])
    iam.add_client_id_to_open_id_connect_provider(**ARN, ClientID="other")
    iam.add_client_id_to_open_id_connect_provider(**ARN, ClientID="other")
    iam.remove_client_id_from_open_id_connect_provider(**ARN, ClientID="sts.amazonaws.com")
    iam.tag_open_id_connect_provider(**ARN, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_open_id_connect_provider(**ARN, TagKeys=["a"])
    found = iam.get_open_id_connect_provider(**ARN)
    assert (found["ClientIDList"], found["ThumbprintList"]) == (["other"], ["a" * 40])
    assert iam.list_open_id_connect_provider_tags(**ARN)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_second_oidc_provider_for_the_same_url_is_rejected(cured: Server) -> None:
    with refused("EntityAlreadyExists", f"Provider with url {layout.ISSUER} already exists."):
        cured.client("iam").create_open_id_connect_provider(Url=layout.ISSUER, ClientIDList=["sts.amazonaws.com"])


@pytest.mark.parametrize("url", [HOST, f"http://{HOST}", "https://oidc.example.com:8443/id/1", "https://h/?a=b"])
def test_invalid_oidc_provider_url_is_rejected(aws: Server, url: str) -> None:
    with refused("InvalidInput", "Invalid Open ID Connect Provider URL"):
        aws.client("iam").create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"])


def test_invalid_thumbprint_is_rejected(aws: Server) -> None:
    with refused("ValidationError", "thumbprintList"):
        aws.client("iam").create_open_id_connect_provider(Url=layout.ISSUER, ThumbprintList=["z" * 40])


def test_missing_oidc_provider_can_be_deleted_but_not_read(aws: Server) -> None:
    iam = aws.client("iam")
    iam.delete_open_id_connect_provider(**ARN)
    with refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {PROVIDER_ARN}"):
        iam.get_open_id_connect_provider(**ARN)


def _policy(**change: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    merged = {key: value for key, value in {**statement, **change}.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [merged]})


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{nope", "invalid Json"),
        ("{}", "Syntax errors"),
        (_policy(Effect="Maybe"), "Allow or Deny"),
        (_policy(Principal=None), "Missing required field Principal"),
        (_policy(Resource="*"), "Has prohibited field Resource"),
        (_policy(Action="s3:GetObject"), "may only specify STS"),
        (_policy(Principal={"Federated": layout.ISSUER}), "Federated principals"),
    ],
)
def test_invalid_trust_policy_is_rejected(aws: Server, document: str, words: str) -> None:
    with refused("MalformedPolicyDocument", words):
        aws.client("iam").create_role(RoleName="never", AssumeRolePolicyDocument=document)
    with refused("MalformedPolicyDocument", words):
        aws.client("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=document)


def test_too_long_trust_policy_is_rejected(aws: Server) -> None:
    long = _policy(Condition={"StringEquals": {"aws:PrincipalTag/a": "x" * 2048}})
    with refused("LimitExceeded", "ACLSizePerRole: 2048"):
        aws.client("iam").create_role(RoleName="never", AssumeRolePolicyDocument=long)


def test_managed_policies_match_those_published_by_aws(aws: Server) -> None:
    iam = aws.client("iam")
    versions = {policy.name: policy.version for policy in published()}
    assert versions["AmazonEBSCSIDriverPolicy"] == "v15"
    for policy in published():
        found = iam.get_policy(PolicyArn=policy.arn)["Policy"]
        assert (found["PolicyName"], found["DefaultVersionId"]) == (policy.name, policy.version)
        document = iam.get_policy_version(PolicyArn=policy.arn, VersionId=policy.version)["PolicyVersion"]["Document"]
        assert document == policy.document


def test_invalid_policy_attachments_are_rejected(aws: Server) -> None:
    iam = aws.client("iam")
    assert iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"] == [
        {"PolicyName": "AmazonEBSCSIDriverPolicy", "PolicyArn": EBS_CSI}
    ]
    unknown = "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicy"
    with refused("NoSuchEntity", f"Policy {unknown} does not exist or is not attachable."):
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=unknown)
    with refused("NoSuchEntity", "was not found"):
        iam.detach_role_policy(RoleName=ROLE, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    with refused("DeleteConflict", "must detach all policies first"):
        iam.delete_role(RoleName=ROLE)


def test_missing_role_is_not_found(aws: Server) -> None:
    iam = aws.client("iam")
    with refused("NoSuchEntity", "The role with name nobody cannot be found."):
        iam.get_role(RoleName="nobody")
    with refused("NoSuchEntity", "The role with name nobody cannot be found."):
        iam.attach_role_policy(RoleName="nobody", PolicyArn=EBS_CSI)


def test_operator_is_an_iam_user_and_new_users_are_denied(aws: Server) -> None:
    assert aws.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{layout.ACCOUNT}:user/deployer"
    assert oct((aws.root / "aws.env").stat().st_mode & 0o777) == "0o600"
    iam = aws.client("iam")
    iam.create_user(UserName="reader")
    keys = iam.create_access_key(UserName="reader")["AccessKey"]
    with refused(
        "AccessDenied",
        f"user/reader is not authorized to perform: iam:GetRole on resource: arn:aws:iam::{layout.ACCOUNT}:role/{ROLE}",
    ):
        aws.client("iam", keys).get_role(RoleName=ROLE)


TRUST = _policy()
ALLOW = {"Effect": "Allow", "Action": "ec2:DescribeVolumes", "Resource": "*"}


def document(**change: Any) -> str:
    statement = {key: value for key, value in {**ALLOW, **change}.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


INVALID_POLICIES = [
    ("{nope", "Syntax errors"),
    ('{"Version": "2012-10-17"}', "Syntax errors"),
    ('{"Version": "2020-01-01", "Statement": [{}]}', "valid version string"),
    (document(Effect="Maybe"), "Syntax errors"),
    (document(Condtion={}), "Syntax errors"),
    (document(Action=None), "must contain actions"),
    (document(Resource=None), "must contain resources"),
    (document(Action="DescribeVolumes"), "must be prefaced by a vendor"),
    (document(Resource="volume/*"), 'must be in ARN format or "*"'),
    (document(Resource="arn:amazon:ec2:*:*:volume/*"), 'Partition "amazon" is not valid'),
    (document(Principal="*"), "should not specify a principal"),
    (document(Sid="not alpha"), "alpha-numeric"),
    (json.dumps({"Version": "2012-10-17", "Statement": [{**ALLOW, "Sid": "A"}] * 2}), "must be unique"),
]


@pytest.mark.parametrize(("text", "words"), INVALID_POLICIES)
def test_invalid_permission_policy_is_rejected(aws: Server, text: str, words: str) -> None:
    iam = aws.client("iam")
    with refused("MalformedPolicyDocument", words):
        iam.create_policy(PolicyName="never", PolicyDocument=text)
    with refused("MalformedPolicyDocument", words):
        iam.put_role_policy(RoleName=ROLE, PolicyName="never", PolicyDocument=text)
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == []


def test_too_long_permission_policy_is_rejected(aws: Server) -> None:
    iam = aws.client("iam")
    with refused("LimitExceeded", "PolicySize: 6144"):
        iam.create_policy(PolicyName="never", PolicyDocument=document(Sid="x" * 6144))
    iam.put_role_policy(RoleName=ROLE, PolicyName="first", PolicyDocument=document(Sid="x" * 6144))
    try:
        with refused("LimitExceeded", f"Maximum policy size of 10240 bytes exceeded for role {ROLE}"):
            iam.put_role_policy(RoleName=ROLE, PolicyName="second", PolicyDocument=document(Sid="x" * 4096))
        iam.put_role_policy(RoleName=ROLE, PolicyName="first", PolicyDocument=document(Sid="x" * 10000))
    finally:
        iam.delete_role_policy(RoleName=ROLE, PolicyName="first")


def test_customer_managed_policy_is_created_versioned_and_tagged(aws: Server) -> None:
    iam = aws.client("iam")
    text = document()
    made = iam.create_policy(PolicyName="mine", Path="/team/", PolicyDocument=text, Tags=[{"Key": "a", "Value": "1"}])
    arn = {"PolicyArn": made["Policy"]["Arn"]}
    assert arn == {"PolicyArn": f"arn:aws:iam::{layout.ACCOUNT}:policy/team/mine"}
    try:
        with refused("EntityAlreadyExists", "mine already exists"):
            iam.create_policy(PolicyName="mine", Path="/team/", PolicyDocument=text)
        with refused("MalformedPolicyDocument"):
            iam.create_policy_version(**arn, PolicyDocument="{}", SetAsDefault=True)
        iam.create_policy_version(**arn, PolicyDocument=document(Action="ec2:*"), SetAsDefault=True)
        iam.tag_policy(**arn, Tags=[{"Key": "b", "Value": "2"}])
        iam.untag_policy(**arn, TagKeys=["a"])
        found = iam.get_policy(**arn)["Policy"]
        assert (found["DefaultVersionId"], found["Tags"]) == ("v2", [{"Key": "b", "Value": "2"}])
        iam.attach_role_policy(RoleName=ROLE, **arn)
        with refused("DeleteConflict"):
            iam.delete_policy(**arn)
        iam.detach_role_policy(RoleName=ROLE, **arn)
        iam.delete_policy_version(**arn, VersionId="v1")
    finally:
        iam.delete_policy(**arn)


def test_role_attributes_are_validated_and_described(aws: Server) -> None:
    iam = aws.client("iam", parameter_validation=False)
    arguments = {"RoleName": "bounded", "AssumeRolePolicyDocument": TRUST}
    for change, words in (
        ({"Path": "team"}, "value for path is invalid"),
        ({"MaxSessionDuration": 3599}, "greater than or equal to 3600"),
        ({"MaxSessionDuration": 43201}, "less than or equal to 43200"),
    ):
        with refused("ValidationError", words):
            iam.create_role(**arguments, **change)
    with refused("NoSuchEntity", "does not exist or is not attachable"):
        iam.create_role(**arguments, PermissionsBoundary=f"arn:aws:iam::{layout.ACCOUNT}:policy/none")
    boundary = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    iam.create_role(
        **arguments, Path="/team/", MaxSessionDuration=7200, Description="bounded", PermissionsBoundary=boundary
    )
    try:
        found = iam.get_role(RoleName="bounded")["Role"]
        assert found["Arn"] == f"arn:aws:iam::{layout.ACCOUNT}:role/team/bounded"
        assert (found["Path"], found["MaxSessionDuration"], found["Description"]) == ("/team/", 7200, "bounded")
        assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
        with refused("ValidationError", "maxSessionDuration"):
            iam.update_role(RoleName="bounded", MaxSessionDuration=60)
    finally:
        iam.delete_role(RoleName="bounded")


def simulated(aws: Server, *, tag: str = "ebs.csi.aws.com/cluster") -> dict[str, Any]:
    entry = {"ContextKeyName": f"aws:RequestTag/{tag}", "ContextKeyValues": ["true"], "ContextKeyType": "string"}
    found = aws.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{layout.ACCOUNT}:role/{ROLE}",
        ActionNames=["ec2:CreateVolume"],
        ResourceArns=[f"arn:aws:ec2:{layout.REGION}:{layout.ACCOUNT}:volume/*"],
        ContextEntries=[entry],
    )
    (result,) = found["EvaluationResults"]
    return result


def test_simulation_of_a_role_uses_conditions_and_the_boundary(cured: Server) -> None:
    iam, name = cured.client("iam"), "read-only"
    assert simulated(cured)["EvalDecision"] == "allowed"
    assert "PermissionsBoundaryDecisionDetail" not in simulated(cured)
    assert simulated(cured, tag="other")["EvalDecision"] == "implicitDeny"
    arn = iam.create_policy(PolicyName=name, PolicyDocument=document(Action="ec2:Describe*"))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=ROLE, PermissionsBoundary=arn)
    try:
        result = simulated(cured)
        assert result["EvalDecision"] == "implicitDeny"
        assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
        with refused("UnauthorizedOperation", "because no permissions boundary allows the ec2:CreateVolume action"):
            create_volume(cured)
    finally:
        iam.delete_role_permissions_boundary(RoleName=ROLE)
        iam.delete_policy(PolicyArn=arn)


@pytest.fixture
def organization(cured: Server) -> Iterator[Any]:
    """Client of AWS Organizations. Policies that a test creates are deleted."""
    client = cured.client("organizations")
    yield client
    for each in client.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]:
        if not each["AwsManaged"]:
            for target in client.list_targets_for_policy(PolicyId=each["Id"])["Targets"]:
                client.detach_policy(PolicyId=each["Id"], TargetId=target["TargetId"])
            client.delete_policy(PolicyId=each["Id"])


def create_control_policy(organization: Any, content: str) -> str:
    """Create a service control policy and return its id."""
    kind = {"Description": "", "Type": "SERVICE_CONTROL_POLICY"}
    return organization.create_policy(Name="test", Content=content, **kind)["Policy"]["PolicySummary"]["Id"]


@pytest.mark.parametrize("target", ["root", "account"])
def test_service_control_policy_denies_what_the_role_may(cured: Server, organization: Any, target: str) -> None:
    policy = create_control_policy(organization, document(Effect="Deny", Action="ec2:CreateVolume"))
    assert simulated(cured)["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}
    where = organization.list_roots()["Roots"][0]["Id"] if target == "root" else layout.ACCOUNT
    organization.attach_policy(PolicyId=policy, TargetId=where)

    result = simulated(cured)

    assert result["EvalDecision"] == "explicitDeny"
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    words = "ec2:CreateVolume on resource: "
    with refused("UnauthorizedOperation", "with an explicit deny in a service control policy") as denied:
        create_volume(cured)
    assert words in str(denied.value)
    with refused("UnauthorizedOperation", "service control policy"):
        cured.client("ec2").create_volume(AvailabilityZone=layout.NODES[0].zone, Size=1)
    organization.detach_policy(PolicyId=policy, TargetId=where)
    assert simulated(cured)["EvalDecision"] == "allowed"


def test_action_that_no_service_control_policy_allows_is_denied(cured: Server, organization: Any) -> None:
    full = {"PolicyId": "p-FullAWSAccess", "TargetId": layout.ACCOUNT}
    policy = create_control_policy(organization, document(Action=None, NotAction="ec2:CreateVolume"))
    organization.attach_policy(PolicyId=policy, TargetId=layout.ACCOUNT)
    organization.detach_policy(**full)
    try:
        with refused("UnauthorizedOperation", "because no service control policy allows the ec2:CreateVolume action"):
            create_volume(cured)
    finally:
        organization.attach_policy(**full)


def create_volume(aws: Server) -> None:
    """Create a volume as the driver."""
    aws.client("ec2", aws.assume()["Credentials"]).create_volume(
        AvailabilityZone=layout.NODES[0].zone,
        Size=1,
        TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": "ebs.csi.aws.com/cluster", "Value": "true"}]},
        ],
    )


def test_calls_of_users_are_logged_and_those_of_root_are_not(cured: Server) -> None:
    begin = time.time()
    cured.client("iam").get_role(RoleName=ROLE)
    cured.client("eks", env_file.read(cured.root / "aws-root.env")).list_clusters()
    key = env_file.read(cured.root / "aws.env")["AWS_ACCESS_KEY_ID"]
    calls = [(each.access_key, each.action, each.allowed) for each in call_log.read(cured.root / "logs", since=begin)]
    assert calls == [(key, "iam:GetRole", True)]
