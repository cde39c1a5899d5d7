"""Every component of the EKS side holds its arguments to their TypedDict before it makes anything."""

import inspect
from typing import Any

import pulumi
import pytest

import eks_rocketmq
from tests.unit.harness import Recording, run

COMPONENTS = [
    public
    for name in eks_rocketmq.__all__
    if inspect.isclass(public := getattr(eks_rocketmq, name))
    and issubclass(public, pulumi.ComponentResource)
    and public.__module__.startswith("eks_rocketmq.eks.")
]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_an_argument_that_nobody_reads_is_refused(component: Any) -> None:
    recording = Recording(preview=True)
    with pytest.raises(
        ValueError, match=r"^tagz is not known; did you mean 'tags'\?; accepted are|^tagz is not known; acc"
    ):
        run(lambda: component("it", {"tagz": {}}), preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []
