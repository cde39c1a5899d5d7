"""Checks of STS on a service-account token and its OIDC provider.

Pure functions of providers, issuers and key. They return the identity or raise a refusal with AWS's text.
"""

import base64
import hashlib
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox.aws.refusal import RefusedError

NOT_A_TOKEN = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"  # noqa: S105
NO_KEY = (
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
    "documentation for requirements"
)


@dataclass(frozen=True)
class WebIdentity:
    """Identity in the token. `host` is the issuer without its scheme, the prefix of the condition keys."""

    host: str
    provider_arn: str
    subject: str
    audiences: tuple[str, ...]

    @property
    def condition_keys(self) -> dict[str, str | list[str]]:
        """Condition keys of a trust policy, in lower case for the evaluator."""
        audience = self.audiences[0] if len(self.audiences) == 1 else list(self.audiences)
        return {f"{self.host}:sub".lower(): self.subject, f"{self.host}:aud".lower(): audience}


def key_id(key: RSAPublicKey) -> str:
    """Return the `kid` in the API server's tokens: SHA-256 of the key, URL-safe and unpadded."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def identify(
    token: str,
    account: str,
    providers: Mapping[str, Collection[str]],
    issuers: Collection[str],
    key: RSAPublicKey | None,
) -> WebIdentity:
    """Return the identity of `token`, or raise RefusedError.

    `providers` maps the ARN of every OIDC provider of the account to its client ids. `issuers` are those of existing
    clusters. `key` is the issuers' signing key, or None when it cannot be read.
    """
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise RefusedError("InvalidIdentityToken", NOT_A_TOKEN) from None
    issuer = str(claims.get("iss", ""))
    host = issuer.split("://", 1)[-1].rstrip("/")
    provider = f"arn:aws:iam::{account}:oidc-provider/{host}"
    if not issuer.startswith("https://") or provider not in providers:
        raise RefusedError("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer}")
    if issuer not in issuers or key is None or header.get("kid") != key_id(key):
        raise RefusedError("InvalidIdentityToken", NO_KEY)
    verified = _verify(token, key)
    audience = verified["aud"]
    audiences = tuple(audience) if isinstance(audience, list) else (audience,)
    if not set(audiences) & set(providers[provider]):
        raise RefusedError("InvalidIdentityToken", "Incorrect token audience")
    return WebIdentity(host, provider, verified["sub"], audiences)


def _verify(token: str, key: RSAPublicKey) -> dict[str, Any]:
    """Verify signature and times, and return the claims."""
    try:
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            options={"verify_aud": False, "require": ["exp", "iat", "iss", "sub", "aud"]},
        )
    except jwt.ExpiredSignatureError:
        expired = jwt.decode(token, options={"verify_signature": False})["exp"]
        raise RefusedError(
            "ExpiredTokenException",
            f"Token expired: current date/time {int(time.time())} must be before the expiration date/time {expired}",
        ) from None
    except jwt.ImmatureSignatureError:
        raise RefusedError("InvalidIdentityToken", "Token is not valid yet") from None
    except jwt.MissingRequiredClaimError as missing:
        raise RefusedError("InvalidIdentityToken", f"Missing a required claim: {missing.claim}") from None
    except jwt.PyJWTError:
        raise RefusedError("InvalidIdentityToken", "Failed to verify signature of the identity token") from None
