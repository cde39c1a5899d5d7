"""What a fault and an audit need of a deployment, wherever it runs."""

import hashlib
import os
import signal
import struct
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from sandbox.command import run
from sandbox.messages.remoting import RemotingError
from sandbox.messages.topics import create_group, create_topic
from sandbox.polling import wait_until
from tests.faults import group_status
from tests.faults.group_status import GroupState

CLIENTS = "clients"
"""Name of the clients' machine, beside the names of members, controllers and name servers."""
READERS = "audit-readers"
"""Consumer group that receives messages during an audit, so that its offsets change."""
FIFO_READERS = "audit-fifo-readers"
"""The same for FIFO messages, which it receives in their order."""
MOVING = {READERS, FIFO_READERS, "CID_RMQ_SYS_REVIVE_GROUP", "CID_DefaultHeartBeatSyncerTopic", "CID_RMQ_SYS_TRANS"}
"""Groups whose offsets change during an audit. The broker and the proxies have the last three: two for gRPC consumers,
and one for transactions that no producer decides, which the broker stores again and again."""
CONSUMERS = "audit-consumers"
"""Consumer group without consumers. Its offsets change when the audit commits them."""
FIRST_OFFSETS = {queue: 10 + queue for queue in range(group_status.QUEUES)}
"""Offsets that the group `CONSUMERS` has committed in the queues of each topic before the fault."""
OFFSETS = {queue: 20 + queue for queue in range(group_status.QUEUES)}
"""Those that it has committed after the fault."""
_ENTRY = struct.Struct(">qiq")
"""Entry of a queue: offset in the commit log, size, and hash of the tag."""
FAILOVER_SECONDS = 180.0
IN_SYNC = 2
"""Members in sync after a failover."""


class Cluster(Protocol):
    """One broker group with its controllers and name servers. Machines have names; addresses may change."""

    @property
    def group(self) -> str: ...

    @property
    def members(self) -> Sequence[str]: ...

    @property
    def controllers(self) -> Sequence[str]: ...

    @property
    def name_servers(self) -> Sequence[str]: ...

    def address(self, name: str) -> str:
        """Return `host:port` of a member, controller or name server."""

    def list_client_name_servers(self) -> Sequence[str]:
        """Return the addresses, `host:port`, at which clients ask the name servers."""

    def observe(self) -> AbstractContextManager[None]:
        """Let this thread reach every machine, also those that are cut off from each other."""

    def in_client_network(self, argv: list[str]) -> list[str]:
        """Return the command that runs `argv` on the clients' machine."""

    def drop(self, receivers: Iterable[str], senders: Iterable[str]) -> None:
        """Drop what machines receive from others, without an answer. What they send still arrives."""

    def heal(self) -> None:
        """Undo every `drop`.

        Raises AssertionError if one of them dropped no packet.
        """

    def kill(self, name: str) -> None:
        """End a process with SIGKILL. It stays ended."""

    def start(self, name: str) -> None:
        """Start a process that was killed, with its store."""

    def hang(self, name: str) -> None:
        """Stop a process with SIGSTOP. Whatever the deployment has for hung processes may kill and restart it."""

    def pause(self, name: str) -> AbstractContextManager[None]:
        """Stop all processes of a machine, also those that watch it, and continue them after the block."""

    def find_store(self, name: str) -> Path:
        """Return the folder of a member's store, where this machine can read it."""


def read_state(cluster: Cluster) -> GroupState | None:
    """Return what the controllers know of the group, or None while no leader answers."""
    with cluster.observe():
        return group_status.read_group([cluster.address(name) for name in cluster.controllers], cluster.group)


def find_master(cluster: Cluster) -> str:
    """Return the name of the member that the controllers know as master.

    Raises LookupError while there is none.
    """
    state = read_state(cluster)
    for name in cluster.members:
        if state is not None and cluster.address(name) == state.master:
            return name
    raise LookupError(f"the controllers know no master of {cluster.group}: {state}")


def read_epoch(cluster: Cluster) -> int:
    """Return the epoch of the master. Each election raises it by one.

    Raises LookupError while the controllers do not answer.
    """
    state = read_state(cluster)
    if state is None:
        raise LookupError(f"no controller knows {cluster.group}")
    return state.epoch


def is_master(cluster: Cluster, name: str) -> bool:
    """Return whether the controllers know a member as master."""
    state = read_state(cluster)
    return state is not None and state.master == cluster.address(name)


def is_replaced(cluster: Cluster, name: str) -> bool:
    """Return whether another member is master."""
    state = read_state(cluster)
    return state is not None and state.master not in {"", cluster.address(name)}


def elect(cluster: Cluster, member_id: int) -> None:
    """Let the controllers elect a member, while the master works.

    Raises RemotingError when they refuse it, LookupError without a leader.
    """
    with cluster.observe():
        group_status.elect([cluster.address(name) for name in cluster.controllers], cluster.group, member_id)


def answers(cluster: Cluster, name: str) -> bool:
    """Return whether a member answers requests. It may not have a role yet."""
    with cluster.observe():
        return group_status.answers(cluster.address(name))


def count_readable(cluster: Cluster, name: str) -> int:
    """Return the number of messages that clients of a member can read, of all topics."""
    with cluster.observe():
        return group_status.count_all_messages(cluster.address(name))


def list_slaves(cluster: Cluster, master: str) -> list[str]:
    """Return the names of all members but the master."""
    return [name for name in cluster.members if name != master]


def block(cluster: Cluster, left: Iterable[str], right: Iterable[str]) -> None:
    """Drop all packets between two sets of machines, without an answer. `heal` undoes it."""
    left, right = list(left), list(right)
    cluster.drop(left, right)
    cluster.drop(right, left)


def flush_filters(network: str) -> int:
    """Remove what filters a network namespace, given by its path, and return how many packets were dropped."""
    inside = ["nsenter", f"--net={network}", "--", "iptables", "--wait"]
    rules = (line.split() for line in run([*inside, "-nvx", "--list", "INPUT"]).splitlines())
    dropped = sum(int(rule[0]) for rule in rules if "DROP" in rule[2:3])
    run([*inside, "--flush", "INPUT"])
    return dropped


@contextmanager
def pause_processes(processes: Iterable[int]) -> Generator[None]:
    """Stop processes with SIGSTOP, and continue those that still run after the block."""
    stopped = list(processes)
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def create_topics(cluster: Cluster, topics: Iterable[tuple[str, str]]) -> None:
    """Create topics, given by name and kind, in which a consumer group has offsets."""
    master = cluster.address(find_master(cluster))
    with cluster.observe():
        create_group(master, CONSUMERS)
        create_group(master, READERS)
        create_group(master, FIFO_READERS, orderly=True)
        for topic, kind in topics:
            create_topic(master, topic, kind)
            for queue, offset in FIRST_OFFSETS.items():
                group_status.set_offset(master, CONSUMERS, topic, queue, offset)
                for readers in (READERS, FIFO_READERS):
                    group_status.set_offset(master, readers, topic, queue, 0)


def commit_offsets(cluster: Cluster, topics: Iterable[str]) -> None:
    """Commit `OFFSETS` of the group `CONSUMERS` in topics."""
    master = cluster.address(find_master(cluster))
    with cluster.observe():
        for topic in topics:
            for queue, offset in OFFSETS.items():
                group_status.set_offset(master, CONSUMERS, topic, queue, offset)


def wait_until_whole(cluster: Cluster, topics: Iterable[str] = ()) -> None:
    """Wait until all members are in sync, and have the topics and the consumer offsets of the master.

    Raises TimeoutError with a note that names what is missing.
    """
    wanted = list(topics)
    missing: list[str] = []

    def whole() -> bool:
        state = read_state(cluster)
        members = {cluster.address(name) for name in cluster.members}  # a pod that is replaced has another one
        if state is None or state.in_sync != members:
            return False
        with cluster.observe():
            missing[:] = group_status.list_missing_metadata(state.master, members - {state.master}, wanted, MOVING)
        return not missing

    try:
        require(whole, 300, "all members are in sync, with the same metadata")
    except TimeoutError as error:
        error.add_note("\n".join(missing))
        raise


def restart_slaves_out_of_sync(cluster: Cluster, seconds: float) -> None:
    """Restart the members that are not in sync after some seconds, as an operator does.

    A slave of RocketMQ without the agent that has connected to the former master just before its address changed
    replicates from it for good, and never gets in sync.
    """

    def list_out_of_sync() -> list[str] | None:
        state = read_state(cluster)
        if state is None:
            return None
        return [name for name in cluster.members if cluster.address(name) not in state.in_sync]

    wait_until(lambda: list_out_of_sync() == [], seconds, every=0.5)
    for name in list_out_of_sync() or []:
        cluster.kill(name)
        cluster.start(name)


def wait_for_equal_queues(cluster: Cluster, topics: Iterable[str]) -> None:
    """Wait until the queues of all members have the same messages, so that consumers get the same from each as master.

    No client may send meanwhile.

    Raises TimeoutError.
    """
    wanted = list(topics)

    def equal() -> bool:
        stores = [cluster.find_store(name) for name in cluster.members]
        first, *others = (_read_queues(store, wanted) for store in stores)
        assert first, f"no member has a queue of {wanted}"
        if any(each != first for each in others):
            return False
        expected, *found = (_hash_messages(store, first.values()) for store in stores)
        return all(each == expected for each in found)

    require(equal, 30, "the queues of all members have the same messages")


def _read_queues(store: Path, topics: Iterable[str]) -> dict[str, bytes]:
    """Return the entries of the queues by the path of their file in the store."""
    folder = store / "consumequeue"
    files = (path for topic in topics for path in (folder / topic).glob("*/*"))
    return {str(path.relative_to(folder)): _cut_unused(path.read_bytes()) for path in files}


def _cut_unused(queue: bytes) -> bytes:
    """Return the entries of a file, which ends with zeros. An entry does too, if its message has no tag."""
    used = len(queue.rstrip(b"\0"))
    return queue[: -(-used // _ENTRY.size) * _ENTRY.size]


def _hash_messages(store: Path, queues: Iterable[bytes]) -> bytes:
    """Return a hash of the messages to which the entries of queues point. Members have the same bytes in their logs."""
    found = hashlib.blake2b()
    with ExitStack() as opened:
        logs = {int(path.name): opened.enter_context(path.open("rb")) for path in (store / "commitlog").iterdir()}
        for queue in queues:
            for place, length, _ in _ENTRY.iter_unpack(queue):
                begin = max((each for each in logs if each <= place), default=None)
                if begin is not None:  # the file of the oldest messages may be deleted
                    found.update(os.pread(logs[begin].fileno(), length, place - begin))
    return found.digest()


def find_skipped_offsets(cluster: Cluster, master: str, topics: Iterable[str]) -> dict[str, dict[int, int | None]]:
    """Return the topics in which a master does not have the committed offsets, with those that it has by queue."""
    address = cluster.address(master)
    with cluster.observe():
        found = {topic: {queue: _get_offset(address, topic, queue) for queue in OFFSETS} for topic in topics}
    return {topic: offsets for topic, offsets in found.items() if offsets != OFFSETS}


def _get_offset(address: str, topic: str, queue: int) -> int | None:
    try:
        return group_status.get_offset(address, CONSUMERS, topic, queue)
    except RemotingError:
        return None


def fail_over(cluster: Cluster) -> str:
    """Kill the master. Return the next one, once two members are in sync and it has dispatched its whole log.

    Raises TimeoutError.
    """
    require(lambda: _knows_master(cluster), FAILOVER_SECONDS, "the controllers know a master")
    old = find_master(cluster)
    cluster.kill(old)
    new = ""

    def taken_over() -> bool:
        nonlocal new
        state = read_state(cluster)
        if state is None or state.master in {"", cluster.address(old)} or len(state.in_sync) < IN_SYNC:
            return False
        new = find_master(cluster)
        with cluster.observe():
            return group_status.is_dispatched(cluster.address(new))

    require(taken_over, FAILOVER_SECONDS, f"another member than {old} is master, with {IN_SYNC} in sync")
    return new


def _knows_master(cluster: Cluster) -> bool:
    state = read_state(cluster)
    return state is not None and bool(state.master)


def require(answer: Callable[[], object], seconds: float, what: str, *, every: float = 0.5) -> None:
    """Wait until `answer` returns a true value.

    Raises TimeoutError with the message `what`.
    """
    if not wait_until(answer, seconds, every=every):
        raise TimeoutError(f"not after {seconds:.0f} s: {what}")
