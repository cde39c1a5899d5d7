"""Lookups of existing AWS resources with stubbed boto3 clients."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from eks_rocketmq.args.aws_identifiers import build_oidc_provider_arn
from eks_rocketmq.lookups.aws_resources import (
    ADDON,
    AWS_LOOKUPS,
    CUSTOMER_POLICY,
    LOG_GROUP,
    OIDC_PROVIDER,
    POD_IDENTITY_ASSOCIATION,
    ROLE,
    ROLE_POLICY,
    ROLE_POLICY_ATTACHMENT,
    find_cluster,
    find_resource,
)
from eks_rocketmq.lookups.aws_session import AccountUnknownError, create_session, get_assumed_role
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.pulumi_sdk.engine_values import UNKNOWN
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION

IAM = f"arn:aws:iam::{ACCOUNT}:role/"
ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
OTHER_ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example/id/OTHER"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/eks/prod/cluster"
POLICY = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
TRUST = '{"Version":"2012-10-17","Statement":[]}'
ROLE_ANSWER = {
    "Role": {
        "Path": "/",
        "RoleName": "driver",
        "RoleId": "AROA0123456789012",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/driver",
        "CreateDate": "2026-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": TRUST,
        "Tags": [{"Key": "team", "Value": "messaging"}],
    }
}
CALLER = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/deployer", "UserId": "AIDA"}


class Session:
    """Boto3 session whose clients return one response or one error, validated by botocore's service models."""

    def __init__(self, service: str, operation: str, answer: dict[str, Any] | str) -> None:
        self._clients: dict[str, Any] = {}
        self.stubs: dict[str, Stubber] = {}
        for name in ("iam", "eks", "sts", "logs"):
            client = boto3.client(name, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
            stub = Stubber(client)
            if name == "sts":
                stub.add_response("get_caller_identity", CALLER)
            if name == service and isinstance(answer, str):
                stub.add_client_error(operation, service_error_code=answer)
            elif name == service:
                stub.add_response(operation, answer)
            stub.activate()
            self.stubs[name] = stub
            self._clients[name] = client

    def client(self, service_name: str) -> Any:
        return self._clients[service_name]


CASES = [
    pytest.param(
        ROLE,
        {"name": "driver"},
        "iam",
        "get_role",
        ROLE_ANSWER,
        ExistingResource("driver", {"team": "messaging"}),
        id="role",
    ),
    pytest.param(
        ROLE_POLICY_ATTACHMENT,
        {"role": "driver", "policyArn": POLICY},
        "iam",
        "list_attached_role_policies",
        {"AttachedPolicies": [{"PolicyName": "AmazonEBSCSIDriverPolicy", "PolicyArn": POLICY}], "IsTruncated": False},
        ExistingResource(f"driver/{POLICY}"),
        id="attachment",
    ),
    pytest.param(
        OIDC_PROVIDER,
        {"url": ISSUER},
        "iam",
        "get_open_id_connect_provider",
        {"Url": ISSUER.removeprefix("https://"), "Tags": [{"Key": "a", "Value": "b"}]},
        ExistingResource(ARN, {"a": "b"}),
        id="provider",
    ),
    pytest.param(
        CUSTOMER_POLICY,
        {"name": "objects", "path": "/team/"},
        "iam",
        "get_policy",
        {"Policy": {"PolicyName": "objects", "Tags": [{"Key": "a", "Value": "b"}]}},
        ExistingResource(f"arn:aws:iam::{ACCOUNT}:policy/team/objects", {"a": "b"}),
        id="policy",
    ),
    pytest.param(
        ROLE_POLICY,
        {"role": "driver", "name": "keys"},
        "iam",
        "get_role_policy",
        {"RoleName": "driver", "PolicyName": "keys", "PolicyDocument": TRUST},
        ExistingResource("driver:keys"),
        id="inline policy",
    ),
    pytest.param(
        ADDON,
        {"clusterName": "prod", "addonName": "aws-ebs-csi-driver"},
        "eks",
        "describe_addon",
        {"addon": {"addonName": "aws-ebs-csi-driver", "tags": {"a": "b"}}},
        ExistingResource("prod:aws-ebs-csi-driver", {"a": "b"}),
        id="addon",
    ),
]


SIGNATURE = "4dabf18193072939515e22adb298388d"


@pytest.mark.parametrize(("type_", "inputs", "service", "operation", "answer", "expected"), CASES)
def test_existing_resources_are_found_with_import_id_and_tags(
    type_: str, inputs: dict[str, str], service: str, operation: str, answer: dict[str, Any], expected: ExistingResource
) -> None:
    assert find_resource(lambda: Session(service, operation, answer), type_, inputs) == expected


@pytest.mark.parametrize(("type_", "inputs", "service", "operation", "answer", "expected"), CASES)
def test_missing_resources_are_none_and_access_errors_are_raised(
    type_: str, inputs: dict[str, str], service: str, operation: str, answer: dict[str, Any], expected: ExistingResource
) -> None:
    del answer, expected
    code = "ResourceNotFoundException" if service == "eks" else "NoSuchEntity"
    assert find_resource(lambda: Session(service, operation, code), type_, inputs) is None
    with pytest.raises(ClientError, match="AccessDenied"):
        find_resource(lambda: Session(service, operation, "AccessDenied"), type_, inputs)


def test_unlisted_audiences_of_an_oidc_provider_block_its_import() -> None:
    def find_blockers(accepted: list[str], planned: Any) -> Sequence[str]:
        session = Session("iam", "get_open_id_connect_provider", {"Url": ISSUER, "ClientIDList": accepted})
        found = find_resource(lambda: session, OIDC_PROVIDER, {"url": ISSUER, "clientIdLists": planned})
        assert found is not None
        return found.find_import_blockers()

    (blocker,) = find_blockers(["sts.amazonaws.com", "vault", "grafana"], ["sts.amazonaws.com"])
    assert "accepts audiences that the stack does not list: grafana, vault." in blocker
    assert 'oidc.clientIds (client_ids of ClusterOidcProvider): ["grafana", "vault"]' in blocker
    assert find_blockers(["sts.amazonaws.com", "vault"], ["sts.amazonaws.com", "vault", "new"]) == []
    assert find_blockers(["vault"], UNKNOWN) == []


def find_role_blockers(session: Session, **planned: Any) -> Sequence[str]:
    found = find_resource(lambda: session, ROLE, {"name": "driver", **planned})
    assert found is not None
    return found.find_import_blockers()


def test_a_role_that_pods_of_another_cluster_use_is_not_imported() -> None:
    def describe_blocker(planned: Any, federated: Any, *existing: str) -> str:
        trust = {"Statement": {"Effect": "Allow", "Principal": federated, "Action": "sts:AssumeRoleWithWebIdentity"}}
        role = ROLE_ANSWER["Role"] | {"AssumeRolePolicyDocument": json.dumps(trust)}
        session = Session("iam", "get_role", {"Role": role})
        for arn in [ARN, OTHER_ARN]:
            if arn in existing:
                asked = {"OpenIDConnectProviderArn": arn}
                session.stubs["iam"].add_response("get_open_id_connect_provider", {"Url": "x"}, asked)
        if not existing:
            session.stubs["iam"].add_client_error("get_open_id_connect_provider", "NoSuchEntity")
        return "\n".join(find_role_blockers(session, assumeRolePolicy=planned))

    planned = json.dumps({"Statement": [{"Principal": {"Federated": ARN}}]})
    blocker = describe_blocker(planned, {"Federated": [ARN, OTHER_ARN]}, OTHER_ARN)
    assert blocker.startswith(f"IAM role 'driver' also trusts {OTHER_ARN}. The next `pulumi up` would remove that")
    assert "another name: ebsCsi.roleName (role_name of EbsCsiAddon and IrsaRole)" in blocker
    # A wrong provider is a reason to adopt the role.
    assert describe_blocker(planned, {"Federated": OTHER_ARN}) == ""
    assert describe_blocker(planned, {"Federated": [ARN]}, ARN) == ""
    assert describe_blocker(planned, {"Service": "ec2.amazonaws.com"}, OTHER_ARN) == ""
    # STS accepts no token of a provider of another account.
    assert describe_blocker(planned, {"Federated": OTHER_ARN.replace(ACCOUNT, "9" * 12)}, OTHER_ARN) == ""
    assert describe_blocker(planned, {"Federated": OTHER_ARN.replace("arn:aws:", "arn:aws-cn:")}, OTHER_ARN) == ""
    assert describe_blocker(planned, "*", OTHER_ARN) == ""
    assert describe_blocker(planned, {"Federated": "cognito-identity.amazonaws.com"}, OTHER_ARN) == ""
    assert describe_blocker(UNKNOWN, {"Federated": OTHER_ARN}, OTHER_ARN) == ""


def test_a_role_is_found_without_the_permission_to_read_the_providers_that_it_trusts() -> None:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Federated": OTHER_ARN}}]}
    session = Session(
        "iam", "get_role", {"Role": ROLE_ANSWER["Role"] | {"AssumeRolePolicyDocument": json.dumps(trust)}}
    )
    session.stubs["iam"].add_client_error("get_open_id_connect_provider", "AccessDenied")
    planned = json.dumps({"Statement": [{"Principal": {"Federated": ARN}}]})
    found = find_resource(lambda: session, ROLE, {"name": "driver", "assumeRolePolicy": planned})
    assert found == ExistingResource("driver", {"team": "messaging"})
    (blocker,) = found.find_import_blockers()
    assert blocker.startswith(f"IAM role 'driver' also trusts {OTHER_ARN}. You may not read whether this exists.")
    assert "the permission iam:GetOpenIDConnectProvider" in blocker


@pytest.mark.parametrize(
    ("existing", "planned", "blockers"),
    [
        ("/eks/", {}, ["has the path '/eks/'"]),
        ("/eks/", {"path": "/"}, ["Set ebsCsi.path to '/eks/' (path of EbsCsiAddon and IrsaRole)"]),
        ("/", {"path": "/eks/"}, ["Set ebsCsi.path to '/'"]),
        ("/eks/", {"path": "/eks/"}, []),
        ("/eks/", {"path": UNKNOWN}, []),
        ("/", {}, []),
    ],
)
def test_a_role_with_another_path_is_not_imported(existing: str, planned: dict[str, str], blockers: list[str]) -> None:
    role = ROLE_ANSWER["Role"] | {"Path": existing, "AssumeRolePolicyDocument": TRUST}
    found = find_role_blockers(Session("iam", "get_role", {"Role": role}), **planned)
    assert len(found) == len(blockers)
    assert all(expected in text for expected, text in zip(blockers, found, strict=True))


def allow_pod_identity(*clusters: str, operator: str = "StringEquals") -> dict[str, Any]:
    """Return a trust policy for EKS Pod Identity of these clusters; of any cluster without arguments."""
    conditions = {operator: {"AWS:RequestTag/eks-cluster-arn": list(clusters)}} if clusters else {}
    statement = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Condition": conditions}
    return {"Statement": [statement]}


PROD, STAGING = (f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}" for name in ("prod", "staging"))
IRSA = {"Statement": [{"Effect": "Allow", "Principal": {"Federated": ARN}}]}


@pytest.mark.parametrize(
    ("existing", "planned", "lost"),
    [
        (allow_pod_identity(), IRSA, "any cluster"),
        (allow_pod_identity(PROD), IRSA, PROD),
        (allow_pod_identity(), allow_pod_identity(PROD), "any cluster"),
        (allow_pod_identity(PROD, operator="StringNotEquals"), allow_pod_identity(PROD), "any cluster"),
        (allow_pod_identity(PROD, STAGING), allow_pod_identity(PROD), STAGING),
        (allow_pod_identity(PROD), allow_pod_identity(PROD), ""),
        (IRSA, allow_pod_identity(PROD), ""),
    ],
)
def test_a_role_that_pods_of_another_cluster_use_by_pod_identity_is_not_imported(
    existing: dict[str, Any], planned: dict[str, Any], lost: str
) -> None:
    role = ROLE_ANSWER["Role"] | {"AssumeRolePolicyDocument": json.dumps(existing)}
    session = Session("iam", "get_role", {"Role": role})
    session.stubs["iam"].add_client_error("get_open_id_connect_provider", "NoSuchEntity")
    blockers = find_role_blockers(session, assumeRolePolicy=json.dumps(planned))
    assert [text.partition(". ")[0] for text in blockers] == (
        [f"IAM role 'driver' also trusts EKS Pod Identity of {lost}"] if lost else []
    )


def create_log_group_session(name: str) -> Session:
    """Return a session for an account with one log group."""
    session = Session("logs", "describe_log_groups", {"logGroups": [{"logGroupName": name, "arn": f"{LOGS}:*"}]})
    session.stubs["logs"].add_response("list_tags_for_resource", {"tags": {"a": "b"}}, {"resourceArn": LOGS})
    return session


def test_a_log_group_is_found_by_its_full_name_not_by_a_prefix() -> None:
    inputs = {"name": "/aws/eks/prod/cluster"}
    assert find_resource(
        lambda: create_log_group_session("/aws/eks/prod/cluster"), LOG_GROUP, inputs
    ) == ExistingResource(inputs["name"], {"a": "b"})
    assert find_resource(lambda: create_log_group_session("/aws/eks/prod/cluster-old"), LOG_GROUP, inputs) is None


ASSOCIATED = {"clusterName": "prod", "namespace": "apps", "serviceAccount": "reader"}
ASSOCIATION = {**ASSOCIATED, "associationId": "a-1", "tags": {"a": "b"}}


@pytest.mark.parametrize(
    ("listed", "expected"), [([{"associationId": "a-1"}], ExistingResource("prod,a-1", {"a": "b"})), ([], None)]
)
def test_a_pod_identity_association_is_found_by_its_service_account(
    listed: list[dict[str, str]], expected: ExistingResource | None
) -> None:
    session = Session("eks", "list_pod_identity_associations", {"associations": listed})
    if listed:
        about = {"clusterName": "prod", "associationId": "a-1"}
        stub = session.stubs["eks"]
        stub.add_response("describe_pod_identity_association", {"association": ASSOCIATION}, about)
    assert find_resource(lambda: session, POD_IDENTITY_ASSOCIATION, ASSOCIATED) == expected


def test_a_policy_without_a_path_is_looked_up_under_the_root_path() -> None:
    session = Session("iam", "get_policy", {"Policy": {"PolicyName": "objects"}})
    assert find_resource(lambda: session, CUSTOMER_POLICY, {"name": "objects"}) == ExistingResource(
        f"arn:aws:iam::{ACCOUNT}:policy/objects"
    )


def test_an_association_in_a_missing_cluster_is_none() -> None:
    session = Session("eks", "list_pod_identity_associations", "ResourceNotFoundException")
    assert find_resource(lambda: session, POD_IDENTITY_ASSOCIATION, ASSOCIATED) is None


def test_a_role_with_other_policies_does_not_have_the_attachment() -> None:
    answer = {"AttachedPolicies": [{"PolicyName": "Other", "PolicyArn": f"{POLICY}V2"}], "IsTruncated": False}
    session = Session("iam", "list_attached_role_policies", answer)
    assert find_resource(lambda: session, ROLE_POLICY_ATTACHMENT, {"role": "driver", "policyArn": POLICY}) is None


@pytest.mark.parametrize("type_", list(AWS_LOOKUPS))
@pytest.mark.parametrize("unknown", [UNKNOWN, None, object()], ids=["sentinel", "none", "unknown object"])
def test_aws_is_not_called_for_names_unknown_at_preview(type_: str, unknown: object) -> None:
    def fail_if_called() -> Session:
        pytest.fail("AWS was called")

    assert find_resource(fail_if_called, type_, dict.fromkeys(AWS_LOOKUPS[type_].name_inputs, unknown)) is None


def test_a_cluster_is_found_by_its_name() -> None:
    cluster = {"name": "prod", "tags": {"a": "b"}}
    assert find_cluster(Session("eks", "describe_cluster", {"cluster": cluster}), "prod") == ExistingResource(
        "prod", {"a": "b"}
    )
    assert find_cluster(Session("eks", "describe_cluster", "ResourceNotFoundException"), "prod") is None


def test_a_session_uses_the_profile_and_region_of_the_provider(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "config").write_text("[profile prod]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    session = create_session({"profile": "prod", "region": REGION})
    assert isinstance(session, boto3.Session)
    assert (session.profile_name, session.region_name) == ("prod", REGION)


def test_a_session_uses_the_endpoints_of_the_provider() -> None:
    endpoints = '[{"iam": "http://127.0.0.1:4566"}]'
    session = create_session({"region": REGION, "accessKey": "x", "secretKey": "x", "endpoints": endpoints})
    assert session.client("iam").meta.endpoint_url == "http://127.0.0.1:4566"
    assert session.client("eks").meta.endpoint_url == f"https://eks.{REGION}.amazonaws.com"


def test_a_session_assumes_the_roles_of_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each role is assumed with the credentials of the previous one."""
    calls: list[tuple[str, str, dict[str, Any]]] = []

    class Boto:
        def __init__(self, **given: Any) -> None:
            self.given = given

        def client(self, service_name: str) -> "Boto":
            assert service_name == "sts"
            return self

        def __getattr__(self, operation: str) -> Any:
            def assume(**request: Any) -> dict[str, Any]:
                calls.append((self.given["aws_access_key_id"], operation, request))
                secret = {"SecretAccessKey": "s", "SessionToken": "t"}
                return {"Credentials": {"AccessKeyId": request["RoleArn"], **secret}}

            return assume

    monkeypatch.setattr(boto3, "Session", Boto)
    roles = '[{"roleArn": "one", "externalId": "outside"}, {"role_arn": "two", "sessionName": "ci"}]'
    web = {"roleArn": "web", "webIdentityToken": "jwt"}
    keys = {"profile": None, "region": REGION, "accessKey": "a", "secretKey": "b"}
    session = create_session({**keys, "assumeRoleWithWebIdentity": web, "assumeRoles": roles})
    named = {"RoleSessionName": "eks-rocketmq"}
    assert calls == [
        ("a", "assume_role_with_web_identity", {"RoleArn": "web", **named, "WebIdentityToken": "jwt"}),
        ("web", "assume_role", {"RoleArn": "one", **named, "ExternalId": "outside"}),
        ("one", "assume_role", {"RoleArn": "two", "RoleSessionName": "ci"}),
    ]
    assert isinstance(session, Boto)
    assert session.given == {
        "region_name": REGION,
        "aws_access_key_id": "two",
        "aws_secret_access_key": "s",
        "aws_session_token": "t",
    }


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ({"assumeRoles": f'[{{"roleArn": "{IAM}one"}}, {{"role_arn": "{IAM}two"}}]'}, f"{IAM}two"),
        ({"assumeRoles": [{"roleArn": f"{IAM}one"}]}, f"{IAM}one"),
        ({}, None),
        ({"assumeRoles": "[]"}, None),
        ({"assumeRoles": "not json"}, None),
        ({"assumeRoles": '["one"]'}, None),
        ({"assumeRoles": '[{"sessionName": "s"}]'}, None),
        ({"assumeRoles": '[{"roleArn": "one"}]'}, None),
    ],
)
def test_the_assumed_role_of_a_provider_is_its_last_one(provider: dict[str, Any], expected: str | None) -> None:
    assert get_assumed_role(provider) == expected


@pytest.mark.parametrize("hidden", ["[secret]", {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}])
def test_access_keys_redacted_by_the_engine_are_rejected(hidden: Any) -> None:
    """Previews and exported states redact secrets in different forms."""
    with pytest.raises(AccountUnknownError, match="keys that are secret; give them by aws:profile"):
        create_session({"accessKey": "AKIA", "secretKey": hidden})


def test_a_missing_web_identity_token_file_is_reported_with_its_path() -> None:
    web = {"roleArn": "web", "webIdentityTokenFile": "/nowhere/token"}
    with pytest.raises(AccountUnknownError, match=r"the token of the role .* cannot be read: .*'/nowhere/token'"):
        create_session({"region": REGION, "assumeRoleWithWebIdentity": web})


def test_an_oidc_provider_arn_is_built_from_account_partition_and_issuer() -> None:
    assert build_oidc_provider_arn(CALLER["Arn"], ISSUER) == ARN
    assert build_oidc_provider_arn("arn:aws-cn:sts::1:assumed-role/a/b", "https://i/id/A") == (
        "arn:aws-cn:iam::1:oidc-provider/i/id/A"
    )
