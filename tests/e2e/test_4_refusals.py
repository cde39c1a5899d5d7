"""What a stack file gets wrong is said at preview, by the program, the engine or a provider, and nothing is touched."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.running_sandbox import Sandbox

Config = dict[str, Any]

_ROCKETMQ = "urn:pulumi:prod::eks-rocketmq::eks-rocketmq:index:RocketMq$"
NAMESPACE = f"{_ROCKETMQ}kubernetes:core/v1:Namespace::rocketmq-namespace"
BROKERS = f"{_ROCKETMQ}eks-rocketmq:index:BrokerMembers$kubernetes:apps/v1:StatefulSet::rocketmq-broker-a-set"
NOT_REPLACED = 'unable to replace resource "{}" as it is currently marked for protection.'
NOT_DELETED = 'resource "{}" cannot be deleted because it is protected.'


def _key(name: str, value: object) -> Callable[[Config], None]:
    return lambda config: config.update({name if ":" in name else f"eks-rocketmq:{name}": value})


def _rocketmq(**changed: object) -> Callable[[Config], None]:
    return lambda config: config["eks-rocketmq:rocketmq"].update(changed)


def _group(**changed: object) -> Callable[[Config], None]:
    return lambda config: config["eks-rocketmq:rocketmq"]["brokerGroups"][0].update(changed)


def _without_namespace(config: Config) -> None:
    config["eks-rocketmq:rocketmq"]["createNamespace"] = False
    del config["eks-rocketmq:rocketmq"]["podSecurity"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            _key("aws:allowedAccountIds", ["111122223333"]),
            "AWS account ID not allowed: 140023393377",
            id="account guard",
        ),
        pytest.param(
            _key("cluster", {"clusterName": "nowhere"}),
            "EKS cluster 'nowhere' cannot be read:",
            id="no such cluster",
        ),
        pytest.param(_key("rocketMq", {}), "rocketMq: unknown key.", id="unknown key"),
        pytest.param(
            _key("clusterName", "prod"),
            "clusterName: the key has a new name. Write cluster.clusterName.",
            id="former key",
        ),
        pytest.param(_rocketmq(brokerGroup=[]), "rocketmq.brokerGroup: unknown field.", id="unknown field"),
        pytest.param(_rocketmq(minInSyncReplicas="two"), "rocketmq.minInSyncReplicas: 'two' has", id="wrong type"),
        pytest.param(
            _group(config={"flushDiskTyp": "SYNC_FLUSH"}),
            "rocketmq.brokerGroups['broker-a'].config['flushDiskTyp']:",
            id="misspelt broker key",
        ),
        pytest.param(_group(storage="200Gi"), NOT_REPLACED.format(BROKERS), id="a set with data would be replaced"),
        pytest.param(
            _rocketmq(namespace="elsewhere"), NOT_REPLACED.format(NAMESPACE), id="the namespace would be another"
        ),
        pytest.param(_rocketmq(namespace="elsewhere"), NOT_REPLACED.format(BROKERS), id="a set with data would move"),
        pytest.param(
            _without_namespace,
            NOT_DELETED.format(NAMESPACE),
            id="the namespace of the data would go",
        ),
    ],
)
def test_a_wrong_stack_file_is_refused_at_preview(
    change: Callable[[Config], None], message: str, stopped: Sandbox
) -> None:
    printed = stopped.pulumi("preview", "-s", "prod", *stopped.changed(change), ok=False)
    assert message in " ".join(printed.split())  # the engine breaks its lines


def test_nothing_was_touched(stopped: Sandbox) -> None:
    stopped.pulumi("preview", "-s", "prod", "--expect-no-changes")
