"""The class that EKS made is adopted: read, checked, patched in one field, never created."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from eks_rocketmq import EbsStorageClass, EbsStorageClassArgs
from tests.unit.harness import Fakes, Recording, run
from tests.unit.harness.fakes import gp2_class

TYPE = "kubernetes:storage.k8s.io/v1:StorageClass"


def program(args: EbsStorageClassArgs) -> Callable[[], None]:
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
    ("changed", "message"),
    [
        (
            {"provisioner": "efs.csi.aws.com"},
            "'gp2' has the provisioner 'efs.csi.aws.com'; accepted are ebs.csi.aws.com",
        ),
        ({"volumeBindingMode": "Immediate"}, "'gp2' binds with Immediate; accepted is WaitForFirstConsumer"),
    ],
)
def test_a_class_whose_volumes_cannot_follow_the_pods_is_refused_at_preview(
    changed: dict[str, str], message: str
) -> None:
    with pytest.raises(pulumi.RunError, match=message):
        run(program({"class_name": "gp2"}), preview=True, fakes=having(**changed))


def test_a_class_that_the_cluster_does_not_have_stops_the_preview() -> None:
    def absent(_: str) -> dict[str, Any]:
        message = "resource 'gp2' does not exist"
        raise LookupError(message)

    with pytest.raises(Exception, match="'gp2' does not exist"):
        run(program({"class_name": "gp2"}), preview=True, fakes=Fakes().reading(TYPE, absent))
