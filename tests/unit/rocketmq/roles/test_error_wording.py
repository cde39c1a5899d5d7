"""Wording of the errors of `rocketmq/roles`, and of errors about a whole deployment."""

from typing import Any

import pytest

from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import run
from tests.unit.harness.rejections import Wording, check_wording
from tests.unit.rocketmq_case import args, group


def plan_group(**changes: Any) -> object:
    return plan(args(broker_groups=group(**changes)))


def deploy_twice() -> object:
    def program() -> None:
        RocketMq("first", args())
        RocketMq("second", args())

    return run(program)


WORDING = [
    Wording(
        "broker-group-name-length",
        lambda: plan_group(name="b" * 41),
        f"broker_groups['{'b' * 41}'].name: '{'b' * 41}' has 41 characters. Accepted: up to 40 characters.",
    ),
    Wording(
        "broker-group-name-reserved",
        lambda: plan_group(name="controller"),
        "broker_groups['controller'].name: 'controller' is the name of another role. Choose another name.",
    ),
    Wording(
        "storage-too-small-for-log",
        lambda: plan_group(storage="2Gi"),
        "broker_groups['broker-a'].storage: '2Gi' is too small for the log. Accepted: '4096Mi' or more, room for 4 "
        "files of the log. For a smaller volume, set a smaller mappedFileSizeCommitLog in "
        "broker_groups['broker-a'].config.",
    ),
    Wording(
        "no-broker-group",
        lambda: plan(args(broker_groups=[])),
        "broker_groups: the list is empty. Accepted: one group or more.",
    ),
    Wording(
        "namespace-of-another-rocketmq",
        deploy_twice,
        "namespace: this program has RocketMq 'first' in namespace 'rocketmq' already, and their objects have the same "
        "names. Accepted: one RocketMq in a namespace. Give 'second' another namespace, or a provider of another "
        "cluster.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)
