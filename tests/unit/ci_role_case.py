"""Runs of the example `ci-role` against the recording monitor, for tests of its roles and policies."""

import json
import runpy
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

import yaml

from tests.unit.harness import REPOSITORY, Fakes, Recording, run, runner
from tests.unit.harness.fakes import ACCOUNT, REGION

EXAMPLE = REPOSITORY / "examples" / "ci-role"
PROJECT = "ci-role"
GITHUB = "https://token.actions.githubusercontent.com"
ADMINISTRATOR = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
MODULES = ("ci_policies", "ci_new_cluster", "ci_components")


DRIVER_BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/eks-rocketmq-ci-driver-boundary"


def arn(service: str, path: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{path}"


def iam(path: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:{path}"


def key(inputs: Mapping[str, Any]) -> str:
    """Return the ID of the KMS key for the state or for the secrets of a cluster."""
    return "1234" if inputs["description"].startswith("State") else "5678"


def fakes() -> Fakes:
    """Return the fakes of an account in which the example has not run yet."""
    usual = Fakes().answering("aws:index/getRegion:getRegion", lambda _: {"id": REGION, "region": REGION})
    own = {
        "aws:kms/key:Key": lambda i: (key(i), {**i, "arn": arn("kms", f"key/{key(i)}"), "keyId": key(i)}),
        "aws:kms/alias:Alias": lambda i: (i["name"], {}),
        "aws:s3/bucket:Bucket": lambda i: (i["bucket"], {"arn": f"arn:aws:s3:::{i['bucket']}"}),
        "aws:s3/bucketVersioning:BucketVersioning": lambda i: (i["bucket"], {}),
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": lambda i: (i["bucket"], {}),
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": lambda i: (
            i["bucket"],
            {},
        ),
        "aws:iam/policy:Policy": lambda i: (iam(f"policy/{i['name']}"), {"arn": iam(f"policy/{i['name']}")}),
        "aws:iam/rolePolicy:RolePolicy": lambda i: (f"{i['role']}:{i['name']}", {}),
        "aws:eks/accessEntry:AccessEntry": lambda i: (f"{i['clusterName']}:{i['principalArn']}", {}),
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": lambda i: (i["principalArn"], {}),
    }
    return replace(usual, resources={**usual.resources, **own})


def deploy_example(*, preview: bool = False, using: Fakes | None = None, **overrides: Any) -> Recording:
    """Run the example with its stack file. `overrides` are configuration keys of the project."""
    declared = yaml.safe_load((EXAMPLE / "Pulumi.yaml").read_text())["config"]
    given = yaml.safe_load((EXAMPLE / "Pulumi.prod.yaml").read_text())["config"]
    defaults = {f"{PROJECT}:{key}": each["default"] for key, each in declared.items() if "default" in each}
    merged = {**defaults, **given, **{f"{PROJECT}:{key}": value for key, value in overrides.items()}}
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in merged.items()}
    try:
        with mock.patch.object(runner, "PROJECT", PROJECT):
            return run(
                lambda: runpy.run_path(str(EXAMPLE), run_name="__main__"),
                preview=preview,
                config=config,
                stack="prod",
                fakes=using or fakes(),
            )
    finally:
        # Unload the modules of the example, so that each run imports them again.
        for name in MODULES:
            sys.modules.pop(name, None)
