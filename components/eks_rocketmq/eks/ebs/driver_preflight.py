"""Checks at preview: no EBS CSI driver runs that EKS does not manage, and the driver keeps its volumes and KMS keys."""

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pulumi
from pulumi import ComponentResource, Input, Output, ResourceHookArgs, ResourceHookBinding

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.kubernetes_names import CLUSTER_NAME_TAG_FROM, EBS_DRIVER, POD_IDENTITY_AGENT
from eks_rocketmq.eks.account.aws_create_checks import create_session_factory
from eks_rocketmq.eks.ebs.ebs_csi_policy import allows_volume, get_required_tags
from eks_rocketmq.eks.ebs.self_managed_driver import NAMESPACE, DriverNames
from eks_rocketmq.lookups.check_hooks import create_check_hooks
from eks_rocketmq.lookups.create_checks import create_existence_hook
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.kubernetes_provider import resolve_kubeconfig
from eks_rocketmq.lookups.volume_tags import read_volume_tags
from eks_rocketmq.pulumi_sdk.component import spell_argument

_SHOWN_VOLUMES = 5

_TWO_DRIVERS = (
    "the cluster has the driver of EKS Auto Mode as well, so two drivers run in it: claims of a class with the "
    "provisioner ebs.csi.eks.amazonaws.com are served by Auto Mode, on its nodes only; those of ebs.csi.aws.com and "
    "kubernetes.io/aws-ebs by the addon, on all other nodes"
)


def reject_unmanaged_driver(name: str, kubeconfig: Input[str] | None) -> ResourceHookBinding | None:
    """Return a hook that rejects the create of the addon if the cluster has a driver that EKS does not manage.

    EKS would install the addon over the existing objects, whose selectors are immutable.

    The hook of the resource `name` is `<name>-driver-preflight`. The check is skipped if `kubeconfig` is missing or
    unknown.
    """
    if kubeconfig is None:
        return None

    def find(provider: Mapping[str, str]) -> ExistingResource | None:
        from eks_rocketmq.eks.ebs.driver_lookup import find_controller, has_auto_mode  # noqa: PLC0415 - loads the client

        if has_auto_mode(provider):
            pulumi.log.warn(_TWO_DRIVERS)
        return find_controller(provider)

    async def find_driver(_: ResourceHookArgs) -> ExistingResource | None:
        provider = await resolve_kubeconfig(kubeconfig)
        return await asyncio.to_thread(find, provider) if provider else None

    return create_existence_hook(
        f"{name}-driver", find_driver, lambda args, found: _format_error(args.new_inputs or {}, found.id)
    )


def warn_about_missing_agent(name: str, kubeconfig: Input[str] | None) -> ResourceHookBinding | None:
    """Return a hook before the create of the addon that warns if the cluster has no agent of EKS Pod Identity.

    The update may install the agent too, so it is no error. The hook of the resource `name` is `<name>-agent`. The
    check is skipped if `kubeconfig` is missing or unknown.
    """
    if kubeconfig is None:
        return None

    def warn(provider: Mapping[str, str]) -> None:
        from eks_rocketmq.eks.ebs.driver_lookup import has_agent  # noqa: PLC0415 - loads the client

        if not has_agent(provider):
            pulumi.log.warn(
                f"the cluster has no agent of EKS Pod Identity (DaemonSet {NAMESPACE}/{POD_IDENTITY_AGENT}). Without "
                "it, the EBS CSI driver gets no credentials, and `pulumi up` waits 20 minutes for its addon and fails. "
                f"Install addon {POD_IDENTITY_AGENT} before or with this one, or set "
                f"{spell_argument(ARGS / 'identity')} to 'irsa'"
            )

    async def check(_: ResourceHookArgs) -> None:
        if provider := await resolve_kubeconfig(kubeconfig):
            await asyncio.to_thread(warn, provider)

    question = "whether the cluster has the agent of EKS Pod Identity"
    return ResourceHookBinding(before_create=create_check_hooks(f"{name}-agent", question, check))


def _format_error(inputs: Mapping[str, Any], found: str) -> str:
    return (
        f"An EBS CSI driver runs in cluster {inputs.get('clusterName')!r} as Deployment {found!r}, and EKS does not "
        "manage it. The addon would be installed over its objects. Choose one:\n"
        f"  self-managed   keep it and give it this stack's role: set {spell_argument(ARGS / 'self_managed')}\n"
        "  create         uninstall it with the tool that installed it, and run again: volumes stay, and none is\n"
        "                 created or attached until the addon is ACTIVE\n"
        f"  existing       install the addon yourself, then set {spell_argument(ARGS / 'existing')} to true"
    )


def reject_key_removal(name: str) -> ResourceHookBinding:
    """Return a hook before the update of the policy with the KMS keys of the driver that rejects the removal of a key.

    Without keys there is no policy, and a hook before its deletion would make `pulumi destroy` fail. So the removal of
    the last key is not rejected.

    `name` is the name of the policy's resource. The hook is `<name>-removal`.
    """

    async def check(args: ResourceHookArgs) -> None:
        policies = Output.all(*((inputs or {})["policy"] for inputs in (args.old_inputs, args.new_inputs)))
        known = await policies.future()
        # A key of the same update is unknown at preview. The check before the update itself knows it.
        if known is not None:
            validate_keys(*map(_list_keys, known), secret=await policies.is_secret())

    question = "whether the driver keeps the KMS keys of its volumes"
    return ResourceHookBinding(before_update=create_check_hooks(f"{name}-removal", question, check))


def validate_keys(before: Collection[str], after: Collection[str], *, secret: bool = False) -> None:
    """Reject the removal of KMS keys, which volumes may have.

    `before` and `after` are the ARNs of the present and of the planned keys. If `secret` is true, the error names no
    key.
    """
    if removed := sorted({*before} - {*after}):
        raise ArgumentError(
            ARGS / "kms_key_arns",
            "key-removal",
            "the driver would no longer be allowed to use {removed}. It could not attach a volume that is encrypted "
            "with it, so a pod with such a volume would not start on another node",
            remedy="Add it to the list. To remove it, follow docs/how-to/limit-the-driver-permissions.md",
            removed="[secret]" if secret else ", ".join(removed),
        )


def reject_missing_tags(
    component: ComponentResource,
    permissions: str,
    cluster: Input[str],
    kubeconfig: Input[str] | None,
    driver: DriverNames | None,
) -> Callable[[str], ResourceHookBinding | None]:
    """Return a function for the hooks before the create of the driver's policy that check the tags which it requires.

    The hooks reject volumes without the tags, and a driver that does not set them on new volumes. The PersistentVolumes
    tell which volumes belong to the cluster. Volumes that others created have no tag of it.

    Args:
        component: parent of the role. Its AWS provider determines the account.
        permissions: argument that selects the policy.
        cluster: name of the cluster.
        kubeconfig: kubeconfig of the cluster. Nothing is checked if it is missing or unknown.
        driver: names of the driver; None for a driver that the update changes.
    """
    if kubeconfig is None or not get_required_tags(permissions, ""):
        return lambda _: None
    create_session = create_session_factory(component)

    async def resolve() -> list[str] | None:
        known_inputs: Output[list[str]] = Output.all(cluster, kubeconfig)
        return await known_inputs.future()

    async def check_volumes(_: ResourceHookArgs) -> None:
        if (known := await resolve()) and (volumes := await asyncio.to_thread(_list_volume_ids, known[1])):
            tags = await asyncio.to_thread(read_volume_tags, await create_session(), volumes)
            validate_volume_tags(permissions, known[0], tags)

    async def check_driver(_: ResourceHookArgs) -> None:
        if driver is not None and (known := await resolve()):
            await asyncio.to_thread(_check_driver, permissions, *known, driver)

    tags = f"the tags that the {permissions!r} permissions require"
    return lambda name: ResourceHookBinding(
        before_create=[
            *create_check_hooks(
                f"{name}-volume-tags", f"whether the volumes of the cluster have {tags}", check_volumes
            ),
            *create_check_hooks(f"{name}-driver-tags", f"whether the driver sets {tags}", check_driver),
        ]
    )


def _check_driver(permissions: str, cluster: str, kubeconfig: str, driver: DriverNames) -> None:
    from eks_rocketmq.eks.ebs.driver_lookup import find_volume_tags  # noqa: PLC0415 - loads the client

    if found := find_volume_tags({"kubeconfig": kubeconfig}, driver):
        validate_driver_tags(permissions, cluster, found.deployment, found.tags)


def _list_volume_ids(kubeconfig: str) -> list[str]:
    from eks_rocketmq.lookups.kubernetes_objects import list_volumes  # noqa: PLC0415 - loads the client

    # The ID of an in-tree volume may be `aws://<zone>/<id>`.
    return [
        volume.volume_id.rpartition("/")[2]
        for volume in list_volumes({"kubeconfig": kubeconfig})
        if volume.driver == EBS_DRIVER
    ]


def validate_volume_tags(permissions: str, cluster: str, volumes: Mapping[str, Mapping[str, str]]) -> None:
    """Reject permissions that do not allow the driver all volumes of its cluster.

    `volumes` are the tags of the volumes by ID. Raise ArgumentError if a volume lacks a tag.
    """
    refused = sorted(id_ for id_, tags in volumes.items() if not allows_volume(permissions, cluster, tags))
    if not refused:
        return
    required, shown = get_required_tags(permissions, cluster), refused[:_SHOWN_VOLUMES]
    rest = len(refused) - len(shown)
    raise ArgumentError(
        ARGS / "permissions",
        "volumes-without-tags",
        "with {given!r}, the driver could not attach {count} of the {total} volumes of cluster {cluster!r}, which lack "
        "a tag: {volumes}. A pod with such a volume would not start on another node",
        accepted="volumes with the tags {tags}",
        remedy="Run `aws ec2 create-tags --resources {ids} --tags {pairs}`, or keep the former value until you have "
        "tagged them",
        given=permissions,
        count=len(refused),
        total=len(volumes),
        cluster=cluster,
        volumes=", ".join(shown) + (f" and {rest} others" if rest else ""),
        tags=", ".join(f"{key} = {value}" for key, value in required.items()),
        ids=" ".join([*shown, *(["…"] if rest else [])]),
        pairs=" ".join(f"Key={key},Value={value}" for key, value in required.items()),
    )


def validate_driver_tags(permissions: str, cluster: str, deployment: str, tags: Mapping[str, str]) -> None:
    """Reject permissions that require tags which the driver does not set on new volumes.

    `deployment` is that of the driver, and `tags` are those that it sets. Raise ArgumentError if one is missing.
    """
    if allows_volume(permissions, cluster, tags):
        return
    missing = get_required_tags(permissions, cluster).items() - tags.items()
    raise ArgumentError(
        ARGS / "permissions",
        "driver-without-tags",
        "with {given!r}, the driver could not create volumes, because Deployment {deployment!r} does not set the tags "
        "{missing}",
        accepted="a driver with the argument --k8s-tag-cluster-id={cluster}"
        + ", of version {version} or newer" * (permissions == "cluster_scoped"),
        remedy="With the Helm chart, set controller.k8sTagClusterId to {cluster!r}. With the EKS addon, set "
        "{addon_version}. Or set {permissions} to 'legacy' or 'v2'",
        given=permissions,
        cluster=cluster,
        deployment=deployment,
        missing=", ".join(f"{key} = {value}" for key, value in sorted(missing)),
        version=".".join(map(str, CLUSTER_NAME_TAG_FROM)),
        addon_version=ARGS / "addon_version",
        permissions=ARGS / "permissions",
    )


def _list_keys(policy: str) -> set[str]:
    statements = json.loads(policy)["Statement"]
    return {key for statement in statements for key in statement["Resource"] if ":key/" in key}
