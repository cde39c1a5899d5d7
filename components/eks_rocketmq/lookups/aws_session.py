"""A boto3 session that works in the account in which a Pulumi provider of AWS works."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from eks_rocketmq.args.arg_schema import to_camel_case
from eks_rocketmq.args.aws_identifiers import parse_role_arn
from eks_rocketmq.lookups.existing_resource import LookupUnavailableError
from eks_rocketmq.pulumi_sdk.engine_values import is_secret

_CREDENTIALS: Mapping[str, str] = {
    "accessKey": "aws_access_key_id",
    "secretKey": "aws_secret_access_key",
    "token": "aws_session_token",
}


class Session(Protocol):
    """The part of `boto3.Session` that the look-ups need."""

    def client(self, service_name: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """A client of one AWS service."""


class AccountUnknownError(LookupUnavailableError):
    """Nobody can be asked as the provider would; the message says why."""


@dataclass(frozen=True)
class _EndpointSession:
    """A session that asks services at addresses of their own."""

    session: Any
    addresses: Mapping[str, str]

    def client(self, service_name: str) -> Any:  # noqa: ANN401 - as `Session`
        """A client of one AWS service."""
        return self.session.client(service_name, endpoint_url=self.addresses.get(service_name))


def create_session(provider: Mapping[str, Any]) -> Session:
    """A session with profile, keys, roles, region and endpoints of a provider; the rest comes from the environment.

    Args:
        provider: inputs of the provider, or the settings of the namespace `aws`; what is no text may be JSON.

    Raises:
        AccountUnknownError: when the engine shows the provider's keys as secrets only, or the file of a token cannot be
            read.
        ClientError: when AWS refuses to hand out a role.
    """
    keys = {argument: provider[key] for key, argument in _CREDENTIALS.items() if provider.get(key)}
    if any(is_secret(key) for key in keys.values()):
        msg = "the AWS provider has keys that are secret; give them by aws:profile or the environment instead"
        raise AccountUnknownError(msg)
    session = _create_session(provider, profile_name=provider.get("profile"), **keys)
    for operation, request in _iterate_role_requests(provider):
        taken = getattr(session.client("sts"), operation)(**request)["Credentials"]
        session = _create_session(
            provider,
            aws_access_key_id=taken["AccessKeyId"],
            aws_secret_access_key=taken["SecretAccessKey"],
            aws_session_token=taken["SessionToken"],
        )
    return session


def get_assumed_role(provider: Mapping[str, Any]) -> str | None:
    """Return the ARN of the role in which a provider works, the last one that it assumes; None when it assumes none.

    Args:
        provider: as for `aws_session`. What is malformed is left to the provider to refuse.
    """
    try:
        arn = _read_blocks(provider, "assumeRoles")[-1]["roleArn"]
        parse_role_arn(arn, "roleArn")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return arn


def _create_session(provider: Mapping[str, Any], **credentials: str | None) -> Session:
    import boto3  # noqa: PLC0415 - 0.3 s that only a create needs

    session = boto3.Session(region_name=provider.get("region"), **credentials)
    addresses = {service: url for each in _read_blocks(provider, "endpoints") for service, url in each.items()}
    return _EndpointSession(session, addresses) if addresses else session


def _iterate_role_requests(provider: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Operation and request for each role, in the order in which the provider takes them."""
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
    """The objects of a setting, which the engine keeps as JSON; their keys may be spelled as Python does."""
    value = provider.get(key) or []
    value = json.loads(value) if isinstance(value, str) else value
    return [
        {to_camel_case(name): each for name, each in item.items()}
        for item in (value if isinstance(value, list) else [value])
    ]
