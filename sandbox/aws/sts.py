"""STS: AssumeRoleWithWebIdentity with checks of provider, issuer, signature, times, audience and trust policy."""

import re
import time
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox.aws import patching
from sandbox.aws.emulator import Parameters, Response, eks, iam, iam_evaluator, responses, sts
from sandbox.aws.refusal import RefusedError
from sandbox.aws.settings import ServerSettings
from sandbox.aws.web_identity import WebIdentity, identify

ACTION = "AssumeRoleWithWebIdentity"
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_MINIMUM_SECONDS = 900
_DEFAULT_SECONDS = 3600


def install(settings: ServerSettings) -> None:
    """Handle AssumeRoleWithWebIdentity. The emulator handles the other verbs."""
    patching.require(sts, "_p", "_error", "_xml", "_assumed_role_arn", "_role_id", "register_session")
    patching.require(sts, "_gen_session_access_key", "_gen_secret", "_gen_session_token", "_future")
    patching.require(iam, "_roles", "_oidc_providers")
    patching.require(iam_evaluator, "EvalContext", "evaluate_trust_policy")

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Parameters
    ) -> Response:
        form = parse_qs(body.decode("utf-8", errors="replace")) if method == "POST" and body else {}
        params = {**query_params, **form}
        if sts._p(params, "Action") == ACTION:
            return _assume(settings, params)
        return await stock(method, path, headers, body, query_params)

    stock = patching.replace(sts, "handle_request", handle_request)


def _assume(settings: ServerSettings, params: Parameters) -> Response:
    role_arn, session = sts._p(params, "RoleArn"), sts._p(params, "RoleSessionName")
    assumed_arn, malformed = sts._assumed_role_arn(role_arn, session)
    if malformed:
        return malformed
    account = role_arn.split(":")[4]
    try:
        if not _SESSION_NAME.fullmatch(session):
            raise RefusedError(
                "ValidationError",
                f"1 validation error detected: Value '{session}' at 'roleSessionName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
            )
        identity = identify(
            sts._p(params, "WebIdentityToken"), account, _providers(account), _issuers(), _key(settings)
        )
        role = _trusting_role(role_arn, account, identity)
        seconds = _seconds(params, role)
    except RefusedError as refused:
        return sts._error(refused.status, refused.code, escape(str(refused)), ns="sts")
    return _session(assumed_arn, role_arn, session, seconds, identity)


def _providers(account: str) -> dict[str, list[str]]:
    return {
        arn: provider["ClientIDList"]
        for (owner, arn), provider in iam._oidc_providers.to_dict().items()
        if owner == account
    }


def _issuers() -> set[str]:
    return {cluster["identity"]["oidc"]["issuer"] for _, cluster in eks._clusters.all_items()}


def _key(settings: ServerSettings) -> RSAPublicKey | None:
    """Return the signing key of the machine's API server. AWS reads it from the issuer's discovery document."""
    if not settings.issuer_key.exists():
        return None
    key = load_pem_public_key(settings.issuer_key.read_bytes())
    return key if isinstance(key, RSAPublicKey) else None


def _trusting_role(role_arn: str, account: str, identity: WebIdentity) -> dict[str, Any]:
    """Return the role if its trust policy accepts this identity."""
    role = iam._roles.get_scoped(account, None, role_arn.rsplit("/", 1)[-1])
    context = iam_evaluator.EvalContext(
        principal_arn=identity.provider_arn,
        principal_type="WebIdentityUser",
        principal_account=account,
        action=f"sts:{ACTION}",
        resource_arn=role_arn,
        region=responses.get_region(),
        service_context=identity.condition_keys,
    )
    # A missing role gets the same answer, as in AWS, which does not disclose the names of roles.
    if (
        role is None
        or role["Arn"] != role_arn
        or not iam_evaluator.evaluate_trust_policy(role["AssumeRolePolicyDocument"], identity.provider_arn, context)
    ):
        raise RefusedError("AccessDenied", f"Not authorized to perform sts:{ACTION}", 403)
    return role


def _seconds(params: Parameters, role: dict[str, Any]) -> int:
    requested = sts._p(params, "DurationSeconds") or str(_DEFAULT_SECONDS)
    if not requested.isdigit() or int(requested) < _MINIMUM_SECONDS:
        raise RefusedError(
            "ValidationError",
            f"1 validation error detected: Value '{requested}' at 'durationSeconds' failed to satisfy constraint: "
            f"Member must have value greater than or equal to {_MINIMUM_SECONDS}",
        )
    if int(requested) > role.get("MaxSessionDuration", _DEFAULT_SECONDS):
        raise RefusedError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return int(requested)


def _session(assumed_arn: str, role_arn: str, session: str, seconds: int, identity: WebIdentity) -> Response:
    key_id, secret, token = sts._gen_session_access_key(), sts._gen_secret(), sts._gen_session_token()
    user_id = f"{sts._role_id(role_arn)}:{session}"
    sts.register_session(
        key_id,
        {
            "Arn": assumed_arn,
            "UserId": user_id,
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": time.time() + seconds,
            "AccountId": role_arn.split(":")[4],
            "PrincipalType": "AssumedRole",
        },
    )
    return sts._xml(
        200,
        f"{ACTION}Response",
        f"<{ACTION}Result><Credentials><AccessKeyId>{key_id}</AccessKeyId>"
        f"<SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>"
        f"<Expiration>{sts._future(seconds)}</Expiration></Credentials>"
        f"<AssumedRoleUser><AssumedRoleId>{user_id}</AssumedRoleId><Arn>{assumed_arn}</Arn></AssumedRoleUser>"
        f"<SubjectFromWebIdentityToken>{escape(identity.subject)}</SubjectFromWebIdentityToken>"
        f"<Audience>{escape(identity.audiences[0])}</Audience>"
        f"<Provider>{escape(identity.provider_arn)}</Provider></{ACTION}Result>",
        ns="sts",
    )
