"""One `RocketMq` of the library in its own namespace, configured by the JSON file that `SETTINGS` names.

rocketmq: arguments of the component.
certificate: entries of the TLS Secret NAMESPACE-tls, which is created before RocketMQ.
seconds: timeout for creates and updates, instead of half an hour.
"""

import json
import os
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, ResourceOptions, ResourceTransformArgs, ResourceTransformResult

from eks_rocketmq import RocketMq

settings = json.loads(Path(os.environ["SETTINGS"]).read_text(encoding="utf-8"))
arguments = settings["rocketmq"]
provider = k8s.Provider("cluster", kubeconfig=Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8"))
before: list[pulumi.Resource] = []


def impatient(resource: ResourceTransformArgs) -> ResourceTransformResult:
    """Set the timeouts for the create and update of a resource."""
    time = f"{settings['seconds']}s"
    hurried = ResourceOptions(custom_timeouts=CustomTimeouts(create=time, update=time))
    return ResourceTransformResult(resource.props, ResourceOptions.merge(resource.opts, hurried))


if "certificate" in settings:
    cluster = ResourceOptions(provider=provider)
    namespace = k8s.core.v1.Namespace("namespace", metadata={"name": arguments["namespace"]}, opts=cluster)
    before = [
        k8s.core.v1.Secret(
            "certificate",
            metadata={"name": f"{arguments['namespace']}-tls", "namespace": namespace.metadata["name"]},
            type="kubernetes.io/tls",
            string_data=settings["certificate"],
            opts=cluster,
        )
    ]
options = ResourceOptions(
    providers=[provider], depends_on=before, transforms=[impatient] if "seconds" in settings else None
)
rocketmq = RocketMq("rocketmq", arguments, options)
pulumi.export("passwords", rocketmq.passwords)
