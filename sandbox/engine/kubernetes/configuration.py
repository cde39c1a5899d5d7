"""Settings of a provider resource, and the effect of a changed setting on its objects."""

import os
from dataclasses import dataclass

from sandbox.engine.kubernetes import kubeconfig
from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.servicer import Change, Difference, setting, top_level_changes
from sandbox.engine.provider.values import UNKNOWN, JsonObject, plain

_CLUSTER_KEYS = ("kubeconfig", "context", "cluster")
_CLUSTER_IDENTIFIER = "clusterIdentifier"


@dataclass(frozen=True)
class Settings:
    """Settings with defaults and environment variables applied."""

    kubeconfig: object
    context: str
    cluster: str
    namespace: str
    enable_patch_force: bool
    upsert_existing_objects: bool
    enable_config_map_mutable: bool
    enable_secret_mutable: bool
    delete_unreachable: bool
    skip_update_unreachable: bool


def settings(config: JsonObject) -> Settings:
    """Read the settings from the provider's inputs and, where they are missing, from environment variables.

    As in the released provider, an unknown kubeconfig means the default one.
    Raises ProviderError for client-side apply and for rendering to a directory, which the stand-in does not do.
    """
    known = {key: value for key, value in plain(config).items() if value is not UNKNOWN}
    if not _flag(known, "enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", default=True):
        raise ProviderError(
            "enableServerSideApply is false: the sandbox's stand-in always uses server-side apply; leave the setting "
            "out, or use the released plugin of the package 'kubernetes'"
        )
    if known.get("renderYamlToDirectory"):
        raise ProviderError(
            "renderYamlToDirectory is set: the sandbox's stand-in only works on a cluster; leave the setting out, or "
            "use the released plugin of the package 'kubernetes'"
        )
    return Settings(
        kubeconfig=known.get("kubeconfig"),
        context=str(known.get("context") or ""),
        cluster=str(known.get("cluster") or ""),
        namespace=str(known.get("namespace") or ""),
        enable_patch_force=_flag(known, "enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
        upsert_existing_objects=_flag(known, "upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
        enable_config_map_mutable=_flag(known, "enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
        enable_secret_mutable=_flag(known, "enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        delete_unreachable=_flag(known, "deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
        skip_update_unreachable=_flag(known, "skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
    )


def settings_difference(old_config: JsonObject, new_config: JsonObject) -> Difference:
    """Return the difference of two settings. Another cluster replaces the provider and all its objects.

    With an unchanged `clusterIdentifier` the cluster is the same, whatever the kubeconfig. A changed one means another
    cluster. All other settings are updated.
    """
    olds, news = plain(old_config), plain(new_config)
    changes = top_level_changes(olds, news)
    if not changes:
        return Difference()
    replacing: set[str] = set()
    identifier = news.get(_CLUSTER_IDENTIFIER)
    if changes.get(_CLUSTER_IDENTIFIER) is Change.UPDATE:
        replacing.add(_CLUSTER_IDENTIFIER)
    unknown = [key for key in _CLUSTER_KEYS if news.get(key) is UNKNOWN]
    if identifier and _CLUSTER_IDENTIFIER not in changes:
        replacing = set()
    elif unknown:
        replacing.update(unknown)
    elif _active(olds) and _active(news) and _active(olds) != _active(news):
        replacing.update(key for key in _CLUSTER_KEYS if key in changes)
    return Difference({key: change.replacing() if key in replacing else change for key, change in changes.items()})


def _active(config: JsonObject) -> JsonObject | None:
    return kubeconfig.active_cluster(config.get("kubeconfig"), config.get("context"), config.get("cluster"))


def _flag(config: JsonObject, key: str, variable: str, *, default: bool = False) -> bool:
    if key in config:
        return setting(config[key]) is True
    text = os.environ.get(variable)
    return default if text is None else text == "true"
