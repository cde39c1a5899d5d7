"""StorageClasses: adopting a class of EKS, and creating a new class."""

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
from sandbox.aws.refusal import RefusedError
from tests.unit.harness import Fakes, Recording, run
from tests.unit.harness.fakes import gp2_class
from tests.unit.harness.rejections import rejects
from tests.unit.harness.upgrade import difference

TYPE = "kubernetes:storage.k8s.io/v1:StorageClass"


def program(args: Any) -> Callable[[], None]:
    def register() -> None:
        storage = EbsStorageClass("storage", args)
        pulumi.export("name", storage.name)
        pulumi.export("provisioner", storage.provisioner)

    return register


def fake_class(**changed: Any) -> Fakes:
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


def test_the_class_is_read_and_its_name_is_known_at_preview(recording: Recording) -> None:
    assert list(recording.reads.values()) == ["gp2"]
    assert recording.outputs == {"name": "gp2", "provisioner": "kubernetes.io/aws-ebs"}


def test_a_class_without_changes_is_only_read() -> None:
    recording = run(program({"class_name": "gp2"}))
    assert recording.inventory() == {"eks-rocketmq:index:EbsStorageClass": 1}
    assert list(recording.reads.values()) == ["gp2"]


def test_the_provisioner_of_the_ebs_csi_driver_is_accepted() -> None:
    recording = run(program({"class_name": "gp3"}), fakes=fake_class(provisioner="ebs.csi.aws.com"))
    assert recording.outputs == {"name": "gp3", "provisioner": "ebs.csi.aws.com"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"provisioner": "efs.csi.aws.com"}, "class-of-another-driver"),
        ({"volumeBindingMode": "Immediate"}, "class-binding-mode"),
    ],
)
def test_a_class_with_another_provisioner_or_binding_mode_is_rejected(changed: dict[str, str], code: str) -> None:
    with rejects(("class_name", code)):
        run(program({"class_name": "gp2"}), preview=True, fakes=fake_class(**changed))


def test_a_missing_class_fails_the_preview() -> None:
    def absent(_: str) -> dict[str, Any]:
        message = "resource 'gp2' does not exist"
        raise LookupError(message)

    with pytest.raises(Exception, match="'gp2' does not exist"):
        run(program({"class_name": "gp2"}), preview=True, fakes=Fakes().reading(TYPE, absent))


def test_an_adopted_class_can_replace_the_default_class() -> None:
    recording = run(program({"class_name": "gp3", "default": True, "default_instead_of": "gp2"}), fakes=fake_class())
    assert recording.inventory() == {"eks-rocketmq:index:EbsStorageClass": 1, f"{TYPE}Patch": 2}
    patches = {r.name: r.inputs["metadata"] for r in recording.by_type("StorageClassPatch")}
    forced = {"pulumi.com/patchForce": "true"}
    assert patches == {
        "storage-default": {"name": "gp3", "annotations": {DEFAULT_CLASS: "true", **forced}},
        "storage-former-default": {"name": "gp2", "annotations": {DEFAULT_CLASS: "false", **forced}},
    }


CREATED: EbsStorageClassArgs = {"class_name": "rocketmq-gp3", "create": True}
STACK_ANNOTATIONS = {"eks-rocketmq/stack": "eks-rocketmq/test"}


@pytest.mark.parametrize("preview", [True, False])
def test_a_created_class_defaults_to_encryption_retain_and_late_binding(preview: bool) -> None:
    recording = run(program(CREATED), preview=preview)
    assert recording.inventory() == {"eks-rocketmq:index:EbsStorageClass": 1, TYPE: 1}
    assert recording.reads == {}
    created = recording.one("StorageClass")
    assert created.inputs == {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "rocketmq-gp3", "annotations": STACK_ANNOTATIONS},
        "provisioner": "ebs.csi.aws.com",
        "parameters": {"type": "gp3", "encrypted": "true", "csi.storage.k8s.io/fstype": "ext4"},
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
    assert recording.parent(created) == recording.one("EbsStorageClass")
    assert created.delete_before_replace, "the name is fixed, and a class is immutable"
    assert created.replace_on_changes == ("reclaimPolicy",), "the API server rejects an update of this field"
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
def test_volume_arguments_become_parameters_of_the_driver(given: dict[str, Any], parameters: dict[str, str]) -> None:
    defaults = {"type": "gp3", "encrypted": "true", "csi.storage.k8s.io/fstype": "ext4"}
    created = run(program({**CREATED, **given}), preview=True).one("StorageClass")
    assert created.inputs["parameters"] == defaults | parameters


def test_the_other_arguments_are_passed_to_a_created_class() -> None:
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
    assert inputs["metadata"]["annotations"] == {**STACK_ANNOTATIONS, DEFAULT_CLASS: "true"}


IMMUTABLE_FIELDS = ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode")
"""Fields that the API server does not allow to change. Source: ValidateStorageClassUpdate of Kubernetes."""


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
def test_only_immutable_fields_replace_a_class_and_delete_it_first(given: dict[str, Any], paths: list[str]) -> None:
    before, after = (run(program({**CREATED, **changed})).one("StorageClass") for changed in ({}, given))
    found = difference(TYPE, "storage-new-class", before.inputs, after.inputs)
    assert sorted(found.changes) == paths
    # The engine combines the provider's answer with the options of the resource in the same way.
    replaced = any(change.replaces or path in after.replace_on_changes for path, change in found.changes.items())
    assert replaced is paths[0].startswith((*IMMUTABLE_FIELDS, "metadata.name"))
    assert after.delete_before_replace, "two classes cannot have the same name"


@pytest.mark.parametrize("name", ["gp2", "ebs-csi-default-sc"])
def test_a_class_name_of_eks_is_rejected(name: str) -> None:
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
        ({"tags": {"kubernetes.io/x": "y"}}, "tags['kubernetes.io/x']", "tag-key"),
        ({"tags": {"team": "{{ .Foo }}"}}, "tags['team']", "tag-template"),
    ],
)
def test_invalid_class_arguments_are_rejected_at_preview(given: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        run(program({**CREATED, **given}), preview=True)


def is_valid_volume(kind: str, size: int, iops: int | None) -> bool:
    """Return whether EC2 accepts a volume of this size with these IOPS."""
    try:
        volume_rules.check_size(kind, size)
        volume_rules.performance(kind, size, iops, None)
    except RefusedError:
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
def test_the_minimum_size_is_the_smallest_volume_that_ec2_accepts(given: dict[str, Any], size: int) -> None:
    assert build_parameters(given)
    assert compute_min_size(given) == size
    kind, iops = given.get("volume_type", "gp3"), given.get("iops")
    assert is_valid_volume(kind, size, iops)
    assert not is_valid_volume(kind, size - 1, iops)


def test_an_adopted_class_rejects_arguments_of_a_new_class() -> None:
    with rejects(("encrypted", "immutable-in-existing-class"), ("volume_type", "immutable-in-existing-class")):
        run(program({"class_name": "gp2", "encrypted": True, "volume_type": "gp3"}), preview=True)


def test_every_argument_outside_adoption_args_is_rejected_for_an_adopted_class() -> None:
    for argument in EbsStorageClassArgs.__annotations__:
        if argument not in ADOPTION_ARGS:
            with rejects((argument, "immutable-in-existing-class")):
                check_adoption({"class_name": "gp2", argument: None})


def call_create_hook(
    existing: ExistingResource | Exception | None, monkeypatch: pytest.MonkeyPatch, **args: Any
) -> list[str]:
    """Call the create hook of a new class as the engine does, and return the kubeconfigs of the lookups."""
    kubeconfigs: list[str] = []

    def find_object(provider: dict[str, str], inputs: dict[str, Any]) -> ExistingResource | None:
        kubeconfigs.append(provider["kubeconfig"])
        assert (inputs["kind"], inputs["metadata"]["name"]) == ("StorageClass", "rocketmq-gp3")
        if isinstance(existing, Exception):
            raise existing
        return existing

    monkeypatch.setattr(kubernetes_objects, "find_object", find_object)
    recording = run(program({**CREATED, **args}), preview=True)
    created = recording.one("StorageClass")
    for name in created.before_create:
        hook = pulumi.ResourceHookArgs(urn="u", id="", name="n", type=TYPE, new_inputs=dict(created.inputs))
        asyncio.run(recording.hooks[name](hook))
    return kubeconfigs


def test_an_existing_class_outside_of_the_stack_is_rejected_before_the_create(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="StorageClass 'rocketmq-gp3', which this stack did not create"):
        call_create_hook(ExistingResource("rocketmq-gp3", {"team": "x"}), monkeypatch, kubeconfig="config")


@pytest.mark.parametrize(
    "found", [None, ExistingResource("rocketmq-gp3", STACK_ANNOTATIONS), ConnectionError("no route")]
)
def test_create_is_allowed_without_a_conflicting_class_or_an_answer(
    found: ExistingResource | Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call_create_hook(found, monkeypatch, kubeconfig="config") == ["config"]


def test_the_class_is_not_looked_up_without_a_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call_create_hook(None, monkeypatch) == []
