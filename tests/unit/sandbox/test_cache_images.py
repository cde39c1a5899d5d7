"""Image archives: digests and sizes of the blobs, and the layout of the RocketMQ image."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from sandbox import pins
from sandbox.cache import oci_archive, recipes
from sandbox.cache.oci_archive import ImageConfig


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file is not None
    return file.read()


class TestImages:
    CONFIG = ImageConfig(entrypoint=("/run",), env={"A": "1"}, user="3000", workdir="/w", expose=(80,))

    def write(self, folder: Path, archive: str) -> dict[str, bytes]:
        """Write an image of two layers and return the members of its archive."""
        layers = [folder / f"{archive}-1.tar", folder / f"{archive}-2.tar"]
        (folder / "program").write_text("binary")
        (folder / "program").chmod(0o700)
        with oci_archive.layer(layers[0]) as one:
            one.directory("/etc")
            one.text("/etc/passwd", "root")
        with oci_archive.layer(layers[1], uid=3000, gid=3001) as two:
            two.file("/run", folder / "program")
            two.link("/alias", "run")
        oci_archive.write(folder / archive, "example.invalid/thing:1.2", layers, self.CONFIG)
        with tarfile.open(folder / archive) as tar:
            return {member.name: _content(tar, member.name) for member in tar.getmembers()}

    def blob(self, members: dict[str, bytes], descriptor: dict) -> bytes:
        """Return the blob of a descriptor after checking its digest and size."""
        data = members[f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"]
        assert hashlib.sha256(data).hexdigest() == descriptor["digest"].removeprefix("sha256:")
        assert len(data) == descriptor["size"]
        return data

    def test_digests_and_sizes_match_the_blobs(self, tmp_path: Path) -> None:
        members = self.write(tmp_path, "image.tar")
        assert json.loads(members["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
        (listed,) = json.loads(members["index.json"])["manifests"]
        assert listed["annotations"]["io.containerd.image.name"] == "example.invalid/thing:1.2"
        assert listed["platform"] == {"os": "linux", "architecture": oci_archive.architecture()}
        manifest = json.loads(self.blob(members, listed))
        config = json.loads(self.blob(members, manifest["config"]))
        layers = [self.blob(members, layer) for layer in manifest["layers"]]
        assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers]
        assert config["config"] == {
            "Entrypoint": ["/run"],
            "Cmd": [],
            "Env": ["A=1"],
            "User": "3000",
            "WorkingDir": "/w",
            "ExposedPorts": {"80/tcp": {}},
        }
        with tarfile.open(fileobj=io.BytesIO(layers[1])) as tar:
            program, alias = tar.getmembers()
        assert (program.name, program.mode, program.uid, program.gid, program.mtime) == ("run", 0o755, 3000, 3001, 0)
        assert (alias.name, alias.linkname, alias.issym()) == ("alias", "run", True)

    def test_archive_is_reproducible(self, tmp_path: Path) -> None:
        self.write(tmp_path, "one.tar")
        self.write(tmp_path, "two.tar")
        assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()

    def test_debian_layer_omits_unused_files_and_keeps_modification_times(self, tmp_path: Path) -> None:
        names = ["./usr/bin/java", "./usr/share/doc/java/NEWS", "./dev/null", "./usr/lib/jvm/java/lib/ct.sym"]
        with tarfile.open(tmp_path / "root.tar", "w") as tar:
            for name in names:
                info = tarfile.TarInfo(name)
                info.mtime, info.mode, info.uid, info.size = 1_700_000_000, 0o4755, 7, 4
                tar.addfile(info, io.BytesIO(b"data"))
        oci_archive.filtered_layer(tmp_path / "root.tar", tmp_path / "layer.tar", recipes.keep)
        with tarfile.open(tmp_path / "layer.tar") as tar:
            (java,) = tar.getmembers()
            assert _content(tar, java.name) == b"data"
        # A JVM ignores its class-data archive when the modification time of its modules is not the recorded one.
        assert (java.name, java.mtime, java.mode, java.uid) == ("./usr/bin/java", 1_700_000_000, 0o4755, 7)


class TestRocketMqImage:
    def test_layout_matches_the_official_image(self, tmp_path: Path) -> None:
        jars = tmp_path / "jars"
        jars.mkdir()
        (jars / "rocketmq-broker.jar").write_bytes(b"PK")
        with oci_archive.layer(tmp_path / "root.tar") as root:
            root.text("./etc/passwd", "root:x:0:0::/root:/bin/bash\n")
            root.text("./etc/group", "root:x:0:\n")
        recipes._write_rocketmq_layer(pins.ROCKETMQ, tmp_path / "layer.tar", jars, tmp_path / "root.tar")
        home = f"home/rocketmq/rocketmq-{pins.ROCKETMQ}"
        with tarfile.open(tmp_path / "layer.tar") as tar:
            members = {member.name: member for member in tar}
            passwd = _content(tar, "etc/passwd").decode()
        assert passwd.splitlines()[1] == "rocketmq:x:3000:3000::/home/rocketmq:/bin/bash"
        wanted = ["bin/docker-entrypoint.sh", "bin/mqadmin", "conf/rmq-proxy.json", "lib/rocketmq-broker.jar"]
        assert [name for name in wanted if f"{home}/{name}" not in members] == []
        assert {(m.uid, m.gid) for name, m in members.items() if name.startswith("home")} == {(3000, 3000)}
        assert members[f"{home}/bin/docker-entrypoint.sh"].mode & 0o111
        assert members["opt/java/openjdk"].linkname.startswith("/usr/lib/jvm/java-17-openjdk-")
        config = recipes._rocketmq_config(pins.ROCKETMQ)
        assert config.user == "rocketmq"
        assert config.workdir == f"/{home}/bin"
        assert config.env["ROCKETMQ_HOME"] == f"/{home}"
        assert config.env["PATH"].startswith("/opt/java/openjdk/bin:")
