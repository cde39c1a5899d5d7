"""Faults of controllers and name servers: the log of the controllers, and 0 lost messages under load."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.polling import wait_until
from tests.faults.bare_cluster import BareCluster, start_cluster
from tests.faults.controller_events import add_events, add_group, read_epoch, require_leader
from tests.faults.controller_faults import MANY_EVENTS, READY_SECONDS, replace_followers_and_leader

EVENTS = 60
MISSED = 15
"""Events that a follower misses while it is down."""
FILE_BYTES = 1024**2
"""Size of the files of the log. 1,100 events need two of them."""


@contextmanager
def start_controllers(folder: Path, events: int, *, agent: bool = True) -> Generator[BareCluster]:
    """Start controllers whose log has some events. The epoch of the group is their number."""
    with start_cluster(folder, agent=agent, brokers=False, controller_config={"mappedFileSize": FILE_BYTES}) as cluster:
        add_group(cluster)
        add_events(cluster, events)
        assert read_epoch(cluster) == events
        yield cluster


def restart(cluster: BareCluster, name: str, missed: int = 0) -> None:
    """Restart a controller, with some events while it is down, and wait until it is ready."""
    cluster.kill(name)
    if missed:
        add_events(cluster, missed)
    cluster.start(name)
    assert wait_until(lambda: cluster.ready(name), READY_SECONDS, every=0.5), f"{name} is not ready"


def restart_followers(cluster: BareCluster) -> int:
    """Restart the followers, each of which misses some events, and kill the leader. Return the epoch afterwards."""
    leader = require_leader(cluster)
    followers = [name for name in cluster.controllers if name != leader]
    for follower in followers:
        restart(cluster, follower, MISSED)
    cluster.kill(leader)
    return read_epoch(cluster)


def test_controllers_that_were_down_apply_each_event_once(tmp_path: Path) -> None:
    with start_controllers(tmp_path, EVENTS) as cluster:
        assert restart_followers(cluster) == EVENTS + 2 * MISSED


@pytest.mark.long
def test_without_agent_a_controller_that_was_down_counts_events_again(tmp_path: Path) -> None:
    """Hold the cause: epochs rise with each restart, and go back when a controller leads that has missed nothing."""
    with start_controllers(tmp_path, EVENTS, agent=False) as cluster:
        assert restart_followers(cluster) > EVENTS + 2 * MISSED


def test_empty_controllers_get_all_events_after_more_than_a_thousand(tmp_path: Path) -> None:
    with start_controllers(tmp_path, MANY_EVENTS) as cluster:
        replace_followers_and_leader(cluster, MANY_EVENTS)


@pytest.mark.long
def test_without_agent_an_empty_controller_gets_no_events_after_a_thousand(tmp_path: Path) -> None:
    """Hold the cause: the leader has dropped the beginning of its log. Readiness stops a rolling update."""
    with (
        start_controllers(tmp_path, MANY_EVENTS, agent=False) as cluster,
        pytest.raises(AssertionError, match="is not ready"),
    ):
        replace_followers_and_leader(cluster, MANY_EVENTS)


@pytest.mark.long
def test_a_log_of_several_files_is_complete_after_restarts(tmp_path: Path) -> None:
    with start_controllers(tmp_path, 2 * MANY_EVENTS) as cluster:
        for name in cluster.controllers:
            restart(cluster, name)
        assert read_epoch(cluster) == 2 * MANY_EVENTS
        replace_followers_and_leader(cluster, 2 * MANY_EVENTS)
