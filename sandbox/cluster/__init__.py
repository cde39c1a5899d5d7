"""Kubernetes cluster of a sandbox: a control plane and three nodes, each in its own network namespace."""

from concurrent.futures import ThreadPoolExecutor

from sandbox import processes
from sandbox.aws import pod_identity_webhook
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster import containerd_images, control_plane, defaults, dns, netns, network, node, pki
from sandbox.cluster.kubectl import apply, kubectl
from sandbox.cluster.removal import stop
from sandbox.layout import DNS_ADDRESS, NODES, SandboxInstance
from sandbox.polling import wait_until
from sandbox.progress import Report

__all__ = ["start", "stop"]

NODE_SECONDS = 120


def start(instance: SandboxInstance, toolchain: Toolchain, report: Report) -> None:
    """Start the parts that do not run. Wait until three nodes are Ready and cluster DNS answers.

    Raises ProcessError or CommandError with the output of the part that failed.
    """
    with report.step("certificates and network"):
        pki.ensure(instance.pki, pki.certificate_subjects())
        network.ensure(instance)
    with report.step("images, unpacked once for all nodes"):
        prepared = containerd_images.ensure(instance, toolchain)
    with report.step("control plane: etcd, API server, controller manager, scheduler"):
        control_plane.start(instance, toolchain)
        # The API server creates the namespace in the background.
        kubectl(instance, toolchain, "wait", "--for=create", "--timeout=60s", f"namespace/{dns.NAMESPACE}")
        webhook = pod_identity_webhook.configuration((instance.pki / "ca.crt").read_bytes())
        apply(instance, toolchain, [*defaults.manifests(), webhook, *dns.manifests()])
    with report.step(f"{len(NODES)} nodes in {len(NODES)} zones"):
        with ThreadPoolExecutor(len(NODES)) as workers:
            list(workers.map(lambda one: node.start(instance, toolchain, one, prepared), NODES))
        names = [f"node/{one.name}" for one in NODES]
        kubectl(instance, toolchain, "wait", "--for=create", f"--timeout={NODE_SECONDS}s", *names)
        kubectl(instance, toolchain, "wait", "--for=condition=Ready", f"--timeout={NODE_SECONDS}s", *names)
    with report.step("cluster DNS"):
        rollout = ["rollout", "status", f"deployment/{dns.NAME}", f"--timeout={NODE_SECONDS}s"]
        kubectl(instance, toolchain, f"--namespace={dns.NAMESPACE}", *rollout)
        _wait_for_dns(instance)


def _wait_for_dns(instance: SandboxInstance) -> None:
    """Connect through the service. The status in the API may be from before a restart."""
    if not wait_until(lambda: netns.is_listening(instance.control_netns, DNS_ADDRESS, dns.PORT), NODE_SECONDS):
        logs = "\n".join(processes.log_tail(instance, f"kube-proxy-{one.letter}", 5) for one in NODES)
        raise processes.ProcessError(f"cluster DNS does not answer at {DNS_ADDRESS} after {NODE_SECONDS} s\n{logs}")
