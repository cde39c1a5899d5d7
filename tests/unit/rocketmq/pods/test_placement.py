"""Scheduling rules of Kubernetes, and no false warnings about pods that can be scheduled."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.kubernetes_names import ZONE
from eks_rocketmq.rocketmq.pods.placement import (
    Nodes,
    Pods,
    can_run,
    find_obstacle,
    find_shortage,
    matches_labels,
)

GIB = 1024**3
LABELS = {"team": frozenset({"mq"}), "size": frozenset({"8", "16"}), ZONE: None}


def required(*terms: Sequence[dict[str, Any]]) -> dict[str, Any]:
    selector = {"nodeSelectorTerms": [{"matchExpressions": list(term)} for term in terms]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector}}}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


@pytest.mark.parametrize(
    ("spec", "selected"),
    [
        ({}, True),
        ({"nodeSelector": {"team": "mq"}}, True),
        ({"nodeSelector": {"team": "web"}}, False),
        ({"nodeSelector": {"other": "mq"}}, False),
        # Labels that the cloud provider adds, and labels with unknown values, may match.
        ({"nodeSelector": {"topology.k8s.aws/zone-id": "apse1-az1"}}, True),
        ({"nodeSelector": {ZONE: "ap-southeast-1a"}}, True),
        ({"nodeSelector": {"kubernetes.io.example.com/team": "mq"}}, False),
        (required([expression("team", "In", "web", "mq")]), True),
        (required([expression("team", "NotIn", "mq")]), False),
        (required([expression("size", "NotIn", "8")]), True),
        (required([expression("team", "Exists")]), True),
        (required([expression("team", "DoesNotExist")]), False),
        (required([expression("other", "DoesNotExist")]), True),
        (required([expression("other", "NotIn", "x")]), True),
        (required([expression("other", "Exists")]), False),
        (required([expression("size", "Gt", "15")]), True),
        (required([expression("size", "Gt", "16")]), False),
        (required([expression("size", "Lt", "9")]), True),
        (required([expression("size", "Lt", "8")]), False),
        (required([expression("team", "Gt", "1")]), False),
        # A node must match all expressions of a term, and one of several terms.
        (required([expression("team", "In", "mq"), expression("size", "In", "32")]), False),
        (required([expression("team", "In", "web")], [expression("size", "In", "8")]), True),
        ({"nodeSelector": {"team": "web"}, **required([expression("size", "In", "8")])}, False),
    ],
)
def test_labels_select_nodes_as_in_kubernetes(spec: dict[str, Any], *, selected: bool) -> None:
    assert matches_labels(spec, Nodes(1, "a", LABELS)) is selected


def test_missing_label_matches_no_node_when_all_labels_are_known() -> None:
    spec = {"nodeSelector": {"topology.k8s.aws/zone-id": "apse1-az1"}}
    assert matches_labels(spec, Nodes(1, "a", LABELS))
    assert not matches_labels(spec, Nodes(1, "a", LABELS, all_labels=True))


def nodes(count: int = 1, zone: str = "a", **changed: Any) -> Nodes:
    return replace(Nodes(count, zone, {"team": frozenset({"mq"})}), **changed)


TAINT = {"key": "dedicated", "value": "mq", "effect": "NoSchedule"}
TOLERATES_ALL = {"tolerations": [{"operator": "Exists"}]}


@pytest.mark.parametrize(
    ("pods", "available", "message"),
    [
        (Pods("p", 3), [nodes()], None),
        (Pods("p", 1, {"nodeSelector": {"team": "web"}}), [nodes()], "select nodes by team=web, and no node has that"),
        (
            Pods("p", 1, required([expression("arch", "In", "arm64"), expression("gpu", "Exists")])),
            [nodes()],
            "select nodes by arch In (arm64), gpu Exists, and no node has that",
        ),
        (
            Pods("p", 1),
            [nodes(taints=[TAINT])],
            "do not tolerate the taint 'dedicated=mq:NoSchedule', and each node that they select has such a taint",
        ),
        (Pods("p", 1, TOLERATES_ALL), [nodes(taints=[TAINT])], None),
        (Pods("p", 1), [nodes(taints=[{**TAINT, "effect": "PreferNoSchedule"}])], None),
        (Pods("p", 1), [nodes(taints=[TAINT]), nodes()], None),
        (Pods("p", 1), [nodes(0), nodes(taints=[TAINT])], "do not tolerate the taint"),
        (
            Pods("p", 1, cpu=2500),
            [nodes(cpu=1930), nodes(cpu=930)],
            "request 2.5 CPUs each, and the largest node for them has 1.93 CPUs at most",
        ),
        (
            Pods("p", 1, memory=64 * GIB),
            [nodes(memory=8 * GIB)],
            "request 64 GiB of memory each, and the largest node for them has 8 GiB of memory at most",
        ),
        (Pods("p", 1, memory=64 * GIB), [nodes(memory=8 * GIB), nodes()], None),
        (
            Pods("p", 1, cpu=1500, memory=10 * GIB),
            [nodes(cpu=1900, memory=4 * GIB), nodes(cpu=900, memory=16 * GIB)],
            "request more CPU or memory than any node for them has",
        ),
        (
            Pods("p", 3, anti_affinity=True),
            [nodes(2)],
            "run each on a node of its own, and there are nodes for 2 of 3 replicas",
        ),
        (Pods("p", 3, anti_affinity=True), [nodes(2), nodes(1)], None),
        (
            Pods("p", 3, anti_affinity=True, zones=3),
            [nodes(2, "a"), nodes(2, "b")],
            "are spread evenly over zones, 3 at least, and with 2 nodes in a and 2 nodes in b replica 3 of 3 has no",
        ),
        (Pods("p", 3, anti_affinity=True, zones=2), [nodes(2, "a"), nodes(2, "b")], None),
        (
            Pods("p", 4, anti_affinity=True),
            [nodes(1, "a"), nodes(3, "b")],
            "are spread evenly over zones, 1 at least, and with 1 nodes in a and 3 nodes in b replica 4 of 4 has no",
        ),
        # A zone with only tainted nodes counts for the spread, although no pod can run there.
        (
            Pods("p", 2, anti_affinity=True),
            [nodes(2, "a"), nodes(1, "b", taints=[TAINT])],
            "are spread evenly over zones",
        ),
        (
            Pods("p", 2, {"nodeSelector": {"team": "mq"}}, anti_affinity=True),
            [nodes(2, "a"), nodes(1, "b", labels={}, taints=[TAINT])],
            None,
        ),
    ],
)
def test_obstacle_to_scheduling_is_reported(pods: Pods, available: list[Nodes], message: str | None) -> None:
    found = find_obstacle(pods, available)
    if message is None:
        assert found is None
    else:
        assert found is not None
        assert found.startswith(message)


def test_shortage_counts_only_the_nodes_that_the_pods_select() -> None:
    small, large = nodes(2, cpu=2000, memory=8 * GIB), nodes(1, labels={"large": frozenset({"yes"})}, cpu=8000)
    pinned = Pods("held", 3, {"nodeSelector": {"team": "mq"}}, cpu=1500)
    assert find_shortage([pinned], [small, replace(large, memory=GIB)]) == (
        "held request 4.5 CPUs together, and the nodes for them have 4 CPUs at most"
    )
    assert find_shortage([replace(pinned, spec={})], [small, replace(large, memory=GIB)]) is None
    heavy = Pods("heavy", 1, memory=10 * GIB)
    assert (
        find_shortage([heavy, replace(heavy, name="h", memory=8 * GIB)], [small, replace(large, memory=16 * GIB)])
        is None
    )
    assert find_shortage([pinned], [replace(small, cpu=None), large]) is None


ZONES = st.sampled_from("abc")
NODE_LISTS = st.lists(
    st.builds(nodes, st.integers(0, 2), ZONES, taints=st.sampled_from([[], [TAINT]])), min_size=1, max_size=4
)


def simulate_orders(pods: Pods, available: list[Nodes], placed: tuple[str, ...] = ()) -> Iterator[int]:
    """Yield the number of scheduled pods for every order in which a scheduler may choose among the allowed nodes."""
    domains = {one.zone for one in available if one.count}
    counts = {zone: placed.count(zone) for zone in domains}
    lowest = 0 if len(domains) < pods.zones else min(counts.values(), default=0)
    free = {zone: sum(n.count for n in available if n.zone == zone and can_run(pods, n)) for zone in domains}
    allowed = [zone for zone in sorted(domains) if counts[zone] < free[zone] and counts[zone] + 1 - lowest <= 1]
    if len(placed) == pods.replicas or not allowed:
        yield len(placed)
        return
    for zone in allowed:
        yield from simulate_orders(pods, available, (*placed, zone))


@given(NODE_LISTS, st.integers(1, 5), st.integers(1, 3))
def test_spread_check_agrees_with_simulated_scheduling(available: list[Nodes], replicas: int, zones: int) -> None:
    pods = Pods("p", replicas, anti_affinity=True, zones=zones)
    results = set(simulate_orders(pods, available))
    assert (find_obstacle(pods, available) is None) == (max(results) == replicas)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4000), st.integers(0, 8)), min_size=1, max_size=6))
def test_pods_that_fit_on_the_nodes_cause_no_warning(placed: list[tuple[int, int, int]]) -> None:
    """Assign each pod to a node first, and give every node exactly the capacity that its pods request."""
    workloads = [Pods(f"p{i}", 1, cpu=cpu, memory=memory * GIB) for i, (_, cpu, memory) in enumerate(placed)]
    available = [
        nodes(
            cpu=sum(cpu for own, cpu, _ in placed if own == node),
            memory=sum(memory for own, _, memory in placed if own == node) * GIB,
        )
        for node in range(4)
    ]
    assert find_shortage(workloads, available) is None
    assert [message for pods in workloads if (message := find_obstacle(pods, available))] == []
