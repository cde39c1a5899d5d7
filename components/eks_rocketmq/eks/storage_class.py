"""The StorageClass whose volumes the brokers claim."""

from typing import NotRequired, TypedDict

import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, Input, Output, ResourceOptions, RunError

from eks_rocketmq.component import checked, child_options, type_token
from eks_rocketmq.documentation import documented
from eks_rocketmq.eks import volume_class
from eks_rocketmq.eks.asking import answered, call
from eks_rocketmq.eks.identifiers import key_arn
from eks_rocketmq.eks.preflight import refuse_existing_class
from eks_rocketmq.preflight import ownership_tags
from eks_rocketmq.shape import hold
from eks_rocketmq.validation import dns_subdomain

EBS_CSI_PROVISIONER = "ebs.csi.aws.com"
EBS_PROVISIONERS = (EBS_CSI_PROVISIONER, "kubernetes.io/aws-ebs")
"""Provisioners whose claims the EBS CSI driver serves: its own, and the in-tree one that Kubernetes hands to it."""
AUTO_MODE_PROVISIONER = "ebs.csi.eks.amazonaws.com"
"""Provisioner of EKS Auto Mode: https://docs.aws.amazon.com/eks/latest/userguide/create-storage-class.html"""

ZONE_AWARE = "WaitForFirstConsumer"
_AUTO_MODE_LABEL = "eks.amazonaws.com/compute-type"


class EbsStorageClassArgs(TypedDict):
    """Which class, and what it is to be like."""

    class_name: str
    """Name of the class: one that the cluster has, such as the `gp2` that EKS makes, or with `create` a new one, such
    as `rocketmq-gp3`. Changing it replaces a class that was created, and makes new claims use another one; claims that
    exist keep theirs."""
    create: NotRequired[bool]
    """Create the class; default: False, adopt the one that the cluster has. A name that EKS uses itself is refused."""
    allow_volume_expansion: NotRequired[bool]
    """Let claims of the class grow; default: True with `create`, otherwise not touched (EKS's own `gp2` does not allow
    it)."""
    default: NotRequired[bool]
    """Make it the class of claims that name none, or take that from it; default: not touched, a new class is none."""
    default_instead_of: NotRequired[str]
    """Name of the class that is the default one now, which ceases to be it; default: none. With two default classes
    Kubernetes takes the newer. It stays so when the stack is destroyed."""
    volume_type: NotRequired[str]
    """`gp3` (default), `gp2`, `io1` or `io2`; with `create`. Changing it replaces the class, which cannot change: it is
    deleted first; volumes and claims that exist are not touched."""
    encrypted: NotRequired[bool]
    """Encrypt the volumes; default: True; with `create`. Changing it replaces the class."""
    kms_key_id: NotRequired[Input[str]]
    """ARN of the key, not of an alias; default: the account's own `aws/ebs`; with `create`. The driver needs it in
    `kms_key_arns` of `EbsCsiAddon`. Changing it replaces the class."""
    iops: NotRequired[int]
    """IOPS of each volume: gp3 3000 (default) to 80000, io1 100 to 64000 and io2 100 to 256000 (needed); with `create`.
    A claim needs a GiB for each 500 IOPS of gp3 (3000 come with any size), each 50 of io1, each 1000 of io2, and 4 GiB
    of io1 and io2 in any case: a smaller one gets fewer IOPS than asked for, or stays Pending. Changing them
    replaces the class."""
    throughput: NotRequired[int]
    """MiB/s of each gp3 volume, 125 (default) to 2000, a quarter of the IOPS at most; with `create`. Above 750 a claim
    needs a GiB for each 125, as for their IOPS: a smaller one stays Pending. Changing it replaces the class."""
    file_system: NotRequired[str]
    """`ext4` (default) or `xfs`; with `create`. Changing it replaces the class."""
    reclaim_policy: NotRequired[str]
    """`Retain` (default): a volume outlives its claim until you delete it. `Delete`: it goes with the claim,
    and the messages with it. With `create`. Changing it replaces the class; volumes that exist keep theirs."""
    mount_options: NotRequired[list[str]]
    """Options of the mount, such as `noatime`; default: none; with `create`. A change is for new volumes."""
    tags: NotRequired[dict[str, str]]
    """Tags of each volume; the driver fills in `{{ .PVCNamespace }}`, `{{ .PVCName }}` and `{{ .PVName }}`; default:
    none; with `create`. Changing them replaces the class."""
    auto_mode: NotRequired[bool]
    """The driver of the class. True: that of EKS Auto Mode, whose volumes attach to its own nodes only. False: the EBS
    CSI driver. With `create` the new class is for that driver (default: False). Without it a class of the other driver
    is refused (default: both are accepted). Changing it replaces a class that was created."""
    kubeconfig: NotRequired[Input[str]]
    """Kubeconfig of the cluster, to see at preview that no class of this name exists that another made; default: the
    names that EKS uses are all that is checked. With `create`."""


@documented
class EbsStorageClass(ComponentResource):
    """The StorageClass of EBS volumes that follow their pods: one that the cluster has, or a new one.

    Adopted, the class belongs to the cluster: it is read and checked at preview, and only what is asked for is patched.
    Managing it whole would delete it with the stack; a patch gives back its field and leaves the class. A class of
    another driver, or one that binds before the zone of a pod is known, is refused with a RunError.

    Created, it is encrypted, keeps its volumes, and binds when a pod is scheduled. A name that another class has,
    figures that EBS does not accept, and arguments that an adopted class cannot be given are refused with a ValueError
    at preview.
    """

    name: Output[str]
    """Name of the class, once it has been checked."""
    provisioner: Output[str]
    """Provisioner of the class."""

    def __init__(self, name: str, args: EbsStorageClassArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("EbsStorageClass"), name, {}, opts)
        hold(args, EbsStorageClassArgs)
        dns_subdomain(args["class_name"], "class_name")
        if args.get("create", False):
            created = self._create(name, args)
            self.name, self.provisioner = created.metadata.name, created.provisioner
        else:
            checked = self._adopt(name, args)
            self.name = checked.apply(lambda known: known[0])
            self.provisioner = checked.apply(lambda known: known[1])
        if "default_instead_of" in args:
            self._patch(f"{name}-former-default", args["default_instead_of"], default=False)
        self.register_outputs({"name": self.name, "provisioner": self.provisioner})

    def _adopt(self, name: str, args: EbsStorageClassArgs) -> Output[tuple[str, str]]:
        volume_class.check_adoption({**args})
        found = kubernetes.storage.v1.StorageClass.get(f"{name}-class", args["class_name"], opts=child_options(self))
        if "allow_volume_expansion" in args:
            kubernetes.storage.v1.StorageClassPatch(
                f"{name}-expansion",
                metadata={"name": args["class_name"]},
                allow_volume_expansion=args["allow_volume_expansion"],
                opts=child_options(self),
            )
        if "default" in args:
            self._patch(f"{name}-default", args["class_name"], default=args["default"])
        read = answered(
            Output.all(provisioner=found.provisioner, binding_mode=found.volume_binding_mode),
            call("kubernetes:storage.k8s.io/v1:StorageClass.get", id=args["class_name"]),
            "provisioner",
        )
        checked: Output[tuple[str, str]] = read.apply(
            lambda known: check_class(args["class_name"], **known, auto_mode=args.get("auto_mode"))
        )
        return checked

    def _create(self, name: str, args: EbsStorageClassArgs) -> kubernetes.storage.v1.StorageClass:
        volume_class.check_new_name(args["class_name"])
        parameters: dict[str, Input[str]] = {**volume_class.parameters({**args})}
        if "kms_key_id" in args:
            parameters["kmsKeyId"] = checked(args["kms_key_id"], key_arn, "kms_key_id")
        auto_mode = args.get("auto_mode", False)
        default = {volume_class.DEFAULT_CLASS: "true"} if args.get("default", False) else {}
        return kubernetes.storage.v1.StorageClass(
            f"{name}-new-class",
            metadata={"name": args["class_name"], "annotations": {**ownership_tags(), **default}},
            provisioner=AUTO_MODE_PROVISIONER if auto_mode else EBS_CSI_PROVISIONER,
            parameters=parameters,
            allowed_topologies=[{"match_label_expressions": [{"key": _AUTO_MODE_LABEL, "values": ["auto"]}]}]
            if auto_mode
            else None,
            reclaim_policy=volume_class.reclaim_policy({**args}),
            volume_binding_mode=ZONE_AWARE,
            allow_volume_expansion=args.get("allow_volume_expansion", True),
            mount_options=args.get("mount_options"),
            opts=child_options(
                self,
                # The name is fixed, and a class cannot change: the new one has no room beside the old.
                delete_before_replace=True,
                # The provider would update it, which the API server forbids.
                replace_on_changes=["reclaimPolicy"],
                hooks=refuse_existing_class(f"{name}-new-class", args.get("kubeconfig")),
            ),
        )

    def _patch(self, name: str, class_name: str, *, default: bool) -> None:
        kubernetes.storage.v1.StorageClassPatch(
            name,
            metadata={
                "name": class_name,
                "annotations": {
                    volume_class.DEFAULT_CLASS: "true" if default else "false",
                    # EKS, or whoever made the class, holds this field.
                    "pulumi.com/patchForce": "true",
                },
            },
            opts=child_options(self),
        )


def check_class(
    name: str, provisioner: str, binding_mode: str | None, auto_mode: bool | None = None
) -> tuple[str, str]:
    """Name and provisioner of a class whose volumes can follow the pods.

    Args:
        name: of the class.
        provisioner: of the class.
        binding_mode: of the class.
        auto_mode: whether the driver of EKS Auto Mode must serve it; None: either driver.

    Raises:
        RunError: when another driver serves the class, or it binds before the scheduler knows the zone.
    """
    served = {None: (*EBS_PROVISIONERS, AUTO_MODE_PROVISIONER), True: (AUTO_MODE_PROVISIONER,), False: EBS_PROVISIONERS}
    if provisioner not in served[auto_mode]:
        msg = (
            f"StorageClass {name!r} has the provisioner {provisioner!r}, which {_server(provisioner)} serves; accepted "
            f"here: {', '.join(served[auto_mode])}. Name another class, or choose the driver that serves this one "
            "(auto_mode True or False; `ebsCsiDriver: auto-mode`, or one of the others)"
        )
        raise RunError(msg)
    if binding_mode != ZONE_AWARE:
        msg = (
            f"StorageClass {name!r} binds with {binding_mode or 'Immediate'}; accepted is {ZONE_AWARE}: an EBS volume "
            "lives in one zone and must be made where its pod can run. Name another class"
        )
        raise RunError(msg)
    return name, provisioner


def _server(provisioner: str) -> str:
    if provisioner in EBS_PROVISIONERS:
        return "the EBS CSI driver"
    return "EKS Auto Mode" if provisioner == AUTO_MODE_PROVISIONER else "another driver"
