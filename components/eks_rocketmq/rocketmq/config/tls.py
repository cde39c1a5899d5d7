"""TLS for clients and between RocketMQ's own pods: flags of JVMs, keys of proxies, what the probes need. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, accepted_values
from eks_rocketmq.args.validation import check_known_name, matching, one_of
from eks_rocketmq.rocketmq.config.broker_config import Value

DIRECTORY = "/etc/rocketmq-tls"
CERTIFICATE = f"{DIRECTORY}/tls.crt"
KEY = f"{DIRECTORY}/tls.key"
# As Kubernetes takes the keys of a Secret, which become names of files.
_ENTRY = re.compile(r"(?!\.\.|\.\Z)[-._A-Za-z0-9]{1,253}")


TlsMode = Annotated[Literal["permissive", "enforcing"], Enumeration("TlsMode")]
TLS_MODES = accepted_values(TlsMode)


class TlsArgs(TypedDict):
    """TLS with a certificate of your own. Everything but the copying of the commit log between the members of a group
    (port 10912) and metrics can speak it; RocketMQ's own pods always do."""

    secret_name: Input[str]
    """Secret of type `kubernetes.io/tls` in the namespace, as cert-manager makes it: `tls.crt`, `tls.key` without a
    password. Another certificate under the same name is taken up while running, by the proxies within an hour; another
    name restarts everything one by one."""
    mode: NotRequired[TlsMode]
    """`permissive` also takes connections without TLS, `enforcing` takes none. Go from none to `permissive` first, and
    to `enforcing` when that is everywhere. Default: `permissive`."""
    authority: NotRequired[str]
    """Entry of the Secret with the authorities, usually `ca.crt`, that the certificates of others must come from;
    host names are not compared. Default: any certificate is taken, which protects against eavesdropping and not
    against a man in the middle."""


@dataclass(frozen=True)
class TlsPlan:
    """TLS, checked."""

    secret_name: Input[str]
    mode: str
    authority: str | None

    @property
    def authority_file(self) -> str | None:
        """Path of the authorities in every container."""
        return None if self.authority is None else f"{DIRECTORY}/{self.authority}"


def tls(given: TlsArgs) -> TlsPlan:
    """TLS as the caller wants it.

    Raises:
        ValueError: for a mode that is none, and for names that no Secret and no entry of one can have.
    """
    mode = one_of(given.get("mode", "permissive"), TLS_MODES, "tls.mode")
    check_known_name(given["secret_name"], "tls.secret_name")
    authority = given.get("authority")
    if authority is not None:
        matching(_ENTRY, authority, "tls.authority", "the name of an entry of the Secret, such as 'ca.crt'")
    return TlsPlan(given["secret_name"], mode, authority)


def flags(settings: TlsPlan) -> list[str]:
    """Flags of every JVM, for what it serves and for what it asks of others."""
    return [
        f"-Dtls.server.mode={settings.mode}",
        f"-Dtls.server.certPath={CERTIFICATE}",
        f"-Dtls.server.keyPath={KEY}",
        *client_flags(settings),
    ]


def client_flags(settings: TlsPlan) -> list[str]:
    """Flags of a JVM that only asks."""
    result = [
        "-Dtls.enable=true",
        "-Dtls.test.mode.enable=false",  # it makes a certificate of its own and trusts everyone
    ]
    if settings.authority_file is not None:
        result += ["-Dtls.client.authServer=true", f"-Dtls.client.trustCertPath={settings.authority_file}"]
    return result


def environment(settings: TlsPlan) -> dict[str, str]:
    """What `scripts/ask.sh` reads."""
    return {"TLS": "on"} | ({} if settings.authority_file is None else {"TLS_CA": settings.authority_file})


def volume(settings: TlsPlan) -> dict[str, Any]:
    """The Secret as a volume; its files change with it."""
    return {"name": "tls", "secret": {"secretName": settings.secret_name, "defaultMode": 0o440}}


def authority_volume(settings: TlsPlan) -> dict[str, Any]:
    """The authorities alone, for a pod that serves nothing with the certificate and so gets no key."""
    found = volume(settings)
    return {**found, "secret": {**found["secret"], "items": [{"key": settings.authority, "path": settings.authority}]}}


PROXY_KEYS: Mapping[str, Value] = {
    "tlsTestModeEnable": False,
    "tlsCertPath": CERTIFICATE,
    "tlsKeyPath": KEY,
}
