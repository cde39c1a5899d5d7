"""Token of `aws eks get-token`, a presigned GetCallerIdentity: decoded and checked."""

import base64
import binascii
import datetime as dt
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
_LONGEST = 16384
# EKS accepts a token for 15 minutes from its signature, even if the URL expires earlier.
_VALID = dt.timedelta(minutes=15)
_SKEW = dt.timedelta(minutes=5)
_PARAMETERS = {
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-user-agent",
}


class TokenError(Exception):
    """The token is invalid, for another purpose or expired. The message is for the log."""


@dataclass(frozen=True)
class PresignedIdentity:
    """A valid GetCallerIdentity request. `query` is as signed, `host` the signed Host header."""

    host: str
    query: str


def decode(token: str, hosts: frozenset[str], now: dt.datetime) -> PresignedIdentity:
    """Decode the token. `hosts` are the accepted hosts of STS. Raises TokenError."""
    url = _url(token)
    if url.netloc not in hosts:
        raise TokenError(f"it asks {url.netloc}, accepted are {', '.join(sorted(hosts))}")
    if url.path not in ("", "/") or url.fragment or url.username:
        raise TokenError("it is not a plain request to STS")
    query = parse_qs(url.query, keep_blank_values=True)
    lower = {name.lower(): values for name, values in query.items()}
    if len(lower) != len(query) or any(len(values) != 1 for values in query.values()):
        raise TokenError("a parameter is given twice")
    if unknown := set(lower) - _PARAMETERS:
        raise TokenError(f"it has parameters that a GetCallerIdentity does not need: {', '.join(sorted(unknown))}")
    only = {name: values[0] for name, values in lower.items()}
    if only.get("action") != "GetCallerIdentity":
        raise TokenError(f"it asks for {only.get('action')}, accepted is GetCallerIdentity")
    if CLUSTER_HEADER not in only.get("x-amz-signedheaders", "").lower().split(";"):
        raise TokenError(f"the header {CLUSTER_HEADER} is not signed")
    _check_time(only, now)
    return PresignedIdentity(url.netloc, url.query)


def _url(token: str) -> SplitResult:
    if len(token) > _LONGEST or not token.startswith(PREFIX):
        raise TokenError(f"it does not begin with {PREFIX}")
    encoded = token.removeprefix(PREFIX)
    try:
        text = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
        url = urlsplit(text)
    except (binascii.Error, ValueError):
        raise TokenError("it is not base64 of a URL") from None
    if url.scheme not in ("https", "http") or not url.netloc or not text.isprintable() or " " in text:
        raise TokenError("it is not base64 of a URL")
    return url


def _check_time(only: dict[str, str], now: dt.datetime) -> None:
    if not re.fullmatch(r"\d{1,4}", only.get("x-amz-expires", "")):
        raise TokenError("it does not say for how long it is valid")
    if dt.timedelta(seconds=int(only["x-amz-expires"])) > _VALID:
        raise TokenError(f"it asks to be valid for {only['x-amz-expires']} s, accepted are 900 at most")
    try:
        signed = dt.datetime.strptime(only.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        raise TokenError("it does not say when it was signed") from None
    if now > signed + _VALID:
        raise TokenError(f"it was signed at {signed.isoformat()} and has expired")
    if signed > now + _SKEW:
        raise TokenError(f"it was signed at {signed.isoformat()}, in the future")
