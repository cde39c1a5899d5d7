"""Start and stop of the AWS APIs and of the authenticator, in the sandbox's control namespace."""

import json
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from sandbox import layout, processes
from sandbox.aws import env_file
from sandbox.aws.settings import ROOT_VARIABLE
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster import netns
from sandbox.layout import SandboxInstance
from sandbox.progress import Report

SERVER = "aws"
AUTHENTICATOR = "aws-authenticator"
_WITHOUT_PROXY = build_opener(ProxyHandler({}))


def start(instance: SandboxInstance, toolchain: Toolchain, report: Report) -> None:
    """Start both processes and create the original case. Repeatable.

    Requires the control namespace and the PKI. Raises ProcessError, or RuntimeError when the seed fails.
    """
    with report.step("AWS APIs and the original case"):
        instance.root.mkdir(parents=True, exist_ok=True)
        root = ensure_root_credentials(instance.root / "aws-root.env")
        server = build_environment(instance.root, root, "0.0.0.0", layout.AWS_PORT)  # noqa: S104 (inside the namespace)
        processes.start(
            instance,
            processes.Process(
                SERVER,
                [str(toolchain.ministack_python), "-m", "sandbox.aws.server"],
                netns=instance.control_netns,
                environment=server,
                ready=lambda: _answers(instance, f"{instance.aws_endpoint}/_ministack/health"),
            ),
        )
        client = {
            **root,
            "AWS_ENDPOINT_URL": instance.aws_endpoint,
            "PYTHONPATH": str(layout.REPOSITORY),
            "NO_PROXY": "*",
        }
        _seed(instance, toolchain, client)
        processes.start(
            instance,
            processes.Process(
                AUTHENTICATOR,
                [str(toolchain.ministack_python), "-m", "sandbox.aws.authenticator", "--root", str(instance.root)],
                netns=instance.control_netns,
                environment=client,
                ready=lambda: netns.is_listening(instance.control_netns, "127.0.0.1", layout.AUTHENTICATOR_PORT),
            ),
        )


def stop(instance: SandboxInstance) -> None:
    """Stop both processes. The state of the account stays on disk. Repeatable."""
    processes.stop(instance, AUTHENTICATOR)
    processes.stop(instance, SERVER)


def build_environment(root: Path, credentials: Mapping[str, str], bind: str, port: int) -> dict[str, str]:
    """Return the server's environment. `root` is the sandbox's folder, `credentials` those of the account's root."""
    state = root / "aws-state"
    state.mkdir(parents=True, exist_ok=True)
    return {
        **credentials,
        ROOT_VARIABLE: str(root),
        "PYTHONPATH": str(layout.REPOSITORY),
        "AUTH": "true",
        "BIND_HOST": bind,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": layout.ACCOUNT,
        "MINISTACK_REGION": layout.REGION,
        "SERVICES": "ec2,eks,iam,kms,logs,organizations,s3,sts",
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


def ensure_root_credentials(file: Path) -> dict[str, str]:
    """Return the credentials of the account's root. They are created once in `file`."""
    if not file.exists():
        env_file.write(
            file,
            {
                "AWS_ACCESS_KEY_ID": "AKIA"
                + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16)),
                "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(30),
                "AWS_REGION": layout.REGION,
                "AWS_DEFAULT_REGION": layout.REGION,
            },
        )
    return env_file.read(file)


def _seed(instance: SandboxInstance, toolchain: Toolchain, client: Mapping[str, str]) -> None:
    argv = [str(toolchain.ministack_python), "-m", "sandbox.aws.seed", "--root", str(instance.root)]
    done = subprocess.run(
        processes.in_netns(instance.control_netns, argv),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **client},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the original case could not be made: {json.dumps(done.stderr[-2000:])}")


def _answers(instance: SandboxInstance, url: str) -> bool:
    """Return whether `url` answers 200 in the control namespace."""
    try:
        with netns.inside(instance.control_netns), _WITHOUT_PROXY.open(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False
