"""boto3 sessions with the account and the credentials of a Pulumi AWS provider."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from eks_rocketmq.args.argument_path import ARGS, to_camel_case
from eks_rocketmq.args.aws_identifiers import parse_role_arn
from eks_rocketmq.lookups.existing_resource import LookupUnavailableError
from eks_rocketmq.pulumi_sdk.engine_values import is_secret

_CREDENTIALS: Mapping[str, str] = {
    "accessKey": "aws_access_key_id",
    "secretKey": "aws_secret_access_key",
    "token": "aws_session_token",
}


class Session(Protocol):
    """Part of `boto3.Session` that lookups use."""

    def client(self, service_name: str) -> Any:  # noqa: ANN401 - boto3 creates its client classes at run time
        """Return a client of an AWS service."""


class AccountUnknownError(LookupUnavailableError):
    """The provider's credentials cannot be used; the message gives the reason."""


@dataclass(frozen=True)
class _EndpointSession:
    """boto3 session with custom endpoints."""

    session: Any
    endpoints: Mapping[str, str]

    def client(self, service_name: str) -> Any:  # noqa: ANN401 - as `Session`
        """Return a client of an AWS service."""
        return self.session.client(service_name, endpoint_url=self.endpoints.get(service_name))


def create_session(provider: Mapping[str, Any]) -> Session:
    """Return a session with profile, keys, roles, region and endpoints of a provider.

    The environment supplies missing settings.

    `provider` has the inputs of the provider, or the settings of the namespace `aws`. Objects and lists may be JSON.
    Raise AccountUnknownError if the engine redacts the provider's keys, or a token file cannot be read. Raise
    ClientError if AWS does not let the caller assume a role.
    """
    keys = {argument: provider[key] for key, argument in _CREDENTIALS.items() if provider.get(key)}
    if any(is_secret(key) for key in keys.values()):
        msg = "the AWS provider has keys that are secret; give them by aws:profile or the environment instead"
        raise AccountUnknownError(msg)
    session = _create_session(provider, profile_name=provider.get("profile"), **keys)
    for operation, request in _iterate_role_requests(provider):
        credentials = getattr(session.client("sts"), operation)(**request)["Credentials"]
        session = _create_session(
            provider,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
    return session


def get_assumed_role(provider: Mapping[str, Any]) -> str | None:
    """Return the ARN of the last role that a provider assumes, or None.

    `provider` is as for `create_session`. Malformed settings are ignored, because the provider reports them.
    """
    try:
        arn = _read_blocks(provider, "assumeRoles")[-1]["roleArn"]
        parse_role_arn(arn, ARGS)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        return None
    return arn


def _create_session(provider: Mapping[str, Any], **credentials: str | None) -> Session:
    import boto3  # noqa: PLC0415 - takes 0.3 s to load, and only a create needs it

    session = boto3.Session(region_name=provider.get("region"), **credentials)
    endpoints = {service: url for each in _read_blocks(provider, "endpoints") for service, url in each.items()}
    return _EndpointSession(session, endpoints) if endpoints else session


def _iterate_role_requests(provider: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield STS operation and request for each role, in the order of the provider."""
    for web in _read_blocks(provider, "assumeRoleWithWebIdentity"):
        token = web.get("webIdentityToken") or _read_token(web["webIdentityTokenFile"])
        yield "assume_role_with_web_identity", {**_build_role_request(web), "WebIdentityToken": token}
    for role in _read_blocks(provider, "assumeRoles"):
        external = {"ExternalId": role["externalId"]} if role.get("externalId") else {}
        yield "assume_role", {**_build_role_request(role), **external}


def _read_token(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        msg = f"the token of the role that the AWS provider takes cannot be read: {error}"
        raise AccountUnknownError(msg) from error


def _build_role_request(role: Mapping[str, str]) -> dict[str, str]:
    return {"RoleArn": role["roleArn"], "RoleSessionName": role.get("sessionName") or "eks-rocketmq"}


def _read_blocks(provider: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the objects of a setting with keys in camelCase.

    The engine stores them as JSON. Their keys may be in snake_case.
    """
    value = provider.get(key) or []
    value = json.loads(value) if isinstance(value, str) else value
    return [
        {to_camel_case(name): each for name, each in item.items()}
        for item in (value if isinstance(value, list) else [value])
    ]
