"""Answers of the AWS stand-in about modifications of volumes and about the default key, without the emulator."""

import importlib
import re
import sys
from collections.abc import Generator
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest

BEFORE = {"Size": 1, "VolumeType": "gp3", "Iops": 3000, "Throughput": 125}
MODIFIED = {**BEFORE, "Size": 2, "_modification": {"before": BEFORE, "at": "2026-11-28T08:00:00Z"}}
MODULES = ("sandbox.aws.volumes", "sandbox.aws.iam_authorization")


@pytest.fixture
def volumes(monkeypatch: pytest.MonkeyPatch) -> Generator[ModuleType]:
    """Return the module with a fake of the emulator, which only its own environment contains."""
    ec2 = MagicMock()
    ec2._volumes = {name: {**MODIFIED, "VolumeId": name} for name in ("vol-1", "vol-2")}
    ec2._volumes["vol-3"] = {**BEFORE, "VolumeId": "vol-3"}
    ec2._parse_member_list = lambda p, name: p.get(name, [])
    ec2._parse_filters = lambda p: p.get("Filter", {})
    ec2._xml = lambda _, root, inner: f"<{root}>{inner}</{root}>"
    with monkeypatch.context() as patch:
        for name in MODULES:
            patch.delitem(sys.modules, name, raising=False)
        patch.setitem(sys.modules, "sandbox.aws.emulator", MagicMock(ec2=ec2))
        yield importlib.import_module("sandbox.aws.volumes")
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ({}, ["vol-1", "vol-2"]),
        ({"VolumeId": ["vol-2"]}, ["vol-2"]),
        ({"Filter": {"volume-id": ["vol-2"]}}, ["vol-2"]),
        # Unlike the parameter, the filter accepts a volume that was not modified.
        ({"Filter": {"volume-id": ["vol-3"]}}, []),
    ],
)
def test_modifications_are_filtered_by_volume(volumes: ModuleType, request_: dict[str, Any], names: list[str]) -> None:
    answer = volumes._describe_modifications(request_)
    assert re.findall(r"<volumeId>([^<]+)", answer) == names


def test_new_volumes_are_not_encrypted_by_default(volumes: ModuleType) -> None:
    assert "<ebsEncryptionByDefault>false<" in volumes._get_encryption_by_default({})
    assert "<kmsKeyId>alias/aws/ebs<" in volumes._get_default_key({})
