"""TLS for clients and between RocketMQ's own pods: JVM flags, proxy keys, variables of the probes. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.field_metadata import Enumeration, get_accepted_values
from eks_rocketmq.args.validation import validate_choice, validate_known_name, validate_pattern
from eks_rocketmq.rocketmq.config.broker_config import Value

MODE_FLAG = "-Dtls.server.mode="
VERIFY_FLAG = "-Dtls.client.authServer=true"
VOLUME = "tls"
"""Name of the volume with the certificate."""
DIRECTORY = "/etc/rocketmq-tls"
CERTIFICATE = f"{DIRECTORY}/tls.crt"
KEY = f"{DIRECTORY}/tls.key"
# The format that Kubernetes accepts for keys of a Secret. They become file names.
_SECRET_KEY = re.compile(r"(?!\.\.|\.\Z)[-._A-Za-z0-9]{1,253}")


TlsMode = Annotated[Literal["permissive", "enforcing"], Enumeration("TlsMode")]
TLS_MODES = get_accepted_values(TlsMode)


class TlsArgs(TypedDict):
    """TLS with your own certificate. All connections support it, except the replication of the commit log between the
    members of a group (port 10912) and metrics. RocketMQ's own pods always use it."""

    secret_name: Input[str]
    """Name of a Secret of type `kubernetes.io/tls` in the namespace, as cert-manager creates it: `tls.crt`, and
    `tls.key` without a password. Running pods load a renewed certificate from the same Secret; the proxies do so within
    an hour. Changing this name restarts all pods one by one. With `enforcing` and an `authority`, a preview rejects
    this change: set `permissive` first."""
    mode: NotRequired[TlsMode]
    """`permissive` also accepts connections without TLS, `enforcing` rejects them. To enable or disable TLS, use
    `permissive` until all pods have restarted. Default: `permissive`."""
    authority: NotRequired[str]
    """Key of the Secret with the CA certificates, usually `ca.crt`. With `enforcing`, certificates of other pods must
    be issued by one of these CAs; host names are not verified. Otherwise every certificate is accepted. This protects
    against eavesdropping, but not against a man-in-the-middle attack. Default: none."""


@dataclass(frozen=True)
class TlsPlan:
    """Validated TLS settings."""

    secret_name: Input[str]
    mode: str
    authority: str | None

    @property
    def authority_file(self) -> str | None:
        """Path of the file with the certificate authorities in every container, or None if any certificate will do.

        While TLS is enabled or disabled, pods without your certificate still run. RocketMQ answers TLS there too, with
        a certificate that it has signed itself.
        """
        return f"{DIRECTORY}/{self.authority}" if self.authority is not None and self.mode == "enforcing" else None


def plan_tls(given: TlsArgs) -> TlsPlan:
    """Return the plan of the TLS arguments.

    Raise ValueError for an unknown mode, an invalid Secret name, or an invalid key of the Secret.
    """
    path = ARGS / "tls"
    mode = validate_choice(given.get("mode", "permissive"), TLS_MODES, path / "mode")
    validate_known_name(given["secret_name"], path / "secret_name")
    authority = given.get("authority")
    if authority is not None:
        validate_pattern(
            _SECRET_KEY, authority, path / "authority", "tls-authority", "a key of the Secret, such as 'ca.crt'"
        )
    return TlsPlan(given["secret_name"], mode, authority)


def build_server_flags(settings: TlsPlan) -> list[str]:
    """Return the flags of a JVM that is a server and a client."""
    return [
        f"{MODE_FLAG}{settings.mode}",
        f"-Dtls.server.certPath={CERTIFICATE}",
        f"-Dtls.server.keyPath={KEY}",
        *build_client_flags(settings),
    ]


def build_client_flags(settings: TlsPlan) -> list[str]:
    """Return the flags of a JVM that is only a client."""
    result = [
        "-Dtls.enable=true",
        "-Dtls.test.mode.enable=false",  # test mode generates a certificate and trusts all certificates
    ]
    if settings.authority_file is not None:
        result += [VERIFY_FLAG, f"-Dtls.client.trustCertPath={settings.authority_file}"]
    return result


def build_environment(settings: TlsPlan) -> dict[str, str]:
    """Return the environment variables that `scripts/ask.sh` reads."""
    return {"TLS": "on"} | ({} if settings.authority_file is None else {"TLS_CA": settings.authority_file})


def build_volume(settings: TlsPlan) -> dict[str, Any]:
    """Return the volume of the Secret. Kubernetes updates its files when the Secret changes."""
    return {"name": VOLUME, "secret": {"secretName": settings.secret_name, "defaultMode": 0o440}}


def build_authority_volume(settings: TlsPlan) -> dict[str, Any]:
    """Return a volume with the certificate authorities only, for a pod that needs no private key."""
    secret = build_volume(settings)
    return {
        **secret,
        "secret": {**secret["secret"], "items": [{"key": settings.authority, "path": settings.authority}]},
    }


PROXY_KEYS: Mapping[str, Value] = {
    "tlsTestModeEnable": False,
    "tlsCertPath": CERTIFICATE,
    "tlsKeyPath": KEY,
}
