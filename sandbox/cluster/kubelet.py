"""kubelet and kube-proxy of one node: configuration files and command lines."""

from pathlib import Path

from sandbox.cluster import templates
from sandbox.layout import DNS_ADDRESS, POD_CIDR, REGION, ZONE_LABEL, Node, SandboxInstance

CLUSTER_DOMAIN = "cluster.local"
INSTANCE_TYPE = "m6i.large"
KUBELET_HEALTH_PORT = 10248
PROXY_HEALTH_PORT = 10256


def labels(node: Node) -> dict[str, str]:
    """Return the labels that the EKS cloud controller and the EBS CSI driver set on a node."""
    return {
        "topology.kubernetes.io/region": REGION,
        ZONE_LABEL: node.zone,
        "node.kubernetes.io/instance-type": INSTANCE_TYPE,
        "topology.ebs.csi.aws.com/zone": node.zone,
    }


def command(binary: Path, instance: SandboxInstance, node: Node, config: Path, own_kubeconfig: Path) -> list[str]:
    root = instance.node_root(node) / "kubelet"
    return [
        str(binary),
        f"--config={config}",
        f"--kubeconfig={own_kubeconfig}",
        f"--root-dir={root}",
        f"--cert-dir={root / 'pki'}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
        f"--node-labels={','.join(f'{name}={value}' for name, value in labels(node).items())}",
    ]


def config(instance: SandboxInstance, node: Node, runtime_socket: Path) -> str:
    """Return the KubeletConfiguration as YAML."""
    return templates.render(
        "kubelet.yaml",
        address=node.address,
        pki=instance.pki,
        subject=f"kubelet-{node.letter}",
        health_port=KUBELET_HEALTH_PORT,
        provider_id=node.provider_id,
        domain=CLUSTER_DOMAIN,
        dns_address=DNS_ADDRESS,
        folder=instance.node_root(node),
        endpoint=f"unix://{runtime_socket}",
        cgroup=instance.node_cgroup(node),
    )


def proxy_config(node: Node, address: str, own_kubeconfig: Path) -> str:
    """Return the KubeProxyConfiguration of a machine of `node`'s zone with the given address, as YAML."""
    return templates.render(
        "kube-proxy.yaml",
        pod_cidr=POD_CIDR,
        name=node.name,
        address=address,
        health_port=PROXY_HEALTH_PORT,
        kubeconfig=own_kubeconfig,
    )
