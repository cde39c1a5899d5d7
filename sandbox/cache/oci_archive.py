"""OCI image archives, written without a container engine. Layers are tar files, blobs are named by their sha256.

An archive is reproducible: the same layers and settings give the same bytes. `ctr images import` reads it.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.cache.entry import digest

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_DIRECTORY_MODE = 0o755


@dataclass(frozen=True)
class ImageConfig:
    """Configuration of the image, with the names of a Dockerfile."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    workdir: str = "/"
    expose: tuple[int, ...] = ()


@dataclass(frozen=True)
class LayerWriter:
    """Adds files to a layer. All have one owner and modification time 0, so the content alone decides the bytes."""

    tar: tarfile.TarFile
    uid: int = 0
    gid: int = 0

    def directory(self, name: str, mode: int = _DIRECTORY_MODE) -> None:
        info = self._info(name, mode)
        info.type = tarfile.DIRTYPE
        self.tar.addfile(info)

    def text(self, name: str, content: str, mode: int = 0o644) -> None:
        data = content.encode()
        info = self._info(name, mode)
        info.size = len(data)
        self.tar.addfile(info, io.BytesIO(data))

    def file(self, name: str, source: Path, mode: int | None = None) -> None:
        """Copy a file. The default mode is 755 for executables and 644 otherwise."""
        executable = source.stat().st_mode & 0o100
        info = self._info(name, mode if mode is not None else (0o755 if executable else 0o644))
        info.size = source.stat().st_size
        with source.open("rb") as data:
            self.tar.addfile(info, data)

    def link(self, name: str, target: str) -> None:
        info = self._info(name, 0o777)
        info.type = tarfile.SYMTYPE
        info.linkname = target
        self.tar.addfile(info)

    def _info(self, name: str, mode: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name.lstrip("/"))
        info.mode = mode
        info.uid, info.gid = self.uid, self.gid
        return info


@contextmanager
def layer(path: Path, uid: int = 0, gid: int = 0) -> Generator[LayerWriter]:
    """Write a layer to `path`. `uid` and `gid` own its files."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        yield LayerWriter(tar, uid, gid)


def filtered_layer(source: Path, path: Path, keep: Callable[[tarfile.TarInfo], bool]) -> None:
    """Copy the members of a root file system's tar that `keep` accepts, with owners, modes and times.

    A JVM uses its class-data archive only with the recorded time of its modules file, so times must not change.
    """
    with tarfile.open(source) as old, tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as new:
        for member in old:
            if keep(member):
                new.addfile(member, old.extractfile(member) if member.isreg() else None)


def write(archive: Path, name: str, layers: list[Path], config: ImageConfig) -> None:
    """Write the OCI archive of an image. `name` is its full reference, such as `docker.io/apache/rocketmq:5.5.0`."""
    digests = [digest(path) for path in layers]
    config_blob = _json(_config_document(config, digests))
    manifest_blob = _json(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor("application/vnd.oci.image.config.v1+json", config_blob),
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": f"sha256:{digest}",
                    "size": path.stat().st_size,
                }
                for path, digest in zip(layers, digests, strict=True)
            ],
        }
    )
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                **_descriptor("application/vnd.oci.image.manifest.v1+json", manifest_blob),
                "platform": {"os": "linux", "architecture": architecture()},
                "annotations": {
                    "io.containerd.image.name": name,
                    "org.opencontainers.image.ref.name": name.rpartition(":")[2],
                },
            }
        ],
    }
    with layer(archive) as writer:
        writer.text("oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}))
        writer.text("index.json", _json(index).decode())
        for blob in (config_blob, manifest_blob):
            writer.text(f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}", blob.decode())
        for path, name_of_blob in dict(zip(layers, digests, strict=True)).items():
            writer.file(f"blobs/sha256/{name_of_blob}", path, mode=0o644)


def architecture() -> str:
    """Return this machine's architecture in the spelling of OCI and Go."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def _config_document(config: ImageConfig, layer_digests: list[str]) -> dict[str, object]:
    return {
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "User": config.user,
            "WorkingDir": config.workdir,
            "Env": [f"{name}={value}" for name, value in config.env.items()],
            "Entrypoint": list(config.entrypoint),
            "Cmd": list(config.cmd),
            "ExposedPorts": {f"{port}/tcp": {} for port in config.expose},
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in layer_digests]},
        "history": [{"created_by": "eks-rocketmq sandbox"} for _ in layer_digests],
    }


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}", "size": len(blob)}


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
