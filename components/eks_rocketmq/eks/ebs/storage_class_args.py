"""Arguments of the StorageClass."""

from typing import Annotated, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing

VolumeType = Annotated[Literal["gp2", "gp3", "io1", "io2"], Enumeration("VolumeType")]
FileSystem = Annotated[Literal["ext4", "xfs"], Enumeration("FileSystem")]
ReclaimPolicy = Annotated[Literal["Delete", "Retain"], Enumeration("ReclaimPolicy")]


class EbsStorageClassArgs(TypedDict):
    """Which class, and what it is to be like."""

    class_name: Replacing[str]
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
    volume_type: NotRequired[Replacing[VolumeType]]
    """`gp3` (default), `gp2`, `io1` or `io2`; with `create`. Changing it replaces the class, which cannot change: it is
    deleted first; volumes and claims that exist are not touched."""
    encrypted: NotRequired[Replacing[bool]]
    """Encrypt the volumes; default: True; with `create`. Changing it replaces the class."""
    kms_key_id: NotRequired[Replacing[Input[str]]]
    """ARN of the key, not of an alias; default: the account's own `aws/ebs`; with `create`. The driver needs it in
    `kms_key_arns` of `EbsCsiAddon`. Changing it replaces the class."""
    iops: NotRequired[Replacing[int]]
    """IOPS of each volume: gp3 3000 (default) to 80000, io1 100 to 64000 and io2 100 to 256000 (needed); with `create`.
    A claim needs a GiB for each 500 IOPS of gp3 (3000 come with any size), each 50 of io1, each 1000 of io2, and 4 GiB
    of io1 and io2 in any case: a smaller one gets fewer IOPS than asked for, or stays Pending. Changing them
    replaces the class."""
    throughput: NotRequired[Replacing[int]]
    """MiB/s of each gp3 volume, 125 (default) to 2000, a quarter of the IOPS at most; with `create`. Above 750 a claim
    needs a GiB for each 125, as for their IOPS: a smaller one stays Pending. Changing it replaces the class."""
    file_system: NotRequired[Replacing[FileSystem]]
    """`ext4` (default) or `xfs`; with `create`. Changing it replaces the class."""
    reclaim_policy: NotRequired[Replacing[ReclaimPolicy]]
    """`Retain` (default): a volume outlives its claim until you delete it. `Delete`: it goes with the claim,
    and the messages with it. With `create`. Changing it replaces the class; volumes that exist keep theirs."""
    mount_options: NotRequired[list[str]]
    """Options of the mount, such as `noatime`; default: none; with `create`. A change is for new volumes."""
    tags: NotRequired[Replacing[dict[str, str]]]
    """Tags of each volume; the driver fills in `{{ .PVCNamespace }}`, `{{ .PVCName }}` and `{{ .PVName }}`; default:
    none; with `create`. Changing them replaces the class."""
    auto_mode: NotRequired[Replacing[bool]]
    """The driver of the class. True: that of EKS Auto Mode, whose volumes attach to its own nodes only. False: the EBS
    CSI driver. With `create` the new class is for that driver (default: False). Without it a class of the other driver
    is refused (default: both are accepted). Changing it replaces a class that was created."""
    kubeconfig: NotRequired[Input[str]]
    """Kubeconfig of the cluster, to see at preview that no class of this name exists that another made; default: the
    names that EKS uses are all that is checked. With `create`."""
