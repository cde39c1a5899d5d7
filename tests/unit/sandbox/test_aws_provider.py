"""Calls of the aws stand-in to AWS for each operation, and its error messages."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from sandbox.engine.aws import waiting
from sandbox.engine.aws.account import Account, Settings
from sandbox.engine.aws.stand_in import RESOURCES
from sandbox.engine.provider.failures import InitFailed, ProviderError, UnsupportedTypeError
from sandbox.engine.provider.servicer import State
from sandbox.engine.provider.values import UNKNOWN
from tests.unit.aws_script import (
    ADDON_ARN,
    ATTACHED,
    GET_PROVIDER,
    GET_ROLE,
    POLICY_ARN,
    PROVIDER_ARN,
    ScriptedAccount,
    describe,
    provider,
    refusal,
    target,
)

ROLE = "aws:iam/role:Role"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
INLINE = "aws:iam/rolePolicy:RolePolicy"
PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
ADDON = "aws:eks/addon:Addon"
TRUST = '{"Version": "2012-10-17", "Statement": []}'
ROLE_INPUTS = {
    "assumeRolePolicy": TRUST,
    "forceDetachPolicies": False,
    "maxSessionDuration": 3600,
    "name": "r",
    "path": "/",
    "tags": {"a": "1"},
    "tagsAll": {"a": "1"},
}
ADDON_INPUTS = {
    "clusterName": "prod",
    "addonName": "x",
    "resolveConflictsOnCreate": "OVERWRITE",
    "resolveConflictsOnUpdate": "PRESERVE",
    "serviceAccountRoleArn": "arn:aws:iam::140023393377:role/r",
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the pauses of wait loops."""

    def no_wait(self: threading.Event, timeout: float | None = None) -> bool:
        assert timeout is not None
        return self.is_set()

    monkeypatch.setattr(threading.Event, "wait", no_wait)


def test_role_is_created_with_all_inputs_and_read_back() -> None:
    aws = ScriptedAccount({"CreateRole": {}, "GetRole": GET_ROLE, "ListAttachedRolePolicies": ATTACHED})
    state = provider(aws).create(target(ROLE), ROLE_INPUTS, 0, preview=False)
    assert aws.made("CreateRole") == [
        {
            "RoleName": "r",
            "AssumeRolePolicyDocument": TRUST,
            "Path": "/",
            "MaxSessionDuration": 3600,
            "Tags": [{"Key": "a", "Value": "1"}],
        }
    ]
    assert state.resource_id == "r"
    assert state.outputs == {
        **ROLE_INPUTS,
        "arn": "arn:aws:iam::140023393377:role/r",
        "createDate": "2026-01-02T03:04:05Z",
        "description": "",
        "id": "r",
        "managedPolicyArns": [POLICY_ARN],
        "permissionsBoundary": "",
        "uniqueId": "AROA1",
    }


def test_creating_an_existing_role_fails_with_the_error_of_the_released_provider() -> None:
    aws = ScriptedAccount({"CreateRole": refusal("EntityAlreadyExists", "Role with name r already exists.", 409)})
    with pytest.raises(ProviderError) as failure:
        provider(aws).create(target(ROLE), ROLE_INPUTS, 0, preview=False)
    assert str(failure.value) == (
        "1 error occurred:\n\t* creating IAM Role (r): operation error IAM: CreateRole, https response error "
        "StatusCode: 409, RequestID: r-1, EntityAlreadyExists: Role with name r already exists.\n\n"
    )


def test_error_code_missing_from_the_operation_model_is_reported_as_api_error() -> None:
    aws = ScriptedAccount({"CreateRole": refusal("AccessDenied", "not authorized", 403)})
    with pytest.raises(ProviderError, match=r"RequestID: r-1, api error AccessDenied: not authorized"):
        provider(aws).create(target(ROLE), ROLE_INPUTS, 0, preview=False)


def test_preview_makes_no_call_and_leaves_computed_outputs_unknown() -> None:
    aws = ScriptedAccount({})
    state = provider(aws).create(target(ROLE), ROLE_INPUTS, 0, preview=True)
    assert aws.calls == []
    assert state.outputs["name"] == "r"
    assert state.outputs["arn"] is UNKNOWN
    updated = provider(aws).update(
        target(ROLE), State("r", {"arn": "a", "path": "/"}), {**ROLE_INPUTS, "path": "/"}, 0, preview=True
    )
    assert updated.outputs["arn"] == "a"


ROLE_UPDATES = [
    ({"assumeRolePolicy": '{"Statement": [1]}'}, ("UpdateAssumeRolePolicy", {"PolicyDocument": '{"Statement": [1]}'})),
    ({"description": "d"}, ("UpdateRoleDescription", {"Description": "d"})),
    ({"maxSessionDuration": 7200}, ("UpdateRole", {"MaxSessionDuration": 7200})),
    ({"permissionsBoundary": POLICY_ARN}, ("PutRolePermissionsBoundary", {"PermissionsBoundary": POLICY_ARN})),
    ({"tagsAll": {"a": "2"}}, ("TagRole", {"Tags": [{"Key": "a", "Value": "2"}]})),
    ({"tagsAll": {}}, ("UntagRole", {"TagKeys": ["a"]})),
    ({"assumeRolePolicy": '{"Statement":[],"Version":"2012-10-17"}'}, None),
    ({}, None),
]


@pytest.mark.parametrize(("changed", "call"), ROLE_UPDATES)
def test_role_update_calls_only_the_operation_of_the_changed_input(
    changed: dict[str, Any], call: tuple[str, dict[str, Any]] | None
) -> None:
    answers = {"GetRole": GET_ROLE, "ListAttachedRolePolicies": ATTACHED} | ({call[0]: {}} if call else {})
    aws = ScriptedAccount(answers)
    provider(aws).update(
        target(ROLE), State("r", ROLE_INPUTS, ROLE_INPUTS), {**ROLE_INPUTS, **changed}, 0, preview=False
    )
    update_calls = [each for each in aws.calls if each[0] not in {"GetRole", "ListAttachedRolePolicies"}]
    assert update_calls == ([(call[0], {"RoleName": "r", **call[1]})] if call else [])


def test_removed_permissions_boundary_is_deleted() -> None:
    aws = ScriptedAccount(
        {"DeleteRolePermissionsBoundary": {}, "GetRole": GET_ROLE, "ListAttachedRolePolicies": ATTACHED}
    )
    olds = {**ROLE_INPUTS, "permissionsBoundary": POLICY_ARN}
    provider(aws).update(target(ROLE), State("r", olds, olds), ROLE_INPUTS, 0, preview=False)
    assert aws.made("DeleteRolePermissionsBoundary") == [{"RoleName": "r"}]


def test_failed_role_update_names_the_input() -> None:
    aws = ScriptedAccount({"UpdateAssumeRolePolicy": refusal("MalformedPolicyDocument", "bad")})
    news = {**ROLE_INPUTS, "assumeRolePolicy": '{"Statement": [1]}'}
    with pytest.raises(ProviderError, match=r"updating IAM Role \(r\) assume role policy: operation error IAM"):
        provider(aws).update(target(ROLE), State("r", ROLE_INPUTS, ROLE_INPUTS), news, 0, preview=False)


def test_missing_role_is_read_with_an_empty_id() -> None:
    aws = ScriptedAccount({"GetRole": refusal("NoSuchEntity", status=404)})
    assert provider(aws).read(target(ROLE), State("r", ROLE_INPUTS, ROLE_INPUTS)).resource_id == ""


def test_role_is_imported_by_name_with_its_inputs() -> None:
    aws = ScriptedAccount({"GetRole": GET_ROLE, "ListAttachedRolePolicies": ATTACHED})
    state = provider(aws).read(target(ROLE), State("r"))
    assert aws.made("GetRole") == [{"RoleName": "r"}]
    assert state.inputs == {
        "__defaults": [],
        "assumeRolePolicy": '{"Version":"2012-10-17","Statement":[]}',
        "forceDetachPolicies": False,
        "maxSessionDuration": 3600,
        "name": "r",
        "path": "/",
        "tags": {"a": "1"},
        "tagsAll": {"a": "1"},
    }


def test_refresh_keeps_force_detach_policies() -> None:
    aws = ScriptedAccount({"GetRole": GET_ROLE, "ListAttachedRolePolicies": ATTACHED})
    olds = {**ROLE_INPUTS, "forceDetachPolicies": True}
    state = provider(aws).read(target(ROLE), State("r", olds, olds))
    assert state.outputs["forceDetachPolicies"] is True
    assert state.inputs["forceDetachPolicies"] is True


def test_role_delete_is_retried_on_a_delete_conflict() -> None:
    aws = ScriptedAccount({"DeleteRole": [refusal("DeleteConflict"), {}]})
    provider(aws).delete(target(ROLE), State("r", ROLE_INPUTS), 0)
    assert len(aws.made("DeleteRole")) == 2


def test_role_delete_timeout_reports_the_delete_conflict() -> None:
    aws = ScriptedAccount({"DeleteRole": refusal("DeleteConflict", "must detach all policies first", 409)})
    with pytest.raises(ProviderError, match=r"deleting IAM Role \(r\): .*DeleteConflict: must detach all policies"):
        provider(aws).delete(target(ROLE), State("r", ROLE_INPUTS), 0)


def test_role_delete_with_force_detach_removes_policies_first() -> None:
    aws = ScriptedAccount(
        {
            "ListAttachedRolePolicies": ATTACHED,
            "DetachRolePolicy": {},
            "ListRolePolicies": {"PolicyNames": ["i"]},
            "DeleteRolePolicy": {},
            "DeleteRole": {},
        }
    )
    provider(aws).delete(target(ROLE), State("r", {**ROLE_INPUTS, "forceDetachPolicies": True}), 0)
    assert [verb for verb, _ in aws.calls] == [
        "ListAttachedRolePolicies",
        "DetachRolePolicy",
        "ListRolePolicies",
        "DeleteRolePolicy",
        "DeleteRole",
    ]


MISSING = {
    ROLE: ("r", {"DeleteRole": refusal("NoSuchEntity")}, ROLE_INPUTS),
    ATTACHMENT: (
        f"r/{POLICY_ARN}",
        {"DetachRolePolicy": refusal("NoSuchEntity")},
        {"role": "r", "policyArn": POLICY_ARN},
    ),
    INLINE: ("r:n", {"DeleteRolePolicy": refusal("NoSuchEntity")}, {}),
    PROVIDER: (PROVIDER_ARN, {"DeleteOpenIDConnectProvider": refusal("NoSuchEntity")}, {}),
    ADDON: ("prod:x", {"DeleteAddon": refusal("ResourceNotFoundException")}, ADDON_INPUTS),
}


@pytest.mark.parametrize("token", MISSING)
def test_deleting_a_missing_resource_succeeds(token: str) -> None:
    resource_id, answers, olds = MISSING[token]
    aws = ScriptedAccount(answers)
    provider(aws).delete(target(token), State(resource_id, olds), 0)
    assert len(aws.calls) == 1


FAILED_DELETES = [
    (ATTACHMENT, "DetachRolePolicy", r"detaching IAM Policy \(arn:aws:iam::aws:policy/P\) from IAM Role \(r\)"),
    (INLINE, "DeleteRolePolicy", r"deleting IAM Role Policy \(r:n\)"),
    (PROVIDER, "DeleteOpenIDConnectProvider", r"deleting IAM OIDC Provider \(arn:"),
    (ADDON, "DeleteAddon", r"deleting EKS Add-On \(prod:x\)"),
]


@pytest.mark.parametrize(("token", "verb", "text"), FAILED_DELETES)
def test_failed_delete_raises_an_error(token: str, verb: str, text: str) -> None:
    resource_id, _, olds = MISSING[token]
    with pytest.raises(ProviderError, match=text):
        provider(ScriptedAccount({verb: refusal("Throttling")})).delete(target(token), State(resource_id, olds), 0)


def test_attachment_is_created_read_and_deleted() -> None:
    aws = ScriptedAccount({"AttachRolePolicy": {}, "ListAttachedRolePolicies": ATTACHED, "DetachRolePolicy": {}})
    stand_in = provider(aws)
    state = stand_in.create(target(ATTACHMENT), {"role": "r", "policyArn": POLICY_ARN}, 0, preview=False)
    assert state.resource_id == f"r/{POLICY_ARN}"
    assert stand_in.read(target(ATTACHMENT), State(state.resource_id)).inputs == {
        "role": "r",
        "policyArn": POLICY_ARN,
        "__defaults": [],
    }
    stand_in.delete(target(ATTACHMENT), state, 0)
    assert aws.made("DetachRolePolicy") == [{"RoleName": "r", "PolicyArn": POLICY_ARN}]


@pytest.mark.parametrize(
    "answer", [{"AttachedPolicies": []}, refusal("NoSuchEntity")], ids=["detached", "role missing"]
)
def test_missing_attachment_is_read_with_an_empty_id(answer: object) -> None:
    aws = ScriptedAccount({"ListAttachedRolePolicies": answer})
    assert provider(aws).read(target(ATTACHMENT), State(f"r/{POLICY_ARN}")).resource_id == ""


def test_attachment_read_follows_pagination() -> None:
    aws = ScriptedAccount({"ListAttachedRolePolicies": [{"AttachedPolicies": [], "Marker": "m"}, ATTACHED]})
    assert provider(aws).read(target(ATTACHMENT), State(f"r/{POLICY_ARN}")).resource_id
    assert aws.made("ListAttachedRolePolicies")[1] == {"RoleName": "r", "Marker": "m"}


@pytest.mark.parametrize(("token", "wrong"), [(ATTACHMENT, "r"), (ADDON, "prod"), (ADDON, "prod:")])
def test_invalid_import_id_is_rejected_with_the_expected_format(token: str, wrong: str) -> None:
    with pytest.raises(ProviderError, match="expected"):
        provider(ScriptedAccount({})).read(target(token), State(wrong))


def test_inline_policy_is_created_and_updated() -> None:
    answers = {"PutRolePolicy": {}, "GetRolePolicy": {"PolicyDocument": {"Version": "2012-10-17", "Statement": []}}}
    aws = ScriptedAccount(answers)
    inputs = {"role": "r", "name": "n", "policy": TRUST}
    state = provider(aws).create(target(INLINE), inputs, 0, preview=False)
    assert (state.resource_id, state.outputs) == ("r:n", {**inputs, "id": "r:n"})
    provider(aws).update(target(INLINE), state, {**inputs, "policy": '{"a": 1}'}, 0, preview=False)
    assert [each["PolicyDocument"] for each in aws.made("PutRolePolicy")] == [TRUST, '{"a": 1}']


def test_oidc_provider_is_created_without_thumbprint_unless_given() -> None:
    aws = ScriptedAccount(
        {
            "CreateOpenIDConnectProvider": {"OpenIDConnectProviderArn": PROVIDER_ARN},
            "GetOpenIDConnectProvider": GET_PROVIDER,
        }
    )
    inputs = {"url": "https://oidc.example/id/A", "clientIdLists": ["sts.amazonaws.com"]}
    state = provider(aws).create(target(PROVIDER), inputs, 0, preview=False)
    assert aws.made("CreateOpenIDConnectProvider") == [
        {"Url": "https://oidc.example/id/A", "ClientIDList": ["sts.amazonaws.com"], "Tags": []}
    ]
    assert state.resource_id == PROVIDER_ARN
    assert state.outputs["url"] == "oidc.example/id/A", "IAM returns the URL without the scheme"
    assert state.outputs["thumbprintLists"] == ["t"]


def test_oidc_provider_update_changes_client_ids_thumbprints_and_tags() -> None:
    verbs = [
        ("AddClientIDToOpenIDConnectProvider", {"ClientID": "b"}),
        ("RemoveClientIDFromOpenIDConnectProvider", {"ClientID": "a"}),
        ("UpdateOpenIDConnectProviderThumbprint", {"ThumbprintList": ["u"]}),
        ("UntagOpenIDConnectProvider", {"TagKeys": ["old"]}),
        ("TagOpenIDConnectProvider", {"Tags": [{"Key": "new", "Value": "1"}]}),
    ]
    aws = ScriptedAccount({**{verb: {} for verb, _ in verbs}, "GetOpenIDConnectProvider": GET_PROVIDER})
    olds = {"clientIdLists": ["a"], "thumbprintLists": ["t"], "tagsAll": {"old": "1"}}
    news = {"clientIdLists": ["b"], "thumbprintLists": ["u"], "tagsAll": {"new": "1"}}
    provider(aws).update(target(PROVIDER), State(PROVIDER_ARN, olds), news, 0, preview=False)
    assert aws.calls[:-1] == [(verb, {"OpenIDConnectProviderArn": PROVIDER_ARN, **given}) for verb, given in verbs]


def test_addon_create_waits_until_the_addon_is_active() -> None:
    waiting = [describe("CREATING"), describe("DEGRADED"), describe("ACTIVE"), describe("ACTIVE")]
    aws = ScriptedAccount({"CreateAddon": {}, "DescribeAddon": waiting})
    state = provider(aws).create(target(ADDON), ADDON_INPUTS, 0, preview=False)
    assert aws.made("CreateAddon") == [
        {
            "clusterName": "prod",
            "addonName": "x",
            "resolveConflicts": "OVERWRITE",
            "serviceAccountRoleArn": "arn:aws:iam::140023393377:role/r",
        }
    ]
    assert state.resource_id == "prod:x"
    assert state.outputs["addonVersion"] == "v1"
    assert state.outputs["resolveConflictsOnUpdate"] == "PRESERVE", "EKS does not store the conflict resolution"


ISSUE = {"code": "InsufficientNumberOfReplicas", "message": "no nodes", "resourceIds": ["d"]}
NOT_ACTIVE = [
    (
        "CREATE_FAILED",
        0,
        "unexpected state 'CREATE_FAILED', wanted target 'ACTIVE'. "
        "last error: d: InsufficientNumberOfReplicas: no nodes",
    ),
    ("DEGRADED", 0, "timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED', timeout: 20m0s)"),
    ("CREATING", 90, "timeout while waiting for state to become 'ACTIVE' (last state: 'CREATING', timeout: 1m30s)"),
]


@pytest.mark.parametrize(("status", "timeout", "text"), NOT_ACTIVE)
def test_addon_that_does_not_become_active_is_kept_in_the_state(status: str, timeout: float, text: str) -> None:
    aws = ScriptedAccount({"CreateAddon": {}, "DescribeAddon": describe(status, [ISSUE])})
    with pytest.raises(InitFailed) as failure:
        provider(aws).create(target(ADDON), ADDON_INPUTS, timeout, preview=False)
    assert failure.value.reasons == [f"1 error occurred:\n\t* waiting for EKS Add-On (prod:x) create: {text}\n\n"]
    assert failure.value.resource_id == "prod:x"
    assert failure.value.outputs["arn"] == ADDON_ARN


def test_cancellation_ends_the_wait() -> None:
    stand_in = provider(ScriptedAccount({"CreateAddon": {}, "DescribeAddon": describe("CREATING")}))
    stand_in.cancelled.set()
    with pytest.raises(ProviderError, match="cancelled"):
        stand_in.create(target(ADDON), ADDON_INPUTS, 0, preview=False)


def update_answer(status: str, errors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"update": {"id": "u-1", "status": status, "errors": errors or []}}


def test_addon_update_waits_until_it_is_successful() -> None:
    aws = ScriptedAccount(
        {
            "UpdateAddon": update_answer("InProgress"),
            "DescribeUpdate": [update_answer("InProgress"), update_answer("Successful")],
            "DescribeAddon": describe(),
        }
    )
    news = {**ADDON_INPUTS, "addonVersion": "v2", "serviceAccountRoleArn": "arn:aws:iam::140023393377:role/s"}
    provider(aws).update(target(ADDON), State("prod:x", {**ADDON_INPUTS, "addonVersion": "v1"}), news, 0, preview=False)
    assert aws.made("UpdateAddon") == [
        {
            "clusterName": "prod",
            "addonName": "x",
            "addonVersion": "v2",
            "resolveConflicts": "PRESERVE",
            "serviceAccountRoleArn": "arn:aws:iam::140023393377:role/s",
        }
    ]
    assert aws.made("DescribeUpdate") == [{"name": "prod", "addonName": "x", "updateId": "u-1"}] * 2


def test_failed_addon_update_reports_the_reason() -> None:
    errors = [{"errorCode": "ConfigurationConflict", "errorMessage": "field manager", "resourceIds": []}]
    aws = ScriptedAccount(
        {"UpdateAddon": update_answer("InProgress"), "DescribeUpdate": update_answer("Failed", errors)}
    )
    with pytest.raises(
        ProviderError,
        match=r"waiting for EKS Add-On \(prod:x\) update: unexpected state 'Failed'.*ConfigurationConflict: field",
    ):
        provider(aws).update(
            target(ADDON), State("prod:x", ADDON_INPUTS), {**ADDON_INPUTS, "addonVersion": "v2"}, 0, preview=False
        )


def test_conflict_resolution_and_tags_do_not_call_update_addon() -> None:
    aws = ScriptedAccount({"TagResource": {}, "UntagResource": {}, "DescribeAddon": describe()})
    olds = {**ADDON_INPUTS, "arn": ADDON_ARN, "tagsAll": {"old": "1"}}
    news = {**ADDON_INPUTS, "resolveConflictsOnUpdate": "NONE", "tagsAll": {"new": "1"}}
    state = provider(aws).update(target(ADDON), State("prod:x", olds), news, 0, preview=False)
    assert aws.made("TagResource") == [{"resourceArn": ADDON_ARN, "tags": {"new": "1"}}]
    assert aws.made("UntagResource") == [{"resourceArn": ADDON_ARN, "tagKeys": ["old"]}]
    assert state.outputs["resolveConflictsOnUpdate"] == "NONE"


def test_addon_delete_waits_until_the_addon_is_deleted() -> None:
    aws = ScriptedAccount(
        {"DeleteAddon": {}, "DescribeAddon": [describe("DELETING"), refusal("ResourceNotFoundException", status=404)]}
    )
    provider(aws).delete(target(ADDON), State("prod:x", {**ADDON_INPUTS, "preserve": True}), 0)
    assert aws.made("DeleteAddon") == [{"clusterName": "prod", "addonName": "x", "preserve": True}]
    assert len(aws.made("DescribeAddon")) == 2


@pytest.mark.parametrize(("seconds", "text"), [(1200, "20m0s"), (2400, "40m0s"), (5, "5s"), (3600, "1h0m0s")])
def test_durations_are_formatted_as_in_go(seconds: float, text: str) -> None:
    assert waiting.duration(seconds) == text


def test_pauses_between_polls_grow_to_ten_seconds() -> None:
    polls: list[int] = []
    limits = waiting.Waiting(60, threading.Event())
    assert limits.until(lambda: polls.append(1) is not None, 1) == 60
    assert len(polls) == 13  # 0.1 s doubled seven times, then every 10 s


@pytest.mark.parametrize("operation", ["check", "create", "diff", "read", "update", "delete"])
def test_unsupported_resource_type_is_rejected_by_name(operation: str) -> None:
    stand_in, queue = provider(ScriptedAccount({})), target("aws:sqs/queue:Queue")
    calls = {
        "check": lambda: stand_in.check(queue, {}, {}, b""),
        "create": lambda: stand_in.create(queue, {}, 0, preview=False),
        "diff": lambda: stand_in.diff(queue, "q", State("q"), {}, []),
        "read": lambda: stand_in.read(queue, State("q")),
        "update": lambda: stand_in.update(queue, State("q"), {}, 0, preview=False),
        "delete": lambda: stand_in.delete(queue, State("q"), 0),
    }
    with pytest.raises(UnsupportedTypeError, match="unsupported resource type aws:sqs/queue:Queue") as failure:
        calls[operation]()
    assert all(token in str(failure.value) for token in RESOURCES)


def test_account_that_is_not_allowed_or_is_forbidden_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = {"Account": "140023393377", "Arn": "arn:aws:iam::140023393377:user/u", "UserId": "U"}
    monkeypatch.setattr(Account, "caller_identity", lambda _: identity)
    keys = Settings("ap-southeast-1", access_key="AKIATEST", secret_key="none", skip_credentials_validation=True)
    own, other = frozenset({"140023393377"}), frozenset({"111111111111"})
    assert Account(replace(keys, allowed_account_ids=own, forbidden_account_ids=other)).id == "140023393377"
    for rejected in (replace(keys, allowed_account_ids=other), replace(keys, forbidden_account_ids=own)):
        with pytest.raises(ProviderError, match=r"^AWS account ID not allowed: 140023393377$"):
            Account(rejected)


def test_unknown_provider_settings_fail_only_when_a_call_needs_them() -> None:
    stand_in = provider(None)
    stand_in.configure({"region": UNKNOWN})
    assert not stand_in.check(target(ROLE), {}, {"assumeRolePolicy": TRUST}, b"").failures
    with pytest.raises(ProviderError, match="not known before the update"):
        stand_in.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})


def test_misspelled_provider_setting_is_rejected() -> None:
    failures = provider(None).check_config(target("pulumi:providers:aws"), {}, {"region": "x", "regoin": "x"}).failures
    assert [key for key, _ in failures] == ["regoin"]
