"""Durability profiles: what an acknowledged message is worth, as keys, timers and checks. Pure.

The figures are measured on 5.5.0 with three members on one machine: kill -9 of the master under load, 3 to 5 runs for a
setting, and five drained switchovers. A killed process leaves what it wrote in the page cache: this is the loss of a
process, and says nothing about the loss of power.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from eks_rocketmq.rocketmq.broker_config import Value
from eks_rocketmq.validation import did_you_mean


@dataclass(frozen=True)
class Profile:
    """One row of the table of profiles."""

    least_members: int
    min_in_sync: int
    zones: int
    """Zones that the members of a group, and the controllers, are held to."""
    broker: dict[str, Value]


# With RocketMQ's own timers a killed master cost 13 to 33 s without writes; with these it was 3 to 8 s where a write
# needs two members, and 1 to 2 s where it needs one.
_FAST_FAILOVER: dict[str, Value] = {
    # The shortest that RocketMQ takes. A survivor learns the new master's address by registering.
    "registerNameServerPeriod": 10000,
    "haSendHeartbeatInterval": 1000,
    "syncControllerMetadataPeriod": 1000,
    "checkSyncStateSetPeriod": 1000,
}

PROFILES = {
    # A message is acknowledged once every member in sync has it, and two at least: it outlives the loss of any one
    # process. No acknowledged message was lost in any run, with the master killed (4 with RocketMQ's own timers, 3 with
    # these) or drained (5). What is acknowledged is in the memory of two nodes; on their disks it is at once only with
    # flushDiskType SYNC_FLUSH. Power loss was not measured.
    # min_in_sync_replicas 1 lost none in 3 runs either, but until a survivor has attached again there is one copy, and
    # a second loss takes it.
    "strict": Profile(
        least_members=3,
        min_in_sync=2,
        zones=3,
        broker={"allAckInSyncStateSet": True, "autoCreateTopicEnable": False, **_FAST_FAILOVER},
    ),
    # A message is acknowledged once every member in sync has it. Writes go on with a single member, whose messages then
    # have one copy until another one is in sync again. Groups of two were not measured.
    "balanced": Profile(
        least_members=2,
        min_in_sync=1,
        zones=2,
        broker={"allAckInSyncStateSet": True, "autoCreateTopicEnable": False, **_FAST_FAILOVER},
    ),
    # One copy, topics appear when first used: for work on applications, not for messages that matter. Acknowledgements
    # that wait for no other member lost up to 29 messages with a killed master, in 3 of 5 runs.
    "dev": Profile(
        least_members=1,
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


def profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        ValueError: naming the profiles that exist.
    """
    if name not in PROFILES:
        msg = f"profile is {name!r}; accepted are {', '.join(map(repr, PROFILES))}{did_you_mean(name, PROFILES)}"
        raise ValueError(msg)
    return PROFILES[name]


def check_members(name: str, group: str, replicas: int, min_in_sync: int) -> None:
    """Refuses a group that cannot keep its profile's promise while one member is away, as its disruption budget allows.

    Raises:
        ValueError: naming the group, the numbers and what is accepted.
    """
    least = profile(name).least_members
    if replicas < least:
        msg = f"broker group {group!r} has {replicas} replicas; profile {name!r} needs {least} or more"
        raise ValueError(msg)
    most = max(1, replicas - 1)
    if not 1 <= min_in_sync <= most:
        msg = (
            f"min_in_sync_replicas is {min_in_sync}, broker group {group!r} has {replicas} replicas; accepted is 1 to "
            f"{most}, so that writes go on while one member restarts"
        )
        raise ValueError(msg)


def check_quorum(replicas: int) -> None:
    """Refuses a number of controllers that gains nothing or that a restart would stop.

    Raises:
        ValueError: naming the number and what is accepted.
    """
    if replicas < 1 or replicas % 2 == 0:
        msg = (
            f"controllers.replicas is {replicas}; accepted are odd numbers: 3 for a quorum that outlives the loss of "
            "one, 1 for trials"
        )
        raise ValueError(msg)


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
