"""Metrics, monitors, alerts and the Grafana dashboard. Queries are checked against metrics of real processes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import kubernetes_validate
import promql_parser as promql
import pytest

from eks_rocketmq.rocketmq.config.broker_config import list_versions
from eks_rocketmq.rocketmq.monitoring import alerts, grafana_panels
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import REPOSITORY, Recording, run
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq_case import ARGS, args, config, container, deploy, group, keys, workload

DATA = REPOSITORY / "tests" / "unit" / "data"
RECORDED = json.loads((DATA / "metrics.json").read_text())
METRICS: dict[str, set[str]] = {}
for _role in RECORDED["labels"].values():
    for _name, _labels in _role.items():
        METRICS.setdefault(_name, set()).update(_labels)
# Metrics of other exporters: Prometheus itself, kube-state-metrics, and the kubelet with cAdvisor.
OTHER_METRICS = {
    "up": set(),
    "kube_statefulset_replicas": {"statefulset"},
    "kube_statefulset_status_replicas_ready": {"statefulset"},
    "kube_pod_container_status_restarts_total": set(),
    "kube_persistentvolumeclaim_status_phase": {"persistentvolumeclaim", "phase"},
    "kubelet_volume_stats_used_bytes": {"persistentvolumeclaim"},
    "kubelet_volume_stats_capacity_bytes": {"persistentvolumeclaim"},
    "container_memory_working_set_bytes": set(),
    "container_cpu_usage_seconds_total": set(),
}
TARGET = {"namespace", "pod", "container"}
"""Labels that the monitors of the Prometheus operator add to every target."""

EVERYTHING: dict[str, Any] = {
    "monitor": "pod",
    "monitor_labels": {"release": "kps"},
    "alerts": {},
    "grafana_dashboard": {},
}
SCHEMAS = json.loads((DATA / "prometheus-operator.json").read_text())["schemas"]


@pytest.fixture(scope="module")
def monitored() -> Recording:
    return deploy(monitoring=EVERYTHING)


def rules(**changes: Any) -> dict[str, dict[str, Any]]:
    """Return the alert rules by name. Of rules for each broker group, return the first."""
    planned = plan(args(monitoring={"alerts": changes.pop("alerts", {})}, **changes))
    monitoring = planned.monitoring
    assert monitoring is not None
    assert monitoring.alerts is not None
    found: dict[str, dict[str, Any]] = {}
    for part in alerts.build_rule_groups(planned.alert_targets, monitoring.alerts):
        for rule in part["rules"]:
            found.setdefault(rule["alert"], rule)
    return found


def selectors(expression: Any) -> Iterator[Any]:
    """Yield every vector selector in a parsed query."""
    if isinstance(expression, promql.VectorSelector):
        yield expression
        return
    for part in ("expr", "lhs", "rhs", "vector_selector", "vs", "param"):
        inner = getattr(expression, part, None)
        if inner is not None:
            yield from selectors(inner)
    for argument in getattr(expression, "args", None) or []:
        yield from selectors(argument)


def check_query(query: str) -> None:
    """Assert that the query is valid, uses existing metrics and labels, and selects only this RocketMQ."""
    found = list(selectors(promql.parse(query)))
    assert found, query
    for selector in found:
        metric = selector.name
        assert metric in METRICS or metric in OTHER_METRICS, f"{metric} does not exist: {query}"
        matchers = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
        assert matchers["namespace"] == "rocketmq", query
        known = METRICS.get(metric, set()) | OTHER_METRICS.get(metric, set()) | TARGET
        assert set(matchers) <= known, f"{set(matchers) - known} of {metric}: {query}"
        grouped = {label.strip() for by in re.findall(r"by \(([^)]*)\)", query) for label in by.split(",")}
        everything = set().union(*(METRICS.get(s.name, set()) | TARGET for s in found)) | {"le"}
        assert grouped <= everything, f"{grouped - everything}: {query}"


def test_recorded_metrics_cover_every_supported_version() -> None:
    assert set(list_versions()) <= set(RECORDED["versions"])
    assert {role: bool(found) for role, found in RECORDED["labels"].items()} == {
        "broker": True,
        "controller": True,
        "proxy": True,
    }


@pytest.mark.parametrize("monitor", ["pod", "service"])
def test_monitoring_does_not_change_workloads_or_services(monitor: str) -> None:
    def rest(recording: Recording) -> list[dict[str, Any]]:
        kinds = ("ConfigMap", "Service", "StatefulSet", "Deployment", "NetworkPolicy")
        return [
            manifest
            for manifest in recording.manifests()
            if manifest["kind"] in kinds and manifest["metadata"]["name"] != "rocketmq-monitoring-grafana"
        ]

    plain = deploy()
    assert plain.by_type("Monitoring") == []
    assert rest(deploy(monitoring={**EVERYTHING, "monitor": monitor})) == rest(plain)


def test_every_role_except_name_servers_exports_metrics() -> None:
    recording = deploy()
    for name, file in (("broker-a", "broker.conf"), ("controller", "controller.conf")):
        found = keys(recording, f"rocketmq-{name}-config", file)
        assert (found["metricsExporterType"], found["metricsPromExporterPort"]) == ("PROM", "5557")
    proxy = json.loads(config(recording, "rocketmq-proxy-config")["rmq-proxy.json"])
    assert (proxy["metricsExporterType"], proxy["metricsPromExporterPort"]) == ("PROM", 5557)
    ports = {
        name: [p["containerPort"] for p in container(recording, name)["ports"] if p["name"] == "metrics"]
        for name in ("rocketmq-broker-a-set", "rocketmq-controller-set", "rocketmq-proxy-deployment")
    }
    assert set(map(tuple, ports.values())) == {(5557,)}
    assert "5557" not in str(workload(recording, "rocketmq-nameserver-set"))
    assert "metrics" not in config(recording, "rocketmq-nameserver-config")["namesrv.conf"]


@pytest.mark.parametrize(("version", "exporter_type"), [("5.3.3", 2), ("5.4.0", 2), ("5.5.0", "PROM")])
def test_exporter_type_of_proxies_has_the_spelling_of_the_version(version: str, exporter_type: object) -> None:
    planned = plan(args(version=version))
    assert json.loads(planned.proxies.config)["metricsExporterType"] == exporter_type
    assert "metricsExporterType=PROM\n" in planned.controllers.config
    assert planned.groups[0].keys["metricsExporterType"] == "PROM"


@pytest.mark.parametrize("preview", [True, False])
def test_monitoring_adds_only_the_requested_resources(preview: bool) -> None:
    plain, full = deploy(preview=preview).inventory(), deploy(preview=preview, monitoring=EVERYTHING).inventory()
    assert {type_: count - plain.get(type_, 0) for type_, count in full.items() if count != plain.get(type_)} == {
        "eks-rocketmq:index:Monitoring": 1,
        "kubernetes:core/v1:ConfigMap": 1,
        "kubernetes:monitoring.coreos.com/v1:PodMonitor": 1,
        "kubernetes:monitoring.coreos.com/v1:PrometheusRule": 1,
    }


def test_operator_resources_are_not_created_by_default() -> None:
    assert [r for r in deploy(monitoring={}).resources.values() if "coreos" in r.type] == []


@pytest.mark.parametrize("monitor", ["pod", "service"])
def test_operator_resources_conform_to_the_crd_schemas(monitor: str) -> None:
    def strict(schema: Any) -> Any:
        if isinstance(schema, dict):
            closed = {key: strict(value) for key, value in schema.items()}
            if "properties" in schema and "additionalProperties" not in schema:
                closed["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
            return closed
        return [strict(item) for item in schema] if isinstance(schema, list) else schema

    recording = deploy(monitoring={**EVERYTHING, "monitor": monitor})
    manifests = [m for m in recording.manifests() if m["apiVersion"] == "monitoring.coreos.com/v1"]
    assert len(manifests) == 2
    for manifest in manifests:
        schema = strict(SCHEMAS[manifest["kind"]])
        schema["properties"]["metadata"] = {"type": "object"}
        validator = jsonschema.Draft202012Validator(schema)
        validator.validate(manifest)
        assert not validator.is_valid({**manifest, "spec": {**manifest["spec"], "misspelt": 1}})


def test_other_manifests_conform_to_the_kubernetes_schemas(monitored: Recording) -> None:
    for manifest in monitored.manifests():
        if "coreos" not in manifest["apiVersion"]:
            kubernetes_validate.validate(manifest, "1.35", strict=True)


def test_pod_monitor_selects_only_pods_with_metrics(monitored: Recording) -> None:
    monitor = monitored.one("PodMonitor").inputs
    assert monitor["metadata"]["labels"]["release"] == "kps"
    assert monitor["metadata"]["namespace"] == "rocketmq"
    selector = monitor["spec"]["selector"]
    (expression,) = selector["matchExpressions"]
    for name in ("nameserver-set", "controller-set", "broker-a-set", "proxy-deployment"):
        labels = workload(monitored, f"rocketmq-{name}")["template"]["metadata"]["labels"]
        selected = (
            selector["matchLabels"].items() <= labels.items() and labels[expression["key"]] in expression["values"]
        )
        assert selected is (name != "nameserver-set")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"], endpoint["interval"]) == ("metrics", "/metrics", "30s")


def test_service_monitor_selects_one_service_for_each_pod() -> None:
    recording = deploy(monitoring={"monitor": "service", "interval": "15s"})
    assert recording.by_type("PodMonitor") == []
    spec = recording.one("ServiceMonitor").inputs["spec"]
    assert (spec["endpoints"][0]["port"], spec["endpoints"][0]["interval"]) == ("metrics", "15s")
    found = {
        service.name: [p["targetPort"] for p in service.inputs["spec"]["ports"] if p["name"] == "metrics"]
        for service in recording.by_type("Service")
    }
    assert {name for name, ports in found.items() if ports} == {
        "rocketmq-broker-a-peers",
        "rocketmq-controller-peers",
        "rocketmq-proxy-service",
    }


@pytest.mark.parametrize("kubernetes_metrics", [True, False])
def test_alert_queries_use_existing_metrics_and_labels(kubernetes_metrics: bool) -> None:
    found = rules(alerts={"kubernetes_metrics": kubernetes_metrics})
    assert len(found) > 15
    for rule in found.values():
        check_query(rule["expr"])
        foreign = [s.name for s in selectors(promql.parse(rule["expr"])) if s.name.startswith("kube")]
        assert kubernetes_metrics or foreign == []


def test_query_check_rejects_unknown_metrics_labels_and_namespaces() -> None:
    for query in (
        'rocketmq_storage_size{namespace="rocketmq"}',
        'rocketmq_storage_size_bytes{namespace="rocketmq", broker="a"}',
        'rocketmq_storage_size_bytes{namespace="other"}',
        'sum by (brokers) (rocketmq_storage_size_bytes{namespace="rocketmq"})',
    ):
        with pytest.raises(AssertionError):
            check_query(query)


def test_every_alert_has_a_runbook_section() -> None:
    text = (REPOSITORY / "docs" / "troubleshooting" / "alerts.md").read_text()
    sections = re.findall(r"^## (\w+)$", text, re.MULTILINE)
    assert sorted(sections) == sorted({*rules(), *rules(alerts={"kubernetes_metrics": False})})
    for name, rule in rules().items():
        assert rule["annotations"]["runbook_url"] == f"docs/troubleshooting/alerts.md#{name.lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]


def test_alert_thresholds_and_labels_are_configurable() -> None:
    found = rules(
        alerts={
            "disk_used_percent": 60,
            "consumer_lag_messages": 11,
            "consumer_lag_seconds": 22,
            "send_latency_milliseconds": 33,
            "alert_labels": {"team": "messaging"},
            "runbook_url": "https://wiki.example/rocketmq",
        }
    )
    for name, threshold in (
        ("RocketMqDiskFilling", 60),
        ("RocketMqDiskFull", 85),
        ("RocketMqConsumerLag", 11),
        ("RocketMqConsumerLate", 22),
        ("RocketMqSendLatency", 33),
    ):
        assert found[name]["expr"].endswith(f"> {threshold}")
    assert {rule["labels"]["team"] for rule in found.values()} == {"messaging"}
    assert found["RocketMqNoProxy"]["annotations"]["runbook_url"] == "https://wiki.example/rocketmq#rocketmqnoproxy"


def test_group_alerts_use_replicas_and_min_in_sync_replicas() -> None:
    two = [*ARGS["broker_groups"], *group(name="broker-b", replicas=5, min_in_sync_replicas=4)]
    planned = plan(args(broker_groups=two, monitoring={"alerts": {}}))
    assert planned.monitoring is not None
    assert planned.monitoring.alerts is not None
    (first, *_) = alerts.build_rule_groups(planned.alert_targets, planned.monitoring.alerts)
    found = [
        (rule["alert"], rule["labels"]["broker_group"], re.search(r"< (\d+)", rule["expr"])) for rule in first["rules"]
    ]
    assert [(name, which, found and int(found[1])) for name, which, found in found] == [
        ("RocketMqGroupRefusesWrites", "broker-a", 2),
        ("RocketMqMemberAway", "broker-a", 3),
        ("RocketMqGroupRefusesWrites", "broker-b", 4),
        ("RocketMqMemberAway", "broker-b", 5),
    ]
    assert first["rules"][2]["annotations"]["summary"].endswith("a write needs 4.")


def test_single_replicas_have_no_alert_for_a_missing_member() -> None:
    single = {"profile": "dev", "broker_groups": group(replicas=1), "controllers": {"replicas": 1}}
    assert not {"RocketMqMemberAway", "RocketMqControllerAway"} & set(rules(**single))
    assert "RocketMqGroupRefusesWrites" in rules(**single)


def test_disk_alert_uses_the_declared_size_without_kubernetes_metrics() -> None:
    rule = rules(alerts={"kubernetes_metrics": False})["RocketMqDiskFilling"]
    assert rule["expr"] == (
        f'100 * rocketmq_storage_size_bytes{{namespace="rocketmq", node_id="broker-a"}} / {100 * 1024**3} > 75'
    )


def test_rule_labels_default_to_the_monitor_labels() -> None:
    assert deploy(monitoring=EVERYTHING).one("PrometheusRule").inputs["metadata"]["labels"]["release"] == "kps"
    other = deploy(monitoring={**EVERYTHING, "alerts": {"labels": {"prometheus": "main"}}})
    labels = other.one("PrometheusRule").inputs["metadata"]["labels"]
    assert labels["prometheus"] == "main"
    assert "release" not in labels


def test_labels_of_monitoring_override_those_of_all_objects() -> None:
    recording = deploy(
        labels={"release": "shop", "grafana_dashboard": "0", "team": "messaging"},
        monitoring={**EVERYTHING, "alerts": {"labels": {"release": "rules"}}},
    )
    dashboard = next(each for each in recording.by_type("ConfigMap") if each.name == "rocketmq-monitoring-grafana")
    for object_, expected in (
        (recording.one("PodMonitor"), {"release": "kps"}),
        (recording.one("PrometheusRule"), {"release": "rules"}),
        (dashboard, {"grafana_dashboard": "1"}),
    ):
        expected |= {"team": "messaging", "app.kubernetes.io/name": "rocketmq"}
        assert expected.items() <= object_.inputs["metadata"]["labels"].items()


def test_panel_queries_use_existing_metrics_and_labels() -> None:
    dashboard = grafana_panels.build_dashboard("rocketmq")
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(queries) > 20
    for query in queries:
        check_query(query.replace("$__rate_interval", "5m"))


def test_dashboards_of_long_namespaces_have_ids_of_their_own() -> None:
    namespaces = ["rocketmq", *(f"messaging-platform-production-eu-{place}" for place in ("west", "central"))]
    uids = [grafana_panels.build_dashboard(each)["uid"] for each in namespaces]
    assert uids[0] == "rocketmq-rocketmq"
    assert len(set(uids)) == len(uids)
    assert max(map(len, uids)) == 40  # more characters are an error of Grafana


def test_panels_do_not_overlap_and_have_unique_ids() -> None:
    found = grafana_panels.build_dashboard("rocketmq")["panels"]
    assert [panel["id"] for panel in found] == list(range(1, len(found) + 1))
    occupied: set[tuple[int, int]] = set()
    for panel in found:
        position = panel["gridPos"]
        assert position["x"] + position["w"] <= 24
        cells = {
            (x, y)
            for x in range(position["x"], position["x"] + position["w"])
            for y in range(position["y"], position["y"] + position["h"])
        }
        assert not cells & occupied, panel["title"]
        occupied |= cells
        assert panel["type"] == "row" or panel["targets"]


def test_legends_use_labels_that_the_query_keeps() -> None:
    for row in grafana_panels.ROWS.values():
        for panel in row:
            for query, legend in panel.queries:
                kept = {label.strip() for by in re.findall(r"by \(([^)]*)\)", query)[:1] for label in by.split(",")}
                assert set(re.findall(r"{{(\w+)}}", legend)) <= (kept or {"pod"}), panel.title


def test_grafana_config_map_has_the_sidecar_label_and_the_dashboard(monitored: Recording) -> None:
    config_map = monitored.one("ConfigMap", "rocketmq-monitoring-grafana").inputs
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(config_map["data"]["rocketmq-rocketmq.json"]) == grafana_panels.build_dashboard("rocketmq")
    assert len(config_map["data"]["rocketmq-rocketmq.json"]) < 1024 * 1024
    changed = deploy(
        monitoring={"grafana_dashboard": {"labels": {"dash": "x"}, "annotations": {"grafana_folder": "MQ"}}}
    )
    metadata = changed.one("ConfigMap", "rocketmq-monitoring-grafana").inputs["metadata"]
    assert metadata["labels"]["dash"] == "x"
    assert "grafana_dashboard" not in metadata["labels"]
    assert metadata["annotations"]["grafana_folder"] == "MQ"


def test_grafana_dashboard_files_differ_between_namespaces() -> None:
    def file(namespace: str) -> set[str]:
        recording = deploy(namespace=namespace, monitoring={"grafana_dashboard": {}})
        return set(recording.one("ConfigMap", "rocketmq-monitoring-grafana").inputs["data"])

    assert file("orders").isdisjoint(file("payments"))


def test_changed_grafana_dashboard_keeps_the_config_map_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def name() -> str:
        recording = run(lambda: RocketMq("rocketmq", args(monitoring={"grafana_dashboard": {}})))
        return recording.one("ConfigMap", "rocketmq-monitoring-grafana").inputs["metadata"]["name"]

    before = name()
    monkeypatch.setattr(grafana_panels, "render_dashboard", lambda namespace: f'{{"title": "{namespace}"}}')
    assert name() == before


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"monitoring": {"monitor": "pods"}}, "monitoring.monitor", "choice"),
        ({"monitoring": {"interval": "30"}}, "monitoring.interval", "scrape-interval"),
        ({"monitoring": {"monitors": "pod"}}, "monitoring.monitors", "unknown-field"),
        (
            {"monitoring": {"alerts": {"disk_used_percent": 85}}},
            "monitoring.alerts.disk_used_percent",
            "range",
        ),
        (
            {"monitoring": {"alerts": {"send_latency_milliseconds": 3000}}},
            "monitoring.alerts.send_latency_milliseconds",
            "range",
        ),
        (
            {"monitoring": {"alerts": {"consumer_lag_messages": 1.5}}},
            "monitoring.alerts.consumer_lag_messages",
            "wrong-type",
        ),
        (
            {"broker_groups": group(config={"metricsPromExporterPort": 1})},
            "broker_groups['broker-a'].config['metricsPromExporterPort']",
            "config-key-reserved",
        ),
        (
            {"controllers": {"config": {"metricsPromExporterHost": "127.0.0.1"}}},
            "controllers.config['metricsPromExporterHost']",
            "config-key-reserved",
        ),
        (
            {"monitoring": {}, "proxies": {"config": {"metricsExporterType": "LOG"}}},
            "proxies.config['metricsExporterType']",
            "config-key-reserved",
        ),
        *(
            ({"monitoring": given}, f"monitoring.{path}", "qualified-name")
            for path, given in {
                "monitor_labels": {"monitor_labels": {"a b": "c"}},
                "alerts.labels": {"alerts": {"labels": {"a b": "c"}}},
                "grafana_dashboard.labels": {"grafana_dashboard": {"labels": {"a b": "c"}}},
                "grafana_dashboard.annotations": {"grafana_dashboard": {"annotations": {"a b": "c"}}},
                "scrapers[0].pod_labels": {"scrapers": [{"pod_labels": {"a b": "c"}}]},
            }.items()
        ),
        ({"monitoring": {"monitor_labels": {"app": "x"}}}, "monitoring.monitor_labels", "set-by-deployment"),
        (
            {"monitoring": {"alerts": {"alert_labels": {"severity": "page"}}}},
            "monitoring.alerts.alert_labels",
            "alert-label-reserved",
        ),
        *(
            (
                {"monitoring": {"alerts": {"alert_labels": {name: "x"}}}},
                "monitoring.alerts.alert_labels",
                "alert-label-name",
            )
            for name in ("a-b", "1a", "__name__", "a.b", "")
        ),
        (
            {"broker_groups": group(name="monitoring")},
            "broker_groups['monitoring'].name",
            "broker-group-name-reserved",
        ),
    ],
)
def test_invalid_monitoring_arguments_are_rejected(changes: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        plan(args(**changes))


@pytest.mark.parametrize(
    ("given", "rejected"),
    [
        ({"interval": "5s"}, ["interval"]),
        ({"monitor_labels": {"a": "b"}, "interval": "5s"}, ["interval", "monitor_labels"]),
        ({"monitor_labels": {"a": "b"}, "alerts": {"labels": {}}}, ["monitor_labels"]),
    ],
)
def test_monitor_arguments_without_a_monitor_are_rejected(given: dict[str, Any], rejected: list[str]) -> None:
    for monitor in ({}, {"monitor": "none"}):
        with rejects(*((f"monitoring.{name}", "disabled-feature") for name in rejected)):
            plan(args(monitoring={**given, **monitor}))
    plan(args(monitoring={**given, "monitor": "pod"}))


def test_monitor_labels_that_alert_rules_use_need_no_monitor() -> None:
    monitoring = plan(args(monitoring={"monitor_labels": {"a": "b"}, "alerts": {}})).monitoring
    assert monitoring is not None
    assert monitoring.alerts is not None
    assert monitoring.alerts.labels == {"a": "b"}


def test_another_metrics_exporter_is_accepted_without_monitoring() -> None:
    given = {"config": {"metricsExporterType": "LOG"}}
    planned = plan(args(broker_groups=group(**given), controllers=given, proxies=given))
    assert planned.groups[0].keys["metricsExporterType"] == "LOG"
    assert "metricsExporterType=LOG\n" in planned.controllers.config
    assert json.loads(planned.proxies.config)["metricsExporterType"] == "LOG"
    assert json.loads(plan(args(version="5.4.0", proxies=given)).proxies.config)["metricsExporterType"] == 3
