"""AWS server on loopback with the overlay and the original case, and an issuer key for service-account tokens."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import jwt
import pytest
from botocore.config import Config
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import layout
from sandbox.aws import aws_processes, env_file
from sandbox.aws.seed import HOST, PROVIDER_ARN, ROLE, ROLE_ARN, SUBJECT
from sandbox.aws.web_identity import key_id
from sandbox.cluster import pki
from sandbox.polling import wait_until


@dataclass
class Server:
    """Server process and its clients."""

    root: Path
    port: int
    python: Path
    issuer: rsa.RSAPrivateKey
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def health(self) -> str:
        return f"{self.endpoint}/_ministack/health"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        credentials = aws_processes.ensure_root_credentials(self.root / "aws-root.env")
        with (self.root / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.python), "-m", "sandbox.aws.server"],
                cwd=layout.REPOSITORY,
                env={
                    "PATH": os.environ["PATH"],
                    **aws_processes.build_environment(self.root, credentials, "127.0.0.1", self.port),
                },
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: self._answers() or not self._runs(), 20, every=0.05)
        if not self._answers():
            self.kill()
            pytest.fail(f"the server did not start:\n{(self.root / 'server.log').read_text()[-4000:]}")

    def _runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _answers(self) -> bool:
        try:
            with urlopen(self.health, timeout=1):  # noqa: S310 (loopback)
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """Kill the process as a crash would, so that it cannot save its state."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def seed(self) -> None:
        subprocess.run(
            [str(self.python), "-m", "sandbox.aws.seed", "--root", str(self.root), "--endpoint", self.endpoint],
            cwd=layout.REPOSITORY,
            env={"PATH": os.environ["PATH"], **env_file.read(self.root / "aws-root.env")},
            check=True,
        )

    def client(self, service: str, credentials: dict[str, str] | None = None, **options: Any) -> Any:
        """Return a client with the keys of the operator, or with `credentials` in the shape that STS returns."""
        keys = credentials or env_file.read(self.root / "aws.env")
        return boto3.client(
            service,
            region_name=layout.REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id=keys.get("AccessKeyId") or keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys.get("SecretAccessKey") or keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys.get("SessionToken"),
            config=Config(retries={"total_max_attempts": 1}, **options),
        )

    def token(self, key: rsa.RSAPrivateKey | None = None, **claims: Any) -> str:
        """Return a service-account token like that of the API server. `claims` override its claims."""
        now = int(time.time())
        defaults = {"iss": layout.ISSUER, "sub": SUBJECT, "aud": ["sts.amazonaws.com"], "iat": now, "nbf": now}
        signer = key or self.issuer
        headers = {"kid": key_id(self.issuer.public_key())}
        return jwt.encode({**defaults, "exp": now + 3600, **claims}, signer, algorithm="RS256", headers=headers)

    def assume(self, token: str | None = None, role: str = ROLE_ARN, **arguments: Any) -> dict[str, Any]:
        """Call AssumeRoleWithWebIdentity without a signature, as SDKs do."""
        return self.client("sts").assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="driver", WebIdentityToken=token or self.token(), **arguments
        )

    def report(self, addon: str, text: str) -> None:
        """Write the status that the cluster reports for an addon."""
        file = self.root / "addons" / layout.CLUSTER / f"{addon}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def seeded(root: Path, python: Path) -> Generator[Server]:
    """Yield a server with the original case."""
    pki.ensure(root / "pki", pki.certificate_subjects())
    issuer = serialization.load_pem_private_key((root / "pki" / "service-account.key").read_bytes(), password=None)
    assert isinstance(issuer, rsa.RSAPrivateKey)
    server = Server(root, free_port(), python, issuer)
    server.start()
    try:
        server.seed()
        yield server
    finally:
        server.kill()


def trust(aws: Server, equals: dict[str, str], operator: str = "StringEquals", federated: str = PROVIDER_ARN) -> None:
    """Replace the conditions and the principal of the role's trust policy."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": federated},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {operator: equals},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=document)


def cure(aws: Server) -> None:
    """Register the OIDC provider and correct the trust policy, as the stack does."""
    iam = aws.client("iam")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER_ARN)
    iam.create_open_id_connect_provider(Url=layout.ISSUER, ClientIDList=["sts.amazonaws.com"])
    trust(aws, {f"{HOST}:sub": SUBJECT, f"{HOST}:aud": "sts.amazonaws.com"})
