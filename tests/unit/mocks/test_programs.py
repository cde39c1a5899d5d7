"""The prod and staging stacks with Pulumi's mocks."""

import runpy
from typing import Any

import pulumi
import pytest

from eks_rocketmq.testing import Mocks, stack_config
from tests.unit.harness import REPOSITORY

EXPORTS = {
    *("clusterName", "ebsCsiRoleArn", "namespace", "nameServerAddresses", "oidcIssuer", "oidcProviderArn"),
    *("proxyEndpoint", "storageClass", "verify"),
}
ADDRESS = "rocketmq-nameserver-{}.rocketmq-nameserver-peers.rocketmq.svc:9876"


def run(stack: str, monkeypatch: pytest.MonkeyPatch, *, preview: bool) -> tuple[Mocks, dict[str, Any]]:
    """Run the program and return the mocks and all known outputs."""
    monkeypatch.chdir(REPOSITORY)
    mocks = Mocks(region="ap-southeast-1", account_id="140023393377")
    pulumi.runtime.set_mocks(mocks, project="eks-rocketmq", stack=stack, preview=preview)
    pulumi.runtime.set_all_config(stack_config(stack), [])
    known: dict[str, Any] = {}

    @pulumi.runtime.test
    def program() -> None:
        runpy.run_path("__main__.py", run_name="__main__")
        stack: Any = pulumi.runtime.get_root_resource()
        for key, value in stack.outputs.items():
            pulumi.Output.from_input(value).apply(lambda each, key=key: known.update({key: each}))

    program()
    return mocks, known


def test_prod_registers_rocketmq_and_knows_the_endpoints_at_preview(
    monkeypatch: pytest.MonkeyPatch, preview: bool
) -> None:
    mocks, known = run("prod", monkeypatch, preview=preview)
    assert mocks.names("StatefulSet") == ["rocketmq-broker-a-set", "rocketmq-controller-set", "rocketmq-nameserver-set"]
    claim = mocks.inputs("StatefulSet", "rocketmq-broker-a-set")["spec"]["volumeClaimTemplates"][0]["spec"]
    assert claim["storageClassName"] == "gp2"
    assert known.keys() == (EXPORTS - {"ebsCsiRoleArn", "verify"} if preview else EXPORTS)
    assert known["nameServerAddresses"] == f"{ADDRESS.format(0)};{ADDRESS.format(1)}"
    assert known["proxyEndpoint"] == "rocketmq-proxy.rocketmq.svc:8081"


def test_staging_creates_its_cluster(monkeypatch: pytest.MonkeyPatch, preview: bool) -> None:
    mocks, known = run("staging", monkeypatch, preview=preview)
    assert mocks.names("eks:index:Cluster") == ["cluster-eks"]
    assert mocks.names("aws:eks/nodeGroup:NodeGroup") == ["nodes-general-1", "nodes-general-2", "nodes-general-3"]
    computed = {"ebsCsiRoleArn", "oidcIssuer", "oidcProviderArn", "verify"}
    assert known.keys() == (EXPORTS - computed if preview else EXPORTS)
    assert known["clusterName"] == "staging"
