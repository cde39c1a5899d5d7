"""Connection of the kubernetes stand-in: API server, credentials and errors of unreachable clusters."""

import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from sandbox.engine.provider.values import UNKNOWN, JsonObject, decode
from tests.unit.kubernetes_api import Api, serving
from tests.unit.kubernetes_engine import CONFIG_MAP, INPUTS, Connect, Engine, refused, stand_in


@pytest.fixture
def connect() -> Iterator[Connect]:
    with stand_in() as connections:
        yield connections


def test_two_providers_keep_separate_clusters_and_namespaces(connect: Connect, api: Api) -> None:
    with serving() as other:
        first = connect(kubeconfig=api.kubeconfig)
        second = connect(kubeconfig=other.kubeconfig, namespace="elsewhere")
        first.create(CONFIG_MAP, INPUTS)
        assert not other.writes()
        assert second.check(CONFIG_MAP, {"metadata": {"name": "n"}})["metadata"]["namespace"] == "elsewhere"
        assert first.check(CONFIG_MAP, {"metadata": {"name": "n"}})["metadata"]["namespace"] == "default"


def connect_unreachable(connect: Connect, **config: Any) -> Engine:
    kubeconfig = json.loads(Api(address="http://127.0.0.1:9").kubeconfig)
    return connect(kubeconfig=json.dumps(kubeconfig), **config)


def test_unreachable_cluster_passes_previews_and_fails_updates(connect: Connect) -> None:
    engine = connect_unreachable(connect)
    assert engine.create(CONFIG_MAP, INPUTS, preview=True) == ("", INPUTS)
    with pytest.raises(grpc.RpcError) as error:
        engine.create(CONFIG_MAP, INPUTS)
    assert refused(error) == (
        "configured Kubernetes cluster is unreachable: unable to load schema information from the API server: Get "
        '"http://127.0.0.1:9/openapi/v2?timeout=32s": dial tcp 127.0.0.1:9: connect: connection refused'
    )
    with pytest.raises(grpc.RpcError) as error:
        engine.delete(CONFIG_MAP, "ns/settings", INPUTS)
    assert "PULUMI_K8S_DELETE_UNREACHABLE" in refused(error)
    with pytest.raises(grpc.RpcError) as error:
        engine.read(CONFIG_MAP, "ns/settings", INPUTS, INPUTS)
    assert refused(error).startswith("failed to read resource state due to unreachable cluster.")


def close_connection(connection: socket.socket) -> None:
    connection.recv(1)


def answer_plain_text(connection: socket.socket) -> None:
    connection.recv(1024)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("scheme", "serve", "message"),
    [
        ("http", close_connection, "connect: connection reset by peer"),
        ("https", answer_plain_text, "wrong version number"),
        ("http", answer_plain_text, "the server answered 400 Bad Request"),
    ],
)
def test_update_reports_a_server_that_is_not_an_api_server(
    connect: Connect, scheme: str, serve: Callable[[socket.socket], None], message: str
) -> None:
    def answer(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        address = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        engine = connect(kubeconfig=Api(address=address).kubeconfig)
    with pytest.raises(grpc.RpcError) as error:
        engine.create(CONFIG_MAP, INPUTS)
    assert message in refused(error)


def test_update_reports_an_invalid_server_address(connect: Connect) -> None:
    with pytest.raises(grpc.RpcError) as error:
        connect(kubeconfig=Api(address="https://[no-address").kubeconfig).create(CONFIG_MAP, INPUTS)
    assert "host must be a URL or a host:port pair: 'https://[no-address'" in refused(error)


def test_server_address_may_contain_a_path(connect: Connect, api: Api) -> None:
    connect(kubeconfig=Api(address=f"{api.address}/k8s/clusters/c-1/").kubeconfig)
    assert [request.path for request in api.requests] == ["/k8s/clusters/c-1/version"]


def test_delete_unreachable_removes_the_object_from_the_state(connect: Connect) -> None:
    engine = connect_unreachable(connect, deleteUnreachable="true")
    assert engine.read(CONFIG_MAP, "ns/settings", INPUTS, INPUTS).id == ""
    engine.delete(CONFIG_MAP, "ns/settings", INPUTS)


def test_skip_update_unreachable_keeps_the_previous_inputs(connect: Connect) -> None:
    engine = connect_unreachable(connect, skipUpdateUnreachable="true")
    assert engine.check(CONFIG_MAP, {**INPUTS, "data": {"a": "2"}}, INPUTS) == INPUTS
    assert decode(engine.read(CONFIG_MAP, "ns/settings", INPUTS, INPUTS).inputs) == INPUTS


def write_exec_plugin(folder: Path, token_file: Path) -> JsonObject:
    """Write an exec plugin that records its calls and prints the token from the file. Return its configuration."""
    script = folder / "get-token"
    script.write_text(
        f'#!/bin/sh\necho call >> {folder}/calls\n[ -s {token_file} ] || {{ echo "no credentials" >&2; exit 253; }}\n'
        f'echo "{{\\"status\\": {{\\"token\\": \\"$(cat {token_file})\\", '
        '\\"expirationTimestamp\\": \\"2999-01-01T00:00:00Z\\"}}"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": str(script), "args": ["eks"], "env": None}


def test_token_is_cached_until_the_server_rejects_it(connect: Connect, api: Api, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    api.token = "first"
    config = json.loads(api.kubeconfig)
    config["users"][0]["user"] = {"exec": write_exec_plugin(tmp_path, token)}
    for _ in range(2):
        connect(kubeconfig=json.dumps(config)).create(CONFIG_MAP, INPUTS, preview=True)
    assert (tmp_path / "calls").read_text().split() == ["call"]
    token.write_text("second")
    api.token = "second"
    assert connect(kubeconfig=json.dumps(config)).create(CONFIG_MAP, INPUTS)[0] == "ns/settings"
    assert (tmp_path / "calls").read_text().split() == ["call"] * 2


def test_failed_exec_plugin_makes_the_cluster_unreachable(connect: Connect, api: Api, tmp_path: Path) -> None:
    config = json.loads(api.kubeconfig)
    config["users"][0]["user"] = {"exec": write_exec_plugin(tmp_path, tmp_path / "nothing")}
    with pytest.raises(grpc.RpcError) as error:
        connect(kubeconfig=json.dumps(config)).create(CONFIG_MAP, INPUTS)
    assert "failed with exit code 253\nno credentials" in refused(error)


def test_ambient_kubeconfig_is_used_when_the_provider_has_none(
    connect: Connect, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config"
    file.write_text(api.kubeconfig)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/missing{os.pathsep}{file}")
    assert connect(kubeconfig=UNKNOWN).create(CONFIG_MAP, INPUTS)[0] == "ns/settings"
