"""Checks at preview that another kind of driver does not make the update delete the addon of the stack."""

from collections.abc import Callable
from typing import Any

from pulumi import ComponentResource

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage
from eks_rocketmq.args.kubernetes_names import EBS_CSI
from eks_rocketmq.eks.account.aws_create_checks import reject_managed_resource
from eks_rocketmq.eks.account.provider_functions import is_missing, try_function
from eks_rocketmq.pulumi_sdk.component import warn
from eks_rocketmq.pulumi_sdk.sdk_internals import runs_under_mocks

AddonLookup = tuple[Callable[[], Any], str]
"""Function that looks up the addon, and its call as errors show it."""


def reject_self_managed(component: ComponentResource, cluster: str, look_up: AddonLookup) -> None:
    """Reject `self_managed` in a cluster with the addon.

    Raise ValueError if EKS manages the driver. If this stack manages the addon, the update would delete it.
    """
    argument = ARGS / "self_managed"
    # Mocks have the addon that `existing` reads.
    found = None if runs_under_mocks() else _find_addon(component, cluster, look_up, argument)
    if found is None:
        return
    addon = _describe_addon(cluster)
    release = f"To keep the driver without EKS, run `{_format_deletion(cluster)} --preserve` first"
    reject_managed_resource(addon, found.tags, "the addon", release, argument)
    raise ArgumentError(
        argument,
        "self-managed-addon",
        "EKS manages the driver as {addon}, and overwrites the role that this stack gives it",
        remedy="Set {existing} to true instead. {release}",
        addon=addon,
        existing=ARGS / "existing",
        release=release,
    )


def reject_auto_mode(component: ComponentResource, cluster: str, look_up: AddonLookup) -> None:
    """Reject `auto_mode` if this stack manages the addon. A cluster can have both drivers."""
    argument = ARGS / "auto_mode"
    if found := _find_addon(component, cluster, look_up, argument):
        release = f"If no volume needs the addon, run `{_format_deletion(cluster)}` first"
        reject_managed_resource(_describe_addon(cluster), found.tags, "addon, role and policies", release, argument)


def _describe_addon(cluster: str) -> str:
    return f"addon {EBS_CSI} of cluster {cluster!r}"


def _format_deletion(cluster: str) -> str:
    return f"aws eks delete-addon --cluster-name {cluster} --addon-name {EBS_CSI}"


def _find_addon(component: ComponentResource, cluster: str, look_up: AddonLookup, argument: ArgumentPath) -> Any:  # noqa: ANN401 - a type of the provider
    """Return the addon; None if the cluster has none, or if it cannot be read, with a warning about `argument`."""
    found = try_function(*look_up)
    if not isinstance(found, Exception):
        return found
    if not is_missing(found):
        warn(
            ArgumentMessage(
                argument,
                "addon-not-read",
                "it is not known whether cluster {cluster!r} has the addon {addon} ({error})",
                remedy="Allow eks:DescribeAddon. If this stack manages the addon, `pulumi up` deletes it",
                values={"cluster": cluster, "addon": EBS_CSI, "error": " ".join(str(found).split())},
            ),
            component,
        )
    return None
