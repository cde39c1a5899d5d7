"""Faults of the cluster, and of the driver in it: its objects, its pods and its node plugin."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.aws.addon_catalogue import EBS_CSI
from sandbox.doctor_faults import pod_identity_agent, probe_claim
from sandbox.doctor_faults.fault_context import CONTROLLER, NAMESPACE, SERVICE_ACCOUNT, FaultContext, FaultError
from sandbox.doctor_faults.identity_faults import annotate_new_role, associate_new_role
from sandbox.doctor_faults.saved_resources import cluster_report, is_registered
from sandbox.ebs_csi import health, node_plugin
from sandbox.layout import CLUSTER, NODES, ROLE_ANNOTATION, Node
from sandbox.polling import wait_until

WEBHOOK = "pod-identity-webhook"
_IDENTITY = ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
_CONTAINER = "ebs-plugin"
_SELECTOR = f"app={CONTROLLER}"
_SECONDS = 60.0
_ALONE = {"replicas": 1, "strategy": {"type": "Recreate", "rollingUpdate": None}}
"""Fields of the Deployment that end the old pods at once."""


def fail_cluster(context: FaultContext) -> None:
    """Let EKS report that it has lost the role of the cluster."""
    issue = {"code": "IamRoleNotFound", "message": "The role of the cluster was not found.", "resourceIds": []}
    report = cluster_report(context)
    report.parent.mkdir(exist_ok=True)
    report.write_text(json.dumps({"status": "FAILED", "issues": [issue]}))


def remove_driver(context: FaultContext) -> None:
    """Delete the addon, and wait until its objects are gone."""
    context.aws("eks").delete_addon(clusterName=CLUSTER, addonName=EBS_CSI)
    absent = health.observed_file(context.instance)
    if not wait_until(lambda: absent.read_text() == health.ABSENT, _SECONDS):
        raise FaultError(f"the objects of the addon are not gone after {_SECONDS:.0f} s")
    probe_claim.show(context)


def delete_service_account(context: FaultContext) -> None:
    """Delete the service account of the controller. Its pods go on until their token expires."""
    context.kubectl("-n", NAMESPACE, "delete", "serviceaccount", SERVICE_ACCOUNT)


def remove_identity(context: FaultContext) -> None:
    """Remove the annotation, and create the pods again without a role. Wait for the error of the driver."""
    _remove_annotation(context)
    _drop_variables(context, _IDENTITY)
    probe_claim.show(context)
    probe_claim.await_event(context, "no EC2 IMDS role found")


def limit_hops(context: FaultContext) -> None:
    """Let the instance metadata service answer the node only, for a driver without a role of its own."""
    for node in NODES:
        context.aws("ec2").modify_instance_metadata_options(InstanceId=node.instance_id, HttpPutResponseHopLimit=1)
    remove_identity(context)


def remove_endpoint(context: FaultContext, variable: str) -> None:
    """Let the driver ask AWS by its public name, which the sandbox has no route to."""
    _drop_variables(context, (variable,))
    probe_claim.show(context)
    probe_claim.await_event(context, "amazonaws.com")


def silence_agent(context: FaultContext) -> None:
    """Give the driver its role by Pod Identity, with an agent that runs and does not answer.

    The driver waits five seconds for an answer in place of sixty, so that its error is seen soon.
    """
    pod_identity_agent.drop_packets(context)
    pod_identity_agent.start_agent(context)
    associate_new_role(context)
    _remove_annotation(context)
    container = _read_container(context)
    variables = [{"name": name, "value": value} for name, value in pod_identity_agent.VARIABLES.items()]
    changes = {
        "args": [*container["args"], "--timeout=5s"],
        "env": [*_build_removals(container, _IDENTITY), *variables],
        "volumeMounts": [pod_identity_agent.MOUNT],
    }
    _recreate_pods(context, changes, volumes=[pod_identity_agent.TOKEN_VOLUME])
    probe_claim.show(context)
    probe_claim.await_event(context, "DeadlineExceeded")


def _remove_annotation(context: FaultContext) -> None:
    context.kubectl("-n", NAMESPACE, "annotate", "serviceaccount", SERVICE_ACCOUNT, f"{ROLE_ANNOTATION}-")


def _drop_variables(context: FaultContext, names: tuple[str, ...]) -> None:
    """Create the pods of the controller again without environment variables."""
    _recreate_pods(context, {"env": _build_removals(_read_container(context), names)})


def _read_container(context: FaultContext) -> dict[str, Any]:
    (deployment,) = context.get("-n", NAMESPACE, "deployment", CONTROLLER)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container


def _build_removals(container: Mapping[str, Any], names: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"name": each["name"], "$patch": "delete"} for each in container["env"] if each["name"] in names]


def _recreate_pods(context: FaultContext, container: Mapping[str, Any], **pod: Any) -> None:  # noqa: ANN401
    """Create the pods of the controller again with a patch of their container, and of further fields of their spec."""
    before = [f"pod/{each['metadata']['name']}" for each in context.get("-n", NAMESPACE, "pods", "-l", _SELECTOR)]
    spec = {"containers": [{"name": _CONTAINER, **container}], **pod}
    patch = json.dumps({"spec": {**_ALONE, "template": {"spec": spec}}})
    context.kubectl("-n", NAMESPACE, "patch", "deployment", CONTROLLER, "-p", patch)
    # Until its end, a pod with the variables may still provision a claim.
    if before:
        context.kubectl("-n", NAMESPACE, "wait", "--for=delete", *before, "--timeout=60s")


def remove_webhook(context: FaultContext) -> None:
    """Delete the webhook, and annotate another role, which the running pods do not have."""
    context.kubectl("delete", "mutatingwebhookconfiguration", WEBHOOK)
    annotate_new_role(context)


def stop_controller(context: FaultContext) -> None:
    """Scale the controller to zero."""
    context.kubectl("-n", NAMESPACE, "scale", f"deployment/{CONTROLLER}", "--replicas=0")
    context.kubectl("-n", NAMESPACE, "wait", "--for=delete", "pod", "-l", _SELECTOR, "--timeout=60s")
    probe_claim.show(context)


def withhold_plugin(context: FaultContext, node: Node) -> None:
    """Keep the node plugin from a node, as a taint does that its DaemonSet does not tolerate."""
    node_plugin.withheld_file(context.instance, node).touch()
    if not wait_until(lambda: not is_registered(context, node), _SECONDS):
        raise FaultError(f"the driver is still registered on {node.name} after {_SECONDS:.0f} s")
    manifests = [probe_claim.storage_class(), probe_claim.claim(), probe_claim.pod(**probe_claim.in_zone(node))]
    context.apply(manifests)
