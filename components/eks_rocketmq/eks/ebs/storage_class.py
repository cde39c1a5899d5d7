"""StorageClass for the volumes of the brokers."""

import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, Input, Output, ResourceHookBinding, ResourceOptions, RunError

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.aws_identifiers import parse_kms_key_arn
from eks_rocketmq.args.validation import validate_dns_subdomain
from eks_rocketmq.eks.account.provider_functions import format_call, require_output_fields
from eks_rocketmq.eks.ebs import storage_class_plan
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.lookups.create_checks import OWNER_TAG, get_ownership_tags, reject_existing_object
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.pulumi_sdk.component import child_options, type_token, validate_input
from eks_rocketmq.pulumi_sdk.documentation import documented

EBS_CSI_PROVISIONER = "ebs.csi.aws.com"
EBS_PROVISIONERS = (EBS_CSI_PROVISIONER, "kubernetes.io/aws-ebs")
"""Provisioners that the EBS CSI driver serves: its own, and the in-tree one by CSI migration."""
AUTO_MODE_PROVISIONER = "ebs.csi.eks.amazonaws.com"
"""Provisioner of EKS Auto Mode: https://docs.aws.amazon.com/eks/latest/userguide/create-storage-class.html"""

BINDING_MODE = "WaitForFirstConsumer"
_AUTO_MODE_LABEL = "eks.amazonaws.com/compute-type"


@documented
class EbsStorageClass(ComponentResource):
    """A StorageClass for EBS volumes in the zones of their pods, existing or new.

    An adopted class is read and checked at preview, and the component patches only the given fields. Destroying the
    stack releases these fields and does not delete the class. A RunError rejects a class of another driver, and one
    that binds volumes before the zone of the pod is known.

    A created class encrypts its volumes, retains them, and binds them when a pod is scheduled. A ValueError at preview
    rejects the name of an existing class, values that EBS does not accept, and arguments that are not valid for an
    adopted class.
    """

    name: Output[str]
    """Name of the class, after its check."""
    provisioner: Output[str]
    """Provisioner of the class."""

    def __init__(self, name: str, args: EbsStorageClassArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("EbsStorageClass"), name, {}, opts)
        validate_args(args, EbsStorageClassArgs)
        validate_dns_subdomain(args["class_name"], "class_name")
        if args.get("create", False):
            created = self._create_class(name, args)
            self.name, self.provisioner = created.metadata.name, created.provisioner
        else:
            checked = self._adopt_class(name, args)
            self.name = checked.apply(lambda known: known[0])
            self.provisioner = checked.apply(lambda known: known[1])
        if "default_instead_of" in args:
            self._patch_default(f"{name}-former-default", args["default_instead_of"], default=False)
        self.register_outputs({"name": self.name, "provisioner": self.provisioner})

    def _adopt_class(self, name: str, args: EbsStorageClassArgs) -> Output[tuple[str, str]]:
        storage_class_plan.check_adoption({**args})
        found = kubernetes.storage.v1.StorageClass.get(f"{name}-class", args["class_name"], opts=child_options(self))
        if "allow_volume_expansion" in args:
            kubernetes.storage.v1.StorageClassPatch(
                f"{name}-expansion",
                metadata={"name": args["class_name"]},
                allow_volume_expansion=args["allow_volume_expansion"],
                opts=child_options(self),
            )
        if "default" in args:
            self._patch_default(f"{name}-default", args["class_name"], default=args["default"])
        read = require_output_fields(
            Output.all(provisioner=found.provisioner, binding_mode=found.volume_binding_mode),
            format_call("kubernetes:storage.k8s.io/v1:StorageClass.get", id=args["class_name"]),
            "provisioner",
        )
        checked: Output[tuple[str, str]] = read.apply(
            lambda known: check_storage_class(args["class_name"], **known, auto_mode=args.get("auto_mode"))
        )
        return checked

    def _create_class(self, name: str, args: EbsStorageClassArgs) -> kubernetes.storage.v1.StorageClass:
        storage_class_plan.check_new_name(args["class_name"])
        parameters: dict[str, Input[str]] = {**storage_class_plan.build_parameters({**args})}
        if "kms_key_id" in args:
            parameters["kmsKeyId"] = validate_input(args["kms_key_id"], parse_kms_key_arn, "kms_key_id")
        auto_mode = args.get("auto_mode", False)
        default = {storage_class_plan.DEFAULT_CLASS: "true"} if args.get("default", False) else {}
        return kubernetes.storage.v1.StorageClass(
            f"{name}-new-class",
            metadata={"name": args["class_name"], "annotations": {**get_ownership_tags(), **default}},
            provisioner=AUTO_MODE_PROVISIONER if auto_mode else EBS_CSI_PROVISIONER,
            parameters=parameters,
            allowed_topologies=[{"match_label_expressions": [{"key": _AUTO_MODE_LABEL, "values": ["auto"]}]}]
            if auto_mode
            else None,
            reclaim_policy=storage_class_plan.get_reclaim_policy({**args}),
            volume_binding_mode=BINDING_MODE,
            allow_volume_expansion=args.get("allow_volume_expansion", True),
            mount_options=args.get("mount_options"),
            opts=child_options(
                self,
                # The parameters are immutable and the name is fixed, so the old class must be deleted first.
                delete_before_replace=True,
                # The provider would update the field, which the API server rejects.
                replace_on_changes=["reclaimPolicy"],
                hooks=_reject_existing_class(f"{name}-new-class", args.get("kubeconfig")),
            ),
        )

    def _patch_default(self, name: str, class_name: str, *, default: bool) -> None:
        kubernetes.storage.v1.StorageClassPatch(
            name,
            metadata={
                "name": class_name,
                "annotations": {
                    storage_class_plan.DEFAULT_CLASS: "true" if default else "false",
                    # EKS or another client owns this field.
                    "pulumi.com/patchForce": "true",
                },
            },
            opts=child_options(self),
        )


def check_storage_class(
    name: str, provisioner: str, binding_mode: str | None, auto_mode: bool | None = None
) -> tuple[str, str]:
    """Return name and provisioner of a class that creates volumes in the zones of their pods.

    Args:
        name: name of the class.
        provisioner: provisioner of the class.
        binding_mode: volume binding mode of the class.
        auto_mode: whether the driver of EKS Auto Mode must serve the class; None: either driver.

    Raises:
        RunError: if another driver serves the class, or it binds volumes before the scheduler selects the zone.
    """
    accepted = {
        None: (*EBS_PROVISIONERS, AUTO_MODE_PROVISIONER),
        True: (AUTO_MODE_PROVISIONER,),
        False: EBS_PROVISIONERS,
    }
    if provisioner not in accepted[auto_mode]:
        msg = (
            f"StorageClass {name!r} has the provisioner {provisioner!r}, which {_describe_driver(provisioner)} serves; "
            f"accepted here: {', '.join(accepted[auto_mode])}. Name another class, or choose the driver that serves "
            "this one (auto_mode True or False; `ebsCsiDriver: auto-mode`, or one of the others)"
        )
        raise RunError(msg)
    if binding_mode != BINDING_MODE:
        msg = (
            f"StorageClass {name!r} binds with {binding_mode or 'Immediate'}; accepted is {BINDING_MODE}: an EBS "
            "volume lives in one zone and must be made where its pod can run. Name another class"
        )
        raise RunError(msg)
    return name, provisioner


def _describe_driver(provisioner: str) -> str:
    if provisioner in EBS_PROVISIONERS:
        return "the EBS CSI driver"
    return "EKS Auto Mode" if provisioner == AUTO_MODE_PROVISIONER else "another driver"


def _reject_existing_class(name: str, kubeconfig: Input[str] | None) -> ResourceHookBinding | None:
    """Return a hook that rejects the create of a StorageClass that already exists in the cluster.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        kubeconfig: kubeconfig of the cluster. The check is skipped if it is missing or unknown.
    """
    return reject_existing_object(
        name, kubeconfig, lambda _, found: storage_class_plan.format_name_conflict(found.id, _describe_owner(found))
    )


def _describe_owner(found: ExistingResource) -> str:
    owner = found.tags.get(OWNER_TAG)
    return f"which belongs to stack {owner!r}" if owner else "which this stack has not made"
