"""What the aws stand-in asks of AWS for policies of the account and for EKS Pod Identity."""

from typing import Any

import pytest

from sandbox.engine.provider.base import State
from sandbox.engine.provider.failures import ProviderError
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


def test_a_policy_is_created_and_read_back() -> None:
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
def test_a_changed_policy_is_a_new_version_and_the_oldest_makes_room(
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


def test_tags_alone_make_no_version() -> None:
    aws = ScriptedAccount({"TagPolicy": {}, "UntagPolicy": {}, **READ})
    provider(aws).update(target(POLICY), State(ARN, INPUTS), {**INPUTS, "tagsAll": {"b": "2"}}, 0, preview=False)
    assert aws.made("UntagPolicy") == [{"PolicyArn": ARN, "TagKeys": ["a"]}]
    assert aws.made("TagPolicy") == [{"PolicyArn": ARN, "Tags": [{"Key": "b", "Value": "2"}]}]


def test_a_policy_goes_with_its_older_versions() -> None:
    aws = ScriptedAccount(
        {"ListPolicyVersions": versions(1, 2, default=2), "DeletePolicyVersion": {}, "DeletePolicy": {}}
    )
    provider(aws).delete(target(POLICY), State(ARN, INPUTS), 0)
    assert [verb for verb, _ in aws.calls] == ["ListPolicyVersions", "DeletePolicyVersion", "DeletePolicy"]


def test_a_policy_that_is_gone_is_read_as_gone_and_its_deletion_is_fine() -> None:
    gone = refusal("NoSuchEntity", status=404)
    stand_in = provider(ScriptedAccount({"GetPolicy": gone, "ListPolicyVersions": gone, "DeletePolicy": gone}))
    assert stand_in.read(target(POLICY), State(ARN)).resource_id == ""
    stand_in.delete(target(POLICY), State(ARN, INPUTS), 0)


FAILURES = [
    ("create", {"CreatePolicy": refusal("EntityAlreadyExists", "A policy called objects already exists.", 409)}),
    ("update", {"ListPolicyVersions": refusal("Throttling")}),
    ("delete", {"ListPolicyVersions": versions(1, default=1), "DeletePolicy": refusal("DeleteConflict")}),
]


@pytest.mark.parametrize(("operation", "answers"), FAILURES)
def test_refusals_name_the_policy(operation: str, answers: dict[str, Any]) -> None:
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


def test_an_association_round() -> None:
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
    asked = {key: value for key, value in GIVEN.items() if key != "tagsAll"}
    assert aws.made("CreatePodIdentityAssociation") == [{**asked, "tags": {"a": "1"}}]
    assert (state.resource_id, state.outputs["associationId"]) == ("prod,a-1", "a-1")
    imported = stand_in.read(target(ASSOCIATION), State("prod,a-1"))
    assert {key: imported.inputs[key] for key in asked} == asked
    named = {"clusterName": "prod", "associationId": "a-1"}
    stand_in.update(target(ASSOCIATION), state, {**GIVEN, "roleArn": f"{ROLE}2"}, 0, preview=False)
    assert aws.made("UpdatePodIdentityAssociation") == [{**named, "roleArn": f"{ROLE}2"}]
    stand_in.update(target(ASSOCIATION), state, {**GIVEN, "tagsAll": {"b": "2"}}, 0, preview=False)
    assert len(aws.made("UpdatePodIdentityAssociation")) == 1
    arn = ASSOCIATED["associationArn"]
    assert aws.made("TagResource") == [{"resourceArn": arn, "tags": {"b": "2"}}]
    assert aws.made("UntagResource") == [{"resourceArn": arn, "tagKeys": ["a"]}]
    stand_in.delete(target(ASSOCIATION), state, 0)
    assert aws.made("DeletePodIdentityAssociation") == [named]


def test_an_association_that_is_gone() -> None:
    gone = refusal("ResourceNotFoundException", status=404)
    aws = ScriptedAccount({"DescribePodIdentityAssociation": gone, "DeletePodIdentityAssociation": gone})
    assert provider(aws).read(target(ASSOCIATION), State("prod,a-1")).resource_id == ""
    provider(aws).delete(target(ASSOCIATION), State("prod,a-1", GIVEN), 0)
    with pytest.raises(ProviderError, match="expected cluster_name,association_id"):
        provider(aws).read(target(ASSOCIATION), State("a-1"))


def test_an_existing_association_is_refused_in_the_real_words() -> None:
    aws = ScriptedAccount({"CreatePodIdentityAssociation": refusal("ResourceInUseException", "exists", 409)})
    with pytest.raises(ProviderError, match=r"creating EKS Pod Identity Association \(reader\): operation error EKS"):
        provider(aws).create(target(ASSOCIATION), GIVEN, 0, preview=False)


MINE = [{"roleArn": ROLE, "serviceAccount": "reader"}]
ADDON_INPUTS = {"clusterName": "prod", "addonName": "x"}


def test_the_associations_of_an_addon_are_sent_and_read_by_their_arns() -> None:
    described = describe(podIdentityAssociations=[ASSOCIATED["associationArn"]], serviceAccountRoleArn="")
    aws = ScriptedAccount(
        {
            "CreateAddon": {},
            "DescribeAddon": described,
            "DescribePodIdentityAssociation": {"association": ASSOCIATED},
        }
    )
    inputs = {**ADDON_INPUTS, "podIdentityAssociations": MINE}
    state = provider(aws).create(target(ADDON), inputs, 0, preview=False)
    assert aws.made("CreateAddon") == [inputs]
    assert state.outputs["podIdentityAssociations"] == MINE
    assert aws.made("DescribePodIdentityAssociation")[0] == {"clusterName": "prod", "associationId": "a-1"}


@pytest.mark.parametrize(
    ("before", "after", "sent"), [(MINE, None, []), ([], MINE, MINE), (MINE, MINE, None)], ids=["off", "on", "same"]
)
def test_an_addon_is_updated_when_its_associations_change(
    before: list[dict[str, str]], after: list[dict[str, str]] | None, sent: list[dict[str, str]] | None
) -> None:
    done = {"update": {"id": "u", "status": "Successful", "errors": []}}
    aws = ScriptedAccount({"UpdateAddon": done, "DescribeUpdate": done, "DescribeAddon": describe()})
    olds = {**ADDON_INPUTS, "podIdentityAssociations": before}
    news = {**ADDON_INPUTS, **({"podIdentityAssociations": after} if after else {})}
    provider(aws).update(target(ADDON), State("prod:x", olds), news, 0, preview=False)
    assert aws.made("UpdateAddon") == ([] if sent is None else [{**ADDON_INPUTS, "podIdentityAssociations": sent}])
