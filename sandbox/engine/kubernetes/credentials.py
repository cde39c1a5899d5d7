"""Cache of tokens from exec plugins such as `aws eks get-token`, until shortly before they expire."""

import json
import os
import subprocess
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.engine.kubernetes.errors import UnreachableError
from sandbox.engine.kubernetes.kubeconfig import exec_key
from sandbox.engine.provider.values import JsonObject

_EARLY = timedelta(seconds=60)
_PLUGIN_SECONDS = 60


@dataclass(frozen=True)
class Token:
    """Token of an exec plugin. `expires` is None for a token without an expiry time."""

    text: str
    expires: datetime | None

    def fresh(self, now: datetime) -> bool:
        return self.expires is None or now < self.expires - _EARLY


class ExecTokens:
    """Tokens by exec plugin, shared by all runs of the process because a plugin takes a second."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()

    def get(self, plugin: JsonObject, *, renew: bool = False) -> str:
        """Return the plugin's token. With `renew`, run the plugin even if the last token has not expired.

        Raises UnreachableError when the plugin fails.
        """
        with self._lock:
            token = self._tokens.get(exec_key(plugin))
            if renew or token is None or not token.fresh(datetime.now(UTC)):
                token = _run_plugin(plugin)
                self._tokens[exec_key(plugin)] = token
            return token.text


def _run_plugin(plugin: JsonObject) -> Token:
    command = str(plugin.get("command") or "")
    environment = {**os.environ, **{entry["name"]: entry["value"] for entry in plugin.get("env") or []}}
    environment["KUBERNETES_EXEC_INFO"] = json.dumps(
        {"kind": "ExecCredential", "apiVersion": plugin.get("apiVersion"), "spec": {"interactive": False}}
    )
    try:
        ended = subprocess.run(
            [command, *(plugin.get("args") or [])],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            timeout=_PLUGIN_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        hint = plugin.get("installHint")
        raise UnreachableError(
            f"getting credentials: exec: executable {command} not found" + (f"\n\n{hint}" if hint else "")
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(
            f"getting credentials: exec: executable {command} gave no answer within {_PLUGIN_SECONDS} s"
        ) from error
    if ended.returncode:
        raise UnreachableError(
            f"getting credentials: exec: executable {command} failed with exit code {ended.returncode}\n"
            f"{ended.stderr.strip()}"
        )
    return _token_of(command, ended.stdout)


def _token_of(command: str, output: str) -> Token:
    try:
        status = json.loads(output)["status"]
        expires = status.get("expirationTimestamp")
        return Token(status["token"], datetime.fromisoformat(expires) if expires else None)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreachableError(
            f"getting credentials: decoding stdout: {command} did not print an ExecCredential with a token"
        ) from error
