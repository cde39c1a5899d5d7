"""Validation of the arguments of every EKS component against their TypedDict."""

from typing import Any

import pytest

from eks_rocketmq.eks.network.network_plan import plan_network
from eks_rocketmq.plugin import component_provider
from tests.unit.harness import Recording, run
from tests.unit.harness.rejections import Rejection, list_rejections, rejects

COMPONENTS = [
    component
    for component in component_provider.list_components()
    if component.__module__.startswith("eks_rocketmq.eks.")
]


TAGGED: dict[str, dict[str, Any]] = {
    "ClusterAddons": {"cluster_name": "prod", "stage": "after_nodes"},
    "ClusterOidcProvider": {"issuer": "https://oidc.example/id/A"},
    "EbsCsiAddon": {"cluster_name": "prod", "role_name": "driver", "identity": "pod_identity"},
    "EbsStorageClass": {"class_name": "fast", "create": True},
    "EksCluster": {"cluster_name": "prod", "version": "1.35", "vpc_id": "vpc-1", "subnet_ids": ["a", "b"]},
    "IrsaRole": {
        "role_name": "reader",
        "service_accounts": [{"namespace": "orders", "name": "reader"}],
        "issuer": "https://oidc.example/id/A",
        "provider_arn": "arn:aws:iam::123456789012:oidc-provider/oidc.example/id/A",
    },
    "Network": {},
    "NodeGroup": {"cluster_name": "prod", "subnet_ids": ["a", "b"], "instance_types": ["m7i.large"]},
}
"""Required arguments of each component that has tags."""
BAD_TAGS = [
    ({"aws:team": "x"}, "['aws:team']", "tag-key"),
    ({"": "x"}, "['']", "tag-key"),
    ({"k" * 129: "x"}, f"['{'k' * 129}']", "tag-key"),
    ({"team": "x" * 257}, "['team']", "tag-value"),
    ({str(i): "x" for i in range(51)}, "", "tag-count"),
]


def has_tags(component: Any) -> bool:
    (args,) = (hint for name, hint in component.__init__.__annotations__.items() if name == "args")
    return "tags" in args.__annotations__


def test_each_component_with_tags_is_tested() -> None:
    assert {component.__name__ for component in COMPONENTS if has_tags(component)} == TAGGED.keys()


@pytest.mark.parametrize(("tags", "key", "code"), BAD_TAGS, ids=range(len(BAD_TAGS)))
@pytest.mark.parametrize("component", list(filter(has_tags, COMPONENTS)), ids=lambda component: component.__name__)
def test_tags_that_aws_refuses_are_rejected(component: Any, tags: dict[str, str], key: str, code: str) -> None:
    args = {**TAGGED[component.__name__], "tags": tags}
    with rejects((f"tags{key}", code)):
        run(lambda: component("it", args), preview=True)


@pytest.mark.parametrize("field", ["private_subnet_tags", "public_subnet_tags"])
def test_tags_of_subnets_that_aws_refuses_are_rejected(field: str) -> None:
    with rejects((f"{field}['aws:x']", "tag-key")):
        plan_network({field: {"aws:x": "y"}})
    with rejects((field, "tag-count")):
        plan_network({"tags": {"team": "x"}, field: {str(i): "y" for i in range(47)}})


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_an_unknown_argument_is_rejected_before_any_resource_is_registered(component: Any) -> None:
    recording = Recording(preview=True)
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - path and code are compared below
        run(lambda: component("it", {"tagz": {}}), preview=True, recording=recording)
    assert Rejection("tagz", "unknown-field") in list_rejections(raised.value)
    assert [r.urn for r in recording.resources.values() if r.custom] == []
