"""What pods can request on an instance, from its name."""

import pytest

from eks_rocketmq.eks.nodes.instance_sizes import estimate_allocatable

MIB = 1024**2


@pytest.mark.parametrize(
    ("instance_type", "cpu", "mib"),
    [
        # 1930 and 3920 are what nodes of EKS have allocatable.
        ("m7i.large", 1930, 8 * 1024 - 355 - 11 * 29),
        ("m7g.xlarge", 3920, 16 * 1024 - 355 - 11 * 58),
        ("c8gn.2xlarge", 7910, 16 * 1024 - 355 - 11 * 58),
        ("r6id.24xlarge", 95690, 768 * 1024 - 355 - 11 * 58),
        ("m7i-flex.large", 1930, 8 * 1024 - 355 - 11 * 29),
        ("c7g.medium", 940, 2 * 1024 - 355 - 11 * 8),
    ],
)
def test_sizes_follow_from_the_name(instance_type: str, cpu: int, mib: int) -> None:
    found = estimate_allocatable(instance_type)
    assert found is not None
    assert (found.cpu, found.memory) == (cpu, mib * MIB)


@pytest.mark.parametrize(
    "instance_type", ["t3.large", "c5n.large", "m7i.metal-24xl", "x2gd.large", "m4.large", "large"]
)
def test_nothing_is_said_of_other_types(instance_type: str) -> None:
    assert estimate_allocatable(instance_type) is None
