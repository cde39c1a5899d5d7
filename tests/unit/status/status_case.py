"""Healthy deployment in three forms: facts, objects of the Kubernetes API, and recorded answers of the processes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kubernetes.client.exceptions import ApiException

from eks_rocketmq.lookups.pod_exec import CommandResult
from eks_rocketmq.status.status_facts import (
    BrokerAnswer,
    ClaimStatus,
    ControllerAnswer,
    DeclarationsAnswer,
    DiskUsage,
    GroupStatus,
    IdentityStatus,
    NameServerAnswer,
    PodAnswers,
    PodStatus,
    ReplicaConnection,
    ReplicaStatus,
    StatusFacts,
    WorkloadStatus,
)
from tests.unit.harness.fakes import REGION
from tests.unit.kubernetes_api import Api

GIB = 2**30
NOW = 1_800_000_000.0
DAY = 24 * 3600
GROUP = "broker-a"
LEADER = "rocketmq-controller-1.rocketmq-controller-peers.rocketmq.svc:9878"
ZONES = ("a", "b", "c")
ROLES = {"broker": 3, "controller": 3, "nameserver": 2, "proxy": 2, "declarations": 1}
SETS = {role: f"rocketmq-{GROUP if role == 'broker' else role}" for role in ROLES}
MASTER = "10.0.0.10:10911"
IDENTITY = IdentityStatus("ok", "service account kube-system/ebs-csi-controller-sa, 15 of 15 links ok")


def address(role: str, index: int) -> str:
    return f"10.0.{list(ROLES).index(role)}.{10 + index}"


def build_pod(role: str, index: int) -> PodStatus:
    has_claim = role in {"broker", "controller"}
    name = f"{SETS[role]}-{index}"
    return PodStatus(
        name=name,
        role=role,
        group=GROUP if role == "broker" else "",
        address=address(role, index),
        node=f"node-{ZONES[index]}",
        zone=f"{REGION}{ZONES[index]}",
        ready=True,
        running=True,
        reason="",
        restarts=0,
        image="apache/rocketmq:5.5.0",
        claim=f"data-{name}" if has_claim else "",
        has_tls=role != "declarations",
    )


def build_group(*, in_sync: Sequence[int] = (0, 1, 2), alive: Sequence[int] = (0, 1, 2)) -> GroupStatus:
    replicas = [ReplicaStatus(i + 1, f"10.0.0.{10 + i}:10911", i in alive, i in in_sync) for i in range(3)]
    return GroupStatus(GROUP, MASTER, 3, 7, tuple(replicas))


def build_broker(index: int) -> BrokerAnswer:
    replicas = tuple(ReplicaConnection(f"10.0.0.{each}", 0, in_sync=True) for each in (11, 12))
    return BrokerAnswer(
        responds=True,
        master=index == 0,
        replicas=replicas if index == 0 else (),
        master_address="" if index == 0 else "10.0.0.10:10912",
        max_offset=5000,
        version="5.5.0",
        permission=6 if index == 0 else None,
    )


def build_answers(role: str, index: int) -> PodAnswers:
    has_claim = role in {"broker", "controller"}
    return PodAnswers(
        broker=build_broker(index) if role == "broker" else None,
        controller=ControllerAnswer(True, LEADER, is_leader=index == 1) if role == "controller" else None,
        groups=(build_group(),) if role == "controller" and index == 1 else None,
        name_server=NameServerAnswer(True, ((GROUP, MASTER),)) if role == "nameserver" else None,
        declarations=DeclarationsAnswer("ok", 4, 5, 3, 2) if role == "declarations" else None,
        disk=DiskUsage(20 * GIB, 100 * GIB) if has_claim else None,
        certificate_end=NOW + 60 * DAY if role != "declarations" else None,
    )


def build_workload(role: str) -> WorkloadStatus:
    return WorkloadStatus(
        kind="Deployment" if role in {"proxy", "declarations"} else "StatefulSet",
        name=SETS[role],
        role=role,
        group=GROUP if role == "broker" else "",
        version="5.5.0",
        desired=ROLES[role],
        updated=ROLES[role],
        min_in_sync=2 if role == "broker" else 0,
        min_zones=3 if role in {"broker", "controller"} else 0,
    )


def build_claim(pod: PodStatus) -> ClaimStatus:
    return ClaimStatus(pod.claim, "Bound", "gp2", 100 * GIB, 100 * GIB)


def build_facts(**changes: Any) -> StatusFacts:
    """Return the facts of a healthy deployment, with changed fields."""
    pods = [build_pod(role, index) for role, count in ROLES.items() for index in range(count)]
    answers = {
        f"{SETS[role]}-{index}": build_answers(role, index)
        for role, count in ROLES.items()
        for index in range(count)
    }  # fmt: skip
    facts = StatusFacts(
        "rocketmq",
        "prod",
        NOW,
        IDENTITY,
        tuple(build_workload(role) for role in ROLES),
        tuple(pods),
        tuple(build_claim(each) for each in pods if each.claim),
        answers=answers,
    )
    return replace(facts, **changes)


def change_pod(facts: StatusFacts, name: str, **changes: Any) -> StatusFacts:
    assert isinstance(facts.pods, tuple)
    return replace(facts, pods=tuple(replace(each, **changes) if each.name == name else each for each in facts.pods))


def change_workload(facts: StatusFacts, role: str, **changes: Any) -> StatusFacts:
    assert isinstance(facts.workloads, tuple)
    workloads = tuple(replace(each, **changes) if each.role == role else each for each in facts.workloads)
    return replace(facts, workloads=workloads)


def change_claim(facts: StatusFacts, name: str, **changes: Any) -> StatusFacts:
    assert isinstance(facts.claims, tuple)
    claims = tuple(replace(each, **changes) if each.name == name else each for each in facts.claims)
    return replace(facts, claims=claims)


def change_answers(facts: StatusFacts, name: str, **changes: Any) -> StatusFacts:
    found = facts.answers[name]
    assert isinstance(found, PodAnswers)
    return replace(facts, answers={**facts.answers, name: replace(found, **changes)})


def change_broker(facts: StatusFacts, name: str, **changes: Any) -> StatusFacts:
    found = facts.answers[name]
    assert isinstance(found, PodAnswers)
    assert found.broker is not None
    return change_answers(facts, name, broker=replace(found.broker, **changes))


def change_group(facts: StatusFacts, group: GroupStatus) -> StatusFacts:
    return change_answers(facts, "rocketmq-controller-1", groups=(group,))


# The same deployment as recorded answers of the processes.


def section(name: str, status: int, text: str) -> str:
    return f"@@@ {name} {status}\n{text}\n"


def header(**fields: Any) -> str:
    base = {"code": 0, "flag": 1, "language": "JAVA", "opaque": 1, "serializeTypeCurrentRPC": "JSON", "version": 519}
    return json.dumps({**base, **fields}, separators=(",", ":"))


def respond(body: Any, **fields: Any) -> str:
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    return f"{header(**fields)}\n{text}"


DISK = (
    "Filesystem     1024-blocks     Used Available Capacity Mounted on\n"
    "/dev/nvme1n1     105090000 20971520  83886080      21% /data"
)
CERTIFICATE = "notAfter=Jan 15 08:00:00 2030 GMT"


def record_broker(index: int) -> str:
    slaves = [
        {"addr": f"/10.0.0.{each}:41312", "diff": 0, "inSync": True, "slaveAckOffset": 5000,
         "transferFromWhere": 5000, "transferredByteInSecond": 0}
        for each in (11, 12)
    ]  # fmt: skip
    master = {"haConnectionInfo": slaves, "inSyncSlaveNums": 2, "master": True, "masterCommitLogMaxOffset": 5000}
    client = {
        "activateTime": 1, "lastReadTimestamp": 2, "lastWriteTimestamp": 2, "masterAddr": "10.0.0.10:10912",
        "masterFlushOffset": 5000, "maxOffset": 5000, "transferredByteInSecond": 0,
    }  # fmt: skip
    slave = {"haClientRuntimeInfo": client, "haConnectionInfo": [], "inSyncSlaveNums": 0, "master": False}
    table = {"brokerVersionDesc": "V5_5_0", "commitLogMaxOffset": "5000", "dispatchBehindBytes": "0"}
    return (
        section("ha", 0, respond(slave if index else master))
        + section("runtime", 0, respond({"table": table}))
        + ("" if index else section("permission", 0, "brokerPermission=6"))
        + section("disk", 0, DISK)
        + section("certificate", 0, CERTIFICATE)
    )


def record_controller(index: int) -> str:
    fields = {
        "controllerLeaderId": "n1", "controllerLeaderAddress": LEADER, "group": "rocketmq-controllers",
        "isLeader": "true" if index == 1 else "false", "peers": "n0-…;n1-…",
    }  # fmt: skip

    def entry(number: int) -> dict[str, Any]:
        at = f"10.0.0.{9 + number}:10911"
        return {"alive": True, "brokerAddress": at, "brokerId": number, "brokerName": GROUP}

    group = {
        "inSyncReplicas": [entry(1), entry(2), entry(3)], "masterAddress": MASTER, "masterBrokerId": 1,
        "masterEpoch": 3, "notInSyncReplicas": [], "syncStateSetEpoch": 7,
    }  # fmt: skip
    groups = section("groups", 0, respond({"replicasInfoTable": {GROUP: group}}))
    return (
        section("metadata", 0, respond("", extFields=fields))
        + (groups if index == 1 else "")
        + section("disk", 0, DISK)
        + section("certificate", 0, CERTIFICATE)
    )


def record_name_server(_: int) -> str:
    # RocketMQ does not quote the IDs of the brokers.
    body = (
        '{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.10:10911",2:"10.0.0.11:10911",3:"10.0.0.12:10911"},'
        '"brokerName":"broker-a","cluster":"rocketmq","enableActingMaster":false}},'
        '"clusterAddrTable":{"rocketmq":["broker-a"]}}'
    )
    return section("routes", 0, respond(body)) + section("certificate", 0, CERTIFICATE)


def record_declarations(_: int) -> str:
    values = {"state": "ok", "age": "4", "topics": "5", "groups": "3", "users": "2"}
    return "".join(section(name, 0, text) for name, text in values.items())


RECORDS: Mapping[str, Callable[[int], str]] = {
    "broker": record_broker,
    "controller": record_controller,
    "nameserver": record_name_server,
    "proxy": lambda _: section("certificate", 0, CERTIFICATE),
    "declarations": record_declarations,
}


@dataclass
class FakePods:
    """In-process stand-in for `exec`. It returns recorded answers."""

    refusal: ApiException | OSError | None = None
    silent: set[str] = field(default_factory=set)
    """Pods whose command fails."""
    asked: dict[str, str] = field(default_factory=dict)
    """Command by pod."""

    def __call__(
        self, provider: Mapping[str, Any], namespace: str, pod: str, container: str, command: Sequence[str],
        seconds: float,
    ) -> CommandResult:  # fmt: skip
        assert (namespace, command[:2], seconds > 0, bool(provider)) == ("rocketmq", ["bash", "-c"], True, True)
        self.asked[pod] = command[2]
        if self.refusal:
            raise self.refusal
        if pod in self.silent:
            return CommandResult("", "container not found")
        return CommandResult(RECORDS[container](int(pod.rpartition("-")[2])), "")


# The same deployment as objects of the Kubernetes API.


def build_labels(role: str) -> dict[str, str]:
    group = {"rocketmq.apache.org/broker-group": GROUP} if role == "broker" else {}
    return {
        "app.kubernetes.io/part-of": "rocketmq", "app.kubernetes.io/component": role,
        "app.kubernetes.io/version": "5.5.0", **group,
    }  # fmt: skip


def build_template(role: str) -> dict[str, Any]:
    environment = [{"name": "MIN_IN_SYNC", "value": "2"}, {"name": "TLS", "value": "on"}]
    zone = {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1}
    strict = {**zone, "whenUnsatisfiable": "DoNotSchedule", "minDomains": 3}
    return {
        "containers": [
            {"name": "sidecar", "image": "other"},
            {"name": role, "image": "apache/rocketmq:5.5.0",
             "env": environment if role == "broker" else environment[1:] if role != "declarations" else []},
        ],
        "topologySpreadConstraints": [
            strict if role in {"broker", "controller"} else {**zone, "whenUnsatisfiable": "ScheduleAnyway"}
        ],
    }  # fmt: skip


def fill_cluster(api: Api) -> None:
    """Add the deployment to a fake API server."""
    for role, count in ROLES.items():
        name = SETS[role]
        kind = "deployments" if role in {"proxy", "declarations"} else "statefulsets"
        api.objects[f"/apis/apps/v1/namespaces/rocketmq/{kind}/{name}"] = {
            "metadata": {"name": name, "labels": build_labels(role), "generation": 2},
            "spec": {"replicas": count, "template": {"spec": build_template(role)}},
            "status": {"updatedReplicas": count, "updateRevision": "r2", "observedGeneration": 2},
        }
        for index in range(count):
            pod = build_pod(role, index)
            volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": pod.claim}}] if pod.claim else []
            api.objects[f"/api/v1/namespaces/rocketmq/pods/{pod.name}"] = {
                "metadata": {
                    "name": pod.name,
                    "namespace": "rocketmq",
                    "labels": build_labels(role) | {"controller-revision-hash": "r2"},
                    "ownerReferences": [{"kind": "StatefulSet", "name": name}],
                },
                "spec": {**build_template(role), "nodeName": pod.node, "volumes": volumes},
                "status": {
                    "phase": "Running", "podIP": pod.address,
                    "containerStatuses": [
                        {"name": role, "ready": True, "restartCount": 0, "started": True, "state": {"running": {}}}
                    ],
                },
            }  # fmt: skip
            if pod.claim:
                api.objects[f"/api/v1/namespaces/rocketmq/persistentvolumeclaims/{pod.claim}"] = {
                    "metadata": {"name": pod.claim, "namespace": "rocketmq"},
                    "spec": {"storageClassName": "gp2", "resources": {"requests": {"storage": "100Gi"}}},
                    "status": {"phase": "Bound", "capacity": {"storage": "100Gi"}},
                }
    api.objects["/api/v1/namespaces/rocketmq/pods/verify"] = {
        "metadata": {"name": "verify", "namespace": "rocketmq", "labels": build_labels("dashboard")},
        "spec": {"containers": [{"name": "dashboard"}]},
        "status": {"phase": "Running"},
    }
    nodes = [
        {"metadata": {"name": f"node-{each}", "labels": {"topology.kubernetes.io/zone": f"{REGION}{each}"}}}
        for each in ZONES
    ]
    api.objects["/api/v1/nodes"] = {"items": nodes}
