"""StorageClass for the volumes of the brokers."""

from typing import Any

import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, Input, Output, ResourceHookBinding, ResourceOptions

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_kms_key_arn
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.kubernetes_names import AUTO_MODE_DRIVER, EBS_DRIVER, EBS_DRIVERS
from eks_rocketmq.args.planned_args import get_plan
from eks_rocketmq.eks.account.provider_functions import format_call, require_output_fields
from eks_rocketmq.eks.ebs import storage_class_plan
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.lookups.create_checks import OWNER_TAG, get_ownership_tags, reject_existing_object
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.kubernetes_provider import resolve_kubeconfig
from eks_rocketmq.pulumi_sdk.component import (
    apply_redacted,
    child_options,
    collect_outputs,
    spell_error,
    type_token,
    validate_optional_input,
)
from eks_rocketmq.pulumi_sdk.documentation import documented

BINDING_MODE = "WaitForFirstConsumer"
_AUTO_MODE_LABEL = "eks.amazonaws.com/compute-type"


@documented
class EbsStorageClass(ComponentResource):
    """A StorageClass for EBS volumes in the zones of their pods, existing or new.

    An existing class is read and checked at preview, and the component patches only the given fields. Destroying the
    stack releases these fields and does not delete the class. A RunError rejects a class of another driver, and
    one that binds volumes before the zone of the pod is known.

    A created class encrypts its volumes, retains them, and binds them when a pod is scheduled. A ValueError at preview
    rejects the name of an existing class, values that EBS does not accept, and arguments that are not valid for an
    existing class. An invalid value of an output raises a RunError as soon as the value is known.
    """

    name: Output[str]
    """Name of the class, after its check."""
    provisioner: Output[str]
    """Provisioner of the class."""

    def __init__(self, name: str, args: EbsStorageClassArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("EbsStorageClass"), name, {}, opts)
        validate_args(args, EbsStorageClassArgs)
        plan = get_plan(args, storage_class_plan.plan_storage_class)
        if args.get("create", False):
            created = self._create_class(name, args, plan)
            self.name, self.provisioner = created.metadata.name, created.provisioner
        else:
            checked = self._adopt_class(name, args)
            self.name = checked.apply(lambda known: known[0])
            self.provisioner = checked.apply(lambda known: known[1])
        if "default_instead_of" in args:
            self._patch_default(f"{name}-former-default", args["default_instead_of"], default=False)
        self.register_outputs(collect_outputs(self, EbsStorageClass))

    def _adopt_class(self, name: str, args: EbsStorageClassArgs) -> Output[tuple[str, str]]:
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
        return apply_redacted(
            read,
            lambda known: check_storage_class(args["class_name"], **known, auto_mode=args.get("auto_mode")),
            ARGS / "class_name",
            Any,
        )

    def _create_class(
        self, name: str, args: EbsStorageClassArgs, plan: storage_class_plan.StorageClassPlan
    ) -> kubernetes.storage.v1.StorageClass:
        parameters: dict[str, Input[str]] = {**plan.parameters}
        key = validate_optional_input(args, "kms_key_id", parse_kms_key_arn)
        if key is not None:
            parameters["kmsKeyId"] = key
        auto_mode = args.get("auto_mode", False)
        default = {storage_class_plan.DEFAULT_CLASS: "true"} if args.get("default", False) else {}
        return kubernetes.storage.v1.StorageClass(
            f"{name}-new-class",
            metadata={"name": args["class_name"], "annotations": {**get_ownership_tags(), **default}},
            provisioner=AUTO_MODE_DRIVER if auto_mode else EBS_DRIVER,
            parameters=parameters,
            allowed_topologies=[{"match_label_expressions": [{"key": _AUTO_MODE_LABEL, "values": ["auto"]}]}]
            if auto_mode
            else None,
            reclaim_policy=plan.reclaim_policy,
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

    `auto_mode` tells whether the driver of EKS Auto Mode must serve the class. None accepts either driver. Raise
    ValueError if another driver serves the class, or it binds volumes before the scheduler selects the zone.
    """
    accepted = {
        None: (*EBS_DRIVERS, AUTO_MODE_DRIVER),
        True: (AUTO_MODE_DRIVER,),
        False: EBS_DRIVERS,
    }
    if provisioner not in accepted[auto_mode]:
        raise ArgumentError(
            ARGS / "class_name",
            "class-of-another-driver",
            "StorageClass {given!r} has the provisioner {provisioner!r} of {driver}",
            accepted="a class with the provisioner {provisioners}",
            remedy="Name another class, or choose the driver of this class ({auto_mode})",
            given=name,
            provisioner=provisioner,
            driver=_describe_driver(provisioner),
            provisioners=" or ".join(map(repr, accepted[auto_mode])),
            auto_mode=ARGS / "auto_mode",
        )
    if binding_mode != BINDING_MODE:
        raise ArgumentError(
            ARGS / "class_name",
            "class-binding-mode",
            "StorageClass {given!r} has the binding mode {mode!r}, which creates a volume before the zone of its pod "
            "is known",
            accepted="a class with the mode {accepted_mode!r}",
            remedy="Name another class",
            given=name,
            mode=binding_mode or "Immediate",
            accepted_mode=BINDING_MODE,
        )
    return name, provisioner


def _describe_driver(provisioner: str) -> str:
    if provisioner in EBS_DRIVERS:
        return "the EBS CSI driver"
    return "EKS Auto Mode" if provisioner == AUTO_MODE_DRIVER else "another driver"


def _reject_existing_class(name: str, kubeconfig: Input[str] | None) -> ResourceHookBinding | None:
    """Return a hook that rejects the create of a StorageClass that already exists in the cluster.

    The hook of the resource `name` is `<name>-preflight`. The check is skipped if `kubeconfig` is missing or unknown.
    """
    if kubeconfig is None:
        return None
    return reject_existing_object(
        name,
        lambda: resolve_kubeconfig(kubeconfig),
        lambda _, found: spell_error(storage_class_plan.build_name_conflict(found.id, _describe_owner(found))),
    )


def _describe_owner(found: ExistingResource) -> str:
    owner = found.tags.get(OWNER_TAG)
    return f"which belongs to stack {owner!r}" if owner else "which this stack did not create"
