"""Alert rules in Prometheus: `promtool` validates the rules and evaluates a case of each alert.

`promtool` is built from its pinned module. The first build takes two minutes of CPU time.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from eks_rocketmq.rocketmq.monitoring.alerts import build_rule_groups
from eks_rocketmq.rocketmq.plan import plan
from sandbox.cache import entry, go, linters
from sandbox.layout import CACHE
from sandbox.progress import Report
from tests.unit.rocketmq_case import args

NS = 'namespace="rocketmq"'
GROUP = f'{{{NS}, broker_set="broker-a"}}'
HEALTHY = {
    **{f'up{{{NS}, container="controller", pod="c-{i}"}}': "1x60" for i in range(3)},
    **{f'up{{{NS}, container="broker", pod="b-{i}"}}': "1x60" for i in range(3)},
    f'up{{{NS}, container="proxy", pod="p-0"}}': "1x60",
    f"rocketmq_proxy_up{{{NS}}}": "1x60",
    f"active_broker_num{GROUP}": "3x60",
    f"rocketmq_broker_permission{{{NS}}}": "6x60",
    f'kube_statefulset_replicas{{{NS}, statefulset="rocketmq-broker-a"}}': "3x60",
    f'kube_statefulset_status_replicas_ready{{{NS}, statefulset="rocketmq-broker-a"}}': "3x60",
    f'kube_statefulset_status_replicas_ready{{{NS}, statefulset="rocketmq-nameserver"}}': "2x60",
}
LAG = f'{NS}, node_id="broker-a", topic="T", consumer_group="G", is_retry="false", is_system="false"'
DEAD = f'rocketmq_send_to_dlq_messages_total{{{NS}, consumer_group="G", topic="%RETRY%G", is_system="false"}}'
SENDS = f'{NS}, node_id="broker-a", request_code="send_message_v2"'
COUNT = "rocketmq_rpc_latency_milliseconds_count"
BUCKET = "rocketmq_rpc_latency_milliseconds_bucket"
VOLUME = f'{NS}, persistentvolumeclaim="data-rocketmq-broker-a-0"'


@dataclass(frozen=True)
class Case:
    """Series that differ from a healthy cluster, one sample per minute, and the alerts that fire after one hour."""

    changed: dict[str, str | None]
    firing: tuple[str, ...]


def unreachable_controllers(left: int) -> dict[str, str | None]:
    """Return the `up` series of the controllers that do not answer."""
    return {f'up{{{NS}, container="controller", pod="c-{i}"}}': "0x60" for i in range(left, 3)}


CASES = {
    "healthy": Case({}, ()),
    "one member lost": Case({f"active_broker_num{GROUP}": "3x40 2x20"}, ("RocketMqMemberAway",)),
    "one member lost briefly": Case({f"active_broker_num{GROUP}": "3x50 2x4 3x5"}, ()),
    "two members lost": Case(
        {f"active_broker_num{GROUP}": "3x40 1x20"}, ("RocketMqGroupRefusesWrites", "RocketMqMemberAway")
    ),
    "all members lost, no group metrics from controllers": Case(
        {f"active_broker_num{GROUP}": "3x40 stale"}, ("RocketMqGroupRefusesWrites", "RocketMqMemberAway")
    ),
    "all controllers lost, no group metrics": Case(
        {f"active_broker_num{GROUP}": "3x30 stale", **unreachable_controllers(0)},
        ("RocketMqNoControllerQuorum", "RocketMqTargetDown"),
    ),
    "one controller lost": Case(unreachable_controllers(2), ("RocketMqControllerAway", "RocketMqTargetDown")),
    "two controllers lost": Case(
        unreachable_controllers(1),
        ("RocketMqControllerAway", "RocketMqNoControllerQuorum", "RocketMqTargetDown"),
    ),
    "a broker remains read-only": Case({f"rocketmq_broker_permission{{{NS}}}": "6x30 4x30"}, ("RocketMqReadOnly",)),
    "a drain": Case({f"rocketmq_broker_permission{{{NS}}}": "6x50 4x3 6x6"}, ()),
    "no proxy": Case({f"rocketmq_proxy_up{{{NS}}}": "1x40 stale"}, ("RocketMqNoProxy",)),
    "no metrics": Case(
        {series: None for series in HEALTHY if series.startswith(("up", "rocketmq", "active"))},
        ("RocketMqMetricsMissing",),
    ),
    "a member out of sync": Case(
        {f'kube_statefulset_status_replicas_ready{{{NS}, statefulset="rocketmq-broker-a"}}': "3x40 2x20"},
        ("RocketMqMemberOutOfSync",),
    ),
    "no name server": Case(
        {f'kube_statefulset_status_replicas_ready{{{NS}, statefulset="rocketmq-nameserver"}}': "2x40 0x20"},
        ("RocketMqNoNameServer",),
    ),
    "a pending claim": Case(
        {
            f'kube_persistentvolumeclaim_status_phase{{{VOLUME}, phase="Pending"}}': "1x60",
            f'kube_persistentvolumeclaim_status_phase{{{VOLUME}, phase="Bound"}}': "0x60",
        },
        ("RocketMqClaimPending",),
    ),
    "a crash loop": Case(
        {f'kube_pod_container_status_restarts_total{{{NS}, pod="rocketmq-proxy-x"}}': "0x40 1 2 3 4x16"},
        ("RocketMqRestarts",),
    ),
    "a volume at 80 %": Case(
        {
            f"kubelet_volume_stats_used_bytes{{{VOLUME}}}": "80x60",
            f"kubelet_volume_stats_capacity_bytes{{{VOLUME}}}": "100x60",
        },
        ("RocketMqDiskFilling",),
    ),
    "a volume at 86 %": Case(
        {
            f"kubelet_volume_stats_used_bytes{{{VOLUME}}}": "86x60",
            f"kubelet_volume_stats_capacity_bytes{{{VOLUME}}}": "100x60",
        },
        ("RocketMqDiskFilling", "RocketMqDiskFull"),
    ),
    "slow sends": Case(
        {
            f'{BUCKET}{{{SENDS}, response_code="success", le="100"}}': "0+10x60",
            f'{BUCKET}{{{SENDS}, response_code="success", le="1000"}}': "0+60x60",
            f'{BUCKET}{{{SENDS}, response_code="success", le="+Inf"}}': "0+60x60",
        },
        ("RocketMqSendLatency",),
    ),
    "fast sends": Case(
        {
            f'{BUCKET}{{{SENDS}, response_code="success", le="10"}}': "0+60x60",
            f'{BUCKET}{{{SENDS}, response_code="success", le="1000"}}': "0+60x60",
            f'{BUCKET}{{{SENDS}, response_code="success", le="+Inf"}}': "0+60x60",
        },
        (),
    ),
    "one send in four fails": Case(
        {
            f'{COUNT}{{{SENDS}, response_code="system_busy"}}': "0+5x60",
            f'{COUNT}{{{SENDS}, response_code="success"}}': "0+15x60",
        },
        ("RocketMqSendsFail",),
    ),
    "three members alive, too few of them in sync": Case(
        {
            f'{COUNT}{{{SENDS}, response_code="system_error"}}': "0x55 5 10 15 20 25",
            f'{COUNT}{{{SENDS}, response_code="success"}}': "0+15x55 825x5",
        },
        ("RocketMqSendsRefused",),
    ),
    "a client without permission": Case(
        {f'{COUNT}{{{SENDS}, response_code="no_permission"}}': "0+5x60"}, ("RocketMqSendsFail",)
    ),
    "a long queue": Case(
        {f'rocketmq_processor_watermark{{{NS}, pod="b-0", processor="send"}}': "5000x60"}, ("RocketMqRequestsQueue",)
    ),
    "a slow volume": Case(
        {f'rocketmq_storage_flush_behind_bytes{{{NS}, pod="b-0"}}': "536870912x60"}, ("RocketMqStoreBehind",)
    ),
    "a consumer behind, reported by master and slave": Case(
        {
            f'rocketmq_consumer_lag_messages{{{LAG}, pod="b-0"}}': "60000x60",
            f'rocketmq_consumer_lag_messages{{{LAG}, pod="b-1"}}': "60000x60",
        },
        (),
    ),
    "a consumer behind in messages": Case(
        {f'rocketmq_consumer_lag_messages{{{LAG}, pod="b-0"}}': "100001x60"}, ("RocketMqConsumerLag",)
    ),
    "a consumer behind in time": Case(
        {f"rocketmq_consumer_lag_latency_milliseconds{{{LAG}}}": "700000x60"}, ("RocketMqConsumerLate",)
    ),
    "the first dead letters of a group": Case({DEAD: "_x55 150x5"}, ("RocketMqDeadLetters",)),
    "more dead letters": Case({DEAD: "1x55 2x5"}, ("RocketMqDeadLetters",)),
    "old dead letters": Case({DEAD: "150x60"}, ()),
    "frequent master changes": Case(
        {f'election_total{{{NS}, broker_set="broker-a", election_result="new_master_elected"}}': "1x40 2 3 4 5 6 7x14"},
        ("RocketMqElections",),
    ),
    "one switchover": Case(
        {f'election_total{{{NS}, broker_set="broker-a", election_result="new_master_elected"}}': "1x40 2x20"}, ()
    ),
}


def rules(**alerts: Any) -> list[dict[str, Any]]:
    planned = plan(args(monitoring={"alerts": alerts}))
    monitoring = planned.monitoring
    assert monitoring is not None
    assert monitoring.alerts is not None
    return build_rule_groups(planned.alert_targets, monitoring.alerts)


NAMES = sorted({rule["alert"] for group in rules() for rule in group["rules"]})


@pytest.fixture(scope="module")
def promtool() -> str:
    folder = entry.ensure(CACHE, go.entry(linters.PROMTOOL), Report())
    return str(folder / linters.PROMTOOL.name)


def run(promtool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kubernetes_metrics", [True, False])
def test_promtool_accepts_the_rules(promtool: str, kubernetes_metrics: bool, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": rules(kubernetes_metrics=kubernetes_metrics)}))
    done = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_fires_in_at_least_one_case() -> None:
    assert sorted({name for case in CASES.values() for name in case.firing}) == NAMES


@pytest.mark.parametrize("name", CASES)
def test_case_fires_exactly_the_expected_alerts(promtool: str, name: str, tmp_path: Path) -> None:
    # The query identifies firing alerts by name. Their annotations are not compared.
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": rules()}))
    series = {key: values for key, values in (HEALTHY | CASES[name].changed).items() if values is not None}
    expected = sorted(CASES[name].firing)
    case = {
        "interval": "1m",
        "input_series": [{"series": key, "values": values} for key, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"}) > bool 0',
                "eval_time": "60m",
                "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in expected],
            }
        ],
    }
    file = tmp_path / "case.yaml"
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}))
    done = run(promtool, "test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
