"""Every component of the EKS side holds its arguments to their TypedDict before it makes anything."""

from typing import Any

import pytest

from eks_rocketmq.plugin import component_provider
from tests.unit.harness import Recording, run
from tests.unit.harness.rejections import Rejection, list_rejections

COMPONENTS = [
    component
    for component in component_provider.list_components()
    if component.__module__.startswith("eks_rocketmq.eks.")
]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_an_argument_that_nobody_reads_is_refused(component: Any) -> None:
    recording = Recording(preview=True)
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - path and code are compared below
        run(lambda: component("it", {"tagz": {}}), preview=True, recording=recording)
    assert Rejection("tagz", "unknown-field") in list_rejections(refusal.value)
    assert [r.urn for r in recording.resources.values() if r.custom] == []
