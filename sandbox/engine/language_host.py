"""Language host for Python programs, which the engine starts as `pulumi-language-python` inside the sandbox.

It replaces the released host of the same name, on the sandbox's PATH only. As with the released host, the program runs
in a separate process (`program.py`), with the virtual environment of `Pulumi.yaml`. This file is a script: it imports
only the standard library, gRPC and the Pulumi SDK.
"""

# ruff: noqa: N802, ARG002 - the servicer's methods have the protocol's names and parameters

import argparse
import importlib.metadata
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import grpc
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

PROGRAM = Path(__file__).with_name("program.py")
ALREADY_REPORTED = 32
_ORPHAN_CHECK_SECONDS = 1.0
_GRACE_SECONDS = 5.0
_THREADS = 8


def interpreter(root: Path, options: dict[str, object]) -> Path:
    """Return the program's Python: that of `runtime.options.virtualenv` under the project's root, else this one.

    Raises ValueError when the environment does not exist.
    """
    named = options.get("virtualenv")
    if not named:
        return Path(sys.executable)
    python = root / str(named) / "bin" / "python"
    if not python.exists():
        raise ValueError(
            f"Pulumi.yaml names the virtual environment {str(named)!r} (runtime.options.virtualenv), "
            f"but there is no {python}; run `make check` or `make up` once, both make it"
        )
    return python


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Language host of one engine run. The program sends its diagnostics to `engine_address`."""

    def __init__(self, engine_address: str) -> None:
        self._engine_address = engine_address
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str] | subprocess.Popen[bytes]] = set()
        self._waiting: subprocess.Popen[str] | None = None
        self._closed = False

    def prepare(self) -> None:
        """Start a process that imports the SDK, before the engine names the program."""
        with self._lock:
            if self._waiting is None and not self._closed:
                self._waiting = _start(Path(sys.executable))

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            self._closed = True
            processes = [*self._running, *([self._waiting] if self._waiting else [])]
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        self._engine_address = request.engine_address or self._engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def About(self, request: language_pb2.AboutRequest, context: grpc.ServicerContext) -> language_pb2.AboutResponse:
        return language_pb2.AboutResponse(
            executable=sys.executable,
            version=".".join(map(str, sys.version_info[:3])),
            metadata={"language host": "the sandbox's stand-in"},
        )

    def RuntimeOptionsPrompts(
        self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        return language_pb2.RuntimeOptionsResponse()

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """Return no packages: the engine would download them. Each resource names its provider's version."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=name, version=version)
                for name, version in installed(transitive=request.transitiveDependencies)
            ]
        )

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Install nothing. A plugin without a virtual environment runs in this one; others are an error."""
        if _runs_here(request.info):
            return
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "the sandbox's language host installs nothing: its environment is made by make from requirements.txt; "
            "run `pulumi install` outside the sandbox, with the released language host",
        )
        yield language_pb2.InstallDependenciesResponse()

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run the `__main__.py` of a plugin's folder, such as the library's, and return its output."""
        root = Path(request.info.root_directory)
        if not (root / "__main__.py").is_file():
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"the sandbox's language host runs plugins with a `__main__.py`; there is none in {root}",
            )
        try:
            python = interpreter(root, MessageToDict(request.info.options))
        except ValueError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        process = subprocess.Popen(
            [python, "-u", root, *request.args],
            cwd=request.pwd or root,
            env=dict(each.split("=", 1) for each in request.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
        with self._lock:
            self._running.add(process)
        # The engine ends a plugin by closing the call, and then reads no more from this generator.
        context.add_callback(lambda: self._end(process))
        yield from _printed(process)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with self._lock:
            self._running.discard(process)

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        root = Path(request.info.root_directory)
        try:
            python = interpreter(root, MessageToDict(request.info.options))
        except ValueError as error:
            return language_pb2.RunResponse(error=str(error))
        if request.attach_debugger:
            return language_pb2.RunResponse(error="the sandbox's language host attaches no debugger")
        process = self._take(python)
        job = {
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization or "organization",
            "monitor": request.monitor_address,
            "engine": self._engine_address,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "config": dict(request.config),
            "secret_keys": list(request.configSecretKeys),
            "root_directory": request.info.root_directory,
            "program_directory": request.info.program_directory,
            "entry_point": request.info.entry_point,
            "arguments": list(request.args),
        }
        process.communicate(json.dumps(job) + "\n")
        with self._lock:
            self._running.discard(process)
        return _response(process.returncode)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        self.close()
        return empty_pb2.Empty()

    def _take(self, python: Path) -> subprocess.Popen[str]:
        """Return the prepared process if it has the right interpreter, else a new one."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
            same = _environment(python) == _environment(Path(sys.executable))
            process = waiting if waiting is not None and same else _start(python)
            self._running.add(process)
        if waiting is not None and waiting is not process:
            waiting.terminate()
            waiting.wait()
        return process


def installed(*, transitive: bool) -> Sequence[tuple[str, str]]:
    """Return name and version of installed distributions; without `transitive`, those that no other one requires."""
    distributions = {_normal(each.name): each for each in importlib.metadata.distributions()}
    required = {
        _normal(match[0])
        for each in distributions.values()
        for requirement in each.requires or []
        if "extra ==" not in requirement and (match := re.match(r"[\w.-]+", requirement))
    }
    names = distributions if transitive else distributions.keys() - required
    return sorted((distributions[name].name, distributions[name].version) for name in names)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _environment(python: Path) -> Path:
    """Return the environment's folder. The executable is often a link to one that several environments share."""
    return python.parent.resolve()


def _start(python: Path) -> subprocess.Popen[str]:
    # In a separate process group, because the engine handles Ctrl-C and cancels this host.
    return subprocess.Popen([python, "-P", "-u", PROGRAM], stdin=subprocess.PIPE, text=True, process_group=0)


def _runs_here(info: language_pb2.ProgramInfo) -> bool:
    return (Path(info.root_directory) / "PulumiPlugin.yaml").is_file() and "virtualenv" not in info.options


def _printed(process: subprocess.Popen[bytes]) -> Iterator[language_pb2.RunPluginResponse]:
    """Yield the output of a plugin until it closes both streams."""
    arrived: queue.SimpleQueue[language_pb2.RunPluginResponse | None] = queue.SimpleQueue()

    def read(stream: IO[bytes], response: Callable[[bytes], language_pb2.RunPluginResponse]) -> None:
        for line in stream:
            arrived.put(response(line))
        arrived.put(None)

    streams = (
        (process.stdout, lambda line: language_pb2.RunPluginResponse(stdout=line)),
        (process.stderr, lambda line: language_pb2.RunPluginResponse(stderr=line)),
    )
    for each in streams:
        threading.Thread(target=read, args=each, daemon=True).start()
    for _ in streams:
        yield from iter(arrived.get, None)


def _response(code: int) -> language_pb2.RunResponse:
    if code == 0:
        return language_pb2.RunResponse()
    if code == ALREADY_REPORTED:
        return language_pb2.RunResponse(bail=True)
    return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {code}")


def main() -> None:
    """Serve on a free loopback port, print the port, and end with the engine: by its signal or at its end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", nargs="?", default="")
    arguments, _ = parser.parse_known_args()
    engine_pid = os.getppid()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    host = LanguageHost(arguments.engine)
    host.prepare()
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=_GRPC_CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    # A killed engine sends no signal.
    while os.getppid() == engine_pid and not stopping.wait(_ORPHAN_CHECK_SECONDS):
        pass
    host.close()
    server.stop(None).wait()


if __name__ == "__main__":
    main()
