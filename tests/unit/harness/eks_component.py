"""Fake of `eks:index:Cluster` of pulumi-eks 4.4.0: its argument checks, child resources and outputs.

Only the configuration that this library uses is supported. Any other argument fails the test and is named.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulumi import CustomTimeouts, ResourceOptions, ResourceTransformArgs

from sandbox.engine.eks import arguments
from tests.unit.harness.new_cluster import ACCOUNT, REGION
from tests.unit.harness.recording import UNKNOWN, Registration

if TYPE_CHECKING:
    from pulumi.runtime.proto import resource_pb2

    from tests.unit.harness.monitor import RecordingMonitor

TYPE = "eks:index:Cluster"
CLUSTER = "aws:eks/cluster:Cluster"
ISSUER = f"https://oidc.eks.{REGION}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
_REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_LEAN = {key: value for key, value in arguments.LEAN.items() if key != "authenticationMode"}


class ConstructError(Exception):
    """The component rejected its arguments. The program fails."""


def construct(
    monitor: "RecordingMonitor", component: Registration, transforms: Sequence[str]
) -> "resource_pb2.RegisterResourceResponse":
    """Fake a Construct call: check the inputs, register cluster and Kubernetes provider, return the outputs."""
    inputs = component.inputs
    if refusal := refused(inputs):
        msg = f"eks:index:Cluster resource '{component.name}' has a problem: {refusal}"
        raise ConstructError(msg)
    if wrong := {key: inputs.get(key) for key, value in _LEAN.items() if inputs.get(key) != value}:
        msg = f"no fake for a cluster with {wrong}; add it to tests/unit/harness/eks_component.py"
        raise KeyError(msg)
    if unknown := set(inputs) - arguments.SERVED:
        msg = f"no fake for {sorted(unknown)}; add it to tests/unit/harness/eks_component.py"
        raise KeyError(msg)
    preview = monitor.recording.preview
    cluster = _cluster(monitor, component, preview)
    for token in transforms:
        cluster = _transformed(monitor.recording.transforms[token], cluster)
    computed = _computed(cluster.inputs)
    if preview:
        # Inputs of the program stay known, including those in vpcConfig.
        own = {key: UNKNOWN for key in computed["vpcConfig"] if key not in cluster.inputs["vpcConfig"]}
        computed = {**dict.fromkeys(computed, UNKNOWN), "vpcConfig": {**cluster.inputs["vpcConfig"], **own}}
    outputs = {**cluster.inputs, **computed}
    cluster = replace(cluster, outputs=outputs)
    provider = replace(
        _child(component, "pulumi:providers:kubernetes", f"{component.name}-eks-k8s"),
        inputs={"kubeconfig": UNKNOWN if preview else _kubeconfig(outputs)},
        dependencies=frozenset({cluster.urn}),
        id="6d3f",
    )
    return monitor.construct(component, [cluster, provider], _outputs(cluster, preview), cluster)


def refused(inputs: Mapping[str, Any]) -> str | None:
    """Return the component's error message for arguments that it rejects, or None."""
    if shutil.which("aws") is None:
        return "Could not find aws CLI for EKS."
    if inputs.get("createOidcProvider"):
        return "Cannot retrieve the certificate fingerprint at the issuer URL"
    return arguments.refusal(inputs)


def _child(component: Registration, type_: str, name: str) -> Registration:
    """Return a child as the plugin registers it. It inherits `protect` and no other option of the component."""
    head, project, chain, _ = component.urn.split("::")
    return replace(
        component,
        urn=f"{head}::{project}::{chain}${type_}::{name}",
        type=type_,
        name=name,
        custom=True,
        parent=component.urn,
        dependencies=frozenset(),
        property_dependencies={},
        ignore_changes=(),
        timeouts={},
        before_create=(),
        before_update=(),
        on_error=(),
        aliases=(),
    )


def _cluster(monitor: "RecordingMonitor", component: Registration, preview: bool) -> Registration:
    given = component.inputs
    name = f"{component.name}-eksCluster"
    role = monitor.recording.resources[given["serviceRole"]]
    inputs = {
        "accessConfig": {
            "authenticationMode": given["authenticationMode"],
            "bootstrapClusterCreatorAdminPermissions": True,
        },
        "bootstrapSelfManagedAddons": given.get("bootstrapSelfManagedAddons", True),
        "deletionProtection": given.get("deletionProtection"),
        "enabledClusterLogTypes": given.get("enabledClusterLogTypes"),
        "encryptionConfig": _block(
            given.get("encryptionConfigKeyArn"), lambda arn: {"provider": {"keyArn": arn}, "resources": ["secrets"]}
        ),
        "kubernetesNetworkConfig": _block(
            given.get("kubernetesServiceIpAddressRange"),
            lambda range_: {"serviceIpv4Cidr": range_, "ipFamily": "ipv4"},
        ),
        "name": given.get("name", UNKNOWN if preview else f"{name}-1a2b3c4"),
        "roleArn": UNKNOWN if preview else role.outputs["arn"],
        "tags": {"Name": name, **given.get("tags", {})},
        "upgradePolicy": given.get("upgradePolicy"),
        "version": given.get("version"),
        "vpcConfig": {
            "endpointPrivateAccess": given.get("endpointPrivateAccess"),
            "endpointPublicAccess": given.get("endpointPublicAccess"),
            "publicAccessCidrs": given.get("publicAccessCidrs"),
            "subnetIds": given.get("subnetIds", []),
        },
    }
    return replace(
        _child(component, CLUSTER, name),
        inputs={key: value for key, value in inputs.items() if value is not None},
        dependencies=frozenset({role.urn}),
        ignore_changes=("accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"),
        id=str(inputs["name"]),
    )


def _block(value: Any, block: Callable[[Any], Any]) -> Any:
    """Return a block of inputs. It is unknown as a whole if its value is unknown."""
    return value if value is None or value == UNKNOWN else block(value)


def _transformed(transform: Any, resource: Registration) -> Registration:
    """Return the resource after one transform. The engine applies the transforms of a component to its children."""
    options = ResourceOptions(ignore_changes=list(resource.ignore_changes), protect=resource.protect)
    answer = transform(ResourceTransformArgs(True, resource.type, resource.name, dict(resource.inputs), options))
    if answer is None:
        return resource
    timeouts = answer.opts.custom_timeouts or CustomTimeouts()
    hooks = answer.opts.hooks.before_create if answer.opts.hooks else None
    return replace(
        resource,
        inputs=answer.props,
        ignore_changes=tuple(answer.opts.ignore_changes or ()),
        protect=bool(answer.opts.protect),
        timeouts={key: value for key, value in vars(timeouts).items() if value},
        before_create=(*resource.before_create, *(hook.name for hook in hooks or ())),
    )


def _computed(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "arn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{inputs['name']}",
        "endpoint": f"https://0123456789ABCDEF.gr7.{REGION}.eks.amazonaws.com",
        "certificateAuthority": {"data": "Q0VSVElGSUNBVEU="},
        "identities": [{"oidcs": [{"issuer": ISSUER}]}],
        "vpcConfig": {**inputs["vpcConfig"], "clusterSecurityGroupId": "sg-cluster", "vpcId": "vpc-1"},
        "status": "ACTIVE",
    }


def _kubeconfig(outputs: Mapping[str, Any]) -> str:
    return json.dumps({"clusters": [{"cluster": {"server": outputs["endpoint"]}}]})


def _outputs(cluster: Registration, preview: bool) -> dict[str, Any]:
    """Return the outputs: never `awsProvider`, `""` for resources not created, only a reference known at preview."""
    issuer = UNKNOWN if preview else ISSUER
    group = UNKNOWN if preview else cluster.outputs["vpcConfig"]["clusterSecurityGroupId"]
    return {
        "eksCluster": {_SIGNATURE: _REFERENCE, "urn": cluster.urn, "id": UNKNOWN if preview else cluster.id},
        "core": UNKNOWN if preview else {"endpoint": cluster.outputs["endpoint"], "storageClasses": {}},
        "kubeconfig": UNKNOWN if preview else json.loads(_kubeconfig(cluster.outputs)),
        "kubeconfigJson": UNKNOWN if preview else _kubeconfig(cluster.outputs),
        "oidcProviderUrl": issuer,
        "oidcIssuer": issuer.removeprefix("https://"),
        "oidcProviderArn": "",
        "clusterSecurityGroupId": group,
        "nodeSecurityGroupId": group,
        "clusterIngressRuleId": "",
        "instanceRoles": [],
        "defaultNodeGroupAsgName": "",
        "fargateProfileId": "",
        "fargateProfileStatus": "",
        "autoModeNodeRoleName": "",
    }
