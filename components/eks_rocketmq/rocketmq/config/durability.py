"""Durability profiles: what an acknowledged message is worth, as keys, timers and checks. Pure.

The figures are measured on 5.5.0 with three members on one machine: kill -9 of the master under load, 3 to 5 runs for a
setting, and five drained switchovers. A killed process leaves what it wrote in the page cache: this is the loss of a
process, and says nothing about the loss of power.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from eks_rocketmq.args.field_metadata import Enumeration
from eks_rocketmq.args.validation import did_you_mean
from eks_rocketmq.rocketmq.config.broker_config import Value


@dataclass(frozen=True)
class Profile:
    """One row of the table of profiles."""

    least_members: int
    least_controllers: int
    min_in_sync: int
    zones: int
    """Zones that the members of a group, and the controllers, are held to."""
    broker: dict[str, Value]
    kept: Mapping[str, tuple[Value, str]] = field(default_factory=dict)
    """Keys that nobody may set otherwise: the value, and what another one would do."""


# With RocketMQ's own timers a killed master cost 13 to 33 s without writes; with these it was 3 to 8 s where a write
# needs two members, and 1 to 2 s where it needs one.
_FAST_FAILOVER: dict[str, Value] = {
    # The shortest that RocketMQ takes. A survivor learns the new master's address by registering.
    "registerNameServerPeriod": 10000,
    "haSendHeartbeatInterval": 1000,
    "syncControllerMetadataPeriod": 1000,
    "checkSyncStateSetPeriod": 1000,
}

# An acknowledged message is not safe where a member counts as in sync that lacks it, or is elected without being so.
_ACKNOWLEDGED_STAYS: dict[str, tuple[Value, str]] = {
    "enableElectUncleanMaster": (False, "a member that lacks acknowledged messages could become master"),
    # DefaultMessageStore: where there are controllers, slaves write through the pool as well.
    "transientStorePoolEnable": (False, "a member that is killed would lose messages that it acknowledged"),
    # AutoSwitchHAConnection: the member is in sync without what it did not get.
    "syncFromLastFile": (False, "a member with an empty volume would get the newest file only"),
}

DurabilityProfile = Annotated[Literal["strict", "balanced", "dev"], Enumeration("DurabilityProfile")]
PROFILES = {
    # A message is acknowledged once every member in sync has it, and two at least: it outlives the loss of any one
    # process. No acknowledged message was lost in any run, with the master killed (4 with RocketMQ's own timers, 3 with
    # these) or drained (5). What is acknowledged is in the memory of two nodes; on their disks it is at once only with
    # flushDiskType SYNC_FLUSH. Power loss was not measured.
    # min_in_sync_replicas 1 lost none in 3 runs either, but until a survivor has attached again there is one copy, and
    # a second loss takes it.
    "strict": Profile(
        least_members=3,
        least_controllers=3,
        min_in_sync=2,
        zones=3,
        broker={"allAckInSyncStateSet": True, "autoCreateTopicEnable": False, **_FAST_FAILOVER},
        kept=_ACKNOWLEDGED_STAYS,
    ),
    # A message is acknowledged once every member in sync has it. Writes go on with a single member, whose messages then
    # have one copy until another one is in sync again. Groups of two were not measured.
    "balanced": Profile(
        least_members=2,
        least_controllers=3,
        min_in_sync=1,
        zones=2,
        broker={"allAckInSyncStateSet": True, "autoCreateTopicEnable": False, **_FAST_FAILOVER},
        kept=_ACKNOWLEDGED_STAYS,
    ),
    # One copy, topics appear when first used: for work on applications, not for messages that matter. Acknowledgements
    # that wait for no other member lost up to 29 messages with a killed master, in 3 of 5 runs.
    "dev": Profile(
        least_members=1,
        least_controllers=1,
        min_in_sync=1,
        zones=1,
        broker={"autoCreateTopicEnable": True, **_FAST_FAILOVER},
    ),
}

CONTROLLER_KEYS: dict[str, Value] = {
    # A member outside the in-sync set lacks acknowledged messages: rather no master than such a one.
    "enableElectUncleanMaster": False,
    "scanNotActiveBrokerInterval": 1000,
    "scanInactiveMasterInterval": 1000,
}

# The cached route is what clients behind the proxy wait for after a failover.
PROXY_KEYS: dict[str, Value] = {"topicRouteServiceCacheRefreshSeconds": 1}

_TIMERS: Mapping[str, Mapping[str, Value]] = {
    "broker": {
        **_FAST_FAILOVER,
        # RocketMQ's own: how long a member that says nothing counts as in sync, and as alive.
        "haMaxTimeSlaveNotCatchup": 15000,
        "brokerHeartbeatInterval": 1000,
        "controllerHeartBeatTimeoutMills": 10000,
    },
    "controller": {key: own for key, own in CONTROLLER_KEYS.items() if key.endswith("Interval")},
    "proxy": PROXY_KEYS,
}


def profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        ValueError: naming the profiles that exist.
    """
    if name not in PROFILES:
        msg = f"profile is {name!r}; accepted are {', '.join(map(repr, PROFILES))}{did_you_mean(name, PROFILES)}"
        raise ValueError(msg)
    return PROFILES[name]


def check_members(name: str, group: str, replicas: int, min_in_sync: int, said: str) -> None:
    """Refuses a group that cannot keep its profile's promise while one member is away, as its disruption budget allows.

    Args:
        name: of the profile.
        group: how an error names the group.
        replicas: its members.
        min_in_sync: how many of them must have a message.
        said: how an error names the input that says so.

    Raises:
        ValueError: naming the inputs, the numbers and what is accepted.
    """
    least = profile(name).least_members
    if replicas < least:
        msg = (
            f"{group}.replicas is {replicas}; profile {name!r} needs {least} or more: give it {least}"
            f"{_or_profile(other for other, row in PROFILES.items() if row.least_members <= replicas)}"
        )
        raise ValueError(msg)
    most = max(1, replicas - 1)
    if not 1 <= min_in_sync <= most:
        accepted = "1" if most == 1 else f"1 to {most}"
        why = ", so that writes go on while one member restarts" if replicas > 1 else ""
        larger = f", or {min_in_sync + 1} replicas and more" if min_in_sync > most else ""
        msg = f"{said} is {min_in_sync}, {group}.replicas is {replicas}; accepted is {accepted}{why}{larger}"
        raise ValueError(msg)


def check_quorum(name: str, replicas: int) -> None:
    """Refuses a number of controllers that gains nothing, or that a restart would stop where the profile must not.

    Raises:
        ValueError: naming the number and what is accepted.
    """
    fitting = [other for other, row in PROFILES.items() if row.least_controllers <= replicas and replicas % 2 == 1]
    if name not in fitting:
        msg = (
            f"controllers.replicas is {replicas}; accepted with profile {name!r} are odd numbers from "
            f"{profile(name).least_controllers} on: 3 elect a master while one of them is away{_or_profile(fitting)}"
        )
        raise ValueError(msg)


def check_zones(name: str, what: str, replicas: int, zones: Collection[str] | None, said: Iterable[str]) -> None:
    """Refuses zones over which the profile cannot spread the pods of a role.

    Args:
        name: of the profile.
        what: how an error names the role.
        replicas: its pods.
        zones: those that are left for them; None is any.
        said: how an error names the inputs that say so.

    Raises:
        ValueError: naming the inputs, the zones and how many the profile needs.
    """
    needed = min(profile(name).zones, replicas)
    if zones is not None and len(zones) < needed:
        allowed = f"{', '.join(sorted(zones))} only" if zones else "no zone"
        msg = (
            f"{' and '.join(said)}: {what} may run in {allowed}; profile {name!r} "
            f"spreads it over {needed}; accepted are {needed} zones or more"
            f"{_or_profile(other for other, row in PROFILES.items() if row.zones <= len(zones))}"
        )
        raise ValueError(msg)


def check_keys(name: str, values: Mapping[str, Value], what: str) -> None:
    """Refuses keys with which the profile's promise would not hold.

    Args:
        name: of the profile.
        values: all keys of a role, each known and of its type.
        what: how an error names them.

    Raises:
        ValueError: naming the key, what it would do and the way out.
    """
    for key, (kept, why) in profile(name).kept.items():
        if values.get(key, kept) != kept:
            msg = (
                f"{what}: {key} is {values[key]!r}; profile {name!r} needs {kept!r}: {why}; leave it out"
                f"{_or_profile(other for other, row in PROFILES.items() if key not in row.kept)}"
            )
            raise ValueError(msg)


def slower(role: str, given: Mapping[str, Value]) -> list[str]:
    """What is said of timers that are longer than those that the seconds without writes were measured with.

    Args:
        role: `broker`, `controller`, `name_server` or `proxy`.
        given: what the user sets, each key of its type.
    """
    return [
        f"{key} is {given[key]}, and {own} when it was measured how long a failover takes: writes may stop for longer, "
        "no acknowledged message depends on it"
        for key, own in _TIMERS.get(role, {}).items()
        if key in given and int(given[key]) > int(own)
    ]


def _or_profile(others: Iterable[str]) -> str:
    """The end of an error: the profiles that it would do for, if there are any."""
    names = " or ".join(map(repr, others))
    return f", or take profile {names}, which promises less" if names else ""


def registration_seconds(broker_keys: Mapping[str, Value]) -> int:
    """Seconds from one registration of a broker at the name servers to the next."""
    return -(-int(broker_keys["registerNameServerPeriod"]) // 1000)


def group_keys(name: str, replicas: int, min_in_sync: int) -> dict[str, Value]:
    """Broker keys that make a group of `replicas` keep the profile's promise."""
    return profile(name).broker | {
        "totalReplicas": replicas,
        "inSyncReplicas": min_in_sync,
        "minInSyncReplicas": min_in_sync,
    }
