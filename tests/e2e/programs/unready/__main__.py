"""A RocketMQ whose claims name a class that the cluster does not have, and an engine that does not wait for long."""

import os
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, ResourceOptions, ResourceTransformArgs, ResourceTransformResult

from eks_rocketmq import RocketMq


def impatient(resource: ResourceTransformArgs) -> ResourceTransformResult:
    """Every set after half a minute instead of half an hour."""
    hurried = ResourceOptions(custom_timeouts=CustomTimeouts(create="30s", update="30s", delete="60s"))
    return ResourceTransformResult(resource.props, ResourceOptions.merge(resource.opts, hurried))


provider = k8s.Provider("cluster", kubeconfig=Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8"))
RocketMq(
    "rocketmq",
    {
        "namespace": "unready",
        "storage_class": "nowhere",
        "protect_data": False,
        "broker_groups": [{"name": "broker-a"}],
    },
    pulumi.ResourceOptions(providers=[provider], transforms=[impatient]),
)
