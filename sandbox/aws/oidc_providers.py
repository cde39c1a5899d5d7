"""IAM OIDC providers: all verbs with AWS's checks. As in AWS, the URL is stored and returned without its scheme."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from sandbox.aws import patching
from sandbox.aws.emulator import Parameters, Response, iam, responses
from sandbox.aws.refusal import RefusedError

# Without a thumbprint in the request, IAM reads it from the issuer's certificate. This is the original case's.
_LOOKED_UP = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"
_THUMBPRINT = re.compile(r"[0-9a-fA-F]{40}")
_MOST_CLIENT_IDS = 100
_MOST_THUMBPRINTS = 5


def install() -> None:
    """Handle all verbs. The records stay in the emulator's store."""
    patching.require(iam, "_oidc_providers", "_p", "_xml", "_error", "_extract_tags", "_extract_tag_keys", "_now")
    table = iam._IAM_HANDLERS
    for verb, handler in {
        "CreateOpenIDConnectProvider": _create,
        "GetOpenIDConnectProvider": _get,
        "DeleteOpenIDConnectProvider": _delete,
    }.items():
        patching.replace_verb(table, verb, _handler(verb, handler))
    for verb, handler in {
        "ListOpenIDConnectProviderTags": _list_tags,
        "TagOpenIDConnectProvider": _tag,
        "UntagOpenIDConnectProvider": _untag,
        "UpdateOpenIDConnectProviderThumbprint": _update_thumbprints,
        "AddClientIDToOpenIDConnectProvider": _add_client_id,
        "RemoveClientIDFromOpenIDConnectProvider": _remove_client_id,
    }.items():
        patching.add_verb(table, verb, _handler(verb, handler))


def _handler(verb: str, handler: Callable[[Parameters], str]) -> Callable[[Parameters], Response]:
    def answer(p: Parameters) -> Response:
        try:
            result = handler(p)
        except RefusedError as refused:
            return iam._error(refused.status, refused.code, escape(str(refused)), ns="iam")
        return iam._xml(200, f"{verb}Response", f"<{verb}Result>{result}</{verb}Result>" if result else "", ns="iam")

    return answer


def _create(p: Parameters) -> str:
    url, host = iam._p(p, "Url"), _host(iam._p(p, "Url"))
    arn = f"arn:aws:iam::{responses.get_account_id()}:oidc-provider/{host}"
    if arn in iam._oidc_providers:
        raise RefusedError("EntityAlreadyExists", f"Provider with url {url} already exists.", 409)
    clients = list_members(p, "ClientIDList")
    if len(clients) > _MOST_CLIENT_IDS:
        raise RefusedError(
            "LimitExceeded", f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {_MOST_CLIENT_IDS}", 409
        )
    iam._oidc_providers[arn] = {
        "Url": host,
        "ClientIDList": clients,
        "ThumbprintList": _thumbprints(p) or [_LOOKED_UP],
        "Arn": arn,
        "CreateDate": iam._now(),
        "Tags": iam._extract_tags(p),
    }
    return f"<OpenIDConnectProviderArn>{escape(arn)}</OpenIDConnectProviderArn>{_tags(iam._oidc_providers[arn])}"


def _host(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.port or parts.query or parts.fragment:
        raise RefusedError("InvalidInput", "Invalid Open ID Connect Provider URL")
    return url.removeprefix("https://").rstrip("/")


def _get(p: Parameters) -> str:
    provider = _provider(p)
    clients = "".join(f"<member>{escape(client)}</member>" for client in provider["ClientIDList"])
    thumbprints = "".join(f"<member>{thumbprint}</member>" for thumbprint in provider["ThumbprintList"])
    return (
        f"<Url>{escape(provider['Url'])}</Url><ClientIDList>{clients}</ClientIDList>"
        f"<ThumbprintList>{thumbprints}</ThumbprintList><CreateDate>{provider['CreateDate']}</CreateDate>"
        f"{_tags(provider)}"
    )


def _delete(p: Parameters) -> str:
    """Delete the provider. AWS documents the operation as idempotent."""
    iam._oidc_providers.pop(iam._p(p, "OpenIDConnectProviderArn"), None)
    return ""


def _list_tags(p: Parameters) -> str:
    return f"{_tags(_provider(p))}<IsTruncated>false</IsTruncated>"


def _tag(p: Parameters) -> str:
    provider, new = _provider(p), iam._extract_tags(p)
    keys = {tag["Key"] for tag in new}
    provider["Tags"] = [tag for tag in provider["Tags"] if tag["Key"] not in keys] + new
    return ""


def _untag(p: Parameters) -> str:
    provider, keys = _provider(p), iam._extract_tag_keys(p)
    provider["Tags"] = [tag for tag in provider["Tags"] if tag["Key"] not in keys]
    return ""


def _update_thumbprints(p: Parameters) -> str:
    _provider(p)["ThumbprintList"] = _thumbprints(p)
    return ""


def _add_client_id(p: Parameters) -> str:
    clients, new = _provider(p)["ClientIDList"], iam._p(p, "ClientID")
    if new not in clients:
        clients.append(new)
    return ""


def _remove_client_id(p: Parameters) -> str:
    provider, old = _provider(p), iam._p(p, "ClientID")
    provider["ClientIDList"] = [client for client in provider["ClientIDList"] if client != old]
    return ""


def _provider(p: Parameters) -> dict[str, Any]:
    arn = iam._p(p, "OpenIDConnectProviderArn")
    provider = iam._oidc_providers.get(arn)
    if provider is None:
        raise RefusedError("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)
    return provider


def _thumbprints(p: Parameters) -> list[str]:
    thumbprints = list_members(p, "ThumbprintList")
    if len(thumbprints) > _MOST_THUMBPRINTS or not all(map(_THUMBPRINT.fullmatch, thumbprints)):
        raise RefusedError(
            "ValidationError",
            f"1 validation error detected: Value '{thumbprints}' at 'thumbprintList' failed to satisfy constraint: "
            "at most 5 members of 40 hexadecimal digits",
        )
    return thumbprints


def list_members(p: Parameters, name: str) -> list[str]:
    """Return the values of a list in a request."""
    members: list[str] = []
    while value := iam._p(p, f"{name}.member.{len(members) + 1}"):
        members.append(value)
    return members


def _tags(provider: dict[str, Any]) -> str:
    members = "".join(
        f"<member><Key>{escape(tag['Key'])}</Key><Value>{escape(tag['Value'])}</Value></member>"
        for tag in provider["Tags"]
    )
    return f"<Tags>{members}</Tags>"
