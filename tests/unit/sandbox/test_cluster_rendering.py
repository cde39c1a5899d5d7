"""Rendering of the sandbox's cluster: command lines, configuration, manifests and network commands."""

import json
import re
import tomllib
from ipaddress import IPv4Network, ip_address
from pathlib import Path

import pytest
import yaml

from sandbox.cluster import containerd, control_plane, defaults, dns, kubeconfig_file, kubelet, network
from sandbox.layout import (
    CONTROL_ADDRESS,
    DNS_ADDRESS,
    ISSUER,
    NETWORK_PREFIX,
    NODES,
    POD_CIDR,
    SERVICE_CIDR,
    Node,
    SandboxInstance,
)

INSTANCE = SandboxInstance("unit")
BINARY = Path("/bin/program")


def flags(argv: list[str]) -> dict[str, str]:
    pairs = (argument.removeprefix("--").partition("=") for argument in argv[1:])
    return {name: value for name, _, value in pairs}


def test_api_server_signs_tokens_of_the_eks_issuer_for_sts() -> None:
    settings = flags(control_plane.api_server(BINARY, INSTANCE.pki, Path("/webhook"), Path("/authorization")))
    assert settings["service-account-issuer"] == ISSUER
    assert settings["api-audiences"].split(",") == [ISSUER, "https://kubernetes.default.svc", "sts.amazonaws.com"]
    assert settings["service-account-signing-key-file"] == str(INSTANCE.pki / "service-account.key")
    assert settings["service-account-key-file"] == str(INSTANCE.pki / "service-account.pub")


def test_api_server_authenticates_aws_tokens_by_webhook() -> None:
    settings = flags(control_plane.api_server(BINARY, INSTANCE.pki, Path("/webhook"), Path("/authorization")))
    assert settings["authentication-token-webhook-config-file"] == "/webhook"
    webhook = yaml.safe_load(control_plane.webhook_kubeconfig(INSTANCE, "authenticate"))
    assert webhook["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:21362/authenticate"
    assert webhook["clusters"][0]["cluster"]["certificate-authority"] == str(INSTANCE.pki / "ca.crt")


def test_api_server_uses_kubelet_addresses_and_restricts_nodes() -> None:
    settings = flags(control_plane.api_server(BINARY, INSTANCE.pki, Path("/webhook"), Path("/authorization")))
    assert settings["kubelet-preferred-address-types"] == "InternalIP"
    assert settings["authorization-config"] == "/authorization"
    configuration = yaml.safe_load(control_plane.authorization_configuration(Path("/authorizer.kubeconfig")))
    assert [each["type"] for each in configuration["authorizers"]] == ["Node", "RBAC", "Webhook"]
    webhook = configuration["authorizers"][-1]["webhook"]
    assert webhook["connectionInfo"]["kubeConfigFile"] == "/authorizer.kubeconfig"
    # Nodes and controllers have no AWS principal. A webhook that does not answer must not block them.
    assert (webhook["failurePolicy"], len(webhook["matchConditions"])) == ("NoOpinion", 1)
    assert settings["enable-admission-plugins"] == "NodeRestriction"


def test_controller_manager_provisions_no_volumes_and_allocates_no_pod_cidrs() -> None:
    settings = flags(control_plane.controller_manager(BINARY, INSTANCE.pki, Path("/kubeconfig")))
    assert "enable-hostpath-provisioner" not in settings
    assert settings["allocate-node-cidrs"] == "false"


def test_networks_do_not_overlap_and_every_node_has_its_own_pod_cidr() -> None:
    machines = IPv4Network(f"{CONTROL_ADDRESS}/{NETWORK_PREFIX}", strict=False)
    ranges = [IPv4Network(node.pod_cidr) for node in NODES]
    networks = [machines, IPv4Network(SERVICE_CIDR), *ranges]
    assert not [(one, other) for one in networks for other in networks if one is not other and one.overlaps(other)]
    assert all(one.subnet_of(IPv4Network(POD_CIDR)) for one in ranges)
    assert all(ip_address(node.address) in machines for node in NODES)
    assert ip_address(DNS_ADDRESS) in IPv4Network(SERVICE_CIDR)


@pytest.mark.parametrize("own", NODES, ids=lambda node: node.letter)
def test_node_routes_to_pods_of_other_nodes_and_by_default_to_services(own: Node) -> None:
    routes = {line.split()[2]: line.split()[4] for line in network.node_commands(own) if line.startswith("route")}
    assert routes == {
        "default": CONTROL_ADDRESS,
        **{other.pod_cidr: other.address for other in NODES if other is not own},
    }


def test_links_are_created_inside_the_network_namespaces() -> None:
    commands = [line for node in NODES for line in network.link_commands(INSTANCE, node) if line.startswith("link add")]
    assert [line.split()[-2:] for line in commands] == [["netns", INSTANCE.node_netns(node)] for node in NODES]


def test_control_plane_routes_to_pods_and_services() -> None:
    routes = {line.split()[2] for line in network.control_routes()}
    assert routes == {SERVICE_CIDR, *(node.pod_cidr for node in NODES)}


def test_every_node_has_its_own_zone_and_instance_id() -> None:
    for node in NODES:
        settings = yaml.safe_load(kubelet.config(INSTANCE, node, Path("/run/containerd.sock")))
        assert settings["providerID"] == f"aws:///{node.zone}/{node.instance_id}"
        assert kubelet.labels(node)["topology.kubernetes.io/zone"] == node.zone
        assert kubelet.labels(node)["topology.ebs.csi.aws.com/zone"] == node.zone
    assert len({node.zone for node in NODES}) == len(NODES)


def test_kubelet_uses_its_own_folder_and_cgroup() -> None:
    node = NODES[1]
    settings = yaml.safe_load(kubelet.config(INSTANCE, node, Path("/run/containerd.sock")))
    root = INSTANCE.node_root(node)
    assert settings["cgroupRoot"] == INSTANCE.node_cgroup(node)
    assert {Path(settings[name]).parent for name in ("podLogsDir", "volumePluginDir", "resolvConf")} == {root}
    argv = flags(kubelet.command(BINARY, INSTANCE, node, root / "kubelet.yaml", root / "kubelet.kubeconfig"))
    assert argv["root-dir"] == str(root / "kubelet")
    assert argv["hostname-override"] == node.name


def test_kubelet_accepts_cgroup_v1_and_never_garbage_collects_images() -> None:
    settings = yaml.safe_load(kubelet.config(INSTANCE, NODES[0], Path("/run/containerd.sock")))
    assert settings["failCgroupV1"] is False
    assert settings["cgroupDriver"] == "cgroupfs"
    assert settings["imageGCHighThresholdPercent"] == 100


def test_kubelet_requires_authentication_and_authorization() -> None:
    settings = yaml.safe_load(kubelet.config(INSTANCE, NODES[0], Path("/run/containerd.sock")))
    assert settings["authentication"]["anonymous"] == {"enabled": False}
    assert settings["authorization"] == {"mode": "Webhook"}


def test_kube_proxy_does_not_change_conntrack_settings() -> None:
    settings = yaml.safe_load(kubelet.proxy_config(NODES[0], NODES[0].address, Path("/kubeconfig")))
    assert settings["mode"] == "iptables"
    assert settings["clusterCIDR"] == POD_CIDR
    assert settings["conntrack"] == {
        "maxPerCore": 0,
        "min": 0,
        "tcpEstablishedTimeout": "0s",
        "tcpCloseWaitTimeout": "0s",
    }


def test_containerd_config_is_toml_and_uses_the_folder_of_the_node() -> None:
    folders = containerd.ContainerdFolders(Path("/node"), Path("/images"))
    settings = tomllib.loads(containerd.toml(containerd.node_config(folders, Path("/bin/runc"))))
    assert (settings["version"], settings["root"], settings["state"]) == (2, "/images", "/node/containerd-state")
    cri = settings["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["restrict_oom_score_adj"] is True
    assert cri["netns_mounts_under_state_dir"] is True
    runc = cri["containerd"]["runtimes"]["runc"]
    assert runc["options"] == {
        "BinaryName": "/bin/runc",
        "Root": "/node/containerd-state/runc",
        "SystemdCgroup": False,
    }


def test_importer_disables_the_cri_plugin() -> None:
    folders = containerd.ContainerdFolders(Path("/node"), Path("/images"))
    settings = tomllib.loads(containerd.toml(containerd.importer_config(folders)))
    assert "io.containerd.grpc.v1.cri" in settings["disabled_plugins"]


def test_pod_network_uses_the_ptp_plugin_and_the_pod_cidr() -> None:
    folders = containerd.ContainerdFolders(Path("/node"), Path("/images"))
    settings = json.loads(containerd.cni_config(folders, NODES[2], "net"))
    (plugin,) = settings["plugins"]
    assert plugin["type"] == "ptp"
    assert plugin["ipam"]["ranges"] == [[{"subnet": NODES[2].pod_cidr}]]
    assert plugin["ipam"]["dataDir"] == "/node/ipam"


def test_gp2_storage_class_matches_that_of_a_new_eks_cluster() -> None:
    assert defaults.gp2() == {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp2"},
        "provisioner": "kubernetes.io/aws-ebs",
        "parameters": {"type": "gp2", "fsType": "ext4"},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def test_rocketmq_namespace_has_no_labels() -> None:
    (namespace,) = [one for one in defaults.manifests() if one["kind"] == "Namespace"]
    assert namespace["metadata"] == {"name": "rocketmq"}


def test_dns_service_selects_the_pods_and_has_the_cluster_dns_address() -> None:
    objects = {one["kind"]: one for one in dns.manifests()}
    service, deployment = objects["Service"]["spec"], objects["Deployment"]["spec"]
    settings = yaml.safe_load(kubelet.config(INSTANCE, NODES[0], Path("/run/containerd.sock")))
    assert [service["clusterIP"]] == settings["clusterDNS"]
    assert service["selector"].items() <= deployment["template"]["metadata"]["labels"].items()
    assert deployment["replicas"] == 2


def test_dns_caches_missing_names_for_one_second() -> None:
    (corefile,) = [one["data"]["Corefile"] for one in dns.manifests() if one["kind"] == "ConfigMap"]
    assert re.search(r"denial \d+ 1$", corefile, re.MULTILINE)
    assert corefile.count("{") == corefile.count("}")


def test_kubeconfig_names_the_certificates_of_the_sandbox() -> None:
    settings = yaml.safe_load(kubeconfig_file.render(INSTANCE, "admin"))
    assert settings["clusters"][0]["cluster"]["server"] == "https://10.200.0.1:6443"
    assert settings["users"][0]["user"] == {
        "client-certificate": str(INSTANCE.pki / "admin.crt"),
        "client-key": str(INSTANCE.pki / "admin.key"),
    }
