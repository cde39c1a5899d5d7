"""Start and stop of the AWS APIs and of the authenticator, in the sandbox's control namespace."""

import json
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from sandbox import place as places
from sandbox import processes
from sandbox.aws.settings import ROOT_VARIABLE
from sandbox.place import Place
from sandbox.progress import Report

SERVER = "aws"
AUTHENTICATOR = "aws-authenticator"
_PROBE = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)"
_LISTENING = "import sys, socket; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2).close()"


class Environments(Protocol):
    """What is used of the toolchain: the Python that has the emulator."""

    @property
    def ministack_python(self) -> Path: ...


def start(place: Place, toolchain: Environments, report: Report) -> None:
    """Start both, and bring the account into the state of the original case. Idempotent.

    The control namespace and the PKI must exist. Raises processes.ProcessError, or RuntimeError when the seed fails.
    """
    with report.step("AWS APIs and the original case"):
        place.root.mkdir(parents=True, exist_ok=True)
        root = root_credentials(place.root / "aws-root.env")
        server = environment(place.root, root, "0.0.0.0", places.AWS_PORT)  # noqa: S104 (inside the namespace)
        processes.start(
            place,
            processes.Process(
                SERVER,
                [str(toolchain.ministack_python), "-m", "sandbox.aws.server"],
                netns=place.control_netns,
                environment=server,
                ready=lambda: _runs(place, _PROBE, f"{place.aws_endpoint}/_ministack/health"),
            ),
        )
        client = {
            **root,
            "AWS_ENDPOINT_URL": place.aws_endpoint,
            "PYTHONPATH": str(places.REPOSITORY),
            "NO_PROXY": "*",
        }
        _seed(place, toolchain, client)
        processes.start(
            place,
            processes.Process(
                AUTHENTICATOR,
                [str(toolchain.ministack_python), "-m", "sandbox.aws.authenticator", "--root", str(place.root)],
                netns=place.control_netns,
                environment=client,
                ready=lambda: _runs(place, _LISTENING, str(places.AUTHENTICATOR_PORT)),
            ),
        )


def stop(place: Place) -> None:
    """End both; the account's state stays on disk with the sandbox. Idempotent."""
    processes.stop(place, AUTHENTICATOR)
    processes.stop(place, SERVER)


def environment(root: Path, credentials: Mapping[str, str], bind: str, port: int) -> dict[str, str]:
    """The server's environment. `root` is the sandbox's folder, `credentials` those of the account's root."""
    state = root / "aws-state"
    state.mkdir(parents=True, exist_ok=True)
    return {
        **credentials,
        ROOT_VARIABLE: str(root),
        "PYTHONPATH": str(places.REPOSITORY),
        "AUTH": "true",
        "BIND_HOST": bind,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": places.ACCOUNT,
        "MINISTACK_REGION": places.REGION,
        "SERVICES": "ec2,eks,iam,kms,logs,s3,sts",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "USE_SSL": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(state),
        "LOG_LEVEL": "INFO",
    }


def root_credentials(file: Path) -> dict[str, str]:
    """Those of the account's root user, made once and kept in `file`, readable by root alone."""
    if not file.exists():
        write_environment(
            file,
            {
                "AWS_ACCESS_KEY_ID": "AKIA"
                + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16)),
                "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(30),
                "AWS_REGION": places.REGION,
                "AWS_DEFAULT_REGION": places.REGION,
            },
        )
    return read_environment(file)


def read_environment(file: Path) -> dict[str, str]:
    """KEY=VALUE lines."""
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if line)


def write_environment(file: Path, values: Mapping[str, str]) -> None:
    """KEY=VALUE lines, mode 0600 from the first byte."""
    file.touch(mode=0o600, exist_ok=True)
    file.chmod(0o600)
    file.write_text("".join(f"{key}={value}\n" for key, value in values.items()))


def _seed(place: Place, toolchain: Environments, client: Mapping[str, str]) -> None:
    argv = [str(toolchain.ministack_python), "-m", "sandbox.aws.seed", "--root", str(place.root)]
    done = subprocess.run(
        processes.in_netns(place.control_netns, argv),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **client},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the original case could not be made: {json.dumps(done.stderr[-2000:])}")


def _runs(place: Place, program: str, argument: str) -> bool:
    argv = processes.in_netns(place.control_netns, [sys.executable, "-c", program, argument])
    return subprocess.run(argv, env={"NO_PROXY": "*"}, capture_output=True, check=False).returncode == 0
