"""Settings of a stack, read from its configuration and validated before anything is planned."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import pulumi

from eks_rocketmq.args.arg_schema import convert_from_camel_case
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector, raise_all
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.cluster.existing_cluster_args import ExistingEksClusterArgs
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.eks.iam.oidc_provider_args import ClusterOidcProviderArgs
from eks_rocketmq.eks.network.load_balancer import NetworkLoadBalancerArgs
from eks_rocketmq.lookups.aws_session import get_assumed_role
from eks_rocketmq.pulumi_sdk.sdk_internals import get_config_values, get_project_directory, is_config_secret
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack import cross_checks, secret_checks, stack_file, stack_yaml
from eks_rocketmq.stack.arn_checks import check_arns
from eks_rocketmq.stack.component_settings import (
    AwsSettings,
    grant_key,
    read_cluster,
    read_ebs_csi,
    read_new_cluster,
    read_oidc,
    read_rocketmq,
    read_storage,
)
from eks_rocketmq.stack.error_report import report_errors
from eks_rocketmq.stack.image_checks import check_images
from eks_rocketmq.stack.missing_objects import list_missing_objects
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.new_cluster_checks import check_new_cluster
from eks_rocketmq.stack.stack_keys import find_new_key, parse_values
from eks_rocketmq.stack.stack_paths import (
    ADDONS,
    CLUSTER,
    NETWORK,
    NODE_GROUPS,
    STACK_FILE,
)

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Settings:
    """Arguments of the components of one stack. The program adds what only the cluster knows."""

    cluster: ExistingEksClusterArgs | NewCluster
    oidc: ClusterOidcProviderArgs
    ebs_csi: EbsCsiAddonArgs
    storage: EbsStorageClassArgs
    rocketmq: RocketMqArgs


_OWN_IDENTITY = ("assumeRoleWithWebIdentity", "accessKey")
"""Settings that give the AWS provider an identity other than that of the environment."""


def load() -> Settings:
    """Return the settings of the running stack.

    Raise RunError for all keys and arguments that are not accepted, in the order of the stack file. It shows nothing
    that is encrypted.
    """
    project, root = pulumi.get_project(), get_project_directory()
    prefix = f"{project}:"
    given = {key.removeprefix(prefix): text for key, text in get_config_values().items() if key.startswith(prefix)}
    encrypted = {key for key in given if is_config_secret(f"{prefix}{key}")}
    file, written = f"Pulumi.{pulumi.get_stack()}.yaml", stack_yaml.StackFile()
    errors = ErrorCollector()
    try:
        written = stack_yaml.read(root / file)
        stack_file.check_locations(written, project)
        errors.attempt(stack_file.check_keys, get_config_values(), project)
        errors.attempt(stack_file.check_guard, get_config_values(), written)
        secrets = ErrorCollector()
        nodes = {key: written.find(f"{prefix}{key}") for key in encrypted}
        secrets.attempt(secret_checks.check_encrypted, given, encrypted, nodes)
        secrets.attempt(
            secret_checks.check_token_settings,
            given,
            roles_encrypted=is_config_secret("aws:assumeRoles"),
            profile_encrypted=is_config_secret("aws:profile"),
        )
        if secrets:
            # Other errors could show an encrypted value.
            errors.add_all(secrets)
            errors.raise_errors()
        settings = errors.attempt(parse, given, _read_aws_settings(), encrypted)
        errors.raise_errors()
    except ValueError as error:
        raise pulumi.RunError(report_errors(error, file, written, project)) from None
    settings = cast("Settings", settings)
    if warning := cross_checks.warn_about_key(settings.ebs_csi, settings.storage):
        pulumi.log.warn(warning.render(STACK_FILE))
    return settings


def _read_aws_settings() -> AwsSettings:
    aws = pulumi.Config("aws")

    def get(key: str) -> str | None:
        # Errors would show encrypted values.
        return None if is_config_secret(f"aws:{key}") else aws.get(key)

    return AwsSettings(
        profile=get("profile"),
        region=get("region"),
        account=stack_file.find_single_account(get("allowedAccountIds")),
        assumed_role=get_assumed_role({"assumeRoles": get("assumeRoles")}),
        # Only its name is shown, so it may be encrypted.
        own_identity=next((f"aws:{key}" for key in _OWN_IDENTITY if aws.get(key)), ""),
    )


def parse(
    given: Mapping[str, str],
    aws: AwsSettings = AwsSettings(),  # noqa: B008 - immutable
    encrypted: Collection[str] = (),
) -> Settings:
    """Return the settings from the texts of the configuration. Pure, without encrypted passwords.

    `given` has JSON by key without namespace. `encrypted` are the keys that are encrypted as a whole or in part. Raise
    ValueError for each key and argument that is not accepted.
    """
    errors = ErrorCollector()
    values = parse_values(given, errors)

    def read(reader: Callable[..., _Result], key: str, *args: Any) -> _Result | None:  # noqa: ANN401 - see the readers
        return errors.attempt(reader, values[key], *args) if key in values else None

    cluster: Any = read(read_cluster, "cluster", aws)
    name = cluster["cluster_name"] if cluster else "cluster"
    storage = read(read_storage, "storage", values.get("ebsCsi", {}))
    ebs_csi = read(read_ebs_csi, "ebsCsi", name)
    oidc = read(read_oidc, "oidc")
    rocketmq = read(read_rocketmq, "rocketmq", values, encrypted)
    # The parts are read too if the errors of the cluster hide whether it is new.
    new, placeholder = None, cast("EksClusterArgs", {"cluster_name": name})
    if not cluster or "version" in cluster:
        new = errors.attempt(read_new_cluster, values, cluster or placeholder)
    else:
        errors.attempt(_reject_parts_of_new_cluster, values)
    network = new.network if new else None
    if rocketmq:
        errors.attempt(cross_checks.check_namespace, rocketmq)
        errors.attempt(cross_checks.check_zones, rocketmq, aws.region, network)
        errors.attempt(check_images, network, rocketmq, aws.region)
    if rocketmq and storage:
        errors.attempt(cross_checks.check_class, storage, rocketmq)
    if oidc and ebs_csi and storage and cluster and "version" in cluster:
        errors.attempt(cross_checks.check_existing, oidc, ebs_csi, storage)
    parts = {"ebs_csi": ebs_csi, "storage": storage, "rocketmq": rocketmq, "cluster": cluster}
    parts |= _list_parts_of_new_cluster(new) if new else {}
    parts |= _list_parts_of_external(rocketmq, values) if rocketmq and "networkLoadBalancer" in values else {}
    errors.attempt(check_arns, parts, aws.region, aws.account)
    if new and cluster and ebs_csi and storage and rocketmq:
        new = _check_new_cluster(errors, new, ebs_csi, storage, rocketmq, values.get("networkLoadBalancer"), aws)
    _raise_settings_errors(errors, given)
    assert cluster and oidc and ebs_csi and storage and rocketmq, "without an error all of them are valid"  # noqa: PT018, S101
    return Settings(new or cluster, oidc, grant_key(ebs_csi, storage), storage, rocketmq)


def _raise_settings_errors(errors: ErrorCollector, given: Mapping[str, str]) -> None:
    """Raise the errors. A required argument is not reported as missing while the file has former keys."""
    shown = ErrorCollector()
    converted = not any(map(find_new_key, given))
    shown.add_all(each for each in errors if converted or not isinstance(each, ArgumentError) or each.code != "missing")
    shown.raise_errors()


def _list_parts_of_new_cluster(new: NewCluster) -> dict[str, Any]:
    """Return the arguments of the components as the file has them: node groups by name, all addons in one list."""
    groups = {name.removeprefix("nodes-"): args for name, args in new.node_groups.items()}
    addons = [*new.before_nodes.get("addons", []), *new.after_nodes.get("addons", [])]
    return {"network": new.network, "node_groups": groups, "addons": {**new.before_nodes, "addons": addons}}


def _list_parts_of_external(rocketmq: RocketMqArgs, values: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the load balancer and RocketMQ as the file has them, without the annotations of the load balancer."""
    converted = ErrorCollector()
    external = convert_from_camel_case(values["rocketmq"].get("external", {}), ExternalArgs, ARGS, converted)
    balancer = convert_from_camel_case(values["networkLoadBalancer"], NetworkLoadBalancerArgs, ARGS, converted)
    return {"network_load_balancer": balancer, "rocketmq": {**rocketmq, "external": external}}


def _check_new_cluster(  # noqa: PLR0913, PLR0917 - all components
    errors: ErrorCollector,
    new: NewCluster,
    ebs_csi: EbsCsiAddonArgs,
    storage: EbsStorageClassArgs,
    rocketmq: RocketMqArgs,
    balancer: Mapping[str, Any] | None,
    aws: AwsSettings,
) -> NewCluster:
    """Check whether the components fit a new cluster. Return it with the objects that its create would lack."""
    errors.attempt(cross_checks.check_balancer, balancer or {})
    unschedulable = errors.attempt(check_new_cluster, new, ebs_csi, rocketmq, aws.region)
    missing = list_missing_objects(rocketmq, storage["class_name"], balancer, unschedulable)
    return replace(new, missing_objects=missing)


@raise_all
def _reject_parts_of_new_cluster(values: Mapping[str, dict[str, Any]]) -> Iterator[ArgumentError]:
    for key, path in {"network": NETWORK, "addons": ADDONS, "nodeGroups": NODE_GROUPS}.items():
        if values.get(key):
            yield ArgumentError(
                path,
                "part-of-new-cluster",
                "the stack uses an existing cluster",
                remedy="Leave the key out, or set {version} to create a cluster",
                version=CLUSTER / "version",
            )
