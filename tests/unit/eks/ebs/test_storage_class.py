"""The class that EKS made is adopted: read, checked, patched in one field, never created. Or a new one is made."""

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from kubernetes_validate import validate

from eks_rocketmq import EbsStorageClass, EbsStorageClassArgs
from eks_rocketmq.eks.ebs.storage_class_plan import (
    ADOPTION_ARGS,
    DEFAULT_CLASS,
    build_parameters,
    check_adoption,
    compute_min_size,
)
from eks_rocketmq.lookups import kubernetes_objects
from eks_rocketmq.lookups.existing_resource import ExistingResource
from sandbox.aws import volume_rules
from tests.unit.harness import Fakes, Recording, run
from tests.unit.harness.fakes import gp2_class
from tests.unit.harness.rejections import rejects
from tests.unit.harness.upgrade import difference

TYPE = "kubernetes:storage.k8s.io/v1:StorageClass"


def program(args: Any) -> Callable[[], None]:
    def make() -> None:
        storage = EbsStorageClass("storage", args)
        pulumi.export("name", storage.name)
        pulumi.export("provisioner", storage.provisioner)

    return make


def having(**changed: Any) -> Fakes:
    return Fakes().reading(TYPE, lambda id_: {**gp2_class(id_), **changed})


@pytest.fixture(params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(program({"class_name": "gp2", "allow_volume_expansion": True}), preview=request.param)


def test_one_field_is_patched_and_nothing_is_created(recording: Recording) -> None:
    assert recording.inventory() == {"eks-rocketmq:index:EbsStorageClass": 1, f"{TYPE}Patch": 1}
    patch = recording.one("StorageClassPatch")
    assert patch.inputs == {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp2"},
        "allowVolumeExpansion": True,
    }
    assert recording.parent(patch) == recording.one("EbsStorageClass")


def test_the_class_is_read_and_its_name_known_at_preview(recording: Recording) -> None:
    assert list(recording.reads.values()) == ["gp2"]
    assert recording.outputs == {"name": "gp2", "provisioner": "kubernetes.io/aws-ebs"}


def test_a_class_is_only_read_when_nothing_is_to_be_changed() -> None:
    recording = run(program({"class_name": "gp2"}))
    assert recording.inventory() == {"eks-rocketmq:index:EbsStorageClass": 1}
    assert list(recording.reads.values()) == ["gp2"]


def test_the_drivers_own_provisioner_is_accepted() -> None:
    recording = run(program({"class_name": "gp3"}), fakes=having(provisioner="ebs.csi.aws.com"))
    assert recording.outputs == {"name": "gp3", "provisioner": "ebs.csi.aws.com"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"provisioner": "efs.csi.aws.com"}, "class-of-another-driver"),
        ({"volumeBindingMode": "Immediate"}, "class-binding-mode"),
    ],
)
def test_a_class_whose_volumes_cannot_follow_the_pods_is_refused_at_preview(changed: dict[str, str], code: str) -> None:
    with rejects(("class_name", code)):
        run(program({"class_name": "gp2"}), preview=True, fakes=having(**changed))


def test_a_class_that_the_cluster_does_not_have_stops_the_preview() -> None:
    def absent(_: str) -> dict[str, Any]:
        message = "resource 'gp2' does not exist"
        raise LookupError(message)

    with pytest.raises(Exception, match="'gp2' does not exist"):
        run(program({"class_name": "gp2"}), preview=True, fakes=Fakes().reading(TYPE, absent))


def test_an_adopted_class_can_be_made_the_default_in_place_of_another() -> None:
    recording = run(program({"class_name": "gp3", "default": True, "default_instead_of": "gp2"}), fakes=having())
    assert recording.inventory() == {"eks-rocketmq:index:EbsStorageClass": 1, f"{TYPE}Patch": 2}
    patches = {r.name: r.inputs["metadata"] for r in recording.by_type("StorageClassPatch")}
    forced = {"pulumi.com/patchForce": "true"}
    assert patches == {
        "storage-default": {"name": "gp3", "annotations": {DEFAULT_CLASS: "true", **forced}},
        "storage-former-default": {"name": "gp2", "annotations": {DEFAULT_CLASS: "false", **forced}},
    }


CREATED: EbsStorageClassArgs = {"class_name": "rocketmq-gp3", "create": True}
MARK = {"eks-rocketmq/stack": "eks-rocketmq/test"}


@pytest.mark.parametrize("preview", [True, False])
def test_a_created_class_is_encrypted_keeps_its_volumes_and_follows_the_pods(preview: bool) -> None:
    recording = run(program(CREATED), preview=preview)
    assert recording.inventory() == {"eks-rocketmq:index:EbsStorageClass": 1, TYPE: 1}
    assert recording.reads == {}
    created = recording.one("StorageClass")
    assert created.inputs == {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "rocketmq-gp3", "annotations": MARK},
        "provisioner": "ebs.csi.aws.com",
        "parameters": {"type": "gp3", "encrypted": "true", "csi.storage.k8s.io/fstype": "ext4"},
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
    assert recording.parent(created) == recording.one("EbsStorageClass")
    assert created.delete_before_replace, "its name is fixed and a class cannot change"
    assert created.replace_on_changes == ("reclaimPolicy",), "the provider would update it, and the API server refuses"
    assert recording.outputs == {"name": "rocketmq-gp3", "provisioner": "ebs.csi.aws.com"}
    validate(dict(created.inputs), "1.35", strict=True)


KEY = "arn:aws:kms:ap-southeast-1:140023393377:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        ({"volume_type": "gp2"}, {"type": "gp2"}),
        ({"iops": 8000.0, "throughput": 2000}, {"iops": "8000", "throughput": "2000"}),
        ({"throughput": 750}, {"throughput": "750"}),
        ({"volume_type": "io2", "iops": 256_000}, {"type": "io2", "iops": "256000"}),
        ({"volume_type": "io1", "iops": 100}, {"type": "io1", "iops": "100"}),
        ({"encrypted": False}, {"encrypted": "false"}),
        ({"kms_key_id": KEY}, {"kmsKeyId": KEY}),
        ({"file_system": "xfs"}, {"csi.storage.k8s.io/fstype": "xfs"}),
        (
            {"tags": {"team": "messaging", "claim": "{{ .PVCName }}"}},
            {"tagSpecification_1": "claim={{ .PVCName }}", "tagSpecification_2": "team=messaging"},
        ),
    ],
)
def test_what_volumes_are_like_stands_in_the_drivers_parameters(
    given: dict[str, Any], parameters: dict[str, str]
) -> None:
    usual = {"type": "gp3", "encrypted": "true", "csi.storage.k8s.io/fstype": "ext4"}
    created = run(program({**CREATED, **given}), preview=True).one("StorageClass")
    assert created.inputs["parameters"] == usual | parameters


def test_the_rest_of_a_created_class() -> None:
    args: EbsStorageClassArgs = {
        **CREATED,
        "reclaim_policy": "Delete",
        "mount_options": ["noatime"],
        "allow_volume_expansion": False,
        "default": True,
    }
    inputs = run(program(args)).one("StorageClass").inputs
    assert (inputs["reclaimPolicy"], inputs["mountOptions"], inputs["allowVolumeExpansion"]) == (
        "Delete",
        ["noatime"],
        False,
    )
    assert inputs["metadata"]["annotations"] == {**MARK, DEFAULT_CLASS: "true"}


FORBIDDEN = ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode")
"""What the API server refuses to change, ValidateStorageClassUpdate of Kubernetes."""


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"reclaim_policy": "Delete"}, ["reclaimPolicy"]),
        ({"volume_type": "gp2"}, ["parameters.type"]),
        ({"encrypted": False}, ["parameters.encrypted"]),
        ({"kms_key_id": KEY}, ["parameters.kmsKeyId"]),
        ({"iops": 4000, "throughput": 250}, ["parameters.iops", "parameters.throughput"]),
        ({"file_system": "xfs"}, ['parameters["csi.storage.k8s.io/fstype"]']),
        ({"tags": {"team": "messaging"}}, ["parameters.tagSpecification_1"]),
        ({"class_name": "other"}, ["metadata.name"]),
        ({"mount_options": ["noatime"]}, ["mountOptions"]),
        ({"allow_volume_expansion": False}, ["allowVolumeExpansion"]),
        ({"default": True}, [f'metadata.annotations["{DEFAULT_CLASS}"]']),
    ],
)
def test_what_cannot_change_in_a_class_replaces_it_the_old_one_first_and_nothing_else_does(
    given: dict[str, Any], paths: list[str]
) -> None:
    before, after = (run(program({**CREATED, **changed})).one("StorageClass") for changed in ({}, given))
    found = difference(TYPE, "storage-new-class", before.inputs, after.inputs)
    assert sorted(found.changes) == paths
    # As the engine joins the provider's answer with the options of the resource.
    replaced = any(change.replaces or path in after.replace_on_changes for path, change in found.changes.items())
    assert replaced is paths[0].startswith((*FORBIDDEN, "metadata.name"))
    assert after.delete_before_replace, "where the name stays, the new class has no room beside the old"


@pytest.mark.parametrize("name", ["gp2", "ebs-csi-default-sc"])
def test_a_name_that_eks_uses_is_refused(name: str) -> None:
    recording = Recording(preview=True)
    with rejects(("class_name", "class-exists")):
        run(program({"class_name": name, "create": True}), preview=True, recording=recording)
    assert recording.inventory() == {"eks-rocketmq:index:EbsStorageClass": 1}


@pytest.mark.parametrize(
    ("given", "path", "code"),
    [
        ({"class_name": "RocketMQ"}, "class_name", "dns-subdomain"),
        ({"volume_type": "gp4"}, "volume_type", "choice"),
        ({"volume_type": "st1"}, "volume_type", "choice"),
        ({"volume_type": "gp2", "iops": 3000}, "iops", "fixed-by-volume-type"),
        ({"volume_type": "io2", "iops": 100, "throughput": 125}, "throughput", "fixed-by-volume-type"),
        ({"volume_type": "io2"}, "iops", "volume-type-requires-iops"),
        ({"iops": 2999}, "iops", "volume-type-range"),
        ({"iops": 80_001}, "iops", "volume-type-range"),
        ({"iops": 3000.5}, "iops", "wrong-type"),
        ({"throughput": 124}, "throughput", "volume-type-range"),
        ({"throughput": 751}, "throughput", "throughput-exceeds-iops"),
        ({"iops": 4000, "throughput": 1001}, "throughput", "throughput-exceeds-iops"),
        ({"file_system": "ext5"}, "file_system", "choice"),
        ({"reclaim_policy": "Recycle"}, "reclaim_policy", "choice"),
        ({"kms_key_id": "1234"}, "kms_key_id", "kms-key-arn"),
        ({"kms_key_id": KEY.replace("key/", "alias/")}, "kms_key_id", "kms-key-arn"),
        ({"kms_key_id": KEY, "encrypted": False}, "kms_key_id", "ignored-argument"),
        ({"tags": {"kubernetes.io/x": "y"}}, "tags", "volume-tag-key"),
    ],
)
def test_a_class_that_ebs_or_kubernetes_would_refuse_is_refused_at_preview(
    given: dict[str, Any], path: str, code: str
) -> None:
    with rejects((path, code)):
        run(program({**CREATED, **given}), preview=True)


def fits(kind: str, size: int, iops: int | None) -> bool:
    """Whether EC2 makes a volume of this size with these IOPS."""
    try:
        volume_rules.check_size(kind, size)
        volume_rules.performance(kind, size, iops, None)
    except volume_rules.VolumeError:
        return False
    return True


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({}, 1),
        ({"volume_type": "gp2"}, 1),
        ({"iops": 3000}, 1),
        ({"iops": 3001.0}, 7),
        ({"iops": 6000}, 12),
        ({"iops": 80_000, "throughput": 2000}, 160),
        ({"volume_type": "io1", "iops": 100}, 4),
        ({"volume_type": "io1", "iops": 1001}, 21),
        ({"volume_type": "io2", "iops": 4000}, 4),
        ({"volume_type": "io2", "iops": 4001}, 5),
    ],
)
def test_the_least_size_is_the_smallest_volume_that_ec2_makes_so(given: dict[str, Any], size: int) -> None:
    assert build_parameters(given)
    assert compute_min_size(given) == size
    kind, iops = given.get("volume_type", "gp3"), given.get("iops")
    assert fits(kind, size, iops)
    assert not fits(kind, size - 1, iops)


def test_an_adopted_class_cannot_be_given_what_only_a_new_one_has() -> None:
    with rejects(("encrypted", "immutable-in-existing-class"), ("volume_type", "immutable-in-existing-class")):
        run(program({"class_name": "gp2", "encrypted": True, "volume_type": "gp3"}), preview=True)


def test_every_argument_is_for_adopting_or_refused_there() -> None:
    for argument in EbsStorageClassArgs.__annotations__:
        if argument not in ADOPTION_ARGS:
            with rejects((argument, "immutable-in-existing-class")):
                check_adoption({"class_name": "gp2", argument: None})


def look_for(found: ExistingResource | Exception | None, monkeypatch: pytest.MonkeyPatch, **args: Any) -> list[str]:
    """Calls the hook of a new class as the engine does; returns the kubeconfigs that were asked."""
    asked: list[str] = []

    def find_object(kubeconfig: str, inputs: dict[str, Any]) -> ExistingResource | None:
        asked.append(kubeconfig)
        assert (inputs["kind"], inputs["metadata"]["name"]) == ("StorageClass", "rocketmq-gp3")
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(kubernetes_objects, "find_object", find_object)
    recording = run(program({**CREATED, **args}), preview=True)
    created = recording.one("StorageClass")
    for name in created.before_create:
        hook = pulumi.ResourceHookArgs(urn="u", id="", name="n", type=TYPE, new_inputs=dict(created.inputs))
        asyncio.run(recording.hooks[name](hook))
    return asked


def test_a_class_that_another_made_is_found_before_the_create(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="StorageClass 'rocketmq-gp3', which this stack did not create"):
        look_for(ExistingResource("rocketmq-gp3", {"team": "x"}), monkeypatch, kubeconfig="config")


@pytest.mark.parametrize("found", [None, ExistingResource("rocketmq-gp3", MARK), ConnectionError("no route")])
def test_a_free_name_the_stacks_own_class_and_a_silent_cluster_stop_nothing(
    found: ExistingResource | Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look_for(found, monkeypatch, kubeconfig="config") == ["config"]


def test_without_a_kubeconfig_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look_for(None, monkeypatch) == []
