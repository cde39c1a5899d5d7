"""Resources that RocketMq registers: inventory, order, namespace, protection, storage and network policies."""

from typing import Any

import kubernetes_validate
import pytest

from tests.unit.harness import UNKNOWN, Recording
from tests.unit.harness.fakes import CLUSTER_IP
from tests.unit.rocketmq_case import (
    ARGS,
    SETS,
    WORKLOADS,
    container,
    deploy,
    group,
    workload,
)

KUBERNETES = "1.35"


@pytest.mark.parametrize("preview", [True, False])
def test_inventory_contains_exactly_the_expected_resources(preview: bool) -> None:
    assert deploy(preview=preview).inventory() == {
        "eks-rocketmq:index:BrokerMembers": 1,
        "eks-rocketmq:index:Controllers": 1,
        "eks-rocketmq:index:NameServers": 1,
        "eks-rocketmq:index:Proxies": 1,
        "eks-rocketmq:index:RocketMq": 1,
        "kubernetes:apps/v1:Deployment": 1,
        "kubernetes:apps/v1:StatefulSet": 3,
        "kubernetes:core/v1:ConfigMap": 5,
        "kubernetes:core/v1:Namespace": 1,
        "kubernetes:core/v1:Service": 10,
        "kubernetes:networking.k8s.io/v1:NetworkPolicy": 4,
        "kubernetes:policy/v1:PodDisruptionBudget": 4,
    }


def test_manifests_conform_to_the_kubernetes_schemas(deployed: Recording) -> None:
    for manifest in deployed.manifests():
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_manifests_have_no_zero_values_that_the_api_server_drops(deployed: Recording) -> None:
    def zeros(value: object, path: str) -> list[str]:
        if isinstance(value, dict):
            return [found for key, inner in value.items() for found in zeros(inner, f"{path}.{key}")]
        if isinstance(value, list):
            return [found for inner in value for found in zeros(inner, f"{path}[]")]
        return [path] if value == 0 and not isinstance(value, bool) else []

    found = [path for manifest in deployed.manifests() for path in zeros(manifest.get("spec", {}), manifest["kind"])]
    assert found == ["Deployment.strategy.rollingUpdate.maxUnavailable"]  # a pointer in Kubernetes: zero is kept


def test_second_broker_group_has_its_own_stateful_set_and_selector() -> None:
    two = [*ARGS["broker_groups"], *group(name="broker-b")]
    recording = deploy(broker_groups=two)
    assert recording.inventory()["kubernetes:apps/v1:StatefulSet"] == 4
    selectors = [
        workload(recording, f"rocketmq-{name}-set")["selector"]["matchLabels"] for name in ("broker-a", "broker-b")
    ]
    assert selectors[0] != selectors[1]


def test_outputs_contain_the_client_addresses(deployed: Recording) -> None:
    assert deployed.component_outputs[deployed.one("RocketMq").urn] == {
        "namespace": "rocketmq",
        "nameServerAddresses": "rocketmq-nameserver-0.rocketmq-nameserver-peers.rocketmq.svc:9876"
        ";rocketmq-nameserver-1.rocketmq-nameserver-peers.rocketmq.svc:9876",
        "proxyEndpoint": "rocketmq-proxy.rocketmq.svc:8081",
        "passwords": {},
    }


@pytest.mark.parametrize("first", ["rocketmq-nameserver-set", "rocketmq-controller-set"])
def test_brokers_depend_on_name_servers_and_controllers(deployed: Recording, first: str) -> None:
    brokers = deployed.one("StatefulSet", "rocketmq-broker-a-set")
    assert deployed.reaches(brokers, deployed.one("StatefulSet", first))
    assert not deployed.reaches(deployed.one("StatefulSet", first), brokers)


def test_broker_groups_depend_on_each_other_in_the_order_of_the_arguments() -> None:
    recording = deploy(broker_groups=[*group(name="broker-c"), *group(name="broker-a"), *group(name="broker-b")])
    first, second, third = (recording.one("StatefulSet", f"rocketmq-broker-{name}-set") for name in "cab")
    assert recording.reaches(second, first)
    assert recording.reaches(third, second)
    assert not recording.reaches(first, second)
    assert not recording.reaches(second, third)


def test_proxies_depend_on_the_brokers(deployed: Recording) -> None:
    assert deployed.reaches(deployed.one("Deployment"), deployed.one("StatefulSet", "rocketmq-broker-a-set"))


@pytest.mark.parametrize("name", SETS)
def test_stateful_set_depends_on_its_headless_service(deployed: Recording, name: str) -> None:
    service = deployed.one("Service", name.replace("-set", "-peers"))
    assert service.urn in deployed.one("StatefulSet", name).dependencies
    assert workload(deployed, name)["serviceName"] == service.inputs["metadata"]["name"]


def test_every_object_depends_on_the_namespace(deployed: Recording) -> None:
    namespace = deployed.one("Namespace")
    for resource in deployed.resources.values():
        if resource.type.startswith("kubernetes:") and resource is not namespace:
            assert deployed.reaches(resource, namespace), resource.name


def test_namespace_enforces_the_restricted_pod_security_level(deployed: Recording) -> None:
    assert deployed.one("Namespace").inputs["metadata"]["labels"] == {
        "pod-security.kubernetes.io/enforce": "restricted"
    }


def test_existing_namespace_is_used_without_changes() -> None:
    recording = deploy(create_namespace=False)
    assert recording.by_type("Namespace") == []
    assert recording.one("Deployment").inputs["metadata"]["namespace"] == "rocketmq"


@pytest.mark.parametrize("protect", [True, False])
def test_protect_data_applies_to_stateful_sets_with_data_and_the_namespace(protect: bool) -> None:
    recording = deploy(protect_data=protect)
    assert [recording.one("StatefulSet", name).protect for name in SETS] == [False, protect, protect]
    assert recording.one("Namespace").protect is protect


def test_data_is_protected_by_default(deployed: Recording) -> None:
    assert deployed.one("StatefulSet", "rocketmq-broker-a-set").protect
    assert deployed.one("Namespace").protect


def test_claims_use_the_storage_class_and_are_retained(deployed: Recording) -> None:
    spec = workload(deployed, "rocketmq-broker-a-set")
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "gp2",
        "resources": {"requests": {"storage": "100Gi"}},
    }
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_storage_change_updates_only_the_stateful_set() -> None:
    before, after = deploy(), deploy(broker_groups=group(storage="90Gi"))
    changed = {urn for urn, old in before.resources.items() if after.resources[urn].inputs != old.inputs}
    assert {urn.rsplit("::", 1)[-1] for urn in changed} == {"rocketmq-broker-a-set"}


@pytest.mark.parametrize("name", WORKLOADS)
def test_disruption_budget_allows_one_unavailable_pod(deployed: Recording, name: str) -> None:
    budget = deployed.one("PodDisruptionBudget", f"{name.rsplit('-', 1)[0]}-disruption-budget").inputs["spec"]
    assert budget == {"maxUnavailable": 1, "selector": workload(deployed, name)["selector"]}


@pytest.mark.parametrize("name", WORKLOADS)
def test_selectors_match_the_pod_labels(deployed: Recording, name: str) -> None:
    spec = workload(deployed, name)
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert labels["app"] == "rocketmq-" + container(deployed, name)["name"]


@pytest.mark.parametrize(
    ("policy", "opened"),
    [
        ("rocketmq-nameserver", {9876: ["broker", "proxy"]}),
        ("rocketmq-controller", {9878: ["controller", "broker"], 5557: ["*"]}),
        (
            "rocketmq-broker-a",
            {10911: ["broker", "controller", "proxy"], 10909: ["broker"], 10912: ["broker"], 5557: ["*"]},
        ),
        ("rocketmq-proxy", {8081: None, 8080: None, 5557: ["*"]}),
    ],
)
def test_network_policies_open_only_the_ports_in_use(
    deployed: Recording, policy: str, opened: dict[int, list[str] | None]
) -> None:
    spec = deployed.one("NetworkPolicy", f"{policy}-network-policy").inputs["spec"]
    assert spec["policyTypes"] == ["Ingress"]

    def peer_role(peer: Any) -> str:
        every_pod = peer == {"namespaceSelector": {}}
        return "*" if every_pod else peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]

    seen = {
        rule["ports"][0]["port"]: [peer_role(peer) for peer in rule["from"]] if "from" in rule else None
        for rule in spec["ingress"]
    }
    assert seen == opened


def test_services_are_not_awaited_and_those_of_peers_publish_unready_pods(deployed: Recording) -> None:
    for service in deployed.by_type("Service"):
        assert service.inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
        headless = service.name.endswith("-peers")
        assert (service.inputs["spec"].get("clusterIP") == "None") is headless
        for_clients = service.name.endswith("-service")
        assert service.inputs["spec"].get("publishNotReadyAddresses", False) is not for_clients


def test_quorum_and_name_servers_are_found_without_dns(deployed: Recording) -> None:
    selectors = {
        each.inputs["metadata"]["name"]: each.inputs["spec"]["selector"].get("statefulset.kubernetes.io/pod-name")
        for each in deployed.by_type("Service")
    }
    aliases = {
        name: [each["hostnames"] for each in workload(deployed, name)["template"]["spec"].get("hostAliases", [])]
        for name in WORKLOADS
    }
    controllers = [[f"rocketmq-controller-{i}.rocketmq-controller-peers.rocketmq.svc"] for i in range(3)]
    name_servers = [[f"rocketmq-nameserver-{i}.rocketmq-nameserver-peers.rocketmq.svc"] for i in range(2)]
    ready = ["rocketmq-nameserver.rocketmq.svc"]
    assert aliases == {
        "rocketmq-nameserver-set": [],
        "rocketmq-controller-set": controllers,
        "rocketmq-broker-a-set": [ready, *name_servers, *controllers],
        "rocketmq-proxy-deployment": [ready, *name_servers],
    }
    for (host,) in [*controllers, *name_servers]:
        pod = host.partition(".")[0]
        assert selectors[pod] == pod


def test_hosts_file_has_no_address_before_the_service_exists() -> None:
    # A dry run would return an address that the Service does not get.
    for preview, address in ((True, UNKNOWN), (False, CLUSTER_IP)):
        spec = workload(deploy(preview=preview), "rocketmq-controller-set")["template"]["spec"]
        assert {each.get("ip") for each in spec["hostAliases"]} == {address}


def test_workloads_have_explicit_timeouts(deployed: Recording) -> None:
    for resource in [*deployed.by_type("StatefulSet"), deployed.one("Deployment")]:
        assert {"create", "update", "delete"} <= set(resource.timeouts)
