"""Check and Diff of the aws stand-in: defaults, automatic names, replacements, comparison of documents, tags."""

import json
from typing import Any

import pytest

from sandbox.engine.aws.account import Settings
from sandbox.engine.aws.comparison import same_json, same_policy
from sandbox.engine.aws.properties import DEFAULTS, CheckContext, automatic_name, check, diff, inputs_of, stored_state
from sandbox.engine.aws.stand_in import RESOURCES
from sandbox.engine.aws.tags import with_own_tags
from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.servicer import Change
from sandbox.engine.provider.values import UNKNOWN

ROLE = RESOURCES["aws:iam/role:Role"]
ATTACHMENT = RESOURCES["aws:iam/rolePolicyAttachment:RolePolicyAttachment"]
INLINE = RESOURCES["aws:iam/rolePolicy:RolePolicy"]
PROVIDER = RESOURCES["aws:iam/openIdConnectProvider:OpenIdConnectProvider"]
ADDON = RESOURCES["aws:eks/addon:Addon"]
POLICY = RESOURCES["aws:iam/policy:Policy"]
ASSOCIATION = RESOURCES["aws:eks/podIdentityAssociation:PodIdentityAssociation"]
SCHEMAS = {
    "Role": ROLE,
    "RolePolicyAttachment": ATTACHMENT,
    "RolePolicy": INLINE,
    "OpenIdConnectProvider": PROVIDER,
    "Addon": ADDON,
    "Policy": POLICY,
    "PodIdentityAssociation": ASSOCIATION,
}
TRUST = '{"Version":"2012-10-17","Statement":[]}'
ARN = "arn:aws:iam::140023393377:role/r"
GIVEN: dict[str, dict[str, Any]] = {
    "Role": {"assumeRolePolicy": TRUST},
    "RolePolicyAttachment": {"role": "r", "policyArn": "arn:aws:iam::aws:policy/P"},
    "RolePolicy": {"role": "r", "policy": TRUST},
    "OpenIdConnectProvider": {"url": "https://oidc.example/id/A", "clientIdLists": ["sts.amazonaws.com"]},
    "Addon": {"clusterName": "prod", "addonName": "aws-ebs-csi-driver"},
    "Policy": {"policy": TRUST},
    "PodIdentityAssociation": {"clusterName": "prod", "namespace": "n", "serviceAccount": "s", "roleArn": ARN},
}
CONTEXT = CheckContext("res", {}, b"seed", {})


def checked(kind: str, **inputs: object) -> dict[str, Any]:
    answer = check(SCHEMAS[kind], {**GIVEN[kind], **inputs}, CONTEXT)
    assert not answer.failures
    return dict(answer.inputs)


def reasons(kind: str, inputs: dict[str, Any]) -> dict[str, str]:
    return dict(check(SCHEMAS[kind], inputs, CONTEXT).failures)


def test_every_supported_input_is_an_input_of_the_sdk() -> None:
    for schema in SCHEMAS.values():
        assert set(schema.properties) <= schema.names.inputs, schema.token
        assert schema.names.required <= set(schema.properties), schema.token


@pytest.mark.parametrize(
    ("kind", "defaults"),
    [
        (
            "Role",
            {
                "forceDetachPolicies": False,
                "maxSessionDuration": 3600,
                "path": "/",
                "name": automatic_name("res", b"seed"),
            },
        ),
        ("RolePolicy", {"name": automatic_name("res", b"seed")}),
        ("RolePolicyAttachment", {}),
        ("OpenIdConnectProvider", {}),
        ("Addon", {}),
        ("Policy", {"name": automatic_name("res", b"seed"), "path": "/"}),
        ("PodIdentityAssociation", {}),
    ],
)
def test_defaults_are_applied_and_listed(kind: str, defaults: dict[str, Any]) -> None:
    assert checked(kind) == {**GIVEN[kind], **defaults, DEFAULTS: sorted(defaults)}


def test_explicit_values_override_defaults() -> None:
    inputs = checked("Role", path="/x/", name="mine", maxSessionDuration=7200, forceDetachPolicies=True)
    assert (inputs["path"], inputs["name"], inputs["maxSessionDuration"], inputs[DEFAULTS]) == ("/x/", "mine", 7200, [])


def test_automatic_name_has_seven_hexadecimal_digits_and_is_kept() -> None:
    first = checked("Role")["name"]
    prefix, _, suffix = first.rpartition("-")
    assert (prefix, len(suffix)) == ("res", 7)
    assert int(suffix, 16) >= 0
    again = check(ROLE, GIVEN["Role"], CheckContext("res", {"name": first, DEFAULTS: ["name"]}, b"other", {}))
    assert again.inputs["name"] == first
    fresh = check(ROLE, GIVEN["Role"], CheckContext("res", {"name": "was-given", DEFAULTS: []}, b"other", {}))
    assert fresh.inputs["name"] not in {first, "was-given"}


def test_too_long_automatic_name_is_rejected() -> None:
    answer = check(ROLE, GIVEN["Role"], CheckContext("r" * 60, {}, b"seed", {}))
    assert answer.failures[0][0] == "name"
    assert "longer than 64 characters" in answer.failures[0][1]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_unknown_input_is_rejected_by_name(kind: str) -> None:
    assert "Invalid or unknown key" in reasons(kind, {**GIVEN[kind], "nosuch": 1})["nosuch"]


def test_misspelled_input_is_rejected_with_a_suggestion() -> None:
    assert (
        "did you mean 'maxSessionDuration'?"
        in reasons("Role", {**GIVEN["Role"], "maxSesionDuration": 3600})["maxSesionDuration"]
    )


def test_unsupported_input_is_rejected_by_name() -> None:
    assert (
        "does not serve the input 'inlinePolicies'"
        in reasons("Role", {**GIVEN["Role"], "inlinePolicies": []})["inlinePolicies"]
    )


@pytest.mark.parametrize(
    ("kind", "required"),
    [(kind, key) for kind, given in GIVEN.items() for key in given],
)
def test_missing_required_input_is_rejected(kind: str, required: str) -> None:
    given = {key: value for key, value in GIVEN[kind].items() if key != required}
    assert f'The argument "{required}" is required' in reasons(kind, given)[required]


@pytest.mark.parametrize(
    ("kind", "key", "value", "text"),
    [
        ("Role", "assumeRolePolicy", "{nope", "contains an invalid JSON policy"),
        ("Role", "assumeRolePolicy", "[]", "not a JSON object"),
        ("Role", "maxSessionDuration", 60, "in the range (3600 - 43200), got 60"),
        ("Role", "maxSessionDuration", "3600", "expected type of max_session_duration to be integer"),
        ("Role", "permissionsBoundary", "x", "arn: invalid prefix"),
        ("RolePolicyAttachment", "policyArn", "arn:aws", "arn: not enough sections"),
        ("RolePolicyAttachment", "policyArn", "arn::iam::aws:policy/P", "is an invalid ARN"),
        ("RolePolicy", "policy", "{", "contains an invalid JSON policy"),
        ("OpenIdConnectProvider", "url", "http://oidc.example", 'schema of: "https"'),
        ("Addon", "resolveConflictsOnCreate", "PRESERVE", 'one of ["NONE" "OVERWRITE"], got PRESERVE'),
        ("Addon", "resolveConflictsOnUpdate", "x", 'one of ["NONE" "OVERWRITE" "PRESERVE"], got x'),
        ("Addon", "configurationValues", "a: b", "contains an invalid JSON"),
        ("Addon", "serviceAccountRoleArn", "role", "arn: invalid prefix"),
        ("Policy", "policy", "{", "contains an invalid JSON policy"),
        ("PodIdentityAssociation", "roleArn", "role", "arn: invalid prefix"),
        ("PodIdentityAssociation", "targetRoleArn", "role", "arn: invalid prefix"),
    ],
)
def test_invalid_value_is_rejected(kind: str, key: str, value: object, text: str) -> None:
    assert text in reasons(kind, {**GIVEN[kind], key: value})[key]
    assert key not in reasons(kind, {**GIVEN[kind], key: UNKNOWN}), "an unknown value is not validated"


CHANGED: dict[str, dict[str, tuple[Any, Any]]] = {
    "Role": {
        "assumeRolePolicy": (TRUST, '{"Version":"2012-10-17","Statement":[{"Effect":"Deny"}]}'),
        "description": ("a", "b"),
        "forceDetachPolicies": (False, True),
        "maxSessionDuration": (3600, 7200),
        "name": ("a", "b"),
        "path": ("/", "/x/"),
        "permissionsBoundary": (ARN, f"{ARN}2"),
    },
    "RolePolicyAttachment": {"role": ("a", "b"), "policyArn": (ARN, f"{ARN}2")},
    "RolePolicy": {"name": ("a", "b"), "role": ("a", "b"), "policy": (TRUST, '{"Statement":[1]}')},
    "OpenIdConnectProvider": {
        "clientIdLists": (["a"], ["b"]),
        "thumbprintLists": (["a"], ["b"]),
        "url": ("https://a", "https://b"),
    },
    "Addon": {
        "addonName": ("a", "b"),
        "addonVersion": ("v1", "v2"),
        "clusterName": ("a", "b"),
        "configurationValues": ("{}", '{"a":1}'),
        "podIdentityAssociations": (
            [{"serviceAccount": "a", "roleArn": ARN}, {"serviceAccount": "b", "roleArn": ARN}],
            [{"serviceAccount": "a", "roleArn": f"{ARN}2"}, {"serviceAccount": "b", "roleArn": ARN}],
        ),
        "preserve": (False, True),
        "region": ("a", "b"),
        "resolveConflictsOnCreate": ("NONE", "OVERWRITE"),
        "resolveConflictsOnUpdate": ("NONE", "OVERWRITE"),
        "serviceAccountRoleArn": (ARN, f"{ARN}2"),
    },
    "Policy": {
        "description": ("a", "b"),
        "name": ("a", "b"),
        "path": ("/", "/x/"),
        "policy": (TRUST, '{"Statement":[1]}'),
    },
    "PodIdentityAssociation": {
        "clusterName": ("a", "b"),
        "disableSessionTags": (False, True),
        "namespace": ("a", "b"),
        "region": ("a", "b"),
        "roleArn": (ARN, f"{ARN}2"),
        "serviceAccount": ("a", "b"),
        "targetRoleArn": (ARN, f"{ARN}2"),
    },
}
REPLACING = {
    ("Role", "name"),
    ("Role", "path"),
    ("RolePolicyAttachment", "policyArn"),
    ("RolePolicyAttachment", "role"),
    ("RolePolicy", "name"),
    ("RolePolicy", "role"),
    ("OpenIdConnectProvider", "url"),
    ("Addon", "addonName"),
    ("Addon", "clusterName"),
    ("Addon", "region"),
    ("Policy", "description"),
    ("Policy", "name"),
    ("Policy", "path"),
    ("PodIdentityAssociation", "clusterName"),
    ("PodIdentityAssociation", "namespace"),
    ("PodIdentityAssociation", "region"),
    ("PodIdentityAssociation", "serviceAccount"),
}
# Inputs for which AWS chooses a value when the program sets none.
CHOSEN_BY_AWS = {
    ("Role", "name"),
    ("RolePolicy", "name"),
    ("OpenIdConnectProvider", "thumbprintLists"),
    ("Addon", "addonVersion"),
    ("Addon", "configurationValues"),
    ("Addon", "region"),
    ("Policy", "name"),
    ("PodIdentityAssociation", "disableSessionTags"),
    ("PodIdentityAssociation", "region"),
}


def test_table_of_changes_covers_every_input() -> None:
    assert {(k, key) for k, rows in CHANGED.items() for key in rows} == {
        (k, key) for k, schema in SCHEMAS.items() for key in schema.properties if key != "tags"
    }


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, rows in CHANGED.items() for key in rows])
def test_input_change_updates_or_replaces_the_resource(kind: str, key: str) -> None:
    old, new = CHANGED[kind][key]
    difference = diff(SCHEMAS[kind], {}, {key: old}, {key: new}, [])
    wanted = Change.UPDATE_REPLACE if (kind, key) in REPLACING else Change.UPDATE
    assert difference.changes == {key: wanted}
    assert diff(SCHEMAS[kind], {}, {key: old}, {key: old}, []).changes == {}
    assert diff(SCHEMAS[kind], {}, {key: old}, {key: new}, [key]).changes == {}, "ignoreChanges"
    assert key in diff(SCHEMAS[kind], {}, {key: old}, {key: UNKNOWN}, []).changes


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, rows in CHANGED.items() for key in rows])
def test_removed_input_is_a_change_unless_aws_chooses_the_value(kind: str, key: str) -> None:
    old, _ = CHANGED[kind][key]
    changes = diff(SCHEMAS[kind], {}, {key: old}, {}, []).changes
    assert bool(changes) == ((kind, key) not in CHOSEN_BY_AWS)


def test_only_an_explicit_name_requires_delete_before_replace() -> None:
    given = {"name": "mine", "path": "/x/", DEFAULTS: []}
    assert diff(ROLE, {"name": "mine"}, {"name": "mine", "path": "/"}, given, []).delete_before_replace
    automatic = {**given, DEFAULTS: ["name"]}
    assert not diff(ROLE, {"name": "mine"}, {"name": "mine", "path": "/"}, automatic, []).delete_before_replace


def test_attachment_is_deleted_before_it_is_replaced() -> None:
    assert diff(
        ATTACHMENT, {}, {"role": "a", "policyArn": ARN}, {"role": "b", "policyArn": ARN}, []
    ).delete_before_replace


STATEMENT = {
    "Effect": "Allow",
    "Principal": {"Federated": ["a"]},
    "Action": ["x:B", "x:A"],
    "Condition": {"StringEquals": {"H:sub": ["s"]}},
}


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"Action": ["x:A", "x:B"]}, True),
        ({"Principal": {"Federated": "a"}}, True),
        ({"Condition": {"StringEquals": {"h:sub": "s"}}}, True),
        ({"Sid": ""}, True),
        ({"Action": ["x:A"]}, False),
        ({"Principal": {"Federated": "b"}}, False),
        ({"Condition": {"StringEquals": {"https://h:sub": "s"}}}, False),
        ({"Condition": {"StringLike": {"h:sub": "s"}}}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_policies_are_compared_semantically(changed: dict[str, Any], same: bool) -> None:
    one = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]}, indent=4)
    other = json.dumps({"Statement": {**STATEMENT, **changed}, "Version": "2012-10-17"})
    assert same_policy(one, other) is same


def test_json_documents_are_compared_by_value() -> None:
    assert same_json('{"a": 1, "b": 2}', '{"b":2,"a":1}')
    assert not same_json('{"a": 1}', '{"a": 2}')
    assert same_json("", None)


def test_resource_tags_override_default_tags() -> None:
    answer = check(
        ROLE, {**GIVEN["Role"], "tags": {"a": "mine"}}, CheckContext("res", {}, b"", {"a": "theirs", "b": "x"})
    )
    assert answer.inputs["tagsAll"] == {"a": "mine", "b": "x"}
    state = with_own_tags({"tags": {"a": "mine", "b": "x"}}, {"a": "mine"}, {"a": "theirs", "b": "x"})
    assert (state["tags"], state["tagsAll"]) == ({"a": "mine"}, {"a": "mine", "b": "x"})


def test_unknown_tags_stay_unknown() -> None:
    answer = check(ROLE, {**GIVEN["Role"], "tags": UNKNOWN}, CheckContext("res", {}, b"", {"b": "x"}))
    assert answer.inputs["tagsAll"] is UNKNOWN


def test_each_changed_tag_is_reported() -> None:
    state, news = {"tags": {"a": "1", "k.b": "2", "c": "3"}}, {"tags": {"a": "1", "k.b": "x", "d": "4"}}
    assert diff(ROLE, {}, state, news, []).changes == {
        'tags["k.b"]': Change.UPDATE,
        "tags.c": Change.DELETE,
        "tags.d": Change.ADD,
    }
    assert diff(ROLE, {}, state, news, ["tags"]).changes == {}


def test_import_returns_all_inputs_that_are_not_empty() -> None:
    state = {
        "name": "r",
        "assumeRolePolicy": TRUST,
        "path": "/",
        "description": "",
        "arn": ARN,
        "tags": {"a": "1"},
        "tagsAll": {"a": "1"},
    }
    assert inputs_of(ROLE, state, {}) == {
        "name": "r",
        "assumeRolePolicy": TRUST,
        "path": "/",
        "tags": {"a": "1"},
        "tagsAll": {"a": "1"},
        DEFAULTS: [],
    }


def test_refresh_updates_changed_inputs_and_adds_drift() -> None:
    old = {
        "name": "r",
        "assumeRolePolicy": TRUST,
        "path": "/",
        "maxSessionDuration": 3600,
        DEFAULTS: ["maxSessionDuration", "path"],
    }
    state = {"name": "r", "assumeRolePolicy": TRUST, "path": "/", "maxSessionDuration": 7200, "description": "drift"}
    assert inputs_of(ROLE, state, old) == {
        **old,
        "maxSessionDuration": 7200,
        "description": "drift",
        DEFAULTS: ["path"],
    }


def test_refresh_does_not_record_values_chosen_by_aws_as_inputs() -> None:
    old = {"clusterName": "prod", "addonName": "x", DEFAULTS: []}
    assert inputs_of(ADDON, {**old, "addonVersion": "v1", "region": "r"}, old) == old


def test_state_keeps_the_text_of_the_program_and_values_aws_does_not_store() -> None:
    indented = json.dumps(json.loads(TRUST), indent=2)
    known = {"assumeRolePolicy": indented, "forceDetachPolicies": True, DEFAULTS: []}
    state = stored_state(ROLE, known, {"assumeRolePolicy": TRUST, "path": "/"})
    assert state == {"assumeRolePolicy": indented, "forceDetachPolicies": True, "maxSessionDuration": 3600, "path": "/"}
    changed = stored_state(ROLE, known, {"assumeRolePolicy": '{"Statement":[1]}'})
    assert changed["assumeRolePolicy"] == '{"Statement":[1]}'


def test_url_without_scheme_is_stored_and_causes_no_diff() -> None:
    inputs = GIVEN["OpenIdConnectProvider"]
    state = stored_state(PROVIDER, inputs, {"url": "oidc.example/id/A", "clientIdLists": ["sts.amazonaws.com"]})
    assert state["url"] == "oidc.example/id/A"
    assert diff(PROVIDER, inputs, state, inputs, []).changes == {}


def test_provider_settings_are_parsed_from_json_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    settings = Settings.of(
        {
            "allowedAccountIds": '["140023393377"]',
            "defaultTags": '{"tags": {"a": "b"}}',
            "endpoints": '[{"iam": "http://x"}]',
            "skipCredentialsValidation": "true",
            "skipRegionValidation": "true",
            "version": "7.51.1",
        }
    )
    assert settings == Settings(
        "eu-west-1",
        allowed_account_ids=frozenset({"140023393377"}),
        default_tags={"a": "b"},
        endpoints={"iam": "http://x"},
        skip_credentials_validation=True,
    )


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"httpProxy": "x"}, "aws:httpProxy is not served by"),
        ({"nosuch": "x"}, "aws:nosuch is unknown to"),
        ({}, "missing region"),
    ],
)
def test_invalid_provider_settings_are_rejected(
    config: dict[str, str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(ProviderError, match=text):
        Settings.of(config)


def test_addon_associations_are_compared_as_a_set() -> None:
    first, second = {"serviceAccount": "a", "roleArn": ARN}, {"serviceAccount": "b", "roleArn": ARN}
    key = "podIdentityAssociations"
    assert diff(ADDON, {}, {key: [first, second]}, {key: [second, first]}, []).changes == {}
