"""Estimated allocatable CPU and memory of an instance type."""

import pytest

from eks_rocketmq.eks.nodes.instance_sizes import estimate_allocatable

MIB = 1024**2


@pytest.mark.parametrize(
    ("instance_type", "cpu", "mib"),
    [
        # EKS nodes report 1930 and 3920 as allocatable CPU.
        ("m7i.large", 1930, 8 * 1024 - 355 - 11 * 29),
        ("m7g.xlarge", 3920, 16 * 1024 - 355 - 11 * 58),
        ("c8gn.2xlarge", 7910, 16 * 1024 - 355 - 11 * 58),
        ("r6id.24xlarge", 95690, 768 * 1024 - 355 - 11 * 58),
        ("m7i-flex.large", 1930, 8 * 1024 - 355 - 11 * 29),
        ("t3.medium", 1930, 4 * 1024 - 355 - 11 * 17),
        ("t4g.nano", 1930, 512 - 355 - 11 * 4),
        ("t3a.2xlarge", 7910, 32 * 1024 - 355 - 11 * 58),
        ("c7g.medium", 940, 2 * 1024 - 355 - 11 * 8),
    ],
)
def test_allocatable_is_estimated_from_the_instance_type(instance_type: str, cpu: int, mib: int) -> None:
    allocatable = estimate_allocatable(instance_type)
    assert allocatable is not None
    assert (allocatable.cpu, allocatable.memory) == (cpu, mib * MIB)


@pytest.mark.parametrize(
    "instance_type", ["t2.large", "t3.4xlarge", "c5n.large", "m7i.metal-24xl", "x2gd.large", "m4.large", "large"]
)
def test_other_instance_types_have_no_estimate(instance_type: str) -> None:
    assert estimate_allocatable(instance_type) is None
