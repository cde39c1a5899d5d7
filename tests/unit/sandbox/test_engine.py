"""Running the engine: detection of released parts, environment, project view, language host."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from sandbox import pins
from sandbox.cache.toolchain import Toolchain
from sandbox.engine import language_host, plugins, program, pulumi
from sandbox.engine.eks.arguments import PINNED_SDKS
from sandbox.layout import SandboxInstance


def build_toolchain(programs: Path, aws: Path) -> Toolchain:
    """Return a toolchain with the folders that the engine uses."""
    return Toolchain(programs, (), Path(), aws, Path())


@dataclass(frozen=True)
class TemporarySandbox(SandboxInstance):
    """A sandbox in a temporary folder."""

    folder: Path = Path()

    @property
    def root(self) -> Path:
        return self.folder


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TemporarySandbox:
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    (repository / "components").mkdir()
    (repository / "Pulumi.yaml").write_text("name: eks-rocketmq\n")
    (repository / "Pulumi.prod.yaml").write_text("# why\nconfig:\n  aws:region: x\n")
    monkeypatch.setattr(pulumi, "REPOSITORY", repository)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    root = tmp_path / "sandbox"
    root.mkdir()
    (root / "aws.env").write_text("AWS_ACCESS_KEY_ID=AKIA1\nAWS_SECRET_ACCESS_KEY=a=b\nAWS_REGION=ap-southeast-1\n")
    return TemporarySandbox("unit", root)


def debug_providers(*, without: str = "") -> str:
    return ",".join(f"{package}:{port}" for package, port in plugins.STAND_IN_PORTS.items() if package != without)


def executable(path: Path, text: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def saved_stack(instance: SandboxInstance, salt: str) -> None:
    state = instance.pulumi_backend / ".pulumi/stacks/eks-rocketmq/prod.json"
    state.parent.mkdir(parents=True)
    secrets = {"type": "passphrase", "state": {"salt": salt}}
    state.write_text(json.dumps({"checkpoint": {"latest": {"secrets_providers": secrets}}}))


def test_stand_ins_are_used_without_released_parts(tmp_path: Path) -> None:
    parts = plugins.detect(str(tmp_path), tmp_path)
    assert [part.name for part in parts] == ["pulumi", "pulumi-language-python", *plugins.STAND_IN_PORTS]
    assert not any(part.released for part in parts)
    assert parts.debug_providers == debug_providers()
    assert str(parts.cli) == f"pulumi {pins.PULUMI}: the same source, built here"


def test_released_cli_of_the_pinned_version_is_used_with_its_language_host(tmp_path: Path) -> None:
    cli = executable(tmp_path / "bin/pulumi", f"echo v{pins.PULUMI}")
    host = executable(tmp_path / "bin/pulumi-language-python")
    parts = plugins.detect(str(tmp_path / "bin"), tmp_path)
    assert (parts.cli.executable, parts.language_host.executable) == (cli, host)
    assert parts.path == [tmp_path / "bin"]


@pytest.mark.parametrize("answer", ["echo v3.1.0", "exit 1", "echo"])
def test_cli_of_another_version_is_not_used(tmp_path: Path, answer: str) -> None:
    executable(tmp_path / "bin/pulumi", answer)
    executable(tmp_path / "bin/pulumi-language-python")
    parts = plugins.detect(str(tmp_path / "bin"), tmp_path)
    assert not parts.cli.released
    assert not parts.language_host.released


def test_plugin_in_the_plugin_folder_replaces_only_its_stand_in(tmp_path: Path, instance: TemporarySandbox) -> None:
    aws = version("pulumi-aws")
    found = executable(tmp_path / f"plugins/resource-aws-v{aws}/pulumi-resource-aws")
    (found.parent / "LICENSE").touch()
    executable(tmp_path / "plugins/resource-kubernetes-v0.0.1/pulumi-resource-kubernetes")
    parts = plugins.detect("/nowhere", tmp_path)
    assert {part.name: part.executable for part in parts.providers if part.released} == {"aws": found}
    assert parts.debug_providers == debug_providers(without="aws")
    plugins.link_released(parts, instance)
    link = instance.pulumi_home / f"plugins/resource-aws-v{aws}/pulumi-resource-aws"
    assert link.resolve() == found
    assert (link.parent / "LICENSE").exists(), "a plugin may need the files beside its executable"
    plugins.link_released(plugins.detect("/nowhere", instance.root), instance)
    assert not link.parent.exists(), "the link to a plugin that no longer exists is removed"


def test_marker_files_of_the_engine_do_not_prevent_the_next_start(tmp_path: Path, instance: TemporarySandbox) -> None:
    """The engine writes these files when it uses, installs or locks a plugin."""
    aws = version("pulumi-aws")
    executable(tmp_path / f"plugins/resource-aws-v{aws}/pulumi-resource-aws")
    parts = plugins.detect("/nowhere", tmp_path)
    plugins.link_released(parts, instance)
    folder = instance.pulumi_home / "plugins"
    for suffix in ("lastused", "lock"):
        (folder / f"resource-aws-v{aws}.{suffix}").touch()
    plugins.link_released(parts, instance)
    assert [path.name for path in folder.iterdir()] == [f"resource-aws-v{aws}"]


def test_partially_installed_plugin_is_ignored(tmp_path: Path) -> None:
    aws = version("pulumi-aws")
    executable(tmp_path / f"plugins/resource-aws-v{aws}/pulumi-resource-aws")
    (tmp_path / f"plugins/resource-aws-v{aws}.partial").touch()
    assert "aws" in plugins.detect("/nowhere", tmp_path).stand_ins


def test_plugin_on_path_is_used_with_any_version_and_never_run(
    tmp_path: Path, instance: TemporarySandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The released kubernetes plugin rejects `--version`, and the eks plugin waits for its engine."""
    ran = tmp_path / "ran"
    found = executable(tmp_path / "bin/pulumi-resource-kubernetes", f"touch {ran}")
    sdk_version = version("pulumi-kubernetes")
    executable(tmp_path / f"home/plugins/resource-kubernetes-v{sdk_version}/pulumi-resource-kubernetes")
    parts = plugins.detect(str(tmp_path / "bin"), tmp_path / "home")
    (part,) = [part for part in parts.providers if part.released]
    assert part.executable == found
    assert str(part) == f"kubernetes: {found}, from PATH; Pulumi does not check the version of such a plugin"
    assert not ran.exists()
    plugins.link_released(parts, instance)
    for served in (sdk_version, PINNED_SDKS["kubernetes"]):
        linked = instance.pulumi_home / f"plugins/resource-kubernetes-v{served}"
        assert {entry.name: entry.resolve() for entry in linked.iterdir()} == {found.name: found}
    monkeypatch.setenv("PULUMI_IGNORE_AMBIENT_PLUGINS", "true")
    (part,) = [p for p in plugins.detect(str(tmp_path / "bin"), tmp_path / "home").providers if p.released]
    assert part.executable != found


def test_version_pinned_by_the_eks_component_is_linked_or_reported_missing(
    tmp_path: Path, instance: TemporarySandbox
) -> None:
    sdk_version, pinned = version("pulumi-aws"), PINNED_SDKS["aws"]
    executable(tmp_path / f"plugins/resource-aws-v{sdk_version}/pulumi-resource-aws")
    executable(tmp_path / "plugins/resource-aws-v7.0.0/pulumi-resource-aws")
    (part,) = [part for part in plugins.detect("/nowhere", tmp_path).providers if part.released]
    assert str(part).endswith(f"run `pulumi plugin install resource aws {pinned}`")
    second = executable(tmp_path / f"plugins/resource-aws-v{pinned}/pulumi-resource-aws")
    parts = plugins.detect("/nowhere", tmp_path)
    assert [part.missing for part in parts.providers] == ["", "", "", ""]
    plugins.link_released(parts, instance)
    folder = instance.pulumi_home / "plugins"
    assert {path.name for path in folder.iterdir()} == {f"resource-aws-v{sdk_version}", f"resource-aws-v{pinned}"}
    assert (folder / f"resource-aws-v{pinned}/pulumi-resource-aws").resolve() == second


def test_cache_folder_on_path_is_not_detected_as_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "CACHE", tmp_path)
    executable(tmp_path / "bin/pulumi", f"echo v{pins.PULUMI}")
    assert not plugins.detect(str(tmp_path / "bin"), tmp_path).cli.released


def test_environment_contains_no_cloud_settings_of_the_caller(
    instance: TemporarySandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud_variables = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "PULUMI_ACCESS_TOKEN", "GITHUB_TOKEN", "KUBECONFIG")
    for name in cloud_variables:
        monkeypatch.setenv(name, "of the host")
    monkeypatch.setenv("LANG", "C.UTF-8")
    variables = pulumi.build_environment(instance, build_toolchain(Path("/tools/bin"), Path("/tools/aws")))
    assert "of the host" not in variables.values()
    assert variables["AWS_SECRET_ACCESS_KEY"] == "a=b"
    assert variables["AWS_CONFIG_FILE"] == variables["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert variables["PULUMI_BACKEND_URL"] == f"file://{instance.root}/pulumi-backend?metadata=skip"
    assert variables["PULUMI_DEBUG_PROVIDERS"] == debug_providers()
    assert variables["LANG"] == "C.UTF-8"
    folders = variables["PATH"].split(":")
    assert folders.index(str(instance.run / "engine-bin")) < folders.index("/tools/bin") < folders.index("/tools/aws")
    assert (
        variables["PULUMI_CONFIG_PASSPHRASE"]
        == pulumi.build_environment(instance, build_toolchain(Path("/b"), Path("/a")))["PULUMI_CONFIG_PASSPHRASE"]
    )
    assert (instance.root / "pulumi-passphrase").stat().st_mode & 0o777 == 0o600


def test_environment_without_aws_reports_the_command_to_run(instance: TemporarySandbox) -> None:
    (instance.root / "aws.env").unlink()
    with pytest.raises(pulumi.PulumiError, match="make up"):
        pulumi.build_environment(instance, build_toolchain(Path("/b"), Path("/a")))


def test_view_links_all_files_and_keeps_the_committed_stack_file(instance: TemporarySandbox) -> None:
    committed = (pulumi.REPOSITORY / "Pulumi.prod.yaml").read_text()
    saved_stack(instance, "v1:salt")
    pulumi.refresh_view(instance)
    folder = pulumi.get_view(instance)
    assert (folder / "Pulumi.prod.yaml").read_text() == f"encryptionsalt: v1:salt\n{committed}"
    assert (pulumi.REPOSITORY / "Pulumi.prod.yaml").read_text() == committed
    assert (folder / "components").readlink() == pulumi.REPOSITORY / "components"
    assert not (folder / ".git").exists()


def test_refreshed_view_follows_changes_of_the_repository(instance: TemporarySandbox) -> None:
    pulumi.refresh_view(instance)
    (pulumi.REPOSITORY / "Pulumi.prod.yaml").write_text("config: {}\n")
    (pulumi.REPOSITORY / "components").rmdir()
    # A program ran in the view, then a test in the repository.
    (pulumi.get_view(instance) / "__pycache__").mkdir()
    (pulumi.REPOSITORY / "__pycache__").mkdir()
    pulumi.refresh_view(instance)
    assert (pulumi.get_view(instance) / "Pulumi.prod.yaml").read_text() == "config: {}\n", (
        "without a stack there is no salt"
    )
    assert not (pulumi.get_view(instance) / "components").is_symlink()


def test_view_replaces_another_secrets_provider(instance: TemporarySandbox) -> None:
    text = "secretsprovider: awskms://x\nencryptedkey: abc\nencryptionsalt: v1:theirs\nconfig: {}\n"
    (pulumi.REPOSITORY / "Pulumi.prod.yaml").write_text(text)
    saved_stack(instance, "v1:ours")
    pulumi.refresh_view(instance)
    assert (pulumi.get_view(instance) / "Pulumi.prod.yaml").read_text() == "encryptionsalt: v1:ours\nconfig: {}\n"


def lock(instance: SandboxInstance, pid: int, hostname: str | None = None) -> None:
    folder = instance.pulumi_backend / ".pulumi/locks/organization/eks-rocketmq/prod"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{pid}.json").write_text(json.dumps({"pid": pid, "hostname": hostname or socket.gethostname()}))


def test_lock_of_an_ended_process_is_stale(instance: TemporarySandbox) -> None:
    assert not pulumi._left_locked(instance, "prod")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lock(instance, ended.pid)
    assert pulumi._left_locked(instance, "prod")
    assert not pulumi._left_locked(instance, "other")
    lock(instance, 1, "another-machine")
    assert not pulumi._left_locked(instance, "prod"), "processes of another machine cannot be checked"


def test_lock_of_a_reused_process_id_is_stale(instance: TemporarySandbox) -> None:
    lock(instance, os.getpid())
    assert pulumi._left_locked(instance, "prod"), "this process is not pulumi"


def test_language_host_and_cli_are_installed_in_one_folder(instance: TemporarySandbox, tmp_path: Path) -> None:
    built = executable(tmp_path / "tools/pulumi", "echo built")
    pulumi._install(instance, build_toolchain(tmp_path / "tools", Path("/a")))
    folder = instance.run / "engine-bin"
    assert subprocess.check_output([folder / "pulumi"], text=True) == "built\n"
    assert str(Path(language_host.__file__)) in (folder / "pulumi-language-python").read_text()
    built.unlink()
    executable(built, "echo newer")
    os.utime(built, (1, 1))
    pulumi._install(instance, build_toolchain(tmp_path / "tools", Path("/a")))
    assert subprocess.check_output([folder / "pulumi"], text=True) == "newer\n"


def test_interpreter_is_that_of_the_named_virtual_environment(tmp_path: Path) -> None:
    assert language_host.interpreter(tmp_path, {}) == Path(sys.executable)
    with pytest.raises(ValueError, match=r"names the virtual environment '\.venv'"):
        language_host.interpreter(tmp_path, {"virtualenv": ".venv"})
    python = executable(tmp_path / ".venv/bin/python")
    assert language_host.interpreter(tmp_path, {"virtualenv": ".venv"}) == python


def test_direct_dependencies_exclude_transitive_ones() -> None:
    everything, direct = (dict(language_host.installed(transitive=each)) for each in (True, False))
    assert everything["pulumi"] == version("pulumi")
    assert "pulumi" not in direct, "the provider SDKs require it"
    assert direct.items() < everything.items()


@pytest.mark.parametrize(
    ("code", "bail", "error"),
    [(0, False, ""), (32, True, ""), (1, False, "Program exited with non-zero exit code: 1")],
)
def test_response_reports_the_exit_code_of_the_program(code: int, bail: bool, error: str) -> None:
    response = language_host._response(code)
    assert (response.bail, response.error) == (bail, error)


def test_traceback_begins_in_the_program(tmp_path: Path) -> None:
    main = tmp_path / "__main__.py"
    main.write_text("def mine():\n    int('x')\nmine()\n")
    with pytest.raises(ValueError, match="invalid literal") as failure:
        program._run_program(tmp_path)
    text = program.users_traceback(failure.value, tmp_path)
    assert text.splitlines()[1] == f'  File "{main}", line 3, in <module>'
    assert "runpy" not in text
    assert text.endswith("ValueError: invalid literal for int() with base 10: 'x'\n")


def test_traceback_without_a_frame_of_the_program_is_complete(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="invalid literal") as failure:
        int("x")
    assert Path(__file__).name in program.users_traceback(failure.value, tmp_path)


@pytest.fixture
def host() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", language_host.__file__, "127.0.0.1:1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_plugin_process_ends_when_the_engine_cancels_the_call(host: subprocess.Popen[str], tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n")
    assert host.stdout is not None
    with grpc.insecure_channel(f"127.0.0.1:{int(host.stdout.readline())}") as channel:
        info = language_pb2.ProgramInfo(root_directory=str(tmp_path))
        call = language_pb2_grpc.LanguageRuntimeStub(channel).RunPlugin(language_pb2.RunPluginRequest(info=info))
        process = Path(f"/proc/{int(next(call).stdout)}")
        assert process.exists()
        call.cancel()
        deadline = time.monotonic() + 10
        while process.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not process.exists()
    host.send_signal(signal.SIGINT)
    host.communicate(timeout=20)


def test_language_host_serves_requests_and_ends_without_output(host: subprocess.Popen[str], tmp_path: Path) -> None:
    assert host.stdout is not None
    with grpc.insecure_channel(f"127.0.0.1:{int(host.stdout.readline())}") as channel:
        stub = language_pb2_grpc.LanguageRuntimeStub(channel)
        assert stub.GetPluginInfo(empty_pb2.Empty()).version == version("pulumi")
        with pytest.raises(grpc.RpcError, match="installs nothing"):
            list(stub.InstallDependencies(language_pb2.InstallDependenciesRequest()))
        info = language_pb2.ProgramInfo(root_directory=str(tmp_path))
        with pytest.raises(grpc.RpcError, match="there is none in"):
            list(stub.RunPlugin(language_pb2.RunPluginRequest(info=info)))
        # A plugin has no virtual environment here, so there is nothing to install.
        (tmp_path / "PulumiPlugin.yaml").write_text("runtime: python\n")
        assert list(stub.InstallDependencies(language_pb2.InstallDependenciesRequest(info=info))) == []
        (tmp_path / "__main__.py").write_text(
            "import os, sys\nprint(sys.argv[1:], os.environ['ONLY'], os.getcwd())\nsys.exit('the end')\n"
        )
        request = language_pb2.RunPluginRequest(info=info, args=["127.0.0.1:2"], env=["ONLY=a=b"], pwd="/")
        printed = list(stub.RunPlugin(request))
        assert [each.stdout for each in printed if each.stdout] == [b"['127.0.0.1:2'] a=b /\n"]
        assert [each.stderr for each in printed if each.stderr] == [b"the end\n"]
        assert printed[-1].exitcode == 1
        info = language_pb2.ProgramInfo(root_directory=str(tmp_path), program_directory=str(tmp_path))
        info.options.update({"virtualenv": "gone"})
        assert "names the virtual environment 'gone'" in stub.Run(language_pb2.RunRequest(info=info)).error
    host.send_signal(signal.SIGINT)
    output, errors = host.communicate(timeout=20)
    assert (host.returncode, output, errors) == (0, "", "")
