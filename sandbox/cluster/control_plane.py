"""etcd, API server, controller manager and scheduler, each a process in the control namespace."""

import ssl
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from sandbox import processes
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster import kubeconfig, netns
from sandbox.place import (
    API_PORT,
    AUTHENTICATOR_PORT,
    CLUSTER,
    CONTROL_ADDRESS,
    ISSUER,
    POD_CIDR,
    PRINCIPAL_EXTRA,
    SERVICE_CIDR,
    Place,
)
from sandbox.processes import Process

ETCD_PORT = 2379
AUDIENCES = (ISSUER, "https://kubernetes.default.svc", "sts.amazonaws.com")
CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259
# In the order in which they start.
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
PROBE_SECONDS = 2.0


def start(place: Place, toolchain: Toolchain) -> None:
    """Start what does not run and wait until the API server and both controllers say that they are healthy.

    Raises ProcessError with the log of the one that does not come up.
    """
    folder = place.root / "control-plane"
    folder.mkdir(parents=True, exist_ok=True)
    kubeconfig.write(place, "admin", place.admin_kubeconfig)
    for identity in ("controller-manager", "scheduler"):
        kubeconfig.write(place, identity, folder / f"{identity}.kubeconfig")
    webhook = folder / "authenticator.kubeconfig"
    webhook.write_text(webhook_kubeconfig(place, "authenticate"))
    (folder / "authorizer.kubeconfig").write_text(webhook_kubeconfig(place, "authorize"))
    authorization = folder / "authorization.yaml"
    authorization.write_text(authorization_configuration(folder / "authorizer.kubeconfig"))

    def run(name: str, argv: list[str], probe: str) -> None:
        ready = lambda: _healthy(place, probe)  # noqa: E731
        processes.start(place, Process(name, argv, netns=place.control_netns, ready=ready))

    binaries = toolchain.bin
    run("etcd", etcd(binaries / "etcd", folder / "etcd"), f"http://127.0.0.1:{ETCD_PORT}/health")
    run(
        "kube-apiserver",
        api_server(binaries / "kube-apiserver", place.pki, webhook, authorization),
        f"{place.api_endpoint}/readyz",
    )
    controller_kubeconfig, scheduler_kubeconfig = (
        folder / "controller-manager.kubeconfig",
        folder / "scheduler.kubeconfig",
    )
    run(
        "kube-controller-manager",
        controller_manager(binaries / "kube-controller-manager", place.pki, controller_kubeconfig),
        f"https://127.0.0.1:{CONTROLLER_MANAGER_PORT}/healthz",
    )
    run(
        "kube-scheduler",
        scheduler(binaries / "kube-scheduler", scheduler_kubeconfig),
        f"https://127.0.0.1:{SCHEDULER_PORT}/healthz",
    )


def etcd(binary: Path, data: Path) -> list[str]:
    """Without fsync: the end of a process loses nothing, a power cut costs a sandbox, and a busy disk stalls nobody."""
    address = f"http://127.0.0.1:{ETCD_PORT}"
    return [
        str(binary),
        f"--data-dir={data}",
        f"--listen-client-urls={address}",
        f"--advertise-client-urls={address}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",
        # The only member has nobody to lose an election to; two busy cores would make it try with the defaults.
        "--heartbeat-interval=500",
        "--election-timeout=5000",
        "--log-level=warn",
    ]


def api_server(binary: Path, pki: Path, webhook: Path, authorization: Path) -> list[str]:
    """Command line of the API server.

    Args:
        binary: the program.
        pki: folder of certificates and keys.
        webhook: kubeconfig of the token authenticator; while it does not answer, certificates still work.
        authorization: the AuthorizationConfiguration.
    """
    return [
        str(binary),
        f"--advertise-address={CONTROL_ADDRESS}",
        f"--secure-port={API_PORT}",
        f"--etcd-servers=http://127.0.0.1:{ETCD_PORT}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        # The EKS issuer: a token of this server is what IAM sees as coming from the cluster's OIDC provider.
        f"--service-account-issuer={ISSUER}",
        f"--service-account-jwks-uri={ISSUER}/keys",
        f"--service-account-key-file={pki / 'service-account.pub'}",
        f"--service-account-signing-key-file={pki / 'service-account.key'}",
        f"--api-audiences={','.join(AUDIENCES)}",
        f"--authentication-token-webhook-config-file={webhook}",
        "--authentication-token-webhook-version=v1",
        "--authentication-token-webhook-cache-ttl=5s",
        f"--authorization-config={authorization}",
        "--enable-admission-plugins=NodeRestriction",
        f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        # Node names resolve nowhere.
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={pki / 'ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
        "--profiling=false",
    ]


def controller_manager(binary: Path, pki: Path, own_kubeconfig: Path) -> list[str]:
    """Pod ranges are fixed per node (see `place.NODES`), so it hands out none; volumes come from the CSI driver."""
    return [
        str(binary),
        f"--kubeconfig={own_kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={CONTROLLER_MANAGER_PORT}",
        "--leader-elect=false",
        f"--cluster-name={CLUSTER}",
        f"--cluster-cidr={POD_CIDR}",
        "--allocate-node-cidrs=false",
        f"--service-account-private-key-file={pki / 'service-account.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        "--use-service-account-credentials=true",
        "--profiling=false",
    ]


def scheduler(binary: Path, own_kubeconfig: Path) -> list[str]:
    return [
        str(binary),
        f"--kubeconfig={own_kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={SCHEDULER_PORT}",
        "--leader-elect=false",
        "--profiling=false",
    ]


def webhook_kubeconfig(place: Place, path: str) -> str:
    """Kubeconfig by which the API server asks EKS's side: `authenticate` a token, or `authorize` a request."""
    cluster = {
        "server": f"https://127.0.0.1:{AUTHENTICATOR_PORT}/{path}",
        "certificate-authority": str(place.pki / "ca.crt"),
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "eks", "cluster": cluster}],
            "users": [{"name": "kube-apiserver"}],
            "contexts": [{"name": "webhook", "context": {"cluster": "eks", "user": "kube-apiserver"}}],
            "current-context": "webhook",
        }
    )


def authorization_configuration(webhook: Path) -> str:
    """Nodes, then RBAC, then the access policies of EKS, which only principals of AWS have."""
    principals_only = f"has(request.resourceAttributes) && has(request.extra) && '{PRINCIPAL_EXTRA}' in request.extra"
    access_policies = {
        "type": "Webhook",
        "name": "access-policies",
        "webhook": {
            "subjectAccessReviewVersion": "v1",
            "matchConditionSubjectAccessReviewVersion": "v1",
            "timeout": "3s",
            "failurePolicy": "NoOpinion",
            "authorizedTTL": "5s",
            "unauthorizedTTL": "5s",
            "connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": str(webhook)},
            "matchConditions": [{"expression": principals_only}],
        },
    }
    return yaml.safe_dump(
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AuthorizationConfiguration",
            "authorizers": [
                {"type": "Node", "name": "node"},
                {"type": "RBAC", "name": "rbac"},
                access_policies,
            ],
        }
    )


def _healthy(place: Place, address: str) -> bool:
    """Whether `address` answers 200, asked from the control namespace with the admin's certificate."""
    context = ssl.create_default_context()
    # Controller manager and scheduler make certificates of their own; this only asks for their health.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(place.pki / "admin.crt", place.pki / "admin.key")
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
    try:
        with netns.inside(place.control_netns), opener.open(address, timeout=PROBE_SECONDS) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
