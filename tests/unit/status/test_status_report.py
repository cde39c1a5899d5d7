"""Report and command: one screen of text, JSON by its schema, exit codes, and the interval of `--watch`."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for
from typer.testing import CliRunner

from eks_rocketmq.commands import cli, status_command
from eks_rocketmq.doctor.facts.cluster_facts import Unreadable
from eks_rocketmq.lookups.kubeconfig_files import EksContext
from eks_rocketmq.status import status_reader
from eks_rocketmq.status.status_facts import IdentityStatus, StatusFacts
from eks_rocketmq.status.status_findings import judge_status
from eks_rocketmq.status.status_report import build_json, render_text
from tests.unit.doctor.live_case import build_aws
from tests.unit.doctor.live_case import fill_cluster as fill_driver
from tests.unit.harness import REPOSITORY
from tests.unit.harness.fakes import REGION
from tests.unit.kubernetes_api import Api
from tests.unit.status.status_case import (
    GIB,
    FakePods,
    build_facts,
    build_group,
    change_claim,
    change_group,
    fill_cluster,
)
from tests.unit.status.test_status_findings import FAULTS

SCHEMA = json.loads((resources.files("eks_rocketmq.status") / "status.schema.json").read_text())
VALIDATOR = validator_for(SCHEMA)(SCHEMA)
ESCAPE = "\x1b["
HEALTHY = build_facts()
UNREADABLE = replace(
    HEALTHY,
    answers={
        **HEALTHY.answers,
        "rocketmq-controller-1": Unreadable("exec in pod rocketmq-controller-1", "get and create pods/exec", "403"),
    },
)


def render(facts: StatusFacts, **options: Any) -> str:
    return render_text(facts, judge_status(facts), **options)


def test_a_healthy_deployment_fits_on_one_screen() -> None:
    text = render(HEALTHY)
    lines = text.splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) <= 150
    assert lines[0] == "RocketMQ in namespace rocketmq, cluster prod, 2027-01-15 08:00:00 UTC: healthy"
    for expected in (
        "identity        ok: service account kube-system/ebs-csi-controller-sa, 15 of 15 links ok",
        "group broker-a  master rocketmq-broker-a-0, epoch 3, 3 of 3 in sync, a write needs 2",
        "controllers     3 of 3 ready, leader rocketmq-controller-1",
        "name servers    2 of 2 ready",
        "proxies         2 of 2 ready",
        "declared        5 topics, 3 consumer groups, 2 users: on every member, 4 s ago",
        "versions        RocketMQ 5.5.0; all pods are of the newest revision",
        "certificates    the first one ends on 2027-03-16, in 60 days",
    ):
        assert expected in text
    (row,) = [each for each in lines if each.startswith("rocketmq-broker-a-1 ")]
    assert row.split() == [
        "rocketmq-broker-a-1", "slave", "yes", "0", "B", "ap-southeast-1b", "node-b", "0", "100", "GiB", "20", "%",
    ]  # fmt: skip
    assert "rocketmq-controller-1    ready, leader" in text
    assert "next" not in text


def test_the_versions_around_rocketmq_are_shown_if_they_are_known() -> None:
    known = replace(HEALTHY, identity=replace(HEALTHY.identity, kubernetes="1.35", driver="v1.50.0-eksbuild.1"))
    text = (
        "versions        RocketMQ 5.5.0, Kubernetes 1.35, EBS CSI driver v1.50.0-eksbuild.1; all pods are of the newest"
    )
    assert text in render(known)
    identity = build_json(known, [])["identity"]
    assert (identity["kubernetesVersion"], identity["driverVersion"]) == ("1.35", "v1.50.0-eksbuild.1")
    VALIDATOR.validate(build_json(known, []))
    unknown = build_json(HEALTHY, [])["identity"]
    assert (unknown["kubernetesVersion"], unknown["driverVersion"]) == (None, None)


def name_nodes_as_eks_does(facts: StatusFacts) -> StatusFacts:
    assert isinstance(facts.pods, tuple)
    pods = [replace(each, node=f"ip-10-200-123-{each.node[-1]}.{REGION}.compute.internal") for each in facts.pods]
    return replace(facts, pods=tuple(pods))


def test_columns_are_never_cut() -> None:
    facts = change_claim(
        name_nodes_as_eks_does(change_group(HEALTHY, build_group(in_sync=(0, 1)))), "data-rocketmq-broker-a-1",
        requested=200 * GIB, resizing="the volume has not begun to grow",
    )  # fmt: skip
    wide, narrow = render(facts), render(facts, width=110)
    assert "…" not in wide + narrow
    assert "ip-10-200-123-b  " in wide
    assert "ip-10-200-123-b" not in narrow
    for text in (wide, narrow):
        (row,) = [each for each in text.splitlines() if each.startswith("rocketmq-broker-a-1")]
        assert row.endswith("100 GiB  20 %  the volume has not begun to grow")


def test_color_is_only_for_a_terminal() -> None:
    facts = FAULTS[0][2]
    assert ESCAPE not in render(facts)
    assert ESCAPE in render(facts, color=True)


def test_the_next_risk_is_named_first() -> None:
    facts = change_group(HEALTHY, build_group(in_sync=(0, 1)))
    lines = render(facts).splitlines()
    assert lines[0].endswith(": 1 at risk")
    assert lines[1] == "  next            rocketmq-broker-a-2 is out of sync"
    assert "  2 of 3 in sync" in lines[3].replace(",", " ")
    assert any("NO" in each.split() for each in lines if each.startswith("rocketmq-broker-a-2"))
    assert "risk    member-out-of-sync: rocketmq-broker-a-2 is out of sync" in lines


def test_growth_under_way_is_shown_at_its_claim() -> None:
    facts = change_claim(HEALTHY, "data-rocketmq-broker-a-1", requested=200 * GIB, resizing="the volume grows")
    (row,) = [each for each in render(facts).splitlines() if each.startswith("rocketmq-broker-a-1")]
    assert row.endswith("the volume grows")


def test_missing_permissions_are_listed() -> None:
    facts = replace(UNREADABLE, identity=IdentityStatus("not-judged", "role: 403", ("iam:GetRole",)))
    text = render(facts)
    assert "not judged: nothing is broken" in text
    assert "leader rocketmq-controller-1" in text  # the others name it too
    assert text.endswith("Missing permissions: get and create pods/exec; iam:GetRole\n")


def test_the_schema_is_valid() -> None:
    VALIDATOR.check_schema(SCHEMA)


@pytest.mark.parametrize("facts", [each[2] for each in FAULTS], ids=[f"{i}-{each[0]}" for i, each in enumerate(FAULTS)])
def test_each_report_has_a_screen_and_matches_the_schema(facts: StatusFacts) -> None:
    findings = judge_status(facts)
    report = build_json(facts, findings)
    VALIDATOR.validate(report)
    assert [each["id"] for each in report["findings"]] == [each.id_ for each in findings]
    assert len(render(facts).splitlines()) < 40


@pytest.mark.parametrize(
    "facts",
    [
        HEALTHY,
        UNREADABLE,
        replace(HEALTHY, workloads=Unreadable("list", "list", "403"), pods=Unreadable("list", "list", "403"),
                claims=Unreadable("list", "list", "403"), answers={}, cluster=""),
        replace(HEALTHY, workloads=(), pods=(), claims=(), answers={}),
    ],
)  # fmt: skip
def test_facts_that_are_not_complete_have_a_report(facts: StatusFacts) -> None:
    VALIDATOR.validate(build_json(facts, judge_status(facts)))
    assert render(facts)


def test_many_findings_are_cut_in_the_text_only() -> None:
    findings = judge_status(FAULTS[0][2]) * 10
    assert f"… and {len(findings) - 8} more; --json lists all" in render_text(HEALTHY, findings)
    assert len(build_json(HEALTHY, findings)["findings"]) == len(findings)


@pytest.fixture
def live(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Api, FakePods, list[str]]:
    """A fake cluster with driver and deployment, and the arguments that select it."""
    pods = FakePods()
    reader = status_reader.StatusReader
    monkeypatch.setattr(status_reader, "StatusReader", lambda *arguments: reader(*arguments, pods))
    monkeypatch.setattr("eks_rocketmq.doctor.live_cluster.create_boto_session", lambda *_: build_aws())
    config = tmp_path / "config"
    fill_driver(api)
    api.objects.pop("/api/v1/namespaces/rocketmq/pods")
    api.objects.pop("/api/v1/nodes")
    fill_cluster(api)
    config.write_text(api.kubeconfig)
    return api, pods, ["--kubeconfig", str(config), "--cluster", "prod", "--region", "ap-southeast-1"]


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(status_command.app, list(arguments), catch_exceptions=False)
    return result.exit_code, result.output


def test_a_live_deployment_is_healthy(live: tuple[Api, FakePods, list[str]]) -> None:
    api, _, arguments = live
    status, text = invoke(*arguments)
    assert status == 0, text
    assert "cluster prod" in text
    assert "identity        ok: service account kube-system/ebs-csi-controller-sa" in text
    assert "RocketMQ 5.5.0, Kubernetes 1.35, EBS CSI driver v1.50.0-eksbuild.1; " in text
    assert ESCAPE not in text
    assert {each.method for each in api.requests} == {"GET"}
    status, text = invoke(*arguments, "--json")
    report = json.loads(text)
    VALIDATOR.validate(report)
    assert (status, report["result"], report["identity"]["state"]) == (0, "healthy", "ok")


def test_the_exit_code_is_1_for_a_risk(live: tuple[Api, FakePods, list[str]]) -> None:
    api, _, arguments = live
    status = api.objects["/api/v1/namespaces/rocketmq/pods/rocketmq-proxy-0"]["status"]
    status["containerStatuses"][0]["ready"] = False
    code, text = invoke(*arguments, "--no-identity")
    assert (code, "proxy-away" in text) == (1, True)
    assert "identity        skipped: --no-identity" in text


def test_the_exit_code_is_2_if_a_pod_cannot_be_asked(live: tuple[Api, FakePods, list[str]]) -> None:
    _, pods, arguments = live
    pods.refusal = TimeoutError("no answer in time")
    code, text = invoke(*arguments, "--no-identity")
    assert code == 2
    assert "exec in pod rocketmq-broker-a-0 failed: no answer in time (10 more pods failed too)" in text
    assert text.count("no answer in time") == 1


def test_a_cluster_that_does_not_answer_is_not_judged(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(Api(address="http://127.0.0.1:1").kubeconfig)
    code, text = invoke("--kubeconfig", str(config), "--no-identity")
    assert code == 2
    assert "list pods failed" in text


def test_a_namespace_without_rocketmq_is_named(live: tuple[Api, FakePods, list[str]]) -> None:
    _, _, arguments = live
    code, text = invoke(*arguments, "--namespace", "apps", "--no-identity")
    assert code == 2
    assert "Namespace apps contains no RocketMQ of this library. Give its namespace with --namespace." in text


def test_watch_repeats_until_it_is_interrupted(
    live: tuple[Api, FakePods, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, arguments = live
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(status_command.time, "sleep", wait)
    code, text = invoke(*arguments, "--no-identity", "--watch", "--interval", "2", "--json")
    assert (code, waits) == (0, [2, 2, 2])
    reports = [json.loads(each) for each in text.splitlines()]
    assert [each["result"] for each in reports] == ["healthy"] * 3


def test_the_identity_is_kept_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def judge(target: EksContext, _: dict[str, str]) -> IdentityStatus:
        read.append(target.cluster)
        return IdentityStatus("ok", str(len(read)))

    clock = iter((0.0, 30.0, 61.0, 61.0))
    monkeypatch.setattr(status_command.time, "monotonic", lambda: next(clock))
    reader = status_command.IdentityReader(EksContext("prod"), {}, judge)
    assert [reader.read().summary for _ in range(3)] == ["1", "1", "2"]


def test_the_console_script_has_the_command() -> None:
    result = CliRunner().invoke(cli.app, ["status", "--help"])
    assert result.exit_code == 0
    assert "--no-identity" in result.output


def test_the_command_loads_no_pulumi() -> None:
    program = (
        "import sys\n"
        "sys.argv = ['eks-rocketmq', 'status', '--help']\n"
        "from eks_rocketmq.commands.console import main\n"
        "try:\n    main()\nexcept SystemExit as error:\n    print('exit', error.code)\n"
        "import eks_rocketmq.status.status_reader, eks_rocketmq.doctor.collectors.collect\n"
        "print({name.partition('.')[0] for name in sys.modules})"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *_, code, modules = result.stdout.splitlines()
    assert code == "exit 0"
    loaded = set(modules.strip("{}").replace("'", "").split(", "))
    assert not {"pulumi", "pulumi_aws", "pulumi_eks", "pulumi_kubernetes", "grpc"} & loaded
    assert "kubernetes" in loaded


GUIDE = REPOSITORY / "docs" / "how-to" / "see-the-status.md"


def test_the_guide_has_each_finding() -> None:
    rows = [line for line in GUIDE.read_text().splitlines() if line.startswith("| `")]
    assert {each[0] for each in FAULTS} <= set(re.findall(r"`([a-z-]+)`", "\n".join(rows)))


def test_the_guide_has_the_rights_that_the_reader_needs(live: tuple[Api, FakePods, list[str]]) -> None:
    api, _, arguments = live
    invoke(*arguments, "--no-identity")
    role, cluster_role = yaml.safe_load_all(GUIDE.read_text().split("```yaml\n")[1].partition("```")[0])
    assert (role["kind"], role["metadata"]["namespace"]) == ("Role", "rocketmq")
    assert (cluster_role["kind"], cluster_role["metadata"]) == ("ClusterRole", {"name": role["metadata"]["name"]})
    assert {role["apiVersion"], cluster_role["apiVersion"]} == {"rbac.authorization.k8s.io/v1"}
    # Before Kubernetes 1.35 a websocket needs the verb `get` alone.
    assert role["rules"].pop() == {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]}
    granted = {
        ((f"/apis/{group}" if group else "/api") + f"/v1{scope}/{resource}", verb)
        for each, scope in ((role, "/namespaces/rocketmq"), (cluster_role, ""))
        for rule in each["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == {(each.path, "list") for each in api.requests}
