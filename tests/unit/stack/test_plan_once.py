"""Calls of each planner in a preview, one per component: the settings plan, and the components use the plans."""

import sys
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType

import pytest

from eks_rocketmq.eks.addons.addon_plan import plan_addons
from eks_rocketmq.eks.cluster.cluster_plan import plan_cluster
from eks_rocketmq.eks.ebs.csi_configuration import render_configuration
from eks_rocketmq.eks.ebs.driver_plan import plan_driver
from eks_rocketmq.eks.ebs.storage_class_plan import plan_storage_class
from eks_rocketmq.eks.network.network_plan import plan_network
from eks_rocketmq.eks.nodes.node_plan import plan_nodes
from eks_rocketmq.rocketmq import plan as rocketmq_plan
from eks_rocketmq.rocketmq import sizes
from tests.unit.harness import run_stack

PLANNERS: Mapping[str, FunctionType] = {
    "network": plan_network,
    "cluster": plan_cluster,
    "nodes": plan_nodes,
    "addons": plan_addons,
    "driver": plan_driver,
    "driver configuration": render_configuration,
    "storage class": plan_storage_class,
    "rocketmq": rocketmq_plan.plan,
    "rocketmq sizes": sizes.apply_default_sizes,
}


@contextmanager
def count_calls() -> Generator[Counter[str]]:
    """Count the calls of the planners in the block, in every module that imports them."""
    names: dict[CodeType, str] = {function.__code__: name for name, function in PLANNERS.items()}
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (name := names.get(frame.f_code)):
            calls[name] += 1

    former = sys.getprofile()
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(former)


COMMON = {"driver": 1, "driver configuration": 1, "storage class": 1, "rocketmq": 1, "rocketmq sizes": 1}


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param("prod", COMMON, id="existing cluster"),
        # Addons are two components, before and after the nodes.
        pytest.param("staging", COMMON | {"network": 1, "cluster": 1, "nodes": 1, "addons": 2}, id="new cluster"),
    ],
)
def test_each_planner_runs_once_for_each_component(stack: str, expected: dict[str, int]) -> None:
    with count_calls() as calls:
        run_stack(stack, preview=True)
    assert dict(calls) == expected


def test_each_node_group_is_planned_once() -> None:
    groups = {name: {"instanceTypes": ["m7i.large"], "desiredSize": 1} for name in ("general", "more", "most")}
    with count_calls() as calls:
        run_stack("staging", preview=True, overrides={"nodeGroups": groups})
    assert calls["nodes"] == 3
