"""Validation of the arguments of every EKS component against their TypedDict."""

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
def test_an_unknown_argument_is_rejected_before_any_resource_is_registered(component: Any) -> None:
    recording = Recording(preview=True)
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - path and code are compared below
        run(lambda: component("it", {"tagz": {}}), preview=True, recording=recording)
    assert Rejection("tagz", "unknown-field") in list_rejections(raised.value)
    assert [r.urn for r in recording.resources.values() if r.custom] == []
