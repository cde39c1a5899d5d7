"""The StorageClass whose volumes the brokers claim."""

from typing import NotRequired, TypedDict

import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, Output, ResourceOptions, RunError

from eks_rocketmq.component import child_options, type_token

EBS_PROVISIONERS = ("ebs.csi.aws.com", "kubernetes.io/aws-ebs")
"""Provisioners whose claims the EBS CSI driver serves: its own, and the in-tree one that Kubernetes hands to it."""

ZONE_AWARE = "WaitForFirstConsumer"


class EbsStorageClassArgs(TypedDict):
    """Which class, and what this stack changes in it."""

    class_name: str
    """Name of a class that the cluster has, such as the `gp2` that EKS makes. Changing it makes new claims use another
    class; claims that exist keep theirs."""
    allow_volume_expansion: NotRequired[bool]
    """Let claims of the class grow; default: not touched (EKS's own `gp2` does not allow it)."""


class EbsStorageClass(ComponentResource):
    """Adopts a StorageClass that the cluster has: reads and checks it at preview, and patches only what is asked for.

    The class belongs to the cluster. Creating one of the same name fails, and managing it whole would delete it with
    the stack; a patch gives back the one field and leaves the class. A class of another driver, or one that
    binds before the zone of a pod is known, is refused with a RunError.
    """

    name: Output[str]
    """Name of the class, once it has been checked."""
    provisioner: Output[str]
    """Provisioner of the class."""

    def __init__(self, name: str, args: EbsStorageClassArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("EbsStorageClass"), name, {}, opts)
        found = kubernetes.storage.v1.StorageClass.get(f"{name}-class", args["class_name"], opts=child_options(self))
        if "allow_volume_expansion" in args:
            kubernetes.storage.v1.StorageClassPatch(
                f"{name}-expansion",
                metadata={"name": args["class_name"]},
                allow_volume_expansion=args["allow_volume_expansion"],
                opts=child_options(self),
            )
        checked: Output[tuple[str, str]] = Output.all(found.provisioner, found.volume_binding_mode).apply(
            lambda known: check_class(args["class_name"], known[0], known[1])
        )
        self.name = checked.apply(lambda known: known[0])
        self.provisioner = checked.apply(lambda known: known[1])
        self.register_outputs({"name": self.name, "provisioner": self.provisioner})


def check_class(name: str, provisioner: str, binding_mode: str | None) -> tuple[str, str]:
    """Name and provisioner of a class whose volumes can follow the pods.

    Raises:
        RunError: when another driver serves the class, or it binds before the scheduler knows the zone.
    """
    if provisioner not in EBS_PROVISIONERS:
        msg = (
            f"StorageClass {name!r} has the provisioner {provisioner!r}; accepted are "
            f"{' and '.join(EBS_PROVISIONERS)}, which the EBS CSI driver serves: name another class"
        )
        raise RunError(msg)
    if binding_mode != ZONE_AWARE:
        msg = (
            f"StorageClass {name!r} binds with {binding_mode or 'Immediate'}; accepted is {ZONE_AWARE}: an EBS volume "
            "lives in one zone and must be made where its pod can run. Name another class"
        )
        raise RunError(msg)
    return name, provisioner
