"""Hints in errors of hooks and lookups, in the spelling of the stack file."""

import asyncio
from typing import Any

import pulumi
import pytest

from eks_rocketmq.eks.account import aws_create_checks
from eks_rocketmq.lookups import kubernetes_objects
from eks_rocketmq.lookups.existing_resource import ExistingResource
from tests.unit.harness import Fakes, ProviderError, Recording, run_stack


@pytest.fixture(autouse=True)
def _existing_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each resource exist in AWS and in the cluster, without the tag of a stack."""
    for name in ("find_resource", "find_cluster"):
        monkeypatch.setattr(aws_create_checks, name, lambda *_: ExistingResource("it"))
    monkeypatch.setattr(aws_create_checks, "create_session", lambda _: None)
    monkeypatch.setattr(kubernetes_objects, "find_object", lambda *_: ExistingResource("it"))


def get_error(recording: Recording, hook: str) -> str:
    """Return the error of a hook that runs before the create of a resource."""
    args = pulumi.ResourceHookArgs(urn="urn", id="", name="name", type="aws:x/y:Z", new_inputs={})
    with pytest.raises(RuntimeError) as error:
        asyncio.run(recording.hooks[f"{hook}-preflight"](args))
    return str(error.value)


@pytest.mark.parametrize(
    ("hook", "hint"),
    [
        ("oidc-provider", "set oidc.existing to true"),
        ("ebs-csi-driver-role", "set ebsCsi.existing to true"),
        ("ebs-csi-addon", "set ebsCsi.existing to true"),
        ("rocketmq-namespace", "set rocketmq.createNamespace to false"),
        ("cluster-eks", "without cluster.version"),
        ("cluster-eks", "change cluster.clusterName"),
        ("addons-before-nodes-vpc-cni", "leave it out of addons.addons"),
        ("addons-before-nodes-vpc-cni-role", "not possible for the role of vpc-cni"),
        ("storage-new-class", "storage.className: there is a StorageClass 'it'"),
    ],
)
def test_the_error_for_an_existing_resource_names_the_setting_to_change(
    hook: str, hint: str, staging_update: Recording
) -> None:
    assert hint in get_error(staging_update, hook)


def fail(_: Any) -> dict[str, Any]:
    raise ProviderError("ResourceNotFoundException")


@pytest.mark.parametrize(
    ("function", "changed", "hints"),
    [
        ("aws:eks/getCluster:getCluster", {}, ["Check cluster.clusterName, aws:region"]),
        ("aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", {"oidc": {"existing": True}}, ["oidc.existing"]),
        (
            "aws:eks/getAddon:getAddon",
            {"ebsCsi": {"existing": True, "roleName": None, "permissions": None}},
            ["leave ebsCsi.existing out", "set ebsCsi.selfManaged instead"],
        ),
    ],
)
def test_the_error_for_a_missing_resource_names_the_setting_to_check(
    function: str, changed: dict[str, Any], hints: list[str]
) -> None:
    with pytest.raises(pulumi.RunError, match="ResourceNotFoundException") as error:
        run_stack("prod", preview=True, overrides=changed, fakes=Fakes().answering(function, fail))
    for hint in hints:
        assert hint in str(error.value)
