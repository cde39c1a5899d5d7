"""Diff of the kubernetes stand-in: fields that replace an object, and server defaults."""

import copy
from typing import Any

import pytest

from sandbox.engine.kubernetes import diff, kinds
from sandbox.engine.kubernetes.configuration import settings, settings_difference
from sandbox.engine.kubernetes.state import Checkpoint
from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.servicer import Change, Difference
from sandbox.engine.provider.values import UNKNOWN, JsonObject

CLAIM = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}
OBJECTS: dict[str, JsonObject] = {
    "apps/v1:StatefulSet": {
        "spec": {
            "replicas": 2,
            "serviceName": "s",
            "selector": {"matchLabels": {"app": "w"}},
            "template": {"spec": {"containers": [{"name": "c", "image": "i:1", "env": [{"name": "A", "value": "1"}]}]}},
            "volumeClaimTemplates": [CLAIM],
        }
    },
    "apps/v1:Deployment": {"spec": {"replicas": 1, "selector": {"matchLabels": {"app": "w"}}}},
    "core/v1:ConfigMap": {"data": {"a": "1"}},
    "core/v1:Secret": {"type": "Opaque", "data": {"p": "YQ=="}},
    "core/v1:Service": {"spec": {"ports": [{"name": "x", "port": 80}], "selector": {"app": "w"}}},
    "core/v1:PersistentVolumeClaim": {"spec": {"accessModes": ["ReadWriteOnce"], **CLAIM["spec"]}},
    "storage.k8s.io/v1:StorageClass": {"provisioner": "p", "parameters": {"type": "gp2"}},
    "scheduling.k8s.io/v1:PriorityClass": {"value": 1000, "preemptionPolicy": "Never"},
    "policy/v1:PodDisruptionBudget": {"spec": {"maxUnavailable": 1}},
    "batch/v1:Job": {"spec": {"backoffLimit": 1, "template": {"spec": {"restartPolicy": "Never"}}}},
    "core/v1:Namespace": {},
}


def changed(
    token: str, path: list[str | int], value: Any, *, live: JsonObject | None = None, ignore: list[str] | None = None
) -> Difference:
    """Return the difference when the program sets `path` to `value` in an object without drift."""
    kind = kinds.of(f"kubernetes:{token}")
    meta = {"name": "n", **({"namespace": "ns"} if kind.namespaced else {})}
    old = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": meta, **copy.deepcopy(OBJECTS[token])}
    new = copy.deepcopy(old)
    parent: Any = new
    for step in path[:-1]:
        parent = parent.setdefault(step, {}) if isinstance(parent, dict) else parent[step]
    if value is None:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    replacing = diff.replacing_fields(kind, new, patch=False, config_map_mutable=False, secret_mutable=False)
    olds = Checkpoint(old, live or {**copy.deepcopy(old), "status": {}}, kind.api_version, "m")
    return diff.difference(kind, olds, new, replacing, ignore or [])


@pytest.mark.parametrize(
    ("token", "path", "value", "shown"),
    [
        ("apps/v1:StatefulSet", ["spec", "replicas"], 3, "spec.replicas"),
        ("apps/v1:StatefulSet", ["spec", "updateStrategy"], {"type": "OnDelete"}, "spec.updateStrategy"),
        (
            "apps/v1:StatefulSet",
            ["spec", "template", "spec", "containers", 0, "image"],
            "i:2",
            "spec.template.spec.containers[0].image",
        ),
        ("core/v1:Service", ["spec", "ports", 0, "port"], 81, "spec.ports[0].port"),
        ("storage.k8s.io/v1:StorageClass", ["allowVolumeExpansion"], True, "allowVolumeExpansion"),
        ("storage.k8s.io/v1:StorageClass", ["reclaimPolicy"], "Retain", "reclaimPolicy"),
        ("storage.k8s.io/v1:StorageClass", ["volumeBindingMode"], "Immediate", "volumeBindingMode"),
        ("storage.k8s.io/v1:StorageClass", ["mountOptions"], ["noatime"], "mountOptions"),
        ("storage.k8s.io/v1:StorageClass", ["allowedTopologies"], [{"matchLabelExpressions": []}], "allowedTopologies"),
        ("scheduling.k8s.io/v1:PriorityClass", ["value"], 2000, "value"),
        ("scheduling.k8s.io/v1:PriorityClass", ["preemptionPolicy"], "PreemptLowerPriority", "preemptionPolicy"),
        ("policy/v1:PodDisruptionBudget", ["spec", "maxUnavailable"], 2, "spec.maxUnavailable"),
        ("batch/v1:Job", ["spec", "backoffLimit"], 2, "spec.backoffLimit"),
        ("core/v1:Namespace", ["metadata", "labels"], {"a": "b"}, "metadata.labels"),
        (
            "core/v1:PersistentVolumeClaim",
            ["spec", "resources", "requests", "storage"],
            "2Gi",
            "spec.resources.requests.storage",
        ),
    ],
)
def test_mutable_field_change_updates_the_object(token: str, path: list[str | int], value: Any, shown: str) -> None:
    difference = changed(token, path, value)
    assert list(difference.changes) == [shown]
    assert not difference.changes[shown].replaces
    assert not difference.delete_before_replace


@pytest.mark.parametrize(
    ("token", "path", "value"),
    [
        (
            "apps/v1:StatefulSet",
            ["spec", "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage"],
            "2Gi",
        ),
        ("apps/v1:StatefulSet", ["spec", "serviceName"], "t"),
        ("apps/v1:StatefulSet", ["spec", "podManagementPolicy"], "Parallel"),
        ("apps/v1:StatefulSet", ["spec", "revisionHistoryLimit"], 3),
        ("apps/v1:StatefulSet", ["spec", "selector", "matchLabels", "app"], "v"),
        ("apps/v1:Deployment", ["spec", "selector", "matchLabels", "app"], "v"),
        ("core/v1:ConfigMap", ["data", "a"], "2"),
        ("core/v1:ConfigMap", ["binaryData"], {"b": "YQ=="}),
        ("core/v1:Secret", ["data", "p"], "Yg=="),
        ("core/v1:Secret", ["type"], "kubernetes.io/tls"),
        ("core/v1:Service", ["spec", "clusterIP"], "None"),
        ("storage.k8s.io/v1:StorageClass", ["parameters", "type"], "gp3"),
        ("storage.k8s.io/v1:StorageClass", ["provisioner"], "q"),
        ("batch/v1:Job", ["spec", "template", "spec", "restartPolicy"], "OnFailure"),
        ("batch/v1:Job", ["spec", "completions"], 2),
        ("core/v1:PersistentVolumeClaim", ["spec", "storageClassName"], "gp3"),
    ],
)
def test_immutable_field_change_deletes_before_replacing(token: str, path: list[str | int], value: Any) -> None:
    difference = changed(token, path, value)
    assert [change.replaces for change in difference.changes.values()] == [True]
    assert difference.delete_before_replace


@pytest.mark.parametrize("key", ["name", "namespace"])
def test_changed_name_or_namespace_creates_the_replacement_first(key: str) -> None:
    difference = changed("core/v1:ConfigMap", ["metadata", key], "other")
    assert difference.changes == {f"metadata.{key}": Change.UPDATE_REPLACE}
    assert not difference.delete_before_replace


def test_autonamed_object_creates_the_replacement_first() -> None:
    kind = kinds.of("kubernetes:core/v1:ConfigMap")
    meta = {"name": "c-1", "namespace": "ns", "annotations": {"pulumi.com/autonamed": "true"}}
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "1"}}
    difference = diff.difference(kind, Checkpoint(old, old, "v1", "m"), {**old, "data": {"a": "2"}}, ["data"], [])
    assert difference.changes == {"data.a": Change.UPDATE_REPLACE}
    assert not difference.delete_before_replace


@pytest.mark.parametrize(("immutable", "replaced"), [(False, False), (True, True)])
def test_mutable_config_map_is_updated_unless_it_is_immutable(immutable: bool, replaced: bool) -> None:
    kind = kinds.of("kubernetes:core/v1:ConfigMap")
    fields = diff.replacing_fields(
        kind, {"immutable": immutable}, patch=False, config_map_mutable=True, secret_mutable=False
    )
    assert ("data" in fields) is replaced


def test_patch_resource_is_replaced_only_when_its_identity_changes() -> None:
    kind = kinds.of("kubernetes:storage.k8s.io/v1:StorageClassPatch")
    fields = diff.replacing_fields(kind, {}, patch=True, config_map_mutable=False, secret_mutable=False)
    assert fields == ("metadata.name", "metadata.namespace")


def test_server_defaults_are_not_a_change() -> None:
    live = copy.deepcopy(OBJECTS["core/v1:Service"])
    live["spec"] |= {"type": "ClusterIP", "sessionAffinity": "None"}
    live["spec"]["ports"][0] |= {"protocol": "TCP", "targetPort": 80}
    live |= {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "n", "namespace": "ns", "uid": "u"}}
    difference = changed("core/v1:Service", ["spec", "selector", "app"], "w", live=live)
    assert difference.changes == {}


def test_drift_of_a_managed_field_is_a_change() -> None:
    live: JsonObject = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "n", "namespace": "ns"},
        **copy.deepcopy(OBJECTS["apps/v1:StatefulSet"]),
    }
    live["spec"]["replicas"] = 1
    difference = changed("apps/v1:StatefulSet", ["spec", "replicas"], 2, live=live)
    assert difference.changes == {"spec.replicas": Change.UPDATE}


def test_added_and_removed_elements_are_reported_by_index() -> None:
    env = ["spec", "template", "spec", "containers", 0, "env"]
    added = changed("apps/v1:StatefulSet", env, [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    assert added.changes == {"spec.template.spec.containers[0].env[1]": Change.ADD}
    assert changed("apps/v1:StatefulSet", env, []).changes == {"spec.template.spec.containers[0].env[0]": Change.DELETE}


def test_unknown_input_is_a_change() -> None:
    assert changed("apps/v1:StatefulSet", ["spec", "serviceName"], UNKNOWN).changes == {
        "spec.serviceName": Change.UPDATE_REPLACE
    }


def test_unknown_spec_does_not_replace_a_stateful_set() -> None:
    """If a StorageClass is deleted before its replacement, the engine diffs the set with an unknown `spec`."""
    assert changed("apps/v1:StatefulSet", ["spec"], UNKNOWN).changes == {"spec": Change.UPDATE}


def test_ignored_path_is_not_a_change() -> None:
    path = ["spec", "template", "spec", "containers", 0, "image"]
    ignore = ["spec.template.spec.containers[*].image"]
    assert changed("apps/v1:StatefulSet", path, "i:2", ignore=ignore).changes == {}


def kubeconfig(server: str, user_token: str = "") -> JsonObject:
    return {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": user_token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


A, B = kubeconfig("https://a"), kubeconfig("https://b")


@pytest.mark.parametrize(
    ("olds", "news", "replaced"),
    [
        ({"kubeconfig": A}, {"kubeconfig": B}, {"kubeconfig"}),
        ({"kubeconfig": A}, {"kubeconfig": kubeconfig("https://a", "other")}, set()),
        ({"kubeconfig": A, "clusterIdentifier": "i"}, {"kubeconfig": B, "clusterIdentifier": "i"}, set()),
        (
            {"kubeconfig": A, "clusterIdentifier": "i"},
            {"kubeconfig": A, "clusterIdentifier": "j"},
            {"clusterIdentifier"},
        ),
        ({"kubeconfig": A}, {"kubeconfig": A, "clusterIdentifier": "i"}, set()),
        ({"kubeconfig": A}, {"kubeconfig": UNKNOWN}, {"kubeconfig"}),
        ({"kubeconfig": A, "clusterIdentifier": "i"}, {"kubeconfig": UNKNOWN, "clusterIdentifier": "i"}, set()),
        ({"kubeconfig": A}, {"kubeconfig": A, "enableConfigMapMutable": "true"}, set()),
    ],
)
def test_only_a_different_active_cluster_replaces_the_provider(
    olds: JsonObject, news: JsonObject, replaced: set[str]
) -> None:
    difference = settings_difference(olds, news)
    assert difference.changes
    assert {key for key, change in difference.changes.items() if change.replaces} == replaced


def test_settings_are_read_from_json_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    given = settings({"enableConfigMapMutable": "true", "upsertExistingObjects": "false", "namespace": "ns"})
    assert given.enable_config_map_mutable
    assert given.delete_unreachable
    assert not given.upsert_existing_objects
    assert given.namespace == "ns"


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"enableServerSideApply": "false"}, "enableServerSideApply"),
        ({"renderYamlToDirectory": "d"}, "renderYamlToDirectory"),
    ],
)
def test_unsupported_settings_are_rejected(config: JsonObject, name: str) -> None:
    with pytest.raises(ProviderError, match=name):
        settings(config)
