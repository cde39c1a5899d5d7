"""The real Pulumi engine on loopback, with language hosts, provider stand-ins and the AWS APIs of these tests."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import layout
from sandbox.aws import env_file
from sandbox.cache.nodejs import Nodejs
from sandbox.layout import REPOSITORY
from tests.contract.server import Server

STACK = "test"


@dataclass(frozen=True)
class Engine:
    """Pulumi CLI with its own home and backend."""

    environment: dict[str, str]

    def pulumi(self, program: Path, *arguments: str, ok: bool = True) -> str:
        """Run `pulumi ARGUMENTS` in a program's folder and return its output. It must fail if `ok` is false."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=program,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode == 0) is ok, done.stdout
        return done.stdout

    def state(self, program: Path) -> list[dict[str, Any]]:
        """Return the resources of the program's stack."""
        return json.loads(self.pulumi(program, "stack", "export", "--stack", STACK))["deployment"]["resources"]


@contextmanager
def engine(root: Path, server: Server, programs: Path, node: Nodejs) -> Generator[Engine]:
    """Yield an engine whose `aws` provider uses `server`. `programs` is the folder of the built `pulumi`.

    The environment has the credentials and the endpoint of the server, so no request leaves loopback.
    """
    folder = root / "bin"
    folder.mkdir(parents=True)
    # The engine warns about a language host outside of its own folder.
    shutil.copy2((programs / "pulumi").resolve(), folder / "pulumi")
    shutil.copy2(node.host, folder / node.host.name)
    python = folder / "pulumi-language-python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -P {REPOSITORY}/sandbox/engine/language_host.py "$@"\n')
    python.chmod(0o755)
    (root / "backend").mkdir()
    environment = {
        "PATH": f"{folder}:{node.bin}:{os.environ['PATH']}",
        "HOME": str(root),
        "PULUMI_HOME": str(root / "home"),
        "PULUMI_BACKEND_URL": (root / "backend").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": layout.REGION,
        **env_file.read(server.root / "aws.env"),
    }
    running = [_provider(package, environment) for package in ("aws", "kubernetes")]
    try:
        ports = [f"{package}:{process.stdout.readline().strip()}" for package, process in running if process.stdout]
        yield Engine(environment | {"PULUMI_DEBUG_PROVIDERS": ",".join(ports)})
    finally:
        for _, process in running:
            process.terminate()
            process.communicate()


def _provider(package: str, environment: dict[str, str]) -> tuple[str, "subprocess.Popen[str]"]:
    argv = [sys.executable, "-m", f"sandbox.engine.{package}", "--port", "0"]
    return package, subprocess.Popen(argv, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True)
