"""Rejected users and permissions. No error shows a password."""

import json
import re
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.argument_path import ARGS as PATH
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.redaction import redact
from eks_rocketmq.rocketmq.access import access
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import run
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq_case import args, group


def user_args(**user: Any) -> dict[str, Any]:
    return {"access": {"users": [{"name": "orders", **user}]}}


def permission_args(**changes: Any) -> dict[str, Any]:
    return user_args(permissions=[{"resources": ["Topic:a"], "actions": ["Pub"], **changes}])


ORDERS = "access.users['orders']"
PERMISSION = f"{ORDERS}.permissions[0]"


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"access": {"internal_generation": 0}}, "access.internal_generation", "range"),
        (user_args(name="a b"), "access.users['a b'].name", "user-name"),
        (user_args(name="rocketmq-internal-7"), "access.users['rocketmq-internal-7'].name", "internal-user-name"),
        ({"access": {"users": [{"name": "a"}, {"name": "a"}]}}, "access.users", "duplicate"),
        (user_args(type="super"), f"{ORDERS}.type", "choice"),
        (user_args(password_version=0), f"{ORDERS}.password_version", "range"),
        (user_args(password_version=-3), f"{ORDERS}.password_version", "range"),
        (
            user_args(password="Chosen-by-a-person", password_version=2),
            f"{ORDERS}.password_version",
            "ignored-argument",
        ),
        (
            user_args(password=pulumi.Output.from_input("Chosen-by-a-person"), password_version=1),
            f"{ORDERS}.password_version",
            "ignored-argument",
        ),
        (user_args(password="short"), f"{ORDERS}.password", "user-password"),
        (user_args(password='with"quotes'), f"{ORDERS}.password", "user-password"),
        (permission_args(resources=["Topics:a"]), f"{PERMISSION}.resources[0]", "permission-resource"),
        (permission_args(resources=["Topic:"]), f"{PERMISSION}.resources[0]", "permission-resource"),
        (permission_args(resources=["Topic:a*b"]), f"{PERMISSION}.resources[0]", "permission-resource"),
        (permission_args(resources=[]), f"{PERMISSION}.resources", "permission-empty-list"),
        (permission_args(resources=["Topic:a", "Topic:a"]), f"{PERMISSION}.resources[1]", "permission-duplicate"),
        (permission_args(actions=[]), f"{PERMISSION}.actions", "permission-empty-list"),
        (permission_args(actions=["Publish"]), f"{PERMISSION}.actions[0]", "choice"),
        (permission_args(decision="Denied"), f"{PERMISSION}.decision", "choice"),
        (permission_args(source_ips=[]), f"{PERMISSION}.source_ips", "empty-list"),
        (permission_args(source_ips=["10.0.0"]), f"{PERMISSION}.source_ips[0]", "permission-source"),
        (permission_args(source_ips=["10.0.0.0/255.0.0.0"]), f"{PERMISSION}.source_ips[0]", "permission-source"),
        (permission_args(source_ips=["fe80::1%eth0"]), f"{PERMISSION}.source_ips[0]", "permission-source"),
        (
            user_args(type="Super", permissions=[{"resources": ["*"], "actions": ["All"]}]),
            f"{ORDERS}.permissions",
            "ignored-argument",
        ),
        (
            {"broker_groups": group(config={"authenticationWhitelist": "25"})},
            "broker_groups['broker-a'].config['authenticationWhitelist']",
            "config-key-reserved",
        ),
        (
            {"proxies": {"config": {"authenticationEnabled": True}}},
            "proxies.config['authenticationEnabled']",
            "config-key-reserved",
        ),
    ],
)
def test_invalid_users_and_permissions_are_rejected(changes: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        plan(args(**changes))


@pytest.mark.parametrize("password", ["with a blank", "short"])
def test_error_does_not_contain_the_rejected_password(password: str) -> None:
    with pytest.raises(ArgumentError) as error:
        plan(args(**user_args(password=password)))
    assert error.value.code == "user-password"
    assert password not in str(error.value)
    assert error.value.message.values == {}


def test_errors_do_not_contain_redacted_values() -> None:
    """Redact encrypted values of a stack file before validation, because an invalid value may be a password."""
    hidden = "Hidden-by-a-person"
    invalid: list[dict[str, Any]] = [
        {"users": [{"name": f"{hidden} "}]},
        {"users": [{"name": f"{labels.INTERNAL_USER_PREFIX}{hidden}"}]},
        {"users": [{"name": hidden}, {"name": hidden}]},
        {"users": [{"name": hidden, "type": hidden}]},
        {"users": [{"name": hidden, "password": f"{hidden} "}]},
        {"users": [{"name": hidden, "password": hidden, "password_version": 2}]},
        *(
            {"users": [{"name": hidden, "permissions": [{"resources": ["*"], "actions": ["All"], **changes}]}]}
            for changes in (
                {"resources": [hidden]},
                {"resources": [f"Topic:{hidden}"] * 2},
                {"actions": [hidden]},
                {"decision": hidden},
                {"source_ips": [hidden]},
            )
        ),
    ]
    for each in invalid:
        with pytest.raises(ArgumentError) as error:
            access.plan_access(redact_values(each))
        assert "Hidden" not in str(error.value)
        assert "person" not in str(error.value)


def redact_values(value: Any) -> Any:
    """Redact all values as the check of a stack file does. Field names are public."""
    if isinstance(value, dict):
        return {key: redact_values(item) for key, item in value.items()}
    return [redact_values(item) for item in value] if isinstance(value, list) else redact(value)


def test_output_password_is_validated_when_it_is_known() -> None:
    # The error describes an accepted password, although the given one is secret.
    with pytest.raises(pulumi.RunError, match=rf"^{re.escape(ORDERS)}\.password: the password is not accepted\. Acc"):
        run(lambda: RocketMq("rocketmq", args(**user_args(password=pulumi.Output.secret("abc")))))


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=70))
def test_accepted_password_is_one_word_without_json_escapes(password: str) -> None:
    try:
        access.validate_password(password, PATH / "password")
    except ValueError:
        return
    assert json.dumps(password) == f'"{password}"'
    assert password.split() == [password]
