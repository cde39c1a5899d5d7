"""Encrypted settings of the AWS provider: what the program needs in plain text, and errors."""

import asyncio
import runpy
from typing import Any

import pulumi
import pytest

from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.stack import settings
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.new_cluster_checks import find_lockout
from eks_rocketmq.stack.stack_paths import STACK_FILE
from tests.unit.harness import PROJECT, REPOSITORY, Fakes, run, stack_config
from tests.unit.stack.secret_case import CANARY, NAME, NUMBER, ROLE, SECRET_ROLE, find_leaks, leaks, reject

# Settings of the AWS provider.


@pytest.mark.parametrize("key", ["aws:region", "aws:profile", "aws:secretKey", "aws:allowedAccountIds"])
def test_an_error_shows_no_part_of_an_encrypted_provider_setting(key: str) -> None:
    pods = {"zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]}
    image = "123456789012.dkr.ecr.cn-north-1.amazonaws.com/rocketmq"
    overrides = {"rocketmq": {"pods": pods, "minInSyncReplicas": 9, "image": image}}
    reject({**overrides, key: CANARY}, key)


ASSUME_ROLES: dict[str, Any] = {"aws:assumeRoles": [{"roleArn": ROLE, "externalId": CANARY}, {"roleArn": SECRET_ROLE}]}


@pytest.mark.parametrize("stack", ["prod", "staging"])
@pytest.mark.parametrize(
    "cluster", [{}, {"roleArn": ""}, {"roleArn": None}, {"role_arn": ROLE}, {"clusterName": "A B"}, {"version": "1.99"}]
)
def test_encrypted_assumed_roles_require_a_cluster_role_in_plain_text(stack: str, cluster: dict[str, Any]) -> None:
    text = reject({**ASSUME_ROLES, "cluster": cluster}, "aws:assumeRoles", stack=stack)
    assert text.startswith(
        f"Pulumi.{stack}.yaml: cluster.roleArn: a value is required, because aws:assumeRoles is encr"
    )
    assert "\n" not in text


@pytest.mark.parametrize("cluster", [None, f'"{NAME}"', f"[{NUMBER}]", "no JSON", "{}"])
def test_encrypted_roles_are_not_shown_if_the_cluster_has_another_error(cluster: str | None) -> None:
    text = reject({**ASSUME_ROLES, "cluster": None, f"{PROJECT}:cluster": cluster or ""}, "aws:assumeRoles")
    assert "cluster.roleArn: a value is required" in text


@pytest.mark.parametrize("stack", ["prod", "staging"])
@pytest.mark.parametrize(("role", "expected"), [("none", None), (ROLE, ROLE)])
def test_encrypted_roles_are_not_read_if_the_cluster_has_a_role(stack: str, role: str, expected: str | None) -> None:
    loaded: list[settings.Settings] = []
    config = stack_config(stack, {**ASSUME_ROLES, "cluster": {"roleArn": role}})
    run(lambda: loaded.append(settings.load()), config=config, encrypted=["aws:assumeRoles"], stack=stack)
    (result,) = loaded
    assert not leaks(repr(result))
    cluster = result.cluster.cluster if isinstance(result.cluster, NewCluster) else result.cluster
    assert cluster.get("role_arn") == expected


def test_an_encrypted_profile_requires_one_of_the_cluster_in_plain_text() -> None:
    text = reject({"aws:profile": CANARY}, "aws:profile")
    assert text.startswith("Pulumi.prod.yaml: cluster.profile: a value is required, because aws:profile is encrypted")


def test_an_encrypted_profile_is_not_read_if_the_cluster_has_one() -> None:
    loaded: list[settings.Settings] = []
    config = stack_config("prod", {"aws:profile": CANARY, "cluster": {"profile": "deployer"}})
    run(lambda: loaded.append(settings.load()), config=config, encrypted=["aws:profile"], stack="prod")
    (result,) = loaded
    assert not leaks(repr(result))
    assert not isinstance(result.cluster, NewCluster)
    assert result.cluster.get("profile") == "deployer"


@pytest.mark.parametrize("role", [1, [ROLE], "deployer", ROLE.replace(":aws:", ":aws-cn:")])
@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_an_error_about_the_role_shows_no_part_of_encrypted_roles(stack: str, role: Any) -> None:
    text = reject({**ASSUME_ROLES, "cluster": {"roleArn": role}}, "aws:assumeRoles", stack=stack)
    assert text.startswith(f"Pulumi.{stack}.yaml: cluster.roleArn: ")


def test_the_lockout_check_hides_a_caller_with_an_encrypted_role() -> None:
    caller = f"arn:aws:sts::140023393377:assumed-role/{NAME}/{NAME}"
    cases: list[dict[str, Any]] = [
        {"role_arn": ROLE},
        {"creator_is_admin": False},
        {"role_arn": ROLE, "creator_is_admin": False},
    ]
    for case in cases:
        cluster: Any = {"cluster_name": "new", "version": "1.35", **case}
        message = find_lockout(caller, cluster, hide_caller=True)
        assert message is not None
        assert find_leaks(ArgumentError.of(message)) == []
        shown = find_lockout(caller, cluster)
        assert shown is not None
        assert leaks(shown.render(STACK_FILE)) == (case != cases[2])


@pytest.mark.parametrize("encrypted", [True, False])
def test_the_program_hides_a_caller_with_an_encrypted_role(*, encrypted: bool) -> None:
    caller = {"accountId": "140023393377", "arn": f"arn:aws:sts::140023393377:assumed-role/{NAME}/ci", "userId": "A"}
    fakes = Fakes().answering("aws:index/getCallerIdentity:getCallerIdentity", lambda _: {**caller, "id": "1"})
    cluster = {"roleArn": ROLE, "accessEntries": None}
    recording = run(
        lambda: runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__"),
        preview=True,
        config=stack_config("staging", {**ASSUME_ROLES, "cluster": cluster}),
        encrypted=["aws:assumeRoles"] if encrypted else [],
        stack="staging",
        fakes=fakes,
    )
    (created,) = recording.by_type("aws:eks/cluster:Cluster")
    hook_args = pulumi.ResourceHookArgs(created.urn, "", created.name, created.type, new_inputs=created.inputs)
    with pytest.raises(RuntimeError, match=r"cluster\.accessEntries: .* creates the objects of this stack") as error:
        asyncio.run(recording.hooks["cluster-locked-preflight"](hook_args))
    assert leaks(str(error.value)) is not encrypted
