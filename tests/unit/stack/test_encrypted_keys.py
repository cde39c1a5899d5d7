"""Encrypted keys and fields other than access control: the error names them and shows no part of them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from eks_rocketmq.stack.stack_keys import KEYS
from tests.unit.harness import PROJECT, REPOSITORY
from tests.unit.stack.secret_case import CANARY, NAME, NUMBER, PASSWORD, SECRET_ROLE, VALID, WRONG, put, reject, write

# Other keys of the stack file.


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("key", [*KEYS, "clusterName", "durability", "acess", "unknown"])
def test_an_error_about_an_encrypted_key_shows_no_part_of_its_value(key: str, wrong: str) -> None:
    text = reject({key: WRONG[wrong]}, key)
    assert text.startswith(f"Pulumi.prod.yaml: {key}: ") or key == "access"


@pytest.mark.parametrize("key", [key for key in KEYS if key != "access"])
def test_an_encrypted_key_is_rejected_even_if_its_value_is_valid(key: str) -> None:
    text = reject({}, key, stack="staging") if key != "networkLoadBalancer" else reject({key: {}}, key, stack="staging")
    assert text == (
        f"Pulumi.staging.yaml: {key}: the value is encrypted. Accepted: plain text. Only access can be a secret. "
        "Set it again without --secret."
    )


@pytest.mark.parametrize("path", [("tls", "secretName"), ("brokerGroups", 0, "cpu"), ("pods", "nodeSelector", "a/b")])
def test_an_encrypted_field_is_rejected_by_its_path(prod_folder: Path, path: tuple[Any, ...]) -> None:
    stack = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())
    rocketmq = {**stack["config"][f"{PROJECT}:rocketmq"], "tls": {"mode": "enforcing"}, "pods": {"nodeSelector": {}}}
    for value in (NAME, CANARY, NUMBER, [CANARY], {CANARY: CANARY}):
        given = put(rocketmq, path, value)
        write(prod_folder, "rocketmq", given, path)
        spelled = {"tls": "tls.secretName", "brokerGroups": "brokerGroups[0].cpu", "pods": "pods.nodeSelector['a/b']"}
        assert reject({"rocketmq": None, f"{PROJECT}:rocketmq": given}, "rocketmq") == (
            f"Pulumi.prod.yaml: rocketmq.{spelled[path[0]]}: the value is encrypted. Accepted: plain text. Only access "
            "can be a secret. Set it again without --secret."
        )


def test_all_encrypted_fields_are_reported(prod_folder: Path) -> None:
    write(prod_folder, "cluster", {"clusterName": NAME, "roleArn": SECRET_ROLE}, ("clusterName",), ("roleArn",))
    text = reject({"cluster": {"clusterName": NAME, "roleArn": SECRET_ROLE}, "rocketmq": {"namespace": "A"}}, "cluster")
    lines = [line.strip().partition(" the ")[0] for line in text.splitlines()]
    assert lines == ["Pulumi.prod.yaml: 2 errors", "cluster.clusterName:", "cluster.roleArn:"]


def test_the_error_for_an_encrypted_password_in_another_key_names_access(prod_folder: Path) -> None:
    stack = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())
    rocketmq = {**stack["config"][f"{PROJECT}:rocketmq"], "access": VALID}
    write(prod_folder, "rocketmq", rocketmq, ("access", *PASSWORD))
    text = reject({"rocketmq": rocketmq}, "rocketmq")
    assert text.startswith("Pulumi.prod.yaml: rocketmq.access.users[0].password: the value is encrypted.")
    assert text.endswith("Move it to access.")
