"""Wording of the errors of `rocketmq/namespace`."""

import pytest

from eks_rocketmq.rocketmq.namespace.namespace_preflight import validate_member_count
from tests.unit.harness.rejections import Wording, check_wording

WORDING = [
    Wording(
        "controller-count-change",
        lambda: validate_member_count(1, 3),
        "controllers.replicas: 1 controllers run, and an update cannot make that 3. RocketMQ does not change the "
        "members of the Raft quorum: new ones would elect a leader with an empty log, and brokers would lose their "
        "IDs. Accepted: 1. Restore the number, or follow docs/how-to/change-the-number-of-controllers.md.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)
