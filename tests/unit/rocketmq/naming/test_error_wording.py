"""Wording of the errors of `rocketmq/naming`."""

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.rocketmq.naming import resource_names
from tests.unit.harness.rejections import Wording, check_wording

TOPIC = (ARGS / "topics").index(0, "a b") / "name"
USER = (ARGS / "access" / "users").index(0, "a b") / "name"
WORDING = [
    Wording(
        "user-name",
        lambda: resource_names.validate_user_name("a b", "own-", USER),
        "access.users['a b'].name: 'a b' is not accepted. Accepted: 1 to 64 letters, digits, '_', '.', '@' and '-'.",
    ),
    Wording(
        "internal-user-name",
        lambda: resource_names.validate_user_name("own-1", "own-", ARGS / "name"),
        "name: names that begin with 'own-' are reserved for RocketMQ's own pods, so 'own-1' is not accepted. Choose "
        "another name.",
    ),
    Wording(
        "resource-name",
        lambda: resource_names.validate_topic_name("a b", frozenset(), TOPIC),
        "topics['a b'].name: RocketMQ does not accept the name 'a b'. Accepted: 1 to 127 letters, digits, '_', '-', "
        "'%' and '|'.",
    ),
    Wording(
        "reserved-resource-name",
        lambda: resource_names.validate_group_name("CID_RMQ_SYS_a", ARGS / "name"),
        "name: RocketMQ reserves the name 'CID_RMQ_SYS_a' for itself. Choose another name.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)
