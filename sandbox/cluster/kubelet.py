"""kubelet and kube-proxy of one node: configuration files and command lines."""

from pathlib import Path

import yaml

from sandbox.place import DNS_ADDRESS, POD_CIDR, REGION, Node, Place

CLUSTER_DOMAIN = "cluster.local"
INSTANCE_TYPE = "m6i.large"
KUBELET_HEALTH_PORT = 10248
PROXY_HEALTH_PORT = 10256


def labels(node: Node) -> dict[str, str]:
    """What the EKS cloud controller and the EBS CSI driver put on a node."""
    return {
        "topology.kubernetes.io/region": REGION,
        "topology.kubernetes.io/zone": node.zone,
        "node.kubernetes.io/instance-type": INSTANCE_TYPE,
        "topology.ebs.csi.aws.com/zone": node.zone,
    }


def command(binary: Path, place: Place, node: Node, config: Path, own_kubeconfig: Path) -> list[str]:
    root = place.node_root(node) / "kubelet"
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


def config(place: Place, node: Node, runtime_socket: Path) -> str:
    """KubeletConfiguration as YAML."""
    folder = place.node_root(node)
    endpoint = f"unix://{runtime_socket}"
    return yaml.safe_dump(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": node.address,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(place.pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(place.pki / f"kubelet-{node.letter}.crt"),
            "tlsPrivateKeyFile": str(place.pki / f"kubelet-{node.letter}.key"),
            "healthzBindAddress": "127.0.0.1",
            "healthzPort": KUBELET_HEALTH_PORT,
            "providerID": node.provider_id,
            "clusterDomain": CLUSTER_DOMAIN,
            "clusterDNS": [DNS_ADDRESS],
            # Pods without cluster DNS get no name server at all: nothing outside the sandbox is to be reached.
            "resolvConf": str(folder / "resolv.conf"),
            "containerRuntimeEndpoint": endpoint,
            "imageServiceEndpoint": endpoint,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": place.node_cgroup(node),
            "failCgroupV1": False,
            "failSwapOn": False,
            "podLogsDir": str(folder / "pod-logs"),
            "volumePluginDir": str(folder / "kubelet-plugins"),
            # Three nodes share one machine: each keeps back little, and a half full disk is nobody's fault here.
            "systemReserved": {"cpu": "50m", "memory": "128Mi"},
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1Gi", "imagefs.available": "1Gi"},
            # Images come from the cache; what was collected could not be pulled again.
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "maxPods": 100,
            # Not the kernel's: sysctls of the machine stay as they are.
            "protectKernelDefaults": False,
            "makeIPTablesUtilChains": False,
            "oomScoreAdj": 0,
        },
        sort_keys=False,
    )


def proxy_command(binary: Path, config_file: Path) -> list[str]:
    return [str(binary), f"--config={config_file}"]


def proxy_config(node: Node, own_kubeconfig: Path) -> str:
    """KubeProxyConfiguration as YAML. What is not a pod of this cluster reaches services masqueraded."""
    return yaml.safe_dump(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": POD_CIDR,
            "detectLocalMode": "ClusterCIDR",
            "hostnameOverride": node.name,
            "bindAddress": node.address,
            "metricsBindAddress": "127.0.0.1:10249",
            "healthzBindAddress": f"127.0.0.1:{PROXY_HEALTH_PORT}",
            "clientConnection": {"kubeconfig": str(own_kubeconfig)},
            # The size of the connection table belongs to the machine; 0 leaves it alone.
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
            "oomScoreAdj": 0,
        },
        sort_keys=False,
    )
