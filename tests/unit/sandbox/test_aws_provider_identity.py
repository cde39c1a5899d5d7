"""Calls of the aws stand-in to AWS for customer managed policies and EKS Pod Identity."""

from typing import Any

import pytest

from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.servicer import State
from tests.unit.aws_script import ScriptedAccount, describe, provider, refusal, target

POLICY, ADDON = "aws:iam/policy:Policy", "aws:eks/addon:Addon"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
ARN = "arn:aws:iam::140023393377:policy/objects"
ROLE = "arn:aws:iam::140023393377:role/r"
DOCUMENT = '{"Version": "2012-10-17", "Statement": []}'
GET_POLICY = {
    "Policy": {
        "Arn": ARN,
        "PolicyName": "objects",
        "PolicyId": "ANPA",
        "Path": "/",
        "DefaultVersionId": "v2",
        "AttachmentCount": 1,
        "Tags": [{"Key": "a", "Value": "1"}],
    }
}
VERSION = {"PolicyVersion": {"Document": {"Version": "2012-10-17", "Statement": []}, "VersionId": "v2"}}
READ = {"GetPolicy": GET_POLICY, "GetPolicyVersion": VERSION}
INPUTS = {"name": "objects", "path": "/", "policy": DOCUMENT, "tags": {"a": "1"}, "tagsAll": {"a": "1"}}


def versions(*numbers: int, default: int) -> dict[str, Any]:
    return {"Versions": [{"VersionId": f"v{n}", "IsDefaultVersion": n == default} for n in numbers]}


def test_policy_is_created_and_read_back() -> None:
    aws = ScriptedAccount({"CreatePolicy": {"Policy": {"Arn": ARN}}, **READ})
    state = provider(aws).create(target(POLICY), INPUTS, 0, preview=False)
    assert aws.made("CreatePolicy") == [
        {"PolicyName": "objects", "Path": "/", "PolicyDocument": DOCUMENT, "Tags": [{"Key": "a", "Value": "1"}]}
    ]
    assert aws.made("GetPolicyVersion") == [{"PolicyArn": ARN, "VersionId": "v2"}]
    rest = {"arn": ARN, "attachmentCount": 1, "description": "", "id": ARN, "policyId": "ANPA"}
    assert (state.resource_id, state.outputs) == (ARN, {**INPUTS, **rest})


@pytest.mark.parametrize(
    ("existing", "removed"), [(versions(1, 2, default=2), []), (versions(3, 4, 5, 6, 7, default=3), ["v4"])]
)
def test_policy_change_creates_a_version_and_deletes_the_oldest_at_the_limit(
    existing: dict[str, Any], removed: list[str]
) -> None:
    answers = {"ListPolicyVersions": existing, "DeletePolicyVersion": {}, "CreatePolicyVersion": {}, **READ}
    aws = ScriptedAccount(answers)
    news = {**INPUTS, "policy": '{"Statement": [1]}'}
    provider(aws).update(target(POLICY), State(ARN, INPUTS), news, 0, preview=False)
    assert [each["VersionId"] for each in aws.made("DeletePolicyVersion")] == removed
    assert aws.made("CreatePolicyVersion") == [
        {"PolicyArn": ARN, "PolicyDocument": '{"Statement": [1]}', "SetAsDefault": True}
    ]


def test_tag_change_creates_no_policy_version() -> None:
    aws = ScriptedAccount({"TagPolicy": {}, "UntagPolicy": {}, **READ})
    provider(aws).update(target(POLICY), State(ARN, INPUTS), {**INPUTS, "tagsAll": {"b": "2"}}, 0, preview=False)
    assert aws.made("UntagPolicy") == [{"PolicyArn": ARN, "TagKeys": ["a"]}]
    assert aws.made("TagPolicy") == [{"PolicyArn": ARN, "Tags": [{"Key": "b", "Value": "2"}]}]


def test_policy_delete_deletes_the_older_versions_first() -> None:
    aws = ScriptedAccount(
        {"ListPolicyVersions": versions(1, 2, default=2), "DeletePolicyVersion": {}, "DeletePolicy": {}}
    )
    provider(aws).delete(target(POLICY), State(ARN, INPUTS), 0)
    assert [verb for verb, _ in aws.calls] == ["ListPolicyVersions", "DeletePolicyVersion", "DeletePolicy"]


def test_missing_policy_is_read_with_an_empty_id_and_deleted_without_error() -> None:
    not_found = refusal("NoSuchEntity", status=404)
    stand_in = provider(
        ScriptedAccount({"GetPolicy": not_found, "ListPolicyVersions": not_found, "DeletePolicy": not_found})
    )
    assert stand_in.read(target(POLICY), State(ARN)).resource_id == ""
    stand_in.delete(target(POLICY), State(ARN, INPUTS), 0)


FAILURES = [
    ("create", {"CreatePolicy": refusal("EntityAlreadyExists", "A policy called objects already exists.", 409)}),
    ("update", {"ListPolicyVersions": refusal("Throttling")}),
    ("delete", {"ListPolicyVersions": versions(1, default=1), "DeletePolicy": refusal("DeleteConflict")}),
]


@pytest.mark.parametrize(("operation", "answers"), FAILURES)
def test_errors_name_the_policy(operation: str, answers: dict[str, Any]) -> None:
    stand_in = provider(ScriptedAccount(answers))
    calls = {
        "create": lambda: stand_in.create(target(POLICY), INPUTS, 0, preview=False),
        "update": lambda: stand_in.update(
            target(POLICY), State(ARN, INPUTS), {**INPUTS, "policy": "{}"}, 0, preview=False
        ),
        "delete": lambda: stand_in.delete(target(POLICY), State(ARN, INPUTS), 0),
    }
    with pytest.raises(ProviderError, match=r"IAM Policy \(.*objects\)"):
        calls[operation]()


ASSOCIATED = {
    "associationArn": "arn:aws:eks:ap-southeast-1:140023393377:podidentityassociation/prod/a-1",
    "associationId": "a-1",
    "clusterName": "prod",
    "namespace": "apps",
    "roleArn": ROLE,
    "serviceAccount": "reader",
    "tags": {"a": "1"},
}
GIVEN = {"clusterName": "prod", "namespace": "apps", "serviceAccount": "reader", "roleArn": ROLE, "tagsAll": {"a": "1"}}


def test_association_is_created_imported_updated_and_deleted() -> None:
    answer = {"association": ASSOCIATED}
    aws = ScriptedAccount(
        {
            "CreatePodIdentityAssociation": answer,
            "DescribePodIdentityAssociation": answer,
            "UpdatePodIdentityAssociation": answer,
            "TagResource": {},
            "UntagResource": {},
            "DeletePodIdentityAssociation": answer,
        }
    )
    stand_in = provider(aws)
    state = stand_in.create(target(ASSOCIATION), GIVEN, 0, preview=False)
    arguments = {key: value for key, value in GIVEN.items() if key != "tagsAll"}
    assert aws.made("CreatePodIdentityAssociation") == [{**arguments, "tags": {"a": "1"}}]
    assert (state.resource_id, state.outputs["associationId"]) == ("prod,a-1", "a-1")
    imported = stand_in.read(target(ASSOCIATION), State("prod,a-1"))
    assert {key: imported.inputs[key] for key in arguments} == arguments
    identifiers = {"clusterName": "prod", "associationId": "a-1"}
    stand_in.update(target(ASSOCIATION), state, {**GIVEN, "roleArn": f"{ROLE}2"}, 0, preview=False)
    assert aws.made("UpdatePodIdentityAssociation") == [{**identifiers, "roleArn": f"{ROLE}2"}]
    stand_in.update(target(ASSOCIATION), state, {**GIVEN, "tagsAll": {"b": "2"}}, 0, preview=False)
    assert len(aws.made("UpdatePodIdentityAssociation")) == 1
    arn = ASSOCIATED["associationArn"]
    assert aws.made("TagResource") == [{"resourceArn": arn, "tags": {"b": "2"}}]
    assert aws.made("UntagResource") == [{"resourceArn": arn, "tagKeys": ["a"]}]
    stand_in.delete(target(ASSOCIATION), state, 0)
    assert aws.made("DeletePodIdentityAssociation") == [identifiers]


def test_missing_association_is_read_with_an_empty_id_and_deleted_without_error() -> None:
    not_found = refusal("ResourceNotFoundException", status=404)
    aws = ScriptedAccount({"DescribePodIdentityAssociation": not_found, "DeletePodIdentityAssociation": not_found})
    assert provider(aws).read(target(ASSOCIATION), State("prod,a-1")).resource_id == ""
    provider(aws).delete(target(ASSOCIATION), State("prod,a-1", GIVEN), 0)
    with pytest.raises(ProviderError, match="expected cluster_name,association_id"):
        provider(aws).read(target(ASSOCIATION), State("a-1"))


def test_creating_an_existing_association_fails_with_the_error_of_eks() -> None:
    aws = ScriptedAccount({"CreatePodIdentityAssociation": refusal("ResourceInUseException", "exists", 409)})
    with pytest.raises(ProviderError, match=r"creating EKS Pod Identity Association \(reader\): operation error EKS"):
        provider(aws).create(target(ASSOCIATION), GIVEN, 0, preview=False)


ADDON_ASSOCIATIONS = [{"roleArn": ROLE, "serviceAccount": "reader"}]
ADDON_INPUTS = {"clusterName": "prod", "addonName": "x"}


def test_addon_associations_are_sent_and_read_back_by_arn() -> None:
    described = describe(podIdentityAssociations=[ASSOCIATED["associationArn"]], serviceAccountRoleArn="")
    aws = ScriptedAccount(
        {
            "CreateAddon": {},
            "DescribeAddon": described,
            "DescribePodIdentityAssociation": {"association": ASSOCIATED},
        }
    )
    inputs = {**ADDON_INPUTS, "podIdentityAssociations": ADDON_ASSOCIATIONS}
    state = provider(aws).create(target(ADDON), inputs, 0, preview=False)
    assert aws.made("CreateAddon") == [inputs]
    assert state.outputs["podIdentityAssociations"] == ADDON_ASSOCIATIONS
    assert aws.made("DescribePodIdentityAssociation")[0] == {"clusterName": "prod", "associationId": "a-1"}


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        (ADDON_ASSOCIATIONS, None, []),
        ([], ADDON_ASSOCIATIONS, ADDON_ASSOCIATIONS),
        (ADDON_ASSOCIATIONS, ADDON_ASSOCIATIONS, None),
    ],
    ids=["removed", "added", "unchanged"],
)
def test_addon_is_updated_only_when_its_associations_change(
    before: list[dict[str, str]], after: list[dict[str, str]] | None, sent: list[dict[str, str]] | None
) -> None:
    done = {"update": {"id": "u", "status": "Successful", "errors": []}}
    aws = ScriptedAccount({"UpdateAddon": done, "DescribeUpdate": done, "DescribeAddon": describe()})
    olds = {**ADDON_INPUTS, "podIdentityAssociations": before}
    news = {**ADDON_INPUTS, **({"podIdentityAssociations": after} if after else {})}
    provider(aws).update(target(ADDON), State("prod:x", olds), news, 0, preview=False)
    assert aws.made("UpdateAddon") == ([] if sent is None else [{**ADDON_INPUTS, "podIdentityAssociations": sent}])
