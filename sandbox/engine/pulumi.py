"""Run the real engine on the unmodified stack: environment, view of the project, provider stand-ins.

With a passphrase the engine writes `encryptionsalt` into the stack file, but the committed file must not change. So the
engine works in a *view* of the repository, which is updated before each command: links to all files, and copies of the
stack files with the salt of this sandbox.
"""

import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from sandbox import processes
from sandbox.aws import env_file
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.netns import is_listening
from sandbox.engine import plugins
from sandbox.layout import REPOSITORY, SandboxInstance
from sandbox.progress import Report

PROJECT, STACK = "eks-rocketmq", "prod"
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "TERM", "USER", "COLORTERM", "NO_COLOR", "TZ")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NOT_IN_THE_VIEW = frozenset({".git", "__pycache__"})  # a program that runs in the view writes its own `__pycache__`
_SECRETS_SETTINGS = re.compile(r"^(encryptionsalt|encryptedkey|secretsprovider):.*\n?", re.MULTILINE)
_LANGUAGE_HOST = Path(__file__).with_name("language_host.py")
# As in the pipelines. By default the engine sends four requests a processor at a time, although an API server takes
# 50 ms for an object of a missing namespace, and garbage collection takes half of the engine's time.
SWIFT = {"PULUMI_PARALLEL": "32", "GOGC": "400"}


class PulumiError(Exception):
    """A pulumi command failed, or something that it needs is missing; the message says what to do."""


@dataclass(frozen=True)
class Result:
    """Result of a command. `output` is empty when it was not captured."""

    code: int
    output: str


def get_view(instance: SandboxInstance) -> Path:
    """Return the folder in which pulumi works."""
    return instance.root / "project"


def build_environment(instance: SandboxInstance, toolchain: Toolchain) -> dict[str, str]:
    """Return the environment of a command of the sandbox, with only terminal and language of the caller's.

    Raises PulumiError when the sandbox has no AWS credentials yet.
    """
    parts = plugins.detect()
    folders = [*parts.path, _engine_bin(instance), REPOSITORY / ".venv" / "bin", toolchain.bin, toolchain.aws]
    chosen = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    chosen |= {
        "PATH": ":".join([*map(str, folders), _SYSTEM_PATH]),
        "PULUMI_HOME": str(instance.pulumi_home),
        # Without metadata: the backend does not write its `.attrs` files atomically. A killed engine can leave an empty
        # one, and every later command then fails with "failed to load checkpoint: EOF".
        "PULUMI_BACKEND_URL": f"{instance.pulumi_backend.as_uri()}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": _passphrase(instance),
        "PULUMI_STACK": STACK,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        **SWIFT,
        "KUBECONFIG": str(instance.admin_kubeconfig),
        # No AWS configuration of the operator, and no instance metadata.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if parts.debug_providers:
        chosen["PULUMI_DEBUG_PROVIDERS"] = parts.debug_providers
    return chosen | _aws_environment(instance)


def start_providers(
    instance: SandboxInstance, toolchain: Toolchain, report: Report, extra: Mapping[str, str] | None = None
) -> None:
    """Start the stand-ins of providers without a released plugin, and report all parts.

    A plugin has the environment of the command that runs. A stand-in keeps that of its start, with `extra` added.
    """
    parts = plugins.detect()
    for part in parts:
        report.detail(str(part))
    plugins.link_released(parts, instance)
    for package in plugins.STAND_IN_PORTS.keys() - set(parts.stand_ins):
        processes.stop(instance, _process_name(package))
    _install(instance, toolchain)
    chosen = {**build_environment(instance, toolchain), **(extra or {})}
    # A process inherits the environment of its parent: remove variables of other clouds and stacks.
    foreign = [name for name in os.environ if name.startswith(("AWS_", "PULUMI_", "KUBE")) and name not in chosen]
    dropped = [word for name in foreign for word in ("-u", name)]
    for package in parts.stand_ins:
        port = plugins.STAND_IN_PORTS[package]
        processes.start(
            instance,
            processes.Process(
                name=_process_name(package),
                argv=["env", *dropped, sys.executable, "-m", f"sandbox.engine.{package}", "--port", str(port)],
                netns=instance.control_netns,
                environment=chosen | {"PYTHONPATH": str(REPOSITORY)},
                ready=partial(is_listening, instance.control_netns, "127.0.0.1", port),
                ready_seconds=30,
            ),
        )


def stop(instance: SandboxInstance) -> None:
    """End the provider stand-ins."""
    for package in plugins.STAND_IN_PORTS:
        processes.stop(instance, _process_name(package))


def ensure_stack(instance: SandboxInstance, toolchain: Toolchain, stack: str = STACK) -> None:
    """Create the stack in the sandbox's backend unless it exists, and remove the lock of a killed engine."""
    instance.pulumi_backend.mkdir(parents=True, exist_ok=True)
    if not state_file(instance, stack).exists():
        made = run(instance, toolchain, ["stack", "init", stack, "--non-interactive"], capture=True)
        if made.code:
            raise PulumiError(f"pulumi stack init {stack} failed:\n{made.output}")
    if _left_locked(instance, stack):
        freed = run(instance, toolchain, ["cancel", "--yes", "--stack", stack], capture=True)
        if freed.code:
            raise PulumiError(
                f"the stack is locked by a process that no longer runs, and pulumi cancel failed:\n{freed.output}"
            )


def run(
    instance: SandboxInstance,
    toolchain: Toolchain,
    arguments: Sequence[str],
    *,
    capture: bool = False,
    extra: Mapping[str, str] | None = None,
) -> Result:
    """Run `pulumi ARGUMENTS` in the sandbox; see `execute`."""
    return execute(instance, toolchain, ["pulumi", *arguments], capture=capture, extra=extra)


def execute(
    instance: SandboxInstance,
    toolchain: Toolchain,
    argv: Sequence[str],
    *,
    capture: bool = False,
    extra: Mapping[str, str] | None = None,
) -> Result:
    """Run a command in the control namespace and in the view of the project, such as `eks-rocketmq adopt`.

    With `capture`, return the output (both streams) instead of showing it. `extra` is added to the environment. On
    Ctrl-C, wait until the command ends, so that the engine writes its state.
    """
    _install(instance, toolchain)
    refresh_view(instance)
    process = subprocess.Popen(
        processes.in_netns(instance.control_netns, argv),
        cwd=get_view(instance),
        env={**build_environment(instance, toolchain), "PWD": str(get_view(instance)), **(extra or {})},
        stdin=subprocess.DEVNULL if capture else None,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
        text=True,
    )
    interrupted = False
    while True:
        try:
            output, _ = process.communicate()
            break
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return Result(process.returncode, output or "")


def render_project(name: str) -> str:
    """Return the `Pulumi.yaml` of a Python program that runs in the repository's virtual environment."""
    options = {"toolchain": "pip", "virtualenv": str(REPOSITORY / ".venv")}
    return json.dumps({"name": name, "runtime": {"name": "python", "options": options}})


def refresh_view(instance: SandboxInstance) -> None:
    """Update the view from the repository; changes in the view are lost."""
    folder = get_view(instance)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {entry.name: entry for entry in REPOSITORY.iterdir() if entry.name not in _NOT_IN_THE_VIEW}
    for entry in folder.iterdir():
        stale = entry.name not in wanted or (entry.is_symlink() and entry.readlink() != wanted[entry.name])
        if stale and not (entry.is_dir() and not entry.is_symlink()):
            entry.unlink()
    for name, source in wanted.items():
        stack = re.fullmatch(r"Pulumi\.(.+)\.yaml", name)
        if stack:
            (folder / name).write_text(with_salt(source.read_text(), salt(instance, stack[1])))
        elif not (folder / name).is_symlink():
            (folder / name).symlink_to(source)


def change_stack_file(instance: SandboxInstance, change: Callable[[dict[str, Any]], None], stack: str = STACK) -> Path:
    """Return a copy of a stack file whose `config` is modified by `change`, for `--config-file`."""
    refresh_view(instance)
    document = yaml.safe_load((get_view(instance) / f"Pulumi.{stack}.yaml").read_text())
    change(document["config"])
    file = instance.root / "changed.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def with_salt(settings: str, salt: str | None) -> str:
    """Return the stack file with this sandbox's encryption salt instead of the committed settings."""
    bare = _SECRETS_SETTINGS.sub("", settings)
    return f"encryptionsalt: {salt}\n{bare}" if salt else bare


def state_file(instance: SandboxInstance, stack: str) -> Path:
    """Return the file with the state of a stack in the sandbox's backend."""
    return instance.pulumi_backend / f".pulumi/stacks/{PROJECT}/{stack}.json"


def salt(instance: SandboxInstance, stack: str) -> str | None:
    """Return the encryption salt of the stack's state; None for a stack that this sandbox does not have."""
    path = state_file(instance, stack)
    if not path.exists():
        return None
    return json.loads(path.read_text())["checkpoint"]["latest"]["secrets_providers"]["state"]["salt"]


def _passphrase(instance: SandboxInstance) -> str:
    """Return the sandbox's passphrase, created once, for the secrets in a state file that only root can read."""
    path = instance.root / "pulumi-passphrase"
    if not path.exists():
        instance.root.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def _aws_environment(instance: SandboxInstance) -> dict[str, str]:
    path = instance.root / "aws.env"
    try:
        return env_file.read(path)
    except FileNotFoundError:
        raise PulumiError(f"there is no {path}: the AWS APIs of this sandbox are not set up; run `make up`") from None


def _engine_bin(instance: SandboxInstance) -> Path:
    return instance.run / "engine-bin"


def _install(instance: SandboxInstance, toolchain: Toolchain) -> None:
    """Put the built CLI and the language host into one folder, because the engine warns of a host elsewhere."""
    folder = _engine_bin(instance)
    folder.mkdir(parents=True, exist_ok=True)
    built, cli = (toolchain.bin / "pulumi").resolve(), folder / "pulumi"
    if not cli.exists() or cli.stat().st_mtime_ns != built.stat().st_mtime_ns:
        cli.unlink(missing_ok=True)
        try:
            cli.hardlink_to(built)
        except OSError:  # the cache is on another file system
            shutil.copy2(built, cli)
    launcher = folder / "pulumi-language-python"
    text = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P {shlex.quote(str(_LANGUAGE_HOST))} "$@"\n'
    if not launcher.exists() or launcher.read_text() != text:
        launcher.write_text(text)
        launcher.chmod(0o755)


def _process_name(package: str) -> str:
    return f"provider-{package}"


def _left_locked(instance: SandboxInstance, stack: str) -> bool:
    """Return whether all locks of the stack are from ended processes of this machine."""
    locks = [
        json.loads(path.read_text())
        for path in instance.pulumi_backend.glob(f".pulumi/locks/*/{PROJECT}/{stack}/*.json")
    ]
    return bool(locks) and not any(lock["hostname"] != socket.gethostname() or _runs(lock["pid"]) for lock in locks)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("pulumi")
    except (FileNotFoundError, ProcessLookupError):
        return False
