"""Wording of the errors of `rocketmq/namespace`."""

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.rocketmq.namespace.namespace_preflight import (
    validate_generation,
    validate_member_count,
    validate_rollout,
    validate_tls_change,
)
from tests.unit.harness.rejections import Wording, check_wording

UNFINISHED = {"status": {"currentRevision": "a", "updateRevision": "b"}}

WORDING = [
    Wording(
        "controller-count-change",
        lambda: validate_member_count(1, 3),
        "controllers.replicas: 1 controllers run, and an update cannot make that 3. RocketMQ does not change the "
        "members of the Raft quorum: new ones would elect a leader with an empty log, and brokers would lose their "
        "IDs. Accepted: 1. Restore the number, or follow docs/how-to/change-the-number-of-controllers.md.",
    ),
    Wording(
        "mode-change",
        lambda: validate_tls_change(None, "enforcing"),
        "tls: one update cannot change it from none to enforcing. Pods that have restarted and pods that have not "
        "would refuse each other, and the update would stop at the first member. Accepted: mode 'permissive' in "
        "between. Set tls.mode to 'permissive' and update, then make this change. See docs/how-to/turn-on-tls.md.",
    ),
    Wording(
        "generation-change",
        lambda: validate_generation("1", "3"),
        "access.internal_generation: one update cannot change it from 1 to 3. Members know the present user and the "
        "next one only, and would refuse each other. Accepted: 1 or 2. Raise it by one, update, and repeat.",
    ),
    Wording(
        "rollout-unfinished",
        lambda: validate_rollout(ARGS / "access" / "internal_generation", "2", "3", UNFINISHED),
        "access.internal_generation: an update cannot change it from 2 to 3 yet. The update to 2 did not finish, and "
        "pods from before it would refuse those of this one. Accepted: 2 until that update is finished. Restore the "
        "value, and run `pulumi up` until it succeeds. Then make this change.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)
