"""Wording of the errors and warnings of `rocketmq/config`, and of the limitations of single versions."""

from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.rocketmq import version_limits
from eks_rocketmq.rocketmq.config import broker_config, durability, key_changes, key_rules, memory, tls
from tests.unit.harness.rejections import Wording, check_wording
from tests.unit.rocketmq_case import args

GROUP = (ARGS / "broker_groups").index(0, "a")
CONFIG = ARGS / "config"
WARNINGS = ["config-key-deprecated", "config-key-unread", "slow-timer", "flush-on-master-only", "version-loses-topics"]


def merge(role: str = "broker", **config: Any) -> object:
    fixed = frozenset({"listenPort"})
    return broker_config.merge_keys("5.5.0", role, {}, config, fixed=fixed, path=GROUP / "config")


def change(before: str, after: str) -> object:
    return key_changes.reject_key_changes("broker", "5.5.0", before, after, CONFIG)


WORDING = [
    Wording(
        "store-key-change",
        lambda: change("timerPrecisionMs=100\n", ""),
        "config['timerPrecisionMs']: an update cannot change it from 100 to 1000, because delayed messages on the "
        "volumes would be lost or delivered twice. Accepted: 100. Restore the value. Only new members can have another "
        "one, for example those of a new broker group.",
    ),
    Wording(
        "deletion-change",
        lambda: change("cleanFileForciblyEnable=false\n", ""),
        "config['cleanFileForciblyEnable']: it would change from false to RocketMQ's default, true. A broker would "
        "then delete the oldest messages of a volume that is 85 % full, also those that no consumer has read. "
        "Accepted: true or false, given explicitly. Set it to false to keep the messages, or to true to have them "
        "deleted.",
    ),
    Wording(
        "message-store-with-agent",
        lambda: key_rules.reject_store_plug_in({"messageStorePlugIn": "com.example.Store"}, CONFIG, agent=True),
        "config['messageStorePlugIn']: 'com.example.Store' is another message store. The agent needs RocketMQ's own, "
        "and the brokers would exit at their start. Leave the key out, or set agent to false.",
    ),
    Wording(
        "config-key-unknown",
        lambda: merge(mapedFileSizeCommitLog=1),
        "broker_groups['a'].config['mapedFileSizeCommitLog']: RocketMQ 5.5.0 has no such key for a broker. Did you "
        "mean 'mappedFileSizeCommitLog'?",
    ),
    Wording(
        "config-value",
        lambda: merge(fileReservedTime="48h"),
        "broker_groups['a'].config['fileReservedTime']: '48h' is not accepted. Accepted: a whole number, 1 to "
        "2147483647 (hours, 0 would delete every full file of messages).",
    ),
    Wording(
        "config-key-password",
        lambda: merge(initAuthenticationUser="secret"),
        "broker_groups['a'].config['initAuthenticationUser']: the key contains a password, which would be readable in "
        "a ConfigMap and in the state of the stack. Leave the key out. Use access for users and tls for certificates.",
    ),
    Wording(
        "config-key-acl",
        lambda: merge(aclEnable=True),
        "broker_groups['a'].config['aclEnable']: RocketMQ 5.5.0 never reads the key, so every client would still have "
        "access. Leave the key out. Use access for access control.",
    ),
    Wording(
        "config-key-reserved",
        lambda: merge(listenPort=1),
        "broker_groups['a'].config['listenPort']: the deployment sets the key, so you cannot override it. Leave the "
        "key out.",
    ),
    Wording(
        "config-keys-contradict",
        lambda: merge(diskSpaceWarningLevelRatio=80),
        "broker_groups['a'].config: diskSpaceCleanForciblyRatio 85 and diskSpaceWarningLevelRatio 80 contradict each "
        "other. Brokers would reject writes before they delete old files to free space. Make the first smaller than "
        "the second.",
    ),
    Wording(
        "profile-members",
        lambda: durability.check_members("strict", GROUP, 2, 1, ARGS / "min_in_sync_replicas"),
        "broker_groups['a'].replicas: profile 'strict' needs more members than 2. Accepted: 3 or more. Or set profile "
        "to 'balanced' or 'dev', which has weaker guarantees.",
    ),
    Wording(
        "group-in-sync-members",
        lambda: durability.check_members("strict", GROUP, 3, 3, ARGS / "min_in_sync_replicas"),
        "min_in_sync_replicas: 3 is out of range, because broker_groups['a'].replicas is 3. Accepted: 1 to 2, so that "
        "writes continue while one member restarts. Or set broker_groups['a'].replicas to 4 or more.",
    ),
    Wording(
        "profile-controllers",
        lambda: durability.check_quorum("strict", 1),
        "controllers.replicas: profile 'strict' does not accept 1. Accepted: an odd number, 3 or more. 3 controllers "
        "elect a master while one of them is unavailable. Or set profile to 'dev', which has weaker guarantees.",
    ),
    Wording(
        "profile-zones",
        lambda: durability.check_zones("strict", ARGS / "controllers", 3, {"b", "a"}, [ARGS / "pods" / "zones"]),
        "pods.zones: controllers may run in 'a', 'b' only, but profile 'strict' needs more zones. Accepted: 3 or more "
        "zones. Or set profile to 'balanced' or 'dev', which has weaker guarantees.",
    ),
    Wording(
        "profile-key",
        lambda: durability.check_keys("strict", {"transientStorePoolEnable": True}, CONFIG),
        "config['transientStorePoolEnable']: profile 'strict' does not accept True, because a member that is killed "
        "would lose messages that it acknowledged. Accepted: False, or no value. Or set profile to 'dev', which has "
        "weaker guarantees.",
    ),
    Wording(
        "role-memory",
        lambda: memory.divide_memory("broker", "1Gi", GROUP / "memory"),
        "broker_groups['a'].memory: '1Gi' is too small for a broker. Accepted: 1536Mi or more. Leave the argument out "
        "for the default.",
    ),
    Wording(
        "tls-authority",
        lambda: tls.plan_tls({"secret_name": "tls", "authority": "../ca.crt"}),
        "tls.authority: '../ca.crt' is not accepted. Accepted: a key of the Secret, such as 'ca.crt'.",
    ),
    Wording(
        "topics-lost-at-failover",
        lambda: version_limits.list_version_warnings("5.3.3", args(topics=[{"name": "orders"}])),
        "topics: declared topics have a message type, and slaves of RocketMQ 5.3.3 reject such topics. A failover "
        "would lose them. Set version to '5.4.0' or later, or use groups of one member.",
    ),
]
VARIANTS = [
    Wording(
        "config-key-unknown",
        lambda: merge("name_server", namesrvAddr="a"),
        "broker_groups['a'].config['namesrvAddr']: RocketMQ 5.5.0 has no such key for a name server. The key exists "
        "for a broker or a proxy.",
    ),
    Wording(
        "config-key-unknown",
        lambda: broker_config.validate_keys("5.3.3", "broker", {"writeWithoutMmap": True}, CONFIG),
        "config['writeWithoutMmap']: RocketMQ 5.3.3 has no such key for a broker. The key exists in RocketMQ 5.4.0, "
        "5.5.0.",
    ),
    Wording(
        "config-value",
        lambda: merge(flushDiskType="SYNC"),
        "broker_groups['a'].config['flushDiskType']: 'SYNC' is not accepted. Accepted: 'SYNC_FLUSH' or 'ASYNC_FLUSH'.",
    ),
    Wording(
        "config-value",
        lambda: merge(deleteWhen="4 pm"),
        "broker_groups['a'].config['deleteWhen']: '4 pm' is not accepted. Accepted: hours of the day, such as '04' or "
        "'04;16'.",
    ),
    Wording(
        "config-value",
        lambda: merge(timerWheelEnable=False),
        "broker_groups['a'].config['timerWheelEnable']: False is not accepted. Accepted: True (otherwise clients of "
        "the proxies receive no messages).",
    ),
    Wording(
        "config-keys-contradict",
        lambda: merge(enableAutoInSyncReplicas=True, enableControllerMode=True),
        "broker_groups['a'].config: enableAutoInSyncReplicas True and enableControllerMode True contradict each other. "
        "RocketMQ reads the first only without controllers. Leave it out, and use min_in_sync_replicas.",
    ),
    Wording(
        "group-in-sync-members",
        lambda: durability.check_members("dev", GROUP, 1, 2, ARGS / "min_in_sync_replicas"),
        "min_in_sync_replicas: 2 is out of range, because broker_groups['a'].replicas is 1. Accepted: 1. Or set "
        "broker_groups['a'].replicas to 3 or more.",
    ),
    Wording(
        "profile-zones",
        lambda: durability.check_zones(
            "dev", GROUP, 1, set(), [ARGS / "pods" / "zones", GROUP / "pods" / "node_affinity"]
        ),
        "broker_groups['a'].pods.node_affinity: broker_groups['a'] may run in no zone, but profile 'dev' needs more "
        "zones. Accepted: 1 or more zones, also in pods.zones.",
    ),
    Wording(
        "role-memory",
        lambda: memory.divide_memory("broker", "4Gi", GROUP / "memory", direct_needed=5120),
        "broker_groups['a'].memory: '4Gi' is too small for a broker with a transient store pool of 5120 MiB. Accepted: "
        "21760Mi or more. Or lower transientStorePoolSize.",
    ),
]


@pytest.mark.parametrize("wording", WORDING + VARIANTS, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)


def test_warning_wording() -> None:
    warnings = [
        *broker_config.list_key_warnings("5.5.0", "broker", {"maxTopicLength": 100}, CONFIG),
        *durability.list_timer_warnings("broker", {"checkSyncStateSetPeriod": 1001}, CONFIG),
        *durability.list_flush_warnings({"flushDiskType": "SYNC_FLUSH"}, CONFIG, agent=False),
        *version_limits.list_version_warnings("5.3.3", args()),
    ]
    assert [warning.code for warning in warnings] == WARNINGS
    assert [warning.render() for warning in warnings] == [
        "config['maxTopicLength']: the key is deprecated in RocketMQ 5.5.0, and a later version will not have it.",
        "config['maxTopicLength']: RocketMQ 5.5.0 never reads the key, so it has no effect.",
        "config['checkSyncStateSetPeriod']: 1001 is longer than 1000, the value in the measurements of the failover "
        "time. Writes may stop for longer at a failover. No acknowledged message depends on this timer.",
        "config['flushDiskType']: without the agent, a message is acknowledged when it is on the disk of the master "
        "only. Set agent to true, so that it is on the disk of every in-sync member.",
        "version: slaves of RocketMQ 5.3.3 reject topics that have attributes, such as a message type, and every topic "
        "after them. A failover loses these topics. Use '5.4.0' or later.",
    ]
