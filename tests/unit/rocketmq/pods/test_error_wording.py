"""Wording of the errors of `rocketmq/pods`."""

from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.rocketmq.pods import mode_preflight, pod_settings, rollout_preflight
from tests.unit.harness.rejections import Wording, check_wording


def plan_pods(**pods: Any) -> object:
    return pod_settings.plan_role_pods(pod_settings.PodSettings(), [(ARGS / "pods", pods)])  # ty: ignore[invalid-argument-type]


GROUP = (ARGS / "broker_groups").key("broker-a")
UNFINISHED = {"status": {"currentRevision": "a", "updateRevision": "b"}}

WORDING = [
    Wording(
        "empty-zone",
        lambda: plan_pods(zones=["ap-southeast-1a", ""]),
        "pods.zones[1]: the name is empty. Accepted: the name of a zone, such as 'ap-southeast-1a'.",
    ),
    Wording(
        "empty-node-preference",
        lambda: plan_pods(node_affinity={"preferred": [{"weight": 1, "match": []}]}),
        "pods.node_affinity.preferred[0].match: the list is empty, so the preference would match every node. "
        "Accepted: one expression or more.",
    ),
    Wording(
        "node-expression-values",
        lambda: plan_pods(node_affinity={"required": [{"key": "cpus", "operator": "Gt", "values": ["8Gi"]}]}),
        "pods.node_affinity.required[0].values: ['8Gi'] does not fit operator 'Gt'. Accepted: one whole number as a "
        "string, such as '8'.",
    ),
    Wording(
        "toleration-without-key",
        lambda: plan_pods(tolerations=[{"value": "mq"}]),
        "pods.tolerations[0].key: the toleration has the value 'mq' and no key. Give the key of the taint, or leave "
        "the value out.",
    ),
    Wording(
        "toleration-seconds",
        lambda: plan_pods(tolerations=[{"seconds": 5}]),
        "pods.tolerations[0].seconds: Kubernetes accepts seconds only with pods.tolerations[0].effect 'NoExecute'. Set "
        "pods.tolerations[0].effect to 'NoExecute', or leave the seconds out.",
    ),
    Wording(
        "variable-name",
        lambda: plan_pods(environment={"A-B": "1"}),
        "pods.environment: 'A-B' is not accepted. Accepted: names of letters, digits and '_' that do not begin with a "
        "digit, such as 'TZ'.",
    ),
    Wording(
        "java-option-of-newer-jdk",
        lambda: plan_pods(java_options=["-Xlog:gc"]),
        "pods.java_options[0]: the JDK 8 of the official image does not start with '-Xlog:gc'. Accepted: options of "
        "JDK 8.",
    ),
    Wording(
        "java-option-set-by-deployment",
        lambda: plan_pods(java_options=["-Xmx8g"]),
        "pods.java_options[0]: '-Xmx8g' would override a setting of the deployment. Leave the option out. memory "
        "determines the sizes.",
    ),
    Wording(
        "java-stack-size",
        lambda: plan_pods(java_options=["-Xss2m"]),
        "pods.java_options[0]: '-Xss2m' is no accepted stack size. Accepted: '-Xss256k' to '-Xss1m' for each thread.",
    ),
    Wording(
        "java-option",
        lambda: plan_pods(java_options=["org.example.Main"]),
        "pods.java_options[0]: 'org.example.Main' is not accepted. Accepted: options of the JVM, such as "
        "'-XX:MaxGCPauseMillis=100'.",
    ),
    Wording(
        "set-by-deployment",
        lambda: plan_pods(environment={"POD_IP": "1", "TZ": "UTC", "CLASSPATH": "/x"}),
        "pods.environment: the deployment sets 'POD_IP', 'CLASSPATH' itself. Leave 'POD_IP', 'CLASSPATH' out.",
    ),
    Wording(
        "version-downgrade",
        lambda: rollout_preflight.validate_version("5.5.0", "5.4.0"),
        "version: 5.4.0 is older than 5.5.0, the version of the last update. It was not tested whether an older "
        "version can read a volume that a newer one has written. Accepted: 5.5.0 or a later version. Restore the "
        "version. To go back after an upgrade, follow docs/how-to/upgrade-rocketmq.md.",
    ),
    Wording(
        "member-removal",
        lambda: rollout_preflight.validate_removal(GROUP, 5, ["rocketmq-broker-a-0", "rocketmq-broker-a-2"]),
        "broker_groups['broker-a'].replicas: members that stay are not ready (rocketmq-broker-a-0, "
        "rocketmq-broker-a-2), so they may lack messages of those that this update removes. Accepted: 5 until they are "
        "ready. Restore the number, and lower it when `eks-rocketmq status` shows that all of them are ready.",
    ),
    Wording(
        "removal-stops-writes",
        lambda: rollout_preflight.validate_remaining(GROUP, 4, 3, 3),
        "broker_groups['broker-a'].replicas: this update would remove members and restart another one at the same "
        "time. 2 would run, and a write needs 3 until all have restarted. Accepted: 4 in this update. Restore the "
        "number and run `pulumi up`, so that a write needs fewer. Then lower the number.",
    ),
    Wording(
        "controller-count-change",
        lambda: rollout_preflight.validate_member_count(1, 3),
        "controllers.replicas: 1 controllers run, and an update cannot make that 3. RocketMQ does not change the "
        "members of the Raft quorum: new ones would elect a leader with an empty log, and brokers would lose their "
        "IDs. Accepted: 1. Restore the number, or follow docs/how-to/change-the-number-of-controllers.md.",
    ),
    Wording(
        "mode-change",
        lambda: mode_preflight.validate_tls_change(None, "enforcing"),
        "tls: one update cannot change it from none to enforcing. Pods that have restarted and pods that have not "
        "would refuse each other, and the update would stop at the first member. Accepted: mode 'permissive' in "
        "between. Set tls.mode to 'permissive' and update, then make this change. See docs/how-to/turn-on-tls.md.",
    ),
    Wording(
        "certificate-change",
        lambda: mode_preflight.validate_secret_change("mq-tls", "mq-tls-2", verified=True),
        "tls.secret_name: one update cannot change it from 'mq-tls' to 'mq-tls-2' while pods verify certificates. Pods "
        "that have restarted and pods that have not would refuse the certificates of each other if their authorities "
        "differ. Accepted: a change while tls.mode is 'permissive'. Set tls.mode to 'permissive' and update. Make this "
        "change and update. Then set tls.mode to 'enforcing'. See docs/how-to/turn-on-tls.md.",
    ),
    Wording(
        "generation-change",
        lambda: mode_preflight.validate_generation("1", "3"),
        "access.internal_generation: one update cannot change it from 1 to 3. Members know the present user and the "
        "next one only, and would refuse each other. Accepted: 1 or 2. Raise it by one, update, and repeat.",
    ),
    Wording(
        "rollout-unfinished",
        lambda: mode_preflight.validate_rollout(ARGS / "access" / "internal_generation", "2", "3", UNFINISHED),
        "access.internal_generation: an update cannot change it from 2 to 3 yet. The update to 2 did not finish, and "
        "pods from before it would refuse those of this one. Accepted: 2 until that update is finished. Restore the "
        "value, and run `pulumi up` until it succeeds. Then make this change.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)
