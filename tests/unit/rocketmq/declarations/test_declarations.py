"""Topics and consumer groups: the files and the pod of the declarations, and rejected arguments."""

import asyncio
from typing import Any

import pytest
from pulumi import ResourceHookArgs

from eks_rocketmq.rocketmq.declarations import topics
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.plan import plan
from tests.unit.harness import Recording
from tests.unit.harness.rejections import list_rejections, rejects
from tests.unit.rocketmq.secured_case import DECLARATIONS, PROXIES, environment, secret
from tests.unit.rocketmq_case import ARGS, args, config, container, deploy, group, pod, workload


def test_declarations_have_the_format_that_the_scripts_read(secured: Recording) -> None:
    lines = secret(secured, "declared")["users"].splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["admin", "Super", "enable"],
        ["former", "Normal", "disable"],
        ["orders", "Normal", "enable"],
        ["rocketmq-internal-1", "Super", "enable"],
        ["rocketmq-internal-2", "Super", "enable"],
    ]
    assert lines[0].split()[3] == "Chosen-by-a-person"
    assert lines[3].split()[3] == secret(secured, "internal")["password"]
    assert secret(secured, "internal")["username"] == "rocketmq-internal-1"
    assert secret(secured, "declared")["permissions"].splitlines() == [
        "User:orders Group:orders Pub,Sub 10.0.0.0/8 Allow",
        "User:orders Topic:orders-* Pub,Sub 10.0.0.0/8 Allow",
        "User:orders Topic:orders-secret All - Deny",
    ]
    files = config(secured, "rocketmq-declarations-config")
    assert files["topics.broker-a"] == "orders-new FIFO 16 8 4\n"
    assert files["groups"] == "orders true true true 3\n"
    assert files["members"].splitlines() == [
        f"broker-a rocketmq-broker-a-{i}.rocketmq-broker-a-peers.rocketmq.svc:10911" for i in range(3)
    ]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "g true true false 16"),
        ({"consume": False}, "g false true false 16"),
        ({"broadcast": False}, "g true false false 16"),
        ({"ordered": True}, "g true true true 16"),
        ({"max_retries": 0}, "g true true false 0"),
    ],
)
def test_consumer_group_line_has_the_fields_that_the_script_reads(given: dict[str, Any], line: str) -> None:
    (group,) = topics.plan_consumer_groups([{"name": "g", **given}])
    assert group.line == line


def test_declarations_deployment_is_created_last_with_one_replica(secured: Recording) -> None:
    declarations = next(r for r in secured.by_type("Deployment") if r.name == DECLARATIONS)
    # The declarations delete the users of an earlier generation, so no pod may still use them.
    for earlier in ("rocketmq-broker-a-set", PROXIES):
        (one,) = (r for r in secured.resources.values() if r.name == earlier)
        assert secured.reaches(declarations, one)
    spec = workload(secured, DECLARATIONS)
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_declarations_pod_is_restricted_small_and_without_a_jvm(secured: Recording) -> None:
    main, spec = container(secured, DECLARATIONS), pod(secured, DECLARATIONS)
    assert main["command"] == ["bash", "/etc/rocketmq/declare.sh"]
    assert main["resources"] == {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    assert main["securityContext"]["readOnlyRootFilesystem"] is True
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    files = config(secured, "rocketmq-declarations-config")
    for script in ("declare.sh", "declared.sh", "declared.awk", "ask.sh", "sign.sh"):
        assert script in files
    status = environment(secured, DECLARATIONS)["STATUS"]
    assert main["readinessProbe"]["exec"]["command"] == ["bash", "/etc/rocketmq/declared.sh", status, "120"]
    assert main["livenessProbe"]["exec"]["command"][-1] == "alive"
    assert environment(secured, DECLARATIONS)["DECLARED"] == "/etc/rocketmq"
    mount_paths = {mount["mountPath"] for mount in main["volumeMounts"] if mount["name"] == "declared"}
    assert mount_paths == {environment(secured, DECLARATIONS)["ACCESS"]}


def test_declarations_pod_reaches_brokers_and_accepts_no_connections(secured: Recording) -> None:
    spec = secured.one("NetworkPolicy", "rocketmq-declarations-network-policy").inputs["spec"]
    assert (spec["policyTypes"], "ingress" in spec) == (["Ingress", "Egress"], False)
    ports = {port["port"]: bool(rule.get("to")) for rule in spec["egress"] for port in rule["ports"]}
    assert ports == {10911: True, 53: False}
    broker = secured.one("NetworkPolicy", "rocketmq-broker-a-network-policy").inputs["spec"]
    roles = [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for rule in broker["ingress"]
        for peer in rule["from"]
        if rule["ports"][0]["port"] == 10911
    ]
    assert roles == ["broker", "controller", "proxy", "declarations"]
    assert workload(secured, DECLARATIONS)["selector"]["matchLabels"]["app.kubernetes.io/component"] == "declarations"


def test_topic_is_declared_in_its_broker_groups() -> None:
    two = [*ARGS["broker_groups"], *group(name="broker-b")]
    topics = [{"name": "everywhere"}, {"name": "one", "broker_groups": ["broker-b"]}]
    files = plan(args(broker_groups=two, topics=topics)).declared_files
    assert files["topics.broker-a"] == "everywhere NORMAL 8 8 6\n"
    assert files["topics.broker-b"] == "everywhere NORMAL 8 8 6\none NORMAL 8 8 6\n"
    assert len(files["members"].splitlines()) == 6


def test_mixed_topics_are_accepted_with_the_broker_setting() -> None:
    mixed = group(config={"enableMixedMessageType": True})
    files = plan(args(broker_groups=mixed, topics=[{"name": "a", "type": "MIXED"}])).declared_files
    assert files["topics.broker-a"].startswith("a MIXED ")


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"topics": [{"name": ""}]}, "topics[''].name", "resource-name"),
        ({"topics": [{"name": "a b"}]}, "topics['a b'].name", "resource-name"),
        ({"topics": [{"name": "a.b"}]}, "topics['a.b'].name", "resource-name"),
        ({"topics": [{"name": "t" * 128}]}, f"topics['{'t' * 128}'].name", "resource-name"),
        *(
            ({"topics": [{"name": name}]}, f"topics[{name!r}].name", "reserved-resource-name")
            for name in ("TBW102", "rmq_sys_x", "%RETRY%orders", "rocketmq", "broker-a", "rocketmq_REPLY_TOPIC")
        ),
        ({"topics": [{"name": "a"}, {"name": "a"}]}, "topics", "duplicate"),
        ({"topics": [{"name": "a", "type": "FIF0"}]}, "topics['a'].type", "choice"),
        ({"topics": [{"name": "a", "type": "MIXED"}]}, "topics['a'].type", "topic-mixed-type"),
        (
            {
                "version": "5.3.3",
                "profile": "dev",
                "broker_groups": group(replicas=1),
                "topics": [{"name": "a", "type": "PRIORITY"}],
            },
            "topics['a'].type",
            "topic-type-version",
        ),
        ({"topics": [{"name": "a", "queues": 0}]}, "topics['a'].queues", "range"),
        (
            {"topics": [{"name": "a", "queues": 4, "write_queues": 5}]},
            "topics['a'].write_queues",
            "topic-write-queues",
        ),
        ({"topics": [{"name": "a", "permission": "RWX"}]}, "topics['a'].permission", "choice"),
        (
            {"topics": [{"name": "a", "broker_groups": ["broker-a", "broker-b"]}]},
            "topics['a'].broker_groups[1]",
            "choice",
        ),
        ({"topics": [{"name": "a", "broker_groups": []}]}, "topics['a'].broker_groups", "topic-broker-groups"),
        ({"consumer_groups": [{"name": "g" * 121}]}, f"consumer_groups['{'g' * 121}'].name", "resource-name"),
        ({"consumer_groups": [{"name": "käse"}]}, "consumer_groups['käse'].name", "resource-name"),
        (
            {"consumer_groups": [{"name": "CID_RMQ_SYS_x"}]},
            "consumer_groups['CID_RMQ_SYS_x'].name",
            "reserved-resource-name",
        ),
        ({"consumer_groups": [{"name": "g"}, {"name": "g"}]}, "consumer_groups", "duplicate"),
        ({"consumer_groups": [{"name": "g", "max_retries": -1}]}, "consumer_groups['g'].max_retries", "range"),
        ({"consumer_groups": [{"name": "g", "max_retries": 2**31}]}, "consumer_groups['g'].max_retries", "range"),
        (
            {"broker_groups": group(name="declarations")},
            "broker_groups['declarations'].name",
            "broker-group-name-reserved",
        ),
    ],
)
def test_invalid_topics_and_consumer_groups_are_rejected(changes: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        plan(args(**changes))


def topic(**counts: int) -> dict[str, Any]:
    return {"topics": [{"name": "orders", **counts}]}


@pytest.mark.parametrize(
    ("before", "after", "accepted"),
    [
        (topic(queues=8), topic(queues=4), False),
        (topic(queues=8), topic(queues=8, write_queues=4), True),
        (topic(queues=8, write_queues=4), topic(queues=4), True),
        (topic(queues=8, write_queues=4), topic(queues=3), False),
        (topic(queues=8), topic(queues=16), True),
        (topic(queues=8), {"topics": [{"name": "other", "queues": 1}]}, True),
    ],
)
def test_queues_that_may_have_messages_keep_their_consumers(
    before: dict[str, Any], after: dict[str, Any], *, accepted: bool
) -> None:
    old, recording = deploy(preview=True, **before).one("Deployment", DECLARATIONS), deploy(preview=True, **after)
    new = recording.one("Deployment", DECLARATIONS)
    (hook,) = (recording.hooks[each] for each in new.before_update)
    update = ResourceHookArgs("urn", "id", "name", "type", new_inputs=new.inputs, old_inputs=old.inputs)
    if accepted:
        asyncio.run(hook(update))
        return
    with pytest.raises(RuntimeError) as error:
        asyncio.run(hook(update))
    assert list_rejections(error.value) == [("topics['orders'].queues", "topic-unread-queues")]


def test_topics_of_several_broker_groups_have_one_line() -> None:
    groups = [*ARGS["broker_groups"], *group(name="broker-b")]
    deployment = deploy(broker_groups=groups, **topic(queues=8, write_queues=4)).one("Deployment", DECLARATIONS)
    assert deployment.inputs["metadata"]["annotations"][labels.QUEUES_ANNOTATION] == "orders 8 4\n"
