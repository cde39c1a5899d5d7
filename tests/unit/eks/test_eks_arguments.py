"""Every component of the EKS side holds its arguments to their TypedDict before it makes anything."""

from typing import Any

import pytest

from eks_rocketmq.plugin import component_provider
from tests.unit.harness import Recording, run

COMPONENTS = [
    component
    for component in component_provider.list_components()
    if component.__module__.startswith("eks_rocketmq.eks.")
]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_an_argument_that_nobody_reads_is_refused(component: Any) -> None:
    recording = Recording(preview=True)
    with pytest.raises(
        ValueError, match=r"^tagz is not known; did you mean 'tags'\?; accepted are|^tagz is not known; acc"
    ):
        run(lambda: component("it", {"tagz": {}}), preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []
