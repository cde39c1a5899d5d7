"""Errors in a stack file: rejected at preview by the program, the engine or a provider, before any change."""

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
            id="account not allowed",
        ),
        pytest.param(
            _key("cluster", {"clusterName": "nowhere"}),
            "EKS cluster 'nowhere' cannot be read:",
            id="missing cluster",
        ),
        pytest.param(_key("rocketMq", {}), "rocketMq: unknown key.", id="unknown key"),
        pytest.param(
            _key("clusterName", "prod"),
            "clusterName: the key has a new name. Write cluster.clusterName.",
            id="renamed key",
        ),
        pytest.param(_rocketmq(brokerGroup=[]), "rocketmq.brokerGroup: unknown field.", id="unknown field"),
        pytest.param(_rocketmq(minInSyncReplicas="two"), "rocketmq.minInSyncReplicas: 'two' has", id="wrong type"),
        pytest.param(
            _group(config={"flushDiskTyp": "SYNC_FLUSH"}),
            "rocketmq.brokerGroups['broker-a'].config['flushDiskTyp']:",
            id="unknown broker key",
        ),
        pytest.param(_group(storage="200Gi"), NOT_REPLACED.format(BROKERS), id="replacement of set by size"),
        pytest.param(_rocketmq(namespace="elsewhere"), NOT_REPLACED.format(NAMESPACE), id="replacement of namespace"),
        pytest.param(
            _rocketmq(namespace="elsewhere"), NOT_REPLACED.format(BROKERS), id="replacement of set by namespace"
        ),
        pytest.param(
            _without_namespace,
            NOT_DELETED.format(NAMESPACE),
            id="deletion of namespace",
        ),
    ],
)
def test_invalid_stack_file_is_rejected_at_preview(
    change: Callable[[Config], None], message: str, stopped: Sandbox
) -> None:
    printed = stopped.pulumi("preview", "-s", "prod", *stopped.changed(change), ok=False)
    assert message in " ".join(printed.split())  # the engine wraps its lines


def test_rejected_previews_change_nothing(stopped: Sandbox) -> None:
    stopped.pulumi("preview", "-s", "prod", "--expect-no-changes")
