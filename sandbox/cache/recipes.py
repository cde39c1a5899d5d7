"""Recipes of the sandbox's container images, and of RocketMQ's jars."""

import tarfile
import tempfile
from pathlib import Path

from sandbox import pins
from sandbox.cache import maven, oci_archive
from sandbox.cache.build_command import BuildProgress, run
from sandbox.cache.entry import Entry, digest, digest_tree
from sandbox.cache.go import TOOLCHAIN
from sandbox.cache.oci_archive import ImageConfig

ARCHIVE = "image.tar"

DEBIAN_SUITE = "bookworm"  # the last one with Java 17
JAVA_PACKAGE = "openjdk-17-jre-headless"
JAVA_HOME = "/opt/java/openjdk"  # as in the official image
ROCKETMQ_ID = 3000
ROCKETMQ_USER = "rocketmq"
ROCKETMQ_PROGRAMS = ("mqnamesrv", "mqcontroller", "mqbroker", "mqproxy", "mqadmin")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

# Unused in containers: manuals, caches, device nodes, javac's signatures, class data of heaps above 32 GiB.
_LEFT_OUT = (
    *("./dev/", "./usr/share/doc/", "./usr/share/info/", "./usr/share/locale/", "./usr/share/man/"),
    *("./var/cache/", "./var/lib/apt/", "./var/log/"),
)
_LEFT_OUT_ENDS = ("/lib/ct.sym", "/classes_nocoops.jsa")


def rocketmq(version: str = pins.ROCKETMQ) -> Entry:
    """Return the image of RocketMQ with the layout of the official one: name, tag, user, home and entry point."""
    image = pins.rocketmq_image(version)
    return Entry(
        name="image-rocketmq" if version == pins.ROCKETMQ else f"image-rocketmq-{version}",
        title=f"image of RocketMQ {version} on {JAVA_PACKAGE}",
        inputs={
            "name": image,
            "source": digest_tree(TOOLCHAIN / "rocketmq"),
            "java": f"{JAVA_PACKAGE} of {DEBIAN_SUITE}",
        },
        build=lambda folder, progress: _build_rocketmq(version, folder, progress),
    )


def rocketmq_jars(version: str) -> Entry:
    """Return the jars of a version, to inspect them or to run them without a container."""
    return Entry(
        name=f"jars-rocketmq-{version}",
        title=f"jars of RocketMQ {version}",
        inputs={"version": version, "source": digest(maven.POM)},
        build=lambda folder, progress: maven.fetch_jars(version, folder, progress),
    )


def pause() -> Entry:
    """Return the image of the container that holds a pod's namespaces."""
    source = TOOLCHAIN / "pause" / "pause.c"
    return Entry(
        name="image-pause",
        title="image of the pause container",
        inputs={"name": pins.PAUSE_IMAGE, "source": digest(source)},
        build=lambda folder, _progress: _build_pause(source, folder),
    )


def program(name: str, image: str, binary: Path, key: str) -> Entry:
    """Return an image of a static program and CA certificates. `key` is that of the program's entry."""
    return Entry(
        name=f"image-{name}",
        title=f"image of {name}",
        inputs={"name": image, "program": key},
        build=lambda folder, _progress: _build_program(name, image, binary, folder),
    )


def keep(member: tarfile.TarInfo) -> bool:
    """Return whether a member of Debian's root file system belongs into the image."""
    return not (member.name.startswith(_LEFT_OUT) or member.name.endswith(_LEFT_OUT_ENDS))


def _build_rocketmq(version: str, folder: Path, progress: BuildProgress) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        scratch = Path(temporary)
        jars, root = scratch / "jars", scratch / "rootfs.tar"
        maven.fetch_jars(version, jars, progress)
        run(
            # Includes the manuals' folders: without them the installation of the JRE fails.
            ["mmdebstrap", "--variant=essential", f"--include={JAVA_PACKAGE}", DEBIAN_SUITE, str(root)],
            doing=f"installing {JAVA_PACKAGE} of Debian {DEBIAN_SUITE} into an image",
            on_line=progress.tell,
        )
        base, layer = scratch / "base.tar", scratch / "rocketmq.tar"
        oci_archive.filtered_layer(root, base, keep)
        _write_rocketmq_layer(version, layer, jars, root)
        oci_archive.write(folder / ARCHIVE, pins.rocketmq_image(version), [base, layer], _rocketmq_config(version))


def _rocketmq_home(version: str) -> str:
    return f"/home/rocketmq/rocketmq-{version}"


def _rocketmq_config(version: str) -> ImageConfig:
    return ImageConfig(
        entrypoint=("./docker-entrypoint.sh",),
        cmd=("dummy",),
        env={
            "PATH": f"{JAVA_HOME}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "JAVA_HOME": JAVA_HOME,
            "ROCKETMQ_VERSION": version,
            "ROCKETMQ_HOME": _rocketmq_home(version),
        },
        user=ROCKETMQ_USER,
        workdir=f"{_rocketmq_home(version)}/bin",
        expose=(9876, 10909, 10911, 10912),
    )


def _write_rocketmq_layer(version: str, layer: Path, jars: Path, root: Path) -> None:
    source = TOOLCHAIN / "rocketmq"
    home = _rocketmq_home(version)
    java = f"/usr/lib/jvm/java-17-openjdk-{oci_archive.architecture()}"
    with oci_archive.layer(layer) as system:
        user, group = f"{ROCKETMQ_USER}:x:3000:3000::/home/rocketmq:/bin/bash\n", f"{ROCKETMQ_USER}:x:3000:\n"
        system.text("etc/passwd", _read(root, "./etc/passwd") + user)
        system.text("etc/group", _read(root, "./etc/group") + group)
        system.directory("opt/java")
        system.link(JAVA_HOME, java)
        own = oci_archive.LayerWriter(system.tar, ROCKETMQ_ID, ROCKETMQ_ID)
        own.directory("/home/rocketmq")
        for folder in ("", "/bin", "/conf", "/lib"):
            own.directory(f"{home}{folder}")
        for path in sorted([*source.glob("bin/*"), *source.glob("conf/*")]):
            own.file(f"{home}/{path.relative_to(source)}", path)
        for name in ROCKETMQ_PROGRAMS:
            own.link(f"{home}/bin/{name}", "rocketmq.sh")
        for path in sorted(jars.iterdir()):
            own.file(f"{home}/lib/{path.name}", path, mode=0o644)


def _build_pause(source: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        binary = Path(temporary) / "pause"
        run(
            ["gcc", "-static", "-O2", "-s", "-Wall", "-Wextra", "-Werror", "-o", str(binary), str(source)],
            doing="compiling the pause container",
        )
        layer = Path(temporary) / "layer.tar"
        with oci_archive.layer(layer) as writer:
            writer.file("pause", binary)
        config = ImageConfig(entrypoint=("/pause",), user="65535:65535")
        oci_archive.write(folder / ARCHIVE, pins.PAUSE_IMAGE, [layer], config)


def _build_program(name: str, image: str, binary: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        layer = Path(temporary) / "layer.tar"
        with oci_archive.layer(layer) as writer:
            writer.file(name, binary)
            writer.file("etc/ssl/certs/ca-certificates.crt", CERTIFICATES, mode=0o644)
            writer.directory("tmp", mode=0o1777)
        oci_archive.write(folder / ARCHIVE, image, [layer], ImageConfig(entrypoint=(f"/{name}",)))


def _read(root: Path, name: str) -> str:
    with tarfile.open(root) as tar:
        member = tar.extractfile(name)
        assert member is not None, f"{name} is a file in every Debian"  # noqa: S101
        return member.read().decode()
