"""A RocketMQ with access control, TLS and declared topics in a namespace of its own, as the JSON in `SETTINGS` says."""

import json
import os
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s

from eks_rocketmq import RocketMq

settings = json.loads(Path(os.environ["SETTINGS"]).read_text(encoding="utf-8"))
arguments = settings["rocketmq"]
provider = k8s.Provider("cluster", kubeconfig=Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8"))
cluster = pulumi.ResourceOptions(provider=provider)
namespace = k8s.core.v1.Namespace("namespace", metadata={"name": arguments["namespace"]}, opts=cluster)
certificate = k8s.core.v1.Secret(
    "certificate",
    metadata={"name": arguments["tls"]["secret_name"], "namespace": namespace.metadata["name"]},
    type="kubernetes.io/tls",
    string_data=settings["certificate"],
    opts=cluster,
)
rocketmq = RocketMq("rocketmq", arguments, pulumi.ResourceOptions(providers=[provider], depends_on=[certificate]))
pulumi.export("passwords", rocketmq.passwords)
