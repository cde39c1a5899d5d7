"""Arguments of the StorageClass."""

from typing import Annotated, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing

VolumeType = Annotated[Literal["gp2", "gp3", "io1", "io2"], Enumeration("VolumeType")]
FileSystem = Annotated[Literal["ext4", "xfs"], Enumeration("FileSystem")]
ReclaimPolicy = Annotated[Literal["Delete", "Retain"], Enumeration("ReclaimPolicy")]


class EbsStorageClassArgs(TypedDict):
    """Arguments of an `EbsStorageClass`."""

    class_name: Replacing[str]
    """Name of an existing class, such as EKS's `gp2`, or with `create` of a new class, such as `rocketmq-gp3`. Changing
    it replaces a class that the stack created. New claims then use the other class, and existing claims keep theirs."""
    create: NotRequired[bool]
    """Create the class. Names that EKS uses are rejected. Default: False, use the existing class of the cluster."""
    allow_volume_expansion: NotRequired[bool]
    """Allow the expansion of the class's volumes. Default: True with `create`, otherwise unchanged. EKS's `gp2` does
    not allow it."""
    default: NotRequired[bool]
    """Make the class the default class of the cluster, or with False not the default. Default: unchanged; a new class
    is not the default."""
    default_instead_of: NotRequired[str]
    """Name of the current default class, which then is no longer the default. Default: none. With two default classes,
    Kubernetes uses the newer one. Destroying the stack does not revert this."""
    volume_type: NotRequired[Replacing[VolumeType]]
    """EBS volume type: `gp3` (default), `gp2`, `io1` or `io2`; with `create`. Changing it replaces the class: Pulumi
    deletes the old one first, because parameters are immutable. Existing volumes and claims stay unchanged."""
    encrypted: NotRequired[Replacing[bool]]
    """Encrypt the volumes; with `create`. Default: True. Changing it replaces the class."""
    kms_key_id: NotRequired[Replacing[Input[str]]]
    """ARN of the KMS key, not of an alias; with `create`. Default: the account's key `aws/ebs`. The driver also needs
    the key in `kms_key_arns` of `EbsCsiAddon`, to which a stack file adds it. Changing it replaces the class. Existing
    volumes keep the former key, so add that key to `kms_key_arns`."""
    iops: NotRequired[Replacing[int]]
    """IOPS of each volume; with `create`. gp3: 3000 (default) to 80000. io1: 100 to 64000, required. io2: 100 to
    256000, required. A claim needs 1 GiB per 500 IOPS of gp3, per 50 IOPS of io1, or per 1000 IOPS of io2. gp3 volumes
    of any size get 3000 IOPS. With io1 and io2 a claim needs at least 4 GiB. A smaller claim gets fewer IOPS, or stays
    Pending. Changing them replaces the class."""
    throughput: NotRequired[Replacing[int]]
    """Throughput of each gp3 volume in MiB/s, 125 (default) to 2000; with `create`. It can be at most a quarter of the
    IOPS. Above 750 MiB/s a claim needs 1 GiB per 125 MiB/s, because of the IOPS. A smaller claim stays Pending.
    Changing it replaces the class."""
    file_system: NotRequired[Replacing[FileSystem]]
    """File system of the volumes: `ext4` (default) or `xfs`; with `create`. Changing it replaces the class."""
    reclaim_policy: NotRequired[Replacing[ReclaimPolicy]]
    """Reclaim policy of the volumes, with `create`. `Retain` (default): a volume stays after its claim is deleted,
    until you delete it. `Delete`: the volume and its messages are deleted with the claim. Changing it replaces the
    class. Existing volumes keep their policy."""
    mount_options: NotRequired[list[str]]
    """Mount options, such as `noatime`; with `create`. A change applies to new volumes. Default: none."""
    tags: NotRequired[Replacing[dict[str, str]]]
    """Tags of each volume, with `create`. The driver fills in the variables `{{ .PVCNamespace }}`, `{{ .PVCName }}` and
    `{{ .PVName }}`. Default: none. Changing them replaces the class."""
    auto_mode: NotRequired[Replacing[bool]]
    """Driver of the class. True: EKS Auto Mode, whose volumes attach only to its own nodes. False: the EBS CSI driver.
    Default with `create`: False. Default without it: both are accepted; a value rejects a class of the other driver.
    Changing it replaces a class that the stack created."""
    kubeconfig: NotRequired[Input[str]]
    """Kubeconfig of the cluster, with `create`. With it, the preview checks that no other client created a class of
    this name. Default: none, only the names that EKS uses are rejected."""
