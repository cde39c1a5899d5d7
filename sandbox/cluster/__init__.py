"""The Kubernetes cluster of a sandbox: a control plane and three nodes, each in a network namespace of its own."""

from concurrent.futures import ThreadPoolExecutor

from sandbox import processes
from sandbox.aws import pod_identity_webhook
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster import control_plane, defaults, dns, images, netns, network, node, pki
from sandbox.cluster.client import apply, kubectl
from sandbox.cluster.removal import stop
from sandbox.place import DNS_ADDRESS, NODES, Place
from sandbox.polling import until
from sandbox.progress import Report

__all__ = ["start", "stop"]

NODE_SECONDS = 120


def start(place: Place, toolchain: Toolchain, report: Report) -> None:
    """Start what does not run, until three nodes are Ready and cluster DNS answers; what runs is taken over.

    Raises ProcessError or CommandError with the words of the part that failed.
    """
    with report.step("certificates and network"):
        pki.ensure(place)
        network.ensure(place)
    with report.step("images, unpacked once for all nodes"):
        prepared = images.ensure(place, toolchain)
    with report.step("control plane: etcd, API server, controller manager, scheduler"):
        control_plane.start(place, toolchain)
        # The API server makes it in the background.
        kubectl(place, toolchain, "wait", "--for=create", "--timeout=60s", f"namespace/{dns.NAMESPACE}")
        webhook = pod_identity_webhook.configuration((place.pki / "ca.crt").read_bytes())
        apply(place, toolchain, [*defaults.objects(), webhook, *dns.objects()])
    with report.step(f"{len(NODES)} nodes in {len(NODES)} zones"):
        with ThreadPoolExecutor(len(NODES)) as workers:
            list(workers.map(lambda one: node.start(place, toolchain, one, prepared), NODES))
        names = [f"node/{one.name}" for one in NODES]
        kubectl(place, toolchain, "wait", "--for=create", f"--timeout={NODE_SECONDS}s", *names)
        kubectl(place, toolchain, "wait", "--for=condition=Ready", f"--timeout={NODE_SECONDS}s", *names)
    with report.step("cluster DNS"):
        rollout = ["rollout", "status", f"deployment/{dns.NAME}", f"--timeout={NODE_SECONDS}s"]
        kubectl(place, toolchain, f"--namespace={dns.NAMESPACE}", *rollout)
        _wait_for_dns(place)


def _wait_for_dns(place: Place) -> None:
    """What the API server says may be from before a restart; a connection through the service proves all of the way."""
    if not until(lambda: netns.listens(place.control_netns, DNS_ADDRESS, dns.PORT), NODE_SECONDS):
        logs = "\n".join(processes.log_tail(place, f"kube-proxy-{one.letter}", 5) for one in NODES)
        raise processes.ProcessError(f"cluster DNS does not answer at {DNS_ADDRESS} after {NODE_SECONDS} s\n{logs}")
