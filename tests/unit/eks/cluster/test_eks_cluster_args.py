"""Rejected arguments of a new EKS cluster."""

import re
import shutil
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from tests.unit.eks.cluster.eks_cluster_case import ENTRIES, program
from tests.unit.harness import Recording, run
from tests.unit.harness.fakes import ACCOUNT
from tests.unit.harness.rejections import rejects

SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
VIEW = {"policy": "AmazonEKSViewPolicy"}


def with_entry(**changed: Any) -> dict[str, Any]:
    return {"access_entries": [{**ENTRIES[0], **changed}]}


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"cluster_name": "my cluster"}, "cluster_name", "cluster-name"),
        ({"version": 1.35}, "version", "wrong-type"),
        ({"version": "1.35.2"}, "version", "cluster-version"),
        ({"version": "1.29"}, "version", "cluster-version"),
        ({"subnet_ids": ["subnet-a"]}, "subnet_ids", "control-plane-subnets"),
        ({"subnet_ids": []}, "subnet_ids", "control-plane-subnets"),
        ({"public_access_cidrs": ["10.0.0.0/8"]}, "public_access_cidrs", "private-source"),
        ({"public_access_cidrs": ["203.0.113.7"]}, "public_access_cidrs[0]", "ipv4-block"),
        ({"log_types": ["api", "audits"]}, "log_types[1]", "choice"),
        ({"log_retention_days": 100}, "log_retention_days", "log-retention"),
        ({"support_type": "standard"}, "support_type", "choice"),
        ({"service_cidr": "203.0.113.0/24"}, "service_cidr", "service-block"),
        ({"timeouts": {"create": "45 minutes"}}, "timeouts.create", "cluster-timeout"),
        ({"timeouts": {"create": ""}}, "timeouts.create", "cluster-timeout"),
        ({"timeouts": {"creat": "45m"}}, "timeouts.creat", "unknown-field"),
        ({"secrets_kms_key_arn": "foo"}, "secrets_kms_key_arn", "kms-key-arn"),
        ({"log_kms_key_arn": "alias/mine"}, "log_kms_key_arn", "kms-key-arn"),
        ({"role_arn": "foo"}, "role_arn", "role-arn"),
        ({"creator_is_admin": False}, "creator_is_admin", "cluster-without-administrator"),
        ({"access_entries": [ENTRIES[0]] * 2}, "access_entries", "duplicate"),
        ({"access_entries": [ENTRIES[0], {**ENTRIES[0], "name": "other"}]}, "access_entries", "duplicate"),
        (with_entry(name="Platform"), "access_entries['Platform'].name", "access-entry-name"),
        (with_entry(principal_arn=SESSION), "access_entries['team'].principal_arn", "access-entry-principal"),
        (with_entry(principal_arn="platform"), "access_entries['team'].principal_arn", "access-entry-principal"),
        (with_entry(type="LINUX"), "access_entries['team'].type", "choice"),
        (with_entry(type="EC2_LINUX"), "access_entries['team'].policies", "ignored-argument"),
        (
            with_entry(type="EC2", kubernetes_groups=["a"]),
            "access_entries['team'].kubernetes_groups",
            "ignored-argument",
        ),
        (with_entry(type="EC2", username="a"), "access_entries['team'].username", "ignored-argument"),
        (with_entry(policies=[]), "access_entries['team']", "access-entry-without-permissions"),
        (with_entry(type="EC2", policies=[]), "access_entries['team']", "access-entry-without-permissions"),
        (with_entry(kubernetes_groups=[""]), "access_entries['team'].kubernetes_groups[0]", "empty-group"),
        ({"ignore_changes": ["version", ""]}, "ignore_changes[1]", "ignored-property"),
        ({"ignore_changes": ['["*"]']}, "ignore_changes[0]", "ignored-property"),
        ({"ignore_changes": ["vpc_config.subnetIds"]}, "ignore_changes[0]", "ignored-property"),
        (
            with_entry(kubernetes_groups=["readers", "system:masters"]),
            "access_entries['team'].kubernetes_groups[1]",
            "reserved-group",
        ),
        (
            with_entry(policies=[{"policy": "arn:aws:eks::aws:x"}]),
            "access_entries['team'].policies[0].policy",
            "access-policy",
        ),
        (
            with_entry(policies=[{"policy": "AmazonEKSEditPolicy", "namespaces": []}]),
            "access_entries['team'].policies[0].namespaces",
            "empty-list",
        ),
        (
            with_entry(policies=[{"policy": "AmazonEKSEditPolicy", "namespaces": ["rocketmq", "Team"]}]),
            "access_entries['team'].policies[0].namespaces[1]",
            "access-policy-namespace",
        ),
        (with_entry(policies=[VIEW, VIEW]), "access_entries['team'].policies", "duplicate"),
    ],
)
def test_invalid_arguments_are_rejected_before_any_resource_is_registered(
    changed: dict[str, Any], path: str, code: str
) -> None:
    recording = Recording(preview=True)
    with rejects((path, code)):
        run(program(**changed), preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda arn: {"secrets_kms_key_arn": arn}, "secrets_kms_key_arn"),
        (lambda arn: {"log_kms_key_arn": arn}, "log_kms_key_arn"),
        (lambda arn: with_entry(principal_arn=arn), "access_entries['team'].principal_arn"),
    ],
)
def test_an_arn_output_is_validated_when_its_value_is_known(
    change: Callable[[object], dict[str, Any]], path: str
) -> None:
    def register() -> None:
        program(**change(pulumi.Output.from_input("platform")))()

    with pytest.raises(pulumi.RunError, match=f"^{re.escape(path)}: 'platform' "):
        run(register, preview=True)


def test_a_missing_aws_command_is_rejected_before_any_resource_is_registered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    recording = Recording(preview=True)
    with pytest.raises(pulumi.RunError, match="`aws` command is not on PATH; a new cluster needs it, for a preview"):
        run(program(), preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []
