"""Destroy plan: order of deletion, deleted and retained volumes, and removal of the EBS CSI driver."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config.config_exception import ConfigException

from eks_rocketmq.args.kubernetes_names import EBS_DRIVER
from eks_rocketmq.commands.destroy import (
    CLAIM,
    SERVICE_ACCOUNT_PATCH,
    STATEFUL_SET,
    ClaimedCluster,
    Teardown,
    classify_volumes,
    plan_teardown,
    select_awaited_volumes,
)
from eks_rocketmq.lookups import kubernetes_api, kubernetes_objects
from eks_rocketmq.lookups.aws_resources import ADDON
from eks_rocketmq.lookups.volumes import Volume, read_volumes
from eks_rocketmq.pulumi_sdk.component import type_token
from tests.unit.destroy_case import (
    BROKERS,
    DRIVER,
    KUBERNETES,
    MEMBERS,
    OWN_NAMESPACE,
    ROOT,
    STACK_RESOURCE,
    STATE,
    export,
    resource,
    volume,
)
from tests.unit.kubernetes_api import Api


def cluster(
    *,
    owned: tuple[str, ...] = (),
    shared: tuple[str, ...] = (),
    claims: tuple[str, ...] = (),
    stateful_sets: tuple[str, ...] = (),
) -> ClaimedCluster:
    return ClaimedCluster({}, frozenset(owned), frozenset(owned + shared), frozenset(claims), frozenset(stateful_sets))


def test_rocketmq_and_its_children_are_deleted_before_the_driver() -> None:
    assert plan_teardown(export(*STATE)) == Teardown(
        first_targets=[ROOT["urn"]],
        clusters=[
            ClaimedCluster(
                {"kubeconfig": "the kubeconfig"},
                frozenset(["rocketmq"]),
                frozenset(["rocketmq"]),
                frozenset(),
                frozenset(["rocketmq/broker-a"]),
            )
        ],
        removes_driver=True,
        protected=[],
        empty=False,
    )


def test_claims_and_stateful_sets_outside_rocketmq_are_deleted_first_too() -> None:
    claim = resource(CLAIM, "claim", id="data")
    other = resource(STATEFUL_SET, "other", id="apps/other")
    plan = plan_teardown(export(*STATE, claim, other))
    assert plan.first_targets == [ROOT["urn"], claim["urn"], other["urn"]]
    (found,) = plan.clusters
    assert found.owned_namespaces == {"rocketmq"}
    assert found.namespaces == {"rocketmq", "apps", "default"}
    assert found.claims == {"default/data"}
    assert found.stateful_sets == {"rocketmq/broker-a", "apps/other"}


@pytest.mark.parametrize("option", ["external", "retainOnDelete"])
def test_resources_that_the_engine_retains_delete_no_volumes(option: str) -> None:
    kept = [OWN_NAMESPACE | {option: True}, DRIVER | {option: True}]
    plan = plan_teardown(export(STACK_RESOURCE, KUBERNETES, ROOT, *kept, MEMBERS, BROKERS))
    assert not plan.removes_driver
    assert plan.clusters[0].owned_namespaces == frozenset()
    assert plan.clusters[0].namespaces == {"rocketmq"}


def test_another_addon_is_not_the_driver() -> None:
    assert not plan_teardown(export(KUBERNETES, resource(ADDON, "dns", inputs={"addonName": "coredns"}))).removes_driver


def test_the_role_of_a_self_managed_driver_is_part_of_the_driver() -> None:
    component = resource(type_token("EbsCsiAddon"), "driver")
    account = resource(SERVICE_ACCOUNT_PATCH, "account", parent=component["urn"])
    plan = plan_teardown(export(STACK_RESOURCE, KUBERNETES, component, account))
    assert plan.removes_driver
    assert len(plan.clusters) == 1
    of_another_component = account | {"parent": ROOT["urn"]}
    assert not plan_teardown(export(STACK_RESOURCE, KUBERNETES, ROOT, of_another_component)).removes_driver


def test_a_repeated_run_checks_volumes_while_the_driver_exists() -> None:
    plan = plan_teardown(export(STACK_RESOURCE, KUBERNETES, DRIVER))
    assert plan.first_targets == []
    assert plan.clusters == [replace(cluster(), provider={"kubeconfig": "the kubeconfig"})]
    assert plan_teardown(export(STACK_RESOURCE, KUBERNETES)).clusters == []


@pytest.mark.parametrize("document", [{}, {"deployment": None}, {"deployment": {}}])
def test_a_stack_without_resources_is_empty(document: dict[str, Any]) -> None:
    assert plan_teardown(document) == Teardown(
        first_targets=[], clusters=[], removes_driver=False, protected=[], empty=True
    )


@pytest.mark.parametrize(
    ("found", "where", "expected"),
    [
        (volume(), cluster(owned=("rocketmq",)), "deleted"),
        (volume(reclaim_policy="Retain"), cluster(owned=("rocketmq",)), "retained"),
        (volume(), cluster(shared=("rocketmq",)), "kept"),
        (volume(), cluster(shared=("rocketmq",), claims=("rocketmq/data",)), "deleted"),
        (
            volume(stateful_set="rocketmq/broker-a"),
            cluster(shared=("rocketmq",), stateful_sets=("rocketmq/broker-a",)),
            "deleted",
        ),
        (
            volume(stateful_set="rocketmq/postgres"),
            cluster(shared=("rocketmq",), stateful_sets=("rocketmq/broker-a",)),
            "kept",
        ),
        (volume(has_claim=False), cluster(shared=("rocketmq",)), "deleted"),
        (volume(has_claim=False, reclaim_policy="Retain"), cluster(shared=("rocketmq",)), "retained"),
        (volume(), cluster(owned=("other",)), "orphaned"),
        (volume(has_claim=False), cluster(), "deleted"),
        (volume(claim="", has_claim=False), cluster(), "orphaned"),
        (volume(driver="efs.csi.aws.com"), cluster(), None),
    ],
)
def test_volumes_are_classified_by_claim_namespace_and_reclaim_policy(
    found: Volume, where: ClaimedCluster, expected: str | None
) -> None:
    lost = classify_volumes([(where, [found])], removes_driver=True)
    assert {kind: volumes for kind, volumes in vars(lost).items() if volumes} == (
        {expected: [found]} if expected else {}
    )


def test_volumes_of_other_workloads_are_ignored_while_the_driver_stays() -> None:
    lost = classify_volumes([(cluster(), [volume(), volume(has_claim=False)])], removes_driver=False)
    assert not any(vars(lost).values())


def test_released_volumes_of_all_workloads_are_awaited_before_driver_removal() -> None:
    lost, others, bound, retained = (
        volume("lost", has_claim=False),
        volume("others", claim="apps/data", has_claim=False),
        volume("bound"),
        volume("retained", has_claim=False, reclaim_policy="Retain"),
    )
    now = [lost, others, bound, retained]
    assert select_awaited_volumes(now, [lost], removes_driver=True) == [lost, others]
    assert select_awaited_volumes(now, [lost], removes_driver=False) == [lost]
    assert select_awaited_volumes([others, bound, retained], [lost], removes_driver=True) == [others]


def test_a_volume_to_delete_is_awaited_while_its_claim_exists() -> None:
    assert select_awaited_volumes([volume()], [volume()], removes_driver=True) == [volume()]


def test_a_volume_changed_to_retain_is_not_awaited() -> None:
    assert (
        select_awaited_volumes([volume(reclaim_policy="Retain", has_claim=False)], [volume()], removes_driver=True)
        == []
    )


def persistent_volume(source: dict[str, Any], claim_uid: str | None = "claim-1") -> dict[str, Any]:
    claim = {"claimRef": {"namespace": "rocketmq", "name": "data", "uid": claim_uid}} if claim_uid else {}
    return {
        "metadata": {"name": "pv", "uid": "uid-pv"},
        "spec": {"capacity": {"storage": "100Gi"}, "persistentVolumeReclaimPolicy": "Delete", **claim, **source},
        "status": {"phase": "Bound"},
    }


CSI = {"csi": {"driver": EBS_DRIVER, "volumeHandle": "vol-1"}}
IN_TREE = {"awsElasticBlockStore": {"volumeID": "vol-1"}}


@pytest.mark.parametrize(
    ("source", "driver", "handle"),
    [(CSI, EBS_DRIVER, "vol-1"), (IN_TREE, EBS_DRIVER, "vol-1"), ({"nfs": {}}, "", "")],
    ids=["csi", "in-tree", "other-driver"],
)
def test_driver_and_id_of_a_volume_are_read(source: dict[str, Any], driver: str, handle: str) -> None:
    (found,) = read_volumes([persistent_volume(source)], [])
    assert (found.driver, found.volume_id) == (driver, handle)
    assert str(found) == f"rocketmq/data  100Gi  {handle}  pv"


@pytest.mark.parametrize(
    ("metadata", "claimed", "owner"),
    [
        ({"uid": "claim-1"}, True, ""),
        ({"uid": "claim-1", "deletionTimestamp": "2026-11-24T10:00:00Z"}, False, ""),
        ({"uid": "claim-1", "ownerReferences": [{"kind": "StatefulSet", "name": "set"}]}, True, "rocketmq/set"),
        ({"uid": "claim-1", "ownerReferences": [{"kind": "Elasticsearch", "name": "set"}]}, True, ""),
        ({"uid": "a new claim of the same name"}, False, ""),
    ],
    ids=["bound", "being-deleted", "owned", "owned-by-a-custom-resource", "other-claim"],
)
def test_the_claim_of_a_volume_is_read(metadata: dict[str, Any], claimed: bool, owner: str) -> None:
    (found,) = read_volumes([persistent_volume(CSI)], [{"metadata": metadata}])
    assert (found.has_claim, found.stateful_set, found.claim) == (claimed, owner, "rocketmq/data")


@pytest.mark.parametrize(
    "owner", [{"kind": "Elasticsearch", "name": "logs"}, {"kind": "StatefulSet", "name": "postgres"}]
)
def test_owned_claims_of_others_in_a_kept_namespace_stay_and_are_not_awaited(owner: dict[str, str]) -> None:
    found = read_volumes([persistent_volume(CSI)], [{"metadata": {"uid": "claim-1", "ownerReferences": [owner]}}])
    where = cluster(shared=("rocketmq",), stateful_sets=("rocketmq/broker-a",))
    lost = classify_volumes([(where, found)], removes_driver=True)
    assert (lost.kept, lost.deleted) == (found, [])
    assert select_awaited_volumes(found, lost.deleted, removes_driver=True) == []


def test_a_volume_reserved_for_a_claim_that_does_not_exist_yet_is_not_awaited() -> None:
    reservation = {"claimRef": {"namespace": "rocketmq", "name": "data"}}
    found = read_volumes([persistent_volume({**CSI, **reservation}) | {"status": {"phase": "Available"}}], [])
    assert classify_volumes([(cluster(owned=("rocketmq",)), found)], removes_driver=True).deleted == []
    assert select_awaited_volumes(found, [], removes_driver=True) == []


def test_a_volume_without_a_claim_is_read() -> None:
    (found,) = read_volumes([persistent_volume(CSI, claim_uid=None)], [])
    assert (found.claim, found.has_claim) == ("", False)


@pytest.mark.parametrize("given_as", ["content", "path", "environment"])
def test_the_cluster_is_accessed_with_the_settings_of_the_stack_provider(
    api: Api, given_as: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings = [
        {"metadata": {"resourceVersion": version}, "reason": "VolumeFailedDelete", "message": f"try {version}"}
        for version in ("9", "10")
    ]
    kubernetes_api._create_client.cache_clear()
    api.objects["/api/v1/persistentvolumes"] = {"items": [persistent_volume(CSI)]}
    api.objects["/api/v1/persistentvolumeclaims"] = {"items": [{"metadata": {"uid": "claim-1"}}]}
    api.objects["/api/v1/events"] = {"items": warnings}
    file = tmp_path / "kubeconfig"
    file.write_text(api.kubeconfig)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    provider = {"content": {"kubeconfig": api.kubeconfig}, "path": {"kubeconfig": str(file)}}.get(given_as, {})

    (found,) = kubernetes_objects.list_volumes(provider | {"context": "x"})

    assert (found.name, found.has_claim) == ("pv", True)
    assert kubernetes_objects.get_last_warning(provider | {"context": "x"}, "pv") == "VolumeFailedDelete: try 10"
    assert api.requests[-1].query["fieldSelector"] == (
        "involvedObject.kind=PersistentVolume,involvedObject.name=pv,type=Warning"
    )
    api.objects["/api/v1/events"] = {"items": []}
    assert kubernetes_objects.get_last_warning(provider | {"context": "x"}, "pv") == ""


@pytest.mark.parametrize("hidden", ["[secret]", {"4dabf18193072939515e22adb298388d": "…", "ciphertext": "v1:x"}])
def test_a_kubeconfig_redacted_by_the_engine_is_reported(hidden: Any) -> None:
    with pytest.raises(ConfigException, match="is a secret, which the engine does not hand out"):
        kubernetes_objects.list_volumes({"kubeconfig": hidden})
    with pytest.raises(ConfigException, match="is a secret, which the engine does not hand out"):
        kubernetes_objects.find_object(
            {"kubeconfig": hidden}, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rocketmq"}}
        )


def test_workloads_and_claims_of_a_namespace_are_listed(api: Api) -> None:
    kubernetes_api._create_client.cache_clear()
    claim = {"metadata": {"namespace": "rocketmq", "name": "data"}}
    for kind, path in kubernetes_objects.LISTED_KINDS.items():
        api.objects[path.format("rocketmq")] = {"items": [claim] if kind == "PersistentVolumeClaim" else []}
    found = kubernetes_objects.list_objects({"kubeconfig": api.kubeconfig}, {"rocketmq"})
    assert found == {
        kind: [claim] if kind == "PersistentVolumeClaim" else [] for kind in kubernetes_objects.LISTED_KINDS
    }
