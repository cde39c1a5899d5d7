"""Cluster code that uses the machine: certificates, cgroups, mounts, images and network namespaces."""

import os
import ssl
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.verification import PolicyBuilder, Store

from sandbox.cluster import cgroups, containerd_images, mounts, netns, node, pki
from sandbox.command import CommandError, run
from sandbox.layout import NODES, SandboxInstance

HYBRID = """\
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
proc /proc proc rw 0 0
"""
UNIFIED = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n"
MOUNTINFO = r"""
27 1 254:0 / / rw - ext4 /dev/vda rw
40 27 254:0 /x /var/lib/eks-rocketmq/unit/nodes/a rw shared:1 - ext4 /dev/vda rw
41 40 0:50 / /var/lib/eks-rocketmq/unit/nodes/a/with\040blank rw shared:2 - tmpfs tmpfs rw
42 27 0:51 / /var/lib/eks-rocketmq/unit2/nodes/a rw shared:3 - tmpfs tmpfs rw
""".strip()


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SandboxInstance:
    monkeypatch.setattr(SandboxInstance, "root", property(lambda _self: tmp_path))
    return SandboxInstance("unit")


def test_certificates_contain_the_addresses_and_the_node_names(instance: SandboxInstance) -> None:
    pki.ensure(instance.pki, pki.certificate_subjects())
    authority = x509.load_pem_x509_certificate((instance.pki / "ca.crt").read_bytes())
    builder = PolicyBuilder().store(Store([authority]))
    server = x509.load_pem_x509_certificate((instance.pki / "apiserver.crt").read_bytes())
    builder.build_server_verifier(x509.DNSName("kubernetes.default.svc")).verify(server, [])
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert {"10.200.0.1", "10.201.0.1", "127.0.0.1"} <= addresses
    kubelet = x509.load_pem_x509_certificate((instance.pki / "kubelet-b.crt").read_bytes())
    assert kubelet.subject.rfc4514_string() == f"CN=system:node:{NODES[1].name},O=system:nodes"


def test_keys_have_mode_600_and_the_service_account_key_is_rsa(instance: SandboxInstance) -> None:
    pki.ensure(instance.pki, pki.certificate_subjects())
    keys = sorted(instance.pki.glob("*.key"))
    assert len(keys) == len(pki.certificate_subjects()) + 2
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    signing = serialization.load_pem_private_key((instance.pki / "service-account.key").read_bytes(), password=None)
    public = serialization.load_pem_public_key((instance.pki / "service-account.pub").read_bytes())
    assert isinstance(signing, rsa.RSAPrivateKey)
    assert signing.public_key() == public


def test_missing_certificates_are_issued_by_the_same_authority_and_others_kept(instance: SandboxInstance) -> None:
    pki.ensure(instance.pki, pki.certificate_subjects())
    before = {path.name: path.read_bytes() for path in instance.pki.iterdir()}
    (instance.pki / "scheduler.crt").unlink()
    pki.ensure(instance.pki, pki.certificate_subjects())
    changed = {path.name for path in instance.pki.iterdir() if path.read_bytes() != before[path.name]}
    assert changed == {"scheduler.crt", "scheduler.key"}
    context = ssl.create_default_context(cafile=str(instance.pki / "ca.crt"))
    context.load_cert_chain(instance.pki / "scheduler.crt", instance.pki / "scheduler.key")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(HYBRID, ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified"], id="v1 and v2"),
        pytest.param(UNIFIED, ["/sys/fs/cgroup"], id="v2"),
    ],
)
def test_every_cgroup_hierarchy_is_found(text: str, expected: list[str]) -> None:
    assert cgroups.trees(text) == [Path(one) for one in expected]


def test_v1_cgroups_inherit_the_cpus_of_the_parent(tmp_path: Path) -> None:
    (tmp_path / "cpuset.cpus").write_text("0-1")
    group = tmp_path / "rmq-unit-a"
    group.mkdir()
    (group / "cpuset.cpus").write_text("")
    cgroups.create("/rmq-unit-a", [tmp_path])
    assert (group / "cpuset.cpus").read_text() == "0-1"


def test_v2_cgroups_enable_controllers_for_their_children(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("memory")
    cgroups.create("/rmq-unit-a", [tmp_path])
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"
    assert (tmp_path / "rmq-unit-a" / cgroups.DAEMONS).is_dir()


def test_cgroup_lists_its_processes_and_is_removed_with_its_children(tmp_path: Path) -> None:
    cgroups.create("/rmq-unit-a", [tmp_path])
    pods = tmp_path / "rmq-unit-a" / "kubepods" / "pod1"
    pods.mkdir(parents=True)
    (pods / "cgroup.procs").write_text("7\n8\n")
    assert cgroups.processes("/rmq-unit-a", [tmp_path]) == {7, 8}
    assert cgroups.any_named("rmq-*", [tmp_path])
    (pods / "cgroup.procs").unlink()
    cgroups.remove("/rmq-unit-a", [tmp_path])
    assert not cgroups.any_named("rmq-*", [tmp_path])
    cgroups.remove("/rmq-unit-a", [tmp_path])


def test_cgroup_that_disappears_while_it_is_listed_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cgroups.create("/rmq-unit-a", [tmp_path])
    (tmp_path / "rmq-unit-a" / "kubepods" / "pod1").mkdir(parents=True)
    scandir = os.scandir

    def scan(path: str) -> Any:
        if Path(path).name == "pod1":
            raise FileNotFoundError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    assert cgroups.processes("/rmq-unit-a", [tmp_path]) == set()
    (tmp_path / "rmq-unit-a" / "kubepods" / "pod1").rmdir()
    cgroups.remove("/rmq-unit-a", [tmp_path])
    assert not cgroups.any_named("rmq-*", [tmp_path])


def test_cgroup_that_cannot_be_removed_raises_an_error(tmp_path: Path) -> None:
    cgroups.create("/rmq-unit-a", [tmp_path])
    (tmp_path / "rmq-unit-a" / "cgroup.procs").write_text("9\n")
    with pytest.raises(TimeoutError, match=r"rmq-unit-a cannot be removed; it still holds \{9\}"):
        cgroups.remove("/rmq-unit-a", [tmp_path], seconds=0.1)


def test_mounts_below_a_folder_are_listed_newest_first() -> None:
    root = Path("/var/lib/eks-rocketmq/unit")
    assert mounts.below(root, MOUNTINFO) == [root / "nodes/a/with blank", root / "nodes/a"]


def test_node_command_mounts_private_folders_over_those_of_the_machine() -> None:
    shell, options, enter, hide, *program = node.node_command(SandboxInstance("unit"), NODES[0], ["program", "--flag"])
    assert (shell, options, program) == ("sh", "-euc", ["program", "--flag"])
    assert "unshare --mount --propagation unchanged" in enter
    own = SandboxInstance("unit").node_root(NODES[0]) / "private"
    expected = [
        line
        for folder in node.PRIVATE_FOLDERS
        for line in (f'mount --make-private "$(stat --format=%m {folder})"', f"mount --bind {own}{folder} {folder}")
    ]
    assert hide.splitlines() == [*expected, 'exec "$@"']


def test_image_blobs_are_linked_and_databases_are_copied(tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    (prepared / "blob").write_text("layer")
    (prepared / "meta.db").write_text("database")
    containerd_images.link_images(prepared, tmp_path / "node" / "root")
    root = tmp_path / "node" / "root"
    assert (root / "blob").stat().st_ino == (prepared / "blob").stat().st_ino
    assert (root / "meta.db").stat().st_ino != (prepared / "meta.db").stat().st_ino
    assert (root / "meta.db").read_text() == "database"


def test_existing_images_of_a_node_are_not_changed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    containerd_images.link_images(tmp_path / "nowhere", root)
    assert list(root.iterdir()) == []


def test_changed_image_changes_the_key(tmp_path: Path) -> None:
    image = tmp_path / "image.tar"
    image.write_text("one")
    before = containerd_images.key([image])
    assert containerd_images.key([image]) == before
    image.write_text("other")
    assert containerd_images.key([image]) != before


def test_missing_network_namespace_raises_an_error_and_keeps_the_current_one() -> None:
    before = Path("/proc/thread-self/ns/net").readlink()
    with pytest.raises(FileNotFoundError), netns.inside("rmq-unit-none"):
        pass
    assert Path("/proc/thread-self/ns/net").readlink() == before
    assert netns.is_listening("rmq-unit-none", "127.0.0.1", 1) is False
    assert netns.processes("rmq-unit-none") == set()


def test_thread_returns_to_its_network_namespace_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered: list[str] = []
    monkeypatch.setattr(netns, "FOLDER", tmp_path)
    monkeypatch.setattr(
        netns, "_enter", lambda descriptor: entered.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
    )
    (tmp_path / "there").touch()
    with pytest.raises(KeyError), netns.inside("there"):
        raise KeyError
    home = Path("/proc/thread-self/ns/net").readlink().name
    assert entered == ["there", home]


def test_processes_of_a_namespace_exclude_this_process_and_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").symlink_to(f"/proc/{os.getpid()}/ns/net")
    monkeypatch.setattr(netns, "FOLDER", tmp_path)
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            found = netns.processes("here")
        finally:
            child.kill()
    assert child.pid in found
    assert not {os.getpid(), os.getppid()} & found


def test_failed_command_reports_the_end_of_its_output() -> None:
    with pytest.raises(CommandError, match=r"`sh -c .*` ended with code 3: line 81\n(.*\n)*line 100$"):
        run(["sh", "-c", "seq --format='line %g' 100 >&2; exit 3"])
