"""Durability profiles: keys, timers and checks that decide when an acknowledged message is safe. Pure.

The figures were measured on 5.5.0 with three members on one machine: `kill -9` of the master under load, 3 to 5 runs
for each setting, and five drained switchovers. The page cache outlives a killed process. The figures therefore cover
the loss of a process, not the loss of power.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage
from eks_rocketmq.args.field_metadata import Enumeration
from eks_rocketmq.args.validation import validate_choice
from eks_rocketmq.rocketmq.config.broker_config import Value


@dataclass(frozen=True)
class Profile:
    """Requirements and broker keys of one durability profile."""

    min_members: int
    min_controllers: int
    min_in_sync: int
    zones: int
    """Minimum number of zones over which the members of a group and the controllers are spread."""
    broker: dict[str, Value]
    required_keys: Mapping[str, tuple[Value, str]] = field(default_factory=dict)
    """Keys with a required value: the value, and the effect of any other value."""


# With RocketMQ's default timers, writes stopped for 13 to 33 s after the master was killed. With these timers they
# stopped for 3 to 8 s when a write needs two members, and for 1 to 2 s when it needs one or with the agent.
_FAST_FAILOVER: dict[str, Value] = {
    # The shortest period that RocketMQ accepts. Other members learn the new master's address when they register.
    "registerNameServerPeriod": 10000,
    "haSendHeartbeatInterval": 1000,
    "syncControllerMetadataPeriod": 1000,
    "checkSyncStateSetPeriod": 1000,
    # ReplicasManager.changeToSlave registers at all name servers, and waits for each, before it replicates from the new
    # master. With the default of 24000, a name server on a lost node kept a group below two in-sync members for 23 s.
    "registerBrokerTimeoutMills": 3000,
}

# Keys of every profile with the agent. Without it, a master that drops its last slave acknowledges waiting writes. It
# must drop slaves late then.
_AGENT_TIMERS: dict[str, Value] = {
    # How long writes wait for a slave that is silent but not disconnected. After that the master closes the connection.
    # haMaxTimeSlaveNotCatchup does not end the wait: transferToSlave of AutoSwitchHAConnection counts a slave as caught
    # up when everything is sent, not when it is acknowledged.
    "haHousekeepingInterval": 4000,
}

# Keys of every profile.
_ALL_PROFILES: dict[str, Value] = {
    # TimerWheel.flush compares the whole timer wheel, 37 MiB, byte by byte. With the default of 1000 this is the most
    # expensive timer of an idle broker. The flush also writes the checkpoint that slaves copy every 3 s, so a longer
    # period repeats more delayed messages after a failover. It loses none. Slaves copy consumer offsets only every 10 s
    # (SlaveSynchronize.syncAll), so a failover repeats other messages from a longer time than this one.
    "timerFlushIntervalMs": 5000,
    # TimerDequeuePutMessageService stores a delayed message that is due. By default it discards the message after three
    # attempts in 1.5 s, for example while the volume is full.
    "timerEnableRetryUntilSuccess": True,
}

# An acknowledged message can be lost if a member without it is in the in-sync set, or is elected from outside the set.
_SAFETY_KEYS: dict[str, tuple[Value, str]] = {
    "enableElectUncleanMaster": (False, "a member that lacks acknowledged messages could become master"),
    # DefaultMessageStore: with controllers, slaves write through the pool too.
    "transientStorePoolEnable": (False, "a member that is killed would lose messages that it acknowledged"),
    # AutoSwitchHAConnection: the member joins the in-sync set without the older files.
    "syncFromLastFile": (False, "a member with an empty volume would get the newest file only"),
    # TimerMessageStore
    "timerEnableRetryUntilSuccess": (
        True,
        "delayed messages that become due while the volume is full would be discarded",
    ),
    "timerSkipUnknownError": (False, "delayed messages would be discarded after an error"),
    # PopReviveService.rePutCK
    "skipWhenCKRePutReachMaxTimes": (
        False,
        "a message without an acknowledgement would not be delivered again if this failed several times",
    ),
}

DurabilityProfile = Annotated[Literal["strict", "balanced", "dev"], Enumeration("DurabilityProfile")]
PROFILES = {
    # A message is acknowledged when all members of the in-sync set have it, at least two. It then survives the loss of
    # any one process. No run lost an acknowledged message: master killed (4 runs with RocketMQ's default timers, 3 with
    # these), master drained (5 runs). An acknowledged message is in the memory of two nodes. With the agent and
    # flushDiskType SYNC_FLUSH it is on the disks of all members of the in-sync set.
    # min_in_sync_replicas 1 lost no message in 3 runs either. But there is one copy until another member is in sync
    # again, and a second failure loses it.
    "strict": Profile(
        min_members=3,
        min_controllers=3,
        min_in_sync=2,
        zones=3,
        broker={
            "allAckInSyncStateSet": True,
            "autoCreateTopicEnable": False,
            # By default RocketMQ deletes the oldest files above 85 % of the disk, whether or not they are consumed.
            # Without that, brokers reject writes above 90 %.
            "cleanFileForciblyEnable": False,
            **_FAST_FAILOVER,
        },
        required_keys=_SAFETY_KEYS,
    ),
    # A message is acknowledged when all members of the in-sync set have it. Writes continue with a single member. Its
    # messages have one copy until another member is in sync again. Groups of two were not measured.
    "balanced": Profile(
        min_members=2,
        min_controllers=3,
        min_in_sync=1,
        zones=2,
        broker={"allAckInSyncStateSet": True, "autoCreateTopicEnable": False, **_FAST_FAILOVER},
        required_keys=_SAFETY_KEYS,
    ),
    # For development, not for messages that matter: one copy, and topics are created on first use. When an
    # acknowledgement waits for no other member, a killed master lost up to 29 messages, in 3 of 5 runs.
    "dev": Profile(
        min_members=1,
        min_controllers=1,
        min_in_sync=1,
        zones=1,
        broker={"autoCreateTopicEnable": True, **_FAST_FAILOVER},
    ),
}

CONTROLLER_KEYS: dict[str, Value] = {
    # A member outside the in-sync set can miss acknowledged messages. No master is better than such a master.
    "enableElectUncleanMaster": False,
    "scanNotActiveBrokerInterval": 1000,
    "scanInactiveMasterInterval": 1000,
}

# After a failover, clients of the proxies wait until the cached route is refreshed. While no broker is registered, a
# proxy forgets the types of topics and the users, and then refuses their messages until it reads them again.
PROXY_KEYS: dict[str, Value] = {
    "topicRouteServiceCacheRefreshSeconds": 1,
    "topicConfigCacheRefreshSeconds": 5,
    "subscriptionGroupConfigCacheRefreshSeconds": 5,
    "userCacheRefreshSeconds": 5,
    "aclCacheRefreshSeconds": 5,
}

_MEASURED_TIMERS: Mapping[str, Mapping[str, Value]] = {
    "broker": {
        **_FAST_FAILOVER,
        **_AGENT_TIMERS,
        # RocketMQ's defaults: how long a lagging member stays in the in-sync set, and how long a silent one counts as
        # alive.
        "haMaxTimeSlaveNotCatchup": 15000,
        "brokerHeartbeatInterval": 1000,
        "controllerHeartBeatTimeoutMills": 10000,
    },
    "controller": {key: value for key, value in CONTROLLER_KEYS.items() if key.endswith("Interval")},
    "proxy": PROXY_KEYS,
}


_PROFILE = ARGS / "profile"


def find_profile(name: str) -> Profile:
    """Return a profile by its name.

    Raise ValueError for an unknown name. The error lists the profiles.
    """
    return PROFILES[validate_choice(name, PROFILES, _PROFILE)]


def check_members(name: str, group: ArgumentPath, replicas: int, min_in_sync: int, input_path: ArgumentPath) -> None:
    """Reject a group that cannot meet its profile while one member is unavailable, as its disruption budget allows.

    Raise ValueError if the group has too few members, or a write needs too many of them.

    Args:
        name: name of the profile.
        min_in_sync: number of in-sync members that a write needs.
        input_path: path of the input that sets `min_in_sync`, for errors.
    """
    minimum = find_profile(name).min_members
    if replicas < minimum:
        raise ArgumentError(
            group / "replicas",
            "profile-members",
            "{profile} {name!r} needs more members than {given}",
            accepted="{minimum} or more",
            remedy=_suggest_profiles(other for other, row in PROFILES.items() if row.min_members <= replicas),
            given=replicas,
            profile=_PROFILE,
            name=name,
            minimum=minimum,
        )
    maximum = max(1, replicas - 1)
    if not 1 <= min_in_sync <= maximum:
        raise ArgumentError(
            input_path,
            "group-in-sync-members",
            "{given} is out of range, because {replicas} is {members}",
            accepted=("1" if maximum == 1 else "1 to {maximum}")
            + ", so that writes continue while one member restarts" * (replicas > 1),
            remedy="Or set {replicas} to {needed} or more" if min_in_sync > maximum else "",
            given=min_in_sync,
            replicas=group / "replicas",
            members=replicas,
            maximum=maximum,
            needed=min_in_sync + 1,
        )


def check_quorum(name: str, replicas: int) -> None:
    """Reject an even number of controllers, or fewer than the profile needs to keep a quorum during a restart."""
    accepted_profiles = [
        other for other, row in PROFILES.items() if row.min_controllers <= replicas and replicas % 2 == 1
    ]
    if name not in accepted_profiles:
        raise ArgumentError(
            ARGS / "controllers" / "replicas",
            "profile-controllers",
            "{profile} {name!r} does not accept {given}",
            accepted="an odd number, {minimum} or more. 3 controllers elect a master while one of them is unavailable",
            remedy=_suggest_profiles(accepted_profiles),
            given=replicas,
            profile=_PROFILE,
            name=name,
            minimum=find_profile(name).min_controllers,
        )


def check_zones(
    name: str,
    path: ArgumentPath,
    replicas: int,
    zones: Collection[str] | None,
    input_paths: Iterable[ArgumentPath],
) -> None:
    """Reject zones that are too few to spread the pods of a role as the profile requires.

    Raise ValueError with the path of the last input if the zones are too few.

    Args:
        name: name of the profile.
        zones: zones that the pods may use; None for any zone.
        input_paths: paths of the inputs that limit the zones, for errors.
    """
    needed = min(find_profile(name).zones, replicas)
    if zones is not None and len(zones) < needed:
        *others, last = input_paths
        raise ArgumentError(
            last,
            "profile-zones",
            "{role} may run in {given}, but {profile} {name!r} needs more zones",
            accepted="{needed} or more zones" + ", also in {others}" * bool(others),
            remedy=_suggest_profiles(other for other, row in PROFILES.items() if row.zones <= len(zones)),
            given=f"{', '.join(map(repr, sorted(zones)))} only" if zones else "no zone",
            profile=_PROFILE,
            name=name,
            role=path,
            others=others,
            needed=needed,
        )


def check_keys(name: str, values: Mapping[str, Value], path: ArgumentPath) -> None:
    """Reject keys that break the durability of the profile.

    `values` are all keys of a role, already validated. Raise ValueError for a value that the profile does not accept.
    """
    for key, (required, reason) in find_profile(name).required_keys.items():
        if values.get(key, required) != required:
            raise ArgumentError(
                path.key(key),
                "profile-key",
                "{profile} {name!r} does not accept {given!r}, because {reason}",
                accepted="{required!r}, or no value",
                remedy=_suggest_profiles(other for other, row in PROFILES.items() if key not in row.required_keys),
                given=values[key],
                profile=_PROFILE,
                name=name,
                reason=reason,
                required=required,
            )


def list_timer_warnings(role: str, given: Mapping[str, Value], path: ArgumentPath) -> list[ArgumentMessage]:
    """Return warnings about timers that are longer than in the measurements of the failover time.

    `role` is `broker`, `controller`, `name_server` or `proxy`. `given` are the keys that the user sets, already
    validated.
    """
    return [
        ArgumentMessage(
            path.key(key),
            "slow-timer",
            "{given} is longer than {measured}, the value in the measurements of the failover time",
            remedy="Writes may stop for longer at a failover. No acknowledged message depends on this timer",
            values={"given": given[key], "measured": own},
        )
        for key, own in _MEASURED_TIMERS.get(role, {}).items()
        if key in given and int(given[key]) > int(own)
    ]


def list_flush_warnings(given: Mapping[str, Value], path: ArgumentPath, *, agent: bool) -> list[ArgumentMessage]:
    """Return a warning about synchronous flush on the master only.

    AutoSwitchHAClient reports the end of a slave's log, also if it is not flushed. The agent reports what is flushed.

    `given` are the keys of a role that the user sets, already validated.
    """
    if agent or given.get("flushDiskType") != "SYNC_FLUSH":
        return []
    return [
        ArgumentMessage(
            path.key("flushDiskType"),
            "flush-on-master-only",
            "without the agent, a message is acknowledged when it is on the disk of the master only",
            remedy="Set {agent} to true, so that it is on the disk of every in-sync member",
            values={"agent": ARGS / "agent"},
        )
    ]


def _suggest_profiles(others: Iterable[str]) -> str:
    """Return the remedy of an error: the profiles that accept the value, or nothing. `{profile}` is the argument."""
    names = " or ".join(map(repr, others))
    return f"Or set {{profile}} to {names}, which has weaker guarantees" if names else ""


def get_registration_seconds(broker_keys: Mapping[str, Value]) -> int:
    """Return the period in seconds in which a broker registers with the name servers, rounded up."""
    return -(-int(broker_keys["registerNameServerPeriod"]) // 1000)


def build_group_keys(name: str, replicas: int, min_in_sync: int, *, agent: bool) -> dict[str, Value]:
    """Return the broker keys of the profile for a group of `replicas` members, with or without the agent."""
    return {
        **_ALL_PROFILES,
        **(_AGENT_TIMERS if agent else {}),
        **find_profile(name).broker,
        "totalReplicas": replicas,
        "inSyncReplicas": min_in_sync,
        "minInSyncReplicas": min_in_sync,
    }
