"""Scripted AWS clients: responses per operation, a record of all calls, and failure on unexpected calls."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from sandbox.engine.aws.account import Account, Settings
from sandbox.engine.aws.stand_in import AwsStandIn
from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.servicer import Target

REGION = "ap-southeast-1"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POLICY_ARN = "arn:aws:iam::aws:policy/P"
PROVIDER_ARN = "arn:aws:iam::140023393377:oidc-provider/oidc.example/id/A"
ADDON_ARN = "arn:aws:eks:ap-southeast-1:140023393377:addon/prod/x/1"

GET_ROLE = {
    "Role": {
        "Arn": "arn:aws:iam::140023393377:role/r",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "CreateDate": NOW,
        "MaxSessionDuration": 3600,
        "Path": "/",
        "RoleId": "AROA1",
        "RoleName": "r",
        "Tags": [{"Key": "a", "Value": "1"}],
    }
}
ATTACHED = {"AttachedPolicies": [{"PolicyArn": POLICY_ARN}]}
GET_PROVIDER = {"Url": "oidc.example/id/A", "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": ["t"], "Tags": []}


def refusal(code: str, message: str = "no", status: int = 400) -> ClientError:
    """Return the error of a call that AWS rejects."""
    about = {"HTTPStatusCode": status, "RequestId": "r-1", "RetryAttempts": 0, "HostId": "", "HTTPHeaders": {}}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": about}, "Verb")


@cache
def _meta(service: str) -> Any:
    return boto3.client(service, region_name=REGION, aws_access_key_id="AKIATEST", aws_secret_access_key="none").meta


class Client:
    """Client of one service. `answers` has one value for all calls of an operation, or a list with one for each."""

    def __init__(self, service: str, answers: Mapping[str, Any], calls: list[tuple[str, dict[str, Any]]]) -> None:
        self.meta = _meta(service)
        self._answers = dict(answers)
        self._calls = calls

    def _make_api_call(self, verb: str, arguments: dict[str, Any]) -> Any:
        self._calls.append((verb, arguments))
        assert verb in self._answers, f"the provider called {verb} unexpectedly with {arguments}"
        answer = self._answers[verb]
        if isinstance(answer, list):
            assert answer, f"the provider called {verb} more often than expected"
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class ScriptedAccount(Account):
    """Account with scripted clients. `calls` contains all reads and writes."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.settings = Settings(REGION)
        self.region, self.id, self.partition = REGION, "140023393377", "aws"
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._clients = {name: Client(name, answers, self.calls) for name in ("ec2", "eks", "iam", "logs", "s3", "sts")}

    def made(self, verb: str) -> list[dict[str, Any]]:
        """Return the arguments of every call of the operation."""
        return [arguments for called, arguments in self.calls if called == verb]


def describe(status: str = "ACTIVE", issues: list[dict[str, Any]] | None = None, **more: object) -> dict[str, Any]:
    return {
        "addon": {
            "addonArn": ADDON_ARN,
            "addonName": "x",
            "addonVersion": "v1",
            "clusterName": "prod",
            "createdAt": NOW,
            "health": {"issues": issues or []},
            "modifiedAt": NOW,
            "serviceAccountRoleArn": "arn:aws:iam::140023393377:role/r",
            "status": status,
            "tags": {},
            **more,
        }
    }


def target(token: str) -> Target:
    return Target.of(f"urn:pulumi:prod::p::{token}::n")


def provider(account: Account | None) -> AwsStandIn:
    stand_in = AwsStandIn(EngineLog(""), threading.Event())
    stand_in._account = account
    return stand_in
