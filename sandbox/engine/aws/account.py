"""AWS account of a provider resource: settings, credentials, allowed accounts and API clients."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from sandbox.engine.aws.calls import AwsError, call
from sandbox.engine.aws.schema import camel_case, provider_names
from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.servicer import setting
from sandbox.engine.provider.values import plain

# Settings that disable what the stand-in does not do.
_WITHOUT_EFFECT = frozenset({"skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId"})
_client_lock = threading.Lock()


@dataclass(frozen=True)
class Settings:
    """Provider settings. The environment supplies missing ones."""

    region: str
    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    token: str | None = None
    allowed_account_ids: frozenset[str] = frozenset()
    forbidden_account_ids: frozenset[str] = frozenset()
    assume_roles: tuple[Mapping[str, Any], ...] = ()
    default_tags: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    skip_credentials_validation: bool = False

    @classmethod
    def of(cls, config: Mapping[str, object]) -> "Settings":
        """Read the settings from the provider's inputs.

        Raises ProviderError for a setting that is not served, and without a region.
        """
        given = {key: value for key, value in config.items() if value is not None and key != "version"}
        for key in sorted(given.keys() - _SERVED - _WITHOUT_EFFECT):
            refused = "not served by" if key in provider_names().inputs else "unknown to"
            raise ProviderError(
                f"the provider setting aws:{key} is {refused} the sandbox's stand-in; "
                f"served are {', '.join(sorted(_SERVED))}"
            )
        region = _text(given.get("region")) or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if not region:
            raise ProviderError(
                "unable to validate AWS credentials.\nDetails: missing region\n"
                "Make sure you have set your AWS region, e.g. `pulumi config set aws:region us-west-2`."
            )
        return cls(
            region=region,
            profile=_text(given.get("profile")),
            access_key=_text(given.get("accessKey")),
            secret_key=_text(given.get("secretKey")),
            token=_text(given.get("token")),
            allowed_account_ids=frozenset(map(str, setting(given.get("allowedAccountIds")) or ())),
            forbidden_account_ids=frozenset(map(str, setting(given.get("forbiddenAccountIds")) or ())),
            assume_roles=tuple(setting(given.get("assumeRoles")) or ()),
            default_tags=(setting(given.get("defaultTags")) or {}).get("tags") or {},
            endpoints={key: url for each in setting(given.get("endpoints")) or () for key, url in each.items() if url},
            skip_credentials_validation=bool(setting(given.get("skipCredentialsValidation"))),
        )


_SERVED = frozenset(camel_case(each.name) for each in fields(Settings))


class Account:
    """AWS clients with the provider's settings. The constructor calls GetCallerIdentity, as the real provider does."""

    def __init__(self, settings: Settings) -> None:
        """Raise ProviderError without valid credentials, and for an account that the settings do not allow."""
        self.settings = settings
        self.region = settings.region
        self._session = self._assumed(self._base_session())
        self._clients: dict[str, Any] = {}
        self.id, self.partition = "", "aws"
        if settings.skip_credentials_validation and not (
            settings.allowed_account_ids or settings.forbidden_account_ids
        ):
            return
        identity = self.caller_identity()
        self.id, self.partition = identity["Account"], identity["Arn"].split(":")[1]
        refused = settings.allowed_account_ids and self.id not in settings.allowed_account_ids
        if refused or self.id in settings.forbidden_account_ids:
            raise ProviderError(f"AWS account ID not allowed: {self.id}")

    @property
    def dns_suffix(self) -> str:
        """DNS suffix of the account's partition."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def iam(self) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        return self.client("iam")

    @property
    def eks(self) -> Any:  # noqa: ANN401
        return self.client("eks")

    def caller_identity(self) -> dict[str, Any]:
        """Return Account, Arn and UserId. Raises ProviderError when the credentials are not valid."""
        try:
            return call(self.client("sts"), "GetCallerIdentity")
        except AwsError as error:
            raise ProviderError(f"unable to validate AWS credentials.\nDetails: {error}") from error

    def region_names(self) -> dict[str, str]:
        """Return the names of the partition's regions by code, such as `Asia Pacific (Singapore)`."""
        partitions = self._session._session.get_component("data_loader").load_data("endpoints")["partitions"]
        found = next(each for each in partitions if each["partition"] == self.partition)
        return {code: about["description"] for code, about in found["regions"].items()}

    def client(self, service: str) -> Any:  # noqa: ANN401
        """Return the client of a service by boto3's name."""
        with _client_lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service,
                    endpoint_url=self.settings.endpoints.get(service),
                    # As in the released provider, only AWS validates the values.
                    config=Config(parameter_validation=False, retries={"mode": "standard", "max_attempts": 3}),
                )
            return self._clients[service]

    def _base_session(self) -> boto3.Session:
        settings = self.settings
        try:
            session = boto3.Session(
                profile_name=settings.profile,
                aws_access_key_id=settings.access_key,
                aws_secret_access_key=settings.secret_key,
                aws_session_token=settings.token,
                region_name=settings.region,
            )
            credentials = session.get_credentials()
        except BotoCoreError as error:
            raise ProviderError(f"unable to validate AWS credentials.\nDetails: {error}") from error
        if credentials is None:
            raise ProviderError("unable to validate AWS credentials.\nDetails: No valid credential sources found.")
        # The service models are large, so all sessions share one loader.
        session._session.register_component("data_loader", _shared_loader(session))
        return session

    def _assumed(self, session: boto3.Session) -> boto3.Session:
        for role in self.settings.assume_roles:
            sts = session.client("sts", endpoint_url=self.settings.endpoints.get("sts"))
            try:
                answer = call(
                    sts,
                    "AssumeRole",
                    RoleArn=role["roleArn"],
                    RoleSessionName=role.get("sessionName") or "pulumi",
                    ExternalId=role.get("externalId"),
                )
            except AwsError as error:
                raise ProviderError(
                    f"Cannot assume IAM Role. IAM Role ({role['roleArn']}) cannot be assumed.\n\nError: {error}"
                ) from error
            keys = answer["Credentials"]
            session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], self.region)
        return session


_loaders: list[Any] = []


def _shared_loader(session: boto3.Session) -> Any:  # noqa: ANN401 - botocore's loader
    with _client_lock:
        if not _loaders:
            _loaders.append(session._session.get_component("data_loader"))
        return _loaders[0]


def _text(value: object) -> str | None:
    bare = plain(value)
    return str(bare) if bare else None
